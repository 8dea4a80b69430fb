//! The doors: each writes what a [`Subscription`](crate::subscription::Subscription) reads to its own kind of connection.

use std::sync::Arc;

use axum::{
    extract::ws::Utf8Bytes,
    http::{HeaderMap, StatusCode},
};
use watchfloor_model::Mono;

use crate::{
    access::{Rights, Untaken},
    clock::Now,
    cursor::Places,
    failure::Failure,
    hub::Shared,
    message::Access,
    routes::Doorway,
    stop::Stop,
    subscription::{Manner, Subscription, TooManyChannels},
    wake::Waker,
};

pub(crate) mod aggregates;
pub(crate) mod line;
pub(crate) mod poll;
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
}

impl Unsubscribed {
    /// As the answer to a request whose `code` is for bad input.
    pub(crate) fn failure(self, code: &'static str) -> Failure {
        match self {
            Self::TooMany(problem) => Failure::bad(code, problem.to_string()),
            Self::Denied(message) => Failure::new(StatusCode::FORBIDDEN, "denied", message),
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
}

/// A reader at a door: its place, and how it hears that there is something new.
pub(crate) struct Reader {
    pub(crate) hub: Arc<Shared>,
    pub(crate) stop: Stop,
    pub(crate) subscription: Subscription,
    waker: Waker,
}

impl Reader {
    /// A reader of no channel yet.
    ///
    /// # Errors
    /// `401` if what the head of its request presents entitles to nothing.
    pub(crate) async fn admit(door: Doorway, headers: &HeaderMap, manner: Manner) -> Result<Self, Failure> {
        let Doorway { hub, stop } = door;
        hub.config.readers.prepare(headers).await;
        let rights = hub.config.readers.admit(headers, hub.now())?;
        let mut subscription = Subscription::new(manner, hub.config.heartbeat);
        if hub.config.readers.are_asked() {
            subscription.come_by(rights);
        }
        let waker = hub.wakers.register();
        Ok(Self { hub, stop, subscription, waker })
    }

    /// Adds channels.
    ///
    /// # Errors
    /// If there are too many, or some that the reader may not read; then nothing changes.
    pub(crate) fn subscribe(&mut self, places: Places) -> Result<(), Unsubscribed> {
        if let Some(message) = self.forbids(places.keys()) {
            return Err(Unsubscribed::Denied(message));
        }
        self.subscription.come(self.hub.now().mono);
        self.subscription.subscribe(places.clone()).map_err(Unsubscribed::TooMany)?;
        self.waker.watch(self.subscription.channels());
        self.hub.want(&places);
        Ok(())
    }

    /// Presents another token: the answer, or why it isn't taken.
    pub(crate) fn authorise(&mut self, token: &str) -> Result<Access, Unauthorised> {
        let now = self.hub.now();
        let rights = self.hub.config.readers.judge(token.as_bytes(), now).map_err(Unauthorised::Untaken)?;
        let channels = self.subscription.channels().map(|channel| &**channel);
        if let Some(message) = rights.forbids(channels) {
            return Err(Unauthorised::Denied(message));
        }
        let access = Access::of(&rights, now.mono);
        self.subscription.come_by(rights);
        Ok(access)
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

    /// Takes channels out.
    pub(crate) fn unsubscribe(&mut self, channels: &[String]) {
        channels.iter().for_each(|channel| self.subscription.unsubscribe(channel));
        self.waker.watch(self.subscription.channels());
    }

    /// What the reader is sent next; empty if there is nothing yet.
    pub(crate) fn next_batch(&mut self) -> Vec<Arc<str>> {
        let now = self.hub.now();
        self.subscription.next_batch(&self.hub.state(), now)
    }

    /// The same as one text, which all readers at the same place share; none if there is nothing yet.
    pub(crate) fn next_text(&mut self, now: Now) -> Option<Utf8Bytes> {
        let lines = {
            let mut state = self.hub.state();
            if let Some(text) = self.subscription.next_shared(&mut state, now) {
                return Some(text);
            }
            self.subscription.next_batch(&state, now)
        };
        (!lines.is_empty()).then(|| lines.join("\n").into())
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
