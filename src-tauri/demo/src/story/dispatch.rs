//! Twelve ambulances of a made-up town, *Ardenholm*, on an evening with more calls than usual.
//!
//! Calls rise from four an hour to eleven. From 17:20 to 20:40 *St Brigid* takes nobody: ambulances drive farther, wait longer at the
//! hospitals that are left, and calls wait for an ambulance. At 18:31 a bus runs into a wall in Eastgate, and seven calls come at once.
//!
//! | event | instant |
//! | --- | --- |
//! | `call.received`, `call.assigned`, `call.reached`, `call.conveyed`, `call.closed` | as they come |
//! | `unit.status` | when what an ambulance does changes |
//! | `unit.position` | each minute in which it drives |
//! | `hospital.status`, `fleet.status` | every five minutes, and when something changes |
//! | `demand.expected` | every half hour: how many calls it is to bring, as a control room reckons with |
//! | `hospital.note` | when a hospital closes its door, and when it opens it |

mod town;

use serde_json::{Value, json};

use self::town::{HOSPITALS, Hospital, Place, STATIONS, place_of_call, units};
use super::script::{DAY_MIN, Dice, Script, clock, hourly, rounded};

const CHANNELS: [&str; 3] = ["calls", "units", "hospitals"];
const DICE: Dice = Dice::new(0xa_b01a);

/// Calls an hour.
const CALLS: [f64; 24] = [
    3.0, 2.2, 1.8, 1.5, 1.5, 2.0, 3.0, 4.0, 4.6, 5.0, 4.8, 5.0, 5.2, 4.8, 4.6, 4.8, 5.6, 7.4, 9.4, 10.8, 11.0, 9.2,
    6.8, 4.6,
];
/// What a control room of the town would expect of a Tuesday.
const USUAL: [f64; 24] = [
    3.2, 2.4, 1.9, 1.6, 1.6, 2.1, 3.0, 4.2, 5.0, 5.2, 5.0, 5.0, 5.0, 4.8, 4.8, 5.0, 5.4, 6.0, 6.4, 6.4, 6.0, 5.4, 4.6,
    3.8,
];
const FORECAST_EVERY_MIN: i64 = 30;
/// Kilometres a minute with blue lights, and without; roads are longer than the straight line.
const FAST: f64 = 0.56;
const SLOW: f64 = 0.44;
const DIVERTED: usize = 0;
const DIVERTS: std::ops::Range<i64> = clock(17, 20)..clock(20, 40);
const STATUS_EVERY_MIN: i64 = 5;
/// Minutes in which somebody calls from the bus, and how it is with them: places in [`KINDS`].
const BUS: [(i64, usize); 7] = [(31, 3), (32, 3), (32, 3), (33, 5), (34, 3), (36, 4), (37, 5)];
const BUS_AT: Place = Place::new(5.1, 2.2);
/// In which an ambulance is to be there, minutes by priority.
const LIMITS: [i64; 3] = [8, 15, 30];
const KINDS: [(&str, usize, f64); 10] = [
    ("chest pain", 0, 0.15),
    ("not breathing", 0, 0.05),
    ("stroke", 0, 0.08),
    ("road accident", 0, 0.09),
    ("short of breath", 1, 0.16),
    ("fall", 1, 0.15),
    ("abdominal pain", 1, 0.1),
    ("fever", 2, 0.07),
    ("back pain", 2, 0.07),
    ("transfer", 2, 0.08),
];

struct Call {
    number: String,
    kind: &'static str,
    priority: usize,
    quarter: &'static str,
    at: Place,
    received: i64,
    assigned: Option<i64>,
    unit: Option<&'static str>,
}

impl Call {
    fn say(&self, script: &Script, state: &str) -> Value {
        json!({
            "key": self.number,
            "call": self.number,
            "priority": format!("P{}", self.priority + 1),
            "kind": self.kind,
            "quarter": self.quarter,
            "received": script.ms(self.received),
            "unit": self.unit,
            "state": state,
            "urgency": state_of_call(state, self.priority),
            // Whoever waits comes first, the most urgent before all; then who is on the way, and there.
            "rank": self.priority as i64 + match state { "waiting" => 0, "assigned" => 10, "on scene" => 20, _ => 30 },
            "type": "call",
            "label": format!("P{} {}", self.priority + 1, self.kind),
            "lat": self.at.lat(),
            "lon": self.at.lon(),
        })
    }
}

/// What waits with the highest priority is worse than what waits.
fn state_of_call(state: &str, priority: usize) -> &'static str {
    match (state, priority) {
        ("waiting", 0) => "urgent",
        ("waiting", _) => "waiting",
        _ => "served",
    }
}

#[derive(Clone, Copy, PartialEq)]
enum Task {
    Free,
    ToCall,
    OnScene,
    ToHospital(usize),
    AtHospital(usize),
    Returning,
}

impl Task {
    const fn word(self) -> &'static str {
        match self {
            Self::Free => "free",
            Self::ToCall => "en route",
            Self::OnScene => "on scene",
            Self::ToHospital(_) => "on board",
            Self::AtHospital(_) => "handover",
            Self::Returning => "returning",
        }
    }

    const fn drives(self) -> bool {
        matches!(self, Self::ToCall | Self::ToHospital(_) | Self::Returning)
    }
}

/// An ambulance.
struct Unit {
    name: &'static str,
    home: Place,
    task: Task,
    call: Option<usize>,
    from: Place,
    to: Place,
    began: i64,
    ends: i64,
}

impl Unit {
    fn place(&self, minute: i64) -> Place {
        let length = (self.ends - self.began).max(1);
        let way = (minute - self.began) as f64 / length as f64;
        if self.task.drives() { self.from.towards(self.to, way.clamp(0.0, 1.0)) } else { self.from }
    }

    fn drive(&mut self, task: Task, to: Place, pace: f64, minute: i64) {
        self.from = self.place(minute);
        let length = (self.from.km(to) / pace).ceil() as i64;
        (self.task, self.to, self.began, self.ends) = (task, to, minute, minute + length.max(1));
    }

    fn stay(&mut self, task: Task, minute: i64, minutes: i64) {
        self.from = self.to;
        (self.task, self.began, self.ends) = (task, minute, minute + minutes);
    }

    const fn is_available(&self) -> bool {
        matches!(self.task, Task::Free | Task::Returning)
    }
}

/// The evening in Ardenholm, and the day before it.
pub(super) fn story() -> Result<Script, jiff::Error> {
    let mut control = Control { script: Script::new(&CHANNELS)?, calls: Vec::new(), units: units() };
    for minute in 0..=DAY_MIN {
        control.minute(minute);
    }
    Ok(control.script.done())
}

struct Control {
    script: Script,
    calls: Vec<Call>,
    units: Vec<Unit>,
}

impl Control {
    fn minute(&mut self, minute: i64) {
        let before = (self.free(), self.waiting().len());
        self.receive(minute);
        for at in 0..self.units.len() {
            self.go_on(at, minute);
        }
        self.assign(minute);
        for unit in self.units.iter().filter(|unit| unit.task.drives() && unit.began < minute) {
            let said = say_unit(unit, &self.calls, minute);
            self.script.tell(minute, "units", "unit.position", unit.name, said);
        }
        if minute == 0 {
            for at in 0..self.units.len() {
                self.tell_unit(at, minute);
            }
        }
        if minute.rem_euclid(FORECAST_EVERY_MIN) == 0 {
            let middle = (minute + FORECAST_EVERY_MIN / 2).min(DAY_MIN);
            let expected = hourly(&USUAL, middle) * FORECAST_EVERY_MIN as f64 / 60.0;
            self.script.tell(minute, "calls", "demand.expected", "demand", json!({ "calls": rounded(expected, 1) }));
        }
        for (at, text) in [(DIVERTS.start, "closes"), (DIVERTS.end, "open again")] {
            if minute == at {
                let Hospital { id, name, .. } = HOSPITALS[DIVERTED];
                let said = json!({ "hospital": name, "text": format!("{name} {text}") });
                self.script.tell(minute, "hospitals", "hospital.note", id, said);
            }
        }
        let is_due = minute.rem_euclid(STATUS_EVERY_MIN) == 0;
        let free = self.free();
        let waiting = self.waiting();
        if is_due || before != (free, waiting.len()) {
            let longest = waiting.iter().map(|call| minute - self.calls[*call].received).max().unwrap_or_default();
            let said = json!({
                "free": free, "busy": self.units.len() - free, "waiting": waiting.len(), "longest_wait_min": longest,
            });
            self.script.tell(minute, "units", "fleet.status", "fleet", said);
        }
        if is_due {
            for (at, hospital) in HOSPITALS.iter().enumerate() {
                self.tell_hospital(at, hospital, minute);
            }
        }
    }

    fn free(&self) -> usize {
        self.units.iter().filter(|unit| unit.is_available()).count()
    }

    /// Calls that wait, the most urgent first.
    fn waiting(&self) -> Vec<usize> {
        let mut waiting: Vec<usize> = (0..self.calls.len()).filter(|at| self.calls[*at].assigned.is_none()).collect();
        waiting.sort_by_key(|at| (self.calls[*at].priority, self.calls[*at].received));
        waiting
    }

    fn receive(&mut self, minute: i64) {
        let from_bus = BUS.iter().filter(|(at, _)| clock(18, *at) == minute);
        for (nth, (_, kind)) in from_bus.enumerate() {
            let (kind, priority, _) = KINDS[*kind];
            self.take(kind, priority, "Eastgate", BUS_AT.beside(nth), minute);
        }
        // Two at most: at eleven an hour more are hardly ever missed.
        for slot in [minute * 2, minute * 2 + 1] {
            if DICE.unit("call", slot) >= hourly(&CALLS, minute) / 120.0 {
                continue;
            }
            let Some((kind, priority, _)) = DICE.pick("kind", slot, &KINDS, |kind| kind.2) else { continue };
            let (quarter, at) = place_of_call(DICE, slot);
            self.take(kind, *priority, quarter, at, minute);
        }
    }

    fn take(&mut self, kind: &'static str, priority: usize, quarter: &'static str, at: Place, minute: i64) {
        let number = format!("{}", 2101 + self.calls.len());
        let call = Call { number, kind, priority, quarter, at, received: minute, assigned: None, unit: None };
        let said = call.say(&self.script, "waiting");
        self.script.tell(minute, "calls", "call.received", &call.number, said);
        self.calls.push(call);
    }

    /// Each waiting call gets the ambulance that is nearest, a minute after it came.
    fn assign(&mut self, minute: i64) {
        for at in self.waiting() {
            if self.calls[at].received >= minute {
                continue;
            }
            let place = self.calls[at].at;
            let km = |unit: &Unit| unit.place(minute).km(place);
            let available = self.units.iter_mut().filter(|unit| unit.is_available());
            let Some(unit) = available.min_by(|a, b| km(a).total_cmp(&km(b))) else { return };
            unit.drive(Task::ToCall, place, FAST, minute);
            unit.call = Some(at);
            let name = unit.name;
            let call = &mut self.calls[at];
            (call.assigned, call.unit) = (Some(minute), Some(name));
            let mut said = call.say(&self.script, "assigned");
            said["wait_min"] = json!(minute - call.received);
            self.script.tell(minute, "calls", "call.assigned", &call.number, said);
            if let Some(at) = self.units.iter().position(|unit| unit.name == name) {
                self.tell_unit(at, minute);
            }
        }
    }

    /// What an ambulance does when it is done with what it did.
    fn go_on(&mut self, at: usize, minute: i64) {
        let unit = &self.units[at];
        if unit.ends > minute || unit.task == Task::Free {
            return;
        }
        let (task, name, here) = (unit.task, unit.name, unit.to);
        let call = unit.call.and_then(|call| self.calls.get(call));
        match (task, call) {
            (Task::ToCall, Some(call)) => {
                let minutes = minute - call.received;
                let mut said = call.say(&self.script, "on scene");
                said["response_min"] = json!(minutes);
                said["in_time"] = json!(minutes <= LIMITS[call.priority]);
                self.script.tell(minute, "calls", "call.reached", &call.number, said);
                self.units[at].stay(Task::OnScene, minute, DICE.between(name, minute, 11.0, 25.0) as i64);
            }
            (Task::OnScene, Some(call)) if DICE.unit("transport", minute + at as i64 * DAY_MIN) < 0.76 => {
                let said = call.say(&self.script, "on board");
                self.script.tell(minute, "calls", "call.conveyed", &call.number, said);
                let hospital = self.hospital_for(here, minute);
                self.units[at].drive(Task::ToHospital(hospital), HOSPITALS[hospital].at, FAST, minute);
            }
            (Task::ToHospital(hospital), _) => {
                let queue = self.queue(hospital) as f64;
                let minutes = DICE.between(name, minute, 13.0, 21.0) + queue * 5.0;
                self.units[at].stay(Task::AtHospital(hospital), minute, minutes as i64);
            }
            (Task::OnScene | Task::AtHospital(_), _) => {
                if let Some(call) = call {
                    let said = call.say(&self.script, "closed");
                    self.script.tell(minute, "calls", "call.closed", &call.number, said);
                }
                let home = self.units[at].home;
                self.units[at].call = None;
                self.units[at].drive(Task::Returning, home, SLOW, minute);
            }
            _ => self.units[at].stay(Task::Free, minute, 0),
        }
        self.tell_unit(at, minute);
    }

    fn queue(&self, hospital: usize) -> usize {
        self.units.iter().filter(|unit| unit.task == Task::AtHospital(hospital)).count()
    }

    fn hospital_for(&self, from: Place, minute: i64) -> usize {
        let open = HOSPITALS.iter().enumerate().filter(|(at, _)| *at != DIVERTED || !DIVERTS.contains(&minute));
        let nearest = open.min_by(|a, b| from.km(a.1.at).total_cmp(&from.km(b.1.at)));
        nearest.map_or(0, |(at, _)| at)
    }

    fn tell_unit(&mut self, at: usize, minute: i64) {
        let said = say_unit(&self.units[at], &self.calls, minute);
        self.script.tell(minute, "units", "unit.status", self.units[at].name, said);
    }

    fn tell_hospital(&mut self, at: usize, hospital: &Hospital, minute: i64) {
        let (here, coming) =
            (self.queue(at), self.units.iter().filter(|unit| unit.task == Task::ToHospital(at)).count());
        let handing_over = self.units.iter().filter(|unit| unit.task == Task::AtHospital(at));
        let longest = handing_over.map(|unit| minute - unit.began).max().unwrap_or_default();
        let state = match here {
            _ if at == DIVERTED && DIVERTS.contains(&minute) => "closed",
            here if here >= 3 => "crowded",
            _ => "open",
        };
        let said = json!({
            "hospital": hospital.name, "state": state, "here": here, "coming": coming, "handover_min": longest,
            "detail": format!("{here} here, {coming} coming"),
        });
        self.script.tell(minute, "hospitals", "hospital.status", hospital.id, said);
    }
}

fn say_unit(unit: &Unit, calls: &[Call], minute: i64) -> Value {
    let place = unit.place(minute);
    let call = unit.call.and_then(|call| calls.get(call));
    let detail = match (unit.task, call) {
        (Task::ToHospital(at) | Task::AtHospital(at), _) => HOSPITALS[at].name.to_owned(),
        (Task::ToCall | Task::OnScene, Some(call)) => format!("P{} {}", call.priority + 1, call.quarter),
        _ => STATIONS.iter().find(|station| station.at == unit.home).map_or("", |station| station.name).to_owned(),
    };
    let mut said = json!({
        "key": unit.name, "unit": unit.name, "label": unit.name, "state": unit.task.word(), "urgency": unit.task.word(),
        "call": call.map(|call| call.number.as_str()), "detail": detail, "lat": place.lat(), "lon": place.lon(),
        "type": "ambulance",
    });
    if unit.task.drives() {
        said["heading"] = json!(rounded(unit.from.heading(unit.to), 0));
    }
    said
}
