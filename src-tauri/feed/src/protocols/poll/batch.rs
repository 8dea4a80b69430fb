//! The messages of one answer, and the cursor that stands in it.

use serde_json::value::RawValue;
use url::Url;
use watchfloor_model::{
    MARK_BYTES_MAX,
    path::{Items, Path},
};

use crate::{config::Cursor, fault::cut, limits::ROWS_MAX};

/// What an answer says.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Batch<'a> {
    /// The messages' texts, in order.
    pub(super) messages: Vec<&'a str>,
    /// Where to go on; none if nothing is said of it.
    pub(super) cursor: Option<String>,
}

/// Reads an answer: JSON, or one JSON value a line. The error says what is wrong with it, for people.
pub(super) fn read<'a>(body: &'a [u8], rule: &Cursor, source: &Url) -> Result<Batch<'a>, String> {
    let body = std::str::from_utf8(body)
        .map_err(|error| format!("the answer is no JSON: not UTF-8: invalid byte at {}", error.valid_up_to()))?;
    let mut values = Vec::new();
    for value in serde_json::Deserializer::from_str(body).into_iter::<&RawValue>() {
        values.push(value.map_err(|error| no_json(&error))?.get());
        if values.len() > ROWS_MAX {
            return Err(format!("the answer has more than {ROWS_MAX} lines"));
        }
    }
    let messages = match *values.as_slice() {
        [whole] => messages(whole, rule.rows.as_ref())?,
        _ => values.clone(),
    };
    if messages.len() > ROWS_MAX {
        return Err(format!("the answer has {} messages, the limit is {ROWS_MAX}", messages.len()));
    }
    // In the answer itself, or in the newest message.
    let mut cursor = None;
    for text in [values.last(), messages.last()].into_iter().flatten() {
        if let Some(found) = rule.path.find_text(text).map_err(|error| no_json(&error))? {
            cursor = word(found, &rule.path)?;
            break;
        }
    }
    let cursor = match cursor {
        Some(link) if rule.query.is_none() => Some(address(&link, source)?),
        cursor => cursor,
    };
    Ok(Batch { messages, cursor })
}

fn messages<'a>(whole: &'a str, rows: Option<&Path>) -> Result<Vec<&'a str>, String> {
    match (Path::find_items(rows, whole).map_err(|error| no_json(&error))?, rows) {
        (Items::List(list), _) => Ok(list),
        // An answer that is a message.
        (_, None) => Ok(vec![whole]),
        (Items::Other, Some(path)) if path.find_text(whole).is_ok_and(|found| found == Some("null")) => Ok(Vec::new()),
        (Items::Other, Some(path)) => Err(format!("`{path}` is no list")),
        (Items::Missing, Some(path)) => Err(format!("`{path}` is missing")),
    }
}

/// A text or a whole number, as a text; none of null.
fn word(found: &str, path: &Path) -> Result<Option<String>, String> {
    let text = match serde_json::from_str(found).map_err(|error| no_json(&error))? {
        serde_json::Value::String(text) => text,
        serde_json::Value::Number(number) => number.to_string(),
        serde_json::Value::Null => return Ok(None),
        _ => return Err(format!("`{path}` is no cursor: neither a text nor a number")),
    };
    if text.is_empty() || text.len() > MARK_BYTES_MAX || text.chars().any(char::is_control) {
        return Err(format!("`{path}` is no cursor: {}", cut(&text)));
    }
    Ok(Some(text))
}

/// The next address: of the source's own origin, as a token is shown there.
pub(super) fn address(link: &str, source: &Url) -> Result<String, String> {
    let url = source.join(link).map_err(|error| format!("the next address is none: {error}"))?;
    let is_plain = url.username().is_empty() && url.password().is_none();
    if url.origin() != source.origin() || !is_plain || url.as_str().len() > MARK_BYTES_MAX {
        return Err("the next address leads elsewhere".to_owned());
    }
    Ok(url.into())
}

fn no_json(error: &impl std::fmt::Display) -> String {
    format!("the answer is no JSON: {error}")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(
        body: &str,
        (path, query, rows): (&str, Option<&str>, Option<&str>),
        expected: Result<(&[&str], &str), &str>,
    ) {
        let path_of = |text: &str| text.parse::<Path>().expect("a path");
        let rule = Cursor { path: path_of(path), query: query.map(Into::into), rows: rows.map(path_of) };
        let source = "https://push.example/feed/events?site=1".parse().expect("an address");
        match (read(body.as_bytes(), &rule, &source), expected) {
            (Ok(batch), Ok((messages, cursor))) => {
                assert_eq!((&*batch.messages, batch.cursor.unwrap_or_default().as_str()), (messages, cursor), "{body}");
            }
            (Err(reason), Err(words)) => assert!(reason.contains(words), "{body}: {reason}"),
            (found, _) => unreachable!("{body}: {found:?}"),
        }
    }

    /// Where the cursor stands in the answer, in its last message, or is the next address.
    #[test]
    fn cursors_of_common_shapes() {
        let after = ("next", Some("after"), Some("items"));
        check(r#"{"items":[1,{"n":2}],"next":"c2"}"#, after, Ok((&["1", r#"{"n":2}"#], "c2")));
        check(r#"{"items":[],"next":17}"#, after, Ok((&[], "17")));
        check(r#"{"items":null,"next":null}"#, after, Ok((&[], "")));
        check(r#"{"items":[]}"#, after, Ok((&[], "")));
        check(r#"{"items":{},"next":1}"#, after, Err("`items` is no list"));
        check(r#"{"next":1}"#, after, Err("`items` is missing"));
        check(r#"{"items":[1],"next":{}}"#, after, Err("`next` is no cursor"));
        check(r#"{"items":[1],"next":""}"#, after, Err("`next` is no cursor"));
        let last = ("id", Some("since"), None);
        check(r#"[{"id":1},{"id":2}]"#, last, Ok((&[r#"{"id":1}"#, r#"{"id":2}"#], "2")));
        check("{\"id\":1}\n{\"id\":\"b\"}\n", last, Ok((&[r#"{"id":1}"#, r#"{"id":"b"}"#], "b")));
        check(r#"{"id":7,"n":1}"#, last, Ok((&[r#"{"id":7,"n":1}"#], "7")));
        check("[]", last, Ok((&[], "")));
        check("<html>", last, Err("the answer is no JSON"));
        check("{} x", last, Err("the answer is no JSON"));
    }

    /// H8: the next address may not lead to where the token isn't to be shown.
    #[test]
    fn next_addresses_stay_at_home() {
        let links = ("links.next", None, Some("data"));
        let at_home = "https://push.example/feed/more?c=2";
        for link in ["more?c=2", "/feed/more?c=2", at_home] {
            let body = format!(r#"{{"data":[1],"links":{{"next":"{link}"}}}}"#);
            check(&body, links, Ok((&["1"], at_home)));
        }
        for link in
            ["https://other.example/", "http://push.example/", "//other.example/x", "https://u@push.example/", "data:x"]
        {
            let body = format!(r#"{{"data":[1],"links":{{"next":"{link}"}}}}"#);
            check(&body, links, Err("the next address"));
        }
        check(r#"{"data":[1],"links":{"next":null}}"#, links, Ok((&["1"], "")));
    }
}
