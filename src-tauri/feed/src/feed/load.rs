//! Fetching the snapshot while the stream is held.

use std::time::Duration;

use watchfloor_model::{Continuity, Delivery, Event, Gap, Mono, Phase, Restated, Snapshot};

use super::Feed;
use crate::{
    catchup::Merge,
    fault::{Fault, FaultKind, LinkFault, LinkFaultKind, Verdict, words},
    limits::{FETCH_GRACE, FETCH_TIMEOUT, RESYNCS_MAX, SNAPSHOT_BYTES_MAX, SNAPSHOTS_UNUSABLE_MAX, SOUGHT_SPACING},
    port::{FetchId, Output, Request, Response},
    timers::TimerReason,
};

impl Feed {
    /// Waits for a snapshot: what comes meanwhile is held.
    pub(super) fn begin_snapshot(&mut self, cause: &str, now: Mono) {
        self.want_snapshot(cause, Duration::ZERO, now);
    }

    /// The same for what a publisher may have lost as often as it likes: whole states are asked for a few times in a row, and then seldom (H5).
    pub(super) fn begin_snapshot_seldom(&mut self, cause: &str, now: Mono) {
        let is_asked = self.fetch.is_some() || self.timers.is_set(TimerReason::Refetch);
        let mut wait = Duration::ZERO;
        if !is_asked && !self.is_alone() {
            wait = self.restates.since(now).saturating_sub(SOUGHT_SPACING * (RESYNCS_MAX - 1));
            self.restates = self.restates.max(now).plus(SOUGHT_SPACING);
        }
        self.want_snapshot(cause, wait, now);
    }

    /// Holds until there is a snapshot, which is asked for after `wait` if it isn't already.
    fn want_snapshot(&mut self, cause: &str, wait: Duration, now: Mono) {
        self.stage = Phase::CatchingUp;
        if self.timers.is_set(TimerReason::Refetch) {
            // It was asked for, and has its time to come: whatever else is lost meanwhile is covered by it as well.
            return;
        }
        self.set_cause(cause.to_owned());
        if self.fetch.is_none() {
            self.unusable = 0;
            self.fetch_backoff.reset();
            if wait.is_zero() {
                self.fetch_snapshot(now);
            } else {
                self.timers.set(TimerReason::Refetch, now.plus(wait));
                self.status.retry_at = Some(now.plus(wait));
            }
        }
    }

    pub(super) fn fetch_snapshot(&mut self, now: Mono) {
        if self.stage != Phase::CatchingUp || !self.catchup.is_holding() {
            return;
        }
        let Some(request) = self.snapshot_request(now) else { return self.go_on_without(now) };
        self.fetches += 1;
        let fetch = FetchId(self.fetches);
        self.fetch = Some(fetch);
        self.status.retry_at = None;
        self.timers.clear(TimerReason::Refetch);
        self.timers.set(TimerReason::Fetch, now.plus(FETCH_TIMEOUT).plus(FETCH_GRACE));
        self.outputs.push_back(Output::Fetch {
            fetch,
            request,
            body_bytes_max: SNAPSHOT_BYTES_MAX,
            timeout: FETCH_TIMEOUT,
        });
    }

    /// How to ask for the state of the server or the site, if one of them has any.
    pub(super) fn snapshot_request(&mut self, now: Mono) -> Option<Request> {
        let Some(site) = &self.config.site else { return self.dialect.snapshot(&self.config) };
        let request = site.request(&self.config);
        self.site_asked = self.moment(now).wall;
        Some(request)
    }

    pub(super) fn handle_fetch_timeout(&mut self, now: Mono) {
        self.fetch = None;
        let what = if self.config.site.is_some() { "state of the site" } else { "snapshot" };
        self.refetch(format!("no {what} within {}", words(FETCH_TIMEOUT)), Verdict::Backoff, now);
    }

    pub(super) fn handle_fetched(&mut self, id: FetchId, outcome: Result<Response, LinkFault>, now: Mono) {
        if self.fetch != Some(id) {
            return;
        }
        self.fetch = None;
        self.timers.clear(TimerReason::Fetch);
        match outcome {
            Ok(response) if response.status == 200 => self.handle_snapshot(&response.body, now),
            Ok(response) if matches!(response.status, 404 | 410) && self.config.site.is_none() => {
                self.go_on_without(now);
            }
            Ok(Response { status, retry_after, .. }) => {
                let kind = LinkFaultKind::Http { status, retry_after, content_type: None };
                self.handle_no_snapshot(LinkFault::new(kind, ""), now);
            }
            Err(fault) => self.handle_no_snapshot(fault, now),
        }
    }

    fn handle_no_snapshot(&mut self, fault: LinkFault, now: Mono) {
        let fault = Fault::link(fault);
        match fault.verdict() {
            // What a site says of its own address is no word of the push service.
            verdict if self.config.site.is_some() => {
                let verdict = if verdict == Verdict::Never { Verdict::Refused } else { verdict };
                self.refetch(format!("no state of the site: {fault}"), verdict, now);
            }
            Verdict::Refused => self.lose(&fault, true, now),
            verdict => self.refetch(format!("no snapshot: {fault}"), verdict, now),
        }
    }

    /// Tries again later. The events that come meanwhile stay held, and the source isn't live.
    fn refetch(&mut self, cause: String, verdict: Verdict, now: Mono) {
        let at = self.fetch_backoff.next(verdict, &mut self.random).map(|wait| now.plus(wait));
        self.timers.put(TimerReason::Refetch, at);
        self.status.retry_at = at;
        self.set_cause(cause);
    }

    fn handle_snapshot(&mut self, body: &[u8], now: Mono) {
        if let Some(site) = &self.config.site {
            let asked = self.catchup.held_since().map_or(self.site_asked, |held| held.min(self.site_asked));
            return match site.read(body, asked, now) {
                Ok(events) => self.take_restated(events, now),
                Err(reason) => self.refetch(format!("the site's state can't be used: {reason}"), Verdict::Backoff, now),
            };
        }
        match self.dialect.read_snapshot(body, &self.channels, now) {
            Ok(snapshot) => self.take_snapshot(snapshot, now),
            Err(reason) => self.refetch(reason, Verdict::Backoff, now),
        }
    }

    fn take_snapshot(&mut self, snapshot: Snapshot, now: Mono) {
        let context = self.gap_context(now);
        let (mut gaps, merge) = match self.catchup.snapshot(&snapshot.positions, &context) {
            Ok(joined) => joined,
            Err(reason) => return self.handle_unusable(reason, now),
        };
        if let Some(liveness) = self.link.as_mut().and_then(|link| link.liveness.as_mut()) {
            liveness.read_aside(&snapshot.clock);
        }
        self.loss = None;
        for gap in &mut gaps {
            if let Some(why) = leaves_open(&snapshot, gap) {
                gap.proof = Continuity::Unknown;
                gap.reason = format!("{}; {why}", gap.reason);
            }
        }
        let is_open = gaps.iter().any(|gap| gap.proof == Continuity::Unknown);
        // Nothing before: every event since this snapshot is received. Otherwise single events were not seen.
        self.status.continuity = match (is_open, gaps.is_empty()) {
            (true, _) => Continuity::Unknown,
            (false, true) => Continuity::Proven,
            (false, false) => Continuity::Snapshot,
        };
        self.status.retry_at = None;
        self.checks.need_none();
        self.deliver_gaps(gaps);
        self.deliver(Delivery::Snapshot(snapshot));
        // What is shown is the server's own state: there is nothing to compare for a while.
        self.plan_check(now);
        match merge {
            Merge::Joined(events) => self.deliver_events(events),
            Merge::Replay => self.rejoin(now),
        }
    }

    /// The site has said what it has now. States are as they are there; how often something happened meanwhile nobody knows.
    fn take_restated(&mut self, mut events: Vec<Event>, now: Mono) {
        let Some(site) = &self.config.site else { return };
        let (channel, name) = (site.channel.clone(), Some(site.name.clone()));
        let context = self.gap_context(now);
        let gaps = self.catchup.pass_over(Continuity::Snapshot, "the site says what there is now", &context);
        let positions = self.delivered();
        let held = self.catchup.release();
        self.loss = None;
        let is_open = gaps.iter().any(|gap| gap.proof == Continuity::Snapshot);
        self.status.continuity = if is_open { Continuity::Snapshot } else { Continuity::Proven };
        self.status.retry_at = None;
        for event in &mut events {
            event.time = self.no_later(event.time, now);
        }
        self.deliver_gaps(gaps);
        self.deliver(Delivery::Restated(Restated { channel, name, events, positions, received: now }));
        self.deliver_events(held);
    }

    /// A snapshot of another epoch or older than what was seen: the server is being replaced, or there are two behind one
    /// address. Asked again, and after a few times from the beginning.
    fn handle_unusable(&mut self, reason: String, now: Mono) {
        self.unusable += 1;
        if self.unusable >= SNAPSHOTS_UNUSABLE_MAX {
            return self.lose(&Fault::server(FaultKind::Desync(reason)), true, now);
        }
        self.refetch(reason, Verdict::Backoff, now);
    }

    /// The server offers no snapshot.
    fn go_on_without(&mut self, now: Mono) {
        let context = self.gap_context(now);
        let gaps = self.catchup.pass_over(Continuity::Unknown, "the server offers no snapshot", &context);
        let events = self.catchup.release();
        self.loss = None;
        self.set_cause("there is more to come of what the server has".to_owned());
        let unknown = gaps.iter().any(|gap| gap.proof == Continuity::Unknown);
        self.status.continuity = if unknown { Continuity::Unknown } else { Continuity::Proven };
        self.deliver_gaps(gaps);
        self.deliver_held(events, now);
    }
}

/// Why a snapshot doesn't close a gap (H3): there is nothing in it, or what it knows began within the gap.
fn leaves_open(snapshot: &Snapshot, gap: &Gap) -> Option<&'static str> {
    if snapshot.aggregates.is_empty() {
        return Some("the server keeps no state");
    }
    let since = snapshot.since?;
    let same_history = gap.from.as_ref().zip(gap.to.as_ref()).is_some_and(|(from, to)| from.epoch == to.epoch);
    (!same_history && since > snapshot.clock.was_at(gap.began))
        .then_some("the server knows nothing of before its start")
}
