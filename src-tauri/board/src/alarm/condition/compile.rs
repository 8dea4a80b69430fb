//! From CEL's syntax tree to what is evaluated: names are found, kinds looked at, and each comparison learns which way a deadband leans.

use std::{borrow::Cow, collections::BTreeSet};

use cel::{
    common::ast::{CallExpr, ComprehensionExpr, Expr, IdedExpr, LiteralValue, SelectExpr, SourceInfo, operators as op},
    parser::{ParseErrors, Parser},
};
use regex::RegexBuilder;

use super::{
    BYTES_MAX, DEPTH_MAX, Fault, NODES_MAX, Names, SIGNS_MAX,
    function::{self, Function},
    term::Term,
};

/// The parser's own bound, which it says too late to keep its stack.
const RECURSION_MAX: u16 = 64;
/// A parser made of a grammar needs some 200 kB for each bracket within another one, more than a thread of a pool has.
const STACK_BYTES: usize = 32 << 20;
/// A compiled pattern takes no more memory than this.
const PATTERN_BYTES_MAX: usize = 1 << 18;

/// A part of a condition.
#[derive(Clone, Debug)]
pub(super) enum Node {
    Constant(Constant),
    Input(u32),
    /// A variable of a loop, by its place among all that are open.
    Local(usize),
    Field(Box<Node>, String),
    Has(Box<Node>, String),
    Item(Box<Node>, Box<Node>),
    Not(Box<Node>),
    And(Vec<Node>),
    Or(Vec<Node>),
    /// Of CEL's macros: goes on with a loop unless it is certain that it needn't.
    NotFalse(Box<Node>),
    Choice(Box<(Node, Node, Node)>),
    Equal(Box<(Node, Node)>, bool),
    Compare(Compare, Box<(Node, Node)>),
    In(Box<(Node, Node)>),
    Reckon(Reckon, Box<(Node, Node)>),
    Negative(Box<Node>),
    List(Vec<Node>),
    Call(Function, Vec<Node>),
    Loop(Box<Loop>),
}

/// `<`, `<=`, `>` or `>=`.
#[derive(Clone, Copy, Debug)]
pub(super) struct Compare {
    pub(super) less: bool,
    pub(super) equal: bool,
    /// 1 where the condition is truer when it holds, -1 where it is less so, 0 where that can't be said.
    pub(super) leans: i8,
}

#[derive(Clone, Copy, Debug)]
pub(super) enum Reckon {
    Add,
    Subtract,
    Multiply,
    Divide,
    Modulo,
}

/// What CEL's `all`, `exists`, `exists_one`, `map` and `filter` come to.
#[derive(Clone, Debug)]
pub(super) struct Loop {
    pub(super) over: Node,
    pub(super) begin: Node,
    pub(super) goes_on: Node,
    pub(super) step: Node,
    pub(super) result: Node,
}

#[derive(Clone, Debug)]
pub(super) enum Constant {
    Null,
    Bool(bool),
    Number(f64),
    Text(String),
    Time(i64),
    Span(i64),
}

impl Constant {
    pub(super) fn term(&self) -> Term<'_> {
        match self {
            Self::Null => Term::Null,
            Self::Bool(value) => Term::Bool(*value),
            Self::Number(value) => Term::Number(*value),
            Self::Text(text) => Term::Text(Cow::Borrowed(text)),
            Self::Time(millis) => Term::Time(*millis),
            Self::Span(millis) => Term::Span(*millis),
        }
    }
}

impl Node {
    /// Whether it can be true or false, as far as that is to be seen.
    const fn may_be_truth(&self) -> bool {
        match self {
            Self::Constant(constant) => matches!(constant, Constant::Bool(_)),
            Self::Reckon(..) | Self::Negative(_) | Self::List(_) => false,
            Self::Call(function, _) => matches!(
                function,
                Function::Contains | Function::StartsWith | Function::EndsWith | Function::Matches(_) | Function::Known
            ),
            _ => true,
        }
    }
}

struct Compiler<'a> {
    names: &'a dyn Names,
    source: SourceInfo,
    inputs: BTreeSet<u32>,
    /// The loops' variables that can be named here, each with its place.
    scope: Vec<(String, usize)>,
    depth: usize,
    nodes: usize,
}

pub(super) fn compile(text: &str, names: &dyn Names) -> Result<(Node, Vec<u32>), Fault> {
    if text.len() > BYTES_MAX {
        let found = format!("a condition of {} bytes", text.len());
        return Err(Fault { at: 0, found, expected: format!("at most {BYTES_MAX}") });
    }
    bounded(text)?;
    stacker::grow(STACK_BYTES, || read(text, names))
}

fn read(text: &str, names: &dyn Names) -> Result<(Node, Vec<u32>), Fault> {
    let parser = Parser::new().max_recursion_depth(RECURSION_MAX).error_recovery_limit(1);
    let (tree, source) = parser.parse_with_source_info(text).map_err(|errors| unread(text, &errors))?;
    let mut compiler = Compiler { names, source, inputs: BTreeSet::new(), scope: Vec::new(), depth: 0, nodes: 0 };
    let node = compiler.node(&tree, 1)?;
    if !node.may_be_truth() {
        return Err(Fault {
            at: 0,
            found: "something that is neither true nor false".to_owned(),
            expected: "a condition, such as `late > 50`".to_owned(),
        });
    }
    Ok((node, compiler.inputs.into_iter().collect()))
}

/// What reads it calls itself for each sign that may nest, before it says that there are too many.
fn bounded(text: &str) -> Result<(), Fault> {
    let (mut signs, mut depth) = (0, 0_usize);
    for (at, letter) in text.char_indices() {
        let is_sign = !letter.is_alphanumeric() && !letter.is_whitespace() && letter != '_';
        signs += usize::from(is_sign);
        match letter {
            // A choice nests what follows it, to the end.
            '(' | '[' | '{' | '?' => depth += 1,
            ')' | ']' | '}' => depth = depth.saturating_sub(1),
            _ => {}
        }
        let too_much = if depth > DEPTH_MAX {
            Some(format!("at most {DEPTH_MAX} within one another"))
        } else {
            (signs > SIGNS_MAX).then(|| format!("at most {SIGNS_MAX} operators, brackets and points"))
        };
        if let Some(expected) = too_much {
            return Err(Fault { at, found: format!("one `{letter}` too many"), expected });
        }
    }
    Ok(())
}

/// What CEL's parser says, at its place.
fn unread(text: &str, errors: &ParseErrors) -> Fault {
    let expected = "a condition in CEL, such as `late > 50 && region == \"north\"`".to_owned();
    let Some(first) = errors.errors.first() else { return Fault { at: 0, found: "no CEL".to_owned(), expected } };
    // Lines and columns from 1, columns in characters; 0 where it doesn't know.
    let (line, column) = (usize::try_from(first.pos.0).unwrap_or(0), usize::try_from(first.pos.1).unwrap_or(0));
    let before: usize = text.split_inclusive('\n').take(line.saturating_sub(1)).map(str::len).sum();
    let rest = text.get(before..).unwrap_or_default();
    let within = rest.char_indices().nth(column.saturating_sub(1)).map_or(rest.len(), |(at, _)| at);
    Fault { at: before + within, found: format!("no CEL: {}", first.msg.trim()), expected }
}

impl Compiler<'_> {
    fn fault(&self, at: &IdedExpr, found: impl Into<String>, expected: impl Into<String>) -> Fault {
        let start = self.source.offset_for(at.id).map_or(0, |(start, _)| start as usize);
        let at = self.source.source.char_indices().nth(start).map_or(0, |(at, _)| at);
        Fault { at, found: found.into(), expected: expected.into() }
    }

    /// `leans` as [`Compare::leans`] has it.
    fn node(&mut self, own: &IdedExpr, leans: i8) -> Result<Node, Fault> {
        self.nodes += 1;
        if self.nodes > NODES_MAX {
            return Err(self.fault(own, "too large a condition", format!("at most {NODES_MAX} parts")));
        }
        match &own.expr {
            Expr::Literal(literal) => self.constant(own, literal).map(Node::Constant),
            Expr::Ident(_) => self.name(own),
            Expr::Select(select) if select.test => {
                Ok(Node::Has(Box::new(self.node(&select.operand, 0)?), select.field.clone()))
            }
            Expr::Select(select) => self.field(own, select),
            Expr::Call(call) => self.call(own, call, leans),
            Expr::List(list) => Ok(Node::List(self.nodes_of(&list.elements)?)),
            Expr::Comprehension(of) => self.fold(of),
            Expr::Map(_) | Expr::Struct(_) => {
                Err(self.fault(own, "a map", "numbers, texts, lists, and what the board has names for"))
            }
            Expr::Unspecified => Err(self.fault(own, "nothing", "a condition")),
        }
    }

    fn nodes_of(&mut self, all: &[IdedExpr]) -> Result<Vec<Node>, Fault> {
        all.iter().map(|own| self.node(own, 0)).collect()
    }

    fn pair(&mut self, left: &IdedExpr, right: &IdedExpr) -> Result<Box<(Node, Node)>, Fault> {
        Ok(Box::new((self.node(left, 0)?, self.node(right, 0)?)))
    }

    fn constant(&self, own: &IdedExpr, literal: &LiteralValue) -> Result<Constant, Fault> {
        /// Up to here each whole number is one of a double's.
        const EXACT_MAX: u64 = 1 << 53;
        #[allow(clippy::cast_precision_loss)] // exact, as is asked first
        let number = |magnitude: u64, is_negative: bool| {
            (magnitude <= EXACT_MAX).then_some(Constant::Number(if is_negative {
                -(magnitude as f64)
            } else {
                magnitude as f64
            }))
        };
        let constant = match literal {
            LiteralValue::Null => Some(Constant::Null),
            LiteralValue::Boolean(value) => Some(Constant::Bool(*value.inner())),
            LiteralValue::Double(value) => Some(*value.inner()).filter(|value| value.is_finite()).map(Constant::Number),
            LiteralValue::Int(value) => number(value.inner().unsigned_abs(), value.inner().is_negative()),
            LiteralValue::UInt(value) => number(*value.inner(), false),
            LiteralValue::String(text) => Some(Constant::Text(text.inner().to_owned())),
            LiteralValue::Bytes(_) => {
                return Err(self.fault(own, "bytes", "a number, a text, true, false or null"));
            }
        };
        constant.ok_or_else(|| self.fault(own, "a number out of range", "one that a double holds exactly"))
    }

    /// A name of several parts: the parts of `a.b.c`, if all of it is one.
    fn parts(own: &IdedExpr) -> Option<Vec<&str>> {
        match &own.expr {
            Expr::Ident(name) => Some(vec![name]),
            Expr::Select(select) if !select.test => {
                let mut parts = Self::parts(&select.operand)?;
                parts.push(&select.field);
                Some(parts)
            }
            _ => None,
        }
    }

    fn local(&self, name: &str) -> Option<Node> {
        self.scope.iter().rev().find(|(own, _)| own == name).map(|(_, place)| Node::Local(*place))
    }

    fn name(&mut self, own: &IdedExpr) -> Result<Node, Fault> {
        let parts = Self::parts(own).unwrap_or_default();
        let name = parts.first().copied().unwrap_or_default();
        if let Some(local) = self.local(name) {
            return Ok(local);
        }
        let (_, input) = self.names.find(&parts).map_err(|(found, expected)| self.fault(own, found, expected))?;
        Ok(self.input(input))
    }

    fn input(&mut self, number: u32) -> Node {
        self.inputs.insert(number);
        Node::Input(number)
    }

    fn field(&mut self, own: &IdedExpr, select: &SelectExpr) -> Result<Node, Fault> {
        if let Some(parts) = Self::parts(own)
            && parts.first().is_some_and(|first| self.local(first).is_none())
        {
            let (used, input) =
                self.names.find(&parts).map_err(|(found, expected)| self.fault(own, found, expected))?;
            let mut node = self.input(input);
            for field in parts.iter().skip(used) {
                node = Node::Field(Box::new(node), (*field).to_owned());
            }
            return Ok(node);
        }
        Ok(Node::Field(Box::new(self.node(&select.operand, 0)?), select.field.clone()))
    }

    fn call(&mut self, own: &IdedExpr, call: &CallExpr, leans: i8) -> Result<Node, Fault> {
        let name = call.func_name.as_str();
        if let (None, Some(node)) = (&call.target, self.operator(name, &call.args, leans)?) {
            return Ok(node);
        }
        // `math` is no value: it is the first half of a function's name.
        let namespace = call.target.as_ref().and_then(|target| Self::parts(target)).filter(|parts| parts == &["math"]);
        let is_math = namespace.is_some() && self.local("math").is_none();
        let mut arguments: Vec<&IdedExpr> = call.args.iter().collect();
        if let Some(target) = call.target.as_deref().filter(|_| !is_math) {
            arguments.insert(0, target);
        }
        let has_target = call.target.is_some() && !is_math;
        let function = match (is_math, has_target, name, arguments.len()) {
            (false, _, "size", 1) => Function::Size,
            (false, true, "contains", 2) => Function::Contains,
            (false, true, "startsWith", 2) => Function::StartsWith,
            (false, true, "endsWith", 2) => Function::EndsWith,
            (false, true, "matches", 2) => return self.pattern(&arguments),
            (false, false, "double", 1) => Function::Double,
            (false, false, "string", 1) => Function::Text,
            (false, false, "known", 1) => Function::Known,
            (false, false, "duration", 1) => Function::Duration,
            (false, false, "timestamp", 1) => Function::Timestamp,
            (true, _, "abs", 1) => Function::Abs,
            (true, _, "least", 1..) => Function::Least,
            (true, _, "greatest", 1..) => Function::Greatest,
            _ => {
                let found = format!("`{name}` of {} arguments, which isn't there", arguments.len());
                let expected = "one of size, contains, startsWith, endsWith, matches, double, string, duration, timestamp, \
                                math.abs, math.least, math.greatest, known, has, all, exists, exists_one, map, filter";
                return Err(self.fault(own, found, expected));
            }
        };
        let nodes = arguments.iter().map(|argument| self.node(argument, 0)).collect::<Result<Vec<_>, _>>()?;
        self.folded(own, function, nodes)
    }

    /// Spans and instants that are written down are read once.
    fn folded(&self, own: &IdedExpr, function: Function, nodes: Vec<Node>) -> Result<Node, Fault> {
        match (&function, nodes.as_slice()) {
            (Function::Duration, [Node::Constant(Constant::Text(text))]) => match function::span(text) {
                Some(millis) => Ok(Node::Constant(Constant::Span(millis))),
                None => Err(self.fault(
                    own,
                    format!("no span of time: `{text}`"),
                    "hours, minutes and seconds, such as `1h30m`",
                )),
            },
            (Function::Timestamp, [Node::Constant(Constant::Text(text))]) => match function::instant(text) {
                Some(millis) => Ok(Node::Constant(Constant::Time(millis))),
                None => Err(self.fault(
                    own,
                    format!("no instant: `{text}`"),
                    "one of RFC 3339, such as `2026-11-29T08:00:00Z`",
                )),
            },
            _ => Ok(Node::Call(function, nodes)),
        }
    }

    fn pattern(&mut self, arguments: &[&IdedExpr]) -> Result<Node, Fault> {
        let [text, pattern] = arguments else { return Ok(Node::Constant(Constant::Null)) };
        let Expr::Literal(LiteralValue::String(written)) = &pattern.expr else {
            return Err(self.fault(pattern, "a pattern that isn't written down", "a text, so that it is read once"));
        };
        let built = RegexBuilder::new(written.inner()).size_limit(PATTERN_BYTES_MAX).build();
        let regex = built.map_err(|error| {
            self.fault(pattern, format!("no pattern: {error}"), "a regular expression as RE2 has them")
        })?;
        Ok(Node::Call(Function::Matches(regex), vec![self.node(text, 0)?]))
    }

    fn operator(&mut self, name: &str, arguments: &[IdedExpr], leans: i8) -> Result<Option<Node>, Fault> {
        let compare = |less, equal| Compare { less, equal, leans };
        Ok(Some(match (name, arguments) {
            (op::LOGICAL_AND, sides) => Node::And(self.sides(sides, leans)?),
            (op::LOGICAL_OR, sides) => Node::Or(self.sides(sides, leans)?),
            (op::LOGICAL_NOT, [of]) => Node::Not(Box::new(self.node(of, -leans)?)),
            (op::NOT_STRICTLY_FALSE, [of]) => Node::NotFalse(Box::new(self.node(of, 0)?)),
            (op::CONDITIONAL, [condition, yes, no]) => {
                Node::Choice(Box::new((self.node(condition, 0)?, self.node(yes, leans)?, self.node(no, leans)?)))
            }
            (op::EQUALS, [left, right]) => Node::Equal(self.pair(left, right)?, true),
            (op::NOT_EQUALS, [left, right]) => Node::Equal(self.pair(left, right)?, false),
            (op::LESS, [left, right]) => Node::Compare(compare(true, false), self.pair(left, right)?),
            (op::LESS_EQUALS, [left, right]) => Node::Compare(compare(true, true), self.pair(left, right)?),
            (op::GREATER, [left, right]) => Node::Compare(compare(false, false), self.pair(left, right)?),
            (op::GREATER_EQUALS, [left, right]) => Node::Compare(compare(false, true), self.pair(left, right)?),
            (op::IN, [left, right]) => Node::In(self.pair(left, right)?),
            (op::ADD, [left, right]) => Node::Reckon(Reckon::Add, self.pair(left, right)?),
            (op::SUBSTRACT, [left, right]) => Node::Reckon(Reckon::Subtract, self.pair(left, right)?),
            (op::MULTIPLY, [left, right]) => Node::Reckon(Reckon::Multiply, self.pair(left, right)?),
            (op::DIVIDE, [left, right]) => Node::Reckon(Reckon::Divide, self.pair(left, right)?),
            (op::MODULO, [left, right]) => Node::Reckon(Reckon::Modulo, self.pair(left, right)?),
            (op::NEGATE, [of]) => Node::Negative(Box::new(self.node(of, 0)?)),
            (op::INDEX, [of, index]) => {
                let (of, index) = *self.pair(of, index)?;
                Node::Item(Box::new(of), Box::new(index))
            }
            _ => return Ok(None),
        }))
    }

    fn sides(&mut self, sides: &[IdedExpr], leans: i8) -> Result<Vec<Node>, Fault> {
        sides.iter().map(|side| self.node(side, leans)).collect()
    }

    fn fold(&mut self, of: &ComprehensionExpr) -> Result<Node, Fault> {
        let over = self.node(&of.iter_range, 0)?;
        let begin = self.node(&of.accu_init, 0)?;
        let open = self.scope.len();
        self.scope.extend([(of.iter_var.clone(), self.depth), (of.accu_var.clone(), self.depth + 1)]);
        self.depth += 2;
        let within = [&of.loop_cond, &of.loop_step, &of.result].map(|own| self.node(own, 0));
        self.depth -= 2;
        self.scope.truncate(open);
        let [goes_on, step, result] = within;
        Ok(Node::Loop(Box::new(Loop { over, begin, goes_on: goes_on?, step: step?, result: result? })))
    }
}
