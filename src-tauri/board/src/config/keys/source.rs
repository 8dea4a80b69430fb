//! `[[source]]`

use std::time::Duration;

use super::{DAY, SECOND, id, span, title};
use crate::config::{
    shape::{CHANNEL, Choice, List, Name, Text},
    shape_event::{Span, SpanOrOff},
    shape_site::Address,
    spec::{SourceKind, SourceTransport},
    table::{Key, Need, TableShape},
    token::{FilePath, SecretPlace, Token, Variable},
};

/// The most channels of one source: what the hub takes in one subscription.
pub const CHANNELS_MAX: usize = 256;
/// The most addresses of one source besides its first.
const REDUNDANT_URLS_MAX: usize = 3;
/// The shortest time between two comparisons with the server.
const SHORTEST_RECONCILE: Duration = Duration::from_secs(10);

pub(in crate::config) static TABLE: TableShape = TableShape {
    name: "`[[source]]`",
    keys: &[&ID, &TITLE, &KIND, &URL, &REDUNDANT_URLS, &CHANNELS, &TRANSPORT, &QUIET, &RECONCILE, &TOKEN],
};

pub(in crate::config) static ID: Key<Name> = id("What widgets call it by; unique among sources.");

pub(in crate::config) static TITLE: Key<Text> = title("Its name for people, in the head line; the id if left out.");

pub(in crate::config) static KIND: Key<Choice<SourceKind>> = Key {
    name: "kind",
    need: Need::Required,
    about: "What speaks at the address.",
    shape: Choice { options: &[("hub", SourceKind::Hub, "a Watchfloor hub")] },
};

pub(in crate::config) static URL: Key<Address> = Key {
    name: "url",
    need: Need::Required,
    about: "The hub's base address, without user, password, query or fragment.",
    shape: Address,
};

pub(in crate::config) static REDUNDANT_URLS: Key<List<Address>> = Key {
    name: "redundant-urls",
    need: Need::Default("[]"),
    about: "Other addresses of the same stream: another line to the hub, or another hub of the same history. All are followed at once; what arrives first is shown, and the loss of one is told.",
    shape: List { item: Address, min: 0, max: REDUNDANT_URLS_MAX, or_one: false, what: "addresses" },
};

pub(in crate::config) static CHANNELS: Key<List<Name>> = Key {
    name: "channels",
    need: Need::Required,
    about: "The channels to subscribe to.",
    shape: List { item: CHANNEL, min: 1, max: CHANNELS_MAX, or_one: false, what: "channel names" },
};

pub(in crate::config) static TRANSPORT: Key<Choice<SourceTransport>> = Key {
    name: "transport",
    need: Need::Default("\"auto\""),
    about: "The door by which to come in. `auto` takes the best that the network lets through, in the order named here; any other is taken alone.",
    shape: Choice {
        options: &[
            ("auto", SourceTransport::Auto, "the best that the network lets through"),
            ("websocket", SourceTransport::WebSocket, "RFC 6455"),
            ("sse", SourceTransport::Sse, "server-sent events"),
            ("long-poll", SourceTransport::LongPoll, "a request that is answered when there is something"),
            ("poll", SourceTransport::Poll, "a request at an interval"),
        ],
    },
};

pub(in crate::config) static QUIET: Key<Span> = span(
    "quiet",
    Need::Optional,
    SECOND,
    DAY,
    "The longest silence of a healthy publisher. Without it no publisher is ever called dead for being silent.",
);

/// A snapshot is the costliest answer of a server, and positions prove in the meantime that nothing is missing: what a
/// comparison finds is a defect, which may well take minutes to be found.
pub(in crate::config) static RECONCILE: Key<SpanOrOff> = Key {
    name: "reconcile",
    need: Need::Default("\"5m\""),
    about: "How often, about, what is shown is compared with the server's own state, and corrected where they differ.",
    shape: SpanOrOff(Span { min: SHORTEST_RECONCILE, max: DAY }),
};

pub(in crate::config) static TOKEN: Key<Token> = Key {
    name: "token",
    need: Need::Optional,
    about: "Where the token is kept or given that the server asks for; none is sent if left out. It never stands in the file itself.",
    shape: Token,
};

pub(in crate::config) static TOKEN_TABLE: TableShape =
    TableShape { name: "`token`", keys: &[&TOKEN_FILE, &TOKEN_ENV, &TOKEN_FROM, &TOKEN_SECRET] };

pub(in crate::config) static TOKEN_FILE: Key<FilePath> = Key {
    name: "file",
    need: Need::Optional,
    about: "A file that holds it, on one line; readable by its owner alone. It is read anew when it changes.",
    shape: FilePath,
};

pub(in crate::config) static TOKEN_ENV: Key<Variable> =
    Key { name: "env", need: Need::Optional, about: "An environment variable that holds it.", shape: Variable };

pub(in crate::config) static TOKEN_FROM: Key<Address> = Key {
    name: "from",
    need: Need::Optional,
    about: "An address that gives tokens: asked by POST with `secret` as bearer, it answers `{\"token\": \"…\", \"expires_in\": 3600}`.",
    shape: Address,
};

pub(in crate::config) static TOKEN_SECRET: Key<SecretPlace> = Key {
    name: "secret",
    need: Need::Optional,
    about: "Where the secret is kept that is shown at `from`.",
    shape: SecretPlace,
};

pub(in crate::config) static SECRET_TABLE: TableShape =
    TableShape { name: "`secret`", keys: &[&TOKEN_FILE, &TOKEN_ENV] };
