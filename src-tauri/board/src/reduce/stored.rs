//! States as text, written and read. Never as trees: a tree takes ten times a state's memory and time, a busy wall writes its
//! state down every second, and what is read may come from anybody (H5).

use std::{borrow::Cow, fmt};

use serde::{
    Deserializer, Serialize,
    de::{DeserializeOwned, IgnoredAny, MapAccess, Visitor},
};
use serde_json::value::{RawValue, to_raw_value};

/// A JSON value as its text.
pub(crate) type Text = Box<RawValue>;

/// A state as JSON. Our states are plain data with text keys and finite numbers, which always have a JSON form.
pub(crate) fn to_json<S: Serialize + ?Sized>(state: &S) -> Text {
    to_raw_value(state).unwrap_or_default()
}

/// A state of JSON.
pub(crate) fn from_json<S: DeserializeOwned>(state: &RawValue) -> Result<S, String> {
    serde_json::from_str(state.get()).map_err(|error| error.to_string())
}

/// Fields of a state that is an object; null for one that isn't there.
pub(crate) fn fields<'a, const N: usize>(state: &'a RawValue, names: [&str; N]) -> Result<[&'a RawValue; N], String> {
    let found = serde_json::Deserializer::from_str(state.get()).deserialize_map(Fields(names));
    found.map_err(|error| error.to_string())
}

struct Fields<'n, const N: usize>([&'n str; N]);

impl<'de, const N: usize> Visitor<'de> for Fields<'_, N> {
    type Value = [&'de RawValue; N];

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an object")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Self::Value, A::Error> {
        let mut found = [RawValue::NULL; N];
        while let Some(name) = map.next_key::<Cow<'de, str>>()? {
            match self.0.iter().position(|wanted| *wanted == name) {
                Some(index) => found[index] = map.next_value()?,
                None => {
                    map.next_value::<IgnoredAny>()?;
                }
            }
        }
        Ok(found)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn fields_are_found_by_name() {
        let state = to_json(&serde_json::json!({"a": [1, {"b": 2}], "b": null, "c\n": "x"}));
        let texts = fields(&state, ["c\n", "b", "a", "d"]).map(|found| found.map(RawValue::get));
        assert_eq!(texts, Ok(["\"x\"", "null", "[1,{\"b\":2}]", "null"]));
        for odd in ["7", "null", "[]", "\"a\""] {
            let odd: Text = serde_json::from_str(odd).expect("JSON");
            assert!(fields(&odd, ["a"]).expect_err("no object").contains("an object"));
        }
    }
}
