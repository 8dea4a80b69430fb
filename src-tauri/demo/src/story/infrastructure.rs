//! Forty servers of a made-up company in five racks, on a day on which the cooling of one rack fails.
//!
//! | event | instant |
//! | --- | --- |
//! | `host.measured` | each host every five minutes, and when its state changes |
//! | `rack.measured`, `service.measured`, `fleet.measured` | every minute |
//! | `cooling.status` | every five minutes, and at once when it fails or comes back |
//! | `check.measured` | each service from each of four cities: every two minutes, and when its state changes |
//! | `alert.raised`, `alert.cleared`, `change.made` | as they come |
//!
//! Cooler 3 fails at 13:25 and rack C heats up: its hosts slow down, two switch themselves off, and the shop answers late. A door is
//! opened and a fan brought at 14:20; the cooler is back at 15:10.

use serde_json::json;

use super::script::{DAY_MIN, Dice, Script, clock, hourly, rounded};

const CHANNELS: [&str; 4] = ["hosts", "racks", "services", "alerts"];
const DICE: Dice = Dice::new(0x51_7e11);

const RACKS: [&str; 5] = ["A", "B", "C", "D", "E"];
/// The one whose cooler fails.
const HOT: usize = 2;
const FAILS: i64 = clock(13, 25);
const FANNED: i64 = clock(14, 20);
const REPAIRED: i64 = clock(15, 10);
const MEASURED_EVERY: i64 = 5;

/// °C at which a host slows down, and at which it switches itself off.
const THROTTLES: f64 = 78.0;
const GIVES_UP: f64 = 86.0;
/// An inlet of more is warm, of more still hot.
const WARM: f64 = 27.0;
const TOO_HOT: f64 = 32.0;

/// What hosts are for, and how many there are of each. They are spread over the racks in turn.
const ROLES: [(&str, usize, f64); 8] = [
    ("web", 10, 46.0),
    ("app", 8, 52.0),
    ("db", 6, 58.0),
    ("cache", 4, 30.0),
    ("store", 6, 24.0),
    ("queue", 2, 36.0),
    ("mail", 2, 16.0),
    ("build", 2, 48.0),
];

/// Requests a second over the day, as shares of the peak.
const LOAD: [f64; 24] = [
    0.22, 0.16, 0.12, 0.11, 0.13, 0.2, 0.34, 0.52, 0.7, 0.82, 0.88, 0.92, 0.96, 0.94, 0.9, 0.88, 0.86, 0.88, 0.94, 1.0,
    0.96, 0.8, 0.56, 0.36,
];

struct Service {
    name: &'static str,
    peak_per_s: f64,
    p95_ms: f64,
    /// How much of it hangs on the hot rack.
    depends: f64,
}

const SERVICES: [Service; 4] = [
    Service { name: "Shop", peak_per_s: 1240.0, p95_ms: 165.0, depends: 1.0 },
    Service { name: "Search", peak_per_s: 620.0, p95_ms: 92.0, depends: 0.55 },
    Service { name: "Accounts", peak_per_s: 210.0, p95_ms: 118.0, depends: 0.3 },
    Service { name: "Mail", peak_per_s: 40.0, p95_ms: 240.0, depends: 0.0 },
];

struct Host {
    name: String,
    role: &'static str,
    rack: usize,
    load: f64,
    off: Option<i64>,
}

/// Where the services are checked from: how many milliseconds it is to there and back.
const CITIES: [(&str, f64); 4] = [("Frankfurt", 9.0), ("London", 22.0), ("New York", 92.0), ("Singapore", 168.0)];
const CHECKED_EVERY: i64 = 2;
/// A share of failed requests that a month may have in the mean: what is promised is 99.5 %.
const ALLOWED: f64 = 0.005;

/// What people did. None of it is to blame, though one of them looks it.
const CHANGES: [(i64, &str); 6] = [
    (clock(7, 30), "Mail 3.2"),
    (clock(9, 40), "Search 2.7"),
    (clock(11, 10), "Shop 4.18.1"),
    (clock(13, 10), "Shop 4.18.2"),
    (clock(16, 5), "Accounts 1.9"),
    (clock(19, 30), "Shop 4.18.3"),
];

/// What a host is at.
#[derive(Clone, Copy, PartialEq)]
enum State {
    Up,
    Throttled,
    Off,
}

impl State {
    const fn word(self) -> &'static str {
        match self {
            Self::Up => "up",
            Self::Throttled => "slow",
            Self::Off => "off",
        }
    }
}

/// A day of the machine room.
pub(super) fn story() -> Result<Script, jiff::Error> {
    let mut script = Script::new(&CHANNELS)?;
    let mut hosts = hosts();
    let mut states = vec![State::Up; hosts.len()];
    let mut racks = ["cool"; RACKS.len()];
    let mut checks = vec!["ok"; SERVICES.len() * CITIES.len()];
    tell_small_things(&mut script);
    for (minute, what) in CHANGES {
        script.tell(minute, "alerts", "change.made", what, json!({ "what": what, "at": script.ms(minute) }));
    }
    for minute in 0..=DAY_MIN {
        for (at, before) in racks.iter_mut().enumerate() {
            *before = tell_rack(&mut script, at, before, minute);
        }
        for (at, (host, before)) in hosts.iter_mut().zip(&mut states).enumerate() {
            *before = tell_host(&mut script, host, at as i64, *before, minute);
        }
        let slow = states.iter().filter(|state| **state == State::Throttled).count();
        let off = states.iter().filter(|state| **state == State::Off).count();
        let fleet = json!({ "answering": states.len() - off, "throttled": slow, "off": off });
        script.tell(minute, "hosts", "fleet.measured", "fleet", fleet);
        for service in &SERVICES {
            tell_service(&mut script, service, slow, off, minute);
        }
        let pairs = SERVICES.iter().flat_map(|service| CITIES.iter().map(move |city| (service, city)));
        for ((service, city), before) in pairs.zip(&mut checks) {
            *before = tell_check(&mut script, service, *city, slow, off, before, minute);
        }
        tell_coolers(&mut script, minute);
    }
    Ok(script.done())
}

fn hosts() -> Vec<Host> {
    let mut hosts = Vec::new();
    for (role, count, load) in ROLES {
        for number in 1..=count {
            let name = format!("{role}-{number:02}");
            let load = load * DICE.between(&name, 0, 0.8, 1.2);
            hosts.push(Host { name, role, rack: hosts.len() % RACKS.len(), load, off: None });
        }
    }
    hosts
}

/// °C of the air that a rack draws in.
fn inlet(rack: usize, minute: i64) -> f64 {
    let calm = 22.0 + rack as f64 * 0.3 + 0.5 * DICE.drift(RACKS[rack], minute, 45) + 0.1 * DICE.noise("inlet", minute);
    // The room warms the neighbours a little.
    let share = match rack.abs_diff(HOT) {
        0 => 1.0,
        1 => 0.12,
        _ => 0.03,
    };
    calm + share * heat(minute)
}

/// By how much the hot rack is too warm.
fn heat(minute: i64) -> f64 {
    let towards = |from: f64, to: f64, minutes: i64, pace: f64| to + (from - to) * (-(minutes as f64) / pace).exp();
    let alone = |minute: i64| towards(0.0, 26.0, minute - FAILS, 28.0);
    let fanned = |minute: i64| towards(alone(FANNED), 8.0, minute - FANNED, 16.0);
    match minute {
        ..FAILS => 0.0,
        FAILS..FANNED => alone(minute),
        FANNED..REPAIRED => fanned(minute),
        _ => towards(fanned(REPAIRED), 0.0, minute - REPAIRED, 12.0),
    }
}

fn tell_rack(script: &mut Script, at: usize, before: &'static str, minute: i64) -> &'static str {
    let (rack, air) = (RACKS[at], inlet(at, minute));
    let load = hourly(&LOAD, minute);
    let power = 3.1 + 2.4 * load + 0.25 * DICE.drift(rack, minute, 25) + at as f64 * 0.2;
    let state = match air {
        air if air > TOO_HOT => "hot",
        air if air > WARM => "warm",
        _ => "cool",
    };
    let said = json!({
        "rack": rack,
        "label": format!("Rack {rack}"),
        "inlet": rounded(air, 1),
        "outlet": rounded(air + 6.0 + power * 1.1, 1),
        "power": rounded(power, 2),
        "state": state,
        "detail": format!("{air:.1} °C in, {power:.1} kW"),
    });
    script.tell(minute, "racks", "rack.measured", rack, said);
    if state != before {
        let subject = format!("rack {rack}");
        match state {
            "cool" => clear(script, minute, &subject),
            "warm" => raise(script, minute, &subject, "inlet warm", "warning"),
            _ => raise(script, minute, &subject, "inlet hot", "alarm"),
        }
    }
    state
}

fn tell_host(script: &mut Script, host: &mut Host, number: i64, before: State, minute: i64) -> State {
    let (name, rack) = (host.name.as_str(), RACKS[host.rack]);
    let wave = 1.0 + 0.12 * DICE.noise(name, minute) + 0.15 * DICE.drift(name, minute, 20);
    let cpu = (host.load * (0.35 + 0.65 * hourly(&LOAD, minute)) * wave).clamp(1.0, 99.0);
    let temperature = inlet(host.rack, minute) + 24.0 + cpu * 0.34;
    if temperature > GIVES_UP && host.off.is_none() {
        host.off = Some(minute);
    }
    if minute >= REPAIRED + 15 {
        host.off = None;
    }
    let state = match temperature {
        _ if host.off.is_some() => State::Off,
        temperature if temperature > THROTTLES => State::Throttled,
        // Nothing goes back and forth at the limit.
        temperature if before == State::Throttled && temperature > THROTTLES - 4.0 => State::Throttled,
        _ => State::Up,
    };
    if state == before && (minute + number).rem_euclid(MEASURED_EVERY) != 0 {
        return state;
    }
    let is_off = state == State::Off;
    let cpu = (!is_off).then(|| rounded(if state == State::Throttled { 99.0 } else { cpu }, 0));
    let warmth = (!is_off).then(|| rounded(temperature, 0));
    let detail = match (cpu, warmth) {
        (Some(cpu), Some(warmth)) => format!("{cpu:.0} %, {warmth:.0} °C"),
        _ => "no answer".to_owned(),
    };
    let said = json!({
        "host": name, "role": host.role, "rack": rack, "rack_label": format!("Rack {rack}"),
        "slot": number / RACKS.len() as i64 + 1, "state": state.word(), "cpu": cpu, "temperature": warmth,
        "up": !is_off, "detail": detail,
    });
    script.tell(minute, "hosts", "host.measured", name, said);
    if state != before {
        match state {
            State::Up => clear(script, minute, name),
            State::Throttled if before == State::Off => {}
            State::Throttled => raise(script, minute, name, "slowed down by heat", "warning"),
            State::Off => raise(script, minute, name, "switched itself off", "alarm"),
        }
    }
    state
}

/// How much a service suffers from hosts that are slow or off.
fn strain_of(service: &Service, slow: usize, off: usize) -> f64 {
    service.depends * (slow as f64 * 0.28 + off as f64 * 0.75)
}

fn wave_of(service: &Service, minute: i64) -> f64 {
    1.0 + 0.05 * DICE.noise(service.name, minute) + 0.06 * DICE.drift(service.name, minute, 12)
}

/// A service as a customer in a city has it.
fn tell_check(
    script: &mut Script,
    service: &Service,
    (city, way_ms): (&'static str, f64),
    slow: usize,
    off: usize,
    before: &'static str,
    minute: i64,
) -> &'static str {
    let about = format!("{}/{city}", service.name);
    let strain = strain_of(service, slow, off);
    let own_ms =
        service.p95_ms * 0.45 * (0.8 + 0.3 * hourly(&LOAD, minute)) * wave_of(service, minute) * (1.0 + strain);
    let ms = own_ms + way_ms * (1.0 + 0.04 * DICE.noise(&about, minute));
    // Twice what is usual there is slow; now and then one is lost by itself.
    let usual_ms = service.p95_ms * 0.5 + way_ms;
    let lost = DICE.unit(&about, minute) < 0.0004 + (strain - 1.2).clamp(0.0, 1.0) * 0.3;
    let state = match ms / usual_ms {
        _ if lost => "failed",
        ratio if ratio > 1.8 => "slow",
        _ => "ok",
    };
    if state != before || minute.rem_euclid(CHECKED_EVERY) == 0 {
        let ms = (!lost).then(|| rounded(ms, 0));
        let detail = ms.map_or_else(|| "failed".to_owned(), |ms| format!("{ms:.0} ms"));
        let said = json!({
            "service": service.name, "from": city, "ms": ms, "state": state, "detail": detail,
        });
        script.tell(minute, "services", "check.measured", &about, said);
    }
    state
}

fn tell_service(script: &mut Script, service: &Service, slow: usize, off: usize, minute: i64) {
    let name = service.name;
    let (strain, wave) = (strain_of(service, slow, off), wave_of(service, minute));
    let requests = service.peak_per_s * hourly(&LOAD, minute) * wave / (1.0 + strain * 0.06);
    let p95 = service.p95_ms * (0.8 + 0.3 * hourly(&LOAD, minute)) * wave * (1.0 + strain);
    let errors = 0.0015 + 0.0008 * DICE.noise("errors", minute).abs() + 0.009 * strain;
    let state = match errors {
        errors if errors > 0.02 => "failing",
        errors if errors > 0.008 => "strained",
        _ => "good",
    };
    let said = json!({
        "service": name,
        "requests": rounded(requests, 0),
        "p95": rounded(p95, 0),
        "errors": rounded(errors, 4),
        "errors_percent": rounded(errors * 100.0, 2),
        "failed": rounded(errors * requests, 1),
        // How many times faster than the promise allows.
        "burn": rounded(errors / ALLOWED, 2),
        "state": state,
        "detail": format!("{p95:.0} ms, {requests:.0}/s"),
    });
    script.tell(minute, "services", "service.measured", name, said);
}

fn tell_coolers(script: &mut Script, minute: i64) {
    for (at, rack) in RACKS.iter().enumerate() {
        let has_failed = at == HOT && (FAILS..REPAIRED).contains(&minute);
        let changes = at == HOT && [FAILS, REPAIRED].contains(&minute);
        if minute.rem_euclid(MEASURED_EVERY) != 0 && !changes {
            continue;
        }
        let name = format!("Cooler {}", at + 1);
        // The neighbours turn up.
        let helps = at.abs_diff(HOT) == 1 && (FAILS..REPAIRED + 30).contains(&minute);
        let fan =
            if has_failed { 0.0 } else { 54.0 + if helps { 34.0 } else { 0.0 } + 3.0 * DICE.noise(&name, minute) };
        let state = if has_failed { "failed" } else { "running" };
        let said = json!({
            "cooler": name, "rack": rack, "fan": rounded(fan, 0), "state": state, "cooling": state,
            "detail": format!("rack {rack}, fan {fan:.0} %"),
        });
        script.tell(minute, "racks", "cooling.status", &name, said);
        if changes && has_failed {
            raise(script, minute, "cooler 3", "compressor stopped", "alarm");
        } else if changes {
            clear(script, minute, "cooler 3");
        }
    }
}

/// What any day brings.
fn tell_small_things(script: &mut Script) {
    for (from, through, subject, text) in [
        (clock(2, 10), clock(2, 55), "store-03", "disk 85 % full"),
        (clock(6, 40), clock(9, 5), "mail-01", "certificate ends in 14 days"),
        (clock(10, 15), clock(10, 32), "db-04", "replica 40 s behind"),
        (clock(11, 50), clock(17, 20), "build-02", "backup of last night missing"),
        (clock(13, 5), clock(13, 12), "queue-01", "queue longer than 10,000"),
        (clock(16, 30), clock(18, 0), "web-07", "memory 91 %"),
        (clock(20, 5), clock(20, 40), "store-05", "disk 85 % full"),
    ] {
        raise(script, from, subject, text, "warning");
        clear(script, through, subject);
    }
}

fn raise(script: &mut Script, minute: i64, subject: &str, text: &str, severity: &str) {
    let said = json!({ "subject": subject, "text": text, "severity": severity, "raised": script.ms(minute) });
    script.tell(minute, "alerts", "alert.raised", subject, said);
}

fn clear(script: &mut Script, minute: i64, subject: &str) {
    script.tell(minute, "alerts", "alert.cleared", subject, json!({ "subject": subject, "severity": "cleared" }));
}
