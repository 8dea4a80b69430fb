//! How the hub calls a site.

use std::time::Duration;

/// What calls, with so long for an answer. Nobody is followed elsewhere: what is meant for one address is not to be carried to another.
///
/// # Errors
/// If the system's certificates can't be used.
pub(crate) fn client(timeout: Duration) -> reqwest::Result<reqwest::Client> {
    // A program around this one that has installed another is served by that.
    let _installed = rustls::crypto::ring::default_provider().install_default();
    reqwest::Client::builder().redirect(reqwest::redirect::Policy::none()).timeout(timeout).build()
}

/// Why a call failed, without the address, which may hold a secret.
pub(crate) fn reason(error: reqwest::Error) -> String {
    error.without_url().to_string()
}
