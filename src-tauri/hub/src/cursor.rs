//! The places of all channels of a subscription in one text: `flights~k3x9:41|weather~`.

use std::{collections::BTreeMap, sync::Arc};

use watchfloor_model::Position;

use crate::{limits, publish};

/// For each channel the position of the last event that the reader has; none if it has none yet. For each pattern the history in which it has
/// every channel, with offset 0.
pub(crate) type Places = BTreeMap<Arc<str>, Option<Position>>;

/// What a reader asks for: a channel's name, or the beginning of names with `*` at its end.
///
/// # Errors
/// A sentence that says what was found and what was expected.
pub(crate) fn asked(name: &str) -> Result<Arc<str>, String> {
    match name.strip_suffix('*') {
        Some("") => Ok(name.into()),
        Some(beginning) => publish::channel(beginning)
            .map(|_| name.into())
            .map_err(|problem| format!("{problem}, here before the `*` at the end")),
        None => publish::channel(name),
    }
}

/// Whether what a reader asks for is a pattern: it may stand for any number of channels.
pub(crate) fn is_pattern(asked: &str) -> bool {
    asked.ends_with('*')
}

/// Whether this can be the place of what is asked for. A pattern's is before the first event.
///
/// # Errors
/// The same.
pub(crate) fn check_place(asked: &str, place: Option<&Position>) -> Result<(), String> {
    match place {
        Some(place) if is_pattern(asked) && place.offset != 0 => {
            Err(format!("{asked} is at {place}: expected offset 0 of a pattern, or no place"))
        }
        _ => Ok(()),
    }
}

/// Reads a cursor.
///
/// # Errors
/// A sentence that says what was found and what was expected.
pub(crate) fn parse(text: &str) -> Result<Places, String> {
    let mut places = Places::new();
    for part in text.split('|') {
        let Some((channel, place)) = part.split_once('~') else {
            let found: String = part.chars().take(40).collect();
            return Err(format!("cursor: {found:?} has no `~`: expected `channel~epoch:offset` or `channel~`"));
        };
        let channel = asked(channel).map_err(|problem| format!("cursor: {problem}"))?;
        let place = match place {
            "" => None,
            place => Some(place.parse().map_err(|error| format!("cursor: channel {channel}: {error}"))?),
        };
        check_place(&channel, place.as_ref()).map_err(|problem| format!("cursor: {problem}"))?;
        if places.insert(channel.clone(), place).is_some() {
            return Err(format!("cursor: channel {channel} appears twice: expected each channel once"));
        }
    }
    if places.len() > limits::SUBSCRIPTION_CHANNELS_MAX {
        let (found, max) = (places.len(), limits::SUBSCRIPTION_CHANNELS_MAX);
        return Err(format!("cursor: {found} channels: expected at most {max}"));
    }
    Ok(places)
}

/// Writes a cursor.
pub(crate) fn text<'a>(places: impl Iterator<Item = (&'a Arc<str>, Option<&'a Position>)>) -> String {
    let mut text = String::new();
    for (channel, place) in places {
        if !text.is_empty() {
            text.push('|');
        }
        text.push_str(channel);
        text.push('~');
        if let Some(place) = place {
            text.push_str(&place.to_string());
        }
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    /// H3: carrying a cursor from door to door changes nothing in it.
    #[test]
    fn round_trips() {
        for cursor in ["a~", "*~", "a.*~e:0|a.1~e:2", "flights~k3x9:41|weather~", "a~e:0|b~e:18446744073709551615"] {
            let places = parse(cursor).expect(cursor);
            assert_eq!(text(places.iter().map(|(channel, place)| (channel, place.as_ref()))), cursor);
        }
    }

    #[test]
    fn refuses_what_is_none() {
        for (cursor, part) in [
            ("", "has no `~`"),
            ("a", "has no `~`"),
            ("a~|", "has no `~`"),
            ("~", "no channel name"),
            ("a,b~", "no channel name"),
            ("a~5", "channel a: \"5\" is not a position"),
            ("a~e:1|a~", "appears twice"),
            ("a*b~", "no channel name"),
            ("**~", "before the `*` at the end"),
            ("a.*~e:1", "expected offset 0 of a pattern"),
        ] {
            let error = parse(cursor).expect_err(cursor);
            assert!(error.contains(part), "{error}");
        }
        let many: Vec<String> = (0..257).map(|number| format!("c{number}~")).collect();
        assert!(parse(&many.join("|")).expect_err("many").contains("257 channels: expected at most 256"));
    }
}
