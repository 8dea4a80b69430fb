//! The history of each source's link: when it was lost, why, and what became of what was missed.
//!
//! Pure: told what comes on the way to the journal, in order, with the instant. The journal keeps what it says.

use std::{
    collections::{BTreeSet, VecDeque},
    sync::Arc,
};

use watchfloor_board::frame::Outage as OutageView;
use watchfloor_model::{Continuity, Gap, Mono, Phase, SourceStatus, Timestamp};

/// Most outages kept; of more, the oldest go.
pub(crate) const KEPT_MAX: usize = 1000;
/// The newest of them that a page gets.
const SHOWN_MAX: usize = 100;
/// Bytes of a cause that are kept.
const CAUSE_BYTES_MAX: usize = 300;

/// A stretch in which a source was not live.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Outage {
    /// Counts up.
    pub(crate) id: i64,
    /// Whose.
    pub(crate) source: Arc<str>,
    /// The last proof before, by this machine's clock.
    pub(crate) began: Timestamp,
    /// Live again; none while it lasts.
    pub(crate) ended: Option<Timestamp>,
    /// The same by the source's clock, where that is known.
    pub(crate) source_began: Option<Timestamp>,
    /// See `source_began`.
    pub(crate) source_ended: Option<Timestamp>,
    /// Why, for people.
    pub(crate) cause: String,
    /// How the worst of its gaps was closed; none if there was nothing to miss.
    pub(crate) proof: Option<Continuity>,
    /// Events within its gaps; none if that can't be told of one.
    pub(crate) missed: Option<u64>,
}

impl Outage {
    /// As a page gets it.
    pub(crate) fn view(&self) -> OutageView {
        OutageView {
            source: self.source.to_string(),
            began_ms: self.began.as_millis(),
            ended_ms: self.ended.map(Timestamp::as_millis),
            source_began_ms: self.source_began.map(Timestamp::as_millis),
            source_ended_ms: self.source_ended.map(Timestamp::as_millis),
            cause: self.cause.clone(),
            became: self.proof,
            missed: self.missed,
        }
    }
}

/// Now, by both clocks.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Now {
    /// Measures.
    pub(crate) mono: Mono,
    /// What people read.
    pub(crate) wall: Timestamp,
}

impl Now {
    fn wall_at(self, instant: Mono) -> Timestamp {
        self.wall.minus(self.mono.since(instant))
    }
}

/// The history of all sources.
#[derive(Debug, Default)]
pub(crate) struct Outages {
    /// Oldest first.
    list: VecDeque<Outage>,
    /// Sources that are live.
    live: BTreeSet<Arc<str>>,
    /// Sources that were, or of which something is known from before.
    met: BTreeSet<Arc<str>>,
    /// Sources whose outage has no cause yet but a doubt: what ends the link then says more.
    doubted: BTreeSet<Arc<str>>,
    /// Numbers of those that changed since they were last taken.
    changed: BTreeSet<i64>,
}

impl Outages {
    /// Goes on from what the journal holds, oldest first. What had not ended ended with the program.
    pub(crate) fn new(stored: Vec<Outage>) -> Self {
        let met = stored.iter().map(|outage| Arc::clone(&outage.source)).collect();
        Self { list: stored.into(), met, ..Self::default() }
    }

    /// The program didn't run since `until`: whatever this source said meanwhile was missed.
    pub(crate) fn note_stop(&mut self, source: &Arc<str>, until: Timestamp) {
        const CAUSE: &str = "the wall was not running";
        self.met.insert(Arc::clone(source));
        match self.open(source) {
            // It was stopped in order.
            Some(open) if open.cause.is_empty() => CAUSE.clone_into(&mut open.cause),
            Some(_) => (),
            None => self.begin(source, until, None, CAUSE.to_owned()),
        }
    }

    /// Takes what is known of a source now.
    pub(crate) fn handle_status(&mut self, source: &Arc<str>, status: &SourceStatus, now: Now) {
        let cause = status.cause.as_ref().map(|cause| cut(&cause.text));
        if status.phase == Phase::Live {
            self.live.insert(Arc::clone(source));
            self.met.insert(Arc::clone(source));
            if let Some(open) = self.open(source) {
                open.ended = Some(now.wall);
                open.source_ended = status.clock.as_ref().map(|clock| clock.at(now.mono));
            }
        } else if self.live.remove(source) {
            let proof = status.link_proof.unwrap_or(now.mono);
            let at = status.clock.as_ref().map(|clock| clock.was_at(proof));
            self.begin(source, now.wall_at(proof), at, cause.unwrap_or_default());
            if status.phase == Phase::CatchingUp {
                self.doubted.insert(Arc::clone(source));
            } else {
                self.doubted.remove(source);
            }
        } else if let Some(cause) = cause {
            let is_loss = status.phase != Phase::CatchingUp;
            let was_doubted = is_loss && self.doubted.remove(source);
            // The first cause is the one that matters: what comes after it are tries.
            if let Some(open) = self.open_if(source, |open| open.cause.is_empty() || was_doubted) {
                open.cause = cause;
            }
        }
    }

    /// The board has no such source any more: nobody waits for it.
    pub(crate) fn handle_left(&mut self, source: &Arc<str>, now: Now) {
        self.live.remove(source);
        self.doubted.remove(source);
        if let Some(open) = self.open(source) {
            open.ended = Some(now.wall);
            if open.cause.is_empty() {
                "taken off the board".clone_into(&mut open.cause);
            }
        }
    }

    /// Takes a gap. One within a live link is an outage of its own, with all those that overlap it: as one in each channel.
    pub(crate) fn handle_gap(&mut self, source: &Arc<str>, gap: &Gap, now: Now) {
        if gap.from.is_none() && !self.met.contains(source) {
            // What was never there was not lost.
            return;
        }
        let (began, ended) = (now.wall_at(gap.began), now.wall_at(gap.ended));
        let overlaps = |last: &Outage| last.ended.is_none_or(|end| last.began <= ended && began <= end);
        match self.last_if(source, overlaps) {
            Some(last) => last.ended = last.ended.map(|end| end.max(ended)),
            None => {
                self.begin(source, began, None, cut(&gap.reason));
                if let Some(open) = self.open(source) {
                    open.ended = Some(ended);
                }
            }
        }
        let Some(last) = self.last(source) else { return };
        let missed = gap
            .from
            .as_ref()
            .zip(gap.to.as_ref())
            .and_then(|(from, to)| (from.epoch == to.epoch).then(|| to.offset.saturating_sub(from.offset)));
        last.missed = match last.proof {
            None => missed,
            Some(_) => last.missed.zip(missed).map(|(before, more)| before.saturating_add(more)),
        };
        last.proof = Some(last.proof.map_or(gap.proof, |proof| worse(proof, gap.proof)));
    }

    /// What changed since this was last asked, oldest first.
    pub(crate) fn take_changed(&mut self) -> Vec<Outage> {
        let changed = std::mem::take(&mut self.changed);
        if changed.is_empty() {
            // As it is nearly always, and this is asked after each transaction.
            return Vec::new();
        }
        self.list.iter().filter(|outage| changed.contains(&outage.id)).cloned().collect()
    }

    /// All, for a journal that begins anew.
    pub(crate) fn all(&self) -> impl Iterator<Item = &Outage> {
        self.list.iter()
    }

    /// The newest, as a page gets them, newest first.
    pub(crate) fn view(&self) -> Vec<OutageView> {
        self.list.iter().rev().take(SHOWN_MAX).map(Outage::view).collect()
    }

    fn begin(&mut self, source: &Arc<str>, began: Timestamp, source_began: Option<Timestamp>, cause: String) {
        let id = self.list.back().map_or(0, |last| last.id) + 1;
        self.changed.insert(id);
        self.list.push_back(Outage {
            id,
            source: Arc::clone(source),
            began,
            ended: None,
            source_began,
            source_ended: None,
            cause,
            proof: None,
            missed: None,
        });
        if self.list.len() > KEPT_MAX {
            self.list.pop_front();
        }
    }

    /// The source's newest outage, to be changed.
    fn last(&mut self, source: &str) -> Option<&mut Outage> {
        self.last_if(source, |_| true)
    }

    fn open(&mut self, source: &str) -> Option<&mut Outage> {
        self.open_if(source, |_| true)
    }

    fn open_if(&mut self, source: &str, is_it: impl Fn(&Outage) -> bool) -> Option<&mut Outage> {
        self.last_if(source, |last| last.ended.is_none() && is_it(last))
    }

    fn last_if(&mut self, source: &str, is_it: impl Fn(&Outage) -> bool) -> Option<&mut Outage> {
        let last = self.list.iter_mut().rev().find(|outage| *outage.source == *source)?;
        if !is_it(last) {
            return None;
        }
        self.changed.insert(last.id);
        Some(last)
    }
}

/// The worse one of both.
pub(crate) const fn worse(a: Continuity, b: Continuity) -> Continuity {
    match (a, b) {
        (Continuity::Unknown, _) | (_, Continuity::Unknown) => Continuity::Unknown,
        (Continuity::Snapshot, _) | (_, Continuity::Snapshot) => Continuity::Snapshot,
        (Continuity::Proven, Continuity::Proven) => Continuity::Proven,
    }
}

fn cut(text: &str) -> String {
    let end = (0..=CAUSE_BYTES_MAX.min(text.len())).rev().find(|end| text.is_char_boundary(*end));
    text[..end.unwrap_or_default()].to_owned()
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use watchfloor_model::{Position, SourceClock};

    use super::*;

    fn now(seconds: u64) -> Now {
        Now { mono: Mono::from_millis(seconds * 1000), wall: wall(seconds) }
    }

    fn wall(seconds: u64) -> Timestamp {
        Timestamp::from_millis(1_000_000).plus(Duration::from_secs(seconds))
    }

    fn status(phase: Phase, proof: u64, cause: Option<&str>) -> SourceStatus {
        let clock = SourceClock {
            at: Timestamp::from_millis(60_000 * i64::try_from(proof).expect("small")),
            read: Mono::from_millis(proof * 1000),
            speed: 60.0,
            label: None,
        };
        SourceStatus {
            phase,
            link_proof: Some(Mono::from_millis(proof * 1000)),
            cause: cause.map(Into::into),
            clock: Some(clock),
            ..SourceStatus::default()
        }
    }

    fn gap(proof: Continuity, from: &str, to: &str) -> Gap {
        Gap {
            channel: "c".into(),
            from: from.parse().ok(),
            to: to.parse::<Position>().ok(),
            proof,
            reason: "history trimmed".into(),
            began: Mono::from_millis(20_000),
            ended: Mono::from_millis(21_000),
            source_times: None,
        }
    }

    /// Who was taken off the board isn't waited for.
    #[test]
    fn who_has_left_is_not_lost() {
        let (mut own, ops) = (Outages::default(), Arc::from("ops"));
        own.handle_status(&ops, &status(Phase::Live, 2, None), now(2));
        own.handle_status(&ops, &status(Phase::Idle, 8, None), now(8));
        own.handle_left(&ops, now(9));
        let [told] = &own.view()[..] else { panic!("one") };
        assert_eq!((told.ended_ms, &*told.cause), (Some(wall(9).as_millis()), "taken off the board"));
        own.handle_left(&ops, now(10));
        assert_eq!(own.view().len(), 1);
    }

    /// A loss is told from its last proof to the instant of being live again, with its first cause and what became of the gaps.
    #[test]
    fn a_loss_has_a_beginning_a_cause_and_an_end() {
        let (mut own, ops) = (Outages::default(), Arc::from("ops"));
        own.handle_status(&ops, &status(Phase::Connecting, 0, None), now(1));
        assert!(own.view().is_empty(), "what was never there was not lost");
        own.handle_status(&ops, &status(Phase::Live, 2, None), now(2));
        own.handle_status(&ops, &status(Phase::Waiting, 8, Some("connection reset")), now(10));
        own.handle_status(&ops, &status(Phase::Waiting, 8, Some("connection refused")), now(11));
        let [open] = &own.take_changed()[..] else { panic!("one") };
        assert_eq!((open.began, open.ended, &*open.cause), (wall(8), None, "connection reset"));
        own.handle_gap(&ops, &gap(Continuity::Proven, "e:3", "e:7"), now(12));
        own.handle_gap(&ops, &gap(Continuity::Snapshot, "e:1", "e:2"), now(12));
        own.handle_status(&ops, &status(Phase::Live, 13, None), now(13));
        let view = own.view();
        let [told] = &view[..] else { panic!("one") };
        assert_eq!(
            (told.ended_ms, told.became, told.missed),
            (Some(wall(13).as_millis()), Some(Continuity::Snapshot), Some(5))
        );
        assert_eq!((told.source_began_ms, told.source_ended_ms), (Some(480_000), Some(780_000)));
        assert_eq!(own.take_changed().len(), 1);
        assert!(own.take_changed().is_empty());
    }

    /// A link that is doubted before it is given up was lost for what it was given up for.
    #[test]
    fn a_doubt_is_no_cause_if_there_is_a_better_one() {
        let (mut own, ops) = (Outages::default(), Arc::from("ops"));
        let mut tell = |phase, second, cause| {
            own.handle_status(&ops, &status(phase, second, cause), now(second));
            own.view().first().map(|outage| outage.cause.clone())
        };
        tell(Phase::Live, 1, None);
        assert_eq!(tell(Phase::CatchingUp, 2, Some("too slow")).as_deref(), Some("too slow"));
        assert_eq!(tell(Phase::Waiting, 3, Some("nothing heard")).as_deref(), Some("nothing heard"));
        assert_eq!(tell(Phase::Waiting, 4, Some("refused")).as_deref(), Some("nothing heard"));
        // One that passes is all that there was.
        tell(Phase::Live, 5, None);
        tell(Phase::CatchingUp, 6, Some("too slow"));
        assert_eq!(tell(Phase::Live, 7, None).as_deref(), Some("too slow"));
        tell(Phase::Waiting, 8, Some("reset"));
        assert_eq!(tell(Phase::Waiting, 9, Some("refused")).as_deref(), Some("reset"));
    }

    /// H3: what was missed can't be counted over two histories, and the worst gap is the one that is told.
    #[test]
    fn the_worst_gap_is_told() {
        let (mut own, ops) = (Outages::default(), Arc::from("ops"));
        own.handle_status(&ops, &status(Phase::Live, 2, None), now(2));
        own.handle_gap(&ops, &gap(Continuity::Unknown, "e:3", "f:7"), now(22));
        own.handle_gap(&ops, &gap(Continuity::Proven, "e:3", "e:7"), now(22));
        let [told] = &own.view()[..] else { panic!("one stretch, in two channels") };
        assert_eq!((told.became, told.missed, &*told.cause), (Some(Continuity::Unknown), None, "history trimmed"));
        assert_eq!((told.began_ms, told.ended_ms), (wall(20).as_millis(), Some(wall(21).as_millis())));
        // H5
        for second in (0..2 * KEPT_MAX as u64).map(|number| 30 + 10 * number) {
            let (began, ended) = (Mono::from_millis(second * 1000), Mono::from_millis((second + 1) * 1000));
            own.handle_gap(&ops, &Gap { began, ended, ..gap(Continuity::Proven, "e:3", "e:7") }, now(second + 2));
        }
        assert_eq!((own.all().count(), own.view().len()), (KEPT_MAX, SHOWN_MAX));
    }

    /// H2: what was before a source was first heard was not lost, in whichever of its channels.
    #[test]
    fn a_first_start_is_no_loss() {
        let (mut own, ops) = (Outages::default(), Arc::from("ops"));
        let first = Gap { from: None, ..gap(Continuity::Unknown, "", "e:7") };
        own.handle_gap(&ops, &first, now(22));
        own.handle_gap(&ops, &Gap { channel: "d".into(), ..first.clone() }, now(22));
        own.handle_status(&ops, &status(Phase::Live, 22, None), now(22));
        assert!(own.view().is_empty());
        own.handle_gap(&ops, &first, now(22));
        assert_eq!(own.view().len(), 1, "it was there");
    }

    /// H4: a program that was stopped missed what came meanwhile, and goes on counting where the journal ends.
    #[test]
    fn a_stop_is_an_outage() {
        let (mut own, ops) = (Outages::default(), Arc::from("ops"));
        own.handle_status(&ops, &status(Phase::Live, 2, None), now(2));
        own.handle_status(&ops, &status(Phase::Waiting, 8, Some("connection reset")), now(10));
        let mut next = Outages::new(own.all().cloned().collect());
        next.note_stop(&ops, wall(50));
        assert_eq!(next.view().len(), 1, "it lasts still");
        next.handle_status(&ops, &status(Phase::Live, 60, None), now(60));
        let mut after = Outages::new(next.all().cloned().collect());
        after.note_stop(&ops, wall(70));
        let [_, stop] = after.all().collect::<Vec<_>>()[..] else { panic!("two") };
        assert_eq!((stop.id, stop.began, &*stop.cause), (2, wall(70), "the wall was not running"));
    }
}
