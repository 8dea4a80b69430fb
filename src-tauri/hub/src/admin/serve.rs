//! The listener of its own.

use std::{future::Future, io, sync::Arc};

use tokio::net::TcpListener;

use crate::{
    guard::HostRule,
    hub::Shared,
    limits,
    serve::{Gate, goodbye},
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
    let tls = hub.config.tls.clone().filter(|_| hub.config.admin_tls.unwrap_or(!is_local));
    tracing::info!(%address, tls = tls.is_some(), "listening for who looks after the hub");
    let gate = Gate { hub: &hub, listener, router, stop, tls, places: limits::ADMIN_CONNECTIONS_MAX, counts: false };
    goodbye(stopper, gate.accept(end).await).await;
    Ok(())
}
