//! Aggregates of the hub's file, and what a site's database says of them.

use std::{
    path::Path,
    sync::{
        Arc, Mutex,
        atomic::{AtomicU64, Ordering},
    },
    time::Duration,
};

use axum::{Router, extract::State, http::HeaderMap, response::IntoResponse, routing::get};
use reqwest::StatusCode;
use serde_json::{Value, json};
use tokio::{net::TcpListener, time::timeout};
use watchfloor_hub::{Hub, HubConfig, Named, Readers, Reconcile, StoreConfig, Token, config};

use crate::support::{PATIENCE, Served, answer, error};

const FILE: &str = r#"
[[aggregate]]
id = "cancelled"
kind = "counter"
channels = "flights"
on = "cancelled"

[[aggregate]]
id = "carriers"
kind = "window"
channels = "flights"
last = "1h"
stat = "distinct"
value = "carrier"

[[aggregate]]
id = "worst"
kind = "tally"
channels = "flights"
by = "carrier"
last = "1h"

[[aggregate]]
id = "open"
kind = "table"
channels = "flights"
key = "flight"
columns = [{ path = "flight" }, { path = "carrier" }]
sort = "flight"
"#;

fn named(site: Option<&str>) -> Vec<Named> {
    let file = config::parse(FILE, "hub.toml").expect("a hub file");
    let reconcile = |id: &str| {
        site.filter(|_| matches!(id, "cancelled" | "open")).map(|site| Reconcile {
            url: format!("{site}/{id}"),
            every: Duration::from_millis(50),
            lag: Duration::from_millis(100),
            token: Token::new("the-site's-token"),
        })
    };
    let named = |part: config::AggregatePart| Named {
        reconcile: reconcile(&part.spec.id),
        id: part.spec.id,
        fold: part.spec.fold,
    };
    file.aggregates.into_iter().map(named).collect()
}

async fn publish(served: &Served, events: &[(&str, u64, &str)]) {
    let event = |(name, flight, carrier): &(&str, u64, &str)| json!({"channel": "flights", "name": name, "data": {"flight": flight, "carrier": carrier}});
    let events: Vec<Value> = events.iter().map(event).collect();
    assert_eq!(served.post("/v1/publish", json!(events)).await.0, StatusCode::OK);
}

async fn value(served: &Served, id: &str) -> Value {
    let (status, body) = served.get(&format!("/v1/aggregates/{id}")).await;
    assert_eq!(status, StatusCode::OK, "{body}");
    body["value"].clone()
}

/// H3: what is declared is folded, is read by its name with the positions at which it is true, and is exact through a restart.
#[tokio::test]
async fn what_is_declared_is_folded() {
    let folder = tempfile::tempdir().expect("a folder");
    let open = |folder: &Path| {
        let store = Some(StoreConfig { folder: folder.join("data") });
        Hub::open(HubConfig { named: named(None), store, ..HubConfig::default() }).expect("a store")
    };
    let served = Served::serve(open(folder.path())).await;
    publish(&served, &[("cancelled", 1, "UA"), ("late", 2, "AA"), ("cancelled", 3, "UA")]).await;
    let served = Served::serve(served.stop().await).await;
    drop(served.stop().await);
    let served = Served::serve(open(folder.path())).await;
    publish(&served, &[("cancelled", 4, "DL")]).await;
    assert_eq!(value(&served, "cancelled").await, 3);
    assert_eq!(value(&served, "carriers").await, 3);
    let open_flights = value(&served, "open").await;
    assert_eq!(open_flights.as_array().map(Vec::len), Some(4), "{open_flights}");
    let worst = value(&served, "worst").await.to_string();
    assert!(worst.contains("UA"), "{worst}");
    let (_, body) = served.get("/v1/aggregates/cancelled").await;
    assert_eq!(body["positions"], json!({"flights": format!("{}:4", served.hub.epoch())}));
    assert_eq!((&body["id"], &body["rejected"]), (&json!("cancelled"), &json!(0)));
    // Whoever folds alike finds it in the snapshot as well.
    let fingerprint = body["fingerprint"].as_str().expect("a fingerprint");
    let (_, snapshot) = served.get("/v1/snapshot?channels=flights").await;
    assert!(snapshot["aggregates"][fingerprint].is_object(), "{snapshot}");
    let (_, list) = served.get("/v1/aggregates").await;
    let ids = list["aggregates"].as_array().map(|all| all.iter().map(|own| own["id"].clone()).collect::<Vec<_>>());
    assert_eq!(ids, Some(vec![json!("cancelled"), json!("carriers"), json!("worst"), json!("open")]));
    let unknown = error("unknown-aggregate", "the hub's file has no such aggregate");
    assert_eq!(served.get("/v1/aggregates/what").await, (StatusCode::NOT_FOUND, unknown));
    drop(served.stop().await);
}

/// Nobody reads a number of channels that he may not read.
#[tokio::test]
async fn aggregates_are_read_by_who_may() {
    let readers = Readers { token: Token::new("readers"), ..Readers::default() };
    let served = Served::start(HubConfig { named: named(None), readers, ..HubConfig::default() }).await;
    for path in ["/v1/aggregates", "/v1/aggregates/cancelled"] {
        assert_eq!(served.get(path).await.0, StatusCode::UNAUTHORIZED, "{path}");
        let with = served.client.get(served.url(path)).bearer_auth("readers").send().await.expect("an answer");
        assert_eq!(answer(with).await.0, StatusCode::OK, "{path}");
    }
    served.stop().await;
}

/// A site whose database says what the test has it say.
#[derive(Clone, Default)]
struct Site {
    says: Arc<Mutex<(Value, Value)>>,
    /// How often it was asked.
    asked: Arc<AtomicU64>,
}

impl Site {
    async fn start(&self) -> String {
        let say = |rows: bool| {
            move |State(site): State<Self>, headers: HeaderMap| async move {
                assert_eq!(headers["authorization"], "Bearer the-site's-token");
                site.asked.fetch_add(1, Ordering::Relaxed);
                let says = site.says.lock().expect("nobody panicked");
                let said = if rows { &says.1 } else { &says.0 };
                if said.is_null() { StatusCode::BAD_GATEWAY.into_response() } else { said.to_string().into_response() }
            }
        };
        let router = Router::new().route("/cancelled", get(say(false))).route("/open", get(say(true)));
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
        let address = listener.local_addr().expect("its address");
        tokio::spawn(axum::serve(listener, router.with_state(self.clone())).into_future());
        format!("http://{address}")
    }

    /// Until each was asked for and judged: the next question comes after that.
    async fn is_asked(&self) {
        let until = self.asked.load(Ordering::Relaxed) + 6;
        let asked = async {
            while self.asked.load(Ordering::Relaxed) < until {
                tokio::time::sleep(Duration::from_millis(10)).await;
            }
        };
        timeout(PATIENCE, asked).await.expect("the site is asked");
    }

    fn says(&self, number: Value, rows: Value) {
        *self.says.lock().expect("nobody panicked") = (number, rows);
    }
}

async fn becomes(served: &Served, id: &str, is_it: impl Fn(&Value) -> bool) {
    let mut last = Value::Null;
    let come = timeout(PATIENCE, async {
        loop {
            last = value(served, id).await;
            if is_it(&last) {
                return;
            }
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    });
    assert!(come.await.is_ok(), "{id} is {last}");
}

/// H2: what the site's database knows better is taken over, events go on from there, and what can't be is not taken.
#[tokio::test]
async fn a_site_puts_right_what_is_off() {
    let site = Site::default();
    let url = site.start().await;
    let served = Served::start(HubConfig { named: named(Some(&url)), ..HubConfig::default() }).await;
    publish(&served, &[("cancelled", 1, "UA"), ("cancelled", 2, "AA"), ("late", 3, "DL")]).await;
    assert_eq!(value(&served, "cancelled").await, 2);
    let row = |flight: u64, carrier: &str| json!({"channel": "flights", "name": "late", "data": {"flight": flight, "carrier": carrier}});
    // Flight 1 is gone, flight 2 has another carrier, flight 9 was never told of.
    site.says(json!({"value": 10}), json!({"rows": [row(2, "B6"), row(3, "DL"), row(9, "UA")]}));
    becomes(&served, "cancelled", |value| *value == 10).await;
    let is_right = |value: &Value| {
        let text = value.to_string();
        value.as_array().is_some_and(|rows| rows.len() == 3) && text.contains("B6") && !text.contains("AA")
    };
    becomes(&served, "open", is_right).await;
    let (_, body) = served.get("/v1/aggregates/cancelled").await;
    let fingerprint = body["fingerprint"].as_str().expect("a fingerprint");
    let (_, snapshot) = served.get("/v1/snapshot?channels=flights").await;
    assert!(snapshot["aggregates"][fingerprint].to_string().contains("10"), "walls get it: {snapshot}");

    // It can't be answered, or not by this: what is there stays, and goes on.
    for nonsense in [Value::Null, json!({"value": -3}), json!({"value": "11"}), json!([]), json!({"value": 10.5})] {
        site.says(nonsense.clone(), json!({"rows": [{"channel": "other", "name": "late", "data": {"flight": 1}}]}));
        site.is_asked().await;
        assert_eq!(value(&served, "cancelled").await, 10, "{nonsense}");
        assert!(is_right(&value(&served, "open").await));
    }
    publish(&served, &[("cancelled", 11, "UA")]).await;
    assert_eq!(value(&served, "cancelled").await, 11);
    site.says(json!({"value": 11}), json!({"rows": []}));
    becomes(&served, "open", |value| *value == json!([])).await;
    assert_eq!(value(&served, "cancelled").await, 11);
    served.stop().await;
}
