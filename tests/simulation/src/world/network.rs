//! What the network does to what passes.

use std::time::Duration;

use watchfloor_feed::{Input, LinkFault, LinkFaultKind, LinkId};
use watchfloor_model::Transport;

use super::{Action, Link, World, line_of};
use crate::{dialects::Began, fault::Fault};

impl World {
    pub(super) fn latency(&mut self, line: usize, down_stream: bool) -> Duration {
        let slow = self.active_on(line).filter_map(|fault| match fault {
            Fault::Slow(millis) => Some(millis),
            Fault::SlowStream(millis) if down_stream => Some(millis),
            _ => None,
        });
        let slow = slow.max().unwrap_or(0);
        let (usual, rare) = self.plan.latency;
        let most = if self.draw.chance(5) { rare } else { usual };
        self.draw.millis(1, most) + Duration::from_millis(slow)
    }

    /// Sends what the links' cursors haven't had.
    pub(super) fn pump(&mut self) {
        if self.dialect.is_some() {
            return self.pump_talks();
        }
        for id in self.links.keys().copied().collect::<Vec<_>>() {
            if !self.is_active_on(line_of(id), |fault| matches!(fault, Fault::Stall | Fault::Mute | Fault::Throttle)) {
                self.send(id, usize::MAX);
            }
        }
    }

    fn send(&mut self, id: LinkId, most: usize) {
        if self.links.get(&id).is_some_and(is_polled) {
            return self.answer(id, most);
        }
        let Some(link) = self.links.get_mut(&id) else { return };
        let lines = self.server.read(&mut link.cursors, most);
        for lines in lines.chunks(16) {
            self.frame(id, lines.to_vec());
        }
    }

    pub(super) fn heartbeat(&mut self, id: LinkId) {
        let Some(link) = self.links.get(&id) else { return };
        let (line, polled) = (line_of(id), is_polled(link));
        if self.dialect.is_some() {
            return self.beat_talk(id);
        }
        if !self.is_active_on(line, |fault| matches!(fault, Fault::Stall | Fault::Mute)) {
            if !polled {
                let beat = self.server.heartbeat(&link.cursors, self.now);
                self.frame(id, vec![beat]);
            }
            if self.is_active_on(line, |fault| fault == Fault::Throttle) {
                self.send(id, 1);
            }
        }
        let throttled = self.is_active_on(line, |fault| fault == Fault::Throttle);
        let period = if throttled { self.plan.heartbeat.min(1000) } else { self.plan.heartbeat };
        if !polled || throttled || self.plan.windows.iter().any(|window| window.fault == Fault::Throttle) {
            self.after(Duration::from_millis(period), Action::Heartbeat(id));
        }
    }

    /// Lines as the network lets them through.
    pub(super) fn carried(&mut self, on: usize, lines: Vec<String>) -> Vec<String> {
        if self.active.is_empty() {
            return lines;
        }
        let mut sent = Vec::new();
        for line in lines {
            let event = line.starts_with(r#"{"type":"event"#);
            if event && self.is_active_on(on, |fault| fault == Fault::Corrupt) && self.draw.chance(20) {
                self.met.count("corrupted");
                sent.push(self.corrupted(&line));
            } else if event && self.is_active_on(on, |fault| fault == Fault::Garbled) && self.draw.chance(20) {
                self.met.count("garbled");
                // A document of polls is one whole: only a number can be wrong in it.
                let broken = if self.draw.chance(50) { r#""data":{{"# } else { r#""data":{"w":1e999,"# };
                sent.push(line.replacen(r#""data":{"#, broken, 1));
            } else if event && self.is_active_on(on, |fault| fault == Fault::Skip) && self.draw.chance(20) {
                self.met.count("skipped");
            } else if event && self.is_active_on(on, |fault| fault == Fault::Twice) && self.draw.chance(30) {
                self.met.count("doubled");
                sent.extend([line.clone(), line]);
            } else {
                sent.push(line);
            }
        }
        sent
    }

    /// A line of which not even the place can be read.
    fn corrupted(&mut self, line: &str) -> String {
        let at = usize::try_from(self.draw.below(line.len().min(40) as u64)).unwrap_or(0);
        line[..at].to_owned()
    }

    pub(super) fn frame(&mut self, id: LinkId, lines: Vec<String>) {
        let mut sent = self.carried(line_of(id), lines);
        if self.is_active_on(line_of(id), |fault| fault == Fault::Truncate)
            && self.draw.chance(20)
            && let Some(last) = sent.last_mut()
        {
            self.met.count("truncated");
            last.truncate(last.len().min(40) / 2);
        }
        let Some(link) = self.links.get(&id).filter(|_| !sent.is_empty()) else { return };
        if link.transport == Transport::WebSocket {
            return self.down(id, Input::Text { link: id, text: sent.join("\n").into() });
        }
        let mut block = String::new();
        for line in &sent {
            block.push_str("data: ");
            block.push_str(line);
            block.push('\n');
        }
        block.push('\n');
        let block = block.into_bytes();
        let cut =
            if self.draw.chance(20) { usize::try_from(self.draw.below(block.len() as u64)).unwrap_or(0) } else { 0 };
        for part in [&block[..cut], &block[cut..]] {
            if !part.is_empty() {
                self.down(id, Input::Chunk { link: id, bytes: part.to_vec().into() });
            }
        }
    }

    pub(super) fn down(&mut self, id: LinkId, input: Input) {
        self.down_with(id, Vec::new(), input);
    }

    /// The same of what begins subscriptions.
    pub(super) fn down_with(&mut self, id: LinkId, began: Vec<Began>, input: Input) {
        let line = line_of(id);
        let held = matches!(input, Input::Chunk { .. }) && self.is_active_on(line, |fault| fault == Fault::HeldStream);
        if let Some(link) = self.links.get_mut(&id).filter(|_| held) {
            return link.kept.push((began, input));
        }
        let latency = self.latency(line, true);
        let Some(link) = self.links.get_mut(&id).filter(|link| !link.dead) else { return };
        link.down = link.down.max(self.now.plus(latency));
        let at = link.down;
        if !began.is_empty() {
            self.at(at, Action::Began(id, began));
        }
        self.at(at, Action::Input(input));
    }

    /// What a proxy held back comes, if it holds nothing back any more.
    pub(super) fn let_go(&mut self) {
        let still: Vec<bool> =
            (0..self.plan.lines).map(|line| self.is_active_on(line, |fault| fault == Fault::HeldStream)).collect();
        let links = self.links.iter_mut().filter(|(id, _)| !still[line_of(**id)]);
        let take = |(id, link): (&LinkId, &mut Link)| (*id, std::mem::take(&mut link.kept));
        for (id, kept) in links.map(take).collect::<Vec<_>>() {
            kept.into_iter().for_each(|(began, input)| self.down_with(id, began, input));
        }
    }

    pub(super) fn up(&mut self, id: LinkId, action: Action) {
        let latency = self.latency(line_of(id), false);
        let Some(link) = self.links.get_mut(&id).filter(|link| !link.dead) else { return };
        link.up = link.up.max(self.now.plus(latency));
        let at = link.up;
        self.at(at, action);
    }

    /// Every link breaks, or every one of an address; with a close code, it is told why.
    pub(super) fn cut(&mut self, line: Option<usize>, end: Option<(u16, &str)>) {
        for (id, mut link) in std::mem::take(&mut self.links) {
            // Between two polls there is nothing to break.
            let is_other = line.is_some_and(|line| line != line_of(id));
            if is_other || is_polled(&link) && link.waiting.is_none() {
                self.links.insert(id, link);
                continue;
            }
            let is_told = !link.dead && link.kept.is_empty();
            if let Some((code, reason)) = end.filter(|_| is_told) {
                // What was sent before comes before.
                self.links.insert(id, link);
                let says = self.say_farewell(id, code, reason);
                let Some(own) = self.links.remove(&id) else { continue };
                if says {
                    self.end_talk(id);
                    continue;
                }
                link = own;
            }
            self.killed.insert(id);
            self.end_talk(id);
            if link.dead {
                continue;
            }
            let input = match end {
                Some((code, reason)) if link.transport == Transport::WebSocket => {
                    Input::Closed { link: id, code: Some(code), reason: reason.to_owned() }
                }
                Some(_) if !is_polled(&link) => Input::Closed { link: id, code: None, reason: String::new() },
                _ => Input::Failed { link: id, fault: LinkFault::new(LinkFaultKind::Reset, "") },
            };
            let after = self.draw.millis(1, 20);
            self.after(after, Action::Input(input));
        }
    }

    /// No link, or none of an address, passes anything any more.
    pub(super) fn deaden(&mut self, line: Option<usize>) {
        let links = self.links.iter_mut().filter(|(id, _)| line.is_none_or(|line| line == line_of(**id)));
        links.for_each(|(_, link)| link.dead = true);
    }
}

pub(super) const fn is_polled(link: &Link) -> bool {
    matches!(link.transport, Transport::LongPoll | Transport::Poll)
}
