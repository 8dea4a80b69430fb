//! What a site writes to Redis becomes events of the hub: once each, whoever is killed.

use std::{
    fs,
    net::{Ipv4Addr, SocketAddr},
    process::Command,
    time::{Duration, Instant},
};

use reqwest::Client;
use serde_json::Value;
use tempfile::TempDir;
use tokio::time::sleep;

use crate::{
    publisher::http,
    stand::{Program, Stand, TOKEN, ask, free_port, redis},
};

const PATIENCE: Duration = Duration::from_secs(90);
/// Entries that are written while the hub is killed again and again.
const ENTRIES: u64 = 1500;

/// A hub that is alone, with a data folder.
async fn hub(folder: &TempDir, sources: &str) -> Program {
    let address = SocketAddr::from((Ipv4Addr::LOCALHOST, free_port()));
    let own = folder.path().join("hub");
    fs::create_dir(&own).expect("a folder");
    fs::write(own.join("publish.token"), TOKEN).expect("a token");
    let config = own.join("hub.toml");
    let text = format!(
        "[hub]\nlisten = \"{address}\"\nheartbeat = \"500ms\"\npublish-token = {{ file = \"publish.token\" }}\ndata-dir = \"data\"\n\n{sources}"
    );
    fs::write(&config, text).expect("its file");
    Program::start("watchfloor-hub", address, own.join("log"), move || {
        let mut command = Command::new(env!("CARGO_BIN_EXE_watchfloor-hub"));
        command.arg("--config").arg(&config);
        command
    })
    .await
}

/// One poll, at whichever of these answers.
async fn poll(http: &Client, at: &[SocketAddr], cursor: &str) -> Option<Value> {
    for address in at {
        let url = reqwest::Url::parse_with_params(
            &format!("http://{address}/v1/poll"),
            [("cursor", cursor), ("wait_ms", "500")],
        );
        if let Ok(answer) = http.get(url.expect("an address")).send().await
            && answer.status().is_success()
        {
            return answer.json().await.ok();
        }
    }
    None
}

/// Reads a channel from its beginning until it has so many events.
async fn numbers(http: &Client, at: &[SocketAddr], channel: &str, count: u64) -> Vec<u64> {
    let (mut found, mut cursor, begun) = (Vec::new(), format!("{channel}~"), Instant::now());
    while (found.len() as u64) < count {
        assert!(begun.elapsed() < PATIENCE, "{} of {count}: {:?}", found.len(), found.last());
        let Some(answer) = poll(http, at, &cursor).await else {
            sleep(Duration::from_millis(50)).await;
            continue;
        };
        if found.is_empty() && !cursor.contains(':') {
            // From the first on, once the epoch is known.
            let next = answer["cursor"].as_str().expect("a cursor");
            let (epoch, _) = next.rsplit_once(':').expect("a place");
            cursor = format!("{epoch}:0");
            continue;
        }
        cursor = answer["cursor"].as_str().expect("a cursor").to_owned();
        let messages = answer["messages"].as_array().expect("messages");
        found.extend(
            messages
                .iter()
                .filter(|message| message["type"] == "event")
                .map(|event| event["data"]["n"].as_u64().expect("a number")),
        );
    }
    found
}

async fn write(redis: SocketAddr, number: u64) {
    let data = format!(r#""{{\"n\":{number}}}""#);
    let answer = ask(redis, &format!("XADD orders * name placed data {data}")).await;
    assert!(answer.starts_with('$'), "{answer}");
}

/// H4: entries of a stream are published once each and in their order while the hub is killed again and again, those that were written while none was there too;
/// what can't be an event is left out, counted and not kept waiting.
#[tokio::test(flavor = "multi_thread")]
async fn a_stream_is_published_once() {
    let folder = tempfile::tempdir().expect("a folder");
    let redis = redis(folder.path(), "redis", "appendonly no\n").await;
    let source =
        format!("[[from-redis]]\nid = \"orders\"\nredis = \"redis://{}\"\nstream = \"orders\"\n", redis.address);
    for number in 1..=100 {
        write(redis.address, number).await;
    }
    let mut hub = hub(&folder, &source).await;
    let http = http();
    let at = [hub.address];
    for number in 101..=ENTRIES {
        write(redis.address, number).await;
        if number % 200 == 0 {
            assert!(ask(redis.address, "XADD orders * name broken").await.starts_with('$'));
            assert!(ask(redis.address, "XADD orders * nonsense 1").await.starts_with('$'));
            hub.kill();
            hub.start_anew().await;
        }
    }
    assert_eq!(numbers(&http, &at, "orders", ENTRIES).await, (1..=ENTRIES).collect::<Vec<_>>());
    let begun = Instant::now();
    while !ask(redis.address, "XPENDING orders watchfloor").await.contains(":0") {
        assert!(begun.elapsed() < PATIENCE, "all is acknowledged");
        sleep(Duration::from_millis(50)).await;
    }
    assert_eq!(numbers(&http, &at, "orders", ENTRIES).await.len() as u64, ENTRIES);
    let metrics =
        http.get(format!("http://{}/metrics", hub.address)).bearer_auth(TOKEN).send().await.expect("an answer");
    let metrics = metrics.text().await.expect("text");
    assert!(metrics.contains("watchfloor_hub_from_redis_taken_total{source=\"orders\"}"), "{metrics}");
    assert!(hub.said().contains("nonsense"), "{}", hub.said());
}

/// H4: of several nodes one reads; when it is killed another goes on, and each entry is published once.
#[tokio::test(flavor = "multi_thread")]
async fn nodes_take_turns() {
    let source = "[[from-redis]]\nid = \"orders\"\nstream = \"orders\"\n";
    let mut stand = Stand::new(2, source).await;
    let http = http();
    for number in 1..=ENTRIES {
        write(stand.redis.address, number).await;
        if number % 500 == 0 {
            let victim = (number / 500 % 2) as usize;
            stand.nodes[victim].kill();
            stand.nodes[victim].start_anew().await;
        }
    }
    let found = numbers(&http, &stand.addresses(), "orders", ENTRIES).await;
    assert_eq!(found, (1..=ENTRIES).collect::<Vec<_>>());
}

/// What Laravel broadcasts by Redis is heard as it is: its channel without the prefix, its event's name, its data.
#[tokio::test(flavor = "multi_thread")]
async fn what_laravel_broadcasts() {
    let folder = tempfile::tempdir().expect("a folder");
    let redis = redis(folder.path(), "redis", "appendonly no\n").await;
    let source = format!(
        "[[from-redis]]\nid = \"laravel\"\nredis = \"redis://{}\"\npattern = \"laravel_database_*\"\nprefix = \"laravel_database_\"\nform = \"laravel\"\n",
        redis.address
    );
    let hub = hub(&folder, &source).await;
    let (http, begun) = (http(), Instant::now());
    while !ask(redis.address, "PUBSUB NUMPAT").await.contains(":1") {
        assert!(begun.elapsed() < PATIENCE, "it listens");
        sleep(Duration::from_millis(20)).await;
    }
    let said = r#""{\"event\":\"App\\\\Events\\\\OrderShipped\",\"data\":{\"n\":1},\"socket\":null}""#;
    for message in ["nonsense", said] {
        assert_eq!(
            ask(redis.address, &format!("PUBLISH laravel_database_private-orders.5 {message}")).await.trim(),
            ":1"
        );
    }
    assert_eq!(numbers(&http, &[hub.address], "private-orders.5", 1).await, [1]);
    let begun = Instant::now();
    loop {
        let metrics =
            http.get(format!("http://{}/metrics", hub.address)).bearer_auth(TOKEN).send().await.expect("an answer");
        if metrics.text().await.expect("text").contains("from_redis_left_out_total{source=\"laravel\"} 1") {
            break;
        }
        assert!(begun.elapsed() < PATIENCE, "it is counted");
    }
}
