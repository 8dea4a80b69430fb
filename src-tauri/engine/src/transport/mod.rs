//! The doors to the network: one task a link or fetch, which says everything that happens to it as the feed's input.
//!
//! A task that the feed gave up is dropped where it stands; nobody waits for the other side. Connections are direct: proxy
//! settings of the environment are not followed.

mod dial;
mod fault;
mod fetch;
mod inputs;
mod poll;
mod sse;
mod websocket;

use std::{sync::Arc, time::Duration};

use rustls::{ClientConfig, RootCertStore};
use rustls_platform_verifier::BuilderVerifierExt;
use tokio::{
    sync::{
        OnceCell,
        mpsc::{Receiver, Sender, channel},
    },
    task::JoinHandle,
};
use url::Url;
use watchfloor_feed::{FetchId, Input, LinkFault, LinkFaultKind, LinkId, Request, Secret};
use watchfloor_model::Transport;

pub(crate) use self::fetch::Given;
pub(crate) use self::inputs::{Heard, Inputs, inputs};
use crate::clock::Clock;

/// The largest WebSocket message or frame taken, in bytes.
const MESSAGE_BYTES_MAX: usize = 16 << 20;
/// How long a server may take to accept a connection, for requests other than WebSockets; those are timed by the feed.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(10);
/// How often an HTTP/2 connection is probed, and how long that may take.
const KEEP_ALIVE: Duration = Duration::from_secs(3);
/// Redirections followed.
const REDIRECTS_MAX: usize = 5;
/// Commands that wait for a link. A link that takes none has a peer that takes nothing.
const COMMANDS_QUEUED_MAX: usize = 16;
/// How this program calls itself to servers.
const USER_AGENT: &str = concat!("Watchfloor/", env!("CARGO_PKG_VERSION"));

/// What all sources of an engine share: whom to trust, and the HTTP client.
#[derive(Debug)]
pub(crate) struct Doors {
    clock: Clock,
    tls: OnceCell<Arc<ClientConfig>>,
    http: OnceCell<Result<reqwest::Client, LinkFault>>,
}

/// What a link is told.
#[derive(Debug)]
pub(crate) enum Command {
    /// Send a text message.
    Send(String),
    /// Send a text message that must not be seen.
    SendSecret(Secret),
    /// Send a ping.
    Ping,
}

/// An open link, or one being opened. Dropping it lets go of the connection at once.
#[derive(Debug)]
pub(crate) struct Link {
    commands: Sender<Command>,
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
}

impl Drop for Task {
    fn drop(&mut self) {
        self.0.abort();
    }
}

impl Link {
    /// Tells the link something; false if it takes nothing any more.
    pub(crate) fn tell(&self, command: Command) -> bool {
        self.commands.try_send(command).is_ok()
    }
}

impl Doors {
    /// Doors that nothing went through yet. Costs nothing: certificates are read when the first is needed.
    pub(crate) fn new(clock: Clock) -> Arc<Self> {
        Arc::new(Self { clock, tls: OnceCell::new(), http: OnceCell::new() })
    }

    /// Opens a link that reports to `inputs`.
    pub(crate) fn open(self: &Arc<Self>, link: LinkId, transport: Transport, request: Request, inputs: Inputs) -> Link {
        let (commands, queued) = channel(COMMANDS_QUEUED_MAX);
        let doors = Arc::clone(self);
        let task = Task::start(async move { doors.run(link, transport, request, &inputs, queued).await });
        Link { commands, _task: task }
    }

    async fn run(
        &self,
        link: LinkId,
        transport: Transport,
        request: Request,
        inputs: &Inputs,
        commands: Receiver<Command>,
    ) {
        let ended = match transport {
            Transport::WebSocket => websocket::run(self, link, &request, inputs, commands).await,
            Transport::Sse => sse::run(self, link, &request, inputs).await,
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
                Ok(body) => Input::Answered { link, body },
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

    /// Whom to trust: the system's certificates, read once.
    async fn tls(&self) -> Arc<ClientConfig> {
        let read = || async { tokio::task::spawn_blocking(trust).await.unwrap_or_else(|_| trust_nobody()) };
        Arc::clone(self.tls.get_or_init(|| async { Arc::new(read().await) }).await)
    }

    async fn http(&self) -> Result<reqwest::Client, LinkFault> {
        let build = || async {
            let mut tls = ClientConfig::clone(&*self.tls().await);
            tls.alpn_protocols = vec![b"h2".to_vec(), b"http/1.1".to_vec()];
            reqwest::Client::builder()
                .tls_backend_preconfigured(tls)
                .no_proxy()
                .no_gzip()
                .no_brotli()
                .no_zstd()
                .no_deflate()
                .referer(false)
                .tcp_nodelay(true)
                .connect_timeout(CONNECT_TIMEOUT)
                // A request given up ends its stream, not the connection: a dead one must not be asked again.
                .http2_keep_alive_interval(KEEP_ALIVE)
                .http2_keep_alive_timeout(KEEP_ALIVE)
                .redirect(reqwest::redirect::Policy::limited(REDIRECTS_MAX))
                .user_agent(USER_AGENT)
                .build()
                .map_err(|error| LinkFault::new(LinkFaultKind::Other, fault::words(&error)))
        };
        self.http.get_or_init(build).await.clone()
    }

    /// A request with the feed's headers and the door's own. Redirections to another origin lose `Authorization`.
    async fn get(
        &self,
        request: &Request,
        own: &[(&'static str, &'static str)],
    ) -> Result<reqwest::RequestBuilder, LinkFault> {
        let mut get = self.http().await?.get(request.url.clone());
        for (name, value) in own {
            get = get.header(*name, *value);
        }
        for header in &request.headers {
            let mut value =
                reqwest::header::HeaderValue::from_str(&header.text()).map_err(|_| fault::bad_header(header.name))?;
            value.set_sensitive(header.is_secret());
            get = get.header(header.name, value);
        }
        Ok(get)
    }
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

/// The system's trusted certificates; nobody's if the system has none, which is told where it matters: plain HTTP goes on.
fn trust() -> ClientConfig {
    let config = builder().and_then(|builder| Ok(builder.with_platform_verifier()?.with_no_client_auth()));
    config.unwrap_or_else(|error| {
        tracing::warn!(reason = %error, "this system trusts no certificates: https and wss will fail");
        trust_nobody()
    })
}

fn trust_nobody() -> ClientConfig {
    ClientConfig::builder_with_provider(Arc::new(rustls::crypto::ring::default_provider()))
        .with_protocol_versions(rustls::ALL_VERSIONS)
        .expect("the ring provider has cipher suites for every version that rustls is built with")
        .with_root_certificates(RootCertStore::empty())
        .with_no_client_auth()
}

fn builder() -> Result<rustls::ConfigBuilder<ClientConfig, rustls::WantsVerifier>, rustls::Error> {
    ClientConfig::builder_with_provider(Arc::new(rustls::crypto::ring::default_provider()))
        .with_safe_default_protocol_versions()
}

#[cfg(test)]
mod tests;
