//! Engine.IO by polls: packets go up by POST and come down as answers to GET, as many as there are, one of each at a time.
//!
//! ```text
//! GET → open; POST CONNECT…; GET → CONNECT, events…; GET → …; POST pong; …
//! ```
//!
//! The server keeps a GET until there is something, and its pings come every 25 s by default. So it is made to say something within a
//! third of the limit: it is asked for a namespace that doesn't exist, and to a CONNECT it must answer. An answer has all that the
//! server had when it was asked for, so each is a proof (H1). A server that has such a namespace after all (an application
//! may make them as they are asked for) isn't asked again; then its pings are all there is, and mostly come too seldom.
//!
//! Two GETs at once, one that is let go, or two POSTs end the session: the next POST waits for the answer to the last, and
//! what comes meanwhile goes with it.

use std::collections::VecDeque;

use watchfloor_model::Mono;

use super::{
    VERSION, VERSION_BEFORE,
    session::{SocketIoSession, prefix},
    wire::{BETWEEN, Part, parts},
};
use crate::{
    config::Secret,
    fault::{LinkFault, LinkFaultKind},
    limits::POSTS_BYTES_MAX,
    port::{Message, Response},
    protocols::{Moment, Place, Session, Signal},
};

/// A namespace that no server has.
pub(super) const PROMPT: &str = "/watchfloor-probe";
/// What a POST is answered with.
const TAKEN: &[u8] = b"ok";

/// Whether the server can be made to answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Prompt {
    Free,
    /// It was asked, and hasn't answered.
    Asked,
    /// It has the namespace.
    Never,
}

/// A connection by polls; one by WebSocket, once it has gone on by that.
#[derive(Debug)]
pub(super) struct Polled {
    session: SocketIoSession,
    /// It goes by a WebSocket now.
    is_upgraded: bool,
    /// What waits to be posted.
    posts: VecDeque<Message>,
    posts_bytes: usize,
    /// Something is posted and not answered.
    is_posting: bool,
    prompt: Prompt,
    /// All namespaces were joined before the answer that comes now.
    is_joined: bool,
    /// When the newest answer came, and the one before it.
    answered: [Mono; 2],
}

impl Polled {
    pub(super) fn new(session: SocketIoSession) -> Self {
        let prompt = if session.follows(PROMPT) { Prompt::Never } else { Prompt::Free };
        Self {
            session,
            is_upgraded: false,
            posts: VecDeque::new(),
            posts_bytes: 0,
            is_posting: false,
            prompt,
            is_joined: false,
            answered: [Mono::ZERO; 2],
        }
    }

    /// Takes the packets of an answer, up to the first that can't be.
    fn take(&mut self, body: &[u8], now: Moment, out: &mut Vec<Signal>) -> Result<(), String> {
        if self.session.id.expose().is_empty() && is_of_version_3(body) {
            out.push(Signal::Version { found: VERSION_BEFORE, expected: VERSION });
            return Ok(());
        }
        for part in parts(body)? {
            match part? {
                Part::Text(text) => self.session.packet(text, now, out)?,
                Part::Binary(bytes) => self.session.attachment(&bytes, now, out)?,
            }
            if self.session.closed {
                // There is no other end to polls.
                out.push(Signal::Resubscribe { reason: "the server ended the connection".to_owned() });
                break;
            }
        }
        Ok(())
    }

    fn handle_prompted(&mut self, out: &mut Vec<Signal>) {
        match self.session.prompted.take() {
            Some(false) if self.prompt == Prompt::Asked => self.prompt = Prompt::Free,
            Some(true) => {
                self.prompt = Prompt::Never;
                self.keep(Message::text(prefix('1', PROMPT)), out);
                self.leave_to_pings(out);
            }
            Some(false) | None => {}
        }
    }

    /// Its own pings are all that proves the stream.
    fn leave_to_pings(&self, out: &mut Vec<Signal>) {
        out.push(Signal::Hello { heartbeat: self.session.interval, clock: None, grant: None });
    }

    /// Keeps a message until it can be posted.
    fn keep(&mut self, message: Message, out: &mut Vec<Signal>) {
        self.posts_bytes += message.as_text().map_or(0, str::len) + 1;
        self.posts.push_back(message);
        if self.posts_bytes > POSTS_BYTES_MAX {
            self.posts.clear();
            self.posts_bytes = 0;
            let reason = "the server asks for more answers than it takes".to_owned();
            out.push(Signal::Resubscribe { reason });
        }
    }

    /// Posts what waits, as much as the server takes at once.
    fn post(&mut self, out: &mut Vec<Signal>) {
        if self.is_posting {
            return;
        }
        let (mut body, mut is_secret) = (String::new(), false);
        while let Some(next) = self.posts.front().and_then(Message::as_text) {
            if !body.is_empty() {
                if body.len() + 1 + next.len() > self.session.payload_max {
                    break;
                }
                body.push(BETWEEN);
            }
            body.push_str(next);
            self.posts_bytes = self.posts_bytes.saturating_sub(next.len() + 1);
            is_secret |= self.posts.pop_front().is_some_and(|message| message.is_secret);
        }
        if body.is_empty() {
            return;
        }
        self.is_posting = true;
        let message = Message::text(body);
        out.push(Signal::Reply { message: if is_secret { message.secret() } else { message } });
    }

    /// What this answer proves: all that the server had when it was asked for has come.
    fn beat(&self, events: &[bool], now: Moment) -> Option<Signal> {
        let Signal::Heartbeat { clock, mut beats } = self.session.beat()? else { return None };
        if self.is_joined {
            // What came with it was sent after the answer before it, which was asked for when the one before that had come.
            let idle = now.mono.since(self.answered[1]);
            for beat in &mut beats {
                beat.idle = events.get(beat.channel).is_some_and(|has| *has).then_some(idle);
            }
        }
        Some(Signal::Heartbeat { clock, beats })
    }
}

/// Whether an answer begins with a packet's length, as before version 4: `97:0{…`.
fn is_of_version_3(body: &[u8]) -> bool {
    let digits = body.iter().take_while(|byte| byte.is_ascii_digit()).count();
    digits > 0 && body.get(digits..).is_some_and(|rest| rest.starts_with(b":0{"))
}

impl Session for Polled {
    fn subscribe(&mut self, places: &[Place], again: bool) -> Vec<Message> {
        self.session.subscribe(places, again)
    }

    fn can_resubscribe(&self) -> bool {
        self.session.can_resubscribe()
    }

    fn authorise(&mut self, token: &Secret) -> Option<Message> {
        self.session.authorise(token)
    }

    fn joins(&self) -> bool {
        self.session.joins()
    }

    fn ask_clock(&mut self, id: u64) -> Option<Message> {
        self.session.ask_clock(id)
    }

    fn cursor(&self) -> &str {
        self.session.id.expose()
    }

    fn decode_answer(&mut self, body: &[u8], now: Moment, out: &mut Vec<Signal>) -> bool {
        let start = out.len();
        let was_open = !self.session.id.expose().is_empty();
        if let Err(reason) = self.take(body, now, out) {
            out.push(Signal::Unreadable { reason });
            return false;
        }
        if !was_open {
            if self.session.id.expose().is_empty() {
                out.push(Signal::Unreadable { reason: "not a Socket.IO server: it names no session".to_owned() });
                return false;
            }
            if self.prompt == Prompt::Never {
                self.leave_to_pings(out);
            }
        }
        self.handle_prompted(out);
        let mut events = Vec::new();
        for signal in &out[start..] {
            if let Signal::Event { channel, .. } = signal {
                events.resize(events.len().max(channel + 1), false);
                events[*channel] = true;
            }
        }
        let replies: Vec<Signal> = out.extract_if(start.., |signal| matches!(signal, Signal::Reply { .. })).collect();
        for reply in replies {
            if let Signal::Reply { message } = reply {
                self.keep(message, out);
            }
        }
        self.post(out);
        let beat = self.beat(&events, now);
        self.is_joined = beat.is_some();
        out.extend(beat);
        self.answered = [now.mono, self.answered[0]];
        // Where events come there may be more.
        !was_open || !events.is_empty()
    }

    fn is_held(&self) -> bool {
        !self.is_upgraded && self.prompt != Prompt::Never
    }

    fn prompt(&mut self, out: &mut Vec<Signal>) {
        if self.prompt == Prompt::Free {
            self.prompt = Prompt::Asked;
            self.keep(Message::text(prefix('0', PROMPT)), out);
            self.post(out);
        }
    }

    fn exchanged(&mut self, _number: u32, outcome: Result<Response, LinkFault>, _now: Moment, out: &mut Vec<Signal>) {
        self.is_posting = false;
        match outcome {
            Ok(answer) if answer.status == 200 && answer.body.trim_ascii().eq_ignore_ascii_case(TAKEN) => {
                self.post(out);
            }
            Ok(answer) if answer.status == 200 => {
                let reason = "what was posted was answered by somebody else: a login page or proxy?".to_owned();
                out.push(Signal::Unreadable { reason });
            }
            Ok(answer) => {
                let (status, retry_after) = (answer.status, answer.retry_after);
                let kind = LinkFaultKind::Http { status, retry_after, content_type: None };
                let fault = LinkFault::new(kind, String::from_utf8_lossy(&answer.body));
                out.push(Signal::Unsigned { fault });
            }
            Err(fault) => out.push(Signal::Unsigned { fault }),
        }
    }

    fn begin_upgrade(&mut self) -> Option<Message> {
        Some(Message::text("2probe".to_owned()))
    }

    fn takes_upgrade(&self, text: &[u8]) -> bool {
        text == b"3probe"
    }

    fn finish_upgrade(&mut self) -> Option<Message> {
        if self.is_posting || !self.posts.is_empty() {
            return None;
        }
        self.is_upgraded = true;
        Some(Message::text("5".to_owned()))
    }

    fn ponged(&mut self, now: Moment, out: &mut Vec<Signal>) {
        self.session.ponged(now, out);
    }

    fn decode_text(&mut self, text: &[u8], now: Moment, out: &mut Vec<Signal>) {
        self.session.decode_text(text, now, out);
    }

    fn decode_binary(&mut self, bytes: &[u8], now: Moment, out: &mut Vec<Signal>) {
        self.session.decode_binary(bytes, now, out);
    }
}
