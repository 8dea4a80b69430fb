//! What of a hub's settings can be other while it runs, and what becomes of those who are there when it is.

use std::sync::{Arc, PoisonError};

use crate::{
    access::{Mark, Readers},
    admission::Admission,
    app::App,
    audit::Note,
    authorise::Authorise,
    guard::Token,
    hub::Shared,
    hub_config::HubConfig,
    proxies::Proxies,
    revocation::{Session, Why},
    rules::Rules,
};

/// See the module.
#[derive(Clone, Debug)]
pub(crate) struct Live {
    pub(crate) publish_token: Option<Token>,
    pub(crate) admin_token: Option<Token>,
    pub(crate) readers: Readers,
    pub(crate) apps: Vec<App>,
    pub(crate) proxies: Proxies,
    pub(crate) authorise: Option<Authorise>,
    pub(crate) rules: Rules,
}

impl Live {
    pub(crate) fn of(config: &HubConfig) -> Self {
        Self {
            publish_token: config.publish_token.clone(),
            admin_token: config.admin_token.clone(),
            readers: config.readers.clone(),
            apps: config.apps.clone(),
            proxies: config.proxies.clone(),
            authorise: config.authorise.clone(),
            rules: config.rules.clone(),
        }
    }

    /// Whether what somebody came by is good here: a token, or an application.
    pub(crate) fn knows(&self, mark: Option<Mark>, app: Option<&str>) -> bool {
        match app {
            Some(id) => self.apps.iter().any(|app| *app.id == *id && Some(app.mark()) == mark),
            None => self.readers.know(mark),
        }
    }

    fn knows_session(&self, session: &Session) -> bool {
        self.knows(session.by, session.app.as_deref())
    }
}

impl Shared {
    /// What holds at present.
    pub(crate) fn live(&self) -> Arc<Live> {
        self.live.read().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// Other settings hold from now on. Who came by what is good no more is ended, and it is told how many those are.
    pub(crate) async fn reload(&self, config: &HubConfig) -> usize {
        self.metrics.reload(true);
        let before = self.live();
        let mut live = Live::of(config);
        live.readers.keys = live.readers.keys.carried_on(&before.readers.keys);
        let live = Arc::new(live);
        *self.live.write().unwrap_or_else(PoisonError::into_inner) = live.clone();
        *self.admission.lock().unwrap_or_else(PoisonError::into_inner) = Admission::new(config.rules.clone());
        self.counts.set(config.rates);
        self.authoriser.set(live.authorise.clone());
        self.reloaded.send_modify(|times| *times += 1);
        let (ended, asked) = {
            let mut state = self.state();
            if live.apps.iter().any(|app| app.webhook.is_some()) {
                state.people_mut().0.tell_sites();
            }
            let gone: Vec<u64> =
                state.sessions().all().filter(|(_, one)| !live.knows_session(one)).map(|(id, _)| id).collect();
            let asks =
                |live: &Live, channel: &str| live.authorise.as_ref().and_then(|authorise| authorise.asks(channel));
            // Another site is to be asked than was, or one at all.
            let mut asked: std::collections::BTreeMap<Arc<str>, Vec<u64>> = std::collections::BTreeMap::new();
            for (id, session) in state.sessions().all() {
                for channel in session.channels.keys() {
                    let now = asks(&live, channel);
                    if now.is_some() && now != asks(&before, channel) {
                        asked.entry(channel.clone()).or_default().push(id);
                    }
                }
            }
            (state.end_whole(&gone, Why::Revoked), asked)
        };
        self.silence(&ended).await;
        // Who was being ended already isn't ended by this.
        let count = ended.iter().filter(|ended| ended.is_new).count();
        if count > 0 {
            let reason = "the hub's file no longer has what they came by";
            let note = Note { code: "reload", reason, count: Some(count as u64), ..Note::default() };
            self.audit.revoke(note, self.now().wall);
        }
        for (channel, sessions) in &asked {
            self.end(sessions, channel, Why::Unsure).await;
        }
        count + asked.values().map(Vec::len).sum::<usize>()
    }
}
