//! One hub by two lines.

use std::net::SocketAddr;

use tokio::{
    io::copy_bidirectional,
    net::{TcpListener, TcpStream},
    sync::watch,
};
use watchfloor_board::freshness::Freshness;
use watchfloor_engine::{BoardInput, EngineConfig};
use watchfloor_model::Continuity;

use crate::support::{BOARD, Server, Wall, board};

/// A line to the hub that can be cut and mended.
struct Line {
    address: SocketAddr,
    cut: watch::Sender<bool>,
}

impl Line {
    async fn to(hub: SocketAddr) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let (cut, is_cut) = watch::channel(false);
        tokio::spawn(async move {
            while let Ok((mut client, _)) = listener.accept().await {
                let mut is_cut = is_cut.clone();
                tokio::spawn(async move {
                    // A connection that comes while the line is cut ends at once, as one that stood does.
                    let carried = async { copy_bidirectional(&mut client, &mut TcpStream::connect(hub).await?).await };
                    tokio::select! {
                        biased;
                        _cut = is_cut.wait_for(|cut| *cut) => {}
                        _ended = carried => {}
                    }
                });
            }
        });
        Self { address, cut }
    }

    fn cut(&self, cut: bool) {
        self.cut.send_replace(cut);
    }
}

/// H2, H3: a line that is lost is told and costs nothing; what is lost with both is a gap, and proven when one is back.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_loss_of_one_line_is_told_and_costs_nothing() {
    let server = Server::start(BOARD).await;
    let (a, b) = (Line::to(server.address).await, Line::to(server.address).await);
    let text =
        board(a.address).replace("channels =", &format!("redundant-urls = [\"http://{}\"]\nchannels =", b.address));
    let mut wall = Wall::start(EngineConfig::new(BoardInput::Text { name: "board.toml".into(), text })).await;
    server.publish(1..=10).await;
    wall.until("live at 10", |wall| wall.is_live_at("count", 10.0) && wall.sources[0].words == "live by WebSocket")
        .await;

    let mut published = 10;
    for lost in [&a, &b] {
        lost.cut(true);
        let place = lost.address.to_string();
        let told = format!("1 of 2 paths lost, {place}: ");
        while !wall.sources[0].words.contains(&told) {
            server.publish([1]).await;
            published += 1;
            wall.pull().await;
            assert_eq!(wall.quality("count").freshness, Freshness::Live, "{:?}", wall.sources);
        }
        server.publish(1..=100).await;
        published += 100;
        wall.until("all of it", |wall| wall.is_live_at("count", f64::from(published))).await;
        assert_eq!((wall.sources[0].gaps, wall.sources[0].continuity), (0, Continuity::Proven));
        let report = wall.engine.report().await;
        let paths = report["sources"]["ops"]["paths"].as_array().unwrap();
        let live: Vec<bool> = paths.iter().map(|path| path["state"] == "live").collect();
        let is_other: Vec<bool> = paths.iter().map(|path| path["path"] != place.as_str()).collect();
        assert_eq!(live, is_other, "{paths:?}");
        lost.cut(false);
        wall.until("both again", |wall| wall.sources[0].words == "live by WebSocket").await;
    }

    a.cut(true);
    b.cut(true);
    wall.until("down", |wall| wall.quality("count").freshness == Freshness::Down).await;
    server.publish(1..=5).await;
    b.cut(false);
    wall.until("live again", |wall| wall.is_live_at("count", f64::from(published + 5))).await;
    assert_eq!((wall.sources[0].gaps, wall.sources[0].continuity), (1, Continuity::Proven));
    wall.engine.stop().await;
}
