//! The binary `watchfloor-hub`: reads its command line, makes a [`Hub`] and serves it until it is told to stop.

use std::{
    fmt,
    fs::File,
    io::{Read, Write},
    net::SocketAddr,
    path::{Path, PathBuf},
    process::ExitCode,
    time::Duration,
};

use anyhow::{Context, anyhow};
use clap::{CommandFactory, Parser, error::ErrorKind};
use tokio::net::TcpListener;
use watchfloor_board::config::spec::FoldSpec;
use watchfloor_hub::{HistoryLimits, Hub, HubConfig, KEY_BYTES_MIN, Readers, SigningKey, Token, limits};
use watchfloor_log::{Levels, NoLevels};

/// Takes events by HTTP and passes them on to walls. The contract is docs/hub.md.
#[derive(Debug, Parser)]
#[command(version)]
struct Options {
    /// Where to listen; beyond the loopback only with a publish token.
    #[arg(long, value_name = "ADDRESS", default_value = "127.0.0.1:8787")]
    listen: SocketAddr,
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
    /// Events remembered a channel.
    #[arg(long, value_name = "N", default_value_t = limits::HISTORY_EVENTS, value_parser = positive)]
    history_events: usize,
    /// MiB remembered a channel.
    #[arg(long, value_name = "N", default_value_t = limits::HISTORY_BYTES >> 20, value_parser = positive)]
    history_mib: usize,
    /// How long events are remembered.
    #[arg(long, value_name = "DURATION", default_value = "24h", value_parser = duration)]
    history_age: Duration,
    /// The time between two heartbeats.
    #[arg(long, value_name = "DURATION", default_value = "1s", value_parser = heartbeat)]
    heartbeat: Duration,
}

/// Why the hub doesn't run, and the exit code that says so.
#[derive(Debug)]
enum Failure {
    /// The input is wrong: 1.
    Input(String),
    /// The environment asks for what there isn't: 2, as for the command line.
    Usage(NoLevels),
    /// The environment lacks something: 3.
    Environment(anyhow::Error),
}

impl Failure {
    const fn code(&self) -> u8 {
        match self {
            Self::Input(_) => 1,
            Self::Usage(_) => 2,
            Self::Environment(_) => 3,
        }
    }
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Input(text) => f.write_str(text.trim_end()),
            Self::Usage(error) => write!(f, "watchfloor-hub: {error}"),
            Self::Environment(error) => write!(f, "watchfloor-hub: {error:#}"),
        }
    }
}

fn main() -> ExitCode {
    let options = Options::parse();
    if !options.listen.ip().is_loopback() && options.publish_token_file.is_none() {
        let message = format!("{} can be reached by others: give --publish-token-file too", options.listen);
        Options::command().error(ErrorKind::MissingRequiredArgument, message).exit();
    }
    let done = Levels::from_environment().map_err(Failure::Usage).and_then(|levels| {
        levels.start();
        run(&options)
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
    let publish_token = options.publish_token_file.as_deref();
    let publish_token = publish_token.map(|file| token(file, "publish")).transpose().map_err(Failure::Environment)?;
    let subscribe_token = options.subscribe_token_file.as_deref();
    let readers = Readers {
        token: subscribe_token.map(|file| token(file, "subscribe")).transpose().map_err(Failure::Environment)?,
        key: options.subscribe_key_file.as_deref().map(key).transpose().map_err(Failure::Environment)?,
    };
    let config = HubConfig {
        heartbeat: options.heartbeat,
        history: HistoryLimits {
            events: options.history_events,
            bytes: options.history_mib.saturating_mul(1 << 20),
            age: options.history_age,
            ..HistoryLimits::default()
        },
        publish_token,
        readers,
        aggregates: folds(&options.board)?,
        ..HubConfig::default()
    };
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .enable_all()
        .build()
        .context("the system gives no threads: raise its limit")
        .map_err(Failure::Environment)?;
    runtime.block_on(serve(options.listen, config)).map_err(Failure::Environment)
}

async fn serve(address: SocketAddr, config: HubConfig) -> anyhow::Result<()> {
    let listener = TcpListener::bind(address)
        .await
        .with_context(|| format!("can't listen on {address}: end what uses it, or choose another with --listen"))?;
    let stop = told_to_stop().context("can't be told to stop by signals")?;
    Hub::new(config).serve(listener, stop).await.context("serving ended")
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

/// A token is one line. What is named may be a device without end.
const TOKEN_FILE_BYTES_MAX: u64 = 4096;

fn token(file: &Path, kind: &str) -> anyhow::Result<Token> {
    let name = file.display();
    let mut text = String::new();
    File::open(file)
        .and_then(|file| file.take(TOKEN_FILE_BYTES_MAX).read_to_string(&mut text))
        .with_context(|| format!("can't read the {kind} token file {name}: create it, readable for this user"))?;
    Token::new(text.trim()).ok_or_else(|| {
        anyhow!("the {kind} token file {name} holds no token: write one line of visible ASCII characters into it")
    })
}

/// The key by which readers' tokens are signed: the whole file but a line end after it.
fn key(file: &Path) -> anyhow::Result<SigningKey> {
    let name = file.display();
    let mut bytes = Vec::new();
    File::open(file)
        .and_then(|file| file.take(TOKEN_FILE_BYTES_MAX).read_to_end(&mut bytes))
        .with_context(|| format!("can't read the subscribe key file {name}: create it, readable for this user"))?;
    let bare = bytes.strip_suffix(b"\n").map_or(&*bytes, |rest| rest.strip_suffix(b"\r").unwrap_or(rest));
    SigningKey::new(bare).ok_or_else(|| {
        let found = bare.len();
        anyhow!("the subscribe key file {name} holds {found} bytes: write at least {KEY_BYTES_MIN} random ones into it")
    })
}

/// What the widgets of these files fold. The mistakes of all files are told at once.
fn folds(files: &[PathBuf]) -> Result<Vec<FoldSpec>, Failure> {
    let mut folds = Vec::new();
    let mut mistakes = Vec::new();
    for file in files {
        let name = file.display().to_string();
        match File::open(file).and_then(watchfloor_board::config::text_of) {
            Err(error) => mistakes.push(format!("{name}: can't be read: {error}: expected a board file")),
            Ok(text) => match watchfloor_board::config::parse_beside(&text, &name, &|named| beside(file, named)) {
                Ok(board) => folds.extend(board.folds().cloned()),
                Err(diagnostics) => mistakes.push(diagnostics.to_string()),
            },
        }
    }
    if mistakes.is_empty() { Ok(folds) } else { Err(Failure::Input(mistakes.join("\n"))) }
}

/// The text of a file that the board at `board` names.
fn beside(board: &Path, named: &str) -> Result<String, String> {
    let path = board.parent().map_or_else(|| named.into(), |folder| folder.join(named));
    if !path.is_file() {
        // A pipe would wait for somebody who writes.
        return Err("there is no such file".to_owned());
    }
    let read = File::open(path).and_then(watchfloor_board::config::layer_text_of);
    read.map_err(|error| format!("it can't be read: {error}"))
}

fn positive(text: &str) -> Result<usize, String> {
    text.parse().ok().filter(|number| *number > 0).ok_or_else(|| "expected a whole number above 0".to_owned())
}

fn heartbeat(text: &str) -> Result<Duration, String> {
    let range = Duration::from_millis(10)..=Duration::from_secs(60);
    duration(text)
        .and_then(|time| if range.contains(&time) { Ok(time) } else { Err("expected 10ms to 60s".to_owned()) })
}

fn duration(text: &str) -> Result<Duration, String> {
    let time = watchfloor_board::config::duration::parse(text).map_err(|error| error.to_string())?;
    if time.is_zero() { Err("expected more than nothing".to_owned()) } else { Ok(time) }
}
