//! What the wall says of its sources, as codes with parameters: the page makes the sentence in its own language (`ui/src/core/said.ts`), and
//! [`std::fmt::Display`] the English one, for logs, reports and the command line.

use std::{fmt, time::Duration};

use serde::{Deserialize, Serialize};
#[cfg(test)]
use ts_rs::TS;
use watchfloor_model::Transport;

use crate::freshness::{Freshness, span_words};

/// A sentence, or a part of one. Lengths of time are in milliseconds, whole seconds from one second on.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(TS), ts(export_to = "frame.ts"))]
#[serde(tag = "code", rename_all = "kebab-case")]
pub enum Said {
    /// Another's own words, such as a server's or a connection's: they stay as they are.
    Words {
        /// The words.
        words: String,
    },
    /// Parts that follow each other, after a comma.
    List {
        /// The parts.
        parts: Vec<Said>,
    },
    /// Parts that stand beside each other, after a semicolon.
    Beside {
        /// The parts.
        parts: Vec<Said>,
    },
    /// Nothing was heard from the server for so long, or ever.
    ServerSilent {
        /// For how long.
        ms: Option<u64>,
    },
    /// This machine is slow: what is shown may be so old.
    MachineSlow {
        /// How old.
        ms: u64,
    },
    /// The publisher was silent for so long, or was never heard, and promises to speak.
    PublisherSilent {
        /// For how long.
        ms: Option<u64>,
        /// How often it promises to speak.
        quiet_ms: u64,
    },
    /// What was missed is being caught up with.
    CatchingUp,
    /// Nobody has asked for a connection.
    NotConnected,
    /// A connection is being made.
    Connecting,
    /// The next try is now.
    TryingAgain,
    /// The next try is in so long.
    NextTry {
        /// In how long.
        ms: u64,
    },
    /// The server refuses access, without words of its own.
    AccessRefused,
    /// Live, but no event has come.
    NoEvent,
    /// A record has nothing that would have renewed it.
    NotRenewed,
    /// A source is live by this transport.
    Live {
        /// The transport, if it is known.
        #[cfg_attr(test, ts(type = "'websocket' | 'sse' | 'http-stream' | 'long-poll' | 'poll' | 'tcp' | null"))]
        transport: Option<Transport>,
    },
    /// A source is polled.
    Polling {
        /// How often.
        every_ms: u64,
    },
    /// A source's token could not be renewed.
    NoNewerToken {
        /// Why, in another's words.
        why: String,
    },
    /// Some of a source's paths are lost.
    PathsLost {
        /// How many.
        lost: u32,
        /// Of how many.
        of: u32,
        /// Where the first of them leads.
        place: String,
        /// Why it was lost, in another's words.
        cause: String,
    },
    /// A source is catching up by this transport.
    SourceCatchingUp {
        /// The transport, if it is known.
        #[cfg_attr(test, ts(type = "'websocket' | 'sse' | 'http-stream' | 'long-poll' | 'poll' | 'tcp' | null"))]
        transport: Option<Transport>,
        /// What stands in the way.
        reason: Option<Box<Said>>,
    },
    /// A source's server refuses it.
    SourceRefused {
        /// Why.
        reason: Box<Said>,
    },
    /// Every widget is live.
    AllLive {
        /// How many there are.
        count: u32,
    },
    /// Some widgets aren't: how many are how, the worst first.
    NotLive {
        /// How many are how.
        levels: Vec<(Freshness, u32)>,
        /// Of how many.
        of: u32,
    },
    /// No wall runs.
    #[default]
    NotRunning,
    /// The disk doesn't answer.
    DiskSilent,
    /// The journal can't be written.
    NotRemembering {
        /// Since when, as a machine writes it.
        since: String,
    },
    /// A damaged journal was set aside.
    JournalReplaced,
    /// Entries of the record of alarms are not what was written.
    AlarmsDamaged {
        /// How many.
        #[cfg_attr(test, ts(type = "number"))]
        count: u64,
    },
    /// The engine has stopped.
    EngineStopped,
    /// The board's file is gone.
    BoardGone {
        /// Its name.
        file: String,
    },
    /// The board's file can't be read.
    BoardUnreadable {
        /// Its name.
        file: String,
    },
    /// What the board's file says can't be taken over.
    BoardRefused {
        /// Its name.
        file: String,
    },
    /// Another program keeps this wall's record.
    KeptByAnother,
    /// What is shown is of another replay.
    OtherReplay {
        /// Where that began.
        before: String,
        /// Where the one behind the cut begins.
        from: String,
    },
    /// Several screens have no window each.
    ScreensNeedX11,
    /// A source was lost so long ago.
    SourceLost {
        /// How long ago.
        ms: u64,
        /// Why.
        reason: Box<Said>,
    },
}

impl Said {
    /// Another's words.
    #[must_use]
    pub fn words(words: impl Into<String>) -> Self {
        Self::Words { words: words.into() }
    }
}

/// A length of time as a sentence has it: no finer than it is said, so that it changes no more often.
#[must_use]
pub fn said_ms(span: Duration) -> u64 {
    let said = if span.as_secs() == 0 { span.as_millis() } else { u128::from(span.as_secs()) * 1_000 };
    u64::try_from(said).unwrap_or(u64::MAX)
}

impl fmt::Display for Said {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let span = |ms: &u64| span_words(Duration::from_millis(*ms));
        let by = |transport: &Option<Transport>| {
            transport.map(|transport| format!(" by {}", transport_words(transport))).unwrap_or_default()
        };
        match self {
            Self::Words { words } => f.write_str(words),
            Self::List { parts } => joined(f, parts, ", "),
            Self::Beside { parts } => joined(f, parts, "; "),
            Self::ServerSilent { ms: Some(ms) } => write!(f, "nothing heard from the server for {}", span(ms)),
            Self::ServerSilent { ms: None } => f.write_str("nothing heard from the server yet"),
            Self::MachineSlow { ms } => write!(f, "this machine is slow: what is shown may be {} old", span(ms)),
            Self::PublisherSilent { ms: Some(ms), quiet_ms } => {
                write!(f, "publisher silent for {}, it promises to speak every {}", span(ms), span(quiet_ms))
            }
            Self::PublisherSilent { ms: None, quiet_ms } => {
                write!(f, "no publisher heard yet, it promises to speak every {}", span(quiet_ms))
            }
            Self::CatchingUp => f.write_str("catching up with what was missed"),
            Self::NotConnected => f.write_str("not connected yet"),
            Self::Connecting => f.write_str("connecting"),
            Self::TryingAgain => f.write_str("trying again"),
            Self::NextTry { ms } => write!(f, "next try in {}", span(ms)),
            Self::AccessRefused => f.write_str("the server refuses access"),
            Self::NoEvent => f.write_str("no event yet"),
            Self::NotRenewed => f.write_str("nothing is recorded that would have renewed it"),
            Self::Live { transport } => write!(f, "live{}", by(transport)),
            Self::Polling { every_ms } => write!(f, "polling every {}", span(every_ms)),
            Self::NoNewerToken { why } => write!(f, "no newer token: {why}"),
            Self::PathsLost { lost, of, place, cause } => write!(f, "{lost} of {of} paths lost, {place}: {cause}"),
            Self::SourceCatchingUp { transport, reason: Some(reason) } => {
                write!(f, "catching up{}: {reason}", by(transport))
            }
            Self::SourceCatchingUp { transport, reason: None } => write!(f, "catching up{}", by(transport)),
            Self::SourceRefused { reason } => write!(f, "refused: {reason}"),
            Self::AllLive { count } => write!(f, "all {count} live"),
            Self::NotLive { levels, of } => {
                for (at, (level, number)) in levels.iter().enumerate() {
                    write!(f, "{}{number} {}", if at > 0 { ", " } else { "" }, level.word())?;
                }
                write!(f, " of {of}")
            }
            Self::NotRunning => f.write_str("not running"),
            Self::DiskSilent => f.write_str("the disk does not answer: what comes now can't be shown until it does"),
            Self::NotRemembering { since } => write!(f, "not remembering since {since}: the journal can't be written"),
            Self::JournalReplaced => f.write_str("the journal was damaged: a new one was begun"),
            Self::AlarmsDamaged { count } => write!(f, "entries of the record of alarms can't be read: {count}"),
            Self::EngineStopped => f.write_str("the engine has stopped: nothing here is current any more"),
            Self::BoardGone { file } => write!(f, "{file} is gone: the last good board goes on"),
            Self::BoardUnreadable { file } => write!(f, "{file} can't be read: the last good board goes on"),
            Self::BoardRefused { file } => write!(f, "{file} was refused: the last good board goes on"),
            Self::KeptByAnother => {
                f.write_str("another watchfloor keeps this wall's record: this one remembers nothing")
            }
            Self::OtherReplay { before, from } => write!(
                f,
                "what is shown is of a replay that began at {before}: the one from {from} is behind the cut (another --data-dir begins empty)"
            ),
            Self::ScreensNeedX11 => f.write_str("several screens need X11: this wall has one window"),
            Self::SourceLost { ms, reason } => write!(f, "lost {} ago: {reason}", span(ms)),
        }
    }
}

fn joined(f: &mut fmt::Formatter<'_>, parts: &[Said], between: &str) -> fmt::Result {
    for (at, part) in parts.iter().enumerate() {
        if at > 0 {
            f.write_str(between)?;
        }
        write!(f, "{part}")?;
    }
    Ok(())
}

const fn transport_words(transport: Transport) -> &'static str {
    match transport {
        Transport::WebSocket => "WebSocket",
        Transport::Sse => "server-sent events",
        Transport::HttpStream => "HTTP streaming",
        Transport::LongPoll => "long poll",
        Transport::Tcp => "TCP",
        Transport::Poll => "poll",
    }
}
