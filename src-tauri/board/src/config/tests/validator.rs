//! As much of JSON Schema 2020-12 as the schema of board files uses. A keyword that isn't known here fails the test.

use std::collections::BTreeSet;

use serde_json::{Map, Value};

/// What a schema says of a value.
#[derive(Default)]
struct Verdict {
    faults: Vec<String>,
    /// Properties that some part of the schema has looked at (for `unevaluatedProperties`).
    seen: BTreeSet<String>,
}

/// Why the value does not meet the schema; empty if it does. `pattern` is not looked at.
pub(super) fn faults(schema: &Value, value: &Value) -> Vec<String> {
    judge(schema, value, "$").faults
}

fn judge(schema: &Value, value: &Value, at: &str) -> Verdict {
    let mut verdict = Verdict::default();
    let Some(schema) = schema.as_object() else {
        if schema == &Value::Bool(false) {
            verdict.faults.push(format!("{at}: nothing may stand here"));
        }
        return verdict;
    };
    for (keyword, rule) in schema {
        let part = match keyword.as_str() {
            "$schema" | "title" | "description" | "default" | "examples" | "pattern" | "then" => continue,
            "unevaluatedProperties" => continue,
            "type" | "enum" | "const" | "minimum" | "maximum" | "minLength" | "maxLength" => {
                scalar(keyword, rule, value, at)
            }
            "minItems" | "maxItems" | "items" | "prefixItems" => array(keyword, rule, schema, value, at),
            "properties"
            | "required"
            | "additionalProperties"
            | "propertyNames"
            | "minProperties"
            | "maxProperties"
            | "dependentRequired"
            | "dependentSchemas" => object(keyword, rule, schema, value, at),
            "allOf" | "anyOf" | "oneOf" | "if" => combined(keyword, rule, schema, value, at),
            other => panic!("{at}: the keyword {other} is not known"),
        };
        verdict.faults.extend(part.faults);
        verdict.seen.extend(part.seen);
    }
    if let (Some(Value::Bool(false)), Some(entries)) = (schema.get("unevaluatedProperties"), value.as_object()) {
        let strange = entries.keys().filter(|key| !verdict.seen.contains(*key));
        let strange: Vec<String> = strange.map(|key| format!("{at}: unknown {key}")).collect();
        verdict.faults.extend(strange);
    }
    verdict
}

fn unless(is_met: bool, fault: String) -> Verdict {
    Verdict { faults: if is_met { Vec::new() } else { vec![fault] }, seen: BTreeSet::new() }
}

fn scalar(keyword: &str, rule: &Value, value: &Value, at: &str) -> Verdict {
    let number = |value: &Value| value.as_f64().expect("number");
    let length = |text: &str| text.chars().count() as f64;
    let is_met = match keyword {
        "type" => match rule {
            Value::Array(types) => types.iter().any(|name| is_of_type(name, value)),
            name => is_of_type(name, value),
        },
        "enum" => rule.as_array().expect("enum").contains(value),
        "const" => rule == value,
        "minimum" => !value.is_number() || number(value) >= number(rule),
        "maximum" => !value.is_number() || number(value) <= number(rule),
        "minLength" => value.as_str().is_none_or(|text| length(text) >= number(rule)),
        _ => value.as_str().is_none_or(|text| length(text) <= number(rule)),
    };
    unless(is_met, format!("{at}: {keyword} {rule}"))
}

fn is_of_type(name: &Value, value: &Value) -> bool {
    match name.as_str().expect("type") {
        "string" => value.is_string(),
        "integer" => value.is_i64() || value.is_u64(),
        "number" => value.is_number(),
        "boolean" => value.is_boolean(),
        "array" => value.is_array(),
        "object" => value.is_object(),
        other => panic!("the type {other} is not known"),
    }
}

fn array(keyword: &str, rule: &Value, schema: &Map<String, Value>, value: &Value, at: &str) -> Verdict {
    let Some(items) = value.as_array() else { return Verdict::default() };
    let count = items.len() as u64;
    let before = schema.get("prefixItems").map_or(0, |items| items.as_array().expect("prefixItems").len());
    let mut verdict = Verdict::default();
    let mut look = |rule: &Value, index: usize| {
        verdict.faults.extend(judge(rule, &items[index], &format!("{at}[{index}]")).faults);
    };
    match keyword {
        "minItems" => return unless(count >= rule.as_u64().expect("minItems"), format!("{at}: too few")),
        "maxItems" => return unless(count <= rule.as_u64().expect("maxItems"), format!("{at}: too many")),
        "items" => (before..items.len()).for_each(|index| look(rule, index)),
        _ => rule.as_array().expect("rules").iter().zip(0..items.len()).for_each(|(rule, index)| look(rule, index)),
    }
    verdict
}

fn object(keyword: &str, rule: &Value, schema: &Map<String, Value>, value: &Value, at: &str) -> Verdict {
    let Some(entries) = value.as_object() else { return Verdict::default() };
    let mut verdict = Verdict::default();
    let count = entries.len() as u64;
    let require = |names: &Value| -> Vec<String> {
        let names = names.as_array().expect("names").iter().map(|name| name.as_str().expect("name"));
        names.filter(|name| !entries.contains_key(*name)).map(|name| format!("{at}: {name} is missing")).collect()
    };
    match keyword {
        "minProperties" => return unless(count >= rule.as_u64().expect("minProperties"), format!("{at}: too few")),
        "maxProperties" => return unless(count <= rule.as_u64().expect("maxProperties"), format!("{at}: too many")),
        "required" => verdict.faults = require(rule),
        "propertyNames" => {
            let names = entries.keys().map(|key| Value::String(key.clone()));
            verdict.faults.extend(names.flat_map(|name| judge(rule, &name, at).faults));
        }
        "properties" => {
            for (key, rule) in rule.as_object().expect("properties") {
                let Some(value) = entries.get(key) else { continue };
                verdict.faults.extend(judge(rule, value, &format!("{at}.{key}")).faults);
                verdict.seen.insert(key.clone());
            }
        }
        "additionalProperties" => {
            let known = schema.get("properties").and_then(Value::as_object);
            for (key, value) in entries.iter().filter(|(key, _)| known.is_none_or(|known| !known.contains_key(*key))) {
                verdict.faults.extend(judge(rule, value, &format!("{at}.{key}")).faults);
                verdict.seen.insert(key.clone());
            }
        }
        dependent => {
            let rules = rule.as_object().expect("rules").iter().filter(|(key, _)| entries.contains_key(*key));
            for (_, rule) in rules {
                let faults =
                    if dependent == "dependentRequired" { require(rule) } else { judge(rule, value, at).faults };
                verdict.faults.extend(faults);
            }
        }
    }
    verdict
}

fn combined(keyword: &str, rule: &Value, schema: &Map<String, Value>, value: &Value, at: &str) -> Verdict {
    let all = |rules: &mut dyn Iterator<Item = &Value>| -> Vec<Verdict> {
        rules.map(|rule| judge(rule, value, at)).collect()
    };
    let mut verdict = Verdict::default();
    let parts = match keyword {
        "allOf" => all(&mut rule.as_array().expect("allOf").iter()),
        "anyOf" => {
            let parts = all(&mut rule.as_array().expect("anyOf").iter());
            if parts.iter().all(|part| !part.faults.is_empty()) {
                parts
            } else {
                parts.into_iter().filter(|part| part.faults.is_empty()).collect()
            }
        }
        "oneOf" => {
            let parts = all(&mut rule.as_array().expect("oneOf").iter());
            let met = parts.iter().filter(|part| part.faults.is_empty()).count();
            let one = unless(met <= 1, format!("{at}: {met} of what only one may be"));
            if met == 0 {
                parts
            } else {
                parts.into_iter().filter(|part| part.faults.is_empty()).chain([one]).collect()
            }
        }
        _ => match judge(rule, value, at) {
            condition if condition.faults.is_empty() => {
                let then = all(&mut schema.get("then").into_iter());
                then.into_iter().chain([condition]).collect()
            }
            _ => Vec::new(),
        },
    };
    for part in parts {
        verdict.faults.extend(part.faults);
        verdict.seen.extend(part.seen);
    }
    verdict
}
