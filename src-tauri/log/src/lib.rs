//! What every program of Watchfloor logs, and how it looks on stderr: one meaning of `WATCHFLOOR_LOG` for all of them.

use std::{
    env,
    fmt::{self, Display},
    io::{self, IsTerminal},
    str::FromStr,
};

use tracing::{Level, Metadata, Subscriber, level_filters::LevelFilter};
use tracing_subscriber::{
    Layer,
    filter::{FilterExt, Targets, filter_fn},
    fmt::layer,
    layer::{Filter, SubscriberExt},
    registry::LookupSpan,
    util::SubscriberInitExt,
};

/// Environment variable that sets the levels: `debug`, or `info,watchfloor_feed=debug`.
pub const VARIABLE: &str = "WATCHFLOOR_LOG";

/// What is logged.
#[derive(Clone, Debug, PartialEq)]
pub struct Levels(Targets);

/// A text that names no levels.
#[derive(Debug, PartialEq, Eq)]
pub struct NoLevels {
    found: String,
    piece: String,
}

impl Display for NoLevels {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{VARIABLE} is {:?}", self.found)?;
        if self.piece != self.found {
            write!(f, ", of which {:?} is no level", self.piece)?;
        }
        f.write_str(": expected error, warn, info, debug, trace or off, or a list such as `info,watchfloor_feed=debug`")
    }
}

impl std::error::Error for NoLevels {}

impl Default for Levels {
    fn default() -> Self {
        Self(Targets::new().with_default(LevelFilter::INFO))
    }
}

impl FromStr for Levels {
    type Err = NoLevels;

    /// A level, `target=level`, or a list of them. What the list doesn't name is logged at `info`.
    fn from_str(text: &str) -> Result<Self, NoLevels> {
        let mut levels = Self::default();
        for piece in text.split(',').map(str::trim).filter(|piece| !piece.is_empty()) {
            let wrong = || NoLevels { found: text.to_owned(), piece: piece.to_owned() };
            levels.0 = match piece.split_once('=') {
                None => levels.0.with_default(level(piece).ok_or_else(wrong)?),
                Some((target, word)) if is_target(target) => {
                    levels.0.with_target(target, level(word).ok_or_else(wrong)?)
                }
                Some(_) => return Err(wrong()),
            };
        }
        Ok(levels)
    }
}

/// The filter's own reader takes any word for a target, so that a mistyped level would silence everything.
fn level(word: &str) -> Option<LevelFilter> {
    const LEVELS: [(&str, LevelFilter); 6] = [
        ("error", LevelFilter::ERROR),
        ("warn", LevelFilter::WARN),
        ("info", LevelFilter::INFO),
        ("debug", LevelFilter::DEBUG),
        ("trace", LevelFilter::TRACE),
        ("off", LevelFilter::OFF),
    ];
    LEVELS.into_iter().find(|(name, _)| word.eq_ignore_ascii_case(name)).map(|(_, level)| level)
}

fn is_target(text: &str) -> bool {
    text.split("::").all(|part| !part.is_empty() && part.chars().all(|c| c.is_ascii_alphanumeric() || c == '_'))
}

impl Levels {
    /// What [`VARIABLE`] asks for.
    ///
    /// # Errors
    /// If it names no levels.
    pub fn from_environment() -> Result<Self, NoLevels> {
        env::var_os(VARIABLE).map_or_else(|| Ok(Self::default()), |text| text.to_string_lossy().parse())
    }

    /// The filter for one writer.
    pub fn filter<S: Subscriber>(&self) -> impl Filter<S> + use<S> {
        self.0.clone().and(filter_fn(is_loggable))
    }

    /// Lines for stderr, with colours where a person reads them.
    pub fn stderr<S: Subscriber + for<'a> LookupSpan<'a>>(&self) -> impl Layer<S> + use<S> {
        let coloured =
            wants_colour(io::stderr().is_terminal(), env::var_os("NO_COLOR").is_some_and(|no| !no.is_empty()));
        layer().with_ansi(coloured).with_writer(io::stderr).with_filter(self.filter())
    }

    /// Logs this process to stderr and nowhere else. A second call in one process changes nothing.
    pub fn start(&self) {
        if tracing_subscriber::registry().with(self.stderr()).try_init().is_err() {
            tracing::debug!("logging was started before");
        }
    }
}

/// A file or a journal that collects stderr shows the codes as they are. `NO_COLOR` is everybody's variable for "none at all".
const fn wants_colour(is_terminal: bool, refused: bool) -> bool {
    is_terminal && !refused
}

/// H8: libraries may write headers and messages into their details, so of others than this workspace's crates only what
/// everybody sees by default is logged, whatever level is set.
fn is_loggable(metadata: &Metadata<'_>) -> bool {
    metadata.target().starts_with("watchfloor") || *metadata.level() <= Level::INFO
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn levels_are_read_as_documented() {
        let levels = |text: &str| text.parse::<Levels>();
        let enabled =
            |text: &str, target: &str, level: Level| levels(text).is_ok_and(|l| l.0.would_enable(target, &level));
        assert_eq!(levels(""), Ok(Levels::default()));
        assert!(enabled("", "watchfloor", Level::INFO) && !enabled("", "watchfloor", Level::DEBUG));
        assert!(enabled("Debug", "watchfloor_feed", Level::DEBUG));
        let list = "warn, watchfloor_feed=trace";
        assert!(enabled(list, "watchfloor_feed::link", Level::TRACE) && !enabled(list, "watchfloor", Level::INFO));
        let one = "watchfloor_feed=debug";
        assert!(enabled(one, "watchfloor_feed", Level::DEBUG) && enabled(one, "watchfloor", Level::INFO));
        assert!(!enabled("off", "watchfloor", Level::ERROR));
    }

    /// A word that is no level was taken for a target, and the log stayed empty.
    #[test]
    fn other_words_are_refused_with_those_that_are_known() {
        for (text, piece) in [
            ("loud", "loud"),
            ("info,watchfloor_feed", "watchfloor_feed"),
            ("info,watchfloor_feed=loud", "watchfloor_feed=loud"),
            ("=debug", "=debug"),
            ("a b=debug", "a b=debug"),
            ("7", "7"),
        ] {
            let error = text.parse::<Levels>().expect_err(text).to_string();
            for word in [VARIABLE, piece, "error, warn, info, debug, trace or off"] {
                assert!(error.contains(word), "{text:?}: {error}");
            }
            assert!(!error.contains('\n'), "{error}");
        }
    }

    #[test]
    fn colours_are_for_terminals() {
        assert!(wants_colour(true, false));
        assert!(!wants_colour(false, false) && !wants_colour(true, true));
    }
}
