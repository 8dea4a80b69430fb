//! What a hub is told when it is made.

use std::{path::PathBuf, time::Duration};

use watchfloor_board::config::spec::FoldSpec;

use crate::{
    access::Readers, app::App, authorise::Authorise, channel::HistoryLimits, engine::EngineConfig,
    from_redis::FromRedis, guard::Token, limits, proxies::Proxies, rates::Rates, reconcile::Named, rules::Rules,
    state::StateLimits, store::StoreConfig, tls::Tls,
};

/// What a hub is told when it is made.
#[derive(Clone, Debug)]
pub struct HubConfig {
    /// The time between two heartbeats of a subscription. Default 1 s.
    pub heartbeat: Duration,
    /// How much is remembered.
    pub history: HistoryLimits,
    /// Channels at most. Default 10,000.
    pub channels_max: usize,
    /// What publishers must present; without one the hub listens on loopback only.
    pub publish_token: Option<Token>,
    /// What readers must present.
    pub readers: Readers,
    /// What is folded for snapshots. Folds that are alike are folded once.
    pub aggregates: Vec<FoldSpec>,
    /// What is folded besides, for who asks by name.
    pub named: Vec<Named>,
    /// Idempotency keys remembered. Default 10,000.
    pub keys_max: usize,
    /// How long an idempotency key is remembered. Default 1 h.
    pub key_age: Duration,
    /// How long a connection may take no byte of what it is sent before it is dropped. Default 10 s.
    pub write_stall: Duration,
    /// Connections served at once; more wait. Default 10,000.
    pub connections_max: usize,
    /// Who may come by the Pusher door. Default nobody.
    pub apps: Vec<App>,
    /// How long an event with an id and a time is remembered: one of the same channel, name, id and time isn't published again, and the
    /// publisher is told where the first one is. Default zero: events are taken as they come.
    pub repeats: Duration,
    /// What outlives the hub. Default nothing.
    pub store: Option<StoreConfig>,
    /// What holds for which channel.
    pub rules: Rules,
    /// What those present who look after the hub; without one, [`Hub::administer`] listens on the loopback only.
    pub admin_token: Option<Token>,
    /// A file that refusals and revocations are written to, besides the log.
    pub audit_log: Option<PathBuf>,
    /// Which sites are asked who may read.
    pub authorise: Option<Authorise>,
    /// What holds all that outlives a node, where several are one hub. Instead of a store. Default none.
    pub engine: Option<EngineConfig>,
    /// By which certificate it is spoken to by TLS. Default none: by plain HTTP.
    pub tls: Option<Tls>,
    /// The proxies of the site's own, whose word on who comes is believed. Default none.
    pub proxies: Proxies,
    /// How often, and how many at once, somebody may come, and what a client may say. Default: any number.
    pub rates: Rates,
    /// Whether those who look after the hub come by TLS too, where there is a certificate. Default: beyond the loopback.
    pub admin_tls: Option<bool>,
    /// What is published from Redis. Default nothing.
    pub from_redis: Vec<FromRedis>,
}

impl Default for HubConfig {
    fn default() -> Self {
        Self {
            heartbeat: limits::HEARTBEAT,
            history: HistoryLimits::default(),
            channels_max: limits::CHANNELS_MAX,
            publish_token: None,
            readers: Readers::default(),
            aggregates: Vec::new(),
            named: Vec::new(),
            keys_max: limits::KEYS_MAX,
            key_age: limits::KEY_AGE,
            write_stall: limits::WRITE_STALL,
            connections_max: limits::CONNECTIONS_MAX,
            apps: Vec::new(),
            repeats: Duration::ZERO,
            store: None,
            rules: Rules::default(),
            admin_token: None,
            audit_log: None,
            authorise: None,
            engine: None,
            tls: None,
            proxies: Proxies::default(),
            rates: Rates::default(),
            admin_tls: None,
            from_redis: Vec::new(),
        }
    }
}

impl HubConfig {
    /// Everything that is folded.
    pub(crate) fn specs(&self) -> Vec<FoldSpec> {
        let named = self.named.iter().map(|named| &named.fold);
        self.aggregates.iter().chain(named).cloned().collect()
    }

    /// How much the state holds.
    pub(crate) fn limits(&self) -> StateLimits {
        StateLimits {
            history: self.history.clone(),
            channels_max: self.channels_max,
            keys_max: self.keys_max,
            key_age: self.key_age,
            repeats_age: self.repeats,
            rules: self.rules.clone(),
        }
    }
}
