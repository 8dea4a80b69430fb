//! What stands at a path in a text of JSON, without reading what doesn't lead there.

use std::fmt;

use serde::{
    Deserializer,
    de::{DeserializeSeed, IgnoredAny, MapAccess, SeqAccess, Visitor},
};
use serde_json::value::RawValue;

use super::{Path, Step};

impl Path {
    /// The same in a text of JSON: the text of what stands there, none of which is read but what leads to it.
    ///
    /// # Errors
    /// If it is no JSON.
    pub fn find_text<'a>(&self, text: &'a str) -> serde_json::Result<Option<&'a str>> {
        self.steps.iter().try_fold(Some(text), |found, step| {
            let Some(text) = found.map(str::trim_ascii_start) else { return Ok(None) };
            let mut reader = serde_json::Deserializer::from_str(text);
            match step {
                Step::Key(key) if text.starts_with('{') => reader.deserialize_map(Field(key)),
                Step::Index(index) if text.starts_with('[') => reader.deserialize_seq(Item(*index)),
                Step::Key(_) | Step::Index(_) => Ok(None),
            }
        })
    }

    /// Texts of the items of the list that stands there, in a text of JSON that is gone through once.
    ///
    /// # Errors
    /// If it is no JSON, or more than one.
    pub fn find_items<'a>(path: Option<&Self>, text: &'a str) -> serde_json::Result<Items<'a>> {
        let mut reader = serde_json::Deserializer::from_str(text);
        let found = ItemsAt(path.map_or(&[], |path| &path.steps)).deserialize(&mut reader)?;
        reader.end()?;
        Ok(found)
    }
}

/// What stands at a path that is to lead to a list.
#[derive(Debug, PartialEq, Eq)]
pub enum Items<'a> {
    /// Nothing.
    Missing,
    /// No list.
    Other,
    /// A list, with its items' texts.
    List(Vec<&'a str>),
}

struct ItemsAt<'a>(&'a [Step]);

impl ItemsAt<'_> {
    const fn scalar<'de>(&self) -> Items<'de> {
        if self.0.is_empty() { Items::Other } else { Items::Missing }
    }
}

impl<'de> DeserializeSeed<'de> for ItemsAt<'_> {
    type Value = Items<'de>;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<Self::Value, D::Error> {
        deserializer.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for ItemsAt<'_> {
    type Value = Items<'de>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("any JSON value")
    }

    fn visit_unit<E>(self) -> Result<Self::Value, E> {
        Ok(self.scalar())
    }

    fn visit_bool<E>(self, _value: bool) -> Result<Self::Value, E> {
        Ok(self.scalar())
    }

    fn visit_u64<E>(self, _value: u64) -> Result<Self::Value, E> {
        Ok(self.scalar())
    }

    fn visit_i64<E>(self, _value: i64) -> Result<Self::Value, E> {
        Ok(self.scalar())
    }

    fn visit_f64<E>(self, _value: f64) -> Result<Self::Value, E> {
        Ok(self.scalar())
    }

    fn visit_str<E>(self, _value: &str) -> Result<Self::Value, E> {
        Ok(self.scalar())
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut items: A) -> Result<Self::Value, A::Error> {
        let Some((first, rest)) = self.0.split_first() else {
            let mut texts = Vec::new();
            while let Some(item) = items.next_element::<&RawValue>()? {
                texts.push(item.get());
            }
            return Ok(Items::List(texts));
        };
        let (mut found, mut at) = (Items::Missing, 0);
        loop {
            let is_there = if *first == Step::Index(at) {
                items.next_element_seed(ItemsAt(rest))?.map(|items| found = items).is_some()
            } else {
                items.next_element::<IgnoredAny>()?.is_some()
            };
            if !is_there {
                return Ok(found);
            }
            at += 1;
        }
    }

    fn visit_map<A: MapAccess<'de>>(self, mut fields: A) -> Result<Self::Value, A::Error> {
        let (mut found, name) = match self.0.first() {
            None => (Items::Other, None),
            Some(Step::Key(key)) => (Items::Missing, Some(key)),
            Some(Step::Index(_)) => (Items::Missing, None),
        };
        while let Some(is_it) = fields.next_key_seed(Is(name.map_or("", |name| name)))? {
            if is_it && name.is_some() {
                found = fields.next_value_seed(ItemsAt(self.0.get(1..).unwrap_or_default()))?;
            } else {
                fields.next_value::<IgnoredAny>()?;
            }
        }
        Ok(found)
    }
}

/// Takes the text of the last field of this name out of an object.
struct Field<'a>(&'a str);

impl<'de> Visitor<'de> for Field<'_> {
    type Value = Option<&'de str>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an object")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut fields: A) -> Result<Self::Value, A::Error> {
        let mut found = None;
        while let Some(is_it) = fields.next_key_seed(Is(self.0))? {
            if is_it {
                found = Some(fields.next_value::<&RawValue>()?.get());
            } else {
                fields.next_value::<IgnoredAny>()?;
            }
        }
        Ok(found)
    }
}

/// Takes the text of an item out of a list.
struct Item(usize);

impl<'de> Visitor<'de> for Item {
    type Value = Option<&'de str>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a list")
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut items: A) -> Result<Self::Value, A::Error> {
        let mut found = None;
        let mut index = 0;
        while let Some(item) = items.next_element::<&RawValue>()? {
            if index == self.0 {
                found = Some(item.get());
            }
            index += 1;
        }
        Ok(found)
    }
}

/// Whether a text is this one.
struct Is<'a>(&'a str);

impl<'de> DeserializeSeed<'de> for Is<'_> {
    type Value = bool;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<bool, D::Error> {
        deserializer.deserialize_str(self)
    }
}

impl Visitor<'_> for Is<'_> {
    type Value = bool;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a text")
    }

    fn visit_str<E>(self, text: &str) -> Result<bool, E> {
        Ok(text == self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// H5: the last of several fields of one name, whatever stands around it; and what is no JSON is none.
    #[test]
    fn finds_texts() {
        let find = |path: &str, text| path.parse::<Path>().expect(path).find_text(text);
        let items = |path: &str, text| Path::find_items(Some(&path.parse().expect(path)), text).ok();
        for (path, text, found) in [
            ("a", r#" { "a" : 1.50 , "b" : {} } "#, Some("1.50")),
            ("a.b", r#"{"a":{"b":1},"a":{"b":[2]},"\u0061":{ "b": [ 3 ] }}"#, Some("[ 3 ]")),
            ("a[1]", r#"{"a":[[],{"x":"]"},2]}"#, Some(r#"{"x":"]"}"#)),
            ("a[3]", r#"{"a":[[],{},2]}"#, None),
            ("a", "7", None),
            ("[0]", "{}", None),
        ] {
            assert_eq!(find(path, text).expect(text), found, "{path} {text}");
            let expected = found.map_or(Items::Missing, |found| match found.strip_prefix('[') {
                Some(_) => Items::List(vec!["3"]),
                None => Items::Other,
            });
            assert_eq!(items(path, text), Some(expected), "{path} {text}");
        }
        for text in ["{", r#"{"a":}"#, r#"{"a":1"#, r#"{"b":tru,"a":1}"#] {
            assert!(find("a", text).is_err(), "{text}");
            assert_eq!(items("a", text), None, "{text}");
        }
    }

    /// Lists are found at the top and below, and only in a text that is one value.
    #[test]
    fn finds_items() {
        let texts = |items: &[&'static str]| Some(Items::List(items.to_vec()));
        let find = |path: Option<&str>, text| {
            let path: Option<Path> = path.map(|path| path.parse().expect(path));
            Path::find_items(path.as_ref(), text).ok()
        };
        assert_eq!(find(None, r#" [ 1 , {"a":[2]}, "]" ] "#), texts(&["1", r#"{"a":[2]}"#, r#""]""#]));
        assert_eq!(find(Some("a[1].b"), r#"{"c":[0],"a":[7,{"b":[1.50,null]},8]}"#), texts(&["1.50", "null"]));
        assert_eq!(find(Some("a"), r#"{"a":[1],"a":[2]}"#), texts(&["2"]));
        assert_eq!(find(None, "{}"), Some(Items::Other));
        for text in ["null", "true", "-1", "1", "1.5", "\"a\"", "{}", "[]"] {
            assert_eq!(find(Some("a"), text), Some(Items::Missing), "{text}");
            assert_eq!(find(Some("[0]"), text), Some(Items::Missing), "{text}");
        }
        for text in ["", "[1][2]", "{\"a\":[1]} 7", "[1"] {
            assert_eq!(find(None, text), None, "{text}");
        }
    }
}
