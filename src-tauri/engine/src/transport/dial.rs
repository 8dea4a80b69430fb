//! A TCP connection to a name: addresses are tried a moment apart, first come first served (RFC 8305, without its
//! sorting), so that one dead address family doesn't cost the whole timeout.

use std::{net::SocketAddr, time::Duration};

use tokio::{net::TcpStream, task::JoinSet, time::sleep};
use url::Url;
use watchfloor_feed::{LinkFault, LinkFaultKind};

use super::fault;

/// How much later each further address is tried (RFC 8305 section 5).
const ATTEMPT_DELAY: Duration = Duration::from_millis(250);
/// Addresses of one name that are tried.
const ADDRESSES_MAX: usize = 8;

/// Connects to the host and port of `url`.
pub(super) async fn connect(url: &Url) -> Result<TcpStream, LinkFault> {
    let missing = || LinkFault::new(LinkFaultKind::Other, "the address has no host");
    let host = url.host_str().ok_or_else(missing)?.trim_start_matches('[').trim_end_matches(']');
    let port = url.port_or_known_default().ok_or_else(missing)?;
    let found = tokio::net::lookup_host((host, port))
        .await
        .map_err(|error| LinkFault::new(LinkFaultKind::Dns, error.to_string()))?;
    let addresses: Vec<SocketAddr> = found.take(ADDRESSES_MAX).collect();
    if addresses.is_empty() {
        return Err(LinkFault::new(LinkFaultKind::Dns, "the name has no address"));
    }
    race(&addresses).await
}

async fn race(addresses: &[SocketAddr]) -> Result<TcpStream, LinkFault> {
    let mut attempts = JoinSet::new();
    let mut left = addresses.iter();
    let mut newest_fault = None;
    loop {
        if let Some(address) = left.next().copied() {
            attempts.spawn(TcpStream::connect(address));
        }
        tokio::select! {
            ended = attempts.join_next() => match ended {
                Some(Ok(Ok(stream))) => {
                    // Small messages must not wait for others (RFC 896).
                    return match stream.set_nodelay(true) {
                        Ok(()) => Ok(stream),
                        Err(error) => Err(fault::of_io(&error)),
                    };
                }
                Some(Ok(Err(error))) => newest_fault = Some(fault::of_io(&error)),
                Some(Err(error)) => newest_fault = Some(LinkFault::new(LinkFaultKind::Other, error.to_string())),
                None => {
                    return Err(newest_fault.unwrap_or_else(|| LinkFault::new(LinkFaultKind::Other, "no address left")));
                }
            },
            () = sleep(ATTEMPT_DELAY), if left.len() > 0 => {}
        }
    }
}
