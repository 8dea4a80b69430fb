//! What a node does about who is present: tells of its own, hears of others.

use std::{collections::BTreeMap, sync::Arc};

use redis::{Msg, RedisError};

use super::{Done, Session};
use crate::{
    clock::Now,
    engine::presence::{self, Renewed},
    limits,
};

/// What is under way.
#[derive(Debug, Default)]
pub(super) struct Under {
    writes: bool,
    renews: bool,
}

impl Session<'_> {
    /// The link is new: nobody knows what the engine has of this node, and others couldn't renew their leases.
    pub(super) async fn begin_people(&mut self) -> Result<(), RedisError> {
        let now = self.node.hub.now().mono;
        self.node.rooms.be_lenient(now);
        let own = self.node.rooms.channels();
        self.node.rooms.write_anew();
        let known = self.node.rooms.known();
        self.subscribe_moves(&known).await?;
        known.iter().for_each(|channel| self.read_people(channel));
        self.node.moved.extend(own);
        self.renew();
        self.write_people();
        Ok(())
    }

    async fn subscribe_moves(&mut self, channels: &[Arc<str>]) -> Result<(), RedisError> {
        for some in channels.chunks(limits::PROOF_CHANNELS) {
            let names: Vec<_> = some.iter().map(|channel| self.engine.names.moves(channel)).collect();
            self.sink.subscribe(names).await?;
        }
        Ok(())
    }

    /// Begins to follow who is in channels for which somebody has come.
    pub(super) async fn attach_people(&mut self) -> Result<(), RedisError> {
        let wants = self.engine.take_people_wants();
        let known = self.node.rooms.known();
        let new: Vec<_> = wants.into_iter().filter(|channel| !known.contains(channel)).collect();
        self.subscribe_moves(&new).await?;
        new.iter().for_each(|channel| self.read_people(channel));
        Ok(())
    }

    /// Lets go of who is in channels in which nobody is by this node.
    pub(super) async fn let_people_go(&mut self) -> Result<(), RedisError> {
        let known = self.node.rooms.known();
        let (kept, gone): (Vec<_>, Vec<_>) =
            known.into_iter().partition(|channel| self.node.hub.wakers.has_readers(channel));
        for channel in gone {
            self.sink.unsubscribe(self.engine.names.moves(&channel)).await?;
            self.node.rooms.forget(&channel);
            self.node.hub.state().people_mut().0.forget_others(&channel);
            if self.node.hub.wakers.has_readers(&channel) {
                self.engine.want_people(channel);
            }
        }
        // It may have missed that something has changed.
        kept.iter().for_each(|channel| self.read_people(channel));
        Ok(())
    }

    /// Whether what was told is that somebody has moved.
    pub(super) fn told_moves(&mut self, told: &Msg) -> bool {
        let Some(channel) = self.engine.names.channel_of_moves(told.get_channel_name()) else { return false };
        let channel = Arc::from(channel);
        self.read_people(&channel);
        true
    }

    fn read_people(&mut self, channel: &Arc<str>) {
        let read = presence::read(self.reading.clone(), self.engine.names.clone(), channel.clone());
        let channel = channel.clone();
        self.work.push(Box::pin(async move { Done::Present { channel, found: read.await } }));
    }

    /// It was read who is in a channel.
    pub(super) fn was_read_people(&mut self, channel: &Arc<str>, found: Vec<(String, String)>) {
        let stray = self.node.rooms.find(&self.engine.node, channel, found);
        if !stray.is_empty() {
            let write = presence::take_away(self.reading.clone(), self.engine.names.clone(), channel.clone(), stray);
            self.work.push(Box::pin(async move { Done::Heard(write.await) }));
        }
        self.hear_others(channel);
    }

    fn hear_others(&mut self, channel: &Arc<str>) {
        let others: BTreeMap<_, _> = self.node.rooms.others(channel);
        let now = self.node.hub.now().mono;
        let wake = {
            let mut state = self.node.hub.state();
            let (people, serial) = state.people_mut();
            people.hear_others(channel, &others, now, serial)
        };
        self.node.hub.tell(&wake);
    }

    /// Writes who has come and gone by this node, one write at a time.
    pub(super) fn write_people(&mut self) {
        self.node.moved.extend(self.node.hub.state().people_mut().0.take_changed());
        if self.under.writes {
            return;
        }
        while let Some(channel) = self.node.moved.pop_first() {
            let own = self.node.hub.state().people().own(&channel);
            let change = self.node.rooms.change(&self.engine.node, &channel, own);
            if !change.is_empty() {
                self.under.writes = true;
                let write = presence::write(self.reading.clone(), self.engine.names.clone(), channel, change);
                self.work.push(Box::pin(async move { Done::Written(write.await) }));
                return;
            }
        }
    }

    pub(super) fn was_written(&mut self) {
        self.under.writes = false;
        self.write_people();
    }

    /// Says that this node lives, and asks who else does.
    pub(super) fn renew(&mut self) {
        if !std::mem::replace(&mut self.under.renews, true) {
            let (asked, renewing) = (self.node.hub.now(), self.renewing());
            self.work.push(Box::pin(async move { Done::Renewed { asked, renewed: renewing.await } }));
        }
    }

    pub(super) fn was_renewed(&mut self, asked: Now, renewed: Renewed) {
        self.under.renews = false;
        self.has_lease(asked, &renewed);
        let now = self.node.hub.now().mono;
        if self.node.rooms.live(renewed.nodes, now) {
            for channel in self.node.rooms.known() {
                self.hear_others(&channel);
            }
        }
    }
}
