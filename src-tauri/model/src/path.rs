//! Where in an event's data a value stands.

mod text;

use std::{fmt, iter::Peekable, str::Chars, str::FromStr};

use serde::Serialize;
use serde_json::Value;

pub use self::text::Items;
use crate::Json;

/// The longest path, in characters.
pub const PATH_CHARACTERS_MAX: usize = 300;
/// The most keys and indexes of a path.
pub const PATH_STEPS_MAX: usize = 32;
/// The greatest index of a path.
const INDEX_MAX: usize = 999_999;

/// A path into an event's data: `delay`, `flight.number`, `stops[0].name`, `["odd key"].x`.
///
/// Plain keys are of letters, digits, `_` and `-`; any other key stands in brackets as a JSON string. Its written form
/// ([`fmt::Display`]) reads back as the same path.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Path {
    steps: Vec<Step>,
}

#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
enum Step {
    Key(String),
    Index(usize),
}

/// Why a text is no path.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error(
    "malformed path: {problem} at character {at}: expected something like `delay`, `flight.number` or `stops[0].name`"
)]
pub struct PathError {
    /// The character, from 1.
    pub at: usize,
    /// What is wrong there.
    pub problem: String,
}

impl Path {
    /// The value at this path; `None` if nothing stands there (null is a value).
    #[must_use]
    pub fn find<'a>(&self, data: Json<'a>) -> Option<Json<'a>> {
        self.steps.iter().try_fold(data, |value, step| match step {
            Step::Key(key) => value.get(key),
            Step::Index(index) => value.item(*index),
        })
    }

    /// The same in a document that is no event's data.
    #[must_use]
    pub fn find_in<'a>(&self, data: &'a Value) -> Option<&'a Value> {
        self.steps.iter().try_fold(data, |value, step| match step {
            Step::Key(key) => value.get(key.as_str()),
            Step::Index(index) => value.get(*index),
        })
    }

    /// The path within the field of this name, if it leads into that: none of `data` in `data`, `x` of `data.x`.
    #[must_use]
    pub fn within(&self, name: &str) -> Option<Option<Self>> {
        let (first, rest) = self.steps.split_first()?;
        let leads = matches!(first, Step::Key(key) if key == name);
        leads.then(|| (!rest.is_empty()).then(|| Self { steps: rest.to_vec() }))
    }

    /// The field that it leads into, if its first step is one.
    #[must_use]
    pub fn first_key(&self) -> Option<&str> {
        match self.steps.first()? {
            Step::Key(key) => Some(key),
            Step::Index(_) => None,
        }
    }

    /// `self`, and below it `rest`: `flight` and `number` give `flight.number`.
    #[must_use]
    pub fn join(&self, rest: &Self) -> Self {
        Self { steps: self.steps.iter().chain(&rest.steps).cloned().collect() }
    }

    /// The path of the field of this name.
    #[must_use]
    pub fn key(name: &str) -> Self {
        Self { steps: vec![Step::Key(name.to_owned())] }
    }

    /// How many keys and indexes it has.
    #[must_use]
    pub fn steps(&self) -> usize {
        self.steps.len()
    }
}

impl fmt::Display for Path {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (at, step) in self.steps.iter().enumerate() {
            match step {
                Step::Index(index) => write!(f, "[{index}]")?,
                Step::Key(key) if is_plain(key) && at == 0 => f.write_str(key)?,
                Step::Key(key) if is_plain(key) => write!(f, ".{key}")?,
                Step::Key(key) => write!(f, "[{}]", Value::from(key.as_str()))?,
            }
        }
        Ok(())
    }
}

impl Serialize for Path {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

fn is_plain(key: &str) -> bool {
    !key.is_empty() && key.chars().all(is_plain_character)
}

fn is_plain_character(character: char) -> bool {
    character.is_alphanumeric() || character == '_' || character == '-'
}

impl FromStr for Path {
    type Err = PathError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let mut reader = Reader { rest: text.chars().peekable(), at: 1 };
        if text.chars().nth(PATH_CHARACTERS_MAX).is_some() {
            let problem = format!("more than {PATH_CHARACTERS_MAX} characters");
            return Err(PathError { at: PATH_CHARACTERS_MAX + 1, problem });
        }
        let mut steps = Vec::new();
        while let Some(next) = reader.peek() {
            let start = reader.at;
            match next {
                '[' => steps.push(reader.bracket()?),
                '.' if steps.is_empty() => return Err(reader.error("a dot before the first key")),
                '.' => {
                    reader.next();
                    steps.push(reader.plain_key()?);
                }
                _ if steps.is_empty() => steps.push(reader.plain_key()?),
                other => return Err(reader.error(format!("{other:?} where `.` or `[` could follow"))),
            }
            if steps.len() > PATH_STEPS_MAX {
                let problem = format!("more than {PATH_STEPS_MAX} keys and indexes");
                return Err(PathError { at: start, problem });
            }
        }
        if steps.is_empty() {
            return Err(reader.error("nothing is written"));
        }
        Ok(Self { steps })
    }
}

/// Reads a path's text and knows at which character it is.
struct Reader<'a> {
    rest: Peekable<Chars<'a>>,
    at: usize,
}

impl Reader<'_> {
    fn peek(&mut self) -> Option<char> {
        self.rest.peek().copied()
    }

    fn next(&mut self) -> Option<char> {
        let next = self.rest.next();
        self.at += usize::from(next.is_some());
        next
    }

    fn error(&self, problem: impl Into<String>) -> PathError {
        PathError { at: self.at, problem: problem.into() }
    }

    fn plain_key(&mut self) -> Result<Step, PathError> {
        let mut key = String::new();
        while let Some(next) = self.peek().filter(|next| is_plain_character(*next)) {
            key.push(next);
            self.next();
        }
        if !key.is_empty() {
            return Ok(Step::Key(key));
        }
        Err(match self.peek() {
            Some('.') => self.error("two dots in a row"),
            Some('[') => self.error("a bracket right after a dot"),
            Some(other) => {
                self.error(format!("{other:?} where a key should begin (other keys are written `[\"key\"]`)"))
            }
            None => self.error("nothing after the dot"),
        })
    }

    /// `[0]` or `["key"]`.
    fn bracket(&mut self) -> Result<Step, PathError> {
        self.next();
        let step = match self.peek() {
            Some('"') => Step::Key(self.quoted_key()?),
            Some(digit) if digit.is_ascii_digit() => Step::Index(self.index()?),
            Some(other) => {
                return Err(self.error(format!("{other:?} where an index or a key in double quotes should begin")));
            }
            None => return Err(self.error("the bracket isn't closed")),
        };
        match self.peek() {
            Some(']') => {
                self.next();
                Ok(step)
            }
            Some(other) => Err(self.error(format!("{other:?} where `]` should stand"))),
            None => Err(self.error("the bracket isn't closed")),
        }
    }

    fn index(&mut self) -> Result<usize, PathError> {
        let start = self.at;
        let mut index = 0_usize;
        while let Some(digit) = self.peek().and_then(|next| next.to_digit(10)) {
            index = index * 10 + digit as usize;
            if index > INDEX_MAX {
                return Err(PathError { at: start, problem: format!("an index over {INDEX_MAX}") });
            }
            self.next();
        }
        Ok(index)
    }

    /// A JSON string (RFC 8259 section 7); the opening quote comes next.
    fn quoted_key(&mut self) -> Result<String, PathError> {
        let start = self.at;
        let mut literal = String::new();
        literal.extend(self.next());
        loop {
            let Some(next) = self.next() else {
                return Err(PathError { at: start, problem: "the quote isn't closed".to_owned() });
            };
            literal.push(next);
            match next {
                '"' => break,
                '\\' => literal.extend(self.next()),
                _ => {}
            }
        }
        serde_json::from_str(&literal)
            .map_err(|_| PathError { at: start, problem: format!("{literal} is no JSON string") })
    }
}

#[cfg(test)]
mod tests {
    use crate::Payload;
    use proptest::prelude::*;
    use serde_json::json;

    use super::*;

    /// A path reads its own written form, and finds what stands there.
    #[test]
    fn finds_values() {
        let data = Payload::from(
            json!({"delay": 0, "flight": {"number": 15, "name": null}, "stops": [{"name": "A"}, {"name": "B"}],
            "odd key": {"x": 1}, "": {"\"": 2}, "départ": true, "a-b_c": 3}),
        );
        for (path, value) in [
            ("delay", Some(json!(0))),
            ("flight.number", Some(json!(15))),
            ("flight.name", Some(Value::Null)),
            ("stops[1].name", Some(json!("B"))),
            ("stops[2].name", None),
            ("[\"odd key\"].x", Some(json!(1))),
            ("[\"\"][\"\\\"\"]", Some(json!(2))),
            ("départ", Some(json!(true))),
            ("a-b_c", Some(json!(3))),
            ("flight[\"number\"]", Some(json!(15))),
            ("delay.x", None),
            ("flight[0]", None),
        ] {
            let parsed: Path = path.parse().expect(path);
            assert_eq!(parsed.find(data.value()).map(Json::to_value), value, "{path}");
            let text = parsed.find_text(data.text()).expect("JSON");
            assert_eq!(text.map(|text| serde_json::from_str(text).expect("JSON")), value, "{path}");
            assert_eq!(parsed.to_string().parse(), Ok(parsed), "{path}");
        }
        assert_eq!("flight[\"number\"]".parse::<Path>().expect("path").to_string(), "flight.number");
    }

    /// A path into a field, and what of it is within.
    #[test]
    fn leads_into_a_field() {
        let path = |text: &str| text.parse::<Path>().expect(text);
        assert_eq!(path("data").within("data"), Some(None));
        assert_eq!(path("data[1].x").within("data"), Some(Some(path("[1].x"))));
        assert_eq!(path("data.x").within("x"), None);
        assert_eq!(path("[0].x").within("0"), None);
        assert_eq!((path("data.x").first_key(), path("[0].x").first_key()), (Some("data"), None));
    }

    /// Bad input: a malformed path names the character and the problem.
    #[test]
    fn says_where_it_is_malformed() {
        let long = "x".repeat(PATH_CHARACTERS_MAX + 1);
        let deep = "a".to_owned() + &".a".repeat(PATH_STEPS_MAX);
        for (path, at, problem) in [
            ("", 1, "nothing is written"),
            (".a", 1, "a dot before"),
            ("a..b", 3, "two dots"),
            ("a.", 3, "nothing after the dot"),
            ("a.[0]", 3, "a bracket right after a dot"),
            ("a b", 2, "' ' where `.` or `[`"),
            (" a", 1, "' ' where a key should begin"),
            ("a[", 3, "isn't closed"),
            ("a[]", 3, "']' where an index"),
            ("a[0", 4, "isn't closed"),
            ("a[0x]", 4, "'x' where `]`"),
            ("a[-1]", 3, "'-' where an index"),
            ("a[1000000]", 3, "an index over"),
            ("a[99999999999999999999999999]", 3, "an index over"),
            ("a[\"b]", 3, "the quote isn't closed"),
            ("a[\"b\\", 3, "the quote isn't closed"),
            ("a[\"\\q\"]", 3, "is no JSON string"),
            ("a[0]b", 5, "'b' where `.` or `[`"),
            ("é.ü.$", 5, "'$' where a key"),
            (&long, PATH_CHARACTERS_MAX + 1, "more than 300 characters"),
            (&deep, 2 * PATH_STEPS_MAX, "more than 32"),
        ] {
            let error = path.parse::<Path>().expect_err(path);
            assert!(error.at == at && error.problem.contains(problem), "{path}: {error}");
        }
    }

    proptest! {
        /// Reading never panics, and what was read is written so that it reads the same.
        #[test]
        fn round_trips(text in "(\\PC|[a-c.\\[\\]\"\\\\0-9]){0,40}") {
            if let Ok(path) = text.parse::<Path>() {
                prop_assert_eq!(path.to_string().parse(), Ok(path));
            }
        }

        /// Any key of JSON can be written.
        #[test]
        fn every_key_can_be_written(key in any::<String>().prop_filter("limit", |key| key.chars().count() < 40)) {
            let path = Path { steps: vec![Step::Key(key.clone()), Step::Index(3), Step::Key(key)] };
            prop_assert_eq!(path.to_string().parse(), Ok(path));
        }
    }
}
