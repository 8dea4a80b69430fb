//! Everything but the window: for operators' checks and for tests.

use std::{
    io::{self, Write},
    process::ExitCode,
    sync::Arc,
    time::Duration,
};

use tokio::{
    runtime::Handle,
    signal,
    time::{Instant, MissedTickBehavior, interval, sleep_until},
};

use watchfloor_engine::{Engine, logs};
use watchfloor_log::Levels;

use crate::{
    backend,
    cli::WallArgs,
    drill::{self, LampTest},
    failure::Failure,
    instance, life, output, surroundings,
};

/// Runs the wall without a window until `--for` is over or a signal comes.
pub(crate) async fn run(args: &WallArgs, levels: &Levels) -> Result<ExitCode, Failure> {
    let data_dir = surroundings::data_dir(args.data.data_dir.clone(), args.demo)?;
    let _logs = logs::start(Some(&data_dir), levels)?;
    // Before anything is held that is to be let go of in good order.
    let asked = terminated();
    let backend = backend::start(args, data_dir.clone()).await?;
    let lamp = Arc::new(LampTest::new(data_dir.clone()));
    let answers = Answers { engine: backend.engine.clone(), lamp, runtime: Handle::current() };
    if let Err(error) = instance::listen(&data_dir, answers) {
        tracing::warn!(%error, "second instances will not be answered");
    }
    let (_running, running) = tokio::sync::watch::channel(Some(backend.clone()));
    tokio::spawn(life::keep(running, || None));
    tell(&backend.engine, args, asked).await?;
    life::stopping();
    backend.engine.stop().await;
    Ok(ExitCode::SUCCESS)
}

/// What a wall without a window does for another program.
struct Answers {
    engine: Engine,
    lamp: Arc<LampTest>,
    runtime: Handle,
}

impl instance::Answers for Answers {
    fn raise(&self) -> bool {
        false
    }

    fn command(&self, command: &str, out: &mut dyn Write) -> io::Result<bool> {
        if command != drill::COMMAND {
            return Ok(false);
        }
        drill::serve(&self.runtime, self.lamp.begin_blind(&self.engine), out).map(|()| true)
    }
}

/// Reports what the engine knows until `--for` is over or `asked` to end.
async fn tell(engine: &Engine, args: &WallArgs, asked: impl Future<Output = ()>) -> Result<(), Failure> {
    let end = args.run_for.map(|duration| Instant::now() + duration);
    let mut second = interval(Duration::from_secs(1));
    second.set_missed_tick_behavior(MissedTickBehavior::Skip);
    second.tick().await;
    let (mut asked, mut ended) = (std::pin::pin!(asked), std::pin::pin!(engine.ended()));
    loop {
        tokio::select! {
            biased;
            () = &mut ended => return Err(Failure::Defect(
                "a defect in this program stopped its engine: start it again, and report what its log says".to_owned(),
            )),
            () = &mut asked => break,
            () = async { match end { Some(end) => sleep_until(end).await, None => std::future::pending().await } } => break,
            _ = second.tick() => {
                if args.json {
                    output::line(&engine.report().await)?;
                }
            }
        }
    }
    if args.json {
        output::line(&engine.report().await)?;
    }
    Ok(())
}

/// Completes when the process is asked to end. It is listened for from the call on: unheard, a signal ends the program there and
/// then. To be called on the runtime.
pub(crate) fn terminated() -> impl Future<Output = ()> + Send + 'static {
    #[cfg(unix)]
    {
        use signal::unix::{Signal, SignalKind, signal};
        let listen =
            |kind| signal(kind).inspect_err(|error| tracing::warn!(%error, "a signal ends this program at once")).ok();
        let (interrupt, terminate) = (listen(SignalKind::interrupt()), listen(SignalKind::terminate()));
        let heard = async |listener: Option<Signal>| match listener {
            Some(mut listener) => {
                listener.recv().await;
            }
            None => std::future::pending().await,
        };
        async move {
            tokio::select! {
                () = heard(interrupt) => {}
                () = heard(terminate) => {}
            }
        }
    }
    #[cfg(not(unix))]
    async {
        if signal::ctrl_c().await.is_err() {
            std::future::pending::<()>().await;
        }
    }
}

#[cfg(test)]
mod tests {
    use clap::Parser;
    use watchfloor_engine::{BoardInput, EngineConfig};

    use super::*;
    use crate::cli::Cli;

    const BOARD: &str = include_str!("../../tests/boards/counter.toml");

    /// H1: without its engine a wall has nothing to tell, and ends with a code by which whoever started it starts it again. An
    /// engine that was stopped behind its back is what one with a defect leaves.
    #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
    async fn an_engine_that_ends_ends_the_program() {
        let board = BoardInput::Text { name: "orders.toml".to_owned(), text: BOARD.to_owned() };
        let engine = Engine::start(EngineConfig::new(board)).await.expect("an engine");
        let wall = Cli::parse_from(["watchfloor", "--demo", "--headless"]).wall;
        let (other, told) = (engine.clone(), tell(&engine, &wall, std::future::pending()));
        let (failure, ()) = tokio::join!(told, other.stop());
        let failure = failure.expect_err("nobody asked for the end");
        assert_eq!(failure.exit_code(), ExitCode::from(4), "{failure}");
    }

    /// A wall that was asked to end is no failure.
    #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
    async fn an_end_that_was_asked_for_is_none() {
        let board = BoardInput::Text { name: "orders.toml".to_owned(), text: BOARD.to_owned() };
        let engine = Engine::start(EngineConfig::new(board)).await.expect("an engine");
        let wall = Cli::parse_from(["watchfloor", "--demo", "--headless"]).wall;
        tell(&engine, &wall, std::future::ready(())).await.expect("a good end");
        engine.stop().await;
    }
}
