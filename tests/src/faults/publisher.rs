//! A publisher that goes on whatever happens, and the ledger of what the hub took from it.

use std::{
    collections::BTreeMap,
    net::SocketAddr,
    sync::{Arc, Mutex, PoisonError},
    time::{Duration, SystemTime, UNIX_EPOCH},
};

use anyhow::{Context, Result, ensure};
use serde_json::{Value, json};
use tokio::{sync::watch, task::JoinHandle, time::sleep};

use super::fold::Said;

const PERIOD: Duration = Duration::from_millis(50);
/// What is not answered by then is asked again; the key keeps it from being taken twice.
const ANSWER_MAX: Duration = Duration::from_secs(60);

/// An event that a hub took.
#[derive(Clone, Debug)]
pub struct Taken {
    /// It.
    pub said: Said,
    /// When the hub's answer was there, milliseconds since 1970.
    pub answered: i64,
}

/// What one life of a hub took, in order.
#[derive(Clone, Debug, Default)]
pub struct Life {
    /// The epoch that it gave.
    pub epoch: String,
    /// Its events.
    pub taken: Vec<Taken>,
    /// Since when it knows everything, if it doesn't know everything.
    pub begun: Option<i64>,
}

/// Every life of the hub, oldest first.
pub type Ledger = Vec<Life>;

/// A running publisher. It ends when it is dropped.
#[derive(Debug)]
pub struct Publisher {
    ledger: Arc<Mutex<Ledger>>,
    stop: watch::Sender<bool>,
    task: JoinHandle<Result<()>>,
}

impl Drop for Publisher {
    fn drop(&mut self) {
        self.task.abort();
    }
}

/// Milliseconds since 1970.
#[must_use]
pub fn now_ms() -> i64 {
    let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    i64::try_from(now.as_millis()).unwrap_or(i64::MAX)
}

/// A client of this machine's servers.
///
/// # Errors
/// If it can't be made.
pub fn client() -> Result<reqwest::Client> {
    // The first call installs it.
    let _again = rustls::crypto::ring::default_provider().install_default();
    // Servers in Node close what is idle for five seconds, perhaps just as the next request goes out.
    let idle_max = Duration::from_secs(3);
    reqwest::Client::builder()
        .no_proxy()
        .timeout(ANSWER_MAX)
        .pool_idle_timeout(idle_max)
        .build()
        .context("an HTTP client")
}

impl Publisher {
    /// Vouches that nothing was before it, and begins.
    ///
    /// # Errors
    /// If the hub doesn't answer.
    pub async fn start(hub: SocketAddr) -> Result<Self> {
        let client = client()?;
        let url = format!("http://{hub}/v1/clock");
        let begins = json!({"system": true, "begins": true});
        let answer = client.post(url).json(&begins).send().await.context("the hub's clock")?;
        ensure!(answer.status().as_u16() == 204, "the hub's clock: {}", answer.status());
        let ledger: Arc<Mutex<Ledger>> = Arc::default();
        let (stop, stopped) = watch::channel(false);
        let task = tokio::spawn(publish(client, hub, Arc::clone(&ledger), stopped));
        Ok(Self { ledger, stop, task })
    }

    /// What hubs took so far.
    #[must_use]
    pub fn ledger(&self) -> Ledger {
        self.ledger.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// Ends it when the hub has taken what it was just told. Answers what hubs took.
    ///
    /// # Errors
    /// If the hub refused something.
    pub async fn finish(&mut self) -> Result<Ledger> {
        self.stop.send_replace(true);
        (&mut self.task).await??;
        Ok(self.ledger())
    }
}

async fn publish(
    client: reqwest::Client,
    hub: SocketAddr,
    ledger: Arc<Mutex<Ledger>>,
    stopped: watch::Receiver<bool>,
) -> Result<()> {
    let mut number = 0;
    while !*stopped.borrow() {
        let time = now_ms();
        let batch: Vec<Said> = (1..=number % 4 + 1).map(|more| Said { number: number + more, time }).collect();
        let body = Value::Array(batch.iter().map(|said| said.event()).collect()).to_string();
        let key = format!("batch-{number}");
        number += batch.len() as u64;
        let positions = loop {
            match post(&client, hub, &key, &body).await {
                Ok(positions) => break positions?,
                // It is away; what is to be said is said when it is back.
                Err(_) => sleep(PERIOD).await,
            }
        };
        ensure!(positions.len() == batch.len(), "{} positions of {}", positions.len(), batch.len());
        enter(&mut ledger.lock().unwrap_or_else(PoisonError::into_inner), &batch, &positions)?;
        sleep(PERIOD).await;
    }
    Ok(())
}

/// Outer: whether there was an answer. Inner: what it was.
async fn post(
    client: &reqwest::Client,
    hub: SocketAddr,
    key: &str,
    body: &str,
) -> reqwest::Result<Result<Vec<String>>> {
    let request = client.post(format!("http://{hub}/v1/publish")).header("content-type", "application/json");
    let answer = request.header("idempotency-key", key).body(body.to_owned()).send().await?;
    let status = answer.status();
    let text = answer.text().await?;
    Ok(positions_of(status.as_u16(), &text).with_context(|| format!("HTTP {status}: {text}")))
}

/// The positions in a hub's answer.
pub(super) fn positions_of(status: u16, text: &str) -> Result<Vec<String>> {
    ensure!(status == 200, "the hub refuses it");
    let mut answer: BTreeMap<String, Vec<String>> = serde_json::from_str(text)?;
    answer.remove("positions").context("no positions")
}

fn enter(ledger: &mut Ledger, batch: &[Said], positions: &[String]) -> Result<()> {
    let answered = now_ms();
    for (said, position) in batch.iter().zip(positions) {
        let (epoch, _) = position.split_once(':').context("epoch:offset")?;
        if ledger.last().is_none_or(|life| life.epoch != epoch) {
            // The first one was told that nothing had been before it.
            let begun = (!ledger.is_empty()).then_some(answered);
            ledger.push(Life { epoch: epoch.to_owned(), taken: Vec::new(), begun });
        }
        if let Some(life) = ledger.last_mut() {
            life.taken.push(Taken { said: *said, answered });
        }
    }
    Ok(())
}
