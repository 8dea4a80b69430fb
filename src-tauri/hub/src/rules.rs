//! What holds for a channel, by its name.

use std::{fmt, sync::Arc};

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
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Settings {
    /// What a crash may take of it.
    pub durability: Durability,
}

/// What holds for which channel: a function of its name, asked once for each channel.
#[derive(Clone)]
pub struct Rules(Arc<dyn Fn(&str) -> Settings + Send + Sync>);

impl Rules {
    /// Settings by the channel's name.
    pub fn new(settings: impl Fn(&str) -> Settings + Send + Sync + 'static) -> Self {
        Self(Arc::new(settings))
    }

    /// The same settings for every channel.
    #[must_use]
    pub fn all(settings: Settings) -> Self {
        Self::new(move |_| settings)
    }

    /// What holds for this channel.
    #[must_use]
    pub fn of(&self, channel: &str) -> Settings {
        (self.0)(channel)
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
