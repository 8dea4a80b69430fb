//! Who waits for which channel.
//!
//! Publishing wakes the readers of the channels published to and nobody else. A wake-up says only that there may be
//! something: it is kept while the reader is busy, and any number of them are one.

use std::{
    collections::HashMap,
    sync::{Arc, Mutex, MutexGuard},
};

use tokio::sync::Notify;

use crate::rules;

/// All waiting readers. Its lock is never held together with the state's.
#[derive(Debug, Default)]
pub(crate) struct Wakers {
    registry: Mutex<Registry>,
}

#[derive(Debug, Default)]
struct Registry {
    last_id: u64,
    readers: HashMap<u64, Arc<Notify>>,
    by_channel: HashMap<Arc<str>, HashMap<u64, Arc<Notify>>>,
    /// Who waits for any channel of a pattern, one that isn't there yet as well.
    by_pattern: HashMap<Arc<str>, HashMap<u64, Arc<Notify>>>,
}

impl Wakers {
    /// A reader of no channel yet.
    pub(crate) fn register(self: &Arc<Self>) -> Waker {
        let notify = Arc::new(Notify::new());
        let mut registry = self.lock();
        registry.last_id += 1;
        let id = registry.last_id;
        registry.readers.insert(id, notify.clone());
        Waker { id, notify, channels: Vec::new(), patterns: Vec::new(), wakers: self.clone() }
    }

    /// There is something new in these channels.
    pub(crate) fn wake<'a>(&self, channels: impl Iterator<Item = &'a Arc<str>>) {
        let registry = self.lock();
        for channel in channels {
            let by_name = registry.by_channel.get(channel).into_iter();
            let meant = registry.by_pattern.iter().filter(|(pattern, _)| rules::is_meant(pattern, channel));
            for notify in by_name.chain(meant.map(|(_, readers)| readers)).flat_map(HashMap::values) {
                notify.notify_one();
            }
        }
    }

    /// There is something new for this reader.
    pub(crate) fn wake_reader(&self, id: u64) {
        if let Some(notify) = self.lock().readers.get(&id) {
            notify.notify_one();
        }
    }

    /// There is something new for everybody.
    pub(crate) fn wake_all(&self) {
        self.lock().readers.values().for_each(|notify| notify.notify_one());
    }

    /// Whether a channel has readers.
    pub(crate) fn has_readers(&self, channel: &str) -> bool {
        self.lock().by_channel.contains_key(channel)
    }

    /// How many readers there are.
    pub(crate) fn readers(&self) -> usize {
        self.lock().readers.len()
    }

    /// Their channels, all together.
    pub(crate) fn subscriptions(&self) -> usize {
        self.lock().by_channel.values().map(HashMap::len).sum()
    }

    fn lock(&self) -> MutexGuard<'_, Registry> {
        self.registry.lock().expect("nothing panics while it holds the registry")
    }
}

/// A reader's end. It must name its channels before it looks for news, or it could miss some.
#[derive(Debug)]
pub(crate) struct Waker {
    id: u64,
    notify: Arc<Notify>,
    channels: Vec<Arc<str>>,
    patterns: Vec<Arc<str>>,
    wakers: Arc<Wakers>,
}

impl Waker {
    /// Waits for these channels from now on, instead of those before.
    pub(crate) fn watch<'a>(&mut self, channels: impl Iterator<Item = &'a Arc<str>>) {
        let channels: Vec<_> = channels.cloned().collect();
        let mut registry = self.wakers.lock();
        leave(&mut registry.by_channel, self.id, &self.channels);
        for channel in &channels {
            registry.by_channel.entry(channel.clone()).or_default().insert(self.id, self.notify.clone());
        }
        drop(registry);
        self.channels = channels;
    }

    /// Waits for whatever channel these patterns mean as well, instead of those before.
    pub(crate) fn watch_for<'a>(&mut self, patterns: impl Iterator<Item = &'a Arc<str>>) {
        let patterns: Vec<_> = patterns.cloned().collect();
        if patterns == self.patterns {
            return;
        }
        let mut registry = self.wakers.lock();
        leave(&mut registry.by_pattern, self.id, &self.patterns);
        for pattern in &patterns {
            registry.by_pattern.entry(pattern.clone()).or_default().insert(self.id, self.notify.clone());
        }
        drop(registry);
        self.patterns = patterns;
    }

    /// Which reader it is.
    pub(crate) const fn id(&self) -> u64 {
        self.id
    }

    /// Waits for this channel too.
    pub(crate) fn add(&mut self, channel: &Arc<str>) {
        let by_channel = &mut self.wakers.lock().by_channel;
        if by_channel.entry(channel.clone()).or_default().insert(self.id, self.notify.clone()).is_none() {
            self.channels.push(channel.clone());
        }
    }

    /// No longer waits for this channel.
    pub(crate) fn remove(&mut self, channel: &Arc<str>) {
        leave(&mut self.wakers.lock().by_channel, self.id, std::slice::from_ref(channel));
        self.channels.retain(|other| other != channel);
    }

    /// Answers at once if there was a wake-up since the last time.
    pub(crate) async fn woken(&self) {
        self.notify.notified().await;
    }
}

impl Drop for Waker {
    fn drop(&mut self) {
        let mut registry = self.wakers.lock();
        leave(&mut registry.by_channel, self.id, &self.channels);
        leave(&mut registry.by_pattern, self.id, &self.patterns);
        registry.readers.remove(&self.id);
    }
}

fn leave(waiting: &mut HashMap<Arc<str>, HashMap<u64, Arc<Notify>>>, id: u64, names: &[Arc<str>]) {
    for name in names {
        if let Some(readers) = waiting.get_mut(name) {
            readers.remove(&id);
            if readers.is_empty() {
                waiting.remove(name);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use futures_util::FutureExt;

    use super::*;

    /// Only the readers of a channel are woken, a wake-up before the wait is kept, and nothing is left of who is gone.
    #[test]
    fn wakes_whom_it_concerns() {
        let wakers = Arc::new(Wakers::default());
        let (a, b): (Arc<str>, Arc<str>) = ("a".into(), "b".into());
        let (mut first, mut second) = (wakers.register(), wakers.register());
        first.watch([&a].into_iter());
        second.watch([&a, &b].into_iter());
        second.watch([&b].into_iter());
        wakers.wake([&a].into_iter());
        wakers.wake([&a].into_iter());
        assert!(first.woken().now_or_never().is_some());
        assert!(first.woken().now_or_never().is_none(), "two wake-ups are one");
        assert!(second.woken().now_or_never().is_none());
        wakers.wake_all();
        assert!(first.woken().now_or_never().is_some() && second.woken().now_or_never().is_some());
        let pattern: Arc<str> = "b*".into();
        first.watch_for([&pattern].into_iter());
        wakers.wake([&Arc::from("b.new")].into_iter());
        assert!(first.woken().now_or_never().is_some() && second.woken().now_or_never().is_none());
        wakers.wake([&a].into_iter());
        assert!(first.woken().now_or_never().is_some(), "what it watched before stays");
        drop((first, second));
        assert_eq!(wakers.readers(), 0);
        let registry = wakers.lock();
        assert!(registry.by_channel.is_empty() && registry.by_pattern.is_empty());
    }
}
