//! Accepting connections, and letting them go.

use std::{future::Future, io, sync::Arc, time::Duration};

use axum::Router;
use hyper::{Request, body::Incoming, server::conn::http1, service::Service};
use hyper_util::{
    rt::{TokioIo, TokioTimer},
    service::TowerToHyperService,
};
use tokio::{
    net::{TcpListener, TcpStream},
    sync::{OwnedSemaphorePermit, Semaphore},
    task::JoinSet,
    time::{MissedTickBehavior, interval, sleep, timeout},
};

use crate::{
    authorise, engine,
    guard::HostRule,
    hub::Shared,
    limits, reconcile,
    revocation::{Outlet, Peer},
    routes,
    stall::StallLimit,
    stop::{Stop, Stopper},
    webhook,
};

/// How long to wait when the system can't give us a connection, most often for want of file descriptors.
pub(crate) const ACCEPT_PAUSE: Duration = Duration::from_millis(100);

/// A connection that nothing is wrapped around but its limits: what the doors of tens of thousands are made for.
pub(crate) type Plain = StallLimit<TcpStream, OwnedSemaphorePermit>;

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
    tracing::info!(%address, "listening");
    let open = hub.open_doors();
    let besides = async {
        let keys = hub.config.readers.follow_keys();
        tokio::join!(webhook::tell(&hub), keys, reconcile::follow(&hub), engine::run(&hub), authorise::follow(&hub));
        std::future::pending().await
    };
    let connections = tokio::select! {
        connections = accept(&hub, listener, end, &router, &stop) => connections,
        connections = besides => connections,
    };
    drop((router, stop, open));
    goodbye(stopper, connections).await;
    if let Some(engine) = &hub.engine {
        engine.leave(&hub).await;
    }
    tracing::info!(%address, "stopped");
    Ok(())
}

/// Takes connections until `end` answers.
async fn accept(
    hub: &Shared,
    listener: TcpListener,
    end: impl Future<Output = ()>,
    router: &Router,
    stop: &Stop,
) -> JoinSet<()> {
    let places = Arc::new(Semaphore::new(hub.config.connections_max));
    let mut connections = JoinSet::new();
    let mut trim = interval(limits::TRIM_PERIOD);
    trim.set_missed_tick_behavior(MissedTickBehavior::Delay);
    let mut advance = interval(limits::ADVANCE_PERIOD);
    advance.set_missed_tick_behavior(MissedTickBehavior::Delay);
    let mut end = std::pin::pin!(end);
    let next = async || {
        let place = places.clone().acquire_owned().await.expect("the semaphore is never closed");
        (listener.accept().await, place)
    };
    loop {
        let (accepted, place) = tokio::select! {
            biased;
            () = &mut end => return connections,
            _ = trim.tick() => {
                hub.state().trim(hub.now().mono);
                continue;
            }
            _ = advance.tick() => {
                hub.advance();
                continue;
            }
            Some(_) = connections.join_next() => continue,
            accepted = next() => accepted,
        };
        match accepted {
            Ok((stream, address)) => {
                // Events are small and must not wait for more of them.
                if let Err(error) = stream.set_nodelay(true) {
                    tracing::debug!(reason = %error, "a connection was gone before it began");
                    continue;
                }
                let outlet = Arc::new(Outlet::default());
                let peer = Peer { address: Some(address), outlet: Some(outlet.clone()) };
                let stream = StallLimit::new(stream, hub.config.write_stall, outlet, place);
                connections.spawn(connection(stream, router.clone(), peer, stop.clone()));
            }
            Err(error) => {
                tracing::warn!(reason = %error, "a connection could not be accepted");
                sleep(ACCEPT_PAUSE).await;
            }
        }
    }
}

/// The addresses behind one connection: each request is told who is at its other side.
struct Addresses {
    router: TowerToHyperService<Router>,
    peer: Peer,
}

impl Service<Request<Incoming>> for Addresses {
    type Response = <TowerToHyperService<Router> as Service<Request<Incoming>>>::Response;
    type Error = <TowerToHyperService<Router> as Service<Request<Incoming>>>::Error;
    type Future = <TowerToHyperService<Router> as Service<Request<Incoming>>>::Future;

    fn call(&self, mut request: Request<Incoming>) -> Self::Future {
        request.extensions_mut().insert(self.peer.clone());
        self.router.call(request)
    }
}

/// Serves one connection until one side has enough.
pub(crate) async fn connection(stream: Plain, router: Router, peer: Peer, stop: Stop) {
    let outlet = peer.outlet.clone();
    let cut_off = async {
        match outlet {
            Some(outlet) => outlet.cut_off().await,
            None => std::future::pending().await,
        }
    };
    let io = TokioIo::new(stream);
    let service = Addresses { router: TowerToHyperService::new(router), peer };
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
