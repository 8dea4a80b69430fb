//! A secure line whose certificate is wrong, and bytes that are wrong on it.

use std::fs;

use anyhow::{Context, Result};

use super::{
    board::FOUND_MAX,
    outcome::{Expect, Outcome},
    site::{Plan, Site, found_within_the_limit},
};
use crate::authority::{Authority, Identity, YEAR_GOOD};

const CORRUPT_EVERY: usize = 1511;
const NAME: &str = "localhost";

/// A site whose wall trusts `authority` and nobody else.
async fn secure_site(authority: &Authority) -> Result<Site> {
    let identity = Some(authority.vouch(NAME, YEAR_GOOD)?.server()?);
    let plan = Plan { url: format!("https://{NAME}:PORT"), identity, ..Plan::default() };
    Site::start_with(plan, |options| {
        let trusted = options.board.with_file_name("trusted.pem");
        fs::write(&trusted, authority.certificate())?;
        let trusted = trusted.to_str().context("a path")?.to_owned();
        options.environment.push(("SSL_CERT_FILE".to_owned(), trusted));
        Ok(())
    })
    .await
}

async fn with_certificate(
    name: &str,
    words: &'static [&'static str],
    bad: impl FnOnce(&Authority) -> Result<Identity>,
) -> Result<Outcome> {
    let authority = Authority::new("Right")?;
    let (good, bad) = (authority.vouch(NAME, YEAR_GOOD)?.server()?, bad(&authority)?.server()?);
    let site = secure_site(&authority).await?;
    let change = async |site: &mut Site| {
        let door = site.door.as_ref().context("a door")?;
        door.identify(bad);
        door.drop_all();
        Ok(())
    };
    let renew = async |site: &mut Site| {
        site.door.as_ref().context("a door")?.identify(good);
        Ok(())
    };
    site.ordeal(name, found_within_the_limit(words), change, renew).await
}

/// Another server's.
pub(super) async fn wrong_name() -> Result<Outcome> {
    with_certificate(
        "TLS: certificate of another name",
        &["certificate is not for \"localhost\", but for \"other.example\""],
        |authority| authority.vouch("other.example", YEAR_GOOD),
    )
    .await
}

/// One that is over.
pub(super) async fn expired() -> Result<Outcome> {
    with_certificate("TLS: expired certificate", &["certificate expired on 2021-12-31"], |authority| {
        authority.vouch(NAME, 2021)
    })
    .await
}

/// One that nobody known vouches for.
pub(super) async fn unknown_issuer() -> Result<Outcome> {
    with_certificate("TLS: unknown issuer", &["issuer that this machine does not trust"], |_| {
        Authority::new("Other")?.vouch(NAME, YEAR_GOOD)
    })
    .await
}

/// Wrong bytes on a secure line: each is found at once, and none of them reaches the wall.
pub(super) async fn corrupt() -> Result<Outcome> {
    let expect = Expect {
        stays_broken: false,
        found_max: FOUND_MAX * 10,
        ..found_within_the_limit(&["no secure connection", "connection"])
    };
    let authority = Authority::new("Right")?;
    let site = secure_site(&authority).await?;
    let corrupt = async |site: &mut Site| {
        site.line.set(|line| line.corrupt = Some(CORRUPT_EVERY));
        Ok(())
    };
    let mend = async |site: &mut Site| {
        site.line.set(|line| line.corrupt = None);
        Ok(())
    };
    site.ordeal("TLS: wrong bytes", expect, corrupt, mend).await
}
