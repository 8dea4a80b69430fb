//! Messages of Pub/Sub: who isn't there when they are told doesn't hear of them.

use std::sync::Arc;

use futures_util::StreamExt;
use redis::AsyncConnectionConfig;
use tokio::time::{MissedTickBehavior, interval};

use super::{Ended, FromRedis, Taken, entry, lease::Lease, leave_out, publish};
use crate::{engine, hub::Shared, limits};

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
    loop {
        tokio::select! {
            some = told.next() => {
                let Some(some) = some else { return Err(Ended::Unfit("it hung up".to_owned())) };
                // Another node hears the same, and passes it on.
                if !holds {
                    continue;
                }
                let mut batch = Vec::with_capacity(some.len());
                for message in some {
                    match entry::message(source, message.get_channel_name(), message.get_payload_bytes()) {
                        Ok(event) => batch.push(event),
                        Err(problem) => leave_out(hub, source, &problem),
                    }
                }
                let count = batch.len();
                if publish(hub, source, batch).await == Taken::Later {
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
