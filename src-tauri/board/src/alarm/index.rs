//! What is found of thousands of alarms without looking through them: which rules' alarms stand, which are of a group, which ones time alone
//! changes, and whose reason a rule is.

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::Arc,
};

use super::{
    alarms::{AlarmKey, Terms},
    change::Standing,
};

/// The index. Whoever changes an alarm has it noted.
#[derive(Debug, Default)]
pub(super) struct Index {
    /// By rule, which rules' alarms it is the reason of while its own stand.
    children: BTreeMap<Arc<str>, Vec<Arc<str>>>,
    /// Alarms that stand and whose rule isn't gone.
    active: BTreeSet<AlarmKey>,
    /// How many of them a rule has.
    counts: BTreeMap<Arc<str>, usize>,
    /// Rules that have their first since it was asked, or have none any more.
    turned: BTreeSet<Arc<str>>,
    /// The group of each alarm that stands and is of one.
    grouped: BTreeMap<AlarmKey, Arc<str>>,
    /// How many stand of each group.
    groups: BTreeMap<Arc<str>, usize>,
    /// Alarms that time alone changes.
    timed: BTreeSet<AlarmKey>,
}

impl Index {
    /// That of these alarms by these rules.
    pub(super) fn of(rules: &BTreeMap<Arc<str>, Terms>, standing: &BTreeMap<AlarmKey, Standing>) -> Self {
        let mut index = Self::default();
        for (rule, terms) in rules {
            // A rule is no reason of its own alarms.
            for parent in terms.parents.iter().filter(|parent| *parent != rule) {
                index.children.entry(Arc::clone(parent)).or_default().push(Arc::clone(rule));
            }
        }
        for (key, own) in standing {
            index.note(key, own, rules.get(&key.rule));
        }
        index
    }

    /// So it stands now.
    pub(super) fn note(&mut self, key: &AlarmKey, own: &Standing, terms: Option<&Terms>) {
        self.note_active(key, own.stands() && !own.alarm.is_removed);
        let named = own.foreign.as_ref().and_then(|foreign| foreign.group.as_deref());
        let group = named.or_else(|| terms?.group.as_deref());
        self.note_group(key, group.filter(|_| own.stands()));
        let is_timed = own.deadlines.shelf.is_some() || own.deadlines.realarm.is_some();
        if is_timed && !self.timed.contains(key) {
            self.timed.insert(key.clone());
        } else if !is_timed {
            self.timed.remove(key);
        }
    }

    /// There is nothing to say of it any more.
    pub(super) fn forget(&mut self, key: &AlarmKey) {
        self.note_active(key, false);
        self.note_group(key, None);
        self.timed.remove(key);
    }

    fn note_active(&mut self, key: &AlarmKey, is_active: bool) {
        if self.active.contains(key) == is_active {
            return;
        }
        let count = self.counts.entry(Arc::clone(&key.rule)).or_default();
        if is_active {
            self.active.insert(key.clone());
            *count += 1;
        } else {
            self.active.remove(key);
            *count = count.saturating_sub(1);
        }
        let has_turned = *count == usize::from(is_active);
        if *count == 0 {
            self.counts.remove(&key.rule);
        }
        if has_turned && self.children.contains_key(&key.rule) {
            self.turned.insert(Arc::clone(&key.rule));
        }
    }

    fn note_group(&mut self, key: &AlarmKey, group: Option<&str>) {
        if self.grouped.get(key).map(|own| &**own) == group {
            return;
        }
        if let Some(before) = self.grouped.remove(key)
            && let Some(count) = self.groups.get_mut(&before)
        {
            *count = count.saturating_sub(1);
            if *count == 0 {
                self.groups.remove(&before);
            }
        }
        if let Some(group) = group {
            let group: Arc<str> = group.into();
            *self.groups.entry(Arc::clone(&group)).or_default() += 1;
            self.grouped.insert(key.clone(), group);
        }
    }

    /// Whether any alarm of a rule stands.
    pub(super) fn is_active(&self, rule: &str) -> bool {
        self.counts.contains_key(rule)
    }

    /// Whether another alarm of a group stands.
    pub(super) fn has_other(&self, group: &str, key: &AlarmKey) -> bool {
        let own = usize::from(self.grouped.get(key).is_some_and(|own| **own == *group));
        self.groups.get(group).is_some_and(|count| *count > own)
    }

    /// Rules that have another reason to be quiet, or one less, since this was last asked.
    pub(super) fn take_turned(&mut self) -> BTreeSet<Arc<str>> {
        let turned = std::mem::take(&mut self.turned);
        turned.iter().filter_map(|rule| self.children.get(rule)).flatten().cloned().collect()
    }

    /// Alarms that time alone changes.
    pub(super) fn timed(&self) -> impl Iterator<Item = &AlarmKey> {
        self.timed.iter()
    }
}
