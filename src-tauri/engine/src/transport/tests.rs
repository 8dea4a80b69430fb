//! Transports against scripted peers: each failure has its name.

mod contract;
mod headers;
#[cfg(unix)]
mod site;
#[cfg(unix)]
mod ways;

use std::time::Duration;

use futures_util::{SinkExt, StreamExt};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::{TcpListener, TcpStream},
    sync::mpsc::{Receiver, Sender, channel},
};
use tokio_tungstenite::{
    accept_async,
    tungstenite::{
        Message,
        protocol::{CloseFrame, frame::coding::CloseCode},
    },
};
use watchfloor_feed::{Header, HeaderValue, Response, Secret};

use super::*;

mod posts;

/// Longer than anything here takes; reaching it fails the test.
const PATIENCE: Duration = Duration::from_secs(20);

async fn within<T>(work: impl Future<Output = T>) -> T {
    tokio::time::timeout(PATIENCE, work).await.expect("the other side did nothing")
}

/// A listener that lets each connection go once it was asked something, by a reset or in order.
async fn abrupt(reset: bool) -> u16 {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let port = listener.local_addr().unwrap().port();
    tokio::spawn(async move {
        while let Ok((mut stream, _)) = listener.accept().await {
            let mut head = Vec::new();
            // What is left unread would make the end a reset.
            while !head.ends_with(b"\r\n\r\n") && stream.read_buf(&mut head).await.is_ok_and(|bytes| bytes > 0) {}
            if reset {
                stream.set_zero_linger().unwrap();
            }
        }
    });
    port
}

/// A port that nobody listens on any more.
async fn free_port() -> u16 {
    TcpListener::bind("127.0.0.1:0").await.unwrap().local_addr().unwrap().port()
}

fn request(url: &str) -> Request {
    let token = Header { name: "authorization".into(), value: HeaderValue::Bearer(Secret::new("s3cret")) };
    Request::get(url.parse().unwrap()).with(vec![token])
}

/// Whether a request has come to its end, a posted body included.
fn is_whole(request: &[u8]) -> bool {
    let text = String::from_utf8_lossy(request);
    let Some((head, body)) = text.split_once("\r\n\r\n") else { return false };
    let length = head.lines().find_map(|line| line.strip_prefix("content-length: ")?.parse().ok());
    body.len() >= length.unwrap_or(0)
}

/// A server that answers each connection with the same text, and tells what it was asked.
async fn scripted(answer: &'static str) -> (u16, Receiver<String>) {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let port = listener.local_addr().unwrap().port();
    let (asked, questions) = channel(16);
    tokio::spawn(async move {
        while let Ok((mut stream, _)) = listener.accept().await {
            let mut head = Vec::new();
            // A secure greeting has no such end: whoever speaks it is answered at once.
            while !is_whole(&head)
                && head.first() != Some(&0x16)
                && stream.read_buf(&mut head).await.is_ok_and(|bytes| bytes > 0)
            {}
            let _gone = asked.send(String::from_utf8_lossy(&head).into_owned()).await;
            let _gone = stream.write_all(answer.as_bytes()).await;
        }
    });
    (port, questions)
}

fn doors() -> Arc<Doors> {
    Doors::new(Clock::start())
}

/// Opens a link and tells how that failed.
async fn failure(transport: Transport, url: &str) -> LinkFault {
    let (inputs, mut heard) = inputs();
    let _link = doors().open(LinkId(7), transport, request(url), inputs);
    match within(heard.recv()).await {
        Some(Input::Failed { link: LinkId(7), fault }) => fault,
        other => panic!("{url}: {other:?}"),
    }
}

/// A connection that ends during the handshake broke no rule of the protocol, and says so shortly: the head of the wall has
/// one line for it.
#[tokio::test]
async fn connections_that_end_during_the_handshake_are_no_breach() {
    for (reset, words) in [(true, "connection reset"), (false, "connection broken: closed during the handshake")] {
        let fault = failure(Transport::WebSocket, &format!("ws://127.0.0.1:{}/", abrupt(reset).await)).await;
        assert_eq!((fault.kind.clone(), fault.to_string().as_str()), (LinkFaultKind::Reset, words));
    }
}

/// Every way in which a door stays shut has its own name, by WebSocket as by SSE.
#[tokio::test]
async fn shut_doors_are_told_apart() {
    let http = |status, retry_after_s: Option<u64>, kind: Option<&str>| LinkFaultKind::Http {
        status,
        retry_after: retry_after_s.map(Duration::from_secs),
        content_type: kind.map(ToOwned::to_owned),
    };
    let answers = [
        ("HTTP/1.1 401 Unauthorized\r\ncontent-length: 0\r\n\r\n", http(401, None, None)),
        ("HTTP/1.1 503 Busy\r\nretry-after: 7\r\ncontent-length: 0\r\n\r\n", http(503, Some(7), None)),
        (
            "HTTP/1.1 200 OK\r\ncontent-type: text/html\r\ncontent-length: 13\r\n\r\n<html></html>",
            http(200, None, Some("text/html")),
        ),
    ];
    for (answer, expected) in answers {
        let (port, _questions) = scripted(answer).await;
        assert_eq!(failure(Transport::WebSocket, &format!("ws://127.0.0.1:{port}/v1/ws")).await.kind, expected);
        assert_eq!(failure(Transport::Sse, &format!("http://127.0.0.1:{port}/v1/sse")).await.kind, expected);
    }
    let port = free_port().await;
    let (plain, _questions) = scripted("HTTP/1.1 400 Bad Request\r\n\r\n").await;
    let (gone, _questions) = scripted("").await;
    for (transport, scheme) in [(Transport::WebSocket, "ws"), (Transport::Sse, "http")] {
        let check = |url: String, expected: fn(&LinkFaultKind) -> bool| async move {
            let fault = failure(transport, &url).await;
            assert!(expected(&fault.kind), "{url}: {fault:?}");
        };
        check(format!("{scheme}://127.0.0.1:{port}/"), |kind| *kind == LinkFaultKind::Refused).await;
        check(format!("{scheme}://{}.invalid/", "x".repeat(64)), |kind| *kind == LinkFaultKind::Dns).await;
        check(format!("{scheme}s://127.0.0.1:{plain}/"), |kind| *kind == LinkFaultKind::Tls).await;
        check(format!("{scheme}://127.0.0.1:{gone}/"), |kind| {
            matches!(kind, LinkFaultKind::Reset | LinkFaultKind::Other)
        })
        .await;
    }
}

async fn websocket(listener: &TcpListener) -> WebSocketServer {
    let (stream, _) = within(listener.accept()).await.unwrap();
    within(accept_async(stream)).await.unwrap()
}

type WebSocketServer = tokio_tungstenite::WebSocketStream<TcpStream>;

#[tokio::test]
async fn websockets_carry_both_ways() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("ws://{}/v1/ws", listener.local_addr().unwrap());
    let (inputs, mut heard) = inputs();
    let link = doors().open(LinkId(1), Transport::WebSocket, request(&url), inputs);
    let mut server = websocket(&listener).await;
    assert!(matches!(within(heard.recv()).await, Some(Input::Opened { link: LinkId(1) })));

    assert!(link.tell(Command::Send(watchfloor_feed::Message::text("subscribe".to_owned()))));
    assert_eq!(within(server.next()).await.unwrap().unwrap(), Message::text("subscribe"));
    // Nobody asked for it: it says nothing (H1).
    server.send(Message::Pong("".into())).await.unwrap();
    server.send(Message::text("event")).await.unwrap();
    let Some(Input::Text { text, .. }) = within(heard.recv()).await else { panic!("no text") };
    assert_eq!(text, "event");

    assert!(link.tell(Command::Ping));
    // The server answers the ping while it waits for the next message; it never comes.
    let pong = tokio::select! {
        input = within(heard.recv()) => input,
        message = async { loop { if !matches!(server.next().await, Some(Ok(Message::Ping(_)))) { break } } } => panic!("{message:?}"),
    };
    assert!(matches!(pong, Some(Input::Pong { .. })), "{pong:?}");

    server.close(Some(CloseFrame { code: CloseCode::Away, reason: "soon back".into() })).await.unwrap();
    let closed = within(heard.recv()).await;
    assert!(
        matches!(&closed, Some(Input::Closed { code: Some(1001), reason, .. }) if reason == "soon back"),
        "{closed:?}"
    );
}

/// H1: what a server says before it hangs up is heard, also if something was being sent to it: it may be why.
#[tokio::test]
async fn last_words_are_heard() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("ws://{}/", listener.local_addr().unwrap());
    for number in 0..20 {
        let (inputs, mut heard) = inputs();
        let link = doors().open(LinkId(number), Transport::WebSocket, request(&url), inputs);
        let mut server = websocket(&listener).await;
        server.send(Message::text("refused")).await.unwrap();
        drop(server);
        let mut told = Vec::new();
        while !matches!(told.last(), Some(Input::Closed { .. } | Input::Failed { .. })) {
            assert!(link.tell(Command::Ping), "it ends by itself: {told:?}");
            told.push(within(heard.recv()).await.unwrap());
        }
        assert!(matches!(&told[..2], [Input::Opened { .. }, Input::Text { .. }]), "{told:?}");
        assert!(link.tell(Command::Ping), "what has ended takes nothing, and has said so");
    }
}

/// A message over the bound ends the link by name (H5); a cut connection without a goodbye is a closed link.
#[tokio::test]
async fn broken_websockets_are_told() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("ws://{}/", listener.local_addr().unwrap());
    let (inputs, mut heard) = inputs();
    let _first = doors().open(LinkId(1), Transport::WebSocket, request(&url), inputs.clone());
    let mut server = websocket(&listener).await;
    let sending = tokio::spawn(async move { server.send(Message::text("x".repeat(MESSAGE_BYTES_MAX + 1))).await });
    assert!(matches!(within(heard.recv()).await, Some(Input::Opened { .. })));
    let failed = within(heard.recv()).await;
    assert!(matches!(&failed, Some(Input::Failed { fault, .. }) if fault.kind == LinkFaultKind::TooBig), "{failed:?}");
    sending.abort();

    let _second = doors().open(LinkId(2), Transport::WebSocket, request(&url), inputs);
    let server = websocket(&listener).await;
    drop(server);
    assert!(matches!(within(heard.recv()).await, Some(Input::Opened { .. })));
    let closed = within(heard.recv()).await;
    assert!(matches!(closed, Some(Input::Closed { link: LinkId(2), code: None, .. })), "{closed:?}");
}

/// A link that the feed gave up is let go at once, though the other side says nothing.
#[tokio::test]
async fn abandoned_links_are_let_go() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("ws://{}/", listener.local_addr().unwrap());
    let (inputs, mut heard) = inputs();
    let link = doors().open(LinkId(1), Transport::WebSocket, request(&url), inputs);
    let mut server = websocket(&listener).await;
    assert!(matches!(within(heard.recv()).await, Some(Input::Opened { .. })));
    drop(link);
    assert!(!matches!(within(server.next()).await, Some(Ok(_))));
}

/// H5: a feed that is busy makes its peer wait; nothing piles up and nothing is lost.
#[tokio::test]
async fn busy_feeds_make_their_peer_wait() {
    const MESSAGES: usize = 400;
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("ws://{}/", listener.local_addr().unwrap());
    let (inputs, mut heard) = inputs();
    let _link = doors().open(LinkId(1), Transport::WebSocket, request(&url), inputs);
    let mut server = websocket(&listener).await;
    let text = "x".repeat(1 << 18);
    let (sent, mut progress) = channel(MESSAGES);
    tokio::spawn(async move {
        for number in 0..MESSAGES {
            server.send(Message::text(text.clone())).await.unwrap();
            sent.send(number).await.unwrap();
        }
        server.next().await
    });
    // The peer comes to a halt: for a while nothing more can be sent, although 100 MB are to come.
    while tokio::time::timeout(Duration::from_millis(300), progress.recv()).await.is_ok() {}
    assert!(progress.is_empty());
    let mut texts = 0;
    while texts < MESSAGES {
        if let Some(Input::Text { text, .. }) = within(heard.recv()).await {
            assert_eq!(text.len(), 1 << 18);
            texts += 1;
        }
    }
}

#[tokio::test]
async fn event_streams_pass_on_their_bytes() {
    let (port, mut questions) = scripted(
        "HTTP/1.1 200 OK\r\ncontent-type: text/event-stream; charset=utf-8\r\nlast-event-id: 7\r\nconnection: close\r\n\r\n\
         data: 1\n\n",
    )
    .await;
    let (inputs, mut heard) = inputs();
    let url = format!("http://127.0.0.1:{port}/v1/sse?cursor=x");
    let _link = doors().open(LinkId(3), Transport::Sse, request(&url), inputs);
    let question = within(questions.recv()).await.unwrap();
    for part in ["GET /v1/sse?cursor=x HTTP/1.1", "accept: text/event-stream", "authorization: Bearer s3cret"] {
        assert!(question.contains(part), "{question}");
    }
    assert!(!question.contains("accept-encoding"), "{question}");
    assert!(matches!(within(heard.recv()).await, Some(Input::Opened { link: LinkId(3) })));
    let head = within(heard.recv()).await;
    assert!(matches!(&head, Some(Input::Head { head, .. }) if head.last_event_id.as_deref() == Some("7")), "{head:?}");
    let mut bytes = Vec::new();
    let closed = loop {
        match within(heard.recv()).await {
            Some(Input::Chunk { bytes: chunk, .. }) => bytes.extend_from_slice(&chunk),
            other => break other,
        }
    };
    assert_eq!(bytes, b"data: 1\n\n");
    assert!(matches!(closed, Some(Input::Closed { code: None, .. })), "{closed:?}");
}

/// A poll takes the answer that it asked for, bounded; anything else has its name.
#[tokio::test]
async fn polls_take_answers_only() {
    let ask = async |answer: &'static str, bytes_max| {
        let (port, mut questions) = scripted(answer).await;
        let (inputs, mut heard) = inputs();
        let url = format!("http://127.0.0.1:{port}/v1/poll?cursor=x");
        let _task = doors().ask(LinkId(4), request(&url), bytes_max, PATIENCE, inputs);
        let question = within(questions.recv()).await.unwrap();
        assert!(question.contains("authorization: Bearer s3cret"), "{question}");
        within(heard.recv()).await.unwrap()
    };
    let good = "HTTP/1.1 200 OK\r\ncontent-type: application/json; charset=utf-8\r\ncontent-length: 2\r\n\r\n{}";
    let answered = ask(good, 2).await;
    assert!(matches!(&answered, Input::Answered { link: LinkId(4), body, .. } if &**body == b"{}"), "{answered:?}");
    let page = "HTTP/1.1 200 OK\r\ncontent-type: text/html\r\ncontent-length: 13\r\n\r\n<html></html>";
    let busy = "HTTP/1.1 429 Busy\r\nretry-after: 7\r\ncontent-length: 0\r\n\r\n";
    let packed =
        "HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-encoding: gzip\r\ncontent-length: 1\r\n\r\n\x1f";
    for (answer, words) in [
        (good, "message too big: more than 1 bytes"),
        (page, "a login page or proxy?"),
        (busy, "asked too often"),
        (packed, "content encoding gzip, unasked"),
    ] {
        let failed = ask(answer, 1).await;
        let Input::Failed { link: LinkId(4), fault } = &failed else { panic!("{failed:?}") };
        assert!(fault.to_string().contains(words), "{fault}");
    }
}

/// H8: a token goes to its own origin only, and a redirection that never ends does.
#[tokio::test]
async fn redirections_are_followed_without_the_token() {
    let (port, mut questions) =
        scripted("HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length: 2\r\n\r\n{}").await;
    let answer = format!("HTTP/1.1 307 Moved\r\nlocation: http://127.0.0.1:{port}/there\r\ncontent-length: 0\r\n\r\n");
    let (first, mut first_questions) = scripted(answer.leak()).await;
    let response = fetched(&format!("http://127.0.0.1:{first}/here"), 100, PATIENCE).await.unwrap();
    assert_eq!((response.status, &*response.body), (200, &b"{}"[..]));
    assert!(first_questions.recv().await.unwrap().contains("s3cret"));
    let question = questions.recv().await.unwrap();
    assert!(question.starts_with("GET /there") && !question.contains("s3cret"), "{question}");

    let (round, _questions) = scripted("HTTP/1.1 302 Found\r\nlocation: /\r\ncontent-length: 0\r\n\r\n").await;
    let fault = fetched(&format!("http://127.0.0.1:{round}/"), 100, PATIENCE).await.unwrap_err();
    assert!(matches!(fault.kind, LinkFaultKind::Http { status: 302, .. }), "{fault:?}");
}

async fn fetched(url: &str, bytes_max: usize, timeout: Duration) -> Result<Response, LinkFault> {
    let (inputs, mut heard) = inputs();
    let _task = doors().fetch(FetchId(5), request(url), bytes_max, timeout, inputs);
    match within(heard.recv()).await {
        Some(Input::Fetched { fetch: FetchId(5), outcome }) => outcome,
        other => panic!("{url}: {other:?}"),
    }
}

/// H5: a document is bounded in bytes, announced or not, and in time; any status is an answer.
#[tokio::test]
async fn documents_are_bounded() {
    let body = "HTTP/1.1 503 Busy\r\nretry-after: 3\r\ncontent-length: 10\r\n\r\n0123456789";
    let unannounced = "HTTP/1.1 200 OK\r\nconnection: close\r\n\r\n0123456789";
    for (answer, bytes_max, status) in
        [(body, 10, Some(503)), (body, 9, None), (unannounced, 10, Some(200)), (unannounced, 9, None)]
    {
        let (port, _questions) = scripted(answer).await;
        match (fetched(&format!("http://127.0.0.1:{port}/"), bytes_max, PATIENCE).await, status) {
            (Ok(response), Some(status)) => {
                assert_eq!((response.status, &*response.body), (status, &b"0123456789"[..]));
                assert_eq!(response.retry_after.is_some(), status == 503);
            }
            (Err(fault), None) => assert_eq!(fault.kind, LinkFaultKind::TooBig),
            (other, _) => panic!("{answer}: {other:?}"),
        }
    }
    let silent = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}/", silent.local_addr().unwrap());
    let fault = fetched(&url, 10, Duration::from_millis(50)).await.unwrap_err();
    assert_eq!(fault.kind, LinkFaultKind::Timeout);
}

/// Bytes go both ways in clear, and an end in order is a close.
#[tokio::test]
async fn connections_of_a_protocols_own_carry_bytes() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("nats://{}", listener.local_addr().unwrap());
    let (inputs, mut heard) = inputs();
    let link = doors().open(LinkId(1), Transport::Tcp, request(&url), inputs);
    let (mut server, _) = within(listener.accept()).await.unwrap();
    assert!(matches!(within(heard.recv()).await, Some(Input::Opened { link: LinkId(1) })));
    assert!(link.tell(Command::Send(watchfloor_feed::Message::text("PING\r\n".to_owned()))));
    let mut asked = [0; 6];
    within(server.read_exact(&mut asked)).await.unwrap();
    assert_eq!(&asked, b"PING\r\n");
    server.write_all(b"PONG\r\n").await.unwrap();
    let Some(Input::Chunk { bytes, .. }) = within(heard.recv()).await else { panic!("no bytes") };
    assert_eq!(&*bytes, b"PONG\r\n");
    drop(server);
    let ended = within(heard.recv()).await;
    assert!(matches!(ended, Some(Input::Closed { code: None, .. })), "{ended:?}");
}

/// H8: whoever doesn't speak TLS where it is asked for, at once or later, gets no byte of what follows.
#[tokio::test]
async fn connections_without_the_tls_asked_for_are_refused() {
    for (scheme, begins) in [("rediss", true), ("nats", false)] {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("{scheme}://{}", listener.local_addr().unwrap());
        let (inputs, mut heard) = inputs();
        let link = doors().open(LinkId(1), Transport::Tcp, request(&url), inputs);
        let (mut server, _) = within(listener.accept()).await.unwrap();
        if !begins {
            assert!(matches!(within(heard.recv()).await, Some(Input::Opened { .. })));
            assert!(link.tell(Command::StartTls));
        }
        assert!(link.tell(Command::Send(watchfloor_feed::Message::text("s3cret".to_owned()))));
        server.write_all(b"-ERR what?\r\n").await.unwrap();
        let failed = within(heard.recv()).await;
        let Some(Input::Failed { fault, .. }) = &failed else { panic!("{failed:?}") };
        assert_eq!(fault.kind, LinkFaultKind::Tls, "{fault:?}");
        let mut sent = Vec::new();
        // The connection is let go; how doesn't matter.
        let _end = within(server.read_to_end(&mut sent)).await;
        assert!(!sent.windows(6).any(|part| part == b"s3cret"));
    }
}

/// A question to whoever signs for channels: a form with the token, and an answer of any status.
#[tokio::test]
async fn signatures_are_asked_for_with_the_token() {
    let (port, mut questions) =
        scripted("HTTP/1.1 403 No\r\ncontent-type: application/json\r\ncontent-length: 2\r\n\r\n{}").await;
    let (inputs, mut heard) = inputs();
    let url = format!("http://127.0.0.1:{port}/broadcasting/auth").parse().unwrap();
    let form = vec![("socket_id", "1.2".to_owned()), ("channel_name", "private-a&b".to_owned())];
    let _task = doors().exchange((LinkId(1), 7), url, form, Some(Secret::new("s3cret")), PATIENCE, inputs);
    let question = within(questions.recv()).await.unwrap();
    for part in ["POST /broadcasting/auth", "Bearer s3cret", "x-www-form-urlencoded", "channel_name=private-a%26b"] {
        assert!(question.contains(part), "{question}");
    }
    let heard = within(heard.recv()).await;
    let Some(Input::Exchanged { link: LinkId(1), number: 7, outcome: Ok(answer) }) = heard else { panic!("{heard:?}") };
    assert_eq!((answer.status, &*answer.body), (403, &b"{}"[..]));
}

/// A token that is a session goes as cookies, and what the site wants against forged requests is got where it asks for that.
#[tokio::test]
async fn signatures_are_asked_for_with_a_session() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let port = listener.local_addr().unwrap().port();
    let (asked, mut questions) = channel(16);
    // As Laravel answers: no token, a token, a signature.
    let answers = [
        "HTTP/1.1 419 unknown status\r\ncontent-length: 0\r\nconnection: close\r\n\r\n",
        "HTTP/1.1 204 No Content\r\nset-cookie: XSRF-TOKEN=ab%3D; path=/\r\nset-cookie: laravel_session=two; httponly\r\nconnection: close\r\n\r\n",
        "HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length: 2\r\nconnection: close\r\n\r\n{}",
    ];
    tokio::spawn(async move {
        for answer in answers {
            let Ok((mut stream, _)) = listener.accept().await else { return };
            let mut head = Vec::new();
            while !is_whole(&head) && stream.read_buf(&mut head).await.is_ok_and(|bytes| bytes > 0) {}
            let _gone = asked.send(String::from_utf8_lossy(&head).into_owned()).await;
            let _gone = stream.write_all(answer.as_bytes()).await;
        }
    });
    let (inputs, mut heard) = inputs();
    let url = format!("http://127.0.0.1:{port}/broadcasting/auth").parse().unwrap();
    let form = vec![("socket_id", "1.2".to_owned())];
    let token = Some(Secret::new("laravel_session=one"));
    let _task = doors().exchange((LinkId(1), 7), url, form, token, PATIENCE, inputs);
    for parts in [
        &["POST /broadcasting/auth", "cookie: laravel_session=one\r\n", "x-requested-with: XMLHttpRequest"][..],
        &["GET /sanctum/csrf-cookie", "cookie: laravel_session=one\r\n"],
        &[
            "POST /broadcasting/auth",
            "cookie: laravel_session=two; XSRF-TOKEN=ab%3D\r\n",
            "x-xsrf-token: ab=\r\n",
            "socket_id=1.2",
        ],
    ] {
        let question = within(questions.recv()).await.unwrap();
        assert!(parts.iter().all(|part| question.contains(part)), "{parts:?}: {question}");
        assert!(!question.contains("authorization"), "{question}");
    }
    let heard = within(heard.recv()).await;
    let Some(Input::Exchanged { outcome: Ok(answer), .. }) = heard else { panic!("{heard:?}") };
    assert_eq!(answer.status, 200);
}

/// What a poll is told besides a body: nothing new, or nothing at all.
#[tokio::test]
async fn polls_take_answers_without_a_body() {
    for (answer, is_unchanged) in [
        ("HTTP/1.1 304 Same\r\netag: \"a\"\r\nage: 3\r\n\r\n", true),
        ("HTTP/1.1 204 None\r\netag: \"a\"\r\nage: 3\r\n\r\n", false),
    ] {
        let (port, _questions) = scripted(answer).await;
        let (inputs, mut heard) = inputs();
        let asked = request(&format!("http://127.0.0.1:{port}/"));
        let _task = doors().ask(LinkId(4), asked, 10, PATIENCE, inputs);
        let answered = within(heard.recv()).await;
        let Some(Input::Answered { head, body, .. }) = &answered else { panic!("{answered:?}") };
        assert_eq!((head.is_unchanged, head.etag.as_deref(), body.len()), (is_unchanged, Some("\"a\""), 0));
        assert_eq!(head.age, Some(Duration::from_secs(3)));
    }
}
