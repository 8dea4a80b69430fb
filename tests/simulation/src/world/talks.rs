//! The server where it is no hub: what its dialect hears and says, and what the network does to that.

use std::{mem, time::Duration};

use watchfloor_feed::{Head, Input, LinkFault, LinkFaultKind, LinkId, Response};
use watchfloor_model::{Continuity, Delivery, Mono, Transport};

use super::{World, line_of, queue::Call};
use crate::{
    dialects::{At, Began, Dialect, Said, Told},
    fault::Fault,
};

/// What goes with the next message.
#[derive(Default)]
struct Before {
    head: Option<Head>,
    began: Vec<Began>,
}

impl World {
    /// A poll reaches the server.
    pub(super) fn poll_talk(&mut self, id: LinkId, transport: Transport, call: &Call) -> Result<(), String> {
        if !self.held.contains_key(&id) || self.links.get(&id).is_some_and(|link| link.dead) {
            return Ok(());
        }
        let keeps = self.outlives_its_polls();
        if self.is_still(id) {
            // It is taken, and not answered before the server goes on; by most never.
            self.links.get_mut(&id).filter(|_| keeps).into_iter().for_each(|link| link.unmet = Some(call.clone()));
            return Ok(());
        }
        let Some(token) = self.let_in(id, transport, call.token.as_deref()) else { return Ok(()) };
        if !self.links.contains_key(&id) {
            self.stand(id, transport);
        }
        self.pass(id, token);
        if let Some(link) = self.links.get_mut(&id) {
            link.waiting = Some((Vec::new(), Mono::NEVER));
        }
        self.speak(id, |dialect, at| {
            dialect.begin(at, id, call)?;
            dialect.pump(at, id)
        })
    }

    /// A request for a link reaches the server.
    pub(super) fn begin_talk(&mut self, id: LinkId, transport: Transport, call: &Call) -> Result<(), String> {
        if !self.held.contains_key(&id) {
            return Ok(());
        }
        let Some(token) = self.let_in(id, transport, call.token.as_deref()) else { return Ok(()) };
        self.stand(id, transport);
        self.pass(id, token);
        self.down(id, Input::Opened { link: id });
        if self.is_still(id) {
            if let Some(link) = self.links.get_mut(&id) {
                link.unmet = Some(call.clone());
            }
            return Ok(());
        }
        self.meet(id, call)
    }

    /// The server begins to speak by a link that stands.
    fn meet(&mut self, id: LinkId, call: &Call) -> Result<(), String> {
        self.speak(id, |dialect, at| dialect.begin(at, id, call))
    }

    /// A question beside a link reaches the server.
    pub(super) fn post(&mut self, id: LinkId, number: u32, timeout: Duration, call: &Call) -> Result<(), String> {
        if !self.held.contains_key(&id) {
            return Ok(());
        }
        let line = line_of(id);
        let answer = |status: u16, body: String| Ok(Response::new(status, body));
        let failure = self.active_on(line).find_map(|fault| match fault {
            Fault::Cut | Fault::Restart { .. } => Some(Err(LinkFaultKind::Refused)),
            Fault::HalfOpen | Fault::Stall | Fault::Mute => Some(Err(LinkFaultKind::Timeout)),
            Fault::Status(status) => Some(Ok((status, ""))),
            Fault::Login { upgrades: false } => Some(Ok((200, "<html>"))),
            _ => None,
        });
        let latency = self.latency(line, false);
        let mut at = self.now.plus(latency);
        let outcome = match failure {
            Some(Err(kind)) => {
                if kind == LinkFaultKind::Timeout {
                    at = self.now.plus(timeout);
                }
                Err(LinkFault::new(kind, ""))
            }
            Some(Ok((status, body))) => answer(status, body.to_owned()),
            None => {
                let mut told = None;
                self.speak(id, |dialect, at| {
                    told = dialect.told(at, id, call)?;
                    Ok(())
                })?;
                match told {
                    Some(Told { status, body, next, began }) => {
                        self.met.count("answered beside a link");
                        self.at(at, super::Action::Began(id, began));
                        Ok(Response { next, ..Response::new(status, body) })
                    }
                    None => answer(404, String::new()),
                }
            }
        };
        self.at(at, super::Action::Input(Input::Exchanged { link: id, number, outcome }));
        Ok(())
    }

    /// Whether the server does nothing at all, or says nothing.
    fn is_still(&self, id: LinkId) -> bool {
        self.is_active_on(line_of(id), |fault| matches!(fault, Fault::Stall | Fault::Mute))
    }

    /// A message reaches the server, or a ping.
    pub(super) fn hear(&mut self, id: LinkId, message: Option<Vec<u8>>) -> Result<(), String> {
        let is_still = self.is_still(id);
        let by_pongs = self.plan.dialect.is_some_and(crate::dialects::Name::is_proven_by_pongs);
        let Some(link) = self.links.get_mut(&id).filter(|link| !link.dead) else { return Ok(()) };
        if is_still && (message.is_some() || by_pongs) {
            link.unheard.push(message);
            return Ok(());
        }
        match message {
            Some(message) => self.speak(id, |dialect, at| dialect.hear(at, id, &message)),
            None => {
                self.down(id, Input::Pong { link: id });
                Ok(())
            }
        }
    }

    /// What came while the server stood still.
    pub(super) fn hear_out(&mut self) -> Result<(), String> {
        if self.dialect.is_none() {
            return Ok(());
        }
        for id in self.links.keys().copied().collect::<Vec<_>>() {
            if self.is_still(id) {
                continue;
            }
            let unmet = |link: &mut super::Link| Some((link.transport, link.unmet.take()?));
            match self.links.get_mut(&id).and_then(unmet) {
                Some((way @ (Transport::LongPoll | Transport::Poll), call)) => self.poll_talk(id, way, &call)?,
                Some((_, call)) => self.meet(id, &call)?,
                None => {}
            }
            let unheard = self.links.get_mut(&id).map(|link| mem::take(&mut link.unheard)).unwrap_or_default();
            for message in unheard {
                self.hear(id, message)?;
            }
        }
        Ok(())
    }

    pub(super) fn pump_talks(&mut self) {
        for id in self.links.keys().copied().collect::<Vec<_>>() {
            if !self.is_still(id) {
                self.pump_talk(id);
            }
        }
    }

    /// An instant has come at which the server wanted to be asked.
    pub(super) fn wake(&mut self, id: LinkId) {
        if !self.is_still(id) {
            self.pump_talk(id);
        }
    }

    fn pump_talk(&mut self, id: LinkId) {
        if let Err(text) = self.speak(id, |dialect, at| dialect.pump(at, id)) {
            self.astray.get_or_insert(text);
        }
    }

    pub(super) fn beat_talk(&mut self, id: LinkId) {
        let beats = |link: &super::Link| !super::network::is_polled(link) || self.outlives_its_polls();
        if !self.is_still(id) && self.links.get(&id).is_some_and(beats) {
            self.say(id, |dialect, at| dialect.beat(at, id));
        }
        self.after(Duration::from_millis(self.plan.heartbeat), super::Action::Heartbeat(id));
    }

    pub(super) fn expire_talk(&mut self, id: LinkId) {
        self.unheralded = self.now;
        let idles = |link: &super::Link| super::network::is_polled(link) && link.waiting.is_none();
        if self.links.get(&id).is_none_or(idles) {
            // Between two polls there is nobody to tell.
            return;
        }
        self.turned_out.insert(id);
        self.say(id, |dialect, at| dialect.expire(at, id));
    }

    fn outlives_its_polls(&self) -> bool {
        self.plan.dialect.is_some_and(crate::dialects::Name::outlives_its_polls)
    }

    /// Whether a server hears of this link's end: of one between two polls it may hear none.
    pub(super) fn is_heard_to_end(&self, id: LinkId) -> bool {
        let idles = |link: &super::Link| super::network::is_polled(link) && link.waiting.is_none();
        !(self.outlives_its_polls() && self.links.get(&id).is_some_and(idles))
    }

    /// What a server says before it ends a link in order that has no close frame.
    pub(super) fn say_farewell(&mut self, id: LinkId, code: u16, reason: &str) -> bool {
        let said = self.dialect.as_mut().and_then(|dialect| dialect.farewell(id, code, reason));
        let says = said.is_some();
        if let Some(bytes) = said {
            self.down(id, Input::Chunk { link: id, bytes: bytes.into() });
            self.down(id, Input::Closed { link: id, code: None, reason: String::new() });
        }
        says
    }

    pub(super) fn end_talk(&mut self, id: LinkId) {
        self.begun.retain(|(link, _), _| *link != id || self.held.contains_key(link));
        self.say(id, |dialect, at| dialect.end(at, id));
    }

    pub(super) fn restart_talks(&mut self, keeps: bool) {
        self.dialect.iter_mut().for_each(|dialect| dialect.restart(keeps));
    }

    fn say(&mut self, id: LinkId, act: impl FnOnce(&mut dyn Dialect, &mut At<'_>)) {
        let done = self.speak(id, |dialect, at| {
            act(dialect, at);
            Ok(())
        });
        debug_assert!(done.is_ok(), "nothing was heard that could be wrong");
    }

    /// Lets the server say something by a link.
    fn speak(
        &mut self,
        id: LinkId,
        act: impl FnOnce(&mut dyn Dialect, &mut At<'_>) -> Result<(), String>,
    ) -> Result<(), String> {
        let Some(mut dialect) = self.dialect.take() else { return Ok(()) };
        let line = line_of(id);
        let garbles = self.is_active_on(line, |fault| fault == Fault::Garbled);
        let loses = self.is_active_on(line, |fault| fault == Fault::Skip);
        let revoked = self.is_active_on(line, |fault| fault == Fault::Revoked);
        let mut at = At {
            server: &mut self.server,
            now: self.now,
            draw: &mut self.draw,
            garbles,
            loses,
            revoked,
            keys: self.plan.tokens.is_some().then_some(&self.keys),
            had: &self.had,
            said: Vec::new(),
            wakes: Vec::new(),
        };
        let done = act(&mut *dialect, &mut at);
        let (said, wakes) = (at.said, at.wakes);
        for (link, wake) in wakes {
            self.at(wake, super::Action::Wake(link.unwrap_or(id)));
        }
        self.dialect = Some(dialect);
        done?;
        let mut before = Before::default();
        for said in said {
            self.utter(id, said, &mut before);
        }
        Ok(())
    }

    fn utter(&mut self, id: LinkId, said: Said, before: &mut Before) {
        match said {
            Said::Message { bytes, event, mut began } => {
                began.append(&mut before.began);
                if bytes.is_empty() && before.head.is_none() {
                    return before.began = began;
                }
                for bytes in self.damaged(id, bytes, event) {
                    let bytes = self.framed(id, bytes);
                    self.carry(id, bytes, began.clone(), before.head.take());
                }
            }
            Said::Began(began) => before.began.extend(began),
            Said::Head(head, began) => self.down_with(id, began, Input::Head { link: id, head }),
            Said::Answer(head) => before.head = Some(head),
            Said::Token(token) => {
                if token > 0 && self.links.get(&id).is_some_and(|link| link.token > 0) {
                    self.met.count("tokens presented");
                }
                self.pass(id, token);
            }
            Said::Close(code, reason) => {
                let is_polled = self.links.get(&id).is_some_and(super::network::is_polled);
                let input = if is_polled {
                    let kind =
                        LinkFaultKind::Http { status: code.unwrap_or(401), retry_after: None, content_type: None };
                    Input::Failed { link: id, fault: LinkFault::new(kind, reason) }
                } else {
                    let is_socket = self.links.get(&id).is_some_and(|link| link.transport == Transport::WebSocket);
                    Input::Closed { link: id, code: code.filter(|_| is_socket), reason: reason.to_owned() }
                };
                self.down(id, input);
                self.links.remove(&id);
                self.end_talk(id);
            }
        }
    }

    /// A message as the network lets it through: once, twice, in part, or not at all.
    fn damaged(&mut self, id: LinkId, bytes: Vec<u8>, event: Option<(usize, usize)>) -> Vec<Vec<u8>> {
        if self.active.is_empty() {
            return vec![bytes];
        }
        let line = line_of(id);
        let is = |world: &Self, wanted: Fault| world.is_active_on(line, |fault| fault == wanted);
        if let Some(place) = event {
            if is(self, Fault::Corrupt) && self.draw.chance(20) {
                self.met.count("corrupted");
                self.harm(place);
                let most = bytes.len().min(40) as u64;
                return vec![bytes[..usize::try_from(self.draw.below(most)).unwrap_or(0)].to_vec()];
            }
            if is(self, Fault::Skip) && self.draw.chance(20) {
                self.met.count("skipped");
                self.harm(place);
                return Vec::new();
            }
            if is(self, Fault::Twice) && self.draw.chance(30) {
                self.met.count("doubled");
                return vec![bytes.clone(), bytes];
            }
        }
        if is(self, Fault::Truncate) && self.draw.chance(20) {
            self.met.count("truncated");
            if let Some(place) = event {
                self.harm(place);
            }
            self.explained.fill(true);
            return vec![bytes[..bytes.len().min(40) / 2].to_vec()];
        }
        vec![bytes]
    }

    /// As this link has messages: what is damaged in one is damaged in no other.
    fn framed(&mut self, id: LinkId, bytes: Vec<u8>) -> Vec<u8> {
        match &mut self.dialect {
            Some(dialect) => dialect.frame(id, bytes),
            None => bytes,
        }
    }

    fn harm(&mut self, place: (usize, usize)) {
        self.server.damaged.insert(place);
        self.explained[place.0] = true;
    }

    /// By what the link is made of.
    fn carry(&mut self, id: LinkId, bytes: Vec<u8>, began: Vec<Began>, answer: Option<Head>) {
        let Some(link) = self.links.get_mut(&id) else { return };
        link.waiting = None;
        match link.transport {
            Transport::WebSocket => self.down_with(id, began, Input::Text { link: id, text: bytes.into() }),
            Transport::LongPoll | Transport::Poll => {
                let head = answer.unwrap_or_default();
                self.down_with(id, began, Input::Answered { link: id, head, body: bytes.into() });
            }
            Transport::Sse | Transport::HttpStream | Transport::Tcp => {
                let cuts = self.draw.chance(20);
                let cut = if cuts { usize::try_from(self.draw.below(bytes.len() as u64)).unwrap_or(0) } else { 0 };
                let mut began = began;
                for part in [&bytes[..cut], &bytes[cut..]] {
                    if !part.is_empty() {
                        let chunk = Input::Chunk { link: id, bytes: part.to_vec().into() };
                        self.down_with(id, mem::take(&mut began), chunk);
                    }
                }
            }
        }
    }

    /// Subscriptions begin with what comes next.
    pub(super) fn note_begun(&mut self, id: LinkId, began: &[Began]) {
        if self.killed.contains(&id) {
            return;
        }
        for one in began {
            self.explained[one.channel] = !one.recovered;
            self.met.count(if one.recovered { "followed on" } else { "followed anew" });
            if let Some(way) = self.held.get(&id).copied().filter(|_| one.recovered) {
                self.met.followed_on(way);
            }
            self.begun.insert((id, one.channel), one.turn);
        }
    }

    /// From which turn on each channel is followed by now.
    pub(super) fn begun(&self) -> Vec<usize> {
        if self.dialect.is_none() {
            return Vec::new();
        }
        let begun = |channel: usize| {
            let held = self.held.keys().filter_map(|id| self.begun.get(&(*id, channel)));
            held.copied().max().unwrap_or(0)
        };
        (0..self.plan.channels).map(begun).collect()
    }

    /// What the wall has after a delivery.
    pub(super) fn note_had(&mut self, delivery: &Delivery) {
        if self.dialect.is_none() {
            return;
        }
        match delivery {
            Delivery::Events(events) => {
                for event in events {
                    let Some(channel) = self.server.channel(&event.channel) else { continue };
                    let data: serde_json::Value = serde_json::from_str(event.data.text()).unwrap_or_default();
                    let number = data["n"].as_u64().and_then(|number| usize::try_from(number).ok());
                    if let Some(event) = number.and_then(|number| self.server.events.get(number)) {
                        self.had[channel] = Some((event.turn + 1, event.epoch));
                    }
                }
            }
            Delivery::Gap(gap) if gap.proof == Continuity::Unknown => {
                let Some(channel) = self.server.channel(&gap.channel) else { return };
                let begun = self.begun()[channel];
                let had = self.had[channel].map_or(0, |(turn, _)| turn);
                self.had[channel] = Some((had.max(begun), self.server.epoch));
            }
            _ => {}
        }
    }

    /// H3: nobody says that something may be missing where it is proven that nothing is.
    pub(super) fn check_gap(&self, delivery: &Delivery) -> Result<(), String> {
        let Delivery::Gap(gap) = delivery else { return Ok(()) };
        if self.dialect.is_none() || gap.proof != Continuity::Unknown {
            return Ok(());
        }
        let channel = self.server.channel(&gap.channel).ok_or("H3: a gap of an unknown channel")?;
        let bad = |fault| matches!(fault, Fault::BadEvents | Fault::Garbled);
        if self.explained[channel] || self.plan.windows.iter().any(|window| bad(window.fault)) {
            return Ok(());
        }
        Err(format!("H3: nothing is missing, and a gap is told: {gap:?}"))
    }
}
