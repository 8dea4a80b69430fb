//! One document over HTTP, bounded in bytes and time.

use std::time::Duration;

use bytes::{Bytes, BytesMut};
use futures_util::StreamExt;
use http_body_util::BodyExt;
use hyper::{
    HeaderMap, Method,
    body::Body,
    header::{ACCEPT, AUTHORIZATION, CONTENT_TYPE, HeaderValue},
};
use url::Url;
use watchfloor_feed::{LinkFault, LinkFaultKind, Request, Response, Secret};
use watchfloor_model::Timestamp;

use super::{
    Doors,
    cookies::{self, Cookies},
    fault, head,
    http::{self, Answer, Ask, From, Http},
};

/// The longest answer of whoever signs for channels, in bytes.
const SIGNATURE_BYTES_MAX: usize = 64 << 10;

/// Fetches the document. An answer of any status is an answer.
pub(super) async fn run(
    doors: &Doors,
    request: &Request,
    body_bytes_max: usize,
    timeout: Duration,
) -> Result<Response, LinkFault> {
    within(timeout, exchange(doors, request, body_bytes_max)).await
}

/// What an address gave for a secret.
#[derive(Debug)]
pub(crate) struct Given {
    pub(crate) status: u16,
    pub(crate) retry_after: Option<Duration>,
    /// What the other side's clock showed (RFC 9110, section 6.6.1).
    pub(crate) date: Option<Timestamp>,
    pub(crate) body: Bytes,
}

/// Where an answer sends whoever asks, as far as people are told: a path may hold a secret.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Elsewhere {
    /// To another origin, which is this one.
    Origin(String),
    /// To another path of the same one.
    Path,
    /// To what is no address.
    Nowhere,
}

/// What came of a text that was posted.
#[derive(Debug)]
pub(crate) struct Posted {
    pub(crate) status: u16,
    pub(crate) retry_after: Option<Duration>,
    /// It wasn't taken, and is to be posted there.
    pub(crate) elsewhere: Option<Elsewhere>,
}

/// Posts nothing but a secret. An answer of any status is an answer.
pub(super) async fn post(
    doors: &Doors,
    url: Url,
    secret: &Secret,
    body_bytes_max: usize,
    timeout: Duration,
) -> Result<Given, LinkFault> {
    let exchange = async {
        let headers = of_json(Some(secret))?;
        let ask = Ask { method: Method::POST, url, headers, body: None };
        let answer = doors.http().await?.send(ask).await?;
        Ok(Given {
            status: answer.status().as_u16(),
            retry_after: fault::retry_after(answer.headers(), doors.clock.wall()),
            date: fault::server_time(answer.headers()),
            body: body(answer, body_bytes_max).await?,
        })
    };
    within(timeout, exchange).await
}

/// Posts a JSON text, to this address alone: where it sends elsewhere that is told, and neither the text nor the token goes there. An answer
/// of any status is an answer.
pub(super) async fn post_json(
    doors: &Doors,
    url: Url,
    text: Bytes,
    secret: Option<&Secret>,
    timeout: Duration,
) -> Result<Posted, LinkFault> {
    let exchange = async {
        let mut headers = of_json(secret)?;
        headers.insert(CONTENT_TYPE, HeaderValue::from_static("application/json"));
        let ask = Ask { method: Method::POST, url: url.clone(), headers, body: Some(text) };
        let answer = doors.http().await?.send_here(ask).await?;
        let elsewhere = http::elsewhere(&url, &answer).map(|there| match there {
            Some(there) if there.origin() == url.origin() => Elsewhere::Path,
            Some(there) if there.origin().is_tuple() => Elsewhere::Origin(there.origin().ascii_serialization()),
            _ => Elsewhere::Nowhere,
        });
        Ok(Posted {
            status: answer.status().as_u16(),
            retry_after: fault::retry_after(answer.headers(), doors.clock.wall()),
            elsewhere,
        })
    };
    within(timeout, exchange).await
}

/// Posts a form to whoever signs for channels, showing the token: as a bearer, or as the cookies that it is. An answer of any status
/// is an answer.
pub(super) async fn sign(
    doors: &Doors,
    url: Url,
    form: &[(&'static str, String)],
    token: Option<&Secret>,
    timeout: Duration,
) -> Result<Response, LinkFault> {
    let exchange = async {
        let http = doors.http().await?;
        let sent: Bytes = url::form_urlencoded::Serializer::new(String::new()).extend_pairs(form).finish().into();
        let post = |mut headers: HeaderMap| {
            headers.insert(ACCEPT, HeaderValue::from_static("application/json"));
            headers.insert(CONTENT_TYPE, HeaderValue::from_static("application/x-www-form-urlencoded"));
            http.send(Ask { method: Method::POST, url: url.clone(), headers, body: Some(sent.clone()) })
        };
        let answer = match token.and_then(Cookies::of) {
            Some(cookies) => by_session(&http, &url, cookies, post).await?,
            None => post(of_json(token)?).await?,
        };
        let status = answer.status().as_u16();
        let retry_after = fault::retry_after(answer.headers(), doors.clock.wall());
        Ok(Response { status, retry_after, next: None, body: body(answer, SIGNATURE_BYTES_MAX).await? })
    };
    within(timeout, exchange).await
}

/// Headers of who asks for JSON, and shows a secret.
fn of_json(secret: Option<&Secret>) -> Result<HeaderMap, LinkFault> {
    let mut headers = HeaderMap::from_iter([(ACCEPT, HeaderValue::from_static("application/json"))]);
    if let Some(secret) = secret {
        let mut bearer = HeaderValue::try_from(format!("Bearer {}", secret.expose()))
            .map_err(|_| fault::bad_header("authorization"))?;
        bearer.set_sensitive(true);
        headers.insert(AUTHORIZATION, bearer);
    }
    Ok(headers)
}

/// Asks with a session's cookies; where the site wants the token against forged requests as well, that is got first.
async fn by_session<Sent>(
    http: &Http,
    url: &Url,
    mut cookies: Cookies,
    post: impl Fn(HeaderMap) -> Sent,
) -> Result<Answer, LinkFault>
where
    Sent: Future<Output = Result<Answer, LinkFault>>,
{
    let answer = post(cookies.headers(url)?).await?;
    if answer.status().as_u16() != cookies::CSRF_MISSING {
        return Ok(answer);
    }
    let there = cookies::csrf_address(url);
    let ask = Ask { method: Method::GET, url: there, headers: cookies.headers(url)?, body: None };
    let given = http.send(ask).await?;
    // What another site sets, to which this one may have sent on, is none of its cookies.
    if given.extensions().get::<From>().is_some_and(|from| from.0.origin() == url.origin()) {
        cookies.take(given.headers());
    }
    post(cookies.headers(url)?).await
}

/// Gives an exchange up that takes longer than it may.
pub(super) async fn within<T>(
    timeout: Duration,
    exchange: impl Future<Output = Result<T, LinkFault>>,
) -> Result<T, LinkFault> {
    let given_up = |_| Err(LinkFault::new(LinkFaultKind::Timeout, ""));
    tokio::time::timeout(timeout, exchange).await.unwrap_or_else(given_up)
}

async fn exchange(doors: &Doors, request: &Request, body_bytes_max: usize) -> Result<Response, LinkFault> {
    let answer = doors.send(request, &[("accept", "application/json")]).await?;
    let status = answer.status().as_u16();
    let retry_after = fault::retry_after(answer.headers(), doors.clock.wall());
    let next = head::next_page(answer.headers());
    Ok(Response { status, retry_after, next, body: body(answer, body_bytes_max).await? })
}

/// The whole body, unless it is longer than it may be.
pub(super) async fn body(answer: Answer, body_bytes_max: usize) -> Result<Bytes, LinkFault> {
    let too_big = || LinkFault::new(LinkFaultKind::TooBig, format!("more than {body_bytes_max} bytes"));
    if answer.body().size_hint().exact().is_some_and(|bytes| bytes > body_bytes_max as u64) {
        return Err(too_big());
    }
    if let Some(fault) = fault::of_packed(answer.headers()) {
        return Err(fault);
    }
    let mut body = BytesMut::new();
    let mut chunks = answer.into_body().into_data_stream();
    while let Some(chunk) = chunks.next().await {
        let chunk = chunk.map_err(|error| fault::of_http(&error, LinkFaultKind::Reset))?;
        if body.len() + chunk.len() > body_bytes_max {
            return Err(too_big());
        }
        body.extend_from_slice(&chunk);
    }
    Ok(body.freeze())
}
