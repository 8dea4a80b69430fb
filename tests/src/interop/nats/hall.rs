//! The assembly hall of `examples/nats.toml`.

use std::{net::SocketAddr, path::Path};

use anyhow::{Result, ensure};
use serde_json::json;

use super::{
    super::example::{Setting, Told},
    Knows, Nats, Publisher,
};
use crate::interop::peer::Peer;

pub(super) const EXAMPLES: &[&str] = &["example nats.toml"];

/// A server that asks nobody who they are, with the stream that the example wants.
pub(super) async fn start(folder: &Path) -> Result<std::result::Result<Nats, String>> {
    let mut server = match Nats::begin(folder, 1).await? {
        Ok(server) => server,
        Err(why) => return Ok(Err(why)),
    };
    server.know_by(Knows::Anybody).await?;
    let mut publisher = Publisher::connect(server.address(), &server.knows).await?;
    let config = json!({ "name": "ORDERS", "subjects": ["orders.>"], "storage": "file", "retention": "limits" });
    let answer = publisher.request("$JS.API.STREAM.CREATE.ORDERS", &config).await?;
    ensure!(answer.get("error").is_none(), "{answer}");
    Ok(Ok(server))
}

pub(super) fn setting(address: SocketAddr) -> Setting {
    Setting::at("127.0.0.1:4222", address.to_string())
}

/// Orders by the stream, the machines by what no stream keeps.
pub(super) async fn tell(server: &Nats) -> Result<Told> {
    let mut publisher = Publisher::connect(server.address(), &server.knows).await?;
    let done = |order: &str, seconds: u32| json!({ "type": "order.done", "order": order, "line": "line-1", "seconds": seconds });
    publisher.publish("orders.line-1", &[done("4711", 52), done("4712", 49)]).await?;
    for (machine, state) in [("press-2", "running"), ("saw-1", "fault")] {
        let said = json!({ "type": "machine.state", "machine": machine, "state": state });
        publisher.tell(&format!("machines.{machine}.state"), &[said]).await?;
    }
    Ok(Told::new([
        ("done-today", json!(2)),
        ("cycle", json!(49)),
        ("per-hour", json!(4)),
        ("machines", json!({ "press-2": "normal", "saw-1": "alarm" })),
        ("orders", json!(["line-1: 4712, 49 s", "line-1: 4711, 52 s"])),
    ]))
}
