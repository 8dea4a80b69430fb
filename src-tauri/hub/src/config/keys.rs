//! Every setting of a hub's file: its name, what may stand there, its default, and what it does.

use std::time::Duration;

use watchfloor_settings::{
    shape::{Choice, Flag, List, Name, Text, Whole},
    span::{Span, SpanOrOff},
    table::{Key, Need, TableShape},
};

use watchfloor_board::config::aggregate_table;

use super::shapes::{Address, CertificatePlace, FieldPath, Listen, Origin, Pattern, ProxyNetwork, SecretPlace};
use super::{aggregates, engine, from_redis};
use crate::{
    access::Signing,
    limits,
    proxies::ProxyHeader,
    rules::{Durability, Publishers},
    webhook::Topic,
};

pub(super) static HUB: TableShape = TableShape {
    name: "`[hub]`",
    keys: &[
        &LISTEN,
        &HEARTBEAT,
        &CONNECTIONS,
        &BOARDS,
        &DATA_DIR,
        &DURABILITY,
        &REPEATS,
        &HISTORY_EVENTS,
        &HISTORY_MIB,
        &HISTORY_AGE,
        &PUBLISH_TOKEN,
        &SUBSCRIBE_TOKEN,
        &JWKS,
        &TOKEN_LIFE,
        &AUTHORISE,
        &AUTHORISE_SECRET,
        &AUTHORISE_TOKEN,
        &AUTHORISE_CACHE,
        &AUTHORISE_CACHE_NO,
        &RECHECK,
        &ADMIN,
        &ADMIN_TOKEN,
        &AUDIT_LOG,
        &TLS,
        &ADMIN_TLS,
        &TRUSTED_PROXIES,
        &PROXY_HEADER,
        &ADDRESS_CONNECTIONS,
        &ADDRESS_A_SECOND,
        &USER_CONNECTIONS,
        &USER_A_SECOND,
        &MESSAGES_A_SECOND,
        &KIB_A_SECOND,
        &CONNECTION_CHANNELS,
    ],
};

pub(super) static TOKEN_LIFE: Key<Span> = Key {
    name: "token-life",
    need: Need::Optional,
    about: "The longest life of a reader's token that is taken, and how long a revocation stands that doesn't say. Left out, ten years.",
    shape: Span { min: Duration::from_secs(1), max: limits::TOKEN_LIFE_MAX },
};

pub(super) static AUTHORISE: Key<Address> = Key {
    name: "authorise",
    need: Need::Optional,
    about: "The site that is asked who may read channels for which no `[[namespace]]` names another. Left out, none is.",
    shape: Address,
};

pub(super) static AUTHORISE_SECRET: Key<SecretPlace> = Key {
    name: "authorise-secret",
    need: Need::Optional,
    about: "Where the secret is that questions to sites are signed with; required if one is asked.",
    shape: SecretPlace,
};

pub(super) static AUTHORISE_TOKEN: Key<Flag> = Key {
    name: "authorise-token",
    need: Need::Default("false"),
    about: "Whether the site is sent what a reader presents as its token, too.",
    shape: Flag,
};

pub(super) static AUTHORISE_CACHE: Key<Span> = Key {
    name: "authorise-cache",
    need: Need::Default("\"1m\""),
    about: "For how long a site's yes is good for who comes and asks the same.",
    shape: Span { min: Duration::from_millis(1), max: WEEK },
};

pub(super) static AUTHORISE_CACHE_NO: Key<Span> = Key {
    name: "authorise-cache-no",
    need: Need::Default("\"10s\""),
    about: "For how long a site's no is.",
    shape: Span { min: Duration::from_millis(1), max: WEEK },
};

pub(super) static RECHECK: Key<Span> = Key {
    name: "recheck",
    need: Need::Default("\"1m\""),
    about: "How often the site is asked again while somebody reads by its yes.",
    shape: Span { min: Duration::from_secs(1), max: WEEK },
};

pub(super) static ADMIN: Key<Listen> = Key {
    name: "admin",
    need: Need::Optional,
    about: "Where it listens for who looks after it, apart from readers and publishers; beyond the loopback only with `admin-token`. Left out, nowhere.",
    shape: Listen,
};

pub(super) static ADMIN_TOKEN: Key<SecretPlace> = Key {
    name: "admin-token",
    need: Need::Optional,
    about: "Where the token is that those present.",
    shape: SecretPlace,
};

pub(super) static AUDIT_LOG: Key<Text> = Key {
    name: "audit-log",
    need: Need::Optional,
    about: "A file that refusals and revocations are written to, relative to this file, besides the log. Left out, none.",
    shape: Text { characters_max: 500 },
};

pub(super) static TLS: Key<CertificatePlace> = Key {
    name: "tls",
    need: Need::Optional,
    about: "Where its certificate is: it is spoken to by TLS then, and by nothing else. Left out, by plain HTTP.",
    shape: CertificatePlace,
};

pub(super) static ADMIN_TLS: Key<Flag> = Key {
    name: "admin-tls",
    need: Need::Optional,
    about: "Whether `admin` is spoken to by TLS too, with the same certificate. Left out, it is beyond the loopback, where there is `tls`.",
    shape: Flag,
};

pub(super) static TRUSTED_PROXIES: Key<List<ProxyNetwork>> = Key {
    name: "trusted-proxies",
    need: Need::Optional,
    about: "Proxies of the site's own, by address or network: whom they say that they were called by is who comes. Left out, it is who connects.",
    shape: List { item: ProxyNetwork, min: 1, max: limits::PROXIES_MAX, or_one: true, what: "proxies" },
};

pub(super) static PROXY_HEADER: Key<Choice<ProxyHeader>> = Key {
    name: "proxy-header",
    need: Need::Default("\"x-forwarded-for\""),
    about: "In which header they say it. The other is not looked at.",
    shape: Choice {
        options: &[
            ("x-forwarded-for", ProxyHeader::ForwardedFor, "a list of addresses"),
            ("forwarded", ProxyHeader::Forwarded, "RFC 7239"),
        ],
    },
};

pub(super) static ADDRESS_CONNECTIONS: Key<Whole> = Key {
    name: "address-connections",
    need: Need::Optional,
    about: "Connections of one address at once, of IPv6 those of one network (/64); who comes by a trusted proxy counts by his own. Left out, 1000, and any number from this machine itself.",
    shape: Whole { min: 1, max: 1_000_000 },
};

pub(super) static ADDRESS_A_SECOND: Key<Whole> = Key {
    name: "address-connections-a-second",
    need: Need::Optional,
    about: "New connections of one address a second, and ten seconds' worth of them at once. Left out, 100, and any number from this machine itself.",
    shape: Whole { min: 1, max: 1_000_000 },
};

pub(super) static USER_CONNECTIONS: Key<Whole> = Key {
    name: "user-connections",
    need: Need::Default("1000"),
    about: "Connections of one user at once, by the `sub` of his token, or as he signed in at the Pusher door.",
    shape: Whole { min: 1, max: 1_000_000 },
};

pub(super) static USER_A_SECOND: Key<Whole> = Key {
    name: "user-connections-a-second",
    need: Need::Default("100"),
    about: "New connections of one user a second, and ten seconds' worth of them at once.",
    shape: Whole { min: 1, max: 1_000_000 },
};

pub(super) static MESSAGES_A_SECOND: Key<Whole> = Key {
    name: "messages-a-second",
    need: Need::Default("100"),
    about: "Messages of one client a second on a WebSocket, and ten seconds' worth of them at once; what more it says is read later.",
    shape: Whole { min: 1, max: 1_000_000 },
};

pub(super) static KIB_A_SECOND: Key<Whole> = Key {
    name: "kib-a-second",
    need: Need::Default("128"),
    about: "KiB that one client may say a second there, and ten seconds' worth of them at once; what more it says is read later.",
    shape: Whole { min: 1, max: 1_000_000 },
};

pub(super) static CONNECTION_CHANNELS: Key<Whole> = Key {
    name: "connection-channels",
    need: Need::Optional,
    about: "Channels that one connection may read. Left out, as many as its door takes: 256 at the hub's own, 1000 at the Pusher door.",
    shape: Whole { min: 1, max: 1000 },
};

pub(super) static OWN_AUTHORISE: Key<Address> = Key {
    name: "authorise",
    need: Need::Optional,
    about: "The site that is asked who may read them. Left out, as `[hub]` has it.",
    shape: Address,
};

pub(super) static LISTEN: Key<Listen> = Key {
    name: "listen",
    need: Need::Optional,
    about: "Where it listens; beyond the loopback only with `publish-token`. Left out, 127.0.0.1:8787.",
    shape: Listen,
};

pub(super) static HEARTBEAT: Key<Span> = Key {
    name: "heartbeat",
    need: Need::Optional,
    about: "The time between two heartbeats of a subscription. Left out, 1s.",
    shape: Span { min: Duration::from_millis(10), max: Duration::from_secs(60) },
};

pub(super) static CONNECTIONS: Key<Whole> = Key {
    name: "connections",
    need: Need::Default("10000"),
    about: "Connections served at once; more wait. Each needs an open file: the hub raises its own limit as far as it may.",
    shape: Whole { min: 1, max: 1_000_000 },
};

pub(super) static BOARDS: Key<List<Text>> = Key {
    name: "boards",
    need: Need::Optional,
    about: "Board files whose widgets are folded for snapshots, relative to this file.",
    shape: List { item: Text { characters_max: 500 }, min: 1, max: 100, or_one: true, what: "board files" },
};

pub(super) static DATA_DIR: Key<Text> = Key {
    name: "data-dir",
    need: Need::Optional,
    about: "A folder for history, aggregates and answered keys, relative to this file, which outlive the hub then. Left out, all is in memory.",
    shape: Text { characters_max: 500 },
};

const DURABILITIES: Choice<Durability> = Choice {
    options: &[
        ("durable", Durability::Durable, "nothing that was acknowledged"),
        ("fast", Durability::Fast, "what was acknowledged in the last 100 ms"),
        ("memory", Durability::Memory, "everything"),
    ],
};

pub(super) static DURABILITY: Key<Choice<Durability>> = Key {
    name: "durability",
    need: Need::Default("\"durable\""),
    about: "What a crash may take of channels that no `[[namespace]]` speaks of, with a data folder.",
    shape: DURABILITIES,
};

pub(super) static REPEATS: Key<SpanOrOff> = Key {
    name: "repeats",
    need: Need::Default("\"1h\""),
    about: "For how long an event of the same channel, name, id and time is one that was published before, and published once.",
    shape: SpanOrOff(Span { min: Duration::from_secs(1), max: WEEK }),
};

const WEEK: Duration = Duration::from_secs(7 * 86_400);

pub(super) static HISTORY_EVENTS: Key<Whole> = Key {
    name: "history-events",
    need: Need::Default("100000"),
    about: "Events remembered a channel.",
    shape: Whole { min: 1, max: 100_000_000 },
};

pub(super) static HISTORY_MIB: Key<Whole> = Key {
    name: "history-mib",
    need: Need::Default("64"),
    about: "MiB remembered a channel.",
    shape: Whole { min: 1, max: 65_536 },
};

pub(super) static HISTORY_AGE: Key<Span> = Key {
    name: "history-age",
    need: Need::Default("\"24h\""),
    about: "How long events are remembered.",
    shape: Span { min: Duration::from_secs(1), max: Duration::from_secs(366 * 86_400) },
};

pub(super) static NAMESPACE: TableShape = TableShape {
    name: "`[[namespace]]`",
    keys: &[
        &NAMES,
        &OWN_DURABILITY,
        &FIELDS,
        &EVENTS_A_SECOND,
        &OWN_HISTORY_EVENTS,
        &OWN_HISTORY_MIB,
        &OWN_HISTORY_AGE,
        &PRESENCE,
        &PRESENCE_LINGER,
        &WHO_PUBLISHES,
        &OWN_AUTHORISE,
    ],
};

pub(super) static NAMES: Key<List<Pattern>> = Key {
    name: "channels",
    need: Need::Required,
    about: "Channels by their names, or by how they begin, with `*` at the end: `private-team.*`. The first namespace that has a channel counts.",
    shape: List { item: Pattern, min: 1, max: 100, or_one: true, what: "channels" },
};

pub(super) static OWN_DURABILITY: Key<Choice<Durability>> = Key {
    name: "durability",
    need: Need::Optional,
    about: "What a crash may take of them, with a data folder. Left out, as `[hub]` has it.",
    shape: DURABILITIES,
};

pub(super) static FIELDS: Key<List<FieldPath>> = Key {
    name: "fields",
    need: Need::Optional,
    about: "What of their events' `data` is passed on: fields by name, those inside by a path such as `aircraft.type`; everything else is stripped before anything is done with it, and `data` that is no object is refused.",
    shape: List { item: FieldPath, min: 1, max: 200, or_one: true, what: "fields" },
};

pub(super) static EVENTS_A_SECOND: Key<Whole> = Key {
    name: "events-a-second",
    need: Need::Optional,
    about: "Events that each of them takes a second, and at once; what is more is refused (`429`, code `too-fast`), a batch as a whole. Left out, any number.",
    shape: Whole { min: 1, max: 1_000_000 },
};

pub(super) static OWN_HISTORY_EVENTS: Key<Whole> = Key {
    name: "history-events",
    need: Need::Optional,
    about: "Events remembered of each of them. Left out, as `[hub]` has it.",
    shape: Whole { min: 1, max: 100_000_000 },
};

pub(super) static OWN_HISTORY_MIB: Key<Whole> = Key {
    name: "history-mib",
    need: Need::Optional,
    about: "MiB remembered of each of them. Left out, as `[hub]` has it.",
    shape: Whole { min: 1, max: 65_536 },
};

pub(super) static OWN_HISTORY_AGE: Key<Span> = Key {
    name: "history-age",
    need: Need::Optional,
    about: "How long their events are remembered. Left out, as `[hub]` has it.",
    shape: Span { min: Duration::from_secs(1), max: Duration::from_secs(366 * 86_400) },
};

pub(super) static PRESENCE: Key<Flag> = Key {
    name: "presence",
    need: Need::Optional,
    about: "Whether it is known who is there. Left out, where a channel's name begins with `presence-`.",
    shape: Flag,
};

pub(super) static PRESENCE_LINGER: Key<Span> = Key {
    name: "presence-linger",
    need: Need::Optional,
    about: "How long somebody counts as there who has lost his last connection: who comes back until then was never gone. Left out, 3s.",
    shape: Span { min: Duration::from_millis(100), max: Duration::from_secs(300) },
};

pub(super) static WHO_PUBLISHES: Key<Choice<Publishers>> = Key {
    name: "publish",
    need: Need::Default("\"server\""),
    about: "Who may publish to them.",
    shape: Choice {
        options: &[
            ("server", Publishers::Server, "who has the publish token alone"),
            ("token", Publishers::Token, "also who reads, if his token names the channel in its claim `publish`"),
            ("readers", Publishers::Readers, "also whoever may read them"),
        ],
    },
};

pub(super) static PUBLISH_TOKEN: Key<SecretPlace> = Key {
    name: "publish-token",
    need: Need::Optional,
    about: "Where the token is that publishers present.",
    shape: SecretPlace,
};

pub(super) static SUBSCRIBE_TOKEN: Key<SecretPlace> = Key {
    name: "subscribe-token",
    need: Need::Optional,
    about: "Where the token is that readers present.",
    shape: SecretPlace,
};

pub(super) static JWKS: Key<Address> = Key {
    name: "jwks",
    need: Need::Optional,
    about: "The address of a set of public keys (RFC 7517) by which readers' tokens are signed. It is fetched every ten minutes, and for a token that names a key which isn't known.",
    shape: Address,
};

pub(super) static SIGNING: TableShape = TableShape { name: "`[[key]]`", keys: &[&KEY_ID, &ALGORITHM, &KEPT] };

pub(super) static KEY_ID: Key<Name> = Key {
    name: "kid",
    need: Need::Optional,
    about: "What tokens call the key; one that names another is not judged by it.",
    shape: Name {
        what: "a name of a key",
        characters: "letters, digits, `-`, `_`, `.`",
        punctuation: "-_.",
        characters_max: 100,
    },
};

pub(super) static ALGORITHM: Key<Choice<Option<Signing>>> = Key {
    name: "algorithm",
    need: Need::Required,
    about: "How tokens are signed with it.",
    shape: Choice {
        options: &[
            ("HS256", None, "with a secret of at least 32 bytes"),
            ("RS256", Some(Signing::Rs256), "with an RSA key"),
            ("ES256", Some(Signing::Es256), "with a key of the curve P-256"),
            ("EdDSA", Some(Signing::EdDsa), "with an Ed25519 key"),
        ],
    },
};

pub(super) static KEPT: Key<SecretPlace> = Key {
    name: "key",
    need: Need::Required,
    about: "Where the secret is, or the public key in PEM.",
    shape: SecretPlace,
};

pub(super) static APP: TableShape =
    TableShape { name: "`[[app]]`", keys: &[&ID, &KEY, &SECRET, &CLIENT_EVENTS, &ORIGINS, &WEBHOOK, &WEBHOOK_EVENTS] };

const NAME: Name = Name {
    what: "a name of an application",
    characters: "letters, digits, `-`, `_`",
    punctuation: "-_",
    characters_max: 100,
};

pub(super) static ID: Key<Name> =
    Key { name: "id", need: Need::Required, about: "Names the application in addresses of its HTTP API.", shape: NAME };

pub(super) static KEY: Key<Name> =
    Key { name: "key", need: Need::Required, about: "Names the application to clients; it is public.", shape: NAME };

pub(super) static SECRET: Key<SecretPlace> = Key {
    name: "secret",
    need: Need::Required,
    about: "Where the secret is that the application signs with.",
    shape: SecretPlace,
};

pub(super) static CLIENT_EVENTS: Key<Flag> = Key {
    name: "client-events",
    need: Need::Default("false"),
    about: "Whether clients may publish to each other, on private and presence channels.",
    shape: Flag,
};

pub(super) static ORIGINS: Key<List<Origin>> = Key {
    name: "origins",
    need: Need::Optional,
    about: "Pages that may connect, as `https://app.example`; `*` for any. Left out, those of the hub's own address, and what is no page.",
    shape: List { item: Origin, min: 1, max: 100, or_one: true, what: "origins" },
};

pub(super) static WEBHOOK: Key<Address> = Key {
    name: "webhook",
    need: Need::Optional,
    about: "Where the application's site is told what happens among its clients, as Pusher does.",
    shape: Address,
};

pub(super) static WEBHOOK_EVENTS: Key<List<Choice<Topic>>> = Key {
    name: "webhook-events",
    need: Need::Optional,
    about: "Of what it is told. Left out, of all.",
    shape: List {
        item: Choice {
            options: &[
                ("channel_occupied", Topic::Occupied, "a channel has its first client"),
                ("channel_vacated", Topic::Vacated, "a channel's last client has gone"),
                ("member_added", Topic::Added, "somebody is present"),
                ("member_removed", Topic::Removed, "somebody is no longer present"),
                ("client_event", Topic::ClientEvent, "a client told others something"),
                ("cache_miss", Topic::CacheMiss, "a cache channel had nothing for who came"),
            ],
        },
        min: 1,
        max: 6,
        or_one: true,
        what: "names",
    },
};

pub(super) static PLACE: TableShape = TableShape { name: "the place of a secret", keys: &[&FILE, &VARIABLE] };

pub(super) static FILE: Key<Text> = Key {
    name: "file",
    need: Need::Optional,
    about: "A file that holds it, relative to this file, readable for the hub's user alone.",
    shape: Text { characters_max: 500 },
};

pub(super) static VARIABLE: Key<Name> = Key {
    name: "env",
    need: Need::Optional,
    about: "A variable of the environment that holds it.",
    shape: Name {
        what: "a name of a variable",
        characters: "letters, digits, `_`",
        punctuation: "_",
        characters_max: 100,
    },
};

pub(super) static CERTIFICATE_PLACE: TableShape =
    TableShape { name: "the place of a certificate", keys: &[&CERTIFICATE, &CERTIFICATE_KEY] };

pub(super) static CERTIFICATE: Key<Text> = Key {
    name: "certificate",
    need: Need::Required,
    about: "A file with the hub's certificate and those between it and an authority, in PEM, relative to this file.",
    shape: Text { characters_max: 500 },
};

pub(super) static CERTIFICATE_KEY: Key<Text> = Key {
    name: "key",
    need: Need::Required,
    about: "A file with its key in PEM, for its owner alone (0600), or one of root's that a group may read (0640).",
    shape: Text { characters_max: 500 },
};

/// Every table there is.
pub(super) fn tables() -> [&'static TableShape; 10] {
    [
        &HUB,
        &NAMESPACE,
        aggregate_table(),
        &aggregates::MORE,
        &SIGNING,
        &APP,
        &engine::ENGINE,
        &from_redis::FROM_REDIS,
        &PLACE,
        &CERTIFICATE_PLACE,
    ]
}

/// Where a key belongs that isn't known where it stands.
pub(super) fn belongs(name: &str) -> Option<String> {
    let table = tables().into_iter().find(|table| table.has(name))?;
    Some(format!("`{name}` belongs to {}", table.name))
}
