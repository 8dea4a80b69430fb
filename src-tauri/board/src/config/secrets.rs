//! What is likely a secret that is written out where it doesn't belong (H8). It is told by its name, or by its form, and never
//! repeated.

use serde_json::Value;

/// Names that mean a secret however they end a longer one: `access_token`, `X-Amz-Signature`, `clientSecret`.
const ENDINGS: [&str; 12] = [
    "token",
    "secret",
    "password",
    "passwd",
    "passphrase",
    "pwd",
    "apikey",
    "accesskey",
    "privatekey",
    "signature",
    "credential",
    "credentials",
];
/// Names that mean one if they stand alone.
const WHOLE: [&str; 10] = ["key", "auth", "authorization", "bearer", "jwt", "pass", "sig", "seed", "code", "login"];

/// Whether a secret is commonly given by such a name.
pub(super) fn is_name(name: &str) -> bool {
    let plain: String = name.chars().filter(char::is_ascii_alphanumeric).collect::<String>().to_ascii_lowercase();
    ENDINGS.iter().any(|ending| plain.ends_with(ending)) || WHOLE.contains(&plain.as_str())
}

/// Whether it has the form of a secret: a JWT, an nkey's seed, or a bearer.
pub(super) fn is_form(text: &str) -> bool {
    let of = |c: char| c.is_ascii_alphanumeric() || "-_=.".contains(c);
    let is_jwt = text.starts_with("eyJ") && text.split('.').count() == 3 && text.chars().all(of);
    let is_seed =
        text.len() == 58 && text.starts_with('S') && text.bytes().all(|b| b.is_ascii_uppercase() || b.is_ascii_digit());
    is_jwt || is_seed || text.strip_prefix("Bearer ").is_some_and(|rest| !rest.contains('{'))
}

/// The first secret that stands in a template of JSON, by the name of its key.
pub(super) fn in_template(text: &str) -> Option<String> {
    // Holes stand within quotes, or for a number.
    let json: Value = serde_json::from_str(&text.replace(":{sequence}", ":0")).ok()?;
    within(&json, 0)
}

/// How deep is looked: a template is short, and so is what it nests.
const DEPTH_MAX: usize = 16;

fn within(value: &Value, depth: usize) -> Option<String> {
    match value {
        Value::Object(entries) if depth < DEPTH_MAX => entries.iter().find_map(|(name, value)| match value {
            Value::String(text) if is_form(text) || (is_name(name) && is_written_out(text)) => Some(name.clone()),
            Value::Object(_) | Value::Array(_) => within(value, depth + 1),
            _ => None,
        }),
        Value::Array(items) if depth < DEPTH_MAX => items.iter().find_map(|value| match value {
            Value::String(text) if is_form(text) => Some("an item".to_owned()),
            _ => within(value, depth + 1),
        }),
        _ => None,
    }
}

/// Whether a text is more than a hole that is filled in.
fn is_written_out(text: &str) -> bool {
    !text.is_empty() && !text.contains("{token}")
}

#[cfg(test)]
mod tests {
    use super::*;

    /// H8: what is called or looks like a secret is one; what only resembles it isn't.
    #[test]
    fn secrets_are_told_by_name_and_form() {
        for name in
            ["token", "access_token", "X-Api-Key", "apiKey", "client-secret", "X-Amz-Signature", "PASSWORD", "sig"]
        {
            assert!(is_name(name), "{name}");
        }
        for name in ["channel", "tokens", "keyboard", "monkey", "v", "since", "author", "EIO"] {
            assert!(!is_name(name), "{name}");
        }
        let seed = format!("SU{}", "A".repeat(56));
        for form in ["eyJhbGciOi.eyJzdWIi.c2ln", "Bearer abc", &seed] {
            assert!(is_form(form), "{form}");
        }
        for form in ["eyJ", "eyJ.x", "Bearer {token}", "SUMMARY", "1.2.3"] {
            assert!(!is_form(form), "{form}");
        }
    }

    #[test]
    fn templates_have_holes_in_place_of_secrets() {
        for (text, found) in [
            (r#"{"op":"auth","args":{"api_key":"hunter2"}}"#, Some("api_key")),
            (r#"{"op":"auth","args":["eyJa.eyJb.c"]}"#, Some("an item")),
            (r#"{"op":"sub","after":{sequence},"token":"hunter2"}"#, Some("token")),
            (r#"{"op":"auth","token":"{token}"}"#, None),
            (r#"{"op":"auth","auth":"Bearer {token}"}"#, None),
            (r#"{"op":"auth","token":""}"#, None),
            ("PING", None),
        ] {
            assert_eq!(in_template(text).as_deref(), found, "{text}");
        }
    }
}
