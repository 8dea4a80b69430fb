//! The hub: takes events by HTTP and passes them on to walls, with positions, history, snapshots and proofs of life.
//!
//! `docs/hub.md` is its contract. Inside, [`Hub`] is a shell around a value: `state` knows everything and does no I/O,
//! `subscription` is a reader's place in it, the modules under `door` write what it reads to a WebSocket, an event stream or an answer.

mod access;
mod body;
mod channel;
mod clock;
mod close;
mod cursor;
mod door;
mod failure;
#[cfg(test)]
mod fuzz;
mod guard;
mod hub;
mod idempotency;
mod ledger;
pub mod limits;
mod message;
mod publish;
mod routes;
mod serve;
mod stall;
mod state;
mod stop;
mod subscription;
mod wake;

pub use access::{KEY_BYTES_MIN, Readers, SigningKey};
pub use channel::HistoryLimits;
pub use guard::Token;
pub use hub::{Hub, HubConfig};
