//! A connection on which nothing is said but why there is none.

use std::sync::Arc;

use axum::extract::ws::Utf8Bytes;
use tokio::time::Instant;
use watchfloor_model::Mono;

use super::wire::{self, Code};
use crate::{
    close::CloseReason,
    door::socket::{Heard, Talk},
    revocation::Lease,
    stop::Stop,
};

/// See the module.
pub(crate) struct Refusal {
    stop: Stop,
    lease: Arc<Lease>,
    code: Code,
    message: &'static str,
}

impl Refusal {
    pub(crate) fn new(stop: Stop, (code, message): (Code, &'static str)) -> Self {
        Self { stop, lease: Lease::new(None, None), code, message }
    }
}

impl Talk for Refusal {
    type Order = ();

    fn order(_: Heard<'_>) {}

    fn lease(&self) -> &Arc<Lease> {
        &self.lease
    }

    async fn follow(&mut self, (): (), _: &mut Vec<Utf8Bytes>) -> Option<CloseReason> {
        None
    }

    fn next_batch(&mut self, frames: &mut Vec<Utf8Bytes>) -> Option<CloseReason> {
        frames.push(wire::error(Some(self.code), self.message));
        Some(CloseReason::Pusher(self.code))
    }

    fn restarting(&mut self, _: &mut Vec<Utf8Bytes>) -> CloseReason {
        CloseReason::Restarting
    }

    fn stop(&self) -> &Stop {
        &self.stop
    }

    async fn woken(&self) {}

    fn due(&self) -> Mono {
        Mono::ZERO
    }

    fn instant(&self, _: Mono) -> Instant {
        Instant::now()
    }
}
