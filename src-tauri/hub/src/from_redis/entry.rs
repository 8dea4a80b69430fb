//! How an entry of a stream, or a message of Pub/Sub, says an event.

use std::{collections::BTreeMap, sync::Arc};

use serde::Deserialize;
use serde_json::value::RawValue;
use watchfloor_model::{Timestamp, limits as event_limits, text::push_quoted};

use super::{FromForm, FromRedis};
use crate::{
    channel::Aside,
    publish::{self, Form, Incoming},
};

/// Reads a message that was told on a channel of Redis.
///
/// # Errors
/// What is wrong with it.
pub(super) fn message(source: &FromRedis, told_on: &str, payload: &[u8]) -> Result<Incoming, String> {
    let text = std::str::from_utf8(payload).map_err(|_| "the message is not UTF-8".to_owned())?;
    match source.form {
        FromForm::Data => event(source, told_on, None, &source.name, &json_of(text), None),
        FromForm::Laravel => {
            #[derive(Deserialize)]
            struct Broadcast<'a> {
                event: String,
                #[serde(borrow)]
                data: &'a RawValue,
                socket: Option<String>,
            }
            let read = serde_json::from_str(text);
            let Broadcast { event: name, data, socket } =
                read.map_err(|error| format!("the message: {error}: expected `event` and `data`"))?;
            event(source, told_on, None, &name, data.get(), socket.as_deref())
        }
        FromForm::Event => {
            #[derive(Deserialize)]
            #[serde(deny_unknown_fields)]
            struct Event<'a> {
                channel: Option<String>,
                name: Option<String>,
                #[serde(borrow)]
                id: Option<&'a RawValue>,
                #[serde(borrow)]
                time: Option<&'a RawValue>,
                #[serde(borrow)]
                data: &'a RawValue,
            }
            let read = serde_json::from_str(text);
            let said: Event<'_> = read.map_err(|error| format!("the message: {error}: expected an event"))?;
            let name = said.name.as_deref().unwrap_or(&source.name);
            let mut found = event(source, told_on, said.channel.as_deref(), name, said.data.get(), None)?;
            let text = |raw: Option<&RawValue>| raw.map_or("null", RawValue::get).to_owned();
            (found.id, found.time) = id_and_time(&found, &text(said.id), &text(said.time))?;
            Ok(found)
        }
    }
}

/// Reads an entry of a stream. Its id is the event's, and its time too, where it says no other: so the same entry is the same event.
///
/// # Errors
/// What is wrong with it.
pub(super) fn entry(source: &FromRedis, key: &str, id: &str, fields: &[Vec<u8>]) -> Result<Incoming, String> {
    let mut said: BTreeMap<&str, &str> = BTreeMap::new();
    for pair in fields.as_chunks::<2>().0 {
        let [field, value] = pair.each_ref().map(|bytes| std::str::from_utf8(bytes));
        let (field, value) =
            field.and_then(|field| Ok((field, value?))).map_err(|_| "a field is not UTF-8".to_owned())?;
        said.insert(field, value);
    }
    let own = |found: &mut Incoming| {
        let millis = id.split('-').next().and_then(|millis| millis.parse().ok()).unwrap_or_default();
        if found.id.is_none() {
            found.id = Some(id.into());
        }
        if found.time.is_none() {
            found.time = Some(Timestamp::from_millis(millis));
        }
    };
    let need = |field: &str| said.get(field).copied().ok_or_else(|| format!("field `{field}` is missing"));
    let mut found = match source.form {
        FromForm::Data => {
            let mut data = "{".to_owned();
            for (field, value) in &said {
                if data.len() > 1 {
                    data.push(',');
                }
                push_quoted(&mut data, field);
                data.push(':');
                push_quoted(&mut data, value);
            }
            data.push('}');
            event(source, key, None, &source.name, &data, None)?
        }
        FromForm::Laravel => {
            let (name, data) = (need("event")?, need("data")?);
            event(source, key, said.get("channel").copied(), name, &json_of(data), said.get("socket").copied())?
        }
        FromForm::Event => {
            let known = ["channel", "name", "id", "time", "data"];
            if let Some(other) = said.keys().find(|field| !known.contains(field)) {
                let other: String = other.chars().take(40).collect();
                return Err(format!("unknown field {other:?}: expected {}", known.join(", ")));
            }
            let name = said.get("name").copied().unwrap_or(&source.name);
            let mut found = event(source, key, said.get("channel").copied(), name, &json_of(need("data")?), None)?;
            let id = said.get("id").map_or("null".to_owned(), |id| quoted(id));
            (found.id, found.time) = id_and_time(&found, &id, said.get("time").copied().unwrap_or("null"))?;
            found
        }
    };
    own(&mut found);
    Ok(found)
}

/// A text that is JSON is that; any other is a text.
fn json_of(text: &str) -> String {
    if serde_json::from_str::<&RawValue>(text).is_ok() { text.to_owned() } else { quoted(text) }
}

fn quoted(text: &str) -> String {
    let mut out = String::with_capacity(text.len() + 2);
    push_quoted(&mut out, text);
    out
}

/// An id and a time are judged as those of an event that is posted.
fn id_and_time(event: &Incoming, id: &str, time: &str) -> Result<(Option<Arc<str>>, Option<Timestamp>), String> {
    let text = format!(r#"{{"channel":"{}","name":"n","id":{id},"time":{time},"data":null}}"#, event.channel);
    let read = publish::parse(text.as_bytes(), Form::Json).map_err(|refused| refused.message)?;
    let one = read.into_iter().next().ok_or("no event")?;
    Ok((one.id, one.time))
}

fn event(
    source: &FromRedis,
    found_at: &str,
    said: Option<&str>,
    name: &str,
    data: &str,
    socket: Option<&str>,
) -> Result<Incoming, String> {
    let channel = match (&source.channel, said) {
        (Some(fixed), _) => fixed.as_str(),
        (None, said) => {
            let name = said.unwrap_or(found_at);
            let bare = name.strip_prefix(&source.prefix);
            bare.ok_or_else(|| format!("{name:?} doesn't begin with {:?}", source.prefix))?
        }
    };
    let except = socket.and_then(|socket| socket.parse().ok());
    let aside = Aside { except, ..Aside::default() };
    Ok(Incoming {
        channel: publish::channel(channel)?,
        name: publish::check_label("name", name, event_limits::NAME_BYTES_MAX)?,
        id: None,
        time: None,
        data: publish::data(data)?,
        aside: (aside != Aside::default()).then(|| Box::new(aside)),
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{engine::EngineConfig, from_redis::Spring, people::Socket};

    fn source(form: FromForm) -> FromRedis {
        FromRedis {
            id: "s".to_owned(),
            server: EngineConfig::at("redis://127.0.0.1"),
            what: Spring::Told("laravel_*".to_owned()),
            form,
            channel: None,
            prefix: "laravel_".to_owned(),
            name: "message".to_owned(),
        }
    }

    /// What Laravel's broadcaster writes is an event of its channel, and its own connection isn't told.
    #[test]
    fn laravel() {
        let source = source(FromForm::Laravel);
        let text = br#"{"event":"App\\Events\\OrderShipped","data":{"order":{"id":5}},"socket":"1234.5678"}"#;
        let found = message(&source, "laravel_private-orders.5", text).expect("an event");
        assert_eq!((&*found.channel, &*found.name), ("private-orders.5", "App\\Events\\OrderShipped"));
        assert_eq!(&**found.data.text(), r#"{"order":{"id":5}}"#);
        assert_eq!(found.aside.and_then(|aside| aside.except), Some(Socket::new(1234, 5678)));
        let text = br#"{"event":"e","data":[],"socket":null}"#;
        assert!(message(&source, "laravel_a", text).expect("an event").aside.is_none());
        for (told_on, text, part) in [
            ("laravel_a", &b"{}"[..], "missing field `event`"),
            ("laravel_a", b"\xff", "UTF-8"),
            ("other_a", br#"{"event":"e","data":1}"#, "doesn't begin with"),
            ("laravel_a b", br#"{"event":"e","data":1}"#, "no channel name"),
            ("laravel_a", br#"{"event":"","data":1}"#, "name"),
        ] {
            let problem = message(&source, told_on, text).expect_err(part);
            assert!(problem.contains(part), "{problem}");
        }
    }

    /// The same entry is the same event: by its id and time, unless it has an id and a time of its own.
    #[test]
    fn entries() {
        let fields = |pairs: &[(&str, &str)]| -> Vec<Vec<u8>> {
            pairs.iter().flat_map(|(field, value)| [field.as_bytes().to_vec(), value.as_bytes().to_vec()]).collect()
        };
        let mut source = FromRedis { prefix: String::new(), ..source(FromForm::Event) };
        let read =
            |source: &FromRedis, pairs: &[(&str, &str)]| entry(source, "orders", "1700000000000-3", &fields(pairs));
        let found = read(&source, &[("data", r#"{"a":1}"#)]).expect("an event");
        assert_eq!(
            (&*found.channel, &*found.name, found.id.as_deref()),
            ("orders", "message", Some("1700000000000-3"))
        );
        assert_eq!(found.time, Some(Timestamp::from_millis(1_700_000_000_000)));
        let own = [("channel", "a"), ("name", "n"), ("id", "\"7"), ("time", "5"), ("data", "plain text")];
        let found = read(&source, &own).expect("an event");
        assert_eq!((&*found.channel, &*found.name, found.id.as_deref()), ("a", "n", Some("\"7")));
        assert_eq!((found.time, &**found.data.text()), (Some(Timestamp::from_millis(5)), r#""plain text""#));
        for (pairs, part) in [
            (&[("name", "n")][..], "field `data` is missing"),
            (&[("data", "1"), ("x", "y")], "unknown field \"x\""),
            (&[("data", "1"), ("time", "soon")], "expected"),
            (&[("data", "1"), ("channel", "a b")], "no channel name"),
        ] {
            let problem = read(&source, pairs).expect_err(part);
            assert!(problem.contains(part), "{problem}");
        }
        (source.form, source.channel) = (FromForm::Data, Some("fixed".to_owned()));
        let found = read(&source, &[("b", "2"), ("a", "\"")]).expect("an event");
        assert_eq!((&*found.channel, &**found.data.text()), ("fixed", r#"{"a":"\"","b":"2"}"#));
    }
}
