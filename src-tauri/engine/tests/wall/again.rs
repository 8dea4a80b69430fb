//! A wall that is told that what stood in its way is gone.

use std::time::Duration;

use watchfloor_board::freshness::Freshness;
use watchfloor_model::Continuity;

use crate::support::{BOARD, Server, Wall, config};

/// The seconds until the next try, as the wall says them.
fn next_try(wall: &Wall) -> Option<u64> {
    let (_, after) = wall.sources.first()?.words.split_once("next try in ")?;
    after.split_once(' ')?.0.parse().ok()
}

/// H3: a wall that is told to try now does so, far from its own next try, and goes on from its position: what it missed is replayed,
/// nothing is double, and the gap is proven.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_try_that_is_asked_for_comes_at_once_and_loses_nothing() {
    let mut server = Server::start(BOARD).await;
    server.publish(1..=10).await;
    let mut wall = Wall::start(config(&server, None)).await;
    wall.until("live at 10", |wall| wall.is_live_at("count", 10.0)).await;
    wall.engine.try_now().await;
    wall.pull().await;
    assert!(wall.is_live_at("count", 10.0), "who is live has nothing to try: {:?}", wall.sources);

    server.down().await;
    wall.until("far from its next try", |wall| next_try(wall).is_some_and(|seconds| seconds >= 4)).await;
    assert_eq!(wall.quality("count").freshness, Freshness::Down);
    server.up().await;
    server.publish(1..=5).await;
    wall.engine.try_now().await;
    let took = wall.until("live at 15", |wall| wall.is_live_at("count", 15.0) && wall.is_live_at("sum", 70.0)).await;
    assert!(took < Duration::from_secs(2), "{took:?}");
    assert_eq!((wall.sources[0].continuity, wall.sources[0].gaps), (Continuity::Proven, 1), "{:?}", wall.sources);
    wall.engine.stop().await;
}
