//! What a site says that it has now, where its push service keeps no state.
//!
//! It is asked for while the stream is held, so that whatever happens meanwhile comes after it. It has no place in the stream: an
//! event that it knows of already may follow, which changes nothing where the newest wins.

use std::sync::Arc;

use serde_json::value::RawValue;
use url::Url;
use watchfloor_model::{
    Event, Mono, Timestamp,
    path::{Items, Path},
};

use crate::{
    config::SourceConfig,
    envelope::{Envelope, Outside},
    fault::cut,
    limits::ROWS_MAX,
    port::{Header, Request},
};

/// Where a site says what it has.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Site {
    /// Its address.
    pub url: Url,
    /// Whether the source's token is shown there.
    pub shows_token: bool,
    /// Whether the source's headers are sent there.
    pub shows_headers: bool,
    /// The channel of the events that its rows become.
    pub channel: Arc<str>,
    /// Their name.
    pub name: Arc<str>,
    /// Where in the document the rows stand; the whole, if none is said.
    pub rows: Option<Path>,
    /// Where in a row its time stands.
    pub time: Option<Path>,
}

impl Site {
    /// How to ask.
    pub(crate) fn request(&self, source: &SourceConfig) -> Request {
        let mut headers = vec![Header::plain("accept", "application/json, application/x-ndjson")];
        headers.extend(source.token_line().filter(|_| self.shows_token));
        headers.extend(source.headers.iter().filter(|_| self.shows_headers).cloned());
        Request::get(self.url.clone()).with(headers)
    }

    /// The rows of an answer, each an event. A row without a time has that of `asked`. The error says what is wrong, for people.
    pub(crate) fn read(&self, body: &[u8], asked: Timestamp, received: Mono) -> Result<Vec<Event>, String> {
        let body = std::str::from_utf8(body)
            .map_err(|error| format!("it is no JSON: not UTF-8: invalid byte at {}", error.valid_up_to()))?;
        let rows = rows(body, self.rows.as_ref())?;
        if rows.len() > ROWS_MAX {
            return Err(format!("it has {} rows, the limit is {ROWS_MAX}", rows.len()));
        }
        let envelope =
            Envelope { default_name: Some(self.name.clone()), time: self.time.clone(), ..Envelope::default() };
        let open = |(number, text): (usize, &str)| {
            let outside = Outside { channel: &self.channel, name: "", id: None, time: asked, received };
            envelope.open(text, outside).map_err(|reason| cut(&format!("row {}: {reason}", number + 1)))
        };
        rows.into_iter().enumerate().map(open).collect()
    }
}

/// The rows: a list's items, an object as the only one, or a JSON value a line.
fn rows<'a>(body: &'a str, at: Option<&Path>) -> Result<Vec<&'a str>, String> {
    let no_json = |error: serde_json::Error| format!("it is no JSON: {error}");
    match (Path::find_items(at, body), at) {
        (Ok(Items::List(rows)), _) => Ok(rows),
        (Ok(Items::Missing), Some(path)) => Err(format!("`{path}` is missing")),
        (Ok(Items::Other), Some(path)) => Ok(path.find_text(body).map_err(no_json)?.into_iter().collect()),
        (Err(error), Some(_)) => Err(no_json(error)),
        (_, None) => {
            let values = serde_json::Deserializer::from_str(body).into_iter::<&RawValue>();
            let rows: Vec<&str> = values
                .take(ROWS_MAX + 1)
                .map(|value| value.map(RawValue::get))
                .collect::<Result<_, _>>()
                .map_err(no_json)?;
            if rows.is_empty() { Err("it is empty".to_owned()) } else { Ok(rows) }
        }
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;
    use crate::{Kind, Secret};

    fn site(rows: Option<&str>, time: Option<&str>) -> Site {
        Site {
            url: Url::parse("https://app.example.net/api/orders").unwrap(),
            shows_token: true,
            shows_headers: true,
            channel: "orders".into(),
            name: "order".into(),
            rows: rows.map(|path| path.parse().unwrap()),
            time: time.map(|path| path.parse().unwrap()),
        }
    }

    fn read(site: &Site, body: &str) -> Result<Vec<(i64, String)>, String> {
        let events = site.read(body.as_bytes(), Timestamp::from_millis(7000), Mono::ZERO)?;
        assert!(events.iter().all(|event| (&*event.channel, &*event.name) == ("orders", "order")));
        assert!(events.iter().all(|event| event.position.is_none()));
        Ok(events.into_iter().map(|event| (event.time.as_millis(), event.data.text().to_string())).collect())
    }

    /// H3: what a site has is read whole, or not at all.
    #[test]
    fn every_form_of_rows_is_read() {
        let row = |at: i64, text: &str| (at, text.to_owned());
        let whole = site(None, None);
        assert_eq!(read(&whole, "[{\"a\": 1}, 2]"), Ok(vec![row(7000, "{\"a\": 1}"), row(7000, "2")]));
        assert_eq!(read(&whole, "[]"), Ok(vec![]));
        assert_eq!(read(&whole, "{\"a\":1}\n{\"a\":2}\n"), Ok(vec![row(7000, "{\"a\":1}"), row(7000, "{\"a\":2}")]));
        let within = site(Some("data.orders"), Some("at"));
        assert_eq!(
            read(&within, "{\"data\":{\"orders\":[{\"at\":5},{\"at\":null}]}}").unwrap_err(),
            "row 2: `at` is no time"
        );
        assert_eq!(
            read(&within, "{\"data\":{\"orders\":[{\"at\":5},{}]}}"),
            Ok(vec![row(5000, "{\"at\":5}"), row(7000, "{}")])
        );
        assert_eq!(read(&within, "{\"data\":{\"orders\":{\"at\":5}}}"), Ok(vec![row(5000, "{\"at\":5}")]));
    }

    #[test]
    fn what_cannot_be_read_is_told() {
        let within = site(Some("rows"), None);
        for (site, body, expected) in [
            (&within, "{}", "`rows` is missing"),
            (&within, "<html>", "it is no JSON: "),
            (&within, "{\"rows\":[1]} x", "it is no JSON: "),
            (&site(None, None), "", "it is empty"),
            (&site(None, None), "[1", "it is no JSON: "),
        ] {
            let error = read(site, body).unwrap_err();
            assert!(error.starts_with(expected), "{body}: {error}");
        }
        assert!(within.read(b"\xff", Timestamp::default(), Mono::ZERO).unwrap_err().contains("not UTF-8"));
        let many = format!("[{}0]", "0,".repeat(ROWS_MAX));
        assert_eq!(
            read(&site(None, None), &many),
            Err(format!("it has {} rows, the limit is {ROWS_MAX}", ROWS_MAX + 1))
        );
    }

    /// H8: the token goes where the board's author may expect it, and nowhere else; so does what is said to the source alone.
    #[test]
    fn what_is_shown_to_the_site_alone() {
        let url = "wss://app.example.net/".parse().unwrap();
        let mut source = SourceConfig::plain("s", Kind::WebSocket, url, vec!["orders".into()], Duration::from_secs(5));
        source.headers = vec![Header::own("x-tenant", "north")];
        source.token = Some(Secret::new("t"));
        let bound = |site: &Site, source: &SourceConfig| {
            let headers = site.request(source).headers;
            headers.iter().filter(|header| header.is_bound()).map(|header| format!("{header:?}")).collect::<Vec<_>>()
        };
        let own = site(None, None);
        assert_eq!(bound(&own, &source), ["authorization: Bearer ***", "x-tenant: north"]);
        assert_eq!(bound(&Site { shows_headers: false, ..own.clone() }, &source), ["authorization: Bearer ***"]);
        source.token_header = Some("x-api-key".into());
        assert_eq!(bound(&own, &source), ["x-api-key: ***", "x-tenant: north"]);
        let other = Site { shows_token: false, shows_headers: false, ..own };
        assert_eq!(bound(&other, &source), [""; 0]);
    }
}
