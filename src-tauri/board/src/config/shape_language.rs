//! What may stand as a value, where it says how people there speak and write.

use serde_json::{Value, json};

use super::{
    diagnostic::Sink,
    shape::text_of,
    table::{Node, Shape, bad_value},
};

/// The longest tag, in characters.
const TAG_CHARACTERS_MAX: usize = 35;

/// The languages that the page has words for, by their tags and as people call them; a test of the page compares them with its files.
pub(super) const LANGUAGES: &[(&str, &str, &str)] = &[("en", "en", "English"), ("de", "de", "German")];

/// A locale, by its tag of BCP 47. Which there are is the web view's to know: of one that it doesn't know it takes the language, or its own.
pub(super) struct Locale;

impl Shape for Locale {
    type Value = String;

    fn expected(&self) -> String {
        "a locale's tag (BCP 47) such as `de-AT` or `en-GB`".to_owned()
    }

    #[cfg(test)]
    fn words(&self) -> String {
        "locale, `de-AT`".to_owned()
    }

    fn schema(&self) -> Value {
        json!({
            "type": "string",
            "maxLength": TAG_CHARACTERS_MAX,
            "pattern": "^[A-Za-z]{2,3}(-[A-Za-z0-9]{1,8})*$",
            "examples": ["de-AT", "en-GB"],
        })
    }

    fn read(&self, node: Node<'_>, sink: &mut Sink<'_>) -> Option<String> {
        let text = text_of(node, &self.expected(), sink)?;
        if is_tag(text) {
            return Some(text.to_owned());
        }
        // As a machine calls it: `de_AT.UTF-8`.
        let meant = text.split(['.', '@']).next().unwrap_or_default().replace('_', "-");
        let help = is_tag(&meant).then(|| format!("did you mean `{meant}`?"));
        bad_value(node, "malformed locale", &self.expected(), help, sink);
        None
    }
}

fn is_tag(text: &str) -> bool {
    let mut parts = text.split('-');
    let language = parts.next().unwrap_or_default();
    text.len() <= TAG_CHARACTERS_MAX
        && (2..=3).contains(&language.len())
        && language.bytes().all(|byte| byte.is_ascii_alphabetic())
        && parts.all(|part| (1..=8).contains(&part.len()) && part.bytes().all(|byte| byte.is_ascii_alphanumeric()))
}
