//! The engine from socket to frame, against the real hub over real sockets.
#![allow(clippy::unwrap_used, missing_docs)] // a test that cannot go on panics; its names say what it is

mod again;
mod agree;
mod drift;
mod flood;
mod ladder;
mod nginx;
mod paths;
mod support;

use std::time::{Duration, Instant};

use serde_json::json;
use support::{BOARD, Server, Wall, board, config};
use watchfloor_board::{frame::WidgetValue, freshness::Freshness};
use watchfloor_engine::{BoardInput, Engine, EngineConfig, EngineError};
use watchfloor_model::Continuity;

/// Events reach the glass, each once; the first value is the server's snapshot.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn events_reach_the_glass() {
    let server = Server::start(BOARD).await;
    server.publish(1..=10).await;
    let mut wall = Wall::start(config(&server, None)).await;
    wall.until("live at 10", |wall| wall.is_live_at("count", 10.0) && wall.is_live_at("sum", 55.0)).await;
    for round in 1..=20 {
        server.publish([100]).await;
        wall.until("one more", |wall| wall.number("count") == Some(f64::from(10 + round))).await;
    }
    assert!(wall.is_live_at("sum", 2055.0));
    // Each pull was the receipt of what came before it.
    wall.pull().await;
    let latency = wall.engine.glass_latency().await;
    assert!((20..=30).contains(&latency.count()), "{}", latency.count());
    wall.engine.stop().await;
}

/// Both transports end in the same numbers.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn event_streams_do_as_well() {
    let server = Server::start(BOARD).await;
    server.publish(1..=10).await;
    let text = board(server.address).replace("channels =", "transport = \"sse\"\nchannels =");
    let mut wall = Wall::start(EngineConfig::new(BoardInput::Text { name: "board.toml".into(), text })).await;
    wall.until("live at 10", |wall| wall.is_live_at("count", 10.0)).await;
    server.publish(1..=5).await;
    wall.until("live at 15", |wall| wall.is_live_at("sum", 70.0)).await;
    wall.engine.stop().await;
}

/// H1: a lost server is on the glass within the limit and a second, with the reason; H3: when it is back, nothing is missing
/// and nothing is double, and the wall knows that it is proven.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn lost_servers_are_shown_and_caught_up_with() {
    let mut server = Server::start(BOARD).await;
    server.publish(1..=10).await;
    let mut wall = Wall::start(config(&server, None)).await;
    wall.until("live at 10", |wall| wall.is_live_at("count", 10.0)).await;
    server.down().await;
    let took = wall.until("not live", |wall| wall.quality("count").freshness != Freshness::Live).await;
    assert!(took < Duration::from_secs(3), "{took:?}");
    wall.until("down with a reason", |wall| {
        wall.quality("count").freshness == Freshness::Down && wall.quality("count").reason.is_some()
    })
    .await;
    assert_eq!(wall.number("count"), Some(10.0), "the last known value stays");
    server.up().await;
    server.publish(1..=10).await;
    wall.until("live at 20", |wall| wall.is_live_at("count", 20.0)).await;
    assert_eq!(wall.sources[0].continuity, Continuity::Proven);
    wall.engine.stop().await;
}

/// What was lost, why, and what became of it is told and remembered; so is that the wall itself was away.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn lost_links_have_a_history() {
    let data = tempfile::tempdir().unwrap();
    let mut server = Server::start(BOARD).await;
    server.publish(1..=10).await;
    let mut wall = Wall::start(config(&server, Some(data.path()))).await;
    wall.until("live at 10", |wall| wall.is_live_at("count", 10.0)).await;
    assert!(wall.outages.is_empty(), "{:?}", wall.outages);
    server.down().await;
    wall.until("told while it lasts", |wall| wall.outages.len() == 1 && wall.outages[0].ended_ms.is_none()).await;
    assert!(!wall.outages[0].cause.is_empty(), "{:?}", wall.outages);
    server.up().await;
    server.publish(1..=7).await;
    wall.until("ended", |wall| wall.outages[0].ended_ms.is_some()).await;
    let told = wall.outages.clone();
    assert_eq!((told[0].became, told[0].missed), (Some(Continuity::Proven), Some(7)), "{told:?}");
    assert!(told[0].began_ms <= told[0].ended_ms.unwrap() && told[0].source_ended_ms.is_some(), "{told:?}");
    wall.engine.stop().await;

    server.publish(1..=3).await;
    let mut wall = Wall::start(config(&server, Some(data.path()))).await;
    wall.until("live at 20", |wall| wall.is_live_at("count", 20.0)).await;
    wall.until("the stop has ended", |wall| wall.outages.len() == 2 && wall.outages[0].ended_ms.is_some()).await;
    assert_eq!(wall.outages[1..], told, "as it was before");
    let stop = &wall.outages[0];
    assert_eq!(
        (&*stop.cause, stop.became, stop.missed),
        ("the wall was not running", Some(Continuity::Proven), Some(3))
    );
    wall.engine.stop().await;
}

/// H1, H3: a server that was killed and knows nothing of before: what it counts is a lower bound, and the stretch that it doesn't
/// know is a gap of the chart; while it is away, nothing slides to zero.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_a_new_server_does_not_know_is_not_zero() {
    let more = BOARD.to_owned()
        + "\n[[widget]]\nid = \"recent\"\nkind = \"window\"\nlast = \"1s\"\n"
        + "\n[[widget]]\nid = \"chart\"\nkind = \"series\"\nbucket = \"1s\"\nkeep = \"1m\"\n";
    let mut server = Server::start(&more).await;
    server.publish(1..=30).await;
    let text = more.replace("ADDRESS", &format!("http://{}", server.address));
    let mut wall = Wall::start(EngineConfig::new(BoardInput::Text { name: "board.toml".into(), text })).await;
    wall.until("live at 30", |wall| wall.is_live_at("count", 30.0)).await;
    server.publish(1..=5).await;
    wall.until("something that could slide away", |wall| wall.is_live_at("count", 35.0)).await;
    assert!(wall.number("recent") > Some(0.0));
    server.down().await;
    wall.until("down", |wall| wall.quality("recent").freshness == Freshness::Down).await;
    let stood = wall.number("recent");
    wall.until("older than the window", |wall| wall.quality("recent").age_ms.is_some_and(|age| age > 2500)).await;
    assert_eq!(wall.number("recent"), stood, "nobody has heard that it is less");

    server.up_anew().await;
    wall.until("live at nothing", |wall| wall.is_live_at("count", 0.0)).await;
    let Some(WidgetValue::Number(count)) = &wall.widgets["count"].1 else { panic!("no number") };
    assert!(count.at_least, "{count:?}");
    let missing = wall.quality("count").incomplete_until_ms.unwrap();
    let Some(WidgetValue::Series(chart)) = &wall.widgets["chart"].1 else { panic!("no chart") };
    assert!(chart.gaps.iter().any(|(from, to)| *from < *to && *to == missing), "{chart:?}");
    wall.until("the second is over", |wall| {
        matches!(&wall.widgets["recent"].1, Some(WidgetValue::Number(recent)) if !recent.at_least)
            && wall.is_live_at("recent", 0.0)
    })
    .await;
    wall.engine.stop().await;
}

/// H4: a wall that starts on its old data folder shows the last known values within a second, marked with their age and without
/// any server; then it is live again, and nothing was counted twice.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn restarts_show_the_last_known_values() {
    let data = tempfile::tempdir().unwrap();
    let mut server = Server::start(BOARD).await;
    server.publish(1..=10).await;
    let mut wall = Wall::start(config(&server, Some(data.path()))).await;
    wall.until("live at 10", |wall| wall.is_live_at("count", 10.0)).await;
    server.publish(1..=5).await;
    wall.until("live at 15", |wall| wall.is_live_at("count", 15.0)).await;
    wall.engine.stop().await;
    server.down().await;

    let begun = Instant::now();
    let mut wall = Wall::start(config(&server, Some(data.path()))).await;
    wall.pull().await;
    assert!(begun.elapsed() < Duration::from_secs(1), "{:?}", begun.elapsed());
    assert_eq!((wall.number("count"), wall.number("sum")), (Some(15.0), Some(70.0)));
    let quality = wall.quality("count");
    assert!(!matches!(quality.freshness, Freshness::Live | Freshness::Unknown), "{quality:?}");
    assert!(quality.age_ms.is_some_and(|age| age < 60_000), "{quality:?}");

    server.up().await;
    server.publish(1..=5).await;
    wall.until("live at 20", |wall| wall.is_live_at("count", 20.0) && wall.is_live_at("sum", 85.0)).await;
    // Counts follow a moment later than what they count.
    wall.until("counted", |wall| wall.sources[0].events > 0).await;
    assert_eq!(
        (wall.sources[0].events, wall.sources[0].continuity),
        (5, Continuity::Proven),
        "only what was missed was sent"
    );
    wall.engine.stop().await;
}

/// H4: the same for an engine that was never stopped in order, as far as a test within one process can tell: the journal
/// alone, without the checkpoint of the end, leads to the same board.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_journal_alone_leads_to_the_same_board() {
    let data = tempfile::tempdir().unwrap();
    let copy = tempfile::tempdir().unwrap();
    let server = Server::start(BOARD).await;
    server.publish(1..=10).await;
    let mut wall = Wall::start(config(&server, Some(data.path()))).await;
    wall.until("live at 10", |wall| wall.is_live_at("count", 10.0)).await;
    server.publish(1..=5).await;
    wall.until("live at 15", |wall| wall.is_live_at("count", 15.0)).await;
    // What is on the glass is in the journal: a copy of the files is what a killed process leaves behind.
    for name in ["journal.db", "journal.db-wal"] {
        std::fs::copy(data.path().join(name), copy.path().join(name)).unwrap();
    }
    server.publish(1..=5).await;
    let mut again = Wall::start(config(&server, Some(copy.path()))).await;
    again.until("live at 20", |wall| wall.is_live_at("count", 20.0) && wall.is_live_at("sum", 85.0)).await;
    wall.until("live at 20", |wall| wall.is_live_at("count", 20.0)).await;
    again.engine.stop().await;
    wall.engine.stop().await;
}

/// H3: what the data folder leads to is only taken for what it was: a widget that is new at a restart begins with the server's
/// state, and so does everything of a source that is another server now.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn restarts_take_only_what_is_still_the_same() {
    let data = tempfile::tempdir().unwrap();
    let more = BOARD.to_owned() + "\n[[widget]]\nid = \"fives\"\nkind = \"counter\"\nwhere = { amount = [5] }\n";
    let (first, second) = (Server::start(&more).await, Server::start(&more).await);
    first.publish(1..=10).await;
    second.publish(1..=3).await;
    let mut wall = Wall::start(config(&first, Some(data.path()))).await;
    wall.until("live at 10", |wall| wall.is_live_at("count", 10.0)).await;
    wall.engine.stop().await;

    let text = more.replace("ADDRESS", &format!("http://{}", first.address));
    let board = BoardInput::Text { name: "board.toml".into(), text };
    let again = EngineConfig { data_dir: Some(data.path().into()), ..EngineConfig::new(board) };
    let mut wall = Wall::start(again).await;
    wall.until("live with the new widget", |wall| {
        wall.is_live_at("count", 10.0) && wall.is_live_at("sum", 55.0) && wall.is_live_at("fives", 1.0)
    })
    .await;
    wall.engine.stop().await;

    let mut wall = Wall::start(config(&second, Some(data.path()))).await;
    wall.until("another server's", |wall| {
        assert!(!matches!(wall.number("count"), Some(count) if count != 3.0), "{:?}", wall.number("count"));
        wall.is_live_at("count", 3.0)
    })
    .await;
    wall.engine.stop().await;
}

/// A board file that changes is taken over without a restart; a bad one is shown and changes nothing; a new widget begins
/// with the server's state, not from zero.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn board_files_are_read_again() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("board.toml");
    let with_table = "\n[[widget]]\nid = \"large\"\nkind = \"counter\"\nwhere = { amount = [5] }\n";
    let server = Server::start(&(BOARD.to_owned() + with_table)).await;
    server.publish(1..=10).await;
    std::fs::write(&path, board(server.address)).unwrap();
    let data = tempfile::tempdir().unwrap();
    let mut wall = Wall::start(EngineConfig {
        data_dir: Some(data.path().into()),
        ..EngineConfig::new(BoardInput::File(path.clone()))
    })
    .await;
    wall.until("live at 10", |wall| wall.is_live_at("count", 10.0)).await;

    std::fs::write(&path, board(server.address).replace("kind = \"counter\"", "kind = \"cuonter\"")).unwrap();
    wall.until("refused", |wall| wall.notices.iter().any(|notice| notice.id == "board-file")).await;
    let detail = wall.notices.iter().find(|notice| notice.id == "board-file").unwrap().detail.join("\n");
    assert!(detail.contains("board.toml:") && detail.contains("counter"), "{detail}");
    assert!(wall.is_live_at("count", 10.0), "the last good board goes on");

    std::fs::write(&path, board(server.address).replace("Orders", "All orders") + with_table).unwrap();
    wall.until("taken over", |wall| wall.title == "All orders" && wall.notices.is_empty()).await;
    wall.until("live with the new widget", |wall| {
        wall.is_live_at("count", 10.0) && wall.is_live_at("sum", 55.0) && wall.is_live_at("large", 1.0)
    })
    .await;
    server.publish([5]).await;
    wall.until("counting on", |wall| wall.is_live_at("large", 2.0) && wall.is_live_at("count", 11.0)).await;
    wall.engine.stop().await;
}

/// A source that was added, moved and removed by its board file follows.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn sources_follow_their_board_file() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("board.toml");
    let (first, second) = (Server::start(BOARD).await, Server::start(BOARD).await);
    first.publish([1, 1]).await;
    second.publish([1, 1, 1]).await;
    std::fs::write(&path, board(first.address)).unwrap();
    let mut wall = Wall::start(EngineConfig::new(BoardInput::File(path.clone()))).await;
    wall.until("the first's", |wall| wall.is_live_at("count", 2.0)).await;
    std::fs::write(&path, board(second.address)).unwrap();
    wall.until("the second's", |wall| wall.is_live_at("count", 3.0)).await;
    std::fs::write(&path, board(first.address).replace("\"ops\"", "\"other\"")).unwrap();
    wall.until("the first's again", |wall| wall.is_live_at("count", 2.0) && wall.sources[0].id == "other").await;
    let report = wall.engine.report().await;
    assert!(report["sources"].get("ops").is_none(), "{report}");
    wall.engine.stop().await;
}

/// A heartbeat frame comes when nothing happens, and a waiting pull is answered at once when something does.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn pulls_wait_for_something() {
    let server = Server::start(BOARD).await;
    server.publish([1]).await;
    let mut wall = Wall::start(config(&server, None)).await;
    wall.until("live at 1", |wall| wall.is_live_at("count", 1.0)).await;
    let mut latencies = Vec::new();
    for round in 2..=21 {
        server.publish([1]).await;
        latencies.push(wall.until("one more", |wall| wall.is_live_at("count", f64::from(round))).await);
    }
    latencies.sort();
    assert!(latencies[10] < Duration::from_millis(100), "{latencies:?}");
    wall.engine.stop().await;
    let begun = Instant::now();
    let last = wall.pull().await;
    assert!(last.notices.iter().any(|notice| notice.id == "engine"), "{last:?}");
    assert!(begun.elapsed() >= Duration::from_millis(900), "a stopped engine isn't asked as fast as a page can");
}

/// Events that a widget can't use are counted with a reason, and the rest goes on.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn bad_events_are_counted() {
    let server = Server::start(BOARD).await;
    let mut wall = Wall::start(config(&server, None)).await;
    server.publish([1]).await;
    wall.until("live at 1", |wall| wall.is_live_at("sum", 1.0)).await;
    server.post(&json!({"channel": "orders", "name": "order.placed", "data": {"amount": "a lot"}})).await;
    server.publish([2]).await;
    wall.until("live at 3", |wall| wall.is_live_at("sum", 3.0)).await;
    let rejected = wall.quality("sum").rejected.clone().unwrap();
    assert!(rejected.count == 1 && rejected.reason.contains("amount"), "{rejected:?}");
    assert!(wall.is_live_at("count", 3.0), "{:?}", wall.widgets);
    wall.engine.stop().await;
}

/// Design section 9: the report and the metrics of a live wall.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn operators_can_watch() {
    let server = Server::start(BOARD).await;
    let mut wall =
        Wall::start(EngineConfig { metrics: Some(([127, 0, 0, 1], 0).into()), ..config(&server, None) }).await;
    server.publish(1..=3).await;
    wall.until("live at 3", |wall| wall.is_live_at("count", 3.0)).await;
    let report = wall.engine.report().await;
    assert!(report["time"].as_i64().is_some_and(|time| time > 1_700_000_000_000), "{report}");
    let source = &report["sources"]["ops"];
    assert_eq!((&source["state"], &source["transport"]), (&json!("live"), &json!("websocket")), "{report}");
    for field in ["continuity", "position", "events", "duplicates", "gaps"] {
        assert!(source.get(field).is_some(), "{field} is missing in {source}");
    }
    let widget = &report["widgets"]["count"];
    assert_eq!((&widget["freshness"], widget["value"].as_f64()), (&json!("live"), Some(3.0)), "{widget}");
    assert_eq!(report["alarms"], json!([]));

    let url = format!("http://{}/metrics", wall.engine.metrics_address().unwrap());
    let client = support::client();
    let expected = [
        "watchfloor_source_state{source=\"ops\",state=\"live\"} 1",
        "watchfloor_widget_freshness{widget=\"count\",freshness=\"live\"} 1",
        "watchfloor_drift_total{source=\"ops\"} 0",
    ];
    let begun = Instant::now();
    loop {
        let text = client.get(&url).send().await.unwrap().text().await.unwrap();
        if expected.iter().all(|line| text.lines().any(|found| found == *line)) {
            break;
        }
        assert!(begun.elapsed() < support::PATIENCE, "{text}");
        wall.pull().await;
    }
    let taken = Engine::start(EngineConfig { metrics: wall.engine.metrics_address(), ..config(&server, None) }).await;
    assert_eq!(taken.unwrap_err().exit_code(), 3);
    wall.engine.stop().await;
}

/// What keeps an engine from starting says whose turn it is, and what to do.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn refusals_say_what_to_do() {
    let server = Server::start(BOARD).await;
    let data = tempfile::tempdir().unwrap();
    let check = |config: EngineConfig, exit_code: u8, part: &'static str| async move {
        let error = Engine::start(config).await.err().unwrap_or_else(|| panic!("{part}: it started"));
        assert_eq!(error.exit_code(), exit_code, "{error}");
        assert!(error.to_string().contains(part), "{error}");
    };
    check(EngineConfig::new(BoardInput::File("no/such/board.toml".into())), 1, "no/such/board.toml").await;
    let bad = BoardInput::Text { name: "bad.toml".into(), text: "[board]\ntitel = 1\n".into() };
    check(EngineConfig::new(bad), 1, "bad.toml:2").await;
    let mut unknown = config(&server, None);
    unknown.source_urls.insert("opps".into(), "http://x".into());
    check(unknown, 1, "`ops`").await;
    let file = data.path().join("file");
    std::fs::write(&file, "").unwrap();
    check(config(&server, Some(&file)), 3, "--data-dir").await;

    let first = Engine::start(config(&server, Some(data.path()))).await.unwrap();
    let second = Engine::start(config(&server, Some(data.path()))).await.unwrap_err();
    assert!(matches!(second, EngineError::AlreadyRunning { .. }), "{second}");
    first.stop().await;
    let third = Engine::start(config(&server, Some(data.path()))).await.unwrap();
    third.stop().await;

    // An engine that is dropped lets go of its folder as well.
    let begun = Instant::now();
    drop(Engine::start(config(&server, Some(data.path()))).await.unwrap());
    while let Err(error) = Engine::start(config(&server, Some(data.path()))).await.map(drop) {
        assert!(matches!(error, EngineError::AlreadyRunning { .. }) && begun.elapsed() < support::PATIENCE, "{error}");
        tokio::task::yield_now().await;
    }

    let newer = tempfile::tempdir().unwrap();
    let journal = rusqlite::Connection::open(newer.path().join("journal.db")).unwrap();
    journal
        .execute_batch("PRAGMA application_id = 0x57464c52; PRAGMA user_version = 99; CREATE TABLE meta (key TEXT PRIMARY KEY, value TEXT NOT NULL);")
        .unwrap();
    drop(journal);
    check(config(&server, Some(newer.path())), 3, "format 99").await;
}

/// A damaged journal costs the past and not the wall, and is said.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn damaged_journals_are_said() {
    let server = Server::start(BOARD).await;
    server.publish(1..=4).await;
    let data = tempfile::tempdir().unwrap();
    std::fs::write(data.path().join("journal.db"), vec![0x5a; 20_000]).unwrap();
    let mut wall = Wall::start(config(&server, Some(data.path()))).await;
    wall.until("live at 4", |wall| wall.is_live_at("count", 4.0)).await;
    let notice = wall.notices.iter().find(|notice| notice.id == "journal").unwrap();
    assert!(
        notice.text.contains("damaged") && notice.detail.iter().any(|line| line.contains("journal-damaged-")),
        "{notice:?}"
    );
    wall.engine.stop().await;
}

/// Continuity: a hub that lost its history is caught up with by its snapshot, and the wall says which.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn lost_history_is_told() {
    let server = Server::start(BOARD).await;
    server.publish(1..=4).await;
    let mut wall = Wall::start(config(&server, None)).await;
    wall.until("live at 4", |wall| wall.is_live_at("count", 4.0)).await;
    server.hub.lose_history();
    server.publish([1]).await;
    wall.until("live at 5", |wall| wall.is_live_at("count", 5.0)).await;
    assert_eq!(wall.sources[0].continuity, Continuity::Snapshot);
    assert!(matches!(wall.widgets["count"].1, Some(WidgetValue::Number(_))));
    wall.engine.stop().await;
}
