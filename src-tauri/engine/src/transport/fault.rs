//! What the system and the libraries say when a link fails, as the kinds of fault that a feed knows. Never an address with
//! a password, never a header's value.

use std::{error::Error, io, time::Duration};

use hyper::http;
use tokio_tungstenite::tungstenite::{self, error::ProtocolError};
use watchfloor_feed::{LinkFault, LinkFaultKind};
use watchfloor_model::Timestamp;

use super::http::Shut;

/// The error and what it comes from, in one line.
pub(super) fn words(error: &dyn Error) -> String {
    let mut words = error.to_string();
    let mut source = error.source();
    while let Some(error) = source {
        let text = error.to_string();
        if !words.contains(&text) {
            words = format!("{words}: {text}");
        }
        source = error.source();
    }
    words
}

/// A header value that HTTP doesn't allow.
pub(super) fn bad_header(name: &str) -> LinkFault {
    LinkFault::new(LinkFaultKind::Other, format!("the value of header {name} has characters that HTTP does not allow"))
}

/// An error of the socket or of the secure layer on it.
pub(super) fn of_io(error: &io::Error) -> LinkFault {
    // An error of the secure layer comes wrapped, once or twice; such a wrapper isn't its own source.
    if let Some(inner) = error.get_ref() {
        if let Some(tls) = inner.downcast_ref::<rustls::Error>() {
            return LinkFault::new(LinkFaultKind::Tls, tls_words(tls));
        }
        if let Some(wrapped) = inner.downcast_ref::<io::Error>() {
            return of_io(wrapped);
        }
    }
    let kind = match error.kind() {
        io::ErrorKind::ConnectionRefused => LinkFaultKind::Refused,
        io::ErrorKind::HostUnreachable | io::ErrorKind::NetworkUnreachable | io::ErrorKind::NetworkDown => {
            LinkFaultKind::Unreachable
        }
        io::ErrorKind::ConnectionReset
        | io::ErrorKind::ConnectionAborted
        | io::ErrorKind::BrokenPipe
        | io::ErrorKind::UnexpectedEof => return LinkFault::new(LinkFaultKind::Reset, ""),
        io::ErrorKind::TimedOut => LinkFaultKind::Timeout,
        _ => LinkFaultKind::Other,
    };
    LinkFault::new(kind, words(error))
}

/// In words for who stands before the wall: what is wrong with the certificate, and until when it was good.
fn tls_words(error: &rustls::Error) -> String {
    use rustls::CertificateError as C;
    match error {
        rustls::Error::InvalidMessage(_) => "the server does not speak TLS on this port".to_owned(),
        rustls::Error::InvalidCertificate(certificate) => match certificate {
            C::Expired => "the server's certificate has expired".to_owned(),
            C::ExpiredContext { not_after, .. } => {
                format!("the server's certificate expired on {}", date(not_after.as_secs()))
            }
            C::NotValidYet => "the server's certificate is not valid yet".to_owned(),
            C::NotValidYetContext { not_before, .. } => {
                format!("the server's certificate is not valid before {}", date(not_before.as_secs()))
            }
            C::NotValidForName => "the server's certificate is for another name".to_owned(),
            C::NotValidForNameContext { expected, presented } => {
                let names: Vec<_> = presented.iter().map(|name| bare(name)).collect();
                let names = if names.is_empty() { "no name".to_owned() } else { names.join(", ") };
                format!("the server's certificate is not for {:?}, but for {names}", expected.to_str())
            }
            // A bad signature is that of another authority with a trusted one's name.
            C::UnknownIssuer | C::BadSignature => {
                "the server's certificate is from an issuer that this machine does not trust".to_owned()
            }
            C::Revoked => "the server's certificate was revoked".to_owned(),
            // What `openssl req -x509` makes unless it is told otherwise.
            C::Other(inner) if inner.to_string().contains("CaUsedAsEndEntity") => {
                "the server's certificate is an authority's own: expected one that an authority gave to the server"
                    .to_owned()
            }
            _ => error.to_string(),
        },
        rustls::Error::AlertReceived(alert) => alert_words(*alert),
        other => other.to_string(),
    }
}

/// Why the server ended the handshake: most often for what this side showed, or didn't.
fn alert_words(alert: rustls::AlertDescription) -> String {
    use rustls::AlertDescription as A;
    let own = "the server does not take this wall's certificate";
    match alert {
        A::CertificateRequired => {
            "the server asks for a client certificate: give `certificate` and `key` in the source's `tls`".to_owned()
        }
        A::UnknownCA => format!("{own}: it does not trust its issuer"),
        A::CertificateExpired => format!("{own}: it has expired, or the server's clock is wrong"),
        A::CertificateRevoked => format!("{own}: it was revoked"),
        A::BadCertificate | A::CertificateUnknown | A::UnsupportedCertificate | A::DecryptError => own.to_owned(),
        A::AccessDenied => format!("{own}: it knows it, and denies access"),
        A::UnrecognisedName => "the server knows no such name as the address has".to_owned(),
        A::ProtocolVersion => "the server speaks no TLS of version 1.2 or 1.3".to_owned(),
        A::HandshakeFailure | A::InsufficientSecurity => {
            "the server ended the handshake: it wants a client certificate, or ciphers that are no longer safe"
                .to_owned()
        }
        other => format!("the server ended the handshake: {other:?}"),
    }
}

/// A certificate's name without its type: `DnsName("hub.example")` is "hub.example".
fn bare(name: &str) -> &str {
    name.split_once('(').and_then(|(_, rest)| rest.strip_suffix(')')).unwrap_or(name)
}

/// The day of a certificate's limit, in UTC.
fn date(seconds: u64) -> String {
    let time = i64::try_from(seconds).ok().and_then(|seconds| jiff::Timestamp::from_second(seconds).ok());
    time.map_or_else(|| "a day beyond all days".to_owned(), |time| time.strftime("%Y-%m-%d").to_string())
}

/// An error of a WebSocket.
pub(super) fn of_websocket(error: &tungstenite::Error, wall: Timestamp) -> LinkFault {
    use tungstenite::Error as E;
    match error {
        E::Io(error) => of_io(error),
        E::Http(answer) => {
            let text = answer.body().as_deref().map_or_else(String::new, refusal);
            LinkFault { text, ..of_answer(answer.status().as_u16(), answer.headers(), wall) }
        }
        E::Tls(error) => LinkFault::new(LinkFaultKind::Tls, words(error)),
        E::Capacity(error) => LinkFault::new(LinkFaultKind::TooBig, error.to_string()),
        // Nothing is wrong with the rules: whoever listens there let go, most often a proxy without its server.
        E::Protocol(ProtocolError::HandshakeIncomplete) => {
            LinkFault::new(LinkFaultKind::Reset, "closed during the handshake")
        }
        E::Protocol(_) | E::Utf8(_) | E::AttackAttempt | E::HttpFormat(_) => {
            LinkFault::new(LinkFaultKind::Protocol, words(error))
        }
        E::ConnectionClosed | E::AlreadyClosed | E::WriteBufferFull(_) | E::Url(_) => {
            LinkFault::new(LinkFaultKind::Other, words(error))
        }
    }
}

/// An error of an HTTP request or of an answer's body; `other` if nothing more is known of it.
pub(super) fn of_http(error: &(dyn Error + 'static), other: LinkFaultKind) -> LinkFault {
    let mut source = Some(error);
    let mut innermost = None;
    while let Some(inner) = source {
        if let Some(Shut(fault)) = inner.downcast_ref::<Shut>() {
            return fault.clone();
        }
        if let Some(hyper) = inner.downcast_ref::<hyper::Error>() {
            if hyper.is_timeout() {
                return LinkFault::new(LinkFaultKind::Timeout, "");
            }
            innermost = Some(inner);
        }
        if let Some(tls) = inner.downcast_ref::<rustls::Error>() {
            return LinkFault::new(LinkFaultKind::Tls, tls_words(tls));
        }
        if let Some(io) = inner.downcast_ref::<io::Error>() {
            let fault = of_io(io);
            if !matches!(fault.kind, LinkFaultKind::Other) {
                return fault;
            }
        }
        source = inner.source();
    }
    // Without the outermost words, which say only that there was a request.
    LinkFault::new(other, words(innermost.unwrap_or(error)))
}

/// An answer that isn't the one asked for.
pub(super) fn of_answer(status: u16, headers: &http::HeaderMap, wall: Timestamp) -> LinkFault {
    let content_type =
        headers.get(http::header::CONTENT_TYPE).and_then(|value| value.to_str().ok()).map(ToOwned::to_owned);
    let retry_after = retry_after(headers, wall);
    LinkFault::new(LinkFaultKind::Http { status, retry_after, content_type }, "")
}

/// The beginning of a refusal's body: why, in the words of a protocol.
pub(super) fn refusal(body: &[u8]) -> String {
    const BYTES_MAX: usize = 400;
    String::from_utf8_lossy(body.get(..BYTES_MAX).unwrap_or(body)).into_owned()
}

/// An answer that somebody packed unasked: nothing here unpacks, and what is packed looks like noise or like silence.
pub(super) fn of_packed(headers: &http::HeaderMap) -> Option<LinkFault> {
    let encoding = headers.get(http::header::CONTENT_ENCODING)?.to_str().unwrap_or("an unreadable one").trim();
    let is_plain = encoding.is_empty() || encoding.eq_ignore_ascii_case("identity");
    let words = || format!("answered in the content encoding {encoding}, unasked: a proxy?");
    (!is_plain).then(|| LinkFault::new(LinkFaultKind::Protocol, words()))
}

/// `Date`: what the other side's clock showed.
pub(super) fn server_time(headers: &http::HeaderMap) -> Option<Timestamp> {
    let date = jiff::fmt::rfc2822::parse(headers.get(http::header::DATE)?.to_str().ok()?.trim()).ok()?;
    Some(Timestamp::from_millis(date.timestamp().as_millisecond()))
}

/// `Retry-After` (RFC 9110 section 10.2.3) in seconds or as a date, as a span from now; zero for a date gone by.
pub(super) fn retry_after(headers: &http::HeaderMap, wall: Timestamp) -> Option<Duration> {
    let text = headers.get(http::header::RETRY_AFTER)?.to_str().ok()?.trim();
    if let Ok(seconds) = text.parse() {
        return Some(Duration::from_secs(seconds));
    }
    let date = jiff::fmt::rfc2822::parse(text).ok()?;
    Some(Timestamp::from_millis(date.timestamp().as_millisecond()).since(wall))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn retry_after_is_read_in_both_forms() {
        // 6 Nov 1994 08:49:37 GMT
        let wall = Timestamp::from_millis(784_111_777_000);
        for (text, seconds) in [
            ("120", Some(120)),
            (" 0 ", Some(0)),
            ("Sun, 06 Nov 1994 08:50:07 GMT", Some(30)),
            ("Sun, 06 Nov 1994 08:00:00 GMT", Some(0)),
            ("-5", None),
            ("soon", None),
            ("", None),
        ] {
            let headers = http::HeaderMap::from_iter([(http::header::RETRY_AFTER, text.parse().unwrap())]);
            assert_eq!(retry_after(&headers, wall).map(|span| span.as_secs()), seconds, "{text:?}");
        }
    }

    #[test]
    fn system_errors_have_names() {
        for (kind, expected) in [
            (io::ErrorKind::ConnectionRefused, LinkFaultKind::Refused),
            (io::ErrorKind::NetworkUnreachable, LinkFaultKind::Unreachable),
            (io::ErrorKind::ConnectionReset, LinkFaultKind::Reset),
            (io::ErrorKind::UnexpectedEof, LinkFaultKind::Reset),
            (io::ErrorKind::TimedOut, LinkFaultKind::Timeout),
            (io::ErrorKind::PermissionDenied, LinkFaultKind::Other),
        ] {
            assert_eq!(of_io(&kind.into()).kind, expected);
        }
        let tls = io::Error::new(
            io::ErrorKind::InvalidData,
            rustls::Error::InvalidCertificate(rustls::CertificateError::UnknownIssuer),
        );
        assert_eq!(of_io(&tls).kind, LinkFaultKind::Tls);
    }

    /// Who reads it knows certificates by their dates and names, not by a library's types.
    #[test]
    fn a_bad_certificate_is_told_in_words() {
        use rustls::{CertificateError as C, pki_types::UnixTime};
        let at = |seconds| UnixTime::since_unix_epoch(Duration::from_secs(seconds));
        let expected = rustls::pki_types::ServerName::try_from("hub.example").unwrap();
        let presented = vec!["DnsName(\"other.example\")".to_owned()];
        for (error, words) in [
            (C::NotValidForNameContext { expected, presented }, "not for \"hub.example\", but for \"other.example\""),
            (C::ExpiredContext { time: at(1_700_000_000), not_after: at(1_640_908_800) }, "expired on 2021-12-31"),
            (C::NotValidYetContext { time: at(0), not_before: at(1_640_908_800) }, "not valid before 2021-12-31"),
            (C::UnknownIssuer, "an issuer that this machine does not trust"),
        ] {
            let words_found = tls_words(&rustls::Error::InvalidCertificate(error));
            assert!(words_found.contains(words), "{words_found}");
        }
    }
}
