//! A secure line whose certificate is wrong, and bytes that are wrong on it.

use std::{fs, sync::Arc};

use anyhow::{Context, Result};
use rcgen::{BasicConstraints, CertificateParams, DnType, IsCa, Issuer, KeyPair, KeyUsagePurpose, date_time_ymd};
use tokio_rustls::rustls::{ServerConfig, pki_types::PrivateKeyDer};

use super::{
    board::FOUND_MAX,
    outcome::{Expect, Outcome},
    site::{Plan, Site, found_within_the_limit},
};

const CORRUPT_EVERY: usize = 1511;
const NAME: &str = "localhost";

/// Who vouches for servers.
struct Authority {
    issuer: Issuer<'static, KeyPair>,
    certificate: String,
}

impl Authority {
    fn new(name: &str) -> Result<Self> {
        let mut params = CertificateParams::new(Vec::new())?;
        params.distinguished_name.push(DnType::CommonName, name);
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        params.key_usages = vec![KeyUsagePurpose::KeyCertSign];
        let key = KeyPair::generate()?;
        let certificate = params.self_signed(&key)?.pem();
        Ok(Self { issuer: Issuer::new(params, key), certificate })
    }

    /// A server called `name`, until the end of year `until`.
    fn vouch(&self, name: &str, until: i32) -> Result<Arc<ServerConfig>> {
        let mut params = CertificateParams::new(vec![name.to_owned()])?;
        (params.not_before, params.not_after) = (date_time_ymd(2020, 1, 1), date_time_ymd(until, 12, 31));
        let key = KeyPair::generate()?;
        let certificate = params.signed_by(&key, &self.issuer)?;
        let key = PrivateKeyDer::try_from(key.serialize_der()).map_err(anyhow::Error::msg)?;
        let provider = Arc::new(rustls::crypto::ring::default_provider());
        let config = ServerConfig::builder_with_provider(provider).with_safe_default_protocol_versions()?;
        let config = config.with_no_client_auth();
        Ok(Arc::new(config.with_single_cert(vec![certificate.der().clone()], key)?))
    }
}

/// A site whose wall trusts `authority` and nobody else.
async fn secure_site(authority: &Authority) -> Result<Site> {
    let identity = Some(authority.vouch(NAME, 2090)?);
    let plan = Plan { url: format!("https://{NAME}:PORT"), identity, ..Plan::default() };
    Site::start_with(plan, |options| {
        let trusted = options.board.with_file_name("trusted.pem");
        fs::write(&trusted, &authority.certificate)?;
        let trusted = trusted.to_str().context("a path")?.to_owned();
        options.environment.push(("SSL_CERT_FILE".to_owned(), trusted));
        Ok(())
    })
    .await
}

async fn with_certificate(
    name: &str,
    words: &'static [&'static str],
    bad: impl FnOnce(&Authority) -> Result<Arc<ServerConfig>>,
) -> Result<Outcome> {
    let authority = Authority::new("Right")?;
    let (good, bad) = (authority.vouch(NAME, 2090)?, bad(&authority)?);
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
        |authority| authority.vouch("other.example", 2090),
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
        Authority::new("Other")?.vouch(NAME, 2090)
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
