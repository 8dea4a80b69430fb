//! The doors of a hub besides the first.

use watchfloor_board::freshness::Freshness;
use watchfloor_engine::{BoardInput, EngineConfig};
use watchfloor_model::{Continuity, Transport};

use crate::support::{BOARD, Server, Wall, board};

/// A board that comes in by one door.
fn by(server: &Server, transport: &str) -> EngineConfig {
    let text = board(server.address).replace("channels =", &format!("transport = \"{transport}\"\nchannels ="));
    EngineConfig::new(BoardInput::Text { name: "board.toml".into(), text })
}

/// H1, H3: both kinds of poll bring every event once, say so while the server is away, and go on from their position.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn polls_do_as_well() {
    for (word, transport, freshness) in
        [("long-poll", Transport::LongPoll, Freshness::Live), ("poll", Transport::Poll, Freshness::Polling)]
    {
        let mut server = Server::start(BOARD).await;
        server.publish(1..=10).await;
        let mut wall = Wall::start(by(&server, word)).await;
        let is_at =
            |wall: &Wall, count| wall.number("count") == Some(count) && wall.quality("count").freshness == freshness;
        wall.until("at 10", |wall| is_at(wall, 10.0)).await;
        assert_eq!(wall.sources[0].transport, Some(transport));
        server.publish(1..=1000).await;
        wall.until("at 1010", |wall| is_at(wall, 1010.0)).await;
        assert_eq!((wall.sources[0].gaps, wall.sources[0].continuity), (0, Continuity::Proven));
        let words = wall.sources[0].words.clone();
        assert_eq!(words, if word == "poll" { "polling every 1 s" } else { "live by long poll" });

        server.down().await;
        wall.until("down with a reason", |wall| {
            wall.quality("count").freshness == Freshness::Down && wall.quality("count").reason.is_some()
        })
        .await;
        server.up().await;
        server.publish(1..=5).await;
        wall.until("at 1015", |wall| is_at(wall, 1015.0)).await;
        assert_eq!(wall.sources[0].continuity, Continuity::Proven, "{:?}", wall.sources);
        wall.engine.stop().await;
        server.down().await;
    }
}
