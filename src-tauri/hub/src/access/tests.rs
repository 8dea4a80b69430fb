//! Readers' tokens: what is let in, until when, and to which channels.

use base64::{Engine, prelude::BASE64_URL_SAFE_NO_PAD as BASE64};
use serde_json::{Value, json};
use watchfloor_model::Timestamp;

use super::*;

const KEY: &[u8; 32] = b"0123456789abcdef0123456789abcdef";

fn now() -> Now {
    let wall = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).expect("after 1970");
    let wall = Timestamp::from_millis(i64::try_from(wall.as_millis()).expect("in range"));
    Now { mono: Mono::from_millis(5000), wall }
}

fn seconds(from_now: i64) -> i64 {
    now().wall.as_millis() / 1000 + from_now
}

fn signed(header: &Value, claims: &Value, key: &[u8]) -> String {
    let message = format!("{}.{}", BASE64.encode(header.to_string()), BASE64.encode(claims.to_string()));
    let tag = hmac::sign(&hmac::Key::new(hmac::HMAC_SHA256, key), message.as_bytes());
    format!("{message}.{}", BASE64.encode(tag))
}

fn token(claims: &Value) -> String {
    signed(&json!({"alg": "HS256", "typ": "JWT"}), claims, KEY)
}

fn readers() -> Readers {
    Readers { token: None, key: SigningKey::new(KEY) }
}

fn judge(token: &str) -> Result<Rights, Untaken> {
    readers().judge(token.as_bytes(), now())
}

/// H8: a good token is taken for what it names, and only by its key, algorithm, audience and time.
#[test]
fn only_good_tokens_are_taken() {
    let claims = json!({"exp": seconds(60), "channels": ["flights", "private-team.*"], "sub": "wall-7"});
    let rights = judge(&token(&claims)).expect("good");
    let left = rights.ends.expect("an end").since(now().mono);
    assert!((58..=60).contains(&left.as_secs()), "{left:?}");
    for (channel, allowed) in [
        ("flights", true),
        ("flights2", false),
        ("private-team.42", true),
        ("private-team.", true),
        ("private-team", false),
        ("weather", false),
        ("", false),
        ("*", false),
    ] {
        assert_eq!(rights.allows(channel), allowed, "{channel}");
    }
    assert!(judge(&token(&json!({"exp": seconds(60), "channels": ["*"]}))).expect("good").allows("x"));
    assert!(!judge(&token(&json!({"exp": seconds(60), "channels": []}))).expect("good").allows("x"));
    assert!(judge(&token(&json!({"exp": 1e12, "channels": ["x"]}))).is_ok());

    let good = token(&claims);
    let (message, tag) = good.rsplit_once('.').expect("parts");
    let other_claims = BASE64.encode(json!({"exp": seconds(60), "channels": ["*"]}).to_string());
    let head = |header: Value| signed(&header, &claims, KEY);
    let with = |name: &str, value: Value| {
        let mut claims = claims.clone();
        claims[name] = value;
        token(&claims)
    };
    for (token, part) in [
        (
            signed(&json!({"alg": "HS256"}), &claims, b"another key of thirty-two bytes!"),
            "not signed with this hub's key",
        ),
        (format!("{message}."), "not signed with this hub's key"),
        (message.to_owned(), "the token is none"),
        (format!("{message}.{}", &tag[..tag.len() - 3]), "not signed"),
        (format!("{}.{other_claims}.{tag}", BASE64.encode(r#"{"alg":"HS256","typ":"JWT"}"#)), "not signed"),
        (head(json!({"alg": "none"})), "the token can't be read"),
        (format!("{}.{other_claims}.", BASE64.encode(r#"{"alg":"none"}"#)), "the token can't be read"),
        (head(json!({"alg": "HS512"})), "expected HS256"),
        (head(json!({"alg": "RS256"})), "expected HS256"),
        (head(json!({"alg": "HS256", "crit": ["b64"], "b64": false})), "`crit`"),
        (with("exp", json!(seconds(-60))), "has expired"),
        (with("exp", json!("soon")), "the token can't be read"),
        (with("exp", Value::Null), "the token can't be read"),
        (with("nbf", json!(seconds(60))), "not valid yet"),
        (with("aud", json!("billing")), "for somebody else"),
        (with("channels", json!("flights")), "the token can't be read"),
        (with("channels", Value::Null), "the token can't be read"),
        (with("channels", json!(vec!["x"; CLAIMED_CHANNELS_MAX + 1])), "expected at most"),
        (String::new(), "the token is none"),
        ("a.b.c".to_owned(), "the token is none"),
        ("s3cret".to_owned(), "the token is none"),
    ] {
        let untaken = judge(&token).expect_err(part);
        assert!(untaken.message.contains(part), "{part}: {untaken:?}");
        let expected = if part == "has expired" { "token-expired" } else { "unauthorised" };
        assert_eq!(untaken.code, expected, "{part}");
    }
    assert!(judge(&with("aud", json!(["x", AUDIENCE]))).is_ok() && judge(&with("nbf", json!(seconds(-5)))).is_ok());
    // The clocks of those who sign and who judge are never the same.
    assert!(judge(&with("exp", json!(seconds(-2)))).is_ok_and(|rights| rights.ends == Some(now().mono)));
}

/// The token of all readers is good for everything; without any of both, everybody is.
#[test]
fn tokens_of_all_readers() {
    let only = Readers { token: Token::new("s3cret"), key: None };
    let rights = only.judge(b"s3cret", now()).expect("good");
    assert!(rights.allows("x") && rights.ends.is_none() && rights.closes() == Mono::NEVER);
    assert!(only.judge(b"s3cre", now()).is_err_and(|untaken| !untaken.message.contains("s3cre")));
    let both = Readers { token: Token::new("s3cret"), ..readers() };
    assert!(both.judge(b"s3cret", now()).is_ok());
    assert!(both.judge(token(&json!({"exp": seconds(9), "channels": ["x"]})).as_bytes(), now()).is_ok());
    assert!(
        Readers::default().admit(&HeaderMap::new(), now()).is_ok() && both.admit(&HeaderMap::new(), now()).is_err()
    );
    assert!(SigningKey::new(&KEY[1..]).is_none());
    assert_eq!(format!("{both:?}"), "Readers { token: Some(Token(***)), key: Some(SigningKey(***)) }");
}
