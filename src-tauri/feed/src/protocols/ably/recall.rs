//! How a connection goes on where its server doesn't: by what the channel's history says was missed.

use std::sync::Arc;

use super::{
    history::{self, PAGE_BYTES_MAX, Step},
    session::{AblySession, Next},
    wire::{Frame, Said},
};
use crate::{
    fault::{LinkFault, cut},
    port::{Message, Response},
    protocols::{Moment, Session, Signal},
};

/// What is known of what was missed.
#[derive(Debug)]
pub(super) enum Missed {
    /// All of it.
    Known,
    /// Nothing: there is no event by which the history could be joined.
    Unasked,
    /// Nothing, and why the history doesn't tell.
    Unmet(String),
}

impl AblySession {
    /// Asks for a page of what was before the channel was attached.
    pub(super) fn ask_history(&mut self, index: usize, out: &mut Vec<Signal>) {
        let Some(recall) = &mut self.channels[index].recall else { return };
        self.questions += 1;
        recall.question = self.questions;
        let request = history::request(recall.url.clone(), self.token.as_ref());
        out.push(Signal::Post { number: self.questions, request, body_bytes_max: PAGE_BYTES_MAX });
    }

    /// The answer to one of these questions.
    pub(super) fn history_told(
        &mut self,
        number: u32,
        outcome: Result<Response, LinkFault>,
        now: Moment,
        out: &mut Vec<Signal>,
    ) {
        let is_asked = |recall: &history::Recall| recall.question == number;
        let Some(index) = self.channels.iter().position(|channel| channel.recall.as_ref().is_some_and(is_asked)) else {
            return;
        };
        let channel = &mut self.channels[index];
        let Some(mut recall) = channel.recall.take() else { return };
        let step = match recall.take(outcome, |id| channel.knows(id)) {
            Step::More(next) => recall.turn_page(&next).map_or_else(Step::Unmet, |()| Step::More(next)),
            step => step,
        };
        if let Some(place) = recall.place.as_ref().filter(|_| channel.seen.is_empty()) {
            // A wall that was started again remembers none of what may be rewound.
            for id in recall.old.iter().rev() {
                channel.remember(place, id);
            }
        }
        channel.recall = Some(recall);
        match step {
            Step::More(_) => self.ask_history(index, out),
            Step::Met => self.recalled(index, &Missed::Known, now, out),
            Step::Unmet(why) => self.recalled(index, &Missed::Unmet(why), now, out),
        }
    }

    /// The channel begins anew: what was missed is to be asked for from elsewhere.
    pub(super) fn forget_recall(&mut self, index: usize) {
        let channel = &mut self.channels[index];
        if let Some(recall) = channel.recall.take() {
            channel.asked = recall.place;
        }
    }

    /// Whether a channel's frame waits for what was missed before it.
    pub(super) fn holds(&mut self, frame: &Frame<'_>, text: &[u8], now: Moment, out: &mut Vec<Signal>) -> bool {
        let Some(index) = self.index(frame) else { return false };
        let Some(recall) = &mut self.channels[index].recall else { return false };
        if !recall.hold(text) {
            let why = "more came meanwhile than could be held".to_owned();
            self.recalled(index, &Missed::Unmet(why), now, out);
        }
        true
    }

    /// The channel goes on.
    pub(super) fn recalled(&mut self, index: usize, missed: &Missed, now: Moment, out: &mut Vec<Signal>) {
        let channel = &mut self.channels[index];
        let Some(recall) = channel.recall.take() else { return };
        channel.begin(recall.serial.as_deref());
        let serial: Option<Arc<str>> = channel.serial.clone();
        let begins = !std::mem::replace(&mut channel.joined, true);
        let why = match missed {
            Missed::Unmet(history) => format!("{}; its history: {history}", recall.why),
            Missed::Known | Missed::Unasked => recall.why,
        };
        match (missed, recall.place.filter(|_| begins)) {
            (Missed::Known, Some(place)) => out.push(self.counted.resumed(index, place)),
            // It is counted on.
            (Missed::Known, None) => {}
            _ if begins => out.push(self.counted.subscribed_after(index, serial.as_deref(), &why)),
            _ => {
                if let Some(head) = self.counted.skip(index, 1, serial.as_deref()) {
                    out.push(Signal::Lost { channel: index, head, reason: why });
                }
            }
        }
        for (at, raw) in recall.found.iter().enumerate().rev() {
            let read = serde_json::from_str::<Said<'_>>(raw);
            let id = read.as_ref().ok().and_then(|said| said.id.clone());
            // Only once all of it has come the channel can be gone on with after the serial.
            let is_last = at == 0;
            let mark = is_last.then(|| self.channels[index].pass(id.as_deref(), serial.as_deref())).flatten();
            self.take(index, Next { read, id, mark, plain: Ok(None), sent: None }, now, out);
        }
        if !recall.has_presence {
            let mut changes = Vec::new();
            self.channels[index].presence.empty(&mut changes);
            self.tell(index, changes, now, out);
        }
        for text in recall.held {
            if let Err(reason) = self.frame(&text, now, out) {
                out.push(Signal::Unreadable { reason: cut(&reason) });
            }
        }
        out.extend(self.prove().into_iter().map(|message: Message| Signal::Reply { message }));
    }
}
