//! What the workspace's tests share: a desktop without a screen, the program on it, and an independent idea of what is right.

pub mod ably;
pub mod authority;
pub mod bench;
pub mod boiler_house;
pub mod chords;
pub mod desktop;
pub mod ear;
pub mod faults;
pub mod interop;
pub mod keyring;
pub mod monitors;
pub mod notifier;
pub mod on_glass;
pub mod overheard;
pub mod page;
pub mod pictures;
pub mod program;
pub mod receiver;
pub mod record;
pub mod reference;
pub mod screen;
pub mod states;
pub mod wait;
pub mod window;
