//! Takes the pictures of the documentation from the real window. Run by `scripts/screenshots.sh`.

use std::{
    path::{Path, PathBuf},
    time::Duration,
};

use anyhow::{Result, ensure};
use clap::Parser;
use jiff::civil::datetime;
use serde_json::json;
use watchfloor_tests::{desktop::Desktop, page::Page, states::States};

/// Takes pictures of the demo's walls, and of one widget in each state.
#[derive(Parser)]
struct Cli {
    /// Where the pictures go.
    #[arg(long, default_value = "docs/images")]
    to: PathBuf,
    /// Take no pictures of the states.
    #[arg(long)]
    demo_only: bool,
    /// Take only pictures of this story.
    #[arg(long)]
    story: Option<String>,
    /// Take only pictures of this width.
    #[arg(long)]
    width: Option<u32>,
}

/// A story at the moment in which most of it can be seen.
struct Moment {
    story: &'static str,
    /// Its time, there.
    at: jiff::civil::DateTime,
    zone: &'static str,
}

const MOMENTS: [Moment; 5] = [
    Moment { story: "flights", at: datetime(2013, 2, 8, 15, 20, 0, 0), zone: "America/New_York" },
    Moment { story: "orders", at: datetime(2026, 3, 10, 15, 10, 0, 0), zone: "Europe/Berlin" },
    Moment { story: "dispatch", at: datetime(2026, 3, 10, 18, 40, 0, 0), zone: "Europe/Berlin" },
    Moment { story: "infrastructure", at: datetime(2026, 3, 10, 13, 55, 0, 0), zone: "Europe/Berlin" },
    Moment { story: "process", at: datetime(2026, 3, 10, 10, 50, 0, 0), zone: "Europe/Berlin" },
];

const SIZES: [(u32, u32, &str); 2] = [(1920, 1080, "1080p"), (3840, 2160, "4k")];
/// Which one is shown at both sizes.
const BOTH_SIZES: &str = "flights";
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
    for moment in MOMENTS.iter().filter(|one| cli.story.as_deref().is_none_or(|story| story == one.story)) {
        for (width, height, size) in SIZES {
            let wanted = cli.width.map_or(width == SIZES[0].0 || moment.story == BOTH_SIZES, |only| only == width);
            if wanted {
                let name = if moment.story == BOTH_SIZES { size } else { moment.story };
                wall(moment, (width, height), &cli.to.join(format!("demo-{name}.png"))).await?;
            }
        }
    }
    Ok(())
}

/// A story's wall at its moment.
async fn wall(moment: &Moment, (width, height): (u32, u32), picture: &Path) -> Result<()> {
    let at_ms = moment.at.in_tz(moment.zone)?.timestamp().as_millisecond();
    // A little before, so that what moves is seen to have moved.
    let from = moment.at.checked_sub(jiff::Span::new().minutes(20))?.to_string();
    let desktop = Desktop::with_driver(width, height).await?;
    let data = tempfile::tempdir()?;
    let data = data.path().to_string_lossy().into_owned();
    let size = format!("{width}x{height}");
    let demo = format!("--demo={}", moment.story);
    // The desktop of the pictures has no notification service and no screen that tells its size, and the wall would say so.
    let mut args = vec![&*demo, "--kiosk", "--size", &size, "--from", &from, "--data-dir", &data];
    args.extend(["--notifications", "off", "--screen", "65in"]);
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
    desktop.screenshot(picture)?;
    page.close().await
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
