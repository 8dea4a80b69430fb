//! How events are written to the engine, and read from it.
//!
//! A **record** is what the engine keeps of an event, one line: what only the Pusher door asks for, a tab, and the event's message from its name on. What
//! is before that in the message, channel and position, is known to whoever reads it, and the position not to who writes it. **News** are what nodes are told
//! of a channel: a line with epoch and first offset, then of each event a line with the engine's time, a tab and the record.

use std::sync::Arc;

use watchfloor_model::{Position, Timestamp};

use crate::{channel::Aside, message, publish::Incoming};

/// An event as a node hears it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Heard {
    /// Its place in its channel.
    pub(crate) offset: u64,
    /// The engine's time when it was taken.
    pub(crate) at: Timestamp,
    /// The finished message.
    pub(crate) line: Arc<str>,
    /// What only the Pusher door asks for.
    pub(crate) aside: Option<Box<Aside>>,
}

/// What was told of a channel.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct News {
    pub(crate) epoch: Arc<str>,
    pub(crate) events: Vec<Heard>,
}

/// The record of an event that happened at `time`.
pub(crate) fn record(event: &Incoming, time: Timestamp) -> String {
    let mut record = match &event.aside {
        None => "-".to_owned(),
        Some(aside) => {
            let except = aside.except.map(|socket| socket.to_string());
            serde_json::to_string(&(aside.is_bare, except, &aside.user)).unwrap_or_else(|_| "-".to_owned())
        }
    };
    record.push('\t');
    message::push_tail(&mut record, event, time);
    record
}

/// Reads a record of the event at `offset`.
pub(crate) fn heard(channel: &str, epoch: &Arc<str>, offset: u64, at: i64, record: &str) -> Option<Heard> {
    let (aside, tail) = record.split_once('\t')?;
    let position = Position::new(epoch.clone(), offset);
    let aside = if aside == "-" { None } else { Some(Box::new(read_aside(aside)?)) };
    let line = message::with_tail(channel, &position, tail);
    Some(Heard { offset, at: Timestamp::from_millis(at), line, aside })
}

fn read_aside(text: &str) -> Option<Aside> {
    let (is_bare, except, user): (bool, Option<String>, Option<Arc<str>>) = serde_json::from_str(text).ok()?;
    let except = match except {
        Some(socket) => Some(socket.parse().ok()?),
        None => None,
    };
    Some(Aside { is_bare, except, user })
}

/// Reads what is told of a channel; none if that is no news.
pub(crate) fn news(channel: &str, text: &str) -> Option<News> {
    let mut lines = text.split('\n');
    let (epoch, first) = lines.next()?.split_once(' ')?;
    let (epoch, first): (Arc<str>, u64) = (epoch.into(), first.parse().ok()?);
    let read = |(line, offset): (&str, u64)| {
        let (at, record) = line.split_once('\t')?;
        heard(channel, &epoch, offset, at.parse().ok()?, record)
    };
    let events = lines.zip(first..).map(read).collect::<Option<Vec<_>>>()?;
    (!events.is_empty()).then_some(News { epoch, events })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        people::Socket,
        publish::{self, Form},
    };

    /// H3: what a node hears is what was published, whatever is in names and data, and the very line that a hub without engine would write.
    #[test]
    fn events_come_as_they_went() {
        let body = "[{\"channel\":\"a\",\"name\":\"q\\\"\\\\\\t\",\"id\":\"\u{2028}\",\"data\":{\"x\":\t\"ÿ\\n\"}},\
            {\"channel\":\"a\",\"name\":\"n\",\"data\":null}]";
        let mut events = publish::parse(body.replace("\\\\\\t", "\\\\").as_bytes(), Form::Json).expect("events");
        events[1].aside =
            Some(Box::new(Aside { is_bare: true, except: Some(Socket::new(1, 2)), user: Some("ü\t".into()) }));
        let time = Timestamp::from_millis(5);
        let mut text = "k3x9 7".to_owned();
        for event in &events {
            text.push_str("\n1000\t");
            text.push_str(&record(event, time));
        }
        let news = news("a", &text).expect("news");
        assert_eq!(&*news.epoch, "k3x9");
        for (offset, (event, heard)) in (7..).zip(events.iter().zip(&news.events)) {
            let line = message::event(event, &Position::new("k3x9", offset), time);
            assert_eq!((heard.offset, &heard.line, &heard.aside), (offset, &line, &event.aside));
        }
        for broken in ["", "k3x9", "k3x9 x\n1\t-\t}", "k3x9 1", "k3x9 1\n1", "k3x9 1\nx\t-\t}", "k3x9 1\n1\t[]\t}"] {
            assert_eq!(super::news("a", broken), None, "{broken}");
        }
    }
}
