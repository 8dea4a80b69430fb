//! When a certificate ends, and telling of it in time.

use std::{path::Path, time::Duration};

use watchfloor_model::Timestamp;

use crate::limits;

/// The end of a certificate, if it can be read.
pub(super) fn of(certificate: &[u8]) -> Option<Timestamp> {
    let (_, certificate) = x509_parser::parse_x509_certificate(certificate).ok()?;
    Some(Timestamp::from_millis(certificate.validity().not_after.timestamp().saturating_mul(1000)))
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
