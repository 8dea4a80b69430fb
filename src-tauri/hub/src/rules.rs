//! What holds for a channel, by its name.

use std::{fmt, sync::Arc, time::Duration};

use crate::{app::Kind, channel::HistoryLimits, fields::Fields};

/// What a crash may take of a channel, in a hub that has a store. Without one, all is in memory.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Durability {
    /// Everything, and a restart its history as well.
    Memory,
    /// What was acknowledged in the last 100 ms.
    Fast,
    /// Nothing that was acknowledged, and nothing that a reader was sent.
    #[default]
    Durable,
}

/// Whether a channel is meant by a pattern: its name, or the beginning of it with `*` at the end.
pub(crate) fn is_meant(pattern: &str, channel: &str) -> bool {
    match pattern.strip_suffix('*') {
        Some(beginning) => channel.starts_with(beginning),
        None => pattern == channel,
    }
}

/// What holds for one channel.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Settings {
    /// What a crash may take of it.
    pub durability: Durability,
    /// What of its events' data is passed on; everything if it is none.
    pub fields: Option<Arc<Fields>>,
    /// Events that it takes a second; any number if it is none.
    pub events_a_second: Option<u32>,
    /// What of it is remembered.
    pub history: OwnHistory,
    /// Whether it is known who is there; if it is none, where its name begins with `presence-`.
    pub presence: Option<bool>,
    /// How long somebody counts as there who has lost his last connection; what holds for all if it is none.
    pub presence_linger: Option<Duration>,
    /// Who may publish to it.
    pub publishers: Publishers,
}

/// Who may publish to a channel.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Publishers {
    /// Who has the publish token alone.
    #[default]
    Server,
    /// Also readers whose token names the channel.
    Token,
    /// Also whoever may read it.
    Readers,
}

impl Settings {
    /// Whether it is known who is in a channel of this name.
    pub(crate) fn has_presence(&self, channel: &str) -> bool {
        self.presence.unwrap_or_else(|| Kind::of(channel) == Kind::Presence)
    }
}

/// How much is remembered of a channel, where that is other than of all.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct OwnHistory {
    /// Events.
    pub events: Option<usize>,
    /// Bytes.
    pub bytes: Option<usize>,
    /// Real time.
    pub age: Option<Duration>,
}

impl OwnHistory {
    /// With what holds for all.
    #[must_use]
    pub(crate) fn within(self, all: &HistoryLimits) -> HistoryLimits {
        HistoryLimits {
            events: self.events.unwrap_or(all.events),
            bytes: self.bytes.unwrap_or(all.bytes),
            age: self.age.unwrap_or(all.age),
            bytes_total: all.bytes_total,
        }
    }
}

/// What holds for which channel: a function of its name, asked once for each channel.
#[derive(Clone)]
pub struct Rules {
    settings: Arc<dyn Fn(&str) -> Settings + Send + Sync>,
    /// Whether every channel takes everything.
    are_plain: bool,
}

impl Rules {
    /// Settings by the channel's name.
    pub fn new(settings: impl Fn(&str) -> Settings + Send + Sync + 'static) -> Self {
        Self { settings: Arc::new(settings), are_plain: false }
    }

    /// The same settings for every channel.
    #[must_use]
    pub fn all(settings: Settings) -> Self {
        let are_plain = settings.fields.is_none() && settings.events_a_second.is_none();
        Self { settings: Arc::new(move |_| settings.clone()), are_plain }
    }

    /// What holds for this channel.
    #[must_use]
    pub fn of(&self, channel: &str) -> Settings {
        (self.settings)(channel)
    }

    /// Whether every channel takes everything.
    pub(crate) const fn are_plain(&self) -> bool {
        self.are_plain
    }
}

impl Default for Rules {
    fn default() -> Self {
        Self::all(Settings::default())
    }
}

impl fmt::Debug for Rules {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Rules").finish_non_exhaustive()
    }
}
