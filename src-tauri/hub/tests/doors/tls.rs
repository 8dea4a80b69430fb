//! TLS at the doors: every door, another certificate in the middle of it, and who speaks something else, or nothing.

use std::{
    fs,
    net::{Ipv4Addr, SocketAddr},
    path::{Path, PathBuf},
    sync::Arc,
    time::{Duration, Instant},
};

use futures_util::StreamExt;
use rcgen::{BasicConstraints, CertificateParams, DnType, IsCa, Issuer, KeyPair, KeyUsagePurpose, date_time_ymd};
use reqwest::StatusCode;
use rustls::{
    ClientConfig, RootCertStore, SupportedProtocolVersion,
    crypto::ring,
    pki_types::{CertificateDer, ServerName},
    version::{TLS12, TLS13},
};
use serde_json::json;
use tempfile::TempDir;
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::{TcpListener, TcpStream},
    time::{sleep, timeout},
};
use tokio_rustls::TlsConnector;
use tokio_tungstenite::tungstenite::Message;
use watchfloor_hub::{App, AppConfig, Hub, HubConfig, Tls, TlsFiles, Token};

use crate::support::{PATIENCE, Record, Served};

/// A site with an authority of its own, and a hub's certificate.
pub(crate) struct Site {
    issuer: Issuer<'static, KeyPair>,
    root: CertificateDer<'static>,
    folder: TempDir,
}

impl Site {
    pub(crate) fn new() -> Self {
        let mut params = CertificateParams::new(Vec::new()).expect("no names");
        params.distinguished_name.push(DnType::CommonName, "an authority of tests");
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        params.key_usages = vec![KeyUsagePurpose::KeyCertSign];
        let key = KeyPair::generate().expect("a key");
        let root = params.self_signed(&key).expect("a certificate").der().clone();
        let site = Self { issuer: Issuer::new(params, key), root, folder: tempfile::tempdir().expect("a folder") };
        site.renew(2090);
        site
    }

    fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    /// A certificate until the end of this year, and its key.
    fn vouch(&self, year: i32) -> (String, String) {
        let names = vec!["127.0.0.1".to_owned(), "localhost".to_owned()];
        let mut params = CertificateParams::new(names).expect("names");
        (params.not_before, params.not_after) = (date_time_ymd(2020, 1, 1), date_time_ymd(year, 12, 31));
        let key = KeyPair::generate().expect("a key");
        (params.signed_by(&key, &self.issuer).expect("a certificate").pem(), key.serialize_pem())
    }

    /// Puts another certificate in place of the one that is there.
    fn renew(&self, year: i32) {
        let (certificate, key) = self.vouch(year);
        put(&self.path("cert.pem"), &certificate);
        put(&self.path("key.pem"), &key);
    }

    fn tls(&self) -> Tls {
        let files = TlsFiles { certificate: self.path("cert.pem"), key: self.path("key.pem") };
        Tls::open(files).expect("sound")
    }

    /// Who believes its authority.
    fn trust(&self, versions: &[&'static SupportedProtocolVersion]) -> Arc<ClientConfig> {
        let mut roots = RootCertStore::empty();
        roots.add(self.root.clone()).expect("an authority");
        let builder = ClientConfig::builder_with_provider(Arc::new(ring::default_provider()));
        let builder = builder.with_protocol_versions(versions).expect("versions").with_root_certificates(roots);
        Arc::new(builder.with_no_client_auth())
    }

    pub(crate) async fn serve(&self, config: HubConfig) -> Served {
        self.serve_by(config, self.tls()).await
    }

    async fn serve_by(&self, config: HubConfig, tls: Tls) -> Served {
        let hub = Hub::new(HubConfig { tls: Some(tls), ..config });
        Served::serve_by(hub, Some(self.trust(rustls::ALL_VERSIONS))).await
    }

    /// The year in which the certificate ends that a hub shows who comes now, and what was agreed upon.
    async fn shown(&self, address: &str, trust: Arc<ClientConfig>) -> (Vec<u8>, Option<Vec<u8>>) {
        let stream = TcpStream::connect(address).await.expect("connected");
        let name = ServerName::try_from("localhost").expect("a name");
        let stream = TlsConnector::from(trust).connect(name, stream).await.expect("met");
        let session = stream.get_ref().1;
        let own = session.peer_certificates().and_then(|chain| chain.first()).expect("a certificate");
        (own.to_vec(), session.alpn_protocol().map(<[u8]>::to_vec))
    }

    /// Waits until a hub shows another certificate than this.
    async fn shows_another(&self, address: &str, before: &[u8]) -> Vec<u8> {
        let trust = self.trust(rustls::ALL_VERSIONS);
        let waited = async {
            loop {
                let (now, _) = self.shown(address, trust.clone()).await;
                if now != before {
                    return now;
                }
                sleep(Duration::from_millis(20)).await;
            }
        };
        timeout(PATIENCE, waited).await.expect("another certificate")
    }
}

/// A file for its owner alone, in one piece.
fn put(path: &Path, text: &str) {
    let aside = path.with_extension("new");
    fs::write(&aside, text).expect("written");
    #[cfg(unix)]
    fs::set_permissions(&aside, std::os::unix::fs::PermissionsExt::from_mode(0o600)).expect("its mode");
    fs::rename(aside, path).expect("in its place");
}

fn config() -> HubConfig {
    let app = AppConfig {
        id: "1".to_owned(),
        key: "key".to_owned(),
        secret: "a secret of its own".to_owned(),
        ..AppConfig::default()
    };
    HubConfig { apps: vec![App::new(&app, &[]).expect("sound")], ..HubConfig::default() }
}

/// H1, H3: every door by TLS, by both of its versions: the same events, in order, whole.
#[tokio::test(flavor = "multi_thread")]
async fn every_door() {
    let site = Site::new();
    let served = site.serve(config()).await;
    for version in [&TLS12, &TLS13] {
        let mut trust = (*site.trust(&[version])).clone();
        trust.alpn_protocols = vec![b"h2".to_vec(), b"http/1.1".to_vec()];
        assert_eq!(site.shown(&served.address, Arc::new(trust)).await.1.as_deref(), Some(&b"http/1.1"[..]));
    }
    let (mut by_socket, mut by_stream) = (Record::of(&["a"]), Record::of(&["a"]));
    let mut socket = served.subscribed(by_socket.subscription()).await;
    let mut stream = served.sse(&by_stream.cursor(), None).await;
    let mut pusher = served.open("/app/key?protocol=7", None).await;
    let first = timeout(PATIENCE, pusher.next()).await.expect("something").expect("open").expect("sound");
    assert!(first.to_text().expect("text").contains("pusher:connection_established"));
    socket.until("heartbeat").await.iter().for_each(|message| by_socket.take_all(std::slice::from_ref(message)));
    served.has_subscriptions(3).await;
    served.publish("a", 1..=5000).await;
    socket.record(&mut by_socket, 5000).await;
    stream.record(&mut by_stream, 5000).await;
    assert!(by_socket.numbers.iter().copied().eq(1..=5000) && by_socket.numbers == by_stream.numbers);
    let (status, polled) = served.get("/v1/poll?cursor=a~&wait_ms=0").await;
    assert_eq!((status, &polled["messages"][0]["from"]), (StatusCode::OK, &json!(by_socket.places["a"])));
    let (status, snapshot) = served.get("/v1/snapshot?channels=a").await;
    assert_eq!((status, &snapshot["positions"]["a"]), (StatusCode::OK, &json!(by_socket.places["a"])));
    // A large text takes many records, and more than the system's buffers.
    let large = json!({"channel": "b", "name": "n", "data": "x".repeat(900_000)});
    socket.send(json!({"type": "subscribe", "channels": {"b": null}})).await;
    socket.until("subscribed").await;
    for _ in 0..8 {
        assert_eq!(served.post("/v1/publish", large.clone()).await.0, StatusCode::OK);
    }
    for _ in 0..8 {
        let event = socket.until("event").await.pop().expect("an event");
        assert_eq!(event["data"].as_str().map(str::len), Some(900_000));
    }
    let metrics =
        served.client.get(served.url("/metrics")).send().await.expect("an answer").text().await.expect("text");
    let left = metrics.lines().find_map(|line| line.strip_prefix("watchfloor_hub_tls_certificate_seconds "));
    let left: i64 = left.expect("in the metrics").parse().expect("a number");
    assert!(left > 60 * 365 * 86_400, "{left}");
    served.stop().await;
}

/// H2: another certificate is shown from the next connection on, and who is there reads on. What can't be used is told, and changes nothing.
#[tokio::test(flavor = "multi_thread")]
async fn another_certificate_in_the_middle() {
    let site = Site::new();
    let tls = site.tls();
    let served = site.serve_by(config(), tls.clone()).await;
    let trust = || site.trust(rustls::ALL_VERSIONS);
    let (first, _) = site.shown(&served.address, trust()).await;
    let mut record = Record::of(&["a"]);
    let mut socket = served.subscribed(record.subscription()).await;
    served.has_subscriptions(1).await;
    served.publish("a", [1]).await;
    socket.record(&mut record, 1).await;

    // By itself, when the files have changed.
    site.renew(2091);
    let second = site.shows_another(&served.address, &first).await;
    served.publish("a", [2]).await;
    socket.record(&mut record, 2).await;

    // A key of another certificate, a file that is none, one that others may read, none at all.
    let (certificate, _) = site.vouch(2092);
    let good = fs::read_to_string(site.path("key.pem")).expect("there");
    let old = fs::read_to_string(site.path("cert.pem")).expect("there");
    for (certificate, key) in [(&*certificate, &*good), ("nonsense", &good), (&old, "nonsense")] {
        put(&site.path("cert.pem"), certificate);
        put(&site.path("key.pem"), key);
        tls.look_again();
        // It has looked when it looks at what is put there next.
        let begun = Instant::now();
        while begun.elapsed() < Duration::from_millis(300) {
            assert_eq!(site.shown(&served.address, trust()).await.0, second, "the one before is shown");
        }
    }
    fs::remove_file(site.path("key.pem")).expect("removed");
    tls.look_again();
    assert_eq!(site.shown(&served.address, trust()).await.0, second);

    // By being told.
    site.renew(2093);
    tls.look_again();
    site.shows_another(&served.address, &second).await;
    served.publish("a", [3]).await;
    socket.record(&mut record, 3).await;
    assert_eq!(record.numbers, [1, 2, 3]);
    served.stop().await;
}

/// H5: who speaks plain HTTP to it is closed and not left waiting, and who says nothing, or a part of a greeting, is closed in his time.
#[tokio::test(flavor = "multi_thread")]
async fn who_doesnt_greet() {
    let site = Site::new();
    let served = site.serve(HubConfig { connections_max: 4, ..config() }).await;
    let begun = Instant::now();
    let (mut answer, mut plain) = (Vec::new(), TcpStream::connect(&served.address).await.expect("connected"));
    plain.write_all(b"GET /v1/health HTTP/1.1\r\nhost: localhost\r\n\r\n").await.expect("sent");
    // It may be closed by a reset, for what it said was not read to its end.
    let _ = timeout(PATIENCE, plain.read_to_end(&mut answer)).await.expect("closed");
    assert!(!answer.starts_with(b"HTTP"), "{answer:?}");
    assert!(begun.elapsed() < watchfloor_hub::limits::HANDSHAKE_TIMEOUT, "at once");

    // A greeting that never ends, a byte a second; nobody else finds a place meanwhile, and all do after it.
    let greeting = b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03";
    let slow = (0..4).map(|number| {
        let address = served.address.clone();
        tokio::spawn(async move {
            let mut stream = TcpStream::connect(&address).await.expect("connected");
            let begun = Instant::now();
            for byte in greeting.iter().chain(std::iter::repeat(&0)).skip(usize::from(number == 0) * 1000) {
                if stream.write_all(&[*byte]).await.is_err() {
                    break;
                }
                let mut buffer = [0; 64];
                if matches!(timeout(Duration::from_secs(1), stream.read(&mut buffer)).await, Ok(Ok(0) | Err(_))) {
                    break;
                }
            }
            begun.elapsed()
        })
    });
    let slow: Vec<_> = slow.collect();
    for slow in slow {
        let took = timeout(PATIENCE, slow).await.expect("closed").expect("no panic");
        assert!(took <= watchfloor_hub::limits::HANDSHAKE_TIMEOUT + Duration::from_secs(5), "{took:?}");
    }
    assert_eq!(served.get("/v1/health").await.0, StatusCode::OK);
    let metrics =
        served.client.get(served.url("/metrics")).send().await.expect("an answer").text().await.expect("text");
    assert!(metrics.contains("tls_handshakes_total{result=\"timed-out\"}"), "{metrics}");
    served.stop().await;
}

/// H8: who looks after the hub comes by TLS too, if that is said, or if others can reach it.
#[tokio::test(flavor = "multi_thread")]
async fn who_looks_after_it() {
    let site = Site::new();
    for (address, said, is_tls) in [
        (Ipv4Addr::LOCALHOST, None, false),
        (Ipv4Addr::LOCALHOST, Some(true), true),
        (Ipv4Addr::UNSPECIFIED, None, true),
        (Ipv4Addr::UNSPECIFIED, Some(false), false),
    ] {
        let config = HubConfig { admin_tls: said, admin_token: Token::new("t0ken"), ..config() };
        let hub = Hub::new(HubConfig { tls: Some(site.tls()), ..config });
        let listener = TcpListener::bind(SocketAddr::from((address, 0))).await.expect("a port");
        let port = listener.local_addr().expect("an address").port();
        let serving = tokio::spawn(async move { hub.administer(listener, std::future::pending()).await });
        let _ = ring::default_provider().install_default();
        let trust = (*site.trust(rustls::ALL_VERSIONS)).clone();
        let client = reqwest::Client::builder().tls_backend_preconfigured(trust).build().expect("a client");
        for scheme in ["http", "https"] {
            let url = format!("{scheme}://127.0.0.1:{port}/v1/connections");
            let answer = client.get(url).bearer_auth("t0ken").send().await;
            let expected = is_tls == (scheme == "https");
            assert_eq!(answer.is_ok_and(|answer| answer.status().is_success()), expected, "{scheme} {said:?}");
        }
        serving.abort();
    }
}

/// A connection by TLS is ended in order when the hub goes down: the goodbye, and then the end of what is spoken below it.
#[tokio::test(flavor = "multi_thread")]
async fn the_end_is_in_order() {
    let site = Site::new();
    let served = site.serve(config()).await;
    let mut socket = served.subscribed(json!({"a": null})).await;
    socket.until("heartbeat").await;
    served.stop().await;
    let mut end = None;
    while let Some(message) = timeout(PATIENCE, socket.socket.next()).await.expect("an end") {
        match message.expect("no end without a goodbye") {
            Message::Close(frame) => end = frame.map(|frame| u16::from(frame.code)),
            _ => assert_eq!(end, None),
        }
    }
    assert_eq!(end, Some(1001));
}
