//! `watchfloor-hub publish`: an event, or many from standard input, each once.

use std::{
    io::{self, BufRead, Read},
    time::{Duration, Instant},
};

use anyhow::anyhow;
use clap::Args;
use rand::RngExt;
use serde::Deserialize;
use serde_json::{Value, json};

use super::{Backoff, Call, Hub, Target, print, say};
use crate::Failure;

/// Lines of one request, and their bytes.
const BATCH_LINES_MAX: usize = 1000;
const BATCH_BYTES_MAX: usize = 1 << 20;
/// The longest line: an event with all that the hub takes.
const LINE_BYTES_MAX: u64 = 2 << 20;

/// Publishes an event, or events from standard input.
#[derive(Debug, Args)]
pub(crate) struct Publish {
    /// The channel; left out, whole events are read from standard input, one a line.
    #[arg(requires = "name")]
    channel: Option<String>,
    /// What kind of thing happened.
    name: Option<String>,
    /// What it says, JSON.
    #[arg(default_value = "null")]
    data: String,
    /// The event's own id.
    #[arg(long)]
    id: Option<String>,
    /// When it happened, milliseconds since 1970; left out, the hub's time.
    #[arg(long, value_name = "MS")]
    time: Option<i64>,
    /// For how long a hub that is away is called again.
    #[arg(long, value_name = "DURATION", default_value = "30s", value_parser = crate::any_duration)]
    patience: Duration,
    #[command(flatten)]
    target: Target,
}

#[derive(Deserialize)]
struct Accepted {
    positions: Vec<String>,
}

impl Publish {
    /// Does it. Each position is written on a line of its own.
    pub(crate) async fn run(self) -> Result<(), Failure> {
        let hub = self.target.open()?;
        let Some(channel) = &self.channel else { return self.lines(&hub).await };
        let data: Value = serde_json::from_str(&self.data)
            .map_err(|error| Failure::Input(format!("the data is no JSON: {error}: write a text as '\"text\"'")))?;
        let mut event = json!({"channel": channel, "name": self.name, "data": data});
        if let Some(id) = &self.id {
            event["id"] = json!(id);
        }
        if let Some(time) = self.time {
            event["time"] = json!(time);
        }
        self.publish(&hub, "application/json", event.to_string()).await.map(drop)
    }

    async fn lines(&self, hub: &Hub) -> Result<(), Failure> {
        let mut input = io::stdin().lock();
        let (mut batch, mut lines) = (String::new(), 0);
        loop {
            let begins = batch.len();
            let read = input
                .by_ref()
                .take(LINE_BYTES_MAX)
                .read_line(&mut batch)
                .map_err(|error| Failure::Environment(anyhow!(error).context("can't read standard input")))?;
            let is_whole = batch.ends_with('\n');
            if !is_whole && u64::try_from(read).is_ok_and(|read| read == LINE_BYTES_MAX) {
                return Err(Failure::Input(format!("a line has more than {LINE_BYTES_MAX} bytes: expected an event")));
            }
            if read > 0 && !is_whole {
                batch.push('\n');
            }
            if batch[begins..].trim().is_empty() {
                batch.truncate(begins);
            } else {
                lines += 1;
            }
            let is_full = lines >= BATCH_LINES_MAX || batch.len() >= BATCH_BYTES_MAX;
            if lines > 0 && (is_full || read == 0) {
                if !self.publish(hub, "application/x-ndjson", std::mem::take(&mut batch)).await? {
                    return Ok(());
                }
                lines = 0;
            }
            if read == 0 {
                return Ok(());
            }
        }
    }

    /// Publishes a batch once, however often it has to be sent. False if nobody reads where it is any more.
    async fn publish(&self, hub: &Hub, form: &str, body: String) -> Result<bool, Failure> {
        let key = format!("{:032x}", rand::rng().random::<u128>());
        let (begun, mut backoff, mut is_said) = (Instant::now(), Backoff::new(), false);
        loop {
            let request = hub.post("/v1/publish")?.header("content-type", form).header("idempotency-key", &key);
            let why = match hub.call(request.body(body.clone())).await? {
                Call::Answered(response) => match response.json::<Accepted>().await {
                    Ok(Accepted { positions }) => {
                        for position in positions {
                            if !print(&position)? {
                                return Ok(false);
                            }
                        }
                        return Ok(true);
                    }
                    Err(error) => format!("the hub's answer broke off: {error}"),
                },
                Call::Later(why) => why,
            };
            if begun.elapsed() >= self.patience {
                return Err(Failure::Environment(anyhow!("{why}: nothing is known of what was not answered")));
            }
            if !std::mem::replace(&mut is_said, true) {
                say(&format_args!("{why}: trying again for {} s", self.patience.as_secs()));
            }
            backoff.wait().await;
        }
    }
}
