//! `[engine]`: what holds everything, where several nodes are one hub.

use serde_json::{Value, json};
use watchfloor_settings::{
    diagnostic::{Problem, Sink},
    shape::{Flag, List, Name, Text, Whole, text_of},
    table::{Key, Need, Node, Shape, TableReader, TableShape, bad_value, cut},
};

use super::shapes::{Place, SecretPlace};
use crate::engine::{self, EnginePlace};

/// `[engine]`: where it is, and how it is used.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct EnginePart {
    /// Where it is.
    pub place: EnginePlace,
    /// As whom the hub comes.
    pub user: Option<String>,
    /// Where its password is.
    pub password: Option<Place>,
    /// Where the password for Sentinels is.
    pub sentinel_password: Option<Place>,
    /// What all keys begin with.
    pub prefix: String,
    /// How many replicas have an event before it is acknowledged.
    pub replicas: u32,
    /// Whether it keeps what it acknowledges; none to ask it.
    pub keeps: Option<bool>,
}

pub(super) static ENGINE: TableShape = TableShape {
    name: "`[engine]`",
    keys: &[&REDIS, &SENTINELS, &MASTER, &DATABASE, &USER, &PASSWORD, &SENTINEL_PASSWORD, &PREFIX, &REPLICAS, &KEEPS],
};

static REDIS: Key<RedisAddress> = Key {
    name: "redis",
    need: Need::Optional,
    about: "Where Redis is, `redis://HOST:PORT/DATABASE`, or `rediss://` by TLS. Users and passwords don't stand in it.",
    shape: RedisAddress,
};

static SENTINELS: Key<List<SentinelAddress>> = Key {
    name: "sentinels",
    need: Need::Optional,
    about: "Instead of `redis`: Sentinels that say where it is.",
    shape: List { item: SentinelAddress, min: 1, max: 20, or_one: true, what: "addresses" },
};

static MASTER: Key<Text> = Key {
    name: "master",
    need: Need::Optional,
    about: "What the Sentinels call it.",
    shape: Text { characters_max: 200 },
};

static DATABASE: Key<Whole> = Key {
    name: "database",
    need: Need::Optional,
    about: "Which of its databases, with `sentinels`. Left out, 0.",
    shape: Whole { min: 0, max: 1_000_000 },
};

static USER: Key<Text> = Key {
    name: "user",
    need: Need::Optional,
    about: "As whom the hub comes, by the access list of Redis. Left out, its default user.",
    shape: Text { characters_max: 200 },
};

static PASSWORD: Key<SecretPlace> =
    Key { name: "password", need: Need::Optional, about: "Where the password is.", shape: SecretPlace };

static SENTINEL_PASSWORD: Key<SecretPlace> = Key {
    name: "sentinel-password",
    need: Need::Optional,
    about: "Where the password for the Sentinels is, if they ask for one.",
    shape: SecretPlace,
};

static PREFIX: Key<Name> = Key {
    name: "prefix",
    need: Need::Default("\"wf\""),
    about: "What all keys and channels of this hub begin with there. Hubs of other prefixes are others.",
    shape: Name {
        what: "a prefix",
        characters: "letters, digits, `-`, `_`, `.`",
        punctuation: "-_.",
        characters_max: 50,
    },
};

static REPLICAS: Key<Whole> = Key {
    name: "replicas",
    need: Need::Default("0"),
    about: "How many replicas have an event before it is acknowledged and sent to readers.",
    shape: Whole { min: 0, max: 100 },
};

static KEEPS: Key<Flag> = Key {
    name: "keeps",
    need: Need::Optional,
    about: "Whether a restart or a failover loses nothing that was acknowledged, whatever Redis says of itself. If it doesn't, each run of Redis begins new epochs. Left out, the hub asks Redis.",
    shape: Flag,
};

pub(super) fn read(node: Node<'_>, sink: &mut Sink<'_>) -> Option<EnginePart> {
    let reader = TableReader::open(node, &ENGINE, sink)?;
    reader.finish(sink);
    let redis = reader.optional(&REDIS, sink);
    let sentinels = reader.optional(&SENTINELS, sink);
    let master = reader.optional(&MASTER, sink);
    let database = reader.optional(&DATABASE, sink);
    let user = reader.optional(&USER, sink);
    let password = reader.optional(&PASSWORD, sink);
    let sentinel_password = reader.optional(&SENTINEL_PASSWORD, sink);
    let prefix = reader.get(&PREFIX, sink);
    let replicas = reader.get(&REPLICAS, sink);
    let keeps = reader.optional(&KEEPS, sink);
    let place = match (redis?, sentinels?, master?) {
        (Some(address), None, None) => EnginePlace::At(address),
        (None, Some(sentinels), Some(master)) => {
            EnginePlace::Sentinels { sentinels, master, database: database?.unwrap_or_default().into() }
        }
        _ => {
            bad_value(node, "no place of the engine", "`redis`, or `sentinels` and `master`", None, sink);
            return None;
        }
    };
    Some(EnginePart {
        place,
        user: user?,
        password: password?,
        sentinel_password: sentinel_password?,
        prefix: prefix?,
        replicas: replicas?,
        keeps: keeps?,
    })
}

/// Where Redis is.
pub(super) struct RedisAddress;

impl Shape for RedisAddress {
    type Value = String;

    fn expected(&self) -> String {
        "an address such as `\"redis://127.0.0.1:6379\"` or `\"rediss://redis.example:6380/1\"`".to_owned()
    }

    fn words(&self) -> String {
        "address of Redis".to_owned()
    }

    fn schema(&self) -> Value {
        json!({"type": "string", "format": "uri"})
    }

    fn read(&self, node: Node<'_>, sink: &mut Sink<'_>) -> Option<String> {
        let text = text_of(node, &self.expected(), sink)?;
        if text.contains('@') {
            sink.report_secret(Problem {
                span: node.value.span(),
                message: format!("`{}` holds a user or a password", cut(node.name)),
                found: "an `@`".to_owned(),
                expected: self.expected(),
                help: Some(
                    "secrets do not belong in the hub's file: write `user`, and where the `password` is kept"
                        .to_owned(),
                ),
            });
            return None;
        }
        match engine::check_address(text) {
            Ok(()) => Some(text.to_owned()),
            Err(message) => {
                bad_value(node, message, &self.expected(), None, sink);
                None
            }
        }
    }
}

/// Where a Sentinel is.
struct SentinelAddress;

impl Shape for SentinelAddress {
    type Value = String;

    fn expected(&self) -> String {
        "a host and a port, such as `\"sentinel-1.example:26379\"`".to_owned()
    }

    fn words(&self) -> String {
        "host and port".to_owned()
    }

    fn schema(&self) -> Value {
        json!({"type": "string"})
    }

    fn read(&self, node: Node<'_>, sink: &mut Sink<'_>) -> Option<String> {
        let text = text_of(node, &self.expected(), sink)?;
        if engine::sentinel(text).is_some() {
            return Some(text.to_owned());
        }
        bad_value(node, "no address of a Sentinel", &self.expected(), None, sink);
        None
    }
}
