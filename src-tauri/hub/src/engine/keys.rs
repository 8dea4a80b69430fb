//! What the engine's keys are called.
//!
//! All keys of a channel have its name in braces: in a cluster they are in one slot, so that one script may use them all. Names of channels
//! hold no braces.

/// What all keys of a hub begin with.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Names(String);

impl Names {
    /// Keys that begin with `prefix`.
    pub(crate) fn new(prefix: &str) -> Self {
        Self(prefix.to_owned())
    }

    fn of(&self, channel: &str, part: &str) -> String {
        format!("{}:{{{channel}}}:{part}", self.0)
    }

    /// Where a channel stands: a hash.
    pub(crate) fn standing(&self, channel: &str) -> String {
        self.of(channel, "m")
    }

    /// Its history: a stream.
    pub(crate) fn history(&self, channel: &str) -> String {
        self.of(channel, "s")
    }

    /// What was published to it by its key, or by its id and time: two hashes that take turns.
    pub(crate) fn known(&self, channel: &str) -> [String; 2] {
        [self.of(channel, "d0"), self.of(channel, "d1")]
    }

    /// Where what is new in it is told.
    pub(crate) fn news(&self, channel: &str) -> String {
        self.of(channel, "e")
    }

    /// The channel whose news are told there.
    pub(crate) fn channel_of<'a>(&self, news: &'a str) -> Option<&'a str> {
        news.strip_prefix(&*self.0)?.strip_prefix(":{")?.strip_suffix("}:e")
    }

    /// Which body a request's key stands for.
    pub(crate) fn request(&self, key: &str) -> String {
        format!("{}:{{k:{key}}}", self.0)
    }

    /// Who is present in a channel: a hash.
    pub(crate) fn present(&self, channel: &str) -> String {
        self.of(channel, "p")
    }

    /// Where it is told that this has changed.
    pub(crate) fn moves(&self, channel: &str) -> String {
        self.of(channel, "q")
    }

    /// The channel of which it is told there.
    pub(crate) fn channel_of_moves<'a>(&self, moves: &'a str) -> Option<&'a str> {
        moves.strip_prefix(&*self.0)?.strip_prefix(":{")?.strip_suffix("}:q")
    }

    /// The nodes that live: a sorted set, by when their lease ends.
    pub(crate) fn nodes(&self) -> String {
        self.of("/", "nodes")
    }

    /// Where all nodes are told something.
    pub(crate) fn orders(&self) -> String {
        format!("{}:orders", self.0)
    }

    /// What was ordered of all nodes: a hash with the row and how many orders it has, a stream of the newest, a hash of the revocations that stand, and a
    /// sorted set of them by when they end. No channel has this name.
    pub(crate) fn row(&self) -> [String; 4] {
        ["o", "ol", "os", "oe"].map(|part| self.of("/", part))
    }

    /// Where one node is answered.
    pub(crate) fn answers(&self, node: &str) -> String {
        format!("{}:answers:{node}", self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// All keys of a channel are in one slot of a cluster, and what is told finds its channel again.
    #[test]
    fn names() {
        let names = Names::new("wf");
        assert_eq!(names.standing("a.b"), "wf:{a.b}:m");
        assert_eq!(names.known("a"), ["wf:{a}:d0", "wf:{a}:d1"]);
        assert_eq!(names.channel_of(&names.news("a@b;c")), Some("a@b;c"));
        assert_eq!(names.channel_of_moves(&names.moves("presence-x")), Some("presence-x"));
        assert_eq!(names.channel_of(&names.moves("a")), None);
        assert_eq!(names.channel_of("other:{a}:e"), None);
    }
}
