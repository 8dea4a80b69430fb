//! The places of all channels of a subscription in one text: `flights~k3x9:41|weather~`.

use std::{collections::BTreeMap, sync::Arc};

use watchfloor_model::Position;

use crate::{limits, publish};

/// For each channel the position of the last event that the reader has; none if it has none yet.
pub(crate) type Places = BTreeMap<Arc<str>, Option<Position>>;

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
        let channel = publish::channel(channel).map_err(|problem| format!("cursor: {problem}"))?;
        let place = match place {
            "" => None,
            place => Some(place.parse().map_err(|error| format!("cursor: channel {channel}: {error}"))?),
        };
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
        for cursor in ["a~", "flights~k3x9:41|weather~", "a~e:0|b~e:18446744073709551615"] {
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
        ] {
            let error = parse(cursor).expect_err(cursor);
            assert!(error.contains(part), "{error}");
        }
        let many: Vec<String> = (0..257).map(|number| format!("c{number}~")).collect();
        assert!(parse(&many.join("|")).expect_err("many").contains("257 channels: expected at most 256"));
    }
}
