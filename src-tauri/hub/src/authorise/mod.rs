//! The site is asked who may read what: each question once for all who wait for its answer, answers kept for a while, and asked again while
//! somebody reads by them. What the site doesn't answer is no.
//!
//! The table of answers is a value ([`Answers`]); what asks is here. A question is asked by a task of its own, so nobody who goes away takes
//! the answer from the others who wait for it.

mod answers;
mod call;

use std::{
    fmt,
    sync::{Arc, Mutex, MutexGuard, OnceLock, PoisonError, RwLock},
    time::Duration,
};

use ring::hmac;
use tokio::{
    sync::{Notify, Semaphore},
    time::{MissedTickBehavior, interval, timeout},
};

use self::answers::{Answers, Found, Key, Settled};
use crate::{access::Rights, hub::Shared, limits, people::Person, site};

/// Where a site is asked about a channel.
type Asked = dyn Fn(&str) -> Option<Arc<str>> + Send + Sync;

/// How sites are asked who may read what.
#[derive(Clone)]
pub struct Authorise {
    /// Where the site is asked about a channel; nowhere if it isn't.
    whom: Arc<Asked>,
    /// What questions are signed with.
    secret: hmac::Key,
    /// Whether a reader's token itself is sent.
    pub(crate) sends_token: bool,
    /// For how long a yes is good for who comes.
    yes: Duration,
    /// For how long a no is.
    no: Duration,
    /// How often it is asked again while somebody reads by a yes.
    recheck: Duration,
}

impl fmt::Debug for Authorise {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // An address may hold a secret.
        f.debug_struct("Authorise").field("sends_token", &self.sends_token).finish_non_exhaustive()
    }
}

impl Authorise {
    /// `whom` says for each channel at which address the site is asked, if it is. Questions are signed with `secret`.
    pub fn new(secret: &[u8], whom: impl Fn(&str) -> Option<Arc<str>> + Send + Sync + 'static) -> Self {
        Self {
            whom: Arc::new(whom),
            secret: hmac::Key::new(hmac::HMAC_SHA256, secret),
            sends_token: false,
            yes: limits::AUTHORISE_YES,
            no: limits::AUTHORISE_NO,
            recheck: limits::AUTHORISE_RECHECK,
        }
    }

    /// A reader's token itself is sent too.
    #[must_use]
    pub fn with_token(self, sends_token: bool) -> Self {
        Self { sends_token, ..self }
    }

    /// For how long a yes and a no are good for who comes, and how often it is asked again while somebody reads.
    #[must_use]
    pub fn good_for(self, yes: Duration, no: Duration, recheck: Duration) -> Self {
        Self { yes, no, recheck, ..self }
    }

    /// Where the site is asked about this channel.
    pub(crate) fn asks(&self, channel: &str) -> Option<Arc<str>> {
        (self.whom)(channel)
    }
}

/// Who wants to read.
#[derive(Clone, Debug, Default)]
pub(crate) struct Asker {
    pub(crate) app: Option<Arc<str>>,
    pub(crate) user: Option<Arc<str>>,
    /// All that his token says, as JSON.
    pub(crate) claims: Option<Arc<str>>,
    /// What he presented, if it is to be sent.
    pub(crate) token: Option<Secret>,
    pub(crate) connection: Arc<str>,
}

impl Asker {
    /// Who came by this on a connection, and what he presented.
    pub(crate) fn by(hub: &Shared, rights: &Rights, presented: Option<&[u8]>, connection: Arc<str>) -> Self {
        let Some(how) = hub.authoriser.how() else { return Self::default() };
        let presented = presented.filter(|_| how.sends_token);
        let token = presented.and_then(|presented| std::str::from_utf8(presented).ok());
        Self {
            app: None,
            user: rights.user.clone(),
            claims: rights.claims.clone(),
            token: token.map(|token| Secret(token.into())),
            connection,
        }
    }

    /// Whether the site would be told the same of both, but for the connection.
    pub(crate) fn is_as(&self, other: &Self) -> bool {
        (&self.app, &self.user, &self.claims, &self.token) == (&other.app, &other.user, &other.claims, &other.token)
    }
}

/// A token, never shown.
#[derive(Clone, PartialEq, Eq)]
pub(crate) struct Secret(pub(crate) Arc<str>);

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("***")
    }
}

/// Why somebody may not read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Withheld {
    /// The site says no.
    Denied,
    /// The site doesn't say anything that can be used.
    Unsure,
}

/// All questions and answers of a hub.
#[derive(Debug)]
pub(crate) struct Authoriser {
    /// Nobody is asked if it is none.
    how: RwLock<Option<Arc<Authorise>>>,
    answers: Mutex<Answers>,
    client: OnceLock<Option<reqwest::Client>>,
    /// Questions that are on their way at once.
    places: Semaphore,
    /// Of failures, so that a site that is down is no flood of lines.
    failures: std::sync::atomic::AtomicU64,
}

/// By a yes that is good while it is there: it is asked again for as long.
pub(crate) struct Granted {
    hub: Arc<Shared>,
    key: Key,
    reader: u64,
    person: Option<Person>,
}

impl Granted {
    /// Who the site says that it is that may read.
    pub(crate) const fn person(&self) -> Option<&Person> {
        self.person.as_ref()
    }
}

impl fmt::Debug for Granted {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Granted").field("reader", &self.reader).finish_non_exhaustive()
    }
}

impl Drop for Granted {
    fn drop(&mut self) {
        self.hub.authoriser.lock().leave(&self.key, self.reader);
    }
}

impl Authoriser {
    pub(crate) fn new(how: Option<Authorise>) -> Self {
        let authoriser = Self {
            how: RwLock::default(),
            answers: Mutex::new(Answers::new(limits::AUTHORISE_YES, limits::AUTHORISE_NO, limits::AUTHORISE_RECHECK)),
            client: OnceLock::new(),
            places: Semaphore::new(limits::AUTHORISE_AT_ONCE),
            failures: std::sync::atomic::AtomicU64::new(0),
        };
        authoriser.set(how);
        authoriser
    }

    /// Sites are asked like this from now on. What they said before is forgotten for who comes.
    pub(crate) fn set(&self, how: Option<Authorise>) {
        {
            let mut answers = self.lock();
            answers.forget(None, None);
            if let Some(Authorise { yes, no, recheck, .. }) = &how {
                answers.be_good_for(*yes, *no, *recheck);
            }
        }
        *self.how.write().unwrap_or_else(PoisonError::into_inner) = how.map(Arc::new);
    }

    /// How they are asked; none if they aren't.
    fn how(&self) -> Option<Arc<Authorise>> {
        self.how.read().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// Whether nobody else is to be asked about a channel than who said yes: other settings may have come in between. To be looked at once the
    /// reader is among the sessions with that channel. Whom other settings find there they end, and who comes there later sees them here.
    pub(crate) fn is_answered(&self, channel: &str, by: Option<&Granted>) -> bool {
        let asked = self.how().and_then(|how| how.asks(channel));
        asked.is_none_or(|url| by.is_some_and(|granted| granted.key.url == url))
    }

    fn client(&self) -> Option<&reqwest::Client> {
        let client = self.client.get_or_init(|| {
            let client = site::client(limits::AUTHORISE_TIMEOUT);
            if let Err(error) = &client {
                tracing::error!(reason = %error, "no site can be asked who may read: nobody may");
            }
            client.ok()
        });
        client.as_ref()
    }

    fn lock(&self) -> MutexGuard<'_, Answers> {
        self.answers.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Forgets what was answered about a user or a channel, for who comes from now on.
    pub(crate) fn forget(&self, user: Option<&str>, channel: Option<&str>) {
        self.lock().forget(user, channel);
    }
}

/// Whether somebody may read a channel. By a yes, `reader` is known to read it until what is answered is dropped; none if nobody is asked.
pub(crate) async fn may(
    hub: &Arc<Shared>,
    reader: u64,
    asker: &Asker,
    channel: &Arc<str>,
) -> Result<Option<Granted>, Withheld> {
    let authoriser = &hub.authoriser;
    let Some(url) = authoriser.how().and_then(|how| how.asks(channel)) else { return Ok(None) };
    let key = Key::new(url, channel.clone(), asker);
    let answered = async {
        loop {
            let (found, person) = {
                let mut answers = authoriser.lock();
                (answers.look(&key, reader, asker, hub.now().mono), answers.person(&key))
            };
            match found {
                Found::Yes => return Ok(Some(Granted { hub: hub.clone(), key: key.clone(), reader, person })),
                Found::No => return Err(Withheld::Denied),
                Found::Failed | Found::Full => return Err(Withheld::Unsure),
                Found::Asked(told) => told.await,
                Found::New(told) => {
                    tokio::spawn(ask(hub.clone(), key.clone()));
                    told.await;
                }
            }
        }
    };
    timeout(limits::AUTHORISE_WAIT, answered).await.unwrap_or(Err(Withheld::Unsure))
}

/// The same for several channels, which are asked about at once.
///
/// # Errors
/// The first that may not be read, and why.
pub(crate) async fn may_all(
    hub: &Arc<Shared>,
    reader: u64,
    asker: &Asker,
    channels: &[Arc<str>],
) -> Result<Vec<(Arc<str>, Granted)>, (Arc<str>, Withheld)> {
    if hub.authoriser.how().is_none() {
        return Ok(Vec::new());
    }
    let answers = channels.iter().map(|channel| may(hub, reader, asker, channel));
    let mut granted = Vec::new();
    for (channel, answer) in channels.iter().zip(futures_util::future::join_all(answers).await) {
        match answer {
            Ok(grant) => granted.extend(grant.map(|grant| (channel.clone(), grant))),
            Err(withheld) => return Err((channel.clone(), withheld)),
        }
    }
    Ok(granted)
}

/// Asks the site, and tells all who wait. Who reads by a yes that is none any more is ended.
async fn ask(hub: Arc<Shared>, key: Key) {
    let authoriser = &hub.authoriser;
    let question = authoriser.lock().question(&key);
    let answer = match (authoriser.client(), authoriser.how(), question) {
        (Some(client), Some(how), Some(asker)) => {
            let place = authoriser.places.acquire().await;
            let answer = call::ask(client, &how, &key, &asker, hub.now().wall).await;
            drop(place);
            answer
        }
        _ => Err("no site can be asked".to_owned()),
    };
    if let Err(reason) = &answer {
        let count = authoriser.failures.fetch_add(1, std::sync::atomic::Ordering::Relaxed) + 1;
        let channel = &*key.channel;
        if count.is_power_of_two() {
            tracing::warn!(reason, channel, count, "a site can't be asked who may read: who isn't known may not");
        } else {
            tracing::debug!(reason, channel, count, "a site can't be asked who may read");
        }
    }
    let Settled { told, ended, why } = {
        let mut answers = authoriser.lock();
        if let Ok(Some(person)) = &answer {
            answers.know(&key, person.clone());
        }
        answers.settle(&key, answer.as_ref().ok().map(Option::is_some), hub.now().mono)
    };
    told.notify_waiters();
    if !ended.is_empty() {
        hub.end(&ended, &key.channel, why).await;
    }
}

/// Asks again what is due, for as long as it is waited for.
pub(crate) async fn follow(hub: &Arc<Shared>) {
    let mut tick = interval(limits::AUTHORISE_TICK);
    tick.set_missed_tick_behavior(MissedTickBehavior::Delay);
    loop {
        tick.tick().await;
        let due = hub.authoriser.lock().due(hub.now().mono);
        for key in due {
            tokio::spawn(ask(hub.clone(), key));
        }
    }
}

/// Waits for the answer to a question, whoever asked it.
type Told = std::pin::Pin<Box<tokio::sync::futures::OwnedNotified>>;

fn told(notify: &Arc<Notify>) -> Told {
    let mut told = Box::pin(notify.clone().notified_owned());
    told.as_mut().enable();
    told
}
