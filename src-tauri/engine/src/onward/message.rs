//! An alarm in Alertmanager's words: its webhook, version 4 (<https://prometheus.io/docs/alerting/latest/configuration/#webhook_config>).

use std::collections::{BTreeMap, VecDeque};

use serde::Serialize;
use watchfloor_board::alarm::{
    AlarmKey, AlarmWhat, Change,
    machine::{Alarm, Sound},
    priority_word, state_of, state_word,
};
use watchfloor_model::Timestamp;

use super::Settings;

/// Alarms of one message at most.
const ALERTS_MAX: usize = 64;
/// Characters of a text at most.
const TEXT_MAX: usize = 2000;
/// What Alertmanager says of an end that isn't there.
const NEVER: &str = "0001-01-01T00:00:00Z";

/// Something to hand on.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Item {
    /// The entry's number on record.
    pub(super) number: u64,
    /// When it was decided.
    pub(super) decided: Timestamp,
    key: AlarmKey,
    alert: Alert,
}

/// One alarm.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
struct Alert {
    status: &'static str,
    labels: BTreeMap<String, String>,
    annotations: BTreeMap<String, String>,
    starts_at: String,
    ends_at: String,
    #[serde(rename = "generatorURL")]
    generator_url: String,
    fingerprint: String,
}

/// The message.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
struct Message<'a> {
    version: &'static str,
    group_key: String,
    truncated_alerts: u32,
    status: &'static str,
    receiver: &'a str,
    group_labels: BTreeMap<String, String>,
    common_labels: BTreeMap<String, String>,
    common_annotations: BTreeMap<String, String>,
    #[serde(rename = "externalURL")]
    external_url: &'a str,
    alerts: Vec<&'a Alert>,
}

/// What is handed on of a change: that it began to call, that somebody knows, that it is over. None of what is none of these, or was refused.
pub(super) fn item(change: &Change, settings: &Settings) -> Option<Item> {
    let Change { number, key, now, decided, .. } = change;
    let what = AlarmWhat::of(change.what);
    let is_meant = change.sound == Sound::Start
        || matches!(what, AlarmWhat::Clear | AlarmWhat::Acknowledge | AlarmWhat::Reset | AlarmWhat::Remove);
    // Another system's alarm it knows of itself; two that tell each other of theirs would never end.
    if !is_meant || change.refusal.is_some() || now.foreign.is_some() {
        return None;
    }
    let alarm = now.alarm;
    let stands = now.stands() && !alarm.is_removed;
    let mut labels = settings.labels.clone();
    labels.extend(identity(key, settings));
    labels.insert("severity".into(), priority_word(now.priority).into());
    let told = settings.rules.get(&*key.rule);
    let mut annotations = BTreeMap::new();
    let mut note = |name: &str, text: Option<String>| {
        if let Some(text) = text.filter(|text| !text.is_empty()) {
            annotations.insert(name.to_owned(), text.chars().take(TEXT_MAX).collect());
        }
    };
    note("summary", Some(told.map_or_else(|| key.rule.to_string(), |told| told.title.clone())));
    note("description", told.and_then(|told| told.advice.clone()));
    note("state", Some(state_word(state_of(alarm.shown())).into()));
    note("change", Some(what.word().into()));
    note("occurrence", Some(alarm.occurrence.to_string()));
    note("cause", Some(now.cause.iter().map(|(name, value)| format!("{name}={value}")).collect::<Vec<_>>().join("; ")));
    if let Some(said) = &now.acknowledged {
        note("acknowledged_by", Some(said.by.name.clone().unwrap_or_else(|| said.by.station.clone())));
        note("acknowledged_at", Some(time(said.at)));
    }
    let alert = Alert {
        status: if stands { "firing" } else { "resolved" },
        fingerprint: fingerprint(&identity(key, settings), alarm),
        labels,
        annotations,
        starts_at: time(now.raised.unwrap_or(*decided)),
        ends_at: if stands { NEVER.to_owned() } else { time(now.returned.unwrap_or(*decided)) },
        generator_url: String::new(),
    };
    Some(Item { number: *number, decided: *decided, key: key.clone(), alert })
}

/// What tells an alarm from all others, whichever wall says it.
fn identity(key: &AlarmKey, settings: &Settings) -> BTreeMap<String, String> {
    let mut labels =
        BTreeMap::from([("alertname".into(), key.rule.to_string()), ("board".into(), settings.board.clone())]);
    if !key.of.is_empty() {
        labels.insert("of".into(), key.of.chars().take(TEXT_MAX).collect());
    }
    labels
}

/// Of what tells an alarm from others, and of its occurrence: the FNV-1a of 64 bits that Prometheus makes of labels. The occurrence is when
/// the source says that it was raised, so that several walls say the same; how urgent it is now isn't in it.
fn fingerprint(identity: &BTreeMap<String, String>, alarm: Alarm) -> String {
    let mut hash: u64 = 0xcbf2_9ce4_8422_2325;
    let mut take = |text: &str| {
        for byte in text.bytes().chain([0xff]) {
            hash = (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3);
        }
    };
    for (name, value) in identity {
        take(name);
        take(value);
    }
    take("occurrence");
    take(&alarm.occurrence.to_string());
    format!("{hash:016x}")
}

fn time(at: Timestamp) -> String {
    jiff::Timestamp::from_millisecond(at.as_millis())
        .map_or_else(|_| NEVER.to_owned(), |at| at.strftime("%Y-%m-%dT%H:%M:%S%.3fZ").to_string())
}

/// The next message, of as many of the oldest as may go together: alarms of one rule, each of them once, so that each one's changes
/// arrive in order. With how many these are.
pub(super) fn message(queue: &VecDeque<Item>, settings: &Settings) -> Option<(String, usize)> {
    let first = queue.front()?;
    let mut together: Vec<&Item> = Vec::new();
    for item in queue.iter().take(ALERTS_MAX) {
        if item.key.rule != first.key.rule || together.iter().any(|own| own.key == item.key) {
            break;
        }
        together.push(item);
    }
    let alerts: Vec<&Alert> = together.iter().map(|item| &item.alert).collect();
    let rule = &first.key.rule;
    let common = |of: fn(&Alert) -> &BTreeMap<String, String>| {
        let mut common = of(&first.alert).clone();
        common.retain(|name, value| alerts.iter().all(|alert| of(alert).get(name) == Some(value)));
        common
    };
    let message = Message {
        version: "4",
        group_key: format!("{{}}:{{alertname={rule:?}, board={:?}}}", settings.board),
        truncated_alerts: 0,
        status: if alerts.iter().any(|alert| alert.status == "firing") { "firing" } else { "resolved" },
        receiver: &settings.receiver,
        group_labels: BTreeMap::from([
            ("alertname".into(), rule.to_string()),
            ("board".into(), settings.board.clone()),
        ]),
        common_labels: common(|alert| &alert.labels),
        common_annotations: common(|alert| &alert.annotations),
        external_url: &settings.external_url,
        alerts,
    };
    let count = together.len();
    serde_json::to_string(&message).ok().map(|text| (text, count))
}
