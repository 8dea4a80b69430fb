//! What a feed delivered, and the rules that deliveries keep (H3): each event once, in order, no hole without a gap, and every
//! word as it was published. From it the reference knows what the board has folded, at any instant.

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::Arc,
};

use serde_json::Value;
use watchfloor_model::{Check, Continuity, Delivery, Event, Gap, Position, Snapshot};

use crate::server::{Form, Published, Server};

/// See the module.
#[derive(Clone, Debug, Default)]
pub struct Ledger {
    names: Vec<Arc<str>>,
    /// Up to where each channel was delivered: epoch and offset.
    pub places: Vec<Option<(u32, u64)>>,
    /// What is folded, in this order.
    pub folded: Vec<Published>,
    /// From when on nothing is missing in what was folded, if a server said so.
    pub since: Option<i64>,
    /// Whether there was a snapshot.
    pub based: bool,
    /// Whether there was a gap since that nothing closed.
    pub unknown: bool,
    /// Whether there was one within a history since, which a comparison closes.
    pub passed: bool,
    /// Gaps by how they were closed: proven, by snapshot, unknown.
    pub gaps: [u64; 3],
    /// Snapshots taken.
    pub snapshots: u64,
    /// Whether the last comparison may have found a difference: something was missing, or came in another order.
    pub may_drift: bool,
    /// Comparisons with the server.
    pub checks: u64,
    /// Events delivered one by one.
    pub events: u64,
    /// Of other servers than hubs: how far each channel's events were delivered, or are said to be missing.
    pub told: Option<Told>,
}

/// What of each channel's story was delivered, whatever its places are called.
#[derive(Clone, Debug)]
pub struct Told {
    /// Each channel's next turn.
    pub turns: Vec<usize>,
    /// Whether a gap was told since the last event, so that what was damaged on its way may be left out.
    open: Vec<bool>,
    /// What was left out behind a gap because it was damaged on its way: sent once more, it may come whole.
    left_out: BTreeSet<(usize, usize)>,
    /// What the feed had of each channel when that was delivered, and the epoch then.
    pub had: Vec<Option<(usize, u32)>>,
    /// The least time that an event may have: a wall clock that is behind makes events as old as itself.
    pub earliest: i64,
}

impl Ledger {
    /// Nothing was delivered.
    #[must_use]
    pub fn new(names: &[Arc<str>]) -> Self {
        Self { names: names.to_vec(), places: vec![None; names.len()], ..Self::default() }
    }

    /// The same of a server that isn't a hub.
    #[must_use]
    pub fn of_dialect(names: &[Arc<str>]) -> Self {
        let count = names.len();
        let (turns, open, had) = (vec![0; count], vec![false; count], vec![None; count]);
        let told = Told { turns, open, left_out: BTreeSet::new(), had, earliest: i64::MAX };
        Self { told: Some(told), ..Self::new(names) }
    }

    /// Gaps of every kind.
    #[must_use]
    pub fn gap_count(&self) -> u64 {
        self.gaps.iter().sum()
    }

    /// Takes a delivery.
    ///
    /// # Errors
    /// If it breaks a rule.
    pub fn take(&mut self, delivery: &Delivery, server: &Server) -> Result<(), String> {
        match delivery {
            Delivery::Events(events) if self.told.is_some() => {
                events.iter().try_for_each(|event| self.take_told(event, server))
            }
            Delivery::Events(events) if events.is_empty() => Err("H3: an empty batch".into()),
            Delivery::Events(events) => events.iter().try_for_each(|event| {
                let position = event.position.as_ref().ok_or("H3: an event without position")?;
                let channel = server.channel(&event.channel).ok_or("H3: an event of another channel")?;
                let published = self.take_event(channel, position, server)?;
                let same = *event.name == *published.said.name
                    && event.time.as_millis() == published.time
                    && **event.data.text() == *published.data();
                if published.form != Form::Good || !same {
                    return Err(format!("H3: {position} was delivered as {event:?}, published as {published:?}"));
                }
                self.folded.push(published);
                self.events += 1;
                Ok(())
            }),
            Delivery::Snapshot(snapshot) => {
                self.snapshots += 1;
                (self.based, self.unknown, self.passed) = (true, false, false);
                self.folded = cut(snapshot, server)?;
                self.since = snapshot.since.map(watchfloor_model::Timestamp::as_millis);
                for (channel, name) in self.names.iter().enumerate() {
                    let place = snapshot.positions.get(name).ok_or("H3: a snapshot lacks a channel")?;
                    self.places[channel] = Some((epoch(place), place.offset));
                }
                Ok(())
            }
            Delivery::Gap(gap) => self.take_gap(gap, server),
            Delivery::Check(check) => self.take_check(check, server),
            Delivery::Restated(_) | Delivery::Recheck(_) => Err("there is no site".to_owned()),
        }
    }

    /// A comparison is of exactly what was delivered: the server's state and the later events lead to what is shown.
    fn take_check(&mut self, check: &Check, server: &Server) -> Result<(), String> {
        self.checks += 1;
        let mut held = cut(&check.snapshot, server)?;
        for event in &check.later {
            let position = event.position.as_ref().ok_or("H3: an event without position")?;
            let channel = server.channel(&event.channel).ok_or("H3: an event of another channel")?;
            held.push(published(channel, position, server).ok_or("H3: a check of what was never published")?);
        }
        let place = |event: &Published| (event.epoch, event.channel, event.offset);
        let places = |events: &[Published]| events.iter().map(place).collect::<Vec<_>>();
        let (theirs, own) = (places(&held), places(&self.folded));
        self.may_drift = theirs != own;
        if self.may_drift && !self.unknown && !self.passed && self.based {
            // What was asked for again comes after other channels' events that came before it.
            let sorted = |mut places: Vec<_>| {
                places.sort_unstable();
                places
            };
            let (held, delivered) = (theirs.len(), own.len());
            if sorted(theirs) != sorted(own) {
                return Err(format!("H3: a check of {held} events, and {delivered} were delivered"));
            }
        }
        self.folded = held;
        self.passed = false;
        Ok(())
    }

    fn take_gap(&mut self, gap: &Gap, server: &Server) -> Result<(), String> {
        if gap.reason.is_empty() || gap.ended < gap.began {
            return Err(format!("H3: a gap without sense: {gap:?}"));
        }
        let channel = server.channel(&gap.channel).ok_or("H3: a gap of an unknown channel")?;
        let kind = match gap.proof {
            Continuity::Proven => 0,
            Continuity::Snapshot => 1,
            Continuity::Unknown => 2,
        };
        self.gaps[kind] += 1;
        let same = gap.from.as_ref().zip(gap.to.as_ref()).is_some_and(|(from, to)| from.epoch == to.epoch);
        match gap.proof {
            Continuity::Proven if !same => Err(format!("H3: nothing proves {gap:?}")),
            Continuity::Proven => Ok(()),
            Continuity::Snapshot => {
                let since = gap.to.as_ref().and_then(|to| *server.sinces.get(&epoch(to))?);
                // The clock is read over a network that may be slow.
                if !same && since.is_some_and(|since| since > server.time(gap.began) + 20_000) {
                    return Err(format!(
                        "H3: a snapshot of a server that knows nothing of it is said to close {gap:?}"
                    ));
                }
                Ok(())
            }
            Continuity::Unknown => {
                if same {
                    self.passed = true;
                } else {
                    self.unknown = true;
                }
                let to = gap.to.as_ref().ok_or("H3: a gap without an end")?;
                self.places[channel] = Some((epoch(to), to.offset));
                Ok(())
            }
        }
    }

    /// An event whose place tells nobody which it is: its body does.
    fn take_told(&mut self, event: &Event, server: &Server) -> Result<(), String> {
        let Some(told) = &mut self.told else { return Ok(()) };
        let channel = server.channel(&event.channel).ok_or("H3: an event of another channel")?;
        let data: Value = serde_json::from_str(event.data.text()).map_err(|error| error.to_string())?;
        let number = data["n"].as_u64().and_then(|number| usize::try_from(number).ok());
        let published = number.and_then(|number| server.events.get(number)).copied();
        let published = published.ok_or_else(|| format!("H3: {event:?} was never published"))?;
        let (name, turn, time) = (&self.names[channel], published.turn, event.time.as_millis());
        let on_time = time == published.time || time < published.time && time >= told.earliest;
        let same = published.channel == channel
            && published.form == Form::Good
            && *event.name == *published.said.name
            && **event.data.text() == *published.data();
        if !same || !on_time {
            return Err(format!("H3: delivered as {event:?}, published as {published:?}"));
        }
        let next = told.turns[channel];
        if told.left_out.contains(&(channel, turn)) {
            told.left_out.retain(|(of, left_out)| *of != channel || *left_out > turn);
            self.folded.push(Published { time, ..published });
            self.events += 1;
            return Ok(());
        }
        if turn < next {
            return Err(format!("H3: {name}: {turn} after {next}: twice, or out of order"));
        }
        let is_open = told.open[channel];
        // Of a history that was lost before the first word nobody can know: it begins with the first event.
        let is_first = next == 0 && event.position.as_ref().is_some_and(|place| place.offset == 1);
        let is_unheard =
            |hole| is_first && server.turn(channel, hole).is_some_and(|event| event.epoch < published.epoch);
        let is_known = |hole: &usize| !is_unheard(*hole) && (!is_open || !is_lost(server, channel, *hole));
        if let Some(hole) = (next..turn).find(is_known) {
            return Err(format!("H3: {name}: {turn} after {next}: a hole at {hole} without a gap"));
        }
        (told.turns[channel], told.open[channel]) = (turn + 1, false);
        told.left_out.retain(|(of, _)| *of != channel);
        self.folded.push(Published { time, ..published });
        self.events += 1;
        Ok(())
    }

    /// A gap was told of a channel that is followed from this turn on.
    pub fn begin(&mut self, gap: &Gap, begun: &[usize], server: &Server) {
        let Some((told, channel)) = self.told.as_mut().zip(server.channel(&gap.channel)) else { return };
        if gap.proof != Continuity::Unknown {
            return;
        }
        let next = &mut told.turns[channel];
        *next = (*next).max(begun.get(channel).copied().unwrap_or(0));
        while *next < server.next_turn(channel) && is_lost(server, channel, *next) {
            told.left_out.insert((channel, *next));
            *next += 1;
        }
        told.open[channel] = true;
    }

    fn take_event(&mut self, channel: usize, position: &Position, server: &Server) -> Result<Published, String> {
        let (epoch, name) = (epoch(position), &self.names[channel]);
        let last = self.places[channel].unwrap_or((epoch, 0));
        if last.0 != epoch {
            return Err(format!("H3: {name}: {position} after e{}:{} without a gap", last.0, last.1));
        }
        if position.offset <= last.1 {
            return Err(format!("H3: {name}: {position} after e{}:{}: twice", last.0, last.1));
        }
        let event = |offset: u64| published(channel, &Position::new(position.epoch.clone(), offset), server);
        if last.1 + 1 < position.offset {
            return Err(format!("H3: {name}: {position} after e{}:{}: a hole without a gap", last.0, last.1));
        }
        self.places[channel] = Some((epoch, position.offset));
        event(position.offset).ok_or_else(|| format!("H3: {name}: {position} was never published"))
    }

    /// The oldest event that the server holds as new and that was not delivered, if there is one: since when something is
    /// missing.
    #[must_use]
    pub fn missing_since(&self, server: &Server) -> Option<watchfloor_model::Mono> {
        if let Some(told) = &self.told {
            let missing = told.turns.iter().enumerate().filter_map(|(channel, next)| {
                let end = server.next_turn(channel);
                let mut rest = (*next..end).filter_map(|turn| server.turn(channel, turn));
                Some(rest.find(|event| event.form == Form::Good)?.at)
            });
            return missing.min();
        }
        let missing = self.places.iter().enumerate().filter_map(|(channel, place)| {
            let log = server.past.get(&(server.epoch, channel)).map_or(&[][..], Vec::as_slice);
            let shown = match place {
                Some((epoch, offset)) if *epoch == server.epoch => *offset,
                Some(_) => return Some(server.epoch_since),
                None => 0,
            };
            let rest = log.get(usize::try_from(shown).unwrap_or(usize::MAX)..).unwrap_or_default();
            let good = rest.iter().map(|number| &server.events[*number]).find(|event| event.form == Form::Good)?;
            Some(good.at)
        });
        missing.min()
    }

    /// Whether something that the server's aggregates hold was never folded.
    #[must_use]
    pub fn lacks(&self, server: &Server) -> bool {
        let held = server.events[server.first..].iter().filter(|event| event.form == Form::Good);
        let mut own: Vec<(u32, usize, u64)> =
            self.folded.iter().map(|event| (event.epoch, event.channel, event.offset)).collect();
        own.sort_unstable();
        held.into_iter().any(|event| own.binary_search(&(event.epoch, event.channel, event.offset)).is_err())
    }
}

/// Whether an event can't be had: nobody can read it, or it was damaged on its way.
fn is_lost(server: &Server, channel: usize, turn: usize) -> bool {
    let is_bad = server.turn(channel, turn).is_some_and(|event| event.form != Form::Good);
    is_bad || server.damaged.contains(&(channel, turn))
}

/// What a snapshot holds.
fn cut(snapshot: &Snapshot, server: &Server) -> Result<Vec<Published>, String> {
    let cut = snapshot.aggregates.get("cut").ok_or("H3: a snapshot without its cut")?;
    let cut: BTreeMap<String, usize> = serde_json::from_str(cut.get()).map_err(|error| error.to_string())?;
    let held = &server.events[cut["first"]..cut["end"]];
    Ok(held.iter().filter(|event| event.form == Form::Good).copied().collect())
}

fn published(channel: usize, position: &Position, server: &Server) -> Option<Published> {
    let log = server.past.get(&(epoch(position), channel))?;
    let number = log.get(usize::try_from(position.offset.checked_sub(1)?).ok()?)?;
    server.events.get(*number).copied()
}

fn epoch(position: &Position) -> u32 {
    position.epoch.strip_prefix('e').and_then(|text| text.parse().ok()).unwrap_or(0)
}
