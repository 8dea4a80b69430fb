//! Several nodes on Redis, as real programs: what is published by one is read by all, and nothing that was acknowledged is lost, whoever
//! is killed.
//!
//! They need `redis-server`, `nginx` and `haproxy`: `scripts/test.sh` installs them.

#![allow(clippy::panic, reason = "what a test did not expect ends it, in its support too")]

mod between;
mod failover;
mod from_redis;
mod kills;
mod presence;
mod proxies;
mod publisher;
mod reader;
mod revoke;
mod stand;
