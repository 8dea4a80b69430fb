//! What the published contract tests of server-sent events (`launchdarkly/sse-contract-tests`) say of HTTP, over real
//! sockets; and what they don't say: other statuses and types, `Retry-After`, whom a token is shown.
//!
//! Covered here: the method and the headers of a request, none and one `Last-Event-ID`, headers of one's own (a bearer), 204,
//! redirections (301 and 307, and 302, 303, 308 besides) with a `Location` that is good, empty and missing, events of any
//! size without delay. Requests with a body (POST, REPORT) have no use here. How long 204 holds is the feed's to know: see
//! `contract.rs` in its `protocols/sse`.

use super::*;

const STREAM: &str = "HTTP/1.1 200 OK\r\ncontent-type: text/event-stream\r\nconnection: close\r\n\r\ndata: Hello\n\n";

fn leak(text: String) -> &'static str {
    text.leak()
}

/// What came until the end: the bytes, or why there are none.
async fn streamed(request: Request) -> Result<Vec<u8>, LinkFault> {
    let (inputs, mut heard) = inputs();
    let _link = doors().open(LinkId(3), Transport::Sse, request, inputs);
    let mut bytes = Vec::new();
    loop {
        match within(heard.recv()).await {
            Some(Input::Opened { .. } | Input::Head { .. }) => {}
            Some(Input::Chunk { bytes: chunk, .. }) => bytes.extend_from_slice(&chunk),
            Some(Input::Closed { code: None, .. }) => return Ok(bytes),
            Some(Input::Failed { fault, .. }) => return Err(fault),
            other => panic!("{other:?}"),
        }
    }
}

fn at(port: u16) -> Request {
    request(&format!("http://127.0.0.1:{port}/stream?site=7"))
}

#[tokio::test]
async fn requests() {
    for id in [None, Some("abc"), Some("豆腐")] {
        let (port, mut questions) = scripted(STREAM).await;
        let mut request = at(port);
        let value = |id: &str| HeaderValue::Plain(id.to_owned().into());
        request.headers.extend(id.map(|id| Header { name: "last-event-id".into(), value: value(id) }));
        assert_eq!(streamed(request).await.unwrap(), b"data: Hello\n\n");
        let question = within(questions.recv()).await.unwrap();
        let lines: Vec<&str> = question.lines().collect();
        for line in [
            "GET /stream?site=7 HTTP/1.1",
            "accept: text/event-stream",
            "cache-control: no-cache",
            "authorization: Bearer s3cret",
        ] {
            assert!(lines.contains(&line), "{line} in {question}");
        }
        let told = lines.iter().find_map(|line| line.strip_prefix("last-event-id: "));
        assert_eq!(told, id, "{question}");
    }
}

/// Any type but the one, and any status but 200, is told as what it is; parameters and capitals change nothing.
#[tokio::test]
async fn answers_by_their_meaning() {
    for kind in ["text/event-stream;charset=utf-8", "Text/Event-Stream ; charset=ISO-8859-1", "text/event-stream;"] {
        let answer = format!("HTTP/1.1 200 OK\r\ncontent-type: {kind}\r\nconnection: close\r\n\r\n:\n");
        let (port, _questions) = scripted(leak(answer)).await;
        assert_eq!(streamed(at(port)).await.unwrap(), b":\n", "{kind}");
    }
    for (head, words) in [
        ("200 OK\r\ncontent-type: text/plain", "answered with text/plain, not with events"),
        ("200 OK\r\ncontent-type: text/event-streams", "answered with text/event-streams, not with events"),
        ("200 OK\r\ncontent-type: application/json, text/event-stream", "not with events"),
        ("200 OK\r\nx: y", "answered without a type"),
        ("200 OK\r\ncontent-type: text/html", "a login page or proxy?"),
        ("200 OK\r\ncontent-type: text/event-stream\r\ncontent-encoding: gzip", "content encoding gzip, unasked"),
        ("204 None\r\ncontent-type: text/event-stream", "asks not to come back"),
        ("205 Reset\r\ncontent-type: text/event-stream", "HTTP 205"),
        ("206 Part\r\ncontent-type: text/event-stream", "HTTP 206"),
        ("401 Who?\r\nwww-authenticate: Bearer", "no valid token"),
        ("403 No\r\nx: y", "access denied"),
        ("404 Where?\r\nx: y", "nothing at this address"),
        ("410 Gone\r\nx: y", "gone for good"),
        ("429 Busy\r\nretry-after: 7", "asked too often"),
        ("500 Broken\r\ncontent-type: text/event-stream", "server error"),
        ("503 Busy\r\nretry-after: 7", "server not available"),
    ] {
        let (port, _questions) = scripted(leak(format!("HTTP/1.1 {head}\r\ncontent-length: 0\r\n\r\n"))).await;
        let fault = streamed(at(port)).await.unwrap_err();
        assert!(fault.to_string().contains(words), "{head:?}: {fault}");
        let hint = match fault.kind {
            LinkFaultKind::Http { retry_after, .. } => retry_after.map(|span| span.as_secs()),
            _ => None,
        };
        assert_eq!(hint, head.contains("retry-after").then_some(7), "{head:?}");
    }
}

/// H8: every kind of redirection is followed, with the place; the token goes to its own origin only.
#[tokio::test]
async fn redirections() {
    for status in [301, 302, 303, 307, 308] {
        let (port, mut questions) = scripted(STREAM).await;
        let answer = |to: String| leak(format!("HTTP/1.1 {status} Moved\r\n{to}content-length: 0\r\n\r\n"));
        let (first, mut first_questions) =
            scripted(answer(format!("location: http://127.0.0.1:{port}/there\r\n"))).await;
        let mut request = at(first);
        let place = HeaderValue::Plain("abc".into());
        request.headers.push(Header { name: "last-event-id".into(), value: place });
        assert_eq!(streamed(request).await.unwrap(), b"data: Hello\n\n", "{status}");
        assert!(within(first_questions.recv()).await.unwrap().contains("s3cret"));
        let question = within(questions.recv()).await.unwrap();
        assert!(question.starts_with("GET /there HTTP/1.1"), "{status}: {question}");
        assert!(question.contains("last-event-id: abc") && !question.contains("s3cret"), "{status}: {question}");
        assert!(question.contains("accept: text/event-stream"), "{status}: {question}");

        for nowhere in ["", "location: \r\n"] {
            let (port, mut questions) = scripted(answer(nowhere.to_owned())).await;
            let fault = streamed(at(port)).await.unwrap_err();
            assert!(fault.to_string().contains("sent elsewhere"), "{status}: {fault}");
            let mut asked = 0;
            while questions.try_recv().is_ok() {
                asked += 1;
            }
            assert!((1..=REDIRECTS_MAX + 1).contains(&asked), "{status} {nowhere:?}: asked {asked} times");
        }
    }
}

/// Events of any size are passed on with their last byte, though the stream goes on.
#[tokio::test]
async fn sizes() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let port = listener.local_addr().unwrap().port();
    let (inputs, mut heard) = inputs();
    let _link = doors().open(LinkId(3), Transport::Sse, at(port), inputs);
    let (mut server, _) = within(listener.accept()).await.unwrap();
    let mut question = Vec::new();
    while !is_whole(&question) {
        within(server.read_buf(&mut question)).await.unwrap();
    }
    let head = "HTTP/1.1 200 OK\r\ncontent-type: text/event-stream\r\ntransfer-encoding: chunked\r\n\r\n";
    server.write_all(head.as_bytes()).await.unwrap();
    assert!(matches!(within(heard.recv()).await, Some(Input::Opened { .. })));
    assert!(matches!(within(heard.recv()).await, Some(Input::Head { .. })));
    for size in [1, 1023, 1024, 1025, 4094, 4096, 4098, 8189, 8192, 8195, 65_536, 1 << 20] {
        let event = format!("data: {}\n\n", "x".repeat(size));
        let chunk = format!("{:x}\r\n{event}\r\n", event.len());
        let sending = async { server.write_all(chunk.as_bytes()).await.unwrap() };
        let hearing = async {
            let mut bytes = 0;
            while bytes < event.len() {
                let Some(Input::Chunk { bytes: chunk, .. }) = within(heard.recv()).await else { panic!("no bytes") };
                bytes += chunk.len();
            }
            bytes
        };
        assert_eq!(tokio::join!(sending, hearing).1, event.len());
    }
}
