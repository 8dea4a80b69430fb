//! The plants of `examples/mqtt.toml` and `examples/sparkplug.toml`.

use std::{fs, net::SocketAddr, path::Path, time::Instant};

use anyhow::{Context, Result, ensure};
use serde_json::{Value, json};
use tokio::time::sleep;

use super::{
    super::{
        example::{Setting, Told},
        jwt::now,
        peer::Peer,
        process::PROBE_PAUSE,
        sparkplug::{self, Node},
        stand::PATIENCE,
    },
    Manner, Mosquitto,
};

const SPARKPLUG: &str = "example sparkplug.toml";
pub(super) const EXAMPLES: &[&str] = &["example mqtt.toml", SPARKPLUG];

/// A broker that has what was retained before anybody came.
pub(super) async fn start(folder: &Path, example: &str) -> Result<std::result::Result<Mosquitto, String>> {
    if let Some(why) = sparkplug::missing().filter(|_| example == SPARKPLUG) {
        return Ok(Err(why));
    }
    let broker = match Mosquitto::start(folder).await? {
        Ok(broker) => broker,
        Err(why) => return Ok(Err(why)),
    };
    for machine in [7, 8] {
        let topic = format!("status/{machine}");
        broker.publish_to(&topic, Manner::Retained, &[status(machine, "online")]).await?;
    }
    Ok(Ok(broker))
}

fn status(machine: u32, state: &str) -> Value {
    json!({ "machine": machine, "state": state })
}

pub(super) fn setting(address: SocketAddr) -> Setting {
    Setting::at("mqtt://127.0.0.1", format!("mqtt://{address}"))
}

pub(super) async fn tell(broker: &Mosquitto, example: &str, step: usize) -> Result<Option<Told>> {
    if example == SPARKPLUG { of_node(broker, step) } else { of_sensors(broker, step).await }
}

/// Two machines, until one's connection is lost.
async fn of_sensors(broker: &Mosquitto, step: usize) -> Result<Option<Told>> {
    Ok(Some(match step {
        0 => {
            let now = i64::try_from(now().map_err(anyhow::Error::msg)?.as_millis())?;
            for (machine, celsius, ago) in [(7, 81.5, 1), (8, 60.0, 0)] {
                let at = jiff::Timestamp::from_millisecond(now - ago)?.to_string();
                let said = json!({ "machine": machine, "celsius": celsius, "at": at });
                broker.publish_to(&format!("plant/{machine}/temperature"), Manner::Plain, &[said]).await?;
            }
            let shown = [
                ("hottest", json!(60)),
                ("temperature", json!({ "7": 81.5, "8": 60 })),
                ("readings", json!(0.4)),
                ("machines", json!({ "7": "normal", "8": "normal" })),
            ];
            Told::with(shown, Box::new(machine(broker).await?))
        }
        1 => Told::new([("machines", json!({ "7": "alarm", "8": "normal" }))]),
        _ => return Ok(None),
    }))
}

/// The machine's connection, with its will.
async fn machine(broker: &Mosquitto) -> Result<super::Client> {
    let (topic, log) = ("status/7", broker.folder.join("machine.log"));
    let said = status(7, "offline").to_string();
    let will = ["--will-topic", topic, "--will-payload", &said, "--will-retain"];
    let client = broker.listener(topic, &log, &will)?;
    // It is there when it hears what is retained.
    let begun = Instant::now();
    while !fs::read_to_string(&log)?.contains("online") {
        ensure!(begun.elapsed() < PATIENCE, "it hears nothing");
        sleep(PROBE_PAUSE).await;
    }
    Ok(client)
}

/// A device tells what it measures, and what it measured before; then its node is gone.
fn of_node(broker: &Mosquitto, step: usize) -> Result<Option<Told>> {
    Ok(Some(match step {
        0 => {
            let node = Node::start_as("Line 3", &broker.folder, broker.address, 1, 20.5)?;
            let mut node = node.map_err(anyhow::Error::msg).context("a node")?;
            node.tell_of_before(19.5)?;
            let shown =
                [("temperature", json!(20.5)), ("history", json!(40)), ("devices", json!({ "Pump": "normal" }))];
            Told::with(shown, Box::new(node))
        }
        1 => Told::new([("devices", json!({ "Pump": "alarm" }))]),
        _ => return Ok(None),
    }))
}
