//! Whatever the bytes: see `docs/proof.md`, "Fuzzing".

use serde_json::Value;
use watchfloor_fuzz::{Draws, check, mutated};

use crate::{Json, Payload, Position};

const BODIES: [&str; 5] = [
    r#"{"flight":"UA 12","dest":"IAH","delay":12.5,"cancelled":false,"gate":null}"#,
    r#"{"a":1,"b":{"a":[2,[],{}],"b":"3"},"a":{"a":-4},"\u0061":"\n\ud83d\udeeb"}"#,
    r#"{"f0":1,"f1":2,"f2":3,"f3":4,"f4":5,"f5":6,"f6":7,"f7":8,"f8":9,"f9":10,"f10":[1,2,3],"f0":12}"#,
    r#"[1,-2,3.5e7,"x",true,null,[[[[1]]]],{"":{"":{}}}]"#,
    "\"é \u{1F6EB}\"",
];

/// What a body says is what a tree of the same text says, and the same texts are taken.
fn is_as_a_tree(text: &str) {
    let tree = serde_json::from_str::<Value>(text);
    let own = Payload::parse(text);
    assert_eq!(own.is_ok(), tree.is_ok(), "{own:?} {tree:?}");
    let (Ok(own), Ok(tree)) = (own, tree) else { return };
    assert_eq!(own.value().to_value(), tree);
    assert_eq!(&**own.text(), text);
    for (name, value) in tree.as_object().into_iter().flatten() {
        assert_eq!(own.value().get(name).map(Json::to_value).as_ref(), Some(value), "{name:?}");
    }
    for (index, value) in tree.as_array().into_iter().flatten().enumerate().take(8) {
        assert_eq!(own.value().item(index).map(Json::to_value).as_ref(), Some(value), "{index}");
    }
    assert_eq!(Payload::from(tree.clone()).value().to_value(), tree);
}

#[test]
fn payload() {
    check!(|bytes: &[u8]| {
        let body = mutated(&BODIES, &mut Draws::new(bytes));
        match std::str::from_utf8(&body) {
            Ok(text) => is_as_a_tree(text),
            Err(_) => assert!(Payload::parse_bytes(&body).is_err()),
        }
    });
}

#[test]
fn position() {
    check!(|bytes: &[u8]| {
        let text = mutated(&["k3-x_9:42", "e:0", "A:18446744073709551615"], &mut Draws::new(bytes));
        let Ok(text) = std::str::from_utf8(&text) else { return };
        let Ok(position) = text.parse::<Position>() else { return };
        assert_eq!(position.to_string().parse(), Ok(position.clone()));
        let json = serde_json::to_string(&position).expect("a text");
        assert_eq!(serde_json::from_str::<Position>(&json).expect(&json), position);
    });
}
