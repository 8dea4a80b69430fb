//! What makes two aggregates the same.

use std::fmt::Write as _;

use crate::config::spec::FoldSpec;

/// `counter-<16 hex digits>`: the reducer's kind, and FNV-1a (64 bit) of the fold's JSON.
///
/// The JSON is canonical because the fields of [`FoldSpec`] are written in the order of their declaration and its maps
/// are sorted. A clash would hand one fold another's state; [`crate::Aggregate::restore`] would still refuse a state of
/// another form.
pub(crate) fn fingerprint(kind: &str, fold: &FoldSpec) -> String {
    // Plain data with text keys always has a JSON form.
    let text = serde_json::to_string(fold).unwrap_or_default();
    let mut out = String::with_capacity(kind.len() + 17);
    let _ = write!(out, "{kind}-{:016x}", hash(text.as_bytes()));
    out
}

/// FNV-1a, 64 bit, which is the same in any build: <http://www.isthe.com/chongo/tech/comp/fnv/>, draft-eastlake-fnv.
pub(crate) fn hash(bytes: &[u8]) -> u64 {
    const OFFSET_BASIS: u64 = 0xcbf2_9ce4_8422_2325;
    const PRIME: u64 = 0x0000_0100_0000_01b3;
    bytes.iter().fold(OFFSET_BASIS, |hash, byte| (hash ^ u64::from(*byte)).wrapping_mul(PRIME))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::testing::fold_of;

    #[test]
    fn hashes_as_published() {
        assert_eq!(hash(b""), 0xcbf2_9ce4_8422_2325);
        assert_eq!(hash(b"a"), 0xaf63_dc4c_8601_ec8c);
        assert_eq!(hash(b"foobar"), 0x8594_4171_f739_67e8);
    }

    #[test]
    fn differs_with_everything_that_decides_the_state() {
        let fold = fold_of(json!({"kind": "counter"}));
        let mut other = fold.clone();
        other.only.insert("a".parse().expect("path"), vec![json!(1)]);
        let print = fingerprint("counter", &fold);
        assert_eq!(print, fingerprint("counter", &fold.clone()));
        assert_ne!(print, fingerprint("counter", &other));
        assert_eq!(print.len(), "counter-".len() + 16);
    }
}
