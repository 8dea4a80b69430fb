//! An answer to a poll, as the signals that a connection would have brought.
//!
//! A poll is told of a subscription only where it can't just go on from its cursor. So what the first answer leaves out
//! was taken up at the place asked for, and what a later one has is a place that was lost.

use serde::Deserialize;
use serde_json::value::RawValue;
use watchfloor_model::{Mono, Position};

use super::codec::Codec;
use crate::{
    fault::cut,
    limits::{CURSOR_BYTES_MAX, UNREADABLE_LINES_MAX},
    protocols::{Beat, Signal},
};

/// What an answer says besides its messages.
#[derive(Debug)]
pub(super) struct Answer {
    pub(super) cursor: String,
    pub(super) has_more: bool,
}

#[derive(Deserialize)]
struct Body<'a> {
    cursor: String,
    #[serde(borrow)]
    messages: Vec<&'a RawValue>,
    #[serde(borrow)]
    heartbeat: &'a RawValue,
}

/// Reads an answer. `asked` are the places that were asked for, by channel, if it is a link's first. The error says what is
/// wrong with it, for people.
pub(super) fn read(
    body: &[u8],
    codec: &mut Codec,
    asked: Option<&[Option<Position>]>,
    now: Mono,
    out: &mut Vec<Signal>,
) -> Result<Answer, String> {
    let body: Body<'_> = serde_json::from_slice(body).map_err(|error| match body.trim_ascii_start().first() {
        Some(b'<') => "answered with a web page: a login page or proxy?".to_owned(),
        _ => format!("the answer can't be read: {}", cut(&error.to_string())),
    })?;
    if body.cursor.len() > CURSOR_BYTES_MAX {
        return Err(format!("a cursor of {} bytes, the limit is {CURSOR_BYTES_MAX}", body.cursor.len()));
    }
    let mut heartbeat = Vec::new();
    codec.line(body.heartbeat.get(), now, &mut heartbeat);
    let beats = heartbeat.iter().find_map(|signal| match signal {
        Signal::Heartbeat { beats, .. } => Some(&**beats),
        _ => None,
    });
    let beats = beats.ok_or("the answer has no heartbeat")?;
    let has_more = !body.messages.is_empty() && beats.iter().any(|beat| beat.behind > 0);
    let mut unreadable = 0;
    let mut messages = Vec::with_capacity(body.messages.len());
    for message in &body.messages {
        unreadable += usize::from(!codec.line(message.get(), now, &mut messages));
        if unreadable > UNREADABLE_LINES_MAX {
            return Err("the server does not speak the hub's protocol".to_owned());
        }
    }
    match asked {
        Some(asked) => out.extend(taken_up(asked, beats, &messages)),
        None => messages.iter_mut().for_each(lost),
    }
    out.append(&mut messages);
    out.append(&mut heartbeat);
    Ok(Answer { cursor: body.cursor, has_more })
}

/// The subscriptions that the first answer doesn't speak of.
fn taken_up(asked: &[Option<Position>], beats: &[Beat], messages: &[Signal]) -> Vec<Signal> {
    let is_told = |channel: usize| {
        messages.iter().any(|signal| matches!(signal, Signal::Subscribed { channel: told, .. } if *told == channel))
    };
    let subscribed = |beat: &Beat| {
        let from = asked.get(beat.channel)?.clone().filter(|_| !is_told(beat.channel))?;
        let head = Position::new(beat.head.epoch.clone(), beat.head.offset.saturating_add(beat.behind));
        Some(Signal::Subscribed { channel: beat.channel, head, from, recovered: true, reason: None })
    };
    beats.iter().filter_map(subscribed).collect()
}

/// A subscription that begins anew although it went on before.
fn lost(signal: &mut Signal) {
    if let Signal::Subscribed { channel, head, reason, .. } = signal {
        let reason = reason.take().unwrap_or_else(|| "the server lost our place".to_owned());
        *signal = Signal::Lost { channel: *channel, head: head.clone(), reason };
    }
}
