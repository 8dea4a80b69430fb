//! Conditions on events: `where` and `match`.

use std::collections::BTreeMap;

use serde_json::{Value, json};
use toml::{
    Spanned,
    de::{DeString, DeValue},
};

use super::{
    diagnostic::Sink,
    shape_event::read_path,
    table::{Node, Shape, bad_value, wrong_type},
};
use crate::path::{PATH_STEPS_MAX, Path};

/// The most conditions of one `where` or `match`.
pub const CONDITIONS_MAX: usize = 32;
/// The most values of one condition.
pub const CONDITION_VALUES_MAX: usize = 100;
/// The longest text of a condition, in characters.
const WORD_CHARACTERS_MAX: usize = 500;
/// Below this size every whole number is exact as a floating-point one: 2^53.
const EXACT_BELOW: f64 = 9_007_199_254_740_992.0;

/// `{ origin = "EWR", status = ["late", "cancelled"] }`: each path with the values that it may have.
pub(super) struct Conditions;

const CONDITION_EXPECTED: &str = "a text, number, true, false, or an array of 1 to 100 of them";

impl Shape for Conditions {
    type Value = BTreeMap<Path, Vec<Value>>;

    fn expected(&self) -> String {
        "a table of paths and the values that they may have, such as `{ origin = \"EWR\" }`".to_owned()
    }

    #[cfg(test)]
    fn words(&self) -> String {
        "table of paths and values".to_owned()
    }

    fn schema(&self) -> Value {
        let scalar = json!({"type": ["string", "number", "boolean"], "maxLength": WORD_CHARACTERS_MAX});
        json!({"type": "object", "minProperties": 1, "maxProperties": CONDITIONS_MAX, "additionalProperties": {"anyOf": [
            scalar, {"type": "array", "items": scalar, "minItems": 1, "maxItems": CONDITION_VALUES_MAX},
            {"type": "object", "minProperties": 1},
        ]}})
    }

    fn read(&self, node: Node<'_>, sink: &mut Sink<'_>) -> Option<Self::Value> {
        let mut conditions = BTreeMap::new();
        let sound = self.collect(node, None, &mut conditions, sink);
        if conditions.len() > CONDITIONS_MAX {
            let message = format!("{} conditions", conditions.len());
            bad_value(node, &message, &format!("1 to {CONDITIONS_MAX} conditions"), None, sink);
            return None;
        }
        sound.then_some(conditions)
    }
}

impl Conditions {
    /// Tables inside are longer paths: `{ flight = { number = 15 } }` is about `flight.number`.
    fn collect(
        &self,
        node: Node<'_>,
        above: Option<&Path>,
        conditions: &mut BTreeMap<Path, Vec<Value>>,
        sink: &mut Sink<'_>,
    ) -> bool {
        let Some(entries) = node.value.get_ref().as_table() else {
            wrong_type(node, &self.expected(), None, sink);
            return false;
        };
        if entries.is_empty() {
            bad_value(node, "no condition", &self.expected(), None, sink);
            return false;
        }
        let mut sound = true;
        let mut in_order: Vec<_> = entries.iter().collect();
        in_order.sort_by_key(|(key, _)| key.span().start);
        for (key, value) in in_order {
            let below = Node { name: key.get_ref(), value };
            let Some(path) = path_of_key(key, above, sink) else {
                sound = false;
                continue;
            };
            if value.get_ref().is_table() {
                sound &= self.collect(below, Some(&path), conditions, sink);
                continue;
            }
            let Some(values) = condition_values(below, sink) else {
                sound = false;
                continue;
            };
            if conditions.insert(path.clone(), values).is_some() {
                bad_value(below, "a second condition", &format!("one condition on `{path}`"), None, sink);
                sound = false;
            }
        }
        sound
    }
}

/// The key of a condition as a path below `above`.
fn path_of_key(key: &Spanned<DeString<'_>>, above: Option<&Path>, sink: &mut Sink<'_>) -> Option<Path> {
    let text = DeValue::String(key.get_ref().clone());
    let spanned = Spanned::new(key.span(), text);
    let node = Node { name: key.get_ref(), value: &spanned };
    let path = read_path(key.get_ref(), 0, node, sink)?;
    let path = above.map_or_else(|| path.clone(), |above| above.join(&path));
    if path.steps() > PATH_STEPS_MAX {
        let expected = format!("a path of at most {PATH_STEPS_MAX} keys and indexes");
        bad_value(node, "too deep a path", &expected, None, sink);
        return None;
    }
    Some(path)
}

/// The values that a path may have, in a canonical order.
fn condition_values(node: Node<'_>, sink: &mut Sink<'_>) -> Option<Vec<Value>> {
    let items = match node.value.get_ref() {
        DeValue::Array(items) if (1..=CONDITION_VALUES_MAX).contains(&items.len()) => items.iter().collect(),
        DeValue::Array(items) => {
            bad_value(node, &format!("{} values", items.len()), CONDITION_EXPECTED, None, sink);
            return None;
        }
        _ => vec![node.value],
    };
    let nodes = items.into_iter().map(|value| Node { name: node.name, value });
    let values: Vec<Option<Value>> = nodes.map(|item| condition_value(item, sink)).collect();
    let mut values: Vec<Value> = values.into_iter().collect::<Option<_>>()?;
    values.sort_by_cached_key(Value::to_string);
    values.dedup();
    Some(values)
}

fn condition_value(node: Node<'_>, sink: &mut Sink<'_>) -> Option<Value> {
    let value = match node.value.get_ref() {
        DeValue::String(text) if text.chars().nth(WORD_CHARACTERS_MAX).is_none() => Some(json!(text)),
        DeValue::Boolean(word) => Some(json!(word)),
        DeValue::Integer(number) => i64::from_str_radix(number.as_str(), number.radix()).ok().map(|n| json!(n)),
        DeValue::Float(number) => {
            let number = number.as_str().parse::<f64>().ok().filter(|number| number.is_finite());
            number.map(whole_if_exact)
        }
        _ => {
            wrong_type(node, CONDITION_EXPECTED, None, sink);
            return None;
        }
    };
    if value.is_none() {
        let expected = format!("a text of at most {WORD_CHARACTERS_MAX} characters, or a finite number");
        bad_value(node, "out of range", &expected, None, sink);
    }
    value
}

/// `15.0` and `15` are one number, and must give one fingerprint.
fn whole_if_exact(number: f64) -> Value {
    let exact = number.fract() == 0.0 && number.abs() < EXACT_BELOW;
    #[allow(clippy::cast_possible_truncation)] // whole and below 2^53
    if exact { json!(number as i64) } else { json!(number) }
}
