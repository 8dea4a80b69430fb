//! Takes the pictures of the documentation from the real window. Run by `scripts/screenshots.sh`.

use std::{
    net::{Ipv4Addr, TcpListener},
    path::{Path, PathBuf},
    process::{Child, Command, Stdio},
    time::Duration,
};

use anyhow::{Context, Result, ensure};
use clap::Parser;
use jiff::civil::{DateTime, datetime};
use serde_json::json;
use watchfloor_tests::{
    desktop::Desktop,
    on_glass,
    page::Page,
    program::{program, root},
    states::States,
};

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
}

/// A page of a story's board, at the moment in which most of it can be seen.
struct Shot {
    name: &'static str,
    story: &'static str,
    /// Its time, there.
    at: DateTime,
    /// The board's page, from 1.
    page: usize,
    size: (u32, u32),
    is_lit: bool,
}

const HD: (u32, u32) = (1920, 1080);
const UHD: (u32, u32) = (3840, 2160);

const fn shot(name: &'static str, story: &'static str, at: DateTime) -> Shot {
    Shot { name, story, at, page: 1, size: HD, is_lit: false }
}

const fn made_up(hour: i8, minute: i8) -> DateTime {
    datetime(2026, 3, 10, hour, minute, 0, 0)
}

/// Each board in its bad hour; one page as a large screen has it, one as a lit room has it, on a quiet morning.
const SHOTS: [Shot; 7] = [
    shot("demo-airport", "flights", datetime(2013, 2, 8, 15, 20, 0, 0)),
    shot("demo-orders", "orders", made_up(15, 28)),
    shot("demo-dispatch", "dispatch", made_up(18, 42)),
    shot("demo-infrastructure", "infrastructure", made_up(14, 12)),
    shot("demo-process", "process", made_up(10, 5)),
    Shot { page: 2, size: UHD, ..shot("demo-4k", "infrastructure", made_up(14, 12)) },
    Shot { is_lit: true, ..shot("demo-lit", "process", made_up(5, 30)) },
];

/// Pictures have so many colours: no more are seen, and they are a fifth as large.
const COLOURS: &str = "96";
/// The boards that a lit room has a picture of.
const BOARDS: [(&str, &str); 1] = [("process", "process-plant.toml")];
/// How long before the moment the wall comes, so that what moves is seen to have moved.
const BEFORE_MIN: i64 = 20;
/// The page has caught up and every widget says that it is live, or that its two sources differ.
const LIVE: &str = "const all = [...document.querySelectorAll('[data-widget]')];\
    return all.length > 0 && all.every((widget) => ['live', 'disputed'].includes(widget.dataset.freshness))";
const LIMIT: Duration = Duration::from_secs(60);

#[tokio::main]
async fn main() -> Result<()> {
    let cli = Cli::parse();
    std::fs::create_dir_all(&cli.to)?;
    if !cli.demo_only && cli.story.is_none() {
        states(&cli.to).await?;
    }
    for shot in SHOTS.iter().filter(|shot| cli.story.as_deref().is_none_or(|story| story == shot.story)) {
        wall(shot, &cli.to.join(format!("{}.png", shot.name))).await.with_context(|| shot.name)?;
    }
    Ok(())
}

/// A story's wall at its moment.
async fn wall(shot: &Shot, picture: &Path) -> Result<()> {
    let zone = if shot.story == "flights" { "America/New_York" } else { "Europe/Berlin" };
    let at_ms = shot.at.in_tz(zone)?.timestamp().as_millisecond();
    let from = shot.at.checked_sub(jiff::Span::new().minutes(BEFORE_MIN))?.to_string();
    let data = tempfile::tempdir()?;
    // The demo has the dark room's colours: a lit one has a board of its own, on the same story.
    let lit = if shot.is_lit { Some(Lit::start(shot, data.path())?) } else { None };
    let (width, height) = shot.size;
    let desktop = Desktop::with_driver(width, height).await?;
    let folder = data.path().join("data").to_string_lossy().into_owned();
    let (size, demo) = (format!("{width}x{height}"), format!("--demo={}", shot.story));
    let mut args = match &lit {
        Some(lit) => vec!["--board", &lit.board],
        None => vec![&*demo, "--from", &from],
    };
    // The desktop of the pictures has no notification service and no screen that tells its size, and the wall would say so.
    args.extend(["--kiosk", "--size", &size, "--data-dir", &folder, "--notifications", "off", "--screen", "65in"]);
    let page = Page::new(desktop.open_wall(&args).await?);
    page.wait_for("a live wall", LIVE, LIMIT).await?;
    if lit.is_none() {
        page.invoke("demo_pause_at", json!({ "atMs": at_ms })).await?;
        let reached =
            format!("return Math.abs(Number(document.querySelector('[data-clock]')?.dataset.clock) - {at_ms}) < 1000");
        page.wait_for("the replay time", &reached, LIMIT).await?;
    }
    on_glass::turn_to(&page, shot.page).await?;
    page.wait_for("a live wall", LIVE, LIMIT).await?;
    // Nothing on the page says when what glides has arrived; it takes a second at most.
    tokio::time::sleep(Duration::from_secs(2)).await;
    desktop.screenshot(picture)?;
    page.close().await?;
    fewer_colours(picture)
}

/// A story's hub and replay, and its board for a lit room.
struct Lit {
    board: String,
    programs: Vec<Child>,
}

impl Lit {
    fn start(shot: &Shot, folder: &Path) -> Result<Self> {
        let port = TcpListener::bind((Ipv4Addr::LOCALHOST, 0))?.local_addr()?.port();
        let address = format!("127.0.0.1:{port}");
        let file =
            root().join("examples").join(BOARDS.iter().find(|(name, _)| *name == shot.story).context("a board")?.1);
        let text = std::fs::read_to_string(&file).with_context(|| file.display().to_string())?;
        let text = text.replace("theme = \"dark\"", "theme = \"light\"").replace("127.0.0.1:8787", &address);
        let board = folder.join("board.toml");
        std::fs::write(&board, text)?;
        let board = board.to_string_lossy().into_owned();
        let (at, url) = (shot.at.to_string(), format!("http://{address}"));
        let mut lit = Self { board, programs: Vec::new() };
        lit.run("watchfloor-hub", &["--listen", &address, "--board", &lit.board.clone()])?;
        // As good as paused.
        lit.run("watchfloor-replay", &["--hub", &url, "--story", shot.story, "--from", &at, "--speed", "0.1"])?;
        Ok(lit)
    }

    fn run(&mut self, name: &str, args: &[&str]) -> Result<()> {
        let child = Command::new(program(name)?).args(args).stderr(Stdio::null()).spawn().context("start")?;
        self.programs.push(child);
        Ok(())
    }
}

impl Drop for Lit {
    fn drop(&mut self) {
        for child in &mut self.programs {
            // It may have ended by itself; there is nothing else to do about a failure here.
            let _ = child.kill();
            let _ = child.wait();
        }
    }
}

fn fewer_colours(picture: &Path) -> Result<()> {
    let mut target = std::ffi::OsString::from("PNG8:");
    target.push(picture);
    let status = Command::new("convert")
        .arg(picture)
        .args(["-dither", "None", "-colors", COLOURS, "-define", "png:compression-level=9"])
        .args(["-define", "png:compression-filter=0", "-strip"])
        .arg(target)
        .status()?;
    ensure!(status.success(), "{}: no picture of fewer colours", picture.display());
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
    let grey = Command::new("convert")
        .args([picture.as_os_str(), "-colorspace".as_ref(), "Gray".as_ref(), to.join("states-grey.png").as_os_str()])
        .status()?;
    ensure!(grey.success(), "no picture without colour");
    page.close().await
}
