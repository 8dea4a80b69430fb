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
            .for_each($run)
    };
}
