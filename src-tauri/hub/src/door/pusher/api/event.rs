//! The events that the HTTP API is given.

use std::sync::Arc;

use serde::Deserialize;
use serde_json::{Value, value::RawValue};
use watchfloor_model::{Payload, limits as event_limits};

use super::Refused;
use crate::{
    app::{self, App},
    channel::Aside,
    limits,
    people::Socket,
    publish::{self, Incoming},
};

/// An event, checked as far as it can be without its application.
#[derive(Clone, Debug)]
pub(super) struct Triggered {
    name: Arc<str>,
    pub(super) channels: Vec<String>,
    data: Payload,
    /// Whether `data` is no JSON in a text.
    is_bare: bool,
    except: Option<Socket>,
    pub(super) info: Option<String>,
}

#[derive(Deserialize)]
struct Body<'a> {
    name: Option<String>,
    channel: Option<String>,
    #[serde(default)]
    channels: Vec<String>,
    #[serde(borrow)]
    data: Option<&'a RawValue>,
    socket_id: Option<String>,
    info: Option<String>,
}

/// Reads one event, or a batch.
///
/// # Errors
/// The first thing that is wrong with it.
pub(super) fn read(body: &[u8], is_batch: bool) -> Result<Vec<Triggered>, Refused> {
    #[derive(Deserialize)]
    struct Batch<'a> {
        #[serde(borrow)]
        batch: Vec<Body<'a>>,
    }
    let syntax = |error: serde_json::Error| Refused::bad(format!("the body can't be read: {error}"));
    let bodies = if is_batch {
        serde_json::from_slice::<Batch<'_>>(body).map_err(syntax)?.batch
    } else {
        vec![serde_json::from_slice(body).map_err(syntax)?]
    };
    if bodies.len() > limits::PUSHER_BATCH_MAX {
        let (found, max) = (bodies.len(), limits::PUSHER_BATCH_MAX);
        return Err(Refused::bad(format!("{found} events: expected at most {max}")));
    }
    let number = |index: usize| if is_batch { format!("event {}: ", index + 1) } else { String::new() };
    let events = bodies.into_iter().enumerate();
    events.map(|(index, body)| event(body).map_err(|why| Refused::bad(number(index) + &why))).collect()
}

fn event(body: Body<'_>) -> Result<Triggered, String> {
    let name = body.name.ok_or("`name` is missing: expected the event's name")?;
    if name.starts_with("pusher:") || name.starts_with("pusher_internal:") {
        return Err("`name` begins with pusher: which is the protocol's own".to_owned());
    }
    let name = publish::check_label("name", &name, event_limits::NAME_BYTES_MAX)?;
    let channels: Vec<String> = body.channels.into_iter().chain(body.channel).collect();
    if !(1..=limits::PUSHER_CHANNELS_MAX).contains(&channels.len()) {
        let (found, max) = (channels.len(), limits::PUSHER_CHANNELS_MAX);
        return Err(format!("{found} channels: expected 1 to {max}"));
    }
    channels.iter().try_for_each(|channel| app::check_channel(channel))?;
    if channels.len() > 1 && channels.iter().any(|channel| app::is_encrypted(channel)) {
        return Err("an encrypted channel among several: expected it alone".to_owned());
    }
    let except = body.socket_id.map(|socket| socket.parse()).transpose();
    let except = except.map_err(|()| "`socket_id` is none: expected digits, a dot and digits".to_owned())?;
    let raw = body.data.ok_or("`data` is missing: expected a text")?.get();
    let (data, is_bare) = data(raw)?;
    Ok(Triggered { name, channels, data, is_bare, except, info: body.info })
}

/// What the event says: the JSON in the text, or the text itself where it holds none. Some servers send JSON as it is.
fn data(raw: &str) -> Result<(Payload, bool), String> {
    let Ok(Value::String(text)) = serde_json::from_str(raw) else { return Ok((publish::data(raw)?, false)) };
    // Not the payload's own words: a text is no JSON that is wrong.
    let is_json = serde_json::from_str::<&RawValue>(&text).is_ok();
    match publish::data(&text) {
        Ok(data) if is_json => Ok((data, false)),
        _ => Ok((publish::data(raw)?, true)),
    }
}

impl Triggered {
    /// The event once for each of its channels.
    pub(super) fn incoming(&self, app: &App) -> impl Iterator<Item = Incoming> {
        let aside = Aside { is_bare: self.is_bare, except: self.except, user: None };
        let aside = (aside != Aside::default()).then(|| Box::new(aside));
        let one = move |channel: &String| Incoming {
            channel: app.inside(channel),
            name: self.name.clone(),
            id: None,
            time: None,
            data: self.data.clone(),
            aside: aside.clone(),
        };
        self.channels.iter().map(one)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// JSON in a text becomes JSON for the hub's own doors; what is none stays a text.
    #[test]
    fn data_is_kept() {
        for (raw, text, is_bare) in [
            (r#""{\"a\":1}""#, r#"{"a":1}"#, false),
            (r#""hello""#, r#""hello""#, true),
            (r#""\"hello\"""#, r#""hello""#, false),
            (r#""12""#, "12", false),
            (r#""""#, r#""""#, true),
            (r#"{"a":1}"#, r#"{"a":1}"#, false),
        ] {
            let (data, bare) = data(raw).expect(raw);
            assert_eq!((&**data.text(), bare), (text, is_bare), "{raw}");
        }
    }

    /// Bad input: what is wrong, and in which event.
    #[test]
    fn refusals() {
        for (body, part) in [
            ("", "can't be read"),
            (r#"{"batch":[{"name":"a","channel":"b","data":"c"},{"name":"a","data":"c"}]}"#, "event 2: 0 channels"),
            (r#"{"batch":[{"channel":"b","data":"c"}]}"#, "event 1: `name` is missing"),
            (r#"{"batch":[{"name":"pusher:x","channel":"b","data":"c"}]}"#, "the protocol's own"),
            (r#"{"batch":[{"name":"x","channel":"b c","data":"c"}]}"#, "no channel name"),
            (r#"{"batch":[{"name":"x","channel":"b"}]}"#, "`data` is missing"),
            (r#"{"batch":[{"name":"x","channel":"b","data":"c","socket_id":"1.x"}]}"#, "`socket_id`"),
            (r#"{"batch":[{"name":"x","channels":["a","private-encrypted-b"],"data":"c"}]}"#, "encrypted"),
        ] {
            let refused = read(body.as_bytes(), true).expect_err(body);
            assert!(refused.message().contains(part), "{body}: {}", refused.message());
        }
    }
}
