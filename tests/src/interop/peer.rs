//! What a scenario needs of a server, whatever it speaks.

use std::{any::Any, net::SocketAddr, path::Path, time::Duration};

use anyhow::Result;
use rustix::process::Signal;
use serde_json::Value;

use super::{
    example::{Setting, Told},
    stand::Stand,
    tls::{NAME, Tls},
};

/// What a board says of its source.
#[derive(Clone, Debug, Default)]
pub(super) struct Entry {
    /// Where a token is kept, if one is shown.
    pub(super) token: Option<std::path::PathBuf>,
    /// The private channel in place of the public one.
    pub(super) private: bool,
    /// Who is on the channel is to be told.
    pub(super) presence: bool,
    /// By TLS, with these certificates.
    pub(super) tls: Option<Tls>,
    /// The nodes of a plant in place of a channel.
    pub(super) plant: bool,
    /// Several servers as one.
    pub(super) several: bool,
    /// What only this protocol has, of [`Peer::OWN`].
    pub(super) own: Option<&'static str>,
}

impl Entry {
    /// The address at this port, by one of these schemes, and what the board says of its certificates.
    pub(super) fn url(&self, [plain, secure]: [&str; 2], port: u16) -> String {
        match &self.tls {
            None => format!("url = \"{plain}://127.0.0.1:{port}\"\n"),
            Some(tls) => format!("url = \"{secure}://{NAME}:{port}\"\n{}", tls.board()),
        }
    }
}

/// What a server can't do, or a protocol doesn't have, and why.
pub(super) type Offer<T> = std::result::Result<T, &'static str>;

/// A real server of some dialect. It is killed when it is dropped.
pub(super) trait Peer: Sized {
    /// The source's kind.
    const KIND: &'static str;
    /// For how many events a channel's history has room; none, if the protocol has no replay.
    const HISTORY: Offer<usize>;
    /// Whether a wall that is started again has kept all by which to go on.
    const KEPT_BY_WALL: bool = true;
    /// Whether nothing is missed when a token ends and there is another; or else it is said to be missing.
    const KEPT_OVER_TOKEN: bool = true;
    /// Whether it can be spoken to by TLS.
    const TLS: Offer<()> = Err("the way there is the hub's: scripts/faults.sh tries it with certificates good and bad");
    /// Whether publishers' births and deaths are told.
    const BIRTHS: Offer<()> = Err("publishers' births and deaths aren't told");
    /// Whether several can stand for one another.
    const SEVERAL: Offer<()> = Err("nothing of the wall's: who stands for a server has its address");
    /// Whether the others are sure to have what was acknowledged.
    const KEPT_BY_OTHERS: bool = false;
    /// Why the server can't be told to take an event of more than 1 MiB, if so.
    const TOO_BIG: Offer<()> = Ok(());
    /// Bytes around a message's body that count for the limit of an event as well.
    const AROUND_BYTES: usize = 0;
    /// What only this protocol has, or only this way to it: a scenario each, by name.
    const OWN: &'static [&'static str] = &[];
    /// The boards of `examples` that are for it, each as `example FILE`.
    const EXAMPLES: &'static [&'static str] = &[];
    /// Whether the wall itself is among those who are told to be there.
    const COUNTS_WALL: bool = false;

    /// Starts it on a port of its own, with what it needs in `folder`. The inner error says why it can't be had here.
    async fn start(folder: &Path) -> Result<std::result::Result<Self, String>>;
    /// The same with what one of [`Peer::EXAMPLES`] wants of it.
    async fn start_for(folder: &Path, _example: &str) -> Result<std::result::Result<Self, String>> {
        Self::start(folder).await
    }
    /// The same with others that stand for it, if there are such.
    async fn start_several(folder: &Path) -> Result<std::result::Result<Self, String>> {
        Self::start(folder).await
    }
    /// SIGKILL of the one that leads, with what was published being known to the others. It is over when another one leads.
    async fn fail_over(&mut self) -> Result<()> {
        anyhow::bail!("it has no other")
    }
    /// Server and version.
    fn version(&self) -> String;
    /// Where it listens.
    fn address(&self) -> SocketAddr;
    /// Where it listens for those who speak TLS, if that is another place.
    fn secure_address(&self) -> SocketAddr {
        self.address()
    }
    /// The board's source, with the id `ops`, at this port.
    fn source(&self, port: u16, entry: &Entry) -> String;
    /// Publishes these messages on the public or the private channel, in this order, by its own API.
    async fn publish(&self, private: bool, messages: &[Value]) -> Result<()>;
    /// Sends its process a signal.
    fn signal(&self, signal: Signal) -> Result<()>;
    /// Begins again with its own connections to the server, which may have been ended while that stood still.
    fn reconnect(&mut self) -> Result<()> {
        Ok(())
    }
    /// SIGKILL, and another one in its place on the same port, which has the other's state if `keeps`.
    async fn restart(&mut self, keeps: bool) -> Result<Offer<()>>;
    /// A token that is good for this long, or for ever; for the private channel as well.
    fn token(&self, life: Option<Duration>) -> Offer<String>;
    /// Ends what the wall's token may do, while it does it.
    async fn revoke(&self) -> Result<Offer<()>>;
    /// By the server's own account: this is the token that it was shown last, and since the first good one it was shown none that
    /// wasn't. Nothing, where no server tells.
    async fn took(&self, _token: &str) -> Result<()> {
        Ok(())
    }
    /// Has somebody join the channel besides the wall, who leaves when what this gives is dropped.
    async fn join(&self) -> Result<Offer<Box<dyn Any>>> {
        Ok(Err("who is there isn't told"))
    }
    /// Goes through one of [`Peer::OWN`]. The source is the one that [`Peer::source`] gives for it.
    async fn run_own(_stand: &mut Stand<Self>, name: &str) -> Result<()> {
        anyhow::bail!("no scenario `{name}`")
    }
    /// What it is in place of for one of [`Peer::EXAMPLES`].
    fn setting(&self, example: &str) -> Result<Setting> {
        anyhow::bail!("no example `{example}`")
    }
    /// Publishes the next of what an example is about, by its own API; nothing, if that was all.
    async fn tell_example(&mut self, example: &str, _step: usize) -> Result<Option<Told>> {
        anyhow::bail!("no example `{example}`")
    }
    /// What the board has besides for one of [`Peer::OWN`]: widgets, other sources.
    fn own_board(&self, _name: &str) -> String {
        String::new()
    }
}
