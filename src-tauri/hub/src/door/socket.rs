//! A WebSocket (RFC 6455), whatever is spoken over it.
//!
//! Who speaks and who listens is one task. Orders wait in a short queue: when they can't be answered, nothing more is read, so a client
//! can't make the hub remember more than it takes.
//!
//! What is read for a client is out when the line has written all that it holds to the connection, and has flushed that: TLS may hold something back.

use std::{
    collections::VecDeque,
    future::{Future, poll_fn},
    io,
    pin::Pin,
    sync::Arc,
    task::Poll,
};

use axum::{
    body::Body,
    extract::{
        FromRequestParts,
        ws::{Utf8Bytes, WebSocketUpgrade, rejection::WebSocketUpgradeRejection},
    },
    http::StatusCode,
    http::{HeaderValue, header, request},
    response::Response,
};
use hyper::upgrade::{OnUpgrade, Parts, Upgraded};
use hyper_util::rt::TokioIo;
use tokio::{
    io::{AsyncRead, AsyncWrite},
    time::{Instant, Sleep, sleep_until, timeout},
};
use tungstenite::handshake::derive_accept_key;
use watchfloor_model::Mono;

pub(crate) use super::line::Heard;
use super::line::Line;
use crate::{close::CloseReason, limits, rates::Speech, revocation::Lease, serve, stop::Stop, tls::Secure};

/// What is spoken over a WebSocket.
pub(crate) trait Talk: Send {
    /// What a client may ask for.
    type Order: Send;

    /// What it asks for.
    fn order(heard: Heard<'_>) -> Self::Order;

    /// Does it, and answers by frames; why to close, if that can't be.
    fn follow(
        &mut self,
        order: Self::Order,
        frames: &mut Vec<Utf8Bytes>,
    ) -> impl Future<Output = Option<CloseReason>> + Send;

    /// What goes out next, nothing if there is nothing yet; why to close after it.
    fn next_batch(&mut self, frames: &mut Vec<Utf8Bytes>) -> Option<CloseReason>;

    /// Why it is closed when the hub goes down.
    fn restarting(&mut self, frames: &mut Vec<Utf8Bytes>) -> CloseReason;

    /// Told when the hub goes down.
    fn stop(&self) -> &Stop;

    /// By what it reads.
    fn lease(&self) -> &Arc<Lease>;

    /// How much a client may say.
    fn speech(&self) -> Speech {
        Speech::default()
    }

    /// It says more, and is listened to more slowly.
    fn slowed(&self, _is_first: bool) {}

    /// The connection is closed for this.
    fn closes(&self, _reason: CloseReason) {}

    /// Answers when there may be something to say.
    fn woken(&self) -> impl Future<Output = ()> + Send;

    /// When there is something to say, or to end, by the clock alone.
    fn due(&self) -> Mono;

    /// The instant of it for a timer.
    fn instant(&self, due: Mono) -> Instant;
}

/// A request to open a WebSocket, and how to answer it.
pub(crate) struct Opening {
    comes: Option<OnUpgrade>,
    accept: String,
}

impl<S: Send + Sync> FromRequestParts<S> for Opening {
    type Rejection = WebSocketUpgradeRejection;

    async fn from_request_parts(parts: &mut request::Parts, state: &S) -> Result<Self, Self::Rejection> {
        let comes = parts.extensions.get::<OnUpgrade>().cloned();
        let key = parts.headers.get(header::SEC_WEBSOCKET_KEY).cloned();
        // The library looks whether it is such a request, and says what it lacks.
        drop(WebSocketUpgrade::from_request_parts(parts, state).await?);
        let accept = derive_accept_key(key.as_ref().map_or(&[][..], HeaderValue::as_bytes));
        Ok(Self { comes, accept })
    }
}

impl Opening {
    /// The answer. What the connection is then for begins when it has gone out.
    pub(crate) fn answer<F: Future<Output = ()> + Send + 'static>(
        self,
        talk: impl FnOnce(Upgraded) -> F + Send + 'static,
    ) -> Response {
        let Self { comes, accept } = self;
        tokio::spawn(async move {
            let Some(comes) = comes else { return };
            match comes.await {
                Ok(upgraded) => talk(upgraded).await,
                // Not a fault of the hub.
                Err(error) => tracing::debug!(reason = %error, "a WebSocket was not opened"),
            }
        });
        let mut response = Response::new(Body::empty());
        *response.status_mut() = StatusCode::SWITCHING_PROTOCOLS;
        let headers = response.headers_mut();
        headers.insert(header::CONNECTION, HeaderValue::from_static("upgrade"));
        headers.insert(header::UPGRADE, HeaderValue::from_static("websocket"));
        if let Ok(accept) = HeaderValue::try_from(accept) {
            headers.insert(header::SEC_WEBSOCKET_ACCEPT, accept);
        }
        response
    }
}

/// Talks until one side has enough.
pub(crate) async fn converse<T: Talk>(upgraded: Upgraded, talk: T) {
    // In a box: it would be a part of each of the futures that it goes through.
    let talk = Box::new(talk);
    let upgraded = match upgraded.downcast::<TokioIo<serve::Plain>>() {
        Ok(parts) => return speak(parts, talk).await,
        Err(upgraded) => upgraded,
    };
    match upgraded.downcast::<TokioIo<Secure>>() {
        Ok(parts) => speak(parts, talk).await,
        Err(upgraded) => {
            let line = Line::new(TokioIo::new(upgraded), &[]).listening(talk.speech());
            Conversation::new(line, talk).run().await;
        }
    }
}

/// The same over a connection that is known.
async fn speak<C: AsyncRead + AsyncWrite + Unpin + Send, T: Talk>(parts: Parts<TokioIo<C>>, talk: Box<T>) {
    let (connection, come) = (parts.io.into_inner(), parts.read_buf);
    let line = Line::new(connection, &come).listening(talk.speech());
    // It is the whole buffer that the head of the request was read into.
    drop(come);
    Conversation::new(line, talk).run().await;
}

struct Conversation<C, T: Talk> {
    line: Line<C>,
    talk: Box<T>,
    /// What the client asked for, and wasn't answered yet.
    orders: VecDeque<T::Order>,
    frames: Vec<Utf8Bytes>,
}

impl<C: AsyncRead + AsyncWrite + Unpin + Send, T: Talk> Conversation<C, T> {
    const fn new(line: Line<C>, talk: Box<T>) -> Self {
        Self { line, talk, orders: VecDeque::new(), frames: Vec::new() }
    }

    async fn run(mut self) {
        let stop = self.talk.stop().clone();
        let cut_off = async {
            stop.told().await;
            tokio::time::sleep(limits::CLOSE_GRACE).await;
        };
        let lease = self.talk.lease().clone();
        tokio::select! {
            () = self.talk_and_part() => {}
            () = cut_off => {}
            () = lease.cut_off() => {}
        }
        // TLS has a goodbye of its own, for which nobody waits.
        poll_fn(|cx| {
            let _ = self.line.poll_end(cx);
            Poll::Ready(())
        })
        .await;
    }

    async fn talk_and_part(&mut self) {
        let Some(reason) = self.talk_on().await else {
            // The library has answered the client's goodbye.
            let _ = timeout(limits::CLOSE_GRACE, poll_fn(|cx| self.line.poll_write(cx))).await;
            return;
        };
        self.talk.closes(reason);
        self.line.push_close(reason);
        // Its own goodbye ends the connection; what it says until then is not looked at.
        let _ = timeout(limits::CLOSE_GRACE, async {
            poll_fn(|cx| self.line.poll_write(cx)).await?;
            poll_fn(|cx| self.line.poll_hear(cx, |_| true)).await;
            poll_fn(|cx| self.line.poll_write(cx)).await
        })
        .await;
    }

    /// Says what there is; answers why to close, none if the connection is gone.
    async fn talk_on(&mut self) -> Option<CloseReason> {
        let stop = self.talk.stop().clone();
        let mut told = std::pin::pin!(stop.told());
        let due = self.talk.due();
        let mut alarm = std::pin::pin!(sleep_until(self.talk.instant(due)));
        let mut alarm = Alarm { at: due, sleep: alarm.as_mut() };
        loop {
            // Answers to orders go before events, or a busy channel would delay every pong.
            let mut failed = None;
            while failed.is_none()
                && let Some(order) = self.orders.pop_front()
            {
                // In a box, while it is followed: it would be a part of the connection for as long as that is.
                failed = Box::pin(self.talk.follow(order, &mut self.frames)).await;
            }
            let is_answer = !self.frames.is_empty();
            self.say().await?;
            self.talk.lease().release();
            if failed.is_some() {
                return failed;
            }
            let ends = self.talk.next_batch(&mut self.frames);
            let is_news = !self.frames.is_empty();
            self.say().await?;
            self.talk.lease().release();
            if ends.is_some() {
                return ends;
            }
            if self.talk.stop().is_told() {
                let reason = self.talk.restarting(&mut self.frames);
                self.say().await?;
                return Some(reason);
            }
            if is_answer || is_news {
                continue;
            }
            self.orders = VecDeque::new();
            self.frames = Vec::new();
            if let Some(is_first) = self.line.was_slowed() {
                self.talk.slowed(is_first);
            }
            let due = self.talk.due();
            if alarm.is_late(due) {
                alarm.set(due, self.talk.instant(due));
            }
            let Self { line, orders, talk, .. } = self;
            tokio::select! {
                () = talk.woken() => {}
                () = hear::<C, T>(line, orders) => {
                    if line.is_over() && orders.is_empty() {
                        return None;
                    }
                }
                () = alarm.sleep.as_mut() => {}
                () = &mut told => {}
            }
        }
    }

    /// Sends frames, if there are any, together; none if the connection is gone. Meanwhile it is listened to, as long as there is room.
    async fn say(&mut self) -> Option<()> {
        for frame in self.frames.drain(..) {
            self.line.push(frame);
        }
        let Self { line, orders, .. } = self;
        let said: io::Result<()> = poll_fn(|cx| {
            if let Poll::Ready(said) = line.poll_write(cx) {
                return Poll::Ready(said);
            }
            if orders.len() < limits::ORDERS_MAX {
                let _ = line.poll_hear(cx, |heard| put::<T>(orders, heard));
            }
            if line.is_over() { Poll::Ready(Err(io::ErrorKind::UnexpectedEof.into())) } else { Poll::Pending }
        })
        .await;
        said.ok()
    }
}

/// Waits for an order, or the end.
async fn hear<C: AsyncRead + AsyncWrite + Unpin, T: Talk>(line: &mut Line<C>, orders: &mut VecDeque<T::Order>) {
    poll_fn(|cx| {
        loop {
            let heard = line.poll_hear(cx, |heard| put::<T>(orders, heard));
            if heard.is_ready() || !orders.is_empty() {
                return Poll::Ready(());
            }
            if !line.has_more() {
                return Poll::Pending;
            }
            // Answers to pings go out at once, and before more is heard.
            match line.poll_write(cx) {
                Poll::Pending => return Poll::Pending,
                Poll::Ready(Ok(())) => {}
                Poll::Ready(Err(_)) => return Poll::Ready(()),
            }
        }
    })
    .await;
}

/// Puts an order into the queue; whether there is room for more.
fn put<T: Talk>(orders: &mut VecDeque<T::Order>, heard: Heard<'_>) -> bool {
    orders.push_back(T::order(heard));
    orders.len() < limits::ORDERS_MAX
}

/// A timer that is set anew only where it would come too late: what is due later than it was is found out when it comes.
struct Alarm<'a> {
    at: Mono,
    sleep: Pin<&'a mut Sleep>,
}

impl Alarm<'_> {
    fn is_late(&self, due: Mono) -> bool {
        due < self.at || self.sleep.is_elapsed()
    }

    fn set(&mut self, due: Mono, instant: Instant) {
        self.at = due;
        self.sleep.as_mut().reset(instant);
    }
}
