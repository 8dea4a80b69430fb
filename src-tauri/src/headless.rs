//! Everything but the window: for operators' checks and for tests.

use std::{process::ExitCode, time::Duration};

use tokio::{
    signal,
    time::{Instant, MissedTickBehavior, interval, sleep_until},
};

use watchfloor_engine::logs;

use crate::{backend, cli::WallArgs, failure::Failure, output, surroundings};

/// Runs the wall without a window until `--for` is over or a signal comes.
pub(crate) async fn run(args: &WallArgs) -> Result<ExitCode, Failure> {
    let data_dir = surroundings::data_dir(args.data.data_dir.clone(), args.demo)?;
    let _logs = logs::start(Some(&data_dir))?;
    let backend = backend::start(args, data_dir.clone()).await?;
    if let Err(error) = crate::instance::listen(&data_dir, || false) {
        tracing::warn!(%error, "second instances will not be answered");
    }
    let end = args.run_for.map(|duration| Instant::now() + duration);
    let mut second = interval(Duration::from_secs(1));
    second.set_missed_tick_behavior(MissedTickBehavior::Skip);
    second.tick().await;
    let mut terminated = std::pin::pin!(terminated());
    loop {
        tokio::select! {
            _ = second.tick() => {
                if args.json {
                    output::line(&backend.engine.report().await)?;
                }
            }
            () = async { match end { Some(end) => sleep_until(end).await, None => std::future::pending().await } } => break,
            () = &mut terminated => break,
        }
    }
    if args.json {
        output::line(&backend.engine.report().await)?;
    }
    backend.engine.stop().await;
    Ok(ExitCode::SUCCESS)
}

/// Completes when the process is asked to end.
pub(crate) async fn terminated() {
    let interrupted = async {
        if signal::ctrl_c().await.is_err() {
            std::future::pending::<()>().await;
        }
    };
    #[cfg(unix)]
    {
        let Ok(mut terminate) = signal::unix::signal(signal::unix::SignalKind::terminate()) else {
            return interrupted.await;
        };
        tokio::select! {
            () = interrupted => {}
            _ = terminate.recv() => {}
        }
    }
    #[cfg(not(unix))]
    interrupted.await;
}
