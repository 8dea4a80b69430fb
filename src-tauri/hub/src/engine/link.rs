//! Connections to the engine: found, made, and asked what they lead to.

use std::{fmt, sync::Arc, time::Duration};

use redis::{
    AsyncConnectionConfig, Client, ConnectionAddr, ConnectionInfo, IntoConnectionInfo, RedisConnectionInfo, RedisError,
    ServerErrorKind,
    aio::{MultiplexedConnection, PubSub},
    sentinel::{SentinelClientBuilder, SentinelServerType},
};

use crate::limits;

/// Where the engine is, and how it is to be used.
#[derive(Clone)]
pub struct EngineConfig {
    /// Where it is.
    pub place: EnginePlace,
    /// The user of its access list; its default user if it is none.
    pub user: Option<String>,
    /// What the hub presents.
    pub password: Option<String>,
    /// What the hub presents to Sentinels, which ask for nothing most often.
    pub sentinel_password: Option<String>,
    /// What all keys begin with.
    pub prefix: String,
    /// How many replicas have an event before it is acknowledged, and sent to anybody.
    pub replicas: u32,
    /// Whether nothing that was acknowledged is lost when it is started anew; none to ask the engine itself.
    pub keeps: Option<bool>,
}

/// Where an engine is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum EnginePlace {
    /// At `redis://HOST:PORT/DB`, or `rediss://` by TLS.
    At(String),
    /// Where Sentinels say.
    Sentinels {
        /// They are at `HOST:PORT`.
        sentinels: Vec<String>,
        /// What they call it.
        master: String,
        /// Which of its databases.
        database: i64,
    },
}

impl fmt::Debug for EngineConfig {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { place, user, password: _, sentinel_password: _, prefix, replicas, keeps } = self;
        let mut shown = f.debug_struct("EngineConfig");
        shown.field("place", place).field("user", user).field("prefix", prefix);
        shown.field("replicas", replicas).field("keeps", keeps).finish_non_exhaustive()
    }
}

impl EngineConfig {
    /// An engine at an address, with what is most often right for the rest.
    #[must_use]
    pub fn at(address: impl Into<String>) -> Self {
        Self {
            place: EnginePlace::At(address.into()),
            user: None,
            password: None,
            sentinel_password: None,
            prefix: "wf".to_owned(),
            replicas: 0,
            keeps: None,
        }
    }
}

/// Whether a text is an address of an engine, without a secret in it.
///
/// # Errors
/// What is wrong with it.
pub fn check_address(text: &str) -> Result<(), &'static str> {
    let has_scheme = text.starts_with("redis://") || text.starts_with("rediss://");
    if !has_scheme {
        return Err("no address of Redis");
    }
    if text.contains('@') {
        return Err("it holds a user or a password");
    }
    if text.contains('?') || text.contains('#') {
        return Err("it holds options");
    }
    text.into_connection_info().map(drop).map_err(|_| "no address of Redis")
}

/// Connections that stand, all to the same run of the same server.
pub(super) struct Link {
    /// To read, and for what is short.
    pub(super) reading: MultiplexedConnection,
    /// To publish.
    pub(super) publishing: MultiplexedConnection,
    /// What is told live.
    pub(super) news: PubSub,
    /// Which run of the server it is, where a run may lose something of the one before; empty otherwise.
    pub(super) run: Arc<str>,
}

/// Why there is no link.
#[derive(Debug, thiserror::Error)]
pub(crate) enum Unlinked {
    /// What the library says.
    #[error(transparent)]
    Redis(#[from] RedisError),
    /// It doesn't answer in time.
    #[error("it doesn't answer in time")]
    Slow,
    /// It is no server that can be used.
    #[error("{0}")]
    Unfit(String),
}

/// Finds the engine and connects to it.
pub(super) async fn connect(config: &EngineConfig) -> Result<Link, Unlinked> {
    tokio::time::timeout(limits::ENGINE_CONNECT, establish(config)).await.map_err(|_| Unlinked::Slow)?
}

async fn establish(config: &EngineConfig) -> Result<Link, Unlinked> {
    let client = client(config).await?;
    let settings = AsyncConnectionConfig::new()
        .set_connection_timeout(Some(limits::ENGINE_CONNECT))
        .set_response_timeout(Some(limits::ENGINE_ANSWER));
    let mut reading = client.get_multiplexed_async_connection_with_config(&settings).await?;
    let mut publishing = client.get_multiplexed_async_connection_with_config(&settings).await?;
    let facts = Facts::ask(&mut reading).await?;
    if Facts::ask(&mut publishing).await?.run != facts.run {
        return Err(Unlinked::Unfit("it was started anew just now".to_owned()));
    }
    let news = client.get_async_pubsub().await?;
    let keeps = match config.keeps {
        Some(keeps) => keeps,
        None => config.replicas > 0 || (facts.syncs_always(&mut reading).await && !config.has_sentinels()),
    };
    let run = if keeps { Arc::from("") } else { Arc::from(facts.run) };
    Ok(Link { reading, publishing, news, run })
}

impl EngineConfig {
    const fn has_sentinels(&self) -> bool {
        matches!(self.place, EnginePlace::Sentinels { .. })
    }

    fn settings(&self, database: i64) -> RedisConnectionInfo {
        let mut settings = RedisConnectionInfo::default().set_db(database).set_skip_set_lib_name();
        if let Some(user) = &self.user {
            settings = settings.set_username(user);
        }
        if let Some(password) = &self.password {
            settings = settings.set_password(password);
        }
        settings
    }
}

/// Finds it, and nothing more.
pub(crate) async fn client(config: &EngineConfig) -> Result<Client, Unlinked> {
    // A program around this one that has installed another is served by that.
    let _installed = rustls::crypto::ring::default_provider().install_default();
    match &config.place {
        EnginePlace::At(address) => {
            let info: ConnectionInfo = address.as_str().into_connection_info()?;
            let database = info.redis_settings().db();
            Ok(Client::open(info.set_redis_settings(config.settings(database)))?)
        }
        EnginePlace::Sentinels { sentinels, master, database } => {
            let addresses = sentinels.iter().map(|address| sentinel(address)).collect::<Option<Vec<_>>>();
            let addresses = addresses.ok_or_else(|| Unlinked::Unfit("a Sentinel has no address".to_owned()))?;
            let mut builder = SentinelClientBuilder::new(addresses, master, SentinelServerType::Master)?
                .set_client_to_redis_db(*database);
            if let Some(user) = &config.user {
                builder = builder.set_client_to_redis_username(user);
            }
            if let Some(password) = &config.password {
                builder = builder.set_client_to_redis_password(password);
            }
            if let Some(password) = &config.sentinel_password {
                builder = builder.set_client_to_sentinel_password(password);
            }
            Ok(builder.build()?.async_get_client().await?)
        }
    }
}

/// A Sentinel's address.
pub(crate) fn sentinel(text: &str) -> Option<ConnectionAddr> {
    let (host, port) = text.rsplit_once(':')?;
    let host = host.strip_prefix('[').map_or(Some(host), |host| host.strip_suffix(']'))?;
    if host.is_empty() || host.contains(['/', '@']) {
        return None;
    }
    Some(ConnectionAddr::Tcp(host.to_owned(), port.parse().ok()?))
}

/// What a server says of itself.
struct Facts {
    run: String,
    has_log: bool,
}

impl Facts {
    async fn ask(connection: &mut MultiplexedConnection) -> Result<Self, Unlinked> {
        let text: String = redis::cmd("INFO").query_async(connection).await?;
        let of = |name: &str| {
            text.lines().find_map(|line| line.strip_prefix(name)?.strip_prefix(':')).unwrap_or_default().trim()
        };
        let run = of("run_id").to_owned();
        if run.is_empty() {
            return Err(Unlinked::Unfit("it doesn't say which run it is (`INFO server`)".to_owned()));
        }
        if of("role") != "master" {
            return Err(Unlinked::Unfit(format!("it is no master: {:?}", of("role"))));
        }
        if of("loading") == "1" {
            return Err(Unlinked::Unfit("it reads its file yet".to_owned()));
        }
        Ok(Self { run, has_log: of("aof_enabled") == "1" })
    }

    /// Whether it has written to its disk what it acknowledges. Where that may not be asked, it doesn't count as so.
    async fn syncs_always(&self, connection: &mut MultiplexedConnection) -> bool {
        let asked = redis::cmd("CONFIG").arg("GET").arg("appendfsync").query_async::<Vec<String>>(connection).await;
        self.has_log && asked.is_ok_and(|found| found.get(1).is_some_and(|value| value == "always"))
    }
}

/// Whether an error means that the server can't be used any longer by this link.
pub(super) fn is_broken(error: &RedisError) -> bool {
    let stands_down = matches!(
        error.kind(),
        redis::ErrorKind::Server(
            ServerErrorKind::ReadOnly | ServerErrorKind::MasterDown | ServerErrorKind::BusyLoading
        )
    );
    stands_down
        || error.is_io_error()
        || error.is_connection_dropped()
        || error.is_timeout()
        || error.is_unrecoverable_error()
}

/// How long to wait before the next try.
pub(crate) fn pause(tries: u32) -> Duration {
    let most = limits::ENGINE_RETRY.saturating_mul(1 << tries.min(5));
    most.mul_f64(0.5 + rand::random::<f64>() / 2.0)
}
