//! The wall's page as WebDriver sees it.

use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail};
use fantoccini::Client;
use serde_json::{Value, json};

const ASK_EVERY: Duration = Duration::from_millis(50);

/// A page under WebDriver.
pub struct Page {
    client: Client,
}

/// What the driver answers while a document is replaced by another.
const ON_ITS_WAY: &str = "Could not parse script result";

impl Page {
    /// Of this session.
    #[must_use]
    pub fn new(client: Client) -> Self {
        Self { client }
    }

    /// Runs a script in the page; what it returns is JSON.
    ///
    /// # Errors
    /// If the page is gone or the script throws.
    pub async fn run(&self, script: &str, arguments: Vec<Value>) -> Result<Value> {
        self.client.execute(script, arguments).await.with_context(|| script.to_owned())
    }

    /// Calls a command of the app as the page itself does.
    ///
    /// # Errors
    /// If the app refuses it, with its words.
    pub async fn invoke(&self, command: &str, arguments: Value) -> Result<Value> {
        const SCRIPT: &str = "const [command, given, done] = arguments;\
            window.__TAURI_INTERNALS__.invoke(command, given).then((ok) => done({ ok }), (refused) => done({ refused: String(refused) }))";
        let mut answer = self.client.execute_async(SCRIPT, vec![json!(command), arguments]).await.context("invoke")?;
        match answer.get("refused") {
            Some(words) => bail!("{command} was refused: {words}"),
            None => Ok(answer["ok"].take()),
        }
    }

    /// Asks `condition`, the body of a function, until it returns something true; returns that.
    ///
    /// # Errors
    /// If it does not within `limit`; says what it returned last.
    pub async fn wait_for(&self, what: &str, condition: &str, limit: Duration) -> Result<Value> {
        let begun = Instant::now();
        loop {
            let found = match self.run(condition, Vec::new()).await {
                // The page was on its way elsewhere just then.
                Err(error) if begun.elapsed() < limit && format!("{error:#}").contains(ON_ITS_WAY) => Value::Null,
                found => found?,
            };
            let is_true = !matches!(found, Value::Null | Value::Bool(false));
            if is_true {
                return Ok(found);
            }
            if begun.elapsed() > limit {
                let page = self.run("return document.body.innerText.slice(0, 600)", Vec::new()).await?;
                bail!("{what} did not come within {limit:?}; the page says: {page}");
            }
            tokio::time::sleep(ASK_EVERY).await;
        }
    }

    /// Ends the session, and with it the program.
    ///
    /// # Errors
    /// If the driver is gone.
    pub async fn close(self) -> Result<()> {
        self.client.close().await.context("close")
    }
}
