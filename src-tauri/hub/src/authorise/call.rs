//! One question to a site, signed, and what it answers.

use axum::http::StatusCode;
use ring::hmac;
use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;
use watchfloor_model::Timestamp;

use super::{Asker, Authorise, answers::Key};
use crate::{access::Named, limits, people::Person, site};

#[derive(Serialize)]
struct Question<'a> {
    channel: &'a str,
    app: Option<&'a str>,
    user: Option<&'a str>,
    claims: Option<&'a RawValue>,
    connection: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    token: Option<&'a str>,
}

#[derive(Deserialize)]
struct Answer<'a> {
    allow: bool,
    user: Option<Named>,
    #[serde(borrow)]
    info: Option<&'a RawValue>,
}

/// A yes, and who it is that may, if the site says so; or a no.
pub(super) type Said = Option<Option<Person>>;

fn person(user: Option<Named>, info: Option<&RawValue>) -> Result<Option<Person>, String> {
    let Some(user) = user else { return Ok(None) };
    let id = user.read("user")?;
    let info = info.map(RawValue::get).filter(|info| *info != "null");
    if let Some(info) = info.filter(|info| info.len() > limits::PERSON_BYTES_MAX) {
        return Err(format!("`info` has {} bytes: expected at most {}", info.len(), limits::PERSON_BYTES_MAX));
    }
    // Line ends are between tokens alone.
    Ok(Some(Person { id, info: info.map(|info| info.replace(['\n', '\r'], " ").into()) }))
}

/// Asks whether somebody may read.
///
/// # Errors
/// Why there is no answer, without what may be secret.
pub(super) async fn ask(
    client: &reqwest::Client,
    how: &Authorise,
    key: &Key,
    asker: &Asker,
    now: Timestamp,
) -> Result<Said, String> {
    let question = Question {
        channel: &key.channel,
        app: asker.app.as_deref(),
        user: asker.user.as_deref(),
        claims: asker.claims.as_deref().and_then(|claims| serde_json::from_str(claims).ok()),
        connection: &asker.connection,
        token: asker.token.as_ref().filter(|_| how.sends_token).map(|token| &*token.0),
    };
    let body = serde_json::to_string(&question).map_err(|error| error.to_string())?;
    let (time, signature) = signed(&how.secret, &body, now);
    let request = client
        .post(&*key.url)
        .header("content-type", "application/json")
        .header("x-watchfloor-time", time)
        .header("x-watchfloor-signature", signature)
        .body(body);
    let mut answer = request.send().await.map_err(site::reason)?;
    match answer.status() {
        StatusCode::OK => {}
        // What frameworks answer for no.
        StatusCode::FORBIDDEN => return Ok(None),
        status => return Err(format!("it answered {status}: expected 200 or 403")),
    }
    let mut body = Vec::new();
    while let Some(part) = answer.chunk().await.map_err(site::reason)? {
        body.extend_from_slice(&part);
        if body.len() > limits::AUTHORISE_BYTES_MAX {
            return Err(format!("its answer has more than {} bytes", limits::AUTHORISE_BYTES_MAX));
        }
    }
    let Answer { allow, user, info } = serde_json::from_slice(&body)
        .map_err(|error| format!("its answer can't be read: {error}: expected {{\"allow\": true}}"))?;
    Ok(if allow { Some(person(user, info)?) } else { None })
}

/// The time of a question, and the signature of both: `HMAC-SHA256(secret, "TIME.BODY")` in hexadecimal digits. A question that somebody has
/// recorded is old when he sends it again.
fn signed(secret: &hmac::Key, body: &str, now: Timestamp) -> (String, String) {
    let time = now.as_millis().to_string();
    let tag = hmac::sign(secret, format!("{time}.{body}").as_bytes());
    (time, hex::encode(tag))
}
