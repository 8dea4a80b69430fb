//! What was delivered, and what holds of it whatever was said.

use std::{collections::BTreeMap, sync::Arc};

use watchfloor_model::{Delivery, Position};

/// Each channel's newest event, unless something was delivered since that explains whatever comes.
#[derive(Debug, Default)]
pub(super) struct Told(BTreeMap<Arc<str>, Position>);

impl Told {
    /// H3: each event once and in order, unless a gap or a snapshot says why not.
    pub(super) fn take(&mut self, delivery: &Delivery) {
        match delivery {
            Delivery::Events(events) => {
                assert!(!events.is_empty());
                for event in events {
                    let Some(place) = &event.position else { continue };
                    if let Some(last) = self.0.get(&event.channel) {
                        assert!(place.epoch == last.epoch && place.offset > last.offset, "{place} after {last}");
                    }
                    self.0.insert(event.channel.clone(), place.clone());
                }
            }
            Delivery::Snapshot(_) | Delivery::Restated(_) => self.0.clear(),
            Delivery::Gap(gap) => {
                self.0.remove(&gap.channel);
            }
            Delivery::Check(_) | Delivery::Recheck(_) => {}
        }
    }
}
