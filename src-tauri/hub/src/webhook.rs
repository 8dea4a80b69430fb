//! What happens among an application's clients is told to its site by HTTP, as Pusher does. Source: Pusher's "Webhooks".
//!
//! What could not be told within five minutes is dropped, and so is what waits when the hub ends: a webhook is no record.

use std::{collections::HashMap, fmt, sync::Arc, time::Duration};

use rand::RngExt;
use serde::Serialize;
use serde_json::value::RawValue;
use tokio::{sync::mpsc, task::JoinSet, time::Instant};
use watchfloor_model::Timestamp;

use crate::{
    app::App,
    hub::Shared,
    limits,
    people::{Happened, Saying},
    site,
};

/// Where a site is told, and of what.
#[derive(Clone, PartialEq, Eq)]
pub struct Webhook {
    /// Where.
    pub url: String,
    /// Of what.
    pub events: Vec<Topic>,
}

impl fmt::Debug for Webhook {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // An address may hold a secret.
        f.debug_struct("Webhook").field("events", &self.events).finish_non_exhaustive()
    }
}

/// What a site may be told of.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Topic {
    /// A channel has its first client.
    Occupied,
    /// A channel's last client has gone.
    Vacated,
    /// Somebody is present.
    Added,
    /// Somebody is no longer present.
    Removed,
    /// A client told others something.
    ClientEvent,
    /// A cache channel had nothing for who came.
    CacheMiss,
}

impl Topic {
    /// All of them, by their names on the wire.
    pub const ALL: [(&'static str, Self); 6] = [
        ("channel_occupied", Self::Occupied),
        ("channel_vacated", Self::Vacated),
        ("member_added", Self::Added),
        ("member_removed", Self::Removed),
        ("client_event", Self::ClientEvent),
        ("cache_miss", Self::CacheMiss),
    ];

    const fn of(what: &Happened) -> Self {
        match what {
            Happened::Occupied(_) => Self::Occupied,
            Happened::Vacated(_) => Self::Vacated,
            Happened::Came(..) => Self::Added,
            Happened::Went(..) => Self::Removed,
            Happened::Said(_) => Self::ClientEvent,
            Happened::Missed(_) => Self::CacheMiss,
        }
    }
}

impl Happened {
    fn channel(&self) -> &Arc<str> {
        match self {
            Self::Occupied(channel)
            | Self::Vacated(channel)
            | Self::Came(channel, _)
            | Self::Went(channel, _)
            | Self::Missed(channel) => channel,
            Self::Said(saying) => &saying.channel,
        }
    }
}

#[derive(Serialize)]
struct Body<'a> {
    time_ms: Timestamp,
    events: Vec<Told<'a>>,
}

#[derive(Serialize)]
#[serde(tag = "name", rename_all = "snake_case")]
enum Told<'a> {
    ChannelOccupied {
        channel: &'a str,
    },
    ChannelVacated {
        channel: &'a str,
    },
    MemberAdded {
        channel: &'a str,
        user_id: &'a str,
    },
    MemberRemoved {
        channel: &'a str,
        user_id: &'a str,
    },
    ClientEvent {
        channel: &'a str,
        event: &'a str,
        data: &'a RawValue,
        socket_id: String,
        #[serde(skip_serializing_if = "Option::is_none")]
        user_id: Option<&'a str>,
    },
    CacheMiss {
        channel: &'a str,
    },
}

impl<'a> Told<'a> {
    fn of(what: &'a Happened, app: &App) -> Option<Self> {
        let channel = app.outside(what.channel());
        Some(match what {
            Happened::Occupied(_) => Self::ChannelOccupied { channel },
            Happened::Vacated(_) => Self::ChannelVacated { channel },
            Happened::Came(_, id) => Self::MemberAdded { channel, user_id: id },
            Happened::Went(_, id) => Self::MemberRemoved { channel, user_id: id },
            Happened::Missed(_) => Self::CacheMiss { channel },
            Happened::Said(saying) => {
                let Saying { event, data, socket, user, .. } = &**saying;
                let data = serde_json::from_str(data).ok()?;
                Self::ClientEvent { channel, event, data, socket_id: socket.to_string(), user_id: user.as_deref() }
            }
        })
    }
}

/// Tells all sites for as long as it is waited for: those that the hub's file has at the time.
pub(crate) async fn tell(hub: &Arc<Shared>) {
    let client = match site::client(limits::WEBHOOK_TIMEOUT) {
        Ok(client) => client,
        Err(error) => {
            tracing::error!(reason = %error, "no site can be told of anything by a webhook");
            return std::future::pending::<()>().await;
        }
    };
    let mut reloaded = hub.reloaded.subscribe();
    let mut queues: HashMap<Arc<str>, mpsc::Sender<Happened>> = HashMap::new();
    let mut tellers = JoinSet::new();
    loop {
        let live = hub.live();
        // What waits for a site outlives what else the file says of it. One that is told nothing any more is let go of.
        queues.retain(|id, _| live.apps.iter().any(|app| app.id == *id && app.webhook.is_some()));
        while tellers.try_join_next().is_some() {}
        let (happened, dropped) = match live.apps.iter().any(|app| app.webhook.is_some()) {
            true => hub.state().people_mut().0.take_happened(),
            false => Default::default(),
        };
        if dropped > 0 {
            tracing::warn!(dropped, "sites are told too slowly of what happens: what was oldest is dropped");
        }
        for what in happened {
            let app = live.apps.iter().find(|app| app.owns(what.channel()));
            let Some(app) = app.filter(|app| app.is_told(Topic::of(&what))) else { continue };
            let queue = queues.entry(app.id.clone()).or_insert_with(|| {
                let (sender, queue) = mpsc::channel(limits::HAPPENED_MAX);
                tellers.spawn(tell_site(hub.clone(), app.id.clone(), client.clone(), queue));
                sender
            });
            if queue.try_send(what).is_err() {
                tracing::warn!(app = %app.id, "a site is told too slowly: what just happened is dropped");
            }
        }
        tokio::select! {
            () = hub.happened.notified() => {}
            // It ends with the hub only.
            _ = reloaded.changed() => {}
        }
    }
}

/// Tells one site what happens, in its order, as the hub's file has the site at the time.
async fn tell_site(hub: Arc<Shared>, id: Arc<str>, client: reqwest::Client, mut queue: mpsc::Receiver<Happened>) {
    let mut reloaded = hub.reloaded.subscribe();
    let mut happened = Vec::new();
    while queue.recv_many(&mut happened, limits::WEBHOOK_EVENTS_MAX).await > 0 {
        let (begun, time_ms) = (Instant::now(), hub.now().wall);
        let mut pause = Duration::from_secs(1);
        loop {
            reloaded.mark_unchanged();
            let live = hub.live();
            let app = live.apps.iter().find(|app| app.id == id);
            let Some((app, webhook)) = app.and_then(|app| Some((app, app.webhook.as_ref()?))) else { break };
            let events: Vec<_> = happened.iter().filter_map(|what| Told::of(what, app)).collect();
            let count = events.len();
            let body = serde_json::to_vec(&Body { time_ms, events }).expect("text keys and no failing fields");
            let Err(reason) = call(app, webhook, &client, body).await else { break };
            if begun.elapsed() > limits::WEBHOOK_PATIENCE {
                tracing::warn!(app = %id, reason, count, "a site could not be told what happened");
                break;
            }
            tracing::debug!(app = %id, reason, "a site is told again");
            let pause_now = pause.mul_f64(rand::rng().random_range(0.5..1.0));
            tokio::select! {
                () = tokio::time::sleep(pause_now) => {}
                // It may be elsewhere by now.
                _ = reloaded.changed() => {}
            }
            pause = (pause * 2).min(Duration::from_secs(60));
        }
        happened.clear();
    }
}

/// Tells a site once.
async fn call(app: &App, webhook: &Webhook, client: &reqwest::Client, body: Vec<u8>) -> Result<(), String> {
    let request = client
        .post(&webhook.url)
        .header("content-type", "application/json")
        .header("x-pusher-key", &*app.key)
        .header("x-pusher-signature", app.sign(&body))
        .body(body);
    match request.send().await {
        Ok(answer) if answer.status().is_success() => Ok(()),
        Ok(answer) => Err(format!("it answered {}", answer.status())),
        Err(error) => Err(site::reason(error)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{app::AppConfig, people::Socket};

    /// As Pusher's documentation has them.
    #[test]
    fn what_is_told() {
        let config = AppConfig { id: "1".into(), key: "k".into(), secret: "x".repeat(8), ..AppConfig::default() };
        let app = App::new(&config, &[]).expect("sound");
        let saying = Saying {
            channel: "private-a".into(),
            event: "client-x".into(),
            data: r#"{"b":1}"#.into(),
            socket: Socket::new(1, 2),
            user: None,
        };
        for (what, line) in [
            (Happened::Occupied("a".into()), r#"{"name":"channel_occupied","channel":"a"}"#),
            (
                Happened::Came("presence-a".into(), "7".into()),
                r#"{"name":"member_added","channel":"presence-a","user_id":"7"}"#,
            ),
            (
                Happened::Said(Box::new(saying)),
                r#"{"name":"client_event","channel":"private-a","event":"client-x","data":{"b":1},"socket_id":"1.2"}"#,
            ),
        ] {
            assert_eq!(serde_json::to_string(&Told::of(&what, &app)).expect("JSON"), line);
        }
    }
}
