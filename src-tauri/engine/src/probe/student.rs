//! Learning in two steps: where the events' names stand is decided by the first of them.

use std::sync::Arc;

use watchfloor_model::{Event, Json, Shape};

use super::{judge, learn::Learner, subject::Subject, text::shown};

/// Events that are kept until it is decided where their names stand.
const HELD_MAX: usize = 200;
/// The same in bytes of their bodies.
const HELD_BYTES_MAX: usize = 4 << 20;
/// Learns once it is known where names stand.
#[derive(Default)]
pub(crate) struct Student {
    pub(crate) events: u64,
    held: Vec<Event>,
    bytes: usize,
    settled: Option<Learner>,
}

impl Student {
    pub(crate) fn take(&mut self, event: Event, subject: &mut Subject) {
        self.events += 1;
        if let Some(learner) = &mut self.settled {
            learn_one(learner, subject, &event);
            return;
        }
        self.bytes += event.data.text().len();
        self.held.push(event);
        if self.held.len() >= HELD_MAX || self.bytes >= HELD_BYTES_MAX {
            let learner = self.decide(subject);
            self.settled = Some(learner);
        }
    }

    pub(crate) fn settle(mut self, subject: &mut Subject) -> Learner {
        match self.settled.take() {
            Some(learner) => learner,
            None => self.decide(subject),
        }
    }

    /// Decides by what is held, which is learnt then.
    fn decide(&mut self, subject: &mut Subject) -> Learner {
        let mut learner = Learner::default();
        for event in &self.held {
            learner.take(&event.name, event);
        }
        let names = learner.names();
        // A name that the protocol gives to all of them says nothing.
        let is_named_by_protocol =
            matches!(subject.kind, "sse" | "mercure" | "websocket" | "centrifugo" | "redis" | "nats");
        if let [(_, learnt)] = names[..]
            && is_named_by_protocol
            && let Some(path) = judge::kind_field(learnt)
        {
            subject.note(
                "event",
                format!(
                    "All events had one name, and `{}` in them one of a few words: taken for their name.",
                    shown(&path.to_string())
                ),
            );
            subject.name = Some(path);
            learner = Learner::default();
            for event in &self.held {
                learn_one(&mut learner, subject, event);
            }
        }
        self.held = Vec::new();
        learner
    }
}

fn learn_one(learner: &mut Learner, subject: &Subject, event: &Event) {
    let inner = subject.name.as_ref().and_then(|path| path.find(event.data.value()));
    let name = match inner.map(Json::shape) {
        Some(Shape::Text(text)) => Arc::from(text),
        _ => event.name.clone(),
    };
    learner.take(&name, event);
}
