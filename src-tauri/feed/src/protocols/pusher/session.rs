//! One connection.
//!
//! ```text
//! connection_established → subscribe (public); signature?, subscribe (private, one after the other) → subscription_succeeded
//!                          events…; ping → pong: everything before it has come
//! ```

use std::{
    collections::{BTreeMap, VecDeque},
    sync::Arc,
    time::Duration,
};

use url::Url;
use watchfloor_model::{Event, Mono, limits::NAME_BYTES_MAX};

use super::{
    FULL_MILLIS, Roster, SLOW_MILLIS,
    channel::{Access, Channel, Sealed, State, mark},
    open_roster,
    presence::{self, MEMBERS_MAX, Member},
    subscribe::Question,
    user::{self, SignIn},
    wire::{self, Frame, Refusal},
};
use crate::{
    config::{Secret, SourceConfig},
    envelope::{Envelope, Outside},
    fault::{LinkFault, cut},
    port::{Message, Response},
    protocols::{Moment, Place, Session, Signal, counted::Counted},
};

/// How long a server may take for a pong while it sends other things: Soketi leaves out what it can't get rid of, without a word.
const PONG_MAX: Duration = Duration::from_secs(30);
/// Proofs that may be due while an earlier one is unanswered, on a connection that answers pings meanwhile.
const PROOFS_DUE_MAX: u8 = 2;
/// Most encrypted events of a channel that wait for a key.
const SEALED_MAX: usize = 1000;
/// Most bytes of them.
const SEALED_BYTES_MAX: usize = 1 << 20;
/// A message of the client's wasn't taken, most often because there were too many.
const NOT_TAKEN: i64 = 4301;
/// How often another key is asked for at most.
const KEY_SPACING: Duration = Duration::from_secs(10);

/// A connection.
#[derive(Debug)]
pub(super) struct PusherSession {
    pub(super) names: Arc<[Arc<str>]>,
    by_name: BTreeMap<Arc<str>, usize>,
    pub(super) channels: Vec<Channel>,
    pub(super) places: Counted,
    envelope: Envelope,
    roster: Roster,
    /// By which name it is signed for, once it stands.
    pub(super) socket: Option<String>,
    /// Channels that are still to be subscribed to, public ones and others.
    pub(super) open: VecDeque<usize>,
    pub(super) unsigned: VecDeque<usize>,
    /// The one of the others that the server was asked for: what it refuses without saying what is that one.
    pub(super) asked: Option<usize>,
    pub(super) next_question: u32,
    /// Where users are signed in, and where that stands on this connection.
    pub(super) users_at: Option<Url>,
    pub(super) user: SignIn,
    /// What whoever signs was asked and hasn't answered.
    pub(super) questions: BTreeMap<u32, Question>,
    /// Whether subscribing goes on with the next pong: all that comes before it belongs to earlier subscriptions.
    pub(super) resumes: bool,
    /// Whether everyone's roster is this one's: once everything was subscribed to.
    knows_all: bool,
    /// It is on trial: nobody is told what its roster is.
    on_trial: bool,
    /// A newer token is to be tried with the next pong.
    tries_token: bool,
    pings: u64,
    pub(super) pongs: u64,
    /// When a ping was first found to be unanswered.
    waits_since: Option<Mono>,
    proofs_due: u8,
    /// The server has left out what it had to send.
    has_left_out: bool,
    keyed: Option<Mono>,
}

impl PusherSession {
    pub(super) fn new(config: &SourceConfig, names: &Arc<[Arc<str>]>, seed: u64, roster: Roster) -> Self {
        Self {
            names: names.clone(),
            by_name: names.iter().enumerate().map(|(index, name)| (name.clone(), index)).collect(),
            channels: names.iter().map(|name| Channel::new(name)).collect(),
            places: Counted::new(names.len(), seed),
            envelope: config.envelope.clone(),
            roster,
            socket: None,
            open: VecDeque::new(),
            unsigned: VecDeque::new(),
            asked: None,
            next_question: 0,
            users_at: config.auth.as_ref().and_then(user::address),
            user: SignIn::default(),
            questions: BTreeMap::new(),
            resumes: false,
            knows_all: false,
            on_trial: false,
            tries_token: false,
            pings: 0,
            pongs: 0,
            waits_since: None,
            proofs_due: 0,
            has_left_out: false,
            keyed: None,
        }
    }

    pub(super) fn ping(&mut self) -> Message {
        self.pings += 1;
        wire::ping()
    }

    /// How many pongs there will be once every ping is answered.
    pub(super) const fn pongs_due(&self) -> u64 {
        self.pings
    }

    fn flows(&self) -> bool {
        self.channels.iter().all(Channel::flows)
    }

    fn frame(&mut self, frame: &Frame<'_>, now: Moment, out: &mut Vec<Signal>) {
        let channel = frame.channel.as_ref().and_then(|name| self.by_name.get(&**name)).copied();
        match (&*frame.event, channel) {
            ("pusher:connection_established", _) => self.established(frame, out),
            ("pusher:ping", _) => out.push(Signal::Reply { message: wire::pong() }),
            ("pusher:pong", _) => self.ponged(now, out),
            ("pusher:error", _) => self.refused(&Refusal::of(frame), out),
            ("pusher:signin_success", _) => self.signed_in(frame, out),
            ("pusher_internal:subscription_succeeded", Some(index)) => self.succeeded(index, frame, now, out),
            ("pusher:subscription_error", Some(index)) => self.not_subscribed(index, &Refusal::of(frame), out),
            ("pusher:cache_miss", Some(index)) => self.recalled(index, None, now, out),
            ("pusher_internal:member_added", Some(index)) => self.came(index, frame, now, out),
            ("pusher_internal:member_removed", Some(index)) => self.went(index, frame, now, out),
            (name, Some(index)) if !name.starts_with("pusher:") && !name.starts_with("pusher_internal:") => {
                self.said(index, name, &frame.body(), now, out);
            }
            _ => {}
        }
    }

    fn established(&mut self, frame: &Frame<'_>, out: &mut Vec<Signal>) {
        if self.socket.is_some() {
            return;
        }
        let Some(socket) = wire::socket_id(frame) else {
            let reason = "the server's greeting has no usable `socket_id`".to_owned();
            return out.push(Signal::Unreadable { reason });
        };
        self.socket = Some(socket);
        // What an earlier connection was told of when to come back is over with this one.
        out.push(Signal::RetryAfter { millis: 0 });
        // It proves its stream when it is asked.
        out.push(Signal::Hello { heartbeat: Duration::ZERO, clock: None, grant: None });
        self.go_on(out);
    }

    fn ponged(&mut self, now: Moment, out: &mut Vec<Signal>) {
        self.pongs = (self.pongs + 1).min(self.pings);
        if self.pongs == self.pings {
            self.waits_since = None;
            self.proofs_due = 0;
        }
        if std::mem::take(&mut self.resumes) {
            return self.go_on(out);
        }
        self.recall_no_more(now, out);
        if self.pongs == self.pings && std::mem::take(&mut self.tries_token) {
            self.try_token(out);
        }
        self.beat(out);
    }

    fn refused(&mut self, refusal: &Refusal, out: &mut Vec<Signal>) {
        let is_auth = matches!(refusal.code, None | Some(4009)) || refusal.is_auth;
        if self.socket.is_none() {
            // Before it stands a refusal means that it never will, whether or not the server closes.
            let denied = matches!(refusal.code, Some(4001..=4099));
            let wait = match refusal.code {
                Some(4100..=4199) => Some(FULL_MILLIS),
                Some(4000 | 4300..=4999) => Some(SLOW_MILLIS),
                _ => None,
            };
            out.extend(wait.map(|millis| Signal::RetryAfter { millis }));
            out.push(Signal::Error { code: refusal.code(), message: refusal.message.clone(), denied });
        } else if let Some(index) = self.asked.filter(|_| is_auth) {
            self.not_subscribed(index, &Refusal { is_auth, ..refusal.clone() }, out);
        } else if self.refuses_user(refusal, is_auth, out) {
            // It was about that.
        } else if self.flows() && refusal.code == Some(NOT_TAKEN) {
            // A message wasn't taken, by a Reverb that counts them: none of what the wall says then is anything but a ping or a
            // pong. It is no sign that events were left out.
            self.pings = self.pongs;
            self.waits_since = None;
            self.proofs_due = 0;
        } else if !self.flows() || matches!(refusal.code, Some(4000..=4299)) {
            // On a connection that stands it may be about anything, and is kept for the close that may follow.
            out.push(Signal::Error { code: refusal.code(), message: refusal.message.clone(), denied: false });
        }
    }

    /// An application's event.
    pub(super) fn said(&mut self, index: usize, name: &str, body: &str, now: Moment, out: &mut Vec<Signal>) {
        match self.channels[index].state {
            State::Recalling { .. } => return self.recalled(index, Some((name, body)), now, out),
            State::Subscribed => {}
            State::Idle | State::Signed(_) | State::Asked => return,
        }
        if self.channels[index].sort.access != Access::Encrypted {
            return self.deliver(index, name, body, now, out);
        }
        let channel = &self.channels[index];
        let is_waiting = !channel.sealed.is_empty();
        match channel.key.as_ref().filter(|_| !is_waiting).and_then(|key| key.open(body)) {
            Some(plain) => self.deliver(index, name, &plain, now, out),
            None if is_waiting || self.keyed.is_none_or(|last| now.mono.since(last) >= KEY_SPACING) => {
                self.seal(index, name, body, now, out);
            }
            None => self.reject(index, "it can't be decrypted by the channel's key".to_owned(), out),
        }
    }

    /// Keeps an event until there is another key.
    fn seal(&mut self, index: usize, name: &str, body: &str, now: Moment, out: &mut Vec<Signal>) {
        let channel = &mut self.channels[index];
        let bytes: usize = channel.sealed.iter().map(|one| one.name.len() + one.body.len()).sum();
        if channel.sealed.len() >= SEALED_MAX || bytes + name.len() + body.len() > SEALED_BYTES_MAX {
            let reason = format!("more events of `{}` than can wait for its key", self.names[index]);
            return out.push(Signal::Resubscribe { reason });
        }
        let asks = channel.sealed.is_empty();
        channel.sealed.push_back(Sealed { name: name.to_owned(), body: body.to_owned() });
        if asks {
            self.keyed = Some(now.mono);
            self.ask(index, Question::Key { index, at: now }, out);
        }
    }

    /// Takes what waited for a key, which there is or isn't.
    pub(super) fn unseal(&mut self, index: usize, now: Moment, out: &mut Vec<Signal>) {
        for Sealed { name, body } in std::mem::take(&mut self.channels[index].sealed) {
            match self.channels[index].key.as_ref().and_then(|key| key.open(&body)) {
                Some(plain) => self.deliver(index, &name, &plain, now, out),
                None => self.reject(index, "it can't be decrypted by the channel's key".to_owned(), out),
            }
        }
    }

    fn deliver(&mut self, index: usize, name: &str, body: &str, now: Moment, out: &mut Vec<Signal>) {
        let mark = self.channels[index].sort.caches.then(|| mark(name, body));
        let Some(position) = self.places.next(index, mark.as_deref()) else { return };
        if name.len() > NAME_BYTES_MAX {
            let reason = format!("its name has {} bytes, the limit is {NAME_BYTES_MAX}", name.len());
            return out.push(Signal::Rejected { place: Some((index, position)), reason });
        }
        let outside = Outside { channel: &self.names[index], name, id: None, time: now.wall, received: now.mono };
        out.push(match self.envelope.open_any(body, outside) {
            Ok(event) => {
                let event = Event { position: Some(position.clone()), ..event };
                Signal::Event { channel: index, position, event }
            }
            Err(reason) => Signal::Rejected { place: Some((index, position)), reason: cut(&reason) },
        });
    }

    fn reject(&mut self, index: usize, reason: String, out: &mut Vec<Signal>) {
        if let Some(position) = self.places.next(index, None) {
            out.push(Signal::Rejected { place: Some((index, position)), reason });
        }
    }

    fn came(&mut self, index: usize, frame: &Frame<'_>, now: Moment, out: &mut Vec<Signal>) {
        if let State::Recalling { .. } = self.channels[index].state {
            // Reverb keeps such a thing as the last event.
            return self.recalled(index, None, now, out);
        }
        let Some(member) = presence::change(frame).filter(|_| self.channels[index].flows()) else { return };
        if self.channels[index].members.len() >= MEMBERS_MAX {
            return self.crowded(index, out);
        }
        if self.channels[index].members.insert(member.id.clone()) {
            if self.knows_all {
                open_roster(&self.roster).entry(index).or_default().came(&member.id);
            }
            self.tell(index, "presence.joined", member, now, out);
        }
    }

    fn went(&mut self, index: usize, frame: &Frame<'_>, now: Moment, out: &mut Vec<Signal>) {
        if let State::Recalling { .. } = self.channels[index].state {
            return self.recalled(index, None, now, out);
        }
        let Some(member) = presence::change(frame).filter(|_| self.channels[index].flows()) else { return };
        if self.channels[index].members.remove(&member.id) {
            if self.knows_all
                && let Some(known) = open_roster(&self.roster).get_mut(&index)
            {
                known.went(&member.id);
            }
            self.tell(index, "presence.left", member, now, out);
        }
    }

    /// More are there than are followed.
    fn crowded(&self, index: usize, out: &mut Vec<Signal>) {
        let reason = format!("`{}` has more members than the {MEMBERS_MAX} that are followed", self.names[index]);
        out.push(Signal::Rejected { place: None, reason });
    }

    /// An event about a member. Once everything flows it has no place: it is the server's, and says nothing of the publisher.
    fn tell(&mut self, index: usize, name: &'static str, member: Member, now: Moment, out: &mut Vec<Signal>) {
        let position = if self.knows_all { None } else { self.places.next(index, None) };
        let event = Event {
            channel: self.names[index].clone(),
            name: name.into(),
            id: None,
            position: position.clone(),
            time: now.wall,
            received: now.mono,
            data: member.body(),
        };
        out.push(match position {
            Some(position) => Signal::Event { channel: index, position, event },
            None => Signal::Loose { publisher: None, event },
        });
    }

    /// Everyone who is there, and who has left since it was last known.
    pub(super) fn call_roll(&mut self, index: usize, now: Moment, out: &mut Vec<Signal>) {
        let channel = &mut self.channels[index];
        let mut roll = std::mem::take(&mut channel.roll);
        let is_crowd = roll.len() > MEMBERS_MAX;
        roll.truncate(MEMBERS_MAX);
        channel.members = roll.iter().map(|member| member.id.clone()).collect();
        let mut roster = open_roster(&self.roster);
        let known = roster.entry(index).or_default();
        let left: Vec<Arc<str>> = known.members.difference(&channel.members).cloned().collect();
        if self.knows_all {
            channel.members.iter().for_each(|id| known.came(id));
            left.iter().for_each(|id| known.went(id));
        }
        drop(roster);
        if is_crowd {
            self.crowded(index, out);
        }
        for id in left {
            self.tell(index, "presence.left", Member { id, info: None }, now, out);
        }
        for member in roll {
            self.tell(index, "presence.here", member, now, out);
        }
    }

    /// Everything is subscribed to: what was held of it is handed over now.
    pub(super) fn settle(&mut self) {
        if self.on_trial || !self.flows() || std::mem::replace(&mut self.knows_all, true) {
            return;
        }
        let of_presence =
            self.channels.iter().enumerate().filter(|(_, channel)| channel.sort.access == Access::Presence);
        let mut roster = open_roster(&self.roster);
        for (index, channel) in of_presence {
            let place = self.places.at(index).cloned();
            roster.entry(index).or_default().begin(channel.members.clone(), place);
        }
    }

    /// Up to where everything has come. What waits for a key hasn't been handed over.
    pub(super) fn beat(&self, out: &mut Vec<Signal>) {
        let Some(mut beat) = self.places.beat() else { return };
        if let Signal::Heartbeat { beats, .. } = &mut beat {
            for beat in beats {
                beat.behind = self.channels[beat.channel].sealed.len() as u64;
            }
        }
        out.push(beat);
    }

    /// Whether a ping has gone unanswered for so long, while other things came, that the answer was left out.
    fn has_lost_pong(&mut self, now: Moment) -> bool {
        if self.pongs >= self.pings {
            return false;
        }
        let since = *self.waits_since.get_or_insert(now.mono);
        self.proofs_due > PROOFS_DUE_MAX || now.mono.since(since) > PONG_MAX
    }
}

impl Session for PusherSession {
    fn subscribe(&mut self, places: &[Place], again: bool) -> Vec<Message> {
        let mut messages = Vec::new();
        if again && self.socket.is_some() {
            let taken = |channel: &Channel| !matches!(channel.state, State::Idle | State::Signed(_));
            let left = self.names.iter().zip(&self.channels).filter(|(_, channel)| taken(channel));
            messages.extend(left.map(|(name, _)| wire::unsubscribe(name)));
        }
        if !self.on_trial {
            for (index, told) in open_roster(&self.roster).iter_mut() {
                told.settle(places.get(*index).and_then(|place| place.position.as_ref()));
            }
        }
        self.places.begin_again();
        self.questions.clear();
        self.asked = None;
        self.knows_all = false;
        for (channel, place) in self.channels.iter_mut().zip(places) {
            channel.begin_again();
            channel.last = place.position.as_ref().and_then(|place| place.mark.clone());
        }
        let all = 0..self.channels.len();
        let (users, others): (Vec<usize>, Vec<usize>) =
            all.partition(|index| self.channels[*index].sort.access == Access::User);
        (self.unsigned, self.open) = others.into_iter().partition(|index| self.channels[*index].sort.is_signed());
        match self.user {
            // It holds for the connection.
            SignIn::Done => self.open.extend(users),
            SignIn::Sent => {}
            // The site's answer to it is nobody's any more.
            SignIn::No | SignIn::Asked => self.user = SignIn::No,
        }
        if self.socket.is_some() {
            self.resumes = true;
            messages.push(self.ping());
        }
        messages
    }

    fn begin_trial(&mut self) {
        // As it joins nothing it never takes over.
        self.on_trial = true;
    }

    fn can_resubscribe(&self) -> bool {
        // A connection that leaves things out is no good.
        !self.has_left_out
    }

    fn authorise(&mut self, _token: &Secret) -> Option<Message> {
        // The server knows no tokens. Whoever signs does, and is asked once more.
        self.flows().then(|| {
            self.tries_token = true;
            self.ping()
        })
    }

    fn joins(&self) -> bool {
        // The server keeps nothing.
        false
    }

    fn ask_clock(&mut self, _id: u64) -> Option<Message> {
        None
    }

    fn prove(&mut self) -> Vec<Message> {
        if self.socket.is_none() || !self.flows() {
            return Vec::new();
        }
        if self.pongs < self.pings {
            self.proofs_due = self.proofs_due.saturating_add(1);
            return Vec::new();
        }
        vec![self.ping()]
    }

    fn decode_text(&mut self, text: &[u8], now: Moment, out: &mut Vec<Signal>) {
        match serde_json::from_slice::<Frame<'_>>(text) {
            Ok(frame) => self.frame(&frame, now, out),
            Err(_) if self.socket.is_none() => {
                return out
                    .push(Signal::Unreadable { reason: "the server does not speak Pusher's protocol".to_owned() });
            }
            Err(error) => {
                // It may have been an event. As nothing is numbered, nothing else would tell that one is missing.
                let reason = cut(&format!("not a message: {error}"));
                out.push(Signal::Rejected { place: None, reason: reason.clone() });
                if self.channels.iter().any(Channel::flows) {
                    out.push(Signal::Resubscribe { reason });
                }
            }
        }
        if self.has_lost_pong(now) && !self.has_left_out {
            self.has_left_out = true;
            let reason = "the server leaves out what it can't send fast enough".to_owned();
            out.push(Signal::Resubscribe { reason });
        }
    }

    fn exchanged(&mut self, number: u32, outcome: Result<Response, LinkFault>, _now: Moment, out: &mut Vec<Signal>) {
        self.answered(number, outcome, out);
    }
}
