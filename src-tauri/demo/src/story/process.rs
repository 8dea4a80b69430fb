//! A made-up waterworks, *Hollin Ford*, on a day on which a level gauge of its tower is stuck.
//!
//! Every minute each pump, each tank and the works as a whole say how they are; the tower's second gauge does so on a channel of its
//! own. From 09:35 the first gauge says what it said then. The control believes it and lets all pumps run: the tower fills to the brim,
//! until at the high limit of the second gauge an operator lets the control go by that one. At 12:50 the first gauge is freed.
//!
//! What is wrong is told twice: as an event, and as an alarm that stands (`alarm.raised`) until it is over (`alarm.cleared`). A filter's
//! head loss grows until it is washed, one of four every hour and a half.

use serde_json::{Value, json};

use super::script::{DAY_MIN, Dice, Script, clock, hourly, rounded};

const CHANNELS: [&str; 3] = ["plant", "pumps", "radar"];
const DICE: Dice = Dice::new(0x0077_a7e5);

/// What the town takes, litres a second.
const DEMAND: [f64; 24] = [
    62.0, 55.0, 52.0, 54.0, 66.0, 96.0, 148.0, 186.0, 172.0, 150.0, 142.0, 146.0, 152.0, 140.0, 132.0, 128.0, 136.0,
    158.0, 178.0, 170.0, 142.0, 116.0, 92.0, 74.0,
];
/// What one pump moves, and what another one adds to it: the main's resistance grows.
const LIFT: [f64; 4] = [0.0, 74.0, 136.0, 188.0];
const INTAKE: [f64; 3] = [0.0, 92.0, 172.0];
/// m² of water: what a level is worth.
const AREAS: [f64; 4] = [260.0, 420.0, 150.0, 60.0];

const STUCK: i64 = clock(9, 35);
const FREED: i64 = clock(12, 50);
/// The tower's limits, metres.
const HIGH: f64 = 7.4;
const LOW: f64 = 2.5;
/// Waves make a decimetre or two; two gauges that are further apart differ.
const DIFFERS: f64 = 0.3;
/// Above it one pump is enough.
const FULL: f64 = 6.8;
/// One filter after the other, each every six hours.
const FILTERS: i64 = 4;
const BACKWASH_EVERY: i64 = 360 / FILTERS;
const BACKWASH_AT: i64 = clock(4, 10);
const BACKWASH_MIN: i64 = 8;
const BACKWASH_FLOW: f64 = 48.0;
/// Metres of water: of a filter that is clean, and how many more in an hour.
const CLEAN_LOSS: f64 = 0.42;
const LOSS_PER_HOUR: f64 = 0.21;
/// Above it a filter is to be washed.
const LOSS_LIMIT: f64 = 1.8;

struct Pump {
    id: &'static str,
    name: &'static str,
    group: Group,
    /// Which of its group it is: the first runs first.
    place: usize,
    kw: f64,
}

#[derive(Clone, Copy, PartialEq)]
enum Group {
    Intake,
    Lift,
    Backwash,
}

const PUMPS: [Pump; 6] = [
    Pump { id: "P-101", name: "Intake A", group: Group::Intake, place: 1, kw: 31.0 },
    Pump { id: "P-102", name: "Intake B", group: Group::Intake, place: 2, kw: 30.0 },
    Pump { id: "P-201", name: "Lift A", group: Group::Lift, place: 1, kw: 55.0 },
    Pump { id: "P-202", name: "Lift B", group: Group::Lift, place: 2, kw: 54.0 },
    Pump { id: "P-203", name: "Lift C", group: Group::Lift, place: 3, kw: 57.0 },
    Pump { id: "P-301", name: "Backwash", group: Group::Backwash, place: 1, kw: 18.0 },
];

struct Tank {
    id: &'static str,
    name: &'static str,
    top: f64,
    low: f64,
}

const TANKS: [Tank; 4] = [
    Tank { id: "T-1", name: "Raw water", top: 5.0, low: 1.2 },
    Tank { id: "T-2", name: "Clear well", top: 4.5, low: 1.2 },
    Tank { id: "T-3", name: "Tower", top: 8.0, low: LOW },
    Tank { id: "T-4", name: "Backwash tank", top: 4.0, low: 1.0 },
];
/// Their places in [`TANKS`].
const RAW: usize = 0;
const CLEAR: usize = 1;
const TOWER: usize = 2;
const WASH: usize = 3;

/// The works at a minute.
struct Works {
    levels: [f64; 4],
    /// What the control and the board are told of the tower.
    gauge: f64,
    lifts: usize,
    intakes: usize,
    treating: f64,
    demand: f64,
    washing: bool,
    /// Whether the control goes by the second gauge.
    by_second: bool,
    is_high: bool,
    /// Whether the two gauges have been told apart, and whether the third lift pump runs.
    differs: bool,
    rough: bool,
}

impl Works {
    fn at_midnight() -> Self {
        Self {
            levels: [3.4, 3.1, 5.6, 3.2],
            gauge: 5.6,
            lifts: 1,
            intakes: 1,
            treating: 80.0,
            demand: 62.0,
            washing: false,
            by_second: false,
            is_high: false,
            differs: false,
            rough: false,
        }
    }

    fn step(&mut self, minute: i64) {
        self.demand = hourly(&DEMAND, minute) * (1.0 + 0.05 * DICE.drift("demand", minute, 9));
        self.washing = (minute - BACKWASH_AT).rem_euclid(BACKWASH_EVERY) < BACKWASH_MIN;
        let seen = if self.by_second { self.levels[TOWER] } else { self.gauge };
        self.lifts = match seen {
            level if level < 4.4 => 3,
            level if level < 5.4 => self.lifts.max(2),
            level if level > FULL => 1,
            level if level > 6.2 => self.lifts.min(2),
            _ => self.lifts,
        };
        self.intakes = match self.levels[RAW] {
            level if level < 2.6 => 2,
            level if level > 4.2 => 1,
            _ => self.intakes,
        };
        // The filters follow the clear well slowly.
        let wanted = (LIFT[self.lifts] + (3.2 - self.levels[CLEAR]) * 40.0).clamp(40.0, 190.0);
        self.treating += (wanted - self.treating) * 0.05;
        let wash = if self.washing { BACKWASH_FLOW } else { 0.0 };
        let refill = if self.levels[WASH] < 3.2 { 6.0 } else { 0.0 };
        let flows = [
            INTAKE[self.intakes] - self.treating,
            self.treating - LIFT[self.lifts] - refill,
            LIFT[self.lifts] - self.demand,
            refill - wash,
        ];
        for (((level, flow), area), tank) in self.levels.iter_mut().zip(flows).zip(AREAS).zip(&TANKS) {
            *level = (*level + flow * 0.06 / area).clamp(0.2, tank.top);
        }
        if !(STUCK..FREED).contains(&minute) {
            self.gauge = self.levels[TOWER];
        }
    }

    fn runs(&self, pump: &Pump) -> bool {
        match pump.group {
            Group::Intake => pump.place <= self.intakes,
            Group::Lift => pump.place <= self.lifts,
            Group::Backwash => self.washing,
        }
    }

    fn flow(&self, pump: &Pump) -> f64 {
        match pump.group {
            _ if !self.runs(pump) => 0.0,
            Group::Intake => INTAKE[self.intakes] / self.intakes as f64,
            Group::Lift => LIFT[self.lifts] / self.lifts as f64,
            Group::Backwash => BACKWASH_FLOW,
        }
    }
}

/// The day at Hollin Ford.
pub(super) fn story() -> Result<Script, jiff::Error> {
    let mut script = Script::new(&CHANNELS)?;
    let mut works = Works::at_midnight();
    for minute in 0..=DAY_MIN {
        works.step(minute);
        tell_pumps(&mut script, &works, minute);
        tell_tanks(&mut script, &works, minute);
        tell_plant(&mut script, &works, minute);
        tell_filters(&mut script, &works, minute);
        tell_alarms(&mut script, &mut works, minute);
    }
    Ok(script.done())
}

fn tell_pumps(script: &mut Script, works: &Works, minute: i64) {
    for pump in &PUMPS {
        let (runs, flow) = (works.runs(pump), works.flow(pump));
        let wave = DICE.noise(pump.id, minute);
        // The third lift pump rests for weeks: it shakes when it must run.
        let rough = if pump.id == "P-203" { 2.9 } else { 0.0 };
        let vibration = if runs { 2.1 + rough + 0.3 * wave } else { 0.0 };
        let power = if runs { pump.kw * (1.0 + 0.02 * wave) } else { 0.0 };
        let state = match vibration {
            _ if !runs => "standby",
            vibration if vibration > 4.5 => "rough",
            _ => "running",
        };
        let said = json!({
            "pump": pump.id,
            "name": pump.name,
            "state": state,
            "flow": rounded(flow * (1.0 + 0.01 * wave), 1),
            "power": rounded(power, 1),
            "vibration": rounded(vibration, 1),
            "detail": if runs { format!("{flow:.0} l/s, {power:.0} kW") } else { "ready".to_owned() },
        });
        script.tell(minute, "pumps", "pump.measured", pump.id, said);
    }
}

fn tell_tanks(script: &mut Script, works: &Works, minute: i64) {
    for (at, tank) in TANKS.iter().enumerate() {
        let told = if at == TOWER { works.gauge } else { works.levels[at] };
        let is_stuck = at == TOWER && (STUCK..FREED).contains(&minute);
        let ripple = if is_stuck { 0.0 } else { 0.01 * DICE.noise(tank.id, minute) };
        let state = match told {
            told if told < tank.low => "low",
            told if told > tank.top * 0.95 => "high",
            _ => "good",
        };
        let level = rounded(told + ripple, 2);
        let said = json!({
            "tank": tank.id,
            "name": tank.name,
            "level": level,
            "full": rounded(level / tank.top, 3),
            "state": state,
            "detail": format!("{level:.1} of {} m", tank.top),
        });
        script.tell(minute, "plant", "tank.measured", tank.id, said);
    }
    let radar = rounded(works.levels[TOWER] + 0.015 * DICE.noise("radar", minute), 2);
    script.tell(minute, "radar", "level.measured", "LT-301B", json!({ "tank": "T-3", "level": radar }));
}

fn tell_plant(script: &mut Script, works: &Works, minute: i64) {
    let power: f64 = PUMPS.iter().filter(|pump| works.runs(pump)).map(|pump| pump.kw).sum();
    // A tower is its own pressure gauge, less what the main takes.
    let pressure = 3.1 + works.levels[TOWER] * 0.098 - (works.demand / 186.0).powi(2) * 0.35;
    let said = json!({
        "intake": rounded(INTAKE[works.intakes] * (1.0 + 0.01 * DICE.noise("intake", minute)), 1),
        "treated": rounded(works.treating, 1),
        "treated_m3": rounded(works.treating * 0.06, 2),
        "lifted": rounded(LIFT[works.lifts] * (1.0 + 0.01 * DICE.noise("lifted", minute)), 1),
        "demand": rounded(works.demand, 1),
        "pressure": rounded(pressure + 0.02 * DICE.noise("pressure", minute), 2),
        "turbidity": rounded(0.14 + 0.05 * DICE.drift("turbidity", minute, 90).abs() + 0.008 * DICE.noise("ntu", minute), 3),
        "chlorine": rounded(0.42 + 0.04 * DICE.drift("chlorine", minute, 120), 2),
        "ph": rounded(7.45 + 0.08 * DICE.drift("ph", minute, 150) + 0.01 * DICE.noise("ph", minute), 2),
        "power": rounded(power, 0),
        // What a cubic metre costs until it is with the town.
        "kwh_per_m3": rounded(power / 3.6 / works.treating.max(1.0), 3),
        "into_tower": rounded(LIFT[works.lifts] - works.demand, 1),
    });
    script.tell(minute, "plant", "plant.measured", "plant", said);
    // The same by line, for a chart of both.
    for (line, flow) in [("lifted", LIFT[works.lifts]), ("demand", works.demand)] {
        script.tell(minute, "plant", "flow.measured", line, json!({ "line": line, "flow": rounded(flow, 1) }));
    }
}

/// Since when a filter has not been washed, minutes: they take turns.
fn since_washed(filter: i64, minute: i64) -> i64 {
    (minute - BACKWASH_AT - filter * BACKWASH_EVERY).rem_euclid(FILTERS * BACKWASH_EVERY)
}

fn tell_filters(script: &mut Script, works: &Works, minute: i64) {
    for filter in 0..FILTERS {
        let name = format!("F-{}", filter + 1);
        let since = since_washed(filter, minute);
        let washes = since < BACKWASH_MIN;
        let hours = since as f64 / 60.0;
        let loss = CLEAN_LOSS + LOSS_PER_HOUR * hours * (0.9 + 0.05 * filter as f64) + 0.01 * DICE.noise(&name, minute);
        let state = match loss {
            _ if washes => "washing",
            loss if loss > LOSS_LIMIT => "clogged",
            _ => "filtering",
        };
        let share = if washes { 0.0 } else { works.treating / FILTERS as f64 };
        let said = json!({
            "filter": name,
            "loss": if washes { Value::Null } else { json!(rounded(loss, 2)) },
            "flow": rounded(share, 1),
            "turbidity": rounded(0.11 + 0.02 * DICE.drift(&name, minute, 60).abs() + 0.1 * (-hours * 4.0).exp(), 3),
            "washed": script.ms(minute - since),
            "state": state,
        });
        script.tell(minute, "plant", "filter.measured", &name, said);
    }
}

/// What stands until it is over: tag, priority, what it is.
struct Standing(&'static str, &'static str, &'static str);

const TOWER_HIGH: Standing = Standing("LT-301B", "high", "tower above its high limit");
const ROUGH: Standing = Standing("P-203", "low", "vibration above 4.5 mm/s");
const DEVIATES: Standing = Standing("LT-301", "medium", "gauges A and B differ");
const LAMP: Standing = Standing("UV-2", "low", "lamp to be changed");

fn tell_alarms(script: &mut Script, works: &mut Works, minute: i64) {
    let mut said = Vec::new();
    let mut log = |tag: &'static str, text: &'static str, severity: &'static str| said.push((tag, text, severity));
    let mut stand = Vec::new();
    let level = works.levels[TOWER];
    if !works.is_high && level > HIGH {
        works.is_high = true;
        log("LT-301B", "tower above its high limit", "alarm");
        stand.push((TOWER_HIGH, true));
    }
    if works.is_high && !works.by_second && level > HIGH + 0.15 {
        works.by_second = true;
        log("LIC-301", "control goes by LT-301B", "operator");
    }
    if works.is_high && level < HIGH - 0.2 {
        works.is_high = false;
        log("LT-301B", "tower below its high limit", "cleared");
        stand.push((TOWER_HIGH, false));
    }
    let differs = (level - works.gauge).abs() > DIFFERS;
    if differs != works.differs {
        works.differs = differs;
        log(
            "LT-301",
            if differs { "gauges A and B differ" } else { "gauges agree" },
            if differs { "alarm" } else { "cleared" },
        );
        stand.push((DEVIATES, differs));
    }
    let rough = works.lifts > 2;
    if rough != works.rough {
        works.rough = rough;
        stand.push((ROUGH, rough));
    }
    if minute == FREED {
        works.by_second = false;
        log("LT-301A", "float freed, both gauges agree", "operator");
    }
    if works.washing && (minute - BACKWASH_AT).rem_euclid(BACKWASH_EVERY) == 0 {
        let filter = (minute - BACKWASH_AT).div_euclid(BACKWASH_EVERY).rem_euclid(FILTERS);
        log(["F-1", "F-2", "F-3", "F-4"][filter as usize], "backwash begins", "note");
    }
    if minute == clock(6, 0) || minute == clock(14, 0) || minute == clock(22, 0) {
        log("shift", "shift handed over", "note");
    }
    if minute == clock(8, 20) {
        log("P-102", "bearing greased", "note");
    }
    if minute == clock(5, 40) || minute == clock(15, 10) {
        stand.push((LAMP, minute == clock(5, 40)));
    }
    for (tag, text, severity) in said {
        let said = json!({ "tag": tag, "text": text, "severity": severity });
        script.tell(minute, "plant", "event.logged", tag, said);
    }
    for (Standing(tag, priority, text), is_on) in stand {
        let name = if is_on { "alarm.raised" } else { "alarm.cleared" };
        let rank = match priority {
            "high" => 1,
            "medium" => 2,
            _ => 3,
        };
        let said = json!({
            "tag": tag, "text": text, "priority": priority, "rank": rank, "raised": script.ms(minute),
        });
        script.tell(minute, "plant", name, tag, said);
    }
}
