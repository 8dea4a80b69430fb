//! WebSocket → decode → journal → fold → frame, as fast as it goes, beside reading and parsing the same bytes and nothing else.

use std::{
    net::SocketAddr,
    process::{Child, Command, Stdio},
    time::{Duration, Instant},
};

use anyhow::{Context, Result, ensure};
use futures_util::{SinkExt, StreamExt};
use serde_json::Value;
use tokio_tungstenite::tungstenite::{Message, client::IntoClientRequest};
use watchfloor_engine::{BoardInput, Engine, EngineConfig};

use crate::bench::{figure::Figure, proc};

const BOARD: &str = include_str!("../../boards/orders.toml");
const BOARD_URL: &str = "http://127.0.0.1:8787";
/// A display's refresh: how often the page pulls.
const REFRESH: Duration = Duration::from_millis(16);
/// The board's windows and charts reach back a minute: before they are full, memory grows as it must. Not measured.
const FILL: Duration = Duration::from_secs(62);
/// Nothing new for this long means that something is broken.
const STALL: Duration = Duration::from_secs(20);

/// A generator in a process of its own, so that its cost and memory are not counted as ours.
pub struct Generator {
    child: Child,
    /// Where it listens.
    pub address: SocketAddr,
}

impl Generator {
    /// Starts this very program as a generator.
    ///
    /// # Errors
    /// If it can't be started.
    pub fn start(arguments: &[String]) -> Result<Self> {
        let mut child = Command::new(std::env::current_exe()?)
            .arg("generate")
            .args(arguments)
            .stdout(Stdio::piped())
            .spawn()
            .context("the generator")?;
        let mut line = String::new();
        let output = child.stdout.take().context("the generator's output")?;
        std::io::BufRead::read_line(&mut std::io::BufReader::new(output), &mut line)?;
        Ok(Self { child, address: line.trim().parse().context("the generator's address")? })
    }
}

impl Drop for Generator {
    fn drop(&mut self) {
        // Already gone is as good.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// The board that the benchmarks show, with its source at `address`.
#[must_use]
pub fn board(address: SocketAddr) -> String {
    BOARD.replace(BOARD_URL, &format!("http://{address}"))
}

/// Runs both and compares.
///
/// # Errors
/// If one of them stalls.
pub async fn run(events: u64) -> Result<Vec<Figure>> {
    let generator = Generator::start(&[])?;
    let limit = read_and_parse(generator.address, events).await?;
    let (rate, memory) = ingest(generator.address, events).await?;
    let figure =
        |metric: &str, value, unit, limit| Figure { bench: "ingest", metric: metric.to_owned(), value, unit, limit };
    Ok(vec![
        figure("events_per_second", rate, "1/s", Some(limit)),
        figure("memory_at_begin", memory.first().copied().unwrap_or(0.0), "MiB", None),
        figure("memory_at_end", memory.last().copied().unwrap_or(0.0), "MiB", memory.first().copied()),
        figure("memory_peak", memory.iter().copied().fold(0.0, f64::max), "MiB", memory.first().copied()),
    ])
}

/// Events a second of a reader that parses each line and does nothing with it.
async fn read_and_parse(address: SocketAddr, events: u64) -> Result<f64> {
    let request = format!("ws://{address}/v1/ws").into_client_request()?;
    let (mut socket, _) = tokio_tungstenite::connect_async(request).await?;
    socket.send(Message::text(r#"{"type":"subscribe","channels":{"orders":null}}"#)).await?;
    let (mut seen, mut begun) = (0_u64, None);
    while seen < events {
        let message = tokio::time::timeout(STALL, socket.next()).await?.context("the generator left")??;
        let Message::Text(text) = message else { continue };
        for line in text.lines() {
            let value: Value = serde_json::from_str(line)?;
            if value["type"] == "event" {
                seen += 1;
                begun.get_or_insert_with(Instant::now);
            }
        }
    }
    let begun = begun.context("there was no event")?;
    Ok(events as f64 / begun.elapsed().as_secs_f64())
}

/// Events a second of the whole backend with full windows, and its resident memory meanwhile.
async fn ingest(address: SocketAddr, events: u64) -> Result<(f64, Vec<f64>)> {
    let data = tempfile::tempdir()?;
    let engine = Engine::start(EngineConfig {
        data_dir: Some(data.path().to_owned()),
        ..EngineConfig::new(BoardInput::Text { name: "orders.toml".to_owned(), text: board(address) })
    })
    .await?;
    let page = tokio::spawn({
        let engine = engine.clone();
        async move {
            let (mut after, mut revision) = (0, 0);
            loop {
                let frame = engine.next_frame(after, revision).await;
                (after, revision) = (frame.version, frame.revision);
                tokio::time::sleep(REFRESH).await;
            }
        }
    });
    let (mut first, mut begun, mut moved, mut last, mut memory) = (None, None, Instant::now(), 0, Vec::new());
    while begun.is_none_or(|(_, before)| last < before + events) {
        tokio::time::sleep(Duration::from_millis(100)).await;
        let report = engine.report().await;
        let seen = report["sources"]["orders"]["events"].as_u64().context("events of the source")?;
        if seen > last {
            moved = Instant::now();
            if first.get_or_insert(moved).elapsed() >= FILL {
                begun.get_or_insert((moved, seen));
            }
        }
        ensure!(moved.elapsed() < STALL, "ingest stands still at {seen}: {report}");
        last = seen;
        if begun.is_some() {
            memory.push(proc::rss_mib(std::process::id()));
        }
    }
    let (begun, before) = begun.context("there was no event")?;
    let rate = (last - before) as f64 / (moved - begun).as_secs_f64();
    page.abort();
    engine.stop().await;
    Ok((rate, memory))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A benchmark whose board is refused measures nothing.
    #[test]
    fn the_board_of_the_benchmarks_is_a_good_one() {
        let text = board(SocketAddr::from(([127, 0, 0, 1], 9)));
        assert!(!text.contains(BOARD_URL), "its source is another than the one that is replaced");
        if let Err(errors) = watchfloor_board::config::parse(&text, "orders.toml") {
            panic!("{errors}");
        }
    }
}
