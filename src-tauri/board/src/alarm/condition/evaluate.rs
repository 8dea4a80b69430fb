//! Evaluates conditions.

use std::cmp::Ordering;

use super::{
    Inputs, STEPS_MAX,
    compile::{Compare, Node, Reckon},
    term::{Term, Why},
};

/// Whether a condition holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Truth {
    /// It doesn't.
    No,
    /// It does.
    Yes,
    /// Nobody knows.
    Unknown(Why),
}

struct Run<'a> {
    inputs: &'a dyn Inputs,
    deadband: f64,
    steps: u32,
    /// Values of the loops' variables, the innermost last.
    locals: Vec<Term<'a>>,
}

pub(super) fn evaluate(node: &Node, inputs: &dyn Inputs, deadband: f64) -> Truth {
    let mut run = Run { inputs, deadband, steps: 0, locals: Vec::new() };
    match run.term(node).truth() {
        Ok(true) => Truth::Yes,
        Ok(false) => Truth::No,
        Err(why) => Truth::Unknown(why),
    }
}

/// What a part of a condition comes to.
pub(super) fn term<'a>(node: &'a Node, inputs: &'a dyn Inputs) -> Term<'a> {
    Run { inputs, deadband: 0.0, steps: 0, locals: Vec::new() }.term(node)
}

impl<'a> Run<'a> {
    fn term(&mut self, node: &'a Node) -> Term<'a> {
        self.steps += 1;
        if self.steps > STEPS_MAX {
            return Term::Unknown(Why::TooMuch);
        }
        match node {
            Node::Constant(constant) => constant.term(),
            Node::Input(number) => self.inputs.input(*number),
            Node::Local(depth) => self.locals.get(*depth).cloned().unwrap_or(Term::Unknown(Why::Missing)),
            Node::Field(of, name) => self.term(of).field(name),
            Node::Has(of, name) => self.term(of).has(name),
            Node::Item(of, index) => {
                let of = self.term(of);
                of.item(&self.term(index))
            }
            Node::Not(of) => not(self.term(of)),
            Node::And(all) => self.connect(all, false),
            Node::Or(any) => self.connect(any, true),
            Node::NotFalse(of) => Term::Bool(!matches!(self.term(of), Term::Bool(false))),
            Node::Choice(choice) => {
                let (condition, yes, no) = &**choice;
                match self.term(condition).truth() {
                    Ok(true) => self.term(yes),
                    Ok(false) => self.term(no),
                    // Whichever it is, if both are the same.
                    Err(why) => {
                        let (yes, no) = (self.term(yes), self.term(no));
                        if matches!(yes.equals(&no), Term::Bool(true)) { yes } else { Term::Unknown(why) }
                    }
                }
            }
            Node::Equal(sides, wanted) => {
                let (left, right) = (self.term(&sides.0), self.term(&sides.1));
                let equal = left.equals(&right);
                if *wanted { equal } else { not(equal) }
            }
            Node::Compare(compare, sides) => {
                let (left, right) = (self.term(&sides.0), self.term(&sides.1));
                self.compare(*compare, &left, &right)
            }
            Node::In(sides) => {
                let (item, of) = (self.term(&sides.0), self.term(&sides.1));
                is_in(&item, of)
            }
            Node::Reckon(reckon, sides) => {
                let (left, right) = (self.term(&sides.0), self.term(&sides.1));
                self::reckon(*reckon, left, right)
            }
            Node::Negative(of) => match self.term(of) {
                Term::Number(value) => Term::Number(-value),
                Term::Span(millis) => Term::Span(millis.saturating_neg()),
                unknown @ Term::Unknown(_) => unknown,
                Term::Null => Term::Unknown(Why::NoValue),
                _ => Term::Unknown(Why::Kind),
            },
            Node::List(items) => Term::List(items.iter().map(|item| self.term(item)).collect()),
            Node::Call(function, arguments) => {
                let arguments: Vec<Term<'a>> = arguments.iter().map(|argument| self.term(argument)).collect();
                function.call(&arguments)
            }
            Node::Loop(own) => self.fold(own),
        }
    }

    /// `&&` where `decides` is false, `||` where it is true: what decides it does so whatever else there is.
    fn connect(&mut self, sides: &'a [Node], decides: bool) -> Term<'a> {
        let mut why = None;
        for side in sides {
            match self.term(side).truth() {
                Ok(value) if value == decides => return Term::Bool(decides),
                Ok(_) => {}
                Err(reason) => why = why.or(Some(reason)),
            }
        }
        why.map_or(Term::Bool(!decides), Term::Unknown)
    }

    /// What the left side is raised by: of an alarm that is raised, the greater side of `left > right` may come down by the deadband.
    fn slack(&self, compare: Compare) -> f64 {
        match compare.leans {
            0 => 0.0,
            leans if compare.less == (leans > 0) => -self.deadband,
            _ => self.deadband,
        }
    }

    fn compare(&self, compare: Compare, left: &Term<'a>, right: &Term<'a>) -> Term<'a> {
        let Compare { less, equal, leans } = compare;
        match (left, right) {
            (Term::AtLeast(least), Term::Number(bound)) => {
                return at_least(least + self.slack(compare), *bound, less, equal);
            }
            // The other way round, it is the same.
            (Term::Number(bound), Term::AtLeast(least)) => {
                return at_least(*least, bound + self.slack(compare), !less, equal);
            }
            _ => {}
        }
        let order = match (left, right) {
            (Term::Number(left), Term::Number(right)) if self.deadband > 0.0 && leans != 0 => {
                (left + self.slack(compare)).partial_cmp(right).ok_or(Why::Arithmetic)
            }
            _ => left.order(right),
        };
        match order {
            Ok(Ordering::Equal) => Term::Bool(equal),
            Ok(order) => Term::Bool((order == Ordering::Less) == less),
            Err(why) => Term::Unknown(why),
        }
    }

    /// A loop over a list, as CEL's macros make it: `all`, `exists`, `exists_one`, `map`, `filter`.
    fn fold(&mut self, own: &'a super::compile::Loop) -> Term<'a> {
        let items = match self.term(&own.over).items() {
            Ok(items) => items,
            Err(why) => return Term::Unknown(why),
        };
        let mut sum = self.term(&own.begin);
        let depth = self.locals.len();
        for item in items {
            self.locals.extend([item, sum]);
            let goes_on = !matches!(self.term(&own.goes_on), Term::Bool(false));
            let next = if goes_on { Some(self.term(&own.step)) } else { None };
            sum = self.locals.pop().unwrap_or(Term::Unknown(Why::Missing));
            self.locals.truncate(depth);
            match next {
                Some(next) => sum = next,
                None => break,
            }
            if self.steps > STEPS_MAX {
                return Term::Unknown(Why::TooMuch);
            }
        }
        self.locals.extend([Term::Null, sum]);
        let result = self.term(&own.result);
        self.locals.truncate(depth);
        result
    }
}

/// `number < bound` and the like, of a number that is no less than `least`.
fn at_least<'a>(least: f64, bound: f64, less: bool, equal: bool) -> Term<'a> {
    // Of what decides, the bound itself is a part where equal isn't less, and isn't where it is.
    let is_decided = if less == equal { least > bound } else { least >= bound };
    if is_decided { Term::Bool(!less) } else { Term::Unknown(Why::Incomplete) }
}

fn not(term: Term<'_>) -> Term<'_> {
    match term.truth() {
        Ok(value) => Term::Bool(!value),
        Err(why) => Term::Unknown(why),
    }
}

fn is_in<'a>(item: &Term<'a>, of: Term<'a>) -> Term<'a> {
    if let Term::Unknown(why) = item {
        return Term::Unknown(*why);
    }
    let items = match of.items() {
        Ok(items) => items,
        Err(why) => return Term::Unknown(why),
    };
    let mut outcome = Term::Bool(false);
    for own in &items {
        match own.equals(item) {
            Term::Bool(true) => return Term::Bool(true),
            Term::Bool(false) => {}
            unknown => outcome = unknown,
        }
    }
    outcome
}

fn reckon<'a>(reckon: Reckon, left: Term<'a>, right: Term<'a>) -> Term<'a> {
    let (left, right) = match (left, right) {
        (Term::Unknown(why), _) | (_, Term::Unknown(why)) => return Term::Unknown(why),
        (Term::Null, _) | (_, Term::Null) => return Term::Unknown(Why::NoValue),
        sides => sides,
    };
    let spanned = |millis: Option<i64>| millis.map_or(Term::Unknown(Why::Arithmetic), Term::Span);
    let dated = |millis: Option<i64>| millis.map_or(Term::Unknown(Why::Arithmetic), Term::Time);
    match (reckon, left, right) {
        (Reckon::Add, Term::Number(left), Term::Number(right)) => Term::number(left + right),
        (Reckon::Add, Term::AtLeast(left), Term::Number(right) | Term::AtLeast(right))
        | (Reckon::Add, Term::Number(left), Term::AtLeast(right)) => Term::at_least(left + right),
        (Reckon::Subtract, Term::AtLeast(left), Term::Number(right)) => Term::at_least(left - right),
        // A factor or divisor of less than nothing makes a most of a least.
        (Reckon::Multiply, Term::AtLeast(left), Term::Number(right))
        | (Reckon::Multiply, Term::Number(right), Term::AtLeast(left))
            if right > 0.0 =>
        {
            Term::at_least(left * right)
        }
        (Reckon::Divide, Term::AtLeast(left), Term::Number(right)) if right > 0.0 => Term::at_least(left / right),
        (_, Term::AtLeast(_), Term::Number(_) | Term::AtLeast(_)) | (_, Term::Number(_), Term::AtLeast(_)) => {
            Term::Unknown(Why::Incomplete)
        }
        (Reckon::Subtract, Term::Number(left), Term::Number(right)) => Term::number(left - right),
        (Reckon::Multiply, Term::Number(left), Term::Number(right)) => Term::number(left * right),
        (Reckon::Divide, Term::Number(left), Term::Number(right)) => Term::number(left / right),
        (Reckon::Modulo, Term::Number(left), Term::Number(right)) => Term::number(left % right),
        (Reckon::Add, Term::Text(left), Term::Text(right)) => Term::Text((left.into_owned() + &right).into()),
        (Reckon::Add, Term::List(mut left), Term::List(right)) => {
            left.extend(right);
            Term::List(left)
        }
        (Reckon::Add, Term::Span(left), Term::Span(right)) => spanned(left.checked_add(right)),
        (Reckon::Subtract, Term::Span(left), Term::Span(right)) => spanned(left.checked_sub(right)),
        (Reckon::Subtract, Term::Time(left), Term::Time(right)) => spanned(left.checked_sub(right)),
        (Reckon::Add, Term::Time(time), Term::Span(span)) | (Reckon::Add, Term::Span(span), Term::Time(time)) => {
            dated(time.checked_add(span))
        }
        (Reckon::Subtract, Term::Time(time), Term::Span(span)) => dated(time.checked_sub(span)),
        _ => Term::Unknown(Why::Kind),
    }
}
