//! What may stand as a value, where it speaks of the site: zones, addresses, stretches of the map.

use jiff::tz::TimeZoneDatabase;
use serde_json::{Value, json};

use super::{
    diagnostic::Sink,
    nearest::{did_you_mean, nearest},
    shape::{real, text_of},
    table::{Node, Shape, bad_value, cut, describe, wrong_type},
};

/// The longest address, in characters.
pub(super) const URL_CHARACTERS_MAX: usize = 500;

/// An IANA time zone.
pub(super) struct Zone;

impl Shape for Zone {
    type Value = String;

    fn expected(&self) -> String {
        "an IANA time zone such as `UTC` or `Europe/Zurich`".to_owned()
    }

    #[cfg(test)]
    fn words(&self) -> String {
        "IANA time zone".to_owned()
    }

    fn schema(&self) -> Value {
        json!({"type": "string", "minLength": 1, "examples": ["UTC", "America/New_York"]})
    }

    fn read(&self, node: Node<'_>, sink: &mut Sink<'_>) -> Option<String> {
        let text = text_of(node, &self.expected(), sink)?;
        let zones = TimeZoneDatabase::bundled();
        let known = zones.get(text).ok().and_then(|zone| zone.iana_name().map(str::to_owned));
        if known.is_none() {
            let available: Vec<String> = zones.available().map(|name| name.to_string()).collect();
            let help = did_you_mean(text, available.iter().map(String::as_str)).or_else(|| {
                let place = |name: &String| name.rsplit('/').next().unwrap_or_default().to_owned();
                let places: Vec<String> = available.iter().map(place).collect();
                let meant = nearest(text.rsplit('/').next()?, places.iter().map(String::as_str))?;
                let at = places.iter().position(|place| place == meant)?;
                Some(format!("did you mean `{}`?", available[at]))
            });
            bad_value(node, "unknown time zone", &self.expected(), help, sink);
        }
        known
    }
}

/// The base address of an HTTP server.
pub(super) struct Address;

impl Shape for Address {
    type Value = String;

    fn expected(&self) -> String {
        "an `http` or `https` address with a host, such as `https://hub.example.net`".to_owned()
    }

    #[cfg(test)]
    fn words(&self) -> String {
        "`http` or `https` URL".to_owned()
    }

    fn schema(&self) -> Value {
        json!({"type": "string", "maxLength": URL_CHARACTERS_MAX, "pattern": "^https?://[^/?#@\\s]+(/[^?#\\s]*)?$"})
    }

    fn read(&self, node: Node<'_>, sink: &mut Sink<'_>) -> Option<String> {
        read_address(node, &["http", "https"], (false, ADDRESS_SECRETS), &self.expected(), sink)
    }
}

/// The address of a document, which may have a query.
pub(super) struct PageAddress;

impl Shape for PageAddress {
    type Value = String;

    fn expected(&self) -> String {
        "an `http` or `https` address with a host, such as `https://app.example.net/api/orders`".to_owned()
    }

    #[cfg(test)]
    fn words(&self) -> String {
        "`http` or `https` URL".to_owned()
    }

    fn schema(&self) -> Value {
        let pattern = "^https?://[^/?#@\\s]+(/[^?#\\s]*)?(\\?[^#\\s]*)?$";
        json!({"type": "string", "maxLength": URL_CHARACTERS_MAX, "pattern": pattern})
    }

    fn read(&self, node: Node<'_>, sink: &mut Sink<'_>) -> Option<String> {
        read_address(node, &["http", "https"], (true, ADDRESS_SECRETS), &self.expected(), sink)
    }
}

/// Schemes of sources' addresses. Which of them a kind can have is said with the kinds.
const SOURCE_SCHEMES: [&str; 12] = [
    "http",
    "https",
    "ws",
    "wss",
    "redis",
    "rediss",
    "redis-sentinel",
    "rediss-sentinel",
    "nats",
    "tls",
    "mqtt",
    "mqtts",
];

/// What to do with a user or password in an address.
const ADDRESS_SECRETS: &str =
    "secrets do not belong in board files: `token`, or its `secret`, says where what is shown there is kept";
const SOURCE_SECRETS: &str = "secrets do not belong in board files: write `token = { file = … }`, and `user = …` \
                              for `redis`, `nats` and `mqtt`";

/// The address of a source, of whatever kind.
pub(super) struct SourceAddress;

impl Shape for SourceAddress {
    type Value = String;

    fn expected(&self) -> String {
        "an address with a host, such as `https://hub.example.net`, and no user in it".to_owned()
    }

    #[cfg(test)]
    fn words(&self) -> String {
        "URL".to_owned()
    }

    fn schema(&self) -> Value {
        let schemes = SOURCE_SCHEMES.join("|");
        let pattern = format!("^({schemes})://[^/?#@\\s]+(/[^?#\\s]*)?(\\?[^#\\s]*)?$");
        json!({"type": "string", "maxLength": URL_CHARACTERS_MAX, "pattern": pattern})
    }

    fn read(&self, node: Node<'_>, sink: &mut Sink<'_>) -> Option<String> {
        read_address(node, &SOURCE_SCHEMES, (true, SOURCE_SECRETS), &self.expected(), sink)
    }
}

/// Reads an address of one of `schemes`, by the rules of [`address_fault`].
fn read_address(
    node: Node<'_>,
    schemes: &[&str],
    may: (bool, &'static str),
    expected: &str,
    sink: &mut Sink<'_>,
) -> Option<String> {
    let text = text_of(node, expected, sink)?;
    if text.chars().nth(URL_CHARACTERS_MAX).is_some() {
        let expected = format!("at most {URL_CHARACTERS_MAX} characters");
        bad_value(node, "too long an address", &expected, None, sink);
        return None;
    }
    let fault = address_fault(text, schemes, may);
    if let Some((message, help)) = &fault {
        bad_value(node, message, expected, help.map(str::to_owned), sink);
    }
    fault.is_none().then(|| text.to_owned())
}

/// What is wrong with an address, and what to do. It may have a query if `query`; `secrets` says where a user and password
/// belong.
pub(super) fn address_fault(
    text: &str,
    schemes: &[&str],
    (query, secrets): (bool, &'static str),
) -> Option<(String, Option<&'static str>)> {
    let url = match url::Url::parse(text) {
        Ok(url) => url,
        Err(reason) => {
            let help = (!text.contains("://")).then_some("an address begins with `http://` or `https://`");
            return Some((format!("malformed address ({reason})"), help));
        }
    };
    let scheme = url.scheme();
    if !schemes.contains(&scheme) {
        return Some((format!("address of the scheme `{}`", cut(scheme)), None));
    }
    if !url.username().is_empty() || url.password().is_some() {
        return Some(("user or password".to_owned(), Some(secrets)));
    }
    if (url.query().is_some() && !query) || url.fragment().is_some() {
        return Some(("query or fragment".to_owned(), Some("give the base address alone")));
    }
    // What the parser quietly repairs is a slip that the next reader of the file should not have to guess at.
    let plain = text.strip_prefix(scheme).and_then(|rest| rest.strip_prefix("://"));
    let plain = plain.is_some_and(|rest| !rest.starts_with('/') && !rest.contains(char::is_whitespace));
    (!plain || url.host_str().is_none()).then(|| ("malformed address".to_owned(), None))
}

/// West, south, east, north in degrees.
pub(super) struct Bounds;

impl Shape for Bounds {
    type Value = [f64; 4];

    fn expected(&self) -> String {
        "`[west, south, east, north]` in degrees, west before east, south below north".to_owned()
    }

    #[cfg(test)]
    fn words(&self) -> String {
        "`[west, south, east, north]`, degrees".to_owned()
    }

    fn schema(&self) -> Value {
        let (lon, lat) = (
            json!({"type": "number", "minimum": -180, "maximum": 180}),
            json!({"type": "number", "minimum": -90, "maximum": 90}),
        );
        json!({"type": "array", "prefixItems": [lon, lat, lon, lat], "items": false, "minItems": 4})
    }

    fn read(&self, node: Node<'_>, sink: &mut Sink<'_>) -> Option<[f64; 4]> {
        let Some(items) = node.value.get_ref().as_array() else {
            wrong_type(node, &self.expected(), None, sink);
            return None;
        };
        let numbers: Option<Vec<f64>> = items.iter().map(|item| real(item.get_ref())).collect();
        let bounds =
            numbers.and_then(|numbers| <[f64; 4]>::try_from(numbers).ok()).filter(|[west, south, east, north]| {
                (-180.0..=180.0).contains(west)
                    && *east <= 180.0
                    && west < east
                    && *south >= -90.0
                    && *north <= 90.0
                    && south < north
            });
        if bounds.is_none() {
            let shown: Vec<String> = items.iter().take(6).map(|item| describe(item.get_ref())).collect();
            bad_value(node, &format!("impossible bounds ({})", shown.join(", ")), &self.expected(), None, sink);
        }
        bounds
    }
}
