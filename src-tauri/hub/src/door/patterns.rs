//! Readers who ask for channels by the beginning of their names.

use super::{Reader, Unsubscribed};
use crate::cursor::Places;

impl Reader {
    /// Asks for all channels of these patterns, those that there are and those that come to be.
    pub(super) fn ask_by(&mut self, patterns: Places) -> Result<(), Unsubscribed> {
        if patterns.is_empty() {
            return Ok(());
        }
        for (pattern, place) in patterns {
            self.subscription.ask_by(pattern, place);
        }
        // Before it looks: what comes to be in between wakes it.
        self.waker.watch_for(self.subscription.patterns());
        self.take_in()
    }

    /// Takes in what has come to be since it looked last. What a site is asked about isn't given to who doesn't name it, nor is what is revoked,
    /// and who reads by a pattern is nobody there.
    ///
    /// # Errors
    /// If there are more than there is room for.
    pub(super) fn take_in(&mut self) -> Result<(), Unsubscribed> {
        if self.subscription.patterns().next().is_none() {
            return Ok(());
        }
        let (hub, id) = (self.hub.clone(), self.seat.id());
        {
            let mut state = hub.state();
            let come =
                self.subscription.come_to_be(state.ledger(), |channel| !hub.authoriser.is_answered(channel, None));
            if come.is_empty() {
                return Ok(());
            }
            let now = hub.now();
            self.subscription.come(now.mono);
            for (channel, place) in come {
                match state.give(id, [(&channel, None)], now) {
                    Ok(()) => self.subscription.join(channel, place).map_err(Unsubscribed::TooMany)?,
                    Err(_) => {
                        self.subscription.pass(channel);
                        self.subscription.has_room_for(&Places::new()).map_err(Unsubscribed::TooMany)?;
                    }
                }
            }
        }
        self.waker.watch(self.subscription.channels());
        Ok(())
    }
}
