//! What holds for some channels and not for others: which fields they carry, how fast, and what of them is remembered.

use std::sync::Arc;

use reqwest::StatusCode;
use serde_json::json;
use watchfloor_hub::{Fields, HubConfig, OwnHistory, Rules, Settings};

use crate::support::{Record, Served, error};

fn config() -> HubConfig {
    let rules = Rules::new(|channel| match channel {
        "open" => Settings { fields: Some(Arc::new(Fields::new(["n", "who.name"]))), ..Settings::default() },
        "slow" => Settings { events_a_second: Some(3), ..Settings::default() },
        "short" => Settings { history: OwnHistory { events: Some(2), ..OwnHistory::default() }, ..Settings::default() },
        _ => Settings::default(),
    });
    HubConfig { rules, ..HubConfig::default() }
}

/// H8: a field that a channel must not carry reaches nobody, by whichever way in, and isn't in its history.
#[tokio::test]
async fn fields_are_stripped() {
    let served = Served::start(config()).await;
    let mut socket = served.subscribed(json!({"open": null, "other": null})).await;
    socket.until("heartbeat").await;
    let data = json!({"n": 1, "secret": "s", "who": {"name": "Ada", "phone": "555"}, "n2": [1]});
    for channel in ["open", "other"] {
        let event = json!({"channel": channel, "name": "e", "data": data});
        assert_eq!(served.post("/v1/publish", json!([event])).await.0, StatusCode::OK);
    }
    let received = served.post("/v1/receive?channel=open", data.clone()).await;
    assert_eq!(received.0, StatusCode::OK, "{}", received.1);
    let mut seen = Vec::new();
    while seen.len() < 3 {
        seen.extend(socket.next().await.expect("open").into_iter().filter(|message| message["type"] == "event"));
    }
    let left = json!({"n": 1, "who": {"name": "Ada"}});
    assert_eq!([&seen[0]["data"], &seen[1]["data"], &seen[2]["data"]], [&left, &data, &left]);
    let epoch = served.hub.epoch();
    let (_, replayed) = served.get(&format!("/v1/poll?cursor=open~{epoch}:0")).await;
    assert!(!replayed.to_string().contains("555"), "{replayed}");
    let refused = "event 2: `data` is no object: channel open carries named fields only";
    let batch = json!([{"channel": "other", "name": "e", "data": 1}, {"channel": "open", "name": "e", "data": 1}]);
    assert_eq!(served.post("/v1/publish", batch).await, (StatusCode::BAD_REQUEST, error("bad-event", refused)));
    served.stop().await;
}

/// H5: who publishes faster than a channel takes is told so, and a batch that is refused has published nothing.
#[tokio::test]
async fn haste_is_refused() {
    let served = Served::start(config()).await;
    let batch = |count: usize| json!(vec![json!({"channel": "slow", "name": "e", "data": 1}); count]);
    let (status, body) = served.post("/v1/publish", batch(4)).await;
    assert_eq!((status, &body["error"]["code"]), (StatusCode::TOO_MANY_REQUESTS, &json!("too-fast")), "{body}");
    assert_eq!(served.post("/v1/publish", batch(3)).await.0, StatusCode::OK);
    assert_eq!(served.post("/v1/publish", batch(3)).await.0, StatusCode::TOO_MANY_REQUESTS);
    let (_, snapshot) = served.get("/v1/snapshot?channels=slow").await;
    assert_eq!(snapshot["positions"]["slow"], format!("{}:3", served.hub.epoch()));
    served.publish("other", 0..100).await;
    served.stop().await;
}

/// A channel's own history is as long as it says, and the others' as all.
#[tokio::test]
async fn histories_are_as_long_as_they_say() {
    let served = Served::start(config()).await;
    served.publish("short", 1..=5).await;
    served.publish("long", 1..=5).await;
    let epoch = served.hub.epoch();
    let places = [("short", 3), ("long", 0)].map(|(name, at)| (name.to_owned(), format!("{epoch}:{at}"))).into();
    let mut record = Record { places, ..Record::default() };
    let mut socket = served.subscribed(record.subscription()).await;
    socket.record(&mut record, 7).await;
    let (_, poll) = served.get(&format!("/v1/poll?cursor=short~{epoch}:2")).await;
    assert_eq!(poll["messages"][0]["recovered"], false, "{poll}");
    served.stop().await;
}
