//! The hub's file: reading and checking it. What it names (secrets, boards) is read by who runs the hub.

mod aggregates;
mod engine;
mod from_redis;
mod keys;
mod shapes;

#[cfg(test)]
mod tests;

use std::{net::SocketAddr, time::Duration};

use toml::de::DeTable;
use watchfloor_settings::{
    Beside, Whole,
    diagnostic::{Diagnostics, Problem, Sink},
    table::{Node, Shape as _, TableReader, report_unknown_tables, tables_of},
};

pub use aggregates::{AggregatePart, ReconcilePart};
pub use engine::EnginePart;
pub use from_redis::FromRedisPart;
pub use shapes::{Place, TlsPart};

use crate::{
    access::Signing,
    app::Origins,
    limits,
    proxies::Proxies,
    rates::{Rate, Rates, Speech},
    rules::{self, Durability, Publishers},
    webhook::{Topic, Webhook},
};

/// The largest hub file, in bytes.
pub const FILE_BYTES_MAX: usize = 1 << 20;

/// What a hub's file says, checked.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct HubFile {
    /// `[hub]`
    pub hub: HubPart,
    /// `[[namespace]]`, the first that has a channel counts.
    pub namespaces: Vec<NamespacePart>,
    /// `[[aggregate]]`
    pub aggregates: Vec<AggregatePart>,
    /// `[[key]]`
    pub keys: Vec<KeyPart>,
    /// `[[app]]`
    pub apps: Vec<AppPart>,
    /// `[engine]`
    pub engine: Option<EnginePart>,
    /// `[[from-redis]]`
    pub from_redis: Vec<FromRedisPart>,
}

/// `[hub]`: what holds for the whole hub. What is left out is none.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct HubPart {
    /// Where it listens.
    pub listen: Option<SocketAddr>,
    /// The time between two heartbeats.
    pub heartbeat: Option<Duration>,
    /// Connections served at once.
    pub connections: Option<u32>,
    /// Board files whose widgets are folded, as they stand in the file.
    pub boards: Vec<String>,
    /// Where what outlives the hub is, as it stands in the file.
    pub data_dir: Option<String>,
    /// What a crash may take of channels that no namespace speaks of.
    pub durability: Option<Durability>,
    /// For how long an event is known again; none at all if it is none inside.
    pub repeats: Option<Option<Duration>>,
    /// Events remembered a channel.
    pub history_events: Option<u32>,
    /// MiB remembered a channel.
    pub history_mib: Option<u32>,
    /// How long events are remembered.
    pub history_age: Option<Duration>,
    /// Where the token is that publishers present.
    pub publish_token: Option<Place>,
    /// Where the token is that readers present.
    pub subscribe_token: Option<Place>,
    /// The address of a set of keys that readers' tokens are signed by.
    pub jwks: Option<String>,
    /// The longest life of a reader's token.
    pub token_life: Option<Duration>,
    /// The address of the site that is asked who may read channels that no namespace speaks of.
    pub authorise: Option<String>,
    /// Where the secret is that questions to sites are signed with.
    pub authorise_secret: Option<Place>,
    /// Whether a reader's token itself is sent to the site.
    pub authorise_token: bool,
    /// For how long a yes and a no of a site are good for who comes, and how often it is asked again for who reads.
    pub authorise_times: Option<AuthoriseTimes>,
    /// Where those are listened for who look after the hub.
    pub admin: Option<SocketAddr>,
    /// Where the token is that they present.
    pub admin_token: Option<Place>,
    /// The file of the audit log, as it stands in the file.
    pub audit_log: Option<String>,
    /// Where its certificate is.
    pub tls: Option<TlsPart>,
    /// Whether those who look after the hub come by TLS too.
    pub admin_tls: Option<bool>,
    /// The proxies of the site's own.
    pub proxies: Proxies,
    /// How often, and how many at once, somebody may come, and what a client may say. None without a `[hub]`.
    pub rates: Option<Rates>,
}

/// How long what a site says is good.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct AuthoriseTimes {
    /// A yes, for who comes.
    pub yes: Duration,
    /// A no, for who comes.
    pub no: Duration,
    /// How often it is asked again for who reads.
    pub recheck: Duration,
}

/// `[[namespace]]`: what holds for some channels.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NamespacePart {
    /// Names, or beginnings with `*`.
    pub channels: Vec<String>,
    /// What a crash may take of them.
    pub durability: Option<Durability>,
    /// What of their events' data is passed on, by path.
    pub fields: Option<Vec<String>>,
    /// Events that each of them takes a second.
    pub events_a_second: Option<u32>,
    /// Events remembered of each.
    pub history_events: Option<u32>,
    /// MiB remembered of each.
    pub history_mib: Option<u32>,
    /// How long their events are remembered.
    pub history_age: Option<Duration>,
    /// Whether it is known who is there.
    pub presence: Option<bool>,
    /// How long somebody counts as there after his last connection.
    pub presence_linger: Option<Duration>,
    /// Who may publish to them.
    pub publish: Publishers,
    /// The address of the site that is asked who may read them.
    pub authorise: Option<String>,
}

impl NamespacePart {
    /// Whether a channel is one of them.
    #[must_use]
    pub fn has(&self, channel: &str) -> bool {
        self.channels.iter().any(|pattern| rules::is_meant(pattern, channel))
    }
}

/// `[[key]]`: a key that readers' tokens are signed by.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct KeyPart {
    /// What tokens call it.
    pub id: Option<String>,
    /// How it signs; none for a secret.
    pub signing: Option<Signing>,
    /// Where it is.
    pub key: Place,
}

/// `[[app]]`: who comes by the Pusher door.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AppPart {
    /// Names it in addresses.
    pub id: String,
    /// Names it to clients.
    pub key: String,
    /// Where its secret is.
    pub secret: Place,
    /// Whether clients may publish to each other.
    pub client_events: bool,
    /// Which pages may connect.
    pub origins: Origins,
    /// Where its site is told what happens.
    pub webhook: Option<Webhook>,
}

/// Reads a hub's file. `file_name` is only what errors call it.
///
/// # Errors
/// Everything that is wrong with the file, in its order.
pub fn parse(text: &str, file_name: &str) -> Result<HubFile, Diagnostics> {
    const FILE: Whole = Whole { what: "hub file", bytes_max: FILE_BYTES_MAX, elsewhere: keys::belongs };
    let beside: &Beside<'_> = &|_| Err("a hub file names no file that is part of it".to_owned());
    FILE.read(text, file_name, beside, decode)
}

const TABLES: [&str; 7] =
    ["[hub]", "[[namespace]]", "[[aggregate]]", "[[key]]", "[[app]]", "[engine]", "[[from-redis]]"];

fn decode(file: &DeTable<'_>, sink: &mut Sink<'_>) -> Option<HubFile> {
    report_unknown_tables(file, "hub file", &TABLES, sink);
    let hub = match file.get("hub") {
        None => Some(HubPart::default()),
        Some(value) => read_hub(Node { name: "hub", value }, sink),
    };
    let mut nodes_of = |name, max| if file.contains_key(name) { tables_of(file, name, max, sink) } else { Vec::new() };
    let namespaces = nodes_of("namespace", limits::NAMESPACES_MAX);
    let (keys, nodes) = (nodes_of("key", limits::KEYS_GIVEN_MAX), nodes_of("app", limits::APPS_MAX));
    let sources = nodes_of("from-redis", limits::FROM_REDIS_MAX);
    let namespace_spans: Vec<_> = namespaces.iter().map(|node| node.value.span()).collect();
    let namespaces: Vec<Option<NamespacePart>> =
        namespaces.into_iter().map(|node| read_namespace(node, sink)).collect();
    let keys: Vec<Option<KeyPart>> = keys.into_iter().map(|node| read_key(node, sink)).collect();
    let apps: Vec<Option<AppPart>> = nodes.iter().map(|node| read_app(*node, sink)).collect();
    report_twins(&nodes, &apps, sink);
    let aggregates = aggregates::read(file, sink);
    let is_asked = |namespace: &Option<NamespacePart>| namespace.as_ref().is_some_and(|one| one.authorise.is_some());
    if hub.as_ref().is_some_and(|hub| hub.authorise_secret.is_none())
        && let Some(at) = namespaces.iter().position(is_asked)
    {
        sink.report(Problem {
            span: namespace_spans[at].clone(),
            message: "a site is asked without a secret".to_owned(),
            found: "`authorise`, and no `authorise-secret` in `[hub]`".to_owned(),
            expected: "`authorise-secret` in `[hub]`, that questions are signed with".to_owned(),
            help: None,
        });
        return None;
    }
    let engine = match file.get("engine") {
        None => Some(None),
        Some(value) => engine::read(Node { name: "engine", value }, sink).map(Some),
    };
    let has_engine = file.contains_key("engine");
    let from_redis: Vec<Option<FromRedisPart>> =
        sources.iter().map(|node| from_redis::read(*node, has_engine, sink)).collect();
    from_redis::report_twins(&sources, &from_redis, sink);
    Some(HubFile {
        hub: hub?,
        namespaces: namespaces.into_iter().collect::<Option<_>>()?,
        aggregates: aggregates?,
        keys: keys.into_iter().collect::<Option<_>>()?,
        apps: apps.into_iter().collect::<Option<_>>()?,
        engine: engine?,
        from_redis: from_redis.into_iter().collect::<Option<_>>()?,
    })
}

fn read_hub(node: Node<'_>, sink: &mut Sink<'_>) -> Option<HubPart> {
    let reader = TableReader::open(node, &keys::HUB, sink)?;
    reader.finish(sink);
    let listen = reader.optional(&keys::LISTEN, sink);
    let heartbeat = reader.optional(&keys::HEARTBEAT, sink);
    let connections = reader.get(&keys::CONNECTIONS, sink);
    let boards = reader.optional(&keys::BOARDS, sink);
    let data_dir = reader.optional(&keys::DATA_DIR, sink);
    let durability = reader.get(&keys::DURABILITY, sink);
    let repeats = reader.get(&keys::REPEATS, sink);
    let history_events = reader.get(&keys::HISTORY_EVENTS, sink);
    let history_mib = reader.get(&keys::HISTORY_MIB, sink);
    let history_age = reader.get(&keys::HISTORY_AGE, sink);
    let publish_token = reader.optional(&keys::PUBLISH_TOKEN, sink);
    let subscribe_token = reader.optional(&keys::SUBSCRIBE_TOKEN, sink);
    let jwks = reader.optional(&keys::JWKS, sink);
    let token_life = reader.optional(&keys::TOKEN_LIFE, sink);
    let authorise = reader.optional(&keys::AUTHORISE, sink);
    let authorise_secret = reader.optional(&keys::AUTHORISE_SECRET, sink);
    let authorise_token = reader.get(&keys::AUTHORISE_TOKEN, sink);
    let yes = reader.get(&keys::AUTHORISE_CACHE, sink);
    let no = reader.get(&keys::AUTHORISE_CACHE_NO, sink);
    let recheck = reader.get(&keys::RECHECK, sink);
    let admin = reader.optional(&keys::ADMIN, sink);
    let admin_token = reader.optional(&keys::ADMIN_TOKEN, sink);
    let audit_log = reader.optional(&keys::AUDIT_LOG, sink);
    let tls = reader.optional(&keys::TLS, sink);
    let admin_tls = reader.optional(&keys::ADMIN_TLS, sink);
    let networks = reader.optional(&keys::TRUSTED_PROXIES, sink);
    let header = reader.get(&keys::PROXY_HEADER, sink);
    let rates = read_rates(&reader, sink);
    if reader.has(keys::ADMIN_TLS.name) && !reader.has(keys::TLS.name) {
        reader.missing(keys::TLS.name, &keys::TLS.shape.expected(), None, sink);
        return None;
    }
    if reader.has(keys::AUTHORISE.name) && !reader.has(keys::AUTHORISE_SECRET.name) {
        reader.missing(keys::AUTHORISE_SECRET.name, &keys::AUTHORISE_SECRET.shape.expected(), None, sink);
        return None;
    }
    Some(HubPart {
        listen: listen?,
        heartbeat: heartbeat?,
        connections: Some(connections?),
        boards: boards?.unwrap_or_default(),
        data_dir: data_dir?,
        durability: Some(durability?),
        repeats: Some(repeats?),
        history_events: Some(history_events?),
        history_mib: Some(history_mib?),
        history_age: Some(history_age?),
        publish_token: publish_token?,
        subscribe_token: subscribe_token?,
        jwks: jwks?,
        token_life: token_life?,
        authorise: authorise?,
        authorise_secret: authorise_secret?,
        authorise_token: authorise_token?,
        authorise_times: Some(AuthoriseTimes { yes: yes?, no: no?, recheck: recheck? }),
        admin: admin?,
        admin_token: admin_token?,
        audit_log: audit_log?,
        tls: tls?,
        admin_tls: admin_tls?,
        proxies: Proxies { networks: networks?.unwrap_or_default(), header: header? },
        rates: Some(rates?),
    })
}

fn read_rates(reader: &TableReader<'_>, sink: &mut Sink<'_>) -> Option<Rates> {
    let at_once = reader.optional(&keys::ADDRESS_CONNECTIONS, sink);
    let a_second = reader.optional(&keys::ADDRESS_A_SECOND, sink);
    let user_at_once = reader.get(&keys::USER_CONNECTIONS, sink);
    let user_a_second = reader.get(&keys::USER_A_SECOND, sink);
    let messages = reader.get(&keys::MESSAGES_A_SECOND, sink);
    let kib = reader.get(&keys::KIB_A_SECOND, sink);
    let channels = reader.optional(&keys::CONNECTION_CHANNELS, sink);
    let (at_once, a_second, usual) = (at_once?, a_second?, Rates::usual());
    Some(Rates {
        address: Rate { at_once: at_once.or(usual.address.at_once), a_second: a_second.or(usual.address.a_second) },
        spares_loopback: at_once.is_none() && a_second.is_none(),
        user: Rate { at_once: Some(user_at_once?), a_second: Some(user_a_second?) },
        speech: Speech { messages: Some(messages?), bytes: Some(kib?.saturating_mul(1024)) },
        channels: channels?,
    })
}

fn read_namespace(node: Node<'_>, sink: &mut Sink<'_>) -> Option<NamespacePart> {
    let reader = TableReader::open(node, &keys::NAMESPACE, sink)?;
    reader.finish(sink);
    let channels = reader.get(&keys::NAMES, sink);
    let durability = reader.optional(&keys::OWN_DURABILITY, sink);
    let fields = reader.optional(&keys::FIELDS, sink);
    let events_a_second = reader.optional(&keys::EVENTS_A_SECOND, sink);
    let history_events = reader.optional(&keys::OWN_HISTORY_EVENTS, sink);
    let history_mib = reader.optional(&keys::OWN_HISTORY_MIB, sink);
    let history_age = reader.optional(&keys::OWN_HISTORY_AGE, sink);
    let presence = reader.optional(&keys::PRESENCE, sink);
    let presence_linger = reader.optional(&keys::PRESENCE_LINGER, sink);
    let publish = reader.get(&keys::WHO_PUBLISHES, sink);
    let authorise = reader.optional(&keys::OWN_AUTHORISE, sink);
    Some(NamespacePart {
        channels: channels?,
        durability: durability?,
        fields: fields?,
        events_a_second: events_a_second?,
        history_events: history_events?,
        history_mib: history_mib?,
        history_age: history_age?,
        presence: presence?,
        presence_linger: presence_linger?,
        publish: publish?,
        authorise: authorise?,
    })
}

fn read_key(node: Node<'_>, sink: &mut Sink<'_>) -> Option<KeyPart> {
    let reader = TableReader::open(node, &keys::SIGNING, sink)?;
    reader.finish(sink);
    let id = reader.optional(&keys::KEY_ID, sink);
    let signing = reader.get(&keys::ALGORITHM, sink);
    let key = reader.get(&keys::KEPT, sink);
    Some(KeyPart { id: id?, signing: signing?, key: key? })
}

fn read_app(node: Node<'_>, sink: &mut Sink<'_>) -> Option<AppPart> {
    let reader = TableReader::open(node, &keys::APP, sink)?;
    reader.finish(sink);
    let id = reader.get(&keys::ID, sink);
    let key = reader.get(&keys::KEY, sink);
    let secret = reader.get(&keys::SECRET, sink);
    let client_events = reader.get(&keys::CLIENT_EVENTS, sink);
    let origins = reader.optional(&keys::ORIGINS, sink);
    let webhook = read_webhook(&reader, sink);
    Some(AppPart {
        id: id?,
        key: key?,
        secret: secret?,
        client_events: client_events?,
        origins: match origins? {
            None => Origins::Own,
            Some(origins) if origins.iter().any(|origin| origin == "*") => Origins::Any,
            Some(origins) => Origins::These(origins),
        },
        webhook: webhook?,
    })
}

#[allow(clippy::option_option)] // the two absences are two things
fn read_webhook(reader: &TableReader<'_>, sink: &mut Sink<'_>) -> Option<Option<Webhook>> {
    let url = reader.optional(&keys::WEBHOOK, sink);
    let events = reader.optional(&keys::WEBHOOK_EVENTS, sink);
    if reader.has(keys::WEBHOOK_EVENTS.name) && !reader.has(keys::WEBHOOK.name) {
        let expected = keys::WEBHOOK.shape.expected();
        reader.missing(keys::WEBHOOK.name, &expected, None, sink);
        return None;
    }
    let all = || Topic::ALL.iter().map(|(_, topic)| *topic).collect();
    let events = events?.unwrap_or_else(all);
    Some(url?.map(|url| Webhook { url, events }))
}

/// Two applications of one name would be one.
fn report_twins(nodes: &[Node<'_>], apps: &[Option<AppPart>], sink: &mut Sink<'_>) {
    for (at, (node, app)) in nodes.iter().zip(apps).enumerate() {
        let Some(app) = app else { continue };
        for other in apps.iter().take(at).flatten() {
            let (what, name) = match () {
                () if app.id == other.id => ("id", &app.id),
                () if app.key == other.key => ("key", &app.key),
                () => continue,
            };
            sink.report(Problem {
                span: node.value.span(),
                message: format!("two applications of one {what}"),
                found: format!("`{what}` {name:?} a second time"),
                expected: "ids and keys that differ".to_owned(),
                help: None,
            });
        }
    }
}
