//! Who is in a presence channel.

use std::{collections::BTreeSet, sync::Arc};

use serde::Deserialize;
use serde_json::{Map, Value, json};
use watchfloor_model::{Payload, Position, limits::ID_BYTES_MAX};

use super::wire::Frame;

/// Most members of a channel that are followed. Others are counted as rejected.
pub(super) const MEMBERS_MAX: usize = 4096;

/// The ids of those who are there.
pub(super) type Members = BTreeSet<Arc<str>>;

/// Who was told to be in a presence channel.
#[derive(Debug, Default)]
pub(super) struct Told {
    pub(super) members: Members,
    /// Who was before, and the place up to which these were told, until it is known whether that was delivered.
    before: Option<(Position, Members)>,
}

impl Told {
    pub(super) fn came(&mut self, id: &Arc<str>) {
        self.members.insert(id.clone());
        if let Some((_, before)) = &mut self.before {
            before.insert(id.clone());
        }
    }

    pub(super) fn went(&mut self, id: &str) {
        self.members.remove(id);
        if let Some((_, before)) = &mut self.before {
            before.remove(id);
        }
    }

    /// These are there by the events up to `place`.
    pub(super) fn begin(&mut self, members: Members, place: Option<Position>) {
        let before = std::mem::replace(&mut self.members, members);
        self.before = place.map(|place| (place, before));
    }

    /// This is what was delivered: what was held beyond it was told to nobody.
    pub(super) fn settle(&mut self, delivered: Option<&Position>) {
        let Some((place, before)) = self.before.take() else { return };
        if !delivered.is_some_and(|delivered| delivered.epoch == place.epoch && delivered.offset >= place.offset) {
            self.members = before;
        }
    }
}

/// Someone in a presence channel.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Member {
    pub(super) id: Arc<str>,
    pub(super) info: Option<Value>,
}

impl Member {
    /// As the body of an event.
    pub(super) fn body(self) -> Payload {
        let mut body = json!({ "user_id": *self.id });
        if let Some(info) = self.info {
            body["user_info"] = info;
        }
        body.into()
    }
}

#[derive(Deserialize)]
struct Snapshot {
    presence: Presence,
}

#[derive(Deserialize)]
struct Presence {
    #[serde(default)]
    ids: Vec<Value>,
    #[serde(default)]
    hash: Value,
}

#[derive(Deserialize)]
struct Change {
    user_id: Value,
    #[serde(default)]
    user_info: Option<Value>,
}

/// An id as a text: servers give numbers or texts, and the same one as either.
fn id(value: &Value) -> Option<Arc<str>> {
    let id: Arc<str> = match value {
        Value::String(text) => text.as_str().into(),
        Value::Number(number) => number.to_string().into(),
        _ => return None,
    };
    (id.len() <= ID_BYTES_MAX).then_some(id)
}

/// All who are there, by the answer to a subscription. `None` if it doesn't say.
pub(super) fn roll(frame: &Frame<'_>) -> Option<Vec<Member>> {
    let Snapshot { presence } = frame.read()?;
    let mut infos: Map<String, Value> = match presence.hash {
        Value::Object(infos) => infos,
        // PHP writes a map with the keys 0, 1, 2 as a list, and an empty one as well.
        Value::Array(infos) => infos.into_iter().enumerate().map(|(key, info)| (key.to_string(), info)).collect(),
        _ => Map::new(),
    };
    let mut seen = Members::new();
    let mut members = Vec::new();
    for id in presence.ids.iter().filter_map(id) {
        if seen.insert(id.clone()) {
            let info = infos.remove(&*id);
            members.push(Member { info: info.filter(|info| !info.is_null()), id });
        }
    }
    for (key, info) in infos {
        let Some(id) = id(&Value::String(key)).filter(|id| !seen.contains(id)) else { continue };
        members.push(Member { id, info: Some(info).filter(|info| !info.is_null()) });
    }
    Some(members)
}

/// Who has come or gone.
pub(super) fn change(frame: &Frame<'_>) -> Option<Member> {
    let change: Change = frame.read()?;
    Some(Member { id: id(&change.user_id)?, info: change.user_info.filter(|info| !info.is_null()) })
}
