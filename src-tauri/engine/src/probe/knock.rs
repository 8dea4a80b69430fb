//! Whether anybody is there at all: if not, nothing needs to be tried.

use std::time::Duration;

use tokio::{
    net::{TcpStream, lookup_host},
    time::timeout,
};
use url::Url;
use watchfloor_board::config::spec::ProxySpec;

use super::text::shown_to;

/// A connection must stand within this.
const KNOCK_MAX: Duration = Duration::from_secs(5);

/// Where an address leads, without what may be a secret.
pub(super) fn place(url: &Url) -> String {
    let port = url.port().map(|port| format!(":{port}")).unwrap_or_default();
    let path = if url.path() == "/" { "" } else { url.path() };
    shown_to(&format!("{}://{}{port}{path}", url.scheme(), url.host_str().unwrap_or_default()), 200)
}

/// Whether anybody takes connections there, or at the proxy, which alone knows the way.
pub(super) async fn knock(url: &Url, proxy: Option<&ProxySpec>) -> Result<(), String> {
    let Some(proxy) = proxy else { return knock_at(url).await };
    let url = Url::parse(&proxy.url).map_err(|error| format!("the proxy's address: {error}"))?;
    knock_at(&url).await.map_err(|reason| format!("the proxy {}: {reason}", place(&url)))
}

async fn knock_at(url: &Url) -> Result<(), String> {
    let default = match url.scheme() {
        "redis" | "rediss" => Some(6379),
        "nats" | "tls" => Some(4222),
        "mqtt" => Some(1883),
        "mqtts" => Some(8883),
        "socks5" => Some(1080),
        _ => url.port_or_known_default(),
    };
    let host = url.host_str().unwrap_or_default().trim_start_matches('[').trim_end_matches(']');
    let port = url.port().or(default).unwrap_or(80);
    let connected = async {
        let addresses: Vec<_> = lookup_host((host, port))
            .await
            .map_err(|error| format!("its name can't be found: {error}: check the address, and the network"))?
            .collect();
        TcpStream::connect(&addresses[..]).await.map_err(|error| {
            format!("nobody takes connections at port {port}: {error}: check the address, and that the server runs")
        })
    };
    match timeout(KNOCK_MAX, connected).await {
        Ok(connected) => connected.map(drop),
        Err(_) => Err(format!(
            "nobody answered at port {port} within {} s: check the address and the network",
            KNOCK_MAX.as_secs()
        )),
    }
}
