//! Sites of an authority of their own, that ask who comes, behind a proxy: what is lacking is said, and what was given is in the
//! board.

use std::{
    fs,
    io::{self, BufReader, Write},
    net::{Ipv4Addr, SocketAddr, TcpListener, TcpStream},
    path::Path,
    sync::Arc,
    thread,
};

use anyhow::{Context, Result};
use base64::{Engine, prelude::BASE64_STANDARD};
use serde_json::json;
use tokio_rustls::rustls::{
    RootCertStore, ServerConfig,
    crypto::ring,
    pki_types::{CertificateDer, PrivateKeyDer, pem::PemObject},
    server::WebPkiClientVerifier,
    version::TLS12,
};
use watchfloor_tests::{
    authority::{Authority, Identity, YEAR_GOOD},
    faults::proxy::Proxy,
};

use super::serve::{Server, becomes_a_wall, event_stream, probe, read_head, text, write_own};

/// A name that nobody but the proxy here knows.
const NAME: &str = "hub.site.example";
const USER: &str = "wall";
const PASSWORD: &str = "hush-77a1";

/// A server with this identity, which asks for a certificate of the authority's.
fn asks_who_comes(identity: &Identity, authority: &Authority) -> Result<Arc<ServerConfig>> {
    let provider = Arc::new(ring::default_provider());
    let mut roots = RootCertStore::empty();
    roots.add(CertificateDer::from_pem_slice(authority.certificate().as_bytes())?)?;
    let verifier = WebPkiClientVerifier::builder_with_provider(roots.into(), Arc::clone(&provider)).build()?;
    // By 1.2 the server's word comes within the handshake, where nothing else is on its way.
    let config = ServerConfig::builder_with_provider(provider).with_protocol_versions(&[&TLS12])?;
    let chain = vec![CertificateDer::from_pem_slice(identity.certificate.as_bytes())?];
    let key = PrivateKeyDer::from_pem_slice(identity.key.as_bytes())?;
    Ok(Arc::new(config.with_client_cert_verifier(verifier).with_single_cert(chain, key)?))
}

fn levels() -> Result<Server> {
    Server::start(|_, stream| {
        event_stream(stream, ": here\n\n", |number| {
            let data = json!({"sensor": format!("S{}", number % 3), "level": number % 9});
            format!("event: level\ndata: {data}\n\n")
        })
    })
}

/// A proxy that knows one name, and lets in who has the password.
fn start_proxy(target: SocketAddr) -> Result<SocketAddr> {
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0))?;
    let address = listener.local_addr()?;
    thread::spawn(move || {
        for stream in listener.incoming().map_while(io::Result::ok) {
            thread::spawn(move || tunnel(stream, target));
        }
    });
    Ok(address)
}

fn tunnel(mut wall: TcpStream, target: SocketAddr) -> io::Result<()> {
    let Some(request) = read_head(&mut BufReader::new(wall.try_clone()?))? else { return Ok(()) };
    let login = format!("Basic {}", BASE64_STANDARD.encode(format!("{USER}:{PASSWORD}")));
    if request.header("proxy-authorization") != Some(&login) {
        return write!(
            wall,
            "HTTP/1.1 407 Proxy Authentication Required\r\nProxy-Authenticate: Basic realm=\"site\"\r\n\
             Content-Length: 0\r\nConnection: close\r\n\r\n"
        );
    }
    if request.path != format!("{NAME}:443") {
        return write!(wall, "HTTP/1.1 502 Bad Gateway\r\nContent-Length: 0\r\nConnection: close\r\n\r\n");
    }
    let mut server = TcpStream::connect(target)?;
    write!(wall, "HTTP/1.1 200 OK\r\n\r\n")?;
    let (mut from, mut to) = (wall.try_clone()?, server.try_clone()?);
    thread::spawn(move || io::copy(&mut from, &mut to));
    io::copy(&mut server, &mut wall).map(drop)
}

fn fails(url: &str, more: &[&str], folder: &Path, words: &[&str]) -> Result<()> {
    let out = folder.join("none.toml");
    let found = probe(url, more, &out)?;
    let said = text(&found.stderr);
    assert_eq!((found.status.code(), out.exists()), (Some(1), false), "{said}");
    let last = said.lines().find(|line| line.starts_with("watchfloor: ")).context("a last line")?;
    for word in words {
        assert!(last.contains(word), "{word:?} is not in {last:?}");
    }
    assert!(!said.contains("hush"), "{said}");
    Ok(())
}

/// What is lacking is said with the option that gives it; what was given, the board has.
#[tokio::test(flavor = "multi_thread")]
async fn a_site_of_its_own_authority_becomes_a_wall() -> Result<()> {
    let folder = tempfile::tempdir()?;
    let folder = folder.path();
    let (authority, other) = (Authority::new("Site")?, Authority::new("Other")?);
    let site = levels()?;
    let door = Proxy::start(site.0).await?;
    door.identify(asks_who_comes(&authority.vouch("localhost", YEAR_GOOD)?, &authority)?);
    let url = format!("https://localhost:{}/events", door.port());
    let wall = authority.vouch("wall.site.example", YEAR_GOOD)?;
    let file = |name: &str, content: &str| write_own(&folder.join(name), content);
    let (ca, others) = (file("ca.pem", authority.certificate())?, file("other.pem", other.certificate())?);
    let (certificate, key) = (file("wall.pem", &wall.certificate)?, file("wall.key", &wall.key)?);

    let untrusted = "certificate is from an issuer that this machine does not trust";
    fails(&url, &[], folder, &[untrusted, "--ca-file FILE"])?;
    fails(&url, &["--ca-file", &others], folder, &[untrusted, "holds other authorities"])?;
    let lacks = ["a client certificate", "--certificate-file FILE", "--key-file FILE"];
    fails(&url, &["--ca-file", &ca], folder, &lacks)?;
    let clear = format!("http://localhost:{}/events", door.port());
    fails(&clear, &["--ca-file", &ca], folder, &["no use with an address in clear"])?;
    let lost = ["`ca`: the file /nowhere/ca.pem is not there"];
    fails(&url, &["--ca-file", "/nowhere/ca.pem"], folder, &lost)?;

    let out = folder.join("board.toml");
    let more = ["--ca-file", &ca, "--certificate-file", &certificate, "--key-file", &key];
    let found = probe(&url, &more, &out)?;
    assert_eq!(found.status.code(), Some(0), "{}", text(&found.stderr));
    let board = fs::read_to_string(&out)?;
    let tls = format!("tls = {{ ca = \"{ca}\", certificate = \"{certificate}\", key = \"{key}\" }}");
    assert!(board.contains(&tls), "{board}");
    becomes_a_wall(&out)?;
    Ok(())
}

/// A name that only the proxy can find.
#[tokio::test(flavor = "multi_thread")]
async fn a_site_behind_a_proxy_becomes_a_wall() -> Result<()> {
    let folder = tempfile::tempdir()?;
    let folder = folder.path();
    let authority = Authority::new("Site")?;
    let site = levels()?;
    let door = Proxy::start(site.0).await?;
    door.identify(authority.vouch(NAME, YEAR_GOOD)?.server()?);
    let proxy = format!("http://{}", start_proxy((Ipv4Addr::LOCALHOST, door.port()).into())?);
    let closed = format!("http://{}", TcpListener::bind((Ipv4Addr::LOCALHOST, 0))?.local_addr()?);
    let ca = write_own(&folder.join("ca.pem"), authority.certificate())?;
    let password = write_own(&folder.join("password"), PASSWORD)?;
    let url = format!("https://{NAME}/events");

    fails(
        &url,
        &["--ca-file", &ca, "--proxy", &closed],
        folder,
        &["the proxy http://127.0.0.1:", "nobody takes connections"],
    )?;
    let unnamed = ["no way through the proxy: it asks who comes", "--proxy-user NAME", "--proxy-password-file FILE"];
    fails(&url, &["--ca-file", &ca, "--proxy", &proxy], folder, &unnamed)?;
    let spelt = format!("http://{USER}:{PASSWORD}@127.0.0.1:1");
    fails(&url, &["--proxy", &spelt], folder, &["secrets do not belong in board files"])?;
    let login = ["--proxy", &proxy, "--proxy-user", USER, "--proxy-password-file", &password];
    let elsewhere = "https://elsewhere.site.example/events";
    fails(
        elsewhere,
        &[&login[..], &["--ca-file", &ca]].concat(),
        folder,
        &["it can't reach elsewhere.site.example:443"],
    )?;
    fails(&url, &login, folder, &["does not trust", "--ca-file FILE"])?;

    let out = folder.join("board.toml");
    let found = probe(&url, &[&login[..], &["--ca-file", &ca]].concat(), &out)?;
    assert_eq!(found.status.code(), Some(0), "{}", text(&found.stderr));
    let board = fs::read_to_string(&out)?;
    let line = format!("proxy = {{ url = \"{proxy}\", user = \"{USER}\", password = {{ file = \"{password}\" }} }}");
    assert!(board.contains(&line) && !board.contains("hush"), "{board}");
    becomes_a_wall(&out)?;
    Ok(())
}
