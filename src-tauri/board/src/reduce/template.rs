//! Texts with holes.

use watchfloor_model::{Json, Shape};

use super::{
    cut::cut,
    pick::{TEXT_CHARACTERS_MAX, number_text},
};
use crate::config::spec::{Template, TemplatePart};

/// What stands for a value that isn't there.
const NOTHING: &str = "----";

/// `template` filled from `data`; more than [`TEXT_CHARACTERS_MAX`] characters end in an ellipsis.
pub(crate) fn render(template: &Template, data: Json<'_>) -> String {
    let mut out = String::new();
    for part in &template.parts {
        match part {
            TemplatePart::Text(text) => out.push_str(text),
            TemplatePart::Hole(path) => fill(&mut out, path.find(data).map(Json::shape)),
        }
    }
    match cut(&out, TEXT_CHARACTERS_MAX) {
        std::borrow::Cow::Borrowed(_) => out,
        std::borrow::Cow::Owned(short) => short,
    }
}

/// Whether `data` has anything to fill in, or nothing is needed: otherwise what was rendered before stands.
pub(crate) fn is_filled_by(template: &Template, data: Json<'_>) -> bool {
    let mut holes = template.parts.iter().filter_map(|part| match part {
        TemplatePart::Hole(path) => Some(path),
        TemplatePart::Text(_) => None,
    });
    let Some(first) = holes.next() else { return true };
    first.find(data).is_some() || holes.any(|path| path.find(data).is_some())
}

fn fill(out: &mut String, value: Option<Shape<'_>>) {
    match value {
        None | Some(Shape::Null) => out.push_str(NOTHING),
        Some(Shape::Text(text)) => out.push_str(&cut(text, TEXT_CHARACTERS_MAX)),
        Some(Shape::Number(number)) => out.push_str(&number_text(&number)),
        Some(Shape::Bool(value)) => out.push_str(if value { "true" } else { "false" }),
        Some(Shape::List(items)) => {
            out.push_str(&format!("[{items}]"));
        }
        Some(Shape::Object(fields)) => {
            out.push_str(&format!("{{{fields}}}"));
        }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;
    use watchfloor_model::Payload;

    use super::*;
    use crate::testing::template;

    #[test]
    fn holes_are_filled() {
        let data = Payload::from(
            json!({"carrier": "UA", "flight": 1545, "delay": 2.0, "none": null, "late": true, "list": [1, 2]}),
        );
        let check = |text: &str, expected: &str| assert_eq!(render(&template(text), data.value()), expected);
        check("{carrier} {flight} to {dest}", "UA 1545 to ----");
        check("{delay} {none} {late} {list}", "2 ---- true [2]");
        check("{carrier}{carrier}", "UAUA");
        assert_eq!(
            render(&template("{t}"), Payload::from(json!({"t": "x".repeat(5000)})).value()).chars().count(),
            TEXT_CHARACTERS_MAX
        );
    }

    #[test]
    fn nothing_to_fill_in_is_noticed() {
        assert!(is_filled_by(&template("fixed"), Payload::from(json!({})).value()));
        assert!(is_filled_by(&template("{a} {b}"), Payload::from(json!({"b": null})).value()));
        assert!(!is_filled_by(&template("{a} {b}"), Payload::from(json!({"c": 1})).value()));
    }
}
