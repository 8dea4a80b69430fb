//! The board without any I/O: board file, reducers, freshness, frames. Driven by `engine`; reused by `hub`.
//!
//! Time comes in as an argument. The same events and instants always give the same state.

mod aggregate;
pub mod alarm;
mod board;
pub mod config;
pub mod frame;
pub mod freshness;
#[cfg(test)]
mod fuzz;
mod geo;
pub use watchfloor_model::path;
pub mod hours;
mod pages;
mod reduce;
#[cfg(test)]
mod testing;

pub use aggregate::Aggregate;
pub use board::{
    AggregateCheckpoint, AlarmWords, Board, Called, ChannelCheckpoint, Checkpoint, DRIFTS_NAMED_MAX, Drift,
    GLASSES_MAX, GlassSpec, Mark, NotRestored, OvertakenCheckpoint, REJECTIONS_HELD_MAX, Recogniser, Room,
    ShareCheckpoint, SourceCheckpoint, Subject, UnusableCheckpoint,
};
pub use pages::Gesture;
pub use reduce::{Rejection, RestoreError};
