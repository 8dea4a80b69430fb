//! H3, H4 for the binary `watchfloor-hub`: killed at any instant, a hub goes on with all that it told, or tells what is missing.
//!
//! `WATCHFLOOR_HUB_LIVES` says how many lives a hub has; left out there are 30 of each kind.

#![allow(clippy::panic, reason = "what a test did not expect ends it, in its support too")]

use std::{
    collections::{BTreeMap, BTreeSet},
    io::{BufRead, BufReader},
    path::Path,
    process::{Child, Command, Stdio},
    sync::{Arc, Mutex},
    time::{Duration, Instant},
};

use futures_util::{SinkExt, StreamExt};
use rand::RngExt;
use reqwest::{Client, StatusCode};
use serde_json::{Value, json, value::RawValue};
use tokio::sync::watch;
use tokio_tungstenite::{connect_async, tungstenite::Message};
use watchfloor_board::Aggregate;

const CHANNELS: [&str; 2] = ["a", "b"];
const PUBLISHERS: u64 = 4;
/// A hub lives so long at most after it has begun to answer.
const LIFE_MS: u64 = 400;
/// What was acknowledged on a `fast` channel is kept after so long …
const FAST: Duration = Duration::from_millis(100);
/// … and a busy machine may take so much longer to give everybody a turn.
const ALLOWANCE: Duration = Duration::from_millis(400);
/// How long the end may take.
const PATIENCE: Duration = Duration::from_secs(60);

/// One widget that counts everything.
const BOARD: &str = r#"
[board]
title = "Crashes"

[[source]]
id = "hub"
kind = "hub"
url = "http://127.0.0.1:8787"
channels = ["a", "b"]

[[widget]]
id = "count"
kind = "counter"
"#;

/// A place: channel and offset.
type Place = (String, u64);
/// An event: the publisher and its number.
type Number = (u64, u64);

struct Running {
    child: Child,
    address: String,
}

impl Running {
    fn start(folder: &Path, board: &Path, durability: &str) -> Self {
        let mut child = Command::new(env!("CARGO_BIN_EXE_watchfloor-hub"))
            .args(["--listen", "127.0.0.1:0", "--durability", durability, "--heartbeat", "50ms", "--data-dir"])
            .arg(folder)
            .arg("--board")
            .arg(board)
            .env_remove("WATCHFLOOR_LOG")
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::piped())
            .spawn()
            .expect("the binary runs");
        let mut stderr = BufReader::new(child.stderr.take().expect("piped"));
        let address = loop {
            let mut line = String::new();
            assert_ne!(stderr.read_line(&mut line).expect("a line"), 0, "the hub ended");
            assert!(!line.contains("damaged"), "{line}");
            if let Some((_, rest)) = line.split_once("127.0.0.1:") {
                let port: String = rest.chars().take_while(char::is_ascii_digit).collect();
                break format!("127.0.0.1:{port}");
            }
        };
        std::thread::spawn(move || std::io::copy(&mut stderr, &mut std::io::sink()));
        Self { child, address }
    }

    /// SIGKILL: the instant after which it did nothing more.
    fn kill(mut self) -> Instant {
        self.child.kill().expect("killed");
        self.child.wait().expect("gone");
        Instant::now()
    }
}

/// What publishers were told.
#[derive(Default)]
struct Told {
    acknowledged: BTreeMap<Place, (Number, Instant)>,
}

/// What a reader was told.
#[derive(Default)]
struct Read {
    places: BTreeMap<String, String>,
    events: BTreeMap<Place, Number>,
    /// Offsets after the first and up to the second, by channel.
    lost: Vec<(String, u64, u64)>,
    /// The newest offset that a heartbeat has vouched for, by channel.
    heads: BTreeMap<String, u64>,
}

fn offset(position: &str) -> u64 {
    position.rsplit_once(':').and_then(|(_, offset)| offset.parse().ok()).expect(position)
}

impl Read {
    fn take(&mut self, message: &Value) {
        let text = |field: &str| message[field].as_str().expect(field).to_owned();
        match &*text("type") {
            "event" => {
                let (channel, position) = (text("channel"), text("position"));
                let before = self.places.insert(channel.clone(), position.clone());
                let before = before.map_or(0, |before| offset(&before));
                assert_eq!(offset(&position), before + 1, "{channel}: in order, with no hole that isn't told of");
                let number = |field: &str| message["data"][field].as_u64().expect(field);
                let number = (number("p"), number("n"));
                let other = self.events.insert((channel, offset(&position)), number);
                assert_eq!(other, None, "{position} twice");
            }
            "subscribed" => {
                let (channel, from) = (text("channel"), text("from"));
                match self.places.get(&channel) {
                    Some(place) => assert!(message["recovered"] == true && *place == from, "{message}"),
                    None => assert_eq!(offset(&from), 0, "it is there from the first event on"),
                }
                self.places.insert(channel, from);
            }
            "lost" => {
                let (channel, from, head) = (text("channel"), text("from"), text("head"));
                assert_eq!((&*text("reason"), self.places.get(&channel)), ("hub-crashed", Some(&from)));
                self.lost.push((channel.clone(), offset(&from), offset(&head)));
                self.places.insert(channel, head);
            }
            "heartbeat" => {
                for (channel, pulse) in message["channels"].as_object().expect("channels") {
                    let head = pulse["head"].as_str().expect("a head");
                    assert_eq!(self.places.get(channel).map(String::as_str), Some(head));
                    if pulse["behind"] == 0 {
                        self.heads.insert(channel.clone(), offset(head));
                    }
                }
            }
            _ => {}
        }
    }
}

/// Reads for ever: it comes back to each hub with its places.
async fn reader(addresses: watch::Receiver<String>, read: Arc<Mutex<Read>>) {
    loop {
        let address = addresses.borrow().clone();
        let Ok((mut socket, _)) = connect_async(format!("ws://{address}/v1/ws")).await else {
            tokio::time::sleep(Duration::from_millis(3)).await;
            continue;
        };
        let places: BTreeMap<_, _> = {
            let read = read.lock().expect("whole");
            CHANNELS.map(|channel| (channel, read.places.get(channel).cloned())).into()
        };
        let order = json!({"type": "subscribe", "channels": places}).to_string();
        if socket.send(Message::text(order)).await.is_err() {
            continue;
        }
        while let Some(Ok(frame)) = socket.next().await {
            if let Message::Text(text) = frame {
                let mut read = read.lock().expect("whole");
                text.split('\n').for_each(|line| read.take(&serde_json::from_str(line).expect(line)));
            }
        }
    }
}

/// Publishes until told to stop. What isn't answered is sent again with the same key, until it is.
async fn publisher(
    own: u64,
    addresses: watch::Receiver<String>,
    mut stop: watch::Receiver<bool>,
    told: Arc<Mutex<Told>>,
) -> u64 {
    let client = Client::builder().timeout(Duration::from_secs(20)).build().expect("a client");
    let mut number = 0;
    for batch in 0_u64.. {
        if *stop.borrow_and_update() {
            break;
        }
        let count = rand::rng().random_range(1..=20);
        let events: Vec<_> = (0..count)
            .map(|_| {
                number += 1;
                let channel = CHANNELS[usize::from(rand::rng().random_bool(0.5))];
                json!({"channel": channel, "name": "n", "data": {"p": own, "n": number}})
            })
            .collect();
        let key = format!("{own}-{batch}");
        let body = loop {
            let address = addresses.borrow().clone();
            let request =
                client.post(format!("http://{address}/v1/publish")).header("idempotency-key", &key).json(&events);
            if let Ok(answer) = request.send().await {
                let status = answer.status();
                if let Ok(body) = answer.json::<Value>().await {
                    if status == StatusCode::OK {
                        break body;
                    }
                    assert_eq!(status, StatusCode::SERVICE_UNAVAILABLE, "{body}");
                }
            }
            tokio::time::sleep(Duration::from_millis(3)).await;
        };
        let now = Instant::now();
        let mut told = told.lock().expect("whole");
        for (event, position) in events.iter().zip(body["positions"].as_array().expect("positions")) {
            let place = (event["channel"].as_str().expect("text").to_owned(), offset(position.as_str().expect("text")));
            let n = event["data"]["n"].as_u64().expect("a number");
            // A position that was given twice, of which the first was lost, would be one that a reader may have.
            let before = told.acknowledged.insert(place, ((own, n), now));
            assert_eq!(before, None, "a position was given twice");
        }
    }
    number
}

struct Outcome {
    told: Told,
    read: Read,
    kills: Vec<Instant>,
    published: Vec<u64>,
    counted: (Option<f64>, Option<i64>),
}

async fn run(durability: &'static str) -> Outcome {
    let _ = rustls::crypto::ring::default_provider().install_default();
    let lives: u32 = std::env::var("WATCHFLOOR_HUB_LIVES").ok().and_then(|text| text.parse().ok()).unwrap_or(30);
    let folder = tempfile::tempdir().expect("a folder");
    let data = folder.path().join("data");
    let board = folder.path().join("board.toml");
    std::fs::write(&board, BOARD).expect("written");
    let start = || Running::start(&data, &board, durability);
    let mut running = tokio::task::block_in_place(start);
    let (addresses, address) = watch::channel(running.address.clone());
    let (stop, stopped) = watch::channel(false);
    let (told, read) = (Arc::new(Mutex::new(Told::default())), Arc::new(Mutex::new(Read::default())));
    let reading = tokio::spawn(reader(address.clone(), read.clone()));
    // It is there from the first event on.
    let begun = || CHANNELS.iter().all(|channel| read.lock().expect("whole").places.contains_key(*channel));
    wait_for("the reader comes in", begun).await;
    let publishers: Vec<_> = (0..PUBLISHERS)
        .map(|own| tokio::spawn(publisher(own, address.clone(), stopped.clone(), told.clone())))
        .collect();
    let mut kills = Vec::new();
    for _ in 0..lives {
        tokio::time::sleep(Duration::from_millis(rand::rng().random_range(0..LIFE_MS))).await;
        kills.push(tokio::task::block_in_place(|| running.kill()));
        running = tokio::task::block_in_place(start);
        addresses.send_replace(running.address.clone());
    }
    stop.send_replace(true);
    let mut published = Vec::new();
    for publisher in publishers {
        published.push(publisher.await.expect("no panic"));
    }
    let newest = |channel: &str| {
        let told = told.lock().expect("whole");
        told.acknowledged.keys().filter(|place| place.0 == channel).map(|place| place.1).max().unwrap_or(0)
    };
    let newest: BTreeMap<_, _> = CHANNELS.map(|channel| (channel.to_owned(), newest(channel))).into();
    wait_for("the reader comes to the head", || {
        assert!(!reading.is_finished(), "the reader was told something that can't be");
        let heads = &read.lock().expect("whole").heads;
        newest.iter().all(|(channel, newest)| heads.get(channel).is_some_and(|head| head >= newest))
    })
    .await;
    reading.abort();
    let counted = counted(&running.address).await;
    running.kill();
    let (told, read) =
        (std::mem::take(&mut *told.lock().expect("whole")), std::mem::take(&mut *read.lock().expect("whole")));
    Outcome { told, read, kills, published, counted }
}

/// What the hub's own counter comes to, and the hub's time since when it misses nothing.
async fn counted(address: &str) -> (Option<f64>, Option<i64>) {
    let answer = reqwest::get(format!("http://{address}/v1/snapshot?channels=a,b")).await.expect("an answer");
    let snapshot: Value = answer.json().await.expect("a snapshot");
    let board = match watchfloor_board::config::parse(BOARD, "board.toml") {
        Ok(board) => board,
        Err(diagnostics) => panic!("{diagnostics}"),
    };
    let mut counter = Aggregate::new(&board.widgets[0].fold);
    let state = snapshot["aggregates"][counter.fingerprint()].to_string();
    counter.restore(&RawValue::from_string(state).expect("JSON")).expect("a counter");
    (counter.report().as_f64(), snapshot["since"].as_i64())
}

async fn wait_for(what: &str, is_so: impl Fn() -> bool) {
    let end = Instant::now() + PATIENCE;
    while !is_so() {
        assert!(Instant::now() < end, "{what}");
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
}

/// Nothing acknowledged is missing, each event is there once, in order, under its own position, and nothing is lost.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_durable_channel_loses_nothing() {
    let Outcome { told, read, kills, published, counted } = run("durable").await;
    assert!(read.lost.is_empty(), "{:?}", read.lost);
    for (place, (number, _)) in &told.acknowledged {
        assert_eq!(read.events.get(place), Some(number), "acknowledged at {place:?}");
    }
    // Whatever was cut off by a kill was sent again with its key: all of it is there, and once.
    let all: BTreeSet<_> = read.events.values().copied().collect();
    let expected: BTreeSet<_> =
        (0_u64..).zip(&published).flat_map(|(own, count)| (1..=*count).map(move |n| (own, n))).collect();
    assert_eq!((read.events.len(), &all), (expected.len(), &expected), "each once");
    assert_eq!(counted.0, Some(expected.len() as f64), "the hub has counted each once, through all of its lives");
    println!("durable: {} events through {} kills", read.events.len(), kills.len());
}

/// What is missing was acknowledged in the last 100 ms of a life, and is told of.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_fast_channel_loses_little_and_says_so() {
    let Outcome { told, read, kills, .. } = run("fast").await;
    let (mut missing, mut oldest) = (0, Duration::ZERO);
    for (place, (number, acknowledged)) in &told.acknowledged {
        if let Some(found) = read.events.get(place) {
            assert_eq!(found, number, "at {place:?}");
            continue;
        }
        let is_told =
            read.lost.iter().any(|(channel, from, head)| *channel == place.0 && (from + 1..=*head).contains(&place.1));
        assert!(is_told, "{place:?} is missing and nobody says so");
        let killed = kills.iter().find(|killed| *killed >= acknowledged).expect("a kill took it");
        let age = killed.duration_since(*acknowledged);
        assert!(age <= FAST + ALLOWANCE, "{place:?} was acknowledged {age:?} before the kill");
        (missing, oldest) = (missing + 1, oldest.max(age));
    }
    let events = told.acknowledged.len();
    println!(
        "fast: {events} events through {} kills, {missing} lost, the oldest acknowledged {oldest:?} before",
        kills.len()
    );
}
