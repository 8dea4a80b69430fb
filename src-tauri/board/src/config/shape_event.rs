//! What may stand as a value, where it speaks of events: paths, templates, durations, names, states.

use serde_json::{Value, json};
use watchfloor_model::limits;
pub(super) use watchfloor_settings::span::{Span, SpanOrOff};

use super::{
    diagnostic::Sink,
    shape::{Choice, text_of},
    spec::Template,
    table::{Node, Shape, bad_character, bad_value, cut},
    template::{TEMPLATE_CHARACTERS_MAX, TemplateError},
};
use crate::{
    frame::State,
    path::{PATH_CHARACTERS_MAX, Path, PathError},
};

/// A path into an event's data.
pub(super) struct PathText;

const PATH_EXPECTED: &str = "a path such as `delay`, `flight.number`, `stops[0].name` or `[\"odd key\"].x`";

impl Shape for PathText {
    type Value = Path;

    fn expected(&self) -> String {
        PATH_EXPECTED.to_owned()
    }

    #[cfg(test)]
    fn words(&self) -> String {
        "path".to_owned()
    }

    fn schema(&self) -> Value {
        json!({"type": "string", "minLength": 1, "maxLength": PATH_CHARACTERS_MAX, "pattern": "^[^.\\s].*$"})
    }

    fn read(&self, node: Node<'_>, sink: &mut Sink<'_>) -> Option<Path> {
        let text = text_of(node, PATH_EXPECTED, sink)?;
        read_path(text, 0, node, sink)
    }
}

/// The path that begins after `skip` characters of the node's string.
pub(super) fn read_path(text: &str, skip: usize, node: Node<'_>, sink: &mut Sink<'_>) -> Option<Path> {
    match text.parse() {
        Ok(path) => Some(path),
        Err(PathError { at, problem }) => {
            let message = format!("malformed path for `{}`: {problem}", cut(node.name));
            bad_character(node, skip + at, message, PATH_EXPECTED, sink);
            None
        }
    }
}

/// A path to sort by, `-` before it for the opposite order.
pub(super) struct SortText;

impl Shape for SortText {
    type Value = (Path, bool);

    fn expected(&self) -> String {
        format!("{PATH_EXPECTED}, perhaps with `-` before it")
    }

    #[cfg(test)]
    fn words(&self) -> String {
        "path, `-` before it for descending".to_owned()
    }

    fn schema(&self) -> Value {
        json!({"type": "string", "minLength": 1, "maxLength": PATH_CHARACTERS_MAX + 1, "pattern": "^-?[^.\\s].*$"})
    }

    fn read(&self, node: Node<'_>, sink: &mut Sink<'_>) -> Option<(Path, bool)> {
        let text = text_of(node, &self.expected(), sink)?;
        let (text, descending) = text.strip_prefix('-').map_or((text, false), |rest| (rest, true));
        Some((read_path(text, usize::from(descending), node, sink)?, descending))
    }
}

/// Text with holes.
pub(super) struct TemplateText;

const TEMPLATE_EXPECTED: &str = "text with paths in braces such as `{carrier} {flight} to {dest}`";

impl Shape for TemplateText {
    type Value = Template;

    fn expected(&self) -> String {
        TEMPLATE_EXPECTED.to_owned()
    }

    #[cfg(test)]
    fn words(&self) -> String {
        "template".to_owned()
    }

    fn schema(&self) -> Value {
        json!({"type": "string", "minLength": 1, "maxLength": TEMPLATE_CHARACTERS_MAX})
    }

    fn read(&self, node: Node<'_>, sink: &mut Sink<'_>) -> Option<Template> {
        match text_of(node, TEMPLATE_EXPECTED, sink)?.parse() {
            Ok(template) => Some(template),
            Err(TemplateError { at, problem }) => {
                let message = format!("malformed template for `{}`: {problem}", cut(node.name));
                bad_character(node, at, message, TEMPLATE_EXPECTED, sink);
                None
            }
        }
    }
}

/// `daily HH:MM`, read to minutes after midnight.
pub(super) struct DailyText;

impl Shape for DailyText {
    type Value = u32;

    fn expected(&self) -> String {
        "`daily HH:MM`, from `daily 00:00` to `daily 23:59`".to_owned()
    }

    #[cfg(test)]
    fn words(&self) -> String {
        "`daily HH:MM`".to_owned()
    }

    fn schema(&self) -> Value {
        json!({"type": "string", "pattern": "^daily ([01][0-9]|2[0-3]):[0-5][0-9]$", "examples": ["daily 00:00"]})
    }

    fn read(&self, node: Node<'_>, sink: &mut Sink<'_>) -> Option<u32> {
        let text = text_of(node, &self.expected(), sink)?;
        let minutes = text.strip_prefix("daily ").and_then(minutes_of_day);
        if minutes.is_none() {
            bad_value(node, "malformed time of day", &self.expected(), None, sink);
        }
        minutes
    }
}

/// `HH:MM`, as minutes after midnight.
pub(crate) fn minutes_of_day(text: &str) -> Option<u32> {
    let (hours, minutes) = text.split_once(':')?;
    let two_digits = |part: &str| {
        let plain = part.len() == 2 && part.bytes().all(|b| b.is_ascii_digit());
        plain.then(|| part.parse::<u32>().ok()).flatten()
    };
    let (hours, minutes) = (two_digits(hours)?, two_digits(minutes)?);
    (hours < 24 && minutes < 60).then_some(hours * 60 + minutes)
}

/// An event name, `*` at its end for any rest where that is allowed.
pub(super) struct EventName {
    pub(super) star: bool,
}

impl Shape for EventName {
    type Value = String;

    fn expected(&self) -> String {
        let star = if self.star { ", `*` at its end for any rest" } else { "" };
        format!("an event name of 1 to {} bytes such as `flight.cancelled`{star}", limits::NAME_BYTES_MAX)
    }

    fn schema(&self) -> Value {
        let pattern = if self.star { "^[^*\\p{Cc}]*\\*?$" } else { "^[^*\\p{Cc}]+$" };
        json!({"type": "string", "minLength": 1, "maxLength": limits::NAME_BYTES_MAX, "pattern": pattern})
    }

    fn read(&self, node: Node<'_>, sink: &mut Sink<'_>) -> Option<String> {
        let text = text_of(node, &self.expected(), sink)?;
        let last = text.chars().count().saturating_sub(1);
        let misplaced = text.chars().enumerate().find(|(at, c)| {
            let star_too_early = *c == '*' && !(self.star && *at == last);
            star_too_early || c.is_control()
        });
        if let Some((at, found)) = misplaced {
            let message = format!("{found:?} is not allowed here in an event name");
            bad_character(node, at + 1, message, &self.expected(), sink);
            return None;
        }
        if text.is_empty() || text.len() > limits::NAME_BYTES_MAX {
            let message = if text.is_empty() { "empty event name" } else { "too long an event name" };
            bad_value(node, message, &self.expected(), None, sink);
            return None;
        }
        Some(text.to_owned())
    }
}

/// The states that a board file can give.
pub(super) const STATE: Choice<State> = Choice {
    options: &[
        ("normal", State::Normal, "nothing to do"),
        ("muted", State::Muted, "over and done, drawn quieter"),
        ("warning", State::Warning, "look at it"),
        ("alarm", State::Alarm, "act on it"),
    ],
};
