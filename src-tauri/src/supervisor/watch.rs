//! The wall as a child: its end, its beats, and the signals that are meant for it.
//!
//! The child's standard input, which it never reads, is one end of a pair of sockets. It writes a byte into it each second while it
//! is well; nobody else can, and nothing is left behind in a file system.

use std::{
    ffi::OsString,
    io,
    os::{
        fd::OwnedFd,
        unix::{net::UnixStream as Socket, process::ExitStatusExt},
    },
    path::Path,
    process::{Child, Command, ExitCode, ExitStatus, Stdio},
    time::{Duration, Instant, SystemTime},
};

use rustix::{
    io::Errno,
    process::{Pid, kill_process},
};
use tokio::{
    net::UnixStream,
    runtime,
    signal::unix::{Signal, SignalKind, signal},
    time::{MissedTickBehavior, interval},
};

use crate::{
    plan::{End, Next, Plan},
    tell,
};

/// The wall finds its supervisor's process number here.
const SUPERVISED: &str = "WATCHFLOOR_SUPERVISOR";
/// A wall that hasn't beaten for so long is killed. It beats each second, from its first line on.
const SILENCE_MAX_S: u32 = 15;
/// A wall that was asked to end closes its journal, which a stuck disk delays for ten seconds at most.
const END_LIMIT_S: u32 = 20;

/// Runs the wall as a child for as long as anybody wants it.
pub(crate) fn watch(wall: &Path, args: &[OsString]) -> io::Result<ExitCode> {
    // One thread: it is blocked in the kernel but for a byte a second.
    let runtime = runtime::Builder::new_current_thread().enable_all().build()?;
    runtime.block_on(run(wall, args))
}

async fn run(wall: &Path, args: &[OsString]) -> io::Result<ExitCode> {
    let mut signals = Signals::new()?;
    let mut plan = Plan::default();
    loop {
        let begun = Instant::now();
        let (end, showed) = Wall::start(wall, args)?.end(&mut signals, &mut plan).await?;
        match plan.ended(end, showed, begun.elapsed(), dice()) {
            Next::Done(code) => return Ok(ExitCode::from(code)),
            Next::Again(pause) => {
                tell(&format_args!("{}: it is started again in {:.1} s", words(end), pause.as_secs_f64()));
                tokio::select! {
                    () = asked_of(&mut signals.terminate, &mut signals.interrupt, &mut signals.hang_up) => {
                        plan.asked();
                        if let Next::Done(code) = plan.ended(end, showed, Duration::ZERO, 0.0) {
                            return Ok(ExitCode::from(code));
                        }
                    }
                    () = tokio::time::sleep(pause) => {}
                }
            }
        }
    }
}

fn words(end: End) -> String {
    match end {
        End::Code(code) => format!("the wall ended with code {code}"),
        End::Signal(signal) => format!("the wall was ended by signal {signal}"),
        End::Hung => format!("the wall gave no sign of life for {SILENCE_MAX_S} s and was killed"),
    }
}

/// From 0 to 1: enough that walls which fail together don't start together.
fn dice() -> f64 {
    let since = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default();
    f64::from(since.subsec_nanos() % 1_000_003) / 1_000_003.0
}

/// What this process is told.
struct Signals {
    child: Signal,
    terminate: Signal,
    interrupt: Signal,
    hang_up: Signal,
}

impl Signals {
    fn new() -> io::Result<Self> {
        Ok(Self {
            child: signal(SignalKind::child())?,
            terminate: signal(SignalKind::terminate())?,
            interrupt: signal(SignalKind::interrupt())?,
            hang_up: signal(SignalKind::hangup())?,
        })
    }
}

/// Somebody asks for the end.
async fn asked_of(terminate: &mut Signal, interrupt: &mut Signal, hang_up: &mut Signal) {
    tokio::select! {
        _ = terminate.recv() => {}
        _ = interrupt.recv() => {}
        _ = hang_up.recv() => {}
    }
}

/// A running child. Dropped, it is killed: no wall is left without its supervisor.
struct Wall {
    child: Child,
    /// None once nothing can come any more.
    beats: Option<UnixStream>,
}

impl Drop for Wall {
    fn drop(&mut self) {
        // Already gone is as good.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

impl Wall {
    fn start(wall: &Path, args: &[OsString]) -> io::Result<Self> {
        let (ours, theirs) = Socket::pair()?;
        ours.set_nonblocking(true)?;
        let child = Command::new(wall)
            .args(args)
            .env(SUPERVISED, std::process::id().to_string())
            .stdin(Stdio::from(OwnedFd::from(theirs)))
            .spawn()?;
        Ok(Self { child, beats: Some(UnixStream::from_std(ours)?) })
    }

    /// Waits for its end, and brings it about when it is asked for or the child hangs. Also whether it ever had a board to show.
    async fn end(mut self, signals: &mut Signals, plan: &mut Plan) -> io::Result<(End, bool)> {
        // Counted, not measured: seconds in which this process stood still itself are no silence.
        let mut seconds = interval(Duration::from_secs(1));
        seconds.set_missed_tick_behavior(MissedTickBehavior::Delay);
        let (mut silent, mut asked, mut begun) = (0, false, false);
        loop {
            if let Some(status) = self.child.try_wait()? {
                // What it said last may not have been heard yet.
                begun |= heard(&mut self.beats).unwrap_or(false);
                return Ok((of_status(status), begun));
            }
            tokio::select! {
                _ = signals.child.recv() => {}
                () = asked_of(&mut signals.terminate, &mut signals.interrupt, &mut signals.hang_up) => {
                    plan.asked();
                    if !asked {
                        silent = 0;
                    }
                    asked = true;
                    self.ask()?;
                }
                shows = beat(&mut self.beats) => {
                    begun |= shows;
                    if !asked {
                        silent = 0;
                    }
                }
                _ = seconds.tick() => {
                    silent += 1;
                    if silent > if asked { END_LIMIT_S } else { SILENCE_MAX_S } {
                        self.child.kill()?;
                        let status = self.child.wait()?;
                        return Ok((if asked { of_status(status) } else { End::Hung }, begun));
                    }
                }
            }
        }
    }

    /// Passes the wish on, in words that a wall understands.
    fn ask(&self) -> io::Result<()> {
        let pid = i32::try_from(self.child.id()).ok().and_then(Pid::from_raw);
        match pid.map(|pid| kill_process(pid, rustix::process::Signal::TERM)) {
            // It ended in this moment, which is what was wanted.
            None | Some(Ok(()) | Err(Errno::SRCH)) => Ok(()),
            Some(Err(error)) => Err(error.into()),
        }
    }
}

/// What a wall that has a board to show writes.
const SHOWS: u8 = b'+';

/// What has come already, if anything has: whether it says that there is a board to show.
fn heard(beats: &mut Option<UnixStream>) -> Option<bool> {
    let mut bytes = [0; 64];
    match beats.as_ref()?.try_read(&mut bytes) {
        Ok(count @ 1..) => Some(bytes[..count].contains(&SHOWS)),
        Err(error) if error.kind() == io::ErrorKind::WouldBlock => None,
        Ok(0) | Err(_) => {
            *beats = None;
            None
        }
    }
}

/// Waits until something has come: whether it says that there is a board to show.
async fn beat(beats: &mut Option<UnixStream>) -> bool {
    while let Some(open) = beats {
        if open.readable().await.is_err() {
            *beats = None;
        } else if let Some(shows) = heard(beats) {
            return shows;
        }
    }
    std::future::pending().await
}

fn of_status(status: ExitStatus) -> End {
    match (status.code(), status.signal()) {
        (Some(code), _) => End::Code(code),
        (None, Some(signal)) => End::Signal(signal),
        // A process that has ended did so in one of these ways.
        (None, None) => End::Code(1),
    }
}
