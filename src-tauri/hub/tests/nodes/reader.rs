//! A reader that goes on from its place at whatever node there is, and holds that nothing is missing, nothing comes twice, and no place is given twice.

use std::{collections::BTreeMap, net::SocketAddr, time::Duration};

use futures_util::{SinkExt, StreamExt};
use serde_json::{Value, json};
use tokio::{
    sync::watch,
    time::{sleep, timeout},
};
use tokio_tungstenite::{connect_async, tungstenite::Message};

/// How far a reader is.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Progress {
    /// Channels whose beginning was announced.
    pub(crate) begun: usize,
    /// Events read.
    pub(crate) read: u64,
    /// How often it has come back.
    pub(crate) returns: u64,
    /// Everything is read.
    pub(crate) is_done: bool,
}

/// Where a reader is in a channel.
#[derive(Clone, Debug, Default)]
struct Place {
    position: Option<String>,
    number: u64,
}

/// How readers come.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Way {
    WebSocket,
    Events,
    Poll,
}

pub(crate) struct Reader {
    way: Way,
    at: Vec<SocketAddr>,
    places: BTreeMap<String, Place>,
    /// How many events each channel will have.
    count: u64,
    progress: watch::Sender<Progress>,
    http: reqwest::Client,
}

/// A link is lost.
struct Lost;

impl Reader {
    pub(crate) fn new(
        way: Way,
        at: Vec<SocketAddr>,
        channels: &[String],
        count: u64,
    ) -> (Self, watch::Receiver<Progress>) {
        let (progress, seen) = watch::channel(Progress::default());
        let places = channels.iter().map(|channel| (channel.clone(), Place::default())).collect();
        (Self { way, at, places, count, progress, http: super::publisher::http() }, seen)
    }

    /// Reads until it has everything.
    pub(crate) async fn run(mut self, first: usize) {
        let mut turn = first;
        while !self.progress.borrow().is_done {
            let address = self.at[turn % self.at.len()];
            turn += 1;
            let ended = match self.way {
                Way::WebSocket => self.by_websocket(address).await,
                Way::Events => self.by_events(address).await,
                Way::Poll => self.by_poll(address).await,
            };
            if ended.is_err() {
                self.progress.send_modify(|progress| progress.returns += 1);
                sleep(Duration::from_millis(20 + 17 * (turn as u64 % 7))).await;
            }
        }
    }

    async fn by_websocket(&mut self, address: SocketAddr) -> Result<(), Lost> {
        let connected = timeout(Duration::from_secs(5), connect_async(format!("ws://{address}/v1/ws"))).await;
        let (mut socket, _) = connected.map_err(|_| Lost)?.map_err(|_| Lost)?;
        let places: BTreeMap<_, _> = self.places.iter().map(|(channel, place)| (channel, &place.position)).collect();
        let order = json!({"type": "subscribe", "channels": places}).to_string();
        socket.send(Message::text(order)).await.map_err(|_| Lost)?;
        loop {
            let next = timeout(SILENCE_MAX, socket.next()).await.map_err(|_| Lost)?;
            match next {
                Some(Ok(Message::Text(text))) => text.as_str().split('\n').for_each(|line| self.take(line)),
                Some(Ok(Message::Close(_)) | Err(_)) | None => return Err(Lost),
                Some(Ok(_)) => {}
            }
            if self.progress.borrow().is_done {
                return Ok(());
            }
        }
    }

    fn cursor(&self) -> String {
        let place = |(channel, place): (&String, &Place)| {
            format!("{channel}~{}", place.position.as_deref().unwrap_or_default())
        };
        self.places.iter().map(place).collect::<Vec<_>>().join("|")
    }

    async fn by_events(&mut self, address: SocketAddr) -> Result<(), Lost> {
        let url = reqwest::Url::parse_with_params(&format!("http://{address}/v1/sse"), [("cursor", self.cursor())]);
        // A stream has no end.
        let request = self.http.get(url.expect("an address")).timeout(Duration::from_secs(3600)).send();
        let mut answer = timeout(Duration::from_secs(5), request).await.map_err(|_| Lost)?.map_err(|_| Lost)?;
        if !answer.status().is_success() {
            return Err(Lost);
        }
        let mut text: Vec<u8> = Vec::new();
        loop {
            let chunk = timeout(SILENCE_MAX, answer.chunk()).await.map_err(|_| Lost)?.map_err(|_| Lost)?.ok_or(Lost)?;
            text.extend_from_slice(&chunk);
            while let Some(end) = text.iter().position(|byte| *byte == b'\n') {
                let line: Vec<u8> = text.drain(..=end).collect();
                let line = String::from_utf8(line).expect("UTF-8");
                if let Some(message) = line.trim_end().strip_prefix("data: ") {
                    self.take(message);
                }
            }
            if self.progress.borrow().is_done {
                return Ok(());
            }
        }
    }

    async fn by_poll(&mut self, address: SocketAddr) -> Result<(), Lost> {
        let query = [("cursor", self.cursor()), ("wait_ms", "2000".to_owned())];
        let url = reqwest::Url::parse_with_params(&format!("http://{address}/v1/poll"), query).expect("an address");
        let answer = self.http.get(url).send().await.map_err(|_| Lost)?;
        if !answer.status().is_success() {
            return Err(Lost);
        }
        let answer: Value = answer.json().await.map_err(|_| Lost)?;
        for message in answer["messages"].as_array().expect("messages") {
            self.take(&message.to_string());
        }
        Ok(())
    }

    /// One message.
    fn take(&mut self, line: &str) {
        if let Some(rest) = line.strip_prefix(r#"{"type":"event","channel":""#) {
            self.take_event(rest, line);
            return;
        }
        let message: Value = serde_json::from_str(line).unwrap_or_else(|error| panic!("{error}: {line}"));
        match message["type"].as_str() {
            Some("event") => {
                let text = format!(
                    "{}\",\"position\":{},\"data\":{}}}",
                    message["channel"].as_str().expect("a channel"),
                    message["position"],
                    message["data"]
                );
                self.take_event(&text, line);
            }
            Some("subscribed") => {
                let place =
                    self.places.get_mut(message["channel"].as_str().expect("a channel")).expect("a channel of ours");
                match &place.position {
                    None => {
                        assert!(
                            message["from"].as_str().is_some_and(|from| from.ends_with(":0")),
                            "begun late: {line}"
                        );
                        place.position = message["from"].as_str().map(str::to_owned);
                        self.progress.send_modify(|progress| progress.begun += 1);
                    }
                    Some(position) => {
                        assert_eq!(message["recovered"], true, "the place is lost: {line}");
                        assert_eq!(message["from"].as_str(), Some(&**position), "{line}");
                    }
                }
            }
            Some("hello" | "heartbeat" | "pong") => {}
            _ => panic!("{line}"),
        }
    }

    /// An event, from its channel on.
    fn take_event(&mut self, rest: &str, line: &str) {
        let (channel, rest) = rest.split_once('"').expect("a channel");
        let (_, rest) = rest.split_once(r#""position":""#).expect("a position");
        let (position, rest) = rest.split_once('"').expect("a position");
        let (_, number) = rest.split_once(r#"{"n":"#).expect("a number");
        let number: u64 = number.split('}').next().and_then(|number| number.parse().ok()).expect("a number");
        let place = self.places.get_mut(channel).expect("a channel of ours");
        let next = place.position.as_deref().and_then(after).expect("a place");
        assert_eq!(position, next, "after {:?}: {line}", place.position);
        assert_eq!(number, place.number + 1, "{line}");
        (place.position, place.number) = (Some(position.to_owned()), number);
        let is_last = number == self.count && self.places.values().all(|place| place.number == self.count);
        self.progress.send_if_modified(|progress| {
            progress.read += 1;
            progress.is_done = is_last;
            is_last || progress.read % 1000 == 0
        });
    }
}

/// How long a reader waits for anything: while the engine is away there are no heartbeats.
const SILENCE_MAX: Duration = Duration::from_secs(8);

/// The place after one.
fn after(position: &str) -> Option<String> {
    let (epoch, offset) = position.split_once(':')?;
    Some(format!("{epoch}:{}", offset.parse::<u64>().ok()? + 1))
}
