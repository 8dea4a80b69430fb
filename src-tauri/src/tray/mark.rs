//! What the mark says: a state for the eye, and the same in words. Pure.

use jiff::{Timestamp, tz::TimeZone};
use watchfloor_board::freshness::{Freshness, Summary};

/// Letters of a name that are said; the rest is an ellipsis.
const NAME_MAX: usize = 40;

/// How current the wall is at worst.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Link {
    /// All is as good as it is promised.
    Live,
    /// Connected, and what was missed is on its way.
    CatchingUp,
    /// Nothing proves it current any more.
    Stale,
    /// A link is lost.
    Down,
    /// A server says no.
    Refused,
    /// Nothing is known: of some of it, or since the engine doesn't answer.
    Unknown,
}

impl Link {
    #[cfg(test)]
    pub(super) const ALL: [Self; 6] =
        [Self::Live, Self::CatchingUp, Self::Stale, Self::Down, Self::Refused, Self::Unknown];

    const fn of(freshness: Freshness) -> Self {
        match freshness {
            Freshness::Live | Freshness::Polling => Self::Live,
            Freshness::CatchingUp => Self::CatchingUp,
            Freshness::Stale => Self::Stale,
            Freshness::Down => Self::Down,
            Freshness::Refused => Self::Refused,
            Freshness::Unknown => Self::Unknown,
        }
    }
}

/// The worst that the numbers themselves say.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Badge {
    /// Nothing is amiss.
    None,
    /// Somebody should look.
    Warning,
    /// Somebody must act.
    Alarm,
}

impl Badge {
    #[cfg(test)]
    pub(super) const ALL: [Self; 3] = [Self::None, Self::Warning, Self::Alarm];
}

/// What is shown of the wall.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Told {
    pub(super) link: Link,
    pub(super) badge: Badge,
    /// Whose.
    pub(super) title: String,
    /// The same in one line.
    pub(super) words: String,
}

impl Told {
    /// Before there is anything to say.
    pub(super) fn starting() -> Self {
        Self::nothing("starting")
    }

    /// The engine has ended, and the program is about to.
    pub(super) fn ended() -> Self {
        Self::nothing("UNKNOWN: the engine has stopped")
    }

    /// Nothing was heard in time (H1).
    pub(super) fn silent() -> Self {
        Self::nothing("UNKNOWN: the engine does not answer")
    }

    fn nothing(words: &str) -> Self {
        Self { link: Link::Unknown, badge: Badge::None, title: "Watchfloor".to_owned(), words: words.to_owned() }
    }

    /// Of what the engine says of its board, with times of this machine's zone.
    pub(super) fn of(summary: &Summary) -> Self {
        Self::in_zone(summary, &TimeZone::system())
    }

    fn in_zone(summary: &Summary, zone: &TimeZone) -> Self {
        let mut words = vec![link_words(summary, zone)];
        words.extend(count(summary.alarms, "alarm"));
        words.extend(count(summary.warnings, "warning"));
        let badge = match (summary.alarms, summary.warnings) {
            (1.., _) => Badge::Alarm,
            (0, 1..) => Badge::Warning,
            (0, 0) => Badge::None,
        };
        let title = match name(&summary.title) {
            title if title.is_empty() => "Watchfloor".to_owned(),
            title => format!("{title} – Watchfloor"),
        };
        Self { link: Link::of(summary.worst), badge, title, words: words.join(", ") }
    }

    /// What must be looked at isn't hidden by the tray.
    pub(super) const fn status(&self) -> &'static str {
        match (self.badge, self.link) {
            (Badge::Alarm, _) | (_, Link::Down | Link::Refused | Link::Stale) => "NeedsAttention",
            (Badge::None | Badge::Warning, Link::Live | Link::CatchingUp | Link::Unknown) => "Active",
        }
    }
}

/// `Orders: DOWN since 14:02`, or what is said where no source is to blame.
fn link_words(summary: &Summary, zone: &TimeZone) -> String {
    let worst = word(summary.worst);
    let own = summary.source.as_ref().filter(|source| source.freshness == summary.worst);
    let Some(source) = own else {
        return match (summary.worst, summary.unwell) {
            (Freshness::Live | Freshness::Polling, _) => format!("all {worst}"),
            (_, count) => format!("{worst}: {count} of {} widgets not live", summary.widgets),
        };
    };
    let since = source.began_ms.and_then(|ms| Timestamp::from_millisecond(ms).ok()).map(|began| {
        let began = began.to_zoned_datetime(zone.clone());
        let today = Timestamp::now().to_zoned_datetime(zone.clone()).date();
        let pattern = if began.date() == today { "%H:%M" } else { "%Y-%m-%d %H:%M" };
        format!(" since {}", began.strftime(pattern))
    });
    format!("{}: {worst}{}", name(&source.title), since.unwrap_or_default())
}

/// As the wall writes it: what is well in small letters.
const fn word(freshness: Freshness) -> &'static str {
    match freshness {
        Freshness::Live => "live",
        Freshness::Polling => "polling",
        Freshness::CatchingUp => "CATCHING UP",
        Freshness::Stale => "STALE",
        Freshness::Down => "DOWN",
        Freshness::Refused => "REFUSED",
        Freshness::Unknown => "UNKNOWN",
    }
}

fn count(number: usize, what: &str) -> Option<String> {
    match number {
        0 => None,
        1 => Some(format!("1 {what}")),
        more => Some(format!("{more} {what}s")),
    }
}

/// A name of the board file's, bounded. Some trays read marks in a text, others don't: it has none (H8).
fn name(text: &str) -> String {
    let mut letters = text.chars().filter(|letter| !letter.is_control()).map(|letter| match letter {
        '<' => '‹',
        '>' => '›',
        '&' => '+',
        letter => letter,
    });
    let mut name: String = letters.by_ref().take(NAME_MAX).collect();
    if letters.next().is_some() {
        name.push('…');
    }
    name
}

#[cfg(test)]
mod tests {
    use watchfloor_board::freshness::SourceSummary;

    use super::*;

    fn live() -> Summary {
        Summary { title: "Orders".into(), worst: Freshness::Live, widgets: 12, ..Summary::default() }
    }

    fn told(summary: &Summary) -> Told {
        Told::in_zone(summary, &TimeZone::UTC)
    }

    /// H1: whatever isn't live is never drawn as live, and says so in words.
    #[test]
    fn only_what_is_live_says_so() {
        for freshness in Freshness::ALL {
            let told = told(&Summary { worst: freshness, unwell: 3, ..live() });
            assert_eq!(told.link == Link::Live, freshness.is_current(), "{freshness:?}");
            assert_eq!(told.words.contains("not live"), !freshness.is_current(), "{told:?}");
        }
        for nothing in [Told::starting(), Told::ended(), Told::silent()] {
            assert_eq!((nothing.link, nothing.badge), (Link::Unknown, Badge::None));
        }
        assert_ne!(told(&Summary::default()).link, Link::Live, "a board without anything proves nothing");
    }

    #[test]
    fn the_same_is_said_in_words() {
        assert_eq!(told(&live()).words, "all live");
        assert_eq!(told(&Summary { warnings: 1, ..live() }).words, "all live, 1 warning");
        let source =
            SourceSummary { title: "Orders".into(), freshness: Freshness::Down, began_ms: Some(1_360_335_720_000) };
        let down = Summary { worst: Freshness::Down, unwell: 12, alarms: 2, source: Some(source), ..live() };
        let said = told(&down);
        assert_eq!(said.words, "Orders: DOWN since 2013-02-08 15:02, 2 alarms");
        assert_eq!((said.title.as_str(), said.status()), ("Orders – Watchfloor", "NeedsAttention"));
        let began_ms = Some(Timestamp::now().as_millisecond());
        let just = Summary { source: down.source.clone().map(|own| SourceSummary { began_ms, ..own }), ..down };
        let words = told(&just).words;
        assert_eq!(words.len(), "Orders: DOWN since 15:02, 2 alarms".len(), "{words}");
    }

    /// H8: what a name says is text, and bounded.
    #[test]
    fn names_are_text() {
        let title = format!("<b>&{}\n", "x".repeat(500));
        let said = told(&Summary { title, ..live() }).title;
        assert!(said.starts_with("‹b›+xxx") && said.contains('…') && said.chars().count() < 60, "{said}");
    }
}
