//! Entries of a stream, by a consumer group.

use std::sync::Arc;

use redis::{AsyncConnectionConfig, RedisError, aio::MultiplexedConnection};
use tokio::time::sleep;

use super::{AGAIN, Ended, FromRedis, Taken, entry, lease::Lease, leave_out, publish};
use crate::{engine, hub::Shared, limits, publish::Incoming};

/// All nodes of a hub are one consumer: what one of them left behind, the next one finds.
const CONSUMER: &str = "watchfloor-hub";

/// An entry as Redis answers it: without fields if it was deleted meanwhile.
type Entry = (String, Option<Vec<Vec<u8>>>);

/// Reads for as long as it goes.
pub(super) async fn read(hub: &Arc<Shared>, source: &FromRedis, key: &str, group: &str, tries: &mut u32) -> Ended {
    match go_on(hub, source, key, group, tries).await {
        Ok(never) => match never {},
        Err(ended) => ended,
    }
}

async fn go_on(
    hub: &Arc<Shared>,
    source: &FromRedis,
    key: &str,
    group: &str,
    tries: &mut u32,
) -> Result<std::convert::Infallible, Ended> {
    let mut connection = connect(source).await?;
    let lease = Lease::of(hub, source);
    let mut pending = Some("0".to_owned());
    loop {
        if !lease.is_held(&mut connection).await? {
            // What the other leaves behind is read first, if it ends.
            pending = Some("0".to_owned());
            sleep(limits::NODE_RENEW).await;
            continue;
        }
        let place = pending.as_deref().unwrap_or(">");
        let entries = match next(&mut connection, key, group, place).await {
            Err(error) if error.code() == Some("NOGROUP") => {
                begin(&mut connection, key, group).await?;
                continue;
            }
            entries => entries?,
        };
        if *tries > 0 {
            tracing::info!(source = source.id, "a source in Redis is read again");
            *tries = 0;
        }
        let last = entries.last().map(|(id, _)| id.clone());
        match (&mut pending, last) {
            // Nothing more is left from before.
            (Some(_), None) => pending = None,
            (Some(place), Some(last)) => *place = last,
            (None, _) => {}
        }
        take(hub, source, &mut connection, (key, group), entries, &lease).await?;
    }
}

async fn connect(source: &FromRedis) -> Result<MultiplexedConnection, Ended> {
    let client = engine::client(&source.server).await.map_err(|error| Ended::Unfit(error.to_string()))?;
    let settings = AsyncConnectionConfig::new()
        .set_connection_timeout(Some(limits::ENGINE_CONNECT))
        .set_response_timeout(Some(limits::ENGINE_ANSWER + limits::FROM_REDIS_BLOCK));
    Ok(client.get_multiplexed_async_connection_with_config(&settings).await?)
}

/// Makes the group: from the first entry on, so that what was written before the hub began isn't missed.
async fn begin(connection: &mut MultiplexedConnection, key: &str, group: &str) -> Result<(), Ended> {
    let mut command = redis::cmd("XGROUP");
    command.arg("CREATE").arg(key).arg(group).arg("0").arg("MKSTREAM");
    match command.query_async::<()>(connection).await {
        Err(error) if error.code() == Some("BUSYGROUP") => Ok(()),
        made => Ok(made?),
    }
}

/// The entries after a place that this consumer was given before, or new ones.
async fn next(
    connection: &mut MultiplexedConnection,
    key: &str,
    group: &str,
    place: &str,
) -> Result<Vec<Entry>, RedisError> {
    let mut command = redis::cmd("XREADGROUP");
    command.arg("GROUP").arg(group).arg(CONSUMER).arg("COUNT").arg(limits::FROM_REDIS_BATCH);
    if place == ">" {
        command.arg("BLOCK").arg(limits::FROM_REDIS_BLOCK.as_millis() as u64);
    }
    let found: Option<Vec<(String, Vec<Entry>)>> =
        command.arg("STREAMS").arg(key).arg(place).query_async(connection).await?;
    Ok(found.into_iter().flatten().flat_map(|(_, entries)| entries).collect())
}

/// Publishes entries, and says to Redis that they are taken when the hub has them.
async fn take(
    hub: &Arc<Shared>,
    source: &FromRedis,
    connection: &mut MultiplexedConnection,
    (key, group): (&str, &str),
    entries: Vec<Entry>,
    lease: &Lease,
) -> Result<(), Ended> {
    let (mut ids, mut batch): (Vec<String>, Vec<Incoming>) = (Vec::new(), Vec::new());
    for (id, fields) in entries {
        match fields.as_deref().map(|fields| entry::entry(source, key, &id, fields)) {
            Some(Ok(event)) => batch.push(event),
            Some(Err(problem)) => leave_out(hub, source, &format!("entry {id}: {problem}")),
            None => {}
        }
        ids.push(id);
    }
    if ids.is_empty() {
        return Ok(());
    }
    while publish(hub, source, batch.clone()).await == Taken::Later {
        sleep(AGAIN).await;
        if !lease.is_held(connection).await? {
            // Another node reads it, and finds these entries.
            return Ok(());
        }
    }
    let mut command = redis::cmd("XACK");
    command.arg(key).arg(group).arg(ids);
    Ok(command.query_async::<()>(connection).await?)
}
