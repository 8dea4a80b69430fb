//! A JSON text read into one flat list. An event's data is read once, asked a few times, and dropped by another thread: a tree
//! of maps and strings would cost an allocation for each of them.

mod names;
mod writer;

use std::{collections::BTreeMap, fmt};

use serde::{
    Deserializer,
    de::{DeserializeSeed, Error, MapAccess, SeqAccess, Visitor},
};
use serde_json::{Number, Value};

use self::names::Names;
pub use self::writer::JsonWriter;

/// Most nodes that room is made for beforehand.
const NODES_FORESEEN_MAX: usize = 4096;
const PIECE_BYTES: usize = u8::MAX as usize;

/// A value within a JSON text that was read. Free to copy.
#[derive(Clone, Copy, Debug)]
pub struct Json<'a> {
    text: &'a str,
    /// Its own node, all those below it, and whatever follows.
    nodes: &'a [Node],
    /// Its names, if they are remembered.
    names: Option<&'a Names>,
}

/// What kind of value it is, and which if it is a single one.
#[derive(Clone, Debug, PartialEq)]
pub enum Shape<'a> {
    /// `null`
    Null,
    /// `true` or `false`
    Bool(bool),
    /// Any number.
    Number(Number),
    /// A text.
    Text(&'a str),
    /// A list, with its number of items.
    List(usize),
    /// An object, with its number of fields.
    Object(usize),
}

impl<'a> Json<'a> {
    /// What it is.
    #[must_use]
    #[inline]
    pub fn shape(self) -> Shape<'a> {
        match self.nodes.first() {
            None | Some(Node::Null) => Shape::Null,
            Some(Node::Bool(value)) => Shape::Bool(*value),
            Some(Node::Unsigned(value)) => Shape::Number((*value).into()),
            Some(Node::Signed(value)) => Shape::Number((*value).into()),
            Some(Node::Float(value)) => Number::from_f64(*value).map_or(Shape::Null, Shape::Number),
            Some(Node::Text(..) | Node::Unescaped(_)) => Shape::Text(self.as_text()),
            Some(Node::List { len, .. }) => Shape::List(*len as usize),
            Some(Node::Object { len, .. }) => Shape::Object(*len as usize),
        }
    }

    /// The value of a field; the last of those with this name. None if there is none, or this is no object.
    #[must_use]
    #[inline]
    pub fn get(self, name: &str) -> Option<Self> {
        if let Some(names) = self.names {
            let node = names.find(name, |node| self.nodes.get(node).is_some_and(|node| self.is_text(node, name)))?;
            return Some(Self { nodes: self.nodes.get(node + 1..)?, names: None, ..self });
        }
        let Some((Node::Object { below, .. }, rest)) = self.nodes.split_first() else { return None };
        let mut rest = rest.get(..*below as usize)?;
        let mut found = None;
        while let [own, value @ ..] = rest {
            if self.is_text(own, name) {
                found = Some(value);
            }
            rest = value.get(value.first()?.size()..)?;
        }
        found.map(|nodes| Self { nodes, ..self })
    }

    /// An item of a list, from 0; none if there are fewer, or this is no list.
    #[must_use]
    pub fn item(self, index: usize) -> Option<Self> {
        self.items().nth(index)
    }

    /// The same as a tree.
    #[must_use]
    pub fn to_value(self) -> Value {
        match self.shape() {
            Shape::Null => Value::Null,
            Shape::Bool(value) => Value::Bool(value),
            Shape::Number(value) => Value::Number(value),
            Shape::Text(text) => Value::String(text.to_owned()),
            Shape::List(_) => self.items().map(Self::to_value).collect(),
            Shape::Object(_) => self.fields().map(|(name, value)| (name.to_owned(), value.to_value())).collect(),
        }
    }

    /// Whether both say the same: fields in whatever order, of those with one name the last.
    #[must_use]
    pub fn says_the_same_as(self, other: Self) -> bool {
        match (self.shape(), other.shape()) {
            (Shape::List(own), Shape::List(others)) => {
                own == others && self.items().zip(other.items()).all(|(own, other)| own.says_the_same_as(other))
            }
            (Shape::Object(own), Shape::Object(others)) => {
                // Mostly they come in the same order.
                if own == others && self.fields().zip(other.fields()).all(|((own, _), (other, _))| own == other) {
                    return self.fields().zip(other.fields()).all(|((_, own), (_, other))| own.says_the_same_as(other));
                }
                let (own, other): (BTreeMap<_, _>, BTreeMap<_, _>) =
                    (self.fields().collect(), other.fields().collect());
                own.len() == other.len()
                    && own.iter().zip(&other).all(|(own, other)| own.0 == other.0 && own.1.says_the_same_as(*other.1))
            }
            (own, other) => own == other,
        }
    }

    /// The items of a list, in their order; nothing if this is none.
    pub fn items(self) -> impl Iterator<Item = Self> {
        let mut below = Below { text: self.text, nodes: &[] };
        if let Some((Node::List { below: count, .. }, rest)) = self.nodes.split_first() {
            below.nodes = rest.get(..*count as usize).unwrap_or_default();
        }
        below
    }

    /// The names and values of an object, in their order; nothing if this is none.
    pub fn fields(self) -> impl Iterator<Item = (&'a str, Self)> {
        self.pairs().map(|(name, value)| (name.as_text(), value))
    }

    /// Names and values.
    fn pairs(self) -> impl Iterator<Item = (Self, Self)> {
        let mut below = Below { text: self.text, nodes: &[] };
        if let Some((Node::Object { below: count, .. }, rest)) = self.nodes.split_first() {
            below.nodes = rest.get(..*count as usize).unwrap_or_default();
        }
        std::iter::from_fn(move || Some((below.next()?, below.next()?)))
    }

    /// The names of an object, each with its node's number from here; none if this is no object.
    fn names_with_nodes(self) -> Option<impl Iterator<Item = (usize, &'a str)>> {
        let Some(Node::Object { len, .. }) = self.nodes.first() else { return None };
        let (mut node, count) = (1, *len as usize);
        let next = move |_| {
            let own = node;
            node += 1 + self.nodes.get(own + 1).map_or(1, Node::size);
            (own, self.text_at(own))
        };
        Some((0..count).map(next))
    }

    fn text_at(self, node: usize) -> &'a str {
        Self { nodes: self.nodes.get(node..).unwrap_or_default(), ..self }.as_text()
    }

    /// Asked for each field of each event and path: lengths are compared first, and bytes have no boundaries to look for.
    #[inline]
    fn is_text(self, node: &Node, text: &str) -> bool {
        match node {
            Node::Text(start, len) => {
                *len as usize == text.len()
                    && self.text.as_bytes().get(*start as usize..(*start + *len) as usize) == Some(text.as_bytes())
            }
            Node::Unescaped(own) => **own == *text,
            _ => false,
        }
    }

    fn as_text(self) -> &'a str {
        match self.nodes.first() {
            Some(Node::Text(start, len)) => {
                self.text.get(*start as usize..(*start + *len) as usize).unwrap_or_default()
            }
            Some(Node::Unescaped(text)) => text,
            _ => "",
        }
    }
}

/// The values below one, in order; of an object names and values in turn.
struct Below<'a> {
    text: &'a str,
    nodes: &'a [Node],
}

impl<'a> Iterator for Below<'a> {
    type Item = Json<'a>;

    fn next(&mut self) -> Option<Json<'a>> {
        let next = Json { text: self.text, nodes: self.nodes, names: None };
        self.nodes = self.nodes.get(self.nodes.first()?.size()..)?;
        Some(next)
    }
}

/// What a text says, in the text's order: a list or object is followed by all that is in it.
#[derive(Clone, Debug)]
pub(crate) struct Nodes {
    list: Box<[Node]>,
    /// Of the whole, if that is an object.
    names: Option<Names>,
}

#[derive(Clone, Debug)]
enum Node {
    Null,
    Bool(bool),
    Unsigned(u64),
    Signed(i64),
    Float(f64),
    /// A stretch of the text: its first byte and how many.
    Text(u32, u32),
    /// A text that isn't written as it is meant. Rare, and any other box would make every node larger.
    #[allow(clippy::box_collection)]
    Unescaped(Box<String>),
    /// So many items, and so many nodes below.
    List {
        len: u32,
        below: u32,
    },
    /// So many fields, and so many nodes below: each field is a text and a value.
    Object {
        len: u32,
        below: u32,
    },
}

impl Node {
    /// It, and the nodes below it.
    #[inline]
    const fn size(&self) -> usize {
        match self {
            Self::List { below, .. } | Self::Object { below, .. } => 1 + *below as usize,
            _ => 1,
        }
    }
}

impl Nodes {
    /// Reads a text of at most 4 GiB.
    pub(crate) fn parse(text: &str) -> serde_json::Result<Self> {
        let mut deserializer = serde_json::Deserializer::from_str(text);
        let nodes = Self::read(text, &mut deserializer)?;
        deserializer.end()?;
        Ok(nodes)
    }

    fn of(text: &str, nodes: Vec<Node>) -> Self {
        let list = nodes.into_boxed_slice();
        let root = Json { text, nodes: &list, names: None };
        let names = root.names_with_nodes().and_then(|names| Names::of(names, |node| root.text_at(node)));
        Self { list, names }
    }

    /// Reads whatever says itself, of which `text` is the text.
    pub(crate) fn read<'de, D: Deserializer<'de>>(text: &str, deserializer: D) -> Result<Self, D::Error> {
        let mut nodes = Vec::with_capacity(foreseen(text));
        Reader { text, nodes: &mut nodes }.deserialize(deserializer)?;
        Ok(Self::of(text, nodes))
    }

    /// A value of a text as a text of its own, and what that says.
    pub(crate) fn part(value: Json<'_>) -> (String, Self) {
        // It is a part of that, written as it stood there, or shorter.
        let mut part = JsonWriter::with_room(value.text.len(), value.nodes.first().map_or(1, Node::size));
        part.value(value);
        part.into_parts()
    }

    /// What was read from `text`.
    pub(crate) const fn root<'a>(&'a self, text: &'a str) -> Json<'a> {
        Json { text, nodes: &self.list, names: self.names.as_ref() }
    }
}

/// How many nodes a text has: as many as marks between values, brackets, and one. More, if such marks stand in its texts. Room that
/// is just right costs one allocation, and is given back as it is.
fn foreseen(text: &str) -> usize {
    let is_mark = |byte: u8| byte == b',' || byte == b':' || byte == b'{' || byte == b'[';
    // In pieces whose marks a byte can count: many are compared at once then.
    let marks = |piece: &[u8]| piece.iter().fold(0, |sum: u8, byte| sum + u8::from(is_mark(*byte)));
    let marks: usize = text.as_bytes().chunks(PIECE_BYTES).map(|piece| usize::from(marks(piece))).sum();
    (marks + 1).min(NODES_FORESEEN_MAX)
}

/// Appends a value to the nodes.
struct Reader<'a> {
    text: &'a str,
    nodes: &'a mut Vec<Node>,
}

impl Reader<'_> {
    fn push<E>(self, node: Node) -> Result<(), E> {
        self.nodes.push(node);
        Ok(())
    }

    fn again(&mut self) -> Reader<'_> {
        Reader { text: self.text, nodes: self.nodes }
    }

    /// Where a part of the text begins in it; none if it is no part.
    fn start_of(&self, part: &str) -> Option<usize> {
        let start = part.as_ptr().addr().checked_sub(self.text.as_ptr().addr())?;
        (start.checked_add(part.len())? <= self.text.len()).then_some(start)
    }
}

fn count<E: Error>(count: usize) -> Result<u32, E> {
    u32::try_from(count).map_err(|_| E::custom("more than 4 GiB"))
}

impl<'de> DeserializeSeed<'de> for Reader<'_> {
    type Value = ();

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<(), D::Error> {
        deserializer.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for Reader<'_> {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("any JSON value")
    }

    fn visit_unit<E>(self) -> Result<(), E> {
        self.push(Node::Null)
    }

    fn visit_bool<E>(self, value: bool) -> Result<(), E> {
        self.push(Node::Bool(value))
    }

    fn visit_u64<E>(self, value: u64) -> Result<(), E> {
        self.push(Node::Unsigned(value))
    }

    fn visit_i64<E>(self, value: i64) -> Result<(), E> {
        self.push(Node::Signed(value))
    }

    fn visit_f64<E>(self, value: f64) -> Result<(), E> {
        self.push(Node::Float(value))
    }

    fn visit_str<E>(self, text: &str) -> Result<(), E> {
        self.push(Node::Unescaped(Box::new(text.to_owned())))
    }

    fn visit_borrowed_str<E: Error>(self, text: &'de str) -> Result<(), E> {
        match self.start_of(text) {
            Some(start) => {
                let node = Node::Text(count(start)?, count(text.len())?);
                self.push(node)
            }
            None => self.visit_str(text),
        }
    }

    fn visit_seq<A: SeqAccess<'de>>(mut self, mut items: A) -> Result<(), A::Error> {
        let (own, mut len) = (self.nodes.len(), 0);
        self.nodes.push(Node::Null);
        while items.next_element_seed(self.again())?.is_some() {
            len += 1;
        }
        self.nodes[own] = Node::List { len, below: count(self.nodes.len() - own - 1)? };
        Ok(())
    }

    fn visit_map<A: MapAccess<'de>>(mut self, mut fields: A) -> Result<(), A::Error> {
        let (own, mut len) = (self.nodes.len(), 0);
        self.nodes.push(Node::Null);
        while fields.next_key_seed(self.again())?.is_some() {
            fields.next_value_seed(self.again())?;
            len += 1;
        }
        self.nodes[own] = Node::Object { len, below: count(self.nodes.len() - own - 1)? };
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(text: &str) {
        let tree: Value = serde_json::from_str(text).expect(text);
        for nodes in [Nodes::parse(text).expect(text), Nodes::read(text, &tree).expect(text)] {
            let own = nodes.root(text);
            assert_eq!(own.to_value(), tree, "{text}");
            for name in tree.as_object().into_iter().flat_map(serde_json::Map::keys) {
                assert_eq!(own.get(name).map(Json::to_value).as_ref(), tree.get(name), "{text} {name}");
            }
            for index in 0..4 {
                assert_eq!(own.item(index).map(Json::to_value).as_ref(), tree.get(index), "{text} {index}");
            }
            assert!(own.get("absent").is_none(), "{text}");
            let (text, part) = Nodes::part(own);
            assert_eq!(serde_json::from_str::<Value>(&text).expect(&text), tree, "{text}");
            assert_eq!(part.root(&text).to_value(), tree, "{text}");
            let names = tree.as_object().into_iter().flat_map(serde_json::Map::keys);
            for name in names {
                assert_eq!(part.root(&text).get(name).map(Json::to_value).as_ref(), tree.get(name), "{text} {name}");
            }
        }
    }

    /// H3: a document that is only written anew hasn't changed, and one that says something else has.
    #[test]
    fn what_says_the_same() {
        let texts = [
            "null",
            "1",
            "1.5",
            "\"1\"",
            r#"{"a":1,"b":[1,{"c":2}]}"#,
            r#"{ "b": [1, {"c":2}], "a":1 }"#,
            r#"{"a":7,"b":[1,{"c":2}],"a":1}"#,
            r#"{"a":1,"b":[1,{"c":3}]}"#,
            r#"{"a":1,"b":[1,{"d":2}]}"#,
            r#"{"a":1,"b":[1]}"#,
            r#"{"a":1}"#,
            r#"{"\u0061":1}"#,
            "[1,2]",
            "[2,1]",
            "[]",
            "{}",
        ];
        for one in texts {
            for other in texts {
                let tree = |text: &str| serde_json::from_str::<Value>(text).expect(text);
                let (own, others) = (Nodes::parse(one).expect(one), Nodes::parse(other).expect(other));
                let same = own.root(one).says_the_same_as(others.root(other));
                assert_eq!(same, tree(one) == tree(other), "{one} {other}");
            }
        }
    }

    /// H3: it says what a tree of the same text says, whatever the text.
    #[test]
    fn says_what_a_tree_says() {
        for text in [
            "null",
            " true ",
            "0",
            "-0",
            "-7",
            "18446744073709551615",
            "18446744073709551616",
            "1e-9",
            "\"\"",
            "\"a\\n\\u00e9\u{1F6EB}\"",
            "[]",
            "{}",
            "[1,[2,[],{}],\"3\",{\"a\":[4]}]",
            r#"{"a":1,"b":{"a":2,"c":[{"a":3}]},"é":null,"":"x","\"":[],"z":"\\"}"#,
            r#"{"a":1,"b":{"a":2},"a":{"b":3}}"#,
            r#"{"a":{"b":3},"\u0061":1}"#,
            r#"{"ab":1,"acb":2,"adb":3,"aeb":4,"ab":{"ab":5},"aeb":[6],"afb":7}"#,
        ] {
            check(text);
        }
        // As many fields as are remembered, one more, and one whose place is too far back.
        for fields in [31, 32, 33, 100] {
            let object = |value: &str| {
                let fields: Vec<String> = (0..fields).map(|field| format!("\"f{field}x\":{value}")).collect();
                format!("{{{},\"f0x\":7}}", fields.join(","))
            };
            check(&object("1"));
            check(&object("[1,2,3,4,5,6,7,8,9]"));
        }
    }
}
