//! Bytes as they are written down: a text as it is, anything else in base64.

use base64::{Engine as _, prelude::BASE64_STANDARD};
use bytes::Bytes;
use serde::{Deserialize, Deserializer, Serialize, Serializer, de::Error};

#[derive(Serialize, Deserialize)]
#[serde(untagged)]
enum Written<'a> {
    Text(std::borrow::Cow<'a, str>),
    Binary { base64: String },
}

pub(crate) fn serialize<S: Serializer>(bytes: &Bytes, serializer: S) -> Result<S::Ok, S::Error> {
    match std::str::from_utf8(bytes) {
        Ok(text) => Written::Text(text.into()).serialize(serializer),
        Err(_) => Written::Binary { base64: BASE64_STANDARD.encode(bytes) }.serialize(serializer),
    }
}

pub(crate) fn deserialize<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Bytes, D::Error> {
    match Written::deserialize(deserializer)? {
        Written::Text(text) => Ok(text.into_owned().into()),
        Written::Binary { base64 } => BASE64_STANDARD.decode(base64).map(Bytes::from).map_err(Error::custom),
    }
}

#[cfg(test)]
mod tests {
    use crate::port::{Input, LinkId};

    /// What is written down comes back, whatever it is.
    #[test]
    fn bytes_come_back() {
        for (bytes, written) in
            [(&b"a\n\"\xc3\xa9"[..], r#""bytes":"a\n\"é""#), (b"\xff\x00", r#""bytes":{"base64":"/wA="}"#)]
        {
            let input = Input::Chunk { link: LinkId(3), bytes: bytes.to_vec().into() };
            let text = serde_json::to_string(&input).expect("plain");
            assert!(text.contains(written), "{text}");
            let Ok(Input::Chunk { link: LinkId(3), bytes: back }) = serde_json::from_str(&text) else {
                panic!("{text}")
            };
            assert_eq!(back, bytes);
        }
    }
}
