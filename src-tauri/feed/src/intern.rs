//! Names kept once.

use std::{collections::HashSet, sync::Arc};

use crate::limits::NAMES_INTERNED_MAX;

/// A bounded set of names. A server that sends ever new ones costs an allocation each, not memory for ever.
#[derive(Debug, Default)]
pub(crate) struct Names {
    known: HashSet<Arc<str>>,
    last: Option<Arc<str>>,
}

impl Names {
    /// The one copy of `name`, or a fresh one if the table is full.
    pub(crate) fn intern(&mut self, name: &str) -> Arc<str> {
        if let Some(last) = self.last.as_ref().filter(|last| last.as_ref() == name) {
            return last.clone();
        }
        let found = match self.known.get(name) {
            Some(known) => known.clone(),
            None => {
                let new: Arc<str> = name.into();
                if self.known.len() < NAMES_INTERNED_MAX {
                    self.known.insert(new.clone());
                }
                new
            }
        };
        self.last = Some(found.clone());
        found
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// H5: the table is bounded.
    #[test]
    fn keeps_one_copy_up_to_the_bound() {
        let mut names = Names::default();
        let first = names.intern("a");
        names.intern("b");
        assert!(Arc::ptr_eq(&first, &names.intern("a")));
        for n in 0..2 * NAMES_INTERNED_MAX {
            names.intern(&n.to_string());
        }
        assert_eq!(names.known.len(), NAMES_INTERNED_MAX);
        assert_eq!(&*names.intern("never seen"), "never seen");
    }
}
