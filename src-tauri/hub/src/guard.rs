//! Who may come in: nobody by a name that isn't ours, no foreign web page, no publisher without the token. What readers need is in
//! [`access`](crate::access).

use std::{fmt, net::IpAddr, sync::Arc};

use axum::{
    extract::{Request, State},
    http::{HeaderMap, StatusCode, Uri, header, uri::Authority},
    middleware::Next,
    response::{IntoResponse, Response},
};
use subtle::ConstantTimeEq;

use crate::{failure::Failure, hub::Shared};

/// What a publisher, or a reader, must present. Never shown.
#[derive(Clone, PartialEq, Eq)]
pub struct Token(String);

impl Token {
    /// A token of at least one visible ASCII character and nothing else: what fits into a header.
    #[must_use]
    pub fn new(text: impl Into<String>) -> Option<Self> {
        let text = text.into();
        (!text.is_empty() && text.bytes().all(|b| b.is_ascii_graphic())).then_some(Self(text))
    }

    /// For who is asked something by the hub, and for nobody else.
    pub(crate) fn for_a_site(&self) -> &str {
        &self.0
    }

    /// Takes the same time wherever the two begin to differ.
    pub(crate) fn matches(&self, presented: &[u8]) -> bool {
        self.0.as_bytes().ct_eq(presented).into()
    }
}

impl fmt::Debug for Token {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Token(***)")
    }
}

/// Whether names that aren't the loopback's are refused.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum HostRule {
    /// A page of a foreign name that was made to resolve to this machine (DNS rebinding) is refused.
    Loopback,
    /// Any name.
    Any,
}

/// Refuses requests by `Host` and `Origin`.
pub(crate) async fn check_origin(State(rule): State<HostRule>, request: Request, next: Next) -> Response {
    match origin(request.headers(), request.uri(), rule) {
        Ok(()) => next.run(request).await,
        Err(failure) => failure.into_response(),
    }
}

/// Refuses requests by `Host` alone: who comes by this address is judged there by what its application says of pages.
pub(crate) async fn check_host(State(rule): State<HostRule>, request: Request, next: Next) -> Response {
    match host(request.headers(), request.uri(), rule) {
        Ok(_) => next.run(request).await,
        Err(failure) => failure.into_response(),
    }
}

/// The page that opens a connection, if it is one, and isn't the hub's own: browsers let any page open a WebSocket anywhere and say by whom it is.
pub(crate) fn foreign_page<'a>(headers: &'a HeaderMap, uri: &Uri) -> Option<&'a str> {
    let page = authority(headers, header::ORIGIN.as_str())?;
    let own = host(headers, uri, HostRule::Any).is_ok_and(|host| is_of(page, &host));
    (!own).then_some(page)
}

fn is_of(page: &str, host: &Authority) -> bool {
    page.split_once("://").is_some_and(|(_, rest)| rest.eq_ignore_ascii_case(host.as_str()))
}

fn origin(headers: &HeaderMap, uri: &Uri, rule: HostRule) -> Result<(), Failure> {
    host(headers, uri, rule)?;
    match foreign_page(headers, uri) {
        None => Ok(()),
        Some(_) => {
            let message = "`Origin` is another site: expected none or this hub's";
            Err(Failure::new(StatusCode::FORBIDDEN, "origin", message))
        }
    }
}

/// The name by which a request comes.
fn host(headers: &HeaderMap, uri: &Uri, rule: HostRule) -> Result<Authority, Failure> {
    let forbidden = |message| Failure::new(StatusCode::FORBIDDEN, "host", message);
    let host = authority(headers, header::HOST.as_str()).map(str::parse::<Authority>);
    // The request line's own authority, if there is one, counts for more than the header (RFC 9112, section 3.2.2).
    let host = uri.authority().cloned().or_else(|| host.and_then(Result::ok));
    let Some(host) = host else {
        return Err(forbidden("`Host` is missing or malformed: expected this hub's".to_owned()));
    };
    if rule == HostRule::Loopback && !is_loopback(host.host()) {
        let message = format!("`Host` is {:?}: expected localhost, 127.0.0.1 or [::1]", host.host());
        return Err(forbidden(message));
    }
    Ok(host)
}

fn authority<'a>(headers: &'a HeaderMap, name: &str) -> Option<&'a str> {
    headers.get(name).map(|value| value.to_str().unwrap_or_default())
}

fn is_loopback(host: &str) -> bool {
    let address = host.strip_prefix('[').and_then(|rest| rest.strip_suffix(']')).unwrap_or(host);
    host.eq_ignore_ascii_case("localhost") || address.parse::<IpAddr>().is_ok_and(|address| address.is_loopback())
}

/// Refuses publishers without the token, if there is one.
pub(crate) async fn check_token(State(hub): State<Arc<Shared>>, request: Request, next: Next) -> Response {
    match hub.live().publish_token.as_ref().map_or(Ok(()), |token| publisher(request.headers(), token)) {
        Ok(()) => next.run(request).await,
        Err(failure) => failure.into_response(),
    }
}

fn publisher(headers: &HeaderMap, token: &Token) -> Result<(), Failure> {
    if token.matches(bearer(headers, "the publish token")?) {
        return Ok(());
    }
    Err(Failure::new(StatusCode::UNAUTHORIZED, "unauthorised", "the token is not this hub's publish token"))
}

/// The token that a request presents (RFC 6750, section 2.1).
pub(crate) fn bearer<'a>(headers: &'a HeaderMap, what: &str) -> Result<&'a [u8], Failure> {
    let refused = |found: &str| {
        let message = format!("`Authorization` {found}: expected `Bearer` and {what}");
        Err(Failure::new(StatusCode::UNAUTHORIZED, "unauthorised", message))
    };
    let Some(value) = headers.get(header::AUTHORIZATION) else { return refused("is missing") };
    match value.as_bytes().split_at_checked(7).filter(|(scheme, _)| scheme.eq_ignore_ascii_case(b"Bearer ")) {
        Some((_, presented)) => Ok(presented),
        None => refused("has another scheme"),
    }
}

#[cfg(test)]
mod tests {
    use axum::http::HeaderValue;

    use super::*;

    fn allowed(rule: HostRule, uri: &str, host: Option<&str>, origin_of: Option<&str>) -> bool {
        let mut headers = HeaderMap::new();
        for (name, value) in [(header::HOST, host), (header::ORIGIN, origin_of)] {
            if let Some(value) = value {
                headers.insert(name, HeaderValue::from_str(value).expect("header"));
            }
        }
        origin(&headers, &uri.parse().expect("uri"), rule).is_ok()
    }

    /// H8: neither a rebound name nor a foreign page comes in.
    #[test]
    fn foreign_names_and_pages_stay_out() {
        let ours = "localhost:8787";
        for host in [ours, "LOCALHOST", "127.0.0.1", "127.9.8.7:1", "[::1]:8787"] {
            assert!(allowed(HostRule::Loopback, "/", Some(host), None), "{host}");
        }
        for host in ["evil.example", "localhost.evil.example", "10.0.0.1", "[::2]", "", "a b", "127.0.0.1.evil.example"]
        {
            assert!(!allowed(HostRule::Loopback, "/", Some(host), None), "{host}");
        }
        assert!(!allowed(HostRule::Loopback, "/", None, None));
        assert!(!allowed(HostRule::Loopback, "http://evil.example/", Some(ours), None));
        assert!(allowed(HostRule::Any, "/", Some("hub.example"), None));
        assert!(allowed(HostRule::Any, "/", Some("hub.example"), Some("https://hub.example")));
        for page in ["https://evil.example", "null", "http://localhost:1", "https://hub.example.evil.example"] {
            assert!(!allowed(HostRule::Loopback, "/", Some(ours), Some(page)), "{page}");
            assert!(!allowed(HostRule::Any, "/", Some("hub.example"), Some(page)), "{page}");
        }
    }

    /// H8: the token is compared whole, and shown nowhere.
    #[test]
    fn tokens() {
        let token = Token::new("s3cret").expect("token");
        assert!(
            token.matches(b"s3cret") && !token.matches(b"s3cre") && !token.matches(b"s3creT") && !token.matches(b"")
        );
        assert_eq!(format!("{token:?}"), "Token(***)");
        assert!(Token::new("").is_none() && Token::new("a b").is_none() && Token::new("ä").is_none());
    }
}
