//! Pages of a board in a real window: they turn by themselves, by keys and by an alarm, and nothing that is out of sight is lost.

use std::{convert::Infallible, fs, time::Duration};

use anyhow::{Context, Result, ensure};
use axum::{
    Router,
    body::Body,
    extract::State,
    response::{IntoResponse, Response},
    routing::get,
};
use futures_util::stream;
use serde_json::json;
use tokio::{net::TcpListener, sync::watch};
use watchfloor_tests::{desktop::Desktop, page::Page};

const LIMIT: Duration = Duration::from_secs(60);
/// What the first page has for itself, and a frame.
const TURN_LIMIT: Duration = Duration::from_secs(20);
const SAY_LIMIT: Duration = Duration::from_secs(5);

const BOARD: &str = r#"
[board]
title = "Depot"

[[page]]
id = "tank"
title = "Tank"
dwell = "15s"
priority = "alarm"

[[page]]
id = "orders"
title = "Orders"
dwell = "15s"

[[source]]
id = "ops"
kind = "sse"
url = "URL"
channels = ["ops"]
heartbeat = "1s"

[[widget]]
id = "level"
kind = "gauge"
value = "level"
bands = [{ from = 90, state = "alarm" }]

[[widget]]
id = "orders"
kind = "counter"
page = "orders"
"#;

/// An event stream of a tank's level: one event with each that is told, and comments in between.
async fn feed(State(level): State<watch::Receiver<u32>>) -> Response {
    let chunks = stream::unfold((0_u64, level), |(number, mut level)| async move {
        let is_told = number == 0 || tokio::time::timeout(Duration::from_millis(200), level.changed()).await.is_ok();
        let now = *level.borrow_and_update();
        let text = match is_told {
            true => format!("id: {number}\ndata: {}\n\n", json!({ "level": now })),
            false => ":\n\n".to_owned(),
        };
        Some((Ok::<_, Infallible>(text), (number + 1, level)))
    });
    ([("content-type", "text/event-stream")], Body::from_stream(chunks)).into_response()
}

/// Asks for the page that is shown, with exactly these widgets on the glass.
fn shows(page: &str, widget: &str) -> String {
    format!(
        "const widgets = [...document.querySelectorAll('[data-widget]')].map((one) => one.dataset.widget);\
        return document.querySelector('[data-page=\"{page}\"]')?.getAttribute('aria-current') === 'page' && widgets.join() === '{widget}'"
    )
}

/// A key, as the page hears it.
fn press(key: &str) -> String {
    format!("window.dispatchEvent(new KeyboardEvent('keydown', {{ key: '{key}', bubbles: true }})); return true")
}

#[tokio::test(flavor = "multi_thread")]
async fn pages_turn() -> Result<()> {
    let (level, told) = watch::channel(10_u32);
    let listener = TcpListener::bind("127.0.0.1:0").await?;
    let url = format!("http://{}/", listener.local_addr()?);
    tokio::spawn(async move { axum::serve(listener, Router::new().route("/", get(feed)).with_state(told)).await });
    let folder = tempfile::tempdir()?;
    let (board, data) = (folder.path().join("board.toml"), folder.path().join("data"));
    fs::write(&board, BOARD.replace("URL", &url))?;
    let (board, data) = (board.to_str().context("a path")?, data.to_str().context("a path")?);
    let desktop = Desktop::with_driver(1920, 1080).await?;
    let arguments = ["--board", board, "--data-dir", data, "--notifications", "off"];
    let page = Page::new(desktop.open_wall(&arguments).await?);

    page.wait_for("the first page", &shows("tank", "level"), LIMIT).await?;
    page.wait_for("the second page in its turn", &shows("orders", "orders"), TURN_LIMIT).await?;
    let counted = page
        .wait_for("a count of both", "return document.querySelector('.count')?.innerText.trim()", SAY_LIMIT)
        .await?;
    ensure!(counted == "2 of 2 live", "{counted}");

    page.run(&press("PageUp"), Vec::new()).await?;
    page.wait_for("a page turned by hand", &shows("tank", "level"), SAY_LIMIT).await?;
    page.run(&press("2"), Vec::new()).await?;
    page.wait_for("the one that is asked for", &shows("orders", "orders"), SAY_LIMIT).await?;
    page.run(&press("p"), Vec::new()).await?;
    page.wait_for("a pinned page", "return document.querySelector('[data-pinned]') !== null", SAY_LIMIT).await?;

    // The alarm is found although its number is out of sight, and brings its page from a pinned one.
    level.send(95)?;
    page.wait_for("the page with an alarm", &shows("tank", "level"), SAY_LIMIT).await?;
    let digits = "return document.querySelector('[data-widget=\"level\"]').innerText.includes('95')";
    page.wait_for("the number itself", digits, SAY_LIMIT).await?;
    level.send(20)?;
    page.wait_for("the pinned page again", &shows("orders", "orders"), SAY_LIMIT).await?;
    let counted = "return document.querySelector('[data-widget=\"orders\"]').innerText.includes('3')";
    page.wait_for("what came meanwhile", counted, SAY_LIMIT).await?;
    Ok(())
}
