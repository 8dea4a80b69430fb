//! The life of one source's connection, as a value: no I/O, no clock, no randomness of its own.
//!
//! # How to drive it
//!
//! 1. [`Feed::new`], then [`Feed::restore`] with what the journal holds, then [`Feed::start`].
//! 2. After every `start`, `stop`, `handle_input` and `handle_timeout`: call [`Feed::poll_output`] until it gives
//!    `None` and do what each [`Output`] says, in order. [`Output::Status`] comes last of a drain: what was
//!    delivered before it is what the status speaks of.
//! 3. Ask [`Feed::poll_timeout`] for the next instant and call [`Feed::handle_timeout`] at or after it.
//! 4. Report what links and fetches do as [`Input`]s. Inputs of links and fetches that the feed has given up are
//!    ignored, so nothing needs to be cancelled in step with it.
//!
//! `now` never goes back. The same configuration, seed, inputs and instants always give the same outputs.
//!
//! # Rooms
//!
//! | module | what it holds |
//! | --- | --- |
//! | `feed` | [`Feed`]: the stages of a connection, what each input and timer does to them |
//! | `paths` | [`Paths`]: several addresses of one stream, followed at once |
//! | `catchup` | what was delivered and what must be held: order, overlap, holes, snapshot and replay (H3) |
//! | `liveness` | when a silent link is dead and when a talking one is behind (H1, H2) |
//! | `ladder` | by which way events travel, and when a better one is tried |
//! | `backoff` | when to try again |
//! | `timers` | one instant a reason |
//! | `clock` | the source's own time |
//! | `sse` | the event stream format of the HTML standard |
//! | `protocols` | one folder a dialect: requests, and bytes to the few signals that all dialects share |
//! | `port` | the types of inputs and outputs |
//! | `decode` | bytes to JSON: MessagePack, CBOR, base64, gzip and others |
//! | `envelope` | where in a message its name, id and time stand |
//! | `site` | what a site says that it has now, where its push service keeps no state |
//! | `bytes_text` | bytes as a transcript has them |
//! | `text` | small texts written for every event |
//! | `fault` | what can go wrong, whose fault it is, in words for people |

mod backoff;
mod bytes_text;
mod catchup;
mod clock;
mod config;
mod decode;
mod envelope;
mod fault;
mod feed;
#[cfg(test)]
mod fuzz;
mod intern;
mod ladder;
pub mod limits;
mod liveness;
mod paths;
mod port;
mod protocols;
mod random;
mod site;
mod sse;
mod timers;

pub use bytes::Bytes;
pub use config::{Cursor, Kind, Promises, Secret, SourceConfig, Sparkplug, Speak};
pub use decode::Codec;
pub use envelope::Envelope;
pub use fault::{CredentialFault, Fault, FaultKind, LinkFault, LinkFaultKind, Origin};
pub use feed::Feed;
pub use paths::{PATHS_MAX, Paths};
pub use port::{
    Body, Credential, Expiry, FetchId, Head, Header, HeaderValue, Input, LinkId, Message, Output, Request, Response,
};
pub use site::Site;
pub use sse::{Item as SseItem, Parser as SseParser};
pub use timers::TimerReason;
