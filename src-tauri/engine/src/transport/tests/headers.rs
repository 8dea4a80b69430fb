//! What a board says to its source alone: `headers`, and a token in a header of its own (H8).

use super::*;

fn asked(url: &str) -> Request {
    let token = Header { name: "x-api-key".into(), value: HeaderValue::Whole(Secret::new("s3cret")) };
    Request::get(url.parse().unwrap()).with(vec![token, Header::own("x-tenant".to_owned(), "north")])
}

/// Sends a request by one of the ways in which a source is reached by plain HTTP.
type Send = fn(Request, Inputs) -> Box<dyn std::any::Any>;

const WAYS: [(&str, &str, Send); 4] = [
    ("server-sent events", "http", |request, inputs| {
        Box::new(doors().open(LinkId(1), Transport::Sse, request, inputs))
    }),
    ("polls", "http", |request, inputs| Box::new(doors().ask(LinkId(1), request, 100, PATIENCE, inputs))),
    ("a site's own state", "http", |request, inputs| {
        Box::new(doors().fetch(FetchId(1), request, 100, PATIENCE, inputs))
    }),
    ("a WebSocket", "ws", |request, inputs| Box::new(doors().open(LinkId(1), Transport::WebSocket, request, inputs))),
];

const BUSY: &str = "HTTP/1.1 503 Busy\r\ncontent-length: 0\r\n\r\n";

/// The server sees them, each once and as it stands.
#[tokio::test]
async fn they_are_sent() {
    for (way, scheme, send) in WAYS {
        let (port, mut questions) = scripted(BUSY).await;
        let (inputs, _heard) = inputs();
        let _task = send(asked(&format!("{scheme}://127.0.0.1:{port}/")), inputs);
        let question = within(questions.recv()).await.unwrap();
        for line in ["x-api-key: s3cret", "x-tenant: north"] {
            let lines = question.lines().filter(|sent| sent.eq_ignore_ascii_case(line));
            assert_eq!(lines.count(), 1, "{way}: {question}");
        }
        assert!(!question.contains("Bearer"), "{way}: {question}");
    }
}

/// H8: where an answer sends to another origin, neither is shown there; within their own they are.
#[tokio::test]
async fn they_go_to_their_own_origin_only() {
    for (way, scheme, send) in &WAYS[..3] {
        let (there, mut questions) = scripted(BUSY).await;
        let moved =
            format!("HTTP/1.1 307 Moved\r\nlocation: http://127.0.0.1:{there}/there\r\ncontent-length: 0\r\n\r\n");
        let (port, mut first_questions) = scripted(moved.leak()).await;
        let (inputs, _heard) = inputs();
        let _task = send(asked(&format!("{scheme}://127.0.0.1:{port}/")), inputs.clone());
        let first = within(first_questions.recv()).await.unwrap();
        assert!(first.contains("x-api-key: s3cret") && first.contains("x-tenant: north"), "{way}: {first}");
        let question = within(questions.recv()).await.unwrap();
        assert!(question.starts_with("GET /there HTTP/1.1"), "{way}: {question}");
        assert!(!question.contains("x-api-key") && !question.contains("x-tenant"), "{way}: {question}");

        let (round, mut questions) =
            scripted("HTTP/1.1 307 Moved\r\nlocation: /round\r\ncontent-length: 0\r\n\r\n").await;
        let _task = send(asked(&format!("{scheme}://127.0.0.1:{round}/")), inputs);
        for path in ["/", "/round"] {
            let question = within(questions.recv()).await.unwrap();
            assert!(question.starts_with(&format!("GET {path} HTTP/1.1")), "{way}: {question}");
            assert!(
                question.contains("x-api-key: s3cret") && question.contains("x-tenant: north"),
                "{way}: {question}"
            );
        }
    }
}

/// H8: a token that can't be sent is told by its header, and not repeated.
#[tokio::test]
async fn what_cannot_be_sent_is_told() {
    for (way, scheme, send) in WAYS {
        let (port, _questions) = scripted(BUSY).await;
        let token = Header { name: "x-api-key".into(), value: HeaderValue::Whole(Secret::new("s3\ncret")) };
        let url = format!("{scheme}://127.0.0.1:{port}/").parse().unwrap();
        let (inputs, mut heard) = inputs();
        let _task = send(Request::get(url).with(vec![token]), inputs);
        let heard = format!("{:?}", within(heard.recv()).await.unwrap());
        assert!(heard.contains("the value of header x-api-key") && !heard.contains("cret"), "{way}: {heard}");
    }
}
