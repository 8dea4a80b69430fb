//! The mark in a desktop's tray (H1): it says how the wall is, by a tray that speaks the same over a bus of its own, and nothing fails where there
//! is none.

use std::{
    collections::HashMap,
    fs,
    path::Path,
    process::Command,
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

use anyhow::{Context, Result, ensure};
use futures_util::StreamExt as _;
use serde_json::json;
use watchfloor_tests::{
    desktop::Desktop, faults::process::HubProcess, program::program, wait::until_told, window::WindowProcess,
};
use zbus::{Connection, MessageStream, OwnedVariant, connection::Builder, interface};

/// For a start of an unoptimised build on a busy machine.
const LIMIT: Duration = Duration::from_secs(60);
const WATCHER: &str = "org.kde.StatusNotifierWatcher";
const ITEM: &str = "org.kde.StatusNotifierItem";
const MENU: &str = "com.canonical.dbusmenu";
/// Width, height, and the pixels.
type Picture = (i32, i32, Vec<u8>);
type Properties = HashMap<String, OwnedVariant>;

fn board(port: u16) -> String {
    format!(
        r#"
[board]
title = "Depot"
stale-after = "2s"

[[source]]
id = "ops"
title = "Orders"
kind = "hub"
url = "http://127.0.0.1:{port}"
channels = ["ops"]

[[widget]]
id = "level"
kind = "gauge"
value = "level"
bands = [{{ from = 25, state = "alarm" }}]
"#
    )
}

/// What has been put into the tray, by the names that were given.
#[derive(Clone, Default)]
struct Tray(Arc<Mutex<Vec<String>>>);

impl Tray {
    fn items(&self) -> Vec<String> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }
}

#[interface(name = "org.kde.StatusNotifierWatcher")]
impl Tray {
    fn register_status_notifier_item(&self, service: &str) {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).push(service.to_owned());
    }

    #[zbus(property)]
    fn is_status_notifier_host_registered(&self) -> bool {
        true
    }
}

/// A desktop's tray, with what the wall says on the bus; gone when this is dropped.
struct Host {
    bus: Connection,
    tray: Tray,
    said: MessageStream,
}

impl Host {
    async fn start(desktop: &Desktop) -> Result<Self> {
        let tray = Tray::default();
        let serving = Builder::address(desktop.bus()).name(WATCHER).serve_at("/StatusNotifierWatcher", tray.clone());
        let bus = serving.build().await?;
        let rule = format!("type='signal',interface='{ITEM}',member='NewIcon'");
        let said = MessageStream::for_match_rule(rule.as_str(), &bus, None).await?;
        Ok(Self { bus, tray, said })
    }

    /// Waits until the wall has come, and says under which name.
    async fn item(&self) -> Result<String> {
        until_told("the mark in the tray", LIMIT, async || Ok(self.tray.items().pop())).await
    }

    async fn property<T>(&self, item: &str, name: &str) -> Result<T>
    where
        T: TryFrom<OwnedVariant>,
        T::Error: std::error::Error + Send + Sync + 'static,
    {
        let asked = (ITEM, name);
        let get = Some("org.freedesktop.DBus.Properties");
        let answer = self.bus.call_method(Some(item), "/StatusNotifierItem", get, "Get", &asked).await?;
        Ok(T::try_from(answer.body().deserialize::<OwnedVariant>()?)?)
    }

    /// What stands when the pointer rests on it.
    async fn words(&self, item: &str) -> Result<String> {
        let asked = (ITEM, "ToolTip");
        let get = Some("org.freedesktop.DBus.Properties");
        let answer = self.bus.call_method(Some(item), "/StatusNotifierItem", get, "Get", &asked).await?;
        let tip: OwnedVariant = answer.body().deserialize()?;
        let (_, _, _, words) = <(String, Vec<Picture>, String, String)>::try_from(tip)?;
        Ok(words)
    }

    async fn pictures(&self, item: &str) -> Result<Vec<Picture>> {
        let asked = (ITEM, "IconPixmap");
        let get = Some("org.freedesktop.DBus.Properties");
        let answer = self.bus.call_method(Some(item), "/StatusNotifierItem", get, "Get", &asked).await?;
        Ok(<Vec<Picture>>::try_from(answer.body().deserialize::<OwnedVariant>()?)?)
    }

    /// Waits until it says this, and for the word that it has changed.
    async fn says(&mut self, item: &str, what: &str, is_it: impl Fn(&str) -> bool) -> Result<String> {
        let words = until_told(what, LIMIT, async || {
            let words = self.words(item).await?;
            Ok(is_it(&words).then_some(words))
        })
        .await?;
        let told = tokio::time::timeout(LIMIT, self.said.next()).await.context("no word that the mark has changed")?;
        told.context("the bus")??;
        Ok(words)
    }

    /// The lines of its menu, each with its number.
    async fn menu(&self, item: &str) -> Result<Vec<(i32, String)>> {
        let asked = (0_i32, -1_i32, Vec::<String>::new());
        let answer = self.bus.call_method(Some(item), "/MenuBar", Some(MENU), "GetLayout", &asked).await?;
        let body = answer.body();
        let (_, (_, _, lines)): (u32, (i32, Properties, Vec<OwnedVariant>)) = body.deserialize()?;
        let read = |line: OwnedVariant| -> Result<(i32, String)> {
            let (number, mut properties, _) = <(i32, Properties, Vec<OwnedVariant>)>::try_from(line)?;
            let label = properties.remove("label").map(String::try_from).transpose()?;
            Ok((number, label.unwrap_or_default()))
        };
        lines.into_iter().map(read).collect()
    }

    async fn choose(&self, item: &str, label: &str) -> Result<()> {
        let lines = self.menu(item).await?;
        let (number, _) = lines.iter().find(|(_, own)| own == label).with_context(|| format!("{label}: {lines:?}"))?;
        let clicked = (*number, "clicked", zbus::Variant::from(0_i32), 0_u32);
        self.bus.call_method(Some(item), "/MenuBar", Some(MENU), "Event", &clicked).await?;
        Ok(())
    }
}

/// A wall at a desk.
fn open(desktop: &Desktop, board: &Path, data: &Path, more: &[&str]) -> Result<WindowProcess> {
    let mut command = Command::new(program("watchfloor-wall")?);
    command.arg("--board").arg(board).args(["--notifications", "off", "--supervisor", "off"]).args(more);
    desktop.enter(&mut command);
    WindowProcess::start(&mut command, data)
}

async fn publish(hub: &HubProcess, level: f64) -> Result<()> {
    hub.publish(&json!({"channel": "ops", "name": "e", "data": {"level": level}})).await
}

/// H1: what is live, what isn't, since when, and what is alarmed meanwhile, told by a real hub that dies and comes again; the tray may come later
/// than the wall, and be started again.
#[tokio::test(flavor = "multi_thread")]
async fn the_tray_says_how_the_wall_is() -> Result<()> {
    let folder = tempfile::tempdir()?;
    let file = folder.path().join("board.toml");
    fs::write(&file, board(1))?;
    let mut hub = HubProcess::start(&file).await?;
    fs::write(&file, board(hub.address().port()))?;
    let desktop = Desktop::start(1280, 720)?;
    let data = folder.path().join("data");
    let wall = open(&desktop, &file, &data, &[])?;
    until_told("the window, without a tray", LIMIT, async || Ok((!desktop.windows()?.is_empty()).then_some(())))
        .await?;

    let mut host = Host::start(&desktop).await?;
    let item = host.item().await?;
    publish(&hub, 3.0).await?;
    host.says(&item, "all live", |words| words == "all live").await?;
    let title: String = host.property(&item, "Title").await?;
    ensure!(title == "Depot – Watchfloor", "{title}");
    let status: String = host.property(&item, "Status").await?;
    ensure!(status == "Active", "{status}");
    let live = host.pictures(&item).await?;
    for (width, height, pixels) in &live {
        ensure!(width == height && pixels.len() == usize::try_from(width * height * 4)?, "{width}x{height}");
    }
    ensure!(live.iter().any(|(width, _, _)| *width <= 16) && live.iter().any(|(width, _, _)| *width >= 48), "sizes");

    publish(&hub, 30.0).await?;
    host.says(&item, "an alarm", |words| words == "all live, 1 alarm").await?;
    let alarmed = host.pictures(&item).await?;
    ensure!(alarmed != live, "an alarm is to be seen");
    let status: String = host.property(&item, "Status").await?;
    ensure!(status == "NeedsAttention", "{status}");

    hub.kill()?;
    let words = host.says(&item, "the hub's loss", |words| words.starts_with("Orders: DOWN since ")).await?;
    ensure!(words.ends_with(", 1 alarm"), "a lost link hides no alarm: {words}");
    let down = host.pictures(&item).await?;
    ensure!(down != alarmed && down != live, "a loss is to be seen");
    let lines = host.menu(&item).await?;
    ensure!(lines.first().is_some_and(|(_, label)| label.starts_with("Orders: DOWN since ")), "{lines:?}");

    // Another tray takes the place of this one, and knows nothing.
    drop(host);
    let mut host = Host::start(&desktop).await?;
    let item = host.item().await?;
    ensure!(host.words(&item).await?.starts_with("Orders: DOWN"), "{}", host.words(&item).await?);
    hub.start_again().await?;
    publish(&hub, 3.0).await?;
    host.says(&item, "all live again", |words| words == "all live").await?;
    ensure!(host.pictures(&item).await? == live, "as it was");
    drop(wall);
    Ok(())
}

/// What the menu offers is done; a window that was closed to the tray comes back by it, and by itself when the tray goes.
#[tokio::test(flavor = "multi_thread")]
async fn the_menu_leads_the_windows() -> Result<()> {
    let folder = tempfile::tempdir()?;
    let file = folder.path().join("board.toml");
    fs::write(&file, board(1))?;
    let data = folder.path().join("data");
    fs::create_dir_all(&data)?;
    fs::write(data.join("settings.json"), r#"{"close": "tray"}"#)?;
    let desktop = Desktop::start(1280, 720)?;
    let host = Host::start(&desktop).await?;
    let mut wall = open(&desktop, &file, &data, &[])?;
    let item = host.item().await?;
    let windows = async |count: usize| {
        until_told(&format!("{count} windows"), LIMIT, async || {
            let windows = desktop.windows()?;
            Ok((windows.len() == count).then_some(windows))
        })
        .await
    };
    let first = windows(1).await?.pop().context("a window")?;
    let close = || desktop.xdotool(&["windowactivate", "--sync", &first, "key", "--clearmodifiers", "alt+F4"]);
    close()?;
    windows(0).await?;
    ensure!(wall.ended()?.is_none(), "it goes on behind the tray");
    host.choose(&item, "Show the wall").await?;
    windows(1).await?;
    host.choose(&item, "Second window").await?;
    let both = windows(2).await?;
    let second = both.iter().find(|id| **id != first).context("another window")?;
    desktop.xdotool(&["windowactivate", "--sync", second, "key", "--clearmodifiers", "alt+F4"])?;
    windows(1).await?;
    close()?;
    windows(0).await?;
    drop(host);
    windows(1).await?;
    // Without a tray it ends as a window does.
    let host = Host::start(&desktop).await?;
    let item = host.item().await?;
    host.choose(&item, "Quit").await?;
    let ended = until_told("its end", LIMIT, async || Ok(wall.ended()?)).await?;
    ensure!(ended.success(), "{ended}");
    Ok(())
}

/// A kiosk has no tray; a wall that was told to have none neither.
#[tokio::test(flavor = "multi_thread")]
async fn a_kiosk_has_none() -> Result<()> {
    let folder = tempfile::tempdir()?;
    let file = folder.path().join("board.toml");
    fs::write(&file, board(1))?;
    let data = folder.path().join("data");
    let desktop = Desktop::start(1280, 720)?;
    let host = Host::start(&desktop).await?;
    let kiosk = open(&desktop, &file, &data, &["--kiosk"])?;
    until_told("the kiosk", LIMIT, async || Ok((!desktop.windows()?.is_empty()).then_some(()))).await?;
    drop(kiosk);
    until_told("its end", LIMIT, async || Ok(desktop.windows()?.is_empty().then_some(()))).await?;
    fs::write(data.join("settings.json"), r#"{"tray": false}"#)?;
    let without = open(&desktop, &file, &data, &[])?;
    until_told("a desk", LIMIT, async || Ok((!desktop.windows()?.is_empty()).then_some(()))).await?;
    ensure!(host.tray.items().is_empty(), "{:?}", host.tray.items());
    // What would come had come by the time at which one with a tray has.
    drop(without);
    fs::remove_file(data.join("settings.json"))?;
    let with = open(&desktop, &file, &data, &[])?;
    host.item().await?;
    ensure!(host.tray.items().len() == 1, "{:?}", host.tray.items());
    drop(with);
    Ok(())
}
