//! One client of the Pusher protocol: its channels, its places in them, and its answers.

mod rights;
mod seats;

use std::{
    cmp::Reverse,
    collections::{BTreeMap, BTreeSet, BinaryHeap},
    sync::Arc,
};

use axum::extract::ws::Utf8Bytes;
use rand::RngExt;
use tokio::time::Instant;
use watchfloor_model::{Mono, Position};

use super::{
    order::{self, Order, Signature},
    wire::{self, Code},
};
use crate::{
    app::{self, App, Kind, OF_USER},
    authorise::Granted,
    channel::{Aside, Ring},
    clock::Now,
    close::CloseReason,
    door::{
        REVOKED,
        allowance::Allowance,
        socket::{Heard, Talk},
        words,
    },
    hub::Shared,
    limits,
    people::{Happened, Person, Saying, Socket},
    publish::{self, Incoming},
    rates::{Speech, Whose},
    revocation::{Door, Lease, Peer, Seat as OwnSeat, Session as Entry, Taken, Why},
    routes::Doorway,
    state::{Outcome, StandsAgainst, State},
    stop::Stop,
    wake::Waker,
    webhook::Topic,
};

/// See the module.
pub(crate) struct Session {
    hub: Arc<Shared>,
    stop: Stop,
    waker: Waker,
    app: App,
    socket: Socket,
    /// By what it is among all who read.
    seat: Arc<OwnSeat>,
    is_greeted: bool,
    user: Option<Arc<str>>,
    seats: BTreeMap<Arc<str>, Seat>,
    /// By what the site has said, where it is asked.
    granted: BTreeMap<Arc<str>, Granted>,
    /// Channels of an engine of which it isn't known yet where they stand.
    waiting: Vec<Waiting>,
    /// When the client was last heard of, and when it was asked whether it is there since.
    heard: Mono,
    asked: Option<Mono>,
    allowance: Allowance,
}

/// A place in a channel.
struct Seat {
    /// Everything up to here was sent.
    place: Position,
    /// So many comings and goings.
    moves: u64,
    /// As whom.
    user: Option<Arc<str>>,
}

/// A seat to be.
struct Waiting {
    name: String,
    person: Option<Person>,
    /// Whether the client hasn't asked for it.
    is_quiet: bool,
}

impl Session {
    /// A client that has just come.
    pub(crate) fn new(door: Doorway, app: App, peer: Peer) -> Self {
        let Doorway { hub, stop } = door;
        let mut random = rand::rng();
        let socket = Socket::new(random.random_range(1..u32::MAX), random.random_range(1..u32::MAX));
        let waker = hub.wakers.register();
        let now = hub.now();
        let lease = Lease::new(peer.outlet, hub.fence.as_ref());
        let mut entry = Entry::new(socket.to_string().into(), Door::Pusher, now.wall, lease.clone());
        (entry.address, entry.app, entry.by) = (peer.address, Some(app.id.clone()), Some(app.mark()));
        {
            let mut state = hub.state();
            state.people_mut().0.connect(socket, waker.id(), app.id.clone());
            // Nothing can stand against who has said nothing yet.
            let _ = state.enter(waker.id(), entry, now);
            if !hub.live().knows(Some(app.mark()), Some(&app.id)) {
                // It was taken out of the hub's file just now.
                state.end_whole(&[waker.id()], Why::Revoked);
            }
        }
        let seat = OwnSeat::new(hub.clone(), waker.id(), lease, peer.place);
        let now = now.mono;
        Self {
            hub,
            stop,
            waker,
            app,
            socket,
            seat,
            is_greeted: false,
            user: None,
            seats: BTreeMap::new(),
            granted: BTreeMap::new(),
            waiting: Vec::new(),
            heard: now,
            asked: None,
            allowance: Allowance::new(now),
        }
    }

    fn sign_in(&mut self, auth: &Signature, user_data: &str, frames: &mut Vec<Utf8Bytes>) -> Option<CloseReason> {
        let signed = self.check(Some(auth), &format!("{}::user::{user_data}", self.socket));
        match signed.and_then(|()| order::user(user_data)) {
            Ok(user) => {
                let whose = Whose::User(Some(self.app.id.clone()), user.clone());
                match self.hub.counts.come(whose, true, self.hub.now().mono) {
                    Ok(place) => self.seat.count_as(place),
                    Err(why) => {
                        let (code, why) = (why.code, why.to_string());
                        self.hub.note_refusal(self.seat.id(), code, None, &why);
                        frames.push(wire::error(Some(Code::Later), &why));
                        return Some(CloseReason::Pusher(Code::Later));
                    }
                }
                {
                    let now = self.hub.now();
                    let mut state = self.hub.state();
                    let know = |entry: &mut Entry| entry.user = Some(user.clone());
                    if state.know(self.seat.id(), know, now) == Err(StandsAgainst) {
                        drop(state);
                        self.hub.note_refusal(self.seat.id(), "revoked", None, REVOKED);
                        frames.push(wire::error(Some(Code::Unauthorised), REVOKED));
                        return Some(CloseReason::Pusher(Code::Unauthorised));
                    }
                    state.people_mut().0.sign_in(self.socket, user.clone());
                }
                let own = format!("{OF_USER}{user}");
                self.user = Some(user);
                // What is sent to the user from now on reaches him, whenever his client comes to ask for it: that answer is for then.
                self.come_to(Waiting { name: own, person: None, is_quiet: true }, frames);
                frames.push(wire::signed_in(user_data));
                None
            }
            Err(why) => {
                self.hub.note_refusal(self.seat.id(), "unauthorised", None, &why);
                frames.push(wire::error(Some(Code::Unauthorised), &why));
                Some(CloseReason::Pusher(Code::Unauthorised))
            }
        }
    }

    /// Tells the others of a channel.
    ///
    /// # Errors
    /// Why not, for people.
    fn publish(&mut self, name: &str, channel: &str, data: &str, now: Mono) -> Result<(), String> {
        if !self.app.client_events {
            return Err("clients of this application may not publish".to_owned());
        }
        if !matches!(Kind::of(channel), Kind::Private | Kind::Presence) || app::is_encrypted(channel) {
            return Err("clients may publish on private and presence channels that are not encrypted".to_owned());
        }
        let inside = self.app.inside(channel);
        let Some((inside, seat)) = self.seats.get_key_value(&inside) else {
            return Err("the client is not subscribed to the channel".to_owned());
        };
        if !self.allowance.takes(now) {
            let max = limits::CLIENT_EVENTS_A_SECOND;
            return Err(format!("too many events of this client: expected at most {max} a second"));
        }
        let saying = Saying {
            channel: inside.clone(),
            event: name.into(),
            data: data.into(),
            socket: self.socket,
            user: seat.user.clone(),
        };
        let aside = Aside { is_bare: true, except: Some(self.socket), user: seat.user.clone() };
        let event = Incoming {
            channel: inside.clone(),
            name: publish::check_label("event", name, watchfloor_model::limits::NAME_BYTES_MAX)?,
            id: None,
            time: None,
            data: publish::data(data)?,
            aside: Some(Box::new(aside)),
        };
        if !self.may() {
            return Err(REVOKED.to_owned());
        }
        match self.hub.publish_now(vec![event], None) {
            Outcome::Refused(refused) => Err(refused.message),
            Outcome::Unkept(_) => Err("the hub's store can't be written: come again later".to_owned()),
            Outcome::Published(_) | Outcome::Placed(_) | Outcome::Repeated(_) | Outcome::KeyReused => {
                if self.app.is_told(Topic::ClientEvent) {
                    self.hub.state().people_mut().0.note(Happened::Said(Box::new(saying)));
                    self.hub.happened.notify_one();
                }
                Ok(())
            }
        }
    }

    /// Whether the client is still there, by what is heard of it.
    fn ask(&mut self, now: Mono, frames: &mut Vec<Utf8Bytes>) -> Option<CloseReason> {
        if now < self.due() {
            return None;
        }
        if self.asked.is_some() {
            frames.push(wire::error(Some(Code::NoPong), "nothing was heard of this client"));
            return Some(CloseReason::Pusher(Code::NoPong));
        }
        self.asked = Some(now);
        frames.push(wire::ping());
        None
    }

    /// When something is due by the clock.
    fn due(&self) -> Mono {
        match self.asked {
            None => self.heard.plus(limits::PUSHER_ACTIVITY),
            Some(asked) => asked.plus(limits::PUSHER_PONG),
        }
    }
}

/// The newest event of a channel that is no client's, if it isn't too old.
fn cached(state: &State, channel: &str, now: Mono) -> Option<Utf8Bytes> {
    let ring = state.ring(channel)?;
    let newest = (ring.first()..=ring.head()).rev().filter_map(|offset| ring.entry(offset));
    let mut young = newest.take_while(|entry| now.since(entry.at) <= limits::PUSHER_CACHE_AGE);
    let is_clients = |user: &Aside| user.is_bare && user.except.is_some();
    young.find(|entry| !entry.aside.as_deref().is_some_and(is_clients)).map(wire::event)
}

/// The readers of a state at their places, the one with the oldest news first.
fn take_news(seats: &mut BTreeMap<Arc<str>, Seat>, own: Socket, state: &State, now: Mono, frames: &mut Vec<Utf8Bytes>) {
    let people = state.people();
    let mut readers: Vec<(&str, Option<&Ring>, &mut Seat)> =
        seats.iter_mut().map(|(channel, seat)| (&**channel, state.ring(channel), seat)).collect();
    let next = |(channel, ring, seat): &(&str, Option<&Ring>, &mut Seat)| {
        let event = ring.and_then(|ring| ring.entry(seat.place.offset + 1)).map(|entry| entry.serial);
        let moved = people.after(channel, seat.moves).map(|moved| moved.serial);
        event.into_iter().chain(moved).min()
    };
    let mut order: BinaryHeap<_> =
        readers.iter().enumerate().filter_map(|(index, reader)| Some(Reverse((next(reader)?, index)))).collect();
    let (mut bytes, mut oldest) = (0, None);
    let before = frames.len();
    while frames.len() < limits::BATCH_MESSAGES_MAX && bytes < limits::BATCH_BYTES_MAX {
        let Some(Reverse((serial, index))) = order.pop() else { break };
        let (channel, ring, seat) = &mut readers[index];
        let frame = match people.after(channel, seat.moves).filter(|moved| moved.serial == serial) {
            Some(moved) => {
                seat.moves += 1;
                Some(moved.frame.clone())
            }
            None => {
                let entry = ring.and_then(|ring| ring.entry(seat.place.offset + 1));
                seat.place.offset += 1;
                oldest = oldest.or(entry.map(|entry| entry.at));
                let for_others =
                    entry.filter(|entry| entry.aside.as_ref().is_none_or(|aside| aside.except != Some(own)));
                for_others.map(wire::event)
            }
        };
        if let Some(frame) = frame {
            bytes += frame.as_str().len();
            frames.push(frame);
        }
        if let Some(serial) = next(&readers[index]) {
            order.push(Reverse((serial, index)));
        }
    }
    let given = frames.len() - before;
    if given > 0 {
        state.told().give(bytes, given as u64, now.since(oldest.unwrap_or(now)));
    }
}

/// Whether nothing of a seat's channel is lost: the protocol has no word for that.
fn is_whole(channel: &str, seat: &Seat, state: &State) -> bool {
    let head = state.ledger().head(channel);
    if head.epoch != seat.place.epoch || state.people().forgot(channel, seat.moves) {
        return false;
    }
    head.offset == seat.place.offset || state.ring(channel).is_some_and(|ring| ring.continues(seat.place.offset))
}

impl Talk for Session {
    type Order = Order;

    fn order(heard: Heard<'_>) -> Order {
        match heard {
            Heard::Text(text) => order::read(text),
            Heard::Binary => Order::Unusable("binary frame: expected text".to_owned()),
            Heard::TooBig => Order::TooBig,
        }
    }

    fn lease(&self) -> &Arc<Lease> {
        self.seat.lease()
    }

    fn speech(&self) -> Speech {
        self.hub.counts.speech()
    }

    fn slowed(&self, is_first: bool) {
        self.hub.note_slowed(self.seat.id(), is_first);
    }

    async fn follow(&mut self, order: Order, frames: &mut Vec<Utf8Bytes>) -> Option<CloseReason> {
        let now = self.hub.now().mono;
        (self.heard, self.asked) = (now, None);
        match order {
            Order::Ping => frames.push(wire::pong()),
            Order::Pong => {}
            Order::Subscribe(asked) => self.subscribe(asked, frames).await,
            Order::Unsubscribe(name) => self.unsubscribe(&name),
            Order::SignIn { auth, user_data } => return self.sign_in(&auth, &user_data, frames),
            Order::Publish { name, channel, data } => {
                if let Err(why) = self.publish(&name, &channel, &data, now) {
                    frames.push(wire::error(Some(Code::ClientEvent), &why));
                }
            }
            Order::Unusable(why) => frames.push(wire::error(None, &why)),
            Order::TooBig => {
                let max = limits::CLIENT_FRAME_BYTES_MAX;
                frames.push(wire::error(None, &format!("frame too big: expected at most {max} bytes")));
                return Some(CloseReason::TooBig);
            }
        }
        None
    }

    fn next_batch(&mut self, frames: &mut Vec<Utf8Bytes>) -> Option<CloseReason> {
        if !self.is_greeted {
            self.is_greeted = true;
            frames.push(wire::established(self.socket));
        }
        for waiting in std::mem::take(&mut self.waiting) {
            self.come_to(waiting, frames);
        }
        let Now { mono: now, .. } = self.hub.now();
        let hub = self.hub.clone();
        let state = loop {
            let state = hub.state();
            if self.seat.lease().taken() != Taken::Channels {
                break state;
            }
            drop(state);
            self.lose(frames);
        };
        {
            if let Taken::All(why) = self.seat.lease().taken() {
                let code = if why == Why::Unsure { Code::Later } else { Code::Unauthorised };
                frames.push(wire::error(Some(code), words(why).1));
                return Some(CloseReason::Pusher(code));
            }
            if state.people().is_ended(self.socket) {
                frames.push(wire::error(Some(Code::Unauthorised), "this connection was ended by the application"));
                return Some(CloseReason::Pusher(Code::Unauthorised));
            }
            if !self.seats.iter().all(|(channel, seat)| is_whole(channel, seat, &state)) {
                let why = "events are lost here, by a client that is too slow or a history that began anew: come back, and ask for what is true";
                frames.push(wire::error(Some(Code::Reconnect), why));
                return Some(CloseReason::Pusher(Code::Reconnect));
            }
            if state.may_send(self.hub.now()) {
                take_news(&mut self.seats, self.socket, &state, now, frames);
                self.seat.hold();
            }
        }
        drop(state);
        self.ask(now, frames)
    }

    fn restarting(&mut self, frames: &mut Vec<Utf8Bytes>) -> CloseReason {
        frames.push(wire::error(Some(Code::Reconnect), "the hub goes down: come back"));
        CloseReason::Pusher(Code::Reconnect)
    }

    fn stop(&self) -> &Stop {
        &self.stop
    }

    fn closes(&self, reason: CloseReason) {
        self.hub.metrics.close(reason.code());
    }

    async fn woken(&self) {
        self.waker.woken().await;
    }

    fn due(&self) -> Mono {
        Self::due(self)
    }

    fn instant(&self, due: Mono) -> Instant {
        self.hub.instant(due)
    }
}

impl Drop for Session {
    fn drop(&mut self) {
        let now = self.hub.now().mono;
        self.hub.state().people_mut().0.disconnect(self.socket, now);
        self.hub.tell(&BTreeSet::new());
    }
}
