//! Transcripts of real servers: a short story of a kind, kept as data for the tests of the engine.

use std::{fs, path::Path, time::Duration};

use anyhow::{Context, Result};
use rustix::process::Signal;

use super::{
    peer::{Entry, Peer},
    stand::Stand,
};

/// How long a wall may take to find a cut line.
const FOUND_MAX: Duration = Duration::from_secs(8);

/// Some events, a cut with two more, one afterwards; then another life of the wall. Its transcripts and its board go into a folder of
/// `into` with the kind's name. Says why, if there is no such server here.
pub(super) async fn record<P: Peer>(into: &Path) -> Result<Option<String>> {
    let name: String = P::KIND.chars().map(|c| if c.is_ascii_alphanumeric() { c } else { '-' }).collect();
    let kept = into.join(name.replace("--", "-"));
    let folder = tempfile::tempdir()?;
    let transcripts = folder.path().join("transcripts");
    let arguments = vec!["--transcripts".to_owned(), transcripts.to_str().context("a path")?.to_owned()];
    let mut stand = match Stand::<P>::raise_with(&folder, &Entry::default(), arguments).await? {
        Ok(stand) => stand,
        Err(why) => return Ok(Some(why)),
    };
    stand.is_live("the beginning").await?;
    stand.publish(3).await?;
    stand.equals(None).await?;
    stand.line.set(|line| line.cut = true);
    stand.says(&["down", "stale"], FOUND_MAX).await?;
    stand.publish(2).await?;
    stand.line.set(|line| line.cut = false);
    stand.is_live("the wall again").await?;
    stand.publish(1).await?;
    stand.equals(None).await?;
    end(&mut stand).await?;
    stand.start_wall()?;
    stand.is_live("another life").await?;
    stand.publish(1).await?;
    stand.equals(None).await?;
    end(&mut stand).await?;
    if kept.exists() {
        fs::remove_dir_all(&kept)?;
    }
    fs::create_dir_all(&kept)?;
    fs::copy(folder.path().join("board.toml"), kept.join("board.toml"))?;
    for entry in fs::read_dir(&transcripts)? {
        let path = entry?.path();
        fs::copy(&path, kept.join(path.file_name().context("a name")?))?;
    }
    Ok(None)
}

/// A wall that is told to end has written its last line.
async fn end<P: Peer>(stand: &mut Stand<P>) -> Result<()> {
    stand.wall.signal(Signal::TERM)?;
    stand.wall.end().await.map(|_| ())
}
