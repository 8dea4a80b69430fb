//! The hub: takes events by HTTP and passes them on to walls, with positions, history, snapshots and proofs of life.
//!
//! `docs/hub.md` is its contract. Inside, [`Hub`] is a shell around a value: `state` knows everything and does no I/O,
//! `subscription` is a reader's place in it, the modules under `door` write what it reads to a WebSocket, an event stream or an answer.

mod access;
mod admin;
mod admission;
mod app;
mod audit;
mod authorise;
mod body;
mod channel;
mod clock;
mod close;
pub mod config;
mod cursor;
mod door;
mod engine;
mod failure;
mod fields;
mod from_redis;
#[cfg(test)]
mod fuzz;
mod guard;
mod hub;
mod hub_config;
mod idempotency;
mod ledger;
pub mod limits;
mod live;
mod message;
mod metrics;
mod people;
mod proxies;
mod publish;
mod rates;
mod reconcile;
mod refusal;
mod revocation;
mod routes;
mod rules;
mod serve;
mod site;
mod stall;
mod state;
mod stop;
mod store;
mod subscription;
mod tls;
mod wake;
mod webhook;

pub use access::{KEY_BYTES_MIN, Keys, Readers, Signing, SigningKey};
pub use app::{App, AppConfig, Origins};
pub use authorise::Authorise;
pub use channel::HistoryLimits;
pub use engine::{EngineConfig, EnginePlace, check_address};
pub use fields::Fields;
pub use from_redis::{FromForm, FromRedis, Spring};
pub use guard::Token;
pub use hub::Hub;
pub use hub_config::HubConfig;
pub use proxies::{Network, Proxies, ProxyHeader};
pub use rates::{Rate, Rates, Speech};
pub use reconcile::{Named, Reconcile};
pub use revocation::{Revocation, Revoked, Target, Unrevoked, Whom};
pub use rules::{Durability, OwnHistory, Publishers, Rules, Settings};
pub use store::{StoreConfig, StoreError};
pub use tls::{Tls, TlsFiles};
pub use webhook::{Topic, Webhook};
