//! Whom the supervisor watches, and what it does when one ends. Pure.

use std::{ffi::OsString, time::Duration};

/// The pause before the first new start …
const PAUSE_FIRST: Duration = Duration::from_millis(250);
/// … which doubles each time, up to this.
const PAUSE_MAX: Duration = Duration::from_secs(60);
/// A wall that ran for this long was well: the next pause is the first again.
const WELL_AFTER: Duration = Duration::from_secs(60);
/// The wall's exit code for a defect of its own (`docs/operations.md`).
const DEFECT: i32 = 4;
/// The wall's exit code for input that it can't use, at its start; and later on the window system's own, when the display has gone.
const WRONG: i32 = 1;

/// Signals by which somebody ends a program, not a fault: `SIGHUP`, `SIGINT`, `SIGQUIT`, `SIGTERM`. The same numbers everywhere.
const ASKED: [i32; 4] = [1, 2, 3, 15];

/// Whether there is something to watch: a wall with a window, whom no other supervisor looks after.
pub(crate) fn is_watched(args: &[OsString], is_set: impl Fn(&str) -> bool) -> bool {
    let has = |name: &str| args.iter().any(|arg| arg == name);
    let switch = args.iter().enumerate().find_map(|(at, arg)| {
        let text = arg.to_str()?.strip_prefix("--supervisor")?;
        text.strip_prefix('=').or_else(|| args.get(at + 1)?.to_str().filter(|_| text.is_empty()))
    });
    // Whoever gives a socket for notices expects them of the process that it started.
    let is_wall = args.first().and_then(|arg| arg.to_str()).is_some_and(|arg| arg.starts_with('-'));
    let ends_by_itself = ["--help", "-h", "--version", "-V", "--for"].into_iter().any(has);
    let wanted = switch == Some("on") || (switch.is_none() && !has("--headless"));
    is_wall && wanted && !ends_by_itself && !is_set("NOTIFY_SOCKET")
}

/// How a wall ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum End {
    /// By itself, with this exit code.
    Code(i32),
    /// By this signal.
    Signal(i32),
    /// It was killed because it no longer answered.
    Hung,
}

/// What follows.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Next {
    /// Another start, after this pause.
    Again(Duration),
    /// No other; this is the supervisor's own exit code.
    Done(u8),
}

/// What was tried so far.
#[derive(Debug, Default)]
pub(crate) struct Plan {
    failures: u32,
    asked: bool,
}

impl Plan {
    /// Somebody asked for the end.
    pub(crate) fn asked(&mut self) {
        self.asked = true;
    }

    /// A wall has ended after it ran for `ran`, and had `begun` if it ever had a board to show. `dice` is from 0 to 1: walls that fail together don't come back together.
    pub(crate) fn ended(&mut self, end: End, begun: bool, ran: Duration, dice: f64) -> Next {
        let is_fault = match end {
            End::Code(code) => code == DEFECT || (begun && code == WRONG),
            End::Signal(signal) => !ASKED.contains(&signal),
            End::Hung => true,
        };
        if self.asked || !is_fault {
            return Next::Done(code_of(end));
        }
        if ran >= WELL_AFTER {
            self.failures = 0;
        }
        let most = PAUSE_MAX.min(PAUSE_FIRST * 2_u32.saturating_pow(self.failures.min(16)));
        self.failures += 1;
        // The first one isn't shortened: what ended by being killed may still be letting go of its files.
        Next::Again(most.mul_f64(0.5 + 0.5 * dice.clamp(0.0, 1.0)))
    }
}

/// As a shell tells it.
fn code_of(end: End) -> u8 {
    match end {
        End::Code(code) => u8::try_from(code).unwrap_or(1),
        End::Signal(signal) => u8::try_from(128 + signal).unwrap_or(1),
        End::Hung => 4,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn watched(line: &str, environment: &str) -> bool {
        let args: Vec<OsString> = line.split_whitespace().map(OsString::from).collect();
        is_watched(&args, |name| name == environment)
    }

    #[test]
    fn only_walls_that_nobody_else_watches_are_watched() {
        for line in [
            "--demo",
            "--demo --kiosk",
            "--kiosk --board a.toml",
            "--demo --headless --supervisor on",
            "--demo --supervisor=on",
        ] {
            assert!(watched(line, ""), "{line}");
            assert!(!watched(line, "NOTIFY_SOCKET"), "{line} under systemd");
        }
        for line in [
            "",
            "check a.toml",
            "schema",
            "doctor",
            "--version",
            "--demo --help",
            "--demo --headless",
            "--demo --supervisor off",
            "--demo --supervisor=off",
            "--demo --headless --for 20s --supervisor on",
        ] {
            assert!(!watched(line, ""), "{line}");
        }
    }

    /// H7: what dies of a fault or hangs is started again; wrong usage, a lacking display and an end that was asked for are not.
    #[test]
    fn faults_lead_to_a_start_and_ends_to_an_end() {
        for end in [End::Code(4), End::Signal(9), End::Signal(11), End::Signal(6), End::Hung] {
            assert!(matches!(Plan::default().ended(end, false, Duration::ZERO, 0.5), Next::Again(_)), "{end:?}");
            let mut plan = Plan::default();
            plan.asked();
            assert!(matches!(plan.ended(end, false, Duration::ZERO, 0.5), Next::Done(_)), "{end:?} after it was asked");
        }
        for code in 0..=3 {
            assert_eq!(Plan::default().ended(End::Code(code), false, Duration::ZERO, 0.5), Next::Done(code as u8));
        }
        // The display has gone: with the next one it is there again, or says what it lacks.
        assert!(matches!(Plan::default().ended(End::Code(1), true, Duration::ZERO, 0.5), Next::Again(_)));
        assert_eq!(Plan::default().ended(End::Code(3), true, Duration::ZERO, 0.5), Next::Done(3));
        for signal in ASKED {
            let done = Next::Done(128 + signal as u8);
            assert_eq!(Plan::default().ended(End::Signal(signal), false, Duration::ZERO, 0.5), done);
        }
    }

    /// A fault that is met at each start costs ever less; a good time forgets it.
    #[test]
    fn pauses_grow_and_are_forgotten() {
        let mut plan = Plan::default();
        let mut pause = |ran: u64, dice: f64| match plan.ended(End::Hung, false, Duration::from_secs(ran), dice) {
            Next::Again(pause) => pause.as_millis(),
            Next::Done(code) => panic!("{code}"),
        };
        assert_eq!([pause(0, 1.0), pause(0, 1.0), pause(0, 0.0), pause(59, 1.0)], [250, 500, 500, 2000]);
        assert_eq!((0..20).map(|_| pause(0, 1.0)).max(), Some(60_000));
        assert_eq!([pause(60, 1.0), pause(0, 1.0)], [250, 500]);
    }
}
