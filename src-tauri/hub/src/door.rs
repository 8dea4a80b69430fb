//! The doors: each writes what a [`Subscription`](crate::subscription::Subscription) reads to its own kind of connection.

use std::{collections::BTreeMap, sync::Arc};

use axum::{
    extract::ws::Utf8Bytes,
    http::{HeaderMap, StatusCode},
};
use watchfloor_model::Mono;

use self::allowance::Allowance;
use crate::{
    access::{Rights, Untaken},
    audit::{Note, Who},
    authorise::{self, Asker, Granted, Withheld},
    clock::Now,
    cursor::{self, Places},
    failure::Failure,
    guard::bearer,
    hub::{Shared, new_connection},
    limits,
    message::{Access, Message},
    rates::{TooMany, Whose},
    revocation::{Door, Lease, Peer, Seat, Session, Taken, Why},
    routes::Doorway,
    state::{StandsAgainst, State},
    stop::Stop,
    subscription::{Manner, Subscription, TooManyChannels},
    wake::Waker,
};

pub(crate) mod aggregates;
pub(crate) mod allowance;
pub(crate) mod line;
mod patterns;
pub(crate) mod poll;
pub(crate) mod presence;
pub(crate) mod publishing;
pub(crate) mod pusher;
pub(crate) mod snapshot;
pub(crate) mod socket;
pub(crate) mod sse;
pub(crate) mod websocket;

/// Why a reader gets no channels.
#[derive(Debug)]
pub(crate) enum Unsubscribed {
    /// They are too many.
    TooMany(TooManyChannels),
    /// It may not read one of them.
    Denied(String),
    /// What entitled it to one of them was revoked.
    Revoked,
    /// The site says no of this one, or can't be asked.
    Withheld(Arc<str>, Withheld),
    /// As many people as there may be are in one of them.
    Full,
    /// One of them is a pattern, and this node doesn't know which channels there are.
    ByName,
}

impl Unsubscribed {
    /// The code, and what it is in words.
    pub(crate) fn words(&self) -> (&'static str, String) {
        match self {
            Self::TooMany(problem) => ("too-many-channels", problem.to_string()),
            Self::Denied(message) => ("denied", message.clone()),
            Self::Revoked => ("revoked", REVOKED.to_owned()),
            Self::Withheld(channel, withheld) => withheld_words(channel, *withheld),
            Self::Full => ("presence-full", full()),
            Self::ByName => ("no-patterns", BY_NAME.to_owned()),
        }
    }
}

/// What is told of a channel in which there is no room for another person.
fn full() -> String {
    format!("{} people are in one of these channels: expected no more", limits::PRESENCE_MEMBERS_MAX)
}

/// What is told of a channel of which the site doesn't say yes.
pub(crate) fn withheld_words(channel: &str, withheld: Withheld) -> (&'static str, String) {
    match withheld {
        Withheld::Denied => ("denied", format!("the site says that channel {channel} may not be read")),
        Withheld::Unsure => ("authorise-failing", UNSURE.to_owned()),
    }
}

/// The same as the answer to a request.
pub(crate) fn withheld(channel: &str, withheld: Withheld) -> Failure {
    let (code, message) = withheld_words(channel, withheld);
    let status = match withheld {
        Withheld::Denied => StatusCode::FORBIDDEN,
        Withheld::Unsure => StatusCode::SERVICE_UNAVAILABLE,
    };
    Failure::new(status, code, message)
}

/// What is told to who asks a node by a pattern.
const BY_NAME: &str = "a node of several doesn't know which channels there are: expected names without `*`";
/// What is told of what was revoked: no more than that.
pub(crate) const REVOKED: &str = "what entitled this reader was revoked: expected another right";
/// What is told where a site could not be asked.
pub(crate) const UNSURE: &str = "the site can't be asked at present whether this may be read: come again later";

/// As the answer to a request of somebody against whom a revocation stands.
pub(crate) fn revoked() -> Failure {
    Failure::new(StatusCode::FORBIDDEN, "revoked", REVOKED)
}

/// What ends a reader's connection: the code, and what it is told.
pub(crate) const fn words(why: Why) -> (&'static str, &'static str) {
    match why {
        Why::Revoked => ("revoked", REVOKED),
        Why::Unsure => ("authorise-failing", UNSURE),
    }
}

/// The last message of a connection that is ended.
pub(crate) fn farewell(why: Why) -> Arc<str> {
    let (code, message) = words(why);
    Message::Error { code, message }.line()
}

impl Unsubscribed {
    /// As the answer to a request whose `code` is for bad input.
    pub(crate) fn failure(self, code: &'static str) -> Failure {
        match self {
            Self::TooMany(problem) => Failure::bad(code, problem.to_string()),
            Self::Denied(message) => Failure::new(StatusCode::FORBIDDEN, "denied", message).noted(),
            Self::Revoked => revoked().noted(),
            Self::Withheld(channel, why) => withheld(&channel, why).noted(),
            Self::Full => Failure::new(StatusCode::FORBIDDEN, "presence-full", full()).noted(),
            Self::ByName => Failure::bad("no-patterns", BY_NAME.to_owned()),
        }
    }
}

/// Why another token isn't taken.
#[derive(Debug)]
pub(crate) enum Unauthorised {
    /// It is no good. What the reader came by stays.
    Untaken(Untaken),
    /// It takes rights away that the reader uses.
    Denied(String),
    /// It is one that was revoked.
    Revoked,
    /// The site can't be asked whether it is good for what the reader reads. What it came by stays.
    Unsure,
}

/// A reader at a door: its place, and how it hears that there is something new.
pub(crate) struct Reader {
    pub(crate) hub: Arc<Shared>,
    pub(crate) stop: Stop,
    pub(crate) subscription: Subscription,
    waker: Waker,
    seat: Arc<Seat>,
    /// As whom sites are asked.
    asker: Asker,
    /// By what sites have said.
    granted: BTreeMap<Arc<str>, Granted>,
    /// Where it is seen by others.
    part: presence::Part,
    /// What it may still publish.
    allowance: Allowance,
}

/// Somebody who reads once what is true of some channels.
pub(crate) struct Once {
    hub: Arc<Shared>,
    waker: Waker,
    seat: Arc<Seat>,
    asker: Asker,
    granted: Vec<(Arc<str>, Granted)>,
}

impl Once {
    /// Enters him, if nothing stands against him as such.
    ///
    /// # Errors
    /// `403` if something does.
    pub(crate) fn come(hub: &Arc<Shared>, headers: &HeaderMap, rights: &Rights, peer: Peer) -> Result<Self, Failure> {
        let waker = hub.wakers.register();
        let (seat, connection) = enter(hub, &waker, Door::Snapshot, rights, peer)?;
        let asker = Asker::by(hub, rights, bearer(headers, "").ok(), connection);
        Ok(Self { hub: hub.clone(), waker, seat, asker, granted: Vec::new() })
    }

    /// Asks the sites that are asked about these channels.
    ///
    /// # Errors
    /// Which channel may not be read by their word, and why.
    pub(crate) async fn ask(&mut self, channels: &[Arc<str>]) -> Result<(), (Arc<str>, Withheld)> {
        self.granted.extend(authorise::may_all(&self.hub, self.waker.id(), &self.asker, channels).await?);
        Ok(())
    }

    /// Enters him, if nothing stands against him and the sites that are asked say yes.
    ///
    /// # Errors
    /// `403` or `503` if not.
    pub(crate) async fn admit(
        hub: &Arc<Shared>,
        headers: &HeaderMap,
        rights: &Rights,
        peer: Peer,
        channels: &[Arc<str>],
    ) -> Result<Self, Failure> {
        let mut once = Self::come(hub, headers, rights, peer)?;
        once.ask(channels).await.map_err(|(channel, why)| withheld(&channel, why))?;
        Ok(once)
    }

    /// Whether nothing stands against these channels for him, with the state locked.
    pub(crate) fn has(&self, state: &mut State, channels: &[Arc<str>], now: Now) -> bool {
        let given = channels.iter().map(|channel| (channel, None));
        state.give(self.waker.id(), given, now).is_ok()
    }

    /// One of these about which another site is to be asked by now than was. After [`Once::has`].
    pub(crate) fn unanswered<'a>(&self, channels: &'a [Arc<str>]) -> Option<&'a Arc<str>> {
        let by = |channel: &Arc<str>| self.granted.iter().find(|(own, _)| own == channel).map(|(_, granted)| granted);
        channels.iter().find(|channel| !self.hub.authoriser.is_answered(channel, by(channel)))
    }

    /// Whether he may read now, with the state locked; he holds what he reads until it is out.
    ///
    /// # Errors
    /// `403` if something was revoked since he came, `503` if a node doesn't know whether, or another site is to be asked by now.
    pub(crate) fn read(&self, state: &mut State, channels: &[Arc<str>], now: Now) -> Result<(), Failure> {
        if !state.may_send(now) {
            return Err(poll::not_current());
        }
        if !self.has(state, channels, now) || self.seat.lease().taken() != Taken::Nothing {
            return Err(revoked());
        }
        if let Some(channel) = self.unanswered(channels) {
            return Err(withheld(channel, Withheld::Unsure));
        }
        self.seat.hold_until_flushed();
        Ok(())
    }
}

/// Enters a reader among the sessions.
///
/// # Errors
/// `403` if a revocation stands against it.
pub(crate) fn enter(
    hub: &Arc<Shared>,
    waker: &Waker,
    door: Door,
    rights: &Rights,
    peer: Peer,
) -> Result<(Arc<Seat>, Arc<str>), Failure> {
    // Who is answered at once is not there.
    let counted = rights.user.clone().filter(|_| door != Door::Snapshot).map(|user| {
        let is_new = matches!(door, Door::WebSocket | Door::Sse);
        hub.counts.come(Whose::User(None, user), is_new, hub.now().mono)
    });
    let place = counted.transpose().map_err(|too_many| {
        let (who, reason) = (Who::by(rights, &peer), too_many.to_string());
        let note = Note { code: too_many.code, door: Some(door.word()), who, reason: &reason, ..Note::default() };
        hub.audit.refuse(note, hub.now().wall);
        Failure::from(too_many).noted()
    })?;
    let (lease, connection) = (Lease::new(peer.outlet.clone(), hub.fence.as_ref()), new_connection());
    let mut session = Session::new(connection.clone(), door, hub.now().wall, lease.clone());
    (session.user, session.token, session.issued) = (rights.user.clone(), rights.token.clone(), rights.issued);
    session.by = rights.by;
    session.address = peer.address;
    let entered = hub.state().enter(waker.id(), session, hub.now());
    if entered.is_err() {
        let who = Who::by(rights, &peer);
        let note = Note { code: "revoked", door: Some(door.word()), who, reason: REVOKED, ..Note::default() };
        hub.audit.refuse(note, hub.now().wall);
        return Err(revoked().noted());
    }
    let seat = Seat::new(hub.clone(), waker.id(), lease, peer.place);
    seat.count_as(place.flatten());
    if !hub.live().knows(rights.by, None) {
        // What it came by was taken out of the hub's file just now.
        return Err(revoked());
    }
    Ok((seat, connection))
}

impl Reader {
    /// A reader of no channel yet.
    ///
    /// # Errors
    /// `401` if what the head of its request presents entitles to nothing.
    pub(crate) async fn admit(
        doorway: Doorway,
        headers: &HeaderMap,
        manner: Manner,
        (door, peer): (Door, Peer),
    ) -> Result<Self, Failure> {
        let Doorway { hub, stop } = doorway;
        let live = hub.live();
        live.readers.prepare(headers).await;
        let rights = live.readers.admit(headers, hub.now())?;
        let mut subscription = Subscription::new(manner, hub.config.heartbeat);
        subscription.have_at_most(hub.counts.channels(limits::SUBSCRIPTION_CHANNELS_MAX));
        let waker = hub.wakers.register();
        let (seat, connection) = enter(&hub, &waker, door, &rights, peer)?;
        let asker = Asker::by(&hub, &rights, bearer(headers, "").ok(), connection);
        if live.readers.are_asked() {
            subscription.come_by(rights);
        }
        let allowance = Allowance::new(hub.now().mono);
        Ok(Self {
            hub,
            stop,
            subscription,
            waker,
            seat,
            asker,
            granted: BTreeMap::new(),
            part: presence::Part::default(),
            allowance,
        })
    }

    /// Adds channels. With `people`, the reader is told who comes to them and goes.
    ///
    /// # Errors
    /// If there are too many, or some that the reader may not read; then nothing changes.
    pub(crate) async fn subscribe(&mut self, places: Places, people: bool) -> Result<(), Unsubscribed> {
        let subscribed = self.take_on(places, people).await;
        if let Err(problem) = &subscribed
            && !matches!(problem, Unsubscribed::TooMany(_) | Unsubscribed::ByName)
        {
            let (code, message) = problem.words();
            self.hub.note_refusal(self.seat.id(), code, None, &message);
        }
        subscribed
    }

    async fn take_on(&mut self, places: Places, people: bool) -> Result<(), Unsubscribed> {
        if let Some(message) = self.forbids(places.keys()) {
            return Err(Unsubscribed::Denied(message));
        }
        self.subscription.has_room_for(&places).map_err(Unsubscribed::TooMany)?;
        let (patterns, places): (Places, Places) = places.into_iter().partition(|(asked, _)| cursor::is_pattern(asked));
        if self.hub.engine.is_some() && !patterns.is_empty() {
            return Err(Unsubscribed::ByName);
        }
        let channels: Vec<Arc<str>> = places.keys().cloned().collect();
        // What is let go of after it was answered again would take the new answer with it.
        channels.iter().for_each(|channel| drop(self.granted.remove(channel)));
        let granted = authorise::may_all(&self.hub, self.seat.id(), &self.asker, &channels).await;
        self.granted.extend(granted.map_err(|(channel, why)| Unsubscribed::Withheld(channel, why))?);
        self.subscription.come(self.hub.now().mono);
        self.subscription.subscribe(places.clone()).map_err(Unsubscribed::TooMany)?;
        let channels: Vec<_> = channels.into_iter().map(|channel| (channel.clone(), self.person(&channel))).collect();
        let given = channels.iter().map(|(channel, person)| (channel, person.as_ref().map(|person| &person.id)));
        if self.hub.state().give(self.seat.id(), given, self.hub.now()).is_err() {
            channels.iter().for_each(|(channel, _)| self.subscription.unsubscribe(channel));
            return Err(Unsubscribed::Revoked);
        }
        self.waker.watch(self.subscription.channels());
        let unanswered =
            channels.iter().map(|(channel, _)| channel).find(|channel| !self.is_answered(channel)).cloned();
        let refused = match unanswered {
            Some(channel) => Some(Unsubscribed::Withheld(channel, Withheld::Unsure)),
            None => self.come_in(&channels, people).is_err().then_some(Unsubscribed::Full),
        };
        if let Some(refused) = refused {
            let names: Vec<_> = channels.into_iter().map(|(channel, _)| channel.to_string()).collect();
            self.unsubscribe(&names);
            return Err(refused);
        }
        self.hub.want(&places);
        self.ask_by(patterns)
    }

    fn is_answered(&self, channel: &Arc<str>) -> bool {
        self.hub.authoriser.is_answered(channel, self.granted.get(channel))
    }

    /// Presents another token: the answer, or why it isn't taken.
    pub(crate) async fn authorise(&mut self, token: &str) -> Result<Access, Unauthorised> {
        let now = self.hub.now();
        let live = self.hub.live();
        let rights = live.readers.judge(token.as_bytes(), now).map_err(Unauthorised::Untaken)?;
        let asked = self.subscription.channels().chain(self.subscription.patterns()).map(|asked| &**asked);
        if let Some(message) = rights.forbids(asked) {
            self.hub.note_refusal(self.seat.id(), "denied", None, &message);
            return Err(Unauthorised::Denied(message));
        }
        let asker = Asker::by(&self.hub, &rights, Some(token.as_bytes()), self.asker.connection.clone());
        if !asker.is_as(&self.asker) {
            let channels: Vec<_> = self.subscription.named().cloned().collect();
            let granted = authorise::may_all(&self.hub, self.seat.id(), &asker, &channels).await;
            self.granted = granted
                .map_err(|(channel, why)| {
                    let (code, message) = withheld_words(&channel, why);
                    self.hub.note_refusal(self.seat.id(), code, Some(&channel), &message);
                    match why {
                        Withheld::Denied => Unauthorised::Denied(message),
                        Withheld::Unsure => Unauthorised::Unsure,
                    }
                })?
                .into_iter()
                .collect();
            self.asker = asker;
        }
        let access = Access::of(&rights, now.mono);
        if let Some(user) = rights.user.clone().filter(|_| rights.user != self.asked_as()) {
            let place = self.hub.counts.come(Whose::User(None, user), false, now.mono);
            let untaken = |why: TooMany| Untaken { code: why.code, message: why.to_string() };
            self.seat.count_as(place.map_err(|why| Unauthorised::Untaken(untaken(why)))?);
        }
        if live.readers.are_asked() {
            let know = |session: &mut Session| {
                (session.user, session.token, session.issued) =
                    (rights.user.clone(), rights.token.clone(), rights.issued);
                session.by = rights.by;
            };
            self.hub.state().know(self.seat.id(), know, now).map_err(|StandsAgainst| Unauthorised::Revoked)?;
        }
        self.subscription.come_by(rights);
        // Where there is no room for who it is now, it is nobody.
        let _ = self.be_who_it_is();
        Ok(access)
    }

    /// Whose token it came by last.
    fn asked_as(&self) -> Option<Arc<str>> {
        self.subscription.rights().and_then(|rights| rights.user.clone())
    }

    /// The first of these channels that the reader may not read, in words.
    fn forbids<'a>(&self, channels: impl IntoIterator<Item = &'a Arc<str>>) -> Option<String> {
        self.subscription.rights()?.forbids(channels.into_iter().map(|channel| &**channel))
    }

    /// When the connection is closed for its token.
    pub(crate) fn closes(&self) -> Mono {
        self.subscription.rights().map_or(Mono::NEVER, Rights::closes)
    }

    /// Whether its token has expired, and the time to present another has passed.
    pub(crate) fn is_expired(&self) -> bool {
        self.closes() <= self.hub.now().mono
    }

    /// Answers when that may be so.
    pub(crate) async fn expiry_due(&self) {
        tokio::time::sleep_until(self.hub.instant(self.closes())).await;
    }

    /// Takes channels out, and with a pattern all that are there by it alone.
    pub(crate) fn unsubscribe(&mut self, asked: &[String]) {
        let mut channels: Vec<Arc<str>> = Vec::with_capacity(asked.len());
        for asked in asked {
            match cursor::is_pattern(asked) {
                true => channels.extend(self.subscription.let_go_of(asked)),
                false => channels.push(asked.as_str().into()),
            }
        }
        self.go_out(channels.iter().map(|channel| &**channel));
        for channel in &channels {
            self.subscription.unsubscribe(channel);
            self.granted.remove(channel);
        }
        self.waker.watch_for(self.subscription.patterns());
        self.waker.watch(self.subscription.channels());
        let mut state = self.hub.state();
        channels.iter().for_each(|channel| state.give_up(self.seat.id(), channel));
    }

    /// What the reader is sent next, which it holds from now on; empty if there is nothing yet.
    ///
    /// # Errors
    /// Why nothing more is for it.
    pub(crate) fn next_batch(&mut self, hold: impl FnOnce(&Arc<Seat>)) -> Result<Vec<Arc<str>>, Why> {
        let now = self.hub.now();
        let state = self.hub.state();
        if let Taken::All(why) = self.seat.lease().taken() {
            return Err(why);
        }
        let lines = self.subscription.next_batch(&state, now);
        if !lines.is_empty() {
            hold(&self.seat);
        }
        Ok(lines)
    }

    /// By what it is among the sessions.
    pub(crate) const fn seat(&self) -> &Arc<Seat> {
        &self.seat
    }

    /// The same as one text, which all readers at the same place share; none if there is nothing yet.
    /// The reader holds it until it says that it is out.
    ///
    /// # Errors
    /// Why nothing more is for it.
    pub(crate) fn next_text(&mut self, now: Now) -> Result<Option<Utf8Bytes>, Why> {
        let lines = {
            let mut state = self.hub.state();
            if let Taken::All(why) = self.seat.lease().taken() {
                return Err(why);
            }
            if let Some(text) = self.subscription.next_shared(&mut state, now) {
                self.seat.hold();
                return Ok(Some(text));
            }
            let lines = self.subscription.next_batch(&state, now);
            if !lines.is_empty() {
                self.seat.hold();
            }
            lines
        };
        Ok((!lines.is_empty()).then(|| lines.join("\n").into()))
    }

    /// Answers when there may be something new.
    pub(crate) async fn woken(&self) {
        self.waker.woken().await;
    }

    /// Answers when a heartbeat is due.
    pub(crate) async fn heartbeat_due(&self) {
        tokio::time::sleep_until(self.hub.instant(self.subscription.poll_timeout())).await;
    }
}
