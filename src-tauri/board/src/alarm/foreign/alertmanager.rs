//! Alertmanager: `prometheus.io/docs/alerting/latest/configuration/#webhook_config` (version 4) and API v2, `GET /api/v2/alerts`.
//!
//! An alert is told by its labels, and so by their fingerprint: annotations may change. A webhook says of some alerts that they fire or are resolved, again and
//! again; a list of the API says which there are, and of all others that they are over.

use watchfloor_model::{Json, Shape};

use super::{
    ADVICE_CHARACTERS_MAX, ALERTS_MAX, Alert, KEY_BYTES_MAX, Message, Says, TITLE_CHARACTERS_MAX, cut, cut_bytes,
    instant, key, text, unusable,
};
use crate::reduce::{Rejection, describe};

/// The webhook's version that is known here.
const VERSION: &str = "4";
/// Characters at most of a name that stands in a key, before the fingerprint.
const NAME_CHARACTERS_MAX: usize = 100;
/// Labels at most that are told as a cause.
const LABELS_TOLD_MAX: usize = 8;
/// The label that says how bad it is.
const SEVERITY: &str = "severity";
const NAME: &str = "alertname";

pub(super) fn read(data: Json<'_>) -> Message {
    match data.shape() {
        Shape::List(_) => list(data),
        Shape::Object(_) if data.get("alerts").is_some() => webhook(data),
        Shape::Object(_) => of([one(data, None)]),
        other => {
            let expected = "a webhook's message with `alerts`, or what /api/v2/alerts answers".to_owned();
            of([Err(Rejection { place: "data".to_owned(), found: describe(Some(other)), expected })])
        }
    }
}

fn webhook(data: Json<'_>) -> Message {
    if text(data, "version") != Some(VERSION) {
        return of([Err(unusable("version", data, "\"4\", the version of webhooks that is known here"))]);
    }
    let Some(alerts) = data.get("alerts").filter(|alerts| matches!(alerts.shape(), Shape::List(_))) else {
        return of([Err(unusable("alerts", data, "a list of alerts"))]);
    };
    let mut message = of(alerts.items().take(ALERTS_MAX).map(|alert| one(alert, text(data, "groupKey"))));
    message.unusable.extend(too_many(alerts));
    // What Alertmanager itself has left out stands all the same, and isn't known here.
    let left = data.get("truncatedAlerts").map(Json::shape);
    if !matches!(&left, None | Some(Shape::Null))
        && !matches!(&left, Some(Shape::Number(count)) if count.as_u64() == Some(0))
    {
        let found = describe(left);
        let expected = "0: leave `max_alerts` of the receiver at 0".to_owned();
        message.unusable.push(Rejection { place: "`truncatedAlerts`".to_owned(), found, expected });
    }
    message
}

/// All that there are. Where one of them can't be read, nobody knows of which others nothing is said.
fn list(data: Json<'_>) -> Message {
    let mut message = of(data.items().take(ALERTS_MAX).map(|alert| one(alert, None)));
    message.unusable.extend(too_many(data));
    message.is_whole = message.unusable.is_empty();
    message
}

fn too_many(alerts: Json<'_>) -> Option<Rejection> {
    let Shape::List(count) = alerts.shape() else { return None };
    let found = format!("{count} alerts");
    let expected = format!("at most {ALERTS_MAX}");
    (count > ALERTS_MAX).then(|| Rejection { place: "`alerts`".to_owned(), found, expected })
}

fn of(alerts: impl IntoIterator<Item = Result<Alert, Rejection>>) -> Message {
    let mut message = Message::default();
    for alert in alerts {
        match alert {
            Ok(alert) => message.alerts.push(alert),
            Err(rejection) => message.unusable.push(rejection),
        }
    }
    message
}

fn one(alert: Json<'_>, group: Option<&str>) -> Result<Alert, Rejection> {
    let Some(labels) = alert.get("labels").filter(|labels| matches!(labels.shape(), Shape::Object(_))) else {
        return Err(unusable("labels", alert, "an object of labels"));
    };
    // A webhook says it in a word, the API in an object; there are no resolved ones.
    let status = alert.get("status");
    let state = status.and_then(|status| text(status, "state"));
    let says = match (status.map(Json::shape), state) {
        (Some(Shape::Text("firing")), _) | (_, Some("active" | "suppressed" | "unprocessed")) => Says::Stands,
        (Some(Shape::Text("resolved")), _) => Says::IsOver,
        _ => return Err(unusable("status", alert, "\"firing\" or \"resolved\", or an object with a `state`")),
    };
    let mut named: Vec<(&str, &str)> = labels
        .fields()
        .filter_map(|(name, value)| match value.shape() {
            Shape::Text(value) => Some((name, value)),
            _ => None,
        })
        .collect();
    named.sort_unstable();
    let label = |wanted: &str| named.iter().find(|(name, _)| *name == wanted).map(|(_, value)| *value);
    let name = label(NAME).unwrap_or("alert");
    let key = match text(alert, "fingerprint") {
        // A name has as much room as the fingerprint leaves.
        Some(fingerprint) => {
            let name = cut(name, NAME_CHARACTERS_MAX);
            let room = KEY_BYTES_MAX.saturating_sub(fingerprint.len() + 1);
            key(&format!("{} {fingerprint}", cut_bytes(&name, room)))
        }
        // Before 0.18 there was none.
        None => {
            let labels: Vec<String> = named.iter().map(|(name, value)| format!("{name}={value:?}")).collect();
            key(&format!("{{{}}}", labels.join(",")))
        }
    };
    let telling: Vec<(&str, &str)> =
        named.iter().filter(|(name, _)| *name != NAME && *name != SEVERITY).take(LABELS_TOLD_MAX).copied().collect();
    let note = |name: &str| alert.get("annotations").and_then(|notes| text(notes, name));
    let title = match note("summary") {
        Some(summary) => summary.to_owned(),
        None => {
            std::iter::once(name).chain(telling.iter().take(3).map(|(_, value)| *value)).collect::<Vec<_>>().join(" · ")
        }
    };
    let advice = [note("description").or_else(|| note("message")), note("runbook_url").or_else(|| note("runbook"))];
    let advice: Vec<&str> = advice.into_iter().flatten().collect();
    Ok(Alert {
        key,
        says,
        since: instant(alert, "startsAt"),
        updated: instant(alert, "updatedAt"),
        severity: label(SEVERITY).map(str::to_owned),
        title: cut(&title, TITLE_CHARACTERS_MAX),
        advice: (!advice.is_empty()).then(|| cut(&advice.join(" · "), ADVICE_CHARACTERS_MAX)),
        group: group.map(|group| cut(group, TITLE_CHARACTERS_MAX)),
        is_suppressed: state.map(|state| state == "suppressed"),
        cause: telling.iter().map(|(name, value)| (cut(name, 60), cut(value, 100))).collect(),
    })
}
