//! H8: the token is in no word that is said or written, even if the server repeats it.

use std::borrow::Cow;

use watchfloor_board::config::spec::SecretSpec;
use watchfloor_feed::Secret;

use crate::secrets;

/// A shorter token would be found in words that have nothing to do with it.
const BYTES_MIN: usize = 8;
/// What stands in its place.
const MARK: &str = "(the token)";

/// Hides a token.
#[derive(Debug)]
pub(super) struct Veil(Option<Secret>);

impl Veil {
    /// Reads the token where it is kept. The error says what is wrong with that, for people.
    pub(super) async fn over(place: Option<&SecretSpec>) -> Result<Self, String> {
        let Some(place) = place else { return Ok(Self(None)) };
        let token = secrets::read(place).await.map_err(|fault| fault.text)?;
        Ok(Self(Some(token).filter(|token| token.expose().len() >= BYTES_MIN)))
    }

    /// The text without the token.
    pub(super) fn veiled<'t>(&self, text: &'t str) -> Cow<'t, str> {
        match &self.0 {
            Some(token) if text.contains(token.expose()) => text.replace(token.expose(), MARK).into(),
            _ => text.into(),
        }
    }

    /// Whether the token is in the text.
    pub(super) fn hides(&self, text: &str) -> bool {
        self.0.as_ref().is_some_and(|token| text.contains(token.expose()))
    }
}
