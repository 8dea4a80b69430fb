//! Nodes and their devices, as far as one link knows them.

use std::{
    collections::{BTreeMap, HashMap},
    sync::Arc,
    time::Duration,
};

use serde_json::{Map, Value as Json, json};
use watchfloor_model::{Mono, Timestamp, limits::DATA_BYTES_MAX};

use super::{
    payload::{self, Metric, Payload},
    topic::{self, Found, Kind, Topic},
    wire::Malformed,
};
use crate::{fault::cut, protocols::Moment};

/// Most nodes that are known at once.
const NODES_MAX: usize = 2048;
/// Most devices of one.
const DEVICES_MAX: usize = 1024;
/// What is remembered of all metrics' names, in bytes.
const NAMES_BYTES_MAX: usize = 16 << 20;
/// What a metric takes besides its name, in bytes, about.
const METRIC_BYTES: usize = 128;
/// How long a birth is waited for before a node is asked for it, so that of many walls one asks; and as much again, spread.
const PATIENCE: Duration = Duration::from_secs(2);
/// How long until it is asked again.
const ASK_PERIOD: Duration = Duration::from_secs(60);
/// Most nodes that are asked at once.
const ASKED_MAX: usize = 16;
/// What the name of an event begins with that tells what was once.
const HISTORICAL: &str = "#historical/";

/// What a message comes to.
#[derive(Debug, Default)]
pub(in super::super) struct Said {
    /// Events to be told, in order.
    pub(in super::super) events: Vec<Told>,
    /// Something is missing before them.
    pub(in super::super) missing: Option<String>,
    /// Something of the message itself can't be read.
    pub(in super::super) unread: Option<String>,
}

/// An event.
#[derive(Debug)]
pub(in super::super) struct Told {
    pub(in super::super) name: String,
    pub(in super::super) time: Timestamp,
    pub(in super::super) body: String,
}

/// A command to be published.
#[derive(Debug)]
pub(in super::super) struct Ask {
    pub(in super::super) topic: String,
    pub(in super::super) payload: Vec<u8>,
}

/// All nodes.
#[derive(Debug)]
pub(in super::super) struct Nodes {
    /// Whether they may be asked for births.
    asks: bool,
    seed: u64,
    /// By group and node.
    nodes: BTreeMap<String, Node>,
    names_bytes: usize,
}

#[derive(Debug, Default)]
struct Node {
    own: Life,
    /// The number by which its death is told from that of one before.
    session: Option<u64>,
    /// The number of its last message, since a birth.
    seq: Option<u8>,
    /// Nothing is missing since its birth.
    is_whole: bool,
    devices: BTreeMap<String, Life>,
    /// What short names stand for.
    aliases: HashMap<u64, (Arc<str>, Option<u64>)>,
    /// What its names and those of its devices come to.
    bytes: usize,
    wants: Option<Wants>,
}

/// A node or a device.
#[derive(Debug, Default)]
struct Life {
    /// Its values are good.
    is_good: bool,
    /// The time of its newest event.
    newest: Option<Timestamp>,
    /// The types of its metrics.
    types: HashMap<Arc<str>, u64>,
    /// Its short names.
    aliases: Vec<u64>,
    /// What its names come to.
    bytes: usize,
}

/// A birth is wanted.
#[derive(Clone, Copy, Debug)]
struct Wants {
    next: Mono,
}

impl Nodes {
    pub(in super::super) fn new(asks: bool, seed: u64) -> Self {
        Self { asks, seed, nodes: BTreeMap::new(), names_bytes: 0 }
    }

    /// Takes a message; none if it is none of Sparkplug's. `is_old` if it may be from before: the broker kept it.
    pub(in super::super) fn take(&mut self, topic: &str, bytes: &[u8], is_old: bool, now: Moment) -> Option<Said> {
        let topic = match topic::read(topic) {
            Found::Other => return None,
            Found::Command => return Some(Said::default()),
            Found::Node(topic) => topic,
        };
        let mut said = Said::default();
        match payload::read(bytes) {
            Ok(payload) => self.message(&topic, &payload, is_old || topic.is_certificate, now, &mut said),
            Err(Malformed(why)) => {
                self.unread_death(&topic, is_old, now, &mut said);
                said.unread =
                    Some(format!("{} of {} is no Sparkplug payload: {why}", topic.message, cut(&topic.name())));
            }
        }
        Some(said)
    }

    /// Takes a message that can't be had, and why; none if no more is to be said of it than that.
    pub(in super::super) fn take_unread(&mut self, topic: &str, why: &str, is_old: bool, now: Moment) -> Option<Said> {
        let Found::Node(topic) = topic::read(topic) else { return None };
        if topic.kind != Kind::Death {
            return None;
        }
        let mut said = Said::default();
        self.unread_death(&topic, is_old, now, &mut said);
        said.unread = Some(format!("{} of {}: {why}", topic.message, cut(&topic.name())));
        Some(said)
    }

    /// The topic alone says who died. What can't be read is taken for the next of its row: the one after it shows whether it was.
    fn unread_death(&mut self, topic: &Topic<'_>, is_old: bool, now: Moment, said: &mut Said) {
        if topic.kind != Kind::Death {
            return;
        }
        let last = self.nodes.get(&topic.node_name()).and_then(|node| node.seq);
        let seq = last.map(|last| last.wrapping_add(1).into());
        self.message(topic, &Payload { seq, ..Payload::default() }, is_old || topic.is_certificate, now, said);
    }

    fn message(&mut self, topic: &Topic<'_>, payload: &Payload<'_>, is_old: bool, now: Moment, said: &mut Said) {
        let name = topic.node_name();
        if !self.nodes.contains_key(&name) {
            if self.nodes.len() >= NODES_MAX {
                said.unread = Some(format!("more than {NODES_MAX} nodes"));
                return;
            }
            self.nodes.insert(name.clone(), Node::default());
        }
        let Some(node) = self.nodes.get_mut(&name) else { return };
        // What is new says more than what was kept.
        if is_old && node.is_whole {
            return;
        }
        let before = node.bytes;
        let budget = (NAMES_BYTES_MAX + before).saturating_sub(self.names_bytes);
        // An encoder may leave out what is zero.
        let seq = (payload.seq.unwrap_or_default() & 0xFF) as u8;
        match (topic.kind, topic.device) {
            (Kind::Death, None) => node.died(topic, payload, now, said),
            (Kind::Birth, None) => {
                node.begin(topic, now, said);
                node.session = session(payload);
                (node.seq, node.is_whole) = (Some(seq).filter(|_| !is_old), !is_old);
                node.born(topic, payload, budget, now, said);
            }
            (kind, _) => {
                // A birth that was kept is out of turn.
                if !is_old {
                    node.follow(seq, topic, now, said);
                }
                match kind {
                    Kind::Birth => node.born(topic, payload, budget, now, said),
                    Kind::Data => node.data(topic, payload, now, said),
                    Kind::Death => node.device_died(topic, payload, now, said),
                }
            }
        }
        self.names_bytes = (self.names_bytes + node.bytes).saturating_sub(before);
        let is_known = topic.device.is_none_or(|device| node.devices.get(device).is_some_and(|life| life.is_good));
        if topic.kind == Kind::Death || node.is_whole && is_known {
            node.wants = node.wants.filter(|_| !node.is_whole);
        } else if node.wants.is_none() {
            let spread = self.seed.wrapping_mul(0x9E37_79B9_7F4A_7C15) >> 44;
            let spread = PATIENCE.mul_f64(spread as f64 / f64::from(1 << 20));
            node.wants = Some(Wants { next: now.mono.plus(PATIENCE + spread) });
        }
    }

    /// Which nodes are to be asked for their births now.
    pub(in super::super) fn asks(&mut self, now: Moment) -> Vec<Ask> {
        if !self.asks {
            return Vec::new();
        }
        let mut due = self.nodes.iter_mut().filter_map(|(name, node)| {
            let wants = node.wants.as_mut().filter(|wants| wants.next <= now.mono)?;
            wants.next = now.mono.plus(ASK_PERIOD);
            let (group, node) = name.split_once('/')?;
            let time = u64::try_from(now.wall.as_millis()).unwrap_or_default();
            Some(Ask { topic: format!("spBv1.0/{group}/NCMD/{node}"), payload: payload::rebirth(time) })
        });
        due.by_ref().take(ASKED_MAX).collect()
    }
}

impl Life {
    /// Its metrics are none any more: what they came to, and what they were called for short.
    fn forget(&mut self) -> (usize, Vec<u64>) {
        self.types.clear();
        (std::mem::take(&mut self.bytes), std::mem::take(&mut self.aliases))
    }
}

/// By which a death is matched with its birth.
fn session(payload: &Payload<'_>) -> Option<u64> {
    payload.metrics.iter().find(|metric| metric.name == Some("bdSeq")).and_then(Metric::count)
}

impl Node {
    /// A birth of its own: nothing of before is so any more.
    fn begin(&mut self, topic: &Topic<'_>, now: Moment, said: &mut Said) {
        self.lose("its node began anew", false, topic, now, said);
        for life in self.devices.values_mut().chain([&mut self.own]) {
            life.forget();
        }
        self.bytes = 0;
        self.aliases.clear();
    }

    /// The next message of its row came.
    fn follow(&mut self, seq: u8, topic: &Topic<'_>, now: Moment, said: &mut Said) {
        let Some(last) = self.seq.replace(seq) else { return };
        let expected = last.wrapping_add(1);
        if seq != expected {
            let why = format!("messages of {} are missing: number {seq} came, not {expected}", cut(&topic.node_name()));
            self.lose(&why, true, topic, now, said);
            // Short names may stand for something else by now.
            self.aliases.clear();
            said.missing = std::mem::take(&mut self.is_whole).then_some(why);
        }
    }

    /// What it and its devices said last isn't good any more.
    fn lose(&mut self, why: &str, with_own: bool, topic: &Topic<'_>, now: Moment, said: &mut Said) {
        let own = Topic { device: None, ..*topic };
        if with_own && std::mem::take(&mut self.own.is_good) {
            said.events.push(lost(&own, &self.own, why, now));
        }
        for (device, life) in &mut self.devices {
            if std::mem::take(&mut life.is_good) {
                said.events.push(lost(&Topic { device: Some(device), ..own }, life, why, now));
            }
        }
    }

    /// It ended, or its connection did. A death that is another session's is none of this one.
    fn died(&mut self, topic: &Topic<'_>, payload: &Payload<'_>, now: Moment, said: &mut Said) {
        if self.session.zip(session(payload)).is_some_and(|(own, other)| own != other) {
            return;
        }
        // Whether it was known or not: what somebody remembers of it isn't good.
        self.own.is_good = true;
        self.lose("the node is gone", true, topic, now, said);
        self.aliases.clear();
        self.is_whole = false;
        self.wants = None;
    }

    fn device_died(&mut self, topic: &Topic<'_>, payload: &Payload<'_>, now: Moment, said: &mut Said) {
        let Some(life) = self.life(topic, said) else { return };
        life.is_good = false;
        let time = payload.time.map(|time| told_time(time, now));
        life.newest = life.newest.max(time);
        said.events.push(lost(topic, life, "the device is gone", now));
    }

    fn born(&mut self, topic: &Topic<'_>, payload: &Payload<'_>, budget: usize, now: Moment, said: &mut Said) {
        let is_good = self.is_whole;
        let Some(life) = self.life(topic, said) else { return };
        life.is_good = is_good;
        let (bytes, aliases) = life.forget();
        self.bytes = self.bytes.saturating_sub(bytes);
        for alias in aliases {
            self.aliases.remove(&alias);
        }
        for metric in &payload.metrics {
            let Some(name) = metric.name else { continue };
            let bytes = name.len() + METRIC_BYTES;
            if self.bytes + bytes > budget {
                said.unread = Some(format!("{}: more names of metrics than can be kept", cut(&topic.name())));
                self.is_whole = false;
                self.life(topic, said).into_iter().for_each(|life| life.is_good = false);
                break;
            }
            self.bytes += bytes;
            let name: Arc<str> = name.into();
            if let Some(alias) = metric.alias {
                self.aliases.insert(alias, (name.clone(), metric.datatype));
            }
            let Some(life) = self.life(topic, said) else { return };
            life.bytes += bytes;
            life.aliases.extend(metric.alias);
            if let Some(datatype) = metric.datatype {
                life.types.insert(name, datatype);
            }
        }
        self.data(topic, payload, now, said);
    }

    fn life(&mut self, topic: &Topic<'_>, said: &mut Said) -> Option<&mut Life> {
        let Some(device) = topic.device else { return Some(&mut self.own) };
        if !self.devices.contains_key(device) {
            if self.devices.len() >= DEVICES_MAX {
                said.unread = Some(format!("{} has more than {DEVICES_MAX} devices", cut(&topic.node_name())));
                return None;
            }
            self.devices.insert(device.to_owned(), Life::default());
        }
        self.devices.get_mut(device)
    }

    /// Values: one event for those of one time.
    fn data(&mut self, topic: &Topic<'_>, payload: &Payload<'_>, now: Moment, said: &mut Said) {
        if self.life(topic, said).is_none() {
            return;
        }
        let life = topic.device.and_then(|device| self.devices.get(device)).unwrap_or(&self.own);
        let mut groups: BTreeMap<(bool, Timestamp), Group> = BTreeMap::new();
        // What is lost here isn't known to be what it was.
        let mut lost = None;
        let whole = payload.time.map_or(now.wall, |time| told_time(time, now));
        for metric in &payload.metrics {
            let known = metric.alias.and_then(|alias| self.aliases.get(&alias));
            let Some(name) = metric.name.or(known.map(|(name, _)| &**name)) else {
                let name = cut(&topic.name());
                lost = Some(format!("{name}: what its short names stand for isn't known before its next birth"));
                continue;
            };
            if name == "bdSeq" {
                continue;
            }
            let datatype = known.and_then(|(_, datatype)| *datatype).or_else(|| life.types.get(name).copied());
            let value = match metric.json(datatype) {
                Ok(value) => value,
                Err(Malformed(why)) => {
                    // It has another value than before, whatever it is.
                    said.unread = Some(format!("{}: `{}` can't be read: {why}", cut(&topic.name()), cut(name)));
                    Json::Null
                }
            };
            let time = metric.time.map_or(whole, |time| told_time(time, now));
            let group = groups.entry((!metric.is_historical, time)).or_default();
            match metric.quality {
                None => drop(group.metrics.insert(name.to_owned(), value)),
                // What is bad is no value: it is shown as none, and kept for whoever wants to know.
                Some(quality) => {
                    group.metrics.insert(name.to_owned(), Json::Null);
                    group.bad.insert(name.to_owned(), json!({"quality": quality, "value": value}));
                }
            }
        }
        let is_good = life.is_good;
        if groups.is_empty() && topic.kind == Kind::Birth {
            groups.insert((true, whole), Group::default());
        }
        let newest = groups.keys().filter(|(is_new, _)| *is_new).map(|(_, time)| *time).max();
        if let Some(life) = self.life(topic, said) {
            life.newest = life.newest.max(newest);
        }
        for ((is_new, time), group) in groups {
            let mut body = head(topic);
            let mut name = topic.name();
            if is_new {
                body.insert("quality".to_owned(), if is_good { "good" } else { "stale" }.into());
                if !is_good {
                    body.insert("reason".to_owned(), "not whole since its birth".into());
                }
            } else {
                name.insert_str(0, HISTORICAL);
                body.insert("historical".to_owned(), true.into());
            }
            body.insert("metrics".to_owned(), group.metrics.into());
            if !group.bad.is_empty() {
                body.insert("bad".to_owned(), group.bad.into());
            }
            let body = Json::Object(body).to_string();
            match body.len() {
                ..=DATA_BYTES_MAX => said.events.push(Told { name, time, body }),
                bytes => lost = Some(format!("{}: {bytes} bytes of values are too many", cut(&topic.name()))),
            }
        }
        if let Some(why) = lost {
            self.lose(&why, true, topic, now, said);
            self.is_whole = false;
            said.unread = Some(why);
        }
    }
}

#[derive(Debug, Default)]
struct Group {
    metrics: Map<String, Json>,
    bad: Map<String, Json>,
}

fn head(topic: &Topic<'_>) -> Map<String, Json> {
    let mut body = Map::new();
    body.insert("group".to_owned(), topic.group.into());
    body.insert("node".to_owned(), topic.node.into());
    if let Some(device) = topic.device {
        body.insert("device".to_owned(), device.into());
    }
    body.insert("message".to_owned(), topic.message.into());
    body
}

/// That what a publisher said last isn't good any more. Its time is that of what it said, so that it stands for that and nothing
/// newer, whatever its clock.
fn lost(topic: &Topic<'_>, life: &Life, why: &str, now: Moment) -> Told {
    let mut body = head(topic);
    body.insert("quality".to_owned(), "stale".into());
    body.insert("reason".to_owned(), why.into());
    body.insert("metrics".to_owned(), Json::Object(Map::new()));
    Told { name: topic.name(), time: life.newest.unwrap_or(now.wall), body: Json::Object(body).to_string() }
}

/// No later than now: a clock that is ahead must not make an old value the newest.
fn told_time(millis: u64, now: Moment) -> Timestamp {
    Timestamp::from_millis(i64::try_from(millis).unwrap_or(i64::MAX)).min(now.wall)
}
