//! Subscribing: whose turn it is, what whoever signs says, and what the server does.

use super::{
    channel::{Access, State, mark},
    presence,
    session::PusherSession,
    user::SignIn,
    wire::{self, Frame, Refusal, Unsigned},
};
use crate::{
    fault::LinkFault,
    port::Response,
    protocols::{Grant, Moment, Signal},
};

/// Public channels that are asked for before the server has answered: servers may count messages.
const SUBSCRIBES_MAX: usize = 16;
/// Signatures that are asked for at a time.
const SIGNATURES_MAX: usize = 4;
/// Why nothing is proven by a new subscription.
const NO_HISTORY: &str = "the server keeps no history";

/// What whoever signs was asked for.
#[derive(Clone, Copy, Debug)]
pub(super) enum Question {
    /// A subscription.
    Subscribe { index: usize },
    /// Another key, for events that came at that time.
    Key { index: usize, at: Moment },
    /// Whether a newer token is good.
    Token { index: usize },
    /// Whose connection it is.
    User,
    /// Whether a newer token is good for that.
    UserToken,
}

impl PusherSession {
    /// Asks for what comes next.
    pub(super) fn go_on(&mut self, out: &mut Vec<Signal>) {
        self.sign_in(out);
        let is_asked = |index: &usize| {
            let channel = &self.channels[*index];
            !channel.sort.is_signed() && matches!(channel.state, State::Asked)
        };
        let mut asked = (0..self.channels.len()).filter(is_asked).count();
        while asked < SUBSCRIBES_MAX
            && let Some(index) = self.open.pop_front()
        {
            self.channels[index].state = State::Asked;
            out.push(Signal::Reply { message: wire::subscribe(&self.names[index], None) });
            asked += 1;
        }
        // Refusals don't always say what is refused: one at a time.
        let is_signed = |index: &usize| matches!(self.channels[*index].state, State::Signed(_));
        if self.asked.is_none()
            && let Some(index) = (0..self.channels.len()).find(is_signed)
            && let State::Signed(signature) = std::mem::replace(&mut self.channels[index].state, State::Asked)
        {
            self.asked = Some(index);
            self.channels[index].key.clone_from(&signature.key);
            out.push(Signal::Reply { message: wire::subscribe(&self.names[index], Some(signature)) });
        }
        while self.questions.len() < SIGNATURES_MAX
            && let Some(index) = self.unsigned.pop_front()
        {
            self.ask(index, Question::Subscribe { index }, out);
        }
    }

    /// Asks whoever signs for a channel.
    pub(super) fn ask(&mut self, index: usize, question: Question, out: &mut Vec<Signal>) {
        let Some(socket) = self.socket.clone() else { return };
        self.next_question += 1;
        self.questions.insert(self.next_question, question);
        let form = vec![("socket_id", socket), ("channel_name", self.names[index].to_string())];
        out.push(Signal::Ask { number: self.next_question, form });
    }

    pub(super) fn answered(&mut self, number: u32, outcome: Result<Response, LinkFault>, out: &mut Vec<Signal>) {
        let Some(question) = self.questions.remove(&number) else { return };
        let (Question::Subscribe { index } | Question::Key { index, .. } | Question::Token { index }) = question else {
            let signature = wire::user_signature(outcome);
            return match (question, signature) {
                (Question::UserToken, Ok(_)) => out.push(Signal::Authorised { grant: Grant::Endless }),
                (Question::UserToken, Err(why)) => out.push(Signal::Declined { reason: why.text() }),
                (_, signature) => self.user_signed(signature, out),
            };
        };
        let signature = wire::signature(outcome, self.channels[index].sort.access);
        match (question, signature) {
            (Question::Subscribe { .. }, Ok(signature)) => {
                self.channels[index].state = State::Signed(signature);
                self.go_on(out);
            }
            (Question::Key { at, .. }, Ok(signature)) => {
                self.channels[index].key = signature.key;
                self.unseal(index, at, out);
            }
            (Question::Token { .. }, Ok(_)) => out.push(Signal::Authorised { grant: Grant::Endless }),
            (Question::Token { .. }, Err(why)) => out.push(Signal::Declined { reason: why.text() }),
            (Question::Key { at, .. }, Err(why)) if !why.is_refusal() => self.unseal(index, at, out),
            (Question::Subscribe { .. } | Question::Key { .. }, Err(why)) => self.unsigned(index, why, out),
            // Taken above.
            (Question::User | Question::UserToken, _) => {}
        }
    }

    /// There is no signature for a channel.
    fn unsigned(&self, index: usize, why: Unsigned, out: &mut Vec<Signal>) {
        let about = format!("`{}` isn't signed for: {}", self.names[index], why.text());
        out.push(match why {
            Unsigned::Later(fault) => Signal::Unsigned { fault },
            Unsigned::Denied(_) => Signal::Error { code: "403".to_owned(), message: about, denied: true },
            Unsigned::Failed(_) => Signal::Error { code: "unsigned".to_owned(), message: about, denied: false },
        });
    }

    /// Tries the newest token where it is of use.
    pub(super) fn try_token(&mut self, out: &mut Vec<Signal>) {
        match self.channels.iter().position(|channel| channel.sort.is_signed()) {
            Some(index) => self.ask(index, Question::Token { index }, out),
            None if self.user == SignIn::Done => self.ask_user(Question::UserToken, out),
            None => out.push(Signal::Authorised { grant: Grant::Endless }),
        }
    }

    /// The server took a subscription.
    pub(super) fn succeeded(&mut self, index: usize, frame: &Frame<'_>, now: Moment, out: &mut Vec<Signal>) {
        let is_presence = self.channels[index].sort.access == Access::Presence;
        let roll = if is_presence { presence::roll(frame) } else { Some(Vec::new()) };
        let Some(roll) = roll else {
            let message = format!("`{}`: the server doesn't say who is there", self.names[index]);
            return out.push(Signal::Error { code: "presence".to_owned(), message, denied: false });
        };
        match self.channels[index].state {
            State::Asked => {}
            State::Subscribed if is_presence => {
                // Said again: this is who is there now.
                self.channels[index].roll = roll;
                return self.call_roll(index, now, out);
            }
            _ => return,
        }
        self.channels[index].roll = roll;
        if self.asked == Some(index) {
            self.asked = None;
        }
        if self.channels[index].sort.caches {
            // Until the last event has come, or a pong without it: where it isn't kept, nothing says so.
            let ping = self.ping();
            out.push(Signal::Reply { message: ping });
            self.channels[index].state = State::Recalling { pongs: self.pongs_due() };
            return self.go_on(out);
        }
        self.subscribed(index, None, now, out);
    }

    /// What the server keeps as the last event has come: an event, or something else, or nothing.
    pub(super) fn recalled(&mut self, index: usize, event: Option<(&str, &str)>, now: Moment, out: &mut Vec<Signal>) {
        if let State::Recalling { .. } = self.channels[index].state {
            self.subscribed(index, event, now, out);
        }
    }

    /// A pong came: what is kept as the last event would have come before it.
    pub(super) fn recall_no_more(&mut self, now: Moment, out: &mut Vec<Signal>) {
        for index in 0..self.channels.len() {
            if matches!(self.channels[index].state, State::Recalling { pongs } if pongs <= self.pongs) {
                self.subscribed(index, None, now, out);
            }
        }
    }

    /// A channel flows from here, and the server may have said what it said last.
    fn subscribed(&mut self, index: usize, last: Option<(&str, &str)>, now: Moment, out: &mut Vec<Signal>) {
        self.channels[index].state = State::Subscribed;
        // An event of which the last link has delivered the like isn't delivered again: at most one more was as good.
        let known = self.channels[index].last.take();
        let is_known = last.is_some_and(|(name, body)| known.as_deref() == Some(&*mark(name, body)));
        let after = known.as_deref().filter(|_| is_known || last.is_none());
        out.push(self.places.subscribed_after(index, after, NO_HISTORY));
        if self.channels[index].sort.access == Access::Presence {
            self.call_roll(index, now, out);
        }
        self.settle();
        if let Some((name, body)) = last.filter(|_| !is_known) {
            self.said(index, name, body, now, out);
        }
        self.go_on(out);
        self.beat(out);
    }

    /// The server didn't take a subscription.
    pub(super) fn not_subscribed(&mut self, index: usize, refusal: &Refusal, out: &mut Vec<Signal>) {
        if matches!(self.channels[index].state, State::Idle | State::Signed(_)) {
            return;
        }
        let message = format!("`{}`: {}", self.names[index], refusal.message);
        out.push(Signal::Error { code: refusal.code(), message, denied: refusal.is_auth });
    }
}
