//! H3: a reader may leave by one door and come in by another.

use serde_json::json;
use watchfloor_hub::HubConfig;

use crate::support::{Record, Served};

/// The cursor goes from WebSocket to SSE to long poll and back, events being published all the while; nothing is lost.
#[tokio::test]
async fn cursors_are_carried_through_all_doors() {
    let served = Served::start(HubConfig::default()).await;
    let mut record = Record::of(&["a", "b"]);
    let mut published = 0;
    let mut publish = async || {
        served.publish("a", published + 1..=published + 2).await;
        served.publish("b", [published + 3]).await;
        published += 3;
        usize::try_from(published).expect("few")
    };

    let mut socket = served.subscribed(record.subscription()).await;
    record.take_all(&socket.until("heartbeat").await);
    let count = publish().await;
    socket.record(&mut record, count).await;
    drop(socket);
    assert_eq!(std::mem::take(&mut record.holes), ["fresh", "fresh"]);

    publish().await;
    let mut stream = served.sse(&record.cursor(), None).await;
    let count = publish().await;
    stream.record(&mut record, count).await;
    drop(stream);

    let count = publish().await;
    while record.numbers.len() < count {
        let (_, answer) = served.get(&format!("/v1/poll?cursor={}", record.cursor())).await;
        record.take_all(answer["messages"].as_array().expect("messages"));
        record.take_all(&[answer["heartbeat"].clone()]);
        assert_eq!(answer["cursor"], json!(record.cursor()));
    }

    publish().await;
    let mut socket = served.subscribed(record.subscription()).await;
    let count = publish().await;
    socket.record(&mut record, count).await;

    assert_eq!(record.holes, [""; 0]);
    assert_eq!(record.numbers, (1..=published).collect::<Vec<_>>(), "in the order in which the hub took them");
    served.stop().await;
}
