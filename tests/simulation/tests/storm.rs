//! Ten thousand walls lose one server, in whatever way and for however long: they don't come back together.

use watchfloor_simulation::storm::{Loss, storm};

/// The most in a twentieth of the time in which they come is at most three times the mean, and all are live in the end.
#[test]
fn walls_come_back_one_by_one() {
    for loss in [Loss::Goodbye, Loss::Away(0), Loss::Away(2), Loss::Away(7), Loss::Away(60), Loss::Busy(10)] {
        let arrivals = storm(10_000, loss, 7);
        let rate = arrivals.rate();
        assert_eq!(arrivals.live, 10_000, "{loss:?}");
        assert!(arrivals.at.len() >= 10_000 && rate.window > 0.1, "{loss:?}: {rate:?}");
        assert!(rate.peak <= 3.0 * rate.mean, "{loss:?}: {rate:?}");
    }
}
