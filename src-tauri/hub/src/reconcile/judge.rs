//! Whether a number is off, by what a site says of it. Pure.

/// By so little sums may differ that were added up in another order, as a part of them.
const ROUNDING: f64 = 1e-9;

/// By how much a number is off that came from the least to the greatest of `between` while the site could have meant it, if it is: never by more than it is, and
/// by exactly that where it stood still.
pub(super) fn off(said: f64, (least, most): (f64, f64)) -> Option<f64> {
    let slack = ROUNDING * said.abs().max(least.abs()).max(most.abs());
    if said < least - slack {
        Some(said - least)
    } else if said > most + slack {
        Some(said - most)
    } else {
        None
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn what_is_off() {
        assert_eq!(off(7.0, (7.0, 9.0)), None);
        assert_eq!(off(12.0, (7.0, 9.0)), Some(3.0));
        assert_eq!(off(1.0, (2.0, 2.0)), Some(-1.0));
        assert_eq!(off(0.1 + 0.2, (0.3, 0.3)), None, "sums are added up in any order");
        assert_eq!(off(0.0, (0.0, 0.0)), None);
    }

    /// Events of a simulated site: when its database has each, and how much later (or earlier) the hub has it, milliseconds.
    fn events(lag_ms: i64) -> impl Strategy<Value = Vec<(i64, i64)>> {
        proptest::collection::vec((0_i64..60_000, -lag_ms..=lag_ms), 0..300)
    }

    #[allow(clippy::cast_precision_loss)] // hundreds of events
    fn count(events: impl Iterator<Item = i64>, until: i64) -> f64 {
        events.filter(|at| *at <= until).count() as f64
    }

    proptest! {
        /// H2: as long as no event takes longer than is said, what is right is left alone, however busy it is; what is off is never put off further, nor
        /// beyond what is right, and is right once nothing more happens.
        #[test]
        fn nothing_is_made_wrong(
            (lag_ms, events) in (1_i64..5_000).prop_flat_map(|lag_ms| (Just(lag_ms), events(lag_ms))),
            asked in 0_i64..70_000,
            lost in -20_i32..20,
        ) {
            let lost = f64::from(lost);
            let truth = |until: i64| count(events.iter().map(|(at, _)| *at), until);
            let held = |until: i64| count(events.iter().map(|(at, late)| at + late), until) - lost;
            let between = (held(asked - lag_ms), held(asked + lag_ms));
            let amended = off(truth(asked), between).unwrap_or_default();
            if lost == 0.0 {
                prop_assert_eq!(amended, 0.0);
            }
            prop_assert!(amended.abs() <= lost.abs() && amended * lost >= 0.0, "{} for {}", amended, lost);
            if asked - lag_ms > 65_000 {
                prop_assert_eq!(amended, lost);
            }
        }
    }
}
