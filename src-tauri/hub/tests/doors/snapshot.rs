//! `GET /v1/snapshot`

use reqwest::StatusCode;
use serde_json::json;
use watchfloor_hub::HubConfig;

use crate::support::{Served, error};

/// Positions of the channels asked for; unknown ones stand before their first event.
#[tokio::test]
async fn positions() {
    let served = Served::start(HubConfig::default()).await;
    let epoch = served.hub.epoch();
    served.publish("a", 1..=3).await;
    let (status, found) = served.get("/v1/snapshot?channels=a,z").await;
    assert_eq!(status, StatusCode::OK);
    assert_eq!(found["positions"], json!({"a": format!("{epoch}:3"), "z": format!("{epoch}:0")}));
    assert_eq!((&found["aggregates"], &found["clock"]["speed"]), (&json!({}), &json!(1)));
    served.stop().await;
}

/// Bad input: which channels.
#[tokio::test]
async fn bad_channels() {
    let served = Served::start(HubConfig::default()).await;
    for (query, message) in [
        ("", "`channels` is missing: expected channel names, separated by commas"),
        ("?channels=", "\"\" is no channel name: expected 1 to 200 of A-Z a-z 0-9 _ - = @ . ;"),
        ("?channels=a,,b", "\"\" is no channel name: expected 1 to 200 of A-Z a-z 0-9 _ - = @ . ;"),
    ] {
        let found = served.get(&format!("/v1/snapshot{query}")).await;
        assert_eq!(found, (StatusCode::BAD_REQUEST, error("bad-query", message)));
    }
    served.stop().await;
}
