//! What a client may read, as its site and revocations have it.

use std::sync::Arc;

use axum::extract::ws::Utf8Bytes;

use super::Session;
use crate::{
    app::Kind,
    authorise::{self, Asker, Withheld},
    door::{pusher::wire, withheld_words, words},
    people::Person,
    revocation::{Taken, Why},
};

impl Session {
    /// Asks the site whether the client may read, where one is asked about the channel; or a status and why not.
    pub(super) async fn ask_site(&mut self, name: &str, person: Option<&Person>) -> Result<(), (u16, String)> {
        // Who signed in is known by the site's signature.
        if Kind::of(name) == Kind::User {
            return Ok(());
        }
        let channel = self.app.inside(name);
        self.granted.remove(&channel);
        let asker = Asker {
            app: Some(self.app.id.clone()),
            user: self.user.clone().or_else(|| person.map(|person| person.id.clone())),
            connection: self.socket.to_string().into(),
            ..Asker::default()
        };
        match authorise::may(&self.hub, self.seat.id(), &asker, &channel).await {
            Ok(granted) => {
                self.granted.extend(granted.map(|granted| (channel, granted)));
                Ok(())
            }
            Err(why) => {
                let status = if why == Withheld::Unsure { 503 } else { 403 };
                Err((status, withheld_words(name, why).1))
            }
        }
    }

    /// Why somebody who has just got a channel may not read it after all: another site is to be asked about it by now. A status, a code and words.
    pub(super) fn unanswered(&self, name: &str, channel: &Arc<str>) -> Option<(u16, &'static str, String)> {
        let is_answered = self.hub.authoriser.is_answered(channel, self.granted.get(channel));
        let (code, message) = withheld_words(name, Withheld::Unsure);
        (Kind::of(name) != Kind::User && !is_answered).then_some((503, code, message))
    }

    /// Lets go of channels that were taken from the client, and tells it so.
    pub(super) fn lose(&mut self, frames: &mut Vec<Utf8Bytes>) {
        let now = self.hub.now().mono;
        let (lost, wakes) = {
            let mut state = self.hub.state();
            let lost = state.take_lost(self.seat.id());
            let (people, serial) = state.people_mut();
            let leave = |(channel, _): &(Arc<str>, Why)| people.unsubscribe(self.socket, channel, now, serial);
            let wakes: Vec<_> = lost.iter().map(leave).collect();
            (lost, wakes)
        };
        for (channel, why) in &lost {
            self.seats.remove(channel);
            self.granted.remove(channel);
            self.waker.remove(channel);
            let status = if *why == Why::Unsure { 503 } else { 403 };
            frames.push(wire::subscription_error(self.app.outside(channel), status, words(*why).1));
        }
        wakes.iter().for_each(|wake| self.hub.tell(wake));
    }

    /// Whether the client may do something: until its answer is out, a revocation waits for it.
    pub(super) fn may(&self) -> bool {
        let _state = self.hub.state();
        let may = self.seat.lease().taken() == Taken::Nothing;
        if may {
            self.seat.hold();
        }
        may
    }
}
