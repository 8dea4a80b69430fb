//! What came after the last event that was handed over, by a channel's history over HTTP, where the server doesn't go on there.
//!
//! ```text
//! GET /channels/{name}/messages?direction=backwards&limit=…&fromSerial=… → [newest, …]; Link: <…>; rel="next"
//! ```
//!
//! It is read backwards from where the channel was attached, page by page, until an event is met that was handed over: what lies
//! between is all that was missed. Where none is met, what was found comes all the same, after a gap that nobody can prove. What
//! the channel brings meanwhile waits.

use std::{collections::BTreeSet, sync::Arc};

use serde::Deserialize;
use serde_json::value::RawValue;
use url::Url;
use watchfloor_model::Position;

use super::{bare, is_key, memory::RECENT_MAX, wire};
use crate::{
    config::Secret,
    fault::{LinkFault, cut},
    port::{Header, Request, Response},
};

/// Messages of one page. Ably gives no more.
const PAGE_MAX: usize = 1000;
/// The longest page, in bytes.
pub(super) const PAGE_BYTES_MAX: usize = 8 << 20;
/// Most messages that are looked through.
const FOUND_MAX: usize = 10_000;
/// What is found and held of one channel, in bytes.
const BYTES_MAX: usize = 16 << 20;

/// Where one stands that is being asked for.
#[derive(Debug)]
pub(super) struct Recall {
    /// The number of the question that is out.
    pub(super) question: u32,
    /// The place to go on after; none on a connection that went on there before.
    pub(super) place: Option<Position>,
    /// The serial at which the channel was attached: from there on it comes by itself.
    pub(super) serial: Option<Arc<str>>,
    /// Whether the server is to say who is there.
    pub(super) has_presence: bool,
    /// Where its page is.
    pub(super) url: Url,
    /// Why the server didn't go on.
    pub(super) why: String,
    /// Messages as they came, newest first.
    pub(super) found: Vec<String>,
    /// Ids of the last event that was handed over and of what is older, newest first, as far as its page goes.
    pub(super) old: Vec<String>,
    /// What came by the channel meanwhile.
    pub(super) held: Vec<Box<[u8]>>,
    ids: BTreeSet<String>,
    /// Of both, in bytes.
    bytes: usize,
}

/// What follows from a page.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Step {
    /// The next one is to be asked for at this address, relative to the one before.
    More(String),
    /// The last event was met.
    Met,
    /// It won't be met, and why.
    Unmet(String),
}

/// Of a message in the history, what its place is found by.
#[derive(Deserialize)]
struct Entry {
    #[serde(default)]
    id: Option<String>,
}

/// Why there is no answer.
#[derive(Deserialize)]
struct Refusal {
    error: wire::ErrorInfo,
}

impl Recall {
    /// One of which `url` is the first page.
    pub(super) fn new(
        url: Url,
        place: Option<Position>,
        serial: Option<&str>,
        has_presence: bool,
        why: String,
    ) -> Self {
        Self {
            question: 0,
            url,
            place,
            serial: serial.map(Into::into),
            has_presence,
            why,
            found: Vec::new(),
            old: Vec::new(),
            held: Vec::new(),
            ids: BTreeSet::new(),
            bytes: 0,
        }
    }

    /// Keeps what the channel brings for later. Whether there was room.
    pub(super) fn hold(&mut self, text: &[u8]) -> bool {
        self.bytes = self.bytes.saturating_add(text.len());
        self.held.push(text.into());
        self.held.len() < FOUND_MAX && self.bytes < BYTES_MAX
    }

    /// Takes a page. `is_known` says of an id whether its event was handed over.
    pub(super) fn take(&mut self, outcome: Result<Response, LinkFault>, is_known: impl Fn(&str) -> bool) -> Step {
        self.read(outcome, is_known).unwrap_or_else(Step::Unmet)
    }

    fn read(&mut self, outcome: Result<Response, LinkFault>, is_known: impl Fn(&str) -> bool) -> Result<Step, String> {
        let answer = outcome.map_err(|fault| fault.to_string())?;
        if answer.status != 200 {
            let refusal = serde_json::from_slice::<Refusal>(&answer.body).ok();
            return Err(refusal.map_or_else(|| format!("status {}", answer.status), |refusal| refusal.error.words()));
        }
        let page: Vec<&RawValue> =
            serde_json::from_slice(&answer.body).map_err(|error| cut(&format!("not a list of messages: {error}")))?;
        let found = self.found.len();
        for (at, raw) in page.iter().enumerate() {
            let entry: Entry =
                serde_json::from_str(raw.get()).map_err(|error| cut(&format!("not a message: {error}")))?;
            let id = entry.id.ok_or("a message without an id")?;
            if is_known(&id) {
                let older = page[at..].iter().filter_map(|raw| serde_json::from_str::<Entry>(raw.get()).ok()?.id);
                self.old = older.take(RECENT_MAX).collect();
                return Ok(Step::Met);
            }
            if !self.ids.insert(id) {
                continue;
            }
            if self.found.len() >= FOUND_MAX || self.bytes.saturating_add(raw.get().len()) > BYTES_MAX {
                return Err(format!("more than {FOUND_MAX} messages, or {BYTES_MAX} bytes"));
            }
            self.bytes += raw.get().len();
            self.found.push(raw.get().to_owned());
        }
        // A page of nothing new would be followed by others for ever.
        let next = answer.next.filter(|_| self.found.len() > found).ok_or("it doesn't reach back so far")?;
        Ok(Step::More(next))
    }

    /// Goes to the next page. The error says why it can't be had.
    pub(super) fn turn_page(&mut self, next: &str) -> Result<(), String> {
        let url = self.url.join(next).map_err(|error| format!("its next page's address: {error}"))?;
        // The token goes there.
        if url.origin() != self.url.origin() {
            return Err("its next page is at another server".to_owned());
        }
        self.url = url;
        Ok(())
    }
}

/// The first page of a channel's history, of what came before `serial`.
pub(super) fn first_page(mut url: Url, channel: &str, serial: Option<&str>) -> Url {
    if let Ok(mut path) = url.path_segments_mut() {
        path.clear().extend(["channels", bare(channel), "messages"]);
    }
    url.set_query(None);
    url.set_fragment(None);
    url.query_pairs_mut().append_pair("direction", "backwards").append_pair("limit", &PAGE_MAX.to_string());
    if let Some(serial) = serial {
        // The specification and Ably's own client name it differently.
        url.query_pairs_mut().append_pair("fromSerial", serial).append_pair("from_serial", serial);
    }
    url
}

/// How a page is asked for.
pub(super) fn request(page: Url, token: Option<&Secret>) -> Request {
    let mut headers = vec![Header::plain("accept", "application/json"), Header::plain("x-ably-version", wire::VERSION)];
    headers
        .extend(token.map(|token| if is_key(token) { Header::basic(token) } else { Header::bearer_in_base64(token) }));
    Request::get(page).with(headers)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    /// A page, and where the next one is.
    fn page(messages: &serde_json::Value, next: Option<&str>) -> Result<Response, LinkFault> {
        Ok(Response { next: next.map(str::to_owned), ..Response::new(200, messages.to_string()) })
    }

    fn message(number: usize) -> serde_json::Value {
        json!({ "id": format!("m{number}"), "data": "x" })
    }

    fn recall() -> Recall {
        let url = first_page("https://main.realtime.ably.net".parse().expect("an address"), "ops", Some("s9"));
        Recall::new(url, None, Some("s9"), false, String::new())
    }

    /// H3: the last event is met on whichever page it is, and what comes twice counts once.
    #[test]
    fn pages() {
        let mut recall = recall();
        let is_known = |id: &str| id == "m1";
        let more = || Step::More("./messages?p=2".to_owned());
        assert_eq!(recall.take(page(&json!([message(5), message(4)]), Some("./messages?p=2")), is_known), more());
        recall.turn_page("./messages?p=2").expect("a page");
        assert_eq!(recall.url.as_str(), "https://main.realtime.ably.net/channels/ops/messages?p=2");
        let last = json!([message(4), message(3), message(2), message(1), message(0)]);
        assert_eq!(recall.take(page(&last, None), is_known), Step::Met);
        let found: Vec<_> = recall.found.iter().map(|raw| raw.contains("m5") || raw.contains("m2")).collect();
        assert_eq!(found, [true, false, false, true]);
        // H8: the token goes to no other server.
        assert!(recall.turn_page("https://else.example/messages").expect_err("refused").contains("another server"));
    }

    /// H3: what proves nothing says why.
    #[test]
    fn pages_that_prove_nothing() {
        let why = |outcome| match recall().take(outcome, |_| false) {
            Step::Unmet(why) => why,
            other => panic!("{other:?}"),
        };
        assert!(why(page(&json!([]), Some("./more"))).contains("doesn't reach back"));
        assert!(why(page(&json!([message(1)]), None)).contains("doesn't reach back"));
        assert!(why(page(&json!([{ "name": "x" }]), None)).contains("without an id"));
        assert!(why(page(&json!({ "id": "a" }), None)).contains("not a list"));
        assert!(why(page(&json!([7]), None)).contains("not a message"));
        let refused = json!({ "error": { "code": 40160, "message": "no history for you" } });
        assert_eq!(why(Ok(Response::new(401, refused.to_string()))), "no history for you (40160)");
        assert_eq!(why(Ok(Response::new(502, "<html>"))), "status 502");
        // A page that has only what the one before had.
        let mut twice = recall();
        let again = || page(&json!([message(5)]), Some("./more"));
        assert_eq!(twice.take(again(), |_| false), Step::More("./more".to_owned()));
        assert!(matches!(twice.take(again(), |_| false), Step::Unmet(_)));
    }

    /// H5: no more is found or held than there is room for.
    #[test]
    fn bounds() {
        let mut crowded = recall();
        let pages = (0..=FOUND_MAX / 100).map(|hundred| {
            let messages: Vec<_> = (hundred * 100..hundred * 100 + 100).map(message).collect();
            crowded.take(page(&json!(messages), Some("./more")), |_| false)
        });
        let Some(Step::Unmet(why)) = pages.last() else { panic!("without end") };
        assert!(why.contains("more than"), "{why}");
        assert_eq!(crowded.found.len(), FOUND_MAX);
        let mut heavy = recall();
        let times = (0..).take_while(|_| heavy.hold(&vec![b' '; 1 << 20])).count();
        assert_eq!(times, BYTES_MAX / (1 << 20) - 1);
    }

    /// H8: the key and the token go as HTTP has them, and aren't seen.
    #[test]
    fn requests() {
        let url: Url = "https://main.realtime.ably.net/?x=1".parse().expect("an address");
        let page = first_page(url, "[?rewind=1]a/b c", Some("s:1"));
        assert_eq!(
            page.as_str(),
            "https://main.realtime.ably.net/channels/a%2Fb%20c/messages\
             ?direction=backwards&limit=1000&fromSerial=s%3A1&from_serial=s%3A1"
        );
        for (token, line) in [("app.id:hidden", "Basic YXBwLmlkOmhpZGRlbg=="), ("hidden", "Bearer aGlkZGVu")] {
            let asked = request(page.clone(), Some(&Secret::new(token)));
            let header = asked.headers.last().expect("a header");
            assert!(header.is_secret() && header.text() == line, "{}", header.text());
            assert!(!format!("{asked:?}").contains("idden") && !format!("{asked:?}").contains("aGlk"), "{asked:?}");
        }
    }
}
