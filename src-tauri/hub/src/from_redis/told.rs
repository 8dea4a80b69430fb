//! Messages of Pub/Sub: who isn't there when they are told doesn't hear of them.

use std::{collections::VecDeque, sync::Arc};

use futures_util::{
    StreamExt,
    future::{BoxFuture, OptionFuture},
};
use redis::AsyncConnectionConfig;
use tokio::time::{MissedTickBehavior, interval};

use super::{Ended, FromRedis, Taken, entry, lease::Lease, leave_out, publish};
use crate::{engine, hub::Shared, limits, publish::Incoming};

/// Hears for as long as it goes.
pub(super) async fn hear(hub: &Arc<Shared>, source: &FromRedis, pattern: &str, tries: &mut u32) -> Ended {
    match go_on(hub, source, pattern, tries).await {
        Ok(never) => match never {},
        Err(ended) => ended,
    }
}

async fn go_on(
    hub: &Arc<Shared>,
    source: &FromRedis,
    pattern: &str,
    tries: &mut u32,
) -> Result<std::convert::Infallible, Ended> {
    let client = engine::client(&source.server).await.map_err(|error| Ended::Unfit(error.to_string()))?;
    let settings = AsyncConnectionConfig::new()
        .set_connection_timeout(Some(limits::ENGINE_CONNECT))
        .set_response_timeout(Some(limits::ENGINE_ANSWER));
    let mut asking = client.get_multiplexed_async_connection_with_config(&settings).await?;
    let mut news = client.get_async_pubsub().await?;
    news.psubscribe(pattern).await?;
    if *tries > 0 {
        tracing::info!(source = source.id, "a source in Redis is heard again");
        *tries = 0;
    }
    let lease = Lease::of(hub, source);
    let mut holds = lease.is_held(&mut asking).await?;
    let mut renews = interval(limits::NODE_RENEW);
    renews.set_missed_tick_behavior(MissedTickBehavior::Delay);
    let mut told = news.into_on_message().ready_chunks(limits::FROM_REDIS_BATCH);
    let mut waiting = Waiting::default();
    let mut publishing: Option<BoxFuture<'_, (usize, Taken)>> = None;
    loop {
        if publishing.is_none()
            && let Some(batch) = waiting.next_batch()
        {
            publishing = Some(Box::pin(async move { (batch.len(), publish(hub, source, batch).await) }));
        }
        tokio::select! {
            some = told.next() => {
                let Some(some) = some else { return Err(Ended::Unfit("it hung up".to_owned())) };
                // Another node hears the same, and passes it on.
                if !holds {
                    continue;
                }
                for message in some {
                    let read = entry::message(source, message.get_channel_name(), message.get_payload_bytes());
                    if let Err(problem) = read.and_then(|event| waiting.take(event)) {
                        leave_out(hub, source, &problem);
                    }
                }
            }
            // What is told meanwhile is taken out of the library's hands, which would hold any amount.
            Some((count, taken)) = OptionFuture::from(publishing.as_mut()) => {
                publishing = None;
                if taken == Taken::Later {
                    (0..count).for_each(|_| leave_out(hub, source, "the hub can't take it at present"));
                }
            }
            // It shows a link that is dead, too.
            _ = renews.tick() => {
                holds = lease.is_held(&mut asking).await?;
                redis::cmd("PING").query_async::<()>(&mut asking).await?;
            }
        }
    }
}

/// What was told and isn't published yet, the oldest first, within bounds.
#[derive(Default)]
struct Waiting {
    events: VecDeque<Incoming>,
    bytes: usize,
}

impl Waiting {
    /// One more.
    ///
    /// # Errors
    /// If there is no room.
    fn take(&mut self, event: Incoming) -> Result<(), String> {
        let bytes = self.bytes + event.data.text().len();
        if self.events.len() >= limits::FROM_REDIS_WAITING_MAX || bytes > limits::FROM_REDIS_WAITING_BYTES_MAX {
            return Err("more is told than the hub can take: too much waits already".to_owned());
        }
        self.bytes = bytes;
        self.events.push_back(event);
        Ok(())
    }

    /// What is to be published next.
    fn next_batch(&mut self) -> Option<Vec<Incoming>> {
        let batch: Vec<_> = self.events.drain(..self.events.len().min(limits::FROM_REDIS_BATCH)).collect();
        self.bytes -= batch.iter().map(|event| event.data.text().len()).sum::<usize>();
        (!batch.is_empty()).then_some(batch)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::publish::{self, Form};

    /// H5: what waits is bounded by number and by bytes, and leaves in its order.
    #[test]
    fn bounds() {
        let event = |number: usize, bytes: usize| {
            let text = format!(r#"{{"channel":"a","name":"n{number}","data":"{}"}}"#, "x".repeat(bytes));
            publish::parse(text.as_bytes(), Form::Json).expect("an event").remove(0)
        };
        let mut waiting = Waiting::default();
        let taken = (0..).take_while(|number| waiting.take(event(*number, 1)).is_ok()).count();
        assert_eq!(taken, limits::FROM_REDIS_WAITING_MAX);
        let first = waiting.next_batch().expect("some");
        assert_eq!((first.len(), &*first[0].name, &*first[99].name), (limits::FROM_REDIS_BATCH, "n0", "n99"));
        waiting.take(event(taken, 1)).expect("room again");
        let left: Vec<_> = std::iter::from_fn(|| waiting.next_batch()).flatten().collect();
        assert_eq!((left.len(), &*left[0].name), (taken - 99, "n100"));
        assert_eq!(waiting.bytes, 0);

        let large = limits::FROM_REDIS_WAITING_BYTES_MAX / 32;
        let taken = (0..).take_while(|number| waiting.take(event(*number, large)).is_ok()).count();
        assert_eq!(taken, 31, "two quotation marks are bytes as well");
    }
}
