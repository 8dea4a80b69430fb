//! All transports take one way: whom they trust, what they show, and the proxies that they go through.

use std::{fs, path::Path};

use rustls::version::{TLS12, TLS13};

use super::{
    site::{Authority, Gate, NAME, http_proxy, https_proxy, proxy, serve, socks_proxy, speak, transports, write},
    *,
};

const BOTH: &[&rustls::SupportedProtocolVersion] = &[&TLS12, &TLS13];
/// Names of this machine and of the site.
const NAMES: &[&str] = &["localhost", "127.0.0.1", "::1", NAME];

fn by(tls: &TlsSpec, proxy: Option<ProxySpec>) -> Arc<Doors> {
    doors().by(&Route { tls: tls.clone(), proxy })
}

/// A private authority, a certificate that is asked for, and IPv6: for every transport, directly.
#[tokio::test]
async fn transports_show_who_comes() {
    let (site, folder) = (Authority::new(), tempfile::tempdir().unwrap());
    let tls = site.write(folder.path(), 2099);
    for address in ["127.0.0.1", "[::1]"] {
        for version in [&TLS12, &TLS13] {
            let server = site.server((NAMES, 2099), Some(&site), &[version]);
            let (port, _questions) = serve(&format!("{address}:0"), Some(server)).await;
            let doors = by(&tls, None);
            for (transport, scheme) in transports(true) {
                speak(&doors, transport, &format!("{scheme}://{address}:{port}/")).await.unwrap();
            }
        }
    }
}

/// By a proxy with a password, which alone knows the server's name: every transport, secured and in clear. The server never
/// hears of the password.
#[tokio::test]
async fn transports_go_by_the_proxy() {
    let (site, folder) = (Authority::new(), tempfile::tempdir().unwrap());
    let tls = site.write(folder.path(), 2099);
    let word = folder.path().join("word");
    write(&word, "s3cr-et\n", 0o600);
    let login = Some(("wall", "s3cr-et"));
    let (secure, mut heard) = serve("127.0.0.1:0", Some(site.server((NAMES, 2099), Some(&site), BOTH))).await;
    let (clear, mut heard_in_clear) = serve("127.0.0.1:0", None).await;
    let (http, mut asked) = http_proxy(Gate { login, ..Gate::default() }).await;
    let (socks, mut asked_socks) = socks_proxy(Gate { login, ..Gate::default() }).await;
    for proxy_url in [format!("http://127.0.0.1:{http}"), format!("socks5://localhost:{socks}")] {
        let doors = by(&tls, proxy(proxy_url.clone(), Some(("wall", &word))));
        for (is_secure, port) in [(true, secure), (false, clear)] {
            for (transport, scheme) in transports(is_secure) {
                let url = format!("{scheme}://{NAME}:{port}/");
                speak(&doors, transport, &url).await.unwrap_or_else(|fault| panic!("{proxy_url} {url}: {fault}"));
                let question = if is_secure { heard.recv().await } else { heard_in_clear.recv().await }.unwrap();
                let asks = match proxy_url.starts_with("http") {
                    true => asked.try_recv().ok(),
                    false => asked_socks.try_recv().ok(),
                };
                // Several requests may share a connection.
                let Some(asks) = asks else {
                    assert!(matches!(transport, Transport::Poll | Transport::Sse), "{url} by no proxy");
                    continue;
                };
                let is_request = proxy_url.starts_with("http") && scheme == "http";
                if is_request {
                    assert!(asks.starts_with(&format!("GET http://{NAME}:{port}/ HTTP/1.1")), "{asks}");
                } else {
                    assert!(asks.contains(&format!("{NAME}:{port}")), "{asks}");
                    assert!(!question.contains("proxy-authorization"), "{question}");
                }
            }
        }
    }
}

/// H8: by TLS to the proxy itself, which is shown the wall's certificate and asks for its password: every transport, by a second TLS
/// within and in clear.
#[tokio::test]
async fn transports_go_by_a_secure_proxy() {
    let (site, folder) = (Authority::new(), tempfile::tempdir().unwrap());
    let tls = site.write(folder.path(), 2099);
    let word = folder.path().join("word");
    write(&word, "s3cr-et\n", 0o600);
    let gate = || Gate { login: Some(("wall", "s3cr-et")), ..Gate::default() };
    let (secure, mut heard) = serve("127.0.0.1:0", Some(site.server((NAMES, 2099), Some(&site), BOTH))).await;
    let (clear, mut heard_in_clear) = serve("127.0.0.1:0", None).await;
    for version in [&TLS12, &TLS13] {
        // Its name is its own: nobody calls the server so.
        let acceptor = site.server((&["localhost"], 2099), Some(&site), &[version]);
        let (port, mut asked) = https_proxy(gate(), acceptor).await;
        let doors = by(&tls, proxy(format!("https://localhost:{port}"), Some(("wall", &word))));
        for (is_secure, port) in [(true, secure), (false, clear)] {
            for (transport, scheme) in transports(is_secure) {
                let url = format!("{scheme}://{NAME}:{port}/");
                speak(&doors, transport, &url).await.unwrap_or_else(|fault| panic!("{url}: {fault}"));
                let question = if is_secure { heard.recv().await } else { heard_in_clear.recv().await }.unwrap();
                // Several requests may share a connection.
                let Ok(asks) = asked.try_recv() else {
                    assert!(matches!(transport, Transport::Poll | Transport::Sse), "{url} by no proxy");
                    continue;
                };
                let how = if scheme == "http" { format!("GET http://{NAME}") } else { format!("CONNECT {NAME}") };
                assert!(asks.starts_with(&format!("{how}:{port}")), "{asks}");
                assert!(scheme == "http" || !question.contains("proxy-authorization"), "{question}");
            }
        }
    }
}

/// H8: a proxy whose certificate isn't good is asked for nothing, and the reason says that it is the proxy's.
#[tokio::test]
async fn proxies_show_who_they_are() {
    let (site, other, folder) = (Authority::new(), Authority::new(), tempfile::tempdir().unwrap());
    let tls = site.write(folder.path(), 2099);
    let of = |authority: &Authority, names: &[&str], until| authority.server((names, until), None, BOTH);
    for (acceptor, words) in [
        (Some(of(&other, &["localhost"], 2099)), "an issuer that this machine does not trust"),
        (Some(of(&site, &["other.example"], 2099)), "is not for \"localhost\", but for \"other.example\""),
        (Some(of(&site, &["localhost"], 2021)), "certificate expired on 2021-12-31"),
        // One in clear.
        (None, "TLS"),
    ] {
        let (port, mut asked) = match acceptor {
            Some(acceptor) => https_proxy(Gate::default(), acceptor).await,
            None => scripted("HTTP/1.1 400 What\r\n\r\n").await,
        };
        let doors = by(&tls, proxy(format!("https://localhost:{port}"), None));
        let in_clear = words == "TLS";
        for (transport, scheme) in [(Transport::Tcp, "rediss"), (Transport::WebSocket, "ws"), (Transport::Poll, "http")]
        {
            let fault = speak(&doors, transport, &format!("{scheme}://{NAME}:1/")).await.unwrap_err();
            assert_eq!(fault.kind, LinkFaultKind::Proxy { refuses: false }, "{words}: {fault}");
            assert!(fault.text.contains(words) && fault.text.contains("localhost"), "{words}: {fault}");
            assert!(in_clear || asked.try_recv().is_err(), "{words}: it was asked");
        }
    }
}

/// IPv6 by its digits goes through proxies as that.
#[tokio::test]
async fn proxies_are_asked_for_literal_addresses() {
    let (port, _questions) = serve("[::1]:0", None).await;
    let (http, mut asked) = http_proxy(Gate::default()).await;
    let (socks, mut asked_socks) = socks_proxy(Gate::default()).await;
    let url = format!("ws://[::1]:{port}/");
    let through = |proxy_url: String| by(&TlsSpec::default(), proxy(proxy_url, None));
    speak(&through(format!("http://127.0.0.1:{http}")), Transport::WebSocket, &url).await.unwrap();
    assert!(asked.recv().await.unwrap().starts_with(&format!("CONNECT [::1]:{port} HTTP/1.1")));
    speak(&through(format!("socks5://127.0.0.1:{socks}")), Transport::WebSocket, &url).await.unwrap();
    assert_eq!(asked_socks.recv().await.unwrap(), format!("[::1]:{port}"));
}

/// A server that greets first, as NATS does, and goes on by TLS when the protocol says so.
#[tokio::test]
async fn protocols_go_on_by_tls_behind_a_proxy() {
    let (site, folder) = (Authority::new(), tempfile::tempdir().unwrap());
    let tls = site.write(folder.path(), 2099);
    let acceptor = site.server((NAMES, 2099), Some(&site), BOTH);
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let port = listener.local_addr().unwrap().port();
    let (http, _asked) = http_proxy(Gate::default()).await;
    tokio::spawn(async move {
        while let Ok((mut stream, _)) = listener.accept().await {
            stream.write_all(b"INFO {}\r\n").await.unwrap();
            let mut stream = acceptor.accept(stream).await.unwrap();
            let mut asked = [0; 6];
            stream.read_exact(&mut asked).await.unwrap();
            stream.write_all(b"PONG\r\n").await.unwrap();
            let _end = stream.read_to_end(&mut Vec::new()).await;
        }
    });
    for proxy in [None, proxy(format!("http://127.0.0.1:{http}"), None)] {
        let name = if proxy.is_some() { NAME } else { "localhost" };
        let (inputs, mut heard) = inputs();
        let url = format!("nats://{name}:{port}");
        let link = by(&tls, proxy).open(LinkId(1), Transport::Tcp, request(&url), inputs);
        assert!(matches!(within(heard.recv()).await, Some(Input::Opened { .. })));
        let Some(Input::Chunk { bytes, .. }) = within(heard.recv()).await else { panic!("no greeting") };
        assert_eq!(&*bytes, b"INFO {}\r\n");
        assert!(link.tell(Command::StartTls));
        assert!(link.tell(Command::Send(watchfloor_feed::Message::text("PING\r\n".to_owned()))));
        let answer = within(heard.recv()).await;
        assert!(matches!(&answer, Some(Input::Chunk { bytes, .. }) if &**bytes == b"PONG\r\n"), "{answer:?}");
    }
}

/// Tokens and signatures are asked for in the same way as the rest.
#[tokio::test]
async fn secrets_go_by_the_proxy() {
    let (site, folder) = (Authority::new(), tempfile::tempdir().unwrap());
    let tls = site.write(folder.path(), 2099);
    let (port, mut questions) = serve("127.0.0.1:0", Some(site.server((NAMES, 2099), Some(&site), BOTH))).await;
    let (http, mut asked) = http_proxy(Gate::default()).await;
    let doors = by(&tls, proxy(format!("http://127.0.0.1:{http}"), None));
    let url: Url = format!("https://{NAME}:{port}/token").parse().unwrap();
    let given = doors.post(url.clone(), &Secret::new("s3cret"), 100, PATIENCE).await.unwrap();
    assert_eq!((given.status, &*given.body), (200, &b"{}"[..]));
    assert!(questions.recv().await.unwrap().contains("authorization: Bearer s3cret"));
    assert!(!asked.recv().await.unwrap().contains("s3cret"));
    let (inputs, mut heard) = inputs();
    let _task = doors.exchange((LinkId(1), 1), url, Vec::new(), None, PATIENCE, inputs);
    let answer = within(heard.recv()).await;
    assert!(matches!(answer, Some(Input::Exchanged { outcome: Ok(_), .. })), "{answer:?}");
}

/// What a proxy refuses is told by its meaning, and as the proxy's word: a server's refusal hides values, a proxy's doesn't.
/// H8: neither name nor password is in it.
#[tokio::test]
async fn refusals_of_proxies_are_told_apart() {
    let folder = tempfile::tempdir().unwrap();
    let word = folder.path().join("word");
    write(&word, "s3cr-et\n", 0o600);
    let login = Some(("wall", "other"));
    /// A proxy, what is shown to it, whether it refuses, and what is said.
    type Case<'a> = (String, Option<(&'a str, &'a Path)>, bool, &'a str);
    let mut cases: Vec<Case<'_>> = Vec::new();
    let own = Some(("wall", word.as_path()));
    for (gate, shown, refuses, words) in [
        (Gate { login, ..Gate::default() }, None, false, "it asks who comes (HTTP 407): give `user` and `password`"),
        (Gate { login, ..Gate::default() }, own, false, "it does not take this user and password (HTTP 407)"),
        (
            Gate { refusal: Some("HTTP/1.1 407 Who\r\nproxy-authenticate: Negotiate\r\n\r\n"), ..Gate::default() },
            own,
            false,
            "it asks for Negotiate (HTTP 407): a user and password are shown by Basic alone",
        ),
        (
            Gate { refusal: Some("HTTP/1.1 403 No\r\ncontent-length: 0\r\n\r\n"), ..Gate::default() },
            None,
            true,
            "it allows no connection to hub.site.example:1 (HTTP 403)",
        ),
        (
            Gate { refusal: Some("HTTP/1.1 504 Late\r\n\r\n"), ..Gate::default() },
            None,
            true,
            "it can't reach hub.site.example:1 (HTTP 504)",
        ),
        (Gate { refusal: Some("SSH-2.0-x\r\n\r\n"), ..Gate::default() }, None, false, "is it a proxy?"),
    ] {
        let (port, _asked) = http_proxy(gate).await;
        cases.push((format!("http://127.0.0.1:{port}"), shown, refuses, words));
    }
    for (gate, shown, refuses, words) in [
        (Gate { login, ..Gate::default() }, None, false, "it asks who comes: give `user` and `password`"),
        (Gate { login, ..Gate::default() }, own, false, "it does not take this user and password"),
        (Gate { code: 1, ..Gate::default() }, None, true, "no reason given"),
        (Gate { code: 2, ..Gate::default() }, None, true, "it allows no connection to hub.site.example:1"),
        (Gate { code: 3, ..Gate::default() }, None, true, "network unreachable"),
        (Gate { code: 4, ..Gate::default() }, None, true, "host unreachable, or an unknown name"),
        (Gate { code: 5, ..Gate::default() }, None, true, "can't reach hub.site.example:1: connection refused"),
        (Gate { code: 6, ..Gate::default() }, None, true, "no answer in time"),
    ] {
        let (port, _asked) = socks_proxy(gate).await;
        cases.push((format!("socks5://127.0.0.1:{port}"), shown, refuses, words));
    }
    cases.push((format!("http://127.0.0.1:{}", free_port().await), None, false, "connection refused"));
    cases.push((format!("socks5://127.0.0.1:{}", free_port().await), None, false, "connection refused"));
    let missing = folder.path().join("missing");
    cases.push(("http://127.0.0.1:1".to_owned(), Some(("wall", &missing)), false, "no way through the proxy"));
    for (url, shown, refuses, words) in cases {
        let doors = by(&TlsSpec::default(), proxy(url.clone(), shown));
        for (transport, scheme) in [(Transport::Tcp, "redis"), (Transport::Poll, "https")] {
            let fault = speak(&doors, transport, &format!("{scheme}://{NAME}:1/")).await.unwrap_err();
            assert_eq!(fault.kind, LinkFaultKind::Proxy { refuses }, "{url}: {fault}");
            let text = fault.to_string();
            assert!(text.starts_with("no way through the proxy: ") || text.contains(words), "{url}: {text}");
            assert!(text.contains(words) && !text.contains("s3cr"), "{url}: {text}");
        }
    }
}

/// A request in clear that the proxy itself answers, as far as it says so.
#[tokio::test]
async fn answers_of_proxies_are_not_the_servers() {
    for (refusal, words) in [
        ("HTTP/1.1 407 Who\r\ncontent-length: 0\r\n\r\n", Some("it asks who comes (HTTP 407)")),
        ("HTTP/1.1 403 No\r\nx-squid-error: ERR_ACCESS_DENIED 0\r\ncontent-length: 0\r\n\r\n", Some("(HTTP 403)")),
        (
            "HTTP/1.1 502 Bad\r\nproxy-status: x; error=dns_error\r\ncontent-length: 0\r\n\r\n",
            Some("can't reach the server"),
        ),
        ("HTTP/1.1 403 No\r\ncontent-length: 0\r\n\r\n", None),
    ] {
        let (port, _asked) = http_proxy(Gate { refusal: Some(refusal), ..Gate::default() }).await;
        let doors = by(&TlsSpec::default(), proxy(format!("http://127.0.0.1:{port}"), None));
        let fault = speak(&doors, Transport::Poll, &format!("http://{NAME}:1/")).await.unwrap_err();
        match words {
            Some(words) => {
                assert!(matches!(fault.kind, LinkFaultKind::Proxy { .. }) && fault.text.contains(words), "{fault}");
            }
            None => assert!(matches!(fault.kind, LinkFaultKind::Http { status: 403, .. }), "{fault}"),
        }
    }
}

/// Each fault of a certificate has its own words, whatever is spoken.
#[tokio::test]
async fn faults_of_certificates_are_told_apart() {
    let (site, other, folder) = (Authority::new(), Authority::new(), tempfile::tempdir().unwrap());
    let good = site.write(folder.path(), 2099);
    let nobody = TlsSpec { identity: None, ..good.clone() };
    let of = |name: &str| {
        let path = folder.path().join(name);
        fs::create_dir(&path).unwrap();
        path
    };
    let foreign = TlsSpec { ca: good.ca.clone(), ..other.write(&of("foreign"), 2099) };
    let expired = TlsSpec { ca: good.ca.clone(), ..site.write(&of("expired"), 2021) };
    let stranger = other.write(&of("stranger"), 2099);
    for (tls, names, until, versions, words) in [
        (&stranger, NAMES, 2099, BOTH, "an issuer that this machine does not trust"),
        (&TlsSpec::default(), NAMES, 2099, BOTH, "an issuer that this machine does not trust"),
        (&good, NAMES, 2021, BOTH, "the server's certificate expired on 2021-12-31"),
        (&good, &["other.example"], 2099, BOTH, "is not for \"127.0.0.1\", but for \"other.example\""),
        (&nobody, NAMES, 2099, &[&TLS13], "the server asks for a client certificate"),
        (&nobody, NAMES, 2099, &[&TLS12], "client certificate"),
        (&foreign, NAMES, 2099, BOTH, "it does not trust its issuer"),
        (&expired, NAMES, 2099, BOTH, "it has expired"),
    ] {
        let server = site.server((names, until), Some(&site), versions);
        let (port, _questions) = serve("127.0.0.1:0", Some(server)).await;
        let doors = by(tls, None);
        for (transport, scheme) in transports(true) {
            let fault = speak(&doors, transport, &format!("{scheme}://127.0.0.1:{port}/")).await.unwrap_err();
            assert!(fault.kind == LinkFaultKind::Tls && fault.text.contains(words), "{transport:?} {words}: {fault}");
        }
    }
}

/// What is wrong with a file is told by its name and what to do; H8: nothing of what a key's file holds.
#[tokio::test]
async fn files_of_certificates_are_checked() {
    let (site, folder) = (Authority::new(), tempfile::tempdir().unwrap());
    let tls = site.write(folder.path(), 2099);
    let at = |name: &str| folder.path().join(name);
    let read = |name: &str| fs::read_to_string(at(name)).unwrap();
    let (ca, certificate, key) = (read("ca.pem"), read("wall.pem"), read("wall.key"));
    let (_, other_key) = site.vouch(&["x"], 2099);
    let locked = "-----BEGIN ENCRYPTED PRIVATE KEY-----\nczNjcmV0\n-----END ENCRYPTED PRIVATE KEY-----\n";
    for (name, text, mode, words) in [
        ("ca.pem", "s3cret", 0o644, "ca.pem holds no certificate in PEM"),
        ("ca.pem", "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n", 0o644, "that can't be used"),
        ("wall.pem", "", 0o644, "wall.pem holds no certificate"),
        ("wall.key", &*key, 0o640, "others may read the file"),
        ("wall.key", "s3cret", 0o600, "wall.key holds no key in PEM"),
        ("wall.key", locked, 0o600, "is locked by a passphrase: expected one without"),
        ("wall.key", &*other_key.serialize_pem(), 0o600, "is not that of the first certificate"),
    ] {
        write(&at(name), text, mode);
        // Nothing is asked for: nobody listens there.
        let fault = speak(&by(&tls, None), Transport::Poll, "https://127.0.0.1:1/").await.unwrap_err();
        assert!(fault.kind == LinkFaultKind::Tls && fault.text.contains(words), "{words}: {fault}");
        assert!(!fault.text.contains("s3cret") && !fault.text.contains("czNj"), "{fault}");
        for (name, text, mode) in [("ca.pem", &ca, 0o644), ("wall.pem", &certificate, 0o644), ("wall.key", &key, 0o600)]
        {
            write(&at(name), text, mode);
        }
    }
    fs::remove_file(at("ca.pem")).unwrap();
    let fault = speak(&by(&tls, None), Transport::Poll, "https://127.0.0.1:1/").await.unwrap_err();
    assert!(fault.text.contains("ca.pem is not there: create it"), "{fault}");
}

/// A renewed certificate is shown with the next connection: neither the board nor the wall is touched.
#[tokio::test]
async fn renewed_certificates_are_taken_up() {
    let (site, other, folder) = (Authority::new(), Authority::new(), tempfile::tempdir().unwrap());
    let (port, _questions) = serve("127.0.0.1:0", Some(site.server((NAMES, 2099), Some(&site), BOTH))).await;
    let doors = by(&other.write(folder.path(), 2099), None);
    let reach =
        async |transport, scheme: &str| speak(&doors, transport, &format!("{scheme}://127.0.0.1:{port}/")).await;
    for (transport, scheme) in transports(true) {
        assert_eq!(reach(transport, scheme).await.unwrap_err().kind, LinkFaultKind::Tls);
    }
    site.write(folder.path(), 2099);
    for (transport, scheme) in transports(true) {
        reach(transport, scheme).await.unwrap();
    }
}
