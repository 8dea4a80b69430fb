//! Requests that two servers in a row would read in two ways, and what isn't HTTP.

use crate::{
    Group,
    target::{PUBLISH, READ, Target},
};

pub(crate) fn attack(target: &Target, group: &mut Group<'_>) {
    let hidden = format!(
        "GET /v1/poll?cursor=flights~&wait_ms=0 HTTP/1.1\r\nhost: localhost\r\nauthorization: Bearer {READ}\r\n\r\n"
    );
    let post = |lines: &str, body: &str| {
        let head = format!(
            "POST /v1/publish HTTP/1.1\r\nhost: localhost\r\nauthorization: Bearer {PUBLISH}\r\ncontent-type: application/json\r\n"
        );
        target.raw(format!("{head}{lines}\r\n\r\n{body}").as_bytes())
    };
    group.refused(
        "both lengths, `Content-Length` and chunks",
        post("content-length: 4\r\ntransfer-encoding: chunked", &format!("0\r\n\r\n{hidden}")),
    );
    group.refused(
        "the same the other way round",
        post("transfer-encoding: chunked\r\ncontent-length: 4", &format!("0\r\n\r\n{hidden}")),
    );
    group.refused("two lengths that differ", post("content-length: 2\r\ncontent-length: 200", "{}"));
    group.refused("a length with a sign", post("content-length: +2", "{}"));
    group.refused("a length below nothing", post("content-length: -2", "{}"));
    group.refused("a length beyond all numbers", post("content-length: 99999999999999999999999", "{}"));
    group.refused("a list of lengths", post("content-length: 2, 200", "{}"));
    group.refused("chunks under another name (`xchunked`)", post("transfer-encoding: xchunked", "0\r\n\r\n"));
    group.refused("chunks twice", post("transfer-encoding: chunked, identity", "0\r\n\r\n"));
    group.refused("a space before the colon", post("transfer-encoding : chunked", "0\r\n\r\n"));
    group.refused("a header that goes on in the next line", post("x: a\r\n transfer-encoding: chunked", "0\r\n\r\n"));
    group.refused("a chunk whose size is no number", post("transfer-encoding: chunked", "0x2\r\n{}\r\n0\r\n\r\n"));
    group.refused("a chunk larger than any number", post("transfer-encoding: chunked", "fffffffffffffffff\r\n{}"));
    group.refused("chunks that end in the middle", post("transfer-encoding: chunked", "5\r\n{"));
    group.refused("a null byte in a header", post("x: a\u{0}b\r\ncontent-length: 2", "{}"));
    group.refused("a line end in a header's name", post("x\ny: 1\r\ncontent-length: 2", "{}"));
    group.refused("no version", target.raw(b"GET /v1/health\r\n\r\n"));
    group.refused("another version", target.raw(b"GET /v1/health HTTP/3.0\r\nhost: localhost\r\n\r\n"));
    group.refused(
        "HTTP/2 without being asked",
        target.raw(b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n\x00\x00\x00\x04\x00\x00\x00\x00\x00"),
    );
    group.comes_to(
        "an upgrade to HTTP/2 (h2c): no upgrade, an answer by HTTP/1.1",
        target.request("GET /v1/health", &[("upgrade", "h2c"), ("http2-settings", "AAMAAABkAARAAAAAAAIAAAAA")], ""),
        "200",
    );
    group.refused("a TLS greeting to a plain port", target.raw(b"\x16\x03\x01\x00\x05\x01\x00\x00\x01\x00"));
    group.refused("rubbish", target.raw(&(0..=255).collect::<Vec<u8>>()));
    let websocket = |lines: &str| {
        let head = format!("GET /v1/ws HTTP/1.1\r\nhost: localhost\r\nauthorization: Bearer {READ}\r\n");
        target.raw(format!("{head}{lines}\r\n\r\n").as_bytes())
    };
    group.refused(
        "a WebSocket without a key",
        websocket("connection: upgrade\r\nupgrade: websocket\r\nsec-websocket-version: 13"),
    );
    group.refused("a WebSocket of another version", websocket("connection: upgrade\r\nupgrade: websocket\r\nsec-websocket-version: 8\r\nsec-websocket-key: dGhlIHNhbXBsZSBub25jZQ=="));
    let mut socket = target.open_own(READ).expect("open");
    std::io::Write::write_all(socket.socket.get_mut(), &[0x81, 0x02, b'{', b'}']).expect("sent");
    group.refused("a WebSocket's frame without a mask", socket.end());
    let mut socket = target.open_own(READ).expect("open");
    std::io::Write::write_all(socket.socket.get_mut(), &[0x80, 0x80, 0, 0, 0, 0]).expect("sent");
    group.refused("a WebSocket's frame that goes on with nothing", socket.end());
    let mut socket = target.open_own(READ).expect("open");
    std::io::Write::write_all(
        socket.socket.get_mut(),
        &[0x81, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0, 0, 0, 0],
    )
    .expect("sent");
    group.refused("a WebSocket's frame of 2^64 bytes", socket.end());
    let mut socket = target.open_own(READ).expect("open");
    std::io::Write::write_all(socket.socket.get_mut(), &[0x81, 0x82, 0, 0, 0, 0, 0xff, 0xfe]).expect("sent");
    group.refused("a WebSocket's text that is none", socket.end());
}
