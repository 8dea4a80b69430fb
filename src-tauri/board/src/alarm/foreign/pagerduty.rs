//! Events as `PagerDuty` takes them: `developer.pagerduty.com`, Events API v2, "Send an Alert Event".
//!
//! A trigger of a key that stands is the same alarm said again; after it was resolved, it is another one.

use watchfloor_model::Json;

use super::{ADVICE_CHARACTERS_MAX, Alert, Message, Says, TITLE_CHARACTERS_MAX, cut, instant, key, text, unusable};
use crate::reduce::Rejection;

pub(super) fn read(data: Json<'_>) -> Message {
    match one(data) {
        Ok(alert) => Message { alerts: vec![alert], ..Message::default() },
        Err(rejection) => Message { unusable: vec![rejection], ..Message::default() },
    }
}

fn one(data: Json<'_>) -> Result<Alert, Rejection> {
    let says = match text(data, "event_action") {
        Some("trigger") => Says::Stands,
        Some("acknowledge") => Says::IsKnown,
        Some("resolve") => Says::IsOver,
        _ => return Err(unusable("event_action", data, "\"trigger\", \"acknowledge\" or \"resolve\"")),
    };
    // PagerDuty makes one up for a trigger without it, which nobody here would ever see resolved.
    let Some(dedup) = text(data, "dedup_key") else {
        return Err(unusable("dedup_key", data, "a text by which it can be resolved"));
    };
    let payload = data.get("payload");
    let of = |name: &str| payload.and_then(|payload| text(payload, name));
    let told = [("source", of("source")), ("component", of("component")), ("class", of("class"))];
    Ok(Alert {
        key: key(dedup),
        says,
        since: payload.and_then(|payload| instant(payload, "timestamp")),
        updated: None,
        severity: of("severity").map(str::to_owned),
        title: cut(of("summary").unwrap_or(dedup), TITLE_CHARACTERS_MAX),
        advice: text(data, "client_url").map(|url| cut(url, ADVICE_CHARACTERS_MAX)),
        group: of("group").map(|group| cut(group, TITLE_CHARACTERS_MAX)),
        is_suppressed: None,
        cause: told.iter().filter_map(|(name, value)| Some(((*name).to_owned(), cut((*value)?, 100)))).collect(),
    })
}
