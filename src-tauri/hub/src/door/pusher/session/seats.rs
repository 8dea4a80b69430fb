//! A client's places in channels: how it comes to one, and leaves it.

use axum::extract::ws::Utf8Bytes;
use watchfloor_model::Mono;

use super::{Seat, Session, Waiting, cached};
use crate::{
    app::{self, Kind, OF_USER},
    door::{
        REVOKED,
        pusher::{
            order::{self, Signature, Subscribe},
            wire,
        },
    },
    limits,
    people::{Full, Happened, Person},
    revocation::Taken,
};

impl Session {
    pub(super) async fn subscribe(&mut self, asked: Subscribe, frames: &mut Vec<Utf8Bytes>) {
        let name = asked.channel.clone();
        let admitted = match self.admit(&asked) {
            Ok(person) => self.ask_site(&name, person.as_ref()).await.map(|()| person),
            Err(refused) => Err(refused),
        };
        match admitted {
            Ok(person) => self.come_to(Waiting { name: name.clone(), person, is_quiet: false }, frames),
            Err((status, message)) => {
                let code = if status == 503 { "authorise-failing" } else { "denied" };
                self.hub.note_refusal(self.seat.id(), code, Some(&name), &message);
                frames.push(wire::subscription_error(&name, status, &message));
            }
        }
    }

    /// Takes a seat as soon as it is known where the channel stands.
    pub(super) fn come_to(&mut self, waiting: Waiting, frames: &mut Vec<Utf8Bytes>) {
        let channel = self.app.inside(&waiting.name);
        let (is_here, are_known) = {
            let state = self.hub.state();
            let are_known = waiting.person.is_none() || state.people().knows_others(&channel);
            let may_send = state.may_send(self.hub.now());
            (may_send && state.can_begin(&channel, None, Mono::ZERO), are_known)
        };
        if is_here && are_known {
            let told: &mut Vec<_> = if waiting.is_quiet { &mut Vec::new() } else { frames };
            self.sit(&waiting.name, waiting.person, told);
            return;
        }
        self.waker.add(&channel);
        if !are_known {
            self.hub.want_people(&channel);
        }
        self.hub.want(&[(channel, None)].into());
        self.waiting.retain(|other| other.name != waiting.name);
        self.waiting.push(waiting);
    }

    /// As whom the client may come into the channel, nobody in particular if it is none of presence; or a status and why not.
    fn admit(&self, asked: &Subscribe) -> Result<Option<Person>, (u16, String)> {
        let name = &*asked.channel;
        app::check_channel(name).map_err(|problem| (400, problem))?;
        let is_new = !self.seats.contains_key(&self.app.inside(name));
        let max = self.hub.counts.channels(limits::PUSHER_SUBSCRIPTIONS_MAX);
        if is_new && self.seats.len() + self.waiting.len() >= max {
            return Err((403, format!("this connection has {max} channels: expected no more")));
        }
        match Kind::of(name) {
            Kind::Public => Ok(None),
            Kind::User => {
                let user = name.strip_prefix(OF_USER);
                let is_own = self.user.is_some() && self.user.as_deref() == user;
                is_own.then_some(None).ok_or((401, "the channel is of a user that has not signed in here".to_owned()))
            }
            Kind::Private => {
                self.check(asked.auth.as_ref(), &format!("{}:{name}", self.socket)).map_err(|why| (401, why))?;
                Ok(None)
            }
            Kind::Presence => {
                if self.hub.live().rules.of(&self.app.inside(name)).presence == Some(false) {
                    return Err((403, "who is in this channel isn't known: its namespace says so".to_owned()));
                }
                let data = asked.channel_data.as_deref().ok_or((400, "`channel_data` is missing".to_owned()))?;
                self.check(asked.auth.as_ref(), &format!("{}:{name}:{data}", self.socket)).map_err(|why| (401, why))?;
                order::person(data).map(Some).map_err(|problem| (400, problem))
            }
        }
    }

    /// Whether the application has signed this text.
    pub(super) fn check(&self, auth: Option<&Signature>, text: &str) -> Result<(), String> {
        let Some(Signature(auth)) = auth else { return Err("`auth` is missing: expected KEY:SIGNATURE".to_owned()) };
        let Some((key, signature)) = auth.split_once(':') else {
            return Err("`auth` has no `:`: expected KEY:SIGNATURE".to_owned());
        };
        if key != &*self.app.key {
            return Err("`auth` is by another application's key".to_owned());
        }
        if !self.app.signed(text, signature) {
            return Err("`auth` is not the application's signature of this connection and this channel".to_owned());
        }
        Ok(())
    }

    /// Takes a seat: from here on.
    pub(super) fn sit(&mut self, name: &str, person: Option<Person>, frames: &mut Vec<Utf8Bytes>) {
        let channel = self.app.inside(name);
        // Before it looks, or what comes meanwhile would not wake it.
        self.waker.add(&channel);
        let now = self.hub.now();
        let wake = {
            let mut state = self.hub.state();
            if matches!(self.seat.lease().taken(), Taken::All(_)) {
                // It is told so next.
                return;
            }
            let user = person.as_ref().map(|person| &person.id);
            let refused = match state.give(self.seat.id(), [(&channel, user)], now) {
                Err(_) => Some((403, "revoked", REVOKED.to_owned())),
                Ok(()) => self.unanswered(name, &channel),
            };
            if let Some((status, code, message)) = refused {
                frames.push(wire::subscription_error(name, status, &message));
                if !self.seats.contains_key(&channel) {
                    state.give_up(self.seat.id(), &channel);
                    self.waker.remove(&channel);
                }
                drop(state);
                self.hub.note_refusal(self.seat.id(), code, Some(name), &message);
                return;
            }
            self.seat.hold();
            let now = now.mono;
            let (people, serial) = state.people_mut();
            match people.subscribe(self.socket, &channel, person.as_ref(), serial) {
                Err(Full) => {
                    let max = limits::PRESENCE_MEMBERS_MAX;
                    let message = format!("{max} people are in this channel: expected no more");
                    frames.push(wire::subscription_error(name, 403, &message));
                    state.give_up(self.seat.id(), &channel);
                    drop(state);
                    self.waker.remove(&channel);
                    return;
                }
                Ok(wake) => {
                    let people = state.people();
                    let present = person.is_some().then(|| people.present(&channel));
                    frames.push(wire::subscribed(name, present));
                    let newest = app::is_cached(name).then(|| cached(&state, &channel, now));
                    if let Some(newest) = &newest {
                        frames.push(newest.clone().unwrap_or_else(|| wire::cache_miss(name)));
                    }
                    let (place, moves) = (state.ledger().head(&channel), people.moves(&channel));
                    let seat = Seat { place, moves, user: person.map(|person| person.id) };
                    if newest == Some(None) {
                        state.people_mut().0.note(Happened::Missed(channel.clone()));
                    }
                    // Who asks a second time goes on where he is.
                    self.seats.entry(channel).or_insert(seat);
                    wake
                }
            }
        };
        self.hub.tell(&wake);
    }

    pub(super) fn unsubscribe(&mut self, name: &str) {
        let channel = self.app.inside(name);
        self.granted.remove(&channel);
        let waited = self.waiting.len();
        self.waiting.retain(|waiting| waiting.name != name);
        if self.seats.remove(&channel).is_none() {
            if self.waiting.len() < waited {
                self.waker.remove(&channel);
            }
            return;
        }
        self.waker.remove(&channel);
        let now = self.hub.now().mono;
        let wake = {
            let mut state = self.hub.state();
            state.give_up(self.seat.id(), &channel);
            let (people, serial) = state.people_mut();
            people.unsubscribe(self.socket, &channel, now, serial)
        };
        self.hub.tell(&wake);
    }
}
