//! How all of a board is, for who sees a few pixels of it.

use super::Freshness;

/// A board in one line: the worst that is said of any of its sources and widgets, and how much of it means something.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Summary {
    /// The board's title.
    pub title: String,
    /// The worst that is said of a source or a widget, by [`Freshness::gravity`]; unknown for a board that has neither.
    pub worst: Freshness,
    /// The source that is worst, unless all are current.
    pub source: Option<SourceSummary>,
    /// How many widgets there are.
    pub widgets: usize,
    /// How many of them aren't current.
    pub unwell: usize,
    /// How many say alarm in what they show, current or not.
    pub alarms: usize,
    /// How many say warning at worst, current or not.
    pub warnings: usize,
}

/// A source that isn't current.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SourceSummary {
    /// Its name for people.
    pub title: String,
    /// What is said of it.
    pub freshness: Freshness,
    /// The last proof before that, by this machine's clock, milliseconds since the Unix epoch; none if there never was one.
    pub began_ms: Option<i64>,
}

impl Freshness {
    /// How bad it is for who must choose one to tell: a link that is lost is told before a number that never was.
    #[must_use]
    pub const fn gravity(self) -> u8 {
        match self {
            Self::Live => 0,
            Self::Polling => 1,
            Self::CatchingUp => 2,
            Self::Unknown => 3,
            Self::Stale => 4,
            Self::Down => 5,
            Self::Refused => 6,
        }
    }
}
