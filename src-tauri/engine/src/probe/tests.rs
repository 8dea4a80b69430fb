//! What is learnt and written, whatever comes.

use std::{sync::Arc, time::Duration};

use proptest::prelude::*;
use serde_json::{Value, json};
use watchfloor_board::config::{
    self, BoardFile,
    spec::{IdentitySpec, LoginSpec, ProxySpec, SecretSpec, TlsSpec},
};
use watchfloor_model::{Event, Mono, Payload, Timestamp};

use super::{
    judge,
    learn::Learner,
    student::Student,
    subject::{Access, Subject},
    write::{self, Told},
};

/// The wall clock of tests: in the year 2026.
const WALL: i64 = 1_795_515_300_000;

fn event(name: &str, number: u64, body: Value) -> Event {
    Event {
        channel: "c".into(),
        name: name.into(),
        id: None,
        position: None,
        time: Timestamp::from_millis(WALL + i64::try_from(number).unwrap() * 1000),
        received: Mono::from_millis(number * 1000),
        data: Payload::from(body),
    }
}

fn subject(kind: &'static str) -> Subject {
    Subject {
        kind,
        url: "http://127.0.0.1:9".to_owned(),
        channels: vec!["c".to_owned()],
        limit: Duration::from_secs(5),
        ..Subject::default()
    }
}

/// Learns as a probe does, and writes.
fn starter(mut subject: Subject, events: Vec<Event>) -> (String, BoardFile) {
    let mut student = Student::default();
    for event in events {
        student.take(event, &mut subject);
    }
    let learner = student.settle(&mut subject);
    let told = Told { listened: Duration::from_secs(30), title: "127.0.0.1".to_owned() };
    let text = write::board(&subject, &learner, &told);
    let file = config::parse(&text, "board.toml").unwrap_or_else(|errors| panic!("{errors}\n{text}"));
    (text, file)
}

fn kinds(file: &BoardFile) -> Vec<&str> {
    file.widgets.iter().map(|widget| &*widget.id).collect()
}

/// An event name gets a rate, what repeats and is called like a key a table, a varying number a line for each key,
/// coordinates a map.
#[test]
fn a_fleet_gets_a_wall() {
    let body = |at: u64| {
        json!({"vehicle": format!("V{}", at % 3), "speed": 40.5 + at as f64, "status": "moving",
            "position": {"lat": 47.1 + at as f64 / 100.0, "lon": 8.5}, "driver": {"name": "A"}})
    };
    let events = (0..30).map(|at| event("vehicle.moved", at, body(at))).collect();
    let (text, file) = starter(subject("hub"), events);
    assert_eq!(kinds(&file), ["vehicle-moved-rate", "by-vehicle", "vehicle-moved-speed", "map", "log"], "{text}");
    for part in [
        "key = \"vehicle\"\n",
        "by = \"vehicle\"\n",
        "lat = \"position.lat\"\nlon = \"position.lon\"\n",
        "bounds = [8.00, 46.60, 9.00, 47.89]",
        "path = \"speed\", title = \"speed\", format = \"number\", decimals = 1",
        "# 30 events `vehicle.moved` in 30 s: often enough for a rate.",
        "its 3 values repeat in 30 events",
    ] {
        assert!(text.contains(part), "{part}\n{text}");
    }
}

/// What is the key of some events is that of others too, though it comes but once in them; what is called as the events are is
/// their key sooner than any other; what can't be read, or whose mean says nothing, isn't shown.
#[test]
fn a_day_of_flights_gets_a_wall() {
    let moved = |at: u64| {
        json!({"dest": "DTW", "flight": format!("AA{}", at % 20), "heading": at % 360, "height": at % 9,
            "key": format!("2013-02-08/AA{}", at % 20), "lat": 40.0 + at as f64 / 100.0, "lon": -79.0})
    };
    let departed = |at: u64| json!({"airline": (["AA", "DL"][at as usize % 2]), "delay": at, "flight": format!("AA{at}"), "key": format!("2013-02-08/AA{at}")});
    let status =
        |at: u64| json!({"airport": (["EWR", "JFK", "LGA"][at as usize % 3]), "waiting": at % 7, "cancelled": at % 2});
    let events = (0..90).map(|at| event("aircraft.position", at, moved(at)));
    let events = events.chain((0..20).map(|at| event("flight.departed", at, departed(at))));
    let events = events.chain((0..12).map(|at| event("airport.status", at, status(at)))).collect();
    let (text, file) = starter(subject("hub"), events);
    let expected = [
        "aircraft-position-rate",
        "flight-departed-rate",
        "airport-status-rate",
        "by-key",
        "by-airport",
        "airport-status-cancelled",
        "airport-status-waiting",
        "aircraft-position-height",
        "flight-departed-delay",
        "map",
        "log",
    ];
    assert_eq!(kinds(&file), expected, "{text}");
    for part in [
        "on = [\"aircraft.position\", \"flight.departed\"]\nkey = \"key\"\n",
        "# A row for each `airport`: it is called as in the events' name, and its 3 values repeat in 12 events.",
        "value = \"waiting\"\nby = \"airport\"\n",
        "# One line, the mean of all: more than 12 values of `key` came",
        "heading = \"heading\"\nlabel = \"{flight}\"\n",
        "these are `flight.departed` alone: others want logs of their own. `aircraft.position` comes too often to be read.",
        "title = \"flight.departed\"\nkind = \"log\"\non = \"flight.departed\"\n",
    ] {
        assert!(text.contains(part), "{part}\n{text}");
    }
    assert!(!text.contains("path = \"lat\"") && !text.contains("value = \"heading\""), "{text}");
}

/// An `id` may be that of anything: only where the same ones come it is the same table's.
#[test]
fn an_id_is_not_that_of_everything() {
    let of = |name: &'static str, word: &'static str| {
        (0..12).map(move |at| event(name, at, json!({"id": format!("{word}{}", at % 4), "x": "y"})))
    };
    let (text, file) = starter(subject("hub"), of("order.placed", "O").chain(of("user.seen", "U")).collect());
    assert_eq!(kinds(&file).iter().filter(|id| id.starts_with("by-id")).count(), 2, "{text}");
    let (text, file) = starter(subject("hub"), of("order.placed", "O").chain(of("order.paid", "O")).collect());
    assert_eq!(kinds(&file).iter().filter(|id| id.starts_with("by-id")).count(), 1, "{text}");
    // The key is of what the events are of.
    let moved = |at: u64| json!({"driver_id": format!("D{}", at % 3), "vehicle": format!("V{}", at % 5)});
    let (text, _) = starter(subject("hub"), (0..20).map(|at| event("vehicle.moved", at, moved(at))).collect());
    assert!(text.contains("\nkey = \"vehicle\"\n"), "{text}");
}

/// How the server is come by stands in the board as it does in any: where secrets are kept, and no more.
#[test]
fn the_way_in_is_written() {
    let mut subject = subject("sse");
    subject.url = "https://push.example.net/events".to_owned();
    let own = |name: &str| SecretSpec::File(format!("/run/secrets/{name} \"x\""));
    let access = Access {
        token: Some(own("token")),
        tls: TlsSpec {
            ca: Some("/etc/ca.pem".to_owned()),
            identity: Some(IdentitySpec { certificate: "/etc/wall.pem".to_owned(), key: "/etc/wall.key".to_owned() }),
        },
        proxy: Some(ProxySpec {
            url: "http://proxy.example.net:3128".to_owned(),
            login: Some(LoginSpec { user: "wall".to_owned(), password: own("proxy") }),
        }),
    };
    subject.access = access.clone();
    let (text, file) = starter(subject.clone(), Vec::new());
    assert_eq!((&file.sources[0].tls, &file.sources[0].proxy), (&access.tls, &access.proxy), "{text}");
    assert!(text.contains(r#"token = { file = "/run/secrets/token \"x\"" }"#), "{text}");
    subject.access = Access {
        token: Some(SecretSpec::Keyring { service: "watchfloor".to_owned(), account: "plant".to_owned() }),
        tls: TlsSpec { ca: Some("/etc/ca.pem".to_owned()), identity: None },
        proxy: Some(ProxySpec { url: "socks5://proxy.example.net".to_owned(), login: None }),
    };
    let (text, file) = starter(subject.clone(), Vec::new());
    assert_eq!((&file.sources[0].tls, &file.sources[0].proxy), (&subject.access.tls, &subject.access.proxy), "{text}");
    assert!(text.contains("tls = { ca = \"/etc/ca.pem\" }\nproxy = \"socks5://proxy.example.net\"\n"), "{text}");
}

/// A stream whose events all have one name has it in a field, and its time in another.
#[test]
fn names_within_bodies_are_found() {
    let events: Vec<Event> = (0..20)
        .map(|at| {
            let kind = ["trade", "quote"][at as usize % 2];
            event("message", at, json!({"type": kind, "ts": WALL + at as i64 * 1000, "price": at}))
        })
        .collect();
    let (text, file) = starter(subject("sse"), events.clone());
    assert_eq!(file.sources[0].event.name.as_ref().map(ToString::to_string).as_deref(), Some("type"), "{text}");
    assert!(kinds(&file).contains(&"trade-rate") && kinds(&file).contains(&"quote-rate"), "{text}");
    // What the protocol names itself stays so.
    let (_, file) = starter(subject("hub"), events.clone());
    assert_eq!(file.sources[0].event.name, None);
    let mut learner = Learner::default();
    events.iter().for_each(|event| learner.take(&event.name, event));
    assert_eq!(judge::time_field(&learner).unwrap().to_string(), "ts");
}

/// Unsure is said: a key that never came twice is called a guess, and one of which every event has its own is none.
#[test]
fn a_guess_is_called_one() {
    let few = |count: u64| (0..count).map(|at| event("order", at, json!({"order_id": at, "total": 5}))).collect();
    let (text, file) = starter(subject("hub"), few(3));
    assert!(text.contains("That is a guess") && kinds(&file).contains(&"by-order-id"), "{text}");
    let (text, file) = starter(subject("hub"), few(20));
    assert!(text.contains("# No table") && !kinds(&file).contains(&"by-order-id"), "{text}");
    let (text, file) = starter(subject("hub"), Vec::new());
    assert!(text.contains("# Nothing came") && kinds(&file) == ["events", "log"], "{text}");
}

/// The rows of a document are found by the key that each has alone.
#[test]
fn rows_of_a_document_are_found() {
    let rows = |value: Value| judge::rows(Payload::from(value).value());
    let found = rows(json!({"at": 1, "items": [{"name": "a", "sku": "A"}, {"name": "a", "sku": "B"}]})).unwrap();
    assert_eq!((found.at.unwrap().to_string(), found.key.to_string(), found.count), ("items".into(), "sku".into(), 2));
    assert_eq!(rows(json!([{"id": 1}, {"id": 2}])).unwrap().at, None);
    for none in
        [json!([{"id": 1}, {"id": 1}]), json!([1, 2]), json!({"id": 1}), json!([]), json!([{"id": null}]), json!(7)]
    {
        assert_eq!(rows(none.clone()), None, "{none}");
    }
    let mut polled = subject("poll");
    polled.id = Some("sku".parse().unwrap());
    let body = |at: u64| json!({"sku": format!("S{at}"), "name": "Bolt", "count": at * 7, "lat": 1.0, "lon": 2.0});
    let events = (0..6).map(|at| event("present", at, body(at))).chain([event("removed", 9, body(0))]).collect();
    let (text, file) = starter(polled, events);
    assert_eq!(kinds(&file), ["removed-count", "rows", "count", "map", "log"], "{text}");
    assert!(text.contains("label = \"{name}\"") && text.contains("text = \"{sku} · {count} · {name}\""), "{text}");
    assert!(
        text.contains("on = [\"present\", \"new\", \"changed\"]\nremove-on = \"removed\"\nkey = \"sku\""),
        "{text}"
    );
}

/// H5: however many names, fields and values, what is kept is bounded.
#[test]
fn what_is_kept_is_bounded() {
    let mut learner = Learner::default();
    for at in 0..2000 {
        let wide: serde_json::Map<String, Value> = (0..300).map(|field| (format!("f{field}"), json!(at))).collect();
        let name: Arc<str> = format!("n{}", at % 200).into();
        learner.take(&name, &event("x", 0, Value::Object(wide)));
    }
    assert_eq!((learner.names().len(), learner.unlisted()), (64, 2000 - 64 * 10));
    let mut learner = Learner::default();
    let name: Arc<str> = "x".into();
    for at in 0..2000 {
        learner.take(&name, &event("x", 0, json!({"a": at, "b": {"c": {"d": {"e": {"f": 1}}}}})));
    }
    let names = learner.names();
    let field = &names[0].1.fields[0];
    assert!(field.distinct() <= 512 && field.has_more_values());
    assert_eq!(names[0].1.fields.last().unwrap().path.to_string(), "b.c.d.e");
}

/// Texts that TOML, paths, templates, ids, comments and terminals could take for something else.
fn hostile() -> impl Strategy<Value = String> {
    prop_oneof![
        "\\PC{0,12}",
        any::<String>().prop_map(|text| text.chars().take(20).collect()),
        "[\"'\\\\\\[\\]{}#=.*\n\r\t\u{0}\u{7f}\u{85}\u{202e} a]{0,12}",
        prop::sample::select(vec![
            "id",
            "lat",
            "lon",
            "type",
            "time",
            "",
            "*",
            "a*",
            "\"\"\"",
            "'''",
            "]]",
            "[[widget]]",
            "\n[board]",
            "}}",
            "{",
            "\\u0000",
            "present",
            "removed",
            "__proto__",
            "x\u{feff}",
            "🛫",
            "id ",
            "0",
            "-",
        ])
        .prop_map(str::to_owned),
        Just("x".repeat(400)),
    ]
}

fn hostile_value() -> impl Strategy<Value = Value> {
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        any::<f64>().prop_map(Value::from),
        any::<i64>().prop_map(Value::from),
        prop::sample::select(vec![0_i64, -90, 180, 1_795_515_300, 1_795_515_300_000]).prop_map(Value::from),
        hostile().prop_map(Value::from),
    ];
    leaf.prop_recursive(5, 24, 6, |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..4).prop_map(Value::from),
            prop::collection::vec((hostile(), inner), 0..6)
                .prop_map(|fields| Value::Object(fields.into_iter().collect())),
        ]
    })
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(300))]

    /// H8: whatever the names and values, what is written is a board, and nothing of them became a part of it: its one
    /// source is the one that was found.
    #[test]
    fn whatever_comes_makes_a_board(
        kind in prop::sample::select(vec!["hub", "sse", "poll", "websocket", "mqtt"]),
        names in prop::collection::vec(hostile(), 1..8),
        bodies in prop::collection::vec((0..8_usize, hostile_value()), 0..30),
        rows in any::<bool>(),
    ) {
        let mut subject = subject(kind);
        if kind == "mqtt" || kind == "websocket" {
            subject.url = if kind == "mqtt" { "mqtt://h".to_owned() } else { "ws://h".to_owned() };
        }
        subject.id = (kind == "poll" && rows).then(|| "id".parse().unwrap());
        subject.access.token = Some(SecretSpec::Variable("WALL_TOKEN".to_owned()));
        let name = |at: usize| names[at % names.len()].chars().take(50).collect::<String>();
        let again = bodies.iter().chain(&bodies).enumerate();
        let events = again.map(|(at, (of, body))| event(&name(*of), at as u64, body.clone())).collect();
        let (text, file) = starter(subject, events);
        prop_assert_eq!(file.sources.len(), 1);
        prop_assert!(file.widgets.len() <= 16, "{}", text);
        prop_assert!(!text.contains(|c: char| c.is_control() && c != '\n'), "{}", text);
    }

    /// Two probes that hear the same write the same.
    #[test]
    fn the_same_events_give_the_same_board(bodies in prop::collection::vec(hostile_value(), 0..10)) {
        let events: Vec<Event> = bodies.iter().enumerate().map(|(at, body)| event("e", at as u64, body.clone())).collect();
        prop_assert_eq!(starter(subject("sse"), events.clone()).0, starter(subject("sse"), events).0);
    }
}
