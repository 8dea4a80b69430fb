//! Places of what a server doesn't number: counted here, in an epoch that no other link shares, so that nothing is proven by
//! them but the order on one link. Where the server names its events, the name is kept as the place's mark, and a link that is
//! proven to go on after it goes on counting in the same epoch.

use std::sync::Arc;

use watchfloor_model::{MARK_BYTES_MAX, Position};

use super::{Beat, Signal};

/// What epochs that are counted here begin with.
const OWN: &str = "link-";

/// The places on one link.
#[derive(Debug)]
pub(crate) struct Counted {
    seed: u64,
    /// How often the subscriptions began again.
    turns: u64,
    epoch: Arc<str>,
    /// By channel; none until it is subscribed.
    at: Vec<Option<Position>>,
}

impl Counted {
    /// Of so many channels, none of them subscribed. `seed` differs from link to link.
    pub(crate) fn new(channels: usize, seed: u64) -> Self {
        Self { seed, turns: 0, epoch: format!("{OWN}{seed:016x}").into(), at: vec![None; channels] }
    }

    /// Forgets the subscriptions: what comes before the next one is nobody's. What comes by that has places of another epoch, or
    /// those that come again would be taken for what was delivered.
    pub(crate) fn begin_again(&mut self) {
        if self.at.iter().all(Option::is_none) {
            return;
        }
        self.turns += 1;
        self.epoch = format!("{OWN}{:016x}-{}", self.seed, self.turns).into();
        self.at.fill(None);
    }

    /// A subscription that joins nothing, and why.
    pub(crate) fn subscribed(&mut self, channel: usize, reason: &str) -> Signal {
        self.subscribed_after(channel, None, reason)
    }

    /// The same, after an event of which the mark is known.
    pub(crate) fn subscribed_after(&mut self, channel: usize, mark: Option<&str>, reason: &str) -> Signal {
        let mut place = Position::new(self.epoch.clone(), 0);
        place.mark = mark.filter(|mark| mark.len() <= MARK_BYTES_MAX).map(Into::into);
        self.at[channel] = Some(place.clone());
        let reason = Some(reason.to_owned());
        Signal::Subscribed { channel, head: place.clone(), from: place, recovered: false, reason }
    }

    /// A subscription that is proven to go on after `place`.
    pub(crate) fn resumed(&mut self, channel: usize, place: Position) -> Signal {
        self.at[channel] = Some(place.clone());
        Signal::Subscribed { channel, head: place.clone(), from: place, recovered: true, reason: None }
    }

    /// The place of the next event of a channel, if it is subscribed. A longer mark than can be kept is none.
    pub(crate) fn next(&mut self, channel: usize, mark: Option<&str>) -> Option<Position> {
        self.next_marked(channel, mark.filter(|mark| mark.len() <= MARK_BYTES_MAX).map(Into::into))
    }

    /// The same with a mark that is kept elsewhere as well.
    pub(crate) fn next_marked(&mut self, channel: usize, mark: Option<Arc<str>>) -> Option<Position> {
        let at = self.at.get_mut(channel)?.as_mut()?;
        at.offset = at.offset.saturating_add(1);
        at.mark = mark.filter(|mark| mark.len() <= MARK_BYTES_MAX);
        Some(at.clone())
    }

    /// So many events of a channel are missing: its place after them, if it is subscribed.
    pub(crate) fn skip(&mut self, channel: usize, count: u64, mark: Option<&str>) -> Option<Position> {
        let at = self.at.get_mut(channel)?.as_mut()?;
        at.offset = at.offset.saturating_add(count.saturating_sub(1));
        self.next(channel, mark)
    }

    /// Where a channel stands, if it is subscribed.
    pub(crate) fn at(&self, channel: usize) -> Option<&Position> {
        self.at.get(channel)?.as_ref()
    }

    /// Everything up to here has been sent, by the server's own word; none until all channels are subscribed.
    pub(crate) fn beat(&self) -> Option<Signal> {
        let beat = |(channel, at): (usize, &Option<Position>)| {
            Some(Beat { channel, head: at.clone()?, behind: 0, idle: None })
        };
        let beats = self.at.iter().enumerate().map(beat).collect::<Option<Vec<_>>>()?;
        Some(Signal::Heartbeat { clock: None, beats })
    }
}

/// Whether a place was counted here.
pub(crate) fn is_counted(place: &Position) -> bool {
    place.epoch.starts_with(OWN)
}
