//! Which events a fold wants: channel, name, and conditions on the data.

use std::collections::BTreeMap;

use serde_json::Value;
use watchfloor_model::{Event, Json, Shape};

use crate::{
    config::spec::{FoldSpec, ReducerSpec},
    path::Path,
};

/// What a fold does with events of one channel and name.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Interest {
    /// Nothing.
    None,
    /// Folds those that fulfil its conditions.
    Conditional,
    /// Folds each: no conditions, or one that removes.
    Each,
}

/// A fold's `channels`, `on`, `where` and `remove-on`.
#[derive(Clone, Debug)]
pub(crate) struct Filter {
    channels: Vec<String>,
    on: Names,
    remove_on: Vec<String>,
    only: Conditions,
}

/// Names of events, each whole or as it begins; without any, every name.
#[derive(Clone, Debug)]
pub(crate) struct Names(Vec<Pattern>);

#[derive(Clone, Debug)]
enum Pattern {
    Exactly(String),
    Begins(String),
}

/// Every path has one of its values.
#[derive(Clone, Debug)]
pub(crate) struct Conditions(Vec<(Path, Vec<Value>)>);

impl Filter {
    pub(crate) fn new(fold: &FoldSpec) -> Self {
        let remove_on = match &fold.reducer {
            ReducerSpec::Table { remove_on, .. } | ReducerSpec::Markers { remove_on, .. } => remove_on.clone(),
            ReducerSpec::Status { life, .. } | ReducerSpec::Matrix { life, .. } => life.remove_on.clone(),
            ReducerSpec::Series { marks: Some(marks), .. } => marks.on.clone(),
            _ => Vec::new(),
        };
        Self {
            channels: fold.channels.clone(),
            on: match &fold.reducer {
                // Where each line names its own, no other event says anything to it.
                ReducerSpec::Series { lines, .. }
                    if fold.on.is_empty() && lines.iter().all(|line| !line.on.is_empty()) =>
                {
                    Names::new(lines.iter().flat_map(|line| &line.on))
                }
                _ => Names::new(&fold.on),
            },
            remove_on,
            only: Conditions::new(&fold.only),
        }
    }

    /// Of nothing but these: `on` and `channels` empty for all.
    pub(crate) fn of(channels: &[String], on: &[String], only: &BTreeMap<Path, Vec<Value>>) -> Self {
        Self { channels: channels.to_vec(), on: Names::new(on), remove_on: Vec::new(), only: Conditions::new(only) }
    }

    /// What the fold does with events of this channel and name.
    pub(crate) fn interest(&self, channel: &str, name: &str) -> Interest {
        if !self.channels.is_empty() && !self.channels.iter().any(|own| own == channel) {
            return Interest::None;
        }
        // A removal needs no more than the key: what it says of the rest may no longer fulfil the conditions.
        if self.remove_on.iter().any(|own| own == name) {
            return Interest::Each;
        }
        match (self.on.hold(name), self.only.0.is_empty()) {
            (false, _) => Interest::None,
            (true, true) => Interest::Each,
            (true, false) => Interest::Conditional,
        }
    }

    /// Whether the data fulfils the conditions.
    pub(crate) fn accepts(&self, data: Json<'_>) -> bool {
        self.only.hold(data)
    }

    pub(crate) fn wants(&self, event: &Event) -> bool {
        match self.interest(&event.channel, &event.name) {
            Interest::None => false,
            Interest::Each => true,
            Interest::Conditional => self.accepts(event.data.value()),
        }
    }
}

impl Names {
    pub(crate) fn new<'a>(names: impl IntoIterator<Item = &'a String>) -> Self {
        let pattern = |text: &String| match text.strip_suffix('*') {
            Some(start) => Pattern::Begins(start.to_owned()),
            None => Pattern::Exactly(text.clone()),
        };
        Self(names.into_iter().map(pattern).collect())
    }

    /// Whether it is one of them.
    pub(crate) fn hold(&self, name: &str) -> bool {
        self.0.is_empty()
            || self.0.iter().any(|pattern| match pattern {
                Pattern::Exactly(text) => text == name,
                Pattern::Begins(text) => name.starts_with(text.as_str()),
            })
    }
}

impl Conditions {
    pub(crate) fn new(only: &BTreeMap<Path, Vec<Value>>) -> Self {
        Self(only.iter().map(|(path, values)| (path.clone(), values.clone())).collect())
    }

    /// Whether every path has one of its values.
    pub(crate) fn hold(&self, data: Json<'_>) -> bool {
        self.0
            .iter()
            .all(|(path, values)| path.find(data).is_some_and(|found| values.iter().any(|value| is_same(found, value))))
    }
}

/// Equality of JSON values in which 1 and 1.0 are the same number.
fn is_same(a: Json<'_>, b: &Value) -> bool {
    match (a.shape(), b) {
        (Shape::Null, Value::Null) => true,
        (Shape::Bool(a), Value::Bool(b)) => a == *b,
        (Shape::Number(a), Value::Number(b)) => a == *b || a.as_f64() == b.as_f64(),
        (Shape::Text(a), Value::String(b)) => a == b,
        (Shape::List(_), Value::Array(_)) | (Shape::Object(_), Value::Object(_)) => a.to_value() == *b,
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::testing::{event, fold_of};

    #[test]
    fn wants_by_channel_name_and_conditions() {
        let mut fold = fold_of(json!({"kind": "counter"}));
        fold.channels = vec!["flights".into()];
        fold.on = vec!["flight.*".into(), "weather".into()];
        fold.only.insert("origin".parse().expect("path"), vec![json!("EWR"), json!(7)]);
        let filter = Filter::new(&fold);
        let check = |channel: &str, name: &str, data: Value, wanted: bool| {
            assert_eq!(filter.wants(&event(channel, name, 0, data.clone())), wanted, "{channel} {name} {data}");
        };
        check("flights", "flight.late", json!({"origin": "EWR"}), true);
        check("flights", "weather", json!({"origin": 7.0}), true);
        check("flights", "weather.x", json!({"origin": "EWR"}), false);
        check("other", "flight.late", json!({"origin": "EWR"}), false);
        check("flights", "flight.late", json!({"origin": "JFK"}), false);
        check("flights", "flight.late", json!({}), false);
        check("flights", "flight.late", json!({"origin": null}), false);
    }

    #[test]
    fn a_removal_is_wanted_whatever_else_it_says() {
        let mut fold = fold_of(json!({"kind": "table", "key": "id", "columns": ["id"], "remove_on": ["gone"]}));
        fold.on = vec!["moved".into()];
        fold.only.insert("origin".parse().expect("path"), vec![json!("EWR")]);
        let filter = Filter::new(&fold);
        assert!(filter.wants(&event("flights", "gone", 0, json!({"id": 1}))));
        assert!(!filter.wants(&event("flights", "moved", 0, json!({"id": 1}))));
    }
}
