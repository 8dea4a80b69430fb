//! `tls` and `proxy`: by what ways a source's connections go, and whom they trust. Neither holds a secret (H8).

use serde_json::{Value, json};

use super::{
    diagnostic::{Problem, Sink},
    keys::source as keys,
    schema::object,
    shape::text_of,
    shape_site::{URL_CHARACTERS_MAX, address_fault},
    spec::{IdentitySpec, LoginSpec, ProxySpec, TlsSpec},
    table::{Node, Shape, TableReader, bad_value},
};

/// `tls = { ca = "/etc/watchfloor/ca.pem" }`
pub(super) struct Tls;

/// Keys that have no use without the other one.
const PAIR: [(&str, &str); 2] = [("certificate", "key"), ("key", "certificate")];

impl Shape for Tls {
    type Value = TlsSpec;

    fn expected(&self) -> String {
        "a table such as `{ ca = \"/etc/watchfloor/ca.pem\" }` or \
         `{ certificate = \"/etc/watchfloor/wall.pem\", key = \"/etc/watchfloor/wall.key\" }`"
            .to_owned()
    }

    #[cfg(test)]
    fn words(&self) -> String {
        "table, below".to_owned()
    }

    fn schema(&self) -> Value {
        let mut schema = object(&keys::TLS_TABLE);
        schema["dependentRequired"] = PAIR.iter().map(|(key, other)| ((*key).to_owned(), json!([other]))).collect();
        schema["minProperties"] = json!(1);
        schema
    }

    fn read(&self, node: Node<'_>, sink: &mut Sink<'_>) -> Option<TlsSpec> {
        let reader = TableReader::open(node, &keys::TLS_TABLE, sink)?;
        reader.finish(sink);
        let ca = reader.optional(&keys::TLS_CA, sink);
        let certificate = reader.optional(&keys::TLS_CERTIFICATE, sink);
        let key = reader.optional(&keys::TLS_KEY, sink);
        if !["ca", "certificate", "key"].into_iter().any(|name| reader.has(name)) {
            bad_value(node, "nothing is said", &self.expected(), None, sink);
            return None;
        }
        for (name, other) in PAIR.into_iter().filter(|(name, other)| reader.has(name) && !reader.has(other)) {
            let help = Some(format!("`{name}` has no use without it; both may stand in one file"));
            reader.missing(other, "the path of a PEM file", help, sink);
        }
        let identity = certificate?.zip(key?).map(|(certificate, key)| IdentitySpec { certificate, key });
        Some(TlsSpec { ca: ca?, identity })
    }
}

/// Schemes by which something is secured, at once or when the server asks for it.
const SECURE_SCHEMES: [&str; 6] = ["https", "wss", "rediss", "tls", "nats", "mqtts"];

/// Reports a `tls` that none of the source's addresses would use.
pub(super) fn report_tls_in_clear<'a>(
    reader: &TableReader<'_>,
    addresses: impl Iterator<Item = &'a str>,
    sink: &mut Sink<'_>,
) {
    let schemes: Vec<&str> = addresses.filter_map(|url| url.split("://").next()).collect();
    let is_used = schemes.iter().any(|scheme| SECURE_SCHEMES.contains(scheme));
    if !reader.has("tls") || is_used || schemes.is_empty() {
        return;
    }
    let secure = match schemes[0] {
        "ws" => "wss",
        "redis" => "rediss",
        "mqtt" => "mqtts",
        _ => "https",
    };
    sink.report(Problem {
        span: reader.key_span("tls"),
        message: "`tls` has no use with an address in clear".to_owned(),
        found: "`tls`".to_owned(),
        expected: format!("an address that begins with `{secure}`, or `tls` left out"),
        help: None,
    });
}

/// `proxy = "http://proxy.example.net:3128"`, or a table with who comes.
pub(super) struct Proxy;

impl Shape for Proxy {
    type Value = ProxySpec;

    fn expected(&self) -> String {
        "an address such as `http://proxy.example.net:3128` or `socks5://proxy.example.net:1080`, or a table such as \
         `{ url = \"http://proxy.example.net:3128\", user = \"wall\", password = { file = \"/run/secrets/proxy\" } }`"
            .to_owned()
    }

    #[cfg(test)]
    fn words(&self) -> String {
        "`http`, `https` or `socks5` URL, or table, below".to_owned()
    }

    fn schema(&self) -> Value {
        let mut table = object(&keys::PROXY_TABLE);
        table["dependentRequired"] = json!({"user": ["password"], "password": ["user"]});
        json!({"anyOf": [ProxyAddress.schema(), table]})
    }

    fn read(&self, node: Node<'_>, sink: &mut Sink<'_>) -> Option<ProxySpec> {
        if !node.value.get_ref().is_table() {
            text_of(node, &self.expected(), sink)?;
            return ProxyAddress.read(node, sink).map(|url| ProxySpec { url, login: None });
        }
        let reader = TableReader::open(node, &keys::PROXY_TABLE, sink)?;
        reader.finish(sink);
        let url = reader.get(&keys::PROXY_URL, sink);
        let user = reader.optional(&keys::PROXY_USER, sink);
        let password = reader.optional(&keys::PROXY_PASSWORD, sink);
        for (name, other) in [("user", "password"), ("password", "user")] {
            if reader.has(name) && !reader.has(other) {
                let expected = if other == "user" {
                    "the name that the password belongs to".to_owned()
                } else {
                    keys::PROXY_PASSWORD.shape.expected()
                };
                reader.missing(other, &expected, Some(format!("`{name}` has no use without it")), sink);
            }
        }
        let (user, password) = (user?, password?);
        if let Some(user) = user.as_ref().filter(|user| user.contains(':')) {
            // A name with its password, as curl and browsers take it.
            let at = user.find(':').unwrap_or_default();
            sink.report_secret(Problem {
                span: reader.span_of("user"),
                message: "`:` in the name of a user".to_owned(),
                found: format!("a text with `:` after {at} characters"),
                expected: "the name alone".to_owned(),
                help: Some("a password is not written here: `password` says where it is kept".to_owned()),
            });
            return None;
        }
        let login = user.zip(password).map(|(user, password)| LoginSpec { user, password });
        Some(ProxySpec { url: url?, login })
    }
}

/// The address of a proxy.
pub(super) struct ProxyAddress;

/// Schemes of proxies.
const PROXY_SCHEMES: [&str; 3] = ["http", "https", "socks5"];
const PROXY_SECRETS: &str =
    "secrets do not belong in board files: write `proxy = { url = …, user = …, password = { file = … } }`";

impl Shape for ProxyAddress {
    type Value = String;

    fn expected(&self) -> String {
        "an `http`, `https` or `socks5` address with a host and no more than a port, such as `http://proxy.example.net:3128`"
            .to_owned()
    }

    #[cfg(test)]
    fn words(&self) -> String {
        "`http`, `https` or `socks5` URL".to_owned()
    }

    fn schema(&self) -> Value {
        let pattern = format!("^({})://[^/?#@\\s]+/?$", PROXY_SCHEMES.join("|"));
        json!({"type": "string", "maxLength": URL_CHARACTERS_MAX, "pattern": pattern})
    }

    fn read(&self, node: Node<'_>, sink: &mut Sink<'_>) -> Option<String> {
        let text = text_of(node, &self.expected(), sink)?;
        if text.chars().nth(URL_CHARACTERS_MAX).is_some() {
            bad_value(node, "too long an address", &self.expected(), None, sink);
            return None;
        }
        let mut fault = address_fault(text, &PROXY_SCHEMES, (false, PROXY_SECRETS));
        if fault.is_none() && url::Url::parse(text).is_ok_and(|url| !matches!(url.path(), "" | "/")) {
            fault = Some(("path".to_owned(), Some("give the host and the port alone")));
        }
        if let Some((message, help)) = &fault {
            let help = match text.split("://").next() {
                Some("socks5h") => Some("`socks5` leaves names to the proxy already"),
                Some("socks" | "socks4" | "socks4a") => Some("SOCKS 5 is spoken, as `socks5`"),
                _ => *help,
            };
            bad_value(node, message, &self.expected(), help.map(str::to_owned), sink);
        }
        fault.is_none().then(|| text.to_owned())
    }
}
