//! What may stand as a value in a hub's file alone.

use std::net::SocketAddr;

use serde_json::{Value, json};
use toml::de::DeValue;
use watchfloor_settings::{
    diagnostic::{Problem, Sink},
    schema::object,
    shape::text_of,
    table::{Node, Shape, TableReader, bad_value, cut},
};

use super::keys;
use crate::{proxies::Network, publish};

/// An address to call.
pub(super) struct Address;

impl Shape for Address {
    type Value = String;

    fn expected(&self) -> String {
        "an address such as `\"https://app.example/pusher/webhook\"`".to_owned()
    }

    fn words(&self) -> String {
        "address of http or https".to_owned()
    }

    fn schema(&self) -> Value {
        json!({"type": "string", "format": "uri"})
    }

    fn read(&self, node: Node<'_>, sink: &mut Sink<'_>) -> Option<String> {
        let text = text_of(node, &self.expected(), sink)?;
        let is_one = reqwest::Url::parse(text).is_ok_and(|url| matches!(url.scheme(), "http" | "https"));
        if is_one {
            return Some(text.to_owned());
        }
        bad_value(node, "no address", &self.expected(), None, sink);
        None
    }
}

/// An address to listen on.
pub(super) struct Listen;

impl Shape for Listen {
    type Value = SocketAddr;

    fn expected(&self) -> String {
        "an address and a port, such as `\"127.0.0.1:8787\"` or `\"[::]:8787\"`".to_owned()
    }

    fn words(&self) -> String {
        "address and port".to_owned()
    }

    fn schema(&self) -> Value {
        json!({"type": "string"})
    }

    fn read(&self, node: Node<'_>, sink: &mut Sink<'_>) -> Option<SocketAddr> {
        let text = text_of(node, &self.expected(), sink)?;
        let address = text.parse().ok();
        if address.is_none() {
            bad_value(node, "no address", &self.expected(), None, sink);
        }
        address
    }
}

/// A field of an event's data, by its name or by a path to it.
pub(super) struct FieldPath;

impl Shape for FieldPath {
    type Value = String;

    fn expected(&self) -> String {
        "a field such as `\"carrier\"`, or one inside such as `\"aircraft.type\"`".to_owned()
    }

    fn words(&self) -> String {
        "field, or path to it".to_owned()
    }

    fn schema(&self) -> Value {
        json!({"type": "string"})
    }

    fn read(&self, node: Node<'_>, sink: &mut Sink<'_>) -> Option<String> {
        let text = text_of(node, &self.expected(), sink)?;
        let is_one = text.len() <= 200 && text.split('.').all(|name| !name.is_empty());
        if is_one {
            return Some(text.to_owned());
        }
        bad_value(node, "no field", &self.expected(), None, sink);
        None
    }
}

/// Where pages come from.
pub(super) struct Origin;

impl Shape for Origin {
    type Value = String;

    fn expected(&self) -> String {
        "an origin such as `\"https://app.example\"`, without a path, or `\"*\"`".to_owned()
    }

    fn words(&self) -> String {
        "origin, or `*`".to_owned()
    }

    fn schema(&self) -> Value {
        json!({"type": "string"})
    }

    fn read(&self, node: Node<'_>, sink: &mut Sink<'_>) -> Option<String> {
        let text = text_of(node, &self.expected(), sink)?;
        let host = text.split_once("://").map(|(_, host)| host);
        let is_origin = host.is_some_and(|host| !host.is_empty() && !host.contains(['/', '?', '#', '@', ' ']));
        if is_origin || text == "*" {
            return Some(text.to_owned());
        }
        bad_value(node, "no origin", &self.expected(), None, sink);
        None
    }
}

/// Channels, by name or by how they begin.
pub(super) struct Pattern;

impl Shape for Pattern {
    type Value = String;

    fn expected(&self) -> String {
        "a channel's name, or the beginning of one with `*` at the end, such as `\"private-team.*\"`".to_owned()
    }

    fn words(&self) -> String {
        "channel, or beginning and `*`".to_owned()
    }

    fn schema(&self) -> Value {
        json!({"type": "string"})
    }

    fn read(&self, node: Node<'_>, sink: &mut Sink<'_>) -> Option<String> {
        let text = text_of(node, &self.expected(), sink)?;
        let beginning = text.strip_suffix('*');
        if text == "*" || publish::channel(beginning.unwrap_or(text)).is_ok() {
            return Some(text.to_owned());
        }
        bad_value(node, "no channel", &self.expected(), None, sink);
        None
    }
}

/// Where a secret is kept. A hub's file never holds it (H8).
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Place {
    /// In this file, relative to the hub's.
    File(String),
    /// In this variable of the environment.
    Variable(String),
}

/// `secret = { file = "app.secret" }`
pub(super) struct SecretPlace;

impl Shape for SecretPlace {
    type Value = Place;

    fn expected(&self) -> String {
        "a table such as `{ file = \"app.secret\" }` or `{ env = \"APP_SECRET\" }`".to_owned()
    }

    fn words(&self) -> String {
        "table, below".to_owned()
    }

    fn schema(&self) -> Value {
        let mut schema = object(&keys::PLACE);
        schema["minProperties"] = json!(1);
        schema["maxProperties"] = json!(1);
        schema
    }

    fn read(&self, node: Node<'_>, sink: &mut Sink<'_>) -> Option<Place> {
        if matches!(node.value.get_ref(), DeValue::String(_)) {
            // Most likely it is the secret itself.
            sink.report_secret(Problem {
                span: node.value.span(),
                message: format!("`{}` is written out", cut(node.name)),
                found: "a text".to_owned(),
                expected: self.expected(),
                help: Some("secrets do not belong in the hub's file: write where it is kept".to_owned()),
            });
            return None;
        }
        let reader = TableReader::open(node, &keys::PLACE, sink)?;
        reader.finish(sink);
        match (reader.has("file"), reader.has("env")) {
            (true, false) => reader.get(&keys::FILE, sink).map(Place::File),
            (false, true) => reader.get(&keys::VARIABLE, sink).map(Place::Variable),
            (both, _) => {
                let message = if both { "several places of the secret" } else { "no place of the secret" };
                bad_value(node, message, "one of `file` or `env`", None, sink);
                None
            }
        }
    }
}

/// Where a certificate and its key are, as it stands in the file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TlsPart {
    /// The certificates.
    pub certificate: String,
    /// The key of the first of them.
    pub key: String,
}

/// `tls = { certificate = "fullchain.pem", key = "privkey.pem" }`
pub(super) struct CertificatePlace;

impl Shape for CertificatePlace {
    type Value = TlsPart;

    fn expected(&self) -> String {
        "a table such as `{ certificate = \"fullchain.pem\", key = \"privkey.pem\" }`".to_owned()
    }

    fn words(&self) -> String {
        "table, below".to_owned()
    }

    fn schema(&self) -> Value {
        object(&keys::CERTIFICATE_PLACE)
    }

    fn read(&self, node: Node<'_>, sink: &mut Sink<'_>) -> Option<TlsPart> {
        let reader = TableReader::open(node, &keys::CERTIFICATE_PLACE, sink)?;
        reader.finish(sink);
        let certificate = reader.get(&keys::CERTIFICATE, sink);
        let key = reader.get(&keys::CERTIFICATE_KEY, sink);
        Some(TlsPart { certificate: certificate?, key: key? })
    }
}

/// Addresses of proxies.
pub(super) struct ProxyNetwork;

impl Shape for ProxyNetwork {
    type Value = Network;

    fn expected(&self) -> String {
        "an address or a network such as `\"10.0.0.7\"`, `\"10.0.0.0/8\"` or `\"fd00::/8\"`".to_owned()
    }

    fn words(&self) -> String {
        "address or network".to_owned()
    }

    fn schema(&self) -> Value {
        json!({"type": "string"})
    }

    fn read(&self, node: Node<'_>, sink: &mut Sink<'_>) -> Option<Network> {
        let text = text_of(node, &self.expected(), sink)?;
        match text.parse() {
            Ok(network) => Some(network),
            Err(why) => {
                let why: String = why;
                bad_value(node, "no network", &self.expected(), Some(why), sink);
                None
            }
        }
    }
}
