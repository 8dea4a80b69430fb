//! The hub's file, changed while the binary runs: what takes effect, what doesn't, and what becomes of who is there.

#![cfg(unix)]
#![allow(clippy::panic, reason = "what a test did not expect ends it")]

use std::{
    fs,
    io::{BufRead, BufReader, Read, Write},
    net::TcpStream,
    os::unix::fs::PermissionsExt,
    path::Path,
    process::{Child, Command, Stdio},
    sync::{Arc, Mutex},
    time::{Duration, Instant, SystemTime, UNIX_EPOCH},
};

use base64::{Engine, prelude::BASE64_URL_SAFE_NO_PAD as BASE64};
use rcgen::{CertificateParams, KeyPair, date_time_ymd};
use ring::hmac;
use serde_json::{Value, json};
use tempfile::TempDir;

const PATIENCE: Duration = Duration::from_secs(20);

struct Running {
    child: Child,
    address: String,
    log: Arc<Mutex<String>>,
    folder: TempDir,
}

impl Drop for Running {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

fn write(folder: &Path, name: &str, text: &str) {
    fs::write(folder.join(name), text).expect("written");
    fs::set_permissions(folder.join(name), fs::Permissions::from_mode(0o600)).expect("its mode");
}

/// Another certificate, and its key.
fn certify(folder: &Path) {
    let key = KeyPair::generate().expect("a key");
    let mut params = CertificateParams::new(vec!["localhost".to_owned()]).expect("a name");
    params.not_after = date_time_ymd(2020, 1, 1);
    write(folder, "cert.pem", &params.self_signed(&key).expect("a certificate").pem());
    write(folder, "key.pem", &key.serialize_pem());
}

const PUBLISH: &str = "publishers";
const OLD: &str = "0123456789abcdef0123456789abcdef";
const NEW: &str = "fedcba9876543210fedcba9876543210";

/// Everybody who is there stays: what these tests begin with.
const FILE: &str = r#"
[hub]
publish-token = { file = "publish.token" }
[[namespace]]
channels = "slow"
events-a-second = 1
[[key]]
kid = "old"
algorithm = "HS256"
key = { file = "old.key" }
[[key]]
kid = "stays"
algorithm = "HS256"
key = { file = "stays.key" }
[[app]]
id = "1"
key = "wall"
secret = { file = "app.secret" }
"#;

impl Running {
    fn start() -> Self {
        Self::start_with(FILE)
    }

    fn start_with(file: &str) -> Self {
        let folder = tempfile::tempdir().expect("a folder");
        for (name, text) in [
            ("publish.token", PUBLISH),
            ("old.key", OLD),
            ("new.key", NEW),
            ("stays.key", "a key that stays where it is, always"),
            ("app.secret", "an application's secret"),
            ("hub.toml", file),
        ] {
            write(folder.path(), name, text);
        }
        certify(folder.path());
        let mut command = Command::new(env!("CARGO_BIN_EXE_watchfloor-hub"));
        command.args(["--listen", "127.0.0.1:0", "--config"]).arg(folder.path().join("hub.toml"));
        command.env_remove("WATCHFLOOR_LOG").stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::piped());
        let mut child = command.spawn().expect("the binary runs");
        let mut stderr = BufReader::new(child.stderr.take().expect("piped"));
        let mut line = String::new();
        stderr.read_line(&mut line).expect("a line");
        let port = line.rsplit_once("127.0.0.1:").expect(&line).1;
        let address = format!("127.0.0.1:{}", port.chars().take_while(char::is_ascii_digit).collect::<String>());
        let log = Arc::new(Mutex::new(String::new()));
        let kept = log.clone();
        std::thread::spawn(move || {
            let mut line = String::new();
            while stderr.read_line(&mut line).is_ok_and(|read| read > 0) {
                kept.lock().expect("whole").push_str(&std::mem::take(&mut line));
            }
        });
        Self { child, address, log, folder }
    }

    fn log(&self) -> String {
        self.log.lock().expect("whole").clone()
    }

    /// Puts another file in place, tells the hub, and waits until its log has this besides.
    fn change(&self, text: &str, says: &str) -> String {
        let before = self.log().len();
        self.put(text);
        self.hang_up();
        self.until(before, says)
    }

    fn put(&self, text: &str) {
        fs::write(self.folder.path().join("aside"), text).expect("written");
        fs::rename(self.folder.path().join("aside"), self.folder.path().join("hub.toml")).expect("in its place");
    }

    fn hang_up(&self) {
        let id = self.child.id().to_string();
        assert!(Command::new("kill").args(["-HUP", &id]).status().expect("kill").success());
    }

    fn until(&self, from: usize, says: &str) -> String {
        let begun = Instant::now();
        loop {
            let log = self.log();
            if log[from..].contains(says) {
                return log[from..].to_owned();
            }
            assert!(begun.elapsed() < PATIENCE, "{says}: {}", &log[from..]);
            std::thread::sleep(Duration::from_millis(10));
        }
    }

    fn request(&self, head: &str, token: &str, body: &str) -> TcpStream {
        let mut stream = TcpStream::connect(&self.address).expect("connected");
        stream.set_read_timeout(Some(PATIENCE)).expect("set");
        let text = format!(
            "{head} HTTP/1.1\r\nhost: localhost\r\nconnection: close\r\nauthorization: Bearer {token}\r\ncontent-type: application/json\r\ncontent-length: {}\r\n\r\n{body}",
            body.len()
        );
        stream.write_all(text.as_bytes()).expect("sent");
        stream
    }

    fn status(&self, head: &str, token: &str, body: &str) -> u16 {
        let mut answer = String::new();
        self.request(head, token, body).read_to_string(&mut answer).expect("an answer");
        answer.get(9..12).and_then(|status| status.parse().ok()).expect("a status")
    }

    fn publish(&self, channel: &str, token: &str) -> u16 {
        self.status("POST /v1/publish", token, &json!({"channel": channel, "name": "n", "data": 1}).to_string())
    }

    fn poll(&self, token: &str) -> u16 {
        self.status("GET /v1/poll?cursor=a~&wait_ms=0", token, "")
    }

    /// A stream that has begun.
    fn stream(&self, token: &str) -> TcpStream {
        let mut stream = self.request("GET /v1/sse?cursor=a~", token, "");
        until(&mut stream, "heartbeat");
        stream
    }
}

/// Reads until this has come; what came, and whether it did.
fn until(stream: &mut TcpStream, part: &str) -> (String, bool) {
    let (mut text, mut buffer) = (String::new(), [0; 4096]);
    while !text.contains(part) {
        match stream.read(&mut buffer).expect("in time") {
            0 => return (text, false),
            read => text.push_str(&String::from_utf8_lossy(&buffer[..read])),
        }
    }
    (text, true)
}

fn token(kid: &str, key: &str) -> String {
    let now = SystemTime::now().duration_since(UNIX_EPOCH).expect("after 1970").as_secs();
    let header = json!({"alg": "HS256", "kid": kid});
    let claims: Value = json!({"exp": now + 3600, "channels": ["*"], "sub": kid});
    let message = format!("{}.{}", BASE64.encode(header.to_string()), BASE64.encode(claims.to_string()));
    let tag = hmac::sign(&hmac::Key::new(hmac::HMAC_SHA256, key.as_bytes()), message.as_bytes());
    format!("{message}.{}", BASE64.encode(tag))
}

/// H8: a key that was taken out is good for nobody, those who are there by it included; who came by another reads on, on the same connection.
#[test]
fn keys_and_channels() {
    let running = Running::start();
    let (old, new) = (token("old", OLD), token("new", NEW));
    let stays = token("stays", "a key that stays where it is, always");
    let (mut by_old, mut by_other) = (running.stream(&old), running.stream(&stays));
    assert_eq!((running.poll(&old), running.poll(&new)), (200, 401));
    assert_eq!([running.publish("slow", PUBLISH), running.publish("slow", PUBLISH)], [200, 429]);

    let changed = FILE
        .replace("\"old\"", "\"new\"")
        .replace("old.key", "new.key")
        .replace("events-a-second = 1", "events-a-second = 1000");
    let log = running.change(&changed, "the hub's file was read anew");
    assert!(log.contains("ended=1") && !log.contains("restart"), "{log}");
    assert_eq!((running.poll(&old), running.poll(&new), running.poll(&stays)), (401, 200, 200));
    let (end, found) = until(&mut by_old, "\u{0}");
    assert!(!found && end.contains("\"revoked\""), "{end}");
    assert!((0..10).all(|_| running.publish("slow", PUBLISH) == 200));
    assert_eq!(running.publish("a", PUBLISH), 200);
    let (more, found) = until(&mut by_other, "\"data\":1");
    assert!(found, "{more}");
}

/// A file with mistakes changes nothing and all of them are told; so is what needs a restart, and the rest takes effect.
#[test]
fn mistakes_and_restarts() {
    let running = Running::start();
    let stays = token("stays", "a key that stays where it is, always");
    let mut stream = running.stream(&stays);
    let wrong = FILE.replace("[hub]", "[hub]\nlissen = 1").replace("\"HS256\"", "\"none\"");
    let log = running.change(&wrong, "what was before holds");
    running.until(0, "lissen");
    let log = format!("{log}{}", running.until(0, "none"));
    assert!(!log.contains("read anew"), "{log}");
    let log =
        running.change(&FILE.replace("old.key", "missing.key").replace("app.secret", "gone.secret"), "gone.secret");
    assert!(log.contains("missing.key"), "all of them: {log}");
    assert!(log.contains("can't be used as it is now"), "{log}");
    assert_eq!((running.poll(&token("old", OLD)), running.publish("a", PUBLISH)), (200, 200));
    let metrics = || {
        let mut answer = String::new();
        running.request("GET /metrics", PUBLISH, "").read_to_string(&mut answer).expect("an answer");
        answer
    };
    assert!(metrics().contains("watchfloor_hub_file_refused 1"), "{}", metrics());

    let other = FILE
        .replace("[hub]", "[hub]\nlisten = \"127.0.0.1:1\"\ndata-dir = \"data\"")
        .replace("\"publish.token\"", "\"new.key\"");
    let log = running.change(&other, "name=\"data-dir\"");
    assert!(log.contains("name=\"listen\"") && log.contains("needs a restart"), "{log}");
    assert_eq!((running.publish("a", PUBLISH), running.publish("a", NEW)), (401, 200), "the rest takes effect");
    let mut now = String::new();
    running.request("GET /metrics", NEW, "").read_to_string(&mut now).expect("an answer");
    // A file may be found by itself, and once more by the signal.
    let refused = now.lines().find_map(|line| line.strip_prefix("watchfloor_hub_reloads_total{result=\"refused\"} "));
    let refused = refused.and_then(|count| count.parse::<u64>().ok()).expect("a number");
    assert!(now.contains("watchfloor_hub_file_refused 0") && (2..=4).contains(&refused), "{now}");
    assert!(until(&mut stream, "event").1, "who is there reads on");
    assert!(!running.folder.path().join("data").exists());
}

/// Nobody has to tell it: a file that has changed is read.
#[test]
fn by_itself() {
    let running = Running::start();
    let before = running.log().len();
    assert_eq!(running.poll(&token("new", NEW)), 401);
    running.put(&FILE.replace("\"old\"", "\"new\"").replace("old.key", "new.key"));
    running.until(before, "the hub's file was read anew");
    assert_eq!(running.poll(&token("new", NEW)), 200);
}

/// A certificate is read anew by the same signal; one that can't be used is told and changes nothing, and one that has ended is told as an error.
#[test]
fn certificates() {
    let tls = "[hub]\ntls = { certificate = \"cert.pem\", key = \"key.pem\" }";
    let running = Running::start_with(&FILE.replace("[hub]", tls));
    let log = running.until(0, "the certificate has ended");
    assert!(log.contains("ERROR") && log.contains("2020-01-01"), "{log}");
    let before = running.log().len();
    certify(running.folder.path());
    running.hang_up();
    running.until(before, "the certificate was read anew");
    let before = running.log().len();
    write(running.folder.path(), "key.pem", OLD);
    running.hang_up();
    let log = running.until(before, "the certificate can't be read anew");
    assert!(log.contains("holds no key in PEM") && !log.contains(OLD), "{log}");
}

/// An application whose secret was changed: who came by the old one has to come again.
#[test]
fn applications() {
    let running = Running::start();
    let open = || {
        let mut stream = TcpStream::connect(&running.address).expect("connected");
        stream.set_read_timeout(Some(PATIENCE)).expect("set");
        let head = "GET /app/wall?protocol=7 HTTP/1.1\r\nhost: localhost\r\nconnection: upgrade\r\nupgrade: websocket\r\nsec-websocket-version: 13\r\nsec-websocket-key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n";
        stream.write_all(head.as_bytes()).expect("sent");
        assert!(until(&mut stream, "connection_established").1);
        stream
    };
    let mut client = open();
    running.change(&FILE.replace("client-events", "x"), "read anew");
    let log = running.change(&FILE.replace("app.secret", "new.key"), "read anew");
    assert!(log.contains("ended=1"), "{log}");
    let (said, found) = until(&mut client, "4009");
    assert!(found, "{said}");
    open();
}
