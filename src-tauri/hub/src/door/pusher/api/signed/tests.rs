//! H8: only what the application has signed, whole and now, is done.

use axum::http::Request;

use super::*;
use crate::app::AppConfig;

const BODY: &str = r#"{"name":"foo","channels":["project-3"],"data":"{\"some\":\"data\"}"}"#;
const QUERY: &str = "auth_key=278d425bdf160c739803&auth_timestamp=1353088179&auth_version=1.0&body_md5=ec365a775a4cd0599faeb73354201b6f";
const SIGNATURE: &str = "da454824c97ba181a32ccc17a72625ba02771f50b50e1e7430e47a1f3f457e6c";

fn check(uri: &str, body: &str, seconds: i64) -> Result<(), Refused> {
    let config = AppConfig {
        id: "3".to_owned(),
        key: "278d425bdf160c739803".to_owned(),
        secret: "7ad3773142a6692b25b8".to_owned(),
        ..AppConfig::default()
    };
    let app = App::new(&config, &[]).expect("sound");
    let (head, ()) = Request::post(uri).body(()).expect("a request").into_parts();
    let body = Taken::whole(body.to_owned().into());
    Signed::check(&[app], "3", &head, body, Timestamp::from_millis(seconds * 1000)).map(drop)
}

/// The example of Pusher's documentation, and what differs from it by one thing.
#[test]
fn the_documented_example() {
    let uri = format!("/apps/3/events?{QUERY}&auth_signature={SIGNATURE}");
    assert_eq!(check(&uri, BODY, 1_353_088_179), Ok(()));
    assert_eq!(check(&uri, BODY, 1_353_088_179 + 600), Ok(()));
    for (uri, body, seconds, part) in [
        (uri.clone(), BODY, 1_353_088_179 + 601, "clocks"),
        (uri.clone(), BODY, 1_353_088_179 - 601, "clocks"),
        (uri.clone(), "{}", 1_353_088_179, "`body_md5`"),
        (uri.replace("/events", "/batch_events"), BODY, 1_353_088_179, "`auth_signature` is not"),
        (uri.replace("1353088179", "1353088180"), BODY, 1_353_088_179, "`auth_signature` is not"),
        (format!("{uri}&info=user_count"), BODY, 1_353_088_179, "`auth_signature` is not"),
        (format!("{uri}&auth_key=x"), BODY, 1_353_088_179, "twice"),
        (uri.replace("auth_key=2", "auth_key=3"), BODY, 1_353_088_179, "`auth_key`"),
        (uri.replace("=1.0", "=2.0"), BODY, 1_353_088_179, "`auth_version`"),
        (format!("/apps/3/events?{QUERY}"), BODY, 1_353_088_179, "missing"),
        (uri.replace(SIGNATURE, ""), BODY, 1_353_088_179, "`auth_signature` is not"),
    ] {
        let refused = check(&uri, body, seconds).expect_err(&uri);
        assert_eq!(refused.status(), StatusCode::UNAUTHORIZED, "{uri}");
        assert!(refused.message().contains(part), "{uri}: {}", refused.message());
    }
}
