//! Who takes his time, at every step of a conversation. All at once, for each has to be waited for.

use std::{
    io::{ErrorKind, Read, Write},
    net::TcpStream,
    thread,
    time::{Duration, Instant},
};

use serde_json::json;
use watchfloor_hub::limits;

use crate::{
    Group,
    target::{PUBLISH, READ, Target},
};

/// How much later than it should something may be closed, on a busy machine.
const SLACK: Duration = Duration::from_secs(15);

/// Sends this, and then `slow` a byte a second, until it is closed: what was answered, and when it ended.
fn drip(address: &str, at_once: &str, slow: &[u8]) -> (String, Duration) {
    let mut stream = TcpStream::connect(address).expect("connected");
    stream.set_read_timeout(Some(Duration::from_secs(1))).expect("set");
    stream.write_all(at_once.as_bytes()).expect("sent");
    let (mut answer, mut buffer, mut begun) = (Vec::new(), [0; 4096], Instant::now());
    for byte in slow.iter().map(Some).chain(std::iter::repeat(None)) {
        if begun.elapsed() > Duration::from_secs(200) {
            break;
        }
        if byte.is_some_and(|byte| stream.write_all(&[*byte]).is_err()) {
            break;
        }
        match stream.read(&mut buffer) {
            Ok(0) => break,
            Ok(read) => {
                // What is waited for begins with the last answer.
                answer.extend_from_slice(&buffer[..read]);
                begun = Instant::now();
            }
            Err(error) if matches!(error.kind(), ErrorKind::WouldBlock | ErrorKind::TimedOut) => {}
            Err(_) => break,
        }
    }
    (String::from_utf8_lossy(&answer).into_owned(), begun.elapsed())
}

/// How it ended, if that was in its time.
fn in_time(took: Duration, limit: Duration) -> String {
    match took + Duration::from_secs(2) >= limit && took <= limit + SLACK {
        true => format!("closed after {} s", limit.as_secs()),
        false => format!("after {took:?}"),
    }
}

type Slow<'a> = Box<dyn FnOnce() -> String + Send + 'a>;

pub(crate) fn attack(target: &Target, group: &mut Group<'_>) {
    let address = &*target.address;
    let asked = "GET /v1/health HTTP/1.1\r\nhost: localhost\r\n\r\n";
    let posted = format!(
        "POST /v1/publish HTTP/1.1\r\nhost: localhost\r\nauthorization: Bearer {PUBLISH}\r\ncontent-type: application/json\r\ncontent-length: 500\r\n\r\n"
    );
    let body = |body: (String, Duration)| match body.0.get(9..12) {
        Some(status) => format!("{status} {}", crate::target::code_of(body.0.as_bytes())),
        None => "closed without an answer".to_owned(),
    };
    let crowd = || {
        let crowd: Vec<_> = (0..500).map(|_| TcpStream::connect(address).expect("connected")).collect();
        let begun = Instant::now();
        target.is_well("five hundred who say nothing");
        for mut stream in crowd {
            stream.set_read_timeout(Some(Duration::from_secs(60))).expect("set");
            let _ = stream.read(&mut [0]);
        }
        in_time(begun.elapsed(), limits::FIRST_HEAD_TIMEOUT)
    };
    let tls = target.tls();
    let tls = &*tls.address;
    let posted = &*posted;
    let first = limits::FIRST_HEAD_TIMEOUT;
    let tries: Vec<(&'static str, &'static str, Slow<'_>)> = vec![
        ("nobody says anything", "closed after 10 s", Box::new(move || in_time(drip(address, "", b"").1, first))),
        ("500 connections that say nothing, others are served", "closed after 10 s", Box::new(crowd)),
        (
            "a head, a byte a second",
            "closed after 10 s",
            Box::new(move || in_time(drip(address, "", asked.repeat(9).as_bytes()).1, first)),
        ),
        (
            "a head whose last line never comes",
            "closed after 10 s",
            Box::new(move || in_time(drip(address, "GET /v1/health HTTP/1.1\r\nhost: localhost\r\n", b"").1, first)),
        ),
        (
            "a request, and then a head, a byte a second",
            "closed after 75 s",
            Box::new(move || {
                in_time(
                    drip(address, asked, "GET /v1/health HTTP/1.1\r\nx-a: ".repeat(9).as_bytes()).1,
                    limits::HEAD_TIMEOUT,
                )
            }),
        ),
        (
            "a request, and then nothing (an idle connection)",
            "closed after 75 s",
            Box::new(move || in_time(drip(address, asked, b"").1, limits::HEAD_TIMEOUT)),
        ),
        ("a body, a byte a second", "408 body-timeout", Box::new(move || body(drip(address, posted, &[b' '; 400])))),
        (
            "a body that is said to come, and doesn't",
            "408 body-timeout",
            Box::new(move || body(drip(address, posted, b""))),
        ),
        (
            "a greeting of TLS, a byte a second",
            "closed after 10 s",
            Box::new(move || {
                in_time(
                    drip(
                        tls,
                        "",
                        b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0",
                    )
                    .1,
                    limits::HANDSHAKE_TIMEOUT,
                )
            }),
        ),
        (
            "no greeting of TLS",
            "closed after 10 s",
            Box::new(move || in_time(drip(tls, "", b"").1, limits::HANDSHAKE_TIMEOUT)),
        ),
        ("a WebSocket's frame, a byte a second: it reads on", "reads on", Box::new(|| frame(target))),
        ("a reader of an event stream who takes nothing", "dropped", Box::new(|| deaf(target, false))),
        ("a reader of a WebSocket who takes nothing", "dropped", Box::new(|| deaf(target, true))),
    ];
    let results: Vec<_> = thread::scope(|scope| {
        let all: Vec<_> =
            tries.into_iter().map(|(what, expected, attack)| (what, expected, scope.spawn(attack))).collect();
        all.into_iter().map(|(what, expected, attack)| (what, expected, attack.join().expect("no panic"))).collect()
    });
    for (what, expected, result) in results {
        group.comes_to(what, result, expected);
    }
    group.comes_to("100 times as many messages as a client may say", flood(target), "read later");
}

/// A part of a frame comes now and then, and never all of it; what the hub has to say goes out all the while.
fn frame(target: &Target) -> String {
    let mut socket = target.open_own(READ).expect("open");
    socket.send(&json!({"type": "subscribe", "channels": {"quiet": null}}));
    let mut frame = vec![0x81, 0xfe, 0x40, 0x00, 0, 0, 0, 0];
    frame.extend([b'{'; 12]);
    for byte in frame {
        if socket.socket.get_mut().write_all(&[byte]).is_err() {
            return "closed".to_owned();
        }
        if !socket.until("heartbeat").contains("heartbeat") {
            return "closed".to_owned();
        }
    }
    "reads on".to_owned()
}

/// A reader who is sent more than the system holds, and takes nothing.
fn deaf(target: &Target, is_socket: bool) -> String {
    let channel = if is_socket { "deaf-1" } else { "deaf-2" };
    let mut stream = TcpStream::connect(&target.address).expect("connected");
    let ask = match is_socket {
        true => "GET /v1/ws HTTP/1.1\r\nconnection: upgrade\r\nupgrade: websocket\r\nsec-websocket-version: 13\r\nsec-websocket-key: dGhlIHNhbXBsZSBub25jZQ==".to_owned(),
        false => format!("GET /v1/sse?cursor={channel}~ HTTP/1.1"),
    };
    let head = format!("{ask}\r\nhost: localhost\r\nauthorization: Bearer {READ}\r\n\r\n");
    stream.write_all(head.as_bytes()).expect("sent");
    stream.set_read_timeout(Some(Duration::from_secs(20))).expect("set");
    if is_socket {
        let order = json!({"type": "subscribe", "channels": {channel: null}}).to_string();
        let length = u8::try_from(order.len()).expect("short");
        let mut frame = vec![0x81, 0x80 | length, 0, 0, 0, 0];
        frame.extend(order.bytes());
        stream.write_all(&frame).expect("sent");
    }
    let (mut said, mut buffer) = (String::new(), [0; 1024]);
    while !said.contains("heartbeat") {
        let read = stream.read(&mut buffer).expect("a beginning");
        said.push_str(&String::from_utf8_lossy(&buffer[..read]));
    }
    let event = json!({"channel": channel, "name": "n", "data": "x".repeat(900_000)});
    for _ in 0..20 {
        assert!(target.publish(&event).starts_with("200"));
    }
    // All that was on its way is less than was published.
    let limit = limits::WRITE_STALL + SLACK;
    thread::sleep(limit);
    let mut rest = 0;
    stream.set_read_timeout(Some(Duration::from_secs(3))).expect("set");
    let mut buffer = vec![0; 1 << 20];
    loop {
        match stream.read(&mut buffer) {
            Ok(0) => break,
            Ok(read) => rest += read,
            Err(error) if matches!(error.kind(), ErrorKind::WouldBlock | ErrorKind::TimedOut) => {
                return "still there".to_owned();
            }
            Err(_) => break,
        }
    }
    if rest < 20 * 900_000 { "dropped".to_owned() } else { format!("was sent {rest} bytes") }
}

/// All are answered, but not at once.
fn flood(target: &Target) -> String {
    let count = 100 * limits::MESSAGES_A_SECOND;
    let mut raw = TcpStream::connect(&target.address).expect("connected");
    let head = format!(
        "GET /v1/ws HTTP/1.1\r\nhost: localhost\r\nauthorization: Bearer {READ}\r\nconnection: upgrade\r\nupgrade: websocket\r\nsec-websocket-version: 13\r\nsec-websocket-key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n"
    );
    raw.write_all(head.as_bytes()).expect("sent");
    let ping = br#"{"type":"ping","id":7}"#;
    let mut frame = vec![0x81, 0x80 | u8::try_from(ping.len()).expect("short"), 0, 0, 0, 0];
    frame.extend_from_slice(ping);
    let flood = frame.repeat(usize::try_from(count).expect("small"));
    let mut writer = raw.try_clone().expect("the same");
    let written = thread::spawn(move || writer.write_all(&flood).is_ok());
    raw.set_read_timeout(Some(Duration::from_secs(1))).expect("set");
    let (mut pongs, mut buffer, begun) = (0, vec![0; 1 << 16], Instant::now());
    while begun.elapsed() < Duration::from_secs(5) {
        if let Ok(read) = raw.read(&mut buffer) {
            pongs += String::from_utf8_lossy(&buffer[..read]).matches("pong").count();
        }
    }
    drop(raw);
    let _ = written.join();
    let most = usize::try_from(limits::MESSAGES_A_SECOND).expect("small") * 20;
    if (900..most).contains(&pongs) { "read later".to_owned() } else { format!("{pongs} answers in 5 s") }
}
