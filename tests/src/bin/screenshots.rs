//! Takes the pictures of the documentation from the real window. Run by `scripts/screenshots.sh`.

use std::{
    path::{Path, PathBuf},
    time::Duration,
};

use anyhow::{Result, ensure};
use clap::Parser;
use serde_json::json;
use watchfloor_tests::{desktop::Desktop, page::Page, states::States};

/// Takes pictures of the demo wall.
#[derive(Parser)]
struct Cli {
    /// Where the pictures go.
    #[arg(long, default_value = "docs/images")]
    to: PathBuf,
    /// New York time on 8 February 2013 to show.
    #[arg(long, default_value = "2013-02-08T15:20")]
    at: jiff::civil::DateTime,
    /// Take only pictures of the demo wall.
    #[arg(long)]
    demo_only: bool,
    /// Take only pictures of this width.
    #[arg(long)]
    width: Option<u32>,
}

const SIZES: [(u32, u32, &str); 2] = [(1920, 1080, "demo-1080p.png"), (3840, 2160, "demo-4k.png")];
/// The page has caught up and every widget says that it is live.
const LIVE: &str = "const all = [...document.querySelectorAll('[data-widget]')];\
    return all.length > 0 && all.every((widget) => widget.dataset.freshness === 'live')";
const LIMIT: Duration = Duration::from_secs(60);

#[tokio::main]
async fn main() -> Result<()> {
    let cli = Cli::parse();
    std::fs::create_dir_all(&cli.to)?;
    if !cli.demo_only {
        states(&cli.to).await?;
    }
    let at_ms = cli.at.in_tz("America/New_York")?.timestamp().as_millisecond();
    // A little before, so that what moves is seen to have moved.
    let from = cli.at.checked_sub(jiff::Span::new().minutes(20))?;
    for (width, height, name) in SIZES.into_iter().filter(|size| cli.width.is_none_or(|width| width == size.0)) {
        let desktop = Desktop::with_driver(width, height).await?;
        let data = tempfile::tempdir()?;
        let data = data.path().to_string_lossy().into_owned();
        let size = format!("{width}x{height}");
        let from = from.to_string();
        // The desktop of the pictures has no notification service, and the wall would say so.
        let args =
            ["--demo", "--kiosk", "--size", &size, "--from", &from, "--data-dir", &data, "--notifications", "off"];
        let page = Page::new(desktop.open_wall(&args).await?);
        page.wait_for("a live wall", LIVE, LIMIT).await?;
        page.invoke("demo_pause_at", json!({ "atMs": at_ms })).await?;
        let reached =
            format!("return Math.abs(Number(document.querySelector('[data-clock]')?.dataset.clock) - {at_ms}) < 1000");
        page.wait_for("the replay time", &reached, LIMIT).await?;
        page.wait_for("a live wall", LIVE, LIMIT).await?;
        // Two frames later all that glides has arrived.
        page.invoke("demo_state", json!({})).await?;
        tokio::time::sleep(Duration::from_secs(2)).await;
        desktop.screenshot(&cli.to.join(name))?;
        page.close().await?;
    }
    Ok(())
}

/// One widget in each state, in colour and without.
async fn states(to: &Path) -> Result<()> {
    let mut states = States::start().await?;
    let desktop = Desktop::with_driver(1920, 1080).await?;
    let data = tempfile::tempdir()?;
    let (data, board) = (data.path().to_string_lossy().into_owned(), states.board().to_string_lossy().into_owned());
    let args = ["--board", &board, "--kiosk", "--size", "1920x1080", "--data-dir", &data, "--notifications", "off"];
    let page = Page::new(desktop.open_wall(&args).await?);
    page.wait_for("a sound wall", &States::sound(), LIMIT).await?;
    states.break_things().await?;
    page.wait_for("every state", &States::reached(), LIMIT).await?;
    let picture = to.join("states.png");
    desktop.screenshot(&picture)?;
    let grey = std::process::Command::new("convert")
        .args([picture.as_os_str(), "-colorspace".as_ref(), "Gray".as_ref(), to.join("states-grey.png").as_os_str()])
        .status()?;
    ensure!(grey.success(), "no picture without colour");
    page.close().await
}
