//! What makes a source the same story as before: what was folded of another one is nothing of it (H1).

use std::collections::BTreeMap;

use serde_json::{Value, json};

use super::{
    Codec, CursorSpec, EventSpec, SecretSpec, SnapshotSpec, SourceKind, SourceSpec, SpeakSpec, TlsSpec, TokenSpec,
};
use crate::reduce::hash;

impl SourceSpec {
    /// Whether what `before` was told is of the same story: by the same stream, read in the same way.
    #[must_use]
    pub fn continues(&self, before: &Self) -> bool {
        self.story() == before.story()
    }

    /// The story's fingerprint: a hash of all by which it would be another stream, or another reading of it. It holds no secret, only
    /// where one is kept.
    #[must_use]
    pub fn story(&self) -> String {
        // Texts and lists of them always have a JSON form.
        format!("story-{:016x}", hash(serde_json::to_string(&self.told_by()).unwrap_or_default().as_bytes()))
    }

    /// Whether its kind, address and channels alone decide its story.
    pub(crate) fn is_plain(&self) -> bool {
        self.told_by().into_keys().all(|key| ["kind", "url", "channels"].contains(&key))
    }

    /// What decides the story. Only what is set stands in it, so that a key that comes to be in a later version changes no story without it.
    fn told_by(&self) -> BTreeMap<&'static str, Value> {
        let Self {
            // How it is found and called.
            id: _,
            title: _,
            kind,
            url,
            // The same stream, by the board's word.
            redundant_urls: _,
            channels,
            // Ways to it.
            transport: _,
            proxy: _,
            // Limits and promises: what is believed of it, not what it says.
            quiet: _,
            reconcile: _,
            heartbeat: _,
            replays: _,
            sparkplug,
            presence,
            // Where one begins that has nothing yet.
            history: _,
            cursor,
            event,
            headers,
            token,
            // How it is shown.
            token_header: _,
            tls,
            app,
            // Who signs for what is asked, not who says it.
            auth: _,
            user,
            cipher,
            speak,
            snapshot,
        } = self;
        let mut channels: Vec<&str> = channels.iter().map(String::as_str).collect();
        // In which order they are named says nothing.
        channels.sort_unstable();
        let who = user.is_none() && tells_each_its_own(*kind);
        let all = [
            // Another protocol counts places otherwise.
            ("kind", Some(json!(format!("{kind:?}")))),
            ("url", Some(json!(url))),
            ("channels", Some(json!(channels))),
            // Another application's channels of the same names.
            ("app", app.as_ref().map(|app| json!(app))),
            // Another account's.
            ("user", user.as_ref().map(|user| json!(user))),
            // Another tenant's, or in another language.
            ("headers", (!headers.is_empty()).then(|| json!(headers))),
            // By it alone such a server knows who asks. A token that is renewed stays where it is.
            ("token", token.as_ref().filter(|_| who).map(token_place)),
            ("certificate", certificate(tls).filter(|_| who).map(|path| json!(path))),
            // Metrics by name, or bytes. Whether births are asked for changes nothing of them.
            ("sparkplug", sparkplug.map(|_| json!(true))),
            // Members are events, and nobody would say any more that they left.
            ("presence", presence.then(|| json!(true))),
            // What a message is, and what a place.
            ("cursor", cursor.as_ref().map(cursor_json)),
            // What an event is called, when it was and what it says.
            ("event", (*event != EventSpec::default()).then(|| event_json(event))),
            // Read, or taken as it is. The key itself may be kept elsewhere.
            ("cipher", cipher.as_ref().map(|_| json!(true))),
            ("speak", speak_json(speak)),
            // Rows of another site, or other rows.
            ("snapshot", snapshot.as_ref().map(|snapshot| snapshot_json(snapshot, &self.channels))),
        ];
        all.into_iter().filter_map(|(key, value)| Some((key, value?))).collect()
    }
}

/// Whether it may tell another one something else by the same channels. With the others a token is a permission to read what is there, or
/// signs for an app that is named.
const fn tells_each_its_own(kind: SourceKind) -> bool {
    match kind {
        SourceKind::Hub
        | SourceKind::Centrifugo
        | SourceKind::Pusher
        | SourceKind::Soketi
        | SourceKind::Reverb
        | SourceKind::Redis => false,
        // Whose app it is stands in Ably's key, a NATS account in its token; of the rest anything may be behind an address.
        SourceKind::Ably
        | SourceKind::Nats
        | SourceKind::Mqtt
        | SourceKind::Mercure
        | SourceKind::SocketIo
        | SourceKind::Sse
        | SourceKind::WebSocket
        | SourceKind::LongPoll
        | SourceKind::Poll => true,
    }
}

fn token_place(token: &TokenSpec) -> Value {
    match token {
        TokenSpec::Held(secret) => place(secret),
        TokenSpec::Fetched { url, secret } => json!([url, place(secret)]),
    }
}

fn place(secret: &SecretSpec) -> Value {
    match secret {
        SecretSpec::File(path) => json!({ "file": path }),
        SecretSpec::Variable(name) => json!({ "env": name }),
        SecretSpec::Keyring { service, account } => json!({ "keyring": [service, account] }),
    }
}

/// Who comes. Whom to trust is another matter.
fn certificate(tls: &TlsSpec) -> Option<&str> {
    tls.identity.as_ref().map(|identity| identity.certificate.as_str())
}

fn cursor_json(cursor: &CursorSpec) -> Value {
    let CursorSpec { path, query, rows } = cursor;
    json!([path, query, rows])
}

fn event_json(event: &EventSpec) -> Value {
    let EventSpec { name, default_name, id, time, data, decode } = event;
    let decode: Vec<&str> = decode.iter().copied().map(codec).collect();
    json!([name, default_name, id, time, data, decode])
}

const fn codec(codec: Codec) -> &'static str {
    match codec {
        Codec::Json => "json",
        Codec::MessagePack => "msgpack",
        Codec::Cbor => "cbor",
        Codec::Text => "text",
        Codec::Base64 => "base64",
        Codec::Gzip => "gzip",
        Codec::Zlib => "zlib",
        Codec::Deflate => "deflate",
    }
}

/// What is asked for and as whom, and how a message is read. What confirms, refuses or answers a ping is none of what is told, and how to
/// resume is said of a number that is read here.
fn speak_json(speak: &SpeakSpec) -> Option<Value> {
    let SpeakSpec { login, subscribe, confirm: _, refused: _, ping: _, pong: _, channel, sequence, resume: _ } = speak;
    let is_said = login.is_some() || subscribe.is_some() || channel.is_some() || sequence.is_some();
    is_said.then(|| json!([login, subscribe, channel, sequence]))
}

fn snapshot_json(snapshot: &SnapshotSpec, channels: &[String]) -> Value {
    let SnapshotSpec { url, name, channel, data, time } = snapshot;
    json!([url, name, channel.as_ref().or(channels.first()), data, time])
}

#[cfg(test)]
mod tests {
    use crate::config::{parse, spec::SourceSpec};

    fn source(keys: &str) -> SourceSpec {
        let text = format!(
            "[board]\ntitle = \"T\"\n[[source]]\nid = \"s\"\n{keys}\n[[widget]]\nid = \"w\"\nkind = \"counter\"\n"
        );
        parse(&text, "f").unwrap_or_else(|errors| panic!("{errors}")).sources.remove(0)
    }

    const PLAIN: [(&str, &str); 6] = [
        ("pusher", "kind = \"pusher\"\nurl = \"wss://h\"\napp = \"k\"\nchannels = [\"a\", \"b\"]"),
        ("mqtt", "kind = \"mqtt\"\nurl = \"mqtts://h\"\nchannels = [\"a\", \"b\"]"),
        ("sse", "kind = \"sse\"\nurl = \"https://h/x\"\nchannels = [\"a\"]"),
        (
            "websocket",
            "kind = \"websocket\"\nurl = \"wss://h\"\nchannels = [\"a\"]\nspeak = { subscribe = '{\"on\":\"{channel}\"}' }",
        ),
        ("long-poll", "kind = \"long-poll\"\nurl = \"https://h/x\"\nchannels = [\"a\"]"),
        ("centrifugo", "kind = \"centrifugo\"\nurl = \"wss://h\"\nchannels = [\"a\"]"),
    ];

    fn plain(kind: &str) -> &'static str {
        PLAIN.iter().find(|(own, _)| *own == kind).expect("a kind").1
    }

    /// H1: another app, account, site or reading is another story.
    #[test]
    fn what_makes_another_story() {
        let changes = [
            ("pusher", "\"k\"", "\"other\""),
            ("pusher", "wss://h", "wss://other"),
            ("pusher", "\"pusher\"", "\"soketi\""),
            ("pusher", "\"a\", ", ""),
            ("pusher", "\napp", "\nevent = { time = \"at\" }\napp"),
            ("pusher", "\napp", "\nevent = { decode = [\"cbor\"] }\napp"),
            ("pusher", "\napp", "\nsnapshot = { url = \"https://h/x\", as = \"e\" }\napp"),
            ("mqtt", "\nchannels", "\nuser = \"u\"\ntoken = { file = \"/t\" }\nchannels"),
            ("mqtt", "\nchannels", "\nsparkplug = \"listen\"\nchannels"),
            ("sse", "\nchannels", "\ntoken = { file = \"/t\" }\nchannels"),
            ("sse", "\nchannels", "\nheaders = { X-Tenant = \"north\" }\nchannels"),
            ("sse", "\nchannels", "\ntls = { certificate = \"/c\", key = \"/k\" }\nchannels"),
            ("websocket", "\"on\"", "\"to\""),
            ("websocket", "' }", "', sequence = \"n\", resume = '{\"on\":\"{channel}\",\"n\":{sequence}}' }"),
            ("long-poll", "\nchannels", "\ncursor = { path = \"next\" }\nchannels"),
            ("centrifugo", "\nchannels", "\npresence = true\nchannels"),
        ];
        for (kind, from, to) in changes {
            let (before, now) = (source(plain(kind)), source(&plain(kind).replace(from, to)));
            assert!(!now.continues(&before) && !before.continues(&now), "{kind}: {to}");
        }
        let fetched = |keys: &str| source(&format!("{}\n{keys}", plain("sse")));
        let [one, other] = ["a", "b"].map(|of| fetched(&format!("token = {{ keyring = \"s/{of}\" }}")));
        assert!(!other.continues(&one), "another account");
    }

    /// H2: other ways to the same stream, another limit, a permission that is kept elsewhere are no other story.
    #[test]
    fn what_makes_no_other_story() {
        let changes = [
            ("pusher", "\"a\", \"b\"", "\"b\", \"a\""),
            ("pusher", "\napp", "\ntitle = \"Other\"\napp"),
            ("pusher", "\napp", "\nredundant-urls = [\"wss://other\"]\napp"),
            ("pusher", "\napp", "\nquiet = \"1m\"\napp"),
            ("pusher", "\napp", "\nreconcile = \"off\"\napp"),
            ("pusher", "\napp", "\nauth = \"https://a/auth\"\ntoken = { file = \"/t\" }\napp"),
            ("pusher", "\napp", "\nproxy = \"socks5://p\"\napp"),
            ("mqtt", "\nchannels", "\ntls = { ca = \"/ca\" }\nchannels"),
            ("sse", "\nchannels", "\nheartbeat = \"5s\"\nreplays = true\nchannels"),
            ("sse", "\nchannels", "\ntransport = \"sse\"\nchannels"),
            ("websocket", "' }", "', ping = '{\"p\":1}', pong = '{\"p\":2}' }"),
            ("centrifugo", "\nchannels", "\ntoken = { file = \"/t\" }\nchannels"),
        ];
        for (kind, from, to) in changes {
            let (before, now) = (source(plain(kind)), source(&plain(kind).replace(from, to)));
            assert_ne!(before, now, "{kind}: {to}");
            assert!(now.continues(&before) && before.continues(&now), "{kind}: {to}");
        }
        let shown = |keys: &str| source(&format!("{}\ntoken = {{ file = \"/t\" }}\n{keys}", plain("sse")));
        assert!(shown("token-header = \"X-Api-Key\"").continues(&shown("")), "the same token in another header");
        let user = |token: &str| source(&format!("{}\nuser = \"u\"\ntoken = {token}", plain("mqtt")));
        assert!(user("{ env = \"PASSWORD\" }").continues(&user("{ file = \"/t\" }")), "the account has a name");
    }

    /// H4: it is written down, so it is the same in any build.
    #[test]
    fn a_story_is_the_same_in_any_build() {
        assert_eq!(source(plain("centrifugo")).story(), "story-8bd82a029d1ecc40");
        assert!(source(plain("centrifugo")).is_plain() && !source(plain("pusher")).is_plain());
    }
}
