//! How much of a ring one transaction lets go at most, so that no event waits long: the next one goes on.

/// The bound of one transaction.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Step {
    /// Rows.
    pub(crate) rows: u32,
    /// Bytes of what they hold.
    pub(crate) bytes: i64,
}

impl Step {
    /// Of batches.
    pub(crate) const BATCHES: Self = Self { rows: 16_384, bytes: 32 << 20 };
    /// Of records of the glass.
    pub(crate) const GLASS: Self = Self { rows: 1024, bytes: 16 << 20 };

    /// Of entries of the record of alarms: few, as a clock that is ahead lets go of what is kept for a year.
    pub(crate) const ALARMS: Self = Self { rows: 64, bytes: 1 << 20 };

    /// The step of a transaction that writes so much: more goes than comes, or a ring of smaller rows than were foreseen would
    /// outgrow its bound.
    pub(crate) fn beside(self, rows: usize, bytes: i64) -> Self {
        let rows = u32::try_from(rows).unwrap_or(u32::MAX).saturating_mul(2);
        Self { rows: self.rows.max(rows), bytes: self.bytes.max(bytes.saturating_mul(2)) }
    }
}
