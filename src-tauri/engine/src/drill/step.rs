//! The steps of a lamp test: what is done, what must then be seen of each widget, and how soon.

use std::time::Duration;

use watchfloor_board::{
    config::spec::BoardFile,
    frame::{GlassSeen, Quality, WidgetSeen},
    freshness::Freshness,
};
use watchfloor_model::Continuity;

use super::peer::Fault;

/// What is seen later than a limit by no more than this is in time (H1).
pub(super) const FOUND_AFTER: Duration = Duration::from_secs(1);
/// A page that gets no answer marks everything after two heartbeats.
const SILENT_AFTER: Duration = Duration::from_secs(2);
/// The window says after this that its page paints nothing.
const STRIP_AFTER: Duration = Duration::from_secs(2);
/// So long a page is made to stand still: long enough for the window to say so, not for its page to be started again.
const STALL: Duration = Duration::from_millis(3000);
/// A publisher's promise is broken after this, from when it falls silent.
const QUIET_LEAD: Duration = Duration::from_secs(3);
/// A link is given up after this at the latest, however patient its widgets are.
const LINK_LIMIT_MAX: Duration = Duration::from_secs(30);
/// The first, and everything that is mended, is as it was after this.
pub(super) const WHOLE_WITHIN: Duration = Duration::from_secs(5);

/// One step.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Step {
    /// Nothing is done.
    Baseline,
    /// The link breaks.
    Cut,
    /// The link stands and brings nothing.
    HalfOpen,
    /// What was missed can't be had.
    Gap,
    /// The server lets nobody in.
    Refusal,
    /// The publisher falls silent behind a healthy server.
    Stale,
    /// The page gets no answer.
    NoAnswer,
    /// The page stands still.
    Stall,
}

impl Step {
    /// Every step, in its order.
    pub(super) const ALL: [Self; 8] =
        [Self::Baseline, Self::Cut, Self::HalfOpen, Self::Gap, Self::Refusal, Self::Stale, Self::NoAnswer, Self::Stall];

    /// As people are told it.
    pub(super) const fn name(self) -> &'static str {
        match self {
            Self::Baseline => "baseline",
            Self::Cut => "cut",
            Self::HalfOpen => "half-open",
            Self::Gap => "gap",
            Self::Refusal => "refusal",
            Self::Stale => "stale",
            Self::NoAnswer => "no answer",
            Self::Stall => "page stalls",
        }
    }

    /// What must be shown.
    pub(super) const fn expects(self) -> &'static str {
        match self {
            Self::Baseline => "live, as it was",
            Self::Cut => "down, with the cause",
            Self::HalfOpen => "not live",
            Self::Gap => "what is incomplete says so",
            Self::Refusal => "value hidden, cause shown",
            Self::Stale => "stale",
            Self::NoAnswer => "all stale by the page's clock",
            Self::Stall => "the window says so",
        }
    }

    /// What is done to the sources.
    pub(super) const fn fault(self) -> Fault {
        match self {
            Self::Baseline | Self::NoAnswer | Self::Stall => Fault::None,
            Self::Cut => Fault::Cut,
            Self::HalfOpen => Fault::HalfOpen,
            Self::Gap => Fault::Gap,
            Self::Refusal => Fault::Refusal,
            Self::Stale => Fault::Quiet,
        }
    }

    /// Whether it is about the page alone, so that there must be one.
    pub(super) const fn needs_glass(self) -> bool {
        matches!(self, Self::NoAnswer | Self::Stall)
    }

    /// How soon it must be seen of a widget of this source.
    pub(super) fn limit(self, file: &BoardFile, widget: &str) -> Duration {
        let spec = file.widgets.iter().find(|spec| spec.id == widget);
        let of_widget = spec.map_or(file.board.stale_after, |spec| spec.stale_after).min(LINK_LIMIT_MAX);
        match self {
            Self::Baseline => WHOLE_WITHIN,
            Self::Cut | Self::HalfOpen | Self::Gap | Self::Refusal => of_widget + FOUND_AFTER,
            Self::Stale => {
                let source = spec.and_then(|spec| file.source(&spec.source));
                lead(source.and_then(|source| source.quiet)) + FOUND_AFTER
            }
            Self::NoAnswer => SILENT_AFTER + FOUND_AFTER,
            Self::Stall => STRIP_AFTER + FOUND_AFTER,
        }
    }

    /// About how long it takes until it is seen.
    pub(super) const fn seen_after(self, limit: Duration) -> Duration {
        match self {
            Self::Baseline | Self::Cut | Self::Gap | Self::Refusal => Duration::from_millis(500),
            Self::HalfOpen | Self::Stale | Self::NoAnswer | Self::Stall => limit.saturating_sub(FOUND_AFTER),
        }
    }

    /// How long it is left to be seen by people.
    pub(super) const fn dwell(self) -> Duration {
        match self {
            Self::Baseline => Duration::from_secs(1),
            // Longer, and the page would be started again.
            Self::NoAnswer | Self::Stall => Duration::ZERO,
            Self::Cut | Self::HalfOpen | Self::Gap | Self::Refusal | Self::Stale => Duration::from_secs(2),
        }
    }

    /// How long the page is made to stand still.
    pub(super) const fn stall(self) -> Duration {
        match self {
            Self::Stall => STALL,
            _ => Duration::ZERO,
        }
    }

    /// What is missing from what must be seen of a widget; nothing if nothing is. `told` is what the page was told.
    pub(super) fn lacking(self, told: &Quality, kind: Kind, seen: &WidgetSeen) -> Option<String> {
        let shown = seen.freshness;
        let wrong = || Some(format!("shown as {}", shown.word()));
        match self {
            Self::Baseline if !shown.is_current() => wrong(),
            Self::Baseline => missing(&[(seen.mark, "its mark"), (seen.value, "its value")]),
            Self::Cut if shown != Freshness::Down => wrong(),
            Self::Stale | Self::NoAnswer if shown != Freshness::Stale => wrong(),
            Self::HalfOpen if shown.is_current() => wrong(),
            Self::Refusal if shown != Freshness::Refused => wrong(),
            Self::Refusal if seen.value => Some("its value can be seen".to_owned()),
            Self::Cut | Self::HalfOpen | Self::Refusal | Self::Stale | Self::NoAnswer => doubt(seen),
            Self::Gap if !shown.is_current() => wrong(),
            Self::Gap => {
                let is_incomplete = told.incomplete_until_ms.is_some() || told.basis == Continuity::Unknown;
                match (is_incomplete, kind) {
                    (false, _) => Some("not told that anything is missing".to_owned()),
                    // A chart hatches its gap on its canvas.
                    (true, Kind::Chart) => None,
                    (true, Kind::Other) => missing(&[(seen.lacks, "≥ or since when")]),
                }
            }
            Self::Stall => None,
        }
    }

    /// What is missing from what must be seen of a source in the head line.
    pub(super) fn source_lacking(self, seen: &GlassSeen, source: &str) -> Option<String> {
        let words = seen.sources.iter().find(|own| own.id == source).map(|own| own.words.as_str());
        let says = |any: &[&str]| words.is_some_and(|words| any.iter().any(|one| words.contains(one)));
        let is_told = match self {
            Self::Cut => says(&["connection", "lost"]),
            Self::Refusal => says(&["denied", "refused"]),
            _ => true,
        };
        (!is_told).then(|| format!("the head line does not say why: {:?}", words.unwrap_or_default()))
    }
}

/// How long before its promise is broken a publisher falls silent.
pub(super) fn lead(quiet: Option<Duration>) -> Duration {
    quiet.map_or(QUIET_LEAD, |quiet| QUIET_LEAD.min(quiet / 2))
}

/// How a widget says that something may be missing.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    /// On a canvas.
    Chart,
    /// By a sign or in words.
    Other,
}

/// What isn't live is told from what is without colour: by shape, word, hatch and edge (design section 5).
fn doubt(seen: &WidgetSeen) -> Option<String> {
    let hatched = matches!(seen.freshness, Freshness::Stale | Freshness::Down);
    let spoken = seen.word.to_lowercase().contains(spoken(seen.freshness));
    let parts = [
        (seen.mark, "its mark"),
        (spoken, "the word"),
        (seen.hatch || !hatched, "the hatch"),
        (seen.edge, "the dashed edge"),
    ];
    missing(&parts)
}

/// The word that people read.
fn spoken(freshness: Freshness) -> &'static str {
    match freshness {
        Freshness::CatchingUp => "catching",
        other => other.word(),
    }
}

fn missing(parts: &[(bool, &str)]) -> Option<String> {
    let lost: Vec<&str> = parts.iter().filter(|(is_there, _)| !is_there).map(|(_, what)| *what).collect();
    (!lost.is_empty()).then(|| format!("can't be seen: {}", lost.join(", ")))
}
