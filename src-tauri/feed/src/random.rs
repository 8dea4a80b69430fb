//! A small seeded generator for jitter: SplitMix64 (Steele, Lea, Flood: "Fast splittable pseudorandom number
//! generators", 2014). Not for secrets.

use std::time::Duration;

/// The generator. The same seed gives the same numbers.
#[derive(Clone, Debug)]
pub(crate) struct Random(u64);

impl Random {
    /// Starts at `seed`.
    pub(crate) const fn new(seed: u64) -> Self {
        Self(seed)
    }

    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        z ^ (z >> 31)
    }

    /// Evenly between nothing and `most`, both included, in microseconds.
    pub(crate) fn up_to(&mut self, most: Duration) -> Duration {
        let micros = u64::try_from(most.as_micros()).unwrap_or(u64::MAX - 1).min(u64::MAX - 1);
        // The high half of a 128-bit product: no modulo bias worth speaking of.
        let scaled = (u128::from(self.next()) * u128::from(micros + 1)) >> 64;
        Duration::from_micros(u64::try_from(scaled).unwrap_or(micros))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn stays_within_and_reaches_both_ends() {
        let mut random = Random::new(7);
        let most = Duration::from_micros(9);
        let mut seen = [0_u32; 10];
        for _ in 0..10_000 {
            seen[usize::try_from(random.up_to(most).as_micros()).expect("small")] += 1;
        }
        assert!(seen.iter().all(|n| (800..1200).contains(n)), "{seen:?}");
        assert_eq!(random.up_to(Duration::ZERO), Duration::ZERO);
        assert!(random.up_to(Duration::MAX) <= Duration::MAX);
    }

    #[test]
    fn same_seed_same_numbers() {
        let draw = |seed| {
            let mut random = Random::new(seed);
            (0..5).map(|_| random.up_to(Duration::from_secs(1))).collect::<Vec<_>>()
        };
        assert_eq!(draw(1), draw(1));
        assert_ne!(draw(1), draw(2));
    }
}
