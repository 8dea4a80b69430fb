//! What may be spoken at an address, by its scheme and path, the likeliest first.

use std::time::Duration;

use url::Url;

use super::subject::Subject;

/// The limit of a wall by default, and that of what is asked for at an interval.
const LIMIT: Duration = Duration::from_secs(5);
const POLL_LIMIT: Duration = Duration::from_secs(10);
/// How the names of Ably's own hosts end.
const ABLY_HOSTS: [&str; 2] = [".ably.net", ".ably.io"];
/// What stands for a channel's name where none is known.
pub(crate) const NO_CHANNEL: &str = "probe";

/// One thing to try.
#[derive(Clone, Debug)]
pub(crate) struct Candidate {
    pub(crate) subject: Subject,
    /// Whether the address itself says that it is this.
    pub(crate) is_named: bool,
    /// The channel is made up, as this kind can't be asked for all.
    pub(crate) lacks_channel: bool,
}

/// What may be spoken at `url`, in the order in which it is tried. The error says what is wrong with the address.
pub(crate) fn candidates(url: &Url, channels: &[String]) -> Result<Vec<Candidate>, String> {
    if url.host_str().is_none_or(str::is_empty) {
        return Err("it has no host: give an address such as `https://push.example.net/events`".to_owned());
    }
    if url.password().is_some() {
        return Err("it has a password in it, and a board file must not: say by `--token-file` or `--token-env` where it is kept".to_owned());
    }
    let user = Some(url.username()).filter(|user| !user.is_empty()).map(str::to_owned);
    let mut url = url.clone();
    // Both can be had: the address has a host.
    let _ = url.set_username("");
    url.set_fragment(None);
    let found = Found { url, user, channels };
    match found.url.scheme() {
        "redis" | "rediss" => {
            Ok(vec![found.broker("redis", "pattern:*", "every Pub/Sub channel; a stream is `stream:KEY`")])
        }
        "nats" | "tls" => Ok(vec![found.broker("nats", ">", "every subject; a stream is `stream:NAME`")]),
        "mqtt" | "mqtts" => Ok(vec![found.broker("mqtt", "#", "every topic")]),
        "http" | "https" | "ws" | "wss" => Ok(found.web()),
        other => Err(format!(
            "its scheme is `{other}`: expected `http`, `https`, `ws`, `wss`, `redis`, `rediss`, `nats`, `tls`, `mqtt` or `mqtts`"
        )),
    }
}

struct Found<'a> {
    url: Url,
    user: Option<String>,
    channels: &'a [String],
}

impl Found<'_> {
    /// The scheme says it.
    fn broker(&self, kind: &'static str, all: &str, words: &str) -> Candidate {
        let mut candidate = self.candidate(kind, &self.url, Some(all));
        candidate.subject.user.clone_from(&self.user);
        if self.channels.is_empty() {
            candidate
                .subject
                .note("channels", format!("None was named, so this is {words}. Name those that the wall needs."));
        }
        candidate.is_named = true;
        candidate
    }

    fn web(&self) -> Vec<Candidate> {
        let path = self.url.path().to_owned();
        let is_root = path == "/" || path.is_empty();
        let is_socket = self.url.scheme().starts_with("ws");
        let bare = self.without_query(&self.url);
        let mut all = Vec::new();
        let mut hub = bare.clone();
        if is_socket {
            with_scheme(&mut hub, &[("ws", "http"), ("wss", "https")]);
        }
        if let Some(at) = path.find("/v1/") {
            hub.set_path(&path[..at]);
        }
        all.push(Candidate { is_named: path.contains("/v1/"), ..self.candidate("hub", &hub, None) });
        if !is_socket {
            if path.ends_with("/.well-known/mercure") {
                all.push(Candidate { is_named: true, ..self.candidate("mercure", &bare, Some("*")) });
            }
            all.push(self.candidate("sse", &self.url, Some(&self.own_name())));
            let mut poll = self.candidate("poll", &self.url, Some(&self.own_name()));
            poll.subject.limit = POLL_LIMIT;
            poll.subject.note(
                "kind",
                "Asked for at half of `stale-after`. Make that longer where the server should be asked less often. A server that answers \
                 only when it has something new, each time with the next message, is a `long-poll`: a first answer doesn't tell them apart.",
            );
            all.push(poll);
            if is_root {
                let mut mercure = bare.clone();
                mercure.set_path("/.well-known/mercure");
                all.push(self.candidate("mercure", &mercure, Some("*")));
            }
        }
        if path.contains("/socket.io") || is_root {
            let mut socketio = self.url.clone();
            strip_query(&mut socketio, &["EIO", "transport", "sid", "t"]);
            all.push(Candidate {
                is_named: path.contains("/socket.io"),
                ..self.candidate("socketio", &socketio, Some("/"))
            });
        }
        if let Some((base, key)) = pusher(&bare) {
            let mut candidate = self.candidate("pusher", &base, None);
            candidate.subject.app = Some(key);
            candidate
                .subject
                .note("kind", "Hosted Pusher, Soketi or Reverb: they speak alike, and the word is only what is shown.");
            all.push(Candidate { is_named: true, ..candidate });
        }
        if path.contains("/connection/websocket") || is_root {
            let is_named = path.contains("/connection/websocket");
            all.push(Candidate { is_named, ..self.candidate("centrifugo", &bare, None) });
        }
        let is_named = self.url.host_str().is_some_and(|host| ABLY_HOSTS.iter().any(|end| host.ends_with(end)));
        if is_named || (is_root && is_socket) {
            let mut ably = bare.clone();
            with_scheme(&mut ably, &[("http", "ws"), ("https", "wss")]);
            all.push(Candidate { is_named, ..self.candidate("ably", &ably, None) });
        }
        let mut socket = self.url.clone();
        with_scheme(&mut socket, &[("http", "ws"), ("https", "wss")]);
        let mut socket = self.candidate("websocket", &socket, Some(&self.own_name()));
        socket.subject.note(
            "kind",
            "A bare WebSocket. If it has a way to subscribe, say it in `speak`: see docs/board-files.md.",
        );
        all.push(socket);
        // What the path says comes first, and then nothing else is meant but what is read from any address.
        if all.iter().any(|candidate| candidate.is_named) {
            all.sort_by_key(|candidate| !candidate.is_named);
        }
        all
    }

    fn candidate(&self, kind: &'static str, url: &Url, all: Option<&str>) -> Candidate {
        let own = all.unwrap_or(NO_CHANNEL).to_owned();
        let channels = match (kind, self.channels) {
            (_, []) => vec![own],
            // One stream or document is one channel, whatever it is called.
            ("sse" | "poll" | "websocket", [first, ..]) => vec![first.clone()],
            (_, named) => named.to_vec(),
        };
        let subject = Subject { kind, url: written(url), channels, limit: LIMIT, ..Subject::default() };
        Candidate { subject, is_named: false, lacks_channel: all.is_none() && self.channels.is_empty() }
    }

    /// A name for a stream that has none: the last part of its path.
    fn own_name(&self) -> String {
        let mut parts = self.url.path_segments().into_iter().flatten();
        let is_part = |c: char| c.is_ascii_alphanumeric() || c == '-' || c == '_';
        let name: String =
            parts.rfind(|part| !part.is_empty()).unwrap_or_default().chars().filter(|c| is_part(*c)).take(60).collect();
        if name.is_empty() { "events".to_owned() } else { name }
    }

    fn without_query(&self, url: &Url) -> Url {
        let mut url = url.clone();
        url.set_query(None);
        url
    }
}

/// As it is written in a board file: without the slash that stands for no path.
fn written(url: &Url) -> String {
    let text = url.to_string();
    if url.path() == "/" && url.query().is_none() { text.trim_end_matches('/').to_owned() } else { text }
}

fn with_scheme(url: &mut Url, pairs: &[(&str, &str)]) {
    if let Some((_, other)) = pairs.iter().find(|(one, _)| *one == url.scheme()) {
        // These four may take each other's place.
        let _ = url.set_scheme(other);
    }
}

fn strip_query(url: &mut Url, names: &[&str]) {
    let kept: Vec<(String, String)> = url
        .query_pairs()
        .filter(|(name, _)| !names.contains(&&**name))
        .map(|(name, value)| (name.into_owned(), value.into_owned()))
        .collect();
    url.set_query(None);
    if !kept.is_empty() {
        url.query_pairs_mut().extend_pairs(kept);
    }
}

/// The base and the key of `…/app/KEY`.
fn pusher(url: &Url) -> Option<(Url, String)> {
    let (base, key) = url.path().rsplit_once("/app/")?;
    let key = key.trim_end_matches('/');
    if key.is_empty() || key.contains('/') {
        return None;
    }
    let mut own = url.clone();
    own.set_path(base);
    Some((own, key.to_owned()))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn tried(url: &str) -> Vec<String> {
        let url = Url::parse(url).unwrap();
        let all = candidates(&url, &[]).unwrap();
        all.iter()
            .map(|one| format!("{} {} {}", one.subject.kind, one.subject.url, one.subject.channels.join(",")))
            .collect()
    }

    #[test]
    fn the_scheme_or_the_path_says_what_is_tried_first() {
        assert_eq!(tried("redis://h/2"), ["redis redis://h/2 pattern:*"]);
        assert_eq!(tried("mqtts://h"), ["mqtt mqtts://h #"]);
        assert_eq!(tried("nats://h:1"), ["nats nats://h:1 >"]);
        assert_eq!(tried("wss://h/app/key?protocol=7")[0], "pusher wss://h probe");
        assert_eq!(tried("https://h/x/.well-known/mercure")[0], "mercure https://h/x/.well-known/mercure *");
        assert_eq!(tried("wss://h/connection/websocket")[0], "centrifugo wss://h/connection/websocket probe");
        assert_eq!(
            tried("wss://h/socket.io/?EIO=4&transport=websocket&team=7")[0],
            "socketio wss://h/socket.io/?team=7 /"
        );
        assert_eq!(tried("http://h/base/v1/sse?channels=a")[0], "hub http://h/base probe");
        assert_eq!(tried("https://main.realtime.ably.net")[0], "ably wss://main.realtime.ably.net probe");
        let kinds = |url: &str| -> Vec<String> {
            tried(url).iter().map(|one| one.split(' ').next().unwrap().to_owned()).collect()
        };
        assert_eq!(kinds("http://h"), ["hub", "sse", "poll", "mercure", "socketio", "centrifugo", "websocket"]);
        assert_eq!(kinds("ws://h"), ["hub", "socketio", "centrifugo", "ably", "websocket"]);
        assert_eq!(tried("https://h/feed/trades?x=1").last().unwrap(), "websocket wss://h/feed/trades?x=1 trades");
    }

    /// H8: a password is not taken from an address, and not repeated.
    #[test]
    fn what_can_not_be_an_address_is_told() {
        for (url, part) in [("ftp://h", "scheme is `ftp`"), ("redis://u:hush@h", "--token-file"), ("data:x", "no host")]
        {
            let error = candidates(&Url::parse(url).unwrap(), &[]).unwrap_err();
            assert!(error.contains(part) && !error.contains("hush"), "{error}");
        }
        let user = candidates(&Url::parse("mqtt://wall@h").unwrap(), &[]).unwrap();
        assert_eq!((user[0].subject.user.as_deref(), &*user[0].subject.url), (Some("wall"), "mqtt://h"));
    }

    /// Whatever is tried is what a board file may have.
    #[test]
    fn what_is_tried_may_stand_in_a_board() {
        let addresses =
            ["http://h", "ws://h", "ws://h:1/x?y=1", "wss://h/app/k", "redis://h", "nats://h", "tls://h", "mqtt://h"];
        for url in addresses {
            for one in candidates(&Url::parse(url).unwrap(), &[]).unwrap() {
                assert!(one.subject.setup().is_ok(), "{url}: {:?}", one.subject.setup().err());
            }
        }
    }
}
