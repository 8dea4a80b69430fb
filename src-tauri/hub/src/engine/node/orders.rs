//! What a node does because another has ordered it.

use redis::{Msg, RedisError};

use super::{Done, Session};
use crate::engine::orders::{self, Told};

impl Session<'_> {
    /// Does what stands to be done.
    pub(super) async fn begin_orders(&mut self) -> Result<(), RedisError> {
        let names = &self.engine.names;
        self.sink.subscribe(&[names.orders(), names.answers(&self.engine.node)]).await?;
        for order in orders::standing(self.reading.clone(), names.clone()).await? {
            self.node.hub.obey(&order);
        }
        Ok(())
    }

    /// Whether what was told is an order, or the answer to one.
    pub(super) fn told_orders(&mut self, told: &Msg) -> bool {
        let (name, names) = (told.get_channel_name(), &self.engine.names);
        let text = std::str::from_utf8(told.get_payload_bytes()).unwrap_or_default();
        if name == names.answers(&self.engine.node) {
            self.engine.answers.hear(text);
            return true;
        }
        if name != names.orders() {
            return false;
        }
        if let Some(told) = Told::read(text) {
            self.node.hub.obey(told.order());
            let answer = told.answer(self.reading.clone(), names.clone(), self.engine.node.clone());
            self.work.push(Box::pin(async move { Done::Answered(answer.await) }));
        }
        true
    }
}
