//! The wall before other people's servers: each dialect's real server, driven by its own API, and the same scenarios for all. The
//! result is one matrix, dialect by scenario.

mod ably;
mod centrifugo;
mod example;
mod gate;
mod jwt;
mod mercure;
mod mqtt;
mod nats;
mod nchan;
mod peer;
mod poll;
mod process;
mod pusher;
mod record;
mod redis;
mod scenario;
mod sentinel;
mod socketio;
mod sockudo;
mod soketi;
mod sparkplug;
mod stand;
mod store;
pub mod table;
mod tls;
mod websocket;

use std::{fmt, path::Path};

use anyhow::Result;
use serde::Serialize;

use self::{
    ably::Ably,
    centrifugo::{Memory as Centrifugo, OverRedis},
    mercure::Mercure,
    mqtt::{Mosquitto, Old},
    nats::Nats,
    nchan::{LongPoll, Sse},
    peer::Peer,
    poll::Poll,
    redis::{PubSub, Streams},
    socketio::{SocketIo, SocketIoPolling, SocketIoRedis, SocketIoStreams},
    sockudo::Sockudo,
    soketi::Soketi,
    websocket::WebSocket,
};

/// What became of a scenario with a server.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case", tag = "outcome", content = "note")]
pub enum Cell {
    /// It went as it must.
    Passed,
    /// It didn't: how.
    Failed(String),
    /// The protocol has no such thing: why.
    NotOffered(String),
    /// The server can't be had here: why.
    NotRun(String),
}

impl fmt::Display for Cell {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Passed => "pass",
            Self::Failed(_) => "FAIL",
            Self::NotOffered(_) => "not offered",
            Self::NotRun(_) => "not run",
        })
    }
}

/// A dialect's row of the matrix.
#[derive(Clone, Debug, Serialize)]
pub struct Row {
    /// The source's kind.
    pub kind: &'static str,
    /// The server and its version.
    pub server: String,
    /// By scenario.
    pub cells: Vec<(&'static str, Cell)>,
    /// By what only this protocol has.
    pub own: Vec<(&'static str, Cell)>,
}

/// Each dialect's server: its row, and its transcript.
macro_rules! peers {
    ($($peer:ident),+ $(,)?) => {
        /// The kinds that have a row.
        pub const KINDS: &[&str] = &[$($peer::KIND),+];

        /// The boards of `examples` that are shown before a server, each as `example FILE`.
        pub const EXAMPLES: &[&[&str]] = &[$($peer::EXAMPLES),+];

        /// Runs one kind's row. `only` are the scenarios wanted; all, if there are none.
        ///
        /// # Errors
        /// If the tests themselves can't run.
        pub async fn run(kind: &str, only: &[String]) -> Result<Row> {
            match kind {
                $($peer::KIND => scenario::row::<$peer>(only).await,)+
                other => anyhow::bail!("no row of the kind `{other}`"),
            }
        }

        /// Keeps a transcript of one kind in a folder of `into`. Says why, if its server can't be had here.
        ///
        /// # Errors
        /// If the story doesn't end well.
        pub async fn record(kind: &str, into: &Path) -> Result<Option<String>> {
            match kind {
                $($peer::KIND => record::record::<$peer>(into).await,)+
                other => anyhow::bail!("no row of the kind `{other}`"),
            }
        }
    };
}

peers!(
    Centrifugo,
    OverRedis,
    Soketi,
    Sockudo,
    Ably,
    SocketIo,
    SocketIoPolling,
    SocketIoRedis,
    SocketIoStreams,
    Sse,
    Mercure,
    LongPoll,
    Poll,
    WebSocket,
    Streams,
    PubSub,
    Nats,
    Mosquitto,
    Old,
);
