//! A replay to a hub of its own process, which is killed and started again in the middle.

use std::{net::SocketAddr, time::Duration};

use serde_json::Value;
use tokio::{net::TcpListener, sync::oneshot, task::JoinHandle};
use watchfloor_demo::{
    StoryName,
    publisher::{Control, Publisher},
};
use watchfloor_hub::{Hub, HubConfig};

type Outcome = Result<(), Box<dyn std::error::Error + Send + Sync>>;

/// The longest wait for anything.
const PATIENCE: Duration = Duration::from_secs(30);

/// A new process, as far as anybody can tell from outside.
async fn serve(
    address: SocketAddr,
) -> std::io::Result<(SocketAddr, oneshot::Sender<()>, JoinHandle<std::io::Result<()>>)> {
    let listener = loop {
        match TcpListener::bind(address).await {
            // Connections of before are still being closed.
            Err(error) if error.kind() == std::io::ErrorKind::AddrInUse => tokio::task::yield_now().await,
            bound => break bound?,
        }
    };
    let address = listener.local_addr()?;
    let (stop, stopped) = oneshot::channel::<()>();
    let hub = Hub::new(HubConfig::default());
    let serving = tokio::spawn(async move {
        let stopped = async move {
            // An error is an end too.
            let _ = stopped.await;
        };
        hub.serve(listener, stopped).await
    });
    Ok((address, stop, serving))
}

/// Asks until the snapshot's clock runs at the replay's speed.
async fn replayed(http: &reqwest::Client, address: SocketAddr) -> Result<Value, reqwest::Error> {
    loop {
        let url = format!("http://{address}/v1/snapshot?channels=flights");
        let snapshot: Value = http.get(url).send().await?.error_for_status()?.json().await?;
        if snapshot["clock"]["speed"] == 60 {
            return Ok(snapshot);
        }
        tokio::task::yield_now().await;
    }
}

/// H3: a replay that began on the hub vouches that nothing was before; one that goes on after the hub was killed doesn't, and the new
/// hub hears what time it is.
#[tokio::test]
async fn a_new_hub_is_told_the_time_and_not_that_it_knows_all() -> Outcome {
    let (address, stop, serving) = serve(([127, 0, 0, 1], 0).into()).await?;
    let story = StoryName::Flights;
    let control = Control { speed: 60.0, paused: false, pause_at: None };
    let from = story.instant(story.begins())?;
    let publisher = Publisher::new(&format!("http://{address}"), None, story.open()?, from, control)?;
    let (ready, is_ready) = oneshot::channel();
    let replay = tokio::spawn(publisher.run(ready));
    tokio::time::timeout(PATIENCE, is_ready).await??;
    let http = reqwest::Client::builder().no_proxy().build()?;
    let snapshot = tokio::time::timeout(PATIENCE, replayed(&http, address)).await??;
    assert_eq!(snapshot["since"], Value::Null);

    stop.send(()).map_err(|()| "the hub has ended")?;
    serving.await??;
    let (address, stop, serving) = serve(address).await?;
    let snapshot = tokio::time::timeout(PATIENCE, replayed(&http, address)).await??;
    let since = snapshot["since"].as_i64().ok_or("the new hub knows nothing of before")?;
    assert!(since >= from.as_millis() && since <= snapshot["clock"]["now"].as_i64().unwrap_or_default(), "{snapshot}");
    replay.abort();
    stop.send(()).map_err(|()| "the hub has ended")?;
    serving.await??;
    Ok(())
}
