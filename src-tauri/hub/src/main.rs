//! The binary `watchfloor-hub`: reads its command line, makes a [`Hub`] and serves it until it is told to stop.

mod reload;
mod secret;
mod setup;
mod tools;

use std::{
    fmt,
    io::Write,
    net::{Ipv4Addr, SocketAddr},
    path::PathBuf,
    process::ExitCode,
    time::Duration,
};

use anyhow::Context;
use clap::{Args, CommandFactory, Parser, Subcommand, error::ErrorKind};
use tokio::net::{TcpListener, TcpSocket};
use watchfloor_hub::{Durability, HistoryLimits, Hub, HubConfig, Rates, StoreConfig, config::HubFile, limits};
use watchfloor_log::{Levels, NoLevels};

use reload::Reload;
use setup::Site;

/// Takes events by HTTP and passes them on to walls. The contract is docs/hub.md.
#[derive(Debug, Parser)]
#[command(version, args_conflicts_with_subcommands = true)]
struct CommandLine {
    #[command(subcommand)]
    task: Option<Task>,
    #[command(flatten)]
    options: Options,
}

#[derive(Debug, Subcommand)]
enum Task {
    /// Says what is wrong with a hub file, and with what it names.
    Check {
        /// The hub file.
        file: PathBuf,
    },
    /// Publishes an event, or events from standard input, each once, and writes their positions.
    Publish(tools::Publish),
    /// Shows what comes by channels, and says what is missing of it.
    Tail(tools::Tail),
    /// Shows what a hub does now: connections, events, delays, refusals.
    Top(tools::Top),
}

#[derive(Clone, Debug, Args)]
struct Options {
    /// The hub's file; what stands on the command line counts for more.
    #[arg(long, value_name = "FILE")]
    config: Option<PathBuf>,
    /// Where to listen, 127.0.0.1:8787 if nothing else is said; beyond the loopback only with a publish token.
    #[arg(long, value_name = "ADDRESS")]
    listen: Option<SocketAddr>,
    /// A board file whose widgets are folded for snapshots; may be given several times.
    #[arg(long, value_name = "FILE")]
    board: Vec<PathBuf>,
    /// A file that holds the token which publishers must present.
    #[arg(long, value_name = "FILE")]
    publish_token_file: Option<PathBuf>,
    /// A file that holds the token which readers must present.
    #[arg(long, value_name = "FILE")]
    subscribe_token_file: Option<PathBuf>,
    /// A file that holds the key by which readers' tokens are signed (JWT, HS256), at least 32 bytes.
    #[arg(long, value_name = "FILE")]
    subscribe_key_file: Option<PathBuf>,
    /// Events remembered a channel, 100000 if nothing else is said.
    #[arg(long, value_name = "N", value_parser = positive)]
    history_events: Option<usize>,
    /// MiB remembered a channel, 64 if nothing else is said.
    #[arg(long, value_name = "N", value_parser = positive)]
    history_mib: Option<usize>,
    /// How long events are remembered, 24h if nothing else is said.
    #[arg(long, value_name = "DURATION", value_parser = duration)]
    history_age: Option<Duration>,
    /// A folder for history, aggregates and answered keys, which outlive the hub then; it is made if need be.
    #[arg(long, value_name = "DIR")]
    data_dir: Option<PathBuf>,
    /// What a crash may take, with a data folder: nothing that was acknowledged (durable, if nothing else is said), what was acknowledged in
    /// the last 100 ms (fast), or everything (memory).
    #[arg(long, value_name = "KIND", value_parser = durability)]
    durability: Option<Durability>,
    /// How long an event with an id and a time is known, so that one that comes again isn't published, 1h if nothing else is said; 0s if it is.
    #[arg(long, value_name = "DURATION", value_parser = any_duration)]
    repeats: Option<Duration>,
    /// Connections served at once, 10000 if nothing else is said; more wait.
    #[arg(long, value_name = "N", value_parser = positive)]
    connections: Option<usize>,
    /// The time between two heartbeats, 1s if nothing else is said.
    #[arg(long, value_name = "DURATION", value_parser = heartbeat)]
    heartbeat: Option<Duration>,
}

/// For how long an event is known again, if nothing else is said.
const REPEATS: Duration = Duration::from_secs(3600);

/// Why the hub doesn't run, and the exit code that says so.
#[derive(Debug)]
enum Failure {
    /// The input is wrong: 1.
    Input(String),
    /// Others could reach what they must not, or with what they must not: 2, as for the command line.
    Exposed(String),
    /// The environment asks for what there isn't: 2, as for the command line.
    Usage(NoLevels),
    /// The environment lacks something: 3.
    Environment(anyhow::Error),
}

impl Failure {
    const fn code(&self) -> u8 {
        match self {
            Self::Input(_) => 1,
            Self::Exposed(_) | Self::Usage(_) => 2,
            Self::Environment(_) => 3,
        }
    }
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Input(text) | Self::Exposed(text) => f.write_str(text.trim_end()),
            Self::Usage(error) => write!(f, "watchfloor-hub: {error}"),
            Self::Environment(error) => write!(f, "watchfloor-hub: {error:#}"),
        }
    }
}

fn main() -> ExitCode {
    let CommandLine { task, options } = CommandLine::parse();
    let done = Levels::from_environment().map_err(Failure::Usage).and_then(|levels| {
        levels.start();
        match task {
            Some(Task::Check { file }) => Site::read(&file)?.check(),
            Some(Task::Publish(publish)) => tools::run(publish.run()),
            Some(Task::Tail(tail)) => tools::run(tail.run()),
            Some(Task::Top(top)) => tools::run(top.run()),
            None => run(&options),
        }
    });
    match done {
        Ok(()) => ExitCode::SUCCESS,
        Err(failure) => {
            // Without a stderr there is nobody to tell; the exit code still says it.
            let _ = writeln!(std::io::stderr(), "{failure}");
            ExitCode::from(failure.code())
        }
    }
}

fn run(options: &Options) -> Result<(), Failure> {
    // What changes while it is being read is found by this.
    let seen = options.config.as_deref().and_then(reload::mark);
    let site = options.config.as_deref().map(Site::read).transpose()?.unwrap_or_default();
    let config = match config_of(options, &site) {
        // A mistake of the command line, as much as of the file.
        Err(Failure::Exposed(message)) => {
            CommandLine::command().error(ErrorKind::MissingRequiredArgument, message).exit()
        }
        config => config?,
    };
    files_for(config.connections_max);
    let (listen, admin) = (listen_of(options, &site.file), site.file.hub.admin);
    let reload = Reload::new(options.clone(), seen, site.file, config.clone());
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .enable_all()
        .build()
        .context("the system gives no threads: raise its limit")
        .map_err(Failure::Environment)?;
    runtime.block_on(serve(listen, admin, config, reload)).map_err(Failure::Environment)
}

fn listen_of(options: &Options, file: &HubFile) -> SocketAddr {
    options.listen.or(file.hub.listen).unwrap_or(SocketAddr::from((Ipv4Addr::LOCALHOST, 8787)))
}

/// What a hub is told, by the command line and the hub's file.
fn config_of(options: &Options, site: &Site) -> Result<HubConfig, Failure> {
    let listen = listen_of(options, &site.file);
    let publish_token = site.publish_token(options.publish_token_file.as_deref()).map_err(Failure::Environment)?;
    if !listen.ip().is_loopback() && publish_token.is_none() {
        return Err(Failure::Exposed(format!(
            "{listen} can be reached by others: give --publish-token-file, or `publish-token` in the hub's file, too"
        )));
    }
    let admin_token = site.admin_token().map_err(Failure::Environment)?;
    if let Some(admin) = site.file.hub.admin.filter(|admin| !admin.ip().is_loopback() && admin_token.is_none()) {
        return Err(Failure::Exposed(format!(
            "{admin} can be reached by others: give `admin-token` in the hub's file, too"
        )));
    }
    let readers = site.readers(options.subscribe_token_file.as_deref(), options.subscribe_key_file.as_deref());
    let boards = [site.boards(), options.board.clone()].concat();
    let (hub, count) = (&site.file.hub, |number: Option<u32>| number.and_then(|number| usize::try_from(number).ok()));
    let mib = options.history_mib.or(count(hub.history_mib));
    let repeats = hub.repeats.map(Option::unwrap_or_default);
    let config = HubConfig {
        heartbeat: options.heartbeat.or(hub.heartbeat).unwrap_or(limits::HEARTBEAT),
        history: HistoryLimits {
            events: options.history_events.or(count(hub.history_events)).unwrap_or(limits::HISTORY_EVENTS),
            bytes: mib.map_or(limits::HISTORY_BYTES, |mib| mib.saturating_mul(1 << 20)),
            age: options.history_age.or(hub.history_age).unwrap_or(limits::HISTORY_AGE),
            ..HistoryLimits::default()
        },
        publish_token,
        readers: readers.map_err(Failure::Environment)?,
        aggregates: setup::folds(&boards)?,
        named: site.named().map_err(Failure::Environment)?,
        apps: site.apps().map_err(Failure::Environment)?,
        repeats: options.repeats.or(repeats).unwrap_or(REPEATS),
        store: options.data_dir.clone().or_else(|| site.data_dir()).map(|folder| StoreConfig { folder }),
        rules: site.rules(options.durability),
        admin_token,
        audit_log: site.audit_log(),
        authorise: site.authorise().map_err(Failure::Environment)?,
        engine: site.engine().map_err(Failure::Environment)?,
        tls: site.tls().map_err(Failure::Environment)?,
        admin_tls: site.file.hub.admin_tls,
        proxies: site.file.hub.proxies.clone(),
        rates: site.file.hub.rates.unwrap_or(Rates::usual()),
        from_redis: site.redis_sources().map_err(Failure::Environment)?,
        connections_max: options.connections.or(count(hub.connections)).unwrap_or(limits::CONNECTIONS_MAX),
        ..HubConfig::default()
    };
    if config.engine.is_some() && config.store.is_some() {
        let message = "there are both an `[engine]` and a data folder: one of the two holds what outlives the hub";
        return Err(Failure::Input(message.to_owned()));
    }
    Ok(config)
}

/// Open files that the hub needs besides one for each connection.
const FILES_BESIDES: u64 = 200;

/// Raises this process's limit of open files as far as it needs and may. Where that isn't enough, connections wait that it has no file for.
#[cfg(unix)]
fn files_for(connections: usize) {
    use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};
    let wanted = connections as u64 + FILES_BESIDES;
    let Rlimit { current, maximum } = getrlimit(Resource::Nofile);
    let Some(had) = current.filter(|current| *current < wanted) else { return };
    let most = maximum.map_or(wanted, |maximum| maximum.min(wanted));
    let raised = setrlimit(Resource::Nofile, Rlimit { current: Some(most), maximum });
    if raised.is_err() || most < wanted {
        let have = if raised.is_ok() { most } else { had };
        tracing::warn!(
            have,
            wanted,
            "fewer files may be open than there may be connections: raise the limit (LimitNOFILE, ulimit -n)"
        );
    }
}

#[cfg(not(unix))]
fn files_for(_: usize) {}

/// Connections that may wait for the hub to take them: after a restart all come within seconds, and who finds no place here comes a second later.
/// The system may allow less.
const WAITING_MAX: u32 = 4096;

fn listen(address: SocketAddr) -> std::io::Result<TcpListener> {
    let socket = if address.is_ipv4() { TcpSocket::new_v4()? } else { TcpSocket::new_v6()? };
    // A port whose last connections are still being forgotten is free; on Windows this word would mean something else.
    #[cfg(unix)]
    socket.set_reuseaddr(true)?;
    socket.bind(address)?;
    socket.listen(WAITING_MAX)
}

/// Ends a task when it is dropped: it has the hub, which ends with the last who does.
struct Reloads(tokio::task::AbortHandle);

impl Drop for Reloads {
    fn drop(&mut self) {
        self.0.abort();
    }
}

async fn serve(
    address: SocketAddr,
    admin: Option<SocketAddr>,
    config: HubConfig,
    reload: Reload,
) -> anyhow::Result<()> {
    let paths = config.store.iter().map(|store| &store.folder).chain(&config.audit_log);
    let places: Vec<String> = paths.map(|path| path.display().to_string()).collect();
    let hub = Hub::open(config).with_context(|| format!("can't keep anything in {}", places.join(" or ")))?;
    let listener = listen(address)
        .with_context(|| format!("can't listen on {address}: end what uses it, or choose another with --listen"))?;
    let stop = told_to_stop().context("can't be told to stop by signals")?;
    // It ends with what it is for.
    let _reloads = Reloads(tokio::spawn(reload.follow(hub.clone())).abort_handle());
    let Some(admin) = admin else { return hub.serve(listener, stop).await.context("serving ended") };
    let own = TcpListener::bind(admin)
        .await
        .with_context(|| format!("can't listen on {admin}: end what uses it, or choose another `admin`"))?;
    let (told, stopped) = tokio::sync::watch::channel(false);
    let until = |mut stopped: tokio::sync::watch::Receiver<bool>| async move {
        // Gone is told too.
        let _ = stopped.wait_for(|stopped| *stopped).await;
    };
    let tell = async move {
        stop.await;
        told.send_replace(true);
        Ok::<_, std::io::Error>(())
    };
    let serving =
        tokio::try_join!(hub.serve(listener, until(stopped.clone())), hub.administer(own, until(stopped)), tell);
    serving.map(drop).context("serving ended")
}

#[cfg(unix)]
fn told_to_stop() -> std::io::Result<impl Future<Output = ()> + Send + 'static> {
    use tokio::signal::unix::{SignalKind, signal};
    let (mut terminate, mut interrupt) = (signal(SignalKind::terminate())?, signal(SignalKind::interrupt())?);
    Ok(async move {
        tokio::select! {
            _ = terminate.recv() => {}
            _ = interrupt.recv() => {}
        }
    })
}

#[cfg(not(unix))]
fn told_to_stop() -> std::io::Result<impl Future<Output = ()> + Send + 'static> {
    Ok(async {
        if tokio::signal::ctrl_c().await.is_err() {
            std::future::pending::<()>().await;
        }
    })
}

fn durability(text: &str) -> Result<Durability, String> {
    match text {
        "durable" => Ok(Durability::Durable),
        "fast" => Ok(Durability::Fast),
        "memory" => Ok(Durability::Memory),
        _ => Err("expected durable, fast or memory".to_owned()),
    }
}

fn positive(text: &str) -> Result<usize, String> {
    text.parse().ok().filter(|number| *number > 0).ok_or_else(|| "expected a whole number above 0".to_owned())
}

fn heartbeat(text: &str) -> Result<Duration, String> {
    let range = Duration::from_millis(10)..=Duration::from_secs(60);
    duration(text)
        .and_then(|time| if range.contains(&time) { Ok(time) } else { Err("expected 10ms to 60s".to_owned()) })
}

fn any_duration(text: &str) -> Result<Duration, String> {
    watchfloor_board::config::duration::parse(text).map_err(|error| error.to_string())
}

fn duration(text: &str) -> Result<Duration, String> {
    let time = any_duration(text)?;
    if time.is_zero() { Err("expected more than nothing".to_owned()) } else { Ok(time) }
}
