//! Pulls that wait for something to show.
//!
//! A pull is answered at once if there is something that its page doesn't have; otherwise when there is, and after a
//! heartbeat in any case. Nothing is queued for a page: the frame is made when it is answered, of the newest state.

use std::time::Duration;

use tokio::sync::oneshot;
use watchfloor_board::frame::{ClockView, Frame, Notice, Said, State};
use watchfloor_model::{Mono, Timestamp};

use crate::event::Pull;

/// A pull is answered after this at the latest.
pub const HEARTBEAT: Duration = Duration::from_secs(1);
/// Pulls that may wait. A window has one outstanding; what a closed window left behind makes room for new ones.
const WAITING_MAX: usize = 8;

/// Who waits.
#[derive(Debug, Default)]
pub(crate) struct Waiting {
    pulls: Vec<(Pull, Mono)>,
}

/// The board as far as a pull needs to know it.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Shown {
    /// The state's version.
    pub(crate) version: u64,
    /// The board's revision.
    pub(crate) revision: u32,
}

impl Waiting {
    /// Takes a pull. The answer is a pull to be answered now: this one if its page lacks something, or else the
    /// longest-waiting one if there are too many.
    pub(crate) fn pull(&mut self, pull: Pull, shown: Shown, now: Mono) -> Option<Pull> {
        if is_behind(&pull, shown) {
            return Some(pull);
        }
        self.pulls.retain(|(pull, _)| !pull.answer.is_closed());
        let oldest = (self.pulls.len() >= WAITING_MAX).then(|| self.pulls.remove(0).0);
        self.pulls.push((pull, now.plus(HEARTBEAT)));
        oldest
    }

    /// When the first of them must be answered, whatever happens.
    pub(crate) fn poll_timeout(&self) -> Option<Mono> {
        self.pulls.iter().map(|(_, due)| *due).min()
    }

    /// Those to be answered now: whose page lacks something, and who have waited for a heartbeat.
    pub(crate) fn due(&mut self, shown: Shown, now: Mono) -> Vec<Pull> {
        let is_due = |pull: &Pull, due: Mono| due <= now || is_behind(pull, shown);
        let (ready, waiting) = self.pulls.drain(..).partition(|(pull, due)| is_due(pull, *due));
        self.pulls = waiting;
        let ready: Vec<(Pull, Mono)> = ready;
        ready.into_iter().map(|(pull, _)| pull).filter(|pull| !pull.answer.is_closed()).collect()
    }
}

/// Whether there is something that the pull's page doesn't have. A page that names a version from before a restart has
/// nothing of this one.
fn is_behind(pull: &Pull, shown: Shown) -> bool {
    pull.after == 0 || pull.after != shown.version || pull.revision != shown.revision
}

/// Waits for the loop's answer; says so if there is no loop any more.
pub(crate) async fn answer(pulled: oneshot::Receiver<Frame>, after: u64, revision: u32, wall: Timestamp) -> Frame {
    match pulled.await {
        Ok(frame) => frame,
        Err(_) => {
            // Answering at once would have the page ask as fast as it can.
            tokio::time::sleep(HEARTBEAT).await;
            stopped(after, revision, wall)
        }
    }
}

/// What a page gets when the engine has stopped: nothing new, and a notice. What it shows expires by itself.
fn stopped(after: u64, revision: u32, wall: Timestamp) -> Frame {
    Frame {
        version: after,
        board: None,
        revision,
        clock: ClockView { wall_ms: wall.as_millis(), board_ms: wall.as_millis(), speed: 1.0, label: None },
        heartbeat_ms: heartbeat_ms(),
        sources: Vec::new(),
        widgets: Vec::new(),
        outages: None,
        alarms: None,
        notices: vec![Notice::said("engine", State::Alarm, Said::EngineStopped, Vec::new())],
        page: None,
        past: None,
        drill: None,
        night: false,
        span: None,
    }
}

fn heartbeat_ms() -> u32 {
    u32::try_from(HEARTBEAT.as_millis()).unwrap_or(u32::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn pull(after: u64, revision: u32) -> (Pull, oneshot::Receiver<Frame>) {
        let (answer, answered) = oneshot::channel();
        (Pull { glass: "".into(), after, revision, answer }, answered)
    }

    const NOW: Mono = Mono::from_millis(5000);
    const SHOWN: Shown = Shown { version: 7, revision: 2 };

    /// Latency rule: what a page lacks is answered at once, whether it is new, behind, of another revision or of another run.
    #[test]
    fn answers_at_once_if_there_is_something() {
        for (after, revision, at_once) in [(0, 0, true), (6, 2, true), (7, 1, true), (9, 2, true), (7, 2, false)] {
            let (pull, _answered) = pull(after, revision);
            assert_eq!(Waiting::default().pull(pull, SHOWN, NOW).is_some(), at_once, "{after} {revision}");
        }
    }

    /// Who has everything waits for a new version or the heartbeat.
    #[test]
    fn waits_otherwise() {
        let check = |shown: Shown, after_ms: u64, answered: bool| {
            let mut waiting = Waiting::default();
            let (pull, _answered) = pull(7, 2);
            assert!(waiting.pull(pull, SHOWN, NOW).is_none());
            assert_eq!(waiting.poll_timeout(), Some(NOW.plus(HEARTBEAT)));
            let due = waiting.due(shown, NOW.plus(Duration::from_millis(after_ms)));
            assert_eq!(due.len(), usize::from(answered), "{shown:?} {after_ms}");
        };
        check(SHOWN, 999, false);
        check(SHOWN, 1000, true);
        check(Shown { version: 8, ..SHOWN }, 1, true);
        check(Shown { revision: 3, ..SHOWN }, 1, true);
    }

    /// H5: pages that come and go don't pile up, and who went is not answered.
    #[test]
    fn abandoned_pulls_are_dropped() {
        let mut waiting = Waiting::default();
        for _ in 0..100 {
            let (pull, answered) = pull(7, 2);
            drop(answered);
            assert!(waiting.pull(pull, SHOWN, NOW).is_none());
        }
        assert_eq!(waiting.pulls.len(), 1);
        let mut kept = Vec::new();
        for number in 0..2 * WAITING_MAX {
            let (pull, answered) = pull(7, 2);
            kept.push(answered);
            assert_eq!(waiting.pull(pull, SHOWN, NOW).is_some(), number >= WAITING_MAX);
        }
        assert_eq!(waiting.pulls.len(), WAITING_MAX);
    }
}
