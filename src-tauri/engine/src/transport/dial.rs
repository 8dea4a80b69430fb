//! A TCP connection to a name or address. A name's addresses are tried a moment apart, families in turn, first come first
//! served (RFC 8305), so that one dead address family doesn't cost the whole timeout.

use std::{
    net::{IpAddr, SocketAddr},
    time::Duration,
};

use tokio::{
    io::{AsyncRead, AsyncWrite},
    net::TcpStream,
    task::JoinSet,
    time::sleep,
};
use url::{Host, Url};
use watchfloor_feed::{LinkFault, LinkFaultKind};

use super::fault;

/// How much later each further address is tried (RFC 8305, section 5).
const ATTEMPT_DELAY: Duration = Duration::from_millis(250);
/// Addresses of one name that are tried.
const ADDRESSES_MAX: usize = 8;

/// A connection, in clear or secured, by whatever way it goes.
pub(super) trait Io: AsyncRead + AsyncWrite + Send + Unpin {}
impl<S: AsyncRead + AsyncWrite + Send + Unpin> Io for S {}
pub(super) type Stream = Box<dyn Io>;

/// Where a connection leads.
#[derive(Clone, Debug)]
pub(super) struct Target {
    pub(super) host: Host<String>,
    pub(super) port: u16,
}

impl Target {
    /// The host and port of an address. Schemes that the URL standard knows no port of have `port`.
    pub(super) fn of(url: &Url, port: Option<u16>) -> Result<Self, LinkFault> {
        let missing = || LinkFault::new(LinkFaultKind::Other, "the address has no host");
        let host = url.host().ok_or_else(missing)?.to_owned();
        // The host of a scheme that the URL standard doesn't know isn't looked at by its rules.
        let host = match host {
            Host::Domain(name) => name.parse::<IpAddr>().map_or(Host::Domain(name), |address| match address {
                IpAddr::V4(address) => Host::Ipv4(address),
                IpAddr::V6(address) => Host::Ipv6(address),
            }),
            host => host,
        };
        Ok(Self { host, port: url.port_or_known_default().or(port).ok_or_else(missing)? })
    }

    /// The host and port as they are written, `[::1]:443`.
    pub(super) fn authority(&self) -> String {
        format!("{}:{}", self.host, self.port)
    }

    /// The host without brackets, as certificates and SOCKS name it.
    pub(super) fn name(&self) -> String {
        match &self.host {
            Host::Domain(name) => name.clone(),
            Host::Ipv4(address) => address.to_string(),
            Host::Ipv6(address) => address.to_string(),
        }
    }
}

/// Connects to the target itself.
pub(super) async fn connect(target: &Target) -> Result<TcpStream, LinkFault> {
    let addresses: Vec<SocketAddr> = match &target.host {
        Host::Ipv4(address) => vec![(*address, target.port).into()],
        Host::Ipv6(address) => vec![(*address, target.port).into()],
        Host::Domain(name) => {
            let found = tokio::net::lookup_host((name.as_str(), target.port))
                .await
                .map_err(|error| LinkFault::new(LinkFaultKind::Dns, error.to_string()))?;
            in_turn(found.collect())
        }
    };
    if addresses.is_empty() {
        return Err(LinkFault::new(LinkFaultKind::Dns, "the name has no address"));
    }
    race(&addresses[..addresses.len().min(ADDRESSES_MAX)]).await
}

/// The addresses with their families in turn, beginning with the one that the system prefers (RFC 8305, section 4).
fn in_turn(addresses: Vec<SocketAddr>) -> Vec<SocketAddr> {
    let Some(first) = addresses.first().map(SocketAddr::is_ipv6) else { return addresses };
    let (preferred, other): (Vec<_>, Vec<_>) = addresses.into_iter().partition(|address| address.is_ipv6() == first);
    let (mut preferred, mut other) = (preferred.into_iter(), other.into_iter());
    let mut sorted = Vec::new();
    loop {
        let before = sorted.len();
        sorted.extend(preferred.next());
        sorted.extend(other.next());
        if sorted.len() == before {
            return sorted;
        }
    }
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

#[cfg(test)]
mod tests {
    use tokio::net::{TcpListener, TcpSocket};

    use super::*;

    fn target(url: &str) -> Target {
        Target::of(&url.parse().unwrap(), None).unwrap()
    }

    #[test]
    fn targets_are_read_from_addresses() {
        for (url, authority, name) in [
            ("wss://hub.example/x", "hub.example:443", "hub.example"),
            ("ws://[::1]:8080", "[::1]:8080", "::1"),
            ("nats://[fe80::1]:4222", "[fe80::1]:4222", "fe80::1"),
            ("redis://127.0.0.1:6379", "127.0.0.1:6379", "127.0.0.1"),
        ] {
            let target = target(url);
            assert_eq!((target.authority().as_str(), target.name().as_str()), (authority, name));
            assert_eq!(matches!(target.host, Host::Domain(_)), name.contains("hub"), "{target:?}");
        }
    }

    /// RFC 8305, section 4: whatever family has many addresses, the other one's first comes second.
    #[test]
    fn families_take_turns() {
        let of = |texts: &[&str]| texts.iter().map(|text| text.parse().unwrap()).collect::<Vec<SocketAddr>>();
        let found = of(&["[::1]:1", "[::2]:1", "[::3]:1", "10.0.0.1:1", "10.0.0.2:1"]);
        assert_eq!(in_turn(found), of(&["[::1]:1", "10.0.0.1:1", "[::2]:1", "10.0.0.2:1", "[::3]:1"]));
        assert_eq!(in_turn(of(&["10.0.0.1:1", "[::1]:1"])), of(&["10.0.0.1:1", "[::1]:1"]));
        assert_eq!(in_turn(Vec::new()), Vec::new());
    }

    /// An IPv6 address that swallows everything, as behind a broken tunnel: the other family is tried a moment later, long
    /// before the first attempt would be given up.
    #[tokio::test]
    async fn a_dead_family_costs_a_moment() {
        // Nobody takes connections here: once the queue is full, the system drops whoever asks for one.
        let socket = TcpSocket::new_v6().unwrap();
        socket.bind("[::1]:0".parse().unwrap()).unwrap();
        let dead = socket.listen(1).unwrap();
        let dead_address = dead.local_addr().unwrap();
        let mut queued = Vec::new();
        while let Ok(stream) = tokio::time::timeout(Duration::from_millis(100), TcpStream::connect(dead_address)).await
        {
            queued.push(stream.unwrap());
            assert!(queued.len() < 100, "the queue is never full");
        }
        let live = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let live_address = live.local_addr().unwrap();
        let began = std::time::Instant::now();
        let stream = race(&in_turn(vec![dead_address, dead_address, live_address])).await.unwrap();
        let took = began.elapsed();
        assert_eq!(stream.peer_addr().unwrap(), live_address);
        assert!(took >= ATTEMPT_DELAY && took < ATTEMPT_DELAY * 8, "{took:?}");
        // Where the first fails at once, nothing is waited for.
        let gone = TcpListener::bind("[::1]:0").await.unwrap().local_addr().unwrap();
        let stream = race(&[gone, live_address]).await.unwrap();
        assert_eq!(stream.peer_addr().unwrap(), live_address);
        assert_eq!(race(&[gone]).await.unwrap_err().kind, LinkFaultKind::Refused);
    }

    #[tokio::test]
    async fn literal_addresses_are_not_looked_up() {
        let listener = TcpListener::bind("[::1]:0").await.unwrap();
        let url = format!("redis://{}", listener.local_addr().unwrap());
        let stream = connect(&target(&url)).await.unwrap();
        assert_eq!(stream.peer_addr().unwrap(), listener.local_addr().unwrap());
    }
}
