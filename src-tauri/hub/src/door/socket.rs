//! A WebSocket (RFC 6455), whatever is spoken over it.
//!
//! One half reads the client's orders, the other writes; both run in the connection's own task. Orders wait in a short
//! queue: when the writer can't keep up, reading stops too, so a client can't make the hub remember more than it takes.

use std::future::Future;

use axum::extract::ws::{CloseFrame, Message as Frame, Utf8Bytes, WebSocket, WebSocketUpgrade};
use futures_util::{
    SinkExt, StreamExt,
    stream::{SplitSink, SplitStream},
};
use tokio::sync::mpsc;

use crate::{close::CloseReason, limits, stop::Stop};

/// What comes from a client.
#[derive(Debug)]
pub(crate) enum Heard<'a> {
    Text(&'a str),
    /// A frame of bytes.
    Binary,
    /// More than a frame may hold.
    TooBig,
}

/// What is spoken over a WebSocket.
pub(crate) trait Talk: Send {
    /// What a client may ask for.
    type Order: Send;

    /// What it asks for.
    fn order(heard: Heard<'_>) -> Self::Order;

    /// Does it, and answers by frames; why to close, if that can't be.
    fn follow(&mut self, order: Self::Order, frames: &mut Vec<Utf8Bytes>) -> Option<CloseReason>;

    /// What goes out next, nothing if there is nothing yet; why to close after it.
    fn next_batch(&mut self, frames: &mut Vec<Utf8Bytes>) -> Option<CloseReason>;

    /// Why it is closed when the hub goes down.
    fn restarting(&mut self, frames: &mut Vec<Utf8Bytes>) -> CloseReason;

    /// Told when the hub goes down.
    fn stop(&self) -> &Stop;

    /// Answers when there may be something to say.
    fn woken(&self) -> impl Future<Output = ()> + Send;
}

/// With the limits that hold for every client.
pub(crate) fn bounded(upgrade: WebSocketUpgrade) -> WebSocketUpgrade {
    upgrade.max_message_size(limits::CLIENT_FRAME_BYTES_MAX).max_frame_size(limits::CLIENT_FRAME_BYTES_MAX)
}

/// Not a fault of the hub.
pub(crate) fn not_opened(error: axum::Error) {
    tracing::debug!(reason = %error, "a WebSocket was not opened");
}

enum Order<O> {
    Own(O),
    /// The library has answered a ping: see that the answer goes out before more is read.
    Pinged,
}

/// Talks until one side has enough.
pub(crate) async fn converse<T: Talk>(socket: WebSocket, mut talk: T) {
    let stop = talk.stop().clone();
    let (mut sink, mut stream) = socket.split();
    let (orders, queue) = mpsc::channel(limits::ORDERS_MAX);
    let conversation = async {
        let goodbye = tokio::select! {
            () = read::<T>(&mut stream, &orders) => None,
            goodbye = write(&mut sink, &mut talk, queue) => goodbye,
        };
        let Some(reason) = goodbye else { return };
        let frame = CloseFrame { code: reason.code(), reason: reason.text().into() };
        if sink.send(Frame::Close(Some(frame))).await.is_ok() {
            // Its own close frame ends the stream; what it sends until then is not looked at.
            let answered = async { while let Some(Ok(_)) = stream.next().await {} };
            let _ = tokio::time::timeout(limits::CLOSE_GRACE, answered).await;
        }
    };
    tokio::select! {
        () = conversation => {}
        () = async { stop.told().await; tokio::time::sleep(limits::CLOSE_GRACE).await } => {}
    }
}

/// Reads orders until the client goes.
async fn read<T: Talk>(stream: &mut SplitStream<WebSocket>, orders: &mpsc::Sender<Order<T::Order>>) {
    while let Some(frame) = stream.next().await {
        let (order, is_last) = match frame {
            Ok(Frame::Text(text)) => (Order::Own(T::order(Heard::Text(&text))), false),
            Ok(Frame::Binary(_)) => (Order::Own(T::order(Heard::Binary)), false),
            // The library answers pings and closes by itself, and would keep any number of answers for who doesn't read them.
            Ok(Frame::Ping(_)) => (Order::Pinged, false),
            Ok(Frame::Pong(_) | Frame::Close(_)) => continue,
            Err(error) if is_too_big(&error) => (Order::Own(T::order(Heard::TooBig)), true),
            Err(error) => {
                tracing::debug!(reason = %error, "a WebSocket broke");
                return;
            }
        };
        if orders.send(order).await.is_err() {
            return;
        }
        if is_last {
            // The writer closes; the connection ends with it.
            std::future::pending::<()>().await;
        }
    }
}

fn is_too_big(error: &axum::Error) -> bool {
    let cause = std::error::Error::source(error);
    let cause = cause.and_then(|cause| cause.downcast_ref::<tungstenite::Error>());
    matches!(cause, Some(tungstenite::Error::Capacity(_)))
}

/// Writes what there is; answers why to close, none if the connection is gone.
async fn write<T: Talk>(
    sink: &mut SplitSink<WebSocket, Frame>,
    talk: &mut T,
    mut queue: mpsc::Receiver<Order<T::Order>>,
) -> Option<CloseReason> {
    let mut waiting = None;
    let mut frames = Vec::new();
    loop {
        // Answers to orders go before events, or a busy channel would delay every pong.
        let (mut failed, mut is_pinged) = (None, false);
        while failed.is_none()
            && let Some(order) = waiting.take().or_else(|| queue.try_recv().ok())
        {
            match order {
                Order::Pinged => is_pinged = true,
                Order::Own(order) => failed = talk.follow(order, &mut frames),
            }
        }
        if is_pinged {
            sink.flush().await.ok()?;
        }
        let is_answer = !frames.is_empty();
        send(sink, &mut frames).await?;
        if failed.is_some() {
            return failed;
        }
        let ends = talk.next_batch(&mut frames);
        let is_news = !frames.is_empty();
        send(sink, &mut frames).await?;
        if ends.is_some() {
            return ends;
        }
        if talk.stop().is_told() {
            let reason = talk.restarting(&mut frames);
            send(sink, &mut frames).await?;
            return Some(reason);
        }
        if is_answer || is_news {
            continue;
        }
        tokio::select! {
            () = talk.stop().told() => {}
            order = queue.recv() => waiting = Some(order?),
            () = talk.woken() => {}
        }
    }
}

/// Sends frames, if there are any, together; none if the connection is gone.
async fn send(sink: &mut SplitSink<WebSocket, Frame>, frames: &mut Vec<Utf8Bytes>) -> Option<()> {
    if frames.is_empty() {
        return Some(());
    }
    for frame in frames.drain(..) {
        sink.feed(Frame::Text(frame)).await.ok()?;
    }
    sink.flush().await.ok()
}
