//! Conditions of alarms: CEL, read once and evaluated in three-valued logic.
//!
//! The grammar is the [Common Expression Language]'s; its evaluation here differs in what an alarm needs. What isn't known is neither true nor false and
//! spreads, but `a && b` is false when one of them is, and `a || b` true, whatever the other may be (Kleene). An error, such as a text compared with a number, is
//! something that isn't known, with its reason. There is one kind of number, as in JSON: a double, so `7 / 2` is 3.5.
//!
//! [Common Expression Language]: https://github.com/google/cel-spec

mod compile;
mod evaluate;
mod function;
mod term;
mod typical;

#[cfg(test)]
mod tests;

use std::fmt;

use self::compile::Node;
pub use self::{
    evaluate::Truth,
    term::{Term, Why},
    typical::Typical,
};

/// The longest condition, in bytes.
pub const BYTES_MAX: usize = 2_000;
/// The most signs, of which each may nest a part in another one. What reads them calls itself for each, on a stack that has an end.
const SIGNS_MAX: usize = 200;
/// The deepest nesting of brackets and choices.
const DEPTH_MAX: usize = 16;
/// The most parts of one condition: macros are longer than they look.
const NODES_MAX: usize = 1_000;
/// The most parts that are evaluated for one answer: loops over lists could else take as long as they like.
const STEPS_MAX: u32 = 20_000;

/// Where a condition's names lead: what the board calls so.
pub trait Names {
    /// The input that a name of one or more parts stands for, and how many of its parts are its name; what follows is looked for in
    /// its value.
    ///
    /// # Errors
    /// What was found and what was expected, if there is no such input.
    fn find(&self, parts: &[&str]) -> Result<(usize, u32), (String, String)>;
}

/// What a condition is evaluated over.
pub trait Inputs {
    /// What an input is now. [`Term::Unknown`] where that isn't known, or can't be believed to be of now.
    fn input(&self, number: u32) -> Term<'_>;
}

/// Why a condition can't be taken.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Fault {
    /// Where it begins, in bytes of the condition.
    pub at: usize,
    /// What was found there.
    pub found: String,
    /// What was expected, or is to be done.
    pub expected: String,
}

impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}; expected {}", self.found, self.expected)
    }
}

/// A condition, ready to be evaluated. Two are the same if they say the same of the same inputs.
#[derive(Clone, Debug)]
pub struct Condition {
    text: String,
    node: Node,
    inputs: Vec<u32>,
}

impl PartialEq for Condition {
    fn eq(&self, other: &Self) -> bool {
        (&self.text, &self.inputs) == (&other.text, &other.inputs)
    }
}

impl Condition {
    /// Reads a condition.
    ///
    /// # Errors
    /// If it is no CEL, too long or too deep, names what isn't there, or can't be true or false.
    pub fn parse(text: &str, names: &dyn Names) -> Result<Self, Fault> {
        let (node, inputs) = compile::compile(text, names)?;
        Ok(Self { text: text.to_owned(), node, inputs })
    }

    /// As it was written.
    #[must_use]
    pub fn text(&self) -> &str {
        &self.text
    }

    /// The numbers of the inputs that it depends on, in order, each once.
    #[must_use]
    pub fn inputs(&self) -> &[u32] {
        &self.inputs
    }

    /// Why a part of it is never known, whatever its inputs are: a text compared with a number, a loop over too much. None if each part is for
    /// something.
    #[must_use]
    pub fn never_known(&self, of: &dyn Fn(u32) -> Typical) -> Option<Why> {
        typical::never_known(&self.node, of)
    }

    /// Whether it holds. Of an alarm that is raised, a comparison with a number has `deadband` to go before it holds no more; of others that
    /// is 0.
    #[must_use]
    pub fn evaluate(&self, inputs: &dyn Inputs, deadband: f64) -> Truth {
        evaluate::evaluate(&self.node, inputs, deadband)
    }
}
