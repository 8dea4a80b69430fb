//! Who is there: readers at the hub's own doors as people among others, and `GET /v1/channels/NAME/presence`.

use std::{collections::BTreeMap, sync::Arc};

use axum::{
    extract::{Path, State, rejection::PathRejection},
    http::{HeaderMap, StatusCode},
    response::Response,
};
use rand::RngExt;
use serde::Serialize;

use super::{Once, Reader, poll};
use crate::{
    authorise::Granted,
    failure::{Failure, json},
    hub::Shared,
    limits,
    message::Member,
    people::{Full, Person, Socket, Wake},
    publish,
    revocation::Peer,
    routes::{Doorway, Parameters, parameters},
};

/// A reader's part in it.
#[derive(Debug, Default)]
pub(super) struct Part {
    /// As which connection it is there; none as long as it is nowhere.
    socket: Option<Socket>,
    /// Where, and as whom.
    there: BTreeMap<Arc<str>, Person>,
}

impl Reader {
    /// As whom the reader is in a channel: by the site's word, or by its token. Nobody in particular if neither says so, or nobody is known there.
    pub(super) fn person(&self, channel: &str) -> Option<Person> {
        if !self.hub.live().rules.of(channel).has_presence(channel) {
            return None;
        }
        if let Some(person) = self.granted.get(channel).and_then(Granted::person) {
            return Some(person.clone());
        }
        let rights = self.subscription.rights()?;
        Some(Person { id: rights.user.clone()?, info: rights.info.clone() })
    }

    /// Comes into these channels, which it reads from now on, as this or that person. With `hears`, it is told who else comes and goes.
    ///
    /// # Errors
    /// If there is no room in one of them: then it may be in others.
    pub(super) fn come_in(&mut self, channels: &[(Arc<str>, Option<Person>)], hears: bool) -> Result<(), Full> {
        let is_known =
            |(channel, _): &&(Arc<str>, Option<Person>)| self.hub.live().rules.of(channel).has_presence(channel);
        let known: Vec<_> = channels.iter().filter(is_known).cloned().collect();
        if known.is_empty() {
            return Ok(());
        }
        let hub = self.hub.clone();
        known.iter().for_each(|(channel, _)| hub.want_people(channel));
        let mut wake = Wake::new();
        let came = {
            let mut state = hub.state();
            let (people, serial) = state.people_mut();
            known.into_iter().try_for_each(|(channel, person)| {
                if hears && !self.subscription.heard_people().any(|heard| *heard == channel) {
                    people.listen(&channel);
                    self.subscription.hear_people(&channel);
                }
                let Some(person) = person else { return Ok(()) };
                let socket = *self.part.socket.get_or_insert_with(|| {
                    let mut random = rand::rng();
                    let socket = Socket::new(random.random_range(1..u32::MAX), random.random_range(1..u32::MAX));
                    people.connect(socket, self.seat.id(), "".into());
                    socket
                });
                wake.extend(people.subscribe(socket, &channel, Some(&person), serial)?);
                self.part.there.insert(channel, person);
                Ok(())
            })
        };
        hub.tell(&wake);
        came
    }

    /// Leaves these channels, and hears no more of who is there.
    pub(super) fn go_out<'a>(&mut self, channels: impl IntoIterator<Item = &'a str>) {
        let hub = self.hub.clone();
        let now = hub.now().mono;
        let mut wake = Wake::new();
        {
            let mut state = hub.state();
            let (people, serial) = state.people_mut();
            for channel in channels {
                if self.subscription.heard_people().any(|heard| **heard == *channel) {
                    people.listen_no_more(channel);
                }
                if let (Some(socket), Some((channel, _))) = (self.part.socket, self.part.there.remove_entry(channel)) {
                    wake.extend(people.unsubscribe(socket, &channel, now, serial));
                }
            }
        }
        hub.tell(&wake);
    }

    /// What the reader came by is another thing now: where it is somebody else by that, the one has gone and the other comes.
    ///
    /// # Errors
    /// If there is no room for the other.
    pub(super) fn be_who_it_is(&mut self) -> Result<(), Full> {
        let channels: Vec<_> = self.subscription.named().cloned().collect();
        for channel in channels {
            let person = self.person(&channel);
            if self.part.there.get(&channel) == person.as_ref() {
                continue;
            }
            if let (Some(socket), Some(_)) = (self.part.socket, self.part.there.remove(&channel)) {
                let now = self.hub.now().mono;
                let wake = {
                    let mut state = self.hub.state();
                    let (people, serial) = state.people_mut();
                    people.unsubscribe(socket, &channel, now, serial)
                };
                self.hub.tell(&wake);
            }
            self.come_in(&[(channel, person)], false)?;
        }
        Ok(())
    }
}

impl Drop for Reader {
    fn drop(&mut self) {
        let heard: Vec<_> = self.subscription.heard_people().cloned().collect();
        if self.part.socket.is_none() && heard.is_empty() {
            return;
        }
        let now = self.hub.now().mono;
        {
            let mut state = self.hub.state();
            let people = state.people_mut().0;
            heard.iter().for_each(|channel| people.listen_no_more(channel));
            if let Some(socket) = self.part.socket {
                people.disconnect(socket, now);
            }
        }
        self.hub.tell(&Wake::new());
    }
}

#[derive(Serialize)]
struct Page<'a> {
    channel: &'a str,
    users: usize,
    connections: usize,
    members: Vec<Member<'a>>,
    next: Option<&'a str>,
}

/// Who is in a channel, a page of them.
pub(crate) async fn members(
    State(door): State<Doorway>,
    name: Result<Path<String>, PathRejection>,
    query: Parameters,
    headers: HeaderMap,
    peer: Peer,
) -> Result<Response, Failure> {
    let live = door.hub.live();
    live.readers.prepare(&headers).await;
    let rights = live.readers.admit(&headers, door.hub.now())?;
    let bad = |problem| Failure::bad("bad-query", problem);
    let Ok(Path(name)) = name else { return Err(bad("the address names no channel".to_owned())) };
    let channel = publish::channel(&name).map_err(bad)?;
    let [after, limit] = parameters(query, ["after", "limit"])?;
    let limit = limit_of(limit.as_deref()).map_err(bad)?;
    if let Some(message) = rights.forbids([&*channel]) {
        return Err(Failure::new(StatusCode::FORBIDDEN, "denied", message));
    }
    if !door.hub.live().rules.of(&channel).has_presence(&channel) {
        let message = format!("who is in channel {channel} isn't known: expected one that has presence");
        return Err(Failure::new(StatusCode::NOT_FOUND, "no-presence", message));
    }
    let channels = [channel];
    let reader = Once::admit(&door.hub, &headers, &rights, peer, &channels).await?;
    if !are_known(&door.hub, &channels[0]).await {
        return Err(poll::not_current());
    }
    let now = door.hub.now();
    let mut state = door.hub.state();
    reader.read(&mut state, &channels, now)?;
    let all: Vec<_> = state.people().members(&channels[0]).collect();
    let (users, connections) = (all.len(), all.iter().map(|member| member.connections).sum());
    let is_after = |member: &Member<'_>| after.as_deref().is_none_or(|after| member.user > after);
    let mut members: Vec<_> = all.into_iter().filter(is_after).take(limit + 1).collect();
    let has_more = members.len() > limit;
    members.truncate(limit);
    let next = members.last().filter(|_| has_more).map(|member| member.user);
    Ok(json(&Page { channel: &channels[0], users, connections, members, next }))
}

/// Waits until it is known who is there by other nodes. Says whether it is.
async fn are_known(hub: &Arc<Shared>, channel: &Arc<str>) -> bool {
    let mut waker = hub.wakers.register();
    waker.watch([channel].into_iter());
    let known = async {
        while !hub.state().people().knows_others(channel) {
            hub.want_people(channel);
            waker.woken().await;
        }
    };
    tokio::time::timeout(limits::ENGINE_ANSWER, known).await.is_ok()
}

fn limit_of(text: Option<&str>) -> Result<usize, String> {
    let max = limits::PRESENT_PAGE_MAX;
    let Some(text) = text else { return Ok(max) };
    let limit = text.parse().ok().filter(|limit| (1..=max).contains(limit));
    limit.ok_or_else(|| {
        let found: String = text.chars().take(40).collect();
        format!("`limit` is {found:?}: expected 1 to {max}")
    })
}
