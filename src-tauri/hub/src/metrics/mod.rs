//! What a hub does, in numbers: for Prometheus, and for a person who looks.
//!
//! What is decided under the state's lock is counted there (`state/told.rs`); here is what is counted elsewhere, and how all of it is shown.

mod page;
mod text;

use std::{
    collections::BTreeMap,
    sync::{
        Arc, Mutex, PoisonError,
        atomic::{AtomicBool, AtomicU64, Ordering::Relaxed},
    },
};

use axum::{
    extract::{Request, State},
    http::{HeaderName, HeaderValue, header},
    middleware::Next,
    response::{IntoResponse, Response},
};

use crate::{failure::Code, hub::Shared, limits, routes::Doorway, state::told::Told, tls::Unmet};

/// How a connection that stays is spoken over.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Door {
    WebSocket,
    Pusher,
    Events,
}

/// What doors are called.
const DOORS: [&str; 3] = ["websocket", "pusher", "events"];

/// See the module.
#[derive(Debug, Default)]
pub(crate) struct Metrics {
    /// Connections that came and that went, by door.
    came: [AtomicU64; DOORS.len()],
    went: [AtomicU64; DOORS.len()],
    /// Requests that were refused, by the code that they were told.
    refused: Mutex<BTreeMap<&'static str, u64>>,
    /// WebSockets that the hub closed, by code.
    closed: Mutex<BTreeMap<u16, u64>>,
    /// What became of those who came by TLS.
    met: [AtomicU64; MET.len()],
    /// How often a client was listened to more slowly.
    slowed: AtomicU64,
    /// Connections beyond a rate that were closed without an answer.
    dropped: AtomicU64,
    /// How often the hub's file was read anew and taken, and how often it couldn't be.
    reloads: [AtomicU64; RELOADS.len()],
    /// Whether it couldn't be the last time.
    is_refused: AtomicBool,
}

/// What becomes of a hub's file that is read anew.
const RELOADS: [&str; 2] = ["taken", "refused"];

/// What becomes of who comes by TLS.
const MET: [&str; 3] = ["met", "timed-out", "failed"];

/// A connection is there.
pub(crate) struct Present {
    hub: Arc<Shared>,
    door: Door,
}

impl Present {
    pub(crate) fn new(hub: Arc<Shared>, door: Door) -> Self {
        hub.metrics.came[door as usize].fetch_add(1, Relaxed);
        Self { hub, door }
    }
}

impl Drop for Present {
    fn drop(&mut self) {
        self.hub.metrics.went[self.door as usize].fetch_add(1, Relaxed);
    }
}

impl Metrics {
    /// A request is refused.
    pub(crate) fn refuse(&self, code: &'static str) {
        let mut refused = self.refused.lock().unwrap_or_else(PoisonError::into_inner);
        // Codes are the program's own, so they are few; a mistake must not make them many.
        if refused.len() < limits::METRIC_CODES_MAX || refused.contains_key(code) {
            *refused.entry(code).or_default() += 1;
        }
    }

    /// The hub's file was read anew, and taken or not.
    pub(crate) fn reload(&self, is_taken: bool) {
        self.reloads[usize::from(!is_taken)].fetch_add(1, Relaxed);
        self.is_refused.store(!is_taken, Relaxed);
    }

    /// A client is listened to more slowly.
    pub(crate) fn slow(&self) {
        self.slowed.fetch_add(1, Relaxed);
    }

    /// A connection is closed without an answer.
    pub(crate) fn drop_one(&self) {
        self.dropped.fetch_add(1, Relaxed);
    }

    /// Somebody was met by TLS, or was not.
    pub(crate) fn meet(&self, unmet: Option<&Unmet>) {
        let at = match unmet {
            None => 0,
            Some(Unmet::TimedOut) => 1,
            Some(Unmet::Failed(_)) => 2,
        };
        self.met[at].fetch_add(1, Relaxed);
    }

    /// The hub closes a WebSocket.
    pub(crate) fn close(&self, code: u16) {
        let mut closed = self.closed.lock().unwrap_or_else(PoisonError::into_inner);
        if closed.len() < limits::METRIC_CODES_MAX || closed.contains_key(&code) {
            *closed.entry(code).or_default() += 1;
        }
    }
}

/// Counts what is refused by HTTP.
pub(crate) async fn count_refusals(State(hub): State<Arc<Shared>>, request: Request, next: Next) -> Response {
    let response = next.run(request).await;
    if response.status().is_client_error() || response.status().is_server_error() {
        hub.metrics.refuse(response.extensions().get::<Code>().map_or("other", |code| code.0));
    }
    response
}

/// `GET /metrics`
pub(crate) async fn scraped(State(door): State<Doorway>) -> Response {
    answer("text/plain; version=0.0.4; charset=utf-8", text::text(&door.hub))
}

/// `GET /status`
pub(crate) async fn looked_at(State(door): State<Doorway>) -> Response {
    answer("text/html; charset=utf-8", page::page(&door.hub))
}

fn answer(kind: &'static str, text: String) -> Response {
    let policy = HeaderValue::from_static("default-src 'none'; style-src 'unsafe-inline'");
    (
        [
            (header::CONTENT_TYPE, HeaderValue::from_static(kind)),
            (header::CACHE_CONTROL, HeaderValue::from_static("no-store")),
            (header::CONTENT_SECURITY_POLICY, policy),
            (HeaderName::from_static("x-content-type-options"), HeaderValue::from_static("nosniff")),
        ],
        text,
    )
        .into_response()
}

/// All numbers, at one instant.
struct Figures {
    connections: [(&'static str, u64, u64); DOORS.len()],
    readers: u64,
    subscriptions: u64,
    channels: u64,
    history_bytes: u64,
    taken: u64,
    events: u64,
    texts: u64,
    bytes: u64,
    ages: Vec<u64>,
    ages_micros: u64,
    begun: Vec<u64>,
    lost: Vec<u64>,
    refused: Vec<(&'static str, u64)>,
    closed: Vec<(u16, u64)>,
    keeps: Option<bool>,
    slowed: u64,
    dropped: u64,
    reloads: [u64; RELOADS.len()],
    is_refused: bool,
    /// With a certificate: for how many seconds it is good yet, and what became of those who came.
    tls: Option<(i64, [u64; MET.len()])>,
}

impl Figures {
    fn of(hub: &Shared) -> Self {
        let (readers, subscriptions) = (hub.wakers.readers() as u64, hub.wakers.subscriptions() as u64);
        let keeps = hub.keeps();
        let Metrics { came, went, refused, closed, met, slowed, dropped, reloads, is_refused } = &hub.metrics;
        let refused =
            refused.lock().unwrap_or_else(PoisonError::into_inner).iter().map(|(code, n)| (*code, *n)).collect();
        let closed =
            closed.lock().unwrap_or_else(PoisonError::into_inner).iter().map(|(code, n)| (*code, *n)).collect();
        let mut connections = [("", 0, 0); DOORS.len()];
        for (at, connection) in connections.iter_mut().enumerate() {
            // In this order: what goes meanwhile doesn't make a number below nothing.
            let gone = went[at].load(Relaxed);
            let all = came[at].load(Relaxed);
            *connection = (DOORS[at], all.saturating_sub(gone), all);
        }
        let tls = hub.config.tls.as_ref().map(|tls| {
            let left = tls.ends().as_millis().saturating_sub(hub.now().wall.as_millis()).div_euclid(1000);
            (left, std::array::from_fn(|at| met[at].load(Relaxed)))
        });
        let state = hub.state();
        let told: &Told = state.told();
        let read = |counts: &[AtomicU64]| counts.iter().map(|count| count.load(Relaxed)).collect();
        Self {
            connections,
            readers,
            subscriptions,
            channels: state.ledger().channels() as u64,
            history_bytes: state.bytes() as u64,
            taken: told.taken.load(Relaxed),
            events: told.events.load(Relaxed),
            texts: told.texts.load(Relaxed),
            bytes: told.bytes.load(Relaxed),
            ages: read(&told.ages),
            ages_micros: told.ages_micros.load(Relaxed),
            begun: read(&told.begun),
            lost: read(&told.lost),
            refused,
            closed,
            keeps,
            slowed: slowed.load(Relaxed),
            dropped: dropped.load(Relaxed),
            reloads: std::array::from_fn(|at| reloads[at].load(Relaxed)),
            is_refused: is_refused.load(Relaxed),
            tls,
        }
    }
}

#[cfg(test)]
mod tests {
    use tokio::{
        io::{AsyncReadExt, AsyncWriteExt},
        net::{TcpListener, TcpStream},
    };

    use crate::{Hub, HubConfig};

    async fn ask(address: &str, head: &str, body: &str) -> String {
        let mut stream = TcpStream::connect(address).await.expect("a connection");
        let length = body.len();
        let request = format!(
            "{head} HTTP/1.1\r\nhost: localhost\r\nconnection: close\r\ncontent-type: application/json\r\ncontent-length: {length}\r\n\r\n{body}"
        );
        stream.write_all(request.as_bytes()).await.expect("sent");
        let mut answer = String::new();
        stream.read_to_string(&mut answer).await.expect("an answer");
        answer
    }

    /// What is counted is what happened, and both pages show it. Each line of the text is one that Prometheus takes.
    #[tokio::test]
    async fn what_happened_is_counted() {
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
        let address = listener.local_addr().expect("an address").to_string();
        let router = Hub::new(HubConfig::default()).router();
        let served = tokio::spawn(async move { axum::serve(listener, router).await });
        let event = r#"[{"channel":"a","name":"n","data":1},{"channel":"a","name":"n","data":2}]"#;
        assert!(ask(&address, "POST /v1/publish", event).await.starts_with("HTTP/1.1 200"));
        assert!(ask(&address, "POST /v1/publish", "{").await.starts_with("HTTP/1.1 400"));
        assert!(ask(&address, "GET /v1/poll?cursor=a~&wait_ms=0", "").await.contains("fresh"));
        let answer = ask(&address, "GET /metrics", "").await;
        for line in [
            "watchfloor_hub_events_in_total 2",
            "watchfloor_hub_channels 1",
            "watchfloor_hub_connections{door=\"websocket\"} 0",
            "watchfloor_hub_catch_ups_total{kind=\"fresh\"} 1",
            "watchfloor_hub_refusals_total{code=\"bad-event\"} 1",
            "watchfloor_hub_delivery_seconds_bucket{le=\"+Inf\"} 0",
        ] {
            assert!(answer.lines().any(|found| found == line), "{line}\n{answer}");
        }
        let (head, body) = answer.split_once("\r\n\r\n").expect("a body");
        assert!(head.contains("text/plain; version=0.0.4"), "{head}");
        for line in body.lines().filter(|line| !line.starts_with("# ")) {
            let (name, value) = line.rsplit_once(' ').expect("a value");
            assert!(name.starts_with("watchfloor_hub_") && value.parse::<f64>().is_ok(), "{line}");
        }
        let page = ask(&address, "GET /status", "").await;
        assert!(page.contains("<td>events in</td><td>2</td>") && page.contains("bad-event"), "{page}");
        served.abort();
    }
}
