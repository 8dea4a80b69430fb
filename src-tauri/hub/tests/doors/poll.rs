//! `GET /v1/poll`

use std::time::{Duration, Instant};

use reqwest::StatusCode;
use serde_json::json;
use watchfloor_hub::{HistoryLimits, HubConfig};

use crate::support::{Served, error};

/// A call answers at once if there is something, when there is something, or empty when its time is over.
#[tokio::test]
async fn three_answers() {
    let served = Served::start(HubConfig::default()).await;
    let (status, first) = served.get("/v1/poll?cursor=a~").await;
    assert_eq!(status, StatusCode::OK);
    let head = format!("{}:0", served.hub.epoch());
    let subscribed = json!({"type": "subscribed", "channel": "a", "head": head, "from": head, "recovered": false, "reason": "fresh"});
    assert_eq!((&first["cursor"], &first["messages"]), (&json!(format!("a~{head}")), &json!([subscribed])));
    assert_eq!(first["heartbeat"]["channels"]["a"]["head"], json!(head));

    let begin = Instant::now();
    let (_, none) = served.get(&format!("/v1/poll?cursor=a~{head}&wait_ms=30")).await;
    assert_eq!((&none["cursor"], &none["messages"]), (&first["cursor"], &json!([])));
    assert!(begin.elapsed() >= Duration::from_millis(30));

    let waiting = tokio::spawn({
        let request = served.client.get(served.url(&format!("/v1/poll?cursor=a~{head}&wait_ms=60000")));
        async move { request.send().await.expect("an answer").json::<serde_json::Value>().await.expect("JSON") }
    });
    served.has_subscriptions(1).await;
    served.publish("a", [7]).await;
    let answer = waiting.await.expect("no panic");
    assert_eq!((answer["messages"].as_array().map(Vec::len), &answer["messages"][0]["data"]), (Some(1), &json!(7)));
    assert_eq!(answer["cursor"], json!(format!("a~{}:1", served.hub.epoch())));
    served.stop().await;
}

/// H3: a place that can't be continued is answered with `subscribed`, which says why.
#[tokio::test]
async fn a_lost_place_is_announced() {
    let history = HistoryLimits { events: 2, ..HistoryLimits::default() };
    let served = Served::start(HubConfig { history, ..HubConfig::default() }).await;
    served.publish("a", 1..=5).await;
    let (_, answer) = served.get(&format!("/v1/poll?cursor=a~{}:1", served.hub.epoch())).await;
    assert_eq!(
        (&answer["messages"][0]["reason"], answer["messages"].as_array().map(Vec::len)),
        (&json!("trimmed"), Some(1))
    );
    assert_eq!(answer["cursor"], json!(format!("a~{}:5", served.hub.epoch())));
    served.stop().await;
}

/// Bad input: how long to wait.
#[tokio::test]
async fn bad_waits() {
    let served = Served::start(HubConfig::default()).await;
    for wait in ["60001", "-1", "1s", ""] {
        let message = format!("`wait_ms` is {wait:?}: expected 0 to 60000");
        let found = served.get(&format!("/v1/poll?cursor=a~&wait_ms={wait}")).await;
        assert_eq!(found, (StatusCode::BAD_REQUEST, error("bad-query", &message)));
    }
    served.stop().await;
}
