//! From a board's source to a feed's settings.

use std::{collections::BTreeMap, path::PathBuf, sync::Arc, time::Duration};

use url::Url;
use watchfloor_board::config::spec::{
    self, BoardFile, CursorSpec, SecretSpec, SnapshotSpec, SourceKind, SourceSpec, SourceTransport, SparkplugSpec,
    SpeakSpec, TokenSpec,
};
use watchfloor_feed::{Codec, Cursor, Envelope, Header, Kind, Promises, Site, SourceConfig, Sparkplug, Speak};
use watchfloor_model::Transport;

use crate::{error::EngineError, transport::Route};

/// All that a source is run by.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Setup {
    /// What its feed is told.
    pub(crate) feed: SourceConfig,
    /// Where its token is to be had.
    pub(crate) token: Option<TokenSpec>,
    /// Into which folder its transcript goes.
    pub(crate) transcripts: Option<PathBuf>,
    /// By what way its connections go.
    pub(crate) route: Route,
    /// Where the key is kept by which its publishers encrypt.
    pub(crate) cipher: Option<SecretSpec>,
    /// The fingerprint of what it tells: [`watchfloor_board::config::spec::SourceSpec::story`].
    pub(crate) story: String,
}

/// What is said of sources besides the board file.
#[derive(Clone, Debug, Default)]
pub(crate) struct Settings {
    /// Addresses by source id, in place of the board file's.
    pub(crate) urls: BTreeMap<String, String>,
    /// Into which folder transcripts go.
    pub(crate) transcripts: Option<PathBuf>,
}

impl Settings {
    /// Whether every source of `file` can be run, and every address belongs to one.
    ///
    /// # Errors
    /// If one can't, or doesn't.
    pub(crate) fn check(&self, file: &BoardFile) -> Result<(), EngineError> {
        for id in self.urls.keys() {
            if !file.sources.iter().any(|source| source.id == *id) {
                let known: Vec<String> = file.sources.iter().map(|source| format!("`{}`", source.id)).collect();
                return Err(EngineError::UnknownSource { id: id.clone(), known: known.join(", ") });
            }
        }
        file.sources.iter().try_for_each(|spec| self.config(spec, Duration::MAX).map(|_| ()))
    }

    /// The feed's settings for `spec`, whose strictest freshness limit is `limit`.
    ///
    /// # Errors
    /// If its address can't be used.
    pub(crate) fn config(&self, spec: &SourceSpec, limit: Duration) -> Result<SourceConfig, EngineError> {
        let kind = match spec.kind {
            SourceKind::Hub => Kind::Hub,
            SourceKind::Centrifugo => Kind::Centrifugo,
            SourceKind::Pusher => Kind::Pusher,
            SourceKind::Soketi => Kind::Soketi,
            SourceKind::Reverb => Kind::Reverb,
            SourceKind::SocketIo => Kind::SocketIo,
            SourceKind::Sse => Kind::Sse,
            SourceKind::Mercure => Kind::Mercure,
            SourceKind::Ably => Kind::Ably,
            SourceKind::WebSocket => Kind::WebSocket,
            SourceKind::LongPoll => Kind::LongPoll,
            SourceKind::Poll => Kind::Poll,
            SourceKind::Redis => Kind::Redis,
            SourceKind::Nats => Kind::Nats,
            SourceKind::Mqtt => Kind::Mqtt,
        };
        // An address from elsewhere takes the place of all that the board names.
        let given = self.urls.get(&spec.id);
        let url = address(spec, given.unwrap_or(&spec.url))?;
        let others = spec.redundant_urls.iter().filter(|_| given.is_none());
        let redundant = others.map(|text| address(spec, text)).collect::<Result<_, _>>()?;
        let ladder = match spec.transport {
            SourceTransport::Auto => kind.ladder().to_vec(),
            SourceTransport::WebSocket => vec![Transport::WebSocket],
            SourceTransport::HttpStream => vec![Transport::HttpStream],
            SourceTransport::Sse => vec![Transport::Sse],
            SourceTransport::LongPoll => vec![Transport::LongPoll],
            SourceTransport::Poll => vec![Transport::Poll],
        };
        let channels = spec.channels.iter().map(|channel| Arc::from(channel.as_str())).collect();
        let auth = spec.auth.as_deref().map(|text| address(spec, text)).transpose()?;
        let site = spec.snapshot.as_ref().map(|snapshot| site(spec, snapshot, &url, auth.as_ref())).transpose()?;
        Ok(SourceConfig {
            id: spec.id.clone(),
            url,
            redundant,
            channels,
            ladder,
            limit,
            quiet: spec.quiet,
            reconcile: spec.reconcile,
            // Both send in order.
            reorder: Duration::ZERO,
            kind,
            envelope: Envelope {
                name: spec.event.name.clone(),
                default_name: spec.event.default_name.as_deref().map(Arc::from),
                id: spec.event.id.clone(),
                time: spec.event.time.clone(),
                data: spec.event.data.clone(),
                // Read when the source begins.
                cipher: None,
                decode: spec.event.decode.iter().map(|codec| codec_of(*codec)).collect(),
            },
            promises: Promises {
                heartbeat: spec.heartbeat,
                replays: spec.replays,
                sparkplug: spec.sparkplug.map(|manner| match manner {
                    SparkplugSpec::Listen => Sparkplug::Listen,
                    SparkplugSpec::Rebirth => Sparkplug::Rebirth,
                }),
                presence: spec.presence,
                history: spec.history,
                cursor: spec.cursor.as_ref().map(cursor),
            },
            app: spec.app.as_deref().map(Arc::from),
            user: spec.user.as_deref().map(Arc::from),
            speak: speak(&spec.speak),
            auth,
            site,
            headers: spec.headers.iter().map(|(name, value)| Header::own(name.clone(), value.as_str())).collect(),
            token: None,
            token_header: spec.token_header.as_deref().map(Arc::from),
            asks_token: spec.token.is_some(),
        })
    }
}

/// Where the site says what it has. Its token goes to the hosts alone that have it anyway, as safely as to them; its headers to the
/// origin of its own address.
fn site(spec: &SourceSpec, snapshot: &SnapshotSpec, own: &Url, auth: Option<&Url>) -> Result<Site, EngineError> {
    let url = address(spec, &snapshot.url)?;
    let is_safe = |url: &Url| !matches!(url.scheme(), "http" | "ws");
    let is_known = |known: &Url| known.host() == url.host() && (is_safe(&url) || !is_safe(known));
    let shows_token = is_known(own) || auth.is_some_and(is_known);
    // A WebSocket is of the origin by whose HTTP it is opened.
    let shows_headers =
        is_known(own) && is_safe(&url) == is_safe(own) && own.port_or_known_default() == url.port_or_known_default();
    let first = spec.channels.first().map_or("", String::as_str);
    Ok(Site {
        shows_token,
        shows_headers,
        url,
        channel: snapshot.channel.as_deref().unwrap_or(first).into(),
        name: snapshot.name.as_str().into(),
        rows: snapshot.data.clone(),
        time: snapshot.time.clone(),
    })
}

fn cursor(spec: &CursorSpec) -> Cursor {
    Cursor { path: spec.path.clone(), query: spec.query.as_deref().map(Arc::from), rows: spec.rows.clone() }
}

const fn codec_of(codec: spec::Codec) -> Codec {
    match codec {
        spec::Codec::Json => Codec::Json,
        spec::Codec::MessagePack => Codec::MessagePack,
        spec::Codec::Cbor => Codec::Cbor,
        spec::Codec::Text => Codec::Text,
        spec::Codec::Base64 => Codec::Base64,
        spec::Codec::Gzip => Codec::Gzip,
        spec::Codec::Zlib => Codec::Zlib,
        spec::Codec::Deflate => Codec::Deflate,
    }
}

fn speak(spec: &SpeakSpec) -> Speak {
    let text = |text: &Option<String>| text.as_deref().map(Arc::from);
    Speak {
        login: text(&spec.login),
        subscribe: text(&spec.subscribe),
        resume: text(&spec.resume),
        ping: text(&spec.ping),
        pong: text(&spec.pong),
        confirm: text(&spec.confirm),
        refused: text(&spec.refused),
        channel: spec.channel.clone(),
        sequence: spec.sequence.clone(),
    }
}

fn address(spec: &SourceSpec, text: &str) -> Result<Url, EngineError> {
    let unusable = |reason: String| EngineError::SourceUrl { id: spec.id.clone(), reason };
    let url = Url::parse(text).map_err(|error| unusable(error.to_string()))?;
    if !url.username().is_empty() || url.password().is_some() {
        return Err(unusable("it has a user or password in it: the board's `token` says where one is kept".to_owned()));
    }
    match url.scheme() {
        "http" | "https" => Ok(url),
        "ws" | "wss" | "redis" | "rediss" | "redis-sentinel" | "rediss-sentinel" | "nats" | "tls" | "mqtt"
        | "mqtts"
            if spec.kind != SourceKind::Hub =>
        {
            Ok(url)
        }
        other => Err(unusable(format!("the scheme is {other:?}"))),
    }
}

#[cfg(test)]
mod spoken;
#[cfg(test)]
mod tests {
    use super::*;

    fn file() -> BoardFile {
        let text = r#"
[board]
title = "A"
[[source]]
id = "ops"
kind = "hub"
url = "https://hub.example.net/base"
channels = ["x", "y"]
transport = "sse"
[[widget]]
id = "count"
kind = "counter"
source = "ops"
"#;
        watchfloor_board::config::parse(text, "board.toml").unwrap()
    }

    #[test]
    fn settings_come_from_the_board_and_the_command_line() {
        let file = file();
        let spec = &file.sources[0];
        let config = Settings::default().config(spec, Duration::from_secs(5)).unwrap();
        assert_eq!((config.url.as_str(), &*config.ladder), ("https://hub.example.net/base", &[Transport::Sse][..]));
        assert_eq!(config.channels, ["x", "y"].map(Arc::<str>::from));
        let settings =
            Settings { urls: BTreeMap::from([("ops".into(), "http://127.0.0.1:9".into())]), ..Settings::default() };
        assert_eq!(settings.config(spec, Duration::ZERO).unwrap().url.port(), Some(9));
        let spec = SourceSpec { redundant_urls: vec!["http://b".into()], ..spec.clone() };
        assert_eq!(Settings::default().config(&spec, Duration::ZERO).unwrap().redundant.len(), 1);
        assert_eq!(settings.config(&spec, Duration::ZERO).unwrap().redundant, []);
    }

    /// H8: what is said to a source is said to its own origin; the token goes to its host.
    #[test]
    fn what_a_site_is_told() {
        let text = |url: &str, site: &str| {
            format!(
                "[board]\ntitle = \"A\"\n[[source]]\nid = \"s\"\nkind = \"websocket\"\nurl = \"{url}\"\nchannels = [\"x\"]\n\
                 headers = {{ X-Tenant = \"north\" }}\ntoken = {{ env = \"T\" }}\ntoken-header = \"X-Api-Key\"\n\
                 snapshot = {{ url = \"{site}\", as = \"e\" }}\n[[widget]]\nid = \"w\"\nkind = \"counter\"\n"
            )
        };
        for (url, site, shown) in [
            ("wss://h/ws", "https://h/state", (true, true)),
            ("ws://h:8080/ws", "http://h:8080/state", (true, true)),
            ("wss://h/ws", "https://h:8443/state", (true, false)),
            ("wss://h/ws", "http://h:443/state", (false, false)),
            ("ws://h/ws", "https://h/state", (true, false)),
            ("wss://h/ws", "https://other/state", (false, false)),
        ] {
            let file = watchfloor_board::config::parse(&text(url, site), "board.toml").unwrap();
            let config = Settings::default().config(&file.sources[0], Duration::from_secs(5)).unwrap();
            assert_eq!(config.headers, [Header::own("x-tenant", "north")]);
            assert_eq!(config.token_header.as_deref(), Some("x-api-key"));
            let told = config.site.unwrap();
            assert_eq!((told.shows_token, told.shows_headers), shown, "{url} {site}");
        }
    }

    #[test]
    fn unusable_addresses_are_told() {
        let file = file();
        for (id, url, part) in [
            ("ops", "nonsense", "source `ops`"),
            ("ops", "ftp://x", "scheme is \"ftp\""),
            ("ops", "http://me:hunter2@x", "a user or password in it"),
            ("oops", "http://x", "no source `oops`: expected one of `ops`"),
        ] {
            let settings = Settings { urls: BTreeMap::from([(id.into(), url.into())]), ..Settings::default() };
            let error = settings.check(&file).unwrap_err();
            assert_eq!(error.exit_code(), 1);
            assert!(error.to_string().contains(part), "{error}");
        }
        assert!(Settings::default().check(&file).is_ok());
    }
}
