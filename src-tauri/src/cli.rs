//! The command line: what may be asked, and nothing of how it is done.

use std::{net::SocketAddr, path::PathBuf, time::Duration};

use clap::{
    ArgGroup, Args, Parser, Subcommand, ValueEnum,
    error::{ContextKind, ContextValue},
};
use watchfloor_demo::StoryName;
use watchfloor_model::Timestamp;

/// A wall display that never shows stale data as live.
#[derive(Debug, Parser)]
#[command(name = "watchfloor", version, args_conflicts_with_subcommands = true)]
#[command(group = ArgGroup::new("shown").args(["board", "demo", "at"]).required(true).multiple(true))]
pub(crate) struct Cli {
    #[command(subcommand)]
    pub(crate) command: Option<Command>,
    #[command(flatten)]
    pub(crate) wall: WallArgs,
}

impl Cli {
    /// What this process was asked for. Ends it if that isn't understood.
    pub(crate) fn of_command_line() -> Self {
        Self::try_parse().map_err(with_tip).unwrap_or_else(|error| error.exit())
    }
}

/// A board file without its option looks like a command that doesn't exist.
fn with_tip(mut error: clap::Error) -> clap::Error {
    if let Some(ContextValue::String(found)) = error.get(ContextKind::InvalidSubcommand) {
        let story = StoryName::ALL.into_iter().find(|story| story.word() == found);
        let tip = match story {
            Some(story) => format!("that story is shown by `watchfloor --demo={story}`"),
            None => format!("a board is shown by `watchfloor --board {found}`, the demo by `watchfloor --demo`"),
        };
        error.insert(ContextKind::Suggested, ContextValue::StyledStrs(vec![tip.into()]));
    }
    error
}

#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// Check board files: every error at once, with line and column. Exits with 1 if there is one.
    Check {
        /// Board files.
        #[arg(required = true)]
        files: Vec<PathBuf>,
    },
    /// Print the JSON Schema of board files.
    Schema,
    /// Write a complete board to begin with, and say what runs it. Files that are there are left alone.
    New(NewArgs),
    /// What is kept of what was on the glass.
    Journal {
        #[command(subcommand)]
        command: JournalCommand,
    },
    /// What is on record of alarms, and whether they reach people. The wall may run meanwhile.
    #[command(visible_alias = "alarm")]
    Alarms {
        #[command(subcommand)]
        command: AlarmsCommand,
    },
    /// Lamp test: walk the wall that runs on the folder through cut, half-open, gap, refusal, stale and a page that stalls, on a copy of
    /// what it has, and say which were shown in time. Exits with 1 if one wasn't, with 3 if no wall runs there.
    Drill {
        #[command(flatten)]
        data: DataArgs,
        /// The demo's wall.
        #[arg(long, value_enum, value_name = "NAME", num_args = 0..=1, require_equals = true, default_missing_value = "flights")]
        demo: Option<StoryName>,
        /// Print one JSON object a line.
        #[arg(long)]
        json: bool,
    },
    /// Find out what speaks at an address, show its events, and write a starter board from what they look like. Exits with 1 if
    /// nothing that is known speaks there.
    Probe(Box<ProbeArgs>),
    /// Print the manual page.
    #[command(hide = true)]
    Manual,
    /// Show a board from this machine's start on, or no longer.
    Kiosk {
        #[command(subcommand)]
        command: KioskCommand,
    },
    /// List the monitors that there are, by what they say of themselves, and which screen of the wall would be on each.
    Screens {
        #[command(flatten)]
        data: DataArgs,
        /// Print one JSON object a line.
        #[arg(long)]
        json: bool,
    },
    /// Tell what this machine has: display, session bus, GPU, data folder, and what follows for the wall.
    Doctor {
        #[command(flatten)]
        data: DataArgs,
        /// How pages are rendered.
        #[arg(long, value_enum)]
        renderer: Option<Renderer>,
        /// What maps stand on.
        #[arg(long, value_enum)]
        map: Option<MapChoice>,
    },
}

#[derive(Debug, Subcommand)]
pub(crate) enum JournalCommand {
    /// Walk the record of the glass: its range, its holes, and whether each record follows from the one before it. Exits with 1
    /// if one was changed.
    Verify {
        #[command(flatten)]
        data: DataArgs,
        /// The demo's record.
        #[arg(long, value_enum, value_name = "NAME", num_args = 0..=1, require_equals = true, default_missing_value = "flights")]
        demo: Option<StoryName>,
    },
}

#[derive(Debug, Subcommand)]
pub(crate) enum AlarmsCommand {
    /// Try out how alarms are told here, as a board's `[alarms]` say: notifications, a tone of each priority, the webhook, the record,
    /// each by alarms that say they are a test. Exits with 1 if a step failed.
    Test(AlarmTestArgs),
    /// The standard's figures: how many alarms within ten minutes, floods, the ones that come most, how long until they were
    /// acknowledged, what was put aside and why.
    Report {
        #[command(flatten)]
        record: RecordArgs,
        /// Print one JSON object.
        #[arg(long)]
        json: bool,
    },
    /// What changed since a moment, as for who takes over a shift: alarms that came, went and were dealt with, sources that were lost, stretches
    /// of which nothing is recorded, widgets that left what is normal.
    Since(SinceArgs),
    /// Write out every entry, oldest first: as CSV, or as JSON, an object a line.
    Export {
        #[command(flatten)]
        record: RecordArgs,
        /// As CSV, which is the default. A cell that a spreadsheet would take for a formula begins with an apostrophe.
        #[arg(long, conflicts_with = "json")]
        csv: bool,
        /// As one JSON object a line.
        #[arg(long)]
        json: bool,
    },
}

#[derive(Debug, Args)]
pub(crate) struct AlarmTestArgs {
    /// The board file whose `[alarms]` say how; what holds by default if left out.
    pub(crate) board: Option<PathBuf>,
    #[command(flatten)]
    pub(crate) data: DataArgs,
    /// The demo's board.
    #[arg(long, value_enum, value_name = "NAME", num_args = 0..=1, require_equals = true, default_missing_value = "flights", conflicts_with = "board")]
    pub(crate) demo: Option<StoryName>,
    /// For how long somebody may press *Acknowledge* on the notification of a high alarm; `0s` for not at all.
    #[arg(long, value_name = "DURATION", value_parser = duration, default_value = "15s")]
    pub(crate) wait: Duration,
    /// Whether the desktop is told; as the wall's own option.
    #[arg(long, value_enum, default_value_t = Switch::On)]
    pub(crate) notifications: Switch,
    /// Print one JSON object a line.
    #[arg(long)]
    pub(crate) json: bool,
}

#[derive(Debug, Args)]
pub(crate) struct SinceArgs {
    /// The moment: a time such as `2026-11-24T10:15:00Z`, or how long ago it was, such as `8h`.
    #[arg(value_name = "MOMENT", value_parser = moment)]
    pub(crate) moment: Moment,
    #[command(flatten)]
    pub(crate) data: DataArgs,
    /// The demo's record.
    #[arg(long, value_enum, value_name = "NAME", num_args = 0..=1, require_equals = true, default_missing_value = "flights")]
    pub(crate) demo: Option<StoryName>,
    /// Until before when; until now if left out.
    #[arg(long, value_name = "TIME", value_parser = instant)]
    pub(crate) to: Option<Timestamp>,
    /// Print one JSON object.
    #[arg(long)]
    pub(crate) json: bool,
}

/// A moment that is over.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Moment {
    At(Timestamp),
    Ago(Duration),
}

#[derive(Debug, Args)]
pub(crate) struct RecordArgs {
    #[command(flatten)]
    pub(crate) data: DataArgs,
    /// The demo's record.
    #[arg(long, value_enum, value_name = "NAME", num_args = 0..=1, require_equals = true, default_missing_value = "flights")]
    pub(crate) demo: Option<StoryName>,
    /// From when on, such as `2026-11-24T10:15:00Z`. A report is of thirty days if this is left out, an export of all.
    #[arg(long, value_name = "TIME", value_parser = instant)]
    pub(crate) from: Option<Timestamp>,
    /// Until before when; until now if left out.
    #[arg(long, value_name = "TIME", value_parser = instant)]
    pub(crate) to: Option<Timestamp>,
}

#[derive(Debug, Subcommand)]
pub(crate) enum KioskCommand {
    /// Write the units that show a board from the next start on, and enable them. System units need root.
    Install(KioskInstallArgs),
    /// Stop showing it, and remove what was written.
    Uninstall {
        /// How it is shown.
        #[arg(long, value_enum, default_value_t = KioskSession::Session)]
        session: KioskSession,
        /// Print what would be done, and do nothing.
        #[arg(long)]
        dry_run: bool,
    },
}

#[derive(Debug, Args)]
pub(crate) struct KioskInstallArgs {
    /// The board file to show; the demo if left out.
    #[arg(long, value_name = "FILE")]
    pub(crate) board: Option<PathBuf>,
    /// How it is shown.
    #[arg(long, value_enum, default_value_t = KioskSession::Session)]
    pub(crate) session: KioskSession,
    /// Who shows it, for `cage` and `x11`; whoever calls this if left out.
    #[arg(long, value_name = "NAME")]
    pub(crate) user: Option<String>,
    /// Print what would be done, and do nothing.
    #[arg(long)]
    pub(crate) dry_run: bool,
}

/// What a kiosk runs in.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum KioskSession {
    /// The desktop session of whoever calls this, which logs in by itself.
    Session,
    /// Wayland without a desktop: cage.
    Cage,
    /// An X server without a desktop.
    X11,
}

#[derive(Debug, Args)]
pub(crate) struct WallArgs {
    /// The board file to show.
    #[arg(long, value_name = "FILE", conflicts_with = "demo")]
    pub(crate) board: Option<PathBuf>,
    /// Show a demo, replayed through a hub inside this process: the flights if none is named.
    #[arg(long, value_enum, value_name = "NAME", num_args = 0..=1, require_equals = true, default_missing_value = "flights")]
    pub(crate) demo: Option<StoryName>,
    #[command(flatten)]
    pub(crate) replay: ReplayArgs,
    /// Begin by looking back: show what this wall's glass showed then, such as `2026-11-24T10:15:00Z`. With --headless: print that
    /// and end.
    #[arg(long, value_name = "TIME", value_parser = instant)]
    pub(crate) at: Option<Timestamp>,
    /// After so long without a hand, a glass that looks back shows the present again.
    #[arg(long, value_name = "DURATION", value_parser = duration, default_value = "2m")]
    pub(crate) return_after: Duration,
    /// Take the whole screen.
    #[arg(long)]
    pub(crate) kiosk: bool,
    /// Run everything but the window; needs no display.
    #[arg(long)]
    pub(crate) headless: bool,
    /// With --headless: end after this long, such as `20s`, `5m` or `1h`.
    #[arg(long = "for", value_name = "DURATION", value_parser = duration, requires = "headless")]
    pub(crate) run_for: Option<Duration>,
    /// With --headless: print one JSON object a second, and one at the end.
    #[arg(long, requires = "headless")]
    pub(crate) json: bool,
    #[command(flatten)]
    pub(crate) data: DataArgs,
    /// Serve Prometheus metrics at this address, such as `127.0.0.1:9187`.
    #[arg(long, value_name = "ADDR")]
    pub(crate) metrics: Option<SocketAddr>,
    /// Write what each source's server says, and what is done about it, into this folder: for a report of a defect. Secrets of the
    /// wall's are left out; what servers say is not.
    #[arg(long, value_name = "FOLDER")]
    pub(crate) transcripts: Option<PathBuf>,
    /// How pages are rendered; overrides the setting.
    #[arg(long, value_enum)]
    pub(crate) renderer: Option<Renderer>,
    /// What maps stand on whose board names `tiles`; overrides the setting.
    #[arg(long, value_enum)]
    pub(crate) map: Option<MapChoice>,
    /// Whether lost sources are told by native notifications too. `on` needs a session bus.
    #[arg(long, value_enum, default_value_t = Switch::On)]
    pub(crate) notifications: Switch,
    /// Draw the newest event's time as a small code in two corners, to measure how old figures and rows are on the glass.
    #[arg(long)]
    pub(crate) glass_code: bool,
    /// Whether a small parent starts the wall again when it dies or hangs. Default is `on` for a window, `off` with --headless;
    /// under systemd that is the one.
    #[arg(long, value_enum)]
    pub(crate) supervisor: Option<Switch>,
    /// The window's size in pixels, such as `1920x1080`; default is the remembered one.
    #[arg(long, value_name = "WxH", value_parser = size)]
    pub(crate) size: Option<(u32, u32)>,
    /// The screen's size from corner to corner, such as `65in` or `1651mm`; default is the setting, else what it says of itself.
    #[arg(long, value_name = "LENGTH", value_parser = length)]
    pub(crate) screen: Option<u32>,
    /// From how far it is read, such as `6m`; overrides the setting and the board.
    #[arg(long, value_name = "LENGTH", value_parser = length)]
    pub(crate) viewing_distance: Option<u32>,
}

#[derive(Debug, Args)]
pub(crate) struct NewArgs {
    /// What the board is about.
    #[arg(long, value_enum, value_name = "NAME")]
    pub(crate) template: StoryName,
    /// Where it is written; `NAME.toml` in this folder if left out.
    #[arg(long, value_name = "FILE")]
    pub(crate) out: Option<PathBuf>,
    /// The title in its head line.
    #[arg(long, value_name = "TEXT")]
    pub(crate) title: Option<String>,
}

#[derive(Debug, Args)]
pub(crate) struct ProbeArgs {
    /// The address, such as `https://push.example.net/events` or `mqtts://broker.example.net`.
    pub(crate) url: String,
    /// A channel, topic, subject or namespace to listen to; may be given several times.
    #[arg(long = "channel", value_name = "NAME")]
    pub(crate) channels: Vec<String>,
    /// The file that holds the token, if the server asks for one.
    #[arg(long, value_name = "FILE", conflicts_with = "token_env")]
    pub(crate) token_file: Option<PathBuf>,
    /// The environment variable that holds the token.
    #[arg(long, value_name = "NAME")]
    pub(crate) token_env: Option<String>,
    /// A file of certificates in PEM that are trusted besides the system's: the site's own authority.
    #[arg(long, value_name = "FILE")]
    pub(crate) ca_file: Option<PathBuf>,
    /// The file of the certificate to show to a server that asks who comes.
    #[arg(long, value_name = "FILE", requires = "key_file")]
    pub(crate) certificate_file: Option<PathBuf>,
    /// The file of its key, readable by its owner alone.
    #[arg(long, value_name = "FILE", requires = "certificate_file")]
    pub(crate) key_file: Option<PathBuf>,
    /// The proxy to go through, such as `http://proxy.example.net:3128` or `socks5://proxy.example.net:1080`.
    #[arg(long, value_name = "URL")]
    pub(crate) proxy: Option<String>,
    /// Who comes, if the proxy asks.
    #[arg(long, value_name = "NAME", requires_all = ["proxy", "proxy_password_file"])]
    pub(crate) proxy_user: Option<String>,
    /// The file that holds that user's password.
    #[arg(long, value_name = "FILE", requires = "proxy_user")]
    pub(crate) proxy_password_file: Option<PathBuf>,
    /// For how long events are listened to, such as `30s` or `5m`.
    #[arg(long = "for", value_name = "DURATION", value_parser = duration, default_value = "30s")]
    pub(crate) listen: Duration,
    /// Where the board is written; standard output if left out. A file that is there already is left alone.
    #[arg(long, value_name = "FILE")]
    pub(crate) out: Option<PathBuf>,
}

#[derive(Clone, Debug, Args)]
pub(crate) struct DataArgs {
    /// Where journal, logs and settings are kept.
    #[arg(long, value_name = "DIR")]
    pub(crate) data_dir: Option<PathBuf>,
}

#[derive(Clone, Debug, Args)]
pub(crate) struct ReplayArgs {
    /// Demo: the local time to begin at, such as `2013-02-08T10:00`. Default is a while before it becomes interesting.
    #[arg(long, value_name = "TIME", conflicts_with = "board")]
    pub(crate) from: Option<jiff::civil::DateTime>,
    /// Demo: replay seconds a second, 0.1 to 3600.
    #[arg(long, value_name = "N", conflicts_with = "board", default_value_t = 60.0, value_parser = speed)]
    pub(crate) speed: f64,
    /// Demo: begin with the cable cut, as if a wall were switched on in the middle of an outage.
    #[arg(long, conflicts_with = "board")]
    pub(crate) cut: bool,
    /// Demo: begin paused.
    #[arg(long, conflicts_with = "board")]
    pub(crate) paused: bool,
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, ValueEnum, serde::Deserialize)]
#[serde(rename_all = "kebab-case")]
pub(crate) enum Renderer {
    /// Look for a GPU and choose.
    #[default]
    Auto,
    /// As for a machine without a GPU.
    Software,
    /// As for a machine with one.
    Gpu,
}

/// What a map stands on whose board names `tiles`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, ValueEnum, serde::Deserialize, serde::Serialize)]
#[serde(rename_all = "kebab-case")]
pub(crate) enum MapChoice {
    /// Tiles where there is a GPU, the shipped ground where there is none.
    #[default]
    Auto,
    /// The shipped ground.
    Canvas,
    /// Tiles wherever the page has WebGL, by software if need be.
    Tiles,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum Switch {
    On,
    Off,
}

/// As in a board file.
fn duration(text: &str) -> Result<Duration, String> {
    watchfloor_board::config::duration::parse(text).map_err(|error| error.to_string())
}

/// Millimetres, as in a board file.
fn length(text: &str) -> Result<u32, String> {
    watchfloor_board::config::distance::parse(text)
        .ok_or_else(|| format!("{text:?} is no length: expected one such as `6m`, `350cm` or `65in`"))
}

fn moment(text: &str) -> Result<Moment, String> {
    if let Ok(span) = duration(text) {
        return Ok(Moment::Ago(span));
    }
    instant(text).map(Moment::At).map_err(|error| format!("{error}, or how long ago it was, such as `8h`"))
}

fn instant(text: &str) -> Result<Timestamp, String> {
    let instant: jiff::Timestamp = text.parse().map_err(|_| {
        format!("{text:?} is no time with a zone: expected one such as `2026-11-24T10:15:00Z` or `2026-11-24T11:15:00+01:00`")
    })?;
    Ok(Timestamp::from_millis(instant.as_millisecond()))
}

fn speed(text: &str) -> Result<f64, String> {
    match text.parse() {
        Ok(speed) if (0.1..=3600.0).contains(&speed) => Ok(speed),
        _ => Err(format!("{text:?} is not a speed: expected a number from 0.1 to 3600")),
    }
}

fn size(text: &str) -> Result<(u32, u32), String> {
    let range = 320..=16_384;
    text.split_once('x')
        .and_then(|(width, height)| Some((width.parse().ok()?, height.parse().ok()?)))
        .filter(|(width, height)| range.contains(width) && range.contains(height))
        .ok_or_else(|| {
            format!("{text:?} is not a size: expected width x height, 320 to 16384 each, such as `1920x1080`")
        })
}

#[cfg(test)]
mod tests {
    use clap::CommandFactory;

    use super::*;

    #[test]
    fn the_command_line_is_consistent() {
        Cli::command().debug_assert();
    }

    #[test]
    fn a_board_without_its_option_is_understood() {
        let error = Cli::try_parse_from(["watchfloor", "orders.toml"]).map_err(with_tip).expect_err("no such command");
        assert!(error.to_string().contains("watchfloor --board orders.toml"), "{error}");
        assert_eq!(error.exit_code(), 2);
        let error = Cli::try_parse_from(["watchfloor", "--demo", "orders"]).map_err(with_tip).expect_err("no command");
        assert!(error.to_string().contains("watchfloor --demo=orders"), "{error}");
    }

    #[test]
    fn durations_have_units() {
        assert_eq!(duration("20s"), Ok(Duration::from_secs(20)));
        assert_eq!(duration("2h"), Ok(Duration::from_secs(7200)));
        for text in ["", "20", "s", "-1s", "1 s", "1.5h", "99999999999999999999s", "9999999999999999999h"] {
            assert!(duration(text).is_err(), "{text:?}");
        }
    }

    #[test]
    fn times_have_zones() {
        for text in ["2026-11-24T10:15:00Z", "2026-11-24T11:15:00+01:00", "2026-11-24 10:15Z"] {
            assert_eq!(instant(text), Ok(Timestamp::from_millis(1_795_515_300_000)), "{text}");
        }
        for text in ["", "10:15", "2026-11-24T10:15:00", "2026-11-24", "yesterday"] {
            assert!(instant(text).is_err_and(|error| error.contains("zone")), "{text:?}");
        }
    }

    #[test]
    fn moments_are_times_or_how_long_ago() {
        assert_eq!(moment("8h"), Ok(Moment::Ago(Duration::from_secs(8 * 3600))));
        assert_eq!(moment("2026-11-24T10:15:00Z"), Ok(Moment::At(Timestamp::from_millis(1_795_515_300_000))));
        assert!(moment("yesterday").is_err_and(|error| error.contains("zone") && error.contains("8h")));
    }

    #[test]
    fn sizes_and_speeds_are_bounded() {
        assert_eq!(size("1920x1080"), Ok((1920, 1080)));
        for text in ["1920", "x", "0x0", "1920x1080x2", "99999x1"] {
            assert!(size(text).is_err(), "{text:?}");
        }
        assert_eq!(speed("60"), Ok(60.0));
        for text in ["0", "-1", "inf", "NaN", "5000"] {
            assert!(speed(text).is_err(), "{text:?}");
        }
    }

    #[test]
    fn a_board_or_the_demo_is_needed() {
        assert!(Cli::try_parse_from(["watchfloor"]).is_err());
        assert!(Cli::try_parse_from(["watchfloor", "--demo", "--board", "x.toml"]).is_err());
        assert!(Cli::try_parse_from(["watchfloor", "--at", "2026-11-24T10:15:00Z", "--headless"]).is_ok());
        assert!(Cli::try_parse_from(["watchfloor", "journal", "verify", "--data-dir", "x"]).is_ok());
        assert!(Cli::try_parse_from(["watchfloor", "alarms", "report", "--from", "2026-11-24T10:15:00Z"]).is_ok());
        assert!(Cli::try_parse_from(["watchfloor", "alarm", "test", "a.toml", "--wait", "0s"]).is_ok());
        assert!(Cli::try_parse_from(["watchfloor", "alarms", "export", "--csv", "--json"]).is_err());
        assert!(Cli::try_parse_from(["watchfloor", "--board", "x.toml", "--speed", "3"]).is_err());
        assert!(
            Cli::try_parse_from(["watchfloor", "--demo", "--speed", "3", "--headless", "--for", "20s", "--json"])
                .is_ok()
        );
        let shown = |arg: &str| Cli::try_parse_from(["watchfloor", arg]).map(|cli| cli.wall.demo);
        assert_eq!(shown("--demo").expect("the flights"), Some(StoryName::Flights));
        for story in StoryName::ALL {
            assert_eq!(shown(&format!("--demo={story}")).expect("a story"), Some(story));
        }
        assert!(shown("--demo=nothing").is_err());
        assert!(Cli::try_parse_from(["watchfloor", "new"]).is_err());
        assert!(Cli::try_parse_from(["watchfloor", "new", "--template", "process", "--title", "Works"]).is_ok());
        assert!(Cli::try_parse_from(["watchfloor", "check", "a.toml"]).is_ok());
        assert!(Cli::try_parse_from(["watchfloor", "probe", "http://x", "--channel", "a", "--channel", "b"]).is_ok());
        assert!(Cli::try_parse_from(["watchfloor", "probe", "x", "--token-file", "a", "--token-env", "b"]).is_err());
    }
}
