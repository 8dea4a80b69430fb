//! The server, as its contract says: channels with bounded history, epochs, cursors, snapshots.

use std::collections::{BTreeMap, BTreeSet};

use watchfloor_model::{Gap, Mono};

/// What a channel's events fold to: their number and a hash of their values in order.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Chain {
    pub(crate) count: u64,
    pub(crate) hash: u64,
}

impl Chain {
    pub(crate) fn fold(&mut self, value: u64) {
        self.count += 1;
        self.hash = self.hash.wrapping_mul(0x100_0000_01B3).wrapping_add(value);
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Entry {
    Good(u64),
    /// A number out of range: the event's place can be read.
    BadData,
    /// A broken line: not even its place can be read.
    Garbage,
}

#[derive(Default)]
pub(crate) struct Channel {
    /// Every event of this epoch, also those that history has dropped.
    pub(crate) log: Vec<(Entry, Mono)>,
    /// History holds what comes after this offset.
    pub(crate) trimmed: u64,
    pub(crate) chain: Chain,
}

impl Channel {
    pub(crate) fn head(&self) -> u64 {
        self.log.len() as u64
    }
}

pub(crate) struct Hub {
    pub(crate) channels: BTreeMap<String, Channel>,
    epochs: u64,
    pub(crate) epoch_since: Mono,
    /// From when on each epoch's aggregates miss nothing, by the hub's time; null while they have everything.
    pub(crate) complete: BTreeMap<String, Option<i64>>,
    /// Events that no client can take.
    pub(crate) bad: BTreeSet<(String, String, u64)>,
    /// Snapshots of the past, for a cache that answers with one.
    pub(crate) past: Vec<String>,
}

/// A place in one channel's history.
pub(crate) type Cursor = (String, u64);

impl Hub {
    pub(crate) fn new(channels: &[String]) -> Self {
        Self {
            channels: channels.iter().map(|name| (name.clone(), Channel::default())).collect(),
            epochs: 1,
            epoch_since: Mono::ZERO,
            complete: BTreeMap::from([("e1".to_owned(), None)]),
            bad: BTreeSet::new(),
            past: Vec::new(),
        }
    }

    pub(crate) fn epoch(&self) -> String {
        format!("e{}", self.epochs)
    }

    pub(crate) fn publish(&mut self, name: &str, entry: Entry, now: Mono) {
        let epoch = self.epoch();
        let channel = self.channels.get_mut(name).expect("a known channel");
        channel.log.push((entry, now));
        match entry {
            Entry::Good(value) => channel.chain.fold(value),
            Entry::BadData | Entry::Garbage => {
                self.bad.insert((name.to_owned(), epoch, channel.head()));
            }
        }
        if channel.log.len().is_multiple_of(16) {
            self.past.push(self.snapshot(now));
        }
    }

    /// History is lost: a new epoch. `empty` if the aggregates are lost too.
    pub(crate) fn begin_epoch(&mut self, empty: bool, now: Mono) {
        let before = self.complete[&self.epoch()];
        self.epochs += 1;
        self.epoch_since = now;
        self.complete.insert(self.epoch(), if empty { Some(clock_ms(now)) } else { before });
        for channel in self.channels.values_mut() {
            let chain = if empty { Chain::default() } else { channel.chain };
            *channel = Channel { chain, ..Channel::default() };
        }
    }

    /// Whether the aggregates of the history in which a gap ends began well after the gap.
    pub(crate) fn knows_nothing_of(&self, gap: &Gap) -> bool {
        let since = gap.to.as_ref().and_then(|to| self.complete[&*to.epoch]);
        let same = gap.from.as_ref().zip(gap.to.as_ref()).is_some_and(|(from, to)| from.epoch == to.epoch);
        // The clock is read over a network that may be slow.
        since.is_some_and(|since| !same && since > clock_ms(gap.began) + 20_000)
    }

    pub(crate) fn trim(&mut self, keep: u64) {
        for channel in self.channels.values_mut() {
            channel.trimmed = channel.trimmed.max(channel.head().saturating_sub(keep));
        }
    }

    /// A subscription's answer and cursor.
    pub(crate) fn subscribe(&self, name: &str, place: Option<&str>) -> (String, Cursor) {
        let channel = &self.channels[name];
        let (epoch, head) = (self.epoch(), channel.head());
        let asked = place.map(|place| place.rsplit_once(':').expect("a position"));
        let asked = asked.map(|(epoch, offset)| (epoch, offset.parse::<u64>().expect("an offset")));
        let (from, reason) = match asked {
            None => (head, "fresh"),
            Some((of, _)) if of != epoch => (head, "epoch-changed"),
            Some((_, offset)) if offset > head => (head, "ahead"),
            Some((_, offset)) if offset < channel.trimmed => (head, "trimmed"),
            Some((_, offset)) => (offset, ""),
        };
        let recovered = reason.is_empty();
        let reason = if recovered { "null".to_owned() } else { format!("\"{reason}\"") };
        let line = format!(
            r#"{{"type":"subscribed","channel":"{name}","head":"{epoch}:{head}","from":"{epoch}:{from}","recovered":{recovered},"reason":{reason}}}"#
        );
        (line, (epoch, from))
    }

    /// What comes after a cursor, at most `most` lines; moves it.
    pub(crate) fn read(&self, name: &str, cursor: &mut Cursor, most: usize) -> Vec<String> {
        let channel = &self.channels[name];
        let (epoch, head) = (self.epoch(), channel.head());
        let reason = match cursor {
            (of, _) if *of != epoch => "epoch-changed",
            (_, offset) if *offset < channel.trimmed => "slow",
            _ => "",
        };
        if !reason.is_empty() {
            let (of, offset) = std::mem::replace(cursor, (epoch.clone(), head));
            return vec![format!(
                r#"{{"type":"lost","channel":"{name}","from":"{of}:{offset}","head":"{epoch}:{head}","reason":"{reason}"}}"#
            )];
        }
        let first = cursor.1;
        let last = head.min(first + most as u64);
        cursor.1 = last;
        (first..last).map(|index| self.line(name, &epoch, index + 1, channel.log[index as usize].0)).collect()
    }

    fn line(&self, name: &str, epoch: &str, offset: u64, entry: Entry) -> String {
        let data = match entry {
            Entry::Good(value) => value.to_string(),
            Entry::BadData => "1e999".to_owned(),
            Entry::Garbage => return r#"{"type":"event","channel":"#.to_owned(),
        };
        format!(
            r#"{{"type":"event","channel":"{name}","position":"{epoch}:{offset}","name":"n","time":1,"data":{{"v":{data}}}}}"#
        )
    }

    pub(crate) fn heartbeat(&self, cursors: &BTreeMap<String, Cursor>, now: Mono) -> String {
        let channels: Vec<String> = cursors
            .iter()
            .map(|(name, (epoch, offset))| {
                let behind = if *epoch == self.epoch() { self.channels[name].head() - offset } else { 0 };
                format!(r#""{name}":{{"head":"{epoch}:{offset}","behind":{behind},"idle_ms":5}}"#)
            })
            .collect();
        format!(r#"{{"type":"heartbeat","clock":{},"channels":{{{}}}}}"#, clock(now), channels.join(","))
    }

    pub(crate) fn snapshot(&self, now: Mono) -> String {
        let positions: Vec<String> = self
            .channels
            .iter()
            .map(|(name, channel)| format!(r#""{name}":"{}:{}""#, self.epoch(), channel.head()))
            .collect();
        let chains: Vec<String> = self
            .channels
            .iter()
            .map(|(name, Channel { chain, .. })| {
                format!(r#""chain-{name}":{{"count":{},"hash":{}}}"#, chain.count, chain.hash)
            })
            .collect();
        format!(
            r#"{{"positions":{{{}}},"clock":{},"since":{},"aggregates":{{{}}}}}"#,
            positions.join(","),
            clock(now),
            self.complete[&self.epoch()].map_or_else(|| "null".to_owned(), |since| since.to_string()),
            chains.join(",")
        )
    }
}

pub(crate) fn clock(now: Mono) -> String {
    format!(r#"{{"now":{},"speed":1,"label":null}}"#, clock_ms(now))
}

fn clock_ms(now: Mono) -> i64 {
    1_360_335_600_000 + i64::try_from(now.as_micros() / 1000).expect("a short run")
}
