//! Glasses beside the first: screens that show some of the board's pages, each turned by itself.

use watchfloor_model::{Mono, Timestamp};

use super::Board;
use crate::{
    config::spec::PageSpec,
    frame::{Frame, Notice, PageShown, State},
    pages::{Gesture, Pager},
};

/// The most of them.
pub const GLASSES_MAX: usize = 16;
/// Id of the notice about pages that a glass should show and the board doesn't have.
const NOTICE: &str = "screens";

/// A glass, and the pages that turn on it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct GlassSpec {
    /// Its name.
    pub id: String,
    /// Ids of pages, in the order in which they turn; none for all of the board's.
    pub pages: Vec<String>,
}

/// One of them.
#[derive(Debug)]
pub(super) struct Glass {
    spec: GlassSpec,
    /// For each of its pages, the number that it has on the board.
    numbers: Vec<usize>,
    pager: Pager,
}

impl Glass {
    fn new(spec: GlassSpec, now: Mono) -> Self {
        Self { spec, numbers: Vec::new(), pager: Pager::new(&[], false, now) }
    }

    /// Takes the pages of a file. One of which the file has none shows them all: a dark screen would say nothing.
    fn take(&mut self, pages: &[PageSpec], rotates: bool, now: Mono) {
        let number = |id: &String| pages.iter().position(|page| page.id == *id);
        self.numbers = self.spec.pages.iter().filter_map(number).collect();
        if self.numbers.is_empty() {
            self.numbers = (0..pages.len()).collect();
        }
        let own: Vec<PageSpec> = self.numbers.iter().filter_map(|number| pages.get(*number).cloned()).collect();
        self.pager.reload(&own, rotates, now);
    }

    fn shown(&self) -> usize {
        self.numbers.get(self.pager.shown()).copied().unwrap_or_default()
    }
}

impl Board {
    /// Takes the glasses that there are beside the first, at most [`GLASSES_MAX`]. One that was there before stays at its page, if it
    /// still has that. Pages that the board doesn't have are named in a notice.
    pub fn set_glasses(&mut self, specs: Vec<GlassSpec>, now: Mono) {
        let mut old = std::mem::take(&mut self.glasses);
        for spec in specs.into_iter().take(GLASSES_MAX) {
            let known = old.iter().position(|glass| glass.spec.id == spec.id).map(|at| old.swap_remove(at));
            self.glasses.push(match known {
                Some(glass) => Glass { spec, ..glass },
                None => Glass::new(spec, now),
            });
        }
        self.renew_glasses(now);
        self.version += 1;
    }

    /// Gives them the pages of the file as it is now.
    pub(super) fn renew_glasses(&mut self, now: Mono) {
        for glass in &mut self.glasses {
            glass.take(&self.file.pages, self.file.board.rotate, now);
        }
        let is_there = |id: &String| self.file.pages.iter().any(|page| page.id == *id);
        let missing = |glass: &Glass| {
            let ids: Vec<String> = glass.spec.pages.iter().filter(|id| !is_there(id)).cloned().collect();
            (!ids.is_empty()).then(|| format!("screen {}: no page {}", glass.spec.id, ids.join(", ")))
        };
        let detail: Vec<String> = self.glasses.iter().filter_map(missing).collect();
        match detail.first().cloned() {
            Some(first) => {
                let text = format!("this board lacks pages that a screen should show ({first})");
                self.set_notice(Notice::worded(NOTICE, State::Warning, text, detail));
            }
            None => self.clear_notice(NOTICE),
        }
    }

    /// Somebody turns a page of this glass, or pins one; of the first glass, if there is none of that name.
    pub fn handle_gesture_on(&mut self, glass: &str, gesture: Gesture, now: Mono) {
        let Some(own) = self.glasses.iter_mut().find(|own| own.spec.id == glass) else {
            return self.handle_gesture(gesture, now);
        };
        // A number is that of the board.
        let gesture = match gesture {
            Gesture::Show(number) => match own.numbers.iter().position(|own| *own == number) {
                Some(own) => Gesture::Show(own),
                None => return,
            },
            other => other,
        };
        self.version += u64::from(own.pager.handle_gesture(gesture, now));
    }

    /// As [`Board::frame`], for the page on this glass; on the first one, if there is none of that name.
    pub fn frame_on(&mut self, glass: &str, after: u64, revision: u32, now: Mono, wall: Timestamp) -> Frame {
        let frame = self.frame(after, revision, now, wall);
        match self.glasses.iter().find(|own| own.spec.id == glass) {
            Some(glass) => Frame { page: self.page_shown_on(glass, now), ..frame },
            None => frame,
        }
    }

    fn page_shown_on(&self, glass: &Glass, now: Mono) -> Option<PageShown> {
        let number = |number: usize| u32::try_from(number).unwrap_or_default();
        (self.file.pages.len() > 1).then(|| PageShown {
            number: number(glass.shown()),
            why: glass.pager.why(),
            left_ms: glass.pager.left(now).map(|left| u32::try_from(left.as_millis()).unwrap_or(u32::MAX)),
            marks: self.marks.clone(),
            own: Some(glass.numbers.iter().copied().map(number).collect()),
        })
    }

    /// The worst on each of the board's pages is told to all of them. Says whether another page is shown on one.
    pub(super) fn tell_glasses(&mut self, states: &[State], now: Mono) -> bool {
        let mut is_turned = false;
        for glass in &mut self.glasses {
            let own: Vec<State> =
                glass.numbers.iter().map(|number| states.get(*number).copied().unwrap_or_default()).collect();
            is_turned |= glass.pager.handle_states(&own, now);
        }
        is_turned
    }

    /// Turns the pages whose time is over; says whether there was one.
    pub(super) fn turn_glasses(&mut self, now: Mono) -> bool {
        let mut is_turned = false;
        for glass in &mut self.glasses {
            is_turned |= glass.pager.handle_tick(now);
        }
        is_turned
    }

    /// When that is.
    pub(super) fn glasses_timeout(&self) -> Option<Mono> {
        self.glasses.iter().filter_map(|glass| glass.pager.poll_timeout()).min()
    }
}
