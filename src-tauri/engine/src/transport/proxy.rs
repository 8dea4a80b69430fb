//! Through a proxy: by `CONNECT` (RFC 9110, section 9.3.6) or SOCKS 5 (RFC 1928, 1929). The proxy finds the server's name
//! itself. What it refuses is its word, not the server's.

use std::{pin::pin, sync::Arc};

use base64::{Engine, prelude::BASE64_STANDARD};
use bytes::Bytes;
use http_body_util::Empty;
use hyper::{
    HeaderMap, Method, Request, Response,
    body::Incoming,
    client::conn::http1,
    header::{HOST, HeaderValue, PROXY_AUTHENTICATE, PROXY_AUTHORIZATION, USER_AGENT},
};
use hyper_util::rt::TokioIo;
use rustls::ClientConfig;
use tokio_socks::{IntoTargetAddr, tcp::Socks5Stream};
use url::Url;
use watchfloor_board::config::spec::ProxySpec;
use watchfloor_feed::{LinkFault, LinkFaultKind, Secret};

use super::{
    dial::{self, Stream, Target},
    fault, secured,
};
use crate::secrets;

/// The port of a SOCKS proxy whose address names none (RFC 1928).
const SOCKS_PORT: u16 = 1080;
/// The longest head of a proxy's answer, in bytes.
const HEAD_BYTES_MAX: usize = 64 << 10;

/// A proxy on the way.
#[derive(Clone, Debug)]
pub(super) struct Proxy {
    url: Url,
    target: Target,
    spec: ProxySpec,
}

/// Why nothing gets through.
fn shut(refuses: bool, text: impl Into<String>) -> LinkFault {
    LinkFault::new(LinkFaultKind::Proxy { refuses }, text)
}

impl Proxy {
    /// Reads the proxy's address.
    pub(super) fn of(spec: &ProxySpec) -> Result<Self, LinkFault> {
        let url = Url::parse(&spec.url).map_err(|error| shut(false, format!("its address: {error}")))?;
        let target = Target::of(&url, Some(SOCKS_PORT))?;
        Ok(Self { url, target, spec: spec.clone() })
    }

    /// Whether it takes requests for HTTP in clear as they are, which many proxies ask for: they tunnel to port 443 alone.
    pub(super) fn takes_requests(&self) -> bool {
        self.url.scheme() != "socks5"
    }

    /// What a request in clear says of who comes.
    pub(super) async fn authorization(&self) -> Result<Option<HeaderValue>, LinkFault> {
        let Some((user, password)) = self.login().await? else { return Ok(None) };
        let pair = BASE64_STANDARD.encode(format!("{user}:{}", password.expose()));
        let mut value = HeaderValue::try_from(format!("Basic {pair}"))
            .map_err(|_| LinkFault::new(LinkFaultKind::Other, "the proxy's password does not fit into a header"))?;
        value.set_sensitive(true);
        Ok(Some(value))
    }

    async fn login(&self) -> Result<Option<(&str, Secret)>, LinkFault> {
        let Some(login) = &self.spec.login else { return Ok(None) };
        let password = secrets::read(&login.password).await;
        let password = password.map_err(|fault| shut(false, format!("its password: {}", fault.text)))?;
        Ok(Some((&login.user, password)))
    }

    /// Connects to the proxy itself.
    pub(super) async fn reach(&self, tls: &Arc<ClientConfig>) -> Result<Stream, LinkFault> {
        let own = |fault: LinkFault| shut(false, format!("{}: {fault}", self.target.authority()));
        let stream = dial::connect(&self.target).await.map_err(own)?;
        if self.url.scheme() == "https" {
            return secured(tls, &self.target.name(), Box::new(stream)).await.map_err(own);
        }
        Ok(Box::new(stream))
    }

    /// Connects to the target by the proxy.
    pub(super) async fn connect(&self, tls: &Arc<ClientConfig>, target: &Target) -> Result<Stream, LinkFault> {
        let stream = self.reach(tls).await?;
        if self.takes_requests() { self.tunnel(stream, target).await } else { self.socks(stream, target).await }
    }

    async fn tunnel(&self, stream: Stream, target: &Target) -> Result<Stream, LinkFault> {
        let authority = target.authority();
        let mut ask = Request::builder()
            .method(Method::CONNECT)
            .uri(&authority)
            .header(HOST, &authority)
            .header(USER_AGENT, super::USER_AGENT)
            .body(Empty::<Bytes>::new())
            .map_err(|error| LinkFault::new(LinkFaultKind::Other, error.to_string()))?;
        let login = self.authorization().await?;
        let knows = login.is_some();
        if let Some(login) = login {
            ask.headers_mut().insert(PROXY_AUTHORIZATION, login);
        }
        let (mut sender, connection) = http1::Builder::new()
            .max_buf_size(HEAD_BYTES_MAX)
            .handshake(TokioIo::new(stream))
            .await
            .map_err(|error| unheard(&error))?;
        let exchange = async {
            let answer = sender.send_request(ask).await.map_err(|error| unheard(&error))?;
            if !answer.status().is_success() {
                return Err(self.refusal(&answer, &authority, knows));
            }
            // What came already after the answer's head comes first out of it.
            let upgraded = hyper::upgrade::on(answer).await.map_err(|error| unheard(&error))?;
            Ok(Box::new(TokioIo::new(upgraded)) as Stream)
        };
        let (mut exchange, mut connection) = (pin!(exchange), pin!(connection.with_upgrades()));
        let mut runs = true;
        loop {
            tokio::select! {
                biased;
                outcome = &mut exchange => return outcome,
                // Its own error comes out of the exchange too.
                _ended = &mut connection, if runs => runs = false,
            }
        }
    }

    fn refusal(&self, answer: &Response<Incoming>, authority: &str, knows: bool) -> LinkFault {
        match answer.status().as_u16() {
            407 => asks_who_comes(answer.headers(), knows),
            status @ (403 | 405) => shut(true, format!("it allows no connection to {authority} (HTTP {status})")),
            status @ (500 | 502..=504) => shut(true, format!("it can't reach {authority} (HTTP {status})")),
            status => shut(true, format!("it answered with HTTP {status} when asked for {authority}")),
        }
    }

    async fn socks(&self, stream: Stream, target: &Target) -> Result<Stream, LinkFault> {
        let words = |error: &tokio_socks::Error, knows| of_socks(error, &target.authority(), knows);
        // A name is the proxy's to find; digits go as the address that they are.
        let name = target.name();
        let address = (name.as_str(), target.port).into_target_addr().map_err(|error| words(&error, false))?;
        let connected = match self.login().await? {
            None => Socks5Stream::connect_with_socket(stream, address).await.map_err(|error| words(&error, false))?,
            Some((user, password)) => {
                Socks5Stream::connect_with_password_and_socket(stream, address, user, password.expose())
                    .await
                    .map_err(|error| words(&error, true))?
            }
        };
        Ok(connected.into_inner())
    }
}

/// 407, in words: what is missing, or wrong. `knows`: a user and password were shown.
pub(super) fn asks_who_comes(headers: &HeaderMap, knows: bool) -> LinkFault {
    let schemes: Vec<String> = headers
        .get_all(PROXY_AUTHENTICATE)
        .iter()
        .filter_map(|value| value.to_str().ok()?.split_ascii_whitespace().next())
        .map(|scheme| scheme.chars().filter(char::is_ascii_graphic).take(20).collect())
        .take(4)
        .collect();
    let takes_basic = schemes.is_empty() || schemes.iter().any(|scheme| scheme.eq_ignore_ascii_case("basic"));
    let text = match (takes_basic, knows) {
        (false, _) => {
            format!("it asks for {} (HTTP 407): a user and password are shown by Basic alone", schemes.join(", "))
        }
        (true, false) => "it asks who comes (HTTP 407): give `user` and `password` in the source's `proxy`".to_owned(),
        (true, true) => "it does not take this user and password (HTTP 407)".to_owned(),
    };
    shut(false, text)
}

/// An answer to a request in clear that a proxy gave in the server's place, as far as it says so (RFC 9209; Squid).
pub(super) fn own_answer(status: u16, headers: &HeaderMap, knows: bool) -> Option<LinkFault> {
    if status == 407 {
        return Some(asks_who_comes(headers, knows));
    }
    let says = |name: &str| headers.get(name).and_then(|value| value.to_str().ok());
    let is_own = says("x-squid-error").is_some() || says("proxy-status").is_some_and(|text| text.contains("error="));
    is_own.then(|| match status {
        403 => shut(true, "it does not allow this address (HTTP 403)"),
        status => shut(true, format!("it can't reach the server (HTTP {status})")),
    })
}

/// The proxy's answer could not be had or read.
fn unheard(error: &hyper::Error) -> LinkFault {
    let text = if error.is_parse() { "it does not speak HTTP: is it a proxy?".to_owned() } else { fault::words(error) };
    shut(false, text)
}

/// What a SOCKS proxy says, each code by its meaning (RFC 1928, section 6).
fn of_socks(error: &tokio_socks::Error, authority: &str, knows: bool) -> LinkFault {
    use tokio_socks::Error as E;
    match error {
        E::NoAcceptableAuthMethods if knows => shut(false, "it takes no user and password: leave them out"),
        E::NoAcceptableAuthMethods | E::AuthorizationRequired => {
            shut(false, "it asks who comes: give `user` and `password` in the source's `proxy`")
        }
        E::PasswordAuthFailure(_) => shut(false, "it does not take this user and password"),
        E::ConnectionNotAllowedByRuleset => shut(true, format!("it allows no connection to {authority}")),
        E::NetworkUnreachable => shut(true, format!("it can't reach {authority}: network unreachable")),
        E::HostUnreachable => shut(true, format!("it can't reach {authority}: host unreachable, or an unknown name")),
        E::ConnectionRefused => shut(true, format!("it can't reach {authority}: connection refused")),
        E::TtlExpired => shut(true, format!("it can't reach {authority}: no answer in time")),
        E::GeneralSocksServerFailure => shut(true, format!("it can't reach {authority}: no reason given")),
        E::CommandNotSupported => shut(true, "it makes no connections"),
        E::AddressTypeNotSupported => shut(true, format!("it knows no such address as {authority}")),
        E::InvalidResponseVersion => shut(false, "it does not speak SOCKS 5: is it another kind of proxy?"),
        E::InvalidAuthValues(_) => shut(false, "a user or password of this length does not fit into SOCKS 5"),
        E::InvalidTargetAddress(reason) => shut(false, format!("{authority} does not fit into SOCKS 5: {reason}")),
        E::Io(error) => shut(false, fault::of_io(error).to_string()),
        other => shut(false, other.to_string()),
    }
}
