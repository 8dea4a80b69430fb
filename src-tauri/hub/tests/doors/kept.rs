//! What a hub with a store keeps, and what it says while it can't.

use std::path::Path;

use reqwest::StatusCode;
use serde_json::json;
use watchfloor_hub::{Durability, Hub, HubConfig, Rules, Settings, StoreConfig};

use crate::support::{PATIENCE, Record, Served, answer};

fn config(folder: &Path) -> HubConfig {
    let store = Some(StoreConfig { folder: folder.join("data") });
    let rules = Rules::new(|channel| Settings {
        durability: if channel == "fast" { Durability::Fast } else { Durability::Durable },
        ..Settings::default()
    });
    HubConfig { store, rules, ..HubConfig::default() }
}

/// A hub in this folder, from another process so to speak.
async fn served(folder: &Path) -> Served {
    Served::serve(Hub::open(config(folder)).expect("a store")).await
}

/// Publishes until it is taken: a store that was away comes back.
async fn published(served: &Served, number: u64) -> Vec<String> {
    let end = tokio::time::Instant::now() + PATIENCE;
    loop {
        let (status, body) = served.post("/v1/publish", json!({"channel": "a", "name": "n", "data": number})).await;
        if status == StatusCode::OK {
            return serde_json::from_value(body["positions"].clone()).expect("positions");
        }
        assert_eq!((status, &body["error"]["code"]), (StatusCode::SERVICE_UNAVAILABLE, &json!("store-failing")));
        assert!(tokio::time::Instant::now() < end, "{body}");
        tokio::time::sleep(std::time::Duration::from_millis(50)).await;
    }
}

/// H4: history, positions, the answers to keys and the clock are there after a restart, for readers by any place.
#[tokio::test]
async fn a_restart_keeps_what_was_told() {
    let folder = tempfile::tempdir().expect("a folder");
    let hub = served(folder.path()).await;
    let epoch = hub.hub.epoch();
    assert_eq!(hub.get("/v1/health").await.1["store"], "ok");
    let mut record = Record::of(&["a", "fast"]);
    let mut socket = hub.subscribed(record.subscription()).await;
    record.take_all(&socket.until("heartbeat").await);
    hub.publish("a", 1..=3).await;
    hub.publish("fast", 4..=5).await;
    socket.record(&mut record, 5).await;
    let keyed = |hub: &Served| {
        let request = hub.client.post(hub.url("/v1/publish")).header("idempotency-key", "k");
        request.json(&json!({"channel": "a", "name": "n", "data": 6})).send()
    };
    let first = answer(keyed(&hub).await.expect("an answer")).await;
    let clock = json!({"now": 1_000_000, "speed": 0, "label": "Replay"});
    assert_eq!(hub.post("/v1/clock", clock).await.0, StatusCode::NO_CONTENT);
    let other = Hub::open(config(folder.path())).expect_err("one at a time");
    assert!(other.to_string().contains("another hub uses"), "{other}");
    drop(hub.stop().await);

    let hub = served(folder.path()).await;
    assert_eq!(hub.hub.epoch(), epoch);
    let mut socket = hub.subscribed(record.subscription()).await;
    socket.record(&mut record, 6).await;
    assert_eq!(
        (&*record.numbers, &*record.holes),
        (&[1, 2, 3, 4, 5, 6][..], &["fresh".to_owned(), "fresh".to_owned()][..])
    );
    let again = keyed(&hub).await.expect("an answer");
    assert_eq!(again.headers()["idempotency-replayed"], "true");
    assert_eq!(answer(again).await, first);
    assert_eq!(
        hub.get("/v1/snapshot?channels=a").await.1["clock"],
        json!({"now": 1_000_000, "speed": 0, "label": "Replay"})
    );
    assert_eq!(hub.publish("a", [7]).await, [format!("{epoch}:5")]);
    assert_eq!(hub.publish("fast", [8]).await, [format!("{epoch}:3")], "a stop in order leaves no hole");
    drop(hub.stop().await);
}

/// H4: a store that somebody removed, or put something else in its place, is written anew from memory; nothing is acknowledged meanwhile that
/// isn't in it.
#[cfg(unix)]
#[tokio::test]
async fn a_store_that_is_gone_is_written_anew() {
    let folder = tempfile::tempdir().expect("a folder");
    let data = folder.path().join("data");
    let hub = served(folder.path()).await;
    let epoch = hub.hub.epoch();
    hub.publish("a", 1..=3).await;
    std::fs::remove_dir_all(&data).expect("removed");
    published(&hub, 4).await;
    for name in ["hub.db", "hub.db-wal", "hub.db-shm"] {
        std::fs::remove_file(data.join(name)).expect("removed");
    }
    std::fs::write(data.join("hub.db"), [0xa5; 50_000]).expect("written");
    published(&hub, 5).await;
    assert!(
        std::fs::read_dir(&data)
            .expect("a folder")
            .any(|file| { file.expect("a file").file_name().to_string_lossy().starts_with("hub-damaged-") })
    );
    let (status, health) = hub.get("/v1/health").await;
    assert_eq!((status, &health["store"]), (StatusCode::OK, &json!("ok")));
    drop(hub.stop().await);

    let hub = served(folder.path()).await;
    let mut record = Record::of(&["a"]);
    record.places.insert("a".to_owned(), format!("{epoch}:0"));
    let mut socket = hub.subscribed(record.subscription()).await;
    record.take_all(&socket.until("heartbeat").await);
    while !record.numbers.contains(&5) {
        record.take_all(&socket.next().await.expect("open"));
    }
    // What was refused may be kept yet, and was sent again: it is there at least once, in order.
    record.numbers.dedup();
    assert_eq!((record.numbers, record.holes), (vec![1, 2, 3, 4, 5], vec![]));
    drop(hub.stop().await);
}

/// H4: a damaged store is set aside, and what follows is another history, under another name.
#[tokio::test]
async fn a_damaged_store_begins_another_history() {
    let folder = tempfile::tempdir().expect("a folder");
    let hub = served(folder.path()).await;
    let epoch = hub.hub.epoch();
    hub.publish("a", 1..=3).await;
    drop(hub.stop().await);
    let path = folder.path().join("data/hub.db");
    let mut bytes = std::fs::read(&path).expect("a file");
    bytes.iter_mut().skip(5000).for_each(|byte| *byte = 0xa5);
    std::fs::write(&path, bytes).expect("written");
    let hub = served(folder.path()).await;
    assert_ne!(hub.hub.epoch(), epoch);
    assert_eq!(hub.publish("a", [1]).await, [format!("{}:1", hub.hub.epoch())]);
    drop(hub.stop().await);
}

/// H8: nobody else reads what a hub keeps.
#[cfg(unix)]
#[tokio::test]
async fn the_store_is_for_its_user_only() {
    use std::os::unix::fs::PermissionsExt;
    let folder = tempfile::tempdir().expect("a folder");
    let hub = served(folder.path()).await;
    hub.publish("a", 1..=3).await;
    let data = folder.path().join("data");
    let mode = |path: &Path| path.metadata().expect("there").permissions().mode() & 0o777;
    assert_eq!(mode(&data), 0o700);
    let files: Vec<_> = std::fs::read_dir(&data).expect("a folder").map(|file| file.expect("a file").path()).collect();
    assert!(files.len() >= 3 && files.iter().all(|file| mode(file) == 0o600), "{files:?}");
    drop(hub.stop().await);
}
