//! One connection to Centrifugo.
//!
//! ```text
//! connect → connected ─ subscribe… → subscribed (with what was missed), or an error
//!                        publications…; {} → {}; history → where each stream stands; presence → who is there
//!                        unsubscribe…, subscribe… → again; refresh, sub_refresh → a new token's life
//! ```

use std::{
    collections::{BTreeMap, VecDeque},
    sync::Arc,
    time::Duration,
};

use serde_json::{Value, json};
use url::Url;
use watchfloor_model::{Mono, Timestamp};

use super::{
    flow::{Channel, is_servers, life},
    memory::Memory,
    presence::ROLL_PERIOD,
    uplink::Uplink,
    wire::{Connected, Life, Refusal, Reply},
};
use crate::{
    clock::Reading,
    config::{Secret, SourceConfig},
    envelope::Envelope,
    fault::{LinkFault, cut},
    limits::UNREADABLE_LINES_MAX,
    port::{Message, Request, Response},
    protocols::{Grant, Moment, Place, Session, Signal},
};

/// How this program calls itself: at most 16 bytes.
const NAME: &str = "watchfloor";
/// The most bytes of commands in one message: half of what a server takes by default, also as a text within a text.
const BATCH_BYTES_MAX: usize = 24 << 10;
/// Error codes that mean that access is denied: unauthorised, permission denied.
const DENIED: [u32; 2] = [101, 103];
/// The error code of a token that has come to its end.
const TOKEN_EXPIRED: u32 = 109;
/// Where a stream's top or its members are asked for in vain: they may not be asked for, or there are none.
const NOT_TOLD: [u32; 2] = [103, 108];

/// A command that isn't answered yet.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Command {
    Connect,
    Subscribe(usize),
    Unsubscribe,
    Refresh,
    /// A newer token for a channel.
    Renew(usize),
    Top(usize),
    Roll(usize),
    /// Anything, to have it answered.
    Ping,
}

/// A connection.
#[derive(Debug)]
pub(super) struct CentrifugoSession {
    pub(super) names: Arc<[Arc<str>]>,
    pub(super) by_name: BTreeMap<Arc<str>, usize>,
    pub(super) channels: Vec<Channel>,
    pub(super) envelope: Envelope,
    pub(super) memory: Memory,
    pub(super) token: Option<Secret>,
    /// Who gives subscription tokens.
    pub(super) auth: Option<Url>,
    pub(super) wants_presence: bool,
    /// It is on trial: nobody is told who is there.
    pub(super) on_trial: bool,
    pub(super) seed: u64,
    /// The epoch of places that are counted here.
    pub(super) own_epoch: Arc<str>,
    next_id: u32,
    pub(super) pending: BTreeMap<u32, Command>,
    connected: bool,
    answers_pings: bool,
    /// Over HTTP.
    uplink: Option<Uplink>,
    /// A ping of ours is due.
    owes_ping: bool,
    pub(super) next_question: u32,
    /// Channels for which the site was asked for a token.
    pub(super) questions: BTreeMap<u32, usize>,
    /// Channels for which it is still to be asked.
    pub(super) unasked: VecDeque<usize>,
    /// When something was heard last.
    pub(super) heard: Mono,
    /// When there is something to do next.
    due: Mono,
    /// Lines in a row that are none of the protocol's.
    unreadable: usize,
}

/// The first command. Nothing but that may stand before the answer to it.
pub(super) fn connect(token: Option<&Secret>, places: &[Place], memory: &Memory) -> Message {
    let mut body = json!({ "name": NAME });
    // For what the server subscribes this client to by itself; others it would take for such as well.
    for (_, place) in places.iter().enumerate().filter(|(index, _)| memory.subscribes(*index)) {
        if let Some(position) = place.position.as_ref().filter(|position| is_servers(position)) {
            body["subs"][&*place.channel] =
                json!({ "recover": true, "offset": position.offset, "epoch": *position.epoch });
        }
    }
    let command = |body: Value| Message::text(json!({ "id": 1, "connect": body }).to_string());
    let Some(token) = token else { return command(body) };
    body["token"] = token.expose().into();
    command(body).secret()
}

impl CentrifugoSession {
    pub(super) fn new(
        config: &SourceConfig,
        names: &Arc<[Arc<str>]>,
        seed: u64,
        memory: Memory,
        uplink: Option<Uplink>,
    ) -> Self {
        Self {
            names: names.clone(),
            by_name: names.iter().enumerate().map(|(index, name)| (name.clone(), index)).collect(),
            channels: names.iter().map(|_| Channel::default()).collect(),
            envelope: config.envelope.clone(),
            memory,
            token: config.token.clone(),
            auth: config.auth.clone(),
            wants_presence: config.promises.presence,
            on_trial: false,
            seed,
            own_epoch: format!("link-{seed:016x}").into(),
            next_id: 0,
            pending: BTreeMap::new(),
            connected: false,
            answers_pings: false,
            uplink,
            owes_ping: false,
            next_question: 0,
            questions: BTreeMap::new(),
            unasked: VecDeque::new(),
            heard: Mono::ZERO,
            due: Mono::NEVER,
            unreadable: 0,
        }
    }

    pub(super) fn command(&mut self, command: Command, kind: &str, body: Value) -> String {
        self.next_id += 1;
        self.pending.insert(self.next_id, command);
        let mut message = serde_json::Map::new();
        message.insert("id".to_owned(), self.next_id.into());
        message.insert(kind.to_owned(), body);
        Value::Object(message).to_string()
    }

    /// Asks for a channel from where it was asked for.
    pub(super) fn subscription(&mut self, index: usize) -> String {
        let channel = &self.channels[index];
        let mut body = json!({ "channel": *self.names[index], "positioned": true, "recoverable": true });
        if let Some(place) = &channel.asked {
            body["recover"] = true.into();
            body["offset"] = place.offset.into();
            body["epoch"] = (*place.epoch).into();
        }
        if let Some(token) = &channel.token {
            body["token"] = token.expose().into();
        }
        // Patches go on from what came last before: where that isn't known the first of them could not be applied.
        let has_base = channel.asked.as_ref().is_none_or(|place| self.memory.base(index, place).is_some());
        if has_base && !channel.no_patches {
            body["delta"] = "fossil".into();
        }
        if self.wants_presence {
            body["join_leave"] = true.into();
        }
        self.command(Command::Subscribe(index), "subscribe", body)
    }

    /// All channels that don't wait for a token, as few messages.
    fn subscriptions(&mut self, mut commands: Vec<String>) -> Vec<Message> {
        let mut is_secret = false;
        for index in 0..self.channels.len() {
            if self.channels[index].is_servers {
                continue;
            }
            if self.lacks_token(index) {
                self.unasked.push_back(index);
            } else {
                is_secret |= self.channels[index].token.is_some();
                commands.push(self.subscription(index));
            }
        }
        batches(&commands)
            .into_iter()
            .map(|text| if is_secret { Message::text(text).secret() } else { Message::text(text) })
            .collect()
    }

    /// Takes one line.
    fn line(&mut self, line: &str, now: Moment, out: &mut Vec<Signal>) {
        if line.is_empty() {
            return;
        }
        let reply: Reply<'_> = match serde_json::from_str(line) {
            Ok(reply) => reply,
            Err(error) => {
                out.push(Signal::Rejected { place: None, reason: cut(&format!("not a message: {error}")) });
                self.unreadable += 1;
                self.miss();
                return;
            }
        };
        self.unreadable = 0;
        if let Some(push) = reply.push {
            self.push(push, now, out);
        } else if reply.id == 0 {
            // A ping: all that was sent before it has come.
            if self.answers_pings {
                out.push(Signal::Reply { message: Message::text("{}".to_owned()) });
            }
            self.beat(out);
        } else {
            self.answer(reply, now, out);
        }
    }

    /// Something that can't be read came: perhaps an answer, which comes once. Tops that are waited for prove nothing any more, and are
    /// asked for anew in their time; waiting on for one would leave a stream unproven for ever.
    fn miss(&mut self) {
        self.pending.retain(|_, command| !matches!(command, Command::Top(_)));
    }

    fn answer(&mut self, reply: Reply<'_>, now: Moment, out: &mut Vec<Signal>) {
        let Some(command) = self.pending.remove(&reply.id) else { return };
        // An error is an answer.
        if self.uplink.as_mut().is_some_and(|uplink| uplink.answers_ping(reply.id)) {
            out.push(Signal::Pong);
        }
        if command == Command::Ping {
            return;
        }
        if let Some(refusal) = reply.error {
            return self.refused(command, &refusal, out);
        }
        // What was asked for is in it even where that says nothing. Of one that was damaged nothing is known.
        let is_answered = match command {
            Command::Connect => reply.connect.map(|answer| self.connected(answer, now, out)),
            Command::Subscribe(index) => reply.subscribe.map(|answer| self.subscribed(index, answer, now, out)),
            Command::Refresh => {
                reply.refresh.map(|answer| out.push(Signal::Authorised { grant: Grant::new(life(answer)) }))
            }
            Command::Renew(index) => reply.sub_refresh.map(|answer| self.token_taken(index, life(answer), now)),
            Command::Top(index) => reply.history.map(|answer| self.stands(index, &answer, out)),
            Command::Roll(index) => reply.presence.map(|answer| self.call_roll(index, &answer, now, out)),
            Command::Unsubscribe | Command::Ping => Some(()),
        };
        if is_answered.is_none() {
            let reason = format!("an answer to {command:?} that lacks what was asked for");
            out.push(Signal::Unreadable { reason });
        }
    }

    fn refused(&mut self, command: Command, refusal: &Refusal<'_>, out: &mut Vec<Signal>) {
        let reason = format!("{} ({})", cut(&refusal.message), refusal.code);
        match command {
            Command::Top(index) => {
                // It answers, in turn with all else; more is not to be had.
                self.channels[index].is_mute |= NOT_TOLD.contains(&refusal.code);
                self.beat_after_tops(out);
            }
            Command::Roll(index) if NOT_TOLD.contains(&refusal.code) => {
                self.channels[index].is_faceless = true;
                self.channels[index].roll_at = None;
                let reason = format!("`{}`: who is there isn't told: {reason}", self.names[index]);
                out.push(Signal::Rejected { place: None, reason });
            }
            Command::Roll(_) | Command::Unsubscribe | Command::Ping => {}
            Command::Refresh => out.push(Signal::Declined { reason }),
            Command::Renew(index) => self.renewal_refused(index),
            Command::Connect if refusal.code == TOKEN_EXPIRED => out.push(Signal::Expired),
            Command::Subscribe(index)
                if (refusal.code == TOKEN_EXPIRED || DENIED.contains(&refusal.code))
                    && self.try_token(index, refusal.code == TOKEN_EXPIRED) => {}
            Command::Connect | Command::Subscribe(_) => {
                let about = match command {
                    Command::Subscribe(index) => format!("`{}`: {}", self.names[index], cut(&refusal.message)),
                    _ => cut(&refusal.message),
                };
                let denied = DENIED.contains(&refusal.code) && !refusal.temporary;
                out.push(Signal::Error { code: refusal.code.to_string(), message: about, denied });
            }
        }
    }

    fn connected(&mut self, reply: Connected<'_>, now: Moment, out: &mut Vec<Signal>) {
        self.connected = true;
        self.answers_pings = reply.pong;
        self.memory.is_called(&reply.client);
        if let Some(uplink) = &mut self.uplink {
            uplink.is_called(&reply.session, &reply.node);
        }
        let clock = Timestamp::from_millis(reply.time);
        let clock = (reply.time > 0).then_some(Reading { now: clock, speed: 1.0, label: None });
        // Where it sends none it is asked where its streams stand.
        let heartbeat = Duration::from_secs(u64::from(reply.ping));
        let grant = Grant::new(life(Life { expires: reply.expires, ttl: reply.ttl }));
        let grant = self.token.as_ref().map(|_| grant);
        out.push(Signal::Hello { heartbeat, clock, grant });
        let subs: Vec<_> =
            reply.subs.into_iter().filter_map(|(name, sub)| Some((*self.by_name.get(&*name)?, sub))).collect();
        self.memory.is_subscribed(subs.iter().map(|(index, _)| *index).collect());
        for (index, subscribed) in subs {
            self.channels[index].is_servers = true;
            self.subscribed(index, subscribed, now, out);
        }
        let messages = self.subscriptions(Vec::new());
        out.extend(messages.into_iter().map(|message| Signal::Reply { message }));
        out.extend(self.ping_now().map(|message| Signal::Reply { message }));
    }

    /// The ping that is due, once it can be sent.
    fn ping_now(&mut self) -> Option<Message> {
        if !self.connected || !std::mem::take(&mut self.owes_ping) {
            return None;
        }
        let body = json!({ "channel": *self.names[0] });
        let message = Message::text(self.command(Command::Ping, "history", body));
        self.uplink.as_mut()?.pinged(self.next_id, self.heard);
        Some(message)
    }

    /// Something of a channel is due at a time of its own.
    pub(super) fn look_again(&mut self) {
        let times = self.channels.iter().flat_map(|channel| [channel.renew_at, channel.roll_at]);
        self.due = times.flatten().min().unwrap_or(Mono::NEVER);
    }

    /// Does what is due. There is no timer: something comes several times within the limit.
    pub(super) fn go_on(&mut self, now: Moment, out: &mut Vec<Signal>) {
        self.ask_tokens(out);
        if self.uplink.as_ref().is_some_and(|uplink| uplink.has_lost_ping(now.mono)) {
            self.owes_ping = true;
            out.extend(self.ping_now().map(|message| Signal::Reply { message }));
        }
        if now.mono < self.due || !self.connected {
            return;
        }
        let mut commands = Vec::new();
        for index in 0..self.channels.len() {
            if self.channels[index].renew_at.is_some_and(|at| at <= now.mono) {
                self.channels[index].renew_at = None;
                self.unasked.push_back(index);
            }
            if self.channels[index].roll_at.is_some_and(|at| at <= now.mono) {
                self.channels[index].roll_at = Some(now.mono.plus(ROLL_PERIOD));
                self.channels[index].presence.ask();
                let body = json!({ "channel": *self.names[index] });
                commands.push(self.command(Command::Roll(index), "presence", body));
            }
        }
        out.extend(batches(&commands).into_iter().map(|text| Signal::Reply { message: Message::text(text) }));
        self.look_again();
        self.ask_tokens(out);
    }

    fn decode(&mut self, text: &[u8], now: Moment, out: &mut Vec<Signal>) {
        self.heard = now.mono;
        let text = match std::str::from_utf8(text) {
            Ok(text) => text,
            Err(error) => {
                self.miss();
                let reason = format!("not UTF-8: invalid byte at {}", error.valid_up_to());
                return out.push(Signal::Rejected { place: None, reason });
            }
        };
        for line in text.split('\n') {
            self.line(line.trim_ascii(), now, out);
            if self.unreadable > UNREADABLE_LINES_MAX {
                return out
                    .push(Signal::Unreadable { reason: "the server does not speak Centrifugo's protocol".to_owned() });
            }
        }
    }
}

/// Commands in as few messages as the server takes.
fn batches(commands: &[String]) -> Vec<String> {
    let mut batches: Vec<String> = Vec::new();
    for command in commands {
        match batches.last_mut().filter(|batch| batch.len() + command.len() < BATCH_BYTES_MAX) {
            Some(batch) => {
                batch.push('\n');
                batch.push_str(command);
            }
            None => batches.push(command.clone()),
        }
    }
    batches
}

impl Session for CentrifugoSession {
    fn subscribe(&mut self, places: &[Place], again: bool) -> Vec<Message> {
        for (channel, place) in self.channels.iter_mut().zip(places) {
            channel.begin_again(place.position.as_ref());
        }
        self.questions.clear();
        self.unasked.clear();
        self.look_again();
        self.pending.retain(|_, command| {
            !matches!(command, Command::Subscribe(_) | Command::Renew(_) | Command::Top(_) | Command::Roll(_))
        });
        if !again {
            self.next_id = 1;
            self.pending.insert(1, Command::Connect);
            // Over HTTP the request brought it.
            return if self.uplink.is_some() {
                Vec::new()
            } else {
                vec![connect(self.token.as_ref(), places, &self.memory)]
            };
        }
        if !self.connected {
            return Vec::new();
        }
        let mut commands = Vec::with_capacity(self.channels.len() * 2);
        for index in 0..self.channels.len() {
            let body = json!({ "channel": *self.names[index] });
            commands.push(self.command(Command::Unsubscribe, "unsubscribe", body));
        }
        self.subscriptions(commands)
    }

    fn can_resubscribe(&self) -> bool {
        // What the server subscribed to by itself is begun again by another connection alone.
        !self.channels.iter().any(|channel| channel.is_servers)
    }

    fn begin_trial(&mut self) {
        self.on_trial = true;
    }

    fn take_over(&mut self, now: Moment, out: &mut Vec<Signal>) {
        self.meet_told(now, out);
    }

    fn authorise(&mut self, token: &Secret) -> Option<Message> {
        if !self.connected {
            return None;
        }
        self.token = Some(token.clone());
        let command = self.command(Command::Refresh, "refresh", json!({ "token": token.expose() }));
        Some(Message::text(command).secret())
    }

    fn joins(&self) -> bool {
        let leaks = |(index, channel): (usize, &Channel)| {
            channel.at.as_ref().is_some_and(|at| self.memory.has_leaked(index, &at.epoch))
        };
        !self.channels.iter().enumerate().any(leaks)
    }

    fn ask_clock(&mut self, _id: u64) -> Option<Message> {
        None
    }

    fn answers(&self) -> bool {
        self.uplink.is_some()
    }

    fn uplink(&mut self, message: Message) -> Result<(u32, Request), Message> {
        let Some(uplink) = &mut self.uplink else { return Err(message) };
        self.next_question += 1;
        uplink.request(self.next_question, message)
    }

    fn ping(&mut self) -> Option<Message> {
        self.owes_ping = self.uplink.is_some();
        self.ping_now()
    }

    fn prove(&mut self) -> Vec<Message> {
        if self.uplink.as_ref().is_some_and(|uplink| uplink.has_lost_tops(self.heard)) {
            self.miss();
        }
        let is_asking = self.pending.values().any(|command| matches!(command, Command::Top(_)));
        if is_asking || !self.channels.iter().all(|channel| channel.at.is_some()) {
            return Vec::new();
        }
        let mut commands = Vec::new();
        for index in 0..self.channels.len() {
            // The first one is asked in any case: an error is an answer.
            if (!self.channels[index].is_mute && self.channels[index].placed) || index == 0 {
                let body = json!({ "channel": *self.names[index] });
                commands.push(self.command(Command::Top(index), "history", body));
            }
        }
        self.uplink.iter_mut().for_each(|uplink| uplink.asked_tops(self.heard));
        batches(&commands).into_iter().map(Message::text).collect()
    }

    fn decode_text(&mut self, text: &[u8], now: Moment, out: &mut Vec<Signal>) {
        self.decode(text, now, out);
        self.go_on(now, out);
    }

    fn decode_chunk(&mut self, bytes: &[u8], now: Moment, out: &mut Vec<Signal>) {
        let Some(mut uplink) = self.uplink.take() else { return };
        let mut messages: Vec<Result<Vec<u8>, usize>> = Vec::new();
        uplink.frames.push(bytes, &mut |frame| messages.push(frame.map(<[u8]>::to_vec)));
        self.uplink = Some(uplink);
        for message in messages {
            match message {
                Ok(text) => self.decode(&text, now, out),
                Err(bytes) => {
                    self.miss();
                    let reason = format!("a message of {bytes} bytes is too long");
                    out.push(Signal::Rejected { place: None, reason });
                }
            }
        }
        self.go_on(now, out);
    }

    fn exchanged(&mut self, number: u32, outcome: Result<Response, LinkFault>, _now: Moment, out: &mut Vec<Signal>) {
        if let Some(answered) = self.uplink.as_mut().and_then(|uplink| uplink.answered(number, &outcome)) {
            out.extend(answered);
        } else if let Some(index) = self.questions.remove(&number) {
            self.token_given(index, outcome, out);
        }
    }
}
