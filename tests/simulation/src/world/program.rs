//! What reaches the program, and what it does.

use watchfloor_feed::{Input, LinkId, Output};
use watchfloor_model::{Delivery, Phase, Transport, limits};

use super::{Action, World, line_of};
use crate::{fault::Fault, wall::Known};

impl World {
    pub(super) fn input(&mut self, input: Input) {
        let (link, ends) = match &input {
            Input::Opened { link }
            | Input::Text { link, .. }
            | Input::Chunk { link, .. }
            | Input::Answered { link, .. }
            | Input::Binary { link, .. }
            | Input::Head { link, .. }
            | Input::Exchanged { link, .. }
            | Input::Pong { link } => (Some(*link), false),
            Input::Closed { link, .. } | Input::Failed { link, .. } => (Some(*link), true),
            Input::Fetched { .. } | Input::Credential { .. } => (None, false),
        };
        if link.is_some_and(|link| !ends && self.killed.contains(&link)) {
            return;
        }
        if let Some(link) = link.filter(|_| ends)
            && self.held.remove(&link).is_some()
        {
            self.ended.insert(link);
        }
        if let Input::Exchanged { link, number: 0, .. } = &input {
            self.posting.remove(link);
        }
        if let Input::Pong { link } = &input {
            self.unanswered_pings.remove(link);
        }
        self.note(|| match &input {
            Input::Text { text, .. } => format!("-> {}", text.escape_ascii()),
            Input::Chunk { bytes, .. } => format!("-> {}", bytes.escape_ascii()),
            Input::Answered { body, .. } => format!("-> {}", body.escape_ascii()),
            other => format!("-> {}", cut(&format!("{other:?}"))),
        });
        self.wall.tell_time(&self.server, self.now);
        self.wall.feed.handle_input(input, self.now);
    }

    /// Does what the feed says.
    pub(super) fn drain(&mut self) -> Result<(), String> {
        let mut count = 0;
        while let Some(output) = self.wall.feed.poll_output() {
            count += 1;
            if count > 20_000 {
                return Err("H5: outputs without end".into());
            }
            if !matches!(output, Output::Status) {
                self.note(|| format!("<- {}", cut(&format!("{output:?}"))));
            }
            match output {
                Output::Open { link, transport, request } => {
                    self.hold(link, transport)?;
                    let latency = self.latency(line_of(link), false);
                    self.after(latency, Action::Accept(link, transport, request.into()));
                }
                Output::Ask { link, transport, request, .. } => {
                    if !self.held.contains_key(&link) {
                        self.hold(link, transport)?;
                    }
                    self.asks.push(self.now);
                    let latency = self.latency(line_of(link), false);
                    self.after(latency, Action::Asked(link, transport, request.into()));
                }
                Output::Credential { fetch, timeout } => self.ask_token(fetch, timeout)?,
                Output::Send { link, message } if self.dialect.is_some() => {
                    self.up(link, Action::Bytes(link, message.into_bytes()));
                }
                Output::Send { link, message } => {
                    self.up(link, Action::Text(link, message.as_text().unwrap_or_default().to_owned()));
                }
                Output::Post { link, number, request, timeout, .. } => {
                    // What is posted to polls goes one by one.
                    if number == 0 && !self.posting.insert(link) {
                        return Err(format!("two posts at once on link {link}"));
                    }
                    let latency = self.latency(line_of(link), false);
                    self.after(latency, Action::Post(link, number, timeout, request.into()));
                }
                Output::StartTls { .. } | Output::Exchange { .. } => {
                    return Err("a hub has no such thing".into());
                }
                Output::Ping { link } => {
                    if !self.unanswered_pings.insert(link) {
                        return Err("H1: a second ping while one is unanswered".into());
                    }
                    self.up(link, Action::Ping(link));
                }
                Output::Close { link } => {
                    // A link that has just ended may be given up before the feed has heard of it.
                    if self.held.remove(&link).is_none() && !self.ended.contains(&link) {
                        return Err(format!("H5: link {link} closed that isn't held"));
                    }
                    // A server doesn't hear of the end of a link that is dead.
                    let is_dead = self.links.get(&link).is_none_or(|link| link.dead);
                    let hears = !is_dead && self.is_heard_to_end(link);
                    self.links.remove(&link);
                    self.posting.remove(&link);
                    if hears {
                        self.end_talk(link);
                    }
                    self.killed.insert(link);
                }
                Output::Fetch { fetch, request, timeout, .. } => {
                    let latency = self.latency(fetch.path(), false);
                    self.after(latency, Action::Fetch(fetch, timeout, request.into()));
                }
                Output::Deliver(delivery) => self.deliver(delivery)?,
                Output::Status => {
                    self.wall.hand_on(None, self.now);
                    self.commit()?;
                }
            }
        }
        Ok(())
    }

    fn deliver(&mut self, delivery: Delivery) -> Result<(), String> {
        if let Delivery::Events(events) = &delivery
            && (events.len() > 1024 || events.iter().any(|event| event.data.text().len() > limits::DATA_BYTES_MAX))
        {
            return Err(format!("H5: a delivery of {} events", events.len()));
        }
        if matches!(delivery, Delivery::Gap(_)) && self.is_calm() && !self.is_unheralded() {
            return Err(format!("H3: a gap, and nothing has been wrong for {:?}: {delivery:?}", self.calm_for()));
        }
        let slow = self.active().filter_map(|fault| match fault {
            Fault::SlowDisk(millis) => Some(millis),
            _ => None,
        });
        let slow = slow.max().unwrap_or(10);
        let wait = self.draw.millis(0, slow);
        self.check_gap(&delivery)?;
        self.note_had(&delivery);
        let known = Known { begun: self.begun(), had: self.had.clone() };
        self.wall.hand_on(Some((delivery, known)), self.now.plus(wait));
        self.commit()
    }

    /// Folds what the journal has by now.
    pub(super) fn commit(&mut self) -> Result<(), String> {
        while let Some(due) = self.wall.poll_commit() {
            if due > self.now {
                if self.commit_at.is_none_or(|at| due < at) {
                    self.commit_at = Some(due);
                    self.at(due, Action::Commit);
                }
                return Ok(());
            }
            let before = self.wall.status.clone();
            if self.wall.commit(&self.server, self.now)? {
                self.note_status(&before)?;
            }
        }
        Ok(())
    }

    fn note_status(&mut self, before: &watchfloor_model::SourceStatus) -> Result<(), String> {
        let status = &self.wall.status;
        if status.phase != before.phase || status.cause != before.cause {
            let (phase, cause) = (status.phase, status.cause.clone());
            self.note(|| format!("== {phase} {:?}", cause.map(|cause| cause.text)));
        }
        let status = &self.wall.status;
        self.met.status(before, status);
        let live = status.phase == Phase::Live;
        if live && (status.cause.is_some() || status.retry_at.is_some()) {
            return Err(format!("H1: live with a cause: {status:?}"));
        }
        if !live && status.cause.is_none() && self.wall.life == 0 && self.met.lives > 0 {
            return Err(format!("H1: not live and no cause: {status:?}"));
        }
        self.left_live += u64::from(self.was_live && !live);
        self.met.lives += u64::from(live && !self.was_live);
        self.was_live = live;
        Ok(())
    }

    /// The feed has a link more.
    fn hold(&mut self, link: LinkId, transport: Transport) -> Result<(), String> {
        if self.held.keys().filter(|held| line_of(**held) == line_of(link)).count() >= 2 {
            return Err(format!("H5: link {link} opened while {:?} are held", self.held));
        }
        self.held.insert(link, transport);
        self.opens.push(self.now);
        self.met.opened(transport);
        Ok(())
    }
}

fn cut(text: &str) -> String {
    text.chars().take(300).collect()
}
