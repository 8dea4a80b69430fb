//! A hub on a port of its own, clients for its doors, and a record that believes only what it was told.

#![allow(clippy::panic, reason = "what a test did not expect ends it, in its support too")]

use std::{collections::BTreeMap, io, sync::Arc, time::Duration};

use bytes::Bytes;
use futures_util::{SinkExt, Stream, StreamExt};
use reqwest::{Client, Response, StatusCode};
use rustls::ClientConfig;
use serde_json::{Value, json};
use tokio::{
    net::{TcpListener, TcpStream},
    sync::oneshot,
    task::JoinHandle,
    time::timeout,
};
use tokio_tungstenite::{
    Connector, MaybeTlsStream, WebSocketStream, connect_async_tls_with_config,
    tungstenite::{Message, client::IntoClientRequest, protocol::CloseFrame},
};
use watchfloor_hub::{Hub, HubConfig};

/// How long a test waits for what must come. Long, for a busy machine: a test that passes never waits for it.
pub(crate) const PATIENCE: Duration = Duration::from_secs(20);

/// A hub that is being served.
pub(crate) struct Served {
    pub(crate) hub: Hub,
    pub(crate) address: String,
    pub(crate) client: Client,
    /// Whom its clients believe, if they come by TLS.
    trust: Option<Arc<ClientConfig>>,
    stop: oneshot::Sender<()>,
    task: JoinHandle<io::Result<()>>,
}

impl Served {
    pub(crate) async fn start(config: HubConfig) -> Self {
        Self::serve(Hub::new(config)).await
    }

    pub(crate) async fn serve(hub: Hub) -> Self {
        Self::serve_by(hub, None).await
    }

    /// The same with clients that come by TLS, and believe whom this says.
    pub(crate) async fn serve_by(hub: Hub, trust: Option<Arc<ClientConfig>>) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
        let address = listener.local_addr().expect("its address").to_string();
        let (stop, stopped) = oneshot::channel();
        let task = tokio::spawn({
            let hub = hub.clone();
            async move {
                hub.serve(listener, async {
                    let _ = stopped.await;
                })
                .await
            }
        });
        // The client could speak TLS and wants to know how, though it never does here.
        let _ = rustls::crypto::ring::default_provider().install_default();
        let client = match &trust {
            None => Client::new(),
            Some(trust) => Client::builder().tls_backend_preconfigured((**trust).clone()).build().expect("a client"),
        };
        Self { hub, address, client, trust, stop, task }
    }

    pub(crate) async fn stop(self) -> Hub {
        self.stop.send(()).expect("still served");
        self.task.await.expect("no panic").expect("no error");
        self.hub
    }

    pub(crate) fn url(&self, path: &str) -> String {
        let scheme = if self.trust.is_some() { "https" } else { "http" };
        format!("{scheme}://{}{path}", self.address)
    }

    /// A WebSocket at this path, which presents a token if there is one.
    pub(crate) async fn open(&self, path: &str, token: Option<&str>) -> WebSocket {
        let scheme = if self.trust.is_some() { "wss" } else { "ws" };
        let mut request = format!("{scheme}://{}{path}", self.address).into_client_request().expect("a request");
        if let Some(token) = token {
            request.headers_mut().insert("authorization", format!("Bearer {token}").parse().expect("a header"));
        }
        let connector = self.trust.clone().map(Connector::Rustls);
        connect_async_tls_with_config(request, None, false, connector).await.expect("a WebSocket").0
    }

    pub(crate) async fn get(&self, path: &str) -> (StatusCode, Value) {
        answer(self.client.get(self.url(path)).send().await.expect(path)).await
    }

    pub(crate) async fn post(&self, path: &str, body: Value) -> (StatusCode, Value) {
        answer(self.client.post(self.url(path)).json(&body).send().await.expect(path)).await
    }

    /// Publishes numbers and gives the positions back.
    pub(crate) async fn publish(&self, channel: &str, numbers: impl IntoIterator<Item = u64>) -> Vec<String> {
        let events: Vec<_> =
            numbers.into_iter().map(|number| json!({"channel": channel, "name": "n", "data": number})).collect();
        let (status, body) = self.post("/v1/publish", json!(events)).await;
        assert_eq!(status, StatusCode::OK, "{body}");
        serde_json::from_value(body["positions"].clone()).expect("positions")
    }

    pub(crate) async fn websocket(&self) -> Socket {
        Socket { socket: self.open("/v1/ws", None).await }
    }

    /// A WebSocket after `hello`, with this subscription.
    pub(crate) async fn subscribed(&self, channels: Value) -> Socket {
        let mut socket = self.websocket().await;
        socket.send(json!({"type": "subscribe", "channels": channels})).await;
        socket
    }

    pub(crate) async fn sse(&self, cursor: &str, last_event_id: Option<&str>) -> EventStream {
        let mut request = self.client.get(self.url("/v1/sse")).query(&[("cursor", cursor)]);
        if let Some(id) = last_event_id {
            request = request.header("last-event-id", id);
        }
        let response = request.send().await.expect("an answer");
        assert_eq!(response.status(), StatusCode::OK);
        EventStream::of(response)
    }

    /// Waits until the hub has this many subscriptions.
    pub(crate) async fn has_subscriptions(&self, count: u64) {
        timeout(PATIENCE, async {
            while self.get("/v1/health").await.1["subscriptions"] != count {
                tokio::time::sleep(Duration::from_millis(10)).await;
            }
        })
        .await
        .expect("the subscriptions come to be as expected");
    }
}

pub(crate) async fn answer(response: Response) -> (StatusCode, Value) {
    let status = response.status();
    let text = response.text().await.expect("a body");
    (status, if text.is_empty() { Value::Null } else { serde_json::from_str(&text).expect(&text) })
}

/// The body of an error answer.
pub(crate) fn error(code: &str, message: &str) -> Value {
    json!({"error": {"code": code, "message": message}})
}

/// A WebSocket, by TLS or not.
pub(crate) type WebSocket = WebSocketStream<MaybeTlsStream<TcpStream>>;

pub(crate) struct Socket {
    pub(crate) socket: WebSocket,
}

impl Socket {
    pub(crate) async fn send(&mut self, message: Value) {
        self.socket.send(Message::text(message.to_string())).await.expect("sent");
    }

    /// The next frame's messages; the reason if it is closed.
    pub(crate) async fn next(&mut self) -> Result<Vec<Value>, Option<CloseFrame>> {
        loop {
            match timeout(PATIENCE, self.socket.next()).await.expect("something comes") {
                Some(Ok(Message::Text(text))) => return Ok(messages(&text)),
                Some(Ok(Message::Close(frame))) => return Err(frame),
                Some(Ok(_)) => {}
                Some(Err(error)) => panic!("{error}"),
                None => return Err(None),
            }
        }
    }

    /// Reads until a message of this type has come; gives all up to it.
    pub(crate) async fn until(&mut self, kind: &str) -> Vec<Value> {
        let mut seen = Vec::new();
        while seen.iter().all(|message: &Value| message["type"] != kind) {
            seen.extend(self.next().await.expect("open"));
        }
        seen
    }

    /// Reads into the record until it holds this many events.
    pub(crate) async fn record(&mut self, record: &mut Record, events: usize) {
        while record.numbers.len() < events {
            record.take_all(&self.next().await.expect("open"));
        }
    }
}

pub(crate) fn messages(lines: &str) -> Vec<Value> {
    lines.split('\n').map(|line| serde_json::from_str(line).expect(line)).collect()
}

/// A client of server-sent events, by the letter of the standard as far as the hub uses it.
pub(crate) struct EventStream {
    body: Box<dyn Stream<Item = reqwest::Result<Bytes>> + Send + Unpin>,
    text: String,
}

/// One server-sent event.
#[derive(Debug, Default)]
pub(crate) struct SentEvent {
    pub(crate) data: Vec<Value>,
    pub(crate) id: String,
    pub(crate) retry: Option<u64>,
}

impl EventStream {
    pub(crate) fn of(response: Response) -> Self {
        Self { body: Box::new(response.bytes_stream()), text: String::new() }
    }

    /// The next event; none at the end of the stream.
    pub(crate) async fn next(&mut self) -> Option<SentEvent> {
        loop {
            if let Some((event, rest)) = self.text.split_once("\n\n") {
                let event = sent_event(event);
                self.text = rest.to_owned();
                return Some(event);
            }
            let chunk = timeout(PATIENCE, self.body.next()).await.expect("something comes")?.ok()?;
            self.text.push_str(std::str::from_utf8(&chunk).expect("whole characters, for these are all ASCII"));
        }
    }

    pub(crate) async fn record(&mut self, record: &mut Record, events: usize) {
        while record.numbers.len() < events {
            let event = self.next().await.expect("open");
            record.take_all(&event.data);
            assert_eq!(event.id, record.cursor());
        }
    }
}

fn sent_event(text: &str) -> SentEvent {
    let mut event = SentEvent::default();
    for line in text.lines() {
        match line.split_once(": ").expect("a field") {
            ("data", data) => event.data.push(serde_json::from_str(data).expect(data)),
            ("id", id) => event.id = id.to_owned(),
            ("retry", millis) => event.retry = millis.parse().ok(),
            other => panic!("{other:?}"),
        }
    }
    event
}

/// What a reader was told, checked as it comes: H3.
#[derive(Debug, Default)]
pub(crate) struct Record {
    /// The last position, by channel.
    pub(crate) places: BTreeMap<String, String>,
    /// The data of all events.
    pub(crate) numbers: Vec<u64>,
    /// Holes that were announced, with their reasons.
    pub(crate) holes: Vec<String>,
}

impl Record {
    /// Knows these channels and has nothing of them.
    pub(crate) fn of(channels: &[&str]) -> Self {
        let places = channels.iter().map(|channel| ((*channel).to_owned(), String::new())).collect();
        Self { places, ..Self::default() }
    }

    pub(crate) fn cursor(&self) -> String {
        let places: Vec<_> = self.places.iter().map(|(channel, place)| format!("{channel}~{place}")).collect();
        places.join("|")
    }

    pub(crate) fn subscription(&self) -> Value {
        let place = |place: &String| if place.is_empty() { Value::Null } else { json!(place) };
        self.places.iter().map(|(channel, text)| (channel.clone(), place(text))).collect()
    }

    pub(crate) fn take_all(&mut self, messages: &[Value]) {
        messages.iter().for_each(|message| self.take(message));
    }

    fn take(&mut self, message: &Value) {
        let text = |field: &str| message[field].as_str().expect(field).to_owned();
        match &*text("type") {
            "event" => {
                let (before, position) = (&self.places[&text("channel")], text("position"));
                assert_eq!(offset(before) + 1, offset(&position), "{position} after {before}");
                self.places.insert(text("channel"), position);
                self.numbers.push(message["data"].as_u64().expect("a number"));
            }
            "subscribed" => {
                if message["recovered"] == true {
                    assert_eq!(self.places[&text("channel")], text("from"));
                } else {
                    self.holes.push(text("reason"));
                    self.places.insert(text("channel"), text("from"));
                }
            }
            "lost" => {
                assert_eq!(self.places[&text("channel")], text("from"));
                self.holes.push(text("reason"));
                self.places.insert(text("channel"), text("head"));
            }
            "heartbeat" => {
                for (channel, pulse) in message["channels"].as_object().expect("channels") {
                    assert_eq!(pulse["head"], json!(self.places[channel]));
                }
            }
            "hello" | "pong" => {}
            other => panic!("{other}"),
        }
    }
}

pub(crate) fn offset(position: &str) -> u64 {
    position.rsplit_once(':').and_then(|(_, offset)| offset.parse().ok()).expect(position)
}
