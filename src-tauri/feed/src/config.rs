//! What a feed is told about its source.

use std::{fmt, sync::Arc, time::Duration};

use serde::{Deserialize, Deserializer, Serialize, Serializer};
use url::Url;
use watchfloor_model::{Transport, path::Path};

use crate::{envelope::Envelope, port::Header, site::Site};

/// One source: where it is, what is wanted of it, and how old it may get.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SourceConfig {
    /// Its id in the board file.
    pub id: String,
    /// What speaks there.
    pub kind: Kind,
    /// Its address: a hub's base, of which a path is kept as a prefix; else as its dialect wants it.
    pub url: Url,
    /// Other addresses at which the same stream can be had, followed beside the first: see [`Paths`](crate::Paths).
    pub redundant: Vec<Url>,
    /// The channels to subscribe to. Repeated names count once.
    pub channels: Vec<Arc<str>>,
    /// The ways by which events may travel, best first. With one, it is that one or none.
    pub ladder: Vec<Transport>,
    /// The strictest freshness limit of what shows this source: decides how often the link is probed.
    pub limit: Duration,
    /// The longest silence of a healthy publisher, if one is promised: polls bring news of it several times within.
    pub quiet: Option<Duration>,
    /// How often, about, what was delivered is compared with the server's own state; none for only on demand.
    pub reconcile: Option<Duration>,
    /// How long an event that comes ahead of its place waits for those before it, at most a second; zero where the source sends in
    /// order, as a hub does, so that what lies between is known to be lost.
    pub reorder: Duration,
    /// Where in a message its name and time stand, for protocols that carry bodies only.
    pub envelope: Envelope,
    /// Headers of the board's own, sent with every request to the source's addresses: by server-sent events, polls and a bare
    /// WebSocket's handshake.
    pub headers: Vec<Header>,
    /// Sent as `Authorization: Bearer …` (RFC 6750) with every request.
    pub token: Option<Secret>,
    /// The header, in lower case, whose whole value the token is instead, where `headers` may be.
    pub token_header: Option<Arc<str>>,
    /// What is promised of the server, where its protocol says nothing of it.
    pub promises: Promises,
    /// An application's public key.
    pub app: Option<Arc<str>>,
    /// Whose password the token is.
    pub user: Option<Arc<str>>,
    /// Who signs for private channels, if somebody does.
    pub auth: Option<Url>,
    /// How to speak on a bare WebSocket.
    pub speak: Speak,
    /// Where the site says what it has now, if the protocol has no snapshot of its own.
    pub site: Option<Site>,
    /// The token isn't known beforehand, or not for ever: it is asked for by [`Output::Credential`](crate::Output::Credential).
    pub asks_token: bool,
}

impl SourceConfig {
    /// A source of which nothing more is known: by all ways of its kind, with nothing promised, and nobody asked for a token.
    #[must_use]
    pub fn plain(id: impl Into<String>, kind: Kind, url: Url, channels: Vec<Arc<str>>, limit: Duration) -> Self {
        Self {
            id: id.into(),
            kind,
            url,
            redundant: Vec::new(),
            channels,
            ladder: kind.ladder().to_vec(),
            limit,
            quiet: None,
            reconcile: None,
            reorder: Duration::ZERO,
            envelope: Envelope::default(),
            headers: Vec::new(),
            token: None,
            token_header: None,
            promises: Promises::default(),
            app: None,
            user: None,
            auth: None,
            speak: Speak::default(),
            site: None,
            asks_token: false,
        }
    }

    /// The line by which the token is shown, if there is one.
    pub(crate) fn token_line(&self) -> Option<Header> {
        let token = self.token.as_ref()?;
        Some(self.token_header.as_ref().map_or_else(|| Header::bearer(token), |name| Header::whole(name, token)))
    }
}

/// What is said and heard on a bare WebSocket. In what is sent `{channel}`, `{token}` and `{sequence}` stand for themselves, written
/// as within a JSON text. What is heard is described by an example: a message that has all that the example has, and whatever text where
/// that has `{channel}`.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Speak {
    /// Sent once the link stands, before all else.
    pub login: Option<Arc<str>>,
    /// Sent for each channel once the link stands.
    pub subscribe: Option<Arc<str>>,
    /// Sent in its place where a number is known after which to go on.
    pub resume: Option<Arc<str>>,
    /// Sent each time that the link is probed.
    pub ping: Option<Arc<str>>,
    /// What answers that, in turn with all else.
    pub pong: Option<Arc<str>>,
    /// What takes a subscription.
    pub confirm: Option<Arc<str>>,
    /// What denies access.
    pub refused: Option<Arc<str>>,
    /// Where in a message its channel stands.
    pub channel: Option<Path>,
    /// Where its number stands, which goes up by one in its channel.
    pub sequence: Option<Path>,
}

/// What a board promises of a server.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Promises {
    /// How often it says by itself that it lives.
    pub heartbeat: Option<Duration>,
    /// It replays all that came after the place that it is asked for.
    pub replays: bool,
    /// What is published there is Sparkplug B, and how its nodes are dealt with.
    pub sparkplug: Option<Sparkplug>,
    /// Who is there is to be told as well, where the protocol can and doesn't by itself.
    pub presence: bool,
    /// It has a history with which to begin.
    pub history: bool,
    /// Its answers to polls are messages, and say where to go on.
    pub cursor: Option<Cursor>,
}

/// How Sparkplug's nodes are dealt with.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Sparkplug {
    /// They are listened to.
    Listen,
    /// A node whose birth was missed is asked for it.
    Rebirth,
}

/// How an answer to a poll says where to go on.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Cursor {
    /// Where that stands in the answer, or else in its last message.
    pub path: Path,
    /// The name by which it goes into the next request's query; without one it is the next address itself.
    pub query: Option<Arc<str>>,
    /// Where the answer's list of messages stands. Without it the answer is the list, or one message.
    pub rows: Option<Path>,
}

/// What is spoken at an address.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Kind {
    /// `watchfloor-hub`.
    #[default]
    Hub,
    /// Centrifugo, its bidirectional protocol in JSON.
    Centrifugo,
    /// Pusher Channels.
    Pusher,
    /// Soketi.
    Soketi,
    /// Laravel Reverb.
    Reverb,
    /// Socket.IO.
    SocketIo,
    /// Ably, its realtime protocol in JSON.
    Ably,
    /// Server-sent events.
    Sse,
    /// A Mercure hub.
    Mercure,
    /// A bare WebSocket, by templates.
    WebSocket,
    /// A document that is answered when there is something.
    LongPoll,
    /// A document that is asked for at an interval.
    Poll,
    /// Redis, by Pub/Sub and Streams.
    Redis,
    /// NATS, and its JetStream.
    Nats,
    /// MQTT 5 or 3.1.1.
    Mqtt,
}

impl Kind {
    /// The ways by which its events may travel, best first.
    #[must_use]
    pub const fn ladder(self) -> &'static [Transport] {
        match self {
            Self::Hub => &Transport::LADDER,
            Self::Centrifugo => &[Transport::WebSocket, Transport::HttpStream, Transport::Sse],
            Self::SocketIo => &[Transport::WebSocket, Transport::LongPoll],
            Self::Pusher | Self::Soketi | Self::Reverb | Self::Ably | Self::WebSocket => &[Transport::WebSocket],
            Self::Sse | Self::Mercure => &[Transport::Sse],
            Self::LongPoll => &[Transport::LongPoll],
            Self::Poll => &[Transport::Poll],
            Self::Redis | Self::Nats | Self::Mqtt => &[Transport::Tcp],
        }
    }
}

/// A text that must not be seen: prints as stars, whatever prints it.
#[derive(Clone, PartialEq, Eq)]
pub struct Secret(Arc<str>);

impl Secret {
    /// Takes the text.
    pub fn new(text: impl Into<Arc<str>>) -> Self {
        Self(text.into())
    }

    /// The text itself, for the request that needs it.
    #[must_use]
    pub fn expose(&self) -> &str {
        &self.0
    }
}

/// Written down it is stars, and read back it is those: a transcript holds none.
impl Serialize for Secret {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str("***")
    }
}

impl<'de> Deserialize<'de> for Secret {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        String::deserialize(deserializer).map(Self::new)
    }
}

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("***")
    }
}

impl fmt::Display for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("***")
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::protocols::dialect;

    /// Every request of a kind that is reached by plain HTTP, as the lines that it has beside the protocol's own.
    fn lines(kind: Kind, url: &str, change: impl FnOnce(&mut SourceConfig)) -> Vec<Vec<String>> {
        let url = url.parse().expect("an address");
        let mut config = SourceConfig::plain("s", kind, url, vec!["c".into()], Duration::from_secs(5));
        config.headers = vec![Header::own("x-tenant".to_owned(), "north"), Header::own("accept-language", "de")];
        config.token = Some(Secret::new("hunter2"));
        change(&mut config);
        let dialect = dialect(&config);
        dialect.check(&config).expect("a source");
        let way = config.ladder[0];
        let wait = Duration::from_secs(1);
        // The first, the next, and one under the condition of what was had.
        let requests =
            [dialect.open(&config, way, &[]), dialect.ask(&config, "", wait), dialect.ask(&config, "\"1\"", wait)];
        let bound = |request: &crate::Request| {
            let shown = format!("{request:?}");
            assert!(!shown.contains("hunter2"), "H8: {shown}");
            request.headers.iter().filter(|header| header.is_bound()).map(|header| format!("{header:?}")).collect()
        };
        requests.iter().map(bound).collect()
    }

    const KINDS: [(Kind, &str); 4] = [
        (Kind::Sse, "https://h/"),
        (Kind::LongPoll, "https://h/"),
        (Kind::Poll, "https://h/"),
        (Kind::WebSocket, "wss://h/"),
    ];

    /// Each request of each kind says what the board says, and shows the token where the board wants it.
    #[test]
    fn headers_of_the_board() {
        for (kind, url) in KINDS {
            for lines in lines(kind, url, |_| {}) {
                assert_eq!(lines, ["authorization: Bearer ***", "x-tenant: north", "accept-language: de"], "{kind:?}");
            }
            let named = |config: &mut SourceConfig| config.token_header = Some("x-api-key".into());
            for lines in lines(kind, url, named) {
                assert_eq!(lines, ["x-api-key: ***", "x-tenant: north", "accept-language: de"], "{kind:?}");
            }
            let bare = |config: &mut SourceConfig| (config.headers, config.token) = (Vec::new(), None);
            for lines in lines(kind, url, bare) {
                assert_eq!(lines, [""; 0], "{kind:?}");
            }
        }
    }

    /// By a cursor as well, wherever that leads.
    #[test]
    fn headers_with_a_cursor() {
        for (kind, url) in [KINDS[1], KINDS[2]] {
            let rule = Cursor { path: "next".parse().expect("a path"), query: Some("after".into()), rows: None };
            let lines = lines(kind, url, |config| config.promises.cursor = Some(rule));
            assert!(lines.iter().all(|lines| lines.len() == 3), "{lines:?}");
        }
    }

    /// H8: a token that is a message's is in no header, whatever its name.
    #[test]
    fn a_token_that_is_sent_later() {
        let lines = lines(Kind::WebSocket, "wss://h/", |config| {
            config.speak.login = Some("{token}".into());
            config.token_header = Some("x-api-key".into());
        });
        assert!(lines.iter().all(|lines| *lines == ["x-tenant: north", "accept-language: de"]), "{lines:?}");
    }

    /// H8: a line that is a secret as a whole is none that can be seen.
    #[test]
    fn a_token_that_is_the_whole_line() {
        let header = Header::whole("x-api-key", &Secret::new("hunter2"));
        assert_eq!((&*header.text(), format!("{header:?}").as_str()), ("hunter2", "x-api-key: ***"));
        assert!(header.is_secret() && header.is_bound());
        let own = Header::own("x-tenant", "north");
        assert!(!own.is_secret() && own.is_bound());
        assert!(!Header::plain("accept", "text/plain").is_bound());
    }
}
