//! What can go wrong with a source, whose fault it is, and what follows from it.

use std::{fmt, time::Duration};

use serde::{Deserialize, Serialize};
use watchfloor_model::Transport;

use crate::limits::REASON_CHARS_MAX;

/// Why a link could not be opened, broke, or a fetch got no answer: what the outside reports.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct LinkFault {
    /// What kind of failure, as far as it matters.
    pub kind: LinkFaultKind,
    /// The system's or library's own words, perhaps empty. No secrets, no addresses with passwords.
    pub text: String,
}

/// Kinds of link failure.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum LinkFaultKind {
    /// Nobody listens there.
    Refused,
    /// No route, network down.
    Unreachable,
    /// The connection broke after it stood.
    Reset,
    /// The name could not be resolved.
    Dns,
    /// The certificate isn't trusted, or the handshake failed.
    Tls,
    /// The proxy on the way let nothing through. It is not the server's word.
    Proxy {
        /// Whether it is there and refuses what it was asked for: by another way it may let through.
        refuses: bool,
    },
    /// The server answered, but not as asked: any status but 101 for a WebSocket, any status but 200 for SSE, and 200
    /// with another type than `text/event-stream`.
    Http {
        /// The status.
        status: u16,
        /// `Retry-After`, as a span from now.
        retry_after: Option<Duration>,
        /// `Content-Type`, as it came.
        content_type: Option<String>,
    },
    /// It took too long.
    Timeout,
    /// A message or body over its bound.
    TooBig,
    /// The other side broke the transport's rules.
    Protocol,
    /// Anything else.
    Other,
}

impl LinkFault {
    /// A fault of `kind` in the words `text`.
    pub fn new(kind: LinkFaultKind, text: impl Into<String>) -> Self {
        Self { kind, text: text.into() }
    }
}

impl fmt::Display for LinkFault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let words = match &self.kind {
            LinkFaultKind::Http { status, content_type, .. } => {
                return f.write_str(&http_words(*status, content_type.as_deref()));
            }
            LinkFaultKind::Refused => return f.write_str("connection refused"),
            LinkFaultKind::Reset if self.text.is_empty() => return f.write_str("connection reset"),
            LinkFaultKind::Unreachable => "network unreachable",
            LinkFaultKind::Reset => "connection broken",
            LinkFaultKind::Dns => "name not found",
            LinkFaultKind::Tls => "no secure connection",
            LinkFaultKind::Proxy { .. } => "no way through the proxy",
            LinkFaultKind::Timeout => "no answer in time",
            LinkFaultKind::TooBig => "message too big",
            LinkFaultKind::Protocol => "transport rules broken",
            LinkFaultKind::Other => "connection failed",
        };
        f.write_str(words)?;
        if !self.text.is_empty() {
            write!(f, ": {}", cut(&self.text))?;
        }
        Ok(())
    }
}

fn http_words(status: u16, content_type: Option<&str>) -> String {
    let kind = content_type.map(|text| text.split(';').next().unwrap_or(text).trim().to_ascii_lowercase());
    match status {
        200..=299 if kind.as_deref() == Some("text/html") => {
            "answered with a web page: a login page or proxy?".to_owned()
        }
        204 => "the server asks not to come back (HTTP 204)".to_owned(),
        200 => match kind {
            Some(kind) => format!("answered with {}, not with events", cut(&kind)),
            None => "answered without a type, not with events".to_owned(),
        },
        304 => {
            "answered with \"not modified\" (HTTP 304), which is for documents: a cache that takes the stream for one?"
                .to_owned()
        }
        300..=399 => format!("sent elsewhere (HTTP {status}): a login page or proxy?"),
        401 => "access denied: no valid token (HTTP 401)".to_owned(),
        403 => "access denied (HTTP 403)".to_owned(),
        404 => "nothing at this address (HTTP 404): is the address right?".to_owned(),
        410 => "gone for good (HTTP 410)".to_owned(),
        429 => "asked too often (HTTP 429)".to_owned(),
        502..=504 => format!("server not available (HTTP {status})"),
        500..=599 => format!("server error (HTTP {status})"),
        _ => format!("answered with HTTP {status}"),
    }
}

/// Where a fault comes from. Only what the network or the server did counts against them.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Origin {
    /// The configuration, or this program.
    Local,
    /// What lies between.
    Network,
    /// The other side.
    Server,
}

/// Why a link was given up.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Fault {
    /// Whose it is.
    pub origin: Origin,
    /// What it is.
    pub kind: FaultKind,
}

/// Kinds of fault.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum FaultKind {
    /// The link or fetch failed.
    Link(LinkFault),
    /// The server closed.
    Closed {
        /// RFC 6455 close code, if there was one.
        code: Option<u16>,
        /// The server's words, perhaps empty.
        reason: String,
    },
    /// Nothing was heard.
    Silent {
        /// For how long.
        after: Duration,
    },
    /// The link answers, but no message came.
    Stalled {
        /// For how long.
        after: Duration,
        /// Why what came instead could not be read, if something did.
        unread: Option<String>,
    },
    /// The link didn't stand in time.
    OpenTimeout {
        /// After how long.
        after: Duration,
    },
    /// A stream over HTTP whose connection stands brings nothing, as if somebody kept it.
    HeldBack {
        /// For how long.
        after: Duration,
        /// How often the server says something by the board's word, if it has begun to answer.
        period: Option<Duration>,
    },
    /// The subscriptions weren't answered in time.
    SubscribeTimeout {
        /// After how long.
        after: Duration,
    },
    /// The stream can't be followed any more: what is wrong with it.
    Desync(String),
    /// What came is nothing that the server would say.
    Unreadable(String),
    /// The server said that it can't meet the request.
    Server {
        /// Its code.
        code: String,
        /// Its words.
        message: String,
        /// Whether the code means that access is denied.
        denied: bool,
    },
    /// The server speaks another version of the protocol.
    Version {
        /// Which.
        found: u64,
        /// Which one is known here.
        expected: u64,
    },
    /// The configuration can't work: why.
    Config(String),
    /// There is no token to come in by.
    NoToken(CredentialFault),
    /// The token by which the link came has come to its end.
    TokenExpired {
        /// Why there is no newer one, if one was asked for.
        renewal: Option<CredentialFault>,
    },
}

/// Why a token can't be had.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct CredentialFault {
    /// What was found and what is expected, for people. No secrets, no addresses with passwords.
    pub text: String,
    /// Who gives tokens refuses this wall: asking again soon won't help.
    pub denied: bool,
    /// `Retry-After`, as a span from now.
    pub retry_after: Option<Duration>,
}

impl CredentialFault {
    /// A fault in the words `text`, which may pass.
    pub fn new(text: impl Into<String>) -> Self {
        Self { text: text.into(), denied: false, retry_after: None }
    }

    pub(crate) const fn verdict(&self) -> Verdict {
        match (self.denied, self.retry_after) {
            (true, _) => Verdict::Refused,
            (false, Some(span)) => Verdict::After(span),
            (false, None) => Verdict::Backoff,
        }
    }
}

impl fmt::Display for CredentialFault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&cut(&self.text))
    }
}

/// When to come back after a fault.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Verdict {
    /// By exponential backoff.
    Backoff,
    /// The server plans to be back: soon, spread.
    Soon,
    /// Not before this.
    After(Duration),
    /// It won't help soon.
    Slow,
    /// Access denied: slowly, and shown as denied.
    Refused,
    /// Never: a person must change something.
    Never,
}

impl Fault {
    pub(crate) const fn network(kind: FaultKind) -> Self {
        Self { origin: Origin::Network, kind }
    }

    pub(crate) const fn server(kind: FaultKind) -> Self {
        Self { origin: Origin::Server, kind }
    }

    pub(crate) const fn local(kind: FaultKind) -> Self {
        Self { origin: Origin::Local, kind }
    }

    pub(crate) fn link(fault: LinkFault) -> Self {
        let origin = match fault.kind {
            LinkFaultKind::Http { .. } | LinkFaultKind::Protocol | LinkFaultKind::TooBig => Origin::Server,
            _ => Origin::Network,
        };
        Self { origin, kind: FaultKind::Link(fault) }
    }

    /// Whether what lies between may be what keeps this way to travel shut, though not the others: a firewall that
    /// swallows an upgrade, a proxy that holds a stream back or answers in the server's place. `live`: the link stood and
    /// was live.
    pub(crate) const fn may_be_the_way(&self, live: bool) -> bool {
        match &self.kind {
            FaultKind::Silent { .. } | FaultKind::Stalled { .. } | FaultKind::HeldBack { .. } => true,
            FaultKind::OpenTimeout { .. } | FaultKind::SubscribeTimeout { .. } | FaultKind::Unreadable(_) => true,
            FaultKind::Closed { code, .. } => !live && matches!(code, None | Some(1002 | 1003 | 1006 | 1007)),
            FaultKind::Link(fault) => match &fault.kind {
                LinkFaultKind::Refused | LinkFaultKind::Unreachable | LinkFaultKind::Dns | LinkFaultKind::Tls => false,
                LinkFaultKind::Proxy { refuses } => *refuses && !live,
                // The server's own word.
                LinkFaultKind::Http { status: 204 | 401 | 403 | 410 | 429, .. }
                | LinkFaultKind::Http { retry_after: Some(_), .. } => false,
                LinkFaultKind::Http { .. }
                | LinkFaultKind::Reset
                | LinkFaultKind::Timeout
                | LinkFaultKind::TooBig
                | LinkFaultKind::Protocol
                | LinkFaultKind::Other => !live,
            },
            FaultKind::Desync(_)
            | FaultKind::Server { .. }
            | FaultKind::Version { .. }
            | FaultKind::Config(_)
            | FaultKind::NoToken(_)
            | FaultKind::TokenExpired { .. } => false,
        }
    }

    /// What was found on a way that can't be had.
    pub(crate) fn found_on(&self, transport: Transport) -> String {
        match (&self.kind, transport) {
            (FaultKind::OpenTimeout { .. }, Transport::WebSocket) => "no answer to the upgrade".to_owned(),
            (FaultKind::OpenTimeout { .. }, _) => "no answer".to_owned(),
            (
                FaultKind::SubscribeTimeout { .. } | FaultKind::Silent { .. } | FaultKind::Stalled { unread: None, .. },
                Transport::Sse | Transport::HttpStream,
            ) => "the stream is held back: a proxy that buffers?".to_owned(),
            _ => self.to_string(),
        }
    }

    /// When to come back. The server's word is stronger than the backoff.
    pub(crate) fn verdict(&self) -> Verdict {
        match &self.kind {
            FaultKind::Link(fault) => match fault.kind {
                LinkFaultKind::Http { status: 401 | 403, .. } => Verdict::Refused,
                LinkFaultKind::Http { status: 204 | 410, .. } => Verdict::Slow,
                LinkFaultKind::Http { retry_after: Some(span), .. } => Verdict::After(span),
                _ => Verdict::Backoff,
            },
            FaultKind::Closed { code: Some(1001 | 1012 | 1013), .. } => Verdict::Soon,
            FaultKind::Closed { code: Some(1008), .. } => Verdict::Refused,
            FaultKind::Server { denied, .. } => {
                if *denied {
                    Verdict::Refused
                } else {
                    Verdict::Backoff
                }
            }
            FaultKind::Version { .. } => Verdict::Slow,
            FaultKind::Config(_) => Verdict::Never,
            FaultKind::NoToken(fault) => fault.verdict(),
            FaultKind::TokenExpired { renewal } => match renewal {
                Some(fault) => fault.verdict(),
                None => Verdict::Backoff,
            },
            FaultKind::Closed { .. }
            | FaultKind::Silent { .. }
            | FaultKind::Stalled { .. }
            | FaultKind::OpenTimeout { .. }
            | FaultKind::HeldBack { .. }
            | FaultKind::SubscribeTimeout { .. }
            | FaultKind::Desync(_)
            | FaultKind::Unreadable(_) => Verdict::Backoff,
        }
    }
}

impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.kind {
            FaultKind::Link(fault) => fault.fmt(f),
            FaultKind::Closed { code, reason } => {
                f.write_str(match code {
                    None => "the connection ended",
                    Some(1000) => "the server said goodbye",
                    Some(1001) => "the server goes down",
                    Some(1008) => "the server refuses this connection",
                    Some(1012) => "the server restarts",
                    Some(1013) => "the server asks to come back later",
                    Some(_) => "the server closed the connection",
                })?;
                if let Some(code) = code.filter(|code| !matches!(code, 1000 | 1001 | 1008 | 1012 | 1013)) {
                    write!(f, " ({code})")?;
                }
                if !reason.is_empty() {
                    write!(f, ": {}", cut(reason))?;
                }
                Ok(())
            }
            FaultKind::Silent { after } => write!(f, "nothing heard for {}", words(*after)),
            FaultKind::Stalled { after, unread } => {
                write!(f, "the server answers, but its stream has stood still for {}", words(*after))?;
                match unread {
                    Some(reason) => write!(f, ": what came can't be read: {reason}"),
                    None => Ok(()),
                }
            }
            FaultKind::OpenTimeout { after } => write!(f, "no connection within {}", words(*after)),
            FaultKind::HeldBack { after, period } => {
                match period {
                    None => write!(f, "no answer within {}", words(*after))?,
                    Some(period) => write!(
                        f,
                        "nothing heard for {}, where the server is to say something every {}",
                        words(*after),
                        words(*period)
                    )?,
                }
                f.write_str(": does a proxy hold the stream back? (nginx: `proxy_buffering off`)")
            }
            FaultKind::SubscribeTimeout { after } => write!(f, "no answer to subscribing within {}", words(*after)),
            FaultKind::Desync(text) | FaultKind::Unreadable(text) | FaultKind::Config(text) => f.write_str(text),
            FaultKind::Server { code, message, .. } if message.is_empty() => {
                write!(f, "the server answered with error `{}`", cut(code))
            }
            FaultKind::Server { message, .. } => f.write_str(&cut(message)),
            FaultKind::NoToken(fault) => write!(f, "no token: {fault}"),
            FaultKind::TokenExpired { renewal: Some(fault) } => write!(f, "token expired; new one: {fault}"),
            FaultKind::TokenExpired { renewal: None } => f.write_str("token expired"),
            FaultKind::Version { found, expected } => {
                write!(f, "the server speaks version {found} of the protocol, this program knows {expected}")
            }
        }
    }
}

impl std::error::Error for Fault {}

/// A server's text for a cause: one line, bounded.
pub(crate) fn cut(text: &str) -> String {
    let mut cut: String = text.chars().take(REASON_CHARS_MAX).map(|c| if c.is_control() { ' ' } else { c }).collect();
    if text.chars().nth(REASON_CHARS_MAX).is_some() {
        cut.push('…');
    }
    cut
}

/// A span for people: `5 s`, `1.5 s`, `300 ms`, `2 min`.
pub(crate) fn words(span: Duration) -> String {
    let millis = span.as_millis();
    match millis {
        0..1000 => format!("{millis} ms"),
        1000..120_000 if millis.is_multiple_of(1000) => format!("{} s", millis / 1000),
        1000..120_000 => format!("{:.1} s", span.as_secs_f64()),
        _ => format!("{} min", millis / 60_000),
    }
}

/// The way to travel in a sentence.
pub(crate) const fn door(transport: Transport) -> &'static str {
    match transport {
        Transport::WebSocket => "WebSocket",
        Transport::Sse => "server-sent events",
        Transport::HttpStream => "HTTP streaming",
        Transport::LongPoll => "long poll",
        Transport::Poll => "poll",
        Transport::Tcp => "TCP",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn http(status: u16, retry_after_s: Option<u64>, content_type: Option<&str>) -> Fault {
        Fault::link(LinkFault::new(
            LinkFaultKind::Http {
                status,
                retry_after: retry_after_s.map(Duration::from_secs),
                content_type: content_type.map(Into::into),
            },
            "",
        ))
    }

    fn closed(code: Option<u16>) -> Fault {
        Fault::server(FaultKind::Closed { code, reason: String::new() })
    }

    /// H1: what a proxy says is no word of the server. Nothing is hidden for it, and only what it refuses may be had by another way.
    #[test]
    fn a_proxys_word_is_not_the_servers() {
        for refuses in [true, false] {
            let fault = Fault::link(LinkFault::new(LinkFaultKind::Proxy { refuses }, "it asks who comes"));
            assert_eq!((fault.origin, fault.verdict()), (Origin::Network, Verdict::Backoff));
            assert_eq!((fault.may_be_the_way(false), fault.may_be_the_way(true)), (refuses, false));
            assert_eq!(fault.to_string(), "no way through the proxy: it asks who comes");
        }
    }

    /// What each answer means and how it is said: the table of HTTP outcomes.
    #[test]
    fn verdicts_and_words() {
        let cases = [
            (http(401, None, None), Verdict::Refused, "access denied: no valid token (HTTP 401)"),
            (http(403, Some(5), None), Verdict::Refused, "access denied (HTTP 403)"),
            (http(404, None, None), Verdict::Backoff, "nothing at this address (HTTP 404): is the address right?"),
            (http(410, None, None), Verdict::Slow, "gone for good (HTTP 410)"),
            (http(204, None, None), Verdict::Slow, "the server asks not to come back (HTTP 204)"),
            (
                http(304, None, None),
                Verdict::Backoff,
                "answered with \"not modified\" (HTTP 304), which is for documents: a cache that takes the stream for one?",
            ),
            (http(302, None, None), Verdict::Backoff, "sent elsewhere (HTTP 302): a login page or proxy?"),
            (
                http(200, None, Some("Text/HTML; charset=utf-8")),
                Verdict::Backoff,
                "answered with a web page: a login page or proxy?",
            ),
            (http(200, None, Some("text/plain")), Verdict::Backoff, "answered with text/plain, not with events"),
            (http(503, Some(7), None), Verdict::After(Duration::from_secs(7)), "server not available (HTTP 503)"),
            (http(500, None, None), Verdict::Backoff, "server error (HTTP 500)"),
            (closed(Some(1001)), Verdict::Soon, "the server goes down"),
            (closed(Some(1008)), Verdict::Refused, "the server refuses this connection"),
            (closed(Some(4000)), Verdict::Backoff, "the server closed the connection (4000)"),
            (closed(None), Verdict::Backoff, "the connection ended"),
            (
                Fault::network(FaultKind::Silent { after: Duration::from_secs(5) }),
                Verdict::Backoff,
                "nothing heard for 5 s",
            ),
            (
                Fault::network(FaultKind::HeldBack {
                    after: Duration::from_secs(5),
                    period: Some(Duration::from_secs(1)),
                }),
                Verdict::Backoff,
                "nothing heard for 5 s, where the server is to say something every 1 s: does a proxy hold the stream \
                 back? (nginx: `proxy_buffering off`)",
            ),
        ];
        for (fault, verdict, text) in cases {
            assert_eq!(fault.verdict(), verdict, "{text}");
            assert_eq!(fault.to_string(), text);
        }
    }

    /// H8: what a server sends is shown as one bounded line.
    #[test]
    fn a_servers_words_are_cut() {
        let text = cut(&format!("a\nb{}", "x".repeat(1000)));
        assert!(text.starts_with("a b") && text.chars().count() == REASON_CHARS_MAX + 1, "{text}");
    }
}
