//! Bodies: JSON as it is, any other text as a text, and bytes that are no text in base64 (RFC 4648, section 4).

use watchfloor_model::Event;

use crate::envelope::{Envelope, Outside};

/// Opens a body.
pub(super) fn open(payload: &[u8], envelope: &Envelope, outside: Outside<'_>) -> Result<Event, String> {
    if envelope.decodes() {
        return envelope.open_bytes(payload, outside);
    }
    match std::str::from_utf8(payload) {
        Ok(text) => envelope.open_any(text, outside),
        Err(_) => envelope.open(&serde_json::Value::from(base64(payload)).to_string(), outside),
    }
}

pub(super) fn base64(bytes: &[u8]) -> String {
    const LETTERS: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    let mut text = String::with_capacity(bytes.len().div_ceil(3) * 4);
    for chunk in bytes.chunks(3) {
        let byte = |at: usize| u32::from(chunk.get(at).copied().unwrap_or_default());
        let bits = byte(0) << 16 | byte(1) << 8 | byte(2);
        for at in 0..4 {
            let letter = LETTERS[(bits >> (18 - 6 * at) & 63) as usize];
            text.push(if at <= chunk.len() { letter.into() } else { '=' });
        }
    }
    text
}

#[cfg(test)]
mod tests {
    use watchfloor_model::{Mono, Timestamp};

    use super::*;

    /// Zero, empty, null and a text are different things.
    #[test]
    fn bodies() {
        let cases: [(&[u8], &str); 10] = [
            (br#" {"n":1}"#, r#" {"n":1}"#),
            (b"21.5", "21.5"),
            (b"0", "0"),
            (b"null", "null"),
            (b"", r#""""#),
            (b"on", r#""on""#),
            (b"{\"n\":", r#""{\"n\":""#),
            (b"NaN", r#""NaN""#),
            (b"\xFF", r#""/w==""#),
            (b"\xFF\xFE\x00\x01", r#""//4AAQ==""#),
        ];
        let channel = "plant/#".into();
        let (time, received) = (Timestamp::default(), Mono::ZERO);
        for (payload, expected) in cases {
            let outside = Outside { channel: &channel, name: "n", id: None, time, received };
            let event = open(payload, &Envelope::default(), outside).expect("any bytes are a body");
            assert_eq!(&**event.data.text(), expected);
        }
        assert_eq!(base64(b"foobar\xFF"), "Zm9vYmFy/w==");
        assert_eq!(base64(b"fooba"), "Zm9vYmE=");
    }
}
