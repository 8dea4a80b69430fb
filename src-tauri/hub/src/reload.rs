//! The hub's file, read anew while the hub runs: when it is told to (SIGHUP), and when the file has changed.

use std::{
    fs,
    net::SocketAddr,
    path::{Path, PathBuf},
    time::SystemTime,
};

use tokio::time::{MissedTickBehavior, interval};
use watchfloor_hub::{
    Hub, HubConfig, Tls, Token,
    config::{HubFile, NamespacePart},
    limits,
};

use crate::{Failure, Options, config_of, listen_of, setup::Site};

/// What tells a file from the one that stood in its place before.
pub(crate) type Mark = Option<(SystemTime, u64)>;

pub(crate) fn mark(path: &Path) -> Mark {
    fs::metadata(path).ok().and_then(|meta| Some((meta.modified().ok()?, meta.len())))
}

/// Keeps a hub as its file has it.
pub(crate) struct Reload {
    options: Options,
    /// The file as it was before it was read.
    seen: Mark,
    /// Where it listens for publishers and readers, and for who looks after it.
    listens: (SocketAddr, Option<SocketAddr>),
    /// The file as it was at the start: what needs a restart holds by it.
    started: HubFile,
    /// What holds.
    config: HubConfig,
    /// By which it is spoken to.
    tls: Option<Tls>,
}

impl Reload {
    /// Of a hub that was started like this.
    pub(crate) fn new(options: Options, seen: Mark, started: HubFile, config: HubConfig) -> Self {
        let listens = (listen_of(&options, &started), started.hub.admin);
        Self { options, seen, listens, started, tls: config.tls.clone(), config }
    }

    /// Reads it anew whenever it is to be, for as long as it is waited for.
    pub(crate) async fn follow(mut self, hub: Hub) -> std::io::Result<()> {
        let mut told = told()?;
        let path = self.options.config.clone();
        let look = move |path: Option<PathBuf>| async move {
            let looked = tokio::task::spawn_blocking(move || path.as_deref().and_then(mark)).await;
            looked.ok().flatten()
        };
        let mut tick = interval(limits::FILE_LOOK_PERIOD);
        tick.set_missed_tick_behavior(MissedTickBehavior::Delay);
        loop {
            let is_told = tokio::select! {
                () = told.recv() => true,
                _ = tick.tick() => false,
            };
            let now = look(path.clone()).await;
            // A file that is gone for a moment is being written.
            if is_told {
                self.tls.iter().for_each(Tls::look_again);
            } else if now == self.seen || now.is_none() {
                continue;
            }
            self.seen = now;
            self = self.once(&hub).await;
        }
    }

    async fn once(mut self, hub: &Hub) -> Self {
        let (options, (listen, admin)) = (self.options.clone(), self.listens);
        let read = tokio::task::spawn_blocking(move || {
            let site = options.config.as_deref().map(Site::read).transpose()?.unwrap_or_default();
            site.check()?;
            let config = config_of(&options, &site)?;
            // Where it listens it goes on listening, whatever the file says now.
            let is_exposed =
                |address: SocketAddr, token: Option<&Token>| !address.ip().is_loopback() && token.is_none();
            if is_exposed(listen, config.publish_token.as_ref()) {
                return Err(Failure::Exposed(format!(
                    "{listen} can be reached by others: `publish-token` is needed until a restart"
                )));
            }
            if let Some(admin) = admin.filter(|admin| is_exposed(*admin, config.admin_token.as_ref())) {
                return Err(Failure::Exposed(format!(
                    "{admin} can be reached by others: `admin-token` is needed until a restart"
                )));
            }
            Ok::<_, Failure>((site.file, config))
        });
        match read.await {
            Ok(Ok((file, mut config))) => {
                let restart = restart(&self.started, &file);
                if self.started.apps.first().map(|app| &app.id) != file.apps.first().map(|app| &app.id) {
                    config.apps.clone_from(&self.config.apps);
                }
                let ended = hub.reload(&config).await;
                tracing::info!(ended, "the hub's file was read anew");
                for name in restart {
                    tracing::warn!(name, "this needs a restart: what was before holds");
                }
                self.config = config;
            }
            Ok(Err(failure)) => {
                hub.reload_refused();
                for reason in failure.to_string().lines() {
                    tracing::error!(reason, "the hub's file can't be used as it is now: what was before holds");
                }
            }
            Err(error) => {
                hub.reload_refused();
                tracing::error!(reason = %error, "the hub's file could not be read: what was before holds");
            }
        }
        self
    }
}

/// What is other in a file and can't be while the hub runs, by name.
fn restart(before: &HubFile, now: &HubFile) -> Vec<&'static str> {
    let (was, is) = (&before.hub, &now.hub);
    let kept = |file: &HubFile| -> Vec<_> {
        let kept = |one: &NamespacePart| {
            let own = (one.durability, one.history_events, one.history_mib, one.history_age, one.presence_linger);
            (own != (None, None, None, None, None)).then(|| (one.channels.clone(), own))
        };
        file.namespaces.iter().filter_map(kept).collect()
    };
    let first = |file: &HubFile| file.apps.first().map(|app| app.id.clone());
    let all = [
        ("listen", was.listen != is.listen),
        ("heartbeat", was.heartbeat != is.heartbeat),
        ("connections", was.connections != is.connections),
        ("boards", was.boards != is.boards),
        ("data-dir", was.data_dir != is.data_dir),
        ("durability", was.durability != is.durability),
        ("repeats", was.repeats != is.repeats),
        ("history-events", was.history_events != is.history_events),
        ("history-mib", was.history_mib != is.history_mib),
        ("history-age", was.history_age != is.history_age),
        ("admin", was.admin != is.admin),
        ("audit-log", was.audit_log != is.audit_log),
        ("tls", was.tls != is.tls),
        ("admin-tls", was.admin_tls != is.admin_tls),
        ("durability, history and presence-linger of a [[namespace]]", kept(before) != kept(now)),
        ("[[aggregate]]", before.aggregates != now.aggregates),
        ("which [[app]] is the first, and with it all of them", first(before) != first(now)),
        ("[engine]", before.engine != now.engine),
        ("[[from-redis]]", before.from_redis != now.from_redis),
    ];
    all.into_iter().filter(|(_, is_other)| *is_other).map(|(name, _)| name).collect()
}

/// Being told by a signal, where there is one.
#[cfg(unix)]
struct Told(tokio::signal::unix::Signal);

#[cfg(unix)]
impl Told {
    async fn recv(&mut self) {
        if self.0.recv().await.is_none() {
            std::future::pending::<()>().await;
        }
    }
}

#[cfg(unix)]
fn told() -> std::io::Result<Told> {
    use tokio::signal::unix::{SignalKind, signal};
    signal(SignalKind::hangup()).map(Told)
}

#[cfg(not(unix))]
struct Told;

#[cfg(not(unix))]
impl Told {
    async fn recv(&mut self) {
        std::future::pending::<()>().await;
    }
}

#[cfg(not(unix))]
fn told() -> std::io::Result<Told> {
    Ok(Told)
}
