//! The shop of `examples/centrifugo.toml`.

use std::net::SocketAddr;

use anyhow::Result;
use serde_json::{Value, json};

use super::{
    super::{
        example::{Setting, Told},
        jwt::jwt,
    },
    Centrifugo, SECRET, STAY_MAX,
};

pub(super) const EXAMPLES: &[&str] = &["example centrifugo.toml"];

const CHANNEL: &str = "shop:orders";

/// What the example says of its namespace.
pub(super) fn namespace() -> Value {
    json!({
        "name": "shop", "history_size": 100, "history_ttl": "300s", "force_recovery": true,
        "presence": true, "join_leave": true,
        "allow_subscribe_for_client": true, "allow_subscribe_for_anonymous": true,
        "allow_presence_for_client": true, "allow_presence_for_anonymous": true,
    })
}

pub(super) fn setting(address: SocketAddr) -> Setting {
    Setting::at("127.0.0.1:8000", address.to_string())
}

/// Orders are placed while somebody has the desk's page open; then nobody has.
pub(super) async fn tell<const REDIS: bool>(server: &Centrifugo<REDIS>, step: usize) -> Result<Option<Told>> {
    Ok(Some(match step {
        0 => {
            for (order, total) in [("A-1041", 37.5), ("A-1042", 12.0)] {
                let data = json!({ "type": "order.placed", "order": order, "total": total });
                server.api("publish", &json!({ "channel": CHANNEL, "data": data })).await?;
            }
            let token = jwt(&json!({ "sub": "ann", "info": { "name": "Ann" } }), SECRET);
            let url = format!("http://{}/connection/uni_http_stream", server.address);
            let body = json!({ "token": token, "subs": { CHANNEL: {} } });
            // She stays for as long as the answer is listened to.
            let ann = server.http.post(url).timeout(STAY_MAX).json(&body).send().await?.error_for_status()?;
            let shown = [
                ("placed-today", json!(2)),
                ("worth-last-hour", json!(49.5)),
                ("packers", json!([["ann", "Ann"]])),
                ("newest", json!(["A-1042 12", "A-1041 37.5"])),
            ];
            Told::with(shown, Box::new(ann))
        }
        1 => Told::new([("packers", json!([]))]),
        _ => return Ok(None),
    }))
}
