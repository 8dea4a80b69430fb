//! What sites have answered, what they are being asked, and who reads by it. A value: time comes as an argument.

use std::{
    collections::{HashMap, HashSet},
    fmt,
    sync::Arc,
    time::Duration,
};

use tokio::sync::Notify;
use watchfloor_model::Mono;

use super::{Asker, Told, told};
use crate::{limits, people::Person, revocation::Why};

/// A question: what tells it from others. Connections of one user, by tokens that say the same, ask the same.
#[derive(Clone, PartialEq, Eq, Hash)]
pub(crate) struct Key {
    pub(super) url: Arc<str>,
    pub(super) channel: Arc<str>,
    /// Who asks, and all that is known of him but his connection.
    who: [u8; 32],
}

impl fmt::Debug for Key {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // An address may hold a secret.
        f.debug_struct("Key").field("channel", &self.channel).finish_non_exhaustive()
    }
}

impl Key {
    pub(super) fn new(url: Arc<str>, channel: Arc<str>, asker: &Asker) -> Self {
        let mut context = ring::digest::Context::new(&ring::digest::SHA256);
        let token = asker.token.as_ref().map(|token| &token.0);
        for part in [asker.app.as_ref(), asker.user.as_ref(), asker.claims.as_ref(), token] {
            // Its length before it, so that no two lists of parts are one text.
            let length = part.map_or(u64::MAX, |part| part.len() as u64);
            context.update(&length.to_be_bytes());
            context.update(part.map_or(&b""[..], |part| part.as_bytes()));
        }
        let mut who = [0; 32];
        who.copy_from_slice(context.finish().as_ref());
        Self { url, channel, who }
    }
}

/// What is known of a question.
pub(super) enum Found {
    /// Yes: the reader is entered.
    Yes,
    No,
    /// The site could not be asked, just now.
    Failed,
    /// There is no room for another question.
    Full,
    /// It is being asked.
    Asked(Told),
    /// It has to be.
    New(Told),
}

/// What follows from an answer.
pub(super) struct Settled {
    /// Who waits for it.
    pub(super) told: Arc<Notify>,
    /// Who read by a yes, and may no more.
    pub(super) ended: Vec<u64>,
    pub(super) why: Why,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Said {
    Yes,
    No,
    Nothing,
}

#[derive(Debug)]
struct Entry {
    /// Who asked last.
    asker: Asker,
    /// Who it is, if the site says so with a yes.
    person: Option<Person>,
    /// What was said, and until when that is good for who comes.
    said: Option<(Said, Mono)>,
    /// Those who wait, if it is being asked.
    asking: Option<Arc<Notify>>,
    /// Who reads by it.
    readers: HashSet<u64>,
    /// When it is asked again, if somebody reads.
    again: Mono,
    /// Since when the site could not be asked.
    failing: Option<Mono>,
}

/// See the module.
#[derive(Debug)]
pub(super) struct Answers {
    entries: HashMap<Key, Entry>,
    yes: Duration,
    no: Duration,
    recheck: Duration,
}

impl Answers {
    pub(super) fn new(yes: Duration, no: Duration, recheck: Duration) -> Self {
        Self { entries: HashMap::new(), yes, no, recheck }
    }

    /// For how long answers are good from now on.
    pub(super) const fn be_good_for(&mut self, yes: Duration, no: Duration, recheck: Duration) {
        (self.yes, self.no, self.recheck) = (yes, no, recheck);
    }

    /// What is known. By a yes, the reader is entered among those who read by it.
    pub(super) fn look(&mut self, key: &Key, reader: u64, asker: &Asker, now: Mono) -> Found {
        if !self.entries.contains_key(key) {
            if self.entries.len() >= limits::AUTHORISE_ENTRIES_MAX {
                self.sweep(now);
            }
            if self.entries.len() >= limits::AUTHORISE_ENTRIES_MAX {
                return Found::Full;
            }
        }
        let entry = self.entries.entry(key.clone()).or_insert_with(|| Entry {
            asker: asker.clone(),
            person: None,
            said: None,
            asking: None,
            readers: HashSet::new(),
            again: Mono::NEVER,
            failing: None,
        });
        match entry.said.filter(|(_, until)| now < *until) {
            Some((Said::Yes, _)) => {
                if entry.readers.is_empty() {
                    entry.again = now.plus(self.recheck);
                }
                entry.readers.insert(reader);
                return Found::Yes;
            }
            Some((Said::No, _)) => return Found::No,
            Some((Said::Nothing, _)) => return Found::Failed,
            None => {}
        }
        if let Some(notify) = &entry.asking {
            return Found::Asked(told(notify));
        }
        entry.asker = asker.clone();
        let notify = Arc::new(Notify::new());
        let waiting = told(&notify);
        entry.asking = Some(notify);
        Found::New(waiting)
    }

    /// As whom the site is asked.
    pub(super) fn question(&self, key: &Key) -> Option<Asker> {
        self.entries.get(key).map(|entry| entry.asker.clone())
    }

    /// Who it is that asks, if the site says so with a yes.
    pub(super) fn know(&mut self, key: &Key, person: Option<Person>) {
        if let Some(entry) = self.entries.get_mut(key) {
            entry.person = person;
        }
    }

    /// Who it is that asks, if the site has said so.
    pub(super) fn person(&self, key: &Key) -> Option<Person> {
        self.entries.get(key)?.person.clone()
    }

    /// The site has answered; none if it hasn't.
    pub(super) fn settle(&mut self, key: &Key, answer: Option<bool>, now: Mono) -> Settled {
        let mut settled = Settled { told: Arc::default(), ended: Vec::new(), why: Why::Revoked };
        let Some(entry) = self.entries.get_mut(key) else { return settled };
        settled.told = entry.asking.take().unwrap_or_default();
        match answer {
            Some(true) => {
                (entry.said, entry.failing) = (Some((Said::Yes, now.plus(self.yes))), None);
                entry.again = now.plus(self.recheck);
            }
            Some(false) => {
                (entry.said, entry.failing) = (Some((Said::No, now.plus(self.no))), None);
                settled.ended = entry.readers.drain().collect();
            }
            None => {
                let since = *entry.failing.get_or_insert(now);
                let is_good = entry.said.is_some_and(|(said, until)| said == Said::Yes && now < until);
                if !is_good {
                    entry.said = Some((Said::Nothing, now.plus(limits::AUTHORISE_AGAIN)));
                }
                entry.again = now.plus(limits::AUTHORISE_RETRY);
                if now.since(since) >= limits::AUTHORISE_PATIENCE {
                    settled.ended = entry.readers.drain().collect();
                    settled.why = Why::Unsure;
                }
            }
        }
        settled
    }

    /// What is to be asked again, for who reads by it. It counts as being asked from here on.
    pub(super) fn due(&mut self, now: Mono) -> Vec<Key> {
        let mut due = Vec::new();
        for (key, entry) in &mut self.entries {
            if !entry.readers.is_empty() && entry.asking.is_none() && entry.again <= now {
                entry.asking = Some(Arc::new(Notify::new()));
                due.push(key.clone());
                if due.len() >= limits::AUTHORISE_DUE_MAX {
                    break;
                }
            }
        }
        due
    }

    /// A reader no longer reads by it.
    pub(super) fn leave(&mut self, key: &Key, reader: u64) {
        if let Some(entry) = self.entries.get_mut(key) {
            entry.readers.remove(&reader);
        }
    }

    /// Forgets what was answered about a user, a channel, or both.
    pub(super) fn forget(&mut self, user: Option<&str>, channel: Option<&str>) {
        for (key, entry) in &mut self.entries {
            let is_meant = channel.is_none_or(|channel| *key.channel == *channel)
                && user.is_none_or(|user| entry.asker.user.as_deref() == Some(user));
            if is_meant {
                entry.said = None;
            }
        }
    }

    /// Lets go of what is good for nobody any more.
    fn sweep(&mut self, now: Mono) {
        self.entries.retain(|_, entry| {
            !entry.readers.is_empty() || entry.asking.is_some() || entry.said.is_some_and(|(_, until)| now < until)
        });
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const YES: Duration = Duration::from_secs(60);
    const NO: Duration = Duration::from_secs(10);
    const RECHECK: Duration = Duration::from_secs(30);

    fn asker(user: &str) -> Asker {
        Asker { user: Some(user.into()), connection: "c".into(), ..Asker::default() }
    }

    fn key(user: &str) -> Key {
        Key::new("https://site".into(), "a".into(), &asker(user))
    }

    fn at(seconds: u64) -> Mono {
        Mono::from_millis(seconds * 1000)
    }

    fn answers() -> Answers {
        Answers::new(YES, NO, RECHECK)
    }

    fn looked(answers: &mut Answers, user: &str, reader: u64, seconds: u64) -> &'static str {
        match answers.look(&key(user), reader, &asker(user), at(seconds)) {
            Found::Yes => "yes",
            Found::No => "no",
            Found::Failed => "failed",
            Found::Full => "full",
            Found::Asked(_) => "asked",
            Found::New(_) => "new",
        }
    }

    /// One question for all who wait, and each answer for as long as it is good.
    #[test]
    fn one_question() {
        let mut answers = answers();
        assert_eq!(looked(&mut answers, "7", 1, 0), "new");
        assert_eq!(looked(&mut answers, "7", 2, 1), "asked");
        assert_eq!(looked(&mut answers, "8", 3, 1), "new", "another user's");
        answers.settle(&key("7"), Some(true), at(2));
        answers.settle(&key("8"), Some(false), at(2));
        assert_eq!(looked(&mut answers, "7", 2, 61), "yes");
        assert_eq!((looked(&mut answers, "8", 3, 11), looked(&mut answers, "8", 3, 12)), ("no", "new"));
        assert_eq!(looked(&mut answers, "7", 4, 62), "new");
        answers.settle(&key("7"), Some(true), at(63));
        answers.forget(Some("8"), None);
        assert_eq!(looked(&mut answers, "7", 4, 64), "yes");
        answers.forget(Some("7"), Some("a"));
        assert_eq!(looked(&mut answers, "7", 4, 64), "new");
    }

    /// What somebody reads by is asked again; by a no all who read by it are ended, and nobody else.
    #[test]
    fn asked_again() {
        let mut answers = answers();
        for user in ["7", "8"] {
            looked(&mut answers, user, 0, 0);
            answers.settle(&key(user), Some(true), at(0));
        }
        assert_eq!((looked(&mut answers, "7", 1, 1), looked(&mut answers, "7", 2, 1)), ("yes", "yes"));
        looked(&mut answers, "8", 3, 1);
        answers.leave(&key("8"), 3);
        assert!(answers.due(at(30)).is_empty());
        assert_eq!(answers.due(at(31)), [key("7")]);
        assert!(answers.due(at(40)).is_empty(), "it is being asked");
        assert!(answers.settle(&key("7"), Some(true), at(41)).ended.is_empty());
        assert_eq!(answers.due(at(71)), [key("7")]);
        answers.leave(&key("7"), 1);
        let settled = answers.settle(&key("7"), Some(false), at(72));
        assert_eq!((settled.ended, settled.why), (vec![2], Why::Revoked));
        assert!(answers.due(at(1000)).is_empty());
        assert_eq!(looked(&mut answers, "7", 1, 73), "no");
    }

    /// A site that can't be asked lets nobody in, and those who read go after a while, not at its first hiccup.
    #[test]
    fn failing_sites() {
        let mut answers = answers();
        looked(&mut answers, "7", 1, 0);
        answers.settle(&key("7"), None, at(0));
        assert_eq!(looked(&mut answers, "7", 1, 0), "failed");
        assert_eq!(looked(&mut answers, "7", 1, 100), "new");
        answers.settle(&key("7"), Some(true), at(100));
        assert_eq!(looked(&mut answers, "7", 1, 100), "yes");
        let (mut now, mut ended) = (130, Vec::new());
        while ended.is_empty() {
            assert_eq!(answers.due(at(now)), [key("7")], "{now}");
            let settled = answers.settle(&key("7"), None, at(now));
            (ended, now) = (settled.ended, now + limits::AUTHORISE_RETRY.as_secs());
            assert!(ended.is_empty() || settled.why == Why::Unsure);
        }
        let lasted = now - limits::AUTHORISE_RETRY.as_secs() - 130;
        assert_eq!(lasted, limits::AUTHORISE_PATIENCE.as_secs());
        assert_eq!(looked(&mut answers, "7", 2, 190), "failed");
    }

    /// H5: no more entries than there is room for; what is good for nobody makes room.
    #[test]
    fn bounded() {
        let mut answers = answers();
        for number in 0..limits::AUTHORISE_ENTRIES_MAX {
            let user = number.to_string();
            looked(&mut answers, &user, 1, 0);
            answers.settle(&key(&user), Some(number % 2 == 0), at(0));
        }
        assert_eq!(looked(&mut answers, "more", 1, 5), "full");
        assert_eq!(looked(&mut answers, "more", 1, 11), "new");
        assert_eq!(answers.entries.len(), limits::AUTHORISE_ENTRIES_MAX / 2 + 1);
    }

    /// Whoever differs in anything that the site is told asks another question.
    #[test]
    fn who_asks() {
        let base = asker("7");
        let key = |asker: &Asker| Key::new("u".into(), "a".into(), asker);
        for other in [
            Asker { app: Some("1".into()), ..base.clone() },
            Asker { claims: Some("{}".into()), ..base.clone() },
            Asker { token: Some(super::super::Secret("t".into())), ..base.clone() },
            Asker { user: None, claims: Some("7".into()), ..base.clone() },
        ] {
            assert!(key(&base) != key(&other), "{other:?}");
        }
        assert!(key(&base) == key(&Asker { connection: "other".into(), ..base.clone() }));
    }
}
