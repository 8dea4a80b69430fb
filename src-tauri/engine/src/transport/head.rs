//! What is kept of the head of an HTTP answer.

use std::time::Duration;

use hyper::{
    HeaderMap,
    header::{AGE, ETAG, LAST_MODIFIED, LINK},
};
use watchfloor_feed::Head;
use watchfloor_model::Timestamp;

use super::fault;

/// What caches call the header in which they say what they did: RFC 9211, and what was there before it.
const CACHE_HEADERS: [&str; 5] = ["cache-status", "x-cache", "x-cache-status", "x-proxy-cache", "cf-cache-status"];
/// Words by which they say that they answered from what they had, without asking.
const KEPT_WORDS: [&str; 3] = ["hit", "stale", "updating"];
/// A longer header is not kept.
const HEADER_BYTES_MAX: usize = 512;
/// A longer address isn't either.
const ADDRESS_BYTES_MAX: usize = 4096;

/// Reads the head of an answer that came at `now`.
pub(super) fn read(headers: &HeaderMap, now: Timestamp) -> Head {
    let text = |name: &str| {
        let value = headers.get(name)?.to_str().ok()?.trim();
        (!value.is_empty() && value.len() <= HEADER_BYTES_MAX).then(|| value.to_owned())
    };
    Head {
        is_unchanged: false,
        etag: text(ETAG.as_str()),
        last_modified: text(LAST_MODIFIED.as_str()),
        last_event_id: text("last-event-id"),
        date: fault::server_time(headers),
        is_kept: is_kept(headers),
        age: text(AGE.as_str()).and_then(|age| age.parse().ok()).map(Duration::from_secs),
        retry_after: fault::retry_after(headers, now),
    }
}

/// The target of a `Link` with the relation `next` (RFC 8288 section 3).
pub(super) fn next_page(headers: &HeaderMap) -> Option<String> {
    let is_next = |param: &str| {
        let (name, value) = param.split_once('=').unwrap_or((param, ""));
        let mut relations = value.trim().trim_matches('"').split_ascii_whitespace();
        name.trim().eq_ignore_ascii_case("rel") && relations.any(|relation| relation.eq_ignore_ascii_case("next"))
    };
    for mut rest in headers.get_all(LINK).iter().filter_map(|value| value.to_str().ok()) {
        // Commas may stand in a target, not before the next one's bracket.
        while let Some((target, after)) = rest.split_once('<').and_then(|(_, link)| link.split_once('>')) {
            let end = after.find('<').unwrap_or(after.len());
            if after[..end].split([';', ',']).any(is_next) && target.len() <= ADDRESS_BYTES_MAX {
                return Some(target.to_owned());
            }
            rest = &after[end..];
        }
    }
    None
}

/// Whether a cache says that this is what it had.
fn is_kept(headers: &HeaderMap) -> bool {
    let values = CACHE_HEADERS.iter().flat_map(|name| headers.get_all(*name));
    let is_word = |word: &str| KEPT_WORDS.iter().any(|known| word.eq_ignore_ascii_case(known));
    values.filter_map(|value| value.to_str().ok()).any(|text| text.split([' ', ';', ',', '_']).any(is_word))
}

#[cfg(test)]
mod tests {
    use reqwest::header::HeaderName;

    use super::*;

    /// The next page is where the header says, whatever else it says.
    #[test]
    fn links_to_the_next_page() {
        for (value, next) in [
            (r#"<./messages?a=1,2&from=x>; rel="next""#, Some("./messages?a=1,2&from=x")),
            (r#"<./first>; rel="first", <./next>; title=n; rel="next""#, Some("./next")),
            (r#"</n>;REL="last Next""#, Some("/n")),
            ("<https://else.example/n>; rel=next", Some("https://else.example/n")),
            (r#"<./first>; rel="first""#, None),
            ("<./open; rel=next", None),
            ("rel=next", None),
            ("", None),
        ] {
            let mut headers = HeaderMap::new();
            headers.insert(LINK, value.parse().expect("a value"));
            assert_eq!(next_page(&headers).as_deref(), next, "{value}");
        }
    }

    /// H1: what a cache had is known by what caches say, each in its words.
    #[test]
    fn caches_say_what_they_did() {
        for (name, value, is_kept) in [
            ("cache-status", "edge; hit; ttl=3", true),
            ("cache-status", "edge; fwd=uri-miss; stored, inner;hit", true),
            ("cache-status", "edge; fwd=stale; fwd-status=304", false),
            ("x-cache", "HIT", true),
            ("x-cache", "Hit from cloudfront", true),
            ("x-cache", "TCP_MEM_HIT from proxy", true),
            ("x-cache", "MISS, MISS", false),
            ("x-cache-status", "STALE", true),
            ("x-cache-status", "UPDATING", true),
            ("x-cache-status", "REVALIDATED", false),
            ("x-cache-status", "EXPIRED", false),
            ("x-proxy-cache", "BYPASS", false),
            ("cf-cache-status", "DYNAMIC", false),
            ("x-powered-by", "hit", false),
        ] {
            let headers = HeaderMap::from_iter([(HeaderName::from_static(name), value.parse().unwrap())]);
            let head = read(&headers, Timestamp::from_millis(0));
            assert_eq!(head.is_kept, is_kept, "{name}: {value}");
        }
        let date = "Sun, 06 Nov 1994 08:49:37 GMT".parse().unwrap();
        let headers = HeaderMap::from_iter([(reqwest::header::DATE, date)]);
        let head = read(&headers, Timestamp::from_millis(0));
        assert_eq!(head.date, Some(Timestamp::from_millis(784_111_777_000)));
    }
}
