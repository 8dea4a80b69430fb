//! What a server's codes mean: MQTT 5, section 2.4, and MQTT 3.1.1, section 3.2.2.3.

use super::packet::Version;

/// What follows from a refusal.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Then {
    /// It may be tried again soon.
    Again,
    /// Not soon: so many seconds.
    Later(u64),
    /// Access is denied, or a person must change something: slowly, and shown.
    Denied,
    /// The server doesn't know this version.
    OtherVersion,
}

/// Of the answer to CONNECT.
pub(super) fn of_connack(version: Version, code: u8) -> (&'static str, Then) {
    match (version, code) {
        // Whoever doesn't know version 5 answers in the old way.
        (_, 1) => ("it doesn't know this version of MQTT", Then::OtherVersion),
        (Version::Old, 2) => ("it doesn't take the client's name", Then::Denied),
        (Version::Old, 3) => ("it is not available", Then::Again),
        (Version::Old, 4) => ("wrong user or password", Then::Denied),
        (Version::Old, 5) => ("not authorised", Then::Denied),
        (Version::Old, _) => ("it refuses", Then::Later(30)),
        (Version::Five, code) => of_five(code),
    }
}

/// Of a subscription.
pub(super) fn of_suback(code: u8) -> (&'static str, Then) {
    match code {
        // In the old one it is the only one there is.
        0x80 => ("refused", Then::Denied),
        code => of_five(code),
    }
}

/// Of anything in version 5.
pub(super) fn of_five(code: u8) -> (&'static str, Then) {
    match code {
        0x00 => ("it said goodbye", Then::Again),
        0x81 => ("it can't read what was sent", Then::Later(60)),
        0x82 => ("it takes what was sent for a breach of the protocol", Then::Later(60)),
        0x84 => ("it doesn't know this version of MQTT", Then::OtherVersion),
        0x85 => ("it doesn't take the client's name", Then::Denied),
        0x86 => ("wrong user or password", Then::Denied),
        0x87 => ("not authorised", Then::Denied),
        0x88 => ("it is not available", Then::Again),
        0x89 => ("it is busy", Then::Again),
        0x8A => ("this client is banned", Then::Denied),
        0x8B => ("it shuts down", Then::Again),
        0x8C => ("it wants another way to authorise", Then::Denied),
        0x8D => ("it heard nothing for too long", Then::Again),
        0x8E => ("another client came with the same name", Then::Denied),
        0x8F => ("it doesn't take this filter", Then::Denied),
        0x91 => ("the number of the request is in use", Then::Again),
        0x93 => ("too much is unacknowledged", Then::Later(30)),
        0x94 => ("it doesn't take a topic's alias", Then::Later(60)),
        0x95 => ("what was sent is too big", Then::Later(60)),
        0x96 => ("too many messages", Then::Later(30)),
        0x97 => ("its quota is used up", Then::Later(30)),
        0x98 => ("an administrator ended the connection", Then::Denied),
        0x99 => ("a message isn't of the form that it says", Then::Later(60)),
        0x9A => ("it keeps no messages", Then::Denied),
        0x9B => ("it hasn't this quality of service", Then::Denied),
        0x9C => ("it asks to use another server", Then::Denied),
        0x9D => ("it has moved", Then::Denied),
        0x9E => ("it has no shared subscriptions", Then::Denied),
        0x9F => ("too many connections", Then::Later(30)),
        0xA0 => ("the connection has lasted as long as it may", Then::Again),
        0xA1 => ("it has no subscription identifiers", Then::Denied),
        0xA2 => ("it has no wildcards", Then::Denied),
        _ => ("it refuses", Then::Later(30)),
    }
}
