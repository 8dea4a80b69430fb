//! Real faults: real programs, with a line between them that breaks in every way. `docs/proof.md` has the table of a run.

pub mod board;
mod disk;
mod dns;
pub mod fold;
mod journal;
mod network;
pub mod outcome;
mod page;
pub mod process;
mod program;
pub mod proxy;
pub mod publisher;
mod room;
mod server;
pub mod site;
mod storm;
mod tls;
mod truth;

use std::{pin::Pin, sync::Arc};

use anyhow::Result;
use tokio::{sync::Semaphore, task::JoinSet};

use self::outcome::Outcome;

/// How much of it.
#[derive(Clone, Copy, Debug)]
pub struct Size {
    /// How often the wall is killed.
    pub kills: usize,
    /// Connections of the storm.
    pub connections: usize,
}

type Running = Pin<Box<dyn Future<Output = Result<Outcome>> + Send>>;

/// A fault: its name, and how it is tried.
pub struct Fault {
    /// What `--only` calls it.
    pub name: &'static str,
    /// Whether nothing else may run meanwhile.
    pub alone: bool,
    /// Whether it opens a window.
    pub needs_display: bool,
    try_it: fn(Size) -> Running,
}

macro_rules! fault {
    ($name:literal, $function:path) => {
        Fault { name: $name, alone: false, needs_display: false, try_it: |_| Box::pin($function()) }
    };
    ($name:literal, $function:path, sized) => {
        Fault { name: $name, alone: false, needs_display: false, try_it: |size| Box::pin($function(size)) }
    };
}

/// Every fault.
pub const FAULTS: &[Fault] = &[
    fault!("server-kill", server::kill),
    fault!("server-stop", server::stop),
    fault!("cut", network::cut),
    fault!("half-open", network::half_open),
    fault!("throttle", network::throttle),
    fault!("corrupt", network::corrupt),
    fault!("tls-corrupt", tls::corrupt),
    fault!("tls-name", tls::wrong_name),
    fault!("tls-expired", tls::expired),
    fault!("tls-issuer", tls::unknown_issuer),
    fault!("dns", dns::gone_and_back),
    fault!("kills", program::kills, sized),
    fault!("stop", program::stop),
    fault!("stop-unheard", program::stop_unheard),
    fault!("disk-full", disk::full),
    fault!("disk-read-only", disk::read_only),
    fault!("disk-turned-read-only", disk::turned_read_only),
    fault!("journal-torn", journal::torn_log, sized),
    fault!("journal-damaged", journal::damaged, sized),
    fault!("journal-newer", journal::newer),
    Fault { name: "page-stop", alone: true, needs_display: true, try_it: |_| Box::pin(page::stop()) },
    Fault { name: "page-kill", alone: true, needs_display: true, try_it: |_| Box::pin(page::kill()) },
    Fault { name: "storm", alone: true, needs_display: false, try_it: |size| Box::pin(storm::storm(size)) },
];

/// How many are tried at once.
const AT_ONCE: usize = 8;

impl Fault {
    /// Tries it. What doesn't come to an end is a failure too.
    pub async fn run(&self, size: Size) -> Outcome {
        // What fails takes the others with it as little as what panics.
        match tokio::spawn((self.try_it)(size)).await.map_err(Into::into).flatten() {
            Ok(outcome) => outcome,
            Err(error) => {
                let mut outcome = Outcome::new(self.name);
                outcome.wrong.push(format!("{error:#}"));
                outcome
            }
        }
    }
}

/// Tries those faults, several at once, and those that want to be alone after the others. `done` hears of each.
pub async fn run(faults: Vec<&'static Fault>, size: Size, mut done: impl FnMut(&Outcome)) -> Vec<Outcome> {
    let (alone, together): (Vec<_>, Vec<_>) = faults.iter().enumerate().partition(|(_, fault)| fault.alone);
    let mut outcomes: Vec<Option<Outcome>> = faults.iter().map(|_| None).collect();
    let permits = Arc::new(Semaphore::new(AT_ONCE));
    let mut running = JoinSet::new();
    for (at, fault) in together {
        let (fault, permits) = (*fault, Arc::clone(&permits));
        running.spawn(async move {
            let _permit = permits.acquire_owned().await;
            (at, fault.run(size).await)
        });
    }
    while let Some(ended) = running.join_next().await {
        if let Ok((at, outcome)) = ended {
            done(&outcome);
            outcomes[at] = Some(outcome);
        }
    }
    for (at, fault) in alone {
        let outcome = fault.run(size).await;
        done(&outcome);
        outcomes[at] = Some(outcome);
    }
    outcomes.into_iter().flatten().collect()
}
