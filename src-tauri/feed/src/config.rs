//! What a feed is told about its source.

use std::{fmt, sync::Arc, time::Duration};

use url::Url;
use watchfloor_model::Transport;

/// One source: where it is, what is wanted of it, and how old it may get.
#[derive(Clone, Debug)]
pub struct SourceConfig {
    /// Its id in the board file.
    pub id: String,
    /// The hub's base address, `http` or `https`; a path is kept as a prefix.
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
    /// Sent as `Authorization: Bearer …` (RFC 6750) with every request.
    pub token: Option<Secret>,
    /// The token isn't known beforehand, or not for ever: it is asked for by [`Output::Credential`](crate::Output::Credential).
    pub asks_token: bool,
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
