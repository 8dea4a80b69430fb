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
        Some(Shape::Text(text)) => push_isolated(out, &cut(text, TEXT_CHARACTERS_MAX)),
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

/// First strong isolate, and pop directional isolate: UAX #9.
const ISOLATE: char = '\u{2068}';
const POP: char = '\u{2069}';

/// Adds what somebody said, so that its direction changes nothing of what stands beside it (H8): digits would read backwards.
fn push_isolated(out: &mut String, text: &str) {
    if text.chars().all(|character| character < '\u{590}') {
        return out.push_str(text);
    }
    out.push(ISOLATE);
    // What orders it by hand could end the isolate.
    out.extend(
        text.chars().filter(|character| !matches!(character, '\u{202A}'..='\u{202E}' | '\u{2066}'..='\u{2069}')),
    );
    out.push(POP);
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

    /// H8: what is written from the right to the left, or orders characters by hand, leaves what stands beside it as it is.
    #[test]
    fn a_direction_stays_with_its_field() {
        let data = Payload::from(json!({"who": "Bob\u{202E}", "he": "\u{5d0}\u{5d1}", "n": 123, "de": "\u{fc}"}));
        let shown = render(&template("{who}: {n} {he} {n} {de}"), data.value());
        assert_eq!(shown, "\u{2068}Bob\u{2069}: 123 \u{2068}\u{5d0}\u{5d1}\u{2069} 123 \u{fc}");
    }

    #[test]
    fn nothing_to_fill_in_is_noticed() {
        assert!(is_filled_by(&template("fixed"), Payload::from(json!({})).value()));
        assert!(is_filled_by(&template("{a} {b}"), Payload::from(json!({"b": null})).value()));
        assert!(!is_filled_by(&template("{a} {b}"), Payload::from(json!({"c": 1})).value()));
    }
}
