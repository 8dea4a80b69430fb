//! When a silent link is dead, and when one that talks is behind.
//!
//! Three things are told apart (H1):
//!
//! - *Silent*: no byte for as long as the limit. The link is dead, whatever the socket says.
//! - *Stalled*: pings are answered, but the stream brings neither event nor heartbeat. The server's process lives,
//!   the subscription doesn't.
//! - *Behind*: bytes come, but the answer to a ping doesn't, because it stands in the queue behind them. What arrives
//!   now may be older than the limit, so it can't be called live; the link is kept, for another would be no faster.
//!
//! Server-sent events know no ping. There the heartbeat's clock tells how far behind the stream is: a reading may come
//! later than the quickest one of this link foretells, but a server's clock that goes on can't show less than before. What
//! is late from the first byte on is found only if a snapshot is fetched, which tells the clock by another way.
//!
//! A link that is a row of requests proves itself with each answer, as of when it was asked for: everything that the server
//! had then is in it, or is said to be still to come. The heartbeat's clock tells an answer that somebody kept.
//!
//! A server may be behind with sending, on a link that answers at once. Its heartbeats say so; that is kept by
//! [`crate::catchup`], and ends *live* by the same limit. What a heartbeat is the first to tell of may have happened at
//! once after the one before.
//!
//! At most one ping is unanswered at a time: RFC 6455 section 5.5.3 lets a peer answer only the newest of several, so
//! with more it could not be known which one an answer belongs to.

use std::time::Duration;

use watchfloor_model::{Mono, SourceClock, Transport};

use crate::{
    clock::Reading,
    fault::words,
    limits::{HEARTBEAT_ASSUMED, HEARTBEAT_MAX, PROBE_PERIOD_MAX, PROBE_PERIOD_MIN},
};

/// What one link has proved, and when it must prove it again.
#[derive(Clone, Debug)]
pub(crate) struct Liveness {
    /// Since when `lag` isn't known better: the link stands, or began to bring something again.
    lags_since: Mono,
    probes: bool,
    /// When the newest request was sent, on a link that is a row of them.
    asked: Option<Mono>,
    limit: Duration,
    heartbeat: Option<Duration>,
    heard: Mono,
    streamed: Mono,
    /// When, at the earliest, the newest message of the stream was sent.
    stream_sent: Mono,
    /// When the stream went on after it had stood still for as long as the limit, until a ping that went out after that is answered: what
    /// was held up comes first.
    resumed: Option<Mono>,
    /// The most that the quickest reading may have been on its way.
    way: Duration,
    /// When the newest reading came, and when, at the earliest, it was sent.
    read: Option<(Mono, Mono)>,
    probed: Option<Mono>,
    unanswered: Option<Mono>,
    /// When the newest answered ping, or the newest reading of the server's clock, was sent: everything that the server
    /// had sent before it has arrived.
    answered: Mono,
    /// The same as of the answer before the newest, on a link that is a row of requests.
    answered_before: Mono,
    /// There: when the newest answer that could be read was asked for, and the one before it.
    told: Mono,
    told_before: Mono,
    /// The quickest reading of the server's clock on this link, and the newest.
    readings: Option<(SourceClock, Reading)>,
    /// How much later than the quickest the newest reading came.
    lag: Duration,
    /// Whether a heartbeat was overdue when something came, and nothing has told since how late that was.
    overdue: bool,
    /// When, at the earliest, the newest heartbeat was sent.
    beat: Option<Mono>,
    /// Whether nothing was live by this link any more when it was heard last.
    doubted: bool,
    /// How long a cache had kept the newest answer, or how old what it is behind with is, if it says so.
    kept: Option<Duration>,
}

/// How much later than by the limit it may be found that something is missing (H1).
pub(crate) const FOUND_AFTER: Duration = Duration::from_secs(1);
/// Two clocks may drift apart by this without its being called a lag: 1 ms a second.
const DRIFT: u32 = 1000;

impl Liveness {
    /// A link that was asked for at `asked` and stands since `now`, under a freshness limit.
    pub(crate) fn new(limit: Duration, transport: Transport, asked: Mono, now: Mono) -> Self {
        let polls = matches!(transport, Transport::LongPoll | Transport::Poll);
        let probes = matches!(transport, Transport::WebSocket | Transport::Tcp);
        // Until a ping is answered nothing tells how long what comes was on its way. Else the lag does.
        let sent = if polls || probes { asked } else { now };
        Self {
            lags_since: now,
            probes,
            asked: polls.then_some(asked),
            limit: limit.clamp(PROBE_PERIOD_MIN * 3, PROBE_PERIOD_MAX * 3),
            // Every answer has one.
            heartbeat: polls.then_some(Duration::ZERO),
            heard: now,
            streamed: now,
            stream_sent: sent,
            resumed: None,
            way: Duration::MAX,
            read: None,
            probed: None,
            unanswered: None,
            answered: sent,
            answered_before: sent,
            told: sent,
            told_before: sent,
            readings: None,
            // What was sent first may have been on its way since the link was asked for.
            lag: if polls { Duration::ZERO } else { now.since(asked) },
            overdue: false,
            beat: None,
            doubted: false,
            kept: None,
        }
    }

    /// The link can be asked, though it only brings: what is asked goes beside it, and is answered on it in turn.
    pub(crate) const fn set_probed(&mut self) {
        self.probes = true;
    }

    /// The longest silence of a link that can still be called live.
    pub(crate) const fn limit(&self) -> Duration {
        self.limit
    }

    /// The server told its heartbeat's period.
    pub(crate) fn set_heartbeat(&mut self, period: Duration) {
        self.heartbeat = Some(period.clamp(Duration::from_millis(1), HEARTBEAT_MAX));
    }

    /// Some bytes came. Says since when they prove the link.
    pub(crate) fn hear(&mut self, now: Mono) -> Mono {
        self.doubted = now >= self.doubt_at();
        let silent = now.since(self.heard);
        let period = self.period();
        if silent > period + period / 4 && !self.probes && self.asked.is_none() {
            // A heartbeat is overdue: the network stood still, or this program. What comes now may have waited all that time, and more may
            // stand behind it.
            self.lag = silent;
            self.lags_since = now;
            self.overdue = true;
        }
        self.heard = now;
        self.kept = None;
        self.answered_before = self.answered;
        self.told_before = self.told;
        if let Some(asked) = self.asked {
            (self.answered, self.told) = (asked, asked);
        }
        self.proves()
    }

    /// Since when what was heard last proves the link.
    pub(crate) fn proves(&self) -> Mono {
        match self.asked {
            Some(_) => self.told,
            None if self.probes => self.heard,
            None => self.sent(self.heard),
        }
    }

    /// The newest answer says what was so this long before it was asked for.
    pub(crate) fn keep(&mut self, age: Duration) {
        self.answered = back(self.answered, age);
        self.kept = Some(age);
    }

    /// The newest answer isn't all that there was when it was asked for: what was proven before it is, or that what still waits is younger than `age`.
    pub(crate) fn fall_behind(&mut self, age: Option<Duration>) {
        if age.is_none() {
            // It makes nothing younger.
            self.told = self.told_before;
        }
        let asked = self.answered;
        self.answered = age.map_or(self.answered_before, |age| self.answered_before.max(back(asked, age)));
        self.kept = Some(asked.since(self.answered));
    }

    /// The next request goes out.
    pub(crate) fn ask(&mut self, now: Mono) {
        self.asked = Some(now);
    }

    /// A message of the stream came.
    pub(crate) fn stream(&mut self, now: Mono) {
        if self.probes && now.since(self.streamed) >= self.stall_max().min(self.limit + FOUND_AFTER) {
            self.resumed = Some(now);
        }
        self.streamed = now;
        // Where nothing tells the time, a link that was slow to stand isn't slow for ever.
        if (self.overdue || !self.tells()) && self.has_beaten(now) {
            self.lag = Duration::ZERO;
            self.overdue = false;
        }
        // What comes after an answer was sent after the ping, and what comes after a reading after that.
        let proven = self.proven();
        if self.resumed.is_some() {
            return;
        }
        self.stream_sent = match self.read {
            // Between two pings the reading knows better.
            Some((at, sent)) if self.probes && at == now => proven.max(sent),
            _ => proven,
        };
    }

    /// A ping goes out.
    pub(crate) fn probe(&mut self, now: Mono) {
        self.probed = Some(now);
        self.unanswered = Some(now);
    }

    /// The ping was answered.
    pub(crate) fn answer(&mut self, now: Mono) {
        self.heard = now;
        if let Some(sent) = self.unanswered.take() {
            self.answered = sent;
            if let Some(resumed) = self.resumed.take_if(|resumed| *resumed <= sent) {
                self.stream_sent = resumed;
            }
        }
    }

    /// The server told its clock, in turn with all else.
    pub(crate) fn read(&mut self, reading: &Reading, now: Mono) {
        // It was sent after the ping that was answered last.
        let mut way = now.since(self.answered);
        let mut lag = None;
        let mut is_compared = false;
        if let Some((quickest, last)) = &self.readings
            && reading.speed == last.speed
            && reading.label == last.label
            && reading.now >= last.now
            && reading.speed > 0.0
        {
            is_compared = true;
            let behind = quickest.at(now).as_millis().saturating_sub(reading.now.as_millis());
            let drift = now.since(quickest.read) / DRIFT;
            lag = Duration::try_from_secs_f64(behind as f64 / 1000.0 / reading.speed)
                .ok()
                .map(|behind| behind.saturating_sub(drift))
                .filter(|lag| !lag.is_zero());
            // The quickest one took no longer than any other.
            way = way.min(self.way.saturating_add(drift));
        }
        if self.has_beaten(now) || (self.overdue && is_compared) {
            self.lag = lag.unwrap_or_default();
            self.overdue = false;
        }
        self.way = way;
        self.read = Some((now, back(now, lag.unwrap_or_default().saturating_add(way))));
        if !self.probes {
            self.answered = self.sent(now).min(self.asked.unwrap_or(now));
        }
        match &mut self.readings {
            Some((_, last)) if lag.is_some() => last.clone_from(reading),
            readings => *readings = Some((reading.clone().at(now), reading.clone())),
        }
    }

    /// The server told its clock by another way: if that was quicker, the stream is measured by it.
    pub(crate) fn read_aside(&mut self, aside: &SourceClock) {
        let Some((quickest, last)) = &mut self.readings else { return };
        let same = aside.speed == last.speed && aside.label == last.label && aside.speed > 0.0;
        if same && aside.at > quickest.at(aside.read) {
            quickest.clone_from(aside);
        }
    }

    /// A heartbeat came. Says from when on the age of what it is the first to tell of counts: it may have happened at once
    /// after the last one, and nothing may be called live that is older than the limit and [`FOUND_AFTER`]. However long
    /// ago that was, the server has a tenth of the limit left to send what it speaks of (H2); unless the link wasn't live by then.
    pub(crate) fn beat(&mut self, now: Mono) -> Mono {
        let sent = self.proven();
        let last = self.beat.replace(sent).unwrap_or(sent);
        let patience = if self.doubted { Mono::ZERO } else { back(now, self.limit - self.limit / 10) };
        last.plus(FOUND_AFTER).max(patience).min(sent)
    }

    /// When, at the earliest, the newest heartbeat was sent.
    pub(crate) const fn beaten(&self) -> Option<Mono> {
        self.beat
    }

    /// Everything that the server had sent by then has arrived, and what arrives now was sent after it.
    pub(crate) fn proven(&self) -> Mono {
        // A stream of neither answers nor readings proves itself by whatever comes.
        if self.probes
            || self.asked.is_some()
            || (self.readings.is_some() && self.heartbeat.is_some_and(|period| period * 2 <= self.limit))
        {
            self.answered
        } else {
            self.sent(self.heard)
        }
    }

    /// When, at the earliest, what arrived at `at` was sent.
    fn sent(&self, at: Mono) -> Mono {
        back(at, self.lag)
    }

    /// How often the server says something, as far as is known.
    fn period(&self) -> Duration {
        self.heartbeat.unwrap_or(HEARTBEAT_ASSUMED)
    }

    /// Whether anything says how late the stream is.
    const fn tells(&self) -> bool {
        self.probes || self.asked.is_some() || self.readings.is_some()
    }

    /// Whether a heartbeat must have come since it was late.
    fn has_beaten(&self, now: Mono) -> bool {
        now.since(self.lags_since) >= self.period()
    }

    /// How long the link may be silent. Without pings it is left to the server's heartbeat, however slow that is.
    pub(crate) fn silence_max(&self) -> Duration {
        if self.probes { self.limit() } else { self.limit().max(self.period() * 2) }
    }

    /// How long the stream may bring nothing.
    pub(crate) fn stall_max(&self) -> Duration {
        self.limit().max(self.period() * 2)
    }

    /// When the link is dead unless it is heard before.
    pub(crate) fn silence_at(&self) -> Mono {
        self.heard.plus(self.silence_max())
    }

    /// When the stream has stalled unless it brings something before.
    pub(crate) fn stall_at(&self) -> Mono {
        self.streamed.plus(self.stall_max())
    }

    /// When to send the next ping; `None` while one is unanswered, and for links without pings.
    pub(crate) fn probe_at(&self) -> Option<Mono> {
        if !self.probes || self.unanswered.is_some() {
            return None;
        }
        let resumed = self.resumed.filter(|resumed| self.probed.is_none_or(|sent| sent < *resumed));
        Some(resumed.unwrap_or_else(|| self.probed.map_or(self.heard, |sent| sent.plus(self.limit / 3))))
    }

    /// When *live* must end although the link isn't dead. A stream that has stalled isn't live for longer than the limit and
    /// [`FOUND_AFTER`], however seldom the server's heartbeat comes.
    pub(crate) fn doubt_at(&self) -> Mono {
        if self.kept == Some(Duration::MAX) {
            // Nobody knows since when.
            return Mono::ZERO;
        }
        self.proven().plus(self.limit).min(self.stream_sent.plus(self.stall_max().min(self.limit + FOUND_AFTER)))
    }

    /// Why the link can't be called live now, if so.
    pub(crate) fn doubt(&self, now: Mono) -> Option<String> {
        if now < self.doubt_at() {
            return None;
        }
        let limit = words(self.limit);
        let heartbeat = self.period();
        let silent = now.since(self.heard) >= self.limit;
        let still = now.since(self.streamed) >= self.limit;
        Some(if (silent || still) && heartbeat > self.limit {
            format!("the server's heartbeat comes every {}: too seldom for a limit of {limit}", words(heartbeat))
        } else if silent {
            format!("nothing heard for {limit}")
        } else if still {
            format!("the server answers, but its stream has stood still for {limit}")
        } else if self.kept == Some(Duration::MAX) {
            "a cache answers, and doesn't say how old what it has is".to_owned()
        } else if let Some(age) = self.kept {
            format!(
                "the answers are {} behind: a cache's, or there is more to come",
                words(Duration::from_secs(age.as_secs()))
            )
        } else {
            let sent = self.proven().min(self.stream_sent);
            let behind = Duration::from_secs(now.since(sent).as_secs().max(1));
            format!("the connection is too slow: what comes now may be {} old", words(behind))
        })
    }
}

/// The instant `by` before `at`.
pub(crate) fn back(at: Mono, by: Duration) -> Mono {
    Mono::from_micros(at.as_micros().saturating_sub(u64::try_from(by.as_micros()).unwrap_or(u64::MAX)))
}

#[cfg(test)]
mod tests {
    use super::*;

    const LIMIT: Duration = Duration::from_secs(6);

    fn at(seconds: u64) -> Mono {
        Mono::from_millis(seconds * 1000)
    }

    /// H1: the probe's period follows the limit, and dead is found within it.
    #[test]
    fn the_period_follows_the_limit() {
        for (limit_ms, period_ms) in [(5000, 1666), (6000, 2000), (100, 100), (3_600_000, 10_000)] {
            let mut link = Liveness::new(Duration::from_millis(limit_ms), Transport::WebSocket, at(0), at(0));
            link.probe(at(0));
            link.answer(at(0));
            assert_eq!(link.probe_at().expect("next").as_micros() / 1000, period_ms);
        }
        let link = Liveness::new(LIMIT, Transport::WebSocket, at(1), at(1));
        assert_eq!(link.silence_at(), at(7));
    }

    /// H1, H2: between two pings a reading of the server's clock tells when it was sent, as far as the quickest one can have been
    /// on its way.
    #[test]
    fn a_reading_tells_when_the_stream_spoke() {
        let mut link = Liveness::new(LIMIT, Transport::WebSocket, at(0), at(0));
        link.set_heartbeat(Duration::from_secs(3));
        let beat = |link: &mut Liveness, second: u64, clock: i64| {
            let now = watchfloor_model::Timestamp::from_millis(clock * 1000);
            link.hear(at(second));
            link.read(&Reading { now, speed: 1.0, label: None }, at(second));
            link.stream(at(second));
            link.doubt_at()
        };
        link.probe(at(0));
        link.answer(at(2));
        assert_eq!(beat(&mut link, 2, 100), at(6), "as early as the ping");
        assert_eq!(beat(&mut link, 5, 103), at(6), "the ping before last is too old");
        link.probe(at(2));
        link.answer(at(5));
        assert_eq!(
            beat(&mut link, 6, 104),
            at(8),
            "sent at 4 at the earliest, but what came may be as old as the ping"
        );
        link.probe(at(5));
        link.answer(at(8));
        assert_eq!(beat(&mut link, 9, 106), at(11), "a second behind the quickest");
        let drift = Duration::from_millis(10);
        assert!(link.stream_sent <= at(6) && back(at(6), drift) < link.stream_sent, "{:?}", link.stream_sent);
        assert_eq!(link.doubt(at(10)), None);
    }

    /// One ping at a time; an answer proves the instant at which the ping was sent, not the one at which it came back.
    #[test]
    fn an_answer_proves_when_it_was_asked_for() {
        let mut link = Liveness::new(LIMIT, Transport::WebSocket, at(0), at(0));
        assert_eq!(link.probe_at(), Some(at(0)));
        link.probe(at(0));
        assert_eq!(link.probe_at(), None);
        link.hear(at(5));
        link.stream(at(5));
        assert_eq!(link.doubt(at(5)), None);
        link.hear(at(6));
        assert!(link.doubt(at(6)).expect("behind").contains("too slow"));
        link.answer(at(6));
        assert!(link.doubt(at(6)).is_some(), "an answer that took 6 s leaves what comes now 6 s old");
        link.probe(at(6));
        link.answer(at(7));
        link.stream(at(7));
        assert_eq!(link.doubt(at(11)), None);
        assert_eq!(link.silence_at(), at(13));
    }

    /// A heartbeat slower than the limit: the link isn't dropped again and again, but it can't be live in between.
    #[test]
    fn a_slow_heartbeat_is_named() {
        let mut link = Liveness::new(LIMIT, Transport::Sse, at(0), at(0));
        link.set_heartbeat(Duration::from_secs(20));
        assert_eq!(link.silence_at(), at(40));
        assert_eq!(link.doubt(at(5)), None);
        assert!(link.doubt(at(6)).expect("doubt").contains("every 20 s"));
        link.hear(at(20));
        link.stream(at(20));
        assert_eq!(link.doubt(at(20)), None);
    }

    /// H1, H2: a stream whose clock falls behind is behind; a clock that is set back, paused or drifts is not.
    #[test]
    fn the_heartbeats_clock_tells_the_lag_of_a_stream_without_pings() {
        let mut link = Liveness::new(LIMIT, Transport::Sse, at(0), at(0));
        let mut read = |second: u64, clock: f64, speed: f64| {
            let now = watchfloor_model::Timestamp::from_millis((clock * 1000.0) as i64);
            link.hear(at(second));
            link.read(&Reading { now, speed, label: None }, at(second));
            link.stream(at(second));
            link.doubt(at(second)).is_some()
        };
        assert!(!read(0, 100.0, 1.0));
        assert!(!read(5, 102.0, 1.0), "3 s behind is within the limit");
        assert!(read(10, 103.0, 1.0), "7 s behind isn't");
        assert!(!read(11, 111.0, 1.0), "caught up");
        assert!(!read(12, 50.0, 1.0), "set back");
        assert!(!read(17, 500.0, 60.0), "another speed");
        assert!(!read(22, 620.0, 60.0), "3 s behind");
        assert!(read(27, 680.0, 60.0), "7 s behind");
        assert!(!read(28, 680.0, 0.0) && !read(33, 680.0, 0.0), "paused");
        assert!(!read(34, 1000.0, 1.0) && !read(20_034, 20_990.0, 1.0), "drift of 500 ppm");
        assert!(read(20_074, 100.0, 1.0), "set back after a silence, it doesn't tell how late that was");
        assert!(!read(20_079, 105.0, 1.0), "until the next one");
    }

    /// H1: a stream that stood still for as long as the limit, though pings were answered, brings first what was held up: it is live again once
    /// a ping that went out after that is answered.
    #[test]
    fn what_was_held_up_comes_first() {
        let mut link = Liveness::new(LIMIT, Transport::WebSocket, at(0), at(0));
        link.set_heartbeat(Duration::from_secs(1));
        for second in 0..10 {
            link.probe(at(second));
            link.answer(at(second));
        }
        assert!(link.doubt(at(9)).expect("stalled").contains("stood still"));
        link.hear(at(10));
        link.stream(at(10));
        assert!(link.doubt(at(10)).is_some(), "this may be of second 1");
        assert_eq!(link.probe_at(), Some(at(10)), "asked at once");
        link.probe(at(10));
        assert!(link.doubt(at(10)).is_some());
        link.answer(at(11));
        assert_eq!(link.doubt(at(11)), None);
        assert_eq!(link.doubt_at(), at(16), "proven as of when it went on");
    }

    /// H1, H2: where nothing tells the time, what comes after an overdue heartbeat may be as old as the silence, until a heartbeat has passed.
    #[test]
    fn what_comes_after_an_overdue_heartbeat_is_old() {
        let mut link = Liveness::new(LIMIT, Transport::Sse, at(0), at(0));
        link.set_heartbeat(Duration::from_secs(4));
        let mut comes = |second: u64| {
            link.hear(at(second));
            link.stream(at(second));
            (link.doubt(at(second)).is_some(), link.doubt_at(), link.proves())
        };
        assert_eq!(comes(5), (false, at(11), at(5)), "a second late");
        assert_eq!(comes(12), (true, at(11), at(5)), "as old as second 5");
        assert_eq!(comes(15), (true, at(14), at(8)), "more may have stood behind it");
        assert_eq!(comes(16), (false, at(22), at(16)));
    }

    /// H1, H2: what a heartbeat is the first to tell of may have happened since the last, and the server gets a moment to
    /// send it.
    #[test]
    fn a_heartbeat_tells_of_the_time_since_the_last() {
        let mut link = Liveness::new(LIMIT, Transport::Sse, at(0), at(0));
        link.set_heartbeat(Duration::from_secs(1));
        let mut beat = |millis: u64| {
            let now = Mono::from_millis(millis);
            link.hear(now);
            let clock = watchfloor_model::Timestamp::from_millis(millis as i64);
            link.read(&Reading { now: clock, speed: 1.0, label: None }, now);
            link.beat(now).as_micros() / 1000
        };
        assert_eq!(beat(1000), 1000, "the first has none before it");
        assert_eq!((beat(2000), beat(3200), beat(3900)), (2000, 3000, 3900));
        assert_eq!(beat(7900), 4900, "three were missed");
        assert_eq!(
            beat(90_000),
            8900,
            "silent for longer than the limit, it wasn't live, and isn't before it has caught up"
        );
    }

    /// H1: an answer proves what its request could see. One that a cache kept says no more than it did when it was made.
    #[test]
    fn an_answer_to_a_poll_proves_when_it_was_asked_for() {
        let mut link = Liveness::new(LIMIT, Transport::LongPoll, at(1), at(2));
        assert_eq!((link.hear(at(2)), link.doubt_at(), link.silence_at()), (at(1), at(7), at(8)));
        let mut answer = |asked: u64, answered: u64, clock: i64| {
            link.ask(at(asked));
            assert_eq!(link.hear(at(answered)), at(asked));
            let now = watchfloor_model::Timestamp::from_millis(clock * 1000);
            link.read(&Reading { now, speed: 1.0, label: None }, at(answered));
            let since = link.beat(at(answered));
            link.stream(at(answered));
            (since, link.doubt_at())
        };
        assert_eq!(answer(2, 4, 100), (at(2), at(8)), "the first tells of what was before it");
        assert_eq!(answer(4, 6, 102), (at(3), at(10)), "what it is the first to tell of came after the one before");
        assert_eq!(answer(6, 6, 102), (at(5), at(12)));
        assert!(answer(10, 10, 102).1 <= at(12).plus(Duration::from_millis(5)), "the same answer as four seconds ago");
    }

    #[test]
    fn a_stream_that_stands_still_is_found_behind_answered_pings() {
        let mut link = Liveness::new(LIMIT, Transport::WebSocket, at(0), at(0));
        link.set_heartbeat(Duration::from_secs(1));
        link.probe(at(2));
        link.answer(at(3));
        assert_eq!(link.stall_at(), at(6));
        link.stream(at(3));
        assert_eq!(link.stall_at(), at(9));
    }
}
