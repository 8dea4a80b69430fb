//! Functions of conditions.

use std::borrow::Cow;

use regex::Regex;

use super::term::{Term, Why};

/// A function of CEL's standard library, or one of the two that alarms have besides.
#[derive(Clone, Debug)]
pub(super) enum Function {
    /// `size(x)`: characters, items, fields.
    Size,
    /// `text.contains(part)`
    Contains,
    /// `text.startsWith(part)`
    StartsWith,
    /// `text.endsWith(part)`
    EndsWith,
    /// `text.matches(pattern)`
    Matches(Regex),
    /// `math.abs(x)`
    Abs,
    /// `math.least(x, …)`
    Least,
    /// `math.greatest(x, …)`
    Greatest,
    /// `duration(text)`, of a text that is data
    Duration,
    /// `timestamp(text)`, of a text that is data
    Timestamp,
    /// `double(x)`
    Double,
    /// `string(x)`
    Text,
    /// `known(x)`: whether it is known. The only one that makes something of what isn't.
    Known,
}

impl Function {
    /// What it makes of its arguments.
    pub(super) fn call<'a>(&self, arguments: &[Term<'a>]) -> Term<'a> {
        if let Self::Known = self {
            return Term::Bool(!matches!(arguments, [Term::Unknown(_)]));
        }
        for argument in arguments {
            match argument {
                Term::Unknown(why) => return Term::Unknown(*why),
                Term::Null => return Term::Unknown(Why::NoValue),
                _ => {}
            }
        }
        match (self, arguments) {
            (Self::Size, [of]) => size(of),
            (Self::Contains, [Term::Text(text), Term::Text(part)]) => Term::Bool(text.contains(&**part)),
            (Self::StartsWith, [Term::Text(text), Term::Text(part)]) => Term::Bool(text.starts_with(&**part)),
            (Self::EndsWith, [Term::Text(text), Term::Text(part)]) => Term::Bool(text.ends_with(&**part)),
            (Self::Matches(pattern), [Term::Text(text)]) => Term::Bool(pattern.is_match(text)),
            (Self::Abs, [Term::Number(value)]) => Term::Number(value.abs()),
            (Self::Abs, [Term::Span(millis)]) => Term::Span(millis.saturating_abs()),
            (Self::Least, [first, rest @ ..]) => extreme(first, rest, std::cmp::Ordering::Less),
            (Self::Greatest, [first, rest @ ..]) => extreme(first, rest, std::cmp::Ordering::Greater),
            (Self::Duration, [Term::Text(text)]) => span(text).map_or(Term::Unknown(Why::Kind), Term::Span),
            (Self::Timestamp, [Term::Text(text)]) => instant(text).map_or(Term::Unknown(Why::Kind), Term::Time),
            (Self::Double, [Term::Number(value)]) => Term::Number(*value),
            (Self::Double, [Term::AtLeast(value)]) => Term::AtLeast(*value),
            (Self::Abs | Self::Text, [Term::AtLeast(_)]) => Term::Unknown(Why::Incomplete),
            (Self::Double, [Term::Text(text)]) => text.trim().parse().map_or(Term::Unknown(Why::Kind), Term::number),
            (Self::Double, [Term::Span(millis)]) => Term::Number(*millis as f64 / 1000.0),
            (Self::Text, [Term::Text(text)]) => Term::Text(text.clone()),
            (Self::Text, [Term::Number(value)]) => Term::Text(Cow::Owned(value.to_string())),
            (Self::Text, [Term::Bool(value)]) => Term::Text(Cow::Owned(value.to_string())),
            _ => Term::Unknown(Why::Kind),
        }
    }
}

fn size<'a>(of: &Term<'a>) -> Term<'a> {
    #[allow(clippy::cast_precision_loss)] // data has at most 2^20 bytes
    let count = |count: usize| Term::Number(count as f64);
    match of {
        Term::Text(text) => count(text.chars().count()),
        Term::List(items) => count(items.len()),
        Term::Json(json) => match json.shape() {
            watchfloor_model::Shape::List(len) | watchfloor_model::Shape::Object(len) => count(len),
            _ => Term::Unknown(Why::Kind),
        },
        _ => Term::Unknown(Why::Kind),
    }
}

fn extreme<'a>(first: &Term<'a>, rest: &[Term<'a>], wanted: std::cmp::Ordering) -> Term<'a> {
    let mut best = first.clone();
    for other in rest {
        match other.order(&best) {
            Ok(order) if order == wanted => best = other.clone(),
            Ok(_) => {}
            Err(why) => return Term::Unknown(why),
        }
    }
    best
}

/// A span of time as CEL writes it, in milliseconds: `90s`, `1h30m`, `-1.5s`.
pub(super) fn span(text: &str) -> Option<i64> {
    let (is_negative, mut rest) = text.strip_prefix('-').map_or((false, text), |rest| (true, rest));
    if rest.is_empty() {
        return None;
    }
    let mut millis = 0.0;
    while !rest.is_empty() {
        let unit = rest.find(|letter: char| !letter.is_ascii_digit() && letter != '.')?;
        let (number, after) = rest.split_at(unit);
        let end = after.find(|letter: char| letter.is_ascii_digit() || letter == '.').unwrap_or(after.len());
        let (unit, after) = after.split_at(end);
        let scale = match unit {
            "ms" => 1.0,
            "s" => 1e3,
            "m" => 60e3,
            "h" => 3_600e3,
            _ => return None,
        };
        millis += number.parse::<f64>().ok()? * scale;
        rest = after;
    }
    #[allow(clippy::cast_possible_truncation)] // within a thousand years
    (millis < 3.2e13).then_some(if is_negative { -millis as i64 } else { millis as i64 })
}

/// An instant in RFC 3339, in milliseconds since the Unix epoch.
pub(super) fn instant(text: &str) -> Option<i64> {
    text.parse::<jiff::Timestamp>().ok().map(jiff::Timestamp::as_millisecond)
}
