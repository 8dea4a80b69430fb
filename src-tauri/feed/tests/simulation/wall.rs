//! What stands behind the feed: a journal of positions and a fold, and the rules that deliveries must keep.

use std::{collections::BTreeMap, sync::Arc};

use watchfloor_model::{Check, Continuity, Delivery, Position, Snapshot, Timestamp};

use crate::hub::{Chain, Hub};

#[derive(Clone, Debug, Default)]
pub(crate) struct Shown {
    pub(crate) last: Option<Position>,
    pub(crate) chain: Chain,
    /// Whether the chain can be compared: it began at a snapshot, and no gap was left open since.
    pub(crate) exact: bool,
}

#[derive(Clone, Default)]
pub(crate) struct Wall {
    pub(crate) channels: BTreeMap<String, Shown>,
    pub(crate) gaps: u64,
    pub(crate) unknown: u64,
    pub(crate) snapshots: u64,
    pub(crate) checks: u64,
    pub(crate) events: u64,
    last_gap_reason: String,
}

impl Wall {
    pub(crate) fn new(channels: &[String]) -> Self {
        Self { channels: channels.iter().map(|name| (name.clone(), Shown::default())).collect(), ..Self::default() }
    }

    pub(crate) fn positions(&self) -> BTreeMap<Arc<str>, Position> {
        let known = self.channels.iter().filter_map(|(name, shown)| Some((name.as_str().into(), shown.last.clone()?)));
        known.collect()
    }

    pub(crate) fn take(&mut self, delivery: &Delivery, hub: &Hub) -> Result<(), String> {
        match delivery {
            Delivery::Events(events) => {
                if events.is_empty() {
                    return Err("an empty batch".into());
                }
                for event in events {
                    let position = event.position.as_ref().ok_or("an event without position")?;
                    let value =
                        event.data.value().to_value()["v"].as_u64().ok_or("an unreadable event was delivered")?;
                    self.take_event(&event.channel, position, value, hub)?;
                    if event.time != Timestamp::from_millis(1) {
                        return Err("another time".into());
                    }
                }
            }
            Delivery::Snapshot(snapshot) => {
                self.snapshots += 1;
                for (name, shown) in &mut self.channels {
                    let position = snapshot.positions.get(name.as_str()).ok_or("a snapshot lacks a channel")?;
                    if snapshot.since.map(Timestamp::as_millis) != hub.complete[&*position.epoch] {
                        return Err(format!("a snapshot since {:?}, told otherwise by the hub", snapshot.since));
                    }
                    let chain = Chain::of(snapshot, name)?;
                    *shown = Shown { last: Some(position.clone()), chain, exact: true };
                }
            }
            Delivery::Check(check) => self.take_check(check, hub)?,
            Delivery::Restated(_) | Delivery::Recheck(_) => return Err("there is no site".into()),
            Delivery::Gap(gap) => {
                self.gaps += 1;
                self.last_gap_reason.clone_from(&gap.reason);
                if gap.reason.is_empty() || gap.ended < gap.began {
                    return Err(format!("a gap without sense: {gap:?}"));
                }
                if gap.proof == Continuity::Snapshot && hub.knows_nothing_of(gap) {
                    return Err(format!("a snapshot of an empty hub is said to close {gap:?}"));
                }
                let shown = self.channels.get_mut(&*gap.channel).ok_or("an unknown channel")?;
                if gap.proof == Continuity::Unknown {
                    self.unknown += 1;
                    let to = gap.to.clone().ok_or("a gap without an end")?;
                    let from = gap.from.clone().filter(|from| from.epoch == to.epoch);
                    let harmless =
                        from.is_some_and(|from| all_bad(hub, &gap.channel, &to.epoch, from.offset, to.offset));
                    shown.exact &= harmless;
                    shown.last = Some(to);
                }
            }
        }
        Ok(())
    }

    /// H3: a comparison is of exactly what was delivered: the server's state and the later events lead to what is shown.
    fn take_check(&mut self, check: &Check, hub: &Hub) -> Result<(), String> {
        self.checks += 1;
        for (name, shown) in &mut self.channels {
            let place = check.snapshot.positions.get(name.as_str()).ok_or("a check lacks a channel")?;
            let last = shown.last.clone().ok_or("a check of what was never delivered")?;
            let end = check.positions.get(name.as_str()).ok_or("a check without a place")?;
            if end.epoch != last.epoch || !all_bad(hub, name, &end.epoch, last.offset, end.offset) {
                return Err(format!("{name}: a check at {end}, and {last} was delivered"));
            }
            let mut chain = Chain::of(&check.snapshot, name)?;
            let mut offset = place.offset;
            for event in check.later.iter().filter(|event| *event.channel == **name) {
                let position = event.position.as_ref().ok_or("an event without position")?;
                if position.epoch != place.epoch || position.offset <= offset {
                    return Err(format!("{name}: {position} comes later than {offset} in a check"));
                }
                if !all_bad(hub, name, &place.epoch, offset, position.offset - 1) {
                    return Err(format!("{name}: a check leaves out what is before {position}"));
                }
                offset = position.offset;
                chain.fold(event.data.value().to_value()["v"].as_u64().ok_or("an unreadable event")?);
            }
            if shown.exact && chain != shown.chain {
                return Err(format!("{name}: a check finds a drift where there is none: {chain:?}, {:?}", shown.chain));
            }
        }
        Ok(())
    }

    /// H3: each event once, in order; a hole only where nobody can read what stands there.
    fn take_event(&mut self, name: &str, position: &Position, value: u64, hub: &Hub) -> Result<(), String> {
        let shown = self.channels.get_mut(name).ok_or("an event of another channel")?;
        let last = shown.last.clone().unwrap_or_else(|| Position::new(position.epoch.clone(), 0));
        if last.epoch != position.epoch {
            return Err(format!("{name}: {position} after {last} without a gap"));
        }
        if position.offset <= last.offset {
            return Err(format!("{name}: {position} after {last}: twice"));
        }
        if !all_bad(hub, name, &position.epoch, last.offset, position.offset - 1) {
            return Err(format!("{name}: {position} after {last}: a hole without a gap"));
        }
        shown.last = Some(position.clone());
        shown.chain.fold(value);
        self.events += 1;
        Ok(())
    }
}

impl Chain {
    /// The server's fold of a channel.
    fn of(snapshot: &Snapshot, name: &str) -> Result<Self, String> {
        let text = snapshot.aggregates.get(&format!("chain-{name}")).ok_or("no aggregate")?;
        let state: serde_json::Value = serde_json::from_str(text.get()).map_err(|error| error.to_string())?;
        let number = |key: &str| state[key].as_u64().ok_or("no number");
        Ok(Self { count: number("count")?, hash: number("hash")? })
    }
}

/// Whether everything in `after + 1 ..= to` can't be read by anybody.
fn all_bad(hub: &Hub, name: &str, epoch: &str, after: u64, to: u64) -> bool {
    (after + 1..=to).all(|offset| hub.bad.contains(&(name.to_owned(), epoch.to_owned(), offset)))
}
