//! What it costs to keep events: publishers that wait for a commit, and how long each waits, beside what SQLite alone takes for the same
//! rows on the same disk in the same run.
//!
//! Prints one JSON object a figure. The folder is a temporary one; `TMPDIR` says on which disk.

use std::{
    io::Write,
    path::Path,
    time::{Duration, Instant},
};

use reqwest::Client;
use serde_json::{Value, json};
use tokio::{net::TcpListener, sync::oneshot};
use watchfloor_hub::{Durability, Hub, HubConfig, Rules, Settings, StoreConfig};

/// How long each part goes on.
const TIME: Duration = Duration::from_secs(4);
/// Events of a batch, where batches are published.
const BATCH_EVENTS: usize = 100;
/// How many publish at once, each waiting for its answer.
const PUBLISHERS: [usize; 3] = [1, 16, 128];

fn main() {
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build().expect("threads");
    let _ = rustls::crypto::ring::default_provider().install_default();
    let folder = tempfile::tempdir().expect("a folder");
    for events in [1, BATCH_EVENTS] {
        let rate = sqlite_alone(&folder.path().join(format!("alone-{events}.db")), events);
        report("sqlite_alone", "none", 1, events, rate, None, None);
        for (durability, name) in
            [(Durability::Durable, "durable"), (Durability::Fast, "fast"), (Durability::Memory, "memory")]
        {
            for publishers in PUBLISHERS {
                let data = folder.path().join(format!("{name}-{events}-{publishers}"));
                let (published, mut waits) = runtime.block_on(hub(&data, durability, publishers, events));
                waits.sort();
                report("publish", name, publishers, events, published, Some(rate), Some(&waits));
            }
        }
    }
}

fn event(number: usize) -> Value {
    let data = json!({"carrier": "UA", "flight": number, "origin": "EWR", "dest": "LAX", "delay": 12.5});
    json!({"channel": "flights", "name": "flight.departed", "time": 1_360_339_200_000_i64, "data": data})
}

/// Transactions of so many rows, each synced, one after the other: events a second.
fn sqlite_alone(path: &Path, events: usize) -> f64 {
    let mut connection = rusqlite::Connection::open(path).expect("a file");
    connection.pragma_update(None, "journal_mode", "WAL").expect("taken");
    connection.pragma_update(None, "synchronous", "FULL").expect("taken");
    connection.execute_batch("CREATE TABLE event (serial INTEGER PRIMARY KEY, line TEXT NOT NULL)").expect("made");
    let line = event(1).to_string();
    let begin = Instant::now();
    let mut written = 0;
    while begin.elapsed() < TIME {
        let transaction = connection.transaction().expect("begun");
        for _ in 0..events {
            transaction
                .prepare_cached("INSERT INTO event (line) VALUES (?1)")
                .expect("sound")
                .execute([&line])
                .expect("written");
        }
        transaction.commit().expect("kept");
        written += events;
    }
    written as f64 / begin.elapsed().as_secs_f64()
}

/// Publishers that publish one batch after the other: events a second, and how long each batch took to be answered.
async fn hub(data: &Path, durability: Durability, publishers: usize, events: usize) -> (f64, Vec<Duration>) {
    let store = Some(StoreConfig { folder: data.to_owned() });
    let hub = Hub::open(HubConfig {
        store,
        rules: Rules::all(Settings { durability, ..Settings::default() }),
        ..HubConfig::default()
    });
    let hub = hub.expect("a store");
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
    let url = format!("http://{}/v1/publish", listener.local_addr().expect("an address"));
    let (stop, stopped) = oneshot::channel::<()>();
    let serving = tokio::spawn(async move {
        let stopped = async {
            let _ = stopped.await;
        };
        hub.serve(listener, stopped).await
    });
    let body = json!((0..events).map(event).collect::<Vec<_>>()).to_string();
    let begin = Instant::now();
    let client = Client::new();
    let tasks: Vec<_> = (0..publishers)
        .map(|_| {
            let (client, url, body) = (client.clone(), url.clone(), body.clone());
            tokio::spawn(async move {
                let mut waits = Vec::new();
                while begin.elapsed() < TIME {
                    let sent = Instant::now();
                    let request = client.post(&url).header("content-type", "application/json").body(body.clone());
                    request
                        .send()
                        .await
                        .expect("an answer")
                        .error_for_status()
                        .expect("taken")
                        .bytes()
                        .await
                        .expect("a body");
                    waits.push(sent.elapsed());
                }
                waits
            })
        })
        .collect();
    let mut waits = Vec::new();
    for task in tasks {
        waits.extend(task.await.expect("no panic"));
    }
    let rate = (waits.len() * events) as f64 / begin.elapsed().as_secs_f64();
    drop(stop);
    serving.await.expect("no panic").expect("no error");
    (rate, waits)
}

fn report(
    metric: &str,
    durability: &str,
    publishers: usize,
    events: usize,
    rate: f64,
    limit: Option<f64>,
    waits: Option<&[Duration]>,
) {
    let wait = |share: usize| {
        waits.and_then(|waits| waits.get(waits.len() * share / 100)).map(|wait| wait.as_secs_f64() * 1e3)
    };
    let line = json!({
        "bench": "kept", "metric": metric, "durability": durability, "publishers": publishers, "batch": events, "value": rate,
        "unit": "events/s", "limit": limit, "ratio": limit.map(|limit| rate / limit), "p50_ms": wait(50), "p99_ms": wait(99),
    });
    writeln!(std::io::stdout(), "{line}").expect("somebody reads");
}
