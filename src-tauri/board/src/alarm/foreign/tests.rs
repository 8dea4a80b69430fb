//! H6: another system's alarms are told once each, whatever it repeats, forgets or is told late.

use std::collections::BTreeSet;

use proptest::prelude::*;
use serde_json::{Value, json};
use watchfloor_model::{Mono, Payload};

use super::*;
use crate::alarm::{
    AlarmKey, Alarms, Change, EventRule, Instant, Judge, Terms,
    delay::Delays,
    machine::{Base, Input, Shown, Sound},
    watch::{Watch, WatchCheckpoint},
};

fn at(seconds: i64) -> Timestamp {
    Timestamp::from_millis(1_700_000_000_000 + seconds * 1000)
}

fn text_of(seconds: i64) -> String {
    jiff::Timestamp::from_millisecond(at(seconds).as_millis()).unwrap().to_string()
}

fn now(seconds: i64) -> Instant {
    Instant { mono: Mono::from_millis(u64::try_from(seconds).unwrap() * 1000), wall: at(seconds) }
}

fn message(system: System, data: &Value) -> Message {
    read(system, Payload::parse(&data.to_string()).unwrap().value())
}

fn watch(system: System) -> Watch {
    let mut watch = Watch::default();
    let judge = Judge::Foreign { system, severities: [("sev1".to_owned(), Priority::Critical)].into() };
    let terms = Terms { priority: Priority::Low, ..Terms::default() };
    let rule = EventRule { id: "ops".into(), judge, delays: Delays::default(), terms };
    watch.reload(Vec::new(), vec![rule], Default::default(), now(0));
    watch.handle_level(0, true, now(0));
    watch
}

fn tell(watch: &mut Watch, system: System, data: &Value, seconds: i64) {
    let message = message(system, data);
    assert!(message.unusable.is_empty(), "{:?}", message.unusable);
    assert!(watch.handle_message(0, &message, at(seconds), now(seconds)).is_empty());
}

fn alert(status: &str, name: &str, since: i64) -> Value {
    json!({
        "status": status, "labels": {"alertname": name, "severity": "warning", "instance": "db-1"},
        "annotations": {"summary": format!("{name} of db-1"), "runbook_url": "https://wiki/disk"},
        "startsAt": text_of(since), "endsAt": "0001-01-01T00:00:00Z", "fingerprint": format!("f-{name}"),
    })
}

fn webhook(alerts: &[Value]) -> Value {
    json!({"version": "4", "groupKey": "{}:{job=\"db\"}", "truncatedAlerts": 0, "status": "firing", "alerts": alerts})
}

/// One alert as the API lists it.
fn listed(name: &str, since: i64, state: &str) -> Value {
    let mut own = alert("firing", name, since);
    own["status"] = json!({"state": state, "silencedBy": [], "inhibitedBy": []});
    own
}

fn heard(watch: &mut Watch) -> Vec<(String, Sound)> {
    let changes = watch.alarms_mut().take_changes();
    changes.into_iter().map(|change| (change.key.of.to_string(), change.sound)).collect()
}

fn shown(alarms: &Alarms, of: &str) -> Option<Shown> {
    let key = AlarmKey { rule: "ops".into(), of: of.into() };
    alarms.standing().get(&key).map(|own| own.alarm.shown())
}

const AM: System = System::Alertmanager;

#[test]
fn what_alertmanager_repeats_is_told_once() {
    let mut watch = watch(AM);
    tell(&mut watch, AM, &webhook(&[alert("firing", "disk", 10), alert("firing", "cpu", 12)]), 40);
    assert_eq!(heard(&mut watch), [("disk f-disk".to_owned(), Sound::Start), ("cpu f-cpu".to_owned(), Sound::Start)]);
    let (key, own) = watch.alarms().standing().iter().next().unwrap();
    assert_eq!(
        (&*key.of, own.raised, own.is_first, own.priority),
        ("cpu f-cpu", Some(at(12)), false, Priority::Medium)
    );
    let foreign = own.foreign.as_deref().unwrap();
    assert_eq!((&*foreign.title, foreign.advice.as_deref()), ("cpu of db-1", Some("https://wiki/disk")));
    // The group interval, and the other one of a pair: the same alarms.
    tell(&mut watch, AM, &webhook(&[alert("firing", "disk", 10), alert("resolved", "cpu", 12)]), 340);
    assert_eq!(heard(&mut watch), [("cpu f-cpu".to_owned(), Sound::Stop)]);
    // Its clock is ahead: the same alarm is one, also when its beginning isn't in the future any more.
    tell(&mut watch, AM, &webhook(&[alert("firing", "net", 400)]), 350);
    assert_eq!(heard(&mut watch), [("net f-net".to_owned(), Sound::Start)]);
    tell(&mut watch, AM, &webhook(&[alert("firing", "net", 400)]), 450);
    assert_eq!(heard(&mut watch), []);
    // That it was resolved in between nobody said: another occurrence calls.
    tell(&mut watch, AM, &webhook(&[alert("firing", "disk", 500)]), 640);
    let told = heard(&mut watch);
    assert_eq!(told, [("disk f-disk".to_owned(), Sound::Stop), ("disk f-disk".to_owned(), Sound::Start)]);
    // That the one before is over comes late, and says nothing of this one.
    tell(&mut watch, AM, &webhook(&[alert("resolved", "disk", 10)]), 700);
    assert_eq!(shown(watch.alarms(), "disk f-disk"), Some(Shown::Base(Base::Unacknowledged)));
}

/// H6: what was delivered late doesn't call again; what stands again does.
#[test]
fn an_occurrence_that_is_over_fires_again_by_a_late_delivery_or_because_it_stands() {
    let mut watch = watch(AM);
    let (fires, resolved) = (webhook(&[alert("firing", "disk", 10)]), webhook(&[alert("resolved", "disk", 10)]));
    let (start, stop) = (("disk f-disk".to_owned(), Sound::Start), ("disk f-disk".to_owned(), Sound::Stop));
    tell(&mut watch, AM, &fires, 40);
    tell(&mut watch, AM, &resolved, 60);
    assert_eq!(heard(&mut watch), [start.clone(), stop.clone()]);
    // The other one of a pair, or a proxy that has kept it; also across a restart.
    tell(&mut watch, AM, &fires, 61);
    let checkpoint = watch.checkpoint();
    watch.restore(checkpoint, Vec::new(), now(70));
    watch.be_folded();
    watch.handle_level(0, true, now(70));
    tell(&mut watch, AM, &fires, 104);
    assert_eq!(heard(&mut watch), []);
    assert_eq!(shown(watch.alarms(), "disk f-disk"), Some(Shown::Base(Base::Returned)));
    // The group's next message: Alertmanager was told of it too late, and it stands. It is one, however often it is said.
    tell(&mut watch, AM, &fires, 360);
    tell(&mut watch, AM, &fires, 361);
    assert_eq!(heard(&mut watch), std::slice::from_ref(&start));
    // What fired anew has another beginning, and calls at once; what is said of the one before says nothing of it, early or late.
    tell(&mut watch, AM, &resolved, 400);
    tell(&mut watch, AM, &webhook(&[alert("firing", "disk", 405)]), 410);
    assert_eq!(heard(&mut watch), [stop, start]);
    for (second, old) in [(412, &fires), (413, &resolved), (800, &fires), (801, &resolved)] {
        tell(&mut watch, AM, old, second);
    }
    assert_eq!(heard(&mut watch), []);
    assert_eq!(shown(watch.alarms(), "disk f-disk"), Some(Shown::Base(Base::Unacknowledged)));
}

/// H6: in a list, `updatedAt` says whether that it stands is of before its end.
#[test]
fn a_list_says_when_it_was_told() {
    let mut watch = watch(AM);
    let of = |updated: i64| {
        let mut own = listed("disk", 10, "active");
        own["updatedAt"] = json!(text_of(updated));
        json!([own, listed("cpu", 10, "active")])
    };
    tell(&mut watch, AM, &of(15), 20);
    tell(&mut watch, AM, &json!([listed("cpu", 10, "active")]), 30);
    heard(&mut watch);
    tell(&mut watch, AM, &of(28), 32);
    assert_eq!(heard(&mut watch), []);
    tell(&mut watch, AM, &of(33), 34);
    assert_eq!(heard(&mut watch), [("disk f-disk".to_owned(), Sound::Start)]);
}

/// A key has an end, and no alert is refused for its length: keys differ as what they are made of does, and stay the same.
#[test]
fn long_names_have_keys() {
    let key_of = |system, data: &Value| {
        let message = message(system, data);
        assert!(message.unusable.is_empty(), "{:?}", message.unusable);
        message.alerts[0].key.clone()
    };
    let mut keys = BTreeSet::new();
    let mut all = Vec::new();
    for name in ["ж".repeat(300), "温".repeat(100), format!("{}!", "温".repeat(100)), "🔥".repeat(100), "a".repeat(400)]
    {
        for fingerprint in [json!("0123456789abcdef"), json!("fedcba9876543210"), json!("f".repeat(300)), Value::Null] {
            let mut own = alert("firing", "x", 1);
            own["labels"] = json!({"alertname": name, "host": "温".repeat(90)});
            own["fingerprint"] = fingerprint.clone();
            all.push((AM, webhook(&[own]), fingerprint));
        }
        let dedup = format!("{name}{}", "ö".repeat(200));
        all.push((System::PagerDuty, json!({"event_action": "trigger", "dedup_key": dedup}), Value::Null));
    }
    for (system, data, fingerprint) in &all {
        let key = key_of(*system, data);
        assert!(key.len() <= KEY_BYTES_MAX, "{} bytes", key.len());
        assert_eq!(key_of(*system, data), key);
        // Of names alike in their first 100 characters the fingerprint tells.
        let text = fingerprint.as_str().filter(|text| text.len() < 100);
        assert!(text.is_none_or(|text| key.ends_with(text)), "{key}");
        keys.insert(key);
    }
    // Two of the names begin alike, and a fingerprint that leaves no room for a name tells alone.
    assert_eq!(keys.len(), all.len() - 2 - 4);
}

#[test]
fn a_list_says_what_is_over_but_for_an_empty_one() {
    let mut watch = watch(AM);
    tell(&mut watch, AM, &json!([listed("disk", 10, "active"), listed("cpu", 10, "active")]), 20);
    tell(&mut watch, AM, &json!([listed("cpu", 10, "active")]), 30);
    assert_eq!(shown(watch.alarms(), "disk f-disk"), Some(Shown::Base(Base::Returned)));
    // Just started, and knows of nothing yet.
    tell(&mut watch, AM, &json!([]), 40);
    tell(&mut watch, AM, &json!([]), 99);
    assert_eq!(shown(watch.alarms(), "cpu f-cpu"), Some(Shown::Base(Base::Unacknowledged)));
    tell(&mut watch, AM, &json!([listed("cpu", 10, "active")]), 100);
    tell(&mut watch, AM, &json!([]), 110);
    assert_eq!(shown(watch.alarms(), "cpu f-cpu"), Some(Shown::Base(Base::Unacknowledged)));
    // A document that doesn't change says it once: time alone decides, also after a restart.
    assert_eq!(watch.events_due(|_| true), Some(at(170)));
    let checkpoint = watch.checkpoint();
    watch = self::watch(AM);
    watch.restore(checkpoint, Vec::new(), now(120));
    watch.be_folded();
    watch.handle_level(0, true, now(120));
    watch.handle_events_time(|_| true, at(169), now(169));
    assert_eq!(shown(watch.alarms(), "cpu f-cpu"), Some(Shown::Base(Base::Unacknowledged)));
    watch.handle_events_time(|_| true, at(171), now(171));
    assert_eq!(shown(watch.alarms(), "cpu f-cpu"), Some(Shown::Base(Base::Returned)));
    assert_eq!(watch.events_due(|_| true), None);
    // Of a list that can't be read whole nothing is over.
    tell(&mut watch, AM, &json!([listed("net", 180, "active")]), 181);
    let broken = message(AM, &json!([{"labels": 7}]));
    assert_eq!(broken.unusable.len(), 1);
    watch.handle_message(0, &broken, at(300), now(300));
    assert_eq!(shown(watch.alarms(), "net f-net"), Some(Shown::Base(Base::Unacknowledged)));
}

#[test]
fn what_is_silenced_there_does_not_call_here() {
    let mut watch = watch(AM);
    tell(&mut watch, AM, &json!([listed("disk", 10, "active")]), 20);
    tell(&mut watch, AM, &json!([listed("disk", 10, "suppressed")]), 30);
    assert_eq!(shown(watch.alarms(), "disk f-disk"), Some(Shown::SuppressedByDesign));
    assert_eq!(heard(&mut watch).last(), Some(&("disk f-disk".to_owned(), Sound::Stop)));
    tell(&mut watch, AM, &json!([listed("disk", 10, "active")]), 40);
    assert_eq!(heard(&mut watch), [("disk f-disk".to_owned(), Sound::Start)]);
}

#[test]
fn pagerduty_by_its_key() {
    let (system, mut watch) = (System::PagerDuty, watch(System::PagerDuty));
    let event = |action: &str, severity: &str, seconds: i64| {
        json!({"event_action": action, "dedup_key": "srv/1", "payload": {
            "summary": "Queue is stuck", "source": "mq-1", "severity": severity, "timestamp": text_of(seconds)}})
    };
    tell(&mut watch, system, &event("trigger", "error", 5), 6);
    tell(&mut watch, system, &event("trigger", "error", 9), 10);
    assert_eq!(heard(&mut watch), [("srv/1".to_owned(), Sound::Start)]);
    tell(&mut watch, system, &event("acknowledge", "error", 12), 12);
    assert_eq!(heard(&mut watch), [("srv/1".to_owned(), Sound::Stop)]);
    let known = &watch.alarms().standing().values().next().unwrap().acknowledged;
    assert_eq!(known.as_ref().unwrap().by.station, "pagerduty");
    // More urgent than it was known to be.
    tell(&mut watch, system, &event("trigger", "sev1", 13), 13);
    assert_eq!(heard(&mut watch), [("srv/1".to_owned(), Sound::Start)]);
    tell(&mut watch, system, &json!({"event_action": "resolve", "dedup_key": "srv/1"}), 14);
    assert_eq!(shown(watch.alarms(), "srv/1"), Some(Shown::Base(Base::Returned)));
}

/// What can't be used says where, what was found and what was expected; the rest of a message counts.
#[test]
fn what_cannot_be_used() {
    let cases = [
        (AM, json!("down"), "data: found \"down\", expected a webhook's message"),
        (AM, json!({"version": "3", "alerts": []}), "`version`: found \"3\", expected \"4\""),
        (AM, json!({"version": "4", "alerts": {}}), "`alerts`: found an object of 0 fields, expected a list"),
        (AM, webhook(&[json!({"labels": {}, "status": "pending"})]), "`status`: found \"pending\""),
        (AM, json!({"version": "4", "truncatedAlerts": 3, "alerts": []}), "`truncatedAlerts`: found 3, expected 0"),
        (System::PagerDuty, json!({"event_action": "open"}), "`event_action`: found \"open\""),
        (System::PagerDuty, json!({"event_action": "trigger"}), "`dedup_key`: found nothing"),
    ];
    for (system, data, expected) in cases {
        let found: Vec<String> = message(system, &data).unusable.iter().map(ToString::to_string).collect();
        assert!(found.len() == 1 && found[0].contains(expected), "{found:?} has no {expected:?}");
    }
    let mixed = message(AM, &webhook(&[json!(1), alert("firing", "disk", 10)]));
    assert_eq!((mixed.alerts.len(), mixed.unusable.len()), (1, 1));
}

/// One message of a story: what it says of one of three keys.
type Step = (u8, u8, u8);

fn step(system: System, (what, key, severity): Step, seconds: i64) -> Value {
    let severity = ["critical", "error", "info"][usize::from(severity % 3)];
    let name = ["disk", "cpu", "net"][usize::from(key % 3)];
    match system {
        System::PagerDuty => {
            let action = ["trigger", "trigger", "acknowledge", "resolve"][usize::from(what % 4)];
            json!({"event_action": action, "dedup_key": name, "payload": {"summary": name, "severity": severity}})
        }
        System::Alertmanager => {
            // As a list says it, or a webhook; of a start that may be known already.
            let since = seconds - i64::from(what % 3) * 7;
            let state = ["active", "suppressed", "active"][severity.len() % 3];
            let mut own = if what % 2 == 0 { listed(name, since, state) } else { alert("firing", name, since) };
            own["labels"]["severity"] = json!(severity);
            match what % 5 {
                0 | 2 => json!([own]),
                4 => json!([]),
                1 => webhook(&[own]),
                _ => webhook(&[alert("resolved", name, since)]),
            }
        }
    }
}

proptest! {
    /// H4, H6: killed behind any entry of the record, and all folded again: each is done once, and what stands is what would have stood.
    #[test]
    fn what_is_on_record_is_not_done_again(
        is_pager in any::<bool>(),
        story in prop::collection::vec((any::<u8>(), any::<u8>(), any::<u8>()), 1..25),
        killed in any::<prop::sample::Index>(),
    ) {
        let system = if is_pager { System::PagerDuty } else { System::Alertmanager };
        let run = |watch: &mut Watch| {
            for (number, own) in story.iter().enumerate() {
                let seconds = 100 + 20 * i64::try_from(number).unwrap();
                tell(watch, system, &step(system, *own, seconds), seconds);
            }
        };
        let mut whole = watch(system);
        run(&mut whole);
        let expected: Vec<Change> = whole.alarms_mut().take_changes();
        let recorded = killed.index(expected.len() + 1);
        let mut again = watch(system);
        again.restore(WatchCheckpoint::default(), expected[..recorded].to_vec(), now(10_000));
        run(&mut again);
        again.be_folded();
        // How far it can be believed is said anew.
        let said = |all: &[Change]| -> Vec<_> {
            let others = all.iter().filter(|own| !matches!(own.what, Some(Input::Judge(_))));
            others.map(|own| (own.key.to_string(), own.what, own.event, own.sound)).collect()
        };
        let written = again.alarms_mut().take_changes();
        prop_assert_eq!(said(&written), said(&expected[recorded..]), "with {} on record", recorded);
        let stands = |watch: &Watch| -> Vec<_> {
            let all = watch.alarms().standing().iter();
            all.map(|(key, own)| (key.to_string(), own.alarm.base, own.alarm.suppression, own.priority)).collect()
        };
        prop_assert_eq!(stands(&again), stands(&whole));
    }
}
