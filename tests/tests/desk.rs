//! A dispatcher's desk, by a keyboard on a real display: a row is found, read with the event behind it, and copied to the clipboard that other
//! programs have; a second window stands beside the first, and both are found again where they stood.

use std::{
    fs,
    path::PathBuf,
    process::{Command, Stdio},
    time::{Duration, Instant},
};

use anyhow::{Context, Result, ensure};
use serde_json::{Value, json};
use watchfloor_tests::{desktop::Desktop, faults::process::HubProcess, page::Page, wait::until};

/// For a start of an unoptimised build on a busy machine.
const LIMIT: Duration = Duration::from_secs(60);
const LOOK_EVERY: Duration = Duration::from_millis(100);
const CARRIERS: [&str; 3] = ["Halden", "Swift", "Bluebird"];

fn board(port: u16) -> String {
    format!(
        r#"
[board]
title = "Depot"

[[source]]
id = "ops"
kind = "hub"
url = "http://127.0.0.1:{port}"
channels = ["ops"]

[[widget]]
id = "orders"
kind = "table"
key = "order"
columns = [{{ path = "order" }}, {{ path = "carrier", title = "Carrier" }}]
sort = "order"
"#
    )
}

/// A hub, and the board that shows what it is told.
struct Site {
    hub: HubProcess,
    folder: tempfile::TempDir,
}

impl Site {
    async fn start() -> Result<Self> {
        let folder = tempfile::tempdir()?;
        let file = folder.path().join("board.toml");
        fs::write(&file, board(1))?;
        let hub = HubProcess::start(&file).await?;
        fs::write(&file, board(hub.address().port()))?;
        Ok(Self { hub, folder })
    }

    /// Places nine orders.
    async fn publish(&self) -> Result<()> {
        let orders: Vec<Value> = (0..9_usize)
            .map(|number| {
                let data = json!({"order": format!("A{number}"), "carrier": CARRIERS[number % 3], "note": format!("note {number}")});
                json!({"channel": "ops", "name": "order.placed", "data": data})
            })
            .collect();
        self.hub.publish(&json!(orders)).await
    }

    fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    async fn open(&self, desktop: &Desktop, publishes: bool) -> Result<Page> {
        let (board, data) = (self.path("board.toml"), self.path("data"));
        let (board, data) = (board.to_str().context("a path")?, data.to_str().context("a path")?);
        let arguments = ["--board", board, "--data-dir", data, "--notifications", "off"];
        let page = Page::new(desktop.open_wall(&arguments).await?);
        // What came before a wall is there is known by a snapshot, which tells no events.
        if publishes {
            let live = "return document.querySelector('[data-widget=orders]')?.dataset.freshness === 'live'";
            page.wait_for("a live table", live, LIMIT).await?;
            self.publish().await?;
        }
        page.wait_for("the orders", "return document.querySelectorAll('[data-row], [data-key]').length >= 9", LIMIT)
            .await?;
        Ok(page)
    }
}

/// What has the keyboard, for who looks why nothing came.
const STATE: &str =
    "return [document.hasFocus(), document.visibilityState, document.activeElement?.outerHTML.slice(0, 200)]";

/// What another program would paste.
fn clipboard(desktop: &Desktop) -> Result<String> {
    let mut command = Command::new("xclip");
    command.args(["-o", "-selection", "clipboard"]).env("DISPLAY", desktop.display());
    // Without anything on it it says so and fails.
    let output = command.stdin(Stdio::null()).stderr(Stdio::null()).output().context("xclip")?;
    Ok(String::from_utf8(output.stdout)?)
}

#[tokio::test(flavor = "multi_thread")]
async fn a_row_is_found_read_and_copied() -> Result<()> {
    let site = Site::start().await?;
    let desktop = Desktop::with_driver(1600, 1000).await?;
    let page = site.open(&desktop, true).await?;
    let window = until("a window", LIMIT, || Ok(desktop.windows()?.pop()))?;
    let keys = |keys: &[&str]| {
        let all: Vec<&str> =
            ["windowactivate", "--sync", &window, "key", "--delay", "150"].iter().chain(keys).copied().collect();
        desktop.xdotool(&all)
    };
    // Its page must be there to hear the key.
    let is_at_it =
        "return document.activeElement?.closest('[data-widget]') !== null && document.activeElement !== document.body";
    let begun = Instant::now();
    while page.run(is_at_it, Vec::new()).await? != json!(true) {
        ensure!(begun.elapsed() < LIMIT, "no panel has the keyboard: {}", page.run(STATE, Vec::new()).await?);
        keys(&["Home"])?;
        tokio::time::sleep(LOOK_EVERY * 5).await;
    }
    keys(&["Return"])?;
    page.wait_for(
        "a row that is selected",
        "return document.querySelector('[data-widget=orders] .selected')?.dataset.key === 'A0'",
        LIMIT,
    )
    .await?;
    keys(&["Down"])?;
    page.wait_for(
        "the next row",
        "return document.querySelector('[data-widget=orders] .selected')?.dataset.key === 'A1'",
        LIMIT,
    )
    .await?;
    keys(&["Return"])?;
    let raw =
        page.wait_for("the event behind it", "return document.querySelector('[data-raw]')?.textContent", LIMIT).await?;
    let event: Value = serde_json::from_str(raw.as_str().context("a text")?)?;
    ensure!(event == json!({"order": "A1", "carrier": "Swift", "note": "note 1"}), "{event}");
    keys(&["Escape", "c"])?;
    let copied =
        until("the row on the clipboard", LIMIT, || Ok(Some(clipboard(&desktop)?).filter(|text| text.contains("A1"))))?;
    let lines: Vec<&str> = copied.lines().collect();
    ensure!(lines.len() == 2 && lines[0].contains("\tCarrier") && lines[1].contains("A1\tSwift"), "{copied:?}");

    keys(&["slash"])?;
    page.wait_for("where to write", "return document.activeElement?.tagName === 'INPUT'", LIMIT).await?;
    desktop.xdotool(&["type", "--delay", "100", "halden"])?;
    let found = "const rows = [...document.querySelectorAll('[data-widget=orders] [data-key]')].map((row) => row.dataset.key);\
        return rows.join() === 'A0,A3,A6'";
    page.wait_for("what was sought", found, LIMIT).await?;
    page.close().await
}

/// Both have a page of their own that paints, and what is begun at the second one is led in the first.
#[tokio::test(flavor = "multi_thread")]
async fn a_second_window_stands_beside_the_first() -> Result<()> {
    let site = Site::start().await?;
    let desktop = Desktop::with_driver(1600, 1000).await?;
    let page = site.open(&desktop, true).await?;
    let first = until("a window", LIMIT, || Ok(desktop.windows()?.pop()))?;
    desktop.xdotool(&["windowsize", "--sync", &first, "700", "500", "windowmove", "--sync", &first, "60", "80"])?;
    desktop.xdotool(&["windowactivate", "--sync", &first, "key", "ctrl+n"])?;
    let second = until("another window", LIMIT, || Ok(desktop.windows()?.into_iter().find(|id| *id != first)))?;
    desktop.xdotool(&["windowsize", "--sync", &second, "600", "450", "windowmove", "--sync", &second, "840", "300"])?;
    let has_keyboard = |id: &str| Ok((desktop.xdotool(&["getwindowfocus"])?.trim() == id).then_some(()));
    desktop.xdotool(&["windowactivate", "--sync", &second])?;
    until("the keyboard at the second", LIMIT, || has_keyboard(&second))?;
    // Its page must be there to hear the key.
    let looks_back = "return document.querySelector('[data-past-bar]') !== null";
    let begun = Instant::now();
    while page.run(looks_back, Vec::new()).await? != json!(true) {
        ensure!(begun.elapsed() < LIMIT, "looking back was not begun");
        desktop.xdotool(&["windowactivate", "--sync", &second, "key", "b"])?;
        tokio::time::sleep(LOOK_EVERY * 20).await;
    }
    until("the keyboard at the first", LIMIT, || has_keyboard(&first))?;
    desktop.xdotool(&["key", "Escape"])?;
    page.wait_for("the present", "return document.querySelector('[data-past-bar]') === null", LIMIT).await?;

    let places = |ids: [&str; 2]| -> Result<Vec<String>> {
        ids.into_iter().map(|id| desktop.xdotool(&["getwindowgeometry", id]).map(|text| text.replace(id, ""))).collect()
    };
    let stood = places([&first, &second])?;
    desktop.xdotool(&["windowactivate", "--sync", &first, "key", "alt+F4"])?;
    until("their end", LIMIT, || Ok(desktop.windows()?.is_empty().then_some(())))?;
    drop(page);
    let page = site.open(&desktop, false).await?;
    let again = until("both again", LIMIT, || Ok(Some(desktop.windows()?).filter(|windows| windows.len() == 2)))?;
    let stand = places([&again[0], &again[1]])?;
    ensure!(stood.iter().all(|place| stand.contains(place)), "stood {stood:?}, stand {stand:?}");
    page.close().await
}
