//! Durations as people write them: `90s`, `5m`, `1h30m`, `2d`.

use std::time::Duration;

/// What a duration looks like, for messages.
pub const EXAMPLES: &str = "such as `90s`, `5m`, `1h30m` or `2d`";

/// Units from long to short, with their milliseconds.
const UNITS: [(&str, u64); 5] = [("d", 86_400_000), ("h", 3_600_000), ("m", 60_000), ("s", 1_000), ("ms", 1)];
/// The most digits of one number.
const DIGITS_MAX: usize = 9;

/// Why a text is no duration.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("malformed duration: {problem} at character {at}: expected something {EXAMPLES}")]
pub struct DurationError {
    /// The character, from 1.
    pub at: usize,
    /// What is wrong there.
    pub problem: String,
}

/// Reads whole numbers with units `d`, `h`, `m`, `s`, `ms`, longest first, each at most once, nothing in between.
///
/// # Errors
/// If the text is anything else.
pub fn parse(text: &str) -> Result<Duration, DurationError> {
    let characters: Vec<char> = text.chars().take(100).collect();
    let error = |at: usize, problem: &str| DurationError { at: at + 1, problem: problem.to_owned() };
    if characters.is_empty() {
        return Err(error(0, "nothing is written"));
    }
    let (mut at, mut next_unit, mut millis) = (0, 0, 0_u64);
    while at < characters.len() {
        let digits = run(&characters[at..], |c| c.is_ascii_digit());
        if digits == 0 {
            let is_negative = at == 0 && characters.first() == Some(&'-');
            return Err(error(at, if is_negative { "less than nothing" } else { "no whole number" }));
        }
        if digits > DIGITS_MAX {
            return Err(error(at, "a number of more than 9 digits"));
        }
        let number = characters[at..at + digits].iter().filter_map(|c| c.to_digit(10));
        let number = number.fold(0, |number, digit| number * 10 + u64::from(digit));
        let unit_at = at + digits;
        let length = run(&characters[unit_at..], char::is_alphabetic);
        let unit: String = characters[unit_at..unit_at + length].iter().collect();
        let Some(index) = UNITS.iter().position(|(name, _)| *name == unit) else {
            let problem = if unit.is_empty() { "no unit" } else { "an unknown unit" };
            return Err(error(unit_at, &format!("{problem} (units are `d`, `h`, `m`, `s`, `ms`)")));
        };
        if index < next_unit {
            return Err(error(unit_at, "units not from long to short, each once"));
        }
        millis = millis.saturating_add(number.saturating_mul(UNITS[index].1));
        next_unit = index + 1;
        at = unit_at + length;
    }
    Ok(Duration::from_millis(millis))
}

fn run(characters: &[char], is_part: impl Fn(char) -> bool) -> usize {
    characters.iter().take_while(|c| is_part(**c)).count()
}

/// The shortest text that [`parse`] reads as this duration, cut to whole milliseconds.
#[must_use]
pub fn format(duration: Duration) -> String {
    let mut rest = u64::try_from(duration.as_millis()).unwrap_or(u64::MAX);
    let mut text = String::new();
    for (unit, millis) in UNITS {
        if rest >= millis {
            text.push_str(&format!("{}{unit}", rest / millis));
            rest %= millis;
        }
    }
    if text.is_empty() { "0s".to_owned() } else { text }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    /// What people write is read; zero is a duration (whether it is allowed is the setting's matter).
    #[test]
    fn reads_durations() {
        for (text, millis) in [
            ("90s", 90_000),
            ("5m", 300_000),
            ("1h30m", 5_400_000),
            ("2d", 172_800_000),
            ("250ms", 250),
            ("1m5ms", 60_005),
            ("0s", 0),
            ("1d2h3m4s5ms", 93_784_005),
        ] {
            assert_eq!(parse(text), Ok(Duration::from_millis(millis)), "{text}");
        }
    }

    /// Bad input: a malformed duration names the character and the problem.
    #[test]
    fn says_where_it_is_malformed() {
        for (text, at, problem) in [
            ("", 1, "nothing"),
            ("30", 3, "no unit"),
            ("s", 1, "no whole number"),
            ("5 m", 2, "no unit"),
            ("5min", 2, "an unknown unit"),
            ("1.5h", 2, "no unit"),
            ("-5s", 1, "less than nothing"),
            ("30m1h", 5, "from long to short"),
            ("1h1h", 4, "from long to short"),
            ("1h30", 5, "no unit"),
            ("9999999999s", 1, "9 digits"),
            ("5µs", 2, "an unknown unit"),
        ] {
            let error = parse(text).expect_err(text);
            assert!(error.at == at && error.problem.contains(problem), "{text}: {error}");
        }
    }

    proptest! {
        /// What is written reads back the same.
        #[test]
        fn round_trips(millis in 0..86_400_000_000_u64) {
            let duration = Duration::from_millis(millis);
            prop_assert_eq!(parse(&format(duration)), Ok(duration));
        }

        /// No text makes it panic.
        #[test]
        fn never_panics(text in "(\\PC|[0-9dhms]){0,30}") {
            let _ = parse(&text);
        }
    }
}
