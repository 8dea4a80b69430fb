//! Comparisons of a healthy wall with a healthy hub.

use serde_json::json;
use watchfloor_board::freshness::Freshness;
use watchfloor_engine::{BoardInput, EngineConfig};

use crate::support::{BOARD, Server, Wall};

/// Widgets of every kind, whose windows, rows and buckets end while the test runs.
const MORE: &str = r#"
[[widget]]
id = "mean"
kind = "window"
last = "2s"
stat = "mean"
value = "amount"
trend = "1m"

[[widget]]
id = "p90"
kind = "window"
last = "1s"
stat = "p90"
value = "amount"

[[widget]]
id = "distinct"
kind = "window"
last = "3s"
stat = "distinct"
value = "shop"

[[widget]]
id = "rate"
kind = "rate"
last = "2s"
per = "1m"

[[widget]]
id = "newest"
kind = "gauge"
value = "amount"
trend = "1m"

[[widget]]
id = "shops"
kind = "table"
key = "shop"
columns = [{ path = "amount" }]
sort = "-amount"
limit = 5
expire = "1s"

[[widget]]
id = "chart"
kind = "series"
bucket = "1s"
keep = "1m"
stat = "sum"
value = "amount"
by = "kind"

[[widget]]
id = "last"
kind = "log"
text = "{shop}: {amount}"
limit = 10

[[widget]]
id = "tiles"
kind = "status"
key = "shop"
state = "kind"
states = { a = "normal", b = "alarm" }

[[widget]]
id = "map"
kind = "markers"
key = "shop"
lat = "lat"
lon = "lon"
expire = "1s"
"#;

/// H2: compared again and again in the middle of a flow of events, by every way to travel, a wall that has everything never
/// drifts and is never anything but live.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_healthy_wall_never_drifts() {
    for (way, checks) in [("websocket", 20), ("poll", 5)] {
        let text = format!("{BOARD}{MORE}").replace("channels =", &format!("transport = \"{way}\"\nchannels ="));
        let server = Server::start(&text).await;
        server.publish(1..=10).await;
        let text = text.replace("ADDRESS", &format!("http://{}", server.address));
        let mut wall = Wall::start(EngineConfig::new(BoardInput::Text { name: "board.toml".into(), text })).await;
        let fresh = if way == "poll" { Freshness::Polling } else { Freshness::Live };
        wall.until("current", |wall| wall.number("count") == Some(10.0) && wall.quality("count").freshness == fresh)
            .await;
        let mut source = json!(null);
        let mut number = 0_u64;
        while source["checks"].as_u64() < Some(checks) {
            number += 1;
            let order = |n: u64| {
                let data = json!({"amount": n % 37, "shop": format!("s{}", n % 9), "kind": if n.is_multiple_of(2) { "a" } else { "b" },
                    "lat": n % 80, "lon": n % 170});
                json!({"channel": "orders", "name": "order.placed", "data": data})
            };
            server.post(&json!((0..7).map(|at| order(number * 7 + at)).collect::<Vec<_>>())).await;
            wall.engine.reconcile().await;
            wall.pull().await;
            assert_eq!(wall.quality("count").freshness, fresh, "{:?}", wall.sources);
            source = wall.engine.report().await["sources"]["ops"].clone();
            assert_eq!(source["drift"], 0, "{source}");
            assert!(number < 5000, "never compared: {source}");
        }
        wall.engine.stop().await;
    }
}
