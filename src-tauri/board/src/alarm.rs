//! Alarms: what calls for somebody, once, and until it is dealt with (H6).
//!
//! [`machine`] is one alarm's states by ISA-18.2 and IEC 62682: no time, no condition, no sound. [`condition`] says whether something holds, by what is known;
//! [`delay`] for how long it must; [`watch`] which rules are asked when something changes; [`alarms`] has all alarms of a board, and
//! [`people`] what is done about them.

pub mod alarms;
mod change;
pub mod condition;
pub mod delay;
mod entry;
mod events;
pub mod flood;
pub mod foreign;
mod index;
pub(crate) mod input;
mod key;
pub mod late;
pub mod machine;
pub mod nuisance;
pub mod people;
pub mod report;
pub mod room;
pub mod since;
pub mod watch;

pub use self::{
    alarms::{AlarmKey, Alarms, AlarmsCheckpoint, Change, Instant, Priority, Standing, Terms, Told},
    entry::{AlarmEntry, AlarmWhat, Heard, priority_word, state_of, state_word},
    events::{EventRule, EventRules, Judge},
    nuisance::Nuisance,
    people::{Act, By, Refused, Said},
};

#[cfg(test)]
mod standard;
