//! Which alarm.

use std::{fmt, sync::Arc};

use serde::{Deserialize, Serialize};

/// Which alarm: the rule, and whose it is where one rule watches many.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
pub struct AlarmKey {
    /// The rule's id.
    pub rule: Arc<str>,
    /// The row's, event's or foreign alarm's key; empty where the rule watches one thing.
    pub of: Arc<str>,
}

impl AlarmKey {
    /// The alarm of a rule that watches one thing.
    #[must_use]
    pub fn of_rule(rule: &str) -> Self {
        Self { rule: rule.into(), of: "".into() }
    }

    /// As it is written: rules have no `/` in their ids.
    #[must_use]
    pub fn read(text: &str) -> Self {
        let (rule, of) = text.split_once('/').unwrap_or((text, ""));
        Self { rule: rule.into(), of: of.into() }
    }
}

impl fmt::Display for AlarmKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.of.is_empty() { f.write_str(&self.rule) } else { write!(f, "{}/{}", self.rule, self.of) }
    }
}
