//! Frames of the Pusher protocol, version 7, as they go out. Source: Pusher's "Pusher Channels Protocol".
//!
//! `data` is JSON in a text: it is quoted twice.

use std::sync::Arc;

use axum::extract::ws::Utf8Bytes;
use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;
use watchfloor_model::text::push_quoted;

use crate::{
    channel::Entry,
    limits,
    people::{Person, Socket},
};

/// Why the hub says `pusher:error`, and by what code it closes. The hundreds tell a client what to do: 4000 not to come back, 4100 to come
/// back later, 4200 to come back at once, 4300 that a request was refused.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Code {
    /// No such application.
    NoApp = 4001,
    /// Another version of the protocol.
    Version = 4007,
    /// No version of the protocol.
    NoVersion = 4008,
    /// It may not.
    Unauthorised = 4009,
    /// Come back after a while.
    Later = 4100,
    /// Come back at once.
    Reconnect = 4200,
    /// It did not answer.
    NoPong = 4201,
    /// A client's event isn't taken.
    ClientEvent = 4301,
}

impl Code {
    pub(crate) const fn number(self) -> u16 {
        self as u16
    }
}

/// The first frame.
pub(crate) fn established(socket: Socket) -> Utf8Bytes {
    let seconds = limits::PUSHER_ACTIVITY.as_secs();
    let data = format!(r#"{{"socket_id":"{socket}","activity_timeout":{seconds}}}"#);
    framed("pusher:connection_established", None, &data)
}

/// The question whether the client is there.
pub(crate) fn ping() -> Utf8Bytes {
    Utf8Bytes::from_static(r#"{"event":"pusher:ping","data":"{}"}"#)
}

/// The answer to it.
pub(crate) fn pong() -> Utf8Bytes {
    Utf8Bytes::from_static(r#"{"event":"pusher:pong","data":"{}"}"#)
}

/// What can't be done, and why.
pub(crate) fn error(code: Option<Code>, message: &str) -> Utf8Bytes {
    #[derive(Serialize)]
    struct Data<'a> {
        code: Option<u16>,
        message: &'a str,
    }
    #[derive(Serialize)]
    struct Frame<'a> {
        event: &'a str,
        data: Data<'a>,
    }
    text(&Frame { event: "pusher:error", data: Data { code: code.map(Code::number), message } }).into()
}

/// A channel isn't given to the client.
pub(crate) fn subscription_error(channel: &str, status: u16, message: &str) -> Utf8Bytes {
    #[derive(Serialize)]
    struct Data<'a> {
        r#type: &'a str,
        error: &'a str,
        status: u16,
    }
    let kind = if status == 401 { "AuthError" } else { "LimitReached" };
    framed("pusher:subscription_error", Some(channel), &text(&Data { r#type: kind, error: message, status }))
}

/// A channel is given to the client. Who is there, in one of presence.
pub(crate) fn subscribed<'a>(
    channel: &str,
    present: Option<impl Iterator<Item = (&'a Arc<str>, Option<&'a Arc<str>>)>>,
) -> Utf8Bytes {
    let Some(present) = present else {
        return framed("pusher_internal:subscription_succeeded", Some(channel), "{}");
    };
    let (mut ids, mut hash, mut count) = (String::new(), String::new(), 0_usize);
    for (id, info) in present {
        if count > 0 {
            ids.push(',');
            hash.push(',');
        }
        count += 1;
        push_quoted(&mut ids, id);
        push_quoted(&mut hash, id);
        hash.push(':');
        hash.push_str(info.map_or("null", |info| info));
    }
    let data = format!(r#"{{"presence":{{"count":{count},"ids":[{ids}],"hash":{{{hash}}}}}}}"#);
    framed("pusher_internal:subscription_succeeded", Some(channel), &data)
}

/// Nothing is known of a cache channel yet.
pub(crate) fn cache_miss(channel: &str) -> Utf8Bytes {
    #[derive(Serialize)]
    struct Frame<'a> {
        event: &'a str,
        channel: &'a str,
    }
    text(&Frame { event: "pusher:cache_miss", channel }).into()
}

/// The client is who it says.
pub(crate) fn signed_in(user_data: &str) -> Utf8Bytes {
    #[derive(Serialize)]
    struct Data<'a> {
        user_data: &'a str,
    }
    framed("pusher:signin_success", None, &text(&Data { user_data }))
}

/// Somebody is present.
pub(crate) fn member_added(channel: &str, person: &Person) -> Utf8Bytes {
    let mut data = r#"{"user_id":"#.to_owned();
    push_quoted(&mut data, &person.id);
    if let Some(info) = &person.info {
        data.push_str(r#","user_info":"#);
        data.push_str(info);
    }
    data.push('}');
    framed("pusher_internal:member_added", Some(outside(channel)), &data)
}

/// Somebody is no longer present.
pub(crate) fn member_removed(channel: &str, id: &str) -> Utf8Bytes {
    let mut data = r#"{"user_id":"#.to_owned();
    push_quoted(&mut data, id);
    data.push('}');
    framed("pusher_internal:member_removed", Some(outside(channel)), &data)
}

/// An application's own event. Made once for all its readers.
pub(crate) fn event(entry: &Entry) -> Utf8Bytes {
    entry.frame.get_or_init(|| event_of(entry)).clone()
}

fn event_of(entry: &Entry) -> Utf8Bytes {
    #[derive(Deserialize)]
    struct Line<'a> {
        channel: &'a str,
        name: String,
        #[serde(borrow)]
        data: &'a RawValue,
    }
    let line: Line<'_> = serde_json::from_str(&entry.line).expect("the hub's own lines can be read");
    let aside = entry.aside.as_deref();
    let data = line.data.get();
    let mut frame = String::with_capacity(64 + line.name.len() + line.channel.len() + data.len() * 5 / 4);
    frame.push_str(r#"{"event":"#);
    push_quoted(&mut frame, &line.name);
    frame.push_str(r#","channel":"#);
    push_quoted(&mut frame, outside(line.channel));
    frame.push_str(r#","data":"#);
    match aside.is_some_and(|aside| aside.is_bare) {
        true => frame.push_str(data),
        false => push_quoted(&mut frame, data),
    }
    if let Some(user) = aside.and_then(|aside| aside.user.as_ref()) {
        frame.push_str(r#","user_id":"#);
        push_quoted(&mut frame, user);
    }
    frame.push('}');
    frame.into()
}

/// What an application calls a channel: inside, another application's name may stand before it.
fn outside(channel: &str) -> &str {
    // A user's id, the only place for another slash, comes after the beginning of his channel.
    match channel.split_once('/') {
        Some((space, name)) if !space.starts_with('#') => name,
        _ => channel,
    }
}

fn framed(event: &str, channel: Option<&str>, data: &str) -> Utf8Bytes {
    #[derive(Serialize)]
    struct Frame<'a> {
        event: &'a str,
        #[serde(skip_serializing_if = "Option::is_none")]
        channel: Option<&'a str>,
        data: &'a str,
    }
    text(&Frame { event, channel, data }).into()
}

fn text<T: Serialize>(value: &T) -> String {
    serde_json::to_string(value).expect("frames have text keys and no failing fields")
}

#[cfg(test)]
mod tests {
    use watchfloor_model::{Mono, Timestamp};

    use super::*;
    use crate::channel::{Aside, Number};

    fn entry(line: &str, aside: Option<Aside>) -> Entry {
        let number = Number { offset: 1, serial: 1 };
        Entry::new(line.into(), number, Timestamp::from_millis(7), Mono::from_millis(0), aside.map(Box::new))
    }

    /// As Pusher's documentation has them, `data` quoted twice.
    #[test]
    fn frames() {
        let person = Person { id: "10".into(), info: Some(r#"{"name":"Mr. \"C\""}"#.into()) };
        let (id, info) = (person.id.clone(), person.info.clone());
        for (frame, wanted) in [
            (
                established(Socket::new(12, 34)),
                r#"{"event":"pusher:connection_established","data":"{\"socket_id\":\"12.34\",\"activity_timeout\":120}"}"#,
            ),
            (
                subscribed("presence-a", Some([(&id, info.as_ref())].into_iter())),
                r#"{"event":"pusher_internal:subscription_succeeded","channel":"presence-a","data":"{\"presence\":{\"count\":1,\"ids\":[\"10\"],\"hash\":{\"10\":{\"name\":\"Mr. \\\"C\\\"\"}}}}"}"#,
            ),
            (
                member_added("4/presence-a", &person),
                r#"{"event":"pusher_internal:member_added","channel":"presence-a","data":"{\"user_id\":\"10\",\"user_info\":{\"name\":\"Mr. \\\"C\\\"\"}}"}"#,
            ),
            (
                error(Some(Code::NoApp), "no \"x\""),
                r#"{"event":"pusher:error","data":{"code":4001,"message":"no \"x\""}}"#,
            ),
        ] {
            assert_eq!(frame.as_str(), wanted);
        }
    }

    /// What was published is what comes out: JSON in a text, a bare text as it is, a client's own as it sent it.
    #[test]
    fn events() {
        let line =
            r#"{"type":"event","channel":"4/a","position":"e:1","name":"App\\Events\\X","time":7,"data":{"a":"\n"}}"#;
        let quoted = r#"{"event":"App\\Events\\X","channel":"a","data":"{\"a\":\"\\n\"}"}"#;
        assert_eq!(event(&entry(line, None)).as_str(), quoted);
        let bare = Aside { is_bare: true, except: None, user: Some("7".into()) };
        let wanted = r#"{"event":"App\\Events\\X","channel":"a","data":{"a":"\n"},"user_id":"7"}"#;
        assert_eq!(event(&entry(line, Some(bare))).as_str(), wanted);
        let of_user =
            r##"{"type":"event","channel":"#server-to-user-a/b","position":"e:1","name":"n","time":7,"data":1}"##;
        assert_eq!(
            event(&entry(of_user, None)).as_str(),
            r##"{"event":"n","channel":"#server-to-user-a/b","data":"1"}"##
        );
    }
}
