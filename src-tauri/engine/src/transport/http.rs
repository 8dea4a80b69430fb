//! HTTP over the one way that all connections of a source take.

use std::{
    error::Error,
    fmt, io,
    pin::Pin,
    sync::Arc,
    task::{Context, Poll},
};

use bytes::Bytes;
use http_body_util::Full;
use hyper::{
    HeaderMap, Method, Request, Response, Uri,
    body::Incoming,
    header::{ACCEPT, CONTENT_LENGTH, CONTENT_TYPE, HeaderValue, LOCATION, PROXY_AUTHORIZATION, USER_AGENT},
    rt::{Read, ReadBufCursor, Write},
};
use hyper_util::{
    client::legacy::{
        Client,
        connect::{Connected, Connection},
    },
    rt::{TokioExecutor, TokioIo, TokioTimer},
};
use rustls::ClientConfig;
use tower_service::Service;
use url::Url;
use watchfloor_feed::{LinkFault, LinkFaultKind};

use super::{
    CONNECT_TIMEOUT, KEEP_ALIVE, REDIRECTS_MAX,
    dial::{self, Stream, Target},
    fault, fetch, proxy,
    proxy::Proxy,
    secured_by,
};

/// An answer whose body is still to come.
pub(super) type Answer = Response<Incoming>;

/// Whose answer it is, after all that was followed: among an answer's extensions.
#[derive(Clone, Debug)]
pub(super) struct From(pub(super) Url);

/// What is asked.
#[derive(Debug)]
pub(super) struct Ask {
    pub(super) method: Method,
    pub(super) url: Url,
    /// Those that go to their own origin only are marked as sensitive: secrets, and what the board says to a source.
    pub(super) headers: HeaderMap,
    pub(super) body: Option<Bytes>,
}

impl Ask {
    fn sign(&mut self) {
        self.headers.insert(USER_AGENT, HeaderValue::from_static(super::USER_AGENT));
        if !self.headers.contains_key(ACCEPT) {
            self.headers.insert(ACCEPT, HeaderValue::from_static("*/*"));
        }
    }
}

/// A client that keeps connections for the next request.
#[derive(Clone, Debug)]
pub(super) struct Http {
    client: Client<Connector, Full<Bytes>>,
    proxy: Option<Arc<Proxy>>,
}

impl Http {
    /// A client that trusts by `tls`.
    pub(super) fn new(tls: &ClientConfig, proxy: Option<Arc<Proxy>>) -> Self {
        let mut tls = tls.clone();
        tls.alpn_protocols = vec![b"h2".to_vec(), b"http/1.1".to_vec()];
        let connector = Connector { tls: Arc::new(tls), proxy: proxy.clone() };
        let client = Client::builder(TokioExecutor::new())
            .timer(TokioTimer::new())
            .pool_timer(TokioTimer::new())
            // A request given up ends its stream, not the connection: a dead one must not be asked again.
            .http2_keep_alive_interval(KEEP_ALIVE)
            .http2_keep_alive_timeout(KEEP_ALIVE)
            .build(connector);
        Self { client, proxy }
    }

    /// Asks this address and no other, wherever the answer sends.
    pub(super) async fn send_here(&self, mut ask: Ask) -> Result<Answer, LinkFault> {
        ask.sign();
        self.once(&ask).await
    }

    /// Asks, and follows where the answer sends. What is sensitive doesn't go to another origin.
    pub(super) async fn send(&self, mut ask: Ask) -> Result<Answer, LinkFault> {
        ask.sign();
        let mut status = 0;
        for _ in 0..=REDIRECTS_MAX {
            let mut answer = self.once(&ask).await?;
            answer.extensions_mut().insert(From(ask.url.clone()));
            status = answer.status().as_u16();
            let Some(there) = elsewhere(&ask.url, &answer) else { return Ok(answer) };
            let there = there.filter(|url| matches!(url.scheme(), "http" | "https") && url.has_host());
            let Some(there) = there else { return Err(sent_elsewhere(status)) };
            // What comes in clear is anybody's answer.
            if ask.url.scheme() == "https" && there.scheme() != "https" {
                return Err(sent_elsewhere(status));
            }
            follow(&mut ask, there, status);
        }
        Err(sent_elsewhere(status))
    }

    async fn once(&self, ask: &Ask) -> Result<Answer, LinkFault> {
        let bad = |reason: String| LinkFault::new(LinkFaultKind::Other, format!("the address: {reason}"));
        // The address isn't told: it may hold a secret.
        let uri = Uri::try_from(ask.url.as_str()).map_err(|error| bad(error.to_string()))?;
        let mut request = Request::new(Full::new(ask.body.clone().unwrap_or_default()));
        *request.method_mut() = ask.method.clone();
        *request.uri_mut() = uri;
        *request.headers_mut() = ask.headers.clone();
        let asked = self.proxy.as_ref().filter(|proxy| proxy.takes_requests() && ask.url.scheme() == "http");
        let login = match asked {
            Some(proxy) => proxy.authorization().await?,
            None => None,
        };
        let knows = login.is_some();
        if let Some(login) = login {
            request.headers_mut().insert(PROXY_AUTHORIZATION, login);
        }
        let answer = self.client.request(request).await;
        let answer = answer.map_err(|error| fault::of_http(&error, LinkFaultKind::Other))?;
        match asked.and_then(|_| proxy::own_answer(answer.status().as_u16(), answer.headers(), knows)) {
            Some(fault) => Err(fault),
            None => Ok(answer),
        }
    }
}

fn sent_elsewhere(status: u16) -> LinkFault {
    LinkFault::new(LinkFaultKind::Http { status, retry_after: None, content_type: None }, "")
}

/// Where an answer sends, if it does; none in it if that is no address.
pub(super) fn elsewhere(from: &Url, answer: &Answer) -> Option<Option<Url>> {
    if !matches!(answer.status().as_u16(), 301 | 302 | 303 | 307 | 308) {
        return None;
    }
    let location = answer.headers().get(LOCATION)?;
    Some(location.to_str().ok().and_then(|text| from.join(text).ok()))
}

fn follow(ask: &mut Ask, there: Url, status: u16) {
    if matches!(status, 301..=303) {
        ask.method = Method::GET;
        ask.body = None;
        ask.headers.remove(CONTENT_TYPE);
        ask.headers.remove(CONTENT_LENGTH);
    }
    if there.origin() != ask.url.origin() {
        let bound: Vec<_> =
            ask.headers.iter().filter(|(_, value)| value.is_sensitive()).map(|(name, _)| name.clone()).collect();
        for name in bound {
            ask.headers.remove(name);
        }
    }
    ask.url = there;
}

/// How connections for requests are made.
#[derive(Clone, Debug)]
struct Connector {
    tls: Arc<ClientConfig>,
    proxy: Option<Arc<Proxy>>,
}

impl Connector {
    async fn connect(self, uri: Uri) -> Result<Carried, LinkFault> {
        let bad = |_| LinkFault::new(LinkFaultKind::Other, "the address can't be read");
        let url = Url::parse(&uri.to_string()).map_err(bad)?;
        let target = Target::of(&url, None)?;
        let is_secure = url.scheme() == "https";
        let stream: Stream = match &self.proxy {
            None => Box::new(dial::connect(&target).await?),
            Some(proxy) if !is_secure && proxy.takes_requests() => {
                let io = TokioIo::new(proxy.reach(&self.tls).await?);
                return Ok(Carried { io, is_h2: false, is_proxied: true });
            }
            Some(proxy) => proxy.connect(&self.tls, &target).await?,
        };
        if !is_secure {
            return Ok(Carried { io: TokioIo::new(stream), is_h2: false, is_proxied: false });
        }
        let stream = secured_by(&self.tls, &target.name(), stream).await?;
        let is_h2 = stream.get_ref().1.alpn_protocol() == Some(b"h2");
        Ok(Carried { io: TokioIo::new(Box::new(stream)), is_h2, is_proxied: false })
    }
}

impl Service<Uri> for Connector {
    type Response = Carried;
    type Error = Shut;
    type Future = Pin<Box<dyn Future<Output = Result<Carried, Shut>> + Send>>;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), Shut>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, uri: Uri) -> Self::Future {
        let own = self.clone();
        Box::pin(async move { fetch::within(CONNECT_TIMEOUT, own.connect(uri)).await.map_err(Shut) })
    }
}

/// Why a connection could not be made, on its way through the HTTP library.
#[derive(Debug)]
pub(super) struct Shut(pub(super) LinkFault);

impl fmt::Display for Shut {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

impl Error for Shut {}

/// A connection that requests are sent on.
struct Carried {
    io: TokioIo<Stream>,
    is_h2: bool,
    is_proxied: bool,
}

impl Connection for Carried {
    fn connected(&self) -> Connected {
        let connected = Connected::new().proxy(self.is_proxied);
        if self.is_h2 { connected.negotiated_h2() } else { connected }
    }
}

impl Read for Carried {
    fn poll_read(mut self: Pin<&mut Self>, cx: &mut Context<'_>, buffer: ReadBufCursor<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.io).poll_read(cx, buffer)
    }
}

impl Write for Carried {
    fn poll_write(mut self: Pin<&mut Self>, cx: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.io).poll_write(cx, bytes)
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.io).poll_flush(cx)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.io).poll_shutdown(cx)
    }
}
