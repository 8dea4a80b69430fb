//! The plain types that `feed`, `board`, `engine` and `hub` hand to each other.
//!
//! Nothing here does I/O, reads a clock or knows a wire format. A type belongs here when two crates that must
//! not know each other both speak of it: an event, its position, an instant, the state of a source.

mod clock;
mod delivery;
mod event;
#[cfg(test)]
mod fuzz;
mod json;
pub mod path;
mod position;
mod source;
mod steady;
pub mod text;
mod time;

pub use clock::SourceClock;
pub use delivery::{Check, Delivery, Gap, Recheck, Restated, Snapshot};
pub use event::{Event, Payload, PayloadError, limits};
pub use json::{Json, JsonWriter, Shape};
pub use position::{MARK_BYTES_MAX, Position, PositionError};
pub use source::{Cause, Continuity, Counts, PathStatus, Phase, SourceStatus, Transport};
pub use steady::SteadyClock;
pub use time::{Mono, Timestamp};
