//! Which fields of an event's data a channel may carry: what else is published to it is stripped before anything is done with it.

use std::{borrow::Cow, fmt::Write as _};

use serde::{
    Deserialize, Deserializer,
    de::{MapAccess, Visitor},
};
use serde_json::value::RawValue;

/// Names of fields, each with those inside it that are meant.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Fields(Vec<Field>);

#[derive(Clone, Debug, PartialEq, Eq)]
struct Field {
    name: String,
    /// None if the whole of it is.
    inside: Option<Fields>,
}

impl Fields {
    /// Of paths such as `carrier` and `aircraft.type`.
    pub fn new<'a>(paths: impl IntoIterator<Item = &'a str>) -> Self {
        let mut fields = Self::default();
        for path in paths {
            fields.add(path);
        }
        fields
    }

    fn add(&mut self, path: &str) {
        let (name, rest) = path.split_once('.').map_or((path, None), |(name, rest)| (name, Some(rest)));
        let at = self.0.iter().position(|field| field.name == name).unwrap_or_else(|| {
            self.0.push(Field { name: name.to_owned(), inside: Some(Self::default()) });
            self.0.len() - 1
        });
        let field = &mut self.0[at];
        match (rest, &mut field.inside) {
            (Some(rest), Some(inside)) => inside.add(rest),
            (None, inside) => *inside = None,
            (Some(_), None) => {}
        }
    }

    /// What is left of a JSON text, each value as it came. None if it is no object, of which nothing can be said.
    pub(crate) fn strip(&self, json: &str) -> Option<String> {
        let Members(members) = serde_json::from_str(json).ok()?;
        let mut text = String::with_capacity(json.len());
        self.write(&members, &mut text);
        Some(text)
    }

    fn write(&self, members: &[(Cow<'_, str>, &RawValue)], text: &mut String) {
        text.push('{');
        for (name, value) in members {
            let Some(field) = self.0.iter().find(|field| field.name == *name) else { continue };
            let begins = text.len();
            if !text.ends_with('{') {
                text.push(',');
            }
            // A text in a String doesn't fail.
            let _ = write!(text, "{}:", serde_json::Value::from(&**name));
            match &field.inside {
                None => text.push_str(value.get()),
                Some(inside) => match serde_json::from_str(value.get()) {
                    Ok(Members(members)) => inside.write(&members, text),
                    // It has no fields that could be meant.
                    Err(_) => text.truncate(begins),
                },
            }
        }
        text.push('}');
    }
}

/// An object's members in their order, as they stand.
struct Members<'a>(Vec<(Cow<'a, str>, &'a RawValue)>);

impl<'de: 'a, 'a> Deserialize<'de> for Members<'a> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Reader;

        impl<'de> Visitor<'de> for Reader {
            type Value = Vec<(Cow<'de, str>, &'de RawValue)>;

            fn expecting(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                f.write_str("an object")
            }

            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Self::Value, A::Error> {
                let mut members = Vec::new();
                while let Some((Name(name), value)) = map.next_entry::<Name<'de>, &'de RawValue>()? {
                    members.push((name, value));
                }
                Ok(members)
            }
        }

        deserializer.deserialize_map(Reader).map(Members)
    }
}

/// A member's name, which has no escapes mostly.
struct Name<'a>(Cow<'a, str>);

impl<'de: 'a, 'a> Deserialize<'de> for Name<'a> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Reader;

        impl<'de> Visitor<'de> for Reader {
            type Value = Cow<'de, str>;

            fn expecting(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                f.write_str("a name")
            }

            fn visit_borrowed_str<E>(self, name: &'de str) -> Result<Self::Value, E> {
                Ok(Cow::Borrowed(name))
            }

            fn visit_str<E>(self, name: &str) -> Result<Self::Value, E> {
                Ok(Cow::Owned(name.to_owned()))
            }
        }

        deserializer.deserialize_str(Reader).map(Name)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use serde_json::{Value, json};

    use super::*;

    /// H8: whatever a channel must not carry isn't carried, however it is written.
    #[test]
    fn what_is_left() {
        let fields = Fields::new(["a", "b.c", "b.d.e", "x.y", "x"]);
        for (text, expected) in [
            (r#"{"a":1,"secret":2}"#, Some(r#"{"a":1}"#)),
            (
                r#"{ "a" : 1.50 , "b" : {"c": [1, 2], "secret": 3, "d": {"e": null, "f": 1}} }"#,
                Some(r#"{"a":1.50,"b":{"c":[1, 2],"d":{"e":null}}}"#),
            ),
            (r#"{"secret":{"a":1},"b":{}}"#, Some(r#"{"b":{}}"#)),
            (r#"{"b":7,"x":{"z":1}}"#, Some(r#"{"x":{"z":1}}"#)),
            (r#"{"secret":1,"a":1,"a":2}"#, Some(r#"{"a":1,"a":2}"#)),
            (r#"{"a":"\u0061 \"","ä":1}"#, Some(r#"{"a":"\u0061 \""}"#)),
            ("{}", Some("{}")),
            ("[1]", None),
            ("null", None),
            ("\"a\"", None),
        ] {
            assert_eq!(fields.strip(text).as_deref(), expected, "{text}");
        }
        assert_eq!(Fields::new([]).strip(r#"{"a":1}"#).as_deref(), Some("{}"));
    }

    fn value() -> impl Strategy<Value = Value> {
        let leaf = prop_oneof![
            Just(json!(null)),
            any::<i32>().prop_map(Value::from),
            "[a-c\"\\\\ä]{0,3}".prop_map(Value::from)
        ];
        leaf.prop_recursive(4, 40, 5, |inner| {
            prop_oneof![
                proptest::collection::vec(inner.clone(), 0..4).prop_map(Value::from),
                proptest::collection::btree_map("[a-c\"\\\\ä]{1,2}", inner, 0..5)
                    .prop_map(|map| Value::Object(map.into_iter().collect())),
            ]
        })
    }

    /// The same by a parsed value, as a reference.
    fn reference(value: &Value, paths: &[Vec<&str>]) -> Value {
        let Value::Object(map) = value else { return Value::Null };
        let mut left = serde_json::Map::new();
        for (name, value) in map {
            let meant: Vec<Vec<&str>> =
                paths.iter().filter(|path| path[0] == name).map(|path| path[1..].to_vec()).collect();
            if meant.iter().any(Vec::is_empty) {
                left.insert(name.clone(), value.clone());
            } else if !meant.is_empty() && value.is_object() {
                left.insert(name.clone(), reference(value, &meant));
            }
        }
        Value::Object(left)
    }

    proptest! {
        #[test]
        fn as_the_reference_has_it(
            value in value(),
            paths in proptest::collection::vec(proptest::collection::vec("[a-c\"\\\\ä]{1,2}", 1..4), 0..5),
        ) {
            let joined: Vec<String> = paths.iter().map(|path| path.join(".")).collect();
            let fields = Fields::new(joined.iter().map(String::as_str));
            let paths: Vec<Vec<&str>> = paths.iter().map(|path| path.iter().map(String::as_str).collect()).collect();
            match fields.strip(&value.to_string()) {
                None => prop_assert!(!value.is_object()),
                Some(text) => {
                    let found: Value = serde_json::from_str(&text).expect("JSON");
                    prop_assert_eq!(found, reference(&value, &paths));
                }
            }
        }
    }
}
