//! Tokens from files, the environment and an address: what is read, renewed and refused.

#![allow(clippy::unwrap_used)] // a test that cannot go on panics

use std::fs;

use super::*;
use crate::secrets::SECRET_BYTES_MAX;

fn credentials(place: TokenSpec) -> Arc<Credentials> {
    let clock = Clock::start();
    Credentials::new("ops".into(), place, Doors::new(clock), clock)
}

fn held(path: &Path) -> TokenSpec {
    TokenSpec::Held(SecretSpec::File(path.to_str().unwrap().to_owned()))
}

async fn fault(place: TokenSpec) -> String {
    credentials(place).get(Duration::from_secs(5)).await.unwrap_err().text
}

fn jwt(claims: &str) -> String {
    format!("e30.{}.c2ln", BASE64_URL_SAFE_NO_PAD.encode(claims))
}

/// H8: each fault says where, what was found, what is expected and what to do, and nothing of what the file holds.
#[cfg(unix)]
#[tokio::test]
async fn files_are_checked() {
    use std::os::unix::fs::PermissionsExt;
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("token");
    let name = path.to_str().unwrap().to_owned();
    let missing = fault(held(&path)).await;
    assert_eq!(missing, format!("the file {name} is not there: create it, readable for this user alone"));
    assert!(fault(held(folder.path())).await.contains("is no file"));
    let write = |bytes: &[u8], mode| {
        fs::write(&path, bytes).unwrap();
        fs::set_permissions(&path, fs::Permissions::from_mode(mode)).unwrap();
    };
    for (bytes, mode, part) in [
        (&b"s3cret\n"[..], 0o644, "others may read the file"),
        (b"s3cret\n", 0o640, "(mode 0640): expected its owner alone: chmod 600"),
        (b"\n", 0o600, "holds nothing"),
        (b"s3cret\ns3cret2\n", 0o600, "holds several lines"),
        (b"s3cret s3cret", 0o600, "holds spaces"),
        ("s3crét".as_bytes(), 0o600, "other characters than ASCII"),
        (b"s3cret\xff", 0o600, "holds no text"),
        (&[b'x'; SECRET_BYTES_MAX + 1], 0o600, "holds too much"),
    ] {
        write(bytes, mode);
        let words = fault(held(&path)).await;
        assert!(words.contains(part) && words.contains(&name) && !words.contains("s3cr"), "{words}");
    }
    let before = Mark::of(&path);
    write(format!(" {}\n", jwt(r#"{"exp":4102444800}"#)).as_bytes(), 0o400);
    assert_ne!(Mark::of(&path), before);
    let good = credentials(held(&path)).get(Duration::from_secs(5)).await.unwrap();
    assert!(good.token.expose().starts_with("e30.") && matches!(good.expiry, Expiry::About(_)));
    assert!(!format!("{good:?}").contains("e30"));
    let unset = TokenSpec::Held(SecretSpec::Variable("WATCHFLOOR_NO_SUCH_TOKEN".into()));
    assert!(fault(unset).await.contains("WATCHFLOOR_NO_SUCH_TOKEN is not set"));
}

/// A credentials file of NATS is JWT and seed; one without the seed is several lines like any other.
#[test]
fn credentials_files() {
    let jwt = jwt(r#"{"exp":4102444800}"#);
    let whole = format!(
        "-----BEGIN NATS USER JWT-----\n{jwt}\n------END NATS USER JWT------\n\n*** IMPORTANT ***\n\n\
         -----BEGIN USER NKEY SEED-----\nSUAB\n------END USER NKEY SEED------\n"
    );
    assert_eq!(sound(&whole, "it holds").unwrap().expose(), format!("{jwt}:SUAB"));
    assert!(exp_of(&format!("{jwt}:SUAB")).is_some(), "its end is known");
    let half = whole.split("-----BEGIN USER").next().unwrap();
    assert!(sound(half, "it holds").unwrap_err().text.contains("several lines"));
}

/// What an address may answer, and until when its token is good; H8: nothing of a bad answer is repeated.
#[test]
fn answers_are_checked() {
    let own = credentials(TokenSpec::Fetched {
        url: "http://127.0.0.1/".into(),
        secret: SecretSpec::Variable("WATCHFLOOR_NO_SUCH_TOKEN".into()),
    });
    let asked = own.clock.now();
    let take =
        |status, body: &str, date| own.take(status, body.as_bytes(), Some(Duration::from_secs(7)), (asked, date));
    let expiry = |body: &str, date| take(200, body, date).unwrap().expiry;
    assert_eq!(expiry(r#"{"token":"s3cret","expires_in":60}"#, None), Expiry::At(asked.plus(Duration::from_secs(60))));
    // Whoever means for ever may say so.
    assert_eq!(expiry(r#"{"token":"s3cret","expires_in":1e300}"#, None), Expiry::At(asked.plus(LIFE_MAX)));
    assert_eq!(expiry(r#"{"token":"s3cret"}"#, None), Expiry::Unknown);
    // By the clock of who gave it, however wrong this machine's is.
    let dated = format!(r#"{{"token":"{}"}}"#, jwt(r#"{"exp":1000}"#));
    let date = Some(Timestamp::from_millis(940_000));
    assert_eq!(expiry(&dated, date), Expiry::About(asked.plus(Duration::from_secs(60))));
    for (status, body, part) in [
        (503, "", "HTTP 503"),
        (401, "s3cret", "the secret is refused (HTTP 401)"),
        (200, r#"{"token":["s3cret"]}"#, "answered with something else: expected {\"token\""),
        (200, r#"{"token":"s3cret","expires_in":"s3cret"}"#, "something else"),
        (200, "<html>s3cret", "a web page"),
        (200, "", "something else"),
        (200, r#"{"token":"s3cret s3cret"}"#, "the address gave spaces"),
        (200, r#"{"token":""}"#, "the address gave nothing"),
        (200, r#"{"token":"s3cret","expires_in":0}"#, "`expires_in` is 0"),
        (200, r#"{"token":"s3cret","expires_in":-5}"#, "`expires_in` is -5"),
        (200, r#"{"token":"s3cret","expires_in":-1e300}"#, "`expires_in` is -315360000:"),
    ] {
        let fault = take(status, body, None).unwrap_err();
        assert!(fault.text.contains(part) && !fault.text.contains("s3cret"), "{fault:?}");
        assert_eq!((fault.denied, fault.retry_after.is_some()), (status == 401, status == 503), "{fault:?}");
    }
}
