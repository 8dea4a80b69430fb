//! Requests that a proxy and the hub behind it might read in two ways, by both proxies as `packaging` has them. Each hides a request for an address that
//! the proxy keeps to itself: it must not reach the hub.

use std::{
    fs,
    io::{ErrorKind, Read, Write},
    net::{TcpListener, TcpStream},
    path::Path,
    process::{Child, Command, Stdio},
    thread,
    time::{Duration, Instant},
};

use crate::{
    Group,
    target::{PUBLISH, READ, Target, outcome},
};

const PATIENCE: Duration = Duration::from_secs(20);

struct Proxy {
    child: Child,
    address: String,
    _folder: tempfile::TempDir,
}

impl Drop for Proxy {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// What the proxy keeps to itself.
const HIDDEN: &str = "/v1/aggregates/hidden";

impl Proxy {
    fn start(name: &str, target: &Target) -> Self {
        let folder = tempfile::tempdir().expect("a folder");
        let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
        let address = listener.local_addr().expect("its address").to_string();
        drop(listener);
        let (file, pairs) = match name {
            "nginx" => (
                "nginx.conf",
                [
                    ("listen 80;".to_owned(), format!("listen {address};")),
                    (
                        "    location / {".to_owned(),
                        format!("    location {HIDDEN} {{ return 403; }}\n    location / {{"),
                    ),
                ],
            ),
            _ => (
                "haproxy.cfg",
                [
                    ("bind :80".to_owned(), format!("bind {address}")),
                    (
                        "    default_backend nodes".to_owned(),
                        format!("    http-request deny if {{ path_beg {HIDDEN} }}\n    default_backend nodes"),
                    ),
                ],
            ),
        };
        let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../packaging").join(file);
        let mut text = fs::read_to_string(path).expect("the configuration");
        for (from, to) in pairs {
            assert_eq!(text.matches(&from).count(), 1, "{from}");
            text = text.replace(&from, &to);
        }
        text = text.replace("10.0.0.11:8787", &target.address).replace("10.0.0.12:8787", &target.address);
        let own = folder.path().join("own.conf");
        fs::write(&own, &text).expect("written");
        let mut command = Command::new(name);
        if name == "nginx" {
            let place = folder.path().display();
            let temporary: String = ["client_body", "proxy", "fastcgi", "uwsgi", "scgi"]
                .map(|kind| format!("{kind}_temp_path {place}/{kind};\n"))
                .concat();
            let main = format!(
                "daemon off;\nmaster_process off;\npid {place}/pid;\nerror_log {place}/error.log;\nevents {{ worker_connections 512; }}\nhttp {{\naccess_log off;\n{temporary}include {place}/own.conf;\n}}\n"
            );
            fs::write(folder.path().join("main.conf"), main).expect("written");
            command.arg("-p").arg(folder.path()).arg("-c").arg(folder.path().join("main.conf"));
        } else {
            command.arg("-db").arg("-f").arg(&own);
        }
        let child = command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null()).spawn().expect(name);
        let proxy = Self { child, address, _folder: folder };
        let begun = Instant::now();
        while !proxy.raw(b"GET /v1/health HTTP/1.1\r\nhost: localhost\r\nconnection: close\r\n\r\n").starts_with("200")
        {
            assert!(begun.elapsed() < PATIENCE, "{name} doesn't answer");
            thread::sleep(Duration::from_millis(50));
        }
        proxy
    }

    /// Sends these bytes: what was answered first.
    fn raw(&self, bytes: &[u8]) -> String {
        let Ok(mut stream) = TcpStream::connect(&self.address) else { return "closed".to_owned() };
        stream.set_read_timeout(Some(Duration::from_millis(500))).expect("set");
        // It may have had enough before the end.
        let _ = stream.write_all(bytes);
        let (mut answer, mut buffer) = (Vec::new(), [0; 4096]);
        let begun = Instant::now();
        loop {
            match stream.read(&mut buffer) {
                Ok(0) => break,
                Ok(read) => answer.extend_from_slice(&buffer[..read]),
                // The first answer is there, and nothing more comes; or none is, and it waits for more.
                Err(error) if matches!(error.kind(), ErrorKind::WouldBlock | ErrorKind::TimedOut) => {
                    if !answer.is_empty() || begun.elapsed() > Duration::from_secs(2) {
                        break;
                    }
                }
                Err(_) => break,
            }
        }
        if answer.is_empty() { "no answer".to_owned() } else { outcome(&answer) }
    }
}

pub(crate) fn by_nginx(target: &Target, group: &mut Group<'_>) {
    attack(&Proxy::start("nginx", target), target, group);
}

pub(crate) fn by_haproxy(target: &Target, group: &mut Group<'_>) {
    attack(&Proxy::start("haproxy", target), target, group);
}

fn attack(proxy: &Proxy, target: &Target, group: &mut Group<'_>) {
    let mut number = 0;
    let mut try_it = |what: &'static str, bytes: &dyn Fn(&str) -> Vec<u8>| {
        number += 1;
        let name = format!("hidden-{}-{number}", std::process::id());
        // Without a token it is refused, and so it is in the log if it comes.
        let hidden = format!("GET {HIDDEN}/{name} HTTP/1.1\r\nhost: localhost\r\nx: ");
        let answer = proxy.raw(&bytes(&hidden));
        // Who comes next on the proxy's connection to the hub would bring what is left there.
        let next = proxy.raw(format!("GET /v1/poll?cursor=flights~&wait_ms=0 HTTP/1.1\r\nhost: localhost\r\nauthorization: Bearer {READ}\r\nconnection: close\r\n\r\n").as_bytes());
        let is_through = target.log().contains(&name) || next != "200";
        let result = if is_through {
            format!("{answer}: the hidden request reached the hub, the next one was answered {next}")
        } else {
            answer
        };
        group.judge(what, !is_through, result);
    };
    let post = |lines: &str, body: &str| {
        format!("POST /v1/publish HTTP/1.1\r\nhost: localhost\r\nauthorization: Bearer {PUBLISH}\r\ncontent-type: application/json\r\n{lines}\r\n\r\n{body}").into_bytes()
    };
    let chunked = |line: &'static str| {
        move |hidden: &str| {
            let body = format!("0\r\n\r\n{hidden}");
            post(&format!("content-length: {}\r\n{line}", body.len()), &body)
        }
    };
    try_it("the proxy by length, the hub by chunks (CL.TE)", &chunked("transfer-encoding: chunked"));
    try_it("the proxy by chunks, the hub by length (TE.CL)", &|hidden| {
        let body = format!("{:x}\r\n{hidden}\r\n0\r\n\r\n", hidden.len());
        post("transfer-encoding: chunked\r\ncontent-length: 4", &body)
    });
    try_it("chunks by a name that isn't one (TE.TE)", &chunked("transfer-encoding: xchunked"));
    try_it("chunks twice, once by another name", &chunked("transfer-encoding: chunked\r\ntransfer-encoding: x"));
    try_it("chunks with a space before the colon", &chunked("transfer-encoding : chunked"));
    try_it("chunks with a tab after it", &chunked("transfer-encoding:\tchunked"));
    try_it("chunks with a vertical tab", &chunked("transfer-encoding:\u{b}chunked"));
    try_it("chunks in quotes", &chunked("transfer-encoding: \"chunked\""));
    try_it("chunks in a list", &chunked("transfer-encoding: identity, chunked"));
    try_it("chunks in a line that goes on", &chunked("x: y\r\n transfer-encoding: chunked"));
    try_it("chunks behind a bare line feed", &chunked("x: y\ntransfer-encoding: chunked"));
    try_it("chunks behind a bare carriage return", &chunked("x: y\rtransfer-encoding: chunked"));
    try_it("two lengths that differ (CL.CL)", &|hidden| {
        post(&format!("content-length: 0\r\ncontent-length: {}", hidden.len()), hidden)
    });
    try_it("a length with a space in its name", &|hidden| {
        post(&format!("content-length : {}\r\ncontent-length: 0", hidden.len()), hidden)
    });
    try_it("a length with a sign", &|hidden| post(&format!("content-length: +{}", hidden.len()), hidden));
    try_it("a length of GET, whose body hides it", &|hidden| {
        format!("GET /v1/health HTTP/1.1\r\nhost: localhost\r\ncontent-length: {}\r\n\r\n{hidden}", hidden.len())
            .into_bytes()
    });
    try_it("a chunk's size with a sign", &|hidden| post("transfer-encoding: chunked", &format!("+0\r\n\r\n{hidden}")));
    try_it("a chunk's extension with a bare line feed", &|hidden| {
        post("transfer-encoding: chunked", &format!("2;\n{{}}\r\n0\r\n\r\n{hidden}"))
    });
    try_it("an upgrade by HTTP/1.0", &|hidden| {
        format!("GET /v1/ws HTTP/1.0\r\nhost: localhost\r\nauthorization: Bearer {READ}\r\nconnection: upgrade\r\nupgrade: websocket\r\nsec-websocket-version: 13\r\nsec-websocket-key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n{hidden}\r\n\r\n").into_bytes()
    });
    try_it("an upgrade that the hub refuses, and then a request on what might be a tunnel", &|hidden| {
        format!("GET /v1/ws HTTP/1.1\r\nhost: localhost\r\nauthorization: Bearer {READ}\r\nconnection: upgrade\r\nupgrade: websocket\r\nsec-websocket-version: 777\r\nsec-websocket-key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n{hidden}\r\n\r\n").into_bytes()
    });
    try_it("an upgrade to HTTP/2 in the clear", &|hidden| {
        format!("GET /v1/health HTTP/1.1\r\nhost: localhost\r\nconnection: upgrade, http2-settings\r\nupgrade: h2c\r\nhttp2-settings: AAMAAABkAARAAAAAAAIAAAAA\r\n\r\n{hidden}\r\n\r\n").into_bytes()
    });
    try_it("a header that is named as one of the connection", &|hidden| {
        format!("POST /v1/publish HTTP/1.1\r\nhost: localhost\r\nconnection: content-length\r\ncontent-length: {}\r\n\r\n{hidden}", hidden.len()).into_bytes()
    });
    try_it("a request line in two words", &|hidden| format!("GET /v1/health\r\n\r\n{hidden}\r\n\r\n").into_bytes());
    let mut address = |what: &'static str, line: &str, head: &str| {
        let before = target.log().len();
        let answer = proxy.raw(format!("GET {line} HTTP/1.1\r\n{head}\r\nconnection: close\r\n\r\n").as_bytes());
        let log = target.log();
        let is_believed = ["203.0.113.99", "198.51.100.9"].iter().any(|spoofed| log[before..].contains(spoofed));
        let result = if is_believed { format!("{answer}: it is believed") } else { answer };
        group.judge(what, !is_believed && log.contains("127.0.0.1"), result);
    };
    let host = "host: localhost";
    let poll = "/v1/poll?cursor=flights~&wait_ms=0";
    address(
        "an address of one's own choice (`X-Forwarded-For`): not believed",
        poll,
        &format!("{host}\r\nx-forwarded-for: 203.0.113.99"),
    );
    address(
        "the same twice",
        poll,
        &format!("{host}\r\nx-forwarded-for: 203.0.113.99\r\nx-forwarded-for: 198.51.100.9, 127.0.0.1"),
    );
    address("the same by `Forwarded`", poll, &format!("{host}\r\nforwarded: for=203.0.113.99"));
    address(
        "the same by a name that looks alike",
        poll,
        &format!("{host}\r\nx_forwarded_for: 203.0.113.99\r\nx-real-ip: 198.51.100.9"),
    );
    address(
        "the proxy is to forget its header (`Connection: X-Forwarded-For`)",
        poll,
        &format!("{host}\r\nconnection: x-forwarded-for\r\nx-forwarded-for: 203.0.113.99"),
    );
    address("another name in the request line than in `Host`", &format!("http://203.0.113.99{poll}"), host);
}
