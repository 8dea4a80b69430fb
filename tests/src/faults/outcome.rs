//! What became of a fault, and the table of all.

use std::{fmt::Write, time::Duration};

use serde::Serialize;

use super::{process::Report, publisher::Ledger, site::source};

/// What rests on what when a fault is over.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Proof {
    /// Every event came, in order.
    Proven,
    /// The server's own state was taken, or every event came.
    Known,
}

/// What a fault must come to.
#[derive(Clone, Debug)]
pub struct Expect {
    /// One of these must be in what is said.
    pub words: &'static [&'static str],
    /// Until when it must be said.
    pub found_max: Duration,
    /// How long it goes on after that.
    pub goes_on: Option<Duration>,
    /// Whether nothing may be called current as long as it goes on.
    pub stays_broken: bool,
    /// Whether each report must be the fold of some beginning of the story, and none current that lacks too much.
    pub tells_truth: bool,
    /// What the widgets rest on in the end.
    pub proof: Proof,
}

/// How a fault went.
#[derive(Clone, Debug, Default, Serialize)]
pub struct Outcome {
    /// The fault.
    pub name: String,
    /// Why it could not be tried here.
    pub skipped: Option<String>,
    /// What the wall said meanwhile, each once, in order.
    pub said: Vec<String>,
    /// From its beginning until it was said.
    pub found: Option<Duration>,
    /// From its end until all was live.
    pub back: Option<Duration>,
    /// What the source says of its gaps in the end.
    pub continuity: String,
    /// Events of the hub's that the wall equals the fold of, in the end.
    pub equal: Option<usize>,
    /// More to say.
    pub notes: Vec<String>,
    /// What was not as it must be.
    pub wrong: Vec<String>,
}

impl Outcome {
    /// Nothing yet.
    #[must_use]
    pub fn new(name: &str) -> Self {
        Self { name: name.to_owned(), ..Self::default() }
    }

    /// A fault that can't be tried here.
    #[must_use]
    pub fn skipped(name: &str, why: &str) -> Self {
        Self { skipped: Some(why.to_owned()), ..Self::new(name) }
    }

    /// Keeps what was said, each once, whatever its numbers are.
    pub fn hear(&mut self, reports: &[Report]) {
        for report in reports.iter().filter(|report| !report.is_live()) {
            let said = report.said();
            // When the next try comes changes all the time.
            self.hear_words(said.split(", next try").next().unwrap_or(&said).trim_end_matches(", connecting"));
        }
    }

    /// Keeps these words, once, whatever their numbers are.
    pub fn hear_words(&mut self, said: &str) {
        let shape = |text: &str| text.replace(|letter: char| letter.is_ascii_digit(), "");
        if self.said.iter().all(|before| shape(before) != shape(said)) {
            self.said.push(said.to_owned());
        }
    }

    /// Keeps how it ended.
    pub fn end(&mut self, report: &Report, ledger: &Ledger) {
        let own = source(report);
        let count = |name: &str| own[name].as_u64().unwrap_or(0);
        self.continuity = format!(
            "{}: {} by replay, {} by snapshot, {} unknown",
            own["continuity"].as_str().unwrap_or("-"),
            count("gaps_proven"),
            count("gaps_snapshot"),
            count("gaps_unknown"),
        );
        self.equal = ledger.last().map(|life| life.taken.len());
    }

    /// Adds what is not as expected.
    pub fn judge(&mut self, expect: &Expect) {
        if !expect.words.is_empty() && !self.said.iter().any(|said| expect.words.iter().any(|word| said.contains(word)))
        {
            self.wrong.push(format!("none of {:?} was said: {:?}", expect.words, self.said));
        }
        if expect.proof == Proof::Proven && !self.continuity.starts_with("proven") && self.equal.is_some() {
            self.wrong.push(format!("not proven: {}", self.continuity));
        }
    }

    /// Whether all is as it must be.
    #[must_use]
    pub fn passed(&self) -> bool {
        self.skipped.is_none() && self.wrong.is_empty()
    }
}

/// The table, and what went wrong below it.
#[must_use]
pub fn table(outcomes: &[Outcome]) -> String {
    let seconds = |time: Option<Duration>| time.map_or("–".to_owned(), |time| format!("{:.1} s", time.as_secs_f64()));
    let mut text = String::from(
        "| fault | what the wall said | after | live again after | rests on, gaps | equals the hub's fold |\n| --- | --- | --- | --- | --- | --- |\n",
    );
    let mut rest = String::new();
    for outcome in outcomes {
        let equal = match (&outcome.skipped, outcome.equal) {
            (Some(_), _) => "skipped".to_owned(),
            (None, Some(events)) if outcome.passed() => format!("yes, {events} events"),
            (None, _) if outcome.passed() => "–".to_owned(),
            _ => "**FAILED**".to_owned(),
        };
        let said = outcome.skipped.as_ref().map_or_else(|| outcome.said.join("; "), |why| format!("skipped: {why}"));
        // Writing to a text doesn't fail.
        let _ = writeln!(
            text,
            "| {} | {} | {} | {} | {} | {} |",
            outcome.name,
            said.replace('|', "/"),
            seconds(outcome.found),
            seconds(outcome.back),
            outcome.continuity,
            equal
        );
        for note in &outcome.notes {
            let _ = writeln!(rest, "{}: {note}", outcome.name);
        }
        for wrong in outcome.wrong.iter().take(5) {
            let _ = writeln!(rest, "FAILED {}: {wrong}", outcome.name);
        }
        if outcome.wrong.len() > 5 {
            let _ = writeln!(rest, "FAILED {}: and {} more", outcome.name, outcome.wrong.len() - 5);
        }
    }
    if !rest.is_empty() {
        text.push('\n');
        text.push_str(&rest);
    }
    text
}
