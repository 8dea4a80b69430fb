//! The course of a lamp test, as a value: the steps one after the other, what the page gets meanwhile, and what it says that it shows.
//! No clock of its own, so that tests let a minute pass in an instant.

use std::{
    collections::{BTreeMap, BTreeSet, VecDeque},
    time::Duration,
};

use watchfloor_board::{
    config::spec::ReducerSpec,
    frame::{DrillView, Frame, GlassSeen, Notice, Quality, Said, SourceSeen, WidgetSeen},
    freshness::Freshness,
};
use watchfloor_model::{Mono, Timestamp};

use super::{
    peer::Fault,
    report::{Missed, Outcome, Plan, Progress, StepReport, Verdict},
    step::{Kind, Step, WHOLE_WITHIN, lead},
    twin::{Copied, Twin},
};
use crate::frames::HEARTBEAT;

/// Revisions of copied boards lie here: a page that holds the present or the past holds none of these, and the other way round.
const REVISIONS_FROM: u32 = 1 << 30;
const REVISIONS_TO: u32 = 1 << 31;
/// Frames of which it is remembered what they brought.
const ISSUED_MAX: usize = 8;
/// Widgets that are named of those that weren't seen; further ones are counted.
const MISSED_MAX: usize = 50;

/// Whether a page holds a copied board.
#[must_use]
pub const fn is_drill_revision(revision: u32) -> bool {
    revision >= REVISIONS_FROM && revision < REVISIONS_TO
}

/// How the present stands, for its corner.
#[derive(Clone, Debug, Default)]
pub(crate) struct Live {
    /// In a few words.
    pub(crate) said: Said,
    /// Whether there is nothing to look at.
    pub(crate) is_well: bool,
    /// What people must know of it.
    pub(crate) notices: Vec<Notice>,
}

/// Where a step stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Stage {
    /// Everything must be as it was first.
    Begin,
    /// It was done, and must be seen.
    Fault,
    /// It was seen, or the time is over.
    Dwell,
    /// It was mended, and must be seen as well.
    Mend,
}

/// What was seen of one step.
#[derive(Debug, Default)]
struct Found {
    /// When it was seen of each.
    shown: BTreeMap<String, Mono>,
    /// What was missing when it was last looked at.
    lacking: BTreeMap<String, String>,
    /// The same as it stood when the time was over.
    unseen: BTreeMap<String, String>,
    /// When everything was as before.
    back: Option<Duration>,
    /// Why it didn't come to the fault at all, or not back from it.
    trouble: Vec<Missed>,
}

/// A lamp test.
pub(crate) struct Course {
    copied: Copied,
    /// Whether there is a page.
    glass: bool,
    /// Whether the window can speak beside its page.
    strip: bool,
    seed: u64,
    twin: Twin,
    kinds: BTreeMap<String, Kind>,
    /// Widgets that are looked at, with their source.
    counted: BTreeMap<String, String>,
    left_out: Vec<String>,
    at: usize,
    stage: Stage,
    since: Mono,
    fault_at: Mono,
    found: Found,
    reports: Vec<StepReport>,
    outcome: Option<Outcome>,
    live: Live,
    generation: u32,
    version: u64,
    /// Versions that the page got, with the copied board's own.
    issued: VecDeque<(u64, u64)>,
    /// What the page was told last.
    told: BTreeMap<String, Quality>,
    is_new: bool,
}

impl Course {
    /// Begins. `glass`: whether a page will say what it shows; `strip`: whether the window can say something beside it.
    ///
    /// # Errors
    /// In words, if there is nothing that could be tested.
    pub(crate) fn new(
        copied: Copied,
        (glass, strip): (bool, bool),
        seed: u64,
        now: Mono,
        wall: Timestamp,
    ) -> Result<Self, String> {
        if !copied.file.sources.iter().any(|spec| copied.is_live(&spec.id)) {
            return Err("no source is live: there is nothing that a fault could be told from".to_owned());
        }
        let kinds = copied.file.widgets.iter().map(|spec| {
            let kind = match spec.fold.reducer {
                ReducerSpec::Series { .. } => Kind::Chart,
                _ => Kind::Other,
            };
            (spec.id.clone(), kind)
        });
        let mut course = Self {
            twin: Twin::new(&copied, |_| Duration::ZERO, seed, now, wall),
            kinds: kinds.collect(),
            counted: BTreeMap::new(),
            left_out: Vec::new(),
            at: 0,
            stage: Stage::Begin,
            since: now,
            fault_at: now,
            found: Found::default(),
            reports: Vec::new(),
            outcome: None,
            live: Live::default(),
            generation: 0,
            version: 0,
            issued: VecDeque::new(),
            told: BTreeMap::new(),
            is_new: true,
            copied,
            glass,
            strip,
            seed,
        };
        course.count(now);
        if course.counted.is_empty() {
            return Err("no widget shows anything live: there is nothing that a fault could be told from".to_owned());
        }
        course.begin_step(now, wall);
        Ok(course)
    }

    /// Which widgets are looked at: those that are live in the copy, and on the page that is shown if somebody looks at one.
    fn count(&mut self, now: Mono) {
        for spec in &self.copied.file.widgets {
            let quality = self.twin.board.freshness(&spec.id, now);
            let is_shown = !self.glass || spec.page == self.copied.page;
            if is_shown && quality.is_some_and(|quality| quality.freshness.is_current()) {
                self.counted.insert(spec.id.clone(), spec.source.clone());
            } else {
                self.left_out.push(spec.id.clone());
            }
        }
    }

    fn step(&self) -> Step {
        Step::ALL.get(self.at).copied().unwrap_or(Step::Stall)
    }

    /// The widgets that a step is about.
    fn about(&self, step: Step) -> BTreeSet<String> {
        let is_about = |source: &String| step != Step::Stale || self.copied.quiet(source).is_some();
        self.counted.iter().filter(|(_, source)| is_about(source)).map(|(id, _)| id.clone()).collect()
    }

    /// Why a step can't be done here.
    fn impossible(&self, step: Step) -> Option<String> {
        if step.needs_glass() && !self.glass {
            return Some("no glass".to_owned());
        }
        if step == Step::Stall && !self.strip {
            return Some("this system's windows say nothing beside their page".to_owned());
        }
        if step == Step::Stale && self.about(step).is_empty() {
            return Some("not promised: no source of these widgets has `quiet`".to_owned());
        }
        None
    }

    /// What will be done.
    pub(crate) fn plan(&self) -> Plan {
        let length: Duration =
            Step::ALL.into_iter().filter(|step| self.impossible(*step).is_none()).map(|step| self.length(step)).sum();
        Plan {
            expected_s: length.as_secs() + 1,
            steps: Step::ALL.map(Step::name).to_vec(),
            widgets: self.counted.len(),
            left_out: self.left_out.clone(),
            timezone: self.copied.file.board.timezone.clone(),
            glass: self.glass,
        }
    }

    /// About how long a step takes.
    fn length(&self, step: Step) -> Duration {
        const AROUND: Duration = Duration::from_millis(1500);
        step.seen_after(self.limit(step)) + step.dwell() + AROUND
    }

    /// The longest that any widget may take.
    fn limit(&self, step: Step) -> Duration {
        let limits = self.about(step).into_iter().map(|widget| step.limit(&self.copied.file, &widget));
        limits.max().unwrap_or(WHOLE_WITHIN)
    }

    /// How it stands.
    pub(crate) fn progress(&self) -> Progress {
        Progress { plan: self.plan(), steps: self.reports.clone(), outcome: self.outcome.clone() }
    }

    pub(crate) const fn is_over(&self) -> bool {
        self.outcome.is_some()
    }

    /// Takes how the present stands.
    pub(crate) fn set_live(&mut self, live: Live) {
        self.is_new |= live.said != self.live.said || live.notices != self.live.notices;
        self.live = live;
    }

    /// Ends it before its end.
    pub(crate) fn end(&mut self, why: &str) {
        if self.outcome.is_none() {
            self.close(Some(why.to_owned()));
        }
    }

    fn close(&mut self, ended: Option<String>) {
        let count = |verdict: Verdict| self.reports.iter().filter(|report| report.verdict == verdict).count();
        self.outcome = Some(Outcome {
            passed: count(Verdict::Passed),
            failed: count(Verdict::Failed),
            untested: count(Verdict::Untested),
            ended,
        });
    }

    /// Does what is due.
    pub(crate) fn handle_time(&mut self, now: Mono, wall: Timestamp) {
        if self.is_over() {
            return;
        }
        self.twin.advance(now);
        if !self.glass {
            let seen = self.as_told(now);
            self.handle_seen(&seen, now, wall);
        }
        let step = self.step();
        let waited = now.since(self.since);
        match self.stage {
            Stage::Begin if waited > WHOLE_WITHIN => {
                self.give_up("was not shown live before anything was done");
                self.finish_step(now, wall);
            }
            Stage::Fault if now.since(self.fault_at) > self.limit(step) => self.enter(Stage::Dwell, now),
            Stage::Dwell if waited >= step.dwell() => {
                if step == Step::Baseline {
                    return self.finish_step(now, wall);
                }
                self.twin.mend(now);
                self.enter(Stage::Mend, now);
            }
            Stage::Mend if waited > WHOLE_WITHIN => {
                self.give_up("was not shown live again");
                self.finish_step(now, wall);
            }
            Stage::Begin | Stage::Fault | Stage::Dwell | Stage::Mend => {}
        }
    }

    /// What wasn't seen live keeps the step from passing.
    fn give_up(&mut self, why: &str) {
        let about = self.about(self.step());
        let lacking = self.found.lacking.iter().filter(|(of, _)| about.contains(*of) || of.as_str() == "page");
        let missed = lacking.map(|(of, what)| Missed { of: of.clone(), what: format!("{why}: {what}") });
        let missed: Vec<Missed> = missed.collect();
        self.found.trouble = missed;
        if self.found.trouble.is_empty() {
            self.found.trouble.push(Missed { of: "page".to_owned(), what: format!("{why}: it said nothing") });
        }
    }

    fn enter(&mut self, stage: Stage, now: Mono) {
        self.stage = stage;
        self.since = now;
        self.is_new = true;
        if stage == Stage::Dwell {
            self.found.unseen = std::mem::take(&mut self.found.lacking);
        }
    }

    /// Takes what a page says that it shows.
    pub(crate) fn handle_seen(&mut self, seen: &GlassSeen, now: Mono, wall: Timestamp) {
        let step = self.step();
        // What was said on the way from one step to the next is of neither.
        if self.is_over() || seen.step as usize != self.at + 1 {
            return;
        }
        match self.stage {
            Stage::Begin | Stage::Mend => {
                if !self.is_whole(seen) {
                    return;
                }
                self.found.lacking.clear();
                match self.stage {
                    Stage::Mend => {
                        self.found.back = Some(now.since(self.since));
                        self.finish_step(now, wall);
                    }
                    _ => self.inflict(seen, now),
                }
            }
            Stage::Fault if step != Step::Stall => self.look(step, seen, now),
            Stage::Fault | Stage::Dwell => {}
        }
    }

    /// Whether everything that is looked at is seen live; notes what isn't.
    fn is_whole(&mut self, seen: &GlassSeen) -> bool {
        self.found.lacking.clear();
        if !seen.band {
            self.found.lacking.insert("page".to_owned(), "it can't be seen that this is a lamp test".to_owned());
        }
        for id in self.about(self.step()) {
            let own = seen.widgets.iter().find(|widget| widget.id == id);
            let told = self.told.get(&id);
            let lacking = match (own, told) {
                (Some(own), Some(told)) => Step::Baseline.lacking(told, self.kind(&id), own),
                _ => Some("not on the glass".to_owned()),
            };
            if let Some(lacking) = lacking {
                self.found.lacking.insert(id, lacking);
            }
        }
        self.found.lacking.is_empty()
    }

    fn kind(&self, id: &str) -> Kind {
        self.kinds.get(id).copied().unwrap_or(Kind::Other)
    }

    /// Everything is as it was: now it is done.
    fn inflict(&mut self, seen: &GlassSeen, now: Mono) {
        let step = self.step();
        // The first step counts from its own beginning.
        self.fault_at = if step == Step::Baseline { self.since } else { now };
        if step.fault() != Fault::None {
            self.twin.set(step.fault(), now);
        }
        self.enter(Stage::Fault, now);
        if step == Step::Baseline {
            self.look(step, seen, now);
        }
    }

    fn look(&mut self, step: Step, seen: &GlassSeen, now: Mono) {
        for (id, source) in self.counted.clone() {
            if !self.about(step).contains(&id) || self.found.shown.contains_key(&id) {
                continue;
            }
            let own = seen.widgets.iter().find(|widget| widget.id == id);
            let lacking = match (own, self.told.get(&id)) {
                (Some(own), Some(told)) => {
                    step.lacking(told, self.kind(&id), own).or_else(|| step.source_lacking(seen, &source))
                }
                _ => Some("not on the glass".to_owned()),
            };
            let in_time = now.since(self.fault_at) <= step.limit(&self.copied.file, &id);
            match lacking {
                None if in_time => {
                    self.found.lacking.remove(&id);
                    self.found.shown.insert(id, now);
                }
                None => {
                    self.found.lacking.insert(id, "later than it may be".to_owned());
                }
                Some(lacking) => {
                    self.found.lacking.insert(id, lacking);
                }
            }
        }
        if self.about(step).iter().all(|id| self.found.shown.contains_key(id)) {
            self.enter(Stage::Dwell, now);
        }
    }

    /// Takes whether the window says something beside its page.
    pub(crate) fn handle_strip(&mut self, shown: bool, now: Mono) {
        if self.step() != Step::Stall || self.stage != Stage::Fault || !shown || self.is_over() {
            return;
        }
        if now.since(self.fault_at) <= self.limit(Step::Stall) {
            self.found.shown.insert("page".to_owned(), now);
            self.enter(Stage::Dwell, now);
        }
    }

    fn finish_step(&mut self, now: Mono, wall: Timestamp) {
        let step = self.step();
        let found = std::mem::take(&mut self.found);
        let expected = if step == Step::Stall { BTreeSet::from(["page".to_owned()]) } else { self.about(step) };
        let mut missed = found.trouble;
        if missed.is_empty() || self.stage == Stage::Mend {
            for id in expected.iter().filter(|id| !found.shown.contains_key(*id)) {
                let what = match (step, found.unseen.get(id)) {
                    (Step::Stall, _) => "the window did not say that its page paints nothing".to_owned(),
                    (_, Some(what)) => what.clone(),
                    (_, None) => "nothing of it was seen in time".to_owned(),
                };
                missed.push(Missed { of: id.clone(), what });
            }
        }
        let count = missed.len();
        missed.truncate(MISSED_MAX);
        if count > MISSED_MAX {
            missed.push(Missed { of: "…".to_owned(), what: format!("{} more", count - MISSED_MAX) });
        }
        let all = expected.iter().all(|id| found.shown.contains_key(id));
        let last = found.shown.values().max().filter(|_| all).map(|at| millis(at.since(self.fault_at)));
        self.reports.push(StepReport {
            step: self.at + 1,
            name: step.name(),
            expects: step.expects(),
            verdict: if missed.is_empty() { Verdict::Passed } else { Verdict::Failed },
            shown_ms: last,
            limit_ms: millis(self.limit(step)),
            back_ms: found.back.map(millis),
            widgets: self.about(step).len(),
            missed,
            note: None,
        });
        self.at += 1;
        self.begin_step(now, wall);
    }

    /// Goes on with the next step that can be done: on a copy of its own, as what was done before leaves its traces.
    fn begin_step(&mut self, now: Mono, wall: Timestamp) {
        while let Some(step) = Step::ALL.get(self.at).copied() {
            let Some(why) = self.impossible(step) else { break };
            self.reports.push(StepReport {
                step: self.at + 1,
                name: step.name(),
                expects: step.expects(),
                verdict: Verdict::Untested,
                shown_ms: None,
                limit_ms: millis(self.limit(step)),
                back_ms: None,
                widgets: 0,
                missed: Vec::new(),
                note: Some(why),
            });
            self.at += 1;
        }
        let Some(step) = Step::ALL.get(self.at).copied() else { return self.close(None) };
        let copied = &self.copied;
        let idle = |source: &str| match copied.quiet(source).filter(|_| step == Step::Stale) {
            Some(quiet) => quiet.saturating_sub(lead(Some(quiet))),
            None => Duration::ZERO,
        };
        self.twin = Twin::new(copied, idle, self.seed.wrapping_add(self.at as u64), now, wall);
        self.generation = (self.generation + 1) % (REVISIONS_TO - REVISIONS_FROM);
        self.issued.clear();
        self.found = Found::default();
        self.enter(Stage::Begin, now);
    }

    /// Whether the page is to be left without an answer.
    pub(crate) fn holds_back(&self) -> bool {
        !self.is_over() && self.step() == Step::NoAnswer && self.stage == Stage::Fault
    }

    fn revision(&self) -> u32 {
        REVISIONS_FROM + self.generation
    }

    /// Whether there is something that the page doesn't have.
    pub(crate) fn is_behind(&self, after: u64, revision: u32) -> bool {
        let newest = self.issued.back();
        self.is_new
            || revision != self.revision()
            || newest.is_none_or(|(outer, inner)| *outer != after || *inner != self.twin.board.version())
    }

    /// What changed since the version that the page has painted.
    pub(crate) fn frame(&mut self, after: u64, revision: u32, now: Mono, wall: Timestamp) -> Frame {
        self.twin.advance(now);
        let held = self.issued.iter().find(|(outer, _)| *outer == after).filter(|_| revision == self.revision());
        let (after, revision) = held.map_or((0, 0), |(_, inner)| (*inner, self.twin.board.revision()));
        let frame = self.twin.board.frame(after, revision, now, wall);
        self.version += 1;
        self.issued.push_back((self.version, frame.version));
        if self.issued.len() > ISSUED_MAX {
            self.issued.pop_front();
        }
        self.is_new = false;
        self.told = frame.widgets.iter().map(|patch| (patch.id.clone(), patch.quality.clone())).collect();
        let drill = self.view(now);
        Frame {
            version: self.version,
            revision: self.revision(),
            notices: self.live.notices.clone(),
            drill: Some(drill),
            ..frame
        }
    }

    fn view(&self, now: Mono) -> DrillView {
        let step = self.step();
        let left: Duration = Step::ALL
            .into_iter()
            .skip(self.at)
            .filter(|step| self.impossible(*step).is_none())
            .map(|step| self.length(step))
            .sum();
        let stall = if self.stage == Stage::Fault { step.stall() } else { Duration::ZERO };
        DrillView {
            step: u32::try_from(self.at + 1).unwrap_or(u32::MAX),
            steps: u32::try_from(Step::ALL.len()).unwrap_or(u32::MAX),
            name: step.name().to_owned(),
            expects: step.expects().to_owned(),
            left_ms: millis(left.saturating_sub(now.since(self.since))),
            live: self.live.said.to_string(),
            live_said: Some(self.live.said.clone()),
            live_is_well: self.live.is_well,
            stall_ms: u32::try_from(stall.as_millis()).unwrap_or(u32::MAX),
        }
    }

    /// Without a page: what one would have been told, as if it were honest.
    fn as_told(&mut self, now: Mono) -> GlassSeen {
        let frame = self.frame(0, 0, now, Timestamp::from_millis(0));
        let widgets = frame.widgets.iter().map(|patch| {
            let shown = patch.quality.freshness;
            let is_there = !matches!(shown, Freshness::Refused | Freshness::Unknown);
            WidgetSeen {
                id: patch.id.clone(),
                freshness: shown,
                mark: true,
                word: shown.word().to_owned(),
                hatch: matches!(shown, Freshness::Stale | Freshness::Down),
                edge: !shown.is_current(),
                value: is_there && patch.value.is_some(),
                lacks: patch.quality.incomplete_until_ms.is_some(),
            }
        });
        GlassSeen {
            step: u32::try_from(self.at + 1).unwrap_or(u32::MAX),
            version: frame.version,
            band: true,
            silent: false,
            widgets: widgets.collect(),
            sources: frame
                .sources
                .iter()
                .map(|own| SourceSeen { id: own.id.clone(), words: own.words.clone() })
                .collect(),
        }
    }
}

/// How long a page may wait for its next frame.
pub(super) const PATIENCE: Duration = HEARTBEAT;

fn millis(span: Duration) -> u64 {
    u64::try_from(span.as_millis()).unwrap_or(u64::MAX)
}
