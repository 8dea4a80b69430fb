//! Sparkplug B on top of MQTT: who is there, what its values are called, and whether they are good. Source: the Sparkplug
//! specification 3.0 (Eclipse), chapters 4 to 6.
//!
//! A node begins with a birth that names all of its metrics, numbers what it sends from 0 to 255 over and over, and its will tells its
//! death. What a publisher sends is *good* from its birth on for as long as no number is missing. After that, and before the first birth
//! that this link saw, nobody knows what a shortened name stands for, or what else has changed.

mod nodes;
mod payload;
mod topic;
mod wire;

#[cfg(test)]
pub(super) mod tests;

pub(super) use nodes::{Nodes, Said, Told};

/// Whether it is a topic of a node or a device.
pub(super) fn is_of_node(topic: &str) -> bool {
    matches!(topic::read(topic), topic::Found::Node(_))
}
