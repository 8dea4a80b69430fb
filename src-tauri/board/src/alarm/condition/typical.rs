//! Whether a condition can be evaluated at all: it is tried with what its inputs typically are, and what can't be known for any of that never will be.
//!
//! Each part that `&&`, `||`, `!` and `? :` connect is looked at for itself, since one that is never known may hide behind another one. What isn't there,
//! as a field of an event, is no fault of the condition's.

use std::collections::BTreeMap;

use serde_json::{Map, Value, json};
use watchfloor_model::Payload;

use super::{
    Inputs,
    compile::{Constant, Node},
    evaluate,
    term::{Term, Why},
};

/// What an input is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Typical {
    /// A number.
    Number,
    /// One of these words.
    Word(&'static [&'static str]),
    /// An event's data: anything.
    Data,
}

/// What an input may be, as far as is to be tried: the number of each, of which all inputs have another one at each time.
const NUMBERS: [f64; 9] = [0.0, 1.0, -1.0, 0.5, 7.0, 50.0, 1_000.0, -1e6, 1e9];
/// Texts as they stand in data: words, a number, a time, a length of time.
const TEXTS: [&str; 5] = ["word", "7", "2026-01-01T00:00:00Z", "90s", ""];
/// How often it is tried.
const TRIES: usize = 60;
/// After so many of them, what was too much each time is so always.
const TOO_MUCH_TRIES: usize = 3;
/// Names of fields at most that data is made of.
const NAMES_MAX: usize = 50;
/// Values in it at most.
const VALUES_MAX: usize = 2_000;
/// How deep data is nested.
const DEPTH: usize = 3;

/// Why a part of the condition is never known; none if each is for something.
pub(super) fn never_known(node: &Node, of: &dyn Fn(u32) -> Typical) -> Option<Why> {
    let mut names = Names::new();
    name_fields(node, &mut names);
    while names.len() > NAMES_MAX {
        names.pop_last();
    }
    part(node, &Tries { of, names: &names })
}

/// What a condition is tried with.
struct Tries<'a> {
    of: &'a dyn Fn(u32) -> Typical,
    names: &'a Names<'a>,
}

impl<'a> Tries<'a> {
    /// Each is made when it is asked for: mostly the first one tells.
    fn all(&self) -> impl Iterator<Item = Try<'a>> {
        let Self { of, names } = *self;
        (0..TRIES).filter_map(move |number| Try::new(number, of, names))
    }
}

fn part(node: &Node, tries: &Tries<'_>) -> Option<Why> {
    match node {
        Node::Not(of) => part(of, tries),
        Node::And(all) | Node::Or(all) => all.iter().find_map(|own| part(own, tries)),
        Node::Choice(choice) => {
            let (condition, yes, no) = &**choice;
            [condition, yes, no].into_iter().find_map(|own| part(own, tries))
        }
        Node::Equal(sides, _) => differs(sides, tries).or_else(|| tried(node, tries)),
        _ => tried(node, tries),
    }
}

/// Why it isn't known at any try, if it isn't.
fn tried(node: &Node, tries: &Tries<'_>) -> Option<Why> {
    let mut first = None;
    for (number, own) in tries.all().enumerate() {
        match evaluate::term(node, &own) {
            Term::Unknown(why @ (Why::Kind | Why::Arithmetic | Why::TooMuch)) => {
                if why == Why::TooMuch && number + 1 >= TOO_MUCH_TRIES && first == Some(Why::TooMuch) {
                    return first;
                }
                first = first.or(Some(why));
            }
            _ => return None,
        }
    }
    first
}

/// Whether two sides are of different kinds at each try: then they are never the same, which is known, and of no use.
fn differs(sides: &(Node, Node), tries: &Tries<'_>) -> Option<Why> {
    let is_of_two_kinds = |own: Try<'_>| {
        let (left, right) = (evaluate::term(&sides.0, &own), evaluate::term(&sides.1, &own));
        let (left, right) = (kind(&left), kind(&right));
        left != 0 && right != 0 && left != right
    };
    tries.all().all(is_of_two_kinds).then_some(Why::Kind)
}

/// What kind of value it is: those of two kinds are never the same.
const fn kind(term: &Term<'_>) -> u8 {
    match term {
        Term::Unknown(_) | Term::Null => 0,
        Term::Bool(_) => 1,
        Term::Number(_) | Term::AtLeast(_) => 2,
        Term::Text(_) => 3,
        Term::Time(_) => 4,
        Term::Span(_) => 5,
        // A list that a condition makes may be the same as one of data.
        Term::List(_) | Term::Json(_) => 6,
    }
}

/// What a field is taken for in a condition, besides a value.
#[derive(Clone, Copy, Debug, Default)]
struct Role {
    /// Its items are looked through.
    is_list: bool,
    /// It has fields.
    is_object: bool,
}

/// The names of all fields that are asked for.
type Names<'a> = BTreeMap<&'a str, Role>;

/// Notes what a field is taken for; nothing of what is none.
fn note_role<'a>(node: &'a Node, names: &mut Names<'a>, note: impl FnOnce(&mut Role)) {
    if let Node::Field(_, name) = node {
        note(names.entry(name).or_default());
    }
}

fn name_fields<'a>(node: &'a Node, names: &mut Names<'a>) {
    match node {
        Node::In(sides) => note_role(&sides.1, names, |role| role.is_list = true),
        Node::Loop(own) => note_role(&own.over, names, |role| role.is_list = true),
        _ => {}
    }
    let mut all = |nodes: &mut dyn Iterator<Item = &'a Node>| nodes.for_each(|own| name_fields(own, names));
    match node {
        Node::Constant(_) | Node::Input(_) | Node::Local(_) => {}
        Node::Field(of, name) | Node::Has(of, name) => {
            names.entry(name).or_default();
            note_role(of, names, |role| role.is_object = true);
            name_fields(of, names);
        }
        Node::Item(of, index) => {
            if let Node::Constant(Constant::Text(name)) = &**index {
                names.entry(name).or_default();
                note_role(of, names, |role| role.is_object = true);
            } else {
                note_role(of, names, |role| role.is_list = true);
            }
            name_fields(of, names);
            name_fields(index, names);
        }
        Node::Not(of) | Node::NotFalse(of) | Node::Negative(of) => name_fields(of, names),
        Node::And(nodes) | Node::Or(nodes) | Node::List(nodes) | Node::Call(_, nodes) => all(&mut nodes.iter()),
        Node::Choice(choice) => all(&mut [&choice.0, &choice.1, &choice.2].into_iter()),
        Node::Equal(sides, _) | Node::Compare(_, sides) | Node::In(sides) | Node::Reckon(_, sides) => {
            all(&mut [&sides.0, &sides.1].into_iter());
        }
        Node::Loop(own) => all(&mut [&own.over, &own.begin, &own.goes_on, &own.step, &own.result].into_iter()),
    }
}

/// What the inputs are at one try.
struct Try<'a> {
    number: usize,
    of: &'a dyn Fn(u32) -> Typical,
    data: Payload,
}

impl<'a> Try<'a> {
    fn new(number: usize, of: &'a dyn Fn(u32) -> Typical, names: &Names<'_>) -> Option<Self> {
        let mut maker = Maker { names, number, dice: number as u64, left: VALUES_MAX };
        let data = maker.object(DEPTH);
        Some(Self { number, of, data: Payload::parse(&data.to_string()).ok()? })
    }
}

impl Inputs for Try<'_> {
    fn input(&self, number: u32) -> Term<'_> {
        let at = self.number + number as usize;
        match (self.of)(number) {
            Typical::Number => NUMBERS.get(at % NUMBERS.len()).map_or(Term::Null, |own| Term::Number(*own)),
            Typical::Word(words) => {
                words.get(at % words.len().max(1)).map_or(Term::Null, |own| Term::Text((*own).into()))
            }
            Typical::Data => Term::of(self.data.value()),
        }
    }
}

/// Kinds of values in data.
const KINDS: usize = 4 + TEXTS.len();
/// What is neither a list nor an object, among them.
const LEAVES: [usize; 2 + TEXTS.len()] = [0, 1, 4, 5, 6, 7, 8];

/// Makes data for one try.
struct Maker<'a> {
    names: &'a Names<'a>,
    number: usize,
    dice: u64,
    /// Values that there is room for.
    left: usize,
}

impl Maker<'_> {
    /// Data in which each name stands for something: at the first tries for what it is taken for, and values all of one kind; then for this here and for
    /// that there.
    fn object(&mut self, depth: usize) -> Value {
        let mut fields = Map::new();
        let names = self.names;
        for (name, role) in names {
            let leaf = LEAVES.get(self.number / 2 % LEAVES.len()).copied().unwrap_or_default();
            let kind = match role {
                _ if self.number >= 2 * LEAVES.len() => self.throw() % KINDS,
                Role { is_object: true, .. } => 2,
                Role { is_list: true, .. } => 3,
                Role { .. } => leaf,
            };
            fields.insert((*name).to_owned(), self.value(kind, leaf, depth));
        }
        Value::Object(fields)
    }

    fn throw(&mut self) -> usize {
        self.dice = self.dice.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (self.dice >> 33) as usize
    }

    fn value(&mut self, kind: usize, leaf: usize, depth: usize) -> Value {
        // What is too deep or too much isn't there, which is no fault.
        let Some(left) = self.left.checked_sub(1) else { return Value::Null };
        self.left = left;
        match kind {
            0 => json!(7),
            1 => json!(true),
            2 => depth.checked_sub(1).map_or(Value::Null, |depth| self.object(depth)),
            // Of objects, or of values.
            3 if self.number.is_multiple_of(2) => json!([self.value(2, leaf, depth), self.value(2, leaf, depth)]),
            3 => json!([self.value(leaf, leaf, depth), self.value(leaf, leaf, depth)]),
            text => json!(TEXTS.get(text - 4)),
        }
    }
}
