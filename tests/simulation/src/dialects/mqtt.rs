//! MQTT 5, with sessions that are kept for five minutes: what was published meanwhile comes, as far as the broker keeps it.
//!
//! ```text
//! CONNECT → CONNACK; SUBSCRIBE → SUBACK; PUBLISH → PUBACK, ten of them on their way; PINGREQ → PINGRESP
//! ```

use std::{
    collections::{BTreeMap, VecDeque},
    time::Duration,
};

use watchfloor_feed::LinkId;
use watchfloor_model::Mono;

use super::{At, Began, Call, Dialect, Said};

/// How many publications may be on their way unacknowledged.
const WINDOW: usize = 10;
/// For how long a session is kept.
const KEPT: Duration = Duration::from_secs(300);
/// Most that is kept for a client that is away.
const QUEUED_MAX: usize = 1000;

#[derive(Default)]
struct Session {
    link: Option<LinkId>,
    /// Since when it is on no link.
    since: Mono,
    /// By channel: the turn of the next event that is taken for it.
    subscribed: BTreeMap<usize, usize>,
    queue: VecDeque<(usize, usize)>,
    on_their_way: Vec<(u16, usize, usize)>,
    last_id: u16,
}

impl Session {
    /// Takes what was published.
    fn take(&mut self, at: &At<'_>) {
        let mut new = Vec::new();
        for (channel, next) in &mut self.subscribed {
            for turn in *next..at.server.next_turn(*channel) {
                new.push((at.server.story[*channel][turn], *channel, turn));
            }
            *next = at.server.next_turn(*channel);
        }
        new.sort_unstable();
        for (_, channel, turn) in new {
            // What goes beyond is dropped without a word.
            if self.queue.len() < QUEUED_MAX || self.link.is_some() {
                self.queue.push_back((channel, turn));
            }
        }
    }

    fn send(&mut self, at: &mut At<'_>) {
        while self.on_their_way.len() < WINDOW
            && let Some((channel, turn)) = self.queue.pop_front()
        {
            self.last_id = self.last_id.wrapping_add(1).max(1);
            self.on_their_way.push((self.last_id, channel, turn));
            let bytes = publish(at, self.last_id, channel, turn, false);
            at.say(Said::event(bytes, channel, turn));
        }
    }

    /// The first of a channel that is still to come.
    fn first(&self, channel: usize, next: usize) -> usize {
        let sent = self.on_their_way.iter().map(|(_, channel, turn)| (*channel, *turn));
        let turns = sent.chain(self.queue.iter().copied()).filter(|(own, _)| *own == channel);
        turns.map(|(_, turn)| turn).min().unwrap_or(next)
    }
}

/// The broker.
#[derive(Default)]
pub(super) struct Mqtt {
    sessions: BTreeMap<String, Session>,
    rest: BTreeMap<LinkId, Vec<u8>>,
}

fn packet(first: u8, body: &[u8]) -> Vec<u8> {
    let mut packet = vec![first];
    let mut rest = body.len();
    while rest > 0x7F {
        packet.push(0x80 | (rest & 0x7F) as u8);
        rest >>= 7;
    }
    packet.push(rest as u8);
    packet.extend(body);
    packet
}

fn publish(at: &mut At<'_>, id: u16, channel: usize, turn: usize, again: bool) -> Vec<u8> {
    let text = at.body(channel, turn);
    let name = at.server.name(channel);
    let mut body = u16::try_from(name.len()).unwrap_or_default().to_be_bytes().to_vec();
    body.extend(name.as_bytes());
    body.extend(id.to_be_bytes());
    body.push(0);
    body.extend(text.as_bytes());
    packet(if again { 0x3A } else { 0x32 }, &body)
}

/// A packet's first byte and body, and what comes after it, if it is whole.
fn whole(bytes: &[u8]) -> Option<(u8, &[u8], &[u8])> {
    let (first, mut rest) = bytes.split_first()?;
    let (mut length, mut shift) = (0, 0);
    loop {
        let (byte, more) = rest.split_first()?;
        length |= usize::from(byte & 0x7F) << shift;
        (rest, shift) = (more, shift + 7);
        if byte & 0x80 == 0 {
            break;
        }
    }
    let (body, rest) = rest.split_at_checked(length)?;
    Some((*first, body, rest))
}

/// A text with its length before it, and what comes after.
fn text(bytes: &[u8]) -> Option<(&str, &[u8])> {
    let (length, rest) = bytes.split_at_checked(2)?;
    let (text, rest) = rest.split_at_checked(usize::from(u16::from_be_bytes([length[0], length[1]])))?;
    Some((std::str::from_utf8(text).ok()?, rest))
}

impl Mqtt {
    fn of(&mut self, link: LinkId) -> Option<&mut Session> {
        self.sessions.values_mut().find(|session| session.link == Some(link))
    }

    fn connect(&mut self, at: &mut At<'_>, link: LinkId, body: &[u8]) -> Result<(), String> {
        let (name, rest) = text(body).ok_or("no protocol's name")?;
        if name != "MQTT" || rest[0] != 5 {
            return Err("another protocol".into());
        }
        if at.revoked {
            at.say(Said::plain(packet(0x20, &[0, 0x87, 0])));
            at.say(Said::Close(None, ""));
            return Ok(());
        }
        // Flags, keep-alive, properties.
        let properties = usize::from(rest[4]);
        let (client, _) = text(&rest[5 + properties..]).ok_or("no client's name")?;
        let is_kept = |session: &Session| session.link.is_some() || session.since.plus(KEPT) > at.now;
        let present = self.sessions.get(client).is_some_and(is_kept) && rest[1] & 2 == 0;
        if !present {
            self.sessions.remove(client);
        }
        at.say(Said::plain(packet(0x20, &[u8::from(present), 0, 0])));
        let session = self.sessions.entry(client.to_owned()).or_default();
        session.link = Some(link);
        for (id, channel, turn) in session.on_their_way.clone() {
            let bytes = publish(at, id, channel, turn, true);
            at.say(Said::event(bytes, channel, turn));
        }
        session.take(at);
        session.send(at);
        Ok(())
    }

    fn subscribe(&mut self, at: &mut At<'_>, link: LinkId, body: &[u8]) -> Result<(), String> {
        let Some(session) = self.of(link) else { return Err("a subscription before the connection".into()) };
        let mut answer = body[..2].to_vec();
        answer.push(0);
        let (mut rest, mut began) = (&body[3..], Vec::new());
        while !rest.is_empty() {
            let (name, more) = text(rest).ok_or("no topic")?;
            let channel = at.server.channel(name).ok_or("an unknown topic")?;
            session.take(at);
            let next = at.server.next_turn(channel);
            session.subscribed.entry(channel).or_insert(next);
            began.push(Began { channel, turn: session.first(channel, next), recovered: false });
            answer.push(1);
            rest = &more[1..];
        }
        at.say(Said::beginning(packet(0x90, &answer), began));
        session.send(at);
        Ok(())
    }
}

impl Dialect for Mqtt {
    fn begin(&mut self, _at: &mut At<'_>, link: LinkId, _call: &Call) -> Result<(), String> {
        self.rest.insert(link, Vec::new());
        Ok(())
    }

    fn hear(&mut self, at: &mut At<'_>, link: LinkId, message: &[u8]) -> Result<(), String> {
        let Some(mut bytes) = self.rest.get_mut(&link).map(std::mem::take) else { return Ok(()) };
        bytes.extend(message);
        let mut left = bytes.as_slice();
        while let Some((first, body, rest)) = whole(left) {
            left = rest;
            match first {
                0x10 => self.connect(at, link, body)?,
                0x82 => self.subscribe(at, link, body)?,
                0x40 => {
                    let id = u16::from_be_bytes([body[0], body[1]]);
                    if let Some(session) = self.of(link) {
                        session.on_their_way.retain(|(own, ..)| *own != id);
                        session.send(at);
                    }
                }
                0xC0 => at.say(Said::plain(packet(0xD0, &[]))),
                0xE0 => {}
                other => return Err(format!("an unknown packet {other:#x}")),
            }
        }
        let left = left.to_vec();
        self.rest.insert(link, left);
        Ok(())
    }

    fn pump(&mut self, at: &mut At<'_>, link: LinkId) -> Result<(), String> {
        if let Some(session) = self.of(link) {
            session.take(at);
            session.send(at);
        }
        Ok(())
    }

    fn end(&mut self, at: &mut At<'_>, link: LinkId) {
        self.rest.remove(&link);
        let now = at.now;
        if let Some(session) = self.of(link) {
            (session.link, session.since) = (None, now);
            session.take(at);
        }
    }

    fn restart(&mut self, keeps: bool) {
        self.rest.clear();
        if !keeps {
            self.sessions.clear();
        }
    }
}
