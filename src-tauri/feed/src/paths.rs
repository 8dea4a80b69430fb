//! One stream by several paths at once.
//!
//! A source may name several addresses at which the same stream can be had: two lines to one server, two servers of one
//! history. Each has a [`Feed`] of its own, with its own link, ladder and backoff, and all of them run. What arrives
//! first is delivered; the loss of one path is told in [`SourceStatus::paths`] and costs nothing while another is live.
//!
//! The places in the stream are the paths' in common. So a path that is begun again begins where the *story* stands, whoever
//! brought it there; and a path that tells of another history than the one that is followed is left alone, and named,
//! as long as another one is live.

mod known;
mod merge;
#[cfg(test)]
mod tests;

use std::{
    collections::{BTreeMap, VecDeque},
    sync::Arc,
    time::Duration,
};

use watchfloor_model::{Cause, Delivery, Mono, PathStatus, Phase, Position, SourceStatus, Timestamp};

use self::{
    known::Known,
    merge::{Merge, Places},
};
use crate::{
    config::SourceConfig,
    feed::Feed,
    liveness::FOUND_AFTER,
    port::{Input, LinkId, Output},
    timers::{TimerReason, Turns},
};

/// Paths of one source at most.
pub const PATHS_MAX: usize = 4;
/// How long a path may be ahead of the story before it is begun again for the first time, and how long at most before any other.
const REJOIN_AFTER: Duration = Duration::from_secs(1);
const REJOIN_AFTER_MAX: Duration = Duration::from_secs(60);
/// Said of a path that hasn't come to where others have brought the story.
const BEHIND: &str = "is behind the other address";
/// Said of a path of which the history isn't the one that is followed.
const FOREIGN: &str = "tells another history than the other address: are both of one stream?";

/// The paths of one source. Driven as a [`Feed`] is; with one address it is one.
#[derive(Debug)]
pub struct Paths {
    paths: Vec<Path>,
    merge: Merge,
    known: Known,
    phase: Phase,
    since: Mono,
    outputs: VecDeque<Output>,
    changed: bool,
    turns: Turns,
}

#[derive(Debug)]
struct Path {
    /// How people call it: host and port.
    place: String,
    feed: Feed,
    /// For how long a proof is good.
    limit: Duration,
    was_live: bool,
    /// When it last had all that any path has brought. What it proves later is of a server that hasn't got what is known to have
    /// happened.
    whole: Option<Mono>,
    /// Whether that is longer ago than a proof is good for.
    is_behind: bool,
    rejoin: Rejoin,
}

/// When a path that is ahead of the story is begun again where the story stands, so that what it brings can be told.
#[derive(Clone, Copy, Debug)]
struct Rejoin {
    at: Option<Mono>,
    wait: Duration,
}

impl Path {
    /// Until when what it proves counts.
    fn whole_until(&self) -> Mono {
        self.whole.map_or(Mono::ZERO, |whole| whole.plus(self.limit + FOUND_AFTER))
    }
}

impl Paths {
    /// Paths that do nothing yet. `seed` decides their jitter.
    #[must_use]
    pub fn new(config: &SourceConfig, seed: u64) -> Self {
        let urls = std::iter::once(&config.url).chain(&config.redundant).take(PATHS_MAX);
        let paths: Vec<Path> = urls
            .enumerate()
            .map(|(number, url)| {
                let number = number as u64;
                let config = SourceConfig { url: url.clone(), redundant: Vec::new(), ..config.clone() };
                // Another seed each: paths that try again together fail together.
                let seed = seed.wrapping_add(number.wrapping_mul(0x9E37_79B9_7F4A_7C15));
                let (place, limit) = (place(url), config.limit);
                let feed = Feed::numbered(config, seed, number);
                let rejoin = Rejoin { at: None, wait: REJOIN_AFTER };
                Path { place, feed, limit, was_live: false, whole: None, is_behind: true, rejoin }
            })
            .collect();
        let merge = Merge::new(paths.len());
        let known = Known::new(config.limit);
        Self {
            paths,
            merge,
            known,
            phase: Phase::Idle,
            since: Mono::ZERO,
            outputs: VecDeque::new(),
            changed: false,
            turns: Turns::default(),
        }
    }

    /// Takes the places up to which an earlier life delivered, before [`Paths::start`]. See [`Feed::restore`].
    pub fn restore(&mut self, positions: &BTreeMap<Arc<str>, Position>) {
        self.merge.restore(positions);
        for path in &mut self.paths {
            path.feed.restore(positions.clone());
        }
        self.changed = true;
    }

    /// What the wall clock shows now. See [`Feed::set_wall`].
    pub fn set_wall(&mut self, wall: Timestamp, now: Mono) {
        self.paths.iter_mut().for_each(|path| path.feed.set_wall(wall, now));
    }

    /// Begins to connect by every path.
    pub fn start(&mut self, now: Mono) {
        self.each(now, |feed| feed.start(now));
    }

    /// Closes every path. [`Paths::start`] begins again from what was delivered.
    pub fn stop(&mut self, now: Mono) {
        self.each(now, |feed| feed.stop(now));
    }

    /// Makes the next try now, on every path that waits for one. One that was never live would forget since when it isn't,
    /// and with that where its gap begins: it waits.
    pub fn try_now(&mut self, now: Mono) {
        for number in 0..self.paths.len() {
            let path = &mut self.paths[number];
            if path.was_live && path.feed.phase() == Phase::Waiting {
                path.feed.stop(now);
                path.feed.start(now);
                self.drain(number);
            }
        }
        self.settle(now);
    }

    /// Compares what was delivered with the servers' own state now. See [`Feed::reconcile`].
    pub fn reconcile(&mut self, now: Mono) -> bool {
        let mut begins = false;
        for number in 0..self.paths.len() {
            begins |= self.paths[number].feed.reconcile(now);
            self.drain(number);
        }
        self.settle(now);
        begins
    }

    /// Asks for the token anew, on every path, since it may have changed. Does nothing for a source that asks for none.
    pub fn renew(&mut self, now: Mono) {
        self.each(now, |feed| feed.renew(now));
    }

    /// Takes something that happened outside.
    pub fn handle_input(&mut self, input: Input, now: Mono) {
        let Some(number) = self.number(&input) else { return };
        self.paths[number].feed.handle_input(input, now);
        self.drain(number);
        self.settle(now);
    }

    /// Does what is due. Harmless if nothing is.
    pub fn handle_timeout(&mut self, now: Mono) {
        let is_several = self.paths.len() > 1;
        for number in 0..self.paths.len() {
            let path = &mut self.paths[number];
            if path.feed.poll_timeout().is_none_or(|(due, _)| due > now) {
                continue;
            }
            // What another path brought meanwhile need not be asked for again. The only one has its own place, and no story is kept.
            if is_several && path.feed.resume_from(self.merge.told()) {
                self.merge.begin(number);
            }
            self.paths[number].feed.handle_timeout(now);
            self.drain(number);
        }
        self.settle(now);
        if cfg!(debug_assertions) {
            self.turns.end(self.poll_timeout(), now);
        }
    }

    /// The next thing to do; `None` when there is nothing more until the next input or timeout.
    pub fn poll_output(&mut self) -> Option<Output> {
        let output = self.outputs.pop_front();
        if output.is_none() && std::mem::take(&mut self.changed) {
            return Some(Output::Status);
        }
        output
    }

    /// When [`Paths::handle_timeout`] is wanted next, and what for.
    #[must_use]
    pub fn poll_timeout(&self) -> Option<(Mono, TimerReason)> {
        // When one that is live ceases to prove anything.
        let behind = |path: &Path| (path.feed.phase() == Phase::Live && !path.is_behind).then(|| path.whole_until());
        let several = || self.paths.iter().filter(|_| self.paths.len() > 1);
        let doubts = several().filter_map(behind).map(|at| (at, TimerReason::Doubt));
        let rejoins = several().filter_map(|path| path.rejoin.at).map(|at| (at, TimerReason::Retry));
        self.paths.iter().filter_map(|path| path.feed.poll_timeout()).chain(doubts).chain(rejoins).min()
    }

    /// All that is known of the source now: what its best path says, of the story that all paths tell together.
    #[must_use]
    pub fn status(&self) -> SourceStatus {
        if let [only] = self.paths.as_slice() {
            return only.feed.status();
        }
        let each: Vec<SourceStatus> = self.paths.iter().map(|path| path.feed.status()).collect();
        let lead = self.lead();
        let mut status = each.get(lead).cloned().unwrap_or_default();
        let proving = || each.iter().enumerate().filter(|(number, _)| self.proves(*number)).map(|(_, one)| one);
        let known =
            || each.iter().enumerate().filter(|(number, _)| !self.merge.is_foreign(*number)).map(|(_, one)| one);
        status.phase = self.phase;
        status.since = self.since;
        // What is heard of a path that proves nothing makes nothing younger that another one proves.
        status.link_proof = match self.phase {
            Phase::Live => proving().filter_map(|one| one.link_proof).max(),
            _ => known().filter_map(|one| one.link_proof).max(),
        };
        let live_until = |(path, status): (&Path, &SourceStatus)| Some(status.live_until?.min(path.whole_until()));
        let all = self.paths.iter().zip(&each).enumerate().filter(|(number, _)| self.proves(*number));
        status.live_until = all.filter_map(|(_, one)| live_until(one)).max();
        status.publisher_proof = match self.phase {
            Phase::Live => proving().filter_map(|one| one.publisher_proof).max(),
            _ => known().filter_map(|one| one.publisher_proof).max(),
        };
        status.positions.clone_from(self.merge.told());
        status.continuity = self.merge.continuity().unwrap_or(status.continuity);
        status.counts = *self.merge.counts();
        status.counts.duplicates = each.iter().map(|one| one.counts.duplicates).sum();
        status.counts.reconnects = each.iter().map(|one| one.counts.reconnects).sum();
        status.counts.rejected = each.iter().map(|one| one.counts.rejected).max().unwrap_or_default();
        status.renewal = each.iter().find_map(|one| one.renewal.clone());
        status.last_rejection = each.iter().find_map(|one| one.last_rejection.clone());
        status.paths = self
            .paths
            .iter()
            .zip(&each)
            .enumerate()
            .map(|(number, (path, one))| self.path_status(number, path, one))
            .collect();
        if self.phase != Phase::Live {
            status.retry_at = each.iter().filter_map(|one| one.retry_at).min();
            status.cause = joint_cause(&status.paths).or(status.cause);
        }
        status
    }

    fn path_status(&self, number: usize, path: &Path, status: &SourceStatus) -> PathStatus {
        let but = match status.phase {
            Phase::Live if self.merge.is_foreign(number) => Some(FOREIGN),
            Phase::Live if path.is_behind => Some(BEHIND),
            _ => None,
        };
        PathStatus {
            place: path.place.clone(),
            phase: if but.is_some() { Phase::CatchingUp } else { status.phase },
            transport: status.transport,
            cause: but.map(Cause::from).or_else(|| status.cause.clone()),
            retry_at: status.retry_at,
        }
    }

    /// Whether the path proves that nothing is missing of the story.
    fn proves(&self, number: usize) -> bool {
        let path = &self.paths[number];
        path.feed.phase() == Phase::Live && !path.is_behind && self.merge.holds(number)
    }

    /// The path that the source's state is told by.
    fn lead(&self) -> usize {
        let rank = |number: usize| match self.paths[number].feed.phase() {
            Phase::Live if self.proves(number) => 7,
            Phase::Live if self.merge.holds(number) => 6,
            Phase::Live => 0,
            Phase::CatchingUp => 6,
            // One server's no is stronger than another's silence: what was shown may no longer be.
            Phase::Refused => 5,
            Phase::Subscribing => 4,
            Phase::Authorising => 3,
            Phase::Connecting => 2,
            Phase::Waiting => 1,
            Phase::Idle => 0,
        };
        // The first of equals: the address that the board names first.
        (0..self.paths.len()).rev().max_by_key(|number| rank(*number)).unwrap_or_default()
    }

    fn number(&self, input: &Input) -> Option<usize> {
        let number = match input {
            Input::Fetched { fetch, .. } | Input::Credential { fetch, .. } => fetch.path(),
            other => other.link().map_or(0, LinkId::path),
        };
        (number < self.paths.len()).then_some(number)
    }

    fn each(&mut self, now: Mono, act: impl Fn(&mut Feed)) {
        for number in 0..self.paths.len() {
            act(&mut self.paths[number].feed);
            self.drain(number);
        }
        self.settle(now);
    }

    /// Takes what a path gives out.
    fn drain(&mut self, number: usize) {
        let is_only = self.paths.len() == 1;
        while let Some(output) = self.paths[number].feed.poll_output() {
            match output {
                Output::Status => self.changed = true,
                Output::Deliver(delivery) if !is_only => {
                    let proven = (0..self.paths.len()).any(|other| other != number && self.proves(other));
                    if let Some(delivery) = self.merge.take(number, delivery, proven) {
                        self.outputs.push_back(Output::Deliver(delivery));
                    }
                }
                output => self.outputs.push_back(output),
            }
        }
    }

    /// Ends every turn: sees what is proven now, and begins a path again that has gone past what nobody else can bring.
    fn settle(&mut self, now: Mono) {
        for path in &mut self.paths {
            path.was_live |= path.feed.phase() == Phase::Live;
        }
        if self.paths.len() == 1 {
            return;
        }
        let places: Vec<Places> = self.paths.iter().map(|path| path.feed.delivered()).collect();
        self.see_who_is_behind(&places, now);
        let all = 0..self.paths.len();
        let proving: Vec<usize> = all.filter(|number| self.proves(*number)).collect();
        for number in &proving {
            self.merge.prove(*number, &places[*number], now);
        }
        // The first, as for the source's state.
        if let Some(first) = proving.first()
            && self.merge.teller().is_none_or(|teller| !proving.contains(&teller))
        {
            let gaps = self.merge.be_told_by(*first, now);
            self.outputs.extend(gaps.into_iter().map(|gap| Output::Deliver(Delivery::Gap(gap))));
        }
        if proving.is_empty()
            && let Some(last) = self.merge.last_proof()
        {
            self.merge.lose(self.paths[last].feed.cause());
        }
        let mut is_alone = proving.is_empty();
        for number in 0..self.paths.len() {
            if self.is_to_rejoin(number, is_alone, now) {
                self.begin_again(number, now);
                is_alone = false;
            }
        }
        let lead = self.lead();
        let phase = match self.paths[lead].feed.phase() {
            Phase::Live if !self.proves(lead) => Phase::CatchingUp,
            phase => phase,
        };
        if phase != self.phase {
            self.phase = phase;
            self.since = now;
            self.changed = true;
        }
    }

    /// Sees which paths have all that is known, of the story and of what is ahead of it.
    fn see_who_is_behind(&mut self, places: &[Places], now: Mono) {
        let is_live = |path: &Path| path.feed.phase() == Phase::Live;
        let live = self.paths.iter().zip(places).filter(|(path, _)| is_live(path));
        self.known.note(self.merge.see(live.map(|(_, places)| places)), now);
        for (path, places) in self.paths.iter_mut().zip(places) {
            if is_live(path) {
                path.whole = self.known.had_until(places, now).max(path.whole);
            }
            let is_behind = path.whole_until() <= now;
            self.changed |= is_behind != path.is_behind;
            path.is_behind = is_behind;
        }
    }

    /// Whether a live path, of which what it brings can't be told, is to begin again where the story stands: at once if nobody tells
    /// it, or else after a while. What it begins with may be ahead again, so it is left alone for longer each time.
    fn is_to_rejoin(&mut self, number: usize, is_alone: bool, now: Mono) -> bool {
        let is_live = self.paths[number].feed.phase() == Phase::Live;
        let (holds, is_foreign) = (self.merge.holds(number), self.merge.is_foreign(number));
        let rejoin = &mut self.paths[number].rejoin;
        if holds {
            *rejoin = Rejoin { at: None, wait: REJOIN_AFTER };
        }
        if !is_live || holds {
            rejoin.at = None;
            return false;
        }
        let due = *rejoin.at.get_or_insert_with(|| now.plus(rejoin.wait));
        let is_due = is_alone || (now >= due && !is_foreign);
        if is_due {
            *rejoin = Rejoin { at: None, wait: (rejoin.wait * 2).min(REJOIN_AFTER_MAX) };
        } else if is_foreign {
            rejoin.at = None;
        }
        is_due
    }

    /// Begins the path again where the story stands.
    fn begin_again(&mut self, number: usize, now: Mono) {
        let path = &mut self.paths[number];
        path.feed.stop(now);
        path.feed.restore(self.merge.told().clone());
        self.merge.begin(number);
        self.paths[number].feed.start(now);
        self.drain(number);
    }
}

/// Why no path is live, in one line.
fn joint_cause(paths: &[PathStatus]) -> Option<Cause> {
    let mut causes: Vec<(&str, Vec<&str>)> = Vec::new();
    for path in paths {
        let Some(cause) = &path.cause else { continue };
        match causes.iter_mut().find(|(text, _)| *text == cause.text) {
            Some((_, places)) => places.push(&path.place),
            None => causes.push((&cause.text, vec![&path.place])),
        }
    }
    match causes.as_slice() {
        [] => None,
        [(text, places)] if places.len() == paths.len() => Some(Cause::from(*text)),
        several => {
            let words = several.iter().map(|(text, places)| format!("{}: {text}", places.join(" and ")));
            Some(Cause::from(words.collect::<Vec<_>>().join("; ")))
        }
    }
}

/// How people call an address.
fn place(url: &url::Url) -> String {
    let host = url.host_str().unwrap_or_default();
    url.port().map_or_else(|| host.to_owned(), |port| format!("{host}:{port}"))
}
