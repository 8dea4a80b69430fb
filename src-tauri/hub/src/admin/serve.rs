//! The listener of its own.

use std::{future::Future, io, sync::Arc};

use tokio::{net::TcpListener, sync::Semaphore, task::JoinSet};

use crate::{
    guard::HostRule,
    hub::Shared,
    limits,
    revocation::{Outlet, Peer},
    serve::{ACCEPT_PAUSE, connection, goodbye},
    stall::StallLimit,
    stop::Stop,
};

/// See [`crate::Hub::administer`].
pub(crate) async fn serve(
    hub: Arc<Shared>,
    listener: TcpListener,
    end: impl Future<Output = ()> + Send + 'static,
) -> io::Result<()> {
    let address = listener.local_addr()?;
    let is_local = address.ip().is_loopback();
    if !is_local && hub.config.admin_token.is_none() {
        let message = format!("{address} is not on the loopback: what others can reach needs an admin token");
        return Err(io::Error::new(io::ErrorKind::PermissionDenied, message));
    }
    let rule = if is_local { HostRule::Loopback } else { HostRule::Any };
    let (stopper, stop) = Stop::new();
    let router = super::router(hub.clone(), stop.clone(), rule);
    tracing::info!(%address, "listening for who looks after the hub");
    let places = Arc::new(Semaphore::new(limits::ADMIN_CONNECTIONS_MAX));
    let mut connections = JoinSet::new();
    let mut end = std::pin::pin!(end);
    loop {
        let next = async {
            let place = places.clone().acquire_owned().await.map_err(io::Error::other)?;
            listener.accept().await.map(|(stream, address)| (stream, address, place))
        };
        let accepted = tokio::select! {
            biased;
            () = &mut end => break,
            Some(_) = connections.join_next() => continue,
            accepted = next => accepted,
        };
        match accepted {
            Ok((stream, address, place)) => {
                let outlet = Arc::new(Outlet::default());
                let peer = Peer { address: Some(address), outlet: Some(outlet.clone()) };
                let stream = StallLimit::new(stream, hub.config.write_stall, outlet, place);
                connections.spawn(connection(stream, router.clone(), peer, stop.clone()));
            }
            Err(error) => {
                tracing::warn!(reason = %error, "a connection could not be accepted");
                tokio::time::sleep(ACCEPT_PAUSE).await;
            }
        }
    }
    drop((router, stop));
    goodbye(stopper, connections).await;
    Ok(())
}
