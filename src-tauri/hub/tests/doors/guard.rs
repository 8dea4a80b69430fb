//! H8: who may come in.

use reqwest::{RequestBuilder, StatusCode};
use serde_json::json;
use tokio::net::TcpListener;
use tokio_tungstenite::{
    connect_async,
    tungstenite::{self, client::IntoClientRequest},
};
use watchfloor_hub::{Hub, HubConfig, Token};

use crate::support::{Served, answer, error};

/// Names that lead here by a trick, and pages of other sites, are refused at every door.
#[tokio::test]
async fn foreign_hosts_and_pages() {
    let served = Served::start(HubConfig::default()).await;
    let port = served.address.split_once(':').expect("port").1;
    for (name, value, status) in [
        ("host", "evil.example".to_owned(), StatusCode::FORBIDDEN),
        ("host", format!("evil.example:{port}"), StatusCode::FORBIDDEN),
        ("host", format!("localhost:{port}"), StatusCode::OK),
        ("host", format!("[::1]:{port}"), StatusCode::OK),
        ("origin", "https://evil.example".to_owned(), StatusCode::FORBIDDEN),
        ("origin", format!("http://{}", served.address), StatusCode::OK),
    ] {
        let response =
            served.client.get(served.url("/v1/health")).header(name, &value).send().await.expect("an answer");
        assert_eq!(response.status(), status, "{name}: {value}");
        assert!(response.headers().keys().all(|name| !name.as_str().starts_with("access-control")));
    }
    let request = served.client.get(served.url("/v1/health")).header("host", "evil.example");
    let (_, body) = answer(request.send().await.expect("an answer")).await;
    assert_eq!(body, error("host", "`Host` is \"evil.example\": expected localhost, 127.0.0.1 or [::1]"));

    let mut request = format!("ws://{}/v1/ws", served.address).into_client_request().expect("request");
    request.headers_mut().insert("origin", "https://evil.example".parse().expect("header"));
    let Err(tungstenite::Error::Http(response)) = connect_async(request).await else { panic!("a page came in") };
    assert_eq!(response.status(), 403);
    served.stop().await;
}

/// Publishers need the token if there is one; readers don't.
#[tokio::test]
async fn tokens() {
    let publish_token = Token::new("s3cret");
    assert!(publish_token.is_some());
    let served = Served::start(HubConfig { publish_token, ..HubConfig::default() }).await;
    let missing = "`Authorization` is missing: expected `Bearer` and the publish token";
    let wrong = "the token is not this hub's publish token";
    let scheme = "`Authorization` has another scheme: expected `Bearer` and the publish token";
    let event = json!({"channel": "a", "name": "n", "data": 1});
    for (path, body) in [
        ("/v1/publish", event.clone()),
        ("/v1/alive", json!({"channels": ["a"]})),
        ("/v1/clock", json!({"system": true})),
    ] {
        for (authorization, message) in [
            (None, missing),
            (Some("Bearer s3cre"), wrong),
            (Some("Bearer s3cret2"), wrong),
            (Some("Bearer "), scheme),
            (Some("Basic s3cret"), scheme),
        ] {
            let mut request: RequestBuilder = served.client.post(served.url(path)).json(&body);
            if let Some(authorization) = authorization {
                request = request.header("authorization", authorization);
            }
            let response = request.send().await.expect("an answer");
            assert_eq!(response.headers()["www-authenticate"], "Bearer");
            let found = answer(response).await;
            assert_eq!(found, (StatusCode::UNAUTHORIZED, error("unauthorised", message)), "{path} {authorization:?}");
        }
        let request = served.client.post(served.url(path)).json(&body).header("authorization", "bearer s3cret");
        assert!(request.send().await.expect("an answer").status().is_success());
    }
    assert_eq!(served.get("/v1/health").await.0, StatusCode::OK);
    served.stop().await;
}

/// Without a token, nobody beyond this machine is served.
#[tokio::test]
async fn loopback_only_without_a_token() {
    let listener = TcpListener::bind("0.0.0.0:0").await.expect("a port");
    let error = Hub::new(HubConfig::default()).serve(listener, std::future::pending()).await.expect_err("refused");
    assert_eq!(error.kind(), std::io::ErrorKind::PermissionDenied);
    assert!(error.to_string().contains("needs a publish token"), "{error}");
}
