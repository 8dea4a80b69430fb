//! The doors to the network: one task a link or fetch, which says everything that happens to it as the feed's input.
//!
//! A task that the feed gave up is dropped where it stands; nobody waits for the other side. All connections of a source are
//! made in one way, whatever is spoken on them: by the proxy that the board names for it or else directly, and trusting whom the
//! board says. Proxy settings of the environment are not followed: a wall that is started in another way would take another line.

mod commands;
mod cookies;
mod dial;
mod fault;
mod fetch;
mod head;
mod http;
mod inputs;
mod poll;
mod proxy;
mod sse;
mod tcp;
mod trust;
mod websocket;

use std::{sync::Arc, time::Duration};

use bytes::Bytes;
use hyper::{
    HeaderMap, Method,
    header::{HeaderName, HeaderValue},
};
use rustls::{ClientConfig, pki_types::ServerName};
use tokio::{
    sync::Mutex,
    task::{JoinHandle, spawn_blocking},
};
use tokio_rustls::{TlsConnector, client::TlsStream};
use url::Url;
use watchfloor_board::config::spec::{ProxySpec, SourceSpec, TlsSpec};
use watchfloor_feed::{FetchId, Header, Input, LinkFault, LinkFaultKind, LinkId, Message, Request, Secret};
use watchfloor_model::Transport;

pub(crate) use self::fetch::{Elsewhere, Given, Posted};
pub(crate) use self::inputs::{Heard, Inputs, inputs};
use self::{
    commands::{Commands, Teller},
    dial::{Stream, Target},
    http::{Answer, Ask, Http},
    proxy::Proxy,
};
use crate::{clock::Clock, secrets::Mark};

/// The largest WebSocket message or frame taken, in bytes.
const MESSAGE_BYTES_MAX: usize = 16 << 20;
/// How long a server may take to accept a connection, for requests other than WebSockets; those are timed by the feed. Less
/// than a feed waits for an answer: who can't be reached is told apart from whose answer is held back.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(8);
/// How often an HTTP/2 connection is probed, and how long that may take.
const KEEP_ALIVE: Duration = Duration::from_secs(3);
/// Redirections followed.
const REDIRECTS_MAX: usize = 5;
/// How this program calls itself to servers.
const USER_AGENT: &str = concat!("Watchfloor/", env!("CARGO_PKG_VERSION"));

/// By what way a source's connections go, and whom they trust.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Route {
    tls: TlsSpec,
    proxy: Option<ProxySpec>,
}

impl Route {
    /// By this proxy, if any, trusting by this.
    pub(crate) fn through(tls: TlsSpec, proxy: Option<ProxySpec>) -> Self {
        Self { tls, proxy }
    }

    /// What the board says of it.
    pub(crate) fn of(spec: &SourceSpec) -> Self {
        Self { tls: spec.tls.clone(), proxy: spec.proxy.clone() }
    }
}

/// Variables by which programs are told of proxies.
const PROXY_VARIABLES: [&str; 6] = ["HTTPS_PROXY", "https_proxy", "HTTP_PROXY", "http_proxy", "ALL_PROXY", "all_proxy"];

/// Says so where the environment names a proxy, which nothing here follows. Not which: it may hold a password.
pub(crate) fn tell_of_environment() {
    if let Some(name) =
        PROXY_VARIABLES.iter().find(|name| std::env::var_os(name).is_some_and(|value| !value.is_empty()))
    {
        tracing::info!(variable = name, "a proxy of the environment is not followed: a source's `proxy` names one");
    }
}

/// What all sources of one route share: whom to trust, and the HTTP client.
#[derive(Debug)]
pub(crate) struct Doors {
    clock: Clock,
    route: Route,
    ready: Mutex<Option<Ready>>,
}

/// What was read for a route.
#[derive(Clone, Debug)]
struct Ready {
    /// The files that it was read from.
    marks: Vec<Mark>,
    tls: Arc<ClientConfig>,
    proxy: Option<Arc<Proxy>>,
    http: Http,
}

/// What a link is told.
#[derive(Debug)]
pub(crate) enum Command {
    /// Send a message.
    Send(Message),
    /// Send a ping.
    Ping,
    /// Go on by TLS.
    StartTls,
}

/// An open link, or one being opened. Dropping it lets go of the connection at once.
#[derive(Debug)]
pub(crate) struct Link {
    teller: Teller,
    _task: Task,
}

/// A task that ends when this is dropped.
#[derive(Debug)]
pub(crate) struct Task(JoinHandle<()>);

impl Task {
    /// Starts the task on the runtime that this is called on.
    pub(crate) fn start(work: impl Future<Output = ()> + Send + 'static) -> Self {
        Self(tokio::spawn(work))
    }

    /// Whether it has not ended.
    pub(crate) fn is_running(&self) -> bool {
        !self.0.is_finished()
    }
}

impl Drop for Task {
    fn drop(&mut self) {
        self.0.abort();
    }
}

impl Link {
    /// Tells the link something; false if the server takes nothing any more. One that has ended says so by itself, behind the last
    /// that came by it.
    pub(crate) fn tell(&self, command: Command) -> bool {
        self.teller.tell(command)
    }
}

impl Doors {
    /// Doors that nothing went through yet. Costs nothing: certificates are read when the first is needed.
    pub(crate) fn new(clock: Clock) -> Arc<Self> {
        Arc::new(Self { clock, route: Route::default(), ready: Mutex::new(None) })
    }

    /// The doors by a route: these, if it is theirs.
    pub(crate) fn by(self: &Arc<Self>, route: &Route) -> Arc<Self> {
        if self.route == *route {
            return Arc::clone(self);
        }
        Arc::new(Self { clock: self.clock, route: route.clone(), ready: Mutex::new(None) })
    }

    /// Opens a link that reports to `inputs`.
    pub(crate) fn open(self: &Arc<Self>, link: LinkId, transport: Transport, request: Request, inputs: Inputs) -> Link {
        let (teller, commands) = commands::commands();
        let doors = Arc::clone(self);
        let task = Task::start(async move { doors.run(link, transport, request, &inputs, commands).await });
        Link { teller, _task: task }
    }

    async fn run(&self, link: LinkId, transport: Transport, request: Request, inputs: &Inputs, commands: Commands) {
        let ended = match transport {
            Transport::WebSocket => websocket::run(self, link, &request, inputs, commands).await,
            Transport::Sse | Transport::HttpStream => sse::run(self, link, transport, &request, inputs).await,
            Transport::Tcp => tcp::run(self, link, &request, inputs, commands).await,
            // These are asked, not opened.
            Transport::LongPoll | Transport::Poll => Ended::Unheard,
        };
        let input = match ended {
            Ended::Closed { code, reason } => Input::Closed { link, code, reason },
            Ended::Failed(fault) => Input::Failed { link, fault },
            Ended::Unheard => return,
        };
        let _nobody_listens_any_more = inputs.send(input).await;
    }

    /// Asks on a link that is a row of requests, and reports the answer to `inputs`.
    pub(crate) fn ask(
        self: &Arc<Self>,
        link: LinkId,
        request: Request,
        body_bytes_max: usize,
        timeout: Duration,
        inputs: Inputs,
    ) -> Task {
        let doors = Arc::clone(self);
        Task::start(async move {
            let input = match poll::run(&doors, &request, body_bytes_max, timeout).await {
                Ok((head, body)) => Input::Answered { link, head, body },
                Err(fault) => Input::Failed { link, fault },
            };
            let _nobody_listens_any_more = inputs.send(input).await;
        })
    }

    /// Fetches a document and reports it to `inputs`.
    pub(crate) fn fetch(
        self: &Arc<Self>,
        fetch: FetchId,
        request: Request,
        body_bytes_max: usize,
        timeout: Duration,
        inputs: Inputs,
    ) -> Task {
        let doors = Arc::clone(self);
        Task::start(async move {
            let outcome = fetch::run(&doors, &request, body_bytes_max, timeout).await;
            let _nobody_listens_any_more = inputs.send(Input::Fetched { fetch, outcome }).await;
        })
    }

    /// Asks whoever signs for channels, and reports the answer to `inputs`.
    pub(crate) fn exchange(
        self: &Arc<Self>,
        (link, number): (LinkId, u32),
        url: Url,
        form: Vec<(&'static str, String)>,
        token: Option<Secret>,
        timeout: Duration,
        inputs: Inputs,
    ) -> Task {
        let doors = Arc::clone(self);
        Task::start(async move {
            let outcome = fetch::sign(&doors, url, &form, token.as_ref(), timeout).await;
            let _nobody_listens_any_more = inputs.send(Input::Exchanged { link, number, outcome }).await;
        })
    }

    /// Asks something beside a link, and reports the answer to `inputs`.
    pub(crate) fn ask_beside(
        self: &Arc<Self>,
        (link, number): (LinkId, u32),
        request: Request,
        body_bytes_max: usize,
        timeout: Duration,
        inputs: Inputs,
    ) -> Task {
        let doors = Arc::clone(self);
        Task::start(async move {
            let outcome = fetch::run(&doors, &request, body_bytes_max, timeout).await;
            let _nobody_listens_any_more = inputs.send(Input::Exchanged { link, number, outcome }).await;
        })
    }

    /// Shows a secret at an address that gives something for it.
    pub(crate) async fn post(
        &self,
        url: Url,
        secret: &Secret,
        body_bytes_max: usize,
        timeout: Duration,
    ) -> Result<Given, LinkFault> {
        fetch::post(self, url, secret, body_bytes_max, timeout).await
    }

    /// Posts a JSON text, showing a secret as a bearer: to this address alone. An answer of any status is an answer.
    pub(crate) async fn post_json(
        &self,
        url: Url,
        body: Bytes,
        secret: Option<&Secret>,
        timeout: Duration,
    ) -> Result<Posted, LinkFault> {
        fetch::post_json(self, url, body, secret, timeout).await
    }

    /// What the next connection is made with. Files are read anew when they have changed: a certificate is renewed without the
    /// wall being touched.
    async fn ready(&self) -> Result<Ready, LinkFault> {
        let mut ready = self.ready.lock().await;
        let spec = self.route.tls.clone();
        let marks = if spec == TlsSpec::default() {
            Vec::new()
        } else {
            let spec = spec.clone();
            off_thread(move || trust::marks(&spec)).await?
        };
        if let Some(known) = ready.as_ref().filter(|known| known.marks == marks) {
            return Ok(known.clone());
        }
        if ready.is_some() {
            tracing::info!("files of a source's `tls` have changed: read anew");
        }
        let wrong = |text| LinkFault::new(LinkFaultKind::Tls, text);
        let tls = Arc::new(off_thread(move || trust::read(&spec)).await?.map_err(wrong)?);
        let proxy = self.route.proxy.as_ref().map(Proxy::of).transpose()?.map(Arc::new);
        let http = Http::new(&tls, proxy.clone());
        Ok(ready.insert(Ready { marks, tls, proxy, http }).clone())
    }

    async fn http(&self) -> Result<Http, LinkFault> {
        self.ready().await.map(|ready| ready.http)
    }

    /// A connection to where an address leads, by TLS for `name` from its beginning if `is_secure`.
    async fn connect(&self, url: &Url, name: &str, is_secure: bool) -> Result<Stream, LinkFault> {
        let ready = self.ready().await?;
        let target = Target::of(url, None)?;
        let stream: Stream = match &ready.proxy {
            Some(proxy) => proxy.connect(&ready.tls, &target).await?,
            None => Box::new(dial::connect(&target).await?),
        };
        if is_secure { secured(&ready.tls, name, stream).await } else { Ok(stream) }
    }

    /// TLS for `name` on a connection in clear.
    async fn secure(&self, name: &str, stream: Stream) -> Result<Stream, LinkFault> {
        let ready = self.ready().await?;
        secured(&ready.tls, name, stream).await
    }

    /// Sends a request with the feed's headers and the door's own.
    async fn send(&self, request: &Request, own: &[(&'static str, &'static str)]) -> Result<Answer, LinkFault> {
        let mut headers = HeaderMap::new();
        for (name, value) in own {
            headers.insert(HeaderName::from_static(name), HeaderValue::from_static(value));
        }
        for header in &request.headers {
            let (name, value) = line(header)?;
            headers.append(name, value);
        }
        let method = if request.body.is_some() { Method::POST } else { Method::GET };
        let body = request.body.clone().map(|body| body.into_bytes().into());
        self.http().await?.send(Ask { method, url: request.address(), headers, body }).await
    }
}

/// A header as it is sent. One that is its own origin's alone is marked sensitive, also if it is no secret.
fn line(header: &Header) -> Result<(HeaderName, HeaderValue), LinkFault> {
    let bad = || fault::bad_header(&header.name);
    let name = HeaderName::from_bytes(header.name.as_bytes()).map_err(|_| bad())?;
    let mut value = HeaderValue::from_bytes(header.text().as_bytes()).map_err(|_| bad())?;
    value.set_sensitive(header.is_bound());
    Ok((name, value))
}

/// Does what may wait for a disk.
async fn off_thread<T: Send + 'static>(work: impl FnOnce() -> T + Send + 'static) -> Result<T, LinkFault> {
    let defect = |error: tokio::task::JoinError| LinkFault::new(LinkFaultKind::Other, error.to_string());
    spawn_blocking(work).await.map_err(defect)
}

/// TLS on a connection. The name is checked against the certificate.
async fn secured(tls: &Arc<ClientConfig>, name: &str, stream: Stream) -> Result<Stream, LinkFault> {
    secured_by(tls, name, stream).await.map(|stream| Box::new(stream) as Stream)
}

async fn secured_by(tls: &Arc<ClientConfig>, name: &str, stream: Stream) -> Result<TlsStream<Stream>, LinkFault> {
    let name = name.trim_start_matches('[').trim_end_matches(']').to_owned();
    let name = ServerName::try_from(name).map_err(|error| LinkFault::new(LinkFaultKind::Other, error.to_string()))?;
    TlsConnector::from(Arc::clone(tls)).connect(name, stream).await.map_err(|error| fault::of_io(&error))
}

/// How a link ended.
enum Ended {
    /// In order, or by the end of the stream.
    Closed { code: Option<u16>, reason: String },
    /// Otherwise.
    Failed(LinkFault),
    /// Nobody wants to know.
    Unheard,
}

#[cfg(test)]
mod tests;
