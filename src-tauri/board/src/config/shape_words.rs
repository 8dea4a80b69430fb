//! Tables whose keys are words of the data: what each of them stands for.

use std::collections::BTreeMap;

use serde_json::{Value, json};

use super::{
    diagnostic::{Problem, Sink},
    shape::{ANY_NUMBER, Choice, Number},
    shape_event::STATE,
    table::{Node, Shape, bad_value, cut, wrong_type},
};
use crate::{alarm::Priority, frame::State, reduce::TALLY_BARS_MAX};

/// The most words of a table of states.
pub const STATES_MAX: usize = 200;
/// The same of one of severities.
const SEVERITIES_MAX: usize = 50;

/// `{ cancelled = "alarm", delayed = "warning" }`
pub(super) struct Words<S: 'static> {
    /// What stands beside each word.
    item: &'static S,
    /// What the words are: `words`, `categories`.
    what: &'static str,
    /// What stands beside them, in few words.
    stands_for: &'static str,
    example: &'static str,
    max: usize,
    /// Whether a word may be nothing, or have spaces around it: data may say that.
    is_any: bool,
}

/// What each word of the data means.
pub(super) const STATES: Words<Choice<State>> = Words {
    item: &STATE,
    what: "words",
    stands_for: "what they mean",
    example: "{ cancelled = \"alarm\" }",
    max: STATES_MAX,
    is_any: true,
};

/// A number a category.
pub(super) const TARGETS: Words<Number> = Words {
    item: &ANY_NUMBER,
    what: "categories",
    stands_for: "numbers",
    example: "{ DHL = 120 }",
    max: TALLY_BARS_MAX,
    is_any: true,
};

/// How soon somebody must act, by another system's word for it.
pub(super) const SEVERITIES: Words<Choice<Priority>> = Words {
    item: &super::keys::alarm::PRIORITY_CHOICE,
    what: "words",
    stands_for: "priorities",
    example: "{ page = \"critical\" }",
    max: SEVERITIES_MAX,
    is_any: false,
};

impl<S: Shape> Shape for Words<S> {
    type Value = BTreeMap<String, S::Value>;

    fn expected(&self) -> String {
        let Self { item, what, stands_for, example, .. } = self;
        format!("a table of {what} and {stands_for} ({}), such as `{example}`", item.expected())
    }

    #[cfg(test)]
    fn words(&self) -> String {
        format!("table of {} and {}", self.what, self.item.expected())
    }

    fn schema(&self) -> Value {
        json!({"type": "object", "minProperties": 1, "maxProperties": self.max, "additionalProperties": self.item.schema()})
    }

    fn read(&self, node: Node<'_>, sink: &mut Sink<'_>) -> Option<Self::Value> {
        let Some(entries) = node.value.get_ref().as_table() else {
            wrong_type(node, &self.expected(), None, sink);
            return None;
        };
        if !(1..=self.max).contains(&entries.len()) {
            let message = format!("{} {}", entries.len(), self.what);
            bad_value(node, &message, &format!("1 to {} {}", self.max, self.what), None, sink);
            return None;
        }
        let read = |(key, value)| {
            let key: &toml::Spanned<toml::de::DeString<'_>> = key;
            let word: &str = key.get_ref();
            if !self.is_any && (word.is_empty() || word.trim() != word) {
                sink.report(Problem {
                    span: key.span(),
                    message: format!("a word that nothing says in `{}`", cut(node.name)),
                    found: format!("\"{}\"", cut(word)),
                    expected: format!("{} without spaces around them, such as `{}`", self.what, self.example),
                    help: None,
                });
                return None;
            }
            let value = self.item.read(Node { name: key.get_ref(), value }, sink);
            value.map(|value| (key.get_ref().to_string(), value))
        };
        let all: Vec<Option<(String, S::Value)>> = entries.iter().map(read).collect();
        all.into_iter().collect()
    }
}
