//! Which of several nodes reads a source: one of them, as long as it lives.

use std::sync::{Arc, LazyLock};

use redis::{RedisError, Script, aio::MultiplexedConnection};

use super::FromRedis;
use crate::{hub::Shared, limits};

/// Takes the lease, or renews it. Key: the lease. Arguments: whose, for how long. Answers whether it is his.
const HOLD: &str = r"
local holder = redis.call('GET', KEYS[1])
if holder and holder ~= ARGV[1] then return 0 end
redis.call('SET', KEYS[1], ARGV[1], 'PX', ARGV[2])
return 1
";

static HOLDING: LazyLock<Script> = LazyLock::new(|| Script::new(HOLD));

/// See the module.
pub(super) struct Lease {
    key: Option<String>,
    whose: Arc<str>,
}

impl Lease {
    /// One that isn't held yet. A hub that is alone needs none.
    pub(super) fn of(hub: &Shared, source: &FromRedis) -> Self {
        let key = hub.engine.is_some().then(|| format!("{}:from:{}", source.server.prefix, source.id));
        Self { key, whose: hub.process.clone() }
    }

    /// Whether this node reads now, and for some seconds.
    pub(super) async fn is_held(&self, connection: &mut MultiplexedConnection) -> Result<bool, RedisError> {
        let Some(key) = &self.key else { return Ok(true) };
        let mut script = HOLDING.prepare_invoke();
        script.key(key).arg(&*self.whose).arg(limits::NODE_LEASE.as_millis() as u64);
        Ok(script.invoke_async::<u8>(connection).await? == 1)
    }
}
