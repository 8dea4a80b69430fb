//! What goes over the wire. Fields of no value are left out by the server, so each has a default.

use std::{borrow::Cow, collections::BTreeMap};

use serde::Deserialize;
use serde_json::value::RawValue;

/// The answer to a command, or a push; without anything, a ping.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(super) struct Reply<'a> {
    pub(super) id: u32,
    #[serde(borrow)]
    pub(super) error: Option<Refusal<'a>>,
    #[serde(borrow)]
    pub(super) push: Option<Push<'a>>,
    #[serde(borrow)]
    pub(super) connect: Option<Connected<'a>>,
    #[serde(borrow)]
    pub(super) subscribe: Option<Subscribed<'a>>,
    pub(super) refresh: Option<Life>,
    pub(super) sub_refresh: Option<Life>,
    #[serde(borrow)]
    pub(super) history: Option<Top<'a>>,
    #[serde(borrow)]
    pub(super) presence: Option<Present<'a>>,
}

/// An error, or why a subscription or a connection is ended.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(super) struct Refusal<'a> {
    pub(super) code: u32,
    #[serde(borrow, alias = "reason")]
    pub(super) message: Cow<'a, str>,
    pub(super) temporary: bool,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(super) struct Push<'a> {
    #[serde(borrow)]
    pub(super) channel: Cow<'a, str>,
    #[serde(rename = "pub", borrow)]
    pub(super) publication: Option<Publication<'a>>,
    #[serde(borrow)]
    pub(super) join: Option<Change<'a>>,
    #[serde(borrow)]
    pub(super) leave: Option<Change<'a>>,
    #[serde(borrow)]
    pub(super) unsubscribe: Option<Refusal<'a>>,
    /// Over HTTP, in place of a close frame.
    #[serde(borrow)]
    pub(super) disconnect: Option<Refusal<'a>>,
    pub(super) refresh: Option<Life>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(super) struct Publication<'a> {
    /// Where deltas were agreed on, a text that holds the payload, or a patch of the one before.
    #[serde(borrow)]
    pub(super) data: Option<&'a RawValue>,
    pub(super) offset: u64,
    /// Milliseconds since 1970.
    pub(super) time: i64,
    /// Whether it is a patch.
    pub(super) delta: bool,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(super) struct Connected<'a> {
    /// What the server calls this connection.
    #[serde(borrow)]
    pub(super) client: Cow<'a, str>,
    /// Seconds between two pings of the server.
    pub(super) ping: u32,
    /// Whether they are to be answered.
    pub(super) pong: bool,
    /// The server's clock, in milliseconds since 1970.
    pub(super) time: i64,
    pub(super) expires: bool,
    pub(super) ttl: u32,
    /// By what this connection is reached over HTTP.
    #[serde(borrow)]
    pub(super) session: Cow<'a, str>,
    #[serde(borrow)]
    pub(super) node: Cow<'a, str>,
    /// What the server subscribed this client to by itself.
    #[serde(borrow)]
    pub(super) subs: BTreeMap<String, Subscribed<'a>>,
}

/// How long what was granted is good.
#[derive(Clone, Copy, Debug, Default, Deserialize)]
#[serde(default)]
pub(super) struct Life {
    pub(super) expires: bool,
    /// Seconds.
    pub(super) ttl: u32,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(super) struct Subscribed<'a> {
    pub(super) recoverable: bool,
    pub(super) positioned: bool,
    #[serde(borrow)]
    pub(super) epoch: Cow<'a, str>,
    pub(super) offset: u64,
    pub(super) recovered: bool,
    pub(super) was_recovering: bool,
    #[serde(borrow)]
    pub(super) publications: Vec<Publication<'a>>,
    pub(super) expires: bool,
    pub(super) ttl: u32,
    pub(super) delta: bool,
}

/// Where a stream stands.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(super) struct Top<'a> {
    #[serde(borrow)]
    pub(super) epoch: Cow<'a, str>,
    pub(super) offset: u64,
}

/// Someone has come or gone.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(super) struct Change<'a> {
    #[serde(borrow)]
    pub(super) info: Info<'a>,
}

/// Who is on a channel, by connection.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(super) struct Present<'a> {
    #[serde(borrow)]
    pub(super) presence: BTreeMap<String, Info<'a>>,
}

/// One connection.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(super) struct Info<'a> {
    #[serde(borrow)]
    pub(super) user: Cow<'a, str>,
    #[serde(borrow)]
    pub(super) client: Cow<'a, str>,
    #[serde(borrow)]
    pub(super) conn_info: Option<&'a RawValue>,
    #[serde(borrow)]
    pub(super) chan_info: Option<&'a RawValue>,
}
