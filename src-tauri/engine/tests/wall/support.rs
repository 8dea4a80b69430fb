//! A hub over real sockets, a wall that pulls from an engine as a page does, and patience with a limit.

use std::{
    collections::BTreeMap,
    net::SocketAddr,
    time::{Duration, Instant},
};

use serde_json::{Value, json};
use tokio::{net::TcpListener, sync::oneshot, task::JoinHandle};
use watchfloor_board::{
    config::{self, spec::FoldSpec},
    frame::{Frame, Notice, Outage, Quality, SourceView, WidgetValue},
    freshness::Freshness,
};
use watchfloor_engine::{BoardInput, Engine, EngineConfig};
use watchfloor_hub::{Hub, HubConfig, Readers};

/// Longer than anything here takes; reaching it fails the test.
pub(crate) const PATIENCE: Duration = Duration::from_secs(30);

/// A board with a counter and a table on one source. `ADDRESS` stands for the hub's.
pub(crate) const BOARD: &str = r#"
[board]
title = "Orders"
stale-after = "2s"

[[source]]
id = "ops"
kind = "hub"
url = "ADDRESS"
channels = ["orders"]

[[widget]]
id = "count"
kind = "counter"

[[widget]]
id = "sum"
kind = "counter"
stat = "sum"
value = "amount"
"#;

/// The board for a hub at `address`.
pub(crate) fn board(address: SocketAddr) -> String {
    BOARD.replace("ADDRESS", &format!("http://{address}"))
}

/// A hub that can go down and come up again at the same address.
pub(crate) struct Server {
    pub(crate) hub: Hub,
    pub(crate) address: SocketAddr,
    config: HubConfig,
    serving: Option<(oneshot::Sender<()>, JoinHandle<std::io::Result<()>>)>,
    client: reqwest::Client,
}

impl Server {
    /// A hub that folds what `board` folds, listening. Where the board says that it is has no part in that.
    pub(crate) async fn start(board: &str) -> Self {
        Self::start_for(board, Readers::default()).await
    }

    /// The same, for readers who must present something.
    pub(crate) async fn start_for(board: &str, readers: Readers) -> Self {
        let folds: Vec<FoldSpec> = config::parse(&board.replace("ADDRESS", "http://127.0.0.1:1"), "board.toml")
            .expect("the board is good")
            .widgets
            .into_iter()
            .map(|w| w.fold)
            .collect();
        let config =
            HubConfig { heartbeat: Duration::from_millis(200), aggregates: folds, readers, ..HubConfig::default() };
        let client = client();
        let hub = Hub::new(config.clone());
        let mut server = Self { hub, config, address: ([127, 0, 0, 1], 0).into(), serving: None, client };
        server.up().await;
        server
    }

    /// Listens again, with everything that the hub held.
    pub(crate) async fn up(&mut self) {
        let listener = loop {
            match TcpListener::bind(self.address).await {
                // Connections of before are still being closed.
                Err(error) if error.kind() == std::io::ErrorKind::AddrInUse => tokio::task::yield_now().await,
                bound => break bound.unwrap(),
            }
        };
        self.address = listener.local_addr().unwrap();
        let (stop, stopped) = oneshot::channel::<()>();
        let hub = self.hub.clone();
        let serving = tokio::spawn(async move {
            let stopped = async move {
                let _dropped = stopped.await;
            };
            hub.serve(listener, stopped).await
        });
        self.serving = Some((stop, serving));
    }

    /// Goes down; returns when every connection is gone.
    pub(crate) async fn down(&mut self) {
        if let Some((stop, serving)) = self.serving.take() {
            stop.send(()).unwrap();
            serving.await.unwrap().unwrap();
        }
    }

    /// A new process at the same address, for readers who must present this.
    #[allow(dead_code)] // for the tests of tokens, which share this file
    pub(crate) async fn up_anew_for(&mut self, readers: Readers) {
        self.config.readers = readers;
        self.up_anew().await;
    }

    /// A new process at the same address, which knows nothing of the one before. To be called when it is down.
    pub(crate) async fn up_anew(&mut self) {
        self.hub = Hub::new(self.config.clone());
        self.up().await;
    }

    /// Publishes orders of these amounts, in one batch.
    pub(crate) async fn publish(&self, amounts: impl IntoIterator<Item = u64>) {
        let events: Vec<Value> = amounts
            .into_iter()
            .map(|amount| json!({"channel": "orders", "name": "order.placed", "data": {"amount": amount}}))
            .collect();
        self.post(&json!(events)).await;
    }

    /// Publishes a body as it is.
    pub(crate) async fn post(&self, body: &Value) {
        let url = format!("http://{}/v1/publish", self.address);
        let answer = self
            .client
            .post(url)
            .header("content-type", "application/json")
            .body(body.to_string())
            .send()
            .await
            .unwrap();
        assert_eq!(answer.status().as_u16(), 200, "{}", answer.text().await.unwrap());
    }
}

/// A client of this machine's servers.
pub(crate) fn client() -> reqwest::Client {
    // The first call installs it.
    let _again = rustls::crypto::ring::default_provider().install_default();
    reqwest::Client::builder().no_proxy().build().unwrap()
}

/// What a page has painted.
pub(crate) struct Wall {
    pub(crate) engine: Engine,
    pub(crate) widgets: BTreeMap<String, (Quality, Option<WidgetValue>)>,
    pub(crate) sources: Vec<SourceView>,
    pub(crate) notices: Vec<Notice>,
    pub(crate) outages: Vec<Outage>,
    pub(crate) title: String,
    version: u64,
    revision: u32,
}

impl Wall {
    /// Starts an engine on `config` and a page on it.
    pub(crate) async fn start(config: EngineConfig) -> Self {
        Self::of(Engine::start(config).await.unwrap())
    }

    /// A page of `engine`.
    pub(crate) fn of(engine: Engine) -> Self {
        Self {
            engine,
            widgets: BTreeMap::new(),
            sources: Vec::new(),
            notices: Vec::new(),
            outages: Vec::new(),
            title: String::new(),
            version: 0,
            revision: 0,
        }
    }

    /// Pulls one frame and paints it.
    pub(crate) async fn pull(&mut self) -> Frame {
        let frame = tokio::time::timeout(Duration::from_secs(5), self.engine.next_frame(self.version, self.revision))
            .await
            .expect("a pull is answered within its heartbeat");
        self.version = frame.version;
        self.revision = frame.revision;
        if let Some(board) = &frame.board {
            self.title.clone_from(&board.title);
            self.widgets.retain(|id, _| board.widgets.iter().any(|widget| widget.id == *id));
        }
        self.sources.clone_from(&frame.sources);
        self.notices.clone_from(&frame.notices);
        if let Some(outages) = &frame.outages {
            self.outages.clone_from(outages);
        }
        for patch in &frame.widgets {
            let painted = self.widgets.remove(&patch.id).and_then(|(_, value)| value);
            let value = patch.value.clone().or(painted);
            self.widgets.insert(patch.id.clone(), (patch.quality.clone(), value));
        }
        frame
    }

    /// Pulls until `is_so`; answers how long that took.
    pub(crate) async fn until(&mut self, what: &str, mut is_so: impl FnMut(&Self) -> bool) -> Duration {
        let begun = Instant::now();
        loop {
            self.pull().await;
            if is_so(self) {
                return begun.elapsed();
            }
            assert!(
                begun.elapsed() < PATIENCE,
                "never {what}: {:#?} {:#?} {:#?}",
                self.widgets,
                self.sources,
                self.notices
            );
        }
    }

    /// The number of a counter, if it is known.
    pub(crate) fn number(&self, widget: &str) -> Option<f64> {
        match &self.widgets.get(widget)?.1 {
            Some(WidgetValue::Number(number)) => number.value,
            _ => None,
        }
    }

    /// How far a widget can be believed.
    pub(crate) fn quality(&self, widget: &str) -> &Quality {
        &self.widgets[widget].0
    }

    /// Whether a counter shows `number` as live.
    pub(crate) fn is_live_at(&self, widget: &str, number: f64) -> bool {
        self.number(widget) == Some(number) && self.quality(widget).freshness == Freshness::Live
    }
}

/// An engine on the board of `server` that remembers in `data`, if that is given.
pub(crate) fn config(server: &Server, data: Option<&std::path::Path>) -> EngineConfig {
    EngineConfig {
        data_dir: data.map(Into::into),
        ..EngineConfig::new(BoardInput::Text { name: "board.toml".into(), text: board(server.address) })
    }
}
