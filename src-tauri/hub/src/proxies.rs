//! Who is behind the proxies in front of a hub.
//!
//! What a header says of an address is as good as who wrote it. Each proxy writes down whom it was called by, behind what stood there before, so
//! the header is read from its end: from the hub's own peer on to the left, for as long as who is named there is a proxy of the site's own. The
//! first that isn't is the client; what is to the left of it, the client may have written himself, and is not looked at.

use std::{
    fmt,
    net::{IpAddr, Ipv6Addr, SocketAddr},
    str::FromStr,
};

use axum::http::{HeaderMap, HeaderName, header};
use ipnet::IpNet;
use serde::{Serialize, Serializer};

use crate::limits;

/// Where somebody is. The port of who comes through a proxy is that of the proxy's word for him, if it has one.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct ClientAddress {
    pub(crate) ip: IpAddr,
    port: Option<u16>,
}

impl ClientAddress {
    /// An IPv4 address that came as one of IPv6 is what it is.
    fn new(ip: IpAddr, port: Option<u16>) -> Self {
        Self { ip: ip.to_canonical(), port }
    }

    /// What counts as one for who counts: an IPv4 address, or a network of IPv6 (/64), for a single client has all of that.
    pub(crate) fn household(&self) -> IpAddr {
        match self.ip {
            IpAddr::V4(ip) => ip.into(),
            IpAddr::V6(ip) => Ipv6Addr::from_bits(ip.to_bits() & !u128::from(u64::MAX)).into(),
        }
    }
}

impl From<SocketAddr> for ClientAddress {
    fn from(address: SocketAddr) -> Self {
        Self::new(address.ip(), Some(address.port()))
    }
}

impl fmt::Display for ClientAddress {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.port {
            Some(port) => SocketAddr::new(self.ip, port).fmt(f),
            None => self.ip.fmt(f),
        }
    }
}

impl Serialize for ClientAddress {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

/// Some addresses that begin alike.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Network(IpNet);

impl Network {
    fn has(&self, ip: IpAddr) -> bool {
        self.0.contains(&ip)
    }
}

impl FromStr for Network {
    type Err = String;

    /// `10.0.0.7`, `10.0.0.0/8`, `fd00::/8`.
    fn from_str(text: &str) -> Result<Self, String> {
        let address = text.split_once('/').map_or(text, |(address, _)| address);
        let ip: IpAddr = address.parse().map_err(|_| "no address".to_owned())?;
        let alone = IpNet::from(ip);
        let network = if address == text { Ok(alone) } else { text.parse::<IpNet>() };
        let network = network.map_err(|_| format!("a network of 0 to {} bits is expected", alone.max_prefix_len()))?;
        let first = network.network();
        // Who writes another address than the first has most likely another length in mind.
        if first == ip { Ok(Self(network)) } else { Err(format!("the first address of that network is {first}")) }
    }
}

/// Which header a site's proxies write.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum ProxyHeader {
    /// `X-Forwarded-For`, a list of addresses.
    #[default]
    ForwardedFor,
    /// `Forwarded`: RFC 7239.
    Forwarded,
}

/// The proxies of a site's own, which are believed. Nobody if it is none.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Proxies {
    /// Where they are.
    pub networks: Vec<Network>,
    /// Where they say by whom they were called. Only one header is looked at: the other may be a client's own, passed on.
    pub header: ProxyHeader,
}

static FORWARDED_FOR: HeaderName = HeaderName::from_static("x-forwarded-for");

impl Proxies {
    /// Whether this is one of them.
    pub(crate) fn has(&self, ip: IpAddr) -> bool {
        self.networks.iter().any(|network| network.has(ip.to_canonical()))
    }

    /// Who sent a request with this head, whose connection is with this peer.
    pub(crate) fn client(&self, peer: ClientAddress, head: &HeaderMap) -> ClientAddress {
        let mut client = peer;
        let name = match self.header {
            ProxyHeader::ForwardedFor => &FORWARDED_FOR,
            ProxyHeader::Forwarded => &header::FORWARDED,
        };
        let mut hops = 0;
        for line in head.get_all(name).iter().rev() {
            if !self.has(client.ip) {
                break;
            }
            let words = line.to_str().ok().and_then(|line| match self.header {
                ProxyHeader::ForwardedFor => Some(line.split(',').map(|word| address(word.trim())).collect()),
                ProxyHeader::Forwarded => forwarded(line),
            });
            // Of a line that can't be read nothing is believed.
            let words: Vec<Option<ClientAddress>> = words.unwrap_or_else(|| vec![None]);
            for word in words.into_iter().rev() {
                hops += 1;
                match word.filter(|_| self.has(client.ip) && hops <= limits::PROXY_HOPS_MAX) {
                    Some(before) => client = before,
                    None => return client,
                }
            }
        }
        client
    }
}

/// An address as proxies write it, perhaps with a port.
fn address(text: &str) -> Option<ClientAddress> {
    if let Ok(ip) = text.parse::<IpAddr>() {
        return Some(ClientAddress::new(ip, None));
    }
    if let Ok(address) = text.parse::<SocketAddr>() {
        return Some(address.into());
    }
    let bare = text.strip_prefix('[')?.strip_suffix(']')?;
    bare.parse::<Ipv6Addr>().ok().map(|ip| ClientAddress::new(ip.into(), None))
}

/// What each element of a line of `Forwarded` says by whom the proxy was called, none where it hides that. None for the whole if the line isn't
/// one: where a quotation was left open, what is whose can't be said.
fn forwarded(line: &str) -> Option<Vec<Option<ClientAddress>>> {
    let mut elements = vec![Vec::new()];
    let mut rest = line.trim();
    loop {
        let (name, after) = rest.split_once('=')?;
        let is_token = |text: &str| {
            !text.is_empty()
                && text.bytes().all(|byte| byte.is_ascii_graphic() && !br#"",;=()<>@:\/[]?{}"#.contains(&byte))
        };
        if !is_token(name) {
            return None;
        }
        let (value, after) = match after.strip_prefix('"') {
            Some(quoted) => {
                let (mut value, mut characters) = (String::new(), quoted.char_indices());
                let end = loop {
                    match characters.next()? {
                        (at, '"') => break at,
                        (_, '\\') => value.push(characters.next()?.1),
                        (_, other) => value.push(other),
                    }
                };
                (value, &quoted[end + 1..])
            }
            None => {
                let end = after.find([',', ';', ' ', '\t']).unwrap_or(after.len());
                (after[..end].to_owned(), &after[end..])
            }
        };
        if name.eq_ignore_ascii_case("for") {
            elements.last_mut()?.push(address(&value));
        }
        let after = after.trim_start();
        match after.chars().next() {
            None => break,
            Some(';') => {}
            Some(',') => elements.push(Vec::new()),
            Some(_) => return None,
        }
        rest = after[1..].trim_start();
    }
    // One that names two names nobody.
    Some(elements.into_iter().map(|named| if let [one] = named[..] { one } else { None }).collect())
}

#[cfg(test)]
mod tests {
    use axum::http::HeaderValue;
    use proptest::prelude::*;

    use super::*;

    fn proxies(networks: &[&str], header: ProxyHeader) -> Proxies {
        Proxies { networks: networks.iter().map(|text| text.parse().expect("a network")).collect(), header }
    }

    fn client(proxies: &Proxies, peer: &str, lines: &[&str]) -> String {
        let name = match proxies.header {
            ProxyHeader::ForwardedFor => "x-forwarded-for",
            ProxyHeader::Forwarded => "forwarded",
        };
        let mut head = HeaderMap::new();
        for line in lines {
            head.append(name, HeaderValue::from_bytes(line.as_bytes()).expect("a header"));
        }
        proxies.client(peer.parse::<SocketAddr>().expect("a peer").into(), &head).to_string()
    }

    #[test]
    fn networks() {
        let has = |network: &str, ip: &str| network.parse::<Network>().expect(network).has(ip.parse().expect(ip));
        assert!(has("10.0.0.0/8", "10.255.0.1") && !has("10.0.0.0/8", "11.0.0.0"));
        assert!(has("10.0.0.7", "10.0.0.7") && !has("10.0.0.7", "10.0.0.6"));
        assert!(has("0.0.0.0/0", "255.1.2.3") && !has("0.0.0.0/0", "::1") && has("::/0", "ffff::"));
        assert!(has("fd00::/8", "fdff::1") && !has("fd00::/8", "fe00::") && has("::1", "::1"));
        for (text, message) in [
            ("10.0.0.1/8", "the first address of that network is 10.0.0.0"),
            ("10.0.0.0/33", "0 to 32 bits"),
            ("10.0.0.0/+8", "0 to 32 bits"),
            ("10.0.0.0/", "0 to 32 bits"),
            ("::/129", "0 to 128 bits"),
            ("localhost", "no address"),
            ("10.0.0", "no address"),
        ] {
            let found = text.parse::<Network>().expect_err(text);
            assert!(found.contains(message), "{text}: {found}");
        }
    }

    /// From the right, trusted hops only; a header of who isn't trusted is nothing.
    #[test]
    fn lists_of_addresses() {
        let own = proxies(&["10.0.0.0/8", "fd00::/8"], ProxyHeader::ForwardedFor);
        for (peer, lines, expected) in [
            ("10.0.0.1:9", &["192.0.2.7"][..], "192.0.2.7"),
            ("[::ffff:10.0.0.1]:9", &["192.0.2.7"], "192.0.2.7"),
            ("10.0.0.1:9", &["1.2.3.4, 192.0.2.7"], "192.0.2.7"),
            ("10.0.0.1:9", &["1.2.3.4, 192.0.2.7, 10.0.0.2"], "192.0.2.7"),
            ("10.0.0.1:9", &["1.2.3.4,192.0.2.7:81 ,10.0.0.2:80"], "192.0.2.7:81"),
            ("10.0.0.1:9", &["1.2.3.4", "192.0.2.7", "10.0.0.2"], "192.0.2.7"),
            ("10.0.0.1:9", &["[2001:db8::1]:443"], "[2001:db8::1]:443"),
            ("10.0.0.1:9", &["[2001:db8::1]"], "2001:db8::1"),
            ("[fd00::1]:9", &["2001:db8::1, fd00::2"], "2001:db8::1"),
            ("10.0.0.1:9", &["::ffff:192.0.2.7"], "192.0.2.7"),
            ("10.0.0.1:9", &["10.0.0.2, 10.0.0.3"], "10.0.0.2"),
            ("10.0.0.1:9", &["1.2.3.4, unknown"], "10.0.0.1:9"),
            ("10.0.0.1:9", &["1.2.3.4, unknown, 10.0.0.2"], "10.0.0.2"),
            ("10.0.0.1:9", &["1.2.3.4,"], "10.0.0.1:9"),
            ("10.0.0.1:9", &["1.2.3.4", "ü"], "10.0.0.1:9"),
            ("10.0.0.1:9", &[], "10.0.0.1:9"),
            ("192.0.2.1:9", &["1.2.3.4"], "192.0.2.1:9"),
            ("192.0.2.1:9", &["10.0.0.1"], "192.0.2.1:9"),
        ] {
            assert_eq!(client(&own, peer, lines), expected, "{peer} {lines:?}");
        }
        let endless = vec!["10.0.0.2"; 1000].join(",");
        assert_eq!(client(&own, "10.0.0.1:9", &[&format!("1.2.3.4,{endless}")]), "10.0.0.2");
        assert_eq!(client(&Proxies::default(), "10.0.0.1:9", &["1.2.3.4"]), "10.0.0.1:9");
    }

    /// The same by RFC 7239, where a quotation may hold anything.
    #[test]
    fn forwarded_by_the_standard() {
        let own = proxies(&["10.0.0.0/8"], ProxyHeader::Forwarded);
        for (lines, expected) in [
            (&["for=192.0.2.7"][..], "192.0.2.7"),
            (&["For=\"192.0.2.7:81\";proto=http;by=10.0.0.1"], "192.0.2.7:81"),
            (&["for=1.2.3.4, for=192.0.2.7;by=10.0.0.2, for=10.0.0.2"], "192.0.2.7"),
            (&["for=\"[2001:db8::1]:4711\""], "[2001:db8::1]:4711"),
            (&["for=1.2.3.4;host=\"a, for=5.6.7.8\", for=192.0.2.7"], "192.0.2.7"),
            (&["for=1.2.3.4", "for=192.0.2.7"], "192.0.2.7"),
            (&["for=_hidden"], "10.0.0.1:9"),
            (&["for=1.2.3.4, for=unknown"], "10.0.0.1:9"),
            (&["for=1.2.3.4, proto=http"], "10.0.0.1:9"),
            (&["for=1.2.3.4;for=192.0.2.7"], "10.0.0.1:9"),
            (&["for=\"1.2.3.4, for=192.0.2.7"], "10.0.0.1:9"),
            (&["for=\"x\\\", for=192.0.2.7"], "10.0.0.1:9"),
            (&["for=\"x, for=\"[2001:db8::1]\""], "10.0.0.1:9"),
            (&["for=1.2.3.4, 192.0.2.7"], "10.0.0.1:9"),
            (&["nonsense", "for=192.0.2.7"], "192.0.2.7"),
            (&["for=192.0.2.7", "nonsense"], "10.0.0.1:9"),
            (&[""], "10.0.0.1:9"),
        ] {
            assert_eq!(client(&own, "10.0.0.1:9", lines), expected, "{lines:?}");
        }
        assert_eq!(client(&own, "192.0.2.1:9", &["for=1.2.3.4"]), "192.0.2.1:9");
    }

    #[test]
    fn households() {
        let of = |text: &str| ClientAddress::new(text.parse().expect(text), None).household().to_string();
        assert_eq!(
            (of("192.0.2.7"), of("2001:db8:1:2:3:4:5:6")),
            ("192.0.2.7".to_owned(), "2001:db8:1:2::".to_owned())
        );
        assert_eq!(of("::ffff:192.0.2.7"), "192.0.2.7");
    }

    fn ip() -> impl Strategy<Value = IpAddr> {
        prop_oneof![any::<[u8; 4]>().prop_map(IpAddr::from), any::<[u8; 16]>().prop_map(IpAddr::from)]
    }

    proptest! {
        /// H8: whatever a client writes, it is known by the address that the first proxy of the site's own saw, and by no other.
        #[test]
        fn nobody_names_himself(
            own in "[ -~]{0,60}",
            lines in proptest::collection::vec("[ -~]{0,40}", 0..3),
            client in ip(),
            hops in proptest::collection::vec(any::<u8>(), 0..4),
            is_joined in any::<bool>(),
            is_quoted in any::<bool>(),
        ) {
            let client = client.to_canonical();
            prop_assume!(!matches!(client, IpAddr::V4(ip) if ip.octets()[0] == 10));
            let named: Vec<String> = [client.to_string()].into_iter().chain(hops.iter().map(|hop| format!("10.0.0.{hop}"))).collect();
            for header in [ProxyHeader::ForwardedFor, ProxyHeader::Forwarded] {
                let trusted = proxies(&["10.0.0.0/8"], header);
                let word = |ip: &String| match header {
                    ProxyHeader::ForwardedFor => ip.clone(),
                    ProxyHeader::Forwarded if ip.contains(':') => format!("for=\"[{ip}]\""),
                    ProxyHeader::Forwarded if is_quoted => format!("for=\"{ip}\";by=\"10.0.0.1\""),
                    ProxyHeader::Forwarded => format!("for={ip}"),
                };
                let words: Vec<String> = named.iter().map(word).collect();
                // Behind what the client wrote, or in lines of their own.
                let mut all: Vec<String> = lines.clone();
                match is_joined {
                    true => all.push(format!("{own},{}", words.join(","))),
                    false => all.extend([own.clone()].into_iter().chain(words)),
                }
                let all: Vec<&str> = all.iter().map(|line| line.trim()).collect();
                let found = self::client(&trusted, "10.0.0.1:9", &all);
                let is_known = found == client.to_string();
                // A quotation that a client left open makes him nobody in particular behind that proxy.
                let is_nobody = header == ProxyHeader::Forwarded && is_joined && found == "10.0.0.1:9";
                prop_assert!(is_known || is_nobody, "{header:?} {all:?}: {found}");
                prop_assert_eq!(self::client(&trusted, "192.0.2.1:9", &all), "192.0.2.1:9");
            }
        }
    }
}
