//! Readers' tokens: what is let in, until when, and to which channels.

use base64::{Engine, prelude::BASE64_URL_SAFE_NO_PAD as BASE64};
use ring::{
    hmac,
    rand::SystemRandom,
    signature::{ECDSA_P256_SHA256_FIXED_SIGNING, EcdsaKeyPair, Ed25519KeyPair, KeyPair as _},
};
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
    Readers { token: None, keys: Keys::new(SigningKey::new(KEY)) }
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
    let only = Readers { token: Token::new("s3cret"), keys: Keys::default() };
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
    assert_eq!(format!("{both:?}"), "Readers { token: Some(Token(***)), keys: [SigningKey(***)] }");
}

/// Signed by OpenSSL with the private key of [`RSA`]: good for `flights` until the year 2100.
const BY_RSA: &str = "eyJhbGciOiJSUzI1NiIsInR5cCI6IkpXVCJ9.eyJleHAiOjQxMDI0NDQ4MDAsImNoYW5uZWxzIjpbImZsaWdodHMiXX0.acysviwLARv1qgEZtWKxDjVfrhG5-fFskEG_DWdA0Y5nUDVv3Cfm1lA7ibD8TXywPicaPu8zmcFXRjFfU6IrfazoOZYz7K5jnH4ewkVtw20EUT4XghESg0tj0R9ShrD60skxQwvpfBbHcMun4ZYvMl03mqWl6CRd-mYzg3h6GoV54OLIBVXV9sDP-uDLKKzNsQ8N_UY6e2vjxLl7i6dcBE6f8XCMJLTgfs37AecMM7R4EquK4x26qW4dgY5mvWPEDwz-zVxh4eseHd80lFgByqGrghPmCvJG5o_Az3imqtOWyCoxaWb1zAar_dCUKm9ngcN_bpIAHHihcBhF8O7E3g";
const RSA: &str = "-----BEGIN PUBLIC KEY-----\nMIIBIjANBgkqhkiG9w0BAQEFAAOCAQ8AMIIBCgKCAQEAtx1bEf89VxK0W6Ai3IcX\n4hF3RN8ZNWYjkmRxU6iR0X6wO8QPZ9v+TvkX0IYfRD8h4DEctyc6TTSwY3+AfIrV\n2JsEtsGQoJ/nTNbOihIxlCVFnARKY/VX6y3ogwZG2u0zzBn33sTFvPFya3jTlQYS\nSr9F18MGF8xl2zpxCVZLN1Py9oG0MPOzX7NxX4lx7rn8ljPaWVRftyxkj/3Cefvl\nTxJPaplrLXdMnwbOsaTag0eyHSMT1uImx3JW02hADMV3ToM0vP7hWh+U2vMFHOwN\nzI4vAC4vqC8kkH7H3e49qjrOuc55YNVQFntJyhiuLTpAfjemmBWNYhA6l5CYZi8Y\nMQIDAQAB\n-----END PUBLIC KEY-----";

/// The token that `sign` makes of these claims.
fn by(header: &Value, claims: &Value, sign: impl FnOnce(&[u8]) -> Vec<u8>) -> String {
    let message = format!("{}.{}", BASE64.encode(header.to_string()), BASE64.encode(claims.to_string()));
    let tag = sign(message.as_bytes());
    format!("{message}.{}", BASE64.encode(tag))
}

/// What stands around the raw public key (RFC 5480, RFC 8410), and that in PEM.
fn pem(around: &[u8], key: &[u8]) -> String {
    let der = base64::prelude::BASE64_STANDARD.encode([around, key].concat());
    format!("-----BEGIN PUBLIC KEY-----\n{der}\n-----END PUBLIC KEY-----\n")
}

/// H8: each kind of key takes what it has signed, and nothing that was signed by another or in another way. A public key is no secret: what is
/// signed with it as if it were one is taken by nobody.
#[test]
fn kinds_of_keys() {
    let random = SystemRandom::new();
    let ed = Ed25519KeyPair::generate_pkcs8(&random).expect("a key");
    let ed = Ed25519KeyPair::from_pkcs8(ed.as_ref()).expect("a key");
    let ec = EcdsaKeyPair::generate_pkcs8(&ECDSA_P256_SHA256_FIXED_SIGNING, &random).expect("a key");
    let ec = EcdsaKeyPair::from_pkcs8(&ECDSA_P256_SHA256_FIXED_SIGNING, ec.as_ref(), &random).expect("a key");
    let around_ed = [0x30, 0x2a, 0x30, 0x05, 0x06, 0x03, 0x2b, 0x65, 0x70, 0x03, 0x21, 0x00];
    let around_ec = [
        0x30, 0x59, 0x30, 0x13, 0x06, 0x07, 0x2a, 0x86, 0x48, 0xce, 0x3d, 0x02, 0x01, 0x06, 0x08, 0x2a, 0x86, 0x48,
        0xce, 0x3d, 0x03, 0x01, 0x07, 0x03, 0x42, 0x00,
    ];
    let ed_pem = pem(&around_ed, ed.public_key().as_ref());
    let ec_pem = pem(&around_ec, ec.public_key().as_ref());
    let claims = json!({"exp": seconds(60), "channels": ["flights"]});
    let by_ed = by(&json!({"alg": "EdDSA"}), &claims, |message| ed.sign(message).as_ref().to_vec());
    let by_ec =
        by(&json!({"alg": "ES256"}), &claims, |message| ec.sign(&random, message).expect("signed").as_ref().to_vec());
    let tokens = [BY_RSA.to_owned(), by_ec, by_ed, token(&claims)];
    let keys = [
        SigningKey::public(Signing::Rs256, RSA.as_bytes()).expect("a key"),
        SigningKey::public(Signing::Es256, ec_pem.as_bytes()).expect("a key"),
        SigningKey::public(Signing::EdDsa, ed_pem.as_bytes()).expect("a key"),
        SigningKey::new(KEY).expect("a key"),
    ];
    let judged = |keys: Vec<SigningKey>, token: &str| {
        Readers { token: None, keys: Keys::new(keys) }
            .judge(token.as_bytes(), now())
            .map(|rights| rights.allows("flights"))
    };
    for (at, token) in tokens.iter().enumerate() {
        assert_eq!(judged(keys.to_vec(), token), Ok(true), "{token}");
        for (other, key) in keys.iter().enumerate() {
            assert_eq!(judged(vec![key.clone()], token).is_ok(), at == other, "{token}");
        }
        let mut changed = token.clone();
        let last = changed.rfind('.').expect("a signature") + 3;
        changed.replace_range(last..=last, if changed.as_bytes()[last] == b'A' { "B" } else { "A" });
        assert!(judged(keys.to_vec(), &changed).is_err(), "{changed}");
    }
    // A text that everybody knows must not do as a secret.
    for public in [RSA, &*ed_pem, &*ec_pem] {
        let forged = signed(&json!({"alg": "HS256"}), &claims, public.as_bytes());
        assert!(judged(keys[..3].to_vec(), &forged).is_err());
        assert!(judged(keys.to_vec(), &forged).is_err());
    }
    // A key that has a name judges no token that names another.
    let named = |key: &SigningKey| vec![key.clone().called("a")];
    let by_other = by(&json!({"alg": "EdDSA", "kid": "b"}), &claims, |message| ed.sign(message).as_ref().to_vec());
    assert!(judged(named(&keys[2]), &by_other).is_err_and(|untaken| untaken.message.contains("`kid`")));
    assert_eq!(judged(vec![keys[2].clone()], &by_other), Ok(true));
    assert_eq!(judged(named(&keys[2]), &tokens[2]), Ok(true));
    for (signing, text) in
        [(Signing::Rs256, &*ed_pem), (Signing::Es256, RSA), (Signing::EdDsa, "x"), (Signing::EdDsa, &*ec_pem)]
    {
        assert!(SigningKey::public(signing, text.as_bytes()).is_err_and(|why| why.contains("PEM")));
    }
}
