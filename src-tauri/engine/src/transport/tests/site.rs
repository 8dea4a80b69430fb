//! A site of its own authority: servers that ask who comes, and the proxies before them.

use std::{
    collections::BTreeMap,
    fs,
    path::Path,
    sync::atomic::{AtomicUsize, Ordering},
};

use base64::{Engine, prelude::BASE64_STANDARD};
use rcgen::{BasicConstraints, CertificateParams, DnType, IsCa, Issuer, KeyPair, KeyUsagePurpose, date_time_ymd};
use rustls::{
    RootCertStore, ServerConfig, SupportedProtocolVersion,
    pki_types::{CertificateDer, PrivateKeyDer},
    server::WebPkiClientVerifier,
};
use tokio_rustls::TlsAcceptor;
use watchfloor_board::config::spec::{IdentitySpec, LoginSpec, SecretSpec};

use super::*;

/// A name that nobody but the proxies here knows.
pub(super) const NAME: &str = "hub.site.example";
/// What the servers here answer a request with.
pub(super) const BODY: &str = "{}";

/// Who vouches for servers and walls.
pub(super) struct Authority {
    issuer: Issuer<'static, KeyPair>,
    pub(super) certificate: CertificateDer<'static>,
    pem: String,
}

impl Authority {
    pub(super) fn new() -> Self {
        let mut params = CertificateParams::new(Vec::new()).unwrap();
        // Each has a name of its own: who bears another's name is found by its signature alone.
        static NUMBER: AtomicUsize = AtomicUsize::new(0);
        let name = format!("Site authority {}", NUMBER.fetch_add(1, Ordering::Relaxed));
        params.distinguished_name.push(DnType::CommonName, name);
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        params.key_usages = vec![KeyUsagePurpose::KeyCertSign];
        let key = KeyPair::generate().unwrap();
        let certificate = params.self_signed(&key).unwrap();
        Self { pem: certificate.pem(), certificate: certificate.der().clone(), issuer: Issuer::new(params, key) }
    }

    /// A certificate for these names until the end of that year, with its key.
    pub(super) fn vouch(&self, names: &[&str], until: i32) -> (rcgen::Certificate, KeyPair) {
        let mut params =
            CertificateParams::new(names.iter().map(|name| (*name).to_owned()).collect::<Vec<_>>()).unwrap();
        (params.not_before, params.not_after) = (date_time_ymd(2020, 1, 1), date_time_ymd(until, 12, 31));
        let key = KeyPair::generate().unwrap();
        (params.signed_by(&key, &self.issuer).unwrap(), key)
    }

    /// A server of these names, which asks for a certificate of `walls` if there is one.
    pub(super) fn server(
        &self,
        (names, until): (&[&str], i32),
        walls: Option<&Self>,
        versions: &[&'static SupportedProtocolVersion],
    ) -> TlsAcceptor {
        let provider = Arc::new(rustls::crypto::ring::default_provider());
        let config =
            ServerConfig::builder_with_provider(Arc::clone(&provider)).with_protocol_versions(versions).unwrap();
        let config = match walls {
            None => config.with_no_client_auth(),
            Some(authority) => {
                let mut roots = RootCertStore::empty();
                roots.add(authority.certificate.clone()).unwrap();
                let verifier = WebPkiClientVerifier::builder_with_provider(roots.into(), provider).build().unwrap();
                config.with_client_cert_verifier(verifier)
            }
        };
        let (certificate, key) = self.vouch(names, until);
        let key = PrivateKeyDer::try_from(key.serialize_der()).unwrap();
        TlsAcceptor::from(Arc::new(config.with_single_cert(vec![certificate.der().clone()], key).unwrap()))
    }

    /// Writes the authority's certificate, and one of a wall with its key.
    pub(super) fn write(&self, folder: &Path, until: i32) -> TlsSpec {
        let (certificate, key) = self.vouch(&["wall.site.example"], until);
        let at = |name: &str| folder.join(name).to_str().unwrap().to_owned();
        let spec = TlsSpec {
            ca: Some(at("ca.pem")),
            identity: Some(IdentitySpec { certificate: at("wall.pem"), key: at("wall.key") }),
        };
        write(&folder.join("ca.pem"), &self.pem, 0o644);
        write(&folder.join("wall.pem"), &certificate.pem(), 0o644);
        write(&folder.join("wall.key"), &key.serialize_pem(), 0o600);
        spec
    }
}

pub(super) fn write(path: &Path, text: &str, mode: u32) {
    use std::os::unix::fs::PermissionsExt;
    // Renamed over the old one, as who renews certificates does.
    let beside = path.with_extension("new");
    fs::write(&beside, text).unwrap();
    fs::set_permissions(&beside, fs::Permissions::from_mode(mode)).unwrap();
    fs::rename(&beside, path).unwrap();
}

/// A server that answers each transport in its own way, and tells the heads of requests. In clear without `tls`.
pub(super) async fn serve(address: &str, tls: Option<TlsAcceptor>) -> (u16, Receiver<String>) {
    let listener = TcpListener::bind(address).await.unwrap();
    let port = listener.local_addr().unwrap().port();
    let (asked, questions) = channel(64);
    tokio::spawn(async move {
        while let Ok((stream, _)) = listener.accept().await {
            let (tls, asked) = (tls.clone(), asked.clone());
            tokio::spawn(async move {
                let Some(tls) = tls else { return answer(Box::new(stream), &asked).await };
                // The protocol's own greeting comes in clear: who goes on by TLS says so.
                match tls.accept(stream).into_fallible().await {
                    Ok(stream) => answer(Box::new(stream), &asked).await,
                    Err((_, mut stream)) => {
                        // What is left unread would make the end a reset, and the alert would be lost.
                        let _gone = stream.shutdown().await;
                        let _gone = stream.read_to_end(&mut Vec::new()).await;
                    }
                }
            });
        }
    });
    (port, questions)
}

async fn answer(mut stream: Stream, asked: &Sender<String>) {
    // Documents may be asked for one after the other; what follows anything else says nothing.
    while let Some(reply) = answer_one(&mut stream, asked).await {
        let is_last = !reply.contains("content-length");
        let _gone = stream.write_all(reply.as_bytes()).await;
        if is_last {
            let _gone = stream.read_to_end(&mut Vec::new()).await;
            return;
        }
    }
}

/// What is said to the next question; none if there is none.
async fn answer_one(stream: &mut Stream, asked: &Sender<String>) -> Option<String> {
    let mut head = Vec::new();
    while !head.ends_with(b"\r\n") || !(head.starts_with(b"PING") || is_whole(&head)) {
        if !stream.read_buf(&mut head).await.is_ok_and(|bytes| bytes > 0) {
            return None;
        }
    }
    let text = String::from_utf8_lossy(&head).into_owned();
    let _gone = asked.send(text.clone()).await;
    let lower = text.to_ascii_lowercase();
    Some(if text.starts_with("PING") {
        "PONG\r\n".to_owned()
    } else if let Some(key) = lower.find("sec-websocket-key: ").map(|at| text[at + 19..].lines().next().unwrap_or("")) {
        let accept = tokio_tungstenite::tungstenite::handshake::derive_accept_key(key.as_bytes());
        format!(
            "HTTP/1.1 101 Switching Protocols\r\nupgrade: websocket\r\nconnection: upgrade\r\nsec-websocket-accept: {accept}\r\n\r\n"
        )
    } else if lower.contains("text/event-stream") {
        "HTTP/1.1 200 OK\r\ncontent-type: text/event-stream\r\n\r\ndata: 1\n\n".to_owned()
    } else {
        format!("HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length: {}\r\n\r\n{BODY}", BODY.len())
    })
}

/// What a proxy here does.
#[derive(Clone, Default)]
pub(super) struct Gate {
    /// Who may pass; everybody if nobody is named.
    pub(super) login: Option<(&'static str, &'static str)>,
    /// What it says in place of letting anybody through: a whole answer, or the code of SOCKS.
    pub(super) refusal: Option<&'static str>,
    pub(super) code: u8,
}

/// A proxy by HTTP, which knows every name as this machine. It tells the heads of what it was asked.
pub(super) async fn http_proxy(gate: Gate) -> (u16, Receiver<String>) {
    proxy_behind(gate, None).await
}

/// The same for those who speak TLS to it.
pub(super) async fn https_proxy(gate: Gate, tls: TlsAcceptor) -> (u16, Receiver<String>) {
    proxy_behind(gate, Some(tls)).await
}

async fn proxy_behind(gate: Gate, tls: Option<TlsAcceptor>) -> (u16, Receiver<String>) {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let port = listener.local_addr().unwrap().port();
    let (asked, questions) = channel(64);
    tokio::spawn(async move {
        while let Ok((stream, _)) = listener.accept().await {
            let (gate, asked, tls) = (gate.clone(), asked.clone(), tls.clone());
            tokio::spawn(async move {
                let Some(tls) = tls else { return pass(Box::new(stream), &gate, &asked).await };
                if let Ok(stream) = tls.accept(stream).await {
                    pass(Box::new(stream), &gate, &asked).await;
                }
            });
        }
    });
    (port, questions)
}

async fn pass(mut stream: Stream, gate: &Gate, asked: &Sender<String>) {
    let mut head = Vec::new();
    while !is_whole(&head) && stream.read_buf(&mut head).await.is_ok_and(|bytes| bytes > 0) {}
    let text = String::from_utf8_lossy(&head).into_owned();
    let _gone = asked.send(text.clone()).await;
    let basic = gate.login.map(|(user, password)| BASE64_STANDARD.encode(format!("{user}:{password}")));
    let knows = basic.is_none_or(|pair| text.contains(&format!("proxy-authorization: Basic {pair}\r\n")));
    let refusal = match gate.refusal {
        None if knows => None,
        None => Some("HTTP/1.1 407 Who\r\nproxy-authenticate: Basic realm=\"x\"\r\ncontent-length: 0\r\n\r\n"),
        refusal => refusal,
    };
    if let Some(refusal) = refusal {
        let _gone = stream.write_all(refusal.as_bytes()).await;
        let _gone = stream.read_to_end(&mut Vec::new()).await;
        return;
    }
    let target = text.split(' ').nth(1).unwrap_or_default().trim_start_matches("http://");
    let target = target.split('/').next().unwrap_or_default();
    let port: u16 = target.rsplit(':').next().and_then(|port| port.parse().ok()).unwrap_or(80);
    let host = if target.starts_with('[') { "[::1]" } else { "127.0.0.1" };
    let Ok(mut there) = TcpStream::connect(format!("{host}:{port}")).await else { return };
    if text.starts_with("CONNECT ") {
        let _gone = stream.write_all(b"HTTP/1.1 200 Connection established\r\n\r\n").await;
    } else {
        let _gone = there.write_all(&head).await;
    }
    let _end = tokio::io::copy_bidirectional(&mut stream, &mut there).await;
}

/// A proxy by SOCKS 5, which knows every name as this machine. It tells where it was asked for.
pub(super) async fn socks_proxy(gate: Gate) -> (u16, Receiver<String>) {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let port = listener.local_addr().unwrap().port();
    let (asked, questions) = channel(64);
    tokio::spawn(async move {
        while let Ok((stream, _)) = listener.accept().await {
            let (gate, asked) = (gate.clone(), asked.clone());
            tokio::spawn(async move { socks(stream, &gate, &asked).await });
        }
    });
    (port, questions)
}

async fn socks(mut stream: TcpStream, gate: &Gate, asked: &Sender<String>) -> Option<()> {
    let take = async |stream: &mut TcpStream, bytes: usize| {
        let mut taken = vec![0; bytes];
        stream.read_exact(&mut taken).await.ok().map(|_| taken)
    };
    let hello = take(&mut stream, 2).await?;
    let methods = take(&mut stream, hello[1].into()).await?;
    let method = if gate.login.is_some() { 2 } else { 0 };
    if !methods.contains(&method) {
        stream.write_all(&[5, 0xFF]).await.ok()?;
        return None;
    }
    stream.write_all(&[5, method]).await.ok()?;
    if let Some((user, password)) = gate.login {
        let head = take(&mut stream, 2).await?;
        let name = take(&mut stream, head[1].into()).await?;
        let length = take(&mut stream, 1).await?;
        let word = take(&mut stream, length[0].into()).await?;
        let knows = name == user.as_bytes() && word == password.as_bytes();
        stream.write_all(&[1, u8::from(!knows)]).await.ok()?;
        knows.then_some(())?;
    }
    let head = take(&mut stream, 4).await?;
    let host = match head[3] {
        1 => std::net::Ipv4Addr::from(<[u8; 4]>::try_from(take(&mut stream, 4).await?).ok()?).to_string(),
        4 => format!("[{}]", std::net::Ipv6Addr::from(<[u8; 16]>::try_from(take(&mut stream, 16).await?).ok()?)),
        _ => {
            let length = take(&mut stream, 1).await?;
            String::from_utf8(take(&mut stream, length[0].into()).await?).ok()?
        }
    };
    let port = u16::from_be_bytes(<[u8; 2]>::try_from(take(&mut stream, 2).await?).ok()?);
    let _gone = asked.send(format!("{host}:{port}")).await;
    stream.write_all(&[5, gate.code, 0, 1, 0, 0, 0, 0, 0, 0]).await.ok()?;
    if gate.code != 0 {
        return None;
    }
    let host = if host.starts_with('[') { "[::1]" } else { "127.0.0.1" };
    let mut there = TcpStream::connect(format!("{host}:{port}")).await.ok()?;
    tokio::io::copy_bidirectional(&mut stream, &mut there).await.ok().map(drop)
}

/// A proxy in a board, with a password that is kept in a file.
pub(super) fn proxy(url: String, login: Option<(&str, &Path)>) -> Option<ProxySpec> {
    let login = login.map(|(user, path)| LoginSpec {
        user: user.to_owned(),
        password: SecretSpec::File(path.to_str().unwrap().to_owned()),
    });
    Some(ProxySpec { url, login })
}

/// The ways to speak with a server, by scheme.
pub(super) fn transports(is_secure: bool) -> BTreeMap<Transport, &'static str> {
    BTreeMap::from(if is_secure {
        [
            (Transport::WebSocket, "wss"),
            (Transport::Sse, "https"),
            (Transport::Poll, "https"),
            (Transport::Tcp, "rediss"),
        ]
    } else {
        [(Transport::WebSocket, "ws"), (Transport::Sse, "http"), (Transport::Poll, "http"), (Transport::Tcp, "redis")]
    })
}

/// Speaks with a server until it has proven to be there.
pub(super) async fn speak(doors: &Arc<Doors>, transport: Transport, url: &str) -> Result<(), LinkFault> {
    let (inputs, mut heard) = inputs();
    let _task;
    let link;
    if transport == Transport::Poll {
        _task = doors.ask(LinkId(1), request(url), 100, PATIENCE, inputs);
        link = None;
    } else {
        link = Some(doors.open(LinkId(1), transport, request(url), inputs));
    }
    loop {
        match within(heard.recv()).await {
            Some(Input::Opened { .. }) if transport == Transport::Tcp => {
                let ping = watchfloor_feed::Message::text("PING\r\n".to_owned());
                // A server that wants another certificate may have ended it already; that is heard next.
                let _gone = link.as_ref().is_some_and(|link| link.tell(Command::Send(ping)));
            }
            Some(Input::Opened { .. } | Input::Chunk { .. } | Input::Answered { .. }) => return Ok(()),
            Some(Input::Failed { fault, .. }) => return Err(fault),
            other => panic!("{url}: {other:?}"),
        }
    }
}
