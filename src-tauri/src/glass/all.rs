//! The glasses of all windows: each is watched by itself.

use std::{
    collections::BTreeMap,
    sync::{Arc, Mutex, PoisonError, atomic::Ordering},
};

use super::Glass;
use crate::{life::Condition, wall};

/// Between the label of a window and the number of a page that is not its first.
const PAGE: char = '/';

/// The label of a page of this window.
pub(super) fn page_label(window: &str, number: u32) -> String {
    format!("{window}{PAGE}{number}")
}

/// Every window's, by the window's label.
#[derive(Default)]
pub(crate) struct Glasses(Mutex<BTreeMap<String, Arc<Glass>>>);

impl Glasses {
    /// A window that is just being opened. `name` is what the engine calls its glass.
    pub(crate) fn open(&self, window: &str, name: &str) -> Arc<Glass> {
        let glass = Arc::new(Glass::new(window, name));
        self.with(|all| all.insert(window.to_owned(), Arc::clone(&glass)));
        glass
    }

    /// A window is closed for good: nothing of it is watched any more.
    pub(crate) fn close(&self, window: &str) {
        if let Some(glass) = self.with(|all| all.remove(window)) {
            glass.closed.store(true, Ordering::Relaxed);
        }
    }

    /// That of the window in which this page is.
    pub(crate) fn of(&self, page: &str) -> Option<Arc<Glass>> {
        let window = page.split_once(PAGE).map_or(page, |(window, _)| window);
        self.with(|all| all.get(window).cloned())
    }

    /// The first window's.
    pub(crate) fn first(&self) -> Option<Arc<Glass>> {
        self.of(wall::LABEL)
    }

    /// All of them.
    pub(crate) fn all(&self) -> Vec<Arc<Glass>> {
        self.with(|all| all.values().cloned().collect())
    }

    /// How many there are, and one at least.
    pub(crate) fn count(&self) -> u64 {
        self.with(|all| u64::try_from(all.len()).unwrap_or(1).max(1))
    }

    /// For whoever starts this program again: it is as well as the worst of them.
    pub(crate) fn condition(&self) -> Option<Condition> {
        let conditions: Vec<Condition> = self.all().iter().map(|glass| glass.condition()).collect();
        let begun = conditions.iter().any(|one| one.begun);
        let well = conditions.iter().all(|one| one.well);
        let worst = conditions.into_iter().max_by_key(|one| (!one.well, !one.begun, one.words != "painting"))?;
        Some(Condition { begun, well, ..worst })
    }

    fn with<T>(&self, tell: impl FnOnce(&mut BTreeMap<String, Arc<Glass>>) -> T) -> T {
        // Plain data, whole after each call.
        tell(&mut self.0.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// H7: a page is that of its own window, whichever page of it this is, and a closed window's is nobody's.
    #[test]
    fn each_page_has_its_window() {
        let glasses = Glasses::default();
        glasses.open(wall::LABEL, "");
        let left = glasses.open("wall:left", "left");
        glasses.open("wall:left-2", "left-2");
        assert_eq!(glasses.of("wall:left/2").map(|glass| glass.name()), Some("left".into()));
        assert_eq!(glasses.of("wall:left-2").map(|glass| glass.name()), Some("left-2".into()));
        assert!(glasses.of("wall/17").is_some_and(|glass| glass.is_first()) && !left.is_first());
        assert!(glasses.of("wall:right").is_none());
        assert_eq!(glasses.count(), 3);
        glasses.close("wall:left");
        assert!(glasses.of("wall:left/2").is_none() && left.closed.load(Ordering::Relaxed));
    }

    /// H7: one window that has never painted doesn't hide behind one that does.
    #[test]
    fn the_worst_window_is_told() {
        let glasses = Glasses::default();
        assert!(glasses.condition().is_none());
        glasses.open("wall", "").receipt("wall", 1);
        let words = |glasses: &Glasses| glasses.condition().map(|one| (one.begun, one.well, one.words));
        assert_eq!(words(&glasses), Some((true, true, "painting".to_owned())));
        glasses.open("wall:left", "left");
        assert_eq!(words(&glasses), Some((true, true, "starting".to_owned())));
    }
}
