//! A hub with everything that a site may configure, and ways to it by the bytes.

use std::{
    fs,
    io::{BufRead, BufReader, Read, Write},
    net::{Shutdown, TcpListener, TcpStream},
    os::unix::fs::PermissionsExt,
    path::Path,
    process::{Child, Command, Stdio},
    sync::{Arc, Mutex},
    time::{Duration, SystemTime, UNIX_EPOCH},
};

use base64::{Engine, prelude::BASE64_URL_SAFE_NO_PAD as BASE64};
use ring::{
    hmac,
    rand::SystemRandom,
    signature::{Ed25519KeyPair, KeyPair as _},
};
use serde_json::{Value, json};
use tokio_tungstenite::tungstenite::{self, Message, WebSocket, client::IntoClientRequest};

pub(crate) const PUBLISH: &str = "the-publishers'-token";
pub(crate) const READ: &str = "the-readers'-token";
pub(crate) const APP_SECRET: &str = "an application's secret";
const HS_KEY: &[u8] = b"0123456789abcdef0123456789abcdef";
/// What must come within this time.
const PATIENCE: Duration = Duration::from_secs(20);

/// After so long without an answer the hub is told that no more comes.
const PAUSE: Duration = Duration::from_secs(1);

fn is_timeout(error: &std::io::Error) -> bool {
    matches!(error.kind(), std::io::ErrorKind::WouldBlock | std::io::ErrorKind::TimedOut)
}

/// See the module.
pub(crate) struct Target {
    child: Child,
    pub(crate) address: String,
    log: Arc<Mutex<String>>,
    pub(crate) ed: Ed25519KeyPair,
    /// Where nobody must be asked: calls here are counted.
    pub(crate) bait: Bait,
    _folder: tempfile::TempDir,
}

impl Drop for Target {
    fn drop(&mut self) {
        // It may be gone already.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// A place that an attacker would like to have called.
pub(crate) struct Bait {
    listener: TcpListener,
}

impl Bait {
    pub(crate) fn url(&self) -> String {
        format!("http://{}/keys", self.listener.local_addr().expect("its address"))
    }

    /// Whether somebody came.
    pub(crate) fn was_taken(&self) -> bool {
        self.listener.accept().is_ok()
    }
}

fn write(folder: &Path, name: &str, bytes: impl AsRef<[u8]>) {
    let path = folder.join(name);
    fs::write(&path, bytes).expect("written");
    fs::set_permissions(&path, fs::Permissions::from_mode(0o600)).expect("for its owner alone");
}

/// The PEM of an Ed25519 public key: RFC 8410.
fn pem(key: &Ed25519KeyPair) -> String {
    let mut der = vec![0x30, 0x2a, 0x30, 0x05, 0x06, 0x03, 0x2b, 0x65, 0x70, 0x03, 0x21, 0x00];
    der.extend_from_slice(key.public_key().as_ref());
    let text = base64::prelude::BASE64_STANDARD.encode(der);
    format!("-----BEGIN PUBLIC KEY-----\n{text}\n-----END PUBLIC KEY-----\n")
}

impl Target {
    pub(crate) fn start() -> Self {
        Self::start_with(include_str!("hub.toml"))
    }

    /// Another one, that is spoken to by TLS.
    pub(crate) fn tls(&self) -> Self {
        let own = "[hub]\ntls = { certificate = \"cert.pem\", key = \"key.pem\" }";
        Self::start_with(&include_str!("hub.toml").replace("[hub]", own))
    }

    fn start_with(file: &str) -> Self {
        let folder = tempfile::tempdir().expect("a folder");
        let document = Ed25519KeyPair::generate_pkcs8(&SystemRandom::new()).expect("a key");
        let ed = Ed25519KeyPair::from_pkcs8(document.as_ref()).expect("the same key");
        write(folder.path(), "publish.token", PUBLISH);
        write(folder.path(), "read.token", READ);
        write(folder.path(), "hs.key", HS_KEY);
        write(folder.path(), "ed.pem", pem(&ed));
        write(folder.path(), "app.secret", APP_SECRET);
        let key = rcgen::KeyPair::generate().expect("a key");
        let params = rcgen::CertificateParams::new(vec!["localhost".to_owned()]).expect("a name");
        write(folder.path(), "cert.pem", params.self_signed(&key).expect("a certificate").pem());
        write(folder.path(), "key.pem", key.serialize_pem());
        write(folder.path(), "hub.toml", file);
        let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
        listener.set_nonblocking(true).expect("not waited for");
        let mut command = Command::new(env!("CARGO_BIN_EXE_watchfloor-hub"));
        command.args(["--listen", "127.0.0.1:0", "--config"]).arg(folder.path().join("hub.toml"));
        command.env("WATCHFLOOR_LOG", "debug").stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::piped());
        let mut child = command.spawn().expect("the binary runs");
        let mut stderr = BufReader::new(child.stderr.take().expect("piped"));
        let log: Arc<Mutex<String>> = Arc::default();
        let address = loop {
            let mut line = String::new();
            assert!(stderr.read_line(&mut line).expect("a line") > 0, "{}", log.lock().expect("whole"));
            let port = line.rsplit_once("127.0.0.1:").map(|(_, rest)| rest.to_owned());
            log.lock().expect("whole").push_str(&line);
            if let Some(port) = port.filter(|_| line.contains("listening")) {
                break format!("127.0.0.1:{}", port.chars().take_while(char::is_ascii_digit).collect::<String>());
            }
        };
        let kept = log.clone();
        std::thread::spawn(move || {
            let mut bytes = Vec::new();
            while stderr.read_until(b'\n', &mut bytes).is_ok_and(|read| read > 0) {
                kept.lock().expect("whole").push_str(&String::from_utf8_lossy(&bytes));
                bytes.clear();
            }
        });
        Self { child, address, log, ed, bait: Bait { listener }, _folder: folder }
    }

    /// What it has logged.
    pub(crate) fn log(&self) -> String {
        self.log.lock().expect("whole").clone()
    }

    /// It still serves who may be served, and knows none of what attackers sent.
    pub(crate) fn is_well(&self, after: &str) {
        assert!(self.get("/v1/health", None).starts_with("200"), "{after}");
        let answer = self.get("/v1/poll?cursor=flights~&wait_ms=0", Some(READ));
        assert!(answer.starts_with("200"), "{after}: {answer}");
        assert!(!self.log().contains("panicked"), "{after}: {}", self.log());
    }

    /// Sends these bytes and reads what comes.
    pub(crate) fn raw(&self, bytes: &[u8]) -> String {
        let mut stream = TcpStream::connect(&self.address).expect("connected");
        stream.set_read_timeout(Some(PAUSE)).expect("set");
        // It may have had enough before the end.
        let _ = stream.write_all(bytes);
        let mut answer = Vec::new();
        if matches!(stream.read_to_end(&mut answer), Err(error) if is_timeout(&error)) {
            // It waits for more, which doesn't come.
            stream.set_read_timeout(Some(PATIENCE)).expect("set");
            let _ = stream.shutdown(Shutdown::Write);
            let _ = stream.read_to_end(&mut answer);
        }
        outcome(&answer)
    }

    /// A request with these lines of its head, each with its end, and a body.
    pub(crate) fn request(&self, line: &str, head: &[(&str, &str)], body: &str) -> String {
        let mut text = format!("{line} HTTP/1.1\r\nhost: localhost\r\nconnection: close\r\n");
        for (name, value) in head {
            text.push_str(&format!("{name}: {value}\r\n"));
        }
        self.raw(format!("{text}\r\n{body}").as_bytes())
    }

    pub(crate) fn get(&self, path: &str, token: Option<&str>) -> String {
        let authorization = token.map(|token| format!("Bearer {token}"));
        let head: Vec<_> = authorization.iter().map(|value| ("authorization", value.as_str())).collect();
        self.request(&format!("GET {path}"), &head, "")
    }

    pub(crate) fn post(&self, path: &str, token: Option<&str>, body: &str) -> String {
        let (length, authorization) = (body.len().to_string(), token.map(|token| format!("Bearer {token}")));
        let mut head = vec![("content-type", "application/json"), ("content-length", &length)];
        head.extend(authorization.iter().map(|value| ("authorization", value.as_str())));
        self.request(&format!("POST {path}"), &head, body)
    }

    pub(crate) fn publish(&self, event: &Value) -> String {
        self.post("/v1/publish", Some(PUBLISH), &event.to_string())
    }

    /// A WebSocket; what it was answered if it isn't opened.
    pub(crate) fn open(&self, path: &str, head: &[(&'static str, &str)]) -> Result<Socket, String> {
        let stream = TcpStream::connect(&self.address).expect("connected");
        stream.set_read_timeout(Some(PATIENCE)).expect("set");
        let mut request = format!("ws://{}{path}", self.address).into_client_request().expect("a request");
        for (name, value) in head {
            request.headers_mut().insert(*name, value.parse().expect("a header"));
        }
        match tungstenite::client(request, stream) {
            Ok((socket, _)) => Ok(Socket { socket }),
            Err(tungstenite::HandshakeError::Failure(tungstenite::Error::Http(response))) => {
                let code = response.body().as_deref().map(code_of).unwrap_or_default();
                Err(format!("{} {code}", response.status().as_u16()).trim_end().to_owned())
            }
            Err(error) => Err(format!("closed: {error}")),
        }
    }

    /// The same by the door of the hub's own.
    pub(crate) fn open_own(&self, token: &str) -> Result<Socket, String> {
        self.open("/v1/ws", &[("authorization", &format!("Bearer {token}"))])
    }
}

/// A WebSocket's client.
pub(crate) struct Socket {
    pub(crate) socket: WebSocket<TcpStream>,
}

impl Socket {
    pub(crate) fn send(&mut self, message: &Value) {
        // It may be closed already: what is read next says so.
        let _ = self.socket.send(Message::text(message.to_string()));
    }

    /// The next message in which this stands; `closed` with its code if none comes.
    pub(crate) fn until(&mut self, part: &str) -> String {
        loop {
            match self.socket.read() {
                Ok(Message::Text(text)) if text.contains(part) => return text.to_string(),
                Ok(Message::Close(Some(frame))) => return format!("closed {} {}", u16::from(frame.code), frame.reason),
                Ok(Message::Close(None)) => return "closed".to_owned(),
                Ok(_) => {}
                Err(_) => return "closed".to_owned(),
            }
        }
    }

    /// What comes of it, until it is closed.
    pub(crate) fn end(&mut self) -> String {
        self.until("\u{0}").trim_end().to_owned()
    }
}

/// An answer's status, and the code of its error.
pub(crate) fn outcome(answer: &[u8]) -> String {
    let text = String::from_utf8_lossy(answer);
    let Some(status) = text.strip_prefix("HTTP/1.").and_then(|rest| rest.get(2..5)) else {
        return "closed without an answer".to_owned();
    };
    let body = text.split_once("\r\n\r\n").map_or("", |(_, body)| body);
    format!("{status} {}", code_of(body.as_bytes())).trim_end().to_owned()
}

/// The code in the body of an error.
pub(crate) fn code_of(body: &[u8]) -> String {
    let text = String::from_utf8_lossy(body);
    let Some((_, rest)) = text.split_once("\"code\":\"") else { return String::new() };
    rest.split('"').next().unwrap_or_default().to_owned()
}

pub(crate) fn now() -> i64 {
    let now = SystemTime::now().duration_since(UNIX_EPOCH).expect("after 1970").as_secs();
    i64::try_from(now).expect("in range")
}

/// Claims that would be good.
pub(crate) fn claims() -> Value {
    json!({"exp": now() + 600, "channels": ["flights"]})
}

/// A token with this header and these claims, signed as `sign` signs.
pub(crate) fn token(header: &Value, claims: &Value, sign: impl Fn(&[u8]) -> Vec<u8>) -> String {
    let message = format!("{}.{}", BASE64.encode(header.to_string()), BASE64.encode(claims.to_string()));
    let signature = BASE64.encode(sign(message.as_bytes()));
    format!("{message}.{signature}")
}

pub(crate) fn hs(key: &[u8]) -> impl Fn(&[u8]) -> Vec<u8> {
    let key = hmac::Key::new(hmac::HMAC_SHA256, key);
    move |message| hmac::sign(&key, message).as_ref().to_vec()
}

impl Target {
    /// One that is signed by the hub's secret.
    pub(crate) fn hs(&self, header: &Value, claims: &Value) -> String {
        token(header, claims, hs(HS_KEY))
    }

    /// One that is signed by the site's key.
    pub(crate) fn signed(&self, header: &Value, claims: &Value) -> String {
        token(header, claims, |message| self.ed.sign(message).as_ref().to_vec())
    }

    /// The public key as the file has it, and as it is.
    pub(crate) fn public(&self) -> [Vec<u8>; 2] {
        [pem(&self.ed).into_bytes(), self.ed.public_key().as_ref().to_vec()]
    }
}
