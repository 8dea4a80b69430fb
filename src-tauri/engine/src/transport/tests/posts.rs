//! Polls of a protocol that sends as well.

use super::*;

/// A poll may ask for a type of its protocol's own; what is posted beside it is answered by itself, whatever the status; and what
/// a refusal says is read, as far as it goes.
#[tokio::test]
async fn polls_of_a_protocol_with_posts() {
    let header =
        |name: &'static str, value: &'static str| Header { name: name.into(), value: HeaderValue::Plain(value.into()) };
    let text = "HTTP/1.1 200 OK\r\ncontent-type: text/plain; charset=UTF-8\r\ncontent-length: 1\r\n\r\n6";
    let gone = "HTTP/1.1 400 Bad\r\ncontent-type: application/json\r\ncontent-length: 10\r\n\r\n{\"code\":1}";
    for (answer, accept) in [(text, "text/plain"), (text, "application/json"), (gone, "text/plain")] {
        let (port, mut questions) = scripted(answer).await;
        let (inputs, mut heard) = inputs();
        let url = format!("http://127.0.0.1:{port}/socket.io/").parse().unwrap();
        let request = Request { query: vec![("sid", Secret::new("s3cret"))], ..Request::get(url) };
        let poll = request.clone().with(vec![header("accept", accept)]);
        let _task = doors().ask(LinkId(4), poll, 100, PATIENCE, inputs.clone());
        let question = within(questions.recv()).await.unwrap();
        assert!(question.starts_with("GET /socket.io/?sid=s3cret HTTP"), "{question}");
        match within(heard.recv()).await {
            Some(Input::Answered { body, .. }) => assert!(answer == text && accept == "text/plain" && &*body == b"6"),
            Some(Input::Failed { fault, .. }) if answer == gone => assert_eq!(fault.text, "{\"code\":1}"),
            Some(Input::Failed { .. }) if accept != "text/plain" => {}
            other => panic!("{other:?}"),
        }
        let body = Some(watchfloor_feed::Message::text("3".to_owned()));
        let post = Request { body, ..request.with(vec![header("content-type", "text/plain; charset=UTF-8")]) };
        let _task = doors().ask_beside((LinkId(4), 0), post, 64 << 10, PATIENCE, inputs);
        let question = within(questions.recv()).await.unwrap();
        assert!(
            question.starts_with("POST /socket.io/?sid=s3cret HTTP") && question.ends_with("\r\n\r\n3"),
            "{question}"
        );
        assert!(question.contains("content-type: text/plain; charset=UTF-8"), "{question}");
        let heard = within(heard.recv()).await;
        let Some(Input::Exchanged { link: LinkId(4), number: 0, outcome: Ok(answered) }) = heard else {
            panic!("{heard:?}")
        };
        assert_eq!(answered.status, if answer == gone { 400 } else { 200 });
    }
}
