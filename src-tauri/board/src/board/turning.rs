//! Pages of the board: how each is, and which of them is shown.

mod summary;

use watchfloor_model::Mono;

use super::{Board, meanings::meanings, tracked::Tracked};
use crate::{
    config::spec::WidgetSpec,
    frame::{PageMark, PageShown, Quality, State},
    pages::Gesture,
};

/// What a widget says at worst, as of a version of its aggregate.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Worst {
    version: u64,
    state: State,
}

impl Board {
    /// Somebody turns a page, or pins one.
    pub fn handle_gesture(&mut self, gesture: Gesture, now: Mono) {
        self.version += u64::from(self.pager.handle_gesture(gesture, now));
    }

    /// Shows this page for good, counted from 0: what a copy of a board does.
    pub fn hold_page(&mut self, page: usize) {
        self.pager.hold(page);
    }

    /// The number of the page that is shown, from 0.
    #[must_use]
    pub const fn page(&self) -> usize {
        self.pager.shown()
    }

    /// Sees how each page is, and turns to one on which an alarm began.
    pub(super) fn look_at_pages(&mut self, qualities: &[Quality], now: Mono) {
        if self.file.pages.len() < 2 {
            return;
        }
        self.worst.resize(self.file.widgets.len(), Worst::default());
        let mut marks = vec![PageMark { state: State::Normal, unwell: 0 }; self.file.pages.len()];
        let mut known = std::mem::take(&mut self.worst);
        for (((widget, _, tracked), quality), worst) in self.widgets().zip(qualities).zip(&mut known) {
            let Some(mark) = marks.get_mut(widget.page) else { continue };
            if quality.freshness.is_current() {
                mark.state = mark.state.max(worst.of(widget, tracked));
            } else {
                mark.unwell += 1;
            }
        }
        self.worst = known;
        for (page, state) in self.calling_pages() {
            if let Some(mark) = marks.get_mut(page) {
                mark.state = mark.state.max(state);
            }
        }
        let states: Vec<State> = marks.iter().map(|mark| mark.state).collect();
        let is_turned = self.pager.handle_states(&states, now) | self.tell_glasses(&states, now);
        self.version += u64::from(is_turned || marks != self.marks);
        self.marks = marks;
    }

    /// Which page is shown; none if the board is one page.
    pub(super) fn page_shown(&self, now: Mono) -> Option<PageShown> {
        (self.file.pages.len() > 1).then(|| PageShown {
            number: u32::try_from(self.pager.shown()).unwrap_or_default(),
            why: self.pager.why(),
            left_ms: self.pager.left(now).map(|left| u32::try_from(left.as_millis()).unwrap_or(u32::MAX)),
            marks: self.marks.clone(),
            own: None,
        })
    }
}

impl Worst {
    fn of(&mut self, widget: &WidgetSpec, tracked: &Tracked) -> State {
        if !tracked.has_value() {
            return State::Normal;
        }
        // A version of nothing is 0.
        let version = tracked.aggregate.version();
        if self.version != version || version == 0 {
            *self = Self { version, state: meanings(widget, tracked).worst };
        }
        self.state
    }
}
