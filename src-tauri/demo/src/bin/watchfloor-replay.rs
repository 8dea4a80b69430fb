//! Replays a story against any hub: four real days of New York's airports, or one that is made up.

use std::{io::Write, path::PathBuf, process::ExitCode};

use anyhow::Context;
use clap::Parser;
use tokio::sync::oneshot;
use watchfloor_demo::{
    StoryName,
    publisher::{Control, Publisher, SPEEDS},
};
use watchfloor_log::Levels;

/// Publishes a story to a hub: the real departures of Newark, Kennedy and LaGuardia on 7 to 10 February 2013 as they happened, or a day
/// that is made up.
#[derive(Debug, Parser)]
#[command(name = "watchfloor-replay", version)]
struct Arguments {
    /// The hub's address.
    #[arg(long, value_name = "URL", default_value = "http://127.0.0.1:8787", value_parser = hub_url)]
    hub: String,
    /// A file with the hub's publish token.
    #[arg(long, value_name = "FILE")]
    token_file: Option<PathBuf>,
    /// What is told.
    #[arg(long, value_enum, value_name = "NAME", default_value_t)]
    story: StoryName,
    /// The local time to begin at; everything before it is published at once. Default is a while before the story becomes interesting.
    #[arg(long, value_name = "TIME")]
    from: Option<jiff::civil::DateTime>,
    /// Replay seconds a second, 0.1 to 3600.
    #[arg(long, value_name = "N", default_value_t = 60.0, value_parser = speed)]
    speed: f64,
}

#[tokio::main(flavor = "current_thread")]
async fn main() -> ExitCode {
    let arguments = Arguments::parse();
    match Levels::from_environment() {
        Ok(levels) => levels.start(),
        Err(error) => return complain(&error, 2),
    }
    match replay(arguments).await {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => complain(&format_args!("{error:#}"), 1),
    }
}

/// Says why it ends, and how.
fn complain(why: &dyn std::fmt::Display, code: u8) -> ExitCode {
    // Without a stderr there is nobody to tell; the exit code still says it.
    let _ = writeln!(std::io::stderr(), "watchfloor-replay: {why}");
    ExitCode::from(code)
}

async fn replay(arguments: Arguments) -> anyhow::Result<()> {
    let token = match &arguments.token_file {
        Some(file) => Some(read_token(file)?),
        None => None,
    };
    let story = arguments.story.open()?;
    let begins = arguments.from.unwrap_or_else(|| arguments.story.begins());
    let from = arguments.story.instant(begins)?;
    anyhow::ensure!(
        story.span().contains(&from),
        "--from {begins} lies outside the story: try {}",
        arguments.story.begins()
    );
    let control = Control { speed: arguments.speed, paused: false, pause_at: None };
    let publisher = Publisher::new(&arguments.hub, token, story, from, control)?;
    let (ready, is_ready) = oneshot::channel();
    tracing::info!(hub = arguments.hub, "publishing what went before");
    let announced = async {
        if is_ready.await.is_ok() {
            tracing::info!(speed = arguments.speed, "the replay runs");
        }
        std::future::pending::<()>().await;
    };
    tokio::select! {
        outcome = publisher.run(ready) => outcome?,
        interrupted = tokio::signal::ctrl_c() => interrupted?,
        () = announced => {}
    }
    Ok(())
}

fn read_token(file: &std::path::Path) -> anyhow::Result<String> {
    let text =
        std::fs::read_to_string(file).with_context(|| format!("the token file {} can't be read", file.display()))?;
    let token = text.trim();
    anyhow::ensure!(!token.is_empty(), "the token file {} is empty", file.display());
    Ok(token.to_owned())
}

fn hub_url(text: &str) -> Result<String, String> {
    let url = reqwest::Url::parse(text).ok().filter(|url| matches!(url.scheme(), "http" | "https") && url.has_host());
    url.map(|_| text.to_owned())
        .ok_or_else(|| "expected an http or https address, such as `http://127.0.0.1:8787`".to_owned())
}

fn speed(text: &str) -> Result<f64, String> {
    match text.parse() {
        Ok(speed) if (SPEEDS[0]..=SPEEDS[1]).contains(&speed) => Ok(speed),
        _ => Err(format!("{text:?} is not a speed: expected a number from {} to {}", SPEEDS[0], SPEEDS[1])),
    }
}
