//! A wall that shows something else than the server holds.

use std::{
    io::Write,
    net::SocketAddr,
    sync::{
        Arc, Mutex, PoisonError,
        atomic::{AtomicBool, Ordering},
    },
    time::Instant,
};

use tokio::{
    io::{AsyncReadExt, AsyncWriteExt, copy_bidirectional},
    net::{TcpListener, TcpStream},
};
use tracing_subscriber::fmt::MakeWriter;
use watchfloor_board::freshness::Freshness;
use watchfloor_engine::{BoardInput, EngineConfig};

use crate::support::{BOARD, PATIENCE, Server, Wall, board, client};

/// A line to the hub that, while it lies, changes the count in every snapshot that passes.
async fn line(hub: SocketAddr, lies: Arc<AtomicBool>) -> SocketAddr {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    tokio::spawn(async move {
        while let Ok((client, _)) = listener.accept().await {
            let lies = Arc::clone(&lies);
            // Who of both ends it is of no interest.
            tokio::spawn(async move { drop(carry(client, hub, &lies).await) });
        }
    });
    address
}

async fn carry(mut client: TcpStream, hub: SocketAddr, lies: &AtomicBool) -> std::io::Result<()> {
    let mut request = Vec::new();
    while !request.ends_with(b"\r\n\r\n") {
        request.push(client.read_u8().await?);
    }
    let mut server = TcpStream::connect(hub).await?;
    if !request.starts_with(b"GET /v1/snapshot") {
        server.write_all(&request).await?;
        return copy_bidirectional(&mut client, &mut server).await.map(drop);
    }
    request.truncate(request.len() - 2);
    request.extend_from_slice(b"connection: close\r\n\r\n");
    server.write_all(&request).await?;
    let mut answer = Vec::new();
    server.read_to_end(&mut answer).await?;
    let text = String::from_utf8_lossy(&answer);
    let body = text.split_once("\r\n\r\n").map_or("", |(_, body)| body);
    let body = if lies.load(Ordering::SeqCst) { body.replace("[10,0,", "[13,0,") } else { body.to_owned() };
    let head = format!(
        "HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length: {}\r\nconnection: close\r\n\r\n",
        body.len()
    );
    client.write_all(head.as_bytes()).await?;
    client.write_all(body.as_bytes()).await
}

/// Everything that is logged.
#[derive(Clone, Default)]
struct Log(Arc<Mutex<Vec<u8>>>);

impl Log {
    fn text(&self) -> String {
        String::from_utf8_lossy(&self.0.lock().unwrap_or_else(PoisonError::into_inner)).into_owned()
    }
}

impl Write for Log {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}

impl<'a> MakeWriter<'a> for Log {
    type Writer = Self;

    fn make_writer(&'a self) -> Self {
        self.clone()
    }
}

/// What is reported of the source once it was compared so many times.
async fn compared(wall: &mut Wall, times: u64) -> serde_json::Value {
    let begun = Instant::now();
    loop {
        let source = wall.engine.report().await["sources"]["ops"].clone();
        if source["checks"] == times {
            return source;
        }
        assert!(begun.elapsed() < PATIENCE, "{source}");
        wall.pull().await;
    }
}

/// H3, H4: what the wall has wrong is found by a comparison, corrected without a moment of doubt, named in the log with both
/// values, counted for operators, and not there again after a restart.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_drift_is_found_corrected_told_and_not_met_again() {
    let log = Log::default();
    let told = tracing_subscriber::fmt().with_writer(log.clone()).with_ansi(false);
    tracing::subscriber::set_global_default(told.with_max_level(tracing::Level::WARN).finish()).unwrap();
    let data = tempfile::tempdir().unwrap();
    let mut server = Server::start(BOARD).await;
    server.publish([1; 10]).await;
    let lies = Arc::new(AtomicBool::new(true));
    let text = board(line(server.address, Arc::clone(&lies)).await);
    let config = EngineConfig {
        data_dir: Some(data.path().into()),
        metrics: Some(([127, 0, 0, 1], 0).into()),
        ..EngineConfig::new(BoardInput::Text { name: "board.toml".into(), text })
    };
    let mut wall = Wall::start(config.clone()).await;
    wall.until("live and wrong", |wall| wall.is_live_at("count", 13.0)).await;
    lies.store(false, Ordering::SeqCst);
    server.publish([1]).await;
    wall.engine.reconcile().await;
    wall.until("corrected", |wall| {
        assert_eq!(wall.quality("count").freshness, Freshness::Live, "{:?}", wall.sources);
        wall.number("count") == Some(11.0)
    })
    .await;
    assert_eq!(wall.number("sum"), Some(11.0));

    let source = compared(&mut wall, 1).await;
    assert!(source["drift"].as_u64() > Some(0), "{source}");
    assert!(source["checked_ms"].as_u64() < Some(30_000) && source["unchecked"].is_null(), "{source}");
    assert_eq!(source["gaps"], 0);
    let url = format!("http://{}/metrics", wall.engine.metrics_address().unwrap());
    let metrics = client().get(url).send().await.unwrap().text().await.unwrap();
    let drift = format!("watchfloor_drift_total{{source=\"ops\"}} {}", source["drift"]);
    assert!(metrics.lines().any(|line| line == drift), "{drift} is not in\n{metrics}");
    let text = log.text();
    let named = ["source=\"ops\"", "widget=\"count\"", "field=\"value\"", "server=\"11\""];
    let is_told = |line: &str| named.iter().all(|part| line.contains(part)) && line.contains("shown=\"1");
    assert!(text.lines().any(is_told), "{named:?} are not in\n{text}");

    // Nothing of it differs any more.
    wall.engine.reconcile().await;
    assert_eq!(compared(&mut wall, 2).await["drift"], source["drift"]);
    wall.engine.stop().await;
    server.down().await;

    let mut wall = Wall::start(config).await;
    wall.pull().await;
    assert_eq!((wall.number("count"), wall.number("sum")), (Some(11.0), Some(11.0)), "from the journal alone");
    wall.engine.stop().await;
}
