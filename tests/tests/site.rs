//! A site's own state beside a push service that keeps none: a real event stream, a real address, a real wall.

use std::{
    convert::Infallible,
    fs,
    net::{Ipv4Addr, SocketAddr},
    sync::{Arc, Mutex, PoisonError},
    time::{Duration, Instant},
};

use anyhow::Result;
use axum::{
    Router,
    body::{Body, Bytes},
    extract::State,
    http::{StatusCode, header::CONTENT_TYPE},
    response::Response,
    routing::get,
};
use serde_json::{Value, json};
use tokio::{net::TcpListener, sync::mpsc, task::JoinHandle};
use watchfloor_tests::faults::process::{Report, WallOptions, WallProcess};

/// Longer than any of it takes on a busy machine; reaching it is a failure.
const PATIENCE: Duration = Duration::from_secs(60);
/// How often the stream says that it lives.
const HEARTBEAT: Duration = Duration::from_millis(500);

/// What the shop has, and who listens.
#[derive(Default)]
struct Shop {
    orders: Vec<Value>,
    /// Whether the address of its state answers.
    answers: bool,
    listeners: Vec<mpsc::UnboundedSender<Result<Bytes, Infallible>>>,
    /// How often it was asked what it has.
    asked: usize,
}

type Shared = Arc<Mutex<Shop>>;

/// A push service that forgets what it sent, and the site beside it.
struct Site {
    shop: Shared,
    address: SocketAddr,
    server: JoinHandle<()>,
    beat: JoinHandle<()>,
}

impl Drop for Site {
    fn drop(&mut self) {
        self.server.abort();
        self.beat.abort();
    }
}

fn held(shop: &Shared) -> std::sync::MutexGuard<'_, Shop> {
    shop.lock().unwrap_or_else(PoisonError::into_inner)
}

impl Site {
    async fn start() -> Result<Self> {
        let shop = Shared::default();
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await?;
        let address = listener.local_addr()?;
        let routes = Router::new().route("/events", get(stream)).route("/orders", get(orders));
        let service = routes.with_state(shop.clone());
        let server = tokio::spawn(async move {
            // It is aborted when the test ends.
            let _ended = axum::serve(listener, service).await;
        });
        let beating = shop.clone();
        let beat = tokio::spawn(async move {
            let mut tick = tokio::time::interval(HEARTBEAT);
            loop {
                tick.tick().await;
                send(&beating, ": beat\n\n");
            }
        });
        Ok(Self { shop, address, server, beat })
    }

    fn has(&self, orders: &[(&str, i64)]) {
        held(&self.shop).orders = orders.iter().map(|(key, total)| json!({ "id": key, "total": total })).collect();
    }

    fn says(&self, key: &str, total: i64) {
        send(&self.shop, &format!("event: order\ndata: {}\n\n", json!({ "id": key, "total": total })));
    }

    fn answers(&self, answers: bool) {
        held(&self.shop).answers = answers;
    }

    fn asked(&self) -> usize {
        held(&self.shop).asked
    }

    /// Ends every stream.
    fn cut(&self) {
        held(&self.shop).listeners.clear();
    }
}

fn send(shop: &Shared, text: &str) {
    let text = Bytes::from(text.to_owned());
    held(shop).listeners.retain(|listener| listener.send(Ok(text.clone())).is_ok());
}

async fn stream(State(shop): State<Shared>) -> Response {
    let (listener, mut lines) = mpsc::unbounded_channel();
    held(&shop).listeners.push(listener);
    let body = futures_util::stream::poll_fn(move |context| lines.poll_recv(context));
    let mut response = Response::new(Body::from_stream(body));
    response.headers_mut().insert(CONTENT_TYPE, "text/event-stream".parse().expect("a type"));
    response
}

async fn orders(State(shop): State<Shared>) -> Result<axum::Json<Value>, StatusCode> {
    let mut shop = held(&shop);
    shop.asked += 1;
    if shop.answers { Ok(axum::Json(json!({ "orders": shop.orders }))) } else { Err(StatusCode::BAD_GATEWAY) }
}

fn board(address: SocketAddr) -> String {
    format!(
        r#"
[board]
title = "Shop"
stale-after = "3s"
[[source]]
id = "shop"
kind = "sse"
url = "http://{address}/events"
channels = ["orders"]
heartbeat = "1s"
snapshot = {{ url = "http://{address}/orders?open=1", as = "order", data = "orders" }}
[[widget]]
id = "open"
kind = "table"
on = "order"
key = "id"
columns = [{{ path = "id" }}, {{ path = "total" }}]
[[widget]]
id = "count"
kind = "counter"
on = "order"
"#
    )
}

/// The table's keys, in the order shown; none if it isn't live.
fn live(report: &Report) -> Option<Vec<String>> {
    let table = &report.value["widgets"]["open"];
    let rows = table["value"].as_array().filter(|_| table["freshness"] == "live")?;
    Some(rows.iter().filter_map(|row| row["key"].as_str().map(str::to_owned)).collect())
}

async fn shows(wall: &mut WallProcess, what: &str, keys: &[&str]) -> Result<Report> {
    let holds = |report: &Report| {
        let shown = live(report).map(|mut keys| {
            keys.sort();
            keys
        });
        shown.is_some_and(|shown| shown == keys)
    };
    wall.wait(what, Instant::now(), PATIENCE, holds).await
}

/// H1, H3, H4: what the site has is on the table from the beginning, after each loss, and after a crash of the wall; the counter
/// says that it may lack something; and while the site doesn't answer, nothing is called live.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_table_is_what_the_site_has() -> Result<()> {
    let site = Site::start().await?;
    let folder = tempfile::tempdir()?;
    let file = folder.path().join("board.toml");
    fs::write(&file, board(site.address))?;
    let options = WallOptions { board: file, data: folder.path().join("data"), ..WallOptions::default() };
    site.has(&[("a", 1), ("b", 2)]);
    let mut wall = WallProcess::start(&options)?;
    let why = |report: &Report| report.value["sources"]["shop"]["reason"].to_string().contains("state of the site");
    let refused = wall.wait("that the site fails", Instant::now(), PATIENCE, why).await?;
    assert_eq!(live(&refused), None, "H1: {}", refused.value);
    site.answers(true);
    shows(&mut wall, "what the site has", &["a", "b"]).await?;

    site.says("c", 3);
    let counted = shows(&mut wall, "what it says", &["a", "b", "c"]).await?;
    assert_eq!(counted.value["widgets"]["count"]["value"], 1, "rows are no events");

    // Meanwhile b goes and d comes, of which the stream says nothing that the wall could hear.
    site.has(&[("a", 7), ("c", 3), ("d", 4)]);
    site.cut();
    let after = shows(&mut wall, "what the site has after a cut", &["a", "c", "d"]).await?;
    assert_eq!(after.value["sources"]["shop"]["continuity"], "snapshot");
    assert_eq!(after.value["widgets"]["count"]["value"], 1);

    site.has(&[("d", 4)]);
    wall.kill()?;
    let asked = site.asked();
    let mut wall = WallProcess::start(&options)?;
    shows(&mut wall, "what the site has after a crash of the wall", &["d"]).await?;
    assert!(site.asked() > asked);
    site.says("e", 5);
    shows(&mut wall, "what it says then", &["d", "e"]).await?;
    Ok(())
}
