//! A site that says who may subscribe, for servers that leave that to others: a token is a JWT, good until its end, or until it is
//! taken back. It gives tokens as well, which don't live long.

use std::{
    net::{Ipv4Addr, SocketAddr},
    path::{Path, PathBuf},
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use anyhow::{Result, ensure};
use axum::{
    Json, Router,
    extract::State,
    http::{HeaderMap, StatusCode, header::AUTHORIZATION},
    routing::{get, post},
};
use serde_json::{Value, json};
use tokio::{net::TcpListener, task::JoinHandle};

use super::{
    jwt::{claims, jwt, now},
    peer::Offer,
    stand::keep_secret,
};

/// What signs them.
pub(super) const SECRET: &str = "interop";
/// By what the wall asks for tokens.
const LOGIN: &str = "interop-login";
/// How long those are good that it gives.
pub(super) const LIFE: Duration = Duration::from_secs(8);

/// What it knows.
#[derive(Default)]
struct Book {
    is_revoked: bool,
    /// It gives no token any more.
    is_shut: bool,
    /// By which token each question came since the first one that was good, and whether it was.
    asked: Vec<(String, bool)>,
    /// The tokens that it gave.
    given: Vec<String>,
}

/// A running one.
pub(super) struct Gate {
    address: SocketAddr,
    book: Arc<Mutex<Book>>,
    login: PathBuf,
    server: JoinHandle<()>,
}

impl Drop for Gate {
    fn drop(&mut self) {
        self.server.abort();
    }
}

fn locked(book: &Mutex<Book>) -> MutexGuard<'_, Book> {
    book.lock().unwrap_or_else(PoisonError::into_inner)
}

fn bearer(headers: &HeaderMap) -> &str {
    headers.get(AUTHORIZATION).and_then(|value| value.to_str().ok()?.strip_prefix("Bearer ")).unwrap_or_default()
}

/// A token that is good for this long, or for ever.
pub(super) fn token(life: Option<Duration>) -> Offer<String> {
    let now = now()?;
    // No two are the same.
    let mut claims = json!({ "sub": "wall", "jti": now.as_nanos().to_string() });
    if let Some(life) = life {
        claims["exp"] = (now + life).as_secs().into();
    }
    Ok(jwt(&claims, SECRET))
}

/// Whether a token is good now.
fn is_good(token: &str) -> bool {
    let Ok(now) = now() else { return false };
    claims(token, SECRET).is_some_and(|claims| claims["exp"].as_u64().is_none_or(|end| now.as_secs() < end))
}

async fn judge(State(book): State<Arc<Mutex<Book>>>, headers: HeaderMap) -> StatusCode {
    let (token, mut book) = (bearer(&headers), locked(&book));
    let is_good = !book.is_revoked && is_good(token);
    if is_good || !book.asked.is_empty() {
        book.asked.push((token.to_owned(), is_good));
    }
    if is_good { StatusCode::OK } else { StatusCode::FORBIDDEN }
}

async fn give(
    State(book): State<Arc<Mutex<Book>>>,
    headers: HeaderMap,
) -> std::result::Result<Json<Value>, StatusCode> {
    if bearer(&headers) != LOGIN {
        return Err(StatusCode::UNAUTHORIZED);
    }
    if locked(&book).is_shut {
        return Err(StatusCode::SERVICE_UNAVAILABLE);
    }
    // Its own end is after the one that is told: claims count whole seconds.
    let given = token(Some(LIFE + Duration::from_secs(1))).map_err(|_| StatusCode::INTERNAL_SERVER_ERROR)?;
    locked(&book).given.push(given.clone());
    Ok(Json(json!({ "token": given, "expires_in": LIFE.as_secs() })))
}

impl Gate {
    pub(super) async fn start(folder: &Path) -> Result<Self> {
        let login = folder.join("login");
        keep_secret(&login, LOGIN)?;
        let book = Arc::<Mutex<Book>>::default();
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await?;
        let address = listener.local_addr()?;
        let routes = Router::new().route("/judge", get(judge)).route("/token", post(give));
        let router = routes.with_state(Arc::clone(&book));
        let server = tokio::spawn(async move {
            let _ended = axum::serve(listener, router).await;
        });
        Ok(Self { address, book, login, server })
    }

    /// Where it says 200 to who may subscribe, and 403 to who mayn't.
    pub(super) fn judge(&self) -> String {
        format!("http://{}/judge", self.address)
    }

    /// What the board says of tokens that it gives.
    pub(super) fn board(&self) -> String {
        let (address, login) = (self.address, self.login.display());
        format!("token = {{ from = \"http://{address}/token\", secret = {{ file = \"{login}\" }} }}")
    }

    /// It gives no token, or does again.
    pub(super) fn shut(&self, is_shut: bool) {
        locked(&self.book).is_shut = is_shut;
    }

    /// No token is good any more.
    pub(super) fn revoke(&self) {
        locked(&self.book).is_revoked = true;
    }

    /// How many tokens of its own were shown to it.
    pub(super) fn shown(&self) -> usize {
        let book = locked(&self.book);
        book.given.iter().filter(|given| book.asked.iter().any(|(token, _)| token == *given)).count()
    }

    /// Who came last came by this token, and nobody since the first by one that wasn't good.
    pub(super) fn took(&self, token: &str) -> Result<()> {
        let book = locked(&self.book);
        ensure!(book.asked.last().is_some_and(|(last, _)| last == token), "the newest token wasn't shown");
        are_good(&book)
    }

    /// Nobody came by a token that wasn't good, since the first one that was.
    pub(super) fn none_ended(&self) -> Result<()> {
        are_good(&locked(&self.book))
    }
}

/// The same by the account of a server that looks at tokens itself.
pub(super) fn took(account: &Value, token: &str) -> Result<()> {
    ensure!(account["last"] == token, "the newest token wasn't shown");
    ensure!(account["refused"] == 0, "{} times a token was shown that wasn't good", account["refused"]);
    Ok(())
}

fn are_good(book: &Book) -> Result<()> {
    let bad = book.asked.iter().filter(|(_, is_good)| !is_good).count();
    ensure!(bad == 0, "{bad} times a token was shown that wasn't good");
    Ok(())
}
