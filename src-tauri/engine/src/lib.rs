//! What runs behind a wall: connections to the sources, the journal, and the one loop that owns the board.
//!
//! ```text
//! transport ─▶ source (feed) ─▶ intake ─▶ journal ─▶ run (board) ◀─▶ pages
//!   a task      a task a source            a thread   a thread
//! ```
//!
//! Every arrow is a bounded queue: who can't keep up makes the one before wait, up to the peer's socket. A stuck peer, disk or
//! page delays only its own lane, and the delay is visible.

pub mod announce;
mod clock;
mod credentials;
mod desk;
pub mod desktop;
pub mod drill;
mod engine;
mod error;
mod event;
mod exporter;
mod frames;
#[cfg(test)]
mod fuzz;
mod glass;
mod intake;
mod journal;
pub mod logs;
mod metrics;
mod notify;
mod onward;
mod outages;
pub mod past;
pub mod probe;
pub mod record;
mod recorder;
mod rejections;
mod restore;
mod run;
mod secrets;
pub mod since;
mod source;
mod sources;
mod transcript;
mod transport;
mod watch;

pub use announce::Sought;
pub use clock::Clock;
pub use engine::{BoardInput, Engine, EngineConfig};
pub use error::{Blame, EngineError};
pub use frames::HEARTBEAT;
pub use glass::Latency;
pub use journal::Bounds;
pub use restore::is_held;
pub use watch::{Folder, why_unreadable};
