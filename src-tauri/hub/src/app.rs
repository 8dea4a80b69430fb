//! Applications that come by the Pusher door: what they are called, and what they sign with.

use std::{fmt, sync::Arc};

use ring::hmac;

use crate::{
    access::Mark,
    publish,
    webhook::{Topic, Webhook},
};

/// An application. Its secret is never shown.
#[derive(Clone)]
pub struct App {
    pub(crate) id: Arc<str>,
    pub(crate) key: Arc<str>,
    secret: hmac::Key,
    mark: Mark,
    pub(crate) client_events: bool,
    /// What all its channels begin with inside. The first application shares its channels with the hub's own doors.
    space: Arc<str>,
    pub(crate) origins: Origins,
    pub(crate) webhook: Option<Webhook>,
}

/// Which pages may open a connection.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum Origins {
    /// The hub's own only, and what is no page at all.
    #[default]
    Own,
    /// Any.
    Any,
    /// These besides, as `https://app.example`.
    These(Vec<String>),
}

/// What an application is made of.
#[derive(Clone, Default)]
pub struct AppConfig {
    /// Names it in addresses of its HTTP API, 1 to 100 of letters, digits, `-` and `_`.
    pub id: String,
    /// Names it to clients; it is public.
    pub key: String,
    /// What it signs with.
    pub secret: String,
    /// Whether clients may publish to each other.
    pub client_events: bool,
    /// Which pages may open a connection.
    pub origins: Origins,
    /// Where its site is told what happens among its clients.
    pub webhook: Option<Webhook>,
}

impl fmt::Debug for AppConfig {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("AppConfig").field("id", &self.id).field("key", &self.key).finish_non_exhaustive()
    }
}

impl fmt::Debug for App {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("App").field("id", &self.id).field("key", &self.key).finish_non_exhaustive()
    }
}

/// The longest name of an application, and key, bytes.
const NAME_BYTES_MAX: usize = 100;

impl App {
    /// The application that has `others` before it.
    ///
    /// # Errors
    /// What is wrong with it.
    pub fn new(config: &AppConfig, others: &[Self]) -> Result<Self, String> {
        let sound = |b: u8| b.is_ascii_alphanumeric() || b == b'-' || b == b'_';
        for (what, name) in [("id", &config.id), ("key", &config.key)] {
            if !(1..=NAME_BYTES_MAX).contains(&name.len()) || !name.bytes().all(sound) {
                return Err(format!("{name:?} is no {what} of an application: expected 1 to 100 of A-Z a-z 0-9 _ -"));
            }
        }
        if config.secret.len() < 8 {
            return Err(format!("the secret of application {} is too short: expected at least 8 bytes", config.id));
        }
        if others.iter().any(|other| *other.id == *config.id || *other.key == *config.key) {
            return Err(format!("application {} has the id or the key of another", config.id));
        }
        let space = if others.is_empty() { String::new() } else { format!("{}/", config.id) };
        Ok(Self {
            id: config.id.as_str().into(),
            key: config.key.as_str().into(),
            mark: Mark::of(&[config.key.as_bytes(), config.secret.as_bytes(), space.as_bytes()]),
            secret: hmac::Key::new(hmac::HMAC_SHA256, config.secret.as_bytes()),
            client_events: config.client_events,
            space: space.into(),
            origins: config.origins.clone(),
            webhook: config.webhook.clone(),
        })
    }

    /// What tells it from one of another key, secret or channels.
    pub(crate) const fn mark(&self) -> Mark {
        self.mark
    }

    /// Whether `signature`, in hexadecimal digits, is this application's of `text`. In constant time.
    pub(crate) fn signed(&self, text: &str, signature: &str) -> bool {
        let Ok(tag) = hex::decode(signature) else { return false };
        hmac::verify(&self.secret, text.as_bytes(), &tag).is_ok()
    }

    /// This application's signature of a text, in hexadecimal digits.
    pub(crate) fn sign(&self, text: &[u8]) -> String {
        hex::encode(hmac::sign(&self.secret, text))
    }

    /// What a channel of this application is called inside.
    pub(crate) fn inside(&self, name: &str) -> Arc<str> {
        if self.space.is_empty() { name.into() } else { format!("{}{name}", self.space).into() }
    }

    /// Whether a channel is one of its own.
    pub(crate) fn owns(&self, channel: &str) -> bool {
        match self.space.is_empty() {
            // A user's id, the only place for another slash, comes after the beginning of his channel.
            true => channel.starts_with('#') || !channel.contains('/'),
            false => channel.starts_with(&*self.space),
        }
    }

    /// Whether its site is told of this.
    pub(crate) fn is_told(&self, topic: Topic) -> bool {
        self.webhook.as_ref().is_some_and(|webhook| webhook.events.contains(&topic))
    }

    /// What the application calls a channel, which is one of its own.
    pub(crate) fn outside<'a>(&self, channel: &'a str) -> &'a str {
        channel.strip_prefix(&*self.space).unwrap_or(channel)
    }
}

/// What kind of channel a name is of, by its beginning.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Kind {
    /// Everybody may read it.
    Public,
    /// Who has a signature may.
    Private,
    /// So too, and who reads it is seen by the others.
    Presence,
    /// The user himself, once he has signed in.
    User,
}

/// What the channel of a user begins with.
pub(crate) const OF_USER: &str = "#server-to-user-";

impl Kind {
    pub(crate) fn of(name: &str) -> Self {
        let begins = |beginning| name.starts_with(beginning);
        match () {
            () if begins("private-") => Self::Private,
            () if begins("presence-") => Self::Presence,
            () if begins(OF_USER) => Self::User,
            () => Self::Public,
        }
    }
}

/// Whether the newest event of a channel is given to who comes later.
pub(crate) fn is_cached(name: &str) -> bool {
    ["cache-", "private-cache-", "presence-cache-", "private-encrypted-cache-"]
        .iter()
        .any(|beginning| name.starts_with(beginning))
}

/// Whether the hub can't read what is in it.
pub(crate) fn is_encrypted(name: &str) -> bool {
    name.starts_with("private-encrypted-")
}

/// Checks the name of a channel as an application gives it.
///
/// # Errors
/// What was found and what was expected.
pub(crate) fn check_channel(name: &str) -> Result<(), String> {
    let Some(user) = name.strip_prefix(OF_USER) else { return publish::channel(name).map(drop) };
    check_user(user)
}

/// Checks who somebody says he is.
///
/// # Errors
/// What was found and what was expected.
pub(crate) fn check_user(id: &str) -> Result<(), String> {
    let sound = |c: char| !c.is_control() && c != '"' && c != '\\';
    if (1..=USER_BYTES_MAX).contains(&id.len()) && id.chars().all(sound) {
        return Ok(());
    }
    let found: String = id.chars().take(40).collect();
    Err(format!(
        "{found:?} is no id of a user: expected 1 to {USER_BYTES_MAX} bytes without quotes, backslashes and control characters"
    ))
}

/// The longest id of a user, bytes.
pub(crate) const USER_BYTES_MAX: usize = 128;

#[cfg(test)]
mod tests {
    use super::*;

    fn app() -> App {
        let config = AppConfig {
            id: "3".to_owned(),
            key: "278d425bdf160c739803".to_owned(),
            secret: "7ad3773142a6692b25b8".to_owned(),
            ..AppConfig::default()
        };
        App::new(&config, &[]).expect("sound")
    }

    /// Signatures of Pusher's documentation of authorisation, and what differs by a bit.
    #[test]
    fn signatures() {
        let app = app();
        let known = "58df8b0c36d6982b82c3ecf6b4662e34fe8c25bba48f5369f135bf843651c3a4";
        assert_eq!(app.sign(b"1234.1234:private-foobar"), known);
        assert!(app.signed("1234.1234:private-foobar", known));
        assert!(!app.signed("1234.1235:private-foobar", known));
        assert!(!app.signed("1234.1234:private-foobar", &known[1..]));
        assert!(!app.signed("1234.1234:private-foobar", "x"));
        assert!(!format!("{app:?}").contains("7ad3"));
    }

    /// A name's kind is that of its beginning, and nothing that is no name is taken for one.
    #[test]
    fn kinds() {
        for (name, kind, cached, encrypted) in [
            ("orders", Kind::Public, false, false),
            ("cache-orders", Kind::Public, true, false),
            ("private-encrypted-a", Kind::Private, false, true),
            ("private-encrypted-cache-a", Kind::Private, true, true),
            ("presence-cache-a", Kind::Presence, true, false),
            ("#server-to-user-7", Kind::User, false, false),
            ("Private-a", Kind::Public, false, false),
        ] {
            assert_eq!((Kind::of(name), is_cached(name), is_encrypted(name)), (kind, cached, encrypted), "{name}");
            check_channel(name).expect(name);
        }
        for name in ["", "#a", "#server-to-user-", "a/b", "a b", "#server-to-user-\"", "ä"] {
            assert!(check_channel(name).is_err(), "{name}");
        }
    }

    /// Two applications see nothing of each other.
    #[test]
    fn spaces() {
        let first = app();
        let config = AppConfig { id: "4".into(), key: "k".into(), secret: "x".repeat(8), ..AppConfig::default() };
        let second = App::new(&config, std::slice::from_ref(&first)).expect("sound");
        assert_eq!((&*first.inside("a"), &*second.inside("a"), second.outside("4/a")), ("a", "4/a", "a"));
        assert!(App::new(&config, &[first, second]).is_err());
    }
}
