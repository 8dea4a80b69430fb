//! What a source's word for a state means.

use std::{borrow::Cow, collections::BTreeMap};

use watchfloor_model::{Json, Shape};

use super::{
    Rejection,
    cut::cut,
    pick::{TEXT_CHARACTERS_MAX, number_text, reject},
};
use crate::{config::spec::StateSpec, frame::State, path::Path};

/// A [`StateSpec`] at work.
#[derive(Clone, Debug)]
pub(crate) struct Meaning {
    path: Path,
    states: BTreeMap<String, State>,
}

/// A state as the source says it, and what that means.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Said<'a> {
    pub(crate) text: Cow<'a, str>,
    pub(crate) state: State,
}

impl Meaning {
    pub(crate) fn new(spec: &StateSpec) -> Self {
        Self { path: spec.path.clone(), states: spec.states.clone() }
    }

    /// What the event says of the state; none if it says nothing. Null is normal, an unlisted word unknown.
    pub(crate) fn of<'a>(&self, data: Json<'a>) -> Result<Option<Said<'a>>, Rejection> {
        let text = match self.path.find(data).map(Json::shape) {
            None => return Ok(None),
            Some(Shape::Null) => return Ok(Some(Said { text: Cow::Borrowed(""), state: State::Normal })),
            Some(Shape::Text(text)) => Cow::Borrowed(text),
            Some(Shape::Number(number)) => Cow::Owned(number_text(&number)),
            Some(Shape::Bool(value)) => Cow::Borrowed(if value { "true" } else { "false" }),
            Some(Shape::List(_) | Shape::Object(_)) => {
                return Err(reject(&self.path, data, "a text, a number, true, false or null"));
            }
        };
        let state = self.states.get(text.as_ref()).copied().unwrap_or(State::Unknown);
        let text = match text {
            Cow::Borrowed(text) => cut(text, TEXT_CHARACTERS_MAX),
            Cow::Owned(text) => Cow::Owned(text),
        };
        Ok(Some(Said { text, state }))
    }
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};
    use watchfloor_model::Payload;

    use super::*;

    #[test]
    fn words_mean_what_the_file_says() {
        let states =
            [("late".to_owned(), State::Warning), ("3".to_owned(), State::Alarm), ("true".into(), State::Muted)];
        let meaning = Meaning { path: "s".parse().expect("path"), states: states.into() };
        let check = |data: Value, expected: Option<(&str, State)>| {
            let data = Payload::from(data);
            let said = meaning.of(data.value()).expect("no rejection");
            assert_eq!(said.as_ref().map(|said| (said.text.as_ref(), said.state)), expected, "{}", data.text());
        };
        check(json!({"s": "late"}), Some(("late", State::Warning)));
        check(json!({"s": 3}), Some(("3", State::Alarm)));
        check(json!({"s": true}), Some(("true", State::Muted)));
        check(json!({"s": "odd"}), Some(("odd", State::Unknown)));
        check(json!({"s": null}), Some(("", State::Normal)));
        check(json!({}), None);
        assert!(meaning.of(Payload::from(json!({"s": [1]})).value()).is_err());
    }
}
