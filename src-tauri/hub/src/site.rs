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

/// An answer's body, if it is a good one.
///
/// # Errors
/// If the answer is none, doesn't come, or has more bytes than `bytes_max`.
pub(crate) async fn body(mut answer: reqwest::Response, bytes_max: usize) -> Result<Vec<u8>, String> {
    if !answer.status().is_success() {
        return Err(format!("the site answered {}", answer.status()));
    }
    let mut body = Vec::new();
    while let Some(part) = answer.chunk().await.map_err(reason)? {
        body.extend_from_slice(&part);
        if body.len() > bytes_max {
            return Err(format!("the site's answer has more than {bytes_max} bytes"));
        }
    }
    Ok(body)
}
