//! Reading the streams.

use watchfloor_model::Position;

use super::{
    super::{
        Way, body, channel,
        resp::Frame,
        stream::{ANEW, Finding, Info, Mark, begin, check},
    },
    Expect, Reading, RedisSession,
    push::place,
};
use crate::{
    envelope::Outside,
    protocols::{Moment, Signal},
};

/// Entries to be read of a stream at once, until it is known how big they are: a server cuts a connection that is subscribed
/// to channels when an answer is longer than 32 MiB, by default.
pub(super) const COUNT_FIRST: usize = 1;
/// At most.
const COUNT_MAX: usize = 512;
/// In a mark, what the name of its history stands after.
const LINEAGE: char = '@';
/// Entries that a replica didn't have yet when it took over are gone, and others may have their ids.
const FAILOVER: &str = "another server took over, or it began anew: nothing proves that it has all that was read";
/// How much a reading may weigh, about, in bytes.
const WEIGHT: u64 = 2 << 20;

impl RedisSession {
    /// Where the streams stand at the beginning.
    pub(super) fn found(&mut self, answer: &Frame, out: &mut Vec<Signal>) {
        let answers = answer.list().unwrap_or_default();
        if answers.len() != self.streams.len() {
            return self.breaks("a transaction lacks answers", out);
        }
        for (at, answer) in answers.iter().enumerate() {
            let name = self.names[self.streams[at].channel].clone();
            let info = match info(answer) {
                Ok(info) => info,
                Err(Some(error)) => return self.fail(error, Some(&name), out),
                Err(None) => return self.leave(&older(&name), out),
            };
            let stream = &mut self.streams[at];
            let asked = stream.asked.as_ref().and_then(|place| place.mark.as_deref());
            let (was, lineage) = asked.map_or(("", ""), |mark| mark.split_once(LINEAGE).unwrap_or((mark, "")));
            let is_other = self.follows_master && !was.is_empty() && (lineage.is_empty() || lineage != self.lineage);
            let mut begun = begin(was.parse().ok(), info.as_ref());
            if is_other {
                begun.reason = begun.reason.or(Some(FAILOVER));
            }
            stream.id = begun.id;
            stream.added = begun.added;
            stream.behind = begun.unread;
            stream.has_more = true;
            let (index, asked) = (stream.channel, stream.asked.clone());
            let mut signal = match (begun.reason, asked) {
                (None, Some(place)) => self.places.resumed(index, place),
                (reason, _) => self.places.subscribed(index, reason.unwrap_or(ANEW)),
            };
            if let Signal::Subscribed { head, from, .. } = &mut signal {
                from.mark = mark(begun.id, begun.added, &self.lineage).map(Into::into);
                head.offset = head.offset.saturating_add(begun.unread);
            }
            self.subscribed(signal, out);
        }
    }

    /// The next reading, or the bell.
    pub(super) fn go_on(&mut self) {
        let all = 0..self.streams.len();
        let mut streams: Vec<usize> = all.clone().filter(|at| self.owes || self.streams[*at].has_more).collect();
        if streams.is_empty() {
            return self.wait();
        }
        if self.count == 1 && !self.owes {
            // So big that they are read one by one.
            streams.truncate(1);
        }
        let count = self.count.to_string();
        self.send(&["MULTI"], Expect::Taken);
        for at in &streams {
            let (key, id) = (self.key(*at).to_owned(), self.streams[*at].id.to_string());
            self.send(&["XINFO", "STREAM", &key], Expect::Taken);
            self.send(&["XREAD", "COUNT", &count, "STREAMS", &key, &id], Expect::Taken);
        }
        let proves = std::mem::take(&mut self.owes);
        self.send(&["EXEC"], Expect::Read(Reading { streams, count: self.count, proves }));
    }

    /// Waits for something to come.
    fn wait(&mut self) {
        let bell = self.bell.to_string();
        let keys: Vec<String> = (0..self.streams.len()).map(|at| self.key(at).to_owned()).collect();
        let ids: Vec<String> = self.streams.iter().map(|stream| stream.id.to_string()).collect();
        let mut words = vec!["XREAD", "COUNT", "1", "BLOCK", &bell, "STREAMS"];
        words.extend(keys.iter().chain(&ids).map(String::as_str));
        self.send(&words, Expect::Bell);
    }

    /// Something came to these streams, or the time is over.
    pub(super) fn rang(&mut self, answer: &Frame) {
        for (key, _) in answer.pairs() {
            let index = key.text().and_then(|key| self.index(Way::Stream, key));
            for stream in self.streams.iter_mut().filter(|stream| Some(stream.channel) == index) {
                stream.has_more = true;
            }
        }
        self.go_on();
    }

    /// What was read, with what the streams were at that moment.
    pub(super) fn read(&mut self, reading: &Reading, answer: &Frame, now: Moment, out: &mut Vec<Signal>) {
        let answers = answer.list().unwrap_or_default();
        if answers.len() != reading.streams.len() * 2 {
            return self.breaks("a transaction lacks answers", out);
        }
        let turn = self.turn;
        let weight = self.parser.weight();
        for (pair, at) in answers.chunks_exact(2).zip(&reading.streams) {
            self.read_one(*at, reading, &pair[0], &pair[1], now, out);
            if self.turn != turn || self.is_broken {
                return;
            }
        }
        let entries =
            |pair: &[Frame]| pair[1].pairs().next().map_or(0, |(_, found)| found.list().map_or(0, <[_]>::len));
        let most = answers.chunks_exact(2).map(entries).max();
        if weight > WEIGHT {
            self.count = self.count.min((reading.count / 4).max(1));
        } else if weight < WEIGHT / 4 && most == Some(reading.count) {
            self.count = (reading.count * 2).min(COUNT_MAX);
        }
        let is_known = self.streams.iter().all(|stream| !stream.has_more || stream.added.is_some());
        if reading.proves && is_known {
            self.beat(out);
        } else {
            self.owes |= reading.proves;
        }
        self.go_on();
    }

    fn read_one(
        &mut self,
        at: usize,
        reading: &Reading,
        said: &Frame,
        read: &Frame,
        now: Moment,
        out: &mut Vec<Signal>,
    ) {
        let name = self.names[self.streams[at].channel].clone();
        let info = match info(said) {
            Ok(info) => info,
            Err(Some(error)) => return self.fail(error, Some(&name), out),
            Err(None) => return self.leave(&older(&name), out),
        };
        if let Frame::Error(error) = read {
            return self.fail(error, Some(&name), out);
        }
        let entries = read.pairs().next().and_then(|(_, entries)| entries.list()).unwrap_or_default();
        let whole = entries.len() < reading.count;
        let (id, added, index) = (self.streams[at].id, self.streams[at].added, self.streams[at].channel);
        match check(id, added, info.as_ref(), entries.len() as u64, whole) {
            Finding::Follows => {}
            Finding::Anew => {
                self.leave(&format!("`{name}`: {ANEW}"), out);
                self.keeps = true;
                return;
            }
            Finding::Missing(count) => self.miss(at, Some(count), out),
            Finding::Unclear => self.miss(at, None, out),
        }
        let alone = reading.streams.len() == 1 && reading.count == 1;
        for entry in entries {
            if !alone && is_left_out(entry) {
                // It is read again with fewer.
                self.count = 1;
                self.stand(at, info.as_ref(), false);
                return;
            }
            if let Err(reason) = self.entry(at, index, entry, now, out) {
                return self.breaks(reason, out);
            }
        }
        self.stand(at, info.as_ref(), whole);
    }

    /// Where a stream stands after a reading.
    fn stand(&mut self, at: usize, info: Option<&Info>, whole: bool) {
        let stream = &mut self.streams[at];
        let there = info.map_or(0, |info| info.added);
        if whole && stream.added.is_none() {
            stream.added = Some(there);
        }
        stream.has_more = !whole;
        stream.behind = if whole { 0 } else { stream.added.map_or(0, |added| there.saturating_sub(added)) };
        stream.has_more &= stream.added.is_none() || stream.behind > 0;
    }

    /// So many entries are missing after what was read, or some may be.
    fn miss(&mut self, at: usize, count: Option<u64>, out: &mut Vec<Signal>) {
        let stream = &mut self.streams[at];
        // How many there were is known again when all are read.
        stream.added = stream.added.zip(count).map(|(added, count)| added.saturating_add(count));
        let (mark, index) = (mark(stream.id, stream.added, &self.lineage), stream.channel);
        let Some(head) = self.places.skip(index, count.unwrap_or(1), mark.as_deref()) else { return };
        let reason = match count {
            Some(count) => format!("trimmed or deleted before they were read: {count}"),
            None => "some were trimmed or deleted before they were read".to_owned(),
        };
        out.push(Signal::Lost { channel: index, head, reason });
    }

    fn entry(
        &mut self,
        at: usize,
        index: usize,
        entry: &Frame,
        now: Moment,
        out: &mut Vec<Signal>,
    ) -> Result<(), &'static str> {
        let Some([id, fields]) = entry.list() else { return Err("an entry that is none") };
        let Some((text, id)) = id.text().and_then(|text| Some((text, text.parse().ok()?))) else {
            return Err("an entry without an id");
        };
        let stream = &mut self.streams[at];
        if id <= stream.id {
            return Err("entries out of order");
        }
        stream.id = id;
        stream.added = stream.added.map(|added| added.saturating_add(1));
        let mark = stream.added.map(|added| {
            self.mark.clear();
            Mark::write(&mut self.mark, text, added);
            add_lineage(&mut self.mark, &self.lineage);
            &*self.mark
        });
        let Some(position): Option<Position> = self.places.next(index, mark) else { return Ok(()) };
        let outside = Outside {
            channel: &self.names[index],
            name: channel(&self.names[index]).1,
            id: Some(text.into()),
            time: body::time(id).unwrap_or(now.wall),
            received: now.mono,
        };
        let opened = self.opener.entry(fields.list().unwrap_or_default(), outside);
        place(index, position, opened, out);
        Ok(())
    }

    pub(super) fn key(&self, at: usize) -> &str {
        channel(&self.names[self.streams[at].channel]).1
    }
}

fn mark(id: super::Id, added: Option<u64>, lineage: &str) -> Option<String> {
    let mut mark = Mark { id, added: added? }.to_string();
    add_lineage(&mut mark, lineage);
    Some(mark)
}

/// A place is that of a history, where several servers may have one of their own.
fn add_lineage(mark: &mut String, lineage: &str) {
    if !lineage.is_empty() {
        mark.push(LINEAGE);
        mark.push_str(lineage);
    }
}

/// What a stream is; none, if there is none. The error is the server's, or none if it is too old to tell.
fn info(answer: &Frame) -> Result<Option<Info>, Option<&[u8]>> {
    match answer {
        Frame::Error(text) if text.ends_with(b"no such key") => Ok(None),
        Frame::Error(text) => Err(Some(text)),
        other => Info::read(other).map(Some).ok_or(None),
    }
}

fn older(name: &str) -> String {
    format!("`{name}`: streams need Redis 7 or later, whose `XINFO STREAM` tells how many entries there were")
}

/// Whether a part of an entry was left out for what was read with it.
fn is_left_out(entry: &Frame) -> bool {
    let fields = entry.list().and_then(|entry| entry.get(1)).and_then(Frame::list).unwrap_or_default();
    fields.contains(&Frame::LeftOut)
}
