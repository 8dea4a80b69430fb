//! Starts what runs behind a wall, with a window or without.

use std::{
    path::{Path, PathBuf},
    sync::Arc,
};

use jiff::civil::DateTime;
use watchfloor_board::{
    config,
    frame::{Notice, Said, State},
};
use watchfloor_demo::{Demo, DemoOptions, Fault, Mends, StoryName};
use watchfloor_engine::{BoardInput, Engine, EngineConfig, EngineError};

use crate::{
    cli::{Switch, WallArgs},
    failure::Failure,
    page::Backend,
};

/// The file in the data folder that says where the demo's replay began last.
const DEMO_BEGAN: &str = "demo.json";
/// Id of the notice about an earlier replay.
const DEMO_NOTICE: &str = "demo";
/// Id of the notice about a second program on one folder.
const BESIDE_NOTICE: &str = "beside";

/// Starts the engine on the board that was asked for, and the demo's hub and replay beside it: what the wall knew last shows
/// at once.
pub(crate) async fn start(args: &WallArgs, data_dir: PathBuf) -> Result<Backend, Failure> {
    let story = args.demo.unwrap_or_default();
    let mut config = EngineConfig {
        data_dir: Some(data_dir.clone()),
        metrics: args.metrics,
        transcripts: args.transcripts.clone(),
        notifications: args.notifications == Switch::On && !args.headless,
        actions: !args.kiosk,
        sound: !args.headless,
        operator: if args.kiosk || args.headless { None } else { login() },
        ..EngineConfig::new(match &args.board {
            Some(file) => BoardInput::File(file.clone()),
            None => BoardInput::Packed { name: story.board_name(), text: story.board(), files: story.files() },
        })
    };
    let from = args.replay.from.unwrap_or_else(|| story.begins());
    let demo = if args.demo.is_some() { Some(Arc::new(start_demo(story, from, args).await?)) } else { None };
    if let Some(demo) = &demo {
        let board = demo_board(story)?;
        config.source_urls = board.sources.iter().map(|source| (source.id.clone(), demo.url())).collect();
    }
    let (engine, beside) = match Engine::start(config.clone()).await {
        // Who only looks back may do it beside the program that keeps the record. The present of this one is its own.
        Err(EngineError::AlreadyRunning { .. }) if args.at.is_some() => (start_beside(config).await?, true),
        started => (started?, false),
    };
    if let Some(demo) = &demo {
        let began = if beside { None } else { began_at(&data_dir, from) };
        let before = began.filter(|_| args.replay.cut);
        if let Some(notice) = before.and_then(|before| of_another_replay(before, from)) {
            engine.set_notice(notice).await;
        }
        tokio::spawn(follow_mends(demo.mends(), engine.clone()));
    }
    Ok(Backend { engine, demo, beside })
}

/// Who is logged in at this desk.
fn login() -> Option<String> {
    /// Longer names are somebody else's.
    const CHARACTERS_MAX: usize = 64;
    let name = ["USER", "LOGNAME", "USERNAME"].into_iter().find_map(|name| std::env::var(name).ok())?;
    let is_name = !name.trim().is_empty() && name.chars().count() <= CHARACTERS_MAX && !name.contains(char::is_control);
    is_name.then_some(name)
}

async fn start_beside(config: EngineConfig) -> Result<Engine, EngineError> {
    let engine = Engine::start(EngineConfig {
        data_dir: None,
        metrics: None,
        notifications: false,
        actions: false,
        sound: false,
        transcripts: None,
        ..config
    })
    .await?;
    let notice = Notice::said(BESIDE_NOTICE, State::Muted, Said::KeptByAnother, Vec::new());
    engine.set_notice(notice).await;
    Ok(engine)
}

/// Who mends the demo's line wants to see the wall catch up, not how long it would have waited before it looks again.
async fn follow_mends(mut mends: Mends, engine: Engine) {
    while mends.next().await.is_some() {
        engine.clear_notice(DEMO_NOTICE).await;
        engine.try_now().await;
    }
}

/// Where the replay of the run before this one began, if there was one; writes down where this one does. To be called by who
/// holds the folder.
fn began_at(data_dir: &Path, from: DateTime) -> Option<DateTime> {
    let path = data_dir.join(DEMO_BEGAN);
    // Whatever can't be read is of no run that could be told of.
    let before = std::fs::read(&path).ok().and_then(|text| serde_json::from_slice::<String>(&text).ok()?.parse().ok());
    let written = std::fs::write(&path, serde_json::json!(from.to_string()).to_string());
    if let Err(error) = written {
        tracing::warn!(%error, "where the replay began is not remembered");
    }
    before
}

/// A wall that starts with its cable cut shows what it knew last. If that was of a replay that began elsewhere, no two things on
/// the glass fit together for whoever looks for the time that was asked for.
fn of_another_replay(before: DateTime, from: DateTime) -> Option<Notice> {
    (before != from).then(|| {
        let said = Said::OtherReplay { before: before.to_string(), from: from.to_string() };
        Notice::said(DEMO_NOTICE, State::Muted, said, Vec::new())
    })
}

async fn start_demo(story: StoryName, from: DateTime, args: &WallArgs) -> Result<Demo, Failure> {
    let options = DemoOptions { story, from, speed: args.replay.speed, paused: args.replay.paused };
    let demo = Demo::start(options, &demo_board(story)?).await.map_err(|error| match error.is_input() {
        true => Failure::Input(error.to_string()),
        false => Failure::Environment(error.to_string()),
    })?;
    if args.replay.cut {
        demo.set_fault(Fault::Cut, true);
    }
    Ok(demo)
}

pub(crate) fn demo_board(story: StoryName) -> Result<config::BoardFile, Failure> {
    config::parse_beside(story.board(), story.board_name(), &|file| story.beside(file))
        .map_err(|errors| Failure::Input(errors.to_string()))
}

#[cfg(test)]
mod tests {
    use std::time::{Duration, Instant};

    use clap::Parser;
    use jiff::civil::date;

    use super::*;
    use crate::cli::Cli;

    /// H1: values of one replay aren't taken for those of another.
    #[test]
    fn the_values_of_another_replay_are_named() {
        let folder = tempfile::tempdir().expect("a folder");
        let (morning, evening) = (date(2013, 2, 8).at(8, 0, 0, 0), date(2013, 2, 8).at(18, 0, 0, 0));
        assert_eq!(began_at(folder.path(), morning), None);
        assert_eq!(began_at(folder.path(), evening), Some(morning));
        assert_eq!(began_at(folder.path(), evening), Some(evening));
        assert_eq!(of_another_replay(evening, evening), None);
        let notice = of_another_replay(morning, evening).expect("another replay");
        assert!(notice.text.contains("2013-02-08T08:00:00") && notice.text.contains("--data-dir"), "{notice:?}");
    }

    /// Who mends a fault after a long outage doesn't wait for the wall's own next try.
    #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
    async fn a_mended_fault_is_found_at_once() {
        const PATIENCE: Duration = Duration::from_secs(60);
        let data = tempfile::tempdir().expect("a folder");
        let args = Cli::parse_from(["watchfloor", "--demo", "--headless"]).wall;
        let backend = start(&args, data.path().to_owned()).await.expect("a wall");
        let demo = backend.demo.clone().expect("a demo");
        let source = async || backend.engine.report().await["sources"]["ops"].take();
        let far = |source: &serde_json::Value| {
            let (_, after) = source["reason"].as_str()?.split_once("next try in ")?;
            after.split_once(' ')?.0.parse::<u64>().ok().filter(|seconds| *seconds >= 5)
        };
        let until = async |is_so: &dyn Fn(&serde_json::Value) -> bool| {
            let begun = Instant::now();
            loop {
                let source = source().await;
                if is_so(&source) {
                    return begun.elapsed();
                }
                assert!(begun.elapsed() < PATIENCE, "{source}");
                tokio::time::sleep(Duration::from_millis(50)).await;
            }
        };
        let is_live = |source: &serde_json::Value| source["state"] == "live";
        until(&is_live).await;
        demo.set_fault(Fault::Cut, true);
        until(&|source| far(source).is_some()).await;
        demo.set_fault(Fault::Cut, false);
        let took = until(&is_live).await;
        assert!(took < Duration::from_secs(3), "{took:?}");
        backend.engine.stop().await;
    }
}
