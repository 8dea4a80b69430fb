//! Distances as people write them: `6m`, `2.5m`, `350cm`, `20ft`; and screens: `65in`.

use serde_json::{Value, json};

use super::{
    diagnostic::Sink,
    shape::text_of,
    table::{Node, Shape, bad_value},
};

/// Nearer nobody sees a whole screen.
const MM_MIN: u32 = 400;
/// Farther than any room with a wall is deep.
const MM_MAX: u32 = 30_000;
const EXPECTED: &str = "a distance such as `6m`, `2.5m`, `350cm` or `20ft`, from `0.4m` to `30m`";
/// Units, with the millimetres of one.
const UNITS: [(&str, f64); 5] = [("mm", 1.0), ("cm", 10.0), ("m", 1000.0), ("ft", 304.8), ("in", 25.4)];
/// The longest number, in characters.
const NUMBER_CHARACTERS_MAX: usize = 8;

/// Millimetres, from a number with its unit: `m`, `cm`, `mm`, `ft` or `in`, with nothing in between. None if it is anything else.
#[must_use]
pub fn parse(text: &str) -> Option<u32> {
    let at = text.find(|character: char| character.is_ascii_alphabetic())?;
    let (number, unit) = text.split_at(at);
    let is_plain =
        number.len() <= NUMBER_CHARACTERS_MAX && number.bytes().all(|byte| byte.is_ascii_digit() || byte == b'.');
    let number: f64 = number.parse().ok().filter(|_| is_plain)?;
    let (_, mm) = UNITS.iter().find(|(name, _)| *name == unit)?;
    // At most eight digits of the largest unit, so it is in range of a whole number, and saturates where it isn't.
    #[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss)]
    Some((number * mm).round() as u32)
}

/// `viewing-distance`, read to millimetres.
pub(super) struct Distance;

impl Shape for Distance {
    type Value = u32;

    fn expected(&self) -> String {
        EXPECTED.to_owned()
    }

    #[cfg(test)]
    fn words(&self) -> String {
        "distance, `0.4m` to `30m`".to_owned()
    }

    fn schema(&self) -> Value {
        json!({"type": "string", "pattern": "^[0-9.]{1,8}(mm|cm|m|ft|in)$", "examples": ["6m", "2.5m", "350cm", "20ft"]})
    }

    fn read(&self, node: Node<'_>, sink: &mut Sink<'_>) -> Option<u32> {
        let text = text_of(node, EXPECTED, sink)?;
        let Some(mm) = parse(text) else {
            bad_value(node, "no distance", EXPECTED, None, sink);
            return None;
        };
        if !(MM_MIN..=MM_MAX).contains(&mm) {
            bad_value(node, "out of range", EXPECTED, None, sink);
            return None;
        }
        Some(mm)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn distances_have_units() {
        for (text, mm) in
            [("6m", 6000), ("2.5m", 2500), ("350cm", 3500), ("20ft", 6096), ("65in", 1651), ("400mm", 400)]
        {
            assert_eq!(parse(text), Some(mm), "{text}");
        }
        for text in ["", "6", "m", "6 m", "-6m", "6e3m", "six m", "6km", "1.2.3m", "123456789m", "6mm m", "∞m"] {
            assert_eq!(parse(text), None, "{text}");
        }
    }
}
