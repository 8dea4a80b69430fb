//! Notifications over the session bus, by the desktop notifications specification 1.2.
//!
//! One connection shows them all and hears what becomes of them: services tell that to whoever asked, and to nobody else. So no library stands
//! between, which would open a connection for each.

use std::{
    collections::HashMap,
    path::Path,
    time::{Duration, Instant, SystemTime, UNIX_EPOCH},
};

use futures_util::{FutureExt as _, StreamExt as _};
use tokio::time::{sleep_until, timeout};
use zbus::{Connection, Message, MessageStream, Variant};

use super::{
    Deed, Event, News, PathBuf, Receiver, Show, Slot, Urgency, WeakSender,
    left::{Before, Identity, Ledger, Left},
};
use crate::{
    announce::{Asked, Told},
    desktop::{self, Lack},
};

const NAME: &str = "org.freedesktop.Notifications";
const PATH: &str = "/org/freedesktop/Notifications";
/// A service may have to be started first.
const ANSWER_MAX: Duration = Duration::from_secs(5);
/// What was put away so soon, by nobody, nobody has seen.
const SEEN_MIN: Duration = Duration::from_secs(1);
/// How long what isn't urgent stands, where the desktop heeds that.
const SHORT_MS: i32 = 20_000;
const RETRY_MIN: Duration = Duration::from_secs(1);
const RETRY_MAX: Duration = Duration::from_secs(60);
/// How long the end may take: what is on the screen tells of a wall that isn't there any more.
const END_MAX: Duration = Duration::from_secs(1);
/// What an action is called on the bus, before the occurrence.
const ACKNOWLEDGE: &str = "acknowledge:";
const SHOW: &str = "show:";
/// A click on the notification itself.
const CLICK: &str = "default";

/// Whether there is a session to notify. Asking a bus that isn't there would start one.
pub(super) fn has_session() -> bool {
    let of_runtime = std::env::var_os("XDG_RUNTIME_DIR").map(|folder| Path::new(&folder).join("bus"));
    std::env::var_os("DBUS_SESSION_BUS_ADDRESS").is_some_and(|address| !address.is_empty())
        || of_runtime.is_some_and(|bus| bus.exists())
}

/// Shows what comes, until nobody is left who could order anything.
pub(super) fn run(deeds: Receiver<Deed>, events: WeakSender<Event>, folder: Option<PathBuf>) {
    match tokio::runtime::Builder::new_current_thread().enable_all().build() {
        Ok(runtime) => {
            runtime.block_on(Screen::new(events, folder).run(deeds));
            // A disk that is stuck isn't waited for.
            runtime.shutdown_background();
        }
        Err(error) => tracing::warn!(reason = %error, "no native notifications"),
    }
}

/// A bus with somebody on it who shows notifications.
struct Bus {
    connection: Connection,
    /// What becomes of them.
    signals: MessageStream,
    /// Who shows them.
    owners: MessageStream,
    /// Whether there can be buttons.
    has_actions: bool,
    /// Whose they are.
    identity: Identity,
}

fn now_ms() -> i64 {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    i64::try_from(since.as_millis()).unwrap_or(i64::MAX)
}

/// A notification that is on the screen.
struct Shown {
    id: u32,
    number: u64,
    occurrence: u64,
    at: Instant,
    until_ms: Option<i64>,
}

struct Screen {
    events: WeakSender<Event>,
    news: News,
    bus: Option<Bus>,
    shown: HashMap<Slot, Shown>,
    /// What a run before this one has shown, by whom; it is there still if that is who shows them now.
    before: Option<Before>,
    left: HashMap<Slot, Left>,
    /// What is taken away, by this run or by one that ended over it.
    going: Vec<u32>,
    /// Nothing more will be said of those.
    is_settled: bool,
    ledger: Ledger,
    /// When to look for a bus and a service again, and after which wait then.
    retry: Option<Instant>,
    wait: Duration,
    /// Whether there was somebody who showed notifications, and is no more.
    was_lost: bool,
}

enum Heard {
    Deed(Option<Deed>),
    Signal(Option<zbus::Result<Message>>),
    Owner(Option<zbus::Result<Message>>),
    Time,
}

impl Screen {
    fn new(events: WeakSender<Event>, folder: Option<PathBuf>) -> Self {
        Self {
            events,
            news: News::default(),
            bus: None,
            shown: HashMap::new(),
            before: None,
            left: HashMap::new(),
            going: Vec::new(),
            is_settled: false,
            ledger: Ledger::new(folder),
            retry: None,
            wait: RETRY_MIN,
            was_lost: false,
        }
    }

    async fn run(mut self, mut deeds: Receiver<Deed>) {
        self.before = Some(self.ledger.read().await);
        // Asked at the start already: an outage is no time to learn that nobody will be told of it.
        if has_session() {
            self.look().await;
        }
        loop {
            let go_on = match self.next(&mut deeds).await {
                Heard::Deed(Some(Deed::Show(show))) => self.show(show).await,
                Heard::Deed(Some(Deed::Withdraw(slot))) => {
                    let told = self.withdraw(&slot).await;
                    self.note().await;
                    self.send(told).await
                }
                Heard::Deed(Some(Deed::Settle)) => {
                    self.is_settled = true;
                    self.clear_left().await;
                    true
                }
                Heard::Deed(None) => break,
                Heard::Signal(Some(Ok(message))) => self.handle_signal(&message).await,
                Heard::Owner(Some(Ok(message))) => self.handle_owner(&message).await,
                Heard::Signal(Some(Err(_))) | Heard::Owner(Some(Err(_))) => true,
                Heard::Signal(None) | Heard::Owner(None) => {
                    self.lose(Some(Lack::Other("the session bus is gone".to_owned()))).await
                }
                Heard::Time => self.handle_time().await,
            };
            if !go_on {
                break;
            }
        }
        // Written down before anything is taken away: whatever becomes of the rest, the next run takes none of it for shown, and what it would
        // change pops up no second time.
        self.going
            .extend(self.shown.drain().filter(|(slot, _)| !matches!(slot, Slot::Source(_))).map(|(_, own)| own.id));
        self.note().await;
        let _in_time = timeout(END_MAX, self.clear_going()).await;
    }

    /// Takes away what is going.
    async fn clear_going(&mut self) {
        while let Some(id) = self.going.last().copied() {
            self.close(id).await;
            self.going.pop();
        }
        self.note().await;
    }

    /// Writes down what is on the screen.
    async fn note(&mut self) {
        let Some(bus) = &self.bus else { return };
        let shown = self.shown.iter().map(|(slot, own)| (slot, Left { id: own.id, until_ms: own.until_ms }));
        let left = self.left.iter().map(|(slot, left)| (slot, *left));
        self.ledger.write(&bus.identity, shown.chain(left), &self.going).await;
    }

    /// What was left by the run before this one, and nobody took over.
    async fn clear_left(&mut self) {
        let slots: Vec<Slot> = self.left.keys().cloned().collect();
        if slots.is_empty() {
            return;
        }
        tracing::info!(count = slots.len(), "notifications of a run that was killed are taken away");
        for slot in slots {
            self.withdraw(&slot).await;
        }
        self.note().await;
    }

    async fn next(&mut self, deeds: &mut Receiver<Deed>) -> Heard {
        let due = [self.retry, self.news.until].into_iter().flatten().min();
        let time = async {
            match due {
                Some(due) => sleep_until(due.into()).await,
                None => std::future::pending().await,
            }
        };
        let bus = self.bus.as_mut();
        let signals = async {
            match bus {
                Some(Bus { signals, owners, .. }) => tokio::select! {
                    signal = signals.next() => Heard::Signal(signal),
                    owner = owners.next() => Heard::Owner(owner),
                },
                None => std::future::pending().await,
            }
        };
        tokio::select! {
            biased;
            heard = signals => heard,
            deed = deeds.recv() => Heard::Deed(deed),
            () = time => Heard::Time,
        }
    }

    async fn handle_time(&mut self) -> bool {
        let now = Instant::now();
        let event = self.news.expire(now);
        if !self.send(event).await {
            return false;
        }
        if self.retry.take_if(|at| *at <= now).is_some() { self.look().await } else { true }
    }

    /// Finds a bus and a service on it. False if nobody hears of it any more.
    async fn look(&mut self) -> bool {
        let found = match timeout(ANSWER_MAX, self.find()).await {
            Ok(found) => found,
            Err(_) => Err(Lack::Other("it does not answer".to_owned())),
        };
        let now = Instant::now();
        match found {
            Ok(()) => {
                (self.retry, self.wait) = (None, RETRY_MIN);
                let back = std::mem::take(&mut self.was_lost).then_some(Event::Told(Told::Desktop));
                let news = self.news.tell(None, false, now);
                if self.is_settled {
                    self.clear_left().await;
                }
                self.send(news).await && self.send(back).await
            }
            Err(lack) => {
                self.was_lost = true;
                self.retry = Some(now + self.wait);
                self.wait = (self.wait * 2).min(RETRY_MAX);
                let news = self.news.tell(Some(lack), false, now);
                self.send(news).await
            }
        }
    }

    async fn find(&mut self) -> Result<(), Lack> {
        if self.bus.is_none() {
            if !has_session() {
                return Err(Lack::Bus);
            }
            self.bus = Some(Bus::open().await.map_err(|error| desktop::lack(&error))?);
        }
        let Some(bus) = &mut self.bus else { return Err(Lack::Bus) };
        let answer = bus.call("GetCapabilities", &()).await.map_err(|error| desktop::lack(&error))?;
        let can: Vec<String> = answer.body().deserialize().map_err(|error| desktop::lack(&error))?;
        bus.has_actions = can.iter().any(|can| can == "actions");
        bus.identity = bus.identity().await.map_err(|error| desktop::lack(&error))?;
        // Of another service, or another bus, a number may be somebody else's notification.
        if let Some(before) = self.before.take()
            && before.by == bus.identity
        {
            self.left.extend(before.left);
            self.going = before.going;
            self.clear_going().await;
        }
        Ok(())
    }

    /// Nobody shows notifications any more, and what was shown is gone.
    async fn lose(&mut self, lack: Option<Lack>) -> bool {
        self.shown.clear();
        self.left.clear();
        self.going.clear();
        self.was_lost = true;
        if lack.is_some() {
            self.bus = None;
        }
        // Another one may be started by asking for it.
        (self.retry, self.wait) = (Some(Instant::now() + RETRY_MIN), RETRY_MIN * 2);
        let news = lack.and_then(|lack| self.news.tell(Some(lack), false, Instant::now()));
        self.send(news).await
    }

    async fn show(&mut self, show: Show) -> bool {
        let now_ms = now_ms();
        // What has gone by itself meanwhile isn't changed: it would come back.
        let is_there = |left: &&Left| left.until_ms.is_none_or(|until| until > now_ms);
        let left = self.left.get(&show.slot).filter(is_there).map(|left| left.id);
        let before = self.shown.get(&show.slot).map(|shown| shown.id).or(left);
        let (slot, number, occurrence) = (show.slot.clone(), show.number, show.occurrence.unwrap_or_default());
        let is_alarm = !matches!(slot, Slot::Source(_));
        if show.is_update && before.is_none() {
            return self.send(Some(Event::Told(Told::Closed { slot, number }))).await;
        }
        if self.bus.is_none() {
            if !is_alarm && !has_session() {
                return true;
            }
            if !self.look().await {
                return false;
            }
        }
        let result = match &self.bus {
            None => Err(None),
            Some(bus) => match timeout(ANSWER_MAX, bus.notify(&show, before.unwrap_or_default())).await {
                Ok(Ok(id)) => Ok(id),
                Ok(Err(error)) => Err(Some(desktop::lack(&error))),
                Err(_) => Err(Some(Lack::Other("it does not answer".to_owned()))),
            },
        };
        let now = Instant::now();
        let was_gone = match before {
            Some(before) if result.is_ok() => self.hear_closed(before).await,
            _ => false,
        };
        let (lack, told) = match result {
            // The service has put it away a moment before, and shows it as a new one: what was only to be changed goes again.
            Ok(id) if was_gone && show.is_update => {
                self.shown.remove(&slot);
                self.left.remove(&slot);
                self.close(id).await;
                self.note().await;
                (None, Told::Closed { slot, number })
            }
            Ok(id) => {
                let until_ms = (is_alarm && !show.stays).then(|| now_ms.saturating_add(SHORT_MS.into()));
                if let Some(other) = self.left.remove(&slot).filter(|left| left.id != id) {
                    self.close(other.id).await;
                }
                self.shown.insert(slot.clone(), Shown { id, number, occurrence, at: now, until_ms });
                self.note().await;
                (None, Told::Shown { slot, number })
            }
            Err(lack) => {
                let lack = lack.or_else(|| self.news.told.clone()).unwrap_or(Lack::Bus);
                if self.retry.is_none() {
                    self.was_lost = true;
                    self.retry = Some(now + self.wait);
                }
                (Some(lack), Told::NotShown { slot, number })
            }
        };
        let news = self.news.tell(lack, is_alarm, now);
        self.send(news).await && self.send(is_alarm.then_some(Event::Told(told))).await
    }

    /// Whether notification `id` was put away before the answer that has just come: its service says one thing after the other. What else was said by
    /// then is heard as well.
    async fn hear_closed(&mut self, id: u32) -> bool {
        let (mut is_closed, mut others) = (false, Vec::new());
        while let Some(bus) = &mut self.bus
            && let Some(Some(Ok(message))) = bus.signals.next().now_or_never()
        {
            if closed(&message).is_some_and(|(own, _)| own == id) { is_closed = true } else { others.push(message) }
        }
        for message in others {
            // Who hears nothing any more is noticed by what comes next.
            let _goes_on = self.handle_signal(&message).await;
        }
        is_closed
    }

    async fn withdraw(&mut self, slot: &Slot) -> Option<Event> {
        let left = self.left.remove(slot).map(|left| left.id);
        let id = self.shown.remove(slot).map(|shown| shown.id).or(left)?;
        self.close(id).await.then(|| Event::Told(Told::Withdrawn { slot: slot.clone() }))
    }

    async fn close(&self, id: u32) -> bool {
        let Some(bus) = &self.bus else { return false };
        match timeout(ANSWER_MAX, bus.call("CloseNotification", &id)).await {
            Ok(Ok(_)) => true,
            Ok(Err(error)) => {
                // What isn't there any more can't be closed: some services say so by an error.
                tracing::debug!(%error, "a notification was not withdrawn");
                false
            }
            Err(_) => false,
        }
    }

    async fn handle_signal(&mut self, message: &Message) -> bool {
        let header = message.header();
        let body = message.body();
        let slot_of = |id: u32| self.shown.iter().find(|(_, shown)| shown.id == id).map(|(slot, _)| slot.clone());
        match header.member().map(zbus::names::MemberName::as_str) {
            Some("ActionInvoked") => {
                let Ok((id, action)) = body.deserialize::<(u32, String)>() else { return true };
                let Some(slot) = slot_of(id) else { return true };
                let key = match slot {
                    Slot::Alarm(key) => Some(key),
                    Slot::Summary => None,
                    Slot::Source(_) => return true,
                };
                let seen = self.shown.values().find(|shown| shown.id == id).map(|shown| shown.occurrence);
                let asked = [(ACKNOWLEDGE, Asked::Acknowledge), (SHOW, Asked::Show)];
                let asked = asked.into_iter().find_map(|(name, asked)| {
                    // The one whose button it was, though another one may stand there by now.
                    Some((action.strip_prefix(name)?.parse::<u64>().ok()?, asked))
                });
                let clicked = (action == CLICK).then_some((seen.unwrap_or_default(), Asked::Show));
                let Some((occurrence, asked)) = asked.or(clicked) else { return true };
                self.send(Some(Event::Told(Told::Acted { key, occurrence, asked }))).await
            }
            Some("NotificationClosed") => {
                let Some((id, reason)) = closed(message) else { return true };
                let Some(slot) = slot_of(id) else {
                    self.left.retain(|_, left| left.id != id);
                    self.note().await;
                    return true;
                };
                let Some(Shown { number, at, .. }) = self.shown.remove(&slot) else { return true };
                self.note().await;
                if let Slot::Source(_) = slot {
                    return true;
                }
                // 1: its time was over; 2: somebody closed it; 4: nobody says why.
                if reason != 2 && at.elapsed() < SEEN_MIN {
                    let news = self.news.tell(Some(Lack::Swallows), true, Instant::now());
                    return self.send(news).await
                        && self.send(Some(Event::Told(Told::Swallowed { slot, number }))).await;
                }
                self.send(Some(Event::Told(Told::Closed { slot, number }))).await
            }
            _ => true,
        }
    }

    async fn handle_owner(&mut self, message: &Message) -> bool {
        let Ok((_, old, new)) = message.body().deserialize::<(String, String, String)>() else { return true };
        tracing::debug!(old, new, "who shows notifications");
        if !old.is_empty() && !self.lose(None).await {
            return false;
        }
        if new.is_empty() { true } else { self.look().await }
    }

    /// False if nobody hears of it any more. The sender is held weakly, so that this thread doesn't keep a stopped engine's lane open.
    async fn send(&self, event: Option<Event>) -> bool {
        let Some(event) = event else { return true };
        match self.events.upgrade() {
            Some(events) => events.send(event).await.is_ok(),
            None => false,
        }
    }
}

/// Which notification is on the screen no more, and why, if that is what a signal says.
fn closed(message: &Message) -> Option<(u32, u32)> {
    let header = message.header();
    let is_it = header.member().is_some_and(|member| member.as_str() == "NotificationClosed");
    if is_it { message.body().deserialize().ok() } else { None }
}

impl Bus {
    async fn open() -> zbus::Result<Self> {
        let connection = Connection::session().await?;
        let signals = format!("type='signal',interface='{NAME}',path='{PATH}'");
        let owners = format!(
            "type='signal',sender='org.freedesktop.DBus',interface='org.freedesktop.DBus',member='NameOwnerChanged',arg0='{NAME}'"
        );
        let signals = MessageStream::for_match_rule(signals.as_str(), &connection, None).await?;
        let owners = MessageStream::for_match_rule(owners.as_str(), &connection, None).await?;
        Ok(Self { connection, signals, owners, has_actions: false, identity: Identity::default() })
    }

    /// Who shows notifications here.
    async fn identity(&self) -> zbus::Result<Identity> {
        const BUS: &str = "org.freedesktop.DBus";
        const BUS_PATH: &str = "/org/freedesktop/DBus";
        let bus = self.connection.call_method(Some(BUS), BUS_PATH, Some(BUS), "GetId", &()).await?;
        let owner = self.connection.call_method(Some(BUS), BUS_PATH, Some(BUS), "GetNameOwner", &NAME).await?;
        Ok(Identity { bus: bus.body().deserialize()?, service: owner.body().deserialize()? })
    }

    async fn call<B>(&self, method: &str, body: &B) -> zbus::Result<Message>
    where
        B: serde::Serialize + zbus::wire::DynamicType,
    {
        self.connection.call_method(Some(NAME), PATH, Some(NAME), method, body).await
    }

    /// Shows it, in place of another one if there is one. Answers by which number the service knows it.
    async fn notify(&self, show: &Show, replaces: u32) -> zbus::Result<u32> {
        let occurrence = show.occurrence.unwrap_or_default();
        let (acknowledge, look) = (format!("{ACKNOWLEDGE}{occurrence}"), format!("{SHOW}{occurrence}"));
        let mut actions = Vec::new();
        if self.has_actions && show.acknowledges {
            actions.extend([acknowledge.as_str(), "Acknowledge"]);
        }
        if self.has_actions && show.shows {
            actions.extend([CLICK, "Show", look.as_str(), "Show"]);
        }
        let urgency: u8 = match show.urgency {
            Urgency::Low => 0,
            Urgency::Normal => 1,
            Urgency::Critical => 2,
        };
        // What is heard of an alarm is heard from the wall.
        let mut hints = HashMap::from([("urgency", Variant::from(urgency)), ("suppress-sound", Variant::from(true))]);
        if !matches!(show.slot, Slot::Source(_)) {
            hints.insert("resident", Variant::from(true));
        }
        let stands: i32 = match (&show.slot, show.stays) {
            (Slot::Source(_), _) => -1,
            (_, true) => 0,
            (_, false) => SHORT_MS,
        };
        let body = ("Watchfloor", replaces, "", show.heading.as_str(), show.rest.as_str(), actions, hints, stands);
        self.call("Notify", &body).await?.body().deserialize()
    }
}
