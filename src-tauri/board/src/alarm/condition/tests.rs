//! Conditions: CEL as it is written, and three-valued logic by properties.

use std::collections::BTreeMap;

use proptest::prelude::*;
use watchfloor_model::Payload;

use super::{Condition, Inputs, Names, Term, Truth, Why};

/// Names of one letter, and `row`, which is an object.
struct Board(BTreeMap<&'static str, u32>);

impl Board {
    fn new() -> Self {
        Self(["a", "b", "c", "d", "row", "cancelled_last_hour"].into_iter().zip(0..).collect())
    }
}

impl Names for Board {
    fn find(&self, parts: &[&str]) -> Result<(usize, u32), (String, String)> {
        let name = parts.first().copied().unwrap_or_default();
        let near = || self.0.keys().find(|own| own.starts_with(name)).map(|own| format!("did you mean `{own}`?"));
        let unfound = || (format!("`{name}`"), near().unwrap_or_default());
        self.0.get(name).map(|input| (1, *input)).ok_or_else(unfound)
    }
}

struct Values<'a>(Vec<Term<'a>>);

impl Inputs for Values<'_> {
    fn input(&self, number: u32) -> Term<'_> {
        self.0.get(number as usize).cloned().unwrap_or(Term::Unknown(Why::NotOfNow(number)))
    }
}

fn parse(text: &str) -> Condition {
    Condition::parse(text, &Board::new()).unwrap_or_else(|fault| panic!("{text}: {fault}"))
}

fn holds(text: &str, values: Vec<Term<'_>>) -> Truth {
    parse(text).evaluate(&Values(values), 0.0)
}

#[test]
fn what_cel_says() {
    for (text, wanted) in [
        ("1 + 2 * 3 == 7", true),
        ("7 / 2 == 3.5", true),
        ("-7 % 4 == -3", true),
        ("'a' + 'b' == 'ab'", true),
        ("1 == 1.0 && 1 != '1'", true),
        ("2 in [1, 2] && !(3 in [1, 2])", true),
        ("'late'.contains('at') && 'late'.startsWith('la') && 'late'.endsWith('te')", true),
        ("'EWR-12'.matches('^[A-Z]{3}-[0-9]+$')", true),
        ("size('čau') == 3 && [1, 2].size() == 2", true),
        ("[1, 2, 3].exists(x, x > 2) && [1, 2, 3].all(x, x > 0) && [1, 2].exists_one(x, x == 2)", true),
        ("[1, 2, 3].filter(x, x > 1).map(x, x * 2) == [4, 6]", true),
        ("[[1], [2]].exists(x, x.exists(y, y == 2))", true),
        ("duration('90s') == duration('1m30s') && duration('1h') > duration('59m')", true),
        ("timestamp('2026-11-29T08:00:00Z') + duration('1h') == timestamp('2026-11-29T09:00:00Z')", true),
        ("math.abs(-2) == 2 && math.greatest(1, 3, 2) == 3 && math.least(1, 3, 2) == 1", true),
        ("true ? 'x' == 'x' : false", true),
        ("double('2.5') == 2.5 && string(4) == '4'", true),
        ("null == null && null != 0", true),
        ("1 > 2", false),
    ] {
        assert_eq!(holds(text, vec![]), if wanted { Truth::Yes } else { Truth::No }, "{text}");
    }
}

/// H6: what isn't known decides nothing, unless it doesn't matter.
#[test]
fn what_is_not_known() {
    let unknown = Truth::Unknown(Why::NotOfNow(0));
    for (text, wanted) in [
        ("a > 5", unknown),
        ("a > 5 || true", Truth::Yes),
        ("true || a > 5", Truth::Yes),
        ("a > 5 && false", Truth::No),
        ("a > 5 && true", unknown),
        ("!(a > 5)", unknown),
        ("a == 1 ? true : true", Truth::Yes),
        ("a == 1 ? true : false", unknown),
        ("a == a", unknown),
        ("[1, a].exists(x, x == 1)", Truth::Yes),
        ("[2, a].exists(x, x == 1)", unknown),
        ("[2, a].all(x, x == 1)", Truth::No),
        ("[1, a] == [2, 3]", Truth::No),
        ("known(a)", Truth::No),
        ("!known(a) || a > 5", Truth::Yes),
        ("a in [1]", unknown),
        ("'x' in ['x', a]", Truth::Yes),
    ] {
        assert_eq!(holds(text, vec![Term::Unknown(Why::NotOfNow(0))]), wanted, "{text}");
    }
}

/// Errors are something that isn't known, each with its reason.
#[test]
fn what_goes_wrong() {
    for (text, wanted) in [
        ("1 / 0 > 1", Why::Arithmetic),
        ("1e308 * 10 > 1", Why::Arithmetic),
        ("'a' > 1", Why::Kind),
        ("null > 1", Why::NoValue),
        ("row.missing == 1", Why::Missing),
        ("row.n.deeper == 1", Why::Kind),
        ("row.list[7] == 1", Why::Missing),
    ] {
        let payload = Payload::parse(r#"{"n": 1, "list": [1]}"#).expect("JSON");
        let values = vec![Term::Null, Term::Null, Term::Null, Term::Null, Term::of(payload.value())];
        assert_eq!(holds(text, values), Truth::Unknown(wanted), "{text}");
    }
}

#[test]
fn data_is_looked_into() {
    let payload =
        Payload::parse(r#"{"delay": 65, "gate": "C12", "tags": ["vip", "late"], "at": null, "by": {"who": "x"}}"#)
            .expect("JSON");
    let values = || vec![Term::Null, Term::Null, Term::Null, Term::Null, Term::of(payload.value())];
    for text in [
        "row.delay > 60 && row.gate.startsWith('C')",
        "row.tags.exists(tag, tag == 'late') && row.tags[0] == 'vip'",
        "has(row.gate) && !has(row.nothing) && row.at == null",
        "row.by.who == 'x' && row['gate'] == 'C12' && size(row) == 5",
        "'late' in row.tags && 'gate' in row",
    ] {
        assert_eq!(holds(text, values()), Truth::Yes, "{text}");
    }
}

/// H3: a count of which events may be missing raises what it is certain to, and clears nothing that it may hide.
#[test]
fn what_is_no_less() {
    let missing = Truth::Unknown(Why::Incomplete);
    for (text, wanted) in [
        ("a > 4", Truth::Yes),
        ("a >= 5", Truth::Yes),
        ("a > 5", missing),
        ("5 < a", missing),
        ("5 <= a", Truth::Yes),
        ("a < 5", Truth::No),
        ("a <= 5", missing),
        ("a <= 4", Truth::No),
        ("4 > a", Truth::No),
        ("a == 4", Truth::No),
        ("a == 5", missing),
        ("a + 1 > 5", Truth::Yes),
        ("2 * a > 9", Truth::Yes),
        ("-1 * a < 0", missing),
        ("10 - a > 0", missing),
        ("known(a) && double(a) > 4", Truth::Yes),
        ("string(a) == '5'", missing),
    ] {
        assert_eq!(holds(text, vec![Term::AtLeast(5.0)]), wanted, "{text}");
    }
}

/// A raised alarm's limit is apart from that by which it was raised, and whichever way the comparison is written.
#[test]
fn deadbands() {
    for (text, side) in
        [("a > 10", 1.0), ("10 < a", 1.0), ("!(a <= 10)", 1.0), ("a < 10", -1.0), ("b == 0 || a >= 10", 1.0)]
    {
        let condition = parse(text);
        let at = |a: f64, deadband| condition.evaluate(&Values(vec![Term::Number(a), Term::Number(1.0)]), deadband);
        assert_eq!(at(10.0 + side * 0.1, 0.0), Truth::Yes, "{text}");
        assert_eq!(at(10.0 - side * 1.9, 0.0), Truth::No, "{text}");
        assert_eq!(at(10.0 - side * 1.9, 2.0), Truth::Yes, "{text}");
        assert_eq!(at(10.0 - side * 2.1, 2.0), Truth::No, "{text}");
    }
}

/// Bad input says where it is wrong.
#[test]
fn bad_conditions() {
    let long = format!("a > {}", "1".repeat(super::BYTES_MAX));
    let deep = format!("{}a > 1{}", "(".repeat(200), ")".repeat(200));
    let choices = format!("{}true", "a>1?a:".repeat(99));
    let sums = format!("a{}", "+a".repeat(200));
    let many = format!("a > 1{}", " || a > 1".repeat(200));
    for (text, at, part) in [
        ("", 0, "no CEL"),
        ("a >", 3, "no CEL"),
        ("a > 1 && cancelled_last > 5", 9, "did you mean `cancelled_last_hour`?"),
        ("a + 1", 0, "neither true nor false"),
        ("'x'", 0, "neither true nor false"),
        ("foo(a)", 3, "`foo` of 1 arguments"),
        ("a.matches('(')", 10, "no pattern"),
        ("a > duration('soon')", 12, "no span of time"),
        ("a > 99999999999999999", 4, "out of range"),
        ("a == {'x': 1}", 5, "a map"),
        (&long, 0, "at most 2000"),
        (&deep, 16, "at most 16"),
        (&many, 601, "at most 200"),
        (&choices, 99, "at most 16"),
        (&sums, 0, "neither true"),
    ] {
        let fault = Condition::parse(text, &Board::new()).expect_err(text);
        assert!(fault.to_string().contains(part), "{text}: {fault}");
        assert_eq!(fault.at, at, "{text}: {fault}");
    }
}

#[test]
fn inputs_are_known() {
    assert_eq!(parse("b > 1 || a > 2 && b < 3").inputs(), [0, 1]);
}

/// Conditions over `a` to `d`.
fn conditions() -> impl Strategy<Value = String> {
    let number = prop_oneof![
        Just("a".to_owned()),
        Just("b".to_owned()),
        Just("c".to_owned()),
        Just("d".to_owned()),
        (-2..3i32).prop_map(|n| n.to_string())
    ];
    let numbers = number.prop_recursive(2, 6, 2, |inner| {
        (inner.clone(), prop::sample::select(vec!["+", "-", "*", "/"]), inner)
            .prop_map(|(left, op, right)| format!("({left} {op} {right})"))
    });
    let comparisons = (numbers.clone(), prop::sample::select(vec!["<", "<=", ">", ">=", "==", "!="]), numbers)
        .prop_map(|(left, op, right)| format!("{left} {op} {right}"));
    comparisons.prop_recursive(3, 12, 3, |inner| {
        prop_oneof![
            (inner.clone(), inner.clone()).prop_map(|(left, right)| format!("({left} && {right})")),
            (inner.clone(), inner.clone()).prop_map(|(left, right)| format!("({left} || {right})")),
            inner.clone().prop_map(|of| format!("!({of})")),
            (inner.clone(), inner.clone(), inner.clone())
                .prop_map(|(one, two, three)| format!("(({one}) ? ({two}) : ({three}))")),
            inner.prop_map(|of| format!("[a, b].exists(x, x == c || {of})")),
        ]
    })
}

proptest! {
    /// H3, H6: what holds while something isn't known, or is known to be no less than something, holds whatever that turns out to be: no
    /// alarm is raised or cleared that what is missing could contradict.
    #[test]
    fn what_holds_without_holds_with(
        text in conditions(),
        known in prop::array::uniform4(prop::sample::select(vec![None, Some(0), Some(1), Some(3)])),
        values in prop::array::uniform4(-2..3i32),
        deadband in prop::sample::select(vec![0.0, 0.5, 2.0]),
    ) {
        let condition = parse(&text);
        let whole: Vec<Term<'_>> = values.into_iter().map(|value| Term::Number(f64::from(value))).collect();
        let part = values.into_iter().zip(known).zip(0..).map(|((value, missing), number)| match missing {
            Some(0) => Term::Number(f64::from(value)),
            Some(missing) => Term::AtLeast(f64::from(value - missing)),
            None => Term::Unknown(Why::NotOfNow(number)),
        });
        let with = condition.evaluate(&Values(whole.clone()), deadband);
        let without = condition.evaluate(&Values(part.collect()), deadband);
        if !matches!(without, Truth::Unknown(_)) {
            prop_assert_eq!(without, with, "{}", text);
        }
    }

    /// With everything known, and no error, the answer is that of two-valued logic, which says of its opposite the opposite.
    #[test]
    fn the_opposite_is_the_opposite(text in conditions(), values in prop::array::uniform4(-2..3i32)) {
        let values: Vec<Term<'_>> = values.into_iter().map(|value| Term::Number(f64::from(value))).collect();
        let own = parse(&text).evaluate(&Values(values.clone()), 0.0);
        let other = parse(&format!("!({text})")).evaluate(&Values(values), 0.0);
        prop_assert!(matches!((own, other), (Truth::Yes, Truth::No) | (Truth::No, Truth::Yes) | (Truth::Unknown(_), Truth::Unknown(_))));
    }

    /// A deadband keeps what is raised, and never lets go what would be raised without it.
    #[test]
    fn a_deadband_only_keeps(text in conditions(), values in prop::array::uniform4(-2..3i32), deadband in 0.0..3.0) {
        let values: Vec<Term<'_>> = values.into_iter().map(|value| Term::Number(f64::from(value))).collect();
        let condition = parse(&text);
        if condition.evaluate(&Values(values.clone()), 0.0) == Truth::Yes {
            prop_assert_eq!(condition.evaluate(&Values(values), deadband), Truth::Yes, "{}", text);
        }
    }

    /// Whatever is written, it is read or refused at a place in it.
    #[test]
    fn anything_is_read_or_refused(text in "[a-d0-9 .,()\\[\\]{}<>=!&|?:+*/%'\"\\\\čू-]{0,60}") {
        if let Err(fault) = Condition::parse(&text, &Board::new()) {
            prop_assert!(fault.at <= text.len() && text.is_char_boundary(fault.at), "{}: {:?}", text, fault);
        }
    }
}
