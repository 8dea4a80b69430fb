//! H3, H4: another Redis takes over.

use std::{
    fs,
    net::{Ipv4Addr, SocketAddr},
    process::Command,
    time::{Duration, Instant},
};

use reqwest::StatusCode;
use serde_json::json;
use tokio::time::{sleep, timeout};

use crate::{
    publisher::{http, numbered, publish, publish_all},
    reader::{Reader, Way},
    stand::{Program, Stand, ask, free_port, node, redis},
};

const PATIENCE: Duration = Duration::from_secs(120);

/// One that says which of two is the master.
async fn sentinel(folder: &std::path::Path, master: SocketAddr) -> Program {
    let address = SocketAddr::from((Ipv4Addr::LOCALHOST, free_port()));
    let own = folder.join("sentinel");
    fs::create_dir(&own).expect("a folder");
    let config = own.join("sentinel.conf");
    let text = format!(
        "bind 127.0.0.1\nport {}\ndir {}\nsentinel monitor wall 127.0.0.1 {} 1\nsentinel down-after-milliseconds wall 500\nsentinel failover-timeout wall 3000\n",
        address.port(),
        own.display(),
        master.port()
    );
    fs::write(&config, text).expect("its settings");
    Program::start("redis-server", address, own.join("log"), move || {
        let mut command = Command::new("redis-server");
        command.arg(&config).arg("--sentinel");
        command
    })
    .await
}

async fn until(what: &str, holds: impl AsyncFn() -> bool) {
    let begun = Instant::now();
    while !holds().await {
        assert!(begun.elapsed() < PATIENCE, "{what}");
        sleep(Duration::from_millis(50)).await;
    }
}

/// An event is acknowledged, and seen by readers, when a replica has it; so when the master is killed, nothing of that is lost, and the epoch goes on.
#[tokio::test(flavor = "multi_thread")]
async fn another_redis_takes_over() {
    let folder = tempfile::tempdir().expect("a folder");
    let first = redis(folder.path(), "first", "appendonly no\n").await;
    let second =
        redis(folder.path(), "second", &format!("appendonly no\nreplicaof 127.0.0.1 {}\n", first.address.port())).await;
    let sentinel = sentinel(folder.path(), first.address).await;
    until("a replica", async || ask(first.address, "INFO replication").await.contains("state=online")).await;
    until("Sentinel knows it", async || {
        ask(sentinel.address, "SENTINEL MASTER wall").await.contains("num-slaves\r\n$1\r\n1")
    })
    .await;
    let engine = format!("sentinels = \"{}\"\nmaster = \"wall\"\nreplicas = 1\n", sentinel.address);
    let mut stand = Stand { folder, redis: first, nodes: Vec::new() };
    for number in 0..2 {
        let node = node(stand.folder.path(), number, &engine, "").await;
        stand.nodes.push(node);
    }
    let at = stand.addresses();
    let channels = vec!["a".to_owned(), "b".to_owned()];
    let mut tasks = Vec::new();
    for way in [Way::WebSocket, Way::Events, Way::Poll] {
        let (reader, mut progress) = Reader::new(way, at.clone(), &channels, 400);
        tasks.push(tokio::spawn(reader.run(tasks.len())));
        let begun = progress.wait_for(|progress| progress.begun == 2);
        timeout(PATIENCE, begun).await.expect("in time").expect("a reader");
    }
    let publishing = publish_all("p".to_owned(), at.clone(), channels.clone(), 400, 5, Duration::from_millis(20));
    let publishing = tokio::spawn(publishing);
    until("half of it", async || {
        let answer = ask(stand.redis.address, "HGET wf:{a}:m c").await;
        answer.lines().nth(1).and_then(|line| line.parse::<u64>().ok()).is_some_and(|head| head >= 100)
    })
    .await;
    stand.redis.kill();
    until("the other is the master", async || ask(second.address, "ROLE").await.contains("master")).await;
    // A master without a replica acknowledges nothing.
    let alone = async || {
        let told = publish(&http(), at[0], None, &numbered(&["other".to_owned()], 1..=1)).await;
        told.is_ok_and(|(status, body, _)| {
            status == StatusCode::SERVICE_UNAVAILABLE && body["error"]["code"] == json!("store-slow")
        })
    };
    until("it is refused", alone).await;
    stand.redis.start_anew().await;
    timeout(PATIENCE, publishing).await.expect("in time").expect("all is published");
    for task in tasks {
        timeout(PATIENCE, task).await.expect("in time").expect("a whole sequence");
    }
}
