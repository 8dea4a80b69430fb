//! `[[from-redis]]`: what becomes events of the hub from Redis.

use watchfloor_settings::{
    diagnostic::Sink,
    shape::{Choice, Name, Text},
    table::{Key, Need, Node, TableReader, TableShape, bad_value},
};

use super::{
    engine::RedisAddress,
    shapes::{Place, SecretPlace},
};
use crate::from_redis::{FromForm, Spring};

/// A source in Redis.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FromRedisPart {
    /// What it is called.
    pub id: String,
    /// Where it is; none for the engine's.
    pub redis: Option<String>,
    /// As whom the hub comes.
    pub user: Option<String>,
    /// Where its password is.
    pub password: Option<Place>,
    /// What is read there.
    pub what: Spring,
    /// How it is written.
    pub form: FromForm,
    /// The channel of all its events.
    pub channel: Option<String>,
    /// What names of channels begin with there.
    pub prefix: String,
    /// What events are called that don't say.
    pub name: String,
}

pub(super) static FROM_REDIS: TableShape = TableShape {
    name: "`[[from-redis]]`",
    keys: &[&ID, &REDIS, &USER, &PASSWORD, &STREAM, &GROUP, &PATTERN, &FORM, &CHANNEL, &PREFIX, &NAME],
};

static ID: Key<Name> = Key {
    name: "id",
    need: Need::Required,
    about: "What it is called in the log and in numbers; unique among sources.",
    shape: Name {
        what: "a name of a source",
        characters: "letters, digits, `-`, `_`",
        punctuation: "-_",
        characters_max: 64,
    },
};

static REDIS: Key<RedisAddress> = Key {
    name: "redis",
    need: Need::Optional,
    about: "Where Redis is, as in `[engine]`. Left out, the engine, with its user and password.",
    shape: RedisAddress,
};

static USER: Key<Text> = Key {
    name: "user",
    need: Need::Optional,
    about: "As whom the hub comes. Left out, its default user.",
    shape: Text { characters_max: 200 },
};

static PASSWORD: Key<SecretPlace> =
    Key { name: "password", need: Need::Optional, about: "Where the password is.", shape: SecretPlace };

static STREAM: Key<Text> = Key {
    name: "stream",
    need: Need::Optional,
    about: "The key of a stream whose entries are published, each once, also those that were written while no hub was there.",
    shape: Text { characters_max: 500 },
};

static GROUP: Key<Text> = Key {
    name: "group",
    need: Need::Default("\"watchfloor\""),
    about: "The consumer group by which a stream is read. It is made if it isn't there, at the stream's first entry.",
    shape: Text { characters_max: 200 },
};

static PATTERN: Key<Text> = Key {
    name: "pattern",
    need: Need::Optional,
    about: "Instead of `stream`: what is told on the Pub/Sub channels of this pattern (as in `PSUBSCRIBE`) while the hub is there.",
    shape: Text { characters_max: 500 },
};

static FORM: Key<Choice<FromForm>> = Key {
    name: "form",
    need: Need::Default("\"event\""),
    about: "How they are written.",
    shape: Choice {
        options: &[
            ("event", FromForm::Event, "as events of the hub: `channel`, `name`, `id`, `time` and `data`"),
            ("laravel", FromForm::Laravel, "as Laravel broadcasts: `event`, `data` and `socket`"),
            ("data", FromForm::Data, "all of it is the event's data"),
        ],
    },
};

static CHANNEL: Key<Text> = Key {
    name: "channel",
    need: Need::Optional,
    about: "The channel of all of them. Left out, what `channel` of each says, or else the name of the stream or the Pub/Sub channel without `prefix`.",
    shape: Text { characters_max: 200 },
};

static PREFIX: Key<Text> = Key {
    name: "prefix",
    need: Need::Optional,
    about: "What names of channels begin with there and not here, such as `laravel_database_`; others are left out.",
    shape: Text { characters_max: 200 },
};

static NAME: Key<Text> = Key {
    name: "name",
    need: Need::Default("\"message\""),
    about: "The name of events that don't say theirs.",
    shape: Text { characters_max: 200 },
};

/// Reports sources of one id.
pub(super) fn report_twins(nodes: &[Node<'_>], parts: &[Option<FromRedisPart>], sink: &mut Sink<'_>) {
    for (at, (node, part)) in nodes.iter().zip(parts).enumerate() {
        let Some(part) = part else { continue };
        if parts.iter().take(at).flatten().any(|other| other.id == part.id) {
            bad_value(*node, "two sources of one id", "ids that differ", None, sink);
        }
    }
}

pub(super) fn read(node: Node<'_>, has_engine: bool, sink: &mut Sink<'_>) -> Option<FromRedisPart> {
    let reader = TableReader::open(node, &FROM_REDIS, sink)?;
    reader.finish(sink);
    let id = reader.get(&ID, sink);
    let redis = reader.optional(&REDIS, sink);
    let user = reader.optional(&USER, sink);
    let password = reader.optional(&PASSWORD, sink);
    let stream = reader.optional(&STREAM, sink);
    let group = reader.get(&GROUP, sink);
    let pattern = reader.optional(&PATTERN, sink);
    let form = reader.get(&FORM, sink);
    let channel = reader.optional(&CHANNEL, sink);
    let prefix = reader.optional(&PREFIX, sink);
    let name = reader.get(&NAME, sink);
    let what = match (stream?, pattern?) {
        (Some(key), None) => Spring::Stream { key, group: group? },
        (None, Some(pattern)) => Spring::Told(pattern),
        _ => {
            bad_value(node, "nothing to read, or two things", "`stream` or `pattern`", None, sink);
            return None;
        }
    };
    let (redis, channel) = (redis?, channel?);
    if redis.is_none() && !has_engine {
        bad_value(node, "no place of Redis", "`redis`, where the file has no `[engine]`", None, sink);
        return None;
    }
    if let Some(problem) = channel.as_deref().and_then(|channel| crate::publish::channel(channel).err()) {
        bad_value(node, &problem, "a channel", None, sink);
        return None;
    }
    Some(FromRedisPart {
        id: id?,
        redis,
        user: user?,
        password: password?,
        what,
        form: form?,
        channel,
        prefix: prefix?.unwrap_or_default(),
        name: name?,
    })
}
