//! What may stand as a value: plain texts, words, numbers, and lists of them.

use serde_json::{Value, json};
use toml::de::DeValue;

use crate::{
    diagnostic::Sink,
    nearest::did_you_mean,
    table::{Node, Shape, bad_character, bad_value, cut, names, wrong_type},
};

/// A text for people, on one line.
pub struct Text {
    /// Its length at most.
    pub characters_max: usize,
}

impl Shape for Text {
    type Value = String;

    fn expected(&self) -> String {
        format!("a text of 1 to {} characters, on one line", self.characters_max)
    }

    fn words(&self) -> String {
        format!("text, at most {} characters", self.characters_max)
    }

    fn schema(&self) -> Value {
        json!({"type": "string", "minLength": 1, "maxLength": self.characters_max, "pattern": "^[^\\p{Cc}]*$"})
    }

    fn read(&self, node: Node<'_>, sink: &mut Sink<'_>) -> Option<String> {
        let text = text_of(node, &self.expected(), sink)?;
        if text.is_empty() || text.chars().nth(self.characters_max).is_some() {
            let message = if text.is_empty() { "empty text" } else { "too long a text" };
            bad_value(node, message, &self.expected(), None, sink);
            return None;
        }
        if let Some(at) = text.chars().position(char::is_control) {
            let message = format!("control character in `{}`", cut(node.name));
            bad_character(node, at + 1, message, &self.expected(), sink);
            return None;
        }
        Some(text.to_owned())
    }
}

/// The string that stands there.
pub fn text_of<'a>(node: Node<'a>, expected: &str, sink: &mut Sink<'_>) -> Option<&'a str> {
    let text = node.value.get_ref().as_str();
    if text.is_none() {
        let help = match node.value.get_ref() {
            DeValue::Array(_) | DeValue::Table(_) => None,
            _ => Some("write it in quotes".to_owned()),
        };
        wrong_type(node, expected, help, sink);
    }
    text
}

/// Yes or no.
pub struct Flag;

impl Shape for Flag {
    type Value = bool;

    fn expected(&self) -> String {
        "`true` or `false`".to_owned()
    }

    fn words(&self) -> String {
        "`true` or `false`".to_owned()
    }

    fn schema(&self) -> Value {
        json!({"type": "boolean"})
    }

    fn read(&self, node: Node<'_>, sink: &mut Sink<'_>) -> Option<bool> {
        let flag = node.value.get_ref().as_bool();
        if flag.is_none() {
            wrong_type(node, &self.expected(), None, sink);
        }
        flag
    }
}

/// A name made of a fixed set of characters: ids and channels.
pub struct Name {
    /// What it is, for errors.
    pub what: &'static str,
    /// What it is made of, for people.
    pub characters: &'static str,
    /// Punctuation allowed besides ASCII letters and digits.
    pub punctuation: &'static str,
    /// Its length at most.
    pub characters_max: usize,
}

/// `id` of sources and widgets.
pub const ID: Name =
    Name { what: "an id", characters: "letters, digits, `-`, `_`", punctuation: "-_", characters_max: 64 };

/// A channel of any kind of source. What each kind allows of it is said with the kind.
pub const CHANNEL: Name = Name {
    what: "a channel name",
    characters: "letters, digits and punctuation of ASCII, without quotes and spaces",
    punctuation: CHANNEL_PUNCTUATION,
    characters_max: 200,
};
/// All of ASCII's but quotes and the backslash.
const CHANNEL_PUNCTUATION: &str = "_-=@,.;:#$&/|+*~!?%()[]{}<>^";

impl Shape for Name {
    type Value = String;

    fn expected(&self) -> String {
        format!("{} of 1 to {} characters: {}", self.what, self.characters_max, self.characters)
    }

    fn words(&self) -> String {
        format!("1 to {} of {}", self.characters_max, self.characters)
    }

    fn schema(&self) -> Value {
        let others = self.punctuation.chars().filter(|c| *c != '-');
        let escaped = |c: char| if "[]^".contains(c) { format!("\\{c}") } else { c.to_string() };
        let punctuation: String = others.map(escaped).collect();
        json!({"type": "string", "pattern": format!("^[A-Za-z0-9{punctuation}-]{{1,{}}}$", self.characters_max)})
    }

    fn read(&self, node: Node<'_>, sink: &mut Sink<'_>) -> Option<String> {
        let text = text_of(node, &self.expected(), sink)?;
        let is_part = |c: char| c.is_ascii_alphanumeric() || self.punctuation.contains(c);
        if let Some(at) = text.chars().position(|c| !is_part(c)) {
            let found = text.chars().nth(at).unwrap_or_default();
            let message = format!("{found:?} is not allowed in {}", self.what);
            bad_character(node, at + 1, message, &self.expected(), sink);
            return None;
        }
        if text.is_empty() || text.len() > self.characters_max {
            let message = if text.is_empty() { "empty name" } else { "too long a name" };
            bad_value(node, message, &self.expected(), None, sink);
            return None;
        }
        Some(text.to_owned())
    }
}

/// One of a few words.
pub struct Choice<T: 'static> {
    /// Each word, what it stands for, and what it means.
    pub options: &'static [(&'static str, T, &'static str)],
}

impl<T: Copy + Sync> Shape for Choice<T> {
    type Value = T;

    fn expected(&self) -> String {
        names(self.options.iter().map(|(word, ..)| *word))
    }

    fn schema(&self) -> Value {
        let words: Vec<&str> = self.options.iter().map(|(word, ..)| *word).collect();
        json!({"type": "string", "enum": words})
    }

    fn read(&self, node: Node<'_>, sink: &mut Sink<'_>) -> Option<T> {
        let text = text_of(node, &self.expected(), sink)?;
        let option = self.options.iter().find(|(word, ..)| *word == text);
        if option.is_none() {
            let help = did_you_mean(text, self.options.iter().map(|(word, ..)| *word));
            bad_value(node, &format!("unknown word `{}`", cut(text)), &self.expected(), help, sink);
        }
        option.map(|(_, value, _)| *value)
    }
}

/// A whole number in a range.
pub struct Whole {
    /// The least.
    pub min: u32,
    /// The greatest.
    pub max: u32,
}

impl Shape for Whole {
    type Value = u32;

    fn expected(&self) -> String {
        format!("a whole number from {} to {}", self.min, self.max)
    }

    fn words(&self) -> String {
        format!("whole number, {} to {}", self.min, self.max)
    }

    fn schema(&self) -> Value {
        json!({"type": "integer", "minimum": self.min, "maximum": self.max})
    }

    fn read(&self, node: Node<'_>, sink: &mut Sink<'_>) -> Option<u32> {
        let Some(number) = node.value.get_ref().as_integer() else {
            wrong_type(node, &self.expected(), unquote(node), sink);
            return None;
        };
        let number = u32::from_str_radix(number.as_str(), number.radix()).ok();
        let number = number.filter(|number| (self.min..=self.max).contains(number));
        if number.is_none() {
            bad_value(node, "out of range", &self.expected(), None, sink);
        }
        number
    }
}

/// A finite number in a range.
pub struct Number {
    /// What it is, for errors.
    pub what: &'static str,
    /// The least.
    pub min: f64,
    /// The greatest.
    pub max: f64,
}

/// A number of any size that is exact enough to draw.
pub const ANY_NUMBER: Number = Number { what: "a number", min: -1e15, max: 1e15 };

impl Number {
    fn is_open(&self) -> bool {
        self.max >= ANY_NUMBER.max
    }
}

impl Shape for Number {
    type Value = f64;

    fn expected(&self) -> String {
        if self.is_open() { self.what.to_owned() } else { format!("{} from {} to {}", self.what, self.min, self.max) }
    }

    fn words(&self) -> String {
        let what = self.what.trim_start_matches("a ");
        if self.is_open() { what.to_owned() } else { format!("{what}, {} to {}", self.min, self.max) }
    }

    fn schema(&self) -> Value {
        json!({"type": "number", "minimum": self.min, "maximum": self.max})
    }

    fn read(&self, node: Node<'_>, sink: &mut Sink<'_>) -> Option<f64> {
        let Some(number) = real(node.value.get_ref()) else {
            wrong_type(node, &self.expected(), unquote(node), sink);
            return None;
        };
        let inside = number.is_finite() && (self.min..=self.max).contains(&number);
        if !inside {
            bad_value(node, "out of range", &self.expected(), None, sink);
        }
        inside.then_some(number)
    }
}

/// The number that stands there, whole or not; perhaps not finite.
pub fn real(value: &DeValue<'_>) -> Option<f64> {
    match value {
        DeValue::Integer(number) => {
            #[allow(clippy::cast_precision_loss)] // the ranges end where whole numbers stop being exact
            let number = i64::from_str_radix(number.as_str(), number.radix()).map_or(f64::INFINITY, |n| n as f64);
            Some(number)
        }
        DeValue::Float(number) => Some(number.as_str().parse().unwrap_or(f64::NAN)),
        _ => None,
    }
}

/// The advice for a number in quotes.
fn unquote(node: Node<'_>) -> Option<String> {
    let text = node.value.get_ref().as_str()?;
    text.parse::<f64>().is_ok().then(|| format!("write {} without quotes", cut(text)))
}

/// One value or a list of them; with or without the short form for a single one.
pub struct List<S> {
    /// Each of them.
    pub item: S,
    /// As many at least.
    pub min: usize,
    /// As many at most.
    pub max: usize,
    /// Whether a single value may stand for a list of one.
    pub or_one: bool,
    /// Plural, for errors.
    pub what: &'static str,
}

impl<S: Shape> Shape for List<S> {
    type Value = Vec<S::Value>;

    fn expected(&self) -> String {
        let one = if self.or_one { format!("{}, or ", self.item.expected()) } else { String::new() };
        format!("{one}an array of {} to {} {}", self.min, self.max, self.what)
    }

    fn words(&self) -> String {
        let one = if self.or_one { "one, or " } else { "" };
        format!("{one}array of {} to {} {}", self.min, self.max, self.what)
    }

    fn schema(&self) -> Value {
        let list = json!({"type": "array", "items": self.item.schema(), "minItems": self.min, "maxItems": self.max});
        if self.or_one { json!({"anyOf": [self.item.schema(), list]}) } else { list }
    }

    fn read(&self, node: Node<'_>, sink: &mut Sink<'_>) -> Option<Self::Value> {
        let Some(items) = node.value.get_ref().as_array() else {
            if self.or_one && !node.value.get_ref().is_table() {
                return self.item.read(node, sink).map(|item| vec![item]);
            }
            wrong_type(node, &self.expected(), Some("write it in square brackets".to_owned()), sink);
            return None;
        };
        if !(self.min..=self.max).contains(&items.len()) {
            let message = format!("{} {}", items.len(), self.what);
            bad_value(node, &message, &self.expected(), None, sink);
            return None;
        }
        let nodes = items.iter().map(|value| Node { name: node.name, value });
        let values: Vec<Option<S::Value>> = nodes.map(|item| self.item.read(item, sink)).collect();
        values.into_iter().collect()
    }
}
