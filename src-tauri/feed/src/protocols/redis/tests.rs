//! What Redis says, and what a feed makes of it. The answers are those of Redis 7.0.15.

mod access;
mod bytes;
mod hostile;
mod model;
mod pubsub;
mod rig;
mod sentinel;
mod streams;
