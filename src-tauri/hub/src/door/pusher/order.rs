//! What a client of the Pusher protocol asks for, checked.

use std::{fmt, sync::Arc};

use serde::Deserialize;
use serde_json::value::RawValue;

use crate::{app, limits, people::Person};

/// What a client asks for.
#[derive(Debug, PartialEq)]
pub(crate) enum Order {
    Subscribe(Subscribe),
    Unsubscribe(String),
    Ping,
    /// It is there.
    Pong,
    SignIn {
        auth: Signature,
        user_data: String,
    },
    /// It tells others of a channel.
    Publish {
        name: String,
        channel: String,
        /// JSON as it sent it.
        data: String,
    },
    /// It can't be understood, in words.
    Unusable(String),
    /// More than a frame may hold.
    TooBig,
}

/// It asks for a channel.
#[derive(Debug, PartialEq)]
pub(crate) struct Subscribe {
    pub(crate) channel: String,
    pub(crate) auth: Option<Signature>,
    pub(crate) channel_data: Option<String>,
}

/// `KEY:HEX`, as the site's own server has signed. Never shown.
#[derive(PartialEq)]
pub(crate) struct Signature(pub(crate) String);

impl fmt::Debug for Signature {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("***")
    }
}

#[derive(Deserialize)]
struct Frame<'a> {
    event: String,
    channel: Option<String>,
    #[serde(borrow)]
    data: Option<&'a RawValue>,
}

#[derive(Deserialize)]
struct Subscribing {
    channel: String,
    auth: Option<String>,
    channel_data: Option<String>,
}

#[derive(Deserialize)]
struct SigningIn {
    auth: String,
    user_data: String,
}

/// Reads a frame.
pub(crate) fn read(text: &str) -> Order {
    order(text).unwrap_or_else(Order::Unusable)
}

fn order(text: &str) -> Result<Order, String> {
    let Frame { event, channel, data } =
        serde_json::from_str(text).map_err(|error| format!("the frame is no event: {error}"))?;
    let broken = |error| format!("`data` of {event}: {error}");
    match event.as_str() {
        "pusher:ping" => Ok(Order::Ping),
        "pusher:pong" => Ok(Order::Pong),
        "pusher:subscribe" => {
            let Subscribing { channel, auth, channel_data } = inner(data).map_err(broken)?;
            let auth = auth.filter(|auth| !auth.is_empty()).map(Signature);
            Ok(Order::Subscribe(Subscribe { channel, auth, channel_data }))
        }
        "pusher:unsubscribe" => Ok(Order::Unsubscribe(inner::<Subscribing>(data).map_err(broken)?.channel)),
        "pusher:signin" => {
            let SigningIn { auth, user_data } = inner(data).map_err(broken)?;
            Ok(Order::SignIn { auth: Signature(auth), user_data })
        }
        name if name.starts_with("client-") => {
            let channel = channel.ok_or_else(|| format!("{name} names no `channel`"))?;
            let data = data.map_or("null", RawValue::get);
            if data.len() > limits::CLIENT_EVENT_BYTES_MAX {
                let (found, max) = (data.len(), limits::CLIENT_EVENT_BYTES_MAX);
                return Err(format!("`data` of {name} has {found} bytes: expected at most {max}"));
            }
            Ok(Order::Publish { data: data.to_owned(), name: event, channel })
        }
        _ => {
            let event: String = event.chars().take(40).collect();
            Err(format!(
                "event {event:?} is unknown here: expected pusher:subscribe, pusher:unsubscribe, pusher:signin, pusher:ping, pusher:pong or one that begins with client-"
            ))
        }
    }
}

/// `data` is an object. Some clients send it as a text that holds one.
fn inner<T: serde::de::DeserializeOwned>(data: Option<&RawValue>) -> Result<T, String> {
    let data = data.ok_or("missing: expected an object")?.get();
    let text: String;
    let object = if data.starts_with('"') {
        text = serde_json::from_str(data).map_err(|error| error.to_string())?;
        &text
    } else {
        data
    };
    serde_json::from_str(object).map_err(|error| error.to_string())
}

/// Who comes into a presence channel: `{"user_id": "7", "user_info": …}`; the id may be a number.
///
/// # Errors
/// What was found and what was expected.
pub(crate) fn person(channel_data: &str) -> Result<Person, String> {
    #[derive(Deserialize)]
    struct Data<'a> {
        #[serde(borrow)]
        user_id: Option<&'a RawValue>,
        #[serde(borrow)]
        user_info: Option<&'a RawValue>,
    }
    let data: Data<'_> = serde_json::from_str(channel_data).map_err(|error| format!("`channel_data`: {error}"))?;
    let id = user_id("`channel_data`", "user_id", data.user_id)?;
    let info = data.user_info.map(RawValue::get).filter(|info| *info != "null");
    if info.is_some_and(|info| info.len() > limits::PERSON_BYTES_MAX) {
        return Err(format!("`user_info` has more than {} bytes", limits::PERSON_BYTES_MAX));
    }
    Ok(Person { id, info: info.map(|info| info.replace(['\n', '\r'], " ").into()) })
}

/// Who signs in: `{"id": "7", …}`.
///
/// # Errors
/// What was found and what was expected.
pub(crate) fn user(user_data: &str) -> Result<Arc<str>, String> {
    #[derive(Deserialize)]
    struct Data<'a> {
        #[serde(borrow)]
        id: Option<&'a RawValue>,
    }
    let data: Data<'_> = serde_json::from_str(user_data).map_err(|error| format!("`user_data`: {error}"))?;
    user_id("`user_data`", "id", data.id)
}

fn user_id(place: &str, field: &str, found: Option<&RawValue>) -> Result<Arc<str>, String> {
    let found = found.ok_or_else(|| format!("{place} has no `{field}`: expected a text"))?.get();
    let id = match serde_json::from_str::<String>(found) {
        Ok(id) => id,
        Err(_) if serde_json::from_str::<f64>(found).is_ok() => found.to_owned(),
        Err(_) => return Err(format!("`{field}` of {place} is neither a text nor a number")),
    };
    app::check_user(&id)?;
    Ok(id.into())
}

#[cfg(test)]
mod tests {
    use super::*;

    /// What pusher-js and others send, in both forms of `data`.
    #[test]
    fn orders() {
        for (text, wanted) in [
            (r#"{"event":"pusher:ping","data":{}}"#, Order::Ping),
            (r#"{"event":"pusher:pong"}"#, Order::Pong),
            (
                r#"{"event":"pusher:subscribe","data":{"auth":"","channel":"a"}}"#,
                Order::Subscribe(Subscribe { channel: "a".into(), auth: None, channel_data: None }),
            ),
            (r#"{"event":"pusher:unsubscribe","data":"{\"channel\":\"a\"}"}"#, Order::Unsubscribe("a".into())),
            (
                r#"{"event":"client-x","channel":"private-a","data":{"b":1}}"#,
                Order::Publish { name: "client-x".into(), channel: "private-a".into(), data: r#"{"b":1}"#.into() },
            ),
        ] {
            assert_eq!(read(text), wanted, "{text}");
        }
        for (text, part) in [
            ("", "no event"),
            ("[]", "no event"),
            (r#"{"event":"pusher:subscribe"}"#, "`data` of pusher:subscribe: missing"),
            (r#"{"event":"pusher:subscribe","data":{"channel":7}}"#, "invalid type"),
            (r#"{"event":"x"}"#, "unknown here"),
            (r#"{"event":"client-x","data":1}"#, "no `channel`"),
        ] {
            let Order::Unusable(message) = read(text) else { panic!("{text}") };
            assert!(message.contains(part), "{message}");
        }
    }

    /// A number and a text are one and the same person.
    #[test]
    fn persons() {
        let info = |text: &str| person(text).map(|person| (person.id.to_string(), person.info));
        assert_eq!(info(r#"{"user_id":10}"#), Ok(("10".to_owned(), None)));
        assert_eq!(info(r#"{"user_id":"10","user_info":{"a":1}}"#), Ok(("10".to_owned(), Some(r#"{"a":1}"#.into()))));
        for text in
            ["", "{}", r#"{"user_id":null}"#, r#"{"user_id":true}"#, r#"{"user_id":""}"#, r#"{"user_id":"a\nb"}"#]
        {
            assert!(person(text).is_err(), "{text}");
        }
        assert_eq!(user(r#"{"id":"u"}"#).as_deref(), Ok("u"));
    }
}

#[cfg(test)]
mod fuzz {
    use watchfloor_fuzz::{Draws, check, mutated};

    use super::*;

    const FRAMES: [&str; 5] = [
        r#"{"event":"pusher:subscribe","data":{"auth":"k:ab","channel":"presence-a","channel_data":"{\"user_id\":1}"}}"#,
        r#"{"event":"pusher:unsubscribe","data":"{\"channel\":\"a\"}"}"#,
        r#"{"event":"pusher:signin","data":{"auth":"k:ab","user_data":"{\"id\":\"1\"}"}}"#,
        r#"{"event":"client-x","channel":"private-a","data":{"b":[1,2]}}"#,
        r#"{"event":"pusher:ping","data":{}}"#,
    ];

    /// Whatever a client sends: an order or a reason.
    #[test]
    fn orders() {
        check!(|bytes: &[u8]| {
            let text = mutated(&FRAMES, &mut Draws::new(bytes));
            let Ok(text) = std::str::from_utf8(&text) else { return };
            match read(text) {
                Order::Unusable(message) => assert!(!message.is_empty()),
                Order::Subscribe(Subscribe { channel_data: Some(data), .. }) => {
                    let _ = person(&data).map(|person| assert!(app::check_user(&person.id).is_ok()));
                }
                _ => {}
            }
        });
    }
}
