//! The short form of `scripts/faults.sh`: every fault that needs no display, on real programs, and a small storm.

use watchfloor_tests::faults::{self, FAULTS, Size, outcome::table};

/// H1, H3, H4: whatever breaks, what the wall calls current is current, it says what it met within its limit, and comes back to the
/// hub's fold.
#[tokio::test(flavor = "multi_thread")]
async fn every_fault_is_said_in_time_and_overcome() {
    let size = Size { kills: 10, connections: 200 };
    let wanted = FAULTS.iter().filter(|fault| !fault.needs_display).collect();
    let outcomes = faults::run(wanted, size, |_| {}).await;
    let failed = outcomes.iter().filter(|outcome| !outcome.wrong.is_empty()).count();
    assert!(outcomes.len() >= 15 && failed == 0, "{failed} failed\n{}", table(&outcomes));
}
