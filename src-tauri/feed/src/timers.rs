//! One instant a reason; the next one is the earliest.

use std::fmt;

use watchfloor_model::Mono;

/// Who asked for the next timeout.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum TimerReason {
    /// Nothing heard on the link for as long as it may be silent.
    Silence,
    /// The link answers, but the stream brings no message.
    Stall,
    /// The link doesn't stand in time.
    Open,
    /// The subscriptions aren't answered in time.
    Subscribe,
    /// The fetch isn't answered in time.
    Fetch,
    /// What is known of the link gets too old for *live*.
    Doubt,
    /// What came ahead of its place has waited for long enough.
    Reorder,
    /// A fetch is to be tried again.
    Refetch,
    /// A link is to be tried again.
    Retry,
    /// The link is to be probed.
    Probe,
    /// The source's clock is to be asked for.
    Clock,
    /// The next poll is due.
    Ask,
    /// A better way to travel is to be tried; on the trial's own link: it has taken too long.
    Trial,
    /// What was delivered is to be compared with the server's state, or a comparison has taken too long.
    Check,
    /// The token by which the link came has come to its end.
    Expire,
    /// The question for a token isn't answered in time.
    Token,
    /// The server doesn't answer to a new token in time.
    Authorise,
    /// A new token is to be asked for.
    Renew,
}

impl TimerReason {
    /// All, in the order in which they are handled if due together: what ends a link comes before what uses it.
    pub const ALL: [Self; 18] = [
        Self::Silence,
        Self::Stall,
        Self::Open,
        Self::Subscribe,
        Self::Fetch,
        Self::Doubt,
        Self::Reorder,
        Self::Refetch,
        Self::Retry,
        Self::Probe,
        Self::Clock,
        Self::Ask,
        Self::Trial,
        Self::Check,
        Self::Expire,
        Self::Token,
        Self::Authorise,
        Self::Renew,
    ];
}

impl fmt::Display for TimerReason {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Silence => "silence",
            Self::Stall => "stall",
            Self::Open => "open",
            Self::Subscribe => "subscribe",
            Self::Fetch => "fetch",
            Self::Doubt => "doubt",
            Self::Reorder => "reorder",
            Self::Refetch => "refetch",
            Self::Retry => "retry",
            Self::Probe => "probe",
            Self::Clock => "clock",
            Self::Ask => "ask",
            Self::Trial => "trial",
            Self::Check => "check",
            Self::Expire => "expire",
            Self::Token => "token",
            Self::Authorise => "authorise",
            Self::Renew => "renew",
        })
    }
}

/// The table.
#[derive(Debug, Default)]
pub(crate) struct Timers([Option<Mono>; TimerReason::ALL.len()]);

impl Timers {
    pub(crate) fn set(&mut self, reason: TimerReason, at: Mono) {
        self.0[reason as usize] = Some(at);
    }

    pub(crate) fn put(&mut self, reason: TimerReason, at: Option<Mono>) {
        self.0[reason as usize] = at;
    }

    pub(crate) fn is_set(&self, reason: TimerReason) -> bool {
        self.0[reason as usize].is_some()
    }

    /// Makes it earlier if it is set for later.
    pub(crate) fn hasten(&mut self, reason: TimerReason, at: Mono) {
        let slot = &mut self.0[reason as usize];
        *slot = slot.map(|set| set.min(at));
    }

    /// Makes it later if it is set for earlier.
    pub(crate) fn defer(&mut self, reason: TimerReason, at: Option<Mono>) {
        let slot = &mut self.0[reason as usize];
        *slot = slot.map(|set| at.map_or(set, |at| set.max(at)));
    }

    pub(crate) fn clear(&mut self, reason: TimerReason) {
        self.0[reason as usize] = None;
    }

    pub(crate) fn clear_all(&mut self) {
        self.0 = Default::default();
    }

    /// Whether `reason` is due; if so it is cleared.
    pub(crate) fn take_due(&mut self, reason: TimerReason, now: Mono) -> bool {
        let slot = &mut self.0[reason as usize];
        let due = slot.is_some_and(|at| at <= now);
        if due {
            *slot = None;
        }
        due
    }

    /// Clears `reason` if it is due.
    pub(crate) fn clear_due(&mut self, reason: TimerReason, now: Mono) {
        let _was_due = self.take_due(reason, now);
    }

    /// The earliest, and why.
    pub(crate) fn next(&self) -> Option<(Mono, TimerReason)> {
        TimerReason::ALL.into_iter().filter_map(|reason| Some((self.0[reason as usize]?, reason))).min()
    }
}

/// H5: whoever drives a machine comes to rest. Something may be due again at once, a first try for example, but not for ever.
/// To be asked where debug assertions are, and nowhere else.
#[derive(Debug, Default)]
pub(crate) struct Turns {
    /// How often in a row something was due again as soon as all that was due was done.
    due_again: u32,
}

impl Turns {
    const DUE_AGAIN_MAX: u32 = 1_000;

    /// All that was due is done, and this is the next.
    pub(crate) fn end(&mut self, next: Option<(Mono, TimerReason)>, now: Mono) {
        self.due_again = if next.is_some_and(|(due, _)| due <= now) { self.due_again + 1 } else { 0 };
        assert!(self.due_again < Self::DUE_AGAIN_MAX, "due for ever: {next:?} at {now:?}");
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_list_is_in_slot_order() {
        for (slot, reason) in TimerReason::ALL.into_iter().enumerate() {
            assert_eq!(reason as usize, slot);
        }
    }

    #[test]
    fn earliest_first_and_cleared_when_taken() {
        let mut timers = Timers::default();
        assert_eq!(timers.next(), None);
        timers.set(TimerReason::Probe, Mono::from_millis(5));
        timers.set(TimerReason::Retry, Mono::from_millis(3));
        assert_eq!(timers.next(), Some((Mono::from_millis(3), TimerReason::Retry)));
        assert!(!timers.take_due(TimerReason::Retry, Mono::from_millis(2)));
        assert!(timers.take_due(TimerReason::Retry, Mono::from_millis(3)));
        assert!(!timers.take_due(TimerReason::Retry, Mono::from_millis(9)));
        assert_eq!(timers.next(), Some((Mono::from_millis(5), TimerReason::Probe)));
    }
}
