//! Events that say all that there is.

use serde_json::json;

use crate::testing::{advance, aggregate, fold};

/// H1: what an event leaves out isn't so any more: a cell is empty, a tile's state unknown, a marker without a place.
#[test]
fn what_is_left_out_is_not_so_any_more() {
    let mut table = aggregate(json!({"kind": "table", "key": "k", "columns": ["v", "w"], "sort": "v", "whole": true,
        "state": "s", "expire_at": "until"}));
    fold(&mut table, 0, json!({"k": "a", "v": 40, "w": "x", "s": "late", "until": 5000}));
    fold(&mut table, 1, json!({"k": "a", "w": "x"}));
    assert_eq!(table.report(), json!([{"key": "a", "cells": [null, "x"], "state": "normal"}]));
    advance(&mut table, 6000);
    assert_eq!(
        table.report(),
        json!([{"key": "a", "cells": [null, "x"], "state": "normal"}]),
        "it stays: nobody tells an end any more"
    );

    let mut tiles = aggregate(json!({"kind": "status", "key": "k", "state": "s", "detail": "{v} left", "whole": true}));
    fold(&mut tiles, 0, json!({"k": "a", "s": "ok", "v": 3}));
    fold(&mut tiles, 1, json!({"k": "a"}));
    let tile = &tiles.report()["a"];
    assert_eq!((&tile["text"], &tile["state"], &tile["detail"]), (&json!(""), &json!("unknown"), &json!("---- left")));

    let mut markers = aggregate(json!({"kind": "markers", "key": "k", "lat": "lat", "lon": "lon", "heading": "h",
        "state": "s", "whole": true}));
    fold(&mut markers, 0, json!({"k": "a", "lat": 40, "lon": -73, "h": 90, "s": "late"}));
    fold(&mut markers, 1, json!({"k": "a"}));
    assert_eq!(markers.report(), json!({}), "without a place it is on no map");
}
