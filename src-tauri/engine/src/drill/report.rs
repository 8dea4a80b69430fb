//! What a lamp test says of itself, step by step and at the end.

use serde::Serialize;

/// What will be done.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Plan {
    /// About how long it takes, seconds.
    pub expected_s: u64,
    /// Names of the steps.
    pub steps: Vec<&'static str>,
    /// Widgets that are looked at.
    pub widgets: usize,
    /// Widgets that are not, because they weren't live or had no value at the start, or are on another page than the one that is shown.
    pub left_out: Vec<String>,
    /// The board's time zone, in which people are told when it was.
    pub timezone: String,
    /// Whether there is a page that says what can be seen of it.
    pub glass: bool,
}

/// How a step ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Verdict {
    /// Everything was seen in time.
    Passed,
    /// Something wasn't.
    Failed,
    /// It could not be done here.
    Untested,
}

impl Verdict {
    /// Every verdict.
    pub const ALL: [Self; 3] = [Self::Passed, Self::Failed, Self::Untested];

    /// The word used in the contract, metrics and tables.
    #[must_use]
    pub const fn word(self) -> &'static str {
        match self {
            Self::Passed => "passed",
            Self::Failed => "failed",
            Self::Untested => "untested",
        }
    }
}

/// Something that wasn't seen.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Missed {
    /// Of which widget, or `source ops`, or `page`.
    pub of: String,
    /// What was wrong with it, as it was seen last.
    pub what: String,
}

/// One step that is over.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct StepReport {
    /// Its number, from 1.
    pub step: usize,
    /// Its name.
    pub name: &'static str,
    /// What was expected.
    pub expects: &'static str,
    /// How it ended.
    pub verdict: Verdict,
    /// After how long the last of it was seen, milliseconds; none if not everything was.
    pub shown_ms: Option<u64>,
    /// The longest that any part of it may take, milliseconds.
    pub limit_ms: u64,
    /// After how long everything was as before, from when it was mended, milliseconds.
    pub back_ms: Option<u64>,
    /// Widgets that were looked at.
    pub widgets: usize,
    /// What wasn't seen.
    pub missed: Vec<Missed>,
    /// Why it was not tested.
    pub note: Option<String>,
}

/// How all of it ended.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Outcome {
    /// Steps that passed.
    pub passed: usize,
    /// Steps that failed.
    pub failed: usize,
    /// Steps that could not be done here.
    pub untested: usize,
    /// Why it ended before its end.
    pub ended: Option<String>,
}

impl Outcome {
    /// Whether nothing failed and it came to its end.
    #[must_use]
    pub const fn is_good(&self) -> bool {
        self.failed == 0 && self.ended.is_none()
    }
}

/// Everything that is known of a lamp test so far.
#[derive(Clone, Debug)]
pub struct Progress {
    /// What will be done.
    pub plan: Plan,
    /// Steps that are over.
    pub steps: Vec<StepReport>,
    /// The end, once it has come.
    pub outcome: Option<Outcome>,
}
