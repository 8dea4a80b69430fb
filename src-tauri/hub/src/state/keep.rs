//! What the state does with a store: what it has to be told, what comes of it when that is kept, and how a start takes all of it up again.

use std::{
    collections::{BTreeMap, BTreeSet, VecDeque},
    sync::Arc,
};

use serde::Deserialize;
use serde_json::value::RawValue;
use watchfloor_board::config::spec::FoldSpec;
use watchfloor_model::{Event, Mono, Payload, Position, Timestamp};

use super::{Released, State, StateLimits, Unkept};
use crate::{
    channel::{Entry, Hole, Ring},
    clock::Now,
    idempotency::{Keys, Repeats},
    ledger::{Missing, Resumed},
    limits,
    rules::{Durability, Rules},
    store::{Batch, Checkpoint, Loaded, Outbox, Stand, Stored, StoredChannel, StoredKey, Write},
};

impl State {
    /// What is told to a store from now on goes by these rules. It has to be told everything first.
    pub(crate) fn be_kept(&mut self, rules: Rules) {
        let mut outbox = Outbox::new(rules, self.serial);
        outbox.begins = true;
        self.outbox = Some(outbox);
    }

    /// Why nothing can be published at present.
    pub(super) fn keeps_nothing(&self) -> Option<Unkept> {
        let outbox = self.outbox.as_ref()?;
        if outbox.fails() {
            return Some(Unkept::Failing);
        }
        outbox.is_full().then_some(Unkept::Full)
    }

    /// Whether nothing may be acknowledged on one of these channels before the store has caught up.
    pub(crate) fn owes(&mut self, channels: &BTreeSet<Arc<str>>, now: Mono) -> bool {
        self.outbox.as_mut().is_some_and(|outbox| outbox.owes(now) && outbox.is_fast(channels))
    }

    /// The store fails, or does no more.
    pub(crate) fn store_fails(&mut self, fails: bool) {
        if let Some(outbox) = &mut self.outbox {
            outbox.fail(fails);
        }
    }

    /// Whether it does.
    pub(crate) fn fails(&self) -> bool {
        self.outbox.as_ref().is_some_and(Outbox::fails)
    }

    /// Whether there is something for the store.
    pub(crate) fn has_news(&self) -> bool {
        self.outbox.as_ref().is_some_and(|outbox| !outbox.is_empty())
    }

    /// Channels to which nothing was published for a while give back the offsets that they don't use. Says whether others may later.
    pub(crate) fn give_back(&mut self, now: Mono) -> bool {
        let Some(outbox) = &mut self.outbox else { return false };
        let mut later = false;
        let mut quiet = Vec::new();
        for (channel, reserved) in outbox.reserved() {
            let Some(ring) = self.rings.get(channel).filter(|ring| ring.taken() < reserved) else { continue };
            let newest = ring.entries().last().map_or(Mono::ZERO, |entry| entry.at);
            if ring.head() == ring.taken() && now.since(newest) >= limits::RESERVE_QUIET {
                quiet.push((channel.clone(), ring.taken()));
            } else {
                later = true;
            }
        }
        quiet.iter().for_each(|(channel, taken)| outbox.give_back(channel, *taken));
        later
    }

    /// Whether something is waited for that only the store can give.
    pub(crate) fn is_waited_for(&self) -> bool {
        !self.unreleased.is_empty()
    }

    /// Everything up to this number is kept.
    pub(crate) fn kept(&self) -> u64 {
        self.outbox.as_ref().map_or(self.serial, Outbox::kept)
    }

    /// The store has to be told everything anew: what it had is gone.
    pub(crate) fn begin_store_anew(&mut self) {
        if let Some(outbox) = &mut self.outbox {
            outbox.begins = true;
        }
    }

    /// Takes what waits for the store. What is taken is either kept, or offered again until it is.
    pub(crate) fn take_batch(&mut self, with_checkpoint: bool, is_last: bool, now: Now) -> Option<Batch> {
        let mut outbox = self.outbox.take()?;
        let begins = std::mem::take(&mut outbox.begins).then(|| self.ledger.epoch().clone());
        let waiting = outbox.take_writes();
        let writes = if begins.is_some() { self.everything(&mut outbox, now) } else { waiting };
        // Events that aren't folded yet stay, and so do those that the history lets go of.
        let folded = self.unreleased.front().map_or(self.serial, |next| next.number.serial - 1);
        let stand = |(channel, ring): (&Arc<str>, &Ring)| Stand {
            channel: channel.clone(),
            head: ring.taken(),
            first: ring.first(),
        };
        let with_checkpoint = with_checkpoint | std::mem::take(&mut outbox.wants_checkpoint);
        let checkpoint = (with_checkpoint || is_last || begins.is_some()).then(|| Checkpoint {
            serial: folded,
            aggregates: self.ledger.kept(),
            basis: self.ledger.basis(now),
            stands: self.rings.iter().map(stand).collect(),
            gone: outbox.take_gone(folded),
            keys_from: now.wall.minus(self.limits.key_age),
            keys_max: self.limits.keys_max,
            stands_from: now.wall,
        });
        self.outbox = Some(outbox);
        Some(Batch { begins, writes, serial: self.serial, checkpoint, is_last })
    }

    /// All that a store has to know.
    fn everything(&self, outbox: &mut Outbox, now: Now) -> Vec<Write> {
        let wall_of = |at: Mono| now.wall.minus(now.mono.since(at));
        let mut writes: Vec<Write> = outbox.reserves().collect();
        for (channel, ring) in &self.rings {
            writes.extend(ring.holes().map(|hole| Write::Hole { channel: channel.clone(), hole: *hole }));
            if outbox.durability(channel) == Durability::Memory {
                continue;
            }
            writes.extend(ring.entries().map(|entry| {
                let (channel, number, line) = (channel.clone(), entry.number(), entry.line.clone());
                Write::Event(Stored { channel, number, at: wall_of(entry.at), hub: entry.hub, line })
            }));
        }
        writes.extend(self.keys.answers().map(|(key, digest, positions, at)| {
            Write::Key(StoredKey { key: key.clone(), digest, positions: positions.clone(), at: wall_of(at) })
        }));
        writes.extend(self.standing.all().cloned().map(Write::Stand));
        outbox.reserves_are_written();
        writes
    }

    /// The batch that was taken last is kept.
    pub(crate) fn keep(&mut self, serial: u64) -> Released {
        if let Some(outbox) = &mut self.outbox {
            outbox.keep(serial);
        }
        self.release()
    }
}

/// A start that takes up what a store has kept.
pub(crate) struct Resuming {
    epoch: Arc<str>,
    limits: StateLimits,
    rules: Rules,
    now: Now,
    serial: u64,
    resumed: Resumed,
    channels: BTreeMap<Arc<str>, Resumable>,
    keys: Vec<StoredKey>,
    repeats: Repeats,
}

/// A channel that is taken up again.
#[derive(Default)]
struct Resumable {
    entries: VecDeque<Entry>,
    head: u64,
    reserved: u64,
    holes: VecDeque<Hole>,
    /// The offset and the hub's time of the oldest event kept.
    oldest: Option<(u64, Timestamp)>,
}

impl Resuming {
    pub(crate) fn new(loaded: Loaded, limits: StateLimits, specs: Vec<FoldSpec>, rules: Rules, now: Now) -> Self {
        let Loaded { epoch, basis, checkpoint, serial, channels, keys } = loaded;
        let resumed = Resumed::new(epoch.clone(), specs, &basis, checkpoint, now);
        let resumable = |channel: StoredChannel| {
            let (head, reserved, holes) = (channel.head, channel.reserved, channel.holes.into());
            (channel.name, Resumable { head, reserved, holes, ..Resumable::default() })
        };
        let channels = channels.into_iter().map(resumable).collect();
        let repeats = Repeats::new(limits.repeats_age);
        Self { epoch, limits, rules, now, serial, resumed, channels, keys, repeats }
    }

    /// The next event that was kept. They come in the order in which the hub took them.
    ///
    /// # Errors
    /// If it isn't what a hub has written.
    pub(crate) fn take(&mut self, stored: Stored) -> Result<(), String> {
        let Stored { channel, number, at, hub, line } = stored;
        let at = self.mono_of(at);
        // Few events have an id, and what else looks like one is only read in vain.
        let may_repeat = !self.limits.repeats_age.is_zero() && line.contains(r#","id":""#);
        let is_folded = self.resumed.wants(number.serial);
        if is_folded || may_repeat {
            let event = read(&line).map_err(|error| format!("event {}: {error}", number.serial))?;
            if is_folded {
                self.resumed.fold(&event, number.serial, hub);
            }
            let id = event.id.as_deref();
            if let Some(known) = self.repeats.trait_of(&event.channel, &event.name, id, Some(event.time)) {
                self.repeats.remember(known, number, at);
            }
        }
        self.serial = self.serial.max(number.serial);
        let resumable = self.channels.entry(channel).or_default();
        let newest = resumable.entries.back().map_or(0, |entry| entry.offset);
        if number.offset <= newest {
            return Err(format!("event {}: offset {} comes after {newest}", number.serial, number.offset));
        }
        resumable.head = resumable.head.max(number.offset);
        resumable.oldest = resumable.oldest.or(Some((number.offset, hub)));
        resumable.entries.push_back(Entry::new(line, number, hub, at, None));
        Ok(())
    }

    fn mono_of(&self, at: Timestamp) -> Mono {
        let age = self.now.wall.since(at);
        Mono::from_micros(self.now.mono.as_micros().saturating_sub(u64::try_from(age.as_micros()).unwrap_or(u64::MAX)))
    }

    /// The hub as it goes on. What a crash has taken is a hole in each channel that it may have taken something of.
    pub(crate) fn finish(mut self) -> State {
        let time = self.resumed.time(self.now);
        let mut missing = BTreeMap::new();
        let mut outbox = Outbox::new(self.rules.clone(), self.serial);
        let mut rings = BTreeMap::new();
        let mut heard = Vec::new();
        for (channel, resumable) in std::mem::take(&mut self.channels) {
            let Resumable { entries, mut head, reserved, mut holes, oldest } = resumable;
            // A channel that isn't written any more begins with what comes.
            let is_kept = outbox.durability(&channel) != Durability::Memory;
            let since = |first: u64, at: Timestamp| (first > 1).then_some(at);
            let oldest = oldest.map_or_else(|| since(head + 1, time), |(first, at)| since(first, at));
            let mut lost =
                Missing { ever: holes.iter().map(|hole| Some(hole.since)).max().flatten().max(oldest), new: None };
            if reserved > head {
                match holes.back_mut() {
                    Some(last) if last.upto == head => (last.upto, last.since) = (reserved, time),
                    _ => holes.push_back(Hole { after: head, upto: reserved, since: time }),
                }
                let hole = holes.back().copied();
                outbox.write_hole(&channel, hole);
                head = reserved;
                lost = Missing { ever: lost.ever.max(Some(time)), new: Some(time) };
            }
            if let Some(newest) = entries.back() {
                heard.push((channel.clone(), newest.at));
            }
            missing.insert(channel.clone(), lost);
            let entries = if is_kept { entries } else { VecDeque::new() };
            rings.insert(channel, Ring::restored(entries, head, holes));
        }
        let mut ledger = self.resumed.finish(&missing);
        for (channel, ring) in &rings {
            ledger.stand(channel, ring.head());
        }
        heard.iter().for_each(|(channel, at)| ledger.hear(channel, *at));
        let mut keys = Keys::new(self.limits.keys_max, self.limits.key_age);
        for StoredKey { key, digest, positions, at } in &self.keys {
            let age = self.now.wall.since(*at);
            let at = self.now.mono.as_micros().saturating_sub(u64::try_from(age.as_micros()).unwrap_or(u64::MAX));
            keys.remember(key, *digest, positions.clone(), Mono::from_micros(at));
        }
        let mut state = State::new(self.epoch, self.limits, Vec::new(), self.now);
        state.bytes = rings.values().map(Ring::bytes).sum();
        (state.ledger, state.rings, state.keys, state.serial) = (ledger, rings, keys, self.serial);
        state.repeats = self.repeats;
        state.outbox = Some(outbox);
        state.trim(self.now.mono);
        state.trim_total();
        state
    }
}

/// An event, from its message.
pub(super) fn read(line: &str) -> Result<Event, String> {
    #[derive(Deserialize)]
    struct Line<'a> {
        channel: Arc<str>,
        position: Position,
        name: Arc<str>,
        time: Timestamp,
        id: Option<Arc<str>>,
        #[serde(borrow)]
        data: &'a RawValue,
    }
    let Line { channel, position, name, time, id, data } =
        serde_json::from_str(line).map_err(|error| error.to_string())?;
    let data = Payload::parse(data.get()).map_err(|error| error.to_string())?;
    Ok(Event { channel, name, id, position: Some(position), time, received: Mono::ZERO, data })
}
