//! `[[source]]`

use std::time::Duration;

use super::{DAY, SECOND, id, span, title};
use crate::config::{
    cursor::Turn,
    headers::{HeaderName, Headers},
    picks::Picks,
    restating::Restating,
    shape::{CHANNEL, Choice, Flag, List, Name, Text},
    shape_event::{EventName, PathText, Span, SpanOrOff},
    shape_site::{Address, PageAddress, SourceAddress},
    spec::{Codec, SourceKind, SourceTransport, SparkplugSpec},
    speech::Speech,
    table::{Key, Need, TableShape},
    token::{FilePath, KeyringEntry, SecretPlace, Token, Variable},
    way::{Proxy, ProxyAddress, Tls},
};

/// The most channels of one source: what the hub takes in one subscription.
pub const CHANNELS_MAX: usize = 256;
/// The most addresses of one source besides its first.
const REDUNDANT_URLS_MAX: usize = 3;
/// The longest time between two words of a server.
const HEARTBEAT_MAX: Duration = Duration::from_secs(300);
/// The shortest time between two comparisons with the server.
const SHORTEST_RECONCILE: Duration = Duration::from_secs(10);

pub(in crate::config) static TABLE: TableShape = TableShape {
    name: "`[[source]]`",
    keys: &[
        &ID,
        &TITLE,
        &KIND,
        &URL,
        &REDUNDANT_URLS,
        &CHANNELS,
        &TRANSPORT,
        &QUIET,
        &HEARTBEAT,
        &REPLAYS,
        &SPARKPLUG,
        &PRESENCE,
        &HISTORY,
        &CURSOR,
        &RECONCILE,
        &EVENT,
        &HEADERS,
        &TOKEN,
        &TOKEN_HEADER,
        &TLS,
        &PROXY,
        &APP,
        &AUTH,
        &USER,
        &CIPHER,
        &SPEAK,
        &SNAPSHOT,
    ],
};

pub(in crate::config) static ID: Key<Name> = id("What widgets call it by; unique among sources.");

pub(in crate::config) static TITLE: Key<Text> = title("Its name for people, in the head line; the id if left out.");

pub(in crate::config) static KIND: Key<Choice<SourceKind>> = Key {
    name: "kind",
    need: Need::Required,
    about: "What speaks at the address.",
    shape: Choice {
        options: &[
            ("hub", SourceKind::Hub, "a Watchfloor hub"),
            ("centrifugo", SourceKind::Centrifugo, "Centrifugo"),
            ("pusher", SourceKind::Pusher, "Pusher Channels"),
            ("soketi", SourceKind::Soketi, "Soketi"),
            ("reverb", SourceKind::Reverb, "Laravel Reverb"),
            ("socketio", SourceKind::SocketIo, "Socket.IO"),
            ("ably", SourceKind::Ably, "Ably, by WebSocket"),
            ("sse", SourceKind::Sse, "server-sent events"),
            ("mercure", SourceKind::Mercure, "a Mercure hub"),
            ("websocket", SourceKind::WebSocket, "a bare WebSocket, by templates"),
            ("long-poll", SourceKind::LongPoll, "a document that is answered when there is something"),
            ("poll", SourceKind::Poll, "a document that is asked for at an interval"),
            ("redis", SourceKind::Redis, "Redis, by Pub/Sub and Streams"),
            ("nats", SourceKind::Nats, "NATS, and its JetStream"),
            ("mqtt", SourceKind::Mqtt, "MQTT 5 or 3.1.1"),
        ],
    },
};

pub(in crate::config) static URL: Key<SourceAddress> = Key {
    name: "url",
    need: Need::Required,
    about: "The hub's base address; for other kinds the address at which they listen. Without user, password, query or fragment.",
    shape: SourceAddress,
};

pub(in crate::config) static REDUNDANT_URLS: Key<List<SourceAddress>> = Key {
    name: "redundant-urls",
    need: Need::Default("[]"),
    about: "Other addresses of the same stream: another line to the hub, or another hub of the same history. All are followed at once; what arrives first is shown, and the loss of one is told.",
    shape: List { item: SourceAddress, min: 0, max: REDUNDANT_URLS_MAX, or_one: false, what: "addresses" },
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
            ("http-stream", SourceTransport::HttpStream, "one answer without an end, a message a line"),
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

pub(in crate::config) static HEARTBEAT: Key<Span> = span(
    "heartbeat",
    Need::Optional,
    SECOND,
    HEARTBEAT_MAX,
    "How often the server says by itself that it lives, be it by comments, for `sse` and `mercure`. A shorter limit can't be kept while nothing else comes; after twice as long the link is given up. Without it a minute is assumed, and 40 seconds of a Mercure hub.",
);

pub(in crate::config) static REPLAYS: Key<Flag> = Key {
    name: "replays",
    need: Need::Default("false"),
    about: "For `sse`, `long-poll` and `poll` with a `cursor`: the server is promised to send everything after the event that it is asked to go on from. Without it what was missed is unknown.",
    shape: Flag,
};

pub(in crate::config) static SPARKPLUG: Key<Choice<SparkplugSpec>> = Key {
    name: "sparkplug",
    need: Need::Optional,
    about: "For `mqtt`: what is published is Sparkplug B. Values are called by their births, and are live only while their device is there.",
    shape: Choice {
        options: &[
            (
                "listen",
                SparkplugSpec::Listen,
                "nothing is published; a node whose birth was missed is unknown until its next one",
            ),
            ("rebirth", SparkplugSpec::Rebirth, "such a node is asked for its birth, by `Node Control/Rebirth`"),
        ],
    },
};

pub(in crate::config) static PRESENCE: Key<Flag> = Key {
    name: "presence",
    need: Need::Default("false"),
    about: "For `centrifugo`: who is on the channels comes as events as well, `presence.here`, `presence.joined` and `presence.left`.",
    shape: Flag,
};

pub(in crate::config) static HISTORY: Key<Flag> = Key {
    name: "history",
    need: Need::Default("false"),
    about: "For `mercure`: a wall that has nothing yet begins with all updates that the hub has kept, in place of those to come.",
    shape: Flag,
};

pub(in crate::config) static CURSOR: Key<Turn> = Key {
    name: "cursor",
    need: Need::Optional,
    about: "For `long-poll` and `poll`: an answer has messages, and says where to go on.",
    shape: Turn,
};

pub(in crate::config) static CURSOR_TABLE: TableShape =
    TableShape { name: "`cursor`", keys: &[&CURSOR_PATH, &CURSOR_QUERY, &CURSOR_ROWS] };

pub(in crate::config) static CURSOR_PATH: Key<PathText> = Key {
    name: "path",
    need: Need::Required,
    about: "Where the cursor stands in an answer, or else in its last message.",
    shape: PathText,
};

pub(in crate::config) static CURSOR_QUERY: Key<Text> = Key {
    name: "query",
    need: Need::Optional,
    about: "The name by which it goes into the next request's query, in place of what the address has by that name. Without it, it is the next address itself, of the same origin.",
    shape: Text { characters_max: 200 },
};

pub(in crate::config) static CURSOR_ROWS: Key<PathText> = Key {
    name: "rows",
    need: Need::Optional,
    about: "Where the list of messages stands in an answer. Without it the answer is the list, or one message.",
    shape: PathText,
};

/// A snapshot is the costliest answer of a server, and positions prove in the meantime that nothing is missing: what a
/// comparison finds is a defect, which may well take minutes to be found.
pub(in crate::config) static RECONCILE: Key<SpanOrOff> = Key {
    name: "reconcile",
    need: Need::Default("\"5m\""),
    about: "How often, about, what is shown is compared with the server's own state, and corrected where they differ.",
    shape: SpanOrOff(Span { min: SHORTEST_RECONCILE, max: DAY }),
};

pub(in crate::config) static EVENT: Key<Picks> = Key {
    name: "event",
    need: Need::Optional,
    about: "How a message becomes an event, for kinds that carry bodies only; a hub's events have all of it.",
    shape: Picks,
};

pub(in crate::config) static EVENT_TABLE: TableShape =
    TableShape { name: "`event`", keys: &[&EVENT_NAME, &EVENT_AS, &EVENT_ID, &EVENT_TIME, &EVENT_DATA, &EVENT_DECODE] };

pub(in crate::config) static EVENT_NAME: Key<PathText> =
    Key { name: "name", need: Need::Optional, about: "Where its name stands, which `on` asks for.", shape: PathText };

pub(in crate::config) static EVENT_AS: Key<Text> = Key {
    name: "as",
    need: Need::Optional,
    about: "Its name where none stands in it. Without it, what the protocol calls it.",
    shape: Text { characters_max: 200 },
};

pub(in crate::config) static EVENT_ID: Key<PathText> =
    Key { name: "id", need: Need::Optional, about: "Where its id stands.", shape: PathText };

pub(in crate::config) static EVENT_TIME: Key<PathText> = Key {
    name: "time",
    need: Need::Optional,
    about: "Where its time stands: seconds or milliseconds since 1970, or a text of RFC 3339. Without it, when the server or else this machine had it.",
    shape: PathText,
};

pub(in crate::config) static EVENT_DATA: Key<PathText> = Key {
    name: "data",
    need: Need::Optional,
    about: "Where its body stands, into which all other paths of the board point; the whole if left out.",
    shape: PathText,
};

pub(in crate::config) static SNAPSHOT: Key<Restating> = Key {
    name: "snapshot",
    need: Need::Optional,
    about: "Where the site says what it has now, for kinds that keep no state: asked for at the beginning and after each loss that nothing else makes good.",
    shape: Restating,
};

pub(in crate::config) static SNAPSHOT_TABLE: TableShape = TableShape {
    name: "`snapshot`",
    keys: &[&SNAPSHOT_URL, &SNAPSHOT_AS, &SNAPSHOT_CHANNEL, &SNAPSHOT_DATA, &SNAPSHOT_TIME],
};

pub(in crate::config) static SNAPSHOT_URL: Key<PageAddress> = Key {
    name: "url",
    need: Need::Required,
    about: "Its address: JSON, a list of rows, or one row, or a row a line. The source's token is shown there if its host is that of `url` or `auth`.",
    shape: PageAddress,
};

pub(in crate::config) static SNAPSHOT_AS: Key<EventName> = Key {
    name: "as",
    need: Need::Required,
    about: "The name of the events that the rows become, which `on` asks for. Tables, tiles and maps that show it are what the rows say, and a gauge takes it; what counts isn't changed.",
    shape: EventName { star: false },
};

pub(in crate::config) static SNAPSHOT_CHANNEL: Key<Name> = Key {
    name: "channel",
    need: Need::Optional,
    about: "Their channel, of those of the source; its first if left out.",
    shape: CHANNEL,
};

pub(in crate::config) static SNAPSHOT_DATA: Key<PathText> = Key {
    name: "data",
    need: Need::Optional,
    about: "Where in the document the rows stand; the whole if left out.",
    shape: PathText,
};

pub(in crate::config) static SNAPSHOT_TIME: Key<PathText> = Key {
    name: "time",
    need: Need::Optional,
    about: "Where in a row its time stands, as in `event`. The newest wins: say it where events tell a time. Without it, when it was asked for.",
    shape: PathText,
};

/// The most steps of one message: an envelope, a text, a compression and what is in it.
const DECODE_STEPS_MAX: usize = 4;

pub(in crate::config) static EVENT_DECODE: Key<List<Choice<Codec>>> = Key {
    name: "decode",
    need: Need::Optional,
    about: "How a message is read before anything is looked for in it, in this order. The last step is `json` (which may be left out), `msgpack`, `cbor` or `text`; before it stand `base64`, `gzip`, `zlib` (which HTTP calls deflate) and `deflate` (bare). Without it, as the protocol has it.",
    shape: List {
        item: Choice {
            options: &[
                ("json", Codec::Json, "JSON"),
                ("msgpack", Codec::MessagePack, "MessagePack"),
                ("cbor", Codec::Cbor, "CBOR"),
                ("text", Codec::Text, "a text, whatever it says"),
                ("base64", Codec::Base64, "base64 of either alphabet"),
                ("gzip", Codec::Gzip, "gzip"),
                ("zlib", Codec::Zlib, "zlib, which HTTP calls deflate"),
                ("deflate", Codec::Deflate, "deflate without a head"),
            ],
        },
        min: 1,
        max: DECODE_STEPS_MAX,
        or_one: true,
        what: "steps",
    },
};

pub(in crate::config) static APP: Key<Text> = Key {
    name: "app",
    need: Need::Optional,
    about: "The application's public key, for `pusher`, `soketi` and `reverb`.",
    shape: Text { characters_max: 200 },
};

pub(in crate::config) static AUTH: Key<Address> = Key {
    name: "auth",
    need: Need::Optional,
    about: "Who signs for private channels: the site's endpoint, which is shown the token. It gives Centrifugo's subscription tokens.",
    shape: Address,
};

pub(in crate::config) static USER: Key<Text> = Key {
    name: "user",
    need: Need::Optional,
    about: "The name of the user whose password the token is, for `redis`, `nats` and `mqtt`.",
    shape: Text { characters_max: 200 },
};

pub(in crate::config) static CIPHER: Key<SecretPlace> = Key {
    name: "cipher",
    need: Need::Optional,
    about: "For `ably`: where the key is kept by which publishers encrypt, 16 or 32 bytes in Base64. It never stands in the file itself.",
    shape: SecretPlace,
};

/// The longest text of `speak`.
const SPEAK_CHARACTERS_MAX: usize = 2000;

/// A text that is sent or heard on a bare WebSocket.
const fn said(name: &'static str, about: &'static str) -> Key<Text> {
    Key { name, need: Need::Optional, about, shape: Text { characters_max: SPEAK_CHARACTERS_MAX } }
}

pub(in crate::config) static SPEAK: Key<Speech> =
    Key { name: "speak", need: Need::Optional, about: "What is said and heard on a bare `websocket`.", shape: Speech };

pub(in crate::config) static SPEAK_TABLE: TableShape = TableShape {
    name: "`speak`",
    keys: &[
        &SPEAK_LOGIN,
        &SPEAK_SUBSCRIBE,
        &SPEAK_CONFIRM,
        &SPEAK_REFUSED,
        &SPEAK_PING,
        &SPEAK_PONG,
        &SPEAK_CHANNEL,
        &SPEAK_SEQUENCE,
        &SPEAK_RESUME,
    ],
};

pub(in crate::config) static SPEAK_LOGIN: Key<Text> =
    said("login", "What is sent first of all, such as the `{token}`, where subscriptions don't carry it.");

pub(in crate::config) static SPEAK_SUBSCRIBE: Key<Text> = said(
    "subscribe",
    "What is sent for each channel. `{channel}` and `{token}` stand for them; where no text has a `{token}` it is shown as a bearer on opening.",
);

pub(in crate::config) static SPEAK_CONFIRM: Key<Text> = said(
    "confirm",
    "An example of the message by which the server takes a subscription: what has all that the example has is one, and where that has a `{channel}`, whatever text. Without it, whatever the server answers first is taken for it.",
);

pub(in crate::config) static SPEAK_REFUSED: Key<Text> =
    said("refused", "An example of the message by which it denies access.");

pub(in crate::config) static SPEAK_PING: Key<Text> = said(
    "ping",
    "What is sent to have the server prove that it sends, besides the WebSocket's own ping: three times within the strictest limit.",
);

pub(in crate::config) static SPEAK_PONG: Key<Text> =
    said("pong", "An example of the message that answers `ping`. With it, only that proves the stream.");

pub(in crate::config) static SPEAK_CHANNEL: Key<PathText> = Key {
    name: "channel",
    need: Need::Optional,
    about: "Where in a message its channel stands; what has none is no event. Needed for several channels.",
    shape: PathText,
};

pub(in crate::config) static SPEAK_SEQUENCE: Key<PathText> = Key {
    name: "sequence",
    need: Need::Optional,
    about: "Where its number stands, which goes up by one in each channel and never begins again. What has none is no event; a jump is a gap.",
    shape: PathText,
};

pub(in crate::config) static SPEAK_RESUME: Key<Text> = said(
    "resume",
    "What is sent in place of `subscribe` where the last number is known, as `{sequence}`: the server goes on after it.",
);

pub(in crate::config) static HEADERS: Key<Headers> = Key {
    name: "headers",
    need: Need::Optional,
    about: "For `sse`, `long-poll`, `poll` and `websocket`: headers to send with each request to the source's addresses, as they are. None may be a secret, or one that the wall sets itself.",
    shape: Headers,
};

pub(in crate::config) static TOKEN: Key<Token> = Key {
    name: "token",
    need: Need::Optional,
    about: "Where the token is kept or given that the server asks for; none is sent if left out. It never stands in the file itself.",
    shape: Token,
};

pub(in crate::config) static TOKEN_HEADER: Key<HeaderName> = Key {
    name: "token-header",
    need: Need::Optional,
    about: "For the same kinds: the header whose whole value the token is, such as `X-Api-Key`. Without it, it is sent as `Authorization: Bearer …`.",
    shape: HeaderName,
};

pub(in crate::config) static TOKEN_TABLE: TableShape =
    TableShape { name: "`token`", keys: &[&TOKEN_FILE, &TOKEN_ENV, &TOKEN_KEYRING, &TOKEN_FROM, &TOKEN_SECRET] };

pub(in crate::config) static TOKEN_FILE: Key<FilePath> = Key {
    name: "file",
    need: Need::Optional,
    about: "A file that holds it, on one line; readable by its owner alone. It is read anew when it changes.",
    shape: FilePath,
};

pub(in crate::config) static TOKEN_ENV: Key<Variable> =
    Key { name: "env", need: Need::Optional, about: "An environment variable that holds it.", shape: Variable };

pub(in crate::config) static TOKEN_KEYRING: Key<KeyringEntry> = Key {
    name: "keyring",
    need: Need::Optional,
    about: "An entry of the keyring of the user that the wall runs as: `service/account`.",
    shape: KeyringEntry,
};

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
    TableShape { name: "`secret`", keys: &[&TOKEN_FILE, &TOKEN_ENV, &TOKEN_KEYRING] };

pub(in crate::config) static TLS: Key<Tls> = Key {
    name: "tls",
    need: Need::Optional,
    about: "Whom to trust besides the system's authorities, and what to show to a server that asks for a certificate: on all secure connections of the source.",
    shape: Tls,
};

pub(in crate::config) static TLS_TABLE: TableShape =
    TableShape { name: "`tls`", keys: &[&TLS_CA, &TLS_CERTIFICATE, &TLS_KEY] };

pub(in crate::config) static TLS_CA: Key<FilePath> = Key {
    name: "ca",
    need: Need::Optional,
    about: "A PEM file of certificates of the site's own authorities, trusted besides the system's.",
    shape: FilePath,
};

pub(in crate::config) static TLS_CERTIFICATE: Key<FilePath> = Key {
    name: "certificate",
    need: Need::Optional,
    about: "A PEM file of the wall's own certificate, and of its issuers where the server needs them. Needs `key`.",
    shape: FilePath,
};

pub(in crate::config) static TLS_KEY: Key<FilePath> = Key {
    name: "key",
    need: Need::Optional,
    about: "A PEM file of the key to `certificate`, without a passphrase; readable by its owner alone.",
    shape: FilePath,
};

pub(in crate::config) static PROXY: Key<Proxy> = Key {
    name: "proxy",
    need: Need::Optional,
    about: "Through what all connections of the source go. Without it they are direct: the environment's proxy settings are not followed.",
    shape: Proxy,
};

pub(in crate::config) static PROXY_TABLE: TableShape =
    TableShape { name: "`proxy`", keys: &[&PROXY_URL, &PROXY_USER, &PROXY_PASSWORD] };

pub(in crate::config) static PROXY_URL: Key<ProxyAddress> = Key {
    name: "url",
    need: Need::Required,
    about: "Its address: `http` or `https` for a proxy that is asked by `CONNECT`, `socks5` for SOCKS 5. It finds the server's name itself.",
    shape: ProxyAddress,
};

pub(in crate::config) static PROXY_USER: Key<Text> = Key {
    name: "user",
    need: Need::Optional,
    about: "The name that it knows the wall by. Needs `password`.",
    shape: Text { characters_max: 200 },
};

pub(in crate::config) static PROXY_PASSWORD: Key<SecretPlace> = Key {
    name: "password",
    need: Need::Optional,
    about: "Where the password is kept: a table such as `secret`.",
    shape: SecretPlace,
};
