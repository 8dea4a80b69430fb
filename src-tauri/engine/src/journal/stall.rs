//! How long the disk has not answered, for who doesn't wait for it.

use std::{
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
    time::Duration,
};

use watchfloor_board::frame::{Notice, Said, State};
use watchfloor_model::Mono;

/// Id of the notice about a disk that doesn't answer.
pub(crate) const NOTICE: &str = "disk";
/// A disk that takes longer for one transaction is told of.
const STALLED_AFTER: Duration = Duration::from_secs(2);

/// When the transaction that is under way began. The journal's thread says it, the board's loop looks.
#[derive(Clone, Debug, Default)]
pub(crate) struct Stall(Arc<AtomicU64>);

impl Stall {
    /// A transaction begins.
    pub(crate) fn begin(&self, now: Mono) {
        self.0.store(now.as_micros(), Ordering::Relaxed);
    }

    /// It ended, well or not.
    pub(crate) fn end(&self) {
        self.0.store(0, Ordering::Relaxed);
    }

    /// What people must know: events wait behind a disk that doesn't answer, and that is why nothing is current.
    pub(crate) fn notice(&self, now: Mono) -> Option<Notice> {
        let began = self.0.load(Ordering::Relaxed);
        let stalled = now.since(Mono::from_micros(began));
        (began != 0 && stalled >= STALLED_AFTER).then(|| {
            let detail = vec![format!("A transaction of the journal has been waiting for {} s.", stalled.as_secs())];
            Notice::said(NOTICE, State::Alarm, Said::DiskSilent, detail)
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// H1: a stuck disk is not taken for a stuck network.
    #[test]
    fn stuck_disks_are_told() {
        let stall = Stall::default();
        let at = |seconds: u64| Mono::from_millis(1000 * seconds);
        assert_eq!(stall.notice(at(100)), None);
        stall.begin(at(100));
        assert_eq!(stall.notice(at(101)), None);
        assert!(stall.notice(at(105)).is_some_and(|notice| notice.detail[0].contains("5 s")));
        stall.end();
        assert_eq!(stall.notice(at(200)), None);
    }
}
