//! What is said to each kind of server, and what it says of it.

use std::{
    fmt::Write,
    net::SocketAddr,
    time::{SystemTime, UNIX_EPOCH},
};

use clap::ValueEnum;
use md5::{Digest, Md5};
use ring::hmac;
use serde_json::json;

use crate::marker::{self, Mark};

/// A protocol.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum Kind {
    /// The hub's own messages over a WebSocket.
    Hub,
    /// Pusher Channels, protocol 7.
    Pusher,
    /// Centrifugo's JSON protocol.
    Centrifugo,
}

/// The application of a server of the Pusher protocol, and the key of Centrifugo's HTTP API. The servers that are started here have it.
pub(crate) const APP_ID: &str = "load";
pub(crate) const APP_KEY: &str = "load-key";
pub(crate) const SECRET: &str = "load-secret";

/// A server, and how big an event's body is.
#[derive(Clone, Debug)]
pub(crate) struct Target {
    pub(crate) kind: Kind,
    pub(crate) address: SocketAddr,
    /// Bytes of the text in an event's body, its mark included.
    pub(crate) payload: usize,
}

/// What a channel is called.
pub(crate) fn channel(index: usize) -> String {
    format!("load-{index}")
}

impl Target {
    /// The request that opens a WebSocket.
    pub(crate) fn upgrade(&self) -> String {
        let path = match self.kind {
            Kind::Hub => "/v1/ws".to_owned(),
            Kind::Pusher => format!("/app/{APP_KEY}?protocol=7&client=load&version=1"),
            Kind::Centrifugo => "/connection/websocket".to_owned(),
        };
        format!(
            "GET {path} HTTP/1.1\r\nHost: {}\r\nConnection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\n\
             Sec-WebSocket-Key: d2F0Y2hmbG9vci1sb2FkIQ==\r\n\r\n",
            self.address
        )
    }

    /// Whether the server speaks first, and the client only then.
    pub(crate) const fn waits(&self) -> bool {
        matches!(self.kind, Kind::Pusher)
    }

    /// The frames that subscribe to channels, each after the position that is given, if the protocol has any.
    pub(crate) fn subscribe(&self, channels: &[(usize, Option<String>)]) -> Vec<String> {
        match self.kind {
            Kind::Hub => {
                let channels: serde_json::Map<_, _> =
                    channels.iter().map(|(index, place)| (channel(*index), json!(place))).collect();
                vec![json!({"type": "subscribe", "channels": channels}).to_string()]
            }
            Kind::Pusher => channels
                .iter()
                .map(|(index, _)| {
                    json!({"event": "pusher:subscribe", "data": {"channel": channel(*index)}}).to_string()
                })
                .collect(),
            Kind::Centrifugo => {
                let mut text = r#"{"id":1,"connect":{}}"#.to_owned();
                for (at, (index, _)) in channels.iter().enumerate() {
                    text.push('\n');
                    text.push_str(&json!({"id": at + 2, "subscribe": {"channel": channel(*index)}}).to_string());
                }
                vec![text]
            }
        }
    }

    /// What stands in an answer once for each channel that is subscribed.
    pub(crate) const fn subscribed(&self) -> &'static [u8] {
        match self.kind {
            Kind::Hub => b"\"subscribed\"",
            Kind::Pusher => b"subscription_succeeded",
            Kind::Centrifugo => b"\"subscribe\":{",
        }
    }

    /// The answer to a frame that asks whether the client is there.
    pub(crate) fn answer(&self, frame: &[u8]) -> Option<&'static [u8]> {
        match self.kind {
            Kind::Hub => None,
            Kind::Pusher => {
                let asked = frame.len() < 80 && memchr::memmem::find(frame, b"pusher:ping").is_some();
                asked.then_some(br#"{"event":"pusher:pong","data":{}}"#)
            }
            Kind::Centrifugo => (frame.trim_ascii() == b"{}").then_some(b"{}"),
        }
    }

    /// The request that publishes these events, in one, and under this key where the server knows keys.
    pub(crate) fn publish(&self, out: &mut Vec<u8>, events: &[Mark], key: Option<&str>) {
        let mut body = String::with_capacity(events.len() * (self.payload + 120) + 64);
        let pad = self.payload.saturating_sub(marker::BYTES);
        let push_data = |body: &mut String, mark: &Mark, quote: &str| {
            let _ = write!(body, "{{{quote}v{quote}:{quote}");
            mark.write(body);
            body.extend(std::iter::repeat_n('x', pad));
            let _ = write!(body, "{quote}}}");
        };
        let (open, close) = match (self.kind, events.len()) {
            (Kind::Hub, _) => ("[", "]"),
            (Kind::Pusher, 1) | (Kind::Centrifugo, 1) => ("", ""),
            (Kind::Pusher, _) => ("{\"batch\":[", "]}"),
            (Kind::Centrifugo, _) => ("{\"commands\":[", "]}"),
        };
        body.push_str(open);
        for (at, mark) in events.iter().enumerate() {
            if at > 0 {
                body.push(',');
            }
            let channel = channel(mark.channel);
            match (self.kind, events.len()) {
                (Kind::Hub, _) => {
                    let _ = write!(body, r#"{{"channel":"{channel}","name":"tick","data":"#);
                    push_data(&mut body, mark, "\"");
                    body.push('}');
                }
                (Kind::Pusher, _) => {
                    let key = if events.len() == 1 { "channels" } else { "channel" };
                    let (open, close) = if events.len() == 1 { ("[", "]") } else { ("", "") };
                    let _ = write!(body, r#"{{"{key}":{open}"{channel}"{close},"name":"tick","data":""#);
                    push_data(&mut body, mark, "\\\"");
                    body.push_str("\"}");
                }
                (Kind::Centrifugo, count) => {
                    body.push_str(if count == 1 { "" } else { "{\"publish\":" });
                    let _ = write!(body, r#"{{"channel":"{channel}","data":"#);
                    push_data(&mut body, mark, "\"");
                    body.push_str(if count == 1 { "}" } else { "}}" });
                }
            }
        }
        body.push_str(close);
        let path = match (self.kind, events.len()) {
            (Kind::Hub, _) => "/v1/publish".to_owned(),
            (Kind::Pusher, 1) => signed(&format!("/apps/{APP_ID}/events"), &body),
            (Kind::Pusher, _) => signed(&format!("/apps/{APP_ID}/batch_events"), &body),
            (Kind::Centrifugo, 1) => "/api/publish".to_owned(),
            (Kind::Centrifugo, _) => "/api/batch".to_owned(),
        };
        let key = key.filter(|_| self.kind == Kind::Hub).map(|key| format!("Idempotency-Key: {key}\r\n"));
        let head = format!(
            "POST {path} HTTP/1.1\r\nHost: {}\r\nContent-Type: application/json\r\nX-API-Key: {SECRET}\r\n{}Content-Length: {}\r\n\r\n",
            self.address,
            key.unwrap_or_default(),
            body.len()
        );
        out.extend_from_slice(head.as_bytes());
        out.extend_from_slice(body.as_bytes());
    }
}

/// The address of a signed request of Pusher's HTTP API.
fn signed(path: &str, body: &str) -> String {
    let seconds = SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |since| since.as_secs());
    let digest = hex::encode(Md5::digest(body.as_bytes()));
    let query = format!("auth_key={APP_KEY}&auth_timestamp={seconds}&auth_version=1.0&body_md5={digest}");
    let key = hmac::Key::new(hmac::HMAC_SHA256, SECRET.as_bytes());
    let signature = hmac::sign(&key, format!("POST\n{path}\n{query}").as_bytes());
    format!("{path}?{query}&auth_signature={}", hex::encode(signature))
}
