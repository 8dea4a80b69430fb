//! The simulation proof: the real feed and the real board, and around them a world in virtual time with faults drawn from a
//! seed. `docs/proof.md` says what is simulated and how to run a seed again.
//!
//! | module | what it holds |
//! | --- | --- |
//! | `plan` | everything that decides a run, drawn from a seed |
//! | `fault` | what can go wrong |
//! | `keys` | tokens, as the issuer gives them and the server takes them |
//! | `world` | virtual time, the network, and what must hold at every instant |
//! | `dialects` | what other servers speak: one file a dialect |
//! | `server` | the server by its contract, and the truth: every event ever published |
//! | `wall` | one life of the program, and the journal that outlives it |
//! | `page` | the page: frames applied |
//! | `alarms` | what a person should have heard, and the record of alarms |
//! | `ledger` | what was delivered, and the rules that deliveries keep |
//! | `reference` | what each widget must show, in plain slow code |
//! | `met` | what the runs came to |
//! | `shrink` | a failing plan made small |
//! | `storm` | many walls lose one server |
#![allow(clippy::cast_precision_loss)] // numbers here are small

pub mod alarms;
pub mod board_file;
pub mod dialects;
pub mod draw;
pub mod fault;
pub mod keys;
pub mod ledger;
pub mod met;
pub mod page;
pub mod plan;
pub mod reference;
pub mod server;
pub mod shrink;
pub mod storm;
pub mod wall;
pub mod world;

use met::Met;
use plan::Plan;
use world::{Failure, World};

/// Runs a plan.
///
/// # Errors
/// If an invariant breaks.
pub fn run(plan: &Plan) -> Result<Met, Failure> {
    let mut world = World::new(plan);
    world.run()?;
    Ok(world.met)
}

/// Runs a plan in which nothing goes wrong: it is live from its first snapshot on, without a stale second (H2).
///
/// # Errors
/// If it isn't.
pub fn prove_healthy(plan: &Plan) -> Result<Met, String> {
    let mut world = World::new(plan);
    let told =
        |text: String| format!("seed {}: {text}\n{}\n", plan.seed, serde_json::to_string(plan).unwrap_or_default());
    world.run().map_err(|failure| told(failure.text))?;
    let gaps = world.wall.ledger.gaps;
    match (world.left_live(), plan.snapshots, gaps) {
        (0, true, [0, 0, 0]) | (0, false, _) => Ok(world.met),
        (left, _, gaps) => Err(told(format!("H2: it left live {left} times, and had gaps {gaps:?}"))),
    }
}

/// Runs a plan and keeps the story.
///
/// # Errors
/// If an invariant breaks.
pub fn trace(plan: &Plan) -> Result<Met, Failure> {
    let mut world = World::new(plan);
    world.traces = true;
    world.run()?;
    Ok(world.met)
}

/// Runs a plan; what fails is made small and told.
///
/// # Errors
/// The story of the smallest plan that fails in the same way.
pub fn prove(plan: &Plan) -> Result<Met, String> {
    run(plan).map_err(|failure| {
        let (small, last) = shrink::shrink(plan, &failure);
        shrink::told(plan, &failure, &small, &last)
    })
}
