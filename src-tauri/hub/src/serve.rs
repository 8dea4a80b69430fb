//! Accepting connections, and letting them go.

use std::{
    future::Future,
    io,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering::Relaxed},
    },
    time::Duration,
};

use axum::Router;
use hyper::{Request, body::Incoming, server::conn::http1, service::Service};
use hyper_util::{
    rt::{TokioIo, TokioTimer},
    service::TowerToHyperService,
};
use tokio::{
    io::{AsyncRead, AsyncWrite},
    net::{TcpListener, TcpStream},
    sync::{OwnedSemaphorePermit, Semaphore},
    task::JoinSet,
    time::{MissedTickBehavior, interval, sleep, timeout},
};

use crate::{
    audit::{Note, Who},
    authorise, engine, from_redis,
    guard::HostRule,
    hub::Shared,
    limits,
    proxies::ClientAddress,
    rates::{Place, TooMany, Whose},
    reconcile,
    revocation::{Outlet, Peer},
    routes,
    stall::StallLimit,
    stop::{Stop, Stopper},
    tls::{Tls, Unmet},
    webhook,
};

/// How long to wait when the system can't give us a connection, most often for want of file descriptors.
const ACCEPT_PAUSE: Duration = Duration::from_millis(100);

/// A connection that nothing is wrapped around but its limits: what the doors of tens of thousands are made for.
pub(crate) type Plain = StallLimit<TcpStream, Held>;

/// What a connection has for as long as it is there.
#[derive(Debug)]
pub(crate) struct Held {
    /// Its place among all.
    _place: OwnedSemaphorePermit,
    /// Its place among those of its address, or among those that are refused.
    _own: Own,
}

#[derive(Debug)]
enum Own {
    Nothing,
    Counted(#[allow(dead_code, reason = "it counts for as long as it is there")] Place),
    Refused(#[allow(dead_code, reason = "it counts for as long as it is there")] OwnedSemaphorePermit),
}

/// See [`crate::Hub::serve`].
pub(crate) async fn serve(
    hub: Arc<Shared>,
    listener: TcpListener,
    end: impl Future<Output = ()> + Send + 'static,
) -> io::Result<()> {
    let address = listener.local_addr()?;
    let local = address.ip().is_loopback();
    if !local && hub.config.publish_token.is_none() {
        let message = format!("{address} is not on the loopback: a hub that others can reach needs a publish token");
        return Err(io::Error::new(io::ErrorKind::PermissionDenied, message));
    }
    let rule = if local { HostRule::Loopback } else { HostRule::Any };
    let (stopper, stop) = Stop::new();
    let router = routes::router(hub.clone(), stop.clone(), rule);
    let tls = hub.config.tls.clone();
    tracing::info!(%address, tls = tls.is_some(), "listening");
    let open = hub.open_doors();
    let besides = async {
        let keys = async {
            let mut reloaded = hub.reloaded.subscribe();
            loop {
                let live = hub.live();
                let followed = async {
                    live.readers.follow_keys().await;
                    std::future::pending::<()>().await;
                };
                tokio::select! {
                    () = followed => {}
                    // It ends with the hub only.
                    changed = reloaded.changed() => if changed.is_err() { return },
                }
            }
        };
        let certificate = async {
            if let Some(tls) = &tls {
                tls.follow(&hub).await;
            }
        };
        let told = webhook::tell(&hub);
        let asked = authorise::follow(&hub);
        let read = from_redis::run(&hub);
        tokio::join!(told, keys, certificate, reconcile::follow(&hub), engine::run(&hub), asked, keep_time(&hub), read);
        std::future::pending().await
    };
    let gate =
        Gate { hub: &hub, listener, router, stop, tls: tls.clone(), places: hub.config.connections_max, counts: true };
    let connections = tokio::select! {
        connections = gate.accept(end) => connections,
        connections = besides => connections,
    };
    drop(open);
    goodbye(stopper, connections).await;
    if let Some(engine) = &hub.engine {
        engine.leave(&hub).await;
    }
    tracing::info!(%address, "stopped");
    Ok(())
}

/// Sees to what is due by the clock alone, for as long as it is waited for.
async fn keep_time(hub: &Shared) {
    let mut trim = interval(limits::TRIM_PERIOD);
    trim.set_missed_tick_behavior(MissedTickBehavior::Delay);
    let mut advance = interval(limits::ADVANCE_PERIOD);
    advance.set_missed_tick_behavior(MissedTickBehavior::Delay);
    loop {
        tokio::select! {
            _ = trim.tick() => hub.state().trim(hub.now().mono),
            _ = advance.tick() => hub.advance(),
        }
    }
}

/// A listener, and what is behind it.
pub(crate) struct Gate<'a> {
    pub(crate) hub: &'a Arc<Shared>,
    pub(crate) listener: TcpListener,
    pub(crate) router: Router,
    pub(crate) stop: Stop,
    /// By which certificate it is spoken to, if it is by TLS.
    pub(crate) tls: Option<Tls>,
    /// Connections at once.
    pub(crate) places: usize,
    /// Whether those who come are counted by their addresses.
    pub(crate) counts: bool,
}

impl Gate<'_> {
    /// Takes connections until `end` answers.
    pub(crate) async fn accept(self, end: impl Future<Output = ()>) -> JoinSet<()> {
        let places = Arc::new(Semaphore::new(self.places));
        let refusing = Arc::new(Semaphore::new(limits::REFUSING_MAX));
        let mut connections = JoinSet::new();
        let mut end = std::pin::pin!(end);
        let next = async || {
            let place = places.clone().acquire_owned().await.expect("the semaphore is never closed");
            (self.listener.accept().await, place)
        };
        loop {
            let (accepted, place) = tokio::select! {
                biased;
                () = &mut end => return connections,
                Some(_) = connections.join_next() => continue,
                accepted = next() => accepted,
            };
            match accepted {
                Ok((stream, address)) => match self.count(address.into(), &refusing) {
                    Ok((own, refused)) => {
                        let held = Held { _place: place, _own: own };
                        self.take(stream, (address.into(), refused), held, &mut connections);
                    }
                    Err(TooMany { .. }) => self.hub.metrics.drop_one(),
                },
                Err(error) => {
                    tracing::warn!(reason = %error, "a connection could not be accepted");
                    sleep(ACCEPT_PAUSE).await;
                }
            }
        }
    }

    /// Counts who has come by his address, if that is his own: what he holds then, and why he is refused.
    ///
    /// # Errors
    /// If he is refused, and so many others are being told so that he isn't.
    fn count(&self, address: ClientAddress, refusing: &Arc<Semaphore>) -> Result<(Own, Option<TooMany>), TooMany> {
        if !self.counts || self.hub.live().proxies.has(address.ip) {
            return Ok((Own::Nothing, None));
        }
        match self.hub.counts.come(Whose::Address(address.household()), true, self.hub.now().mono) {
            Ok(place) => Ok((place.map_or(Own::Nothing, Own::Counted), None)),
            Err(why) => match refusing.clone().try_acquire_owned() {
                Ok(place) => Ok((Own::Refused(place), Some(why))),
                Err(_) => {
                    let who = Who { address: Some(address), ..Who::default() };
                    let reason = why.to_string();
                    let note = Note { code: why.code, who, reason: &reason, ..Note::default() };
                    self.hub.audit.refuse(note, self.hub.now().wall);
                    Err(why)
                }
            },
        }
    }

    fn take(
        &self,
        stream: TcpStream,
        (address, refused): (ClientAddress, Option<TooMany>),
        held: Held,
        connections: &mut JoinSet<()>,
    ) {
        // Events are small and must not wait for more of them.
        if let Err(error) = stream.set_nodelay(true) {
            tracing::debug!(reason = %error, "a connection was gone before it began");
            return;
        }
        let outlet = Arc::new(Outlet::default());
        let is_proxied = self.hub.live().proxies.has(address.ip);
        let peer =
            Peer { address: Some(address), outlet: Some(outlet.clone()), is_proxied, refused, ..Peer::default() };
        let stream = StallLimit::new(stream, self.hub.config.write_stall, outlet, held);
        let (hub, router, stop) = (self.hub.clone(), self.router.clone(), self.stop.clone());
        match &self.tls {
            None => connections.spawn(connection(stream, hub, router, peer, stop)),
            Some(tls) => {
                let tls = tls.clone();
                connections.spawn(async move {
                    let met = tokio::select! {
                        met = tls.meet(stream) => met,
                        () = stop.told() => return,
                    };
                    hub.metrics.meet(met.as_ref().err());
                    match met {
                        Ok(stream) => connection(stream, hub, router, peer, stop).await,
                        Err(Unmet::TimedOut) => tracing::debug!(%address, "somebody didn't greet by TLS in time"),
                        Err(Unmet::Failed(error)) => {
                            tracing::debug!(reason = %error, %address, "somebody was not met by TLS");
                        }
                    }
                })
            }
        };
    }
}

/// The addresses behind one connection: each request is told who is at its other side.
struct Addresses {
    /// Whether anything was asked.
    has_begun: Arc<AtomicBool>,
    hub: Arc<Shared>,
    router: TowerToHyperService<Router>,
    peer: Peer,
}

impl Service<Request<Incoming>> for Addresses {
    type Response = <TowerToHyperService<Router> as Service<Request<Incoming>>>::Response;
    type Error = <TowerToHyperService<Router> as Service<Request<Incoming>>>::Error;
    type Future = <TowerToHyperService<Router> as Service<Request<Incoming>>>::Future;

    fn call(&self, mut request: Request<Incoming>) -> Self::Future {
        self.has_begun.store(true, Relaxed);
        let mut peer = self.peer.clone();
        peer.address = peer.address.map(|address| self.hub.live().proxies.client(address, request.headers()));
        request.extensions_mut().insert(peer);
        self.router.call(request)
    }
}

/// Serves one connection until one side has enough.
async fn connection<C>(stream: C, hub: Arc<Shared>, router: Router, peer: Peer, stop: Stop)
where
    C: AsyncRead + AsyncWrite + Unpin + Send + 'static,
{
    let outlet = peer.outlet.clone();
    let cut_off = async {
        match outlet {
            Some(outlet) => outlet.cut_off().await,
            None => std::future::pending().await,
        }
    };
    let has_begun = Arc::new(AtomicBool::new(false));
    let (refused, begins) = (peer.refused.is_some(), has_begun.clone());
    let idle = async move {
        sleep(if refused { limits::REFUSE_TIMEOUT } else { limits::FIRST_HEAD_TIMEOUT }).await;
        if begins.load(Relaxed) {
            std::future::pending::<()>().await;
        }
    };
    let io = TokioIo::new(stream);
    let service = Addresses { has_begun, hub, router: TowerToHyperService::new(router), peer };
    let connection = http1::Builder::new()
        .timer(TokioTimer::new())
        .header_read_timeout(limits::HEAD_TIMEOUT)
        .serve_connection(io, service)
        .with_upgrades();
    let mut connection = std::pin::pin!(connection);
    let ended = tokio::select! {
        ended = connection.as_mut() => ended,
        () = stop.told() => {
            connection.as_mut().graceful_shutdown();
            connection.await
        }
        () = idle => {
            tracing::debug!("a connection is closed that asks for nothing");
            return;
        }
        () = cut_off => {
            tracing::debug!("a connection is cut off: what entitled it was revoked, and it took nothing");
            return;
        }
    };
    if let Err(error) = ended {
        tracing::debug!(reason = %error, "a connection broke");
    }
}

/// Tells everybody to end, and cuts off who doesn't.
pub(crate) async fn goodbye(mut stopper: Stopper, mut connections: JoinSet<()>) {
    stopper.stop();
    let gone = timeout(limits::STOP_GRACE, async {
        while connections.join_next().await.is_some() {}
        stopper.all_gone().await;
    });
    if gone.await.is_err() {
        tracing::debug!(connections = connections.len(), "cut off");
        connections.shutdown().await;
    }
}
