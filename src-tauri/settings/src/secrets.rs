//! What is likely a secret that is written out where it doesn't belong (H8). It is told by its name, or by its form, and never
//! repeated.

use serde_json::Value;
use url::Url;

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
pub fn is_name(name: &str) -> bool {
    let plain: String = name.chars().filter(char::is_ascii_alphanumeric).collect::<String>().to_ascii_lowercase();
    ENDINGS.iter().any(|ending| plain.ends_with(ending)) || WHOLE.contains(&plain.as_str())
}

/// What the name of a header that is a secret ends with, after a `-` or as a whole: `X-Auth-Key`, `Ocp-Apim-Subscription-Key`, `Cookie`.
const HEADER_ENDINGS: [&str; 6] = ["key", "auth", "authorization", "jwt", "cookie", "session"];

/// Whether a header of such a name is commonly a secret.
pub fn is_header(name: &str) -> bool {
    let last = name.rsplit(['-', '_']).next().unwrap_or_default();
    is_name(name) || HEADER_ENDINGS.iter().any(|ending| last.eq_ignore_ascii_case(ending))
}

/// Whether a header's value is or has a secret: by its form, as credentials (RFC 9110, section 11.4), or in an address.
pub fn in_header(text: &str) -> bool {
    let scheme = text.split_once(' ').map(|(scheme, _)| scheme).unwrap_or_default();
    let is_login = ["bearer", "basic", "digest"].iter().any(|known| scheme.eq_ignore_ascii_case(known));
    let tells = |url: &Url| {
        let mut pairs = url.query_pairs();
        url.password().is_some() || pairs.any(|(name, value)| is_name(&name) || is_form(&value))
    };
    let in_part = |part: &str| is_form(part) || is_form(part.rsplit('=').next().unwrap_or_default());
    is_login || text.split([' ', ';', ',']).any(in_part) || Url::parse(text).is_ok_and(|url| tells(&url))
}

/// Whether it has the form of a secret: a JWT, an nkey's seed, or a bearer.
pub fn is_form(text: &str) -> bool {
    let of = |c: char| c.is_ascii_alphanumeric() || "-_=.".contains(c);
    let is_jwt = text.starts_with("eyJ") && text.split('.').count() == 3 && text.chars().all(of);
    let is_seed =
        text.len() == 58 && text.starts_with('S') && text.bytes().all(|b| b.is_ascii_uppercase() || b.is_ascii_digit());
    is_jwt || is_seed || text.strip_prefix("Bearer ").is_some_and(|rest| !rest.contains('{'))
}

/// The first secret that stands in a template of JSON, by the name of its key.
pub fn in_template(text: &str) -> Option<String> {
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

    /// H8: the same of headers, whose names end otherwise and whose values are credentials, cookies and addresses.
    #[test]
    fn secrets_are_told_among_headers() {
        for name in [
            "Authorization",
            "Cookie",
            "X-Api-Key",
            "X-Auth-Token",
            "X-Auth-Key",
            "Ocp-Apim-Subscription-Key",
            "Private-Token",
            "X-Amzn-Session",
        ] {
            assert!(is_header(name), "{name}");
        }
        for name in ["X-Tenant", "Accept-Language", "X-Country-Code", "X-Keyboard", "Origin", "X-Author", "Via"] {
            assert!(!is_header(name), "{name}");
        }
        let seed = format!("SU{}", "A".repeat(56));
        for value in [
            "Bearer abc",
            "bearer abc",
            "Basic bWU6aHVudGVyMg==",
            "eyJhbGciOi.eyJzdWIi.c2ln",
            "a=1; sid=eyJhbGciOi.eyJzdWIi.c2ln",
            &seed,
            "https://me:hunter2@h/",
            "https://h/?api_key=hunter2",
        ] {
            assert!(in_header(value), "{value}");
        }
        for value in ["north", "de-CH, de;q=0.9", "https://app.example.net/wall?v=1", "key-7", "bearer", "a = b"] {
            assert!(!in_header(value), "{value}");
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
