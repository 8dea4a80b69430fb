//! What survives what.

use serde_json::json;
use watchfloor_hub::HubConfig;

use crate::support::{Record, Served};

/// A hub that is stopped and served again goes on where it was, for its readers and for its publishers.
#[tokio::test]
async fn a_restart_keeps_the_state() {
    let served = Served::start(HubConfig::default()).await;
    let mut record = Record::of(&["a"]);
    let mut socket = served.subscribed(record.subscription()).await;
    record.take_all(&socket.until("heartbeat").await);
    served.publish("a", 1..=3).await;
    socket.record(&mut record, 3).await;
    let epoch = served.hub.epoch();
    let hub = served.stop().await;
    assert_eq!(u16::from(socket.next().await.expect_err("closed").expect("with a reason").code), 1001);

    let served = Served::serve(hub).await;
    assert_eq!(served.hub.epoch(), epoch);
    assert_eq!(served.publish("a", [4]).await, [format!("{epoch}:4")]);
    let mut socket = served.subscribed(record.subscription()).await;
    socket.record(&mut record, 4).await;
    assert_eq!((record.numbers, record.holes), (vec![1, 2, 3, 4], vec!["fresh".to_owned()]));
    served.stop().await;
}

/// A new epoch is announced to readers that are there and to readers that come back, and positions begin anew.
#[tokio::test]
async fn new_epochs_are_announced() {
    for lose in [watchfloor_hub::Hub::lose_history, watchfloor_hub::Hub::reset] {
        let served = Served::start(HubConfig::default()).await;
        let mut record = Record::of(&["a"]);
        let mut socket = served.subscribed(record.subscription()).await;
        record.take_all(&socket.until("heartbeat").await);
        served.publish("a", 1..=3).await;
        socket.record(&mut record, 3).await;
        let before = record.subscription();
        let old = served.hub.epoch();
        lose(&served.hub);
        assert_ne!(served.hub.epoch(), old);

        let lost = socket.until("lost").await;
        record.take_all(&lost);
        assert_eq!(record.places["a"], format!("{}:0", served.hub.epoch()));
        served.publish("a", [4]).await;
        socket.record(&mut record, 4).await;
        assert_eq!(record.holes, ["fresh", "epoch-changed"]);

        let mut back = served.subscribed(before).await;
        let told = back.until("subscribed").await;
        let subscribed = told.iter().find(|message| message["type"] == "subscribed").expect("subscribed");
        assert_eq!(subscribed["reason"], json!("epoch-changed"));
        assert_eq!(subscribed["from"], json!(format!("{}:1", served.hub.epoch())));
        served.stop().await;
    }
}
