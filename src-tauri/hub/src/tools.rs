//! What the binary does as a client of a hub that runs: for who looks after one.

mod publish;
mod tail;
mod top;

use std::{
    fmt,
    io::{self, Write},
    path::PathBuf,
    time::Duration,
};

use anyhow::{Context, anyhow};
use clap::Args;
use reqwest::{Client, RequestBuilder, Response, StatusCode, Url};
use serde::Deserialize;

pub(crate) use self::{publish::Publish, tail::Tail, top::Top};
use crate::{Failure, secret::Secret};

/// The first and the longest wait before a hub is called again that couldn't be reached.
const RETRY_MIN: Duration = Duration::from_millis(200);
const RETRY_MAX: Duration = Duration::from_secs(5);
/// How long it may take to reach it.
const CONNECT_MAX: Duration = Duration::from_secs(5);

/// Which hub.
#[derive(Debug, Args)]
pub(crate) struct Target {
    /// Where the hub is.
    #[arg(long, value_name = "URL", default_value = "http://127.0.0.1:8787")]
    url: Url,
    /// A file that holds the token to present.
    #[arg(long, value_name = "FILE")]
    token_file: Option<PathBuf>,
}

impl Target {
    fn open(&self) -> Result<Hub, Failure> {
        let read = |path| Secret::of_file(path, "token")?.presented();
        let token = self.token_file.as_deref().map(read).transpose().map_err(Failure::Environment)?;
        // A program around this one that has installed another is served by that.
        let _installed = rustls::crypto::ring::default_provider().install_default();
        let client = Client::builder().connect_timeout(CONNECT_MAX).redirect(reqwest::redirect::Policy::none()).build();
        let client = client.context("no client can be made").map_err(Failure::Environment)?;
        Ok(Hub { client, url: self.url.clone(), token })
    }
}

/// A hub that is called.
struct Hub {
    client: Client,
    url: Url,
    token: Option<String>,
}

/// What became of a call.
enum Call {
    Answered(Response),
    /// It may go another time: the hub is away, or can't at present.
    Later(String),
}

/// What a hub says of what it doesn't take.
#[derive(Deserialize)]
struct Refusal {
    error: RefusalText,
}

#[derive(Deserialize)]
struct RefusalText {
    message: String,
}

impl Hub {
    fn at(&self, path: &str) -> Result<Url, Failure> {
        self.url.join(path).context("no such address").map_err(Failure::Environment)
    }

    fn get(&self, path: &str, query: &[(&str, &str)]) -> Result<RequestBuilder, Failure> {
        let mut url = self.at(path)?;
        url.query_pairs_mut().extend_pairs(query);
        Ok(self.presenting(self.client.get(url)))
    }

    fn post(&self, path: &str) -> Result<RequestBuilder, Failure> {
        Ok(self.presenting(self.client.post(self.at(path)?)))
    }

    fn presenting(&self, request: RequestBuilder) -> RequestBuilder {
        match &self.token {
            Some(token) => request.bearer_auth(token),
            None => request,
        }
    }

    /// Calls once.
    ///
    /// # Errors
    /// If the hub refuses: another call would be refused as well.
    async fn call(&self, request: RequestBuilder) -> Result<Call, Failure> {
        let response = match request.send().await {
            Ok(response) => response,
            Err(error) => return Ok(Call::Later(format!("the hub at {} can't be reached: {error:#}", self.url))),
        };
        let status = response.status();
        if status.is_success() {
            return Ok(Call::Answered(response));
        }
        let said = response.text().await.unwrap_or_default();
        let said = serde_json::from_str(&said).map_or_else(|_| said, |refusal: Refusal| refusal.error.message);
        let text = format!("the hub at {} says {status}: {}", self.url, Line(&said));
        match status {
            StatusCode::UNAUTHORIZED | StatusCode::FORBIDDEN => Err(Failure::Environment(anyhow!(text))),
            _ if status.is_server_error() || status == StatusCode::TOO_MANY_REQUESTS => Ok(Call::Later(text)),
            _ => Err(Failure::Input(text)),
        }
    }
}

/// How long is waited before each call of a row that fails.
struct Backoff(Duration);

impl Backoff {
    const fn new() -> Self {
        Self(RETRY_MIN)
    }

    async fn wait(&mut self) {
        tokio::time::sleep(self.0).await;
        self.0 = (self.0 * 2).min(RETRY_MAX);
    }
}

/// What came from elsewhere, in one line of a terminal: nothing in it moves the cursor or turns what follows around.
struct Line<'a>(&'a str);

impl fmt::Display for Line<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for character in self.0.chars() {
            let turns =
                matches!(character, '\u{200e}' | '\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}');
            if character.is_control() || turns {
                write!(f, "{}", character.escape_unicode())?;
            } else {
                write!(f, "{character}")?;
            }
        }
        Ok(())
    }
}

/// Writes a line where programs read. False if nobody does any more.
fn print(line: &dyn fmt::Display) -> Result<bool, Failure> {
    let mut out = io::stdout().lock();
    match writeln!(out, "{line}").and_then(|()| out.flush()) {
        Ok(()) => Ok(true),
        Err(error) if error.kind() == io::ErrorKind::BrokenPipe => Ok(false),
        Err(error) => Err(Failure::Environment(anyhow!(error).context("can't write"))),
    }
}

/// Says something to people. Without a stderr there is nobody to tell.
fn say(line: &dyn fmt::Display) {
    let _ = writeln!(io::stderr(), "watchfloor-hub: {line}");
}

/// Runs to the end, on one thread.
pub(crate) fn run(task: impl Future<Output = Result<(), Failure>>) -> Result<(), Failure> {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .context("the system gives no thread")
        .map_err(Failure::Environment)?;
    runtime.block_on(task)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// What is published can't write over what a person reads.
    #[test]
    fn lines() {
        assert_eq!(Line("a\nb\u{1b}[2J\u{202e}ü").to_string(), "a\\u{a}b\\u{1b}[2J\\u{202e}ü");
    }
}
