//! Much of everything.

use serde_json::json;
use tokio_tungstenite::tungstenite::Message;

use crate::{
    Group,
    target::{PUBLISH, READ, Target},
};

pub(crate) fn attack(target: &Target, group: &mut Group<'_>) {
    let publish = |body: &str| target.post("/v1/publish", Some(PUBLISH), body);
    group.refused("a body of 9 MiB", publish(&format!("\"{}\"", "x".repeat(9 << 20))));
    let head = [
        ("content-type", "application/json"),
        ("content-length", "99999999999"),
        ("authorization", &*format!("Bearer {PUBLISH}")),
    ];
    group.refused("a body that is said to have 100 GB", target.request("POST /v1/publish", &head, "["));
    let chunks = "10000\r\n".to_owned() + &" ".repeat(0x10000) + "\r\n";
    let head = [
        ("content-type", "application/json"),
        ("transfer-encoding", "chunked"),
        ("authorization", &*format!("Bearer {PUBLISH}")),
    ];
    group.refused("chunks without end", target.request("POST /v1/publish", &head, &chunks.repeat(300)));
    let event = json!({"channel": "flights", "name": "n", "data": 1}).to_string();
    group.refused("10,001 events", publish(&format!("[{}]", vec![&*event; 10_001].join(","))));
    group.refused(
        "data of more than 1 MiB",
        publish(&json!({"channel": "flights", "name": "n", "data": "x".repeat(1 << 20)}).to_string()),
    );
    let nested = format!(r#"{{"channel":"flights","name":"n","data":{}{}}}"#, "[".repeat(100_000), "]".repeat(100_000));
    group.refused("100,000 levels of lists", publish(&nested));
    group.refused("the same, unclosed", publish(&"[".repeat(200_000)));
    group.refused("a number beyond all numbers", publish(r#"{"channel":"flights","name":"n","data":1e999}"#));
    group.refused("half of a pair of surrogates", publish(r#"{"channel":"flights","name":"\ud800","data":1}"#));
    let head = [
        ("content-type", "application/json"),
        ("content-encoding", "gzip"),
        ("content-length", "3"),
        ("authorization", &*format!("Bearer {PUBLISH}")),
    ];
    group.refused("a compressed body (a compression bomb)", target.request("POST /v1/publish", &head, "\u{1f}\u{8}x"));
    let cursor: Vec<String> = (0..257).map(|number| format!("c{number}~")).collect();
    group.refused("257 channels", target.get(&format!("/v1/poll?cursor={}", cursor.join("|")), Some(READ)));
    group.refused("an address of 1 MB", target.get(&format!("/v1/poll?cursor={}", "c".repeat(1_000_000)), Some(READ)));
    let many: Vec<String> = (0..1000).map(|number| format!("x-{number}")).collect();
    let many: Vec<(&str, &str)> = many.iter().map(|name| (name.as_str(), "x")).collect();
    group.refused("1,000 headers", target.request("GET /v1/health", &many, ""));
    let large = "x".repeat(1_000_000);
    group.refused("a header of 1 MB", target.request("GET /v1/health", &[("x", &large)], ""));
    group.refused("a key of 201 characters", {
        let key = "k".repeat(201);
        let length = event.len().to_string();
        let head = [
            ("content-type", "application/json"),
            ("content-length", &*length),
            ("idempotency-key", &*key),
            ("authorization", &*format!("Bearer {PUBLISH}")),
        ];
        target.request("POST /v1/publish", &head, &event)
    });
    let mut socket = target.open_own(READ).expect("open");
    let _ = socket.socket.send(Message::text("x".repeat(65 << 10)));
    group.refused("a frame of 65 KiB by WebSocket", socket.end());
    let mut socket = target.open_own(READ).expect("open");
    let _ = socket.socket.send(Message::binary(vec![0; 10]));
    group.refused("a binary frame by WebSocket", socket.end());
    let mut socket = target.open_own(READ).expect("open");
    socket.send(&json!({"type": "subscribe", "channels": (0..257).map(|number| (format!("c{number}"), json!(null))).collect::<serde_json::Map<_, _>>()}));
    group.refused("257 channels by WebSocket", socket.end());
    let opened = target.open(
        "/v1/ws",
        &[
            ("authorization", &format!("Bearer {READ}")),
            ("sec-websocket-extensions", "permessage-deflate; client_max_window_bits"),
        ],
    );
    let result = match opened {
        Ok(mut socket) => {
            // A frame with the bit of that extension set, masked by zeros.
            let frame = [0xc1, 0x84, 0, 0, 0, 0, b'{', b'}', b'{', b'}'];
            std::io::Write::write_all(socket.socket.get_mut(), &frame).expect("sent");
            socket.end()
        }
        Err(refusal) => refusal,
    };
    group.refused("compressed frames, which weren't agreed upon", result);
    let fast =
        |count: usize| publish(&json!(vec![json!({"channel": "slow", "name": "n", "data": 1}); count]).to_string());
    group.refused("more events at once than a channel takes a second", fast(3));
}
