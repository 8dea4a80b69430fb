//! The command line.

use std::{net::SocketAddr, path::PathBuf, time::Duration};

use anyhow::{Context, Result, ensure};
use clap::{Args, Parser, Subcommand};
use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};

use crate::{
    course::{self, Plan},
    dialect::{Kind, Target},
    marker,
    publisher::Pace,
    report,
    server::{Make, Process, Server},
    storm,
};

/// Loads a push server with connections and events, and measures what becomes of them.
#[derive(Debug, Parser)]
#[command(version)]
struct CommandLine {
    #[command(subcommand)]
    task: Task,
}

#[derive(Debug, Subcommand)]
enum Task {
    /// Loads a server that runs already.
    Run {
        /// What it speaks.
        #[arg(long)]
        kind: Kind,
        #[arg(long)]
        address: SocketAddr,
        /// Its process, for its memory and its time.
        #[arg(long)]
        pid: u32,
        #[command(flatten)]
        load: Load,
    },
    /// Starts servers one after the other and loads each alike; the ratios are those of the first to each other one.
    Compare {
        /// A server and its program, as `hub=target/release/watchfloor-hub`.
        #[arg(long = "server", required = true, value_parser = server)]
        servers: Vec<(Make, PathBuf)>,
        /// A word for the command line of the first server; `{folder}` is a folder of its own.
        #[arg(long = "with", allow_hyphen_values = true)]
        with: Vec<String>,
        #[command(flatten)]
        load: Load,
    },
    /// Kills a hub under load and starts it anew: how long until everybody is back, and what publishers wait meanwhile.
    Storm {
        /// The hub's program.
        #[arg(long)]
        hub: PathBuf,
        /// Ends it in order in place of killing it.
        #[arg(long)]
        in_order: bool,
        #[command(flatten)]
        load: Load,
    },
}

/// How much.
#[derive(Clone, Debug, Args)]
pub(crate) struct Load {
    #[arg(long, default_value_t = 1000)]
    connections: usize,
    /// Channels there are.
    #[arg(long, default_value_t = 1)]
    channels: usize,
    /// Channels that each connection has of them.
    #[arg(long, default_value_t = 1)]
    each: usize,
    /// Bytes of the text in an event's body.
    #[arg(long, default_value_t = 64)]
    payload: usize,
    /// Events a second that are published; may be given several times, for a stage each.
    #[arg(long)]
    rate: Vec<f64>,
    /// A last stage that publishes as much as readers take.
    #[arg(long)]
    flood: bool,
    /// Events a request.
    #[arg(long, default_value_t = 1)]
    batch: usize,
    /// Events a request in the flood.
    #[arg(long, default_value_t = 100)]
    flood_batch: usize,
    /// Events that a reader may have before it in the flood.
    #[arg(long, default_value_t = 1000)]
    window: u64,
    /// Seconds a stage.
    #[arg(long, default_value_t = 10.0)]
    seconds: f64,
    /// Seconds that the connections rest before memory is measured.
    #[arg(long, default_value_t = 5.0)]
    rest: f64,
    /// Threads that read.
    #[arg(long, default_value_t = 1)]
    threads: usize,
    /// Connections opened at once.
    #[arg(long, default_value_t = 200)]
    ramp: usize,
    /// Lines of JSON in place of tables.
    #[arg(long)]
    pub(crate) json: bool,
}

impl Load {
    fn plan(&self) -> Result<Plan> {
        ensure!(
            self.connections > 0 && self.channels > 0 && self.batch > 0 && self.threads > 0 && self.ramp > 0,
            "nothing is too few"
        );
        ensure!(self.each > 0 && self.each <= self.channels, "a connection has 1 to {} channels", self.channels);
        ensure!(self.payload >= marker::BYTES, "an event has {} bytes at least", marker::BYTES);
        let time = Duration::from_secs_f64(self.seconds);
        let pace = |rate, batch| Pace { rate, batch, time, window: self.window, insists: false };
        let paces = self.rate.iter().map(|rate| pace(Some(*rate), self.batch));
        let flood = self.flood.then(|| pace(None, self.flood_batch));
        Ok(Plan {
            connections: self.connections,
            channels: self.channels,
            each: self.each,
            threads: self.threads,
            ramp: self.ramp,
            rest: Duration::from_secs_f64(self.rest),
            paces: paces.chain(flood).collect(),
        })
    }
}

fn server(text: &str) -> Result<(Make, PathBuf), String> {
    let (make, program) = text.split_once('=').ok_or("expected MAKE=PROGRAM")?;
    Ok((<Make as clap::ValueEnum>::from_str(make, false)?, program.into()))
}

/// Open files besides those of connections.
const FILES_BESIDES: u64 = 60;

/// As many files as connections, for this process and those that it starts.
fn raise_limit(connections: usize) -> Result<()> {
    let wanted = connections as u64 + FILES_BESIDES;
    let Rlimit { current, maximum } = getrlimit(Resource::Nofile);
    if current.is_some_and(|current| current < wanted) {
        let maximum = maximum.map(|maximum| maximum.max(wanted));
        let raised = setrlimit(Resource::Nofile, Rlimit { current: Some(wanted), maximum });
        raised.with_context(|| {
            format!("a limit of {wanted} open files is needed: raise it (`ulimit -Hn {wanted}`) or run as root")
        })?;
    }
    Ok(())
}

/// See the crate.
pub(crate) fn main() -> Result<()> {
    match CommandLine::parse().task {
        Task::Run { kind, address, pid, load } => {
            let plan = load.plan()?;
            raise_limit(plan.connections)?;
            let target = Target { kind, address, payload: load.payload };
            report::print(&course::run(&format!("{address}"), target, Process(pid), &plan)?, load.json)?;
        }
        Task::Compare { servers, with, load } => {
            let plan = load.plan()?;
            raise_limit(plan.connections)?;
            let mut all = Vec::new();
            for (at, (make, program)) in servers.iter().enumerate() {
                let with = if at == 0 { with.as_slice() } else { &[] };
                let server = Server::start(*make, program, plan.connections, with)?;
                let target = Target { kind: make.kind(), address: server.address, payload: load.payload };
                match course::run(make.name(), target, Process(server.pid()), &plan) {
                    Ok(figures) => {
                        report::print(&figures, load.json)?;
                        all.push(figures);
                    }
                    // The others are measured all the same.
                    Err(error) => report::failed(make.name(), &error, &server.log())?,
                }
            }
            report::print_ratios(&all, load.json)?;
            ensure!(all.len() == servers.len(), "not every server could be measured");
        }
        Task::Storm { hub, in_order, load } => {
            let plan = load.plan()?;
            raise_limit(plan.connections)?;
            storm::run(&hub, in_order, &plan, load.payload, load.json)?;
        }
    }
    Ok(())
}
