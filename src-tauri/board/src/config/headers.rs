//! `headers` and `token-header`: what a source is told with each request. Neither holds a secret (H8).

use std::collections::BTreeMap;

use serde_json::{Value, json};
use toml::{
    Spanned,
    de::{DeString, DeValue},
};

use super::{
    diagnostic::{Problem, Sink},
    secrets,
    shape::text_of,
    spec::{SourceKind, SpeakSpec},
    table::{Node, Shape, TableReader, bad_character, bad_value, cut, wrong_type},
};

/// The most headers of one source.
const HEADERS_MAX: usize = 16;
/// The longest name of a header, in characters.
const NAME_CHARACTERS_MAX: usize = 100;
/// The longest value of a header, in characters.
const VALUE_CHARACTERS_MAX: usize = 1000;

/// Punctuation that may stand in a header's name (RFC 9110, section 5.6.2).
const NAME_PUNCTUATION: &str = "!#$%&'*+-.^_`|~";
const NAME_EXPECTED: &str =
    "the name of a header, 1 to 100 of `A-Z a-z 0-9 - _ . ! # $ % & ' * + ^ | ~`, such as `X-Tenant`";

/// What the wall sets itself, or what is the connection's or the answer's own affair.
const SET_NAMES: [&str; 15] = [
    "host",
    "connection",
    "upgrade",
    "transfer-encoding",
    "te",
    "trailer",
    "keep-alive",
    "accept",
    "accept-encoding",
    "cache-control",
    "last-event-id",
    "user-agent",
    "expect",
    "range",
    "http2-settings",
];
/// The same of all that begin so.
const SET_BEGINNINGS: [&str; 4] = ["proxy-", "sec-", "if-", "content-"];

/// `headers = { "X-Tenant" = "north", "Accept-Language" = "de" }`: values by name, in lower case.
pub(super) struct Headers;

impl Shape for Headers {
    type Value = BTreeMap<String, String>;

    fn expected(&self) -> String {
        format!("a table of 1 to {HEADERS_MAX} headers and what they say, such as `{{ X-Tenant = \"north\" }}`")
    }

    #[cfg(test)]
    fn words(&self) -> String {
        format!("table of 1 to {HEADERS_MAX} names and texts")
    }

    fn schema(&self) -> Value {
        let value = json!({
            "type": "string", "minLength": 1, "maxLength": VALUE_CHARACTERS_MAX, "pattern": "^[!-~]([ -~]*[!-~])?$",
        });
        json!({
            "type": "object", "minProperties": 1, "maxProperties": HEADERS_MAX,
            "propertyNames": name_schema(), "additionalProperties": value,
        })
    }

    fn read(&self, node: Node<'_>, sink: &mut Sink<'_>) -> Option<Self::Value> {
        let Some(entries) = node.value.get_ref().as_table() else {
            wrong_type(node, &self.expected(), None, sink);
            return None;
        };
        if entries.is_empty() || entries.len() > HEADERS_MAX {
            bad_value(node, &format!("{} headers", entries.len()), &self.expected(), None, sink);
            return None;
        }
        let mut in_order: Vec<_> = entries.iter().collect();
        in_order.sort_by_key(|(key, _)| key.span().start);
        let mut headers = BTreeMap::new();
        let mut sound = true;
        for (key, value) in in_order {
            let Some((name, text)) = header(key, value, sink) else {
                sound = false;
                continue;
            };
            if headers.insert(name, text).is_some() {
                sink.report(Problem {
                    span: key.span(),
                    message: format!("`{}` twice in `headers`", cut(key.get_ref())),
                    found: format!("`{}` again", cut(key.get_ref())),
                    expected: "each name once, in capitals or not".to_owned(),
                    help: None,
                });
                sound = false;
            }
        }
        sound.then_some(headers)
    }
}

/// A header's name in lower case, and what it says.
fn header(key: &Spanned<DeString<'_>>, value: &Spanned<DeValue<'_>>, sink: &mut Sink<'_>) -> Option<(String, String)> {
    let name: &str = key.get_ref();
    if !is_name(name) {
        // It may be a whole line, with a secret in it.
        sink.report_secret(Problem {
            span: key.span(),
            message: "no name of a header in `headers`".to_owned(),
            found: "another text".to_owned(),
            expected: NAME_EXPECTED.to_owned(),
            help: None,
        });
        return None;
    }
    let is_secret = secrets::in_header(value.get_ref().as_str().unwrap_or_default());
    if is_secret || (secrets::is_header(name) && !is_set(name)) {
        report_secret(name, value, sink);
        return None;
    }
    if is_set(name) {
        sink.report(Problem {
            span: key.span(),
            message: format!("the wall sets `{}` itself", cut(name)),
            found: format!("`{}`", cut(name)),
            expected: "another header, or it left out".to_owned(),
            help: None,
        });
        return None;
    }
    let node = Node { name, value };
    let expected = format!("a text of 1 to {VALUE_CHARACTERS_MAX} visible ASCII characters, with blanks between them");
    let text = text_of(node, &expected, sink)?;
    if text.is_empty() || text.chars().nth(VALUE_CHARACTERS_MAX).is_some() {
        let message = if text.is_empty() { "empty text" } else { "too long a text" };
        bad_value(node, message, &expected, None, sink);
        return None;
    }
    // Blanks around a value are none of it (RFC 9110, section 5.5).
    let is_odd = |c: char| !(c.is_ascii_graphic() || c == ' ');
    let at = match text.chars().position(is_odd) {
        None if text.starts_with(' ') => Some(0),
        None if text.ends_with(' ') => Some(text.len() - 1),
        at => at,
    };
    if let Some(at) = at {
        let message = format!("a character that no header ends with or has in `{}`", cut(name));
        bad_character(node, at + 1, message, &expected, sink);
        return None;
    }
    Some((name.to_ascii_lowercase(), text.to_owned()))
}

fn report_secret(name: &str, value: &Spanned<DeValue<'_>>, sink: &mut Sink<'_>) {
    let help = if is_set(name) || name.eq_ignore_ascii_case("authorization") {
        "`token = { file = … }`, which is sent as `Authorization: Bearer …`".to_owned()
    } else {
        format!("`token = {{ file = … }}` and `token-header = \"{}\"`", cut(name))
    };
    sink.report_secret(Problem {
        span: value.span(),
        message: format!("a secret among the `headers`, as `{}`", cut(name)),
        found: "what may be one".to_owned(),
        expected: "a header that is none".to_owned(),
        help: Some(format!("secrets do not belong in board files: write where it is kept, {help}")),
    });
}

/// `token-header = "X-Api-Key"`: a header's name, in lower case.
pub(super) struct HeaderName;

impl Shape for HeaderName {
    type Value = String;

    fn expected(&self) -> String {
        NAME_EXPECTED.replace("X-Tenant", "X-Api-Key")
    }

    #[cfg(test)]
    fn words(&self) -> String {
        "name of a header".to_owned()
    }

    fn schema(&self) -> Value {
        name_schema()
    }

    fn read(&self, node: Node<'_>, sink: &mut Sink<'_>) -> Option<String> {
        let name = text_of(node, &self.expected(), sink)?;
        if !is_name(name) || secrets::is_form(name) {
            // What is no name may be the secret itself.
            sink.report_secret(Problem {
                span: node.value.span(),
                message: format!("no name of a header for `{}`", cut(node.name)),
                found: "another text".to_owned(),
                expected: self.expected(),
                help: Some("write the header's name alone: `token` says where its value is kept".to_owned()),
            });
            return None;
        }
        if is_set(name) {
            bad_value(node, "a header that the wall sets itself", &self.expected(), None, sink);
            return None;
        }
        Some(name.to_ascii_lowercase())
    }
}

/// Reports a `token-header` that nothing would be shown in, or that `headers` has as well.
pub(super) fn report_unfit(
    reader: &TableReader<'_>,
    name: &str,
    headers: Option<&BTreeMap<String, String>>,
    (kind, speak): (Option<SourceKind>, Option<&SpeakSpec>),
    sink: &mut Sink<'_>,
) {
    let mut report = |message: String, found: String, expected: &str| {
        let (span, expected) = (reader.key_span("token-header"), expected.to_owned());
        sink.report(Problem { span, message, found, expected, help: None });
    };
    let own = || "`token-header`".to_owned();
    if !reader.has("token") {
        let message = "`token-header` has no use without `token`".to_owned();
        report(message, own(), "`token` beside it, a table such as `{ file = \"/run/secrets/ops-token\" }`");
    }
    if headers.is_some_and(|headers| headers.contains_key(name)) {
        report(format!("`{}` is among the `headers` too", cut(name)), own(), "each name once, in capitals or not");
    }
    let texts = speak.map(|speak| [&speak.login, &speak.subscribe, &speak.resume, &speak.ping]);
    let is_sent = texts.into_iter().flatten().flatten().any(|text| text.contains("{token}"));
    if kind == Some(SourceKind::WebSocket) && is_sent && !reader.has("snapshot") {
        let message = "`token-header` has no use where `speak` sends the `{token}`".to_owned();
        report(message, own(), "one of the two");
    }
}

fn is_name(text: &str) -> bool {
    let may_stand = |c: char| c.is_ascii_alphanumeric() || NAME_PUNCTUATION.contains(c);
    (1..=NAME_CHARACTERS_MAX).contains(&text.len()) && text.chars().all(may_stand)
}

/// Whether a name isn't the board's to use.
fn is_set(name: &str) -> bool {
    let name = name.to_ascii_lowercase();
    SET_NAMES.contains(&name.as_str()) || SET_BEGINNINGS.iter().any(|beginning| name.starts_with(beginning))
}

fn name_schema() -> Value {
    let pattern = "^[A-Za-z0-9!#$%&'*+.^_`|~-]+$";
    json!({"type": "string", "minLength": 1, "maxLength": NAME_CHARACTERS_MAX, "pattern": pattern})
}
