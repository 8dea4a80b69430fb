//! The JSON Schema of a board file, for editors.

use serde_json::{Map, Value, json};
pub(super) use watchfloor_settings::schema::object;
use watchfloor_settings::schema::{properties, required};

use super::{
    alarm::ALARMS_MAX,
    decode::{SOURCES_MAX, WIDGETS_MAX},
    furniture::{FURNITURE, FurnitureShape},
    keys::{self, alarm, page, source, widget},
    page::PAGES_MAX,
    widget_kind::{KINDS, KindShape, Operand},
};

/// The schema of a board file (JSON Schema 2020-12): every key with its description and default.
///
/// What a schema can't say is left to [`super::parse`]: ids that must differ, places that must not overlap.
#[must_use]
pub fn schema() -> Value {
    let mut board = object(&keys::BOARD);
    board["description"] = json!("What holds for the whole board.");
    let mut page = object(&page::TABLE);
    page["description"] = json!("A page of the board.");
    let mut alarm = object(&alarm::TABLE);
    alarm["description"] = json!("A rule: what calls for somebody, and how soon.");
    let mut alarms = object(&alarm::ALL_TABLE);
    alarms["description"] = json!("How alarms are told.");
    let mut source = object(&source::TABLE);
    source["description"] = json!("Where events come from.");
    source["dependentRequired"] = json!({"token-header": ["token"]});
    json!({
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": "Watchfloor board file",
        "type": "object",
        "properties": {
            "board": board,
            "page": {"type": "array", "items": page, "minItems": 1, "maxItems": PAGES_MAX},
            "source": {"type": "array", "items": source, "minItems": 1, "maxItems": SOURCES_MAX},
            "widget": {"type": "array", "items": widgets(), "minItems": 1, "maxItems": WIDGETS_MAX},
            "alarm": {"type": "array", "items": alarm, "minItems": 1, "maxItems": ALARMS_MAX},
            "alarms": alarms,
        },
        "required": ["board", "source", "widget"],
        "additionalProperties": false,
    })
}

/// A widget: what all kinds have, and for each kind what it adds.
fn widgets() -> Value {
    json!({
        "description": "One widget.",
        "type": "object",
        "properties": properties(widget::TABLE.keys),
        "required": required(widget::TABLE.keys),
        "allOf": KINDS.iter().copied().map(kind_rule).chain(FURNITURE.iter().copied().map(furniture_rule)).collect::<Vec<_>>(),
        "unevaluatedProperties": false,
    })
}

fn kind_rule(kind: &KindShape) -> Value {
    let mut then = json!({
        "description": kind.about,
        "properties": properties(kind.table.keys),
        "required": required(kind.table.keys),
    });
    if kind.table.has("states") {
        then["dependentRequired"] = json!({"state": ["states"], "states": ["state"]});
    }
    let mut rules: Vec<Value> = Vec::new();
    if !kind.stats.is_empty() {
        let operands = [Operand::Events, Operand::Value, Operand::Match];
        rules.extend(operands.into_iter().filter_map(|operand| stat_rule(kind, operand)));
    }
    if kind.table.has("digits") {
        then["dependentRequired"] = json!({"better": ["trend"]});
        rules.push(json!({"if": {"required": ["digits"]}, "then": {"properties": {"decimals": false}}}));
        let bar = json!({"properties": {"draw": {"const": "bar"}}, "required": ["draw"]});
        rules.push(json!({"if": bar, "then": {"required": ["min", "max"]}}));
    }
    if kind.table.has("lines") {
        then["dependentRequired"] = json!({"right": ["lines"]});
        let useless = json!({"properties": {"stat": false, "value": false, "by": false}});
        rules.push(json!({"if": {"required": ["lines"]}, "then": useless}));
    }
    if !rules.is_empty() {
        then["allOf"] = rules.into();
    }
    json!({"if": {"properties": {"kind": {"const": kind.name}}, "required": ["kind"]}, "then": then})
}

/// What furniture adds, and what of a widget's keys it has no use for.
fn furniture_rule(kind: &FurnitureShape) -> Value {
    let useless: Map<String, Value> = widget::OF_DATA.iter().map(|name| ((*name).to_owned(), json!(false))).collect();
    let mut rules = vec![json!({"properties": useless})];
    if kind.table.has("daily") {
        rules.push(json!({"anyOf": [{"required": ["to"]}, {"required": ["daily"]}]}));
        rules.push(json!({"if": {"required": ["daily"]}, "then": {"properties": {"to": false, "after": false}}}));
    }
    let then = json!({
        "description": kind.about,
        "properties": properties(kind.table.keys),
        "required": required(kind.table.keys),
        "allOf": rules,
    });
    json!({"if": {"properties": {"kind": {"const": kind.name}}, "required": ["kind"]}, "then": then})
}

/// What the statistics of an operand require and have no use for. `stat` is `count` if left out.
fn stat_rule(kind: &KindShape, operand: Operand) -> Option<Value> {
    let stats: Vec<&str> = kind.stats.iter().copied().filter(|stat| Operand::of(stat) == operand).collect();
    if stats.is_empty() {
        return None;
    }
    let mut condition = json!({"properties": {"stat": {"enum": stats}}});
    if operand != Operand::Events {
        condition["required"] = json!(["stat"]);
    }
    let mut then = json!({"properties": {}, "required": []});
    for (name, needed) in [("value", Operand::Value), ("match", Operand::Match)] {
        if needed == operand {
            then["required"] = json!([name]);
        } else if kind.table.has(name) {
            then["properties"][name] = json!(false);
        }
    }
    Some(json!({"if": condition, "then": then}))
}
