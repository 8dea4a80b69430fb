//! Topic filters: MQTT 5, section 4.7.

use std::{collections::BTreeMap, sync::Arc};

/// Which filter a topic belongs to.
#[derive(Debug)]
pub(super) struct Filters {
    exact: BTreeMap<Arc<str>, usize>,
    wild: Vec<(usize, Arc<str>)>,
}

impl Filters {
    pub(super) fn new(filters: &[Arc<str>]) -> Self {
        let (wild, exact): (Vec<_>, Vec<_>) =
            filters.iter().cloned().enumerate().partition(|(_, filter)| filter.contains(['+', '#']));
        Self { exact: exact.into_iter().map(|(index, filter)| (filter, index)).collect(), wild }
    }

    pub(super) fn find(&self, topic: &str) -> Option<usize> {
        let wild = || self.wild.iter().find(|(_, filter)| overlap(filter, topic)).map(|(index, _)| *index);
        self.exact.get(topic).copied().or_else(wild)
    }
}

/// What is wrong with a filter, if something is.
pub(super) fn fault(filter: &str) -> Option<&'static str> {
    if filter.is_empty() || filter.contains('\0') {
        return Some("it has no name");
    }
    if filter.starts_with("$share/") {
        return Some("a shared subscription gives each wall only a part of what is published");
    }
    let mut levels = filter.split('/').peekable();
    while let Some(level) = levels.next() {
        let is_last = levels.peek().is_none();
        if level.contains('+') && level != "+" || level.contains('#') && !(level == "#" && is_last) {
            return Some("`+` stands for a whole level, and `#` for all levels at the end");
        }
    }
    None
}

/// Whether a topic can be meant by both. A topic is a filter without wildcards.
pub(super) fn overlap(one: &str, other: &str) -> bool {
    // Wildcards stand for no name that begins with a dollar sign.
    let hides = |a: &str, b: &str| a.starts_with(['+', '#']) && b.starts_with('$');
    if hides(one, other) || hides(other, one) {
        return false;
    }
    let (mut ones, mut others) = (one.split('/'), other.split('/'));
    loop {
        match (ones.next(), others.next()) {
            (Some("#"), _) | (_, Some("#")) | (None, None) => return true,
            (Some(a), Some(b)) if a == b || a == "+" || b == "+" => {}
            _ => return false,
        }
    }
}
