//! `GET /v1/sse`

use reqwest::StatusCode;
use serde_json::{Value, json};
use watchfloor_hub::HubConfig;

use crate::support::{Record, Served, answer, error};

/// Headers that keep proxies from holding events back, the first words, and ids that lead on.
#[tokio::test]
async fn a_stream_and_its_continuation() {
    let served = Served::start(HubConfig::default()).await;
    let response = served.client.get(served.url("/v1/sse?cursor=a~")).send().await.expect("an answer");
    for (name, value) in
        [("content-type", "text/event-stream"), ("cache-control", "no-store"), ("x-accel-buffering", "no")]
    {
        assert_eq!(response.headers()[name], value);
    }
    let mut record = Record::of(&["a"]);
    let mut stream = served.sse("a~", None).await;
    let first = stream.next().await.expect("first");
    let kinds: Vec<_> = first.data.iter().filter_map(|message| message["type"].as_str()).collect();
    assert_eq!((kinds, first.retry), (vec!["hello", "subscribed", "heartbeat"], Some(1000)));
    record.take_all(&first.data);
    served.publish("a", 1..=3).await;
    stream.record(&mut record, 3).await;
    drop(stream);

    served.publish("a", 4..=5).await;
    // The header is where the reader is; the query is where it once began.
    let mut stream = served.sse("a~|b~", Some(&record.cursor())).await;
    stream.record(&mut record, 5).await;
    assert_eq!((record.numbers, record.holes), (vec![1, 2, 3, 4, 5], vec!["fresh".to_owned()]));
    served.stop().await;
}

/// Bad input: what is wrong with a cursor.
#[tokio::test]
async fn bad_cursors() {
    let served = Served::start(HubConfig::default()).await;
    let missing = "`cursor` is missing: expected `channel~epoch:offset` or `channel~`";
    for (path, message) in [
        ("/v1/sse", missing),
        ("/v1/sse?cursor=", "cursor: \"\" has no `~`: expected `channel~epoch:offset` or `channel~`"),
        ("/v1/sse?cursor=a~|a~", "cursor: channel a appears twice: expected each channel once"),
        ("/v1/poll", missing),
        ("/v1/poll?cursor=a", "cursor: \"a\" has no `~`: expected `channel~epoch:offset` or `channel~`"),
    ] {
        assert_eq!(served.get(path).await, (StatusCode::BAD_REQUEST, error("bad-cursor", message)), "{path}");
    }
    let request = served.client.get(served.url("/v1/sse?cursor=a~")).header("last-event-id", "a~5");
    let (status, body) = answer(request.send().await.expect("an answer")).await;
    assert_eq!(status, StatusCode::BAD_REQUEST);
    assert!(body["error"]["message"].as_str().is_some_and(|text| text.contains("\"5\" is not a position")));
    for (path, message) in [
        ("/v1/sse?cursor=a~&since=1", "unknown parameter \"since\": expected cursor, presence"),
        ("/v1/sse?cursor=a~&cursor=a~", "parameter cursor appears twice: expected it once"),
    ] {
        assert_eq!(served.get(path).await, (StatusCode::BAD_REQUEST, error("bad-query", message)), "{path}");
    }
    assert_eq!(served.get("/v1/health").await.1["subscriptions"], json!(0));
    served.stop().await;
}

/// A history that is lost in the middle of a stream is said so, and the stream goes on in the new one.
#[tokio::test]
async fn a_lost_history_is_announced() {
    let served = Served::start(HubConfig::default()).await;
    let mut record = Record::of(&["a"]);
    let mut stream = served.sse("a~", None).await;
    record.take_all(&stream.next().await.expect("first").data);
    served.publish("a", [1]).await;
    stream.record(&mut record, 1).await;
    served.hub.lose_history();
    served.publish("a", [2]).await;
    stream.record(&mut record, 2).await;
    assert_eq!(record.holes, ["fresh", "epoch-changed"]);
    assert_eq!(Value::from(record.places["a"].clone()), json!(format!("{}:1", served.hub.epoch())));
    served.stop().await;
}
