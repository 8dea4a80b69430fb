//! Topics: Sparkplug 3.0, chapter 4.

/// What a message says.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    /// A publisher begins: all of its metrics.
    Birth,
    /// What has changed.
    Data,
    /// It ends.
    Death,
}

/// Whose message of which kind.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Topic<'a> {
    pub(super) kind: Kind,
    pub(super) message: &'a str,
    pub(super) group: &'a str,
    pub(super) node: &'a str,
    /// None if it is the node's own.
    pub(super) device: Option<&'a str>,
    /// It was kept by a broker for whoever comes later.
    pub(super) is_certificate: bool,
}

/// What a topic is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Found<'a> {
    /// No topic of a node.
    Other,
    /// A command to a node, which says nothing of it.
    Command,
    Node(Topic<'a>),
}

pub(super) fn read(topic: &str) -> Found<'_> {
    const KEPT: &str = "$sparkplug/certificates/";
    let (is_certificate, rest) = topic.strip_prefix(KEPT).map_or((false, topic), |rest| (true, rest));
    let mut levels = rest.split('/');
    let mut next = || levels.next();
    let (Some("spBv1.0"), Some(group), Some(message), Some(node)) = (next(), next(), next(), next()) else {
        return Found::Other;
    };
    let (device, end) = (next(), next());
    let kind = match (message, device.is_some()) {
        ("NCMD", false) | ("DCMD", true) => return Found::Command,
        ("NBIRTH", false) | ("DBIRTH", true) => Kind::Birth,
        ("NDATA", false) | ("DDATA", true) => Kind::Data,
        ("NDEATH", false) | ("DDEATH", true) => Kind::Death,
        _ => return Found::Other,
    };
    if end.is_some() || group.is_empty() || node.is_empty() || device.is_some_and(str::is_empty) {
        return Found::Other;
    }
    Found::Node(Topic { kind, message, group, node, device, is_certificate })
}

impl Topic<'_> {
    /// What its node is called.
    pub(super) fn node_name(&self) -> String {
        format!("{}/{}", self.group, self.node)
    }

    /// What its publisher is called.
    pub(super) fn name(&self) -> String {
        match self.device {
            Some(device) => format!("{}/{}/{device}", self.group, self.node),
            None => self.node_name(),
        }
    }
}
