//! Waiting for what must come, by looking.

use std::{
    thread,
    time::{Duration, Instant},
};

use anyhow::{Result, bail};

const LOOK_EVERY: Duration = Duration::from_millis(50);

/// Looks until something is found.
///
/// # Errors
/// If it is not within `limit`, or a look fails.
pub fn until<T>(what: &str, limit: Duration, look: impl FnMut() -> Result<Option<T>>) -> Result<T> {
    until_or(what, limit, look, || Ok(String::new()))
}

/// The same; what `told` says is added to what is said where it isn't found.
///
/// # Errors
/// As [`until`].
pub fn until_or<T>(
    what: &str,
    limit: Duration,
    mut look: impl FnMut() -> Result<Option<T>>,
    told: impl Fn() -> Result<String>,
) -> Result<T> {
    let begun = Instant::now();
    loop {
        if let Some(found) = look()? {
            return Ok(found);
        }
        if begun.elapsed() > limit {
            bail!("{what} is not there after {limit:?} {}", told()?);
        }
        thread::sleep(LOOK_EVERY);
    }
}

/// [`until`] where looking takes its time.
///
/// # Errors
/// As [`until`].
pub async fn until_told<T>(what: &str, limit: Duration, mut look: impl AsyncFnMut() -> Result<Option<T>>) -> Result<T> {
    let begun = Instant::now();
    loop {
        if let Some(found) = look().await? {
            return Ok(found);
        }
        if begun.elapsed() > limit {
            bail!("{what} is not there after {limit:?}");
        }
        tokio::time::sleep(LOOK_EVERY).await;
    }
}
