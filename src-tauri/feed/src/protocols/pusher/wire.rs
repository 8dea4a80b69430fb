//! What is said: frames, and the answers of whoever signs.

use std::borrow::Cow;

use serde::Deserialize;
use serde_json::{Value, json, value::RawValue};

use super::{channel::Access, key::Key};
use crate::{
    fault::{LinkFault, LinkFaultKind, cut},
    port::{Message, Response},
};

/// What Reverb calls whatever it doesn't understand.
pub(super) const INVALID_MESSAGE: i64 = 4200;
/// The longest answer to a question for a signature that is read, in bytes.
const SIGNATURE_BYTES_MAX: usize = 64 << 10;
/// The longest socket id, in bytes.
const SOCKET_BYTES_MAX: usize = 64;

/// One message.
#[derive(Debug, Deserialize)]
pub(super) struct Frame<'a> {
    #[serde(borrow)]
    pub(super) event: Cow<'a, str>,
    #[serde(borrow, default)]
    pub(super) channel: Option<Cow<'a, str>>,
    #[serde(borrow, default)]
    data: Option<&'a RawValue>,
}

impl<'a> Frame<'a> {
    /// What the data says. It comes as a text that holds JSON, as a text that doesn't, as it is, or not at all.
    pub(super) fn body(&self) -> Cow<'a, str> {
        let Some(data) = self.data else { return Cow::Borrowed("null") };
        let raw = data.get();
        if !raw.starts_with('"') {
            return Cow::Borrowed(raw);
        }
        serde_json::from_str(raw).map_or(Cow::Borrowed(raw), Cow::Owned)
    }

    pub(super) fn read<T: for<'de> Deserialize<'de>>(&self) -> Option<T> {
        serde_json::from_str(&self.body()).ok()
    }
}

#[derive(Deserialize)]
struct Established {
    socket_id: String,
}

/// By which name the connection is signed for.
pub(super) fn socket_id(frame: &Frame<'_>) -> Option<String> {
    let Established { socket_id } = frame.read()?;
    let is_good = |byte: u8| byte.is_ascii_digit() || byte == b'.';
    (!socket_id.is_empty() && socket_id.len() <= SOCKET_BYTES_MAX && socket_id.bytes().all(is_good))
        .then_some(socket_id)
}

/// An error, whatever of it was said.
#[derive(Clone, Debug)]
pub(super) struct Refusal {
    pub(super) code: Option<i64>,
    pub(super) message: String,
    /// It was said to be about who asks.
    pub(super) is_auth: bool,
}

impl Refusal {
    pub(super) fn of(frame: &Frame<'_>) -> Self {
        let data: Value = frame.read().unwrap_or_else(|| frame.body().into());
        let number = |key: &str| match &data[key] {
            Value::String(text) => text.parse().ok(),
            value => value.as_i64(),
        };
        let text = |key: &str| data[key].as_str().map(cut);
        let code = number("code").or_else(|| number("status"));
        let is_auth = data["type"] == "AuthError" || matches!(code, Some(401 | 403));
        let message = text("message").or_else(|| text("error")).or_else(|| data.as_str().map(cut));
        Self { code, message: message.unwrap_or_default(), is_auth }
    }

    pub(super) fn code(&self) -> String {
        self.code.map_or_else(String::new, |code| code.to_string())
    }
}

/// What the site signed.
#[derive(Clone)]
pub(super) struct Signature {
    auth: String,
    /// As it came: the signature covers its bytes.
    channel_data: Option<String>,
    pub(super) key: Option<Key>,
}

impl std::fmt::Debug for Signature {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("***")
    }
}

/// Why there is no signature.
#[derive(Debug)]
pub(super) enum Unsigned {
    /// This wall may not have that channel.
    Denied(String),
    /// It may pass.
    Failed(String),
    /// The same, and it was said when. Or another token is wanted.
    Later(LinkFault),
}

impl Unsigned {
    pub(super) fn text(&self) -> String {
        match self {
            Self::Denied(text) | Self::Failed(text) => text.clone(),
            Self::Later(fault) => fault.to_string(),
        }
    }

    /// Whether the answer was no.
    pub(super) const fn is_refusal(&self) -> bool {
        match self {
            Self::Denied(_) => true,
            Self::Failed(_) => false,
            Self::Later(fault) => matches!(fault.kind, LinkFaultKind::Http { status: 401, .. }),
        }
    }
}

#[derive(Deserialize)]
struct Signed {
    auth: String,
    #[serde(default)]
    channel_data: Option<String>,
    #[serde(default)]
    shared_secret: Option<String>,
}

/// Whose connection it is, as the site signed it.
pub(super) struct UserSignature {
    auth: String,
    /// As it came: the signature covers its bytes.
    user_data: String,
    pub(super) id: String,
}

#[derive(Deserialize)]
struct SignedUser {
    auth: String,
    user_data: String,
}

#[derive(Deserialize)]
struct User {
    id: Value,
}

/// A user's id as a text: sites give numbers or texts.
fn id_of(user_data: &str) -> Option<String> {
    let User { id } = serde_json::from_str(user_data).ok()?;
    match id {
        Value::String(text) => Some(text),
        Value::Number(number) => Some(number.to_string()),
        _ => None,
    }
    .filter(|id| !id.is_empty())
}

/// As whom the server has signed in, if it says so.
pub(super) fn user_id(frame: &Frame<'_>) -> Option<String> {
    let data: Value = frame.read()?;
    data["user_data"].as_str().and_then(id_of)
}

/// Reads the answer of whoever signs users in.
pub(super) fn user_signature(outcome: Result<Response, LinkFault>) -> Result<UserSignature, Unsigned> {
    let SignedUser { auth, user_data } = signed(outcome)?;
    let unnamed = || Unsigned::Failed("the answer has no `user_data` with an `id`".to_owned());
    let id = id_of(&user_data).ok_or_else(unnamed)?;
    Ok(UserSignature { auth, user_data, id })
}

/// Reads the answer of whoever signs for a channel.
pub(super) fn signature(outcome: Result<Response, LinkFault>, access: Access) -> Result<Signature, Unsigned> {
    let failed = Unsigned::Failed;
    let signed: Signed = signed(outcome)?;
    let key = signed.shared_secret.as_deref().and_then(Key::read);
    if access == Access::Encrypted && key.is_none() {
        return Err(failed("the answer has no `shared_secret` of 32 bytes in Base64".to_owned()));
    }
    if access == Access::Presence && signed.channel_data.is_none() {
        return Err(failed("the answer has no `channel_data`".to_owned()));
    }
    Ok(Signature { auth: signed.auth, channel_data: signed.channel_data, key })
}

/// What the site answered, if it is what was asked for.
fn signed<T: for<'de> Deserialize<'de>>(outcome: Result<Response, LinkFault>) -> Result<T, Unsigned> {
    let failed = Unsigned::Failed;
    let answer = outcome.map_err(|fault| failed(fault.to_string()))?;
    match answer.status {
        200 => {}
        status => {
            let kind = LinkFaultKind::Http { status, retry_after: answer.retry_after, content_type: None };
            let fault = LinkFault::new(kind, "");
            return Err(match status {
                403 => Unsigned::Denied(fault.to_string()),
                419 => failed("the site wants a CSRF token and gives none (HTTP 419)".to_owned()),
                status if status == 401 || answer.retry_after.is_some() => Unsigned::Later(fault),
                _ => failed(fault.to_string()),
            });
        }
    }
    let body = answer.body.get(..answer.body.len().min(SIGNATURE_BYTES_MAX)).unwrap_or_default();
    serde_json::from_slice(body)
        .map_err(|_| failed("the answer is no signature: a login page, or the wrong address?".to_owned()))
}

/// Asks for a channel. A signature isn't to be seen.
pub(super) fn subscribe(channel: &str, signature: Option<Signature>) -> Message {
    let mut data = json!({ "channel": channel });
    let is_signed = signature.is_some();
    if let Some(signature) = signature {
        data["auth"] = signature.auth.into();
        if let Some(about) = signature.channel_data {
            data["channel_data"] = about.into();
        }
    }
    let message = Message::text(json!({ "event": "pusher:subscribe", "data": data }).to_string());
    if is_signed { message.secret() } else { message }
}

/// Signs in. A signature isn't to be seen.
pub(super) fn sign_in(signature: &UserSignature) -> Message {
    let data = json!({ "auth": signature.auth, "user_data": signature.user_data });
    Message::text(json!({ "event": "pusher:signin", "data": data }).to_string()).secret()
}

/// Leaves a channel. There is no answer.
pub(super) fn unsubscribe(channel: &str) -> Message {
    Message::text(json!({ "event": "pusher:unsubscribe", "data": { "channel": channel } }).to_string())
}

/// Asks for a pong.
pub(super) fn ping() -> Message {
    Message::text(r#"{"event":"pusher:ping","data":{}}"#.to_owned())
}

/// Answers a ping.
pub(super) fn pong() -> Message {
    Message::text(r#"{"event":"pusher:pong","data":{}}"#.to_owned())
}
