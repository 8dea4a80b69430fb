//! What stands in packets: OASIS MQTT 5.0 and MQTT 3.1.1, as far as somebody needs it who only listens.

use super::frames::{Frame, Malformed};

/// Which MQTT is spoken.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Version {
    /// 5.0.
    Five,
    /// 3.1.1.
    Old,
}

/// PINGREQ.
pub(super) const PING: [u8; 2] = [0xC0, 0];
/// For how long, in seconds, a server keeps the session of a client that is away.
pub(super) const SESSION_EXPIRY_S: u32 = 300;
/// How many publications may be on their way unacknowledged. No more than brokers allow themselves (RabbitMQ 10, Mosquitto and
/// VerneMQ 20, EMQX 32): so it is known when one holds something back.
pub(super) const WINDOW: u16 = 10;
/// What says in CONNECT that the session begins anew.
const CLEAN: u8 = 2;
/// The longest silence of ours that a server takes, in seconds. Pings come every ten seconds at the latest.
const KEEP_ALIVE_S: u16 = 30;

/// A packet of a server.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Packet<'a> {
    Connack {
        is_present: bool,
        code: u8,
        properties: Properties<'a>,
    },
    Publish(Publish<'a>),
    /// Which one is answered, and a code for each filter.
    Suback {
        id: u16,
        codes: &'a [u8],
    },
    Pong,
    Disconnect {
        code: u8,
        properties: Properties<'a>,
    },
}

/// A publication.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Publish<'a> {
    pub(super) topic: &'a str,
    /// Its number, if it wants to be acknowledged.
    pub(super) id: Option<u16>,
    /// It may have come before.
    pub(super) is_again: bool,
    /// It is the last one of its topic from before the subscription.
    pub(super) is_retained: bool,
    pub(super) payload: &'a [u8],
    /// How long it is, if it is too long: then there is no payload.
    pub(super) too_long: Option<usize>,
}

/// What a server says besides. MQTT 5 only.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Properties<'a> {
    /// The keep-alive to obey in place of ours, in seconds.
    pub(super) keep_alive: Option<u16>,
    pub(super) reason: Option<&'a str>,
    /// Where to go instead.
    pub(super) reference: Option<&'a str>,
}

/// Reads a packet.
pub(super) fn read<'a>(version: Version, frame: &Frame<'a>) -> Result<Packet<'a>, Malformed> {
    let mut reader = Reader(frame.body);
    if frame.first & 0xF0 == 0x30 {
        return Ok(Packet::Publish(publish(version, frame, reader)?));
    }
    if frame.too_long.is_some() {
        return Err(Malformed("an answer of over a megabyte"));
    }
    Ok(match frame.first {
        0x20 => {
            let is_present = reader.u8()? & 1 == 1;
            let code = reader.u8()?;
            // A server that doesn't know version 5 answers in the old way.
            Packet::Connack { is_present, code, properties: reader.properties_if_any(version)? }
        }
        0x90 => {
            let id = reader.u16()?;
            reader.properties_if_any(version)?;
            Packet::Suback { id, codes: reader.0 }
        }
        0xD0 => Packet::Pong,
        0xE0 if version == Version::Five => {
            let code = if reader.0.is_empty() { 0 } else { reader.u8()? };
            Packet::Disconnect { code, properties: reader.properties_if_any(version)? }
        }
        _ => return Err(Malformed("a packet that answers nothing")),
    })
}

fn publish<'a>(version: Version, frame: &Frame<'a>, mut reader: Reader<'a>) -> Result<Publish<'a>, Malformed> {
    let topic = reader.text()?;
    let id = match frame.first >> 1 & 3 {
        0 => None,
        1 => Some(reader.u16()?),
        _ => return Err(Malformed("a publication of a quality of service that was not asked for")),
    };
    if topic.is_empty() || topic.contains(['+', '#', '\0']) || id == Some(0) {
        return Err(Malformed("a publication without a topic or a number"));
    }
    if version == Version::Five && frame.too_long.is_none() {
        let length = reader.length()?;
        reader.bytes(length)?;
    }
    let payload = if frame.too_long.is_none() { reader.0 } else { &[] };
    let (is_again, is_retained) = (frame.first & 8 != 0, frame.first & 1 != 0);
    Ok(Publish { topic, id, is_again, is_retained, payload, too_long: frame.too_long })
}

/// Reads what stands in a packet's body, in order.
struct Reader<'a>(&'a [u8]);

impl<'a> Reader<'a> {
    fn bytes(&mut self, count: usize) -> Result<&'a [u8], Malformed> {
        let (found, rest) = self.0.split_at_checked(count).ok_or(Malformed("a packet ends before its end"))?;
        self.0 = rest;
        Ok(found)
    }

    fn u8(&mut self) -> Result<u8, Malformed> {
        Ok(self.bytes(1)?[0])
    }

    fn u16(&mut self) -> Result<u16, Malformed> {
        let found = self.bytes(2)?;
        Ok(u16::from_be_bytes([found[0], found[1]]))
    }

    fn text(&mut self) -> Result<&'a str, Malformed> {
        let length = usize::from(self.u16()?);
        std::str::from_utf8(self.bytes(length)?).map_err(|_| Malformed("a text that is no UTF-8"))
    }

    fn length(&mut self) -> Result<usize, Malformed> {
        let mut length = 0;
        for at in 0..4 {
            let byte = self.u8()?;
            length |= usize::from(byte & 0x7F) << (7 * at);
            if byte & 0x80 == 0 {
                return Ok(length);
            }
        }
        Err(Malformed("a length of more than four bytes"))
    }

    /// They may be left out with all that follows them.
    fn properties_if_any(&mut self, version: Version) -> Result<Properties<'a>, Malformed> {
        let mut properties = Properties::default();
        if version == Version::Old || self.0.is_empty() {
            return Ok(properties);
        }
        let length = self.length()?;
        let mut inner = Reader(self.bytes(length)?);
        while !inner.0.is_empty() {
            match inner.length()? {
                0x01 | 0x17 | 0x19 | 0x24 | 0x25 | 0x28..=0x2A => drop(inner.u8()?),
                0x13 => properties.keep_alive = Some(inner.u16()?),
                0x21..=0x23 => drop(inner.u16()?),
                0x02 | 0x11 | 0x18 | 0x27 => drop(inner.bytes(4)?),
                0x0B => drop(inner.length()?),
                0x1F => properties.reason = Some(inner.text()?),
                0x1C => properties.reference = Some(inner.text()?),
                0x03 | 0x08 | 0x12 | 0x15 | 0x1A => drop(inner.text()?),
                0x09 | 0x16 => {
                    let length = usize::from(inner.u16()?);
                    inner.bytes(length)?;
                }
                0x26 => {
                    inner.text()?;
                    inner.text()?;
                }
                _ => return Err(Malformed("a property that MQTT 5 doesn't have")),
            }
        }
        Ok(properties)
    }
}

/// CONNECT. The server is to keep the session of a client that is away only if it `keeps`.
pub(super) fn connect(
    version: Version,
    client: &str,
    keeps: bool,
    user: Option<&str>,
    password: Option<&str>,
) -> Vec<u8> {
    // In the old one a password goes with a user.
    let user = user.or(password.filter(|_| version == Version::Old).map(|_| ""));
    let (level, clean, properties) = match version {
        Version::Five => {
            let mut properties = vec![8, 0x11];
            properties.extend(if keeps { SESSION_EXPIRY_S } else { 0 }.to_be_bytes());
            properties.push(0x21);
            properties.extend(WINDOW.to_be_bytes());
            (5, if keeps { 0 } else { CLEAN }, properties)
        }
        // A session that is kept there has no end.
        Version::Old => (4, CLEAN, Vec::new()),
    };
    let mut body = Vec::new();
    put(&mut body, b"MQTT");
    body.push(level);
    body.push(clean | u8::from(user.is_some()) << 7 | u8::from(password.is_some()) << 6);
    body.extend(KEEP_ALIVE_S.to_be_bytes());
    body.extend(properties);
    for text in [Some(client), user, password].into_iter().flatten() {
        put(&mut body, text.as_bytes());
    }
    packet(0x10, &body)
}

/// SUBSCRIBE: at least once, and the last one of each topic as well.
pub(super) fn subscribe<'a>(version: Version, id: u16, filters: impl Iterator<Item = &'a str>) -> Vec<u8> {
    let mut body = id.to_be_bytes().to_vec();
    if version == Version::Five {
        body.push(0);
    }
    for filter in filters {
        put(&mut body, filter.as_bytes());
        body.push(1);
    }
    packet(0x82, &body)
}

/// PUBLISH: at most once, not to be kept.
pub(super) fn publish_once(version: Version, topic: &str, payload: &[u8]) -> Vec<u8> {
    let mut body = Vec::new();
    put(&mut body, topic.as_bytes());
    if version == Version::Five {
        body.push(0);
    }
    body.extend(payload);
    packet(0x30, &body)
}

/// PUBACK.
pub(super) const fn acknowledge(id: u16) -> [u8; 4] {
    let [high, low] = id.to_be_bytes();
    [0x40, 2, high, low]
}

/// A text with its length before it. What is too long is cut: the server will refuse it.
fn put(body: &mut Vec<u8>, text: &[u8]) {
    let length = u16::try_from(text.len()).unwrap_or(u16::MAX);
    body.extend(length.to_be_bytes());
    body.extend(&text[..usize::from(length)]);
}

fn packet(first: u8, body: &[u8]) -> Vec<u8> {
    let mut packet = vec![first];
    let mut rest = body.len();
    while rest > 0x7F {
        packet.push(0x80 | (rest & 0x7F) as u8);
        rest >>= 7;
    }
    packet.push(rest as u8);
    packet.extend(body);
    packet
}
