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

/// H8: a variable that is set gives its token, and one that holds something else is named without what it holds. A program can't change
/// its own environment safely, so this test runs itself in others.
#[cfg(unix)]
#[tokio::test]
async fn variables_are_read() {
    use std::{ffi::OsString, os::unix::ffi::OsStringExt, process::Command};
    const NAME: &str = "WATCHFLOOR_TOKEN_OF_A_TEST";
    const SAYS: &str = "said of it: ";
    let place = TokenSpec::Held(SecretSpec::Variable(NAME.into()));
    if std::env::var_os(NAME).is_some() {
        let own = credentials(place).get(Duration::from_secs(5)).await;
        match &own {
            Ok(good) => {
                assert!(!format!("{good:?}").contains("s3cr"));
                println!("{SAYS}{} {:?}", good.token.expose(), matches!(good.expiry, Expiry::About(_)));
            }
            Err(fault) => println!("{SAYS}{}", fault.text),
        }
        return;
    }
    let dated = jwt(r#"{"exp":4102444800}"#);
    let long = "s3cret".repeat(SECRET_BYTES_MAX);
    for (held, says) in [
        (&b"s3cret"[..], "s3cret false"),
        (b" s3cret\n", "s3cret false"),
        (dated.as_bytes(), &*format!("{dated} true")),
        (b"", "holds nothing"),
        (b"s3cret\ns3cret2", "holds several lines"),
        (b"s3cret s3cret", "holds spaces"),
        ("s3cr\u{e9}t".as_bytes(), "other characters than ASCII"),
        (long.as_bytes(), "holds too much"),
        (b"s3cret\xff", "other characters than ASCII"),
    ] {
        let itself = std::env::current_exe().unwrap();
        let mut command = Command::new(itself);
        command.args(["--exact", "credentials::tests::variables_are_read", "--nocapture"]);
        let told = command.env(NAME, OsString::from_vec(held.to_vec())).output().unwrap();
        let text = String::from_utf8_lossy(&told.stdout).into_owned();
        let said = text.lines().find_map(|line| line.split_once(SAYS)).map(|(_, said)| said.to_owned());
        let said = said.unwrap_or_else(|| panic!("{says}: {text} {}", String::from_utf8_lossy(&told.stderr)));
        assert!(told.status.success(), "{said}");
        match says.strip_suffix(" true").or(says.strip_suffix(" false")) {
            Some(_) => assert_eq!(said, says),
            None => assert!(said.contains(says) && said.contains(NAME) && !said.contains("s3cr"), "{said}"),
        }
    }
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
