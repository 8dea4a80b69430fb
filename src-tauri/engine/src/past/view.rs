//! The glass at an instant: what was recorded last, aged by the time since, and what has to be said of it.

use std::time::Duration;

use watchfloor_board::{
    frame::{Frame, Quality, Said, SourceView},
    freshness::{Freshness, span_words},
};
use watchfloor_model::Timestamp;

use super::{HOLE_AFTER, body::Glass, error::words, reader::why, reel::Reel};

/// A page that had painted nothing for this long was not what people saw: the strip beside it said so.
const UNSEEN_AFTER: Duration = Duration::from_secs(2);
/// What was live is drawn as live for so long by the page's own clock, unless a newer frame comes: see [`super::player`].
const SHOWN_FOR: Duration = Duration::from_secs(3);

/// What there is to see of an instant.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct View {
    /// The instant.
    pub(super) at: Timestamp,
    /// Everything that a page held; none if nothing is known.
    pub(super) frame: Option<Frame>,
    /// Why it was not on the glass.
    pub(super) unseen: Option<String>,
    /// What is wrong with the record.
    pub(super) damage: Option<String>,
    /// Why nothing is recorded.
    pub(super) hole: Option<String>,
}

/// The glass at `at`, to which `reel` is wound.
pub(super) fn view(reel: &Reel, at: Timestamp) -> View {
    let Some(scene) = reel.scene() else {
        return View { at, frame: None, unseen: None, damage: None, hole: Some("nothing is recorded yet".into()) };
    };
    let since = at.since(scene.at);
    let next = reel.next();
    // A record that is followed in time by another holds until then: whatever changed is in that one.
    // Its own instant is proven by itself.
    let ahead = reel.damage_ahead().filter(|_| at > scene.at);
    let holds = next.is_some_and(|(next, _)| next.since(scene.at) <= HOLE_AFTER) && ahead.is_none();
    let hole = (!holds && since > HOLE_AFTER).then(|| match next {
        Some((next, kind)) => format!("nothing is recorded for {}: {}", span_words(next.since(scene.at)), why(kind)),
        None => "the record ends here".to_owned(),
    });
    let damage = scene
        .damage
        .as_ref()
        .or(ahead.as_ref())
        .map(|damage| format!("record of {}: {}", words(damage.at), damage.what));
    let broken = damage.as_ref().map(|damage| format!("record changed or damaged: {damage}"));
    let doubted = broken.as_ref().or(hole.as_ref());
    let frame = scene.held.clone().map(|frame| Frame {
        sources: frame.sources.iter().cloned().map(|source| doubt_source(source, doubted)).collect(),
        clock: watchfloor_board::frame::ClockView {
            wall_ms: at.as_millis(),
            board_ms: board_ms(&frame, since.min(HOLE_AFTER)),
            ..frame.clock.clone()
        },
        widgets: frame
            .widgets
            .iter()
            .cloned()
            .map(|mut patch| {
                age(&mut patch.quality, since, holds);
                if let Some(broken) = &broken {
                    doubt(&mut patch.quality, broken);
                }
                patch
            })
            .collect(),
        ..frame
    });
    View { at, frame, unseen: unseen(scene.glass), damage, hole }
}

/// The board's time goes on at its own speed.
fn board_ms(frame: &Frame, since: Duration) -> i64 {
    let speed = if frame.clock.speed.is_finite() { frame.clock.speed.max(0.0) } else { 0.0 };
    let by = Duration::try_from_secs_f64(since.as_secs_f64() * speed).unwrap_or_default();
    Timestamp::from_millis(frame.clock.board_ms).plus(by).as_millis()
}

fn age(quality: &mut Quality, since: Duration, holds: bool) {
    let by = u64::try_from(since.as_millis()).unwrap_or(u64::MAX);
    quality.age_ms = quality.age_ms.map(|age| age.saturating_add(by));
    quality.received_ago_ms = quality.received_ago_ms.map(|age| age.saturating_add(by));
    if !quality.freshness.is_current() {
        return;
    }
    if !holds && by > quality.live_for_ms {
        quality.freshness = Freshness::Stale;
        quality.reason = Some(Said::NotRenewed.to_string());
        quality.said = Some(Said::NotRenewed);
        quality.live_for_ms = 0;
    } else {
        quality.live_for_ms = u64::try_from(SHOWN_FOR.as_millis()).unwrap_or(u64::MAX);
    }
}

/// What can't be proven to be what was shown isn't shown as if it were.
fn doubt(quality: &mut Quality, why: &str) {
    if matches!(quality.freshness, Freshness::Refused | Freshness::Unknown) {
        return;
    }
    quality.freshness = Freshness::Stale;
    quality.reason = Some(why.to_owned());
    quality.said = None;
    quality.live_for_ms = 0;
}

/// The same of a source.
fn doubt_source(source: SourceView, why: Option<&String>) -> SourceView {
    match why {
        Some(why) if source.freshness.is_current() => {
            SourceView { freshness: Freshness::Stale, words: why.clone(), said: None, ..source }
        }
        _ => source,
    }
}

fn unseen(glass: Glass) -> Option<String> {
    if glass.looked_back {
        return Some("the glass showed the past".to_owned());
    }
    if glass.drilled {
        return Some("the glass showed a lamp test".to_owned());
    }
    match glass.painted_ago_ms.map(Duration::from_millis) {
        None => Some("no page had painted since the program's start".to_owned()),
        Some(ago) if ago > UNSEEN_AFTER => Some(format!("the page had painted nothing for {}", span_words(ago))),
        Some(_) => None,
    }
}
