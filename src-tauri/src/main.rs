//! The app: command line, window, commands. The only Rust that knows tauri; deleting it loses no rule.

mod alarm_test;
mod alarms;
mod backend;
mod check;
mod cli;
mod doctor;
mod drill;
mod failure;
mod glass;
mod gpu;
mod headless;
mod instance;
mod kiosk;
mod life;
mod light;
mod new;
mod new_file;
mod output;
mod page;
mod past;
mod probe;
mod recorded;
mod report;
mod screens;
mod settings;
mod sight;
mod surroundings;
mod tiles;
#[cfg(target_os = "linux")]
mod tray;
mod wall;
mod windows;

use std::{process::ExitCode, time::Duration};

use clap::CommandFactory as _;
use tokio::runtime;
use watchfloor_log::Levels;

use crate::{
    cli::{Cli, Command, JournalCommand, WallArgs},
    failure::Failure,
};

/// How long the program's end waits for what still reads or writes: a disk that doesn't answer must not keep it.
const END_WAIT_MAX: Duration = Duration::from_secs(2);

fn main() -> ExitCode {
    life::adopt();
    let cli = Cli::of_command_line();
    let done = match cli.command {
        Some(Command::Check { files }) => check::check(&files),
        Some(Command::Schema) => check::schema(),
        Some(Command::New(args)) => new::run(args),
        Some(Command::Drill { data, demo, json }) => drill::run(data, demo, json),
        Some(Command::Probe(args)) => probe::run(*args),
        Some(Command::Doctor { data, renderer, map }) => doctor::run(data, renderer, map),
        Some(Command::Journal { command: JournalCommand::Verify { data, demo } }) => recorded::verify(data, demo),
        Some(Command::Alarms { command }) => alarms::run(command),
        Some(Command::Screens { data, json }) => screens::list::run(data, json),
        Some(Command::Manual) => manual(),
        Some(Command::Kiosk { command }) => kiosk::install::run(command),
        None => show(cli.wall),
    };
    done.unwrap_or_else(|failure| {
        output::complain(&format_args!("watchfloor: {failure}"));
        failure.exit_code()
    })
}

/// The command line as a manual page, for packages.
fn manual() -> Result<ExitCode, Failure> {
    let mut page = Vec::new();
    clap_mangen::Man::new(Cli::command())
        .render(&mut page)
        .map_err(|error| Failure::Defect(format!("the manual page can't be written: {error}")))?;
    output::line(&String::from_utf8_lossy(&page))?;
    Ok(ExitCode::SUCCESS)
}

fn show(args: WallArgs) -> Result<ExitCode, Failure> {
    let levels = Levels::from_environment().map_err(|error| Failure::Usage(error.to_string()))?;
    if let Some(at) = args.at {
        if args.headless {
            return recorded::at(at, &args.data, args.demo, args.json);
        }
        if args.board.is_none() && args.demo.is_none() {
            return Err(Failure::Usage(
                "--at opens a wall: name its board by --board or --demo, or add --headless".into(),
            ));
        }
    }
    let ground = if args.headless { None } else { Some(wall::prepare(&args)?) };
    let runtime = runtime::Builder::new_multi_thread()
        .enable_all()
        .thread_name("wall")
        .build()
        .map_err(|error| Failure::Environment(format!("no threads can be started: {error}")))?;
    runtime.block_on(async { surroundings::outlive_file_limits() });
    let done = match ground {
        None => runtime.block_on(headless::run(&args, &levels)),
        Some(ground) => wall::run(args, ground, &levels, &runtime),
    };
    runtime.shutdown_timeout(END_WAIT_MAX);
    done
}
