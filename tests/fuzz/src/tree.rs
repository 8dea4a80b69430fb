//! JSON values made from bytes.

use serde_json::{Map, Value, json};

use crate::Draws;

/// Most fields or items of one value.
const WIDTH_MAX: usize = 6;
/// Floats at the edges of what they can be.
const FLOATS: [f64; 8] = [0.0, -0.0, 0.1, -1e308, 1.7e308, 5e-324, 9_007_199_254_740_993.0, -273.15];

/// A value of fields with these names, texts among these words, and whatever else; `depth` levels deep at most.
pub fn tree(draws: &mut Draws<'_>, names: &[&str], words: &[&str], depth: usize) -> Value {
    match draws.byte() % 16 {
        0..5 if depth > 0 => {
            let fields = 1 + draws.below(WIDTH_MAX);
            let mut map = Map::new();
            for _ in 0..fields {
                let name = (*draws.pick(names)).to_owned();
                map.insert(name, tree(draws, names, words, depth - 1));
            }
            map.into()
        }
        5..7 if depth > 0 => (0..draws.below(WIDTH_MAX)).map(|_| tree(draws, names, words, depth - 1)).collect(),
        7 => Value::Null,
        8 => json!(draws.once_in(2)),
        9 => json!(draws.number()),
        10 => json!(draws.number().cast_signed()),
        11 => json!(*draws.pick(&FLOATS)),
        12 => json!(f64::from(draws.short()) / 16.0),
        13 => {
            let count = draws.below(32);
            json!(String::from_utf8_lossy(draws.take(count)))
        }
        14 => json!(u64::from(draws.byte())),
        _ => json!(*draws.pick(words)),
    }
}
