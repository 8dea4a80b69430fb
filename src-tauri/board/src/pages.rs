//! Pages: which one is on the glass, why, and for how long.
//!
//! They turn by themselves, each after its own time. A hand turns them and may pin one. A page that comes with an alarm is turned to
//! when one begins on it, and stays while it lasts; who turns away then has a minute.

use std::time::Duration;

use watchfloor_model::Mono;

use crate::{
    config::spec::PageSpec,
    frame::{PageWhy, State},
};

/// What a hand turned to stays for so long at least, whatever the page's own time.
const HAND_MIN: Duration = Duration::from_secs(60);

/// What somebody does with the pages.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Gesture {
    /// The next one, after the last the first.
    Next,
    /// The one before, before the first the last.
    Previous,
    /// This one, counted from 0.
    Show(usize),
    /// The one that is shown stays, or turns again.
    Pin,
}

/// Which page is shown.
#[derive(Debug)]
pub(crate) struct Pager {
    pages: Vec<PageSpec>,
    rotates: bool,
    shown: usize,
    why: PageWhy,
    /// When it turns by itself.
    until: Option<Mono>,
    pinned: Option<usize>,
    /// On which pages that come with an alarm there is one.
    alarmed: Vec<bool>,
    /// A copy's: nothing turns it.
    is_held: bool,
}

impl Pager {
    pub(crate) fn new(pages: &[PageSpec], rotates: bool, now: Mono) -> Self {
        let mut pager = Self {
            pages: Vec::new(),
            rotates,
            shown: 0,
            why: PageWhy::Rotation,
            until: None,
            pinned: None,
            alarmed: Vec::new(),
            is_held: false,
        };
        pager.reload(pages, rotates, now);
        pager
    }

    /// Takes the pages of another file; those that it has as well stay what they are, the one that is shown first of all.
    pub(crate) fn reload(&mut self, pages: &[PageSpec], rotates: bool, now: Mono) {
        let place = |old: usize| {
            let id = &self.pages.get(old)?.id;
            pages.iter().position(|page| page.id == *id)
        };
        let (shown, pinned) = (place(self.shown), self.pinned.and_then(place));
        let alarmed = |page: &PageSpec| {
            let old = self.pages.iter().position(|own| own.id == page.id);
            old.and_then(|old| self.alarmed.get(old).copied()).unwrap_or_default() && page.comes_on_alarm
        };
        self.alarmed = pages.iter().map(alarmed).collect();
        (self.pages, self.rotates, self.pinned) = (pages.to_vec(), rotates, pinned);
        self.shown = shown.unwrap_or_default();
        if !self.is_held {
            self.settle(now);
        }
    }

    /// The page that is shown, counted from 0.
    pub(crate) const fn shown(&self) -> usize {
        self.shown
    }

    pub(crate) const fn why(&self) -> PageWhy {
        self.why
    }

    /// How long it is still shown, if that is known.
    pub(crate) fn left(&self, now: Mono) -> Option<Duration> {
        self.until.map(|until| until.since(now))
    }

    /// Stays at a page for good: what a copy of the wall shows.
    pub(crate) fn hold(&mut self, page: usize) {
        self.shown = page.min(self.pages.len().saturating_sub(1));
        (self.until, self.is_held) = (None, true);
    }

    /// The worst that there is on each page. Says whether another page is shown now.
    pub(crate) fn handle_states(&mut self, worst: &[State], now: Mono) -> bool {
        let before = self.shown;
        let alarmed = |(page, state): (&PageSpec, &State)| page.comes_on_alarm && *state == State::Alarm;
        let alarmed: Vec<bool> = self.pages.iter().zip(worst).map(alarmed).collect();
        if self.is_held || alarmed == self.alarmed {
            return false;
        }
        let begun = alarmed.iter().zip(&self.alarmed).position(|(is, was)| *is && !*was);
        self.alarmed = alarmed;
        match begun {
            Some(page) => self.show(page, PageWhy::Alarm, now),
            // What a hand turned to is left when its time is over.
            None if self.why == PageWhy::Alarm => self.settle(now),
            None => {}
        }
        self.shown != before
    }

    /// Somebody turns a page, or pins one. Says whether anything is otherwise now.
    pub(crate) fn handle_gesture(&mut self, gesture: Gesture, now: Mono) -> bool {
        let count = self.pages.len();
        if count < 2 || self.is_held {
            return false;
        }
        let page = match gesture {
            Gesture::Next => self.after(self.shown),
            Gesture::Previous => (self.shown + count - 1) % count,
            Gesture::Show(page) if page < count => page,
            Gesture::Show(_) => return false,
            Gesture::Pin => {
                self.pinned = if self.pinned.is_some() { None } else { Some(self.shown) };
                match self.pinned {
                    Some(page) => self.show(page, PageWhy::Pinned, now),
                    None => self.settle(now),
                }
                return true;
            }
        };
        self.pinned = None;
        self.show(page, PageWhy::Hand, now);
        true
    }

    /// Turns the page if its time is over; says whether it did.
    pub(crate) fn handle_tick(&mut self, now: Mono) -> bool {
        if self.until.is_none_or(|until| until > now) {
            return false;
        }
        let before = self.shown;
        match self.next_alarmed() {
            Some(page) => self.show(page, PageWhy::Alarm, now),
            None if self.rotates => self.show(self.after(self.shown), PageWhy::Rotation, now),
            None => self.settle(now),
        }
        self.shown != before
    }

    /// When that is.
    pub(crate) const fn poll_timeout(&self) -> Option<Mono> {
        self.until
    }

    fn after(&self, page: usize) -> usize {
        (page + 1) % self.pages.len().max(1)
    }

    /// The next page with an alarm on it; the one that is shown if it is the only one.
    fn next_alarmed(&self) -> Option<usize> {
        let count = self.pages.len();
        (1..=count).map(|step| (self.shown + step) % count).find(|page| self.alarmed.get(*page) == Some(&true))
    }

    /// Goes back to what is shown without anybody's doing.
    fn settle(&mut self, now: Mono) {
        let is_alarmed = self.alarmed.get(self.shown) == Some(&true);
        match (self.next_alarmed(), self.pinned) {
            (Some(_), _) if is_alarmed => self.show(self.shown, PageWhy::Alarm, now),
            (Some(page), _) => self.show(page, PageWhy::Alarm, now),
            (None, Some(page)) => self.show(page, PageWhy::Pinned, now),
            (None, None) => self.show(self.shown, PageWhy::Rotation, now),
        }
    }

    fn show(&mut self, page: usize, why: PageWhy, now: Mono) {
        (self.shown, self.why) = (page, why);
        let dwell = self.pages.get(page).map_or(HAND_MIN, |page| page.dwell);
        let others = self.alarmed.iter().filter(|is| **is).count() > 1;
        self.until = match why {
            PageWhy::Rotation if self.rotates && self.pages.len() > 1 => Some(now.plus(dwell)),
            // Pages that all have an alarm take turns.
            PageWhy::Alarm if others => Some(now.plus(dwell)),
            PageWhy::Hand if self.rotates || self.alarmed.contains(&true) => Some(now.plus(dwell.max(HAND_MIN))),
            PageWhy::Rotation | PageWhy::Alarm | PageWhy::Hand | PageWhy::Pinned => None,
        };
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn page(id: &str, dwell_s: u64, comes_on_alarm: bool) -> PageSpec {
        PageSpec { id: id.to_owned(), title: id.to_owned(), dwell: Duration::from_secs(dwell_s), comes_on_alarm }
    }

    fn at(seconds: u64) -> Mono {
        Mono::from_millis(seconds * 1000)
    }

    /// Two that come with an alarm and one that doesn't, of which each has its own time.
    fn three() -> Pager {
        Pager::new(&[page("now", 20, true), page("week", 40, false), page("rooms", 30, true)], true, at(0))
    }

    fn run(pager: &mut Pager, from: u64, to: u64) -> Vec<(u64, usize)> {
        (from..=to).filter_map(|second| pager.handle_tick(at(second)).then_some((second, pager.shown()))).collect()
    }

    const FINE: [State; 3] = [State::Normal; 3];

    /// Each page has its own time, and after the last comes the first.
    #[test]
    fn pages_turn_by_themselves() {
        let mut pager = three();
        assert_eq!(run(&mut pager, 0, 110), [(20, 1), (60, 2), (90, 0), (110, 1)]);
        assert_eq!(pager.left(at(120)), Some(Duration::from_secs(30)));
        let mut still = Pager::new(&[page("a", 20, false), page("b", 20, false)], false, at(0));
        assert_eq!((run(&mut still, 0, 500), still.poll_timeout()), (Vec::new(), None));
        let mut one = Pager::new(&[page("a", 20, false)], true, at(0));
        assert_eq!((run(&mut one, 0, 500), one.handle_gesture(Gesture::Next, at(500))), (Vec::new(), false));
    }

    /// After a machine slept, one page is turned, and not all that would have been.
    #[test]
    fn a_long_pause_is_one_turn() {
        let mut pager = three();
        assert!(pager.handle_tick(at(7 * 3600)));
        assert_eq!((pager.shown(), pager.left(at(7 * 3600))), (1, Some(Duration::from_secs(40))));
    }

    /// What a hand turned to stays for a minute at least, then they turn on from there.
    #[test]
    fn a_hand_turns_them() {
        let mut pager = three();
        assert!(pager.handle_gesture(Gesture::Show(2), at(5)) && pager.why() == PageWhy::Hand);
        assert_eq!(run(&mut pager, 5, 66), [(65, 0)]);
        assert!(pager.handle_gesture(Gesture::Previous, at(70)));
        assert_eq!(pager.shown(), 2);
        assert!(!pager.handle_gesture(Gesture::Show(3), at(71)), "there is no such page");
        assert!(pager.handle_gesture(Gesture::Next, at(72)));
        assert_eq!(pager.shown(), 0);
    }

    /// A pinned page stays until it is let go, or turned by hand.
    #[test]
    fn a_pinned_page_stays() {
        let mut pager = three();
        pager.handle_gesture(Gesture::Show(1), at(1));
        assert!(pager.handle_gesture(Gesture::Pin, at(2)) && pager.why() == PageWhy::Pinned);
        assert_eq!(run(&mut pager, 2, 9999), []);
        assert!(pager.handle_gesture(Gesture::Pin, at(10_000)) && pager.why() == PageWhy::Rotation);
        assert_eq!(run(&mut pager, 10_000, 10_040), [(10_040, 2)]);
        pager.handle_gesture(Gesture::Pin, at(10_041));
        pager.handle_gesture(Gesture::Next, at(10_042));
        assert_eq!((pager.why(), pager.shown()), (PageWhy::Hand, 0));
    }

    /// An alarm brings its page, once, from a pinned one as well; while it lasts nothing turns; then all is as before.
    #[test]
    fn an_alarm_brings_its_page() {
        let mut pager = three();
        pager.handle_gesture(Gesture::Show(1), at(1));
        pager.handle_gesture(Gesture::Pin, at(1));
        let alarm = [State::Normal, State::Alarm, State::Alarm];
        assert!(pager.handle_states(&alarm, at(10)));
        assert_eq!((pager.shown(), pager.why(), pager.left(at(10))), (2, PageWhy::Alarm, None));
        assert_eq!(run(&mut pager, 10, 9999), []);
        assert!(!pager.handle_states(&alarm, at(10_000)), "it brings it once");
        assert!(pager.handle_states(&FINE, at(10_001)));
        assert_eq!((pager.shown(), pager.why()), (1, PageWhy::Pinned));
    }

    /// Who turns away from an alarm has a minute; a new one brings its page at once.
    #[test]
    fn a_hand_may_turn_away_from_an_alarm() {
        let mut pager = three();
        pager.handle_states(&[State::Alarm, State::Normal, State::Normal], at(10));
        pager.handle_gesture(Gesture::Next, at(20));
        assert_eq!(pager.shown(), 1);
        assert_eq!(run(&mut pager, 20, 90), [(80, 0)]);
        assert_eq!(pager.why(), PageWhy::Alarm);
        pager.handle_gesture(Gesture::Next, at(91));
        assert!(pager.handle_states(&[State::Alarm, State::Normal, State::Alarm], at(92)));
        assert_eq!(run(&mut pager, 92, 142), [(122, 0), (142, 2)], "those with an alarm take turns");
        assert!(!pager.handle_states(&[State::Normal, State::Normal, State::Alarm], at(143)));
        assert_eq!(run(&mut pager, 143, 500), []);
    }

    /// Another file: the page that is shown stays if it has that one.
    #[test]
    fn another_file() {
        let mut pager = three();
        pager.handle_gesture(Gesture::Show(2), at(1));
        pager.reload(&[page("rooms", 15, true), page("now", 15, true)], true, at(2));
        assert_eq!((pager.shown(), pager.left(at(2))), (0, Some(Duration::from_secs(15))));
        pager.reload(&[page("new", 15, true)], true, at(3));
        assert_eq!((pager.shown(), pager.poll_timeout()), (0, None));
    }

    proptest! {
        /// Whatever happens: the page exists; while there is an alarm on a page that comes with it, one of those is shown or a hand
        /// has turned away less than a minute ago; and unless it is pinned or there is an alarm, no page waits longer than all others' times together.
        #[test]
        fn every_page_has_its_turn(
            steps in prop::collection::vec((0..90_u64, 0..8_u8), 1..60), dwells in prop::collection::vec(15..60_u64, 2..5),
        ) {
            let pages: Vec<PageSpec> = dwells.iter().enumerate().map(|(at, dwell)| page(&at.to_string(), *dwell, at % 2 == 0)).collect();
            let (mut pager, mut second, mut states) = (Pager::new(&pages, true, at(0)), 0, vec![State::Normal; pages.len()]);
            let mut seen = vec![0; pages.len()];
            for (wait, what) in steps {
                for _ in 0..wait {
                    second += 1;
                    pager.handle_tick(at(second));
                    let undisturbed = pager.why() == PageWhy::Rotation;
                    for (page, last) in seen.iter_mut().enumerate() {
                        if page == pager.shown() || !undisturbed {
                            *last = second;
                        }
                        prop_assert!(second - *last <= dwells.iter().sum(), "page {page} waits");
                    }
                    let alarmed: Vec<usize> = (0..pages.len()).filter(|page| page % 2 == 0 && states[*page] == State::Alarm).collect();
                    let is_turned = pager.why() == PageWhy::Hand && pager.left(at(second)).is_some_and(|left| left <= HAND_MIN);
                    prop_assert!(alarmed.is_empty() || is_turned || pager.why() == PageWhy::Pinned || alarmed.contains(&pager.shown()));
                }
                let until = pager.poll_timeout();
                match what {
                    0 => { pager.handle_gesture(Gesture::Next, at(second)); }
                    1 => { pager.handle_gesture(Gesture::Previous, at(second)); }
                    2 => { pager.handle_gesture(Gesture::Pin, at(second)); }
                    3 => { pager.handle_gesture(Gesture::Show(second as usize % 6), at(second)); }
                    other => {
                        let page = usize::from(other) % pages.len();
                        states[page] = if states[page] == State::Alarm { State::Normal } else { State::Alarm };
                        pager.handle_states(&states, at(second));
                    }
                }
                prop_assert!(pager.shown() < pages.len());
                // What begins and ends within one second disturbs as well.
                if pager.poll_timeout() != until {
                    seen.fill(second);
                }
            }
        }
    }
}
