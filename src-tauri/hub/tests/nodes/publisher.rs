//! One who publishes numbered events, each batch until it is acknowledged.

use std::{net::SocketAddr, time::Duration};

use reqwest::{Client, StatusCode};
use serde_json::{Value, json};
use tokio::time::sleep;

use crate::stand::TOKEN;

/// A client for all kinds of calls.
pub(crate) fn http() -> Client {
    // Another test of this program may have done so.
    let _ = rustls::crypto::ring::default_provider().install_default();
    Client::builder().timeout(Duration::from_secs(10)).build().expect("a client")
}

/// Publishes once.
pub(crate) async fn publish(
    http: &Client,
    at: SocketAddr,
    key: Option<&str>,
    events: &Value,
) -> Result<(StatusCode, Value, bool), reqwest::Error> {
    let mut request = http.post(format!("http://{at}/v1/publish")).bearer_auth(TOKEN).json(events);
    if let Some(key) = key {
        request = request.header("idempotency-key", key);
    }
    let answer = request.send().await?;
    let (status, replayed) = (answer.status(), answer.headers().contains_key("idempotency-replayed"));
    Ok((status, answer.json().await.unwrap_or_default(), replayed))
}

/// The events numbered so, one a channel each.
pub(crate) fn numbered(channels: &[String], numbers: std::ops::RangeInclusive<u64>) -> Value {
    let event = |number: u64, channel: &String| json!({"channel": channel, "name": "n", "data": {"n": number}});
    numbers.flat_map(|number| channels.iter().map(move |channel| event(number, channel))).collect()
}

/// Publishes events 1 to `count` on each channel in batches of `size` numbers, at these addresses in turn, each until it is acknowledged. Answers how many
/// tries were in vain.
pub(crate) async fn publish_all(
    name: String,
    at: Vec<SocketAddr>,
    channels: Vec<String>,
    count: u64,
    size: u64,
    pause: Duration,
) -> u64 {
    let http = http();
    let (mut first, mut turn, mut failed) = (1, 0, 0);
    while first <= count {
        let last = count.min(first + size - 1);
        let events = numbered(&channels, first..=last);
        let key = format!("{name}-{first}");
        loop {
            let address = at[turn % at.len()];
            turn += 1;
            match publish(&http, address, Some(&key), &events).await {
                Ok((StatusCode::OK, ..)) => break,
                Ok((status, body, _)) => {
                    // A proxy has words of its own.
                    let may_fail = status.is_server_error();
                    assert!(may_fail, "{status} {body}");
                }
                Err(_) => {}
            }
            failed += 1;
            sleep(Duration::from_millis(50)).await;
        }
        first = last + 1;
        sleep(pause).await;
    }
    failed
}
