//! Comparing what was delivered with the server's own state, while the source is live.
//!
//! ```text
//! begun ─ the snapshot is asked for; what is delivered from now on is kept besides ─→ it came
//!                                                                                       │ the stream is past its place
//!                                                                                       ↓
//!                      Delivery::Check: the snapshot, and what was delivered beyond it
//! ```
//!
//! A site's own state (`site`) has no place in the stream. It is compared once the stream had the time to bring what the site knew, and
//! always twice: what differs both times in the same way is a difference, and what differs once was on its way.
//!
//! Nothing is held back for it: what is shown is as current while a comparison is under way as it is otherwise (H1, H2). A
//! copy is begun before the snapshot is asked for, so nothing that the snapshot lacks is missing in it.

use std::{collections::BTreeMap, sync::Arc, time::Duration};

use watchfloor_model::{Check, Continuity, Delivery, Event, Mono, Phase, Position, Recheck, Restated, Snapshot};

use super::Feed;
use crate::{
    fault::{Fault, FaultKind, LinkFault, LinkFaultKind, Verdict, words},
    limits::{
        CHECK_DOUBLINGS_MAX, FETCH_GRACE, FETCH_TIMEOUT, HELD_BYTES_MAX, HELD_EVENT_OVERHEAD_BYTES, HELD_EVENTS_MAX,
        RESTORED_SPREAD, SNAPSHOT_BYTES_MAX, SNAPSHOTS_UNUSABLE_MAX, SOUGHT_SPACING, SOUGHT_SPREAD,
    },
    port::{FetchId, LinkId, Output, Response},
    random::Random,
    timers::TimerReason,
};

/// The comparisons of one source, over all its links.
#[derive(Debug, Default)]
pub(super) struct Checks {
    /// When the next one is due.
    next: Option<Mono>,
    under_way: Option<UnderWay>,
    /// Those in a row that came to nothing.
    failures: u32,
    /// Snapshots in a row that were of another history.
    foreign: u32,
    /// When one is sought besides, because something was passed over that only the server's state can make good.
    sought: Option<Mono>,
    /// Not before this may the next one be sought.
    seek_from: Mono,
    /// What was known about completeness before that.
    before: Option<Continuity>,
    /// Whether the story goes on from an earlier life.
    pub(super) restored: bool,
    /// Whether the site is to be asked a second time soon.
    again: bool,
    /// The link on which the server has said that there is nothing to compare with.
    without: Option<LinkId>,
    /// Whether the dialect has snapshots: without, what is sought is never found, and must not be due for ever.
    pub(super) has_snapshots: bool,
}

/// A comparison that has begun.
#[derive(Debug)]
struct UnderWay {
    fetch: FetchId,
    /// When it is given up.
    until: Mono,
    /// Up to where was delivered when it began.
    from: BTreeMap<Arc<str>, Position>,
    /// What was delivered since.
    kept: Vec<Event>,
    kept_bytes: usize,
    answer: Option<Answer>,
}

/// What there is to compare with.
#[derive(Debug)]
enum Answer {
    /// A server's state.
    Server(Snapshot),
    /// A site's rows.
    Site(Vec<Event>),
}

impl Checks {
    /// Takes note of what is being delivered. Bounded (H5).
    pub(super) fn keep(&mut self, event: &Event) {
        let Some(check) = self.under_way.as_mut().filter(|check| !check.is_too_much()) else { return };
        check.kept_bytes += event.data.text().len() + HELD_EVENT_OVERHEAD_BYTES;
        if check.is_too_much() {
            check.kept = Vec::new();
        } else {
            check.kept.push(event.clone());
        }
    }

    /// Something is delivered that isn't the stream's next event: a comparison begins again after it.
    pub(super) fn interrupt(&mut self) {
        if self.under_way.take().is_some() {
            self.next = Some(Mono::ZERO);
        }
    }

    /// Something was passed over: whatever is under way lacks it, and the next comparison comes soon.
    pub(super) fn seek(&mut self, continuity: Continuity, random: &mut Random, now: Mono) {
        self.under_way = None;
        self.before.get_or_insert(continuity);
        let soon = now.plus(random.up_to(SOUGHT_SPREAD)).max(self.seek_from);
        self.sought.get_or_insert(soon);
    }

    /// The whole was replaced by the server's state, or nothing ever will.
    pub(super) fn need_none(&mut self) {
        (self.sought, self.before) = (None, None);
    }

    #[cfg(test)]
    pub(super) const fn due(&self) -> Option<Mono> {
        self.next
    }

    fn plan(&mut self, period: Option<Duration>, random: &mut Random, now: Mono) {
        // Walls that began together must not ask together.
        let jittered = |period: Duration| period * 4 / 5 + random.up_to(period * 2 / 5);
        let doubled = period.map(|period| period * (1 << self.failures.min(CHECK_DOUBLINGS_MAX)));
        self.next = doubled.map(jittered).map(|wait| now.plus(wait));
    }
}

impl UnderWay {
    fn is_too_much(&self) -> bool {
        self.kept.len() >= HELD_EVENTS_MAX || self.kept_bytes > HELD_BYTES_MAX
    }

    /// Why this snapshot can't be compared with what was delivered.
    fn refuses(&self, snapshot: &Snapshot) -> Option<Unfit> {
        for (channel, from) in &self.from {
            let Some(place) = snapshot.positions.get(channel) else {
                return Some(Unfit::Old("the snapshot lacks a channel".to_owned()));
            };
            match place.covers(from) {
                Some(true) => {}
                Some(false) => {
                    return Some(Unfit::Old(format!("the snapshot is at {place}, older than {from}, which was seen")));
                }
                None => {
                    let (of, seen) = (&place.epoch, &from.epoch);
                    return Some(Unfit::Foreign(format!("the snapshot is of history `{of}`, the stream of `{seen}`")));
                }
            }
        }
        None
    }
}

/// What is wrong with a snapshot.
enum Unfit {
    Old(String),
    Foreign(String),
}

impl Feed {
    /// Compares what was delivered with the server's own state now, whatever the period. Says whether that was begun: a
    /// source that isn't live catches up with the server anyway.
    pub fn reconcile(&mut self, now: Mono) -> bool {
        let begins = self.begin_check(now);
        self.settle(now);
        begins
    }

    /// A comparison is due, or has taken too long.
    pub(super) fn handle_check_due(&mut self, now: Mono) {
        if let Some(check) = &self.checks.under_way {
            let why = match &check.answer {
                None => format!("no snapshot within {}", words(FETCH_TIMEOUT)),
                Some(Answer::Server(_)) => "the stream did not come to the snapshot's place".to_owned(),
                Some(Answer::Site(_)) => return self.compare_with_site(now),
            };
            return self.fail_check(why, now);
        }
        if !self.begin_check(now) {
            self.plan_check(now);
        }
    }

    fn begin_check(&mut self, now: Mono) -> bool {
        let can = self.stage == Phase::Live && self.checks.under_way.is_none() && self.fetch.is_none();
        if !can || self.has_nothing_to_compare() {
            return false;
        }
        let Some(request) = self.snapshot_request(now) else { return false };
        self.flush();
        self.checks.seek_from = now.plus(SOUGHT_SPACING);
        // If this one comes to nothing.
        self.checks.sought = self.checks.sought.map(|_| now.plus(SOUGHT_SPACING));
        self.fetches += 1;
        let fetch = FetchId(self.fetches);
        self.checks.under_way = Some(UnderWay {
            fetch,
            until: now.plus(FETCH_TIMEOUT).plus(FETCH_GRACE),
            from: self.delivered(),
            kept: Vec::new(),
            kept_bytes: 0,
            answer: None,
        });
        self.outputs.push_back(Output::Fetch {
            fetch,
            request,
            body_bytes_max: SNAPSHOT_BYTES_MAX,
            timeout: FETCH_TIMEOUT,
        });
        true
    }

    fn has_nothing_to_compare(&self) -> bool {
        !self.checks.has_snapshots || self.link.as_ref().is_none_or(|link| self.checks.without == Some(link.id))
    }

    pub(super) fn is_check(&self, fetch: FetchId) -> bool {
        self.checks.under_way.as_ref().is_some_and(|check| check.fetch == fetch && check.answer.is_none())
    }

    /// The snapshot came, or didn't.
    pub(super) fn handle_check_fetched(&mut self, outcome: Result<Response, LinkFault>, now: Mono) {
        let snapshot = match outcome {
            Ok(response) if response.status == 200 && self.config.site.is_some() => {
                return self.take_site_check(&response.body, now);
            }
            Ok(response) if response.status == 200 => {
                self.dialect.read_snapshot(&response.body, &self.channels, now).map_err(|reason| (reason, None))
            }
            Ok(response) if matches!(response.status, 404 | 410) && self.config.site.is_none() => {
                return self.end_checks("the server offers no snapshot", now);
            }
            Ok(Response { status, retry_after, .. }) => {
                Err(said(LinkFault::new(LinkFaultKind::Http { status, retry_after, content_type: None }, "")))
            }
            Err(fault) => Err(said(fault)),
        };
        match snapshot {
            Ok(snapshot) if snapshot.aggregates.is_empty() => self.end_checks("the server keeps no state", now),
            Ok(snapshot) => self.take_check(snapshot, now),
            Err((reason, not_before)) => {
                self.fail_check(reason, now);
                // The server's word is stronger than the period.
                self.checks.next = self.checks.next.map(|next| next.max(now.plus(not_before.unwrap_or_default())));
            }
        }
    }

    fn take_check(&mut self, snapshot: Snapshot, now: Mono) {
        let Some(check) = &mut self.checks.under_way else { return };
        match check.refuses(&snapshot) {
            Some(Unfit::Old(reason)) => self.fail_check(reason, now),
            Some(Unfit::Foreign(reason)) => self.handle_foreign(reason, now),
            None => {
                check.until = now.plus(self.config.limit.min(FETCH_TIMEOUT));
                check.answer = Some(Answer::Server(snapshot));
            }
        }
    }

    /// The site has answered: what it knows is given as much time to come by the stream as what is shown may be old.
    fn take_site_check(&mut self, body: &[u8], now: Mono) {
        let Some(site) = &self.config.site else { return };
        // A row that tells no time is as old as the question, and what came since is newer.
        let kept = self.checks.under_way.iter().flat_map(|check| &check.kept);
        let asked = kept.map(|event| event.time).min().map_or(self.site_asked, |kept| kept.min(self.site_asked));
        match (site.read(body, asked, now), &mut self.checks.under_way) {
            (Ok(rows), Some(check)) => {
                check.until = now.plus(self.config.limit.min(FETCH_TIMEOUT));
                check.answer = Some(Answer::Site(rows));
            }
            (Err(reason), _) => self.fail_check(format!("the site's state can't be used: {reason}"), now),
            (Ok(_), None) => {}
        }
    }

    /// Hands a comparison with the site over.
    fn compare_with_site(&mut self, now: Mono) {
        let Some(UnderWay { answer: Some(Answer::Site(mut rows)), kept, .. }) = self.checks.under_way.take() else {
            return;
        };
        let Some(site) = &self.config.site else { return };
        let (channel, name) = (site.channel.clone(), Some(site.name.clone()));
        for row in &mut rows {
            row.time = self.no_later(row.time, now);
        }
        self.flush();
        self.checks.failures = 0;
        self.status.counts.checks += 1;
        self.status.unchecked = None;
        let restated = Restated { channel, name, events: rows, positions: self.delivered(), received: now };
        self.deliver(Delivery::Recheck(Box::new(Recheck { restated, later: kept })));
        self.checks.again = !self.checks.again;
        if self.checks.again {
            let limit = self.config.limit.min(FETCH_TIMEOUT);
            self.checks.next = Some(now.plus(limit + self.random.up_to(limit)));
        } else {
            self.plan_check(now);
        }
    }

    /// The server's state is of another history than its stream. A stream that goes on is told so within the limit; if it
    /// isn't, there are two servers behind one address, and the link may be to the one that is gone for everybody else.
    fn handle_foreign(&mut self, reason: String, now: Mono) {
        self.fail_check(reason.clone(), now);
        self.checks.foreign += 1;
        if self.checks.foreign >= SNAPSHOTS_UNUSABLE_MAX {
            self.checks.foreign = 0;
            return self.lose(&Fault::server(FaultKind::Desync(reason)), true, now);
        }
        let limit = self.config.limit.min(FETCH_TIMEOUT);
        self.checks.next = Some(now.plus(limit + self.random.up_to(limit)));
    }

    /// Hands the comparison over once everything that the snapshot holds was delivered.
    pub(super) fn settle_check(&mut self, now: Mono) {
        if self.stage != Phase::Live {
            self.checks.interrupt();
        }
        let Some(check) = &self.checks.under_way else { return };
        if check.is_too_much() {
            return self.fail_check("more was delivered meanwhile than is kept for a comparison", now);
        }
        let Some(Answer::Server(snapshot)) = &check.answer else { return };
        let positions = self.delivered();
        let has_come = |(channel, place): (&Arc<str>, &Position)| {
            positions.get(channel).is_none_or(|delivered| delivered.covers(place) == Some(true))
        };
        if !snapshot.positions.iter().all(has_come) {
            return;
        }
        let Some(UnderWay { answer: Some(Answer::Server(snapshot)), mut kept, .. }) = self.checks.under_way.take()
        else {
            return;
        };
        kept.retain(|event| {
            let place = snapshot.positions.get(&event.channel).zip(event.position.as_ref());
            place.is_some_and(|(place, position)| position.offset > place.offset)
        });
        if let Some(liveness) = self.link.as_mut().and_then(|link| link.liveness.as_mut()) {
            liveness.read_aside(&snapshot.clock);
        }
        self.checks.failures = 0;
        self.checks.foreign = 0;
        self.status.counts.checks += 1;
        self.status.unchecked = None;
        if let (Some(before), Continuity::Unknown) = (self.checks.before, self.status.continuity) {
            self.status.continuity = if before == Continuity::Unknown { before } else { Continuity::Snapshot };
        }
        self.checks.need_none();
        self.deliver(Delivery::Check(Check { snapshot, later: kept, positions }));
        self.plan_check(now);
    }

    /// It came to nothing: the next one comes later.
    pub(super) fn fail_check(&mut self, reason: impl Into<String>, now: Mono) {
        if self.checks.under_way.take().is_none() {
            return;
        }
        self.checks.failures = self.checks.failures.saturating_add(1);
        self.status.counts.checks_failed += 1;
        self.status.unchecked = Some(reason.into());
        self.changed = true;
        let patience = SOUGHT_SPACING * (1 << self.checks.failures.min(CHECK_DOUBLINGS_MAX));
        self.checks.sought = self.checks.sought.map(|_| now.plus(patience));
        self.plan_check(now);
    }

    /// There is nothing to compare with on this link.
    fn end_checks(&mut self, reason: &str, now: Mono) {
        self.fail_check(reason, now);
        self.checks.without = self.link.as_ref().map(|link| link.id);
    }

    /// Sets when the next one is due, a whole period from now.
    pub(super) fn plan_check(&mut self, now: Mono) {
        self.checks.plan(self.config.reconcile, &mut self.random, now);
    }

    /// Live again. What was due meanwhile is spread: walls that lost one server together are live again together.
    pub(super) fn resume_checks(&mut self, now: Mono) {
        if std::mem::take(&mut self.checks.restored) {
            self.checks.sought.get_or_insert(now.plus(self.random.up_to(RESTORED_SPREAD)));
        }
        match (self.checks.next, self.config.reconcile) {
            (Some(next), Some(period)) if next <= now => {
                self.checks.next = Some(now.plus(self.random.up_to(period)));
            }
            (None, Some(_)) => self.plan_check(now),
            (Some(_) | None, _) => {}
        }
    }

    pub(super) fn set_check_timer(&mut self) {
        let at = match &self.checks.under_way {
            Some(check) => Some(check.until),
            None if self.stage == Phase::Live && !self.has_nothing_to_compare() => {
                [self.checks.next, self.checks.sought].into_iter().flatten().min()
            }
            None => None,
        };
        self.timers.put(TimerReason::Check, at);
    }
}

/// Why there was no snapshot, and before when the server wants not to be asked again.
fn said(fault: LinkFault) -> (String, Option<Duration>) {
    let fault = Fault::link(fault);
    let not_before = match fault.verdict() {
        Verdict::After(span) => Some(span.min(crate::limits::RETRY_AFTER_MAX)),
        Verdict::Backoff | Verdict::Soon | Verdict::Slow | Verdict::Refused | Verdict::Never => None,
    };
    (format!("no snapshot: {fault}"), not_before)
}
