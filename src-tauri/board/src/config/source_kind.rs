//! What each kind of source may have: addresses, ways, channels, keys of its own.

use std::ops::Range;

use super::{
    diagnostic::{Problem, Sink},
    secrets,
    spec::{SourceKind, SourceTransport},
    table::{TableReader, cut, names},
};

/// A kind's rules.
struct Rules {
    kind: SourceKind,
    /// What people call it.
    called: &'static str,
    /// Schemes of its addresses.
    schemes: &'static [&'static str],
    /// Whether an address may have a query.
    query: bool,
    /// The ways that may be named in place of `auto`.
    ways: &'static [(SourceTransport, &'static str)],
    /// Whether a character may stand in a channel's name.
    channel: fn(char) -> bool,
    /// The same in words.
    channels: &'static str,
    /// The keys that only some kinds have.
    own: &'static [&'static str],
}

/// Keys that only some kinds have.
const OWN: [&str; 15] = [
    "event",
    "app",
    "auth",
    "user",
    "speak",
    "heartbeat",
    "replays",
    "snapshot",
    "sparkplug",
    "presence",
    "history",
    "cursor",
    "cipher",
    "headers",
    "token-header",
];

const WEB: &[&str] = &["http", "https", "ws", "wss"];
const WEBSOCKET: (SourceTransport, &str) = (SourceTransport::WebSocket, "websocket");
const HTTP_STREAM: (SourceTransport, &str) = (SourceTransport::HttpStream, "http-stream");
const SSE: (SourceTransport, &str) = (SourceTransport::Sse, "sse");
const LONG_POLL: (SourceTransport, &str) = (SourceTransport::LongPoll, "long-poll");
const POLL: (SourceTransport, &str) = (SourceTransport::Poll, "poll");

/// Servers of Pusher's protocol differ in their names alone.
const PUSHER: Rules = Rules {
    kind: SourceKind::Pusher,
    called: "Pusher",
    schemes: WEB,
    query: false,
    ways: &[WEBSOCKET],
    channel: |c| c.is_ascii_alphanumeric() || "_-=@,.;#".contains(c),
    channels: "`A-Z a-z 0-9 _ - = @ , . ;`, or `#server-to-user-` and a user's id",
    own: &["event", "app", "auth", "snapshot"],
};

static RULES: [Rules; 15] = [
    Rules {
        kind: SourceKind::Hub,
        called: "a hub",
        schemes: &["http", "https"],
        query: false,
        ways: &[WEBSOCKET, SSE, LONG_POLL, POLL],
        channel: |c| c.is_ascii_alphanumeric() || "_-=@,.;".contains(c),
        channels: "1 to 200 of `A-Z a-z 0-9 _ - = @ , . ;`",
        own: &[],
    },
    Rules {
        kind: SourceKind::Centrifugo,
        called: "Centrifugo",
        schemes: WEB,
        query: false,
        ways: &[WEBSOCKET, HTTP_STREAM, SSE],
        channel: |c| c.is_ascii(),
        channels: "ASCII",
        own: &["event", "snapshot", "auth", "presence"],
    },
    PUSHER,
    Rules { kind: SourceKind::Soketi, called: "Soketi", ..PUSHER },
    Rules { kind: SourceKind::Reverb, called: "Reverb", ..PUSHER },
    Rules {
        kind: SourceKind::SocketIo,
        called: "Socket.IO",
        schemes: WEB,
        query: true,
        ways: &[WEBSOCKET, LONG_POLL],
        channel: |c| c.is_ascii_graphic() && !",?".contains(c),
        channels: "namespaces: `/`, or `/` and a name without `,` or `?`",
        own: &["event", "snapshot"],
    },
    Rules {
        kind: SourceKind::Ably,
        called: "Ably",
        schemes: WEB,
        query: false,
        ways: &[WEBSOCKET],
        channel: |c| !c.is_control(),
        channels: "any letters, and no control characters",
        own: &["event", "snapshot", "cipher"],
    },
    Rules {
        kind: SourceKind::Sse,
        called: "server-sent events",
        schemes: &["http", "https"],
        query: true,
        ways: &[SSE],
        channel: |c| c.is_ascii(),
        channels: "ASCII",
        own: &["event", "heartbeat", "replays", "snapshot", "headers", "token-header"],
    },
    Rules {
        kind: SourceKind::Mercure,
        called: "Mercure",
        schemes: &["http", "https"],
        query: false,
        ways: &[SSE],
        channel: |c| c.is_ascii(),
        channels: "ASCII",
        own: &["event", "heartbeat", "snapshot", "history"],
    },
    Rules {
        kind: SourceKind::WebSocket,
        called: "a WebSocket",
        schemes: &["ws", "wss"],
        query: true,
        ways: &[WEBSOCKET],
        channel: |c| c.is_ascii(),
        channels: "ASCII",
        own: &["event", "speak", "snapshot", "headers", "token-header"],
    },
    Rules {
        kind: SourceKind::LongPoll,
        called: "a long poll",
        schemes: &["http", "https"],
        query: true,
        ways: &[LONG_POLL],
        channel: |c| c.is_ascii(),
        channels: "ASCII",
        own: &["event", "replays", "snapshot", "cursor", "headers", "token-header"],
    },
    Rules {
        kind: SourceKind::Poll,
        called: "a poll",
        schemes: &["http", "https"],
        query: true,
        ways: &[POLL],
        channel: |c| c.is_ascii(),
        channels: "ASCII",
        own: &["event", "replays", "cursor", "headers", "token-header"],
    },
    Rules {
        kind: SourceKind::Redis,
        called: "Redis",
        schemes: &["redis", "rediss", "redis-sentinel", "rediss-sentinel"],
        query: false,
        ways: &[],
        channel: |c| c.is_ascii(),
        channels: "ASCII",
        own: &["event", "user", "snapshot"],
    },
    Rules {
        kind: SourceKind::Nats,
        called: "NATS",
        schemes: &["nats", "tls"],
        query: false,
        ways: &[],
        channel: |c| c.is_ascii_graphic(),
        channels: "a subject, `stream:NAME` or `stream:NAME/SUBJECT`, of visible ASCII",
        own: &["event", "user", "snapshot"],
    },
    Rules {
        kind: SourceKind::Mqtt,
        called: "MQTT",
        schemes: &["mqtt", "mqtts"],
        query: false,
        ways: &[],
        channel: |c| !c.is_control(),
        channels: "topic filters: any letters, `+` for a level, `#` for all that follow",
        own: &["event", "user", "snapshot", "sparkplug"],
    },
];

/// What was read of a source.
pub(super) struct Found<'a> {
    pub(super) kind: SourceKind,
    /// Every address with where it stands.
    pub(super) urls: Vec<(Range<usize>, &'a String)>,
    pub(super) channels: &'a [String],
    pub(super) transport: Option<SourceTransport>,
}

/// Reports what a source of this kind can't have.
pub(super) fn report_unlike(reader: &TableReader<'_>, found: &Found<'_>, sink: &mut Sink<'_>) {
    let Some(rules) = RULES.iter().find(|rules| rules.kind == found.kind) else { return };
    for (span, url) in &found.urls {
        report_address(rules, span, url, sink);
    }
    let ways = rules.ways.iter().map(|(way, _)| *way);
    if let Some(way) = found.transport
        && way != SourceTransport::Auto
        && !ways.clone().any(|known| known == way)
    {
        let words: Vec<&str> = std::iter::once("auto").chain(rules.ways.iter().map(|(_, word)| *word)).collect();
        sink.report(Problem {
            span: reader.span_of("transport"),
            message: format!("{} can't be had by that way", rules.called),
            found: reader.raw_text("transport").map_or_else(String::new, |text| format!("\"{}\"", cut(text))),
            expected: names(words),
            help: None,
        });
    }
    let odd = found.channels.iter().enumerate().find(|(_, name)| !name.chars().all(rules.channel));
    if let Some((at, name)) = odd {
        sink.report(Problem {
            span: reader.span_of_item("channels", at),
            message: format!("`{}` is no channel name of {}", cut(name), rules.called),
            found: format!("\"{}\"", cut(name)),
            expected: rules.channels.to_owned(),
            help: None,
        });
    }
    for key in OWN.iter().filter(|key| reader.has(key) && !rules.own.contains(key)) {
        sink.report(Problem {
            span: reader.key_span(key),
            message: format!("`{key}` has no use with {}", rules.called),
            found: format!("`{key}`"),
            expected: "it left out".to_owned(),
            help: None,
        });
    }
    report_unsigned(reader, found, sink);
    if reader.has("sparkplug") && reader.has("event") {
        sink.report(Problem {
            span: reader.key_span("event"),
            message: "Sparkplug says itself what an event is called, when it was and what it says".to_owned(),
            found: "`event`".to_owned(),
            expected: "it left out".to_owned(),
            help: None,
        });
    }
    if found.kind == SourceKind::Poll && reader.has("replays") && !reader.has("cursor") {
        sink.report(Problem {
            span: reader.key_span("replays"),
            message: "`replays` has no use without `cursor`".to_owned(),
            found: "`replays`".to_owned(),
            expected: "`cursor` beside it".to_owned(),
            help: Some("a polled document is a state: nothing of it is replayed".to_owned()),
        });
    }
}

/// Reports several addresses of what only one can tell: who is there has no place in the stream, and a link tells who came and went since
/// the last that *it* told.
pub(super) fn report_members_of_several(
    reader: &TableReader<'_>,
    found: &Found<'_>,
    presence: bool,
    sink: &mut Sink<'_>,
) {
    let named = found.channels.iter().find(|name| found.kind.is_pusher() && name.starts_with("presence-"));
    if !reader.has("redundant-urls") || !(presence || named.is_some()) {
        return;
    }
    sink.report(Problem {
        span: reader.span_of("redundant-urls"),
        message: "members can't be had from several addresses".to_owned(),
        found: named.map_or_else(|| "`presence` beside it".to_owned(), |name| format!("`{}` among the channels", cut(name))),
        expected: "one address".to_owned(),
        help: Some("nothing tells whether two addresses speak of the same coming and going: a source of its own for the members".to_owned()),
    });
}

/// Reports what Pusher's protocol needs besides an address: the app, and somebody who signs for what isn't public.
fn report_unsigned(reader: &TableReader<'_>, found: &Found<'_>, sink: &mut Sink<'_>) {
    if !found.kind.is_pusher() {
        return;
    }
    if !reader.has("app") {
        reader.missing("app", "the app's public key", None, sink);
    }
    let is_signed = |name: &&String| name.starts_with("private-") || name.starts_with("presence-");
    if let Some(name) = found.channels.iter().find(is_signed).filter(|_| !reader.has("auth")) {
        let help = format!("`{}` is a channel that the site signs for", cut(name));
        reader.missing("auth", "the address of the site's endpoint for that", Some(help), sink);
    }
    report_users(reader, found, sink);
}

/// What the name of a user's own channel begins with, for Pusher and its like: who names one wants the wall to sign in.
const OF_USER: &str = "#server-to-user-";

/// Reports channels of users that can't be had.
fn report_users(reader: &TableReader<'_>, found: &Found<'_>, sink: &mut Sink<'_>) {
    let mut users = found.channels.iter().enumerate().filter(|(_, name)| name.contains('#'));
    let Some((at, name)) = users.next() else { return };
    let mut report = |at, message: &str, name: &str, expected: &str| {
        sink.report(Problem {
            span: reader.span_of_item("channels", at),
            message: message.to_owned(),
            found: format!("\"{}\"", cut(name)),
            expected: expected.to_owned(),
            help: None,
        });
    };
    let whose = name.strip_prefix(OF_USER).filter(|id| !id.is_empty() && !id.contains('#'));
    if whose.is_none() {
        report(at, "`#` in a channel's name", name, "`#server-to-user-` and a user's id");
    } else if let Some((at, other)) = users.next() {
        report(at, "channels of two users: a wall is one", other, "one, or a source of its own for each");
    } else if !reader.has("auth") {
        let help =
            format!("for `{}` the wall signs in: the site says at `user-auth`, beside `auth`, as whom", cut(name));
        reader.missing("auth", "the address of the site's endpoint", Some(help), sink);
    }
}

/// The name of something in an address that looks like a secret.
pub(super) fn secret_in_query(url: &url::Url) -> Option<String> {
    let mut pairs = url.query_pairs();
    pairs.find(|(name, value)| secrets::is_name(name) || secrets::is_form(value)).map(|(name, _)| name.into_owned())
}

fn report_address(rules: &Rules, span: &Range<usize>, text: &str, sink: &mut Sink<'_>) {
    let Ok(url) = url::Url::parse(text) else { return };
    let (message, help) = if !rules.schemes.contains(&url.scheme()) {
        (format!("address of the scheme `{}`", cut(url.scheme())), None)
    } else if !rules.query && url.query().is_some() {
        ("query or fragment".to_owned(), Some("give the base address alone".to_owned()))
    } else if let Some(name) = secret_in_query(&url) {
        let help = "secrets do not belong in board files: take it out of the address and write `token = { file = … }`"
            .to_owned();
        (format!("`{}` in the query", cut(&name)), Some(help))
    } else {
        return;
    };
    let shown = if url.query().is_some() { text.split('?').next().unwrap_or_default() } else { text };
    sink.report(Problem {
        span: span.clone(),
        message,
        found: format!("\"{}\"", cut(shown)),
        expected: format!("an address of {}, which begins with {}", rules.called, names(rules.schemes.to_vec())),
        help,
    });
}

#[cfg(test)]
mod tests {
    use crate::config::parse;

    /// An app's key is always wanted, and somebody who signs where a channel isn't public.
    #[test]
    fn what_pusher_wants() {
        let errors = |kind: &str, channel: &str, keys: &str| {
            let text = format!(
                "[board]\ntitle = \"T\"\n[[source]]\nid = \"s\"\nkind = \"{kind}\"\nurl = \"wss://h\"\n\
                 channels = [\"{channel}\"]\n{keys}\n[[widget]]\nid = \"w\"\nkind = \"counter\"\n"
            );
            parse(&text, "f").err().map(|errors| errors.lines().join("\n")).unwrap_or_default()
        };
        let example = include_str!("../../../../examples/pusher.toml");
        assert!(parse(example, "f").is_ok(), "{:?}", parse(example, "f").err().map(|errors| errors.lines()));
        for kind in ["pusher", "soketi", "reverb"] {
            let auth = "app = \"k\"\nauth = \"https://a.example/broadcasting/auth\"";
            assert_eq!(errors(kind, "c", "app = \"k\""), "");
            assert_eq!(errors(kind, "presence-c", auth), "");
            assert!(errors(kind, "c", "").contains("`app` is missing"));
            let error = errors(kind, "private-c", "app = \"k\"");
            assert!(error.contains("`auth` is missing") && error.contains("`private-c`"), "{error}");
            assert_eq!(errors(kind, "#server-to-user-7", auth), "");
            assert!(errors(kind, "#server-to-user-7", "app = \"k\"").contains("`auth` is missing"));
            assert!(errors(kind, "#server-to-user-7\", \"#server-to-user-8", auth).contains("channels of two users"));
            assert!(errors(kind, "a#b", auth).contains("`#` in a channel's name"));
        }
    }

    /// Centrifugo's ways, and keys that are its own.
    #[test]
    fn what_centrifugo_takes() {
        let example = include_str!("../../../../examples/centrifugo.toml");
        let errors = |text: &str| parse(text, "f").err().map(|errors| errors.lines().join("\n")).unwrap_or_default();
        assert_eq!(errors(example), "");
        for way in ["auto", "websocket", "http-stream", "sse"] {
            assert_eq!(errors(&example.replace("presence = true", &format!("transport = \"{way}\""))), "");
        }
        let polled = errors(&example.replace("presence = true", "transport = \"poll\""));
        assert!(polled.contains("Centrifugo can't be had by that way"), "{polled}");
        let other = errors(&example.replace("\"centrifugo\"", "\"sse\"").replace("ws://", "http://"));
        assert!(other.contains("`presence` has no use with server-sent events"), "{other}");
    }

    /// Names as Laravel Echo wants them, with a dot or a backslash in front, mean those that are on the wire; elsewhere a dot is a
    /// part of the name.
    #[test]
    fn the_dot_of_echo() {
        let on = |kind: &str, keys: &str| {
            let text = format!(
                "[board]\ntitle = \"T\"\n[[source]]\nid = \"s\"\nkind = \"{kind}\"\nurl = \"wss://h\"\nchannels = [\"c\"]\n{keys}\n\
                 [[widget]]\nid = \"w\"\nkind = \"table\"\nkey = \"k\"\ncolumns = [{{ path = \"k\" }}]\n\
                 on = ['.order.paid', 'order.paid', '\\App\\Events\\Sent', '..dotted']\nremove-on = '.order.shipped'\n"
            );
            let mut file = parse(&text, "f").unwrap_or_else(|errors| panic!("{errors}"));
            let mut fold = file.widgets.remove(0).fold;
            (fold.on, fold.reducer.remove_on().cloned())
        };
        for kind in ["pusher", "soketi", "reverb"] {
            let (on, removes) = on(kind, "app = \"k\"");
            assert_eq!(on, [".dotted", "App\\Events\\Sent", "order.paid"]);
            assert_eq!(removes, Some(vec!["order.shipped".to_owned()]));
        }
        assert!(on("centrifugo", "").0.contains(&".order.paid".to_owned()));
    }

    /// Messages by a cursor are polled by both kinds of poll; only with one is there anything that a poll could replay.
    #[test]
    fn what_polls_take() {
        let errors = |kind: &str, keys: &str| {
            let text = format!(
                "[board]\ntitle = \"T\"\n[[source]]\nid = \"s\"\nkind = \"{kind}\"\nurl = \"https://h/x?after=0\"\n\
                 channels = [\"c\"]\n{keys}\n[[widget]]\nid = \"w\"\nkind = \"counter\"\n"
            );
            parse(&text, "f").err().map(|errors| errors.lines().join("\n")).unwrap_or_default()
        };
        let cursor = "cursor = { path = \"next\", query = \"after\", rows = \"items\" }";
        for kind in ["poll", "long-poll"] {
            assert_eq!(errors(kind, cursor), "");
            assert_eq!(errors(kind, &format!("{cursor}\nreplays = true")), "");
            assert_eq!(errors(kind, "cursor = { path = \"links.next\" }"), "");
            assert!(errors(kind, "cursor = { query = \"after\" }").contains("`path` is missing"));
            assert!(errors(kind, "history = true").contains("`history` has no use"));
        }
        assert_eq!(errors("long-poll", "replays = true"), "");
        assert!(errors("poll", "replays = true").contains("`replays` has no use without `cursor`"));
        assert!(errors("sse", cursor).contains("`cursor` has no use"));
    }
}
