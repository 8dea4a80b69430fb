//! Starts what runs behind a wall, with a window or without.

use std::{path::PathBuf, sync::Arc};

use watchfloor_board::config;
use watchfloor_demo::{BOARD, Demo, DemoOptions, Fault, Mends};
use watchfloor_engine::{BoardInput, Engine, EngineConfig};

use crate::{
    cli::{Switch, WallArgs},
    failure::Failure,
    page::Backend,
};

/// The demo's board file as errors name it.
const DEMO_BOARD_NAME: &str = "new-york-departures.toml";

/// Starts the engine on the board that was asked for, and the demo's hub and replay beside it: what the wall knew last shows
/// at once.
pub(crate) async fn start(args: &WallArgs, data_dir: PathBuf) -> Result<Backend, Failure> {
    let mut config = EngineConfig {
        data_dir: Some(data_dir),
        metrics: args.metrics,
        notifications: args.notifications == Switch::On && !args.headless,
        ..EngineConfig::new(match &args.board {
            Some(file) => BoardInput::File(file.clone()),
            None => BoardInput::Text { name: DEMO_BOARD_NAME.to_owned(), text: BOARD.to_owned() },
        })
    };
    let demo = if args.demo { Some(Arc::new(start_demo(args).await?)) } else { None };
    if let Some(demo) = &demo {
        let board = demo_board()?;
        config.source_urls = board.sources.iter().map(|source| (source.id.clone(), demo.url())).collect();
    }
    let engine = Engine::start(config).await?;
    if let Some(demo) = &demo {
        tokio::spawn(follow_mends(demo.mends(), engine.clone()));
    }
    Ok(Backend { engine, demo })
}

/// Who mends the demo's line wants to see the wall catch up, not how long it would have waited before it looks again.
async fn follow_mends(mut mends: Mends, engine: Engine) {
    while mends.next().await.is_some() {
        engine.try_now().await;
    }
}

async fn start_demo(args: &WallArgs) -> Result<Demo, Failure> {
    let options = DemoOptions { from: args.replay.from, speed: args.replay.speed, paused: args.replay.paused };
    let demo = Demo::start(options, &demo_board()?).await.map_err(|error| match error.is_input() {
        true => Failure::Input(error.to_string()),
        false => Failure::Environment(error.to_string()),
    })?;
    if args.replay.cut {
        demo.set_fault(Fault::Cut, true);
    }
    Ok(demo)
}

fn demo_board() -> Result<config::BoardFile, Failure> {
    config::parse(BOARD, DEMO_BOARD_NAME).map_err(|errors| Failure::Input(errors.to_string()))
}
