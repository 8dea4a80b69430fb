//! What the fuzz targets of all rooms share: how they run, and how a few bytes become an input that gets past the first check.
//!
//! A target is a test named `fuzz::…` that calls [`check!`]. As a plain test it takes the files of its corpus and as many random
//! inputs as a short time allows; `scripts/fuzz.sh` runs it for as long as one likes, led by what each input reaches.

mod draws;
mod mutate;
mod tree;

pub use bolero;

pub use draws::Draws;
pub use mutate::mutated;
pub use tree::tree;

/// Runs a closure on bytes: of the corpus, then random ones. In a plain test for at most a second.
#[macro_export]
macro_rules! check {
    ($run:expr) => {
        $crate::check!(iterations = 5_000, $run)
    };
    (iterations = $iterations:expr, $run:expr) => {
        $crate::bolero::check!()
            .with_iterations($iterations)
            .with_test_time(::std::time::Duration::from_millis(800))
            .with_max_len(2048)
            .for_each(|bytes: &[u8]| {
                let run: fn(&[u8]) = $run;
                run(bytes);
                if let Some(long) = $crate::stretched(bytes) {
                    run(&long);
                }
            })
    };
}

/// A long input that a short one decides: random ones have 64 bytes at most, which is too few for a story. None where libFuzzer
/// grows them itself.
#[must_use]
pub fn stretched(bytes: &[u8]) -> Option<Vec<u8>> {
    static GROWS: std::sync::LazyLock<bool> =
        std::sync::LazyLock::new(|| std::env::var_os("BOLERO_LIBFUZZER_ARGS").is_some());
    if *GROWS || !(32..=64).contains(&bytes.len()) {
        return None;
    }
    let mut long = bytes.to_vec();
    let mut state = bytes
        .iter()
        .fold(0xCBF2_9CE4_8422_2325_u64, |hash, byte| (hash ^ u64::from(*byte)).wrapping_mul(0x0000_0100_0000_01B3));
    while long.len() < 1024 {
        // xorshift64, by its middle bits.
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        long.push((state >> 24) as u8);
    }
    Some(long)
}
