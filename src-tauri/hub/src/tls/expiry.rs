//! When a certificate ends, and telling of it in time.

use std::{path::Path, time::Duration};

use jiff::{civil, tz::Offset};
use watchfloor_model::Timestamp;

use crate::limits;

/// One element of DER (ITU-T X.690): its tag, what it holds, and what comes after it.
fn element(bytes: &[u8]) -> Option<(u8, &[u8], &[u8])> {
    let (&tag, rest) = bytes.split_first()?;
    let (&first, rest) = rest.split_first()?;
    let (length, rest) = match first {
        0..=0x7f => (usize::from(first), rest),
        0x81..=0x83 => {
            let (digits, rest) = rest.split_at_checked(usize::from(first & 0x7f))?;
            (digits.iter().fold(0, |length, digit| length << 8 | usize::from(*digit)), rest)
        }
        _ => return None,
    };
    let (held, rest) = rest.split_at_checked(length)?;
    Some((tag, held, rest))
}

const SEQUENCE: u8 = 0x30;
/// The version of a certificate, which may be left out.
const VERSION: u8 = 0xa0;
const UTC_TIME: u8 = 0x17;
const GENERALIZED_TIME: u8 = 0x18;

/// The end of a certificate (RFC 5280, section 4.1), if it can be read.
pub(super) fn of(certificate: &[u8]) -> Option<Timestamp> {
    let sequence = |bytes| element(bytes).filter(|(tag, ..)| *tag == SEQUENCE).map(|(_, held, rest)| (held, rest));
    let (certificate, _) = sequence(certificate)?;
    let (signed, _) = sequence(certificate)?;
    let (tag, _, rest) = element(signed)?;
    // Its number, after the version if there is one.
    let rest = if tag == VERSION { element(rest)?.2 } else { rest };
    let (_, rest) = sequence(rest)?; // how it is signed
    let (_, rest) = sequence(rest)?; // by whom
    let (validity, _) = sequence(rest)?;
    let (_, _, rest) = element(validity)?;
    let (tag, text, _) = element(rest)?;
    time(tag, std::str::from_utf8(text).ok()?)
}

/// A time as certificates have it: always in UTC, and with seconds.
fn time(tag: u8, text: &str) -> Option<Timestamp> {
    let digits = text.strip_suffix('Z').filter(|digits| digits.bytes().all(|byte| byte.is_ascii_digit()))?;
    let (year, rest) = match (tag, digits.len()) {
        (UTC_TIME, 12) => {
            let year: i16 = digits[..2].parse().ok()?;
            (if year < 50 { 2000 + year } else { 1900 + year }, &digits[2..])
        }
        (GENERALIZED_TIME, 14) => (digits[..4].parse().ok()?, &digits[4..]),
        _ => return None,
    };
    let part = |at: usize| rest[at..at + 2].parse::<i8>().ok();
    let time = civil::DateTime::new(year, part(0)?, part(2)?, part(4)?, part(6)?, part(8)?, 0).ok()?;
    let time = Offset::UTC.to_timestamp(time).ok()?;
    Some(Timestamp::from_millis(time.as_millisecond()))
}

/// How near the end is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Stage {
    Far,
    Near,
    Over,
}

impl Stage {
    fn of(ends: Timestamp, now: Timestamp) -> Self {
        match () {
            () if ends <= now => Self::Over,
            () if ends.since(now) <= limits::TLS_EXPIRY_WARNED => Self::Near,
            () => Self::Far,
        }
    }
}

/// What was told of a certificate's end, and when.
#[derive(Debug, Default)]
pub(super) struct Told(Option<(Stage, Timestamp)>);

/// How often it is told.
const AGAIN: Duration = Duration::from_secs(86_400);

impl Told {
    /// Whether it is to be told now that a certificate ends then: once while that is far, and once a day when it isn't.
    fn is_due(&mut self, ends: Timestamp, now: Timestamp) -> Option<Stage> {
        let stage = Stage::of(ends, now);
        let is_due = match self.0 {
            None => true,
            Some((told, _)) if told != stage => true,
            Some((_, at)) => stage != Stage::Far && now.since(at) >= AGAIN,
        };
        is_due.then(|| {
            self.0 = Some((stage, now));
            stage
        })
    }

    pub(super) fn tell(&mut self, file: &Path, ends: Timestamp, now: Timestamp) {
        let Some(stage) = self.is_due(ends, now) else { return };
        let (file, days) = (file.display(), ends.as_millis().saturating_sub(now.as_millis()) / 86_400_000);
        let until = jiff::Timestamp::from_millisecond(ends.as_millis()).unwrap_or_default();
        match stage {
            Stage::Far => tracing::info!(%file, %until, days, "the certificate is good"),
            Stage::Near => tracing::warn!(%file, %until, days, "the certificate ends soon: put a new one in its place"),
            Stage::Over => {
                tracing::error!(%file, %until, days, "the certificate has ended, clients will not believe it: put a new one in its place");
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// What isn't a certificate has no end, whatever its bytes say of their lengths.
    #[test]
    fn nonsense_has_no_end() {
        for bytes in [&b""[..], b"\x30", b"\x30\x82\xff\xff", b"\x30\x84\xff\xff\xff\xff", b"\x30\x02\x30\x00"] {
            assert_eq!(of(bytes), None, "{bytes:?}");
        }
        assert_eq!(time(UTC_TIME, "691231235959Z"), Some(Timestamp::from_millis(-1000)));
        assert_eq!(time(UTC_TIME, "490101000000Z").map(Timestamp::as_millis), Some(2_493_072_000_000));
        assert_eq!(time(GENERALIZED_TIME, "20500101000000Z").map(Timestamp::as_millis), Some(2_524_608_000_000));
        for text in ["", "Z", "6912312359Z", "691331235959Z", "691231235959", "69123123595äZ", "+91231235959Z"] {
            assert_eq!(time(UTC_TIME, text), None, "{text}");
        }
    }

    /// A certificate's end is told once while it is far, and every day when it is near or has passed.
    #[test]
    fn the_end_is_told_in_time() {
        let day = |days: i64| Timestamp::from_millis(days * 86_400_000);
        let mut told = Told::default();
        let due: Vec<_> =
            (0..104).filter_map(|now| told.is_due(day(100), day(now)).map(|stage| (now, stage))).collect();
        let mut expected = vec![(0, Stage::Far)];
        expected.extend((86..100).map(|now| (now, Stage::Near)));
        expected.extend((100..104).map(|now| (now, Stage::Over)));
        assert_eq!(due, expected);
    }
}
