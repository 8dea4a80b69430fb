//! Whether an aggregate is what the site's own database says, and putting it right where it isn't.
//!
//! The site is asked over HTTP while events go on, and its database has an event some time before or after the hub has it: `lag` at most. So what it
//! says of a number may be what the number was that long before, or will be that long after; if it was that at no time in between, it is off, by what
//! lacks to the nearest. Of rows those are held against the answer that no event spoke of in that time.

mod judge;
mod question;

use std::time::Duration;

use watchfloor_board::config::spec::{CounterStat, FoldSpec, ReducerSpec};

pub(crate) use self::question::follow;
use crate::guard::Token;

/// An aggregate that is asked for by its name.
#[derive(Clone, Debug)]
pub struct Named {
    /// Its name.
    pub id: String,
    /// What it folds.
    pub fold: FoldSpec,
    /// Who knows what it should be.
    pub reconcile: Option<Reconcile>,
}

/// Who knows what an aggregate should be.
#[derive(Clone, Debug)]
pub struct Reconcile {
    /// Where he is asked. Not shown: it may hold a secret.
    pub url: String,
    /// How often.
    pub every: Duration,
    /// By how long his database may be ahead of what the hub is told, or behind it.
    pub lag: Duration,
    /// What is presented there.
    pub token: Option<Token>,
}

/// By what an aggregate is held against what a site says.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Comparable {
    /// Its number.
    Number,
    /// What it holds by key, from the newest events of each.
    Rows,
    /// By nothing: it is of when things happened.
    Not,
}

/// By what a fold is.
pub(crate) const fn comparable(reducer: &ReducerSpec) -> Comparable {
    match reducer {
        ReducerSpec::Counter { stat: CounterStat::Count | CounterStat::Sum, .. } => Comparable::Number,
        ReducerSpec::Table { .. } | ReducerSpec::Status { .. } | ReducerSpec::Markers { .. } => Comparable::Rows,
        _ => Comparable::Not,
    }
}
