//! A token that is a session: what a browser would send, for sites that sign for channels by that.
//!
//! A bearer token (RFC 6750, section 2.1) has `=` at its end only, so that `name=value` can't be one: it is a cookie. Each question
//! begins with the cookies that were given; what the site sets meanwhile is used for that question, and then forgotten.

use hyper::header::{COOKIE, HeaderMap, HeaderName, HeaderValue, ORIGIN, REFERER, SET_COOKIE};
use percent_encoding::percent_decode_str;
use url::Url;
use watchfloor_feed::{LinkFault, Secret};

use super::fault;

/// Most cookies of a session.
const COOKIES_MAX: usize = 32;
/// The longest cookie, name and value, in bytes: what browsers take.
const COOKIE_BYTES_MAX: usize = 4096;
/// The cookie that Laravel has a request repeat in a header, as do Angular and axios, and that header.
const CSRF_COOKIE: &str = "XSRF-TOKEN";
const CSRF_HEADER: &str = "x-xsrf-token";
const REQUESTED_WITH: &str = "x-requested-with";
/// Where a site of Laravel's gives that cookie.
const CSRF_PATH: &str = "/sanctum/csrf-cookie";
/// What Laravel answers to a request without it. It is no registered status.
pub(super) const CSRF_MISSING: u16 = 419;

/// The cookies of one question.
#[derive(Clone)]
pub(super) struct Cookies(Vec<(String, String)>);

impl Cookies {
    /// Those that a token holds, if it is a session: `name=value; other=value`.
    pub(super) fn of(token: &Secret) -> Option<Self> {
        let text = token.expose().trim_end_matches('=');
        if !text.contains('=') {
            return None;
        }
        let mut cookies = Self(Vec::new());
        for pair in token.expose().split(';') {
            cookies.set(pair);
        }
        Some(cookies)
    }

    /// Takes `name=value`; one that can't be sent is left out.
    fn set(&mut self, pair: &str) {
        let Some((name, value)) = pair.split_once('=').map(|(name, value)| (name.trim(), value.trim())) else { return };
        if name.is_empty() || name.len() + value.len() > COOKIE_BYTES_MAX {
            return;
        }
        if let Some((_, known)) = self.0.iter_mut().find(|(known, _)| known == name) {
            value.clone_into(known);
        } else if self.0.len() < COOKIES_MAX {
            self.0.push((name.to_owned(), value.to_owned()));
        }
    }

    /// Takes what an answer of the site sets. Attributes say how long and where to keep it: nothing is kept.
    pub(super) fn take(&mut self, headers: &HeaderMap) {
        for line in headers.get_all(SET_COOKIE).iter().filter_map(|line| line.to_str().ok()) {
            self.set(line.split(';').next().unwrap_or_default());
        }
    }

    /// As the browser of a page of the site would send them.
    pub(super) fn headers(&self, url: &Url) -> Result<HeaderMap, LinkFault> {
        let mut headers = HeaderMap::new();
        let mut put = |name: HeaderName, value: String| -> Result<(), LinkFault> {
            let mut value = HeaderValue::try_from(value).map_err(|_| fault::bad_header(name.as_str()))?;
            value.set_sensitive(name == COOKIE || name == CSRF_HEADER);
            headers.insert(name, value);
            Ok(())
        };
        let pairs: Vec<String> = self.0.iter().map(|(name, value)| format!("{name}={value}")).collect();
        put(COOKIE, pairs.join("; "))?;
        if let Some((_, value)) = self.0.iter().find(|(name, _)| name == CSRF_COOKIE) {
            put(HeaderName::from_static(CSRF_HEADER), percent_decode_str(value).decode_utf8_lossy().into_owned())?;
        }
        let site = url.origin().ascii_serialization();
        put(HeaderName::from_static(REQUESTED_WITH), "XMLHttpRequest".to_owned())?;
        put(REFERER, format!("{site}/"))?;
        put(ORIGIN, site)?;
        Ok(headers)
    }
}

/// Where the site of this address gives the cookie against forged requests.
pub(super) fn csrf_address(url: &Url) -> Url {
    let mut url = url.clone();
    url.set_path(CSRF_PATH);
    url.set_query(None);
    url
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(token: &str) -> Option<Cookies> {
        Cookies::of(&Secret::new(token))
    }

    /// H8: a bearer's token is never taken for a cookie, and what a site sets is bounded.
    #[test]
    fn sessions_are_told_from_bearers() {
        for bearer in ["abc", "eyJhbGciOiJIUzI1NiJ9.e30.c2ln", "YQ==", "1|abcdef", "", "="] {
            assert!(of(bearer).is_none(), "{bearer}");
        }
        let url: Url = "https://a.example:8443/broadcasting/auth?x".parse().unwrap();
        let mut cookies = of("laravel_session=eyJpdiI6; remember=1").unwrap();
        let headers = cookies.headers(&url).unwrap();
        assert_eq!(headers[COOKIE], "laravel_session=eyJpdiI6; remember=1");
        assert_eq!(headers[ORIGIN], "https://a.example:8443");
        assert!(headers.get(CSRF_HEADER).is_none());
        assert!(headers[COOKIE].is_sensitive());

        let mut set = HeaderMap::new();
        for line in ["XSRF-TOKEN=eyJ%2B+%3D; path=/; samesite=lax", "laravel_session=new; httponly", "nonsense", "=x"] {
            set.append(SET_COOKIE, HeaderValue::from_static(line));
        }
        cookies.take(&set);
        let headers = cookies.headers(&url).unwrap();
        assert_eq!(headers[COOKIE], "laravel_session=new; remember=1; XSRF-TOKEN=eyJ%2B+%3D");
        assert_eq!(headers[CSRF_HEADER], "eyJ++=");
        assert!(headers[CSRF_HEADER].is_sensitive());
        assert_eq!(csrf_address(&url).as_str(), "https://a.example:8443/sanctum/csrf-cookie");

        for number in 0..100 {
            cookies.set(&format!("c{number}={}", "x".repeat(number * 100)));
        }
        assert_eq!(cookies.0.len(), COOKIES_MAX);
        assert!(of("a=\u{1}b").unwrap().headers(&url).is_err(), "not to be sent");
    }
}
