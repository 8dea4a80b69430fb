//! When a silent page is said to be silent, and when something is done about it. Pure: instants are durations since the start.

use std::time::Duration;

/// A page that has something to paint is said to be silent after this. It pulls once a second at least.
const SAY_AFTER: Duration = Duration::from_secs(2);
/// One that has nothing yet, as at a start on a slow machine.
const SAY_FIRST_AFTER: Duration = Duration::from_secs(10);
/// A page that has painted is started again after this.
const ACT_AFTER: Duration = Duration::from_secs(5);
/// One that is starting is given this long for its first frame.
const START_LIMIT: Duration = Duration::from_secs(15);
/// A page whose process has ended is started again after this, the first time; then after four times as long each.
const ENDED_PAUSE: Duration = Duration::from_millis(100);
/// A program whose engine has ended by a defect is started again after this …
const ENGINE_PAUSE: Duration = Duration::from_secs(5);
/// … and after this if the engine hadn't run for as long: a defect that is met at each start must not start it all the time.
const ENGINE_PAUSE_LONG: Duration = Duration::from_secs(60);
/// A page that has painted for this long is well: what was tried before is forgotten.
const WELL_AFTER: Duration = Duration::from_secs(30);
/// From one look to the next no more than this counts: if more has passed, this program stood still, not the page. A program that is
/// only slow finds a silent page all the same.
const LOOK_MAX: Duration = Duration::from_secs(1);

/// What is to be done now.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Act {
    /// Start the page again, in its place.
    Reload,
    /// Start another page beside it, and put that into its place.
    Swap,
    /// Start the program again.
    Restart,
}

/// What must be said beside the page.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Say {
    /// Nothing was painted for so long.
    Silent(Duration),
    /// The engine behind the page has ended; the program is started again in so long.
    Ended(Duration),
}

/// What a look finds.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Found {
    pub(super) say: Option<Say>,
    pub(super) act: Option<Act>,
}

/// One page.
#[derive(Debug)]
pub(super) struct Watch {
    /// Since when it can't be seen.
    hidden: Option<Duration>,
    /// The newest receipt, or when the page could have begun to give any.
    heard: Duration,
    /// Whether it has ever got something to paint: that may be on the glass before its receipt is here.
    given: bool,
    /// Whether it has ever painted.
    painted: bool,
    /// When something is done unless a receipt comes.
    due: Duration,
    /// What was done since it was last well.
    acts: u32,
    acted: Duration,
    looked: Duration,
    /// Its receipts aren't believed: the screen shows something older.
    doubted: bool,
    /// When the program is started again because its engine has ended.
    again: Option<Duration>,
}

impl Watch {
    pub(super) const fn new(now: Duration) -> Self {
        Self {
            hidden: None,
            heard: now,
            given: false,
            painted: false,
            due: START_LIMIT,
            acts: 0,
            acted: now,
            looked: now,
            doubted: false,
            again: None,
        }
    }

    /// It gets its first frame.
    pub(super) fn given(&mut self, now: Duration) {
        if !std::mem::replace(&mut self.given, true) {
            self.heard = now;
        }
    }

    pub(super) fn receipt(&mut self, now: Duration) {
        if self.doubted {
            return;
        }
        if self.acts > 0 && now.saturating_sub(self.acted) >= WELL_AFTER {
            self.acts = 0;
        }
        self.heard = now;
        (self.given, self.painted) = (true, true);
        // A page that paints is seen, whatever was said of it; but a receipt may have been on its way.
        self.hidden = self.hidden.filter(|since| now.saturating_sub(*since) < SAY_AFTER);
        self.due = now + ACT_AFTER;
    }

    /// What stands on the screen has been old since then, whatever the page says; or it is what the page says.
    pub(super) fn paints_old(&mut self, since: Option<Duration>) {
        self.doubted = since.is_some();
        if let Some(since) = since {
            self.heard = self.heard.min(since);
            self.due = self.due.min(self.heard + ACT_AFTER);
        }
    }

    pub(super) fn visible(&mut self, visible: bool, now: Duration) {
        if visible && self.hidden.is_some() {
            self.heard = now;
            self.due = self.due.max(now + ACT_AFTER);
        }
        self.hidden = (!visible).then(|| self.hidden.unwrap_or(now));
    }

    pub(super) fn ended(&mut self, now: Duration) {
        let pause = ENDED_PAUSE * 4_u32.saturating_pow(self.acts.min(4));
        self.due = self.due.min(now + pause);
        // Out of sight or not: there is no page any more that could say so.
        self.hidden = None;
    }

    /// The page that was to take this one's place has failed as well.
    pub(super) fn swap_failed(&mut self, now: Duration) {
        if self.acts > 1 && self.silent(now) >= SAY_AFTER {
            self.due = now;
        }
    }

    /// Whether it is seen, and painted not long ago.
    pub(super) fn is_well(&self, now: Duration) -> bool {
        self.hidden.is_none() && self.painted && self.again.is_none() && self.silent(now) < SAY_AFTER
    }

    /// Whether it says that it is.
    pub(super) fn says_it_paints(&self, now: Duration) -> bool {
        self.is_well(now) || (self.doubted && self.hidden.is_none())
    }

    /// Whether it has ever painted.
    pub(super) const fn has_painted(&self) -> bool {
        self.painted
    }

    fn silent(&self, now: Duration) -> Duration {
        now.saturating_sub(self.heard)
    }

    /// The engine has ended by itself after it ran for `ran`. What the page paints from now on is a notice of that.
    pub(super) fn engine_ended(&mut self, ran: Duration, now: Duration) {
        let pause = if ran >= ENGINE_PAUSE_LONG { ENGINE_PAUSE } else { ENGINE_PAUSE_LONG };
        self.again.get_or_insert(now + pause);
    }

    pub(super) fn look(&mut self, now: Duration) -> Found {
        let since = now.saturating_sub(self.looked);
        self.looked = now;
        let stood = since.saturating_sub(LOOK_MAX);
        self.due += stood;
        self.heard += stood;
        if let Some(again) = self.again {
            let act = (now >= again).then_some(Act::Restart);
            return Found { say: Some(Say::Ended(again.saturating_sub(now))), act };
        }
        if self.hidden.is_some() {
            return Found { say: None, act: None };
        }
        let act = (now >= self.due).then(|| {
            self.acts += 1;
            self.acted = now;
            // What comes now is another picture.
            self.doubted = false;
            self.due = now + START_LIMIT;
            match self.acts {
                1 => Act::Reload,
                2 => Act::Swap,
                _ => Act::Restart,
            }
        });
        let silent = self.silent(now);
        let limit = if self.given { SAY_AFTER } else { SAY_FIRST_AFTER };
        Found { say: (silent >= limit).then_some(Say::Silent(silent)), act }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const STEP: Duration = Duration::from_millis(250);

    fn at(seconds: f64) -> Duration {
        Duration::from_secs_f64(seconds)
    }

    /// Looks from `from` to `to`, and tells when something was first said and what was done when.
    fn look(watch: &mut Watch, from: f64, to: f64) -> (Option<Duration>, Vec<(Duration, Act)>) {
        let (mut said, mut acts, mut now) = (None, Vec::new(), at(from));
        while now <= at(to) {
            let found = watch.look(now);
            said = said.or(found.say.map(|_| now));
            acts.extend(found.act.map(|act| (now, act)));
            now += STEP;
        }
        (said, acts)
    }

    fn painting(until: f64) -> Watch {
        let mut watch = Watch::new(Duration::ZERO);
        let mut now = Duration::ZERO;
        while now <= at(until) {
            watch.receipt(now);
            assert_eq!(watch.look(now), Found { say: None, act: None });
            now += STEP;
        }
        watch
    }

    /// H7: said after 2 s, started again after 5 s, then another one beside it, and then the whole program.
    #[test]
    fn a_silent_page_is_named_then_started_again() {
        let (said, acts) = look(&mut painting(10.0), 10.25, 60.0);
        assert_eq!(said, Some(at(12.0)));
        let expected = [(15.0, Act::Reload), (30.0, Act::Swap), (45.0, Act::Restart), (60.0, Act::Restart)];
        assert_eq!(acts, expected.map(|(when, act)| (at(when), act)));
    }

    /// H7: if the other page fails too, nobody waits for it; a page that has come back by itself meanwhile is left alone.
    #[test]
    fn a_failed_swap_is_the_last_try() {
        let mut watch = painting(10.0);
        look(&mut watch, 10.25, 31.0);
        watch.swap_failed(at(32.0));
        assert_eq!(watch.look(at(32.25)).act, Some(Act::Restart));
        let mut watch = painting(10.0);
        look(&mut watch, 10.25, 31.0);
        watch.receipt(at(31.5));
        watch.swap_failed(at(32.0));
        assert_eq!(look(&mut watch, 32.25, 36.0).1, []);
    }

    /// H7: a page that answers and leaves an old picture on the screen is no better than one that is silent, until the picture
    /// is new.
    #[test]
    fn receipts_for_an_old_picture_count_for_nothing() {
        let mut watch = painting(10.0);
        watch.paints_old(Some(at(6.0)));
        watch.receipt(at(10.1));
        assert_eq!(watch.look(at(10.2)), Found { say: Some(Say::Silent(at(10.2) - at(6.0))), act: None });
        watch.receipt(at(11.0));
        assert_eq!(watch.look(at(11.0)).act, Some(Act::Reload));
        watch.receipt(at(12.0));
        assert_eq!(watch.look(at(12.0)), Found { say: None, act: None });
        let mut watch = painting(10.0);
        watch.paints_old(Some(at(8.5)));
        watch.paints_old(None);
        watch.receipt(at(11.0));
        assert_eq!(look(&mut watch, 11.0, 12.5), (None, vec![]));
    }

    /// H7: a page that comes back is left alone, and after a while has all its tries again.
    #[test]
    fn a_page_that_comes_back_is_well() {
        let mut watch = painting(10.0);
        assert_eq!(look(&mut watch, 10.25, 15.0).1, [(at(15.0), Act::Reload)]);
        watch.receipt(at(16.0));
        assert_eq!(look(&mut watch, 16.0, 17.5), (None, vec![]));
        watch.receipt(at(50.0));
        watch.looked = at(50.0);
        assert_eq!(look(&mut watch, 50.25, 70.0).1, [(at(55.0), Act::Reload), (at(70.0), Act::Swap)]);
    }

    /// H7: a page whose process has ended is started again at once; one that ends again and again, ever later.
    #[test]
    fn a_page_whose_process_ends_is_started_at_once() {
        let mut watch = painting(10.0);
        watch.ended(at(10.0));
        assert_eq!(look(&mut watch, 10.25, 11.0).1, [(at(10.25), Act::Reload)]);
        watch.receipt(at(11.0));
        watch.ended(at(11.0));
        assert_eq!(look(&mut watch, 11.25, 12.0).1, [(at(11.5), Act::Swap)]);
        watch.receipt(at(12.0));
        watch.ended(at(12.0));
        assert_eq!(look(&mut watch, 12.25, 14.0).1, [(at(13.75), Act::Restart)]);
    }

    /// H2: a hidden page pulls nothing, and a program that stood still knows nothing of its page.
    #[test]
    fn no_false_alarm_when_hidden_or_asleep() {
        let mut watch = painting(10.0);
        watch.visible(false, at(10.0));
        assert_eq!(look(&mut watch, 10.25, 100.0), (None, vec![]));
        watch.visible(true, at(100.0));
        assert_eq!(look(&mut watch, 100.25, 101.5), (None, vec![]));
        let mut watch = painting(10.0);
        assert_eq!(watch.look(at(3600.0)), Found { say: None, act: None });
        assert_eq!(look(&mut watch, 3600.25, 3603.75).1, [], "four seconds to come back");
    }

    /// H1, H7: a page that stood still while it was hidden can't say that it is seen again: the window does, and a page that paints is seen.
    #[test]
    fn a_window_that_comes_back_is_watched() {
        let mut watch = painting(10.0);
        watch.visible(false, at(10.0));
        watch.looked = at(60.0);
        watch.visible(true, at(60.0));
        assert_eq!(look(&mut watch, 60.25, 65.0), (Some(at(62.0)), vec![(at(65.0), Act::Reload)]));
        let mut watch = painting(10.0);
        watch.visible(false, at(10.0));
        watch.receipt(at(11.0));
        assert_eq!(look(&mut watch, 11.0, 20.0), (None, vec![]), "it was on its way");
        watch.receipt(at(20.0));
        assert_eq!(look(&mut watch, 20.0, 22.0).0, Some(at(22.0)));
    }

    /// H1, H7: a page that goes on painting without an engine behind it isn't well. What is wrong is said at once, hidden or not,
    /// and the program started again: soon after a long life, later after a short one.
    #[test]
    fn an_engine_that_ends_is_said_and_the_program_started_again() {
        for (ran, pause) in [(3600.0, 5.0), (59.0, 60.0), (0.0, 60.0)] {
            for visible in [true, false] {
                let mut watch = painting(10.0);
                watch.visible(visible, at(10.0));
                watch.engine_ended(at(ran), at(10.0));
                watch.engine_ended(at(ran), at(11.0));
                assert_eq!(watch.look(at(10.0)), Found { say: Some(Say::Ended(at(pause))), act: None });
                let mut now = at(10.0);
                while now < at(10.0 + pause) {
                    watch.receipt(now);
                    assert_eq!(watch.look(now).act, None, "{ran} {now:?}");
                    now += STEP;
                }
                assert_eq!(watch.look(now).act, Some(Act::Restart), "{ran}");
            }
        }
    }

    /// H2: a slow start is no silence.
    #[test]
    fn a_start_takes_its_time() {
        let (said, acts) = look(&mut Watch::new(Duration::ZERO), 0.0, 16.0);
        assert_eq!((said, acts), (Some(at(10.0)), vec![(at(15.0), Act::Reload)]));
    }

    /// H1, H7: what a page has got may be on the glass, so its silence is said as that of one which has painted; once, however often it asks.
    #[test]
    fn a_page_that_stops_at_its_first_picture_is_named() {
        let mut watch = Watch::new(Duration::ZERO);
        assert_eq!(look(&mut watch, 0.0, 4.0), (None, vec![]));
        watch.given(at(4.1));
        assert_eq!(look(&mut watch, 4.25, 6.0), (None, vec![]));
        watch.given(at(6.05));
        assert_eq!(look(&mut watch, 6.25, 16.0), (Some(at(6.25)), vec![(at(15.0), Act::Reload)]));
    }

    /// H7: a program that is slow, so that each of its looks comes late, finds a page that stands still.
    #[test]
    fn slow_looks_find_it_as_well() {
        let mut watch = painting(10.0);
        let said = (1..10).map(|look| at(10.0) + at(1.2) * look).find(|now| watch.look(*now).say.is_some());
        assert!(said.is_some_and(|said| said <= at(13.0)), "{said:?}");
    }
}
