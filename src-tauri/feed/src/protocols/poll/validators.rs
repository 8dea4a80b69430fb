//! What a server calls the version of a document, by which it is asked for the next.

use crate::{
    port::Head,
    protocols::{Place, counted::is_counted},
};

/// Between the two in a cursor and in a place's mark. Neither may have one in it.
const BETWEEN: char = '\t';

/// Both validators of RFC 9110 section 8.8, as they came.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Validators<'a> {
    pub(super) etag: Option<&'a str>,
    pub(super) modified: Option<&'a str>,
}

impl<'a> Validators<'a> {
    /// What the head of an answer says.
    pub(super) fn read(head: &'a Head) -> Self {
        Self { etag: part(head.etag.as_deref()), modified: part(head.last_modified.as_deref()) }
    }

    /// Those of a place that is gone on from.
    pub(super) fn of(places: &'a [Place]) -> Option<Self> {
        let place = places.first()?.position.as_ref().filter(|place| is_counted(place))?;
        let validators = Self::parse(place.mark.as_deref()?);
        (validators != Self::default()).then_some(validators)
    }

    /// Those of a mark, which was kept somewhere and may be another's.
    fn parse(text: &'a str) -> Self {
        let Self { etag, modified } = Self::written(text);
        Self { etag: part(etag), modified: part(modified) }
    }

    /// Those of a text that [`Validators::write`] wrote: what is in it can be sent back.
    pub(super) fn written(text: &'a str) -> Self {
        let (etag, modified) = text.split_once(BETWEEN).unwrap_or((text, ""));
        let some = |text: &'a str| Some(text).filter(|text| !text.is_empty());
        Self { etag: some(etag), modified: some(modified) }
    }

    /// Whether a cursor has any.
    pub(super) const fn are_in(cursor: &str) -> bool {
        cursor.len() > BETWEEN.len_utf8()
    }

    /// Writes a cursor, or a mark, in place of what the text was.
    pub(super) fn write(self, text: &mut String) {
        text.clear();
        text.push_str(self.etag.unwrap_or_default());
        text.push(BETWEEN);
        text.push_str(self.modified.unwrap_or_default());
    }
}

/// What can be sent back as it came.
fn part(text: Option<&str>) -> Option<&str> {
    let is_sound = |text: &str| {
        text.bytes().all(|byte| byte.is_ascii_graphic() || byte == b' ') || !text.chars().any(char::is_control)
    };
    text.filter(|text| !text.is_empty() && is_sound(text))
}
