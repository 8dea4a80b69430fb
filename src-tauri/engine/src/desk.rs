//! What a hand at the glass asks for: parts of a table, and the event behind what is shown.
//!
//! Nothing is kept for this. The newest event of a row is looked up in the journal's ring, newest batch first, by a connection of its own
//! that can't write and on a thread that nobody waits for.

use std::{
    path::Path,
    sync::Arc,
    time::{Duration, Instant},
};

use watchfloor_board::{
    Recogniser, Subject,
    frame::{Detail, RawEvent},
};
use watchfloor_model::{Delivery, Event, Timestamp};

use crate::{
    clock::Clock,
    intake::Replay,
    journal::{
        FILE_NAME, JournalError,
        table::batch::{self, Kind},
        unwritten,
    },
};

/// How long is looked for an event.
const LOOK_MAX: Duration = Duration::from_secs(3);
/// The most of an event's text that is shown, in bytes.
const TEXT_BYTES_MAX: usize = 64 << 10;

/// What was found in the journal.
#[derive(Debug)]
enum Found {
    Event(Box<Event>, Timestamp),
    /// Nothing of it is kept.
    Nothing,
    /// It would take too long.
    Late,
}

/// All that there is of the subject; without a `folder` nothing is remembered.
pub(crate) fn detail(folder: Option<&Path>, subject: &Subject, clock: Clock) -> Detail {
    let (event, lacks) = match folder.map(|folder| newest(&folder.join(FILE_NAME), subject, clock)) {
        None => (None, Some("this wall remembers no events".to_owned())),
        Some(Err(error)) => (None, Some(format!("the journal can't be read: {error}"))),
        Some(Ok(Found::Nothing)) => (None, Some("no longer kept, or told by a state of the server".to_owned())),
        Some(Ok(Found::Late)) => (None, Some("not among the newest events".to_owned())),
        Some(Ok(Found::Event(event, received))) => {
            let is_newest = subject.heard.is_none_or(|heard| heard <= event.time.as_millis());
            let lacks =
                (!is_newest).then(|| "older than what is shown: what came after it is no longer kept".to_owned());
            (Some(raw(&event, received)), lacks)
        }
    };
    let source = subject.source_title.clone();
    Detail { revision: subject.revision, row: subject.row.clone(), source, event, lacks }
}

fn newest(path: &Path, subject: &Subject, clock: Clock) -> Result<Found, JournalError> {
    let connection = unwritten::open(path)?;
    let recogniser = subject.recogniser();
    let mut replay = Replay::new(clock);
    let began = Instant::now();
    let mut found = Found::Nothing;
    batch::each_before(&connection, &subject.source, |batch| {
        if began.elapsed() > LOOK_MAX {
            found = Found::Late;
            return Ok(false);
        }
        // What was before is another story.
        if batch.kind == Kind::Forget {
            return Ok(false);
        }
        if !matches!(batch.kind, Kind::Events | Kind::Restated) || !subject.may_be_in(&batch.body) {
            return Ok(true);
        }
        let delivery = replay.delivery(&batch).map_err(JournalError::Damaged)?;
        let events = match delivery {
            Some(Delivery::Events(events)) => events,
            Some(Delivery::Restated(restated)) => restated.events,
            _ => Vec::new(),
        };
        match last_known(events, &recogniser) {
            Some(event) => {
                found = Found::Event(Box::new(event), batch.received);
                Ok(false)
            }
            None => Ok(true),
        }
    })?;
    Ok(found)
}

fn last_known(events: Vec<Event>, recogniser: &Recogniser) -> Option<Event> {
    events.into_iter().rev().find(|event| recogniser.knows(event))
}

fn raw(event: &Event, received: Timestamp) -> RawEvent {
    let text = event.data.text();
    let (shown, cut) = indented(text, TEXT_BYTES_MAX);
    RawEvent {
        channel: event.channel.to_string(),
        name: event.name.to_string(),
        id: event.id.as_ref().map(Arc::to_string),
        position: event.position.as_ref().map(ToString::to_string),
        time_ms: event.time.as_millis(),
        received_ms: received.as_millis(),
        text: shown,
        bytes: u32::try_from(text.len()).unwrap_or(u32::MAX),
        cut,
    }
}

/// Marks that turn the direction of what stands behind them: UAX #9.
const fn turns(character: char) -> bool {
    matches!(character, '\u{61c}' | '\u{200e}' | '\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}')
}

/// A JSON text with a line for each thing in it, every number and every order of keys as it came; and whether it goes on. What turns the
/// direction of text is written as what it is.
fn indented(text: &str, bytes_max: usize) -> (String, bool) {
    let mut out = String::new();
    let mut depth: usize = 0;
    let (mut in_text, mut escaped) = (false, false);
    let mut characters = text.chars().peekable();
    let line = |out: &mut String, depth: usize| {
        out.push('\n');
        out.extend(std::iter::repeat_n("  ", depth.min(40)));
    };
    while let Some(character) = characters.next() {
        if out.len() >= bytes_max {
            return (out, true);
        }
        if in_text {
            if turns(character) {
                out.push_str(&format!("\\u{:04x}", u32::from(character)));
            } else {
                out.push(character);
            }
            in_text = escaped || character != '"';
            escaped = character == '\\' && !escaped;
            continue;
        }
        match character {
            ' ' | '\t' | '\n' | '\r' => {}
            '{' | '[' => {
                out.push(character);
                while characters.next_if(char::is_ascii_whitespace).is_some() {}
                if let Some(end) = characters.next_if(|next| matches!(next, '}' | ']')) {
                    out.push(end);
                } else {
                    depth += 1;
                    line(&mut out, depth);
                }
            }
            '}' | ']' => {
                depth = depth.saturating_sub(1);
                line(&mut out, depth);
                out.push(character);
            }
            ',' => {
                out.push(',');
                line(&mut out, depth);
            }
            ':' => out.push_str(": "),
            '"' => {
                in_text = true;
                out.push('"');
            }
            other => out.push(other),
        }
    }
    (out, false)
}

#[cfg(test)]
mod tests;
