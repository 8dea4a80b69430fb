//! The way from a feed to one of its links, bounded in bytes (H5). A feed never waits: it subscribes to all of its channels, or answers
//! a burst of events, in one go, and the link has no turn meanwhile.

use std::sync::{
    Arc,
    atomic::{AtomicUsize, Ordering},
};

use tokio::sync::mpsc;
use watchfloor_feed::Body;

use super::Command;

/// Bytes that wait for a link. One with more has a peer that takes nothing.
const BYTES_MAX: usize = 4 << 20;
/// What a command costs besides its bytes, so that many small ones are bounded too.
const COMMAND_BYTES: usize = 64;

/// Where a feed tells a link.
#[derive(Debug)]
pub(super) struct Teller {
    sender: mpsc::UnboundedSender<Command>,
    waiting: Arc<AtomicUsize>,
}

/// Where a link takes what it is told.
#[derive(Debug)]
pub(super) struct Commands {
    receiver: mpsc::UnboundedReceiver<Command>,
    waiting: Arc<AtomicUsize>,
}

/// A way for one link.
pub(super) fn commands() -> (Teller, Commands) {
    let (sender, receiver) = mpsc::unbounded_channel();
    let waiting = Arc::<AtomicUsize>::default();
    (Teller { sender, waiting: Arc::clone(&waiting) }, Commands { receiver, waiting })
}

impl Teller {
    /// Tells the link something; false if it has taken nothing of too much. One that has ended takes nothing, and has said so.
    pub(super) fn tell(&self, command: Command) -> bool {
        let bytes = bytes(&command);
        if self.waiting.fetch_add(bytes, Ordering::Relaxed).saturating_add(bytes) > BYTES_MAX {
            return self.sender.is_closed();
        }
        let _ended = self.sender.send(command);
        true
    }
}

impl Commands {
    /// The next command, once there is one; none when there can be none any more.
    pub(super) async fn recv(&mut self) -> Option<Command> {
        let command = self.receiver.recv().await?;
        self.waiting.fetch_sub(bytes(&command), Ordering::Relaxed);
        Some(command)
    }
}

fn bytes(command: &Command) -> usize {
    let body = match command {
        Command::Send(message) => match &message.body {
            Body::Text(text) => text.len(),
            Body::Binary(bytes) => bytes.len(),
        },
        Command::Ping | Command::StartTls => 0,
    };
    body + COMMAND_BYTES
}

#[cfg(test)]
mod tests {
    use watchfloor_feed::Message;

    use super::*;

    fn subscribe(bytes: usize) -> Command {
        Command::Send(Message::text("x".repeat(bytes)))
    }

    /// H2: as many channels as a board may have are subscribed to in one go, and a burst of events is answered.
    #[tokio::test]
    async fn a_burst_is_taken() {
        let (teller, mut commands) = commands();
        assert!((0..256).all(|_| teller.tell(subscribe(2000))));
        for _ in 0..256 {
            commands.recv().await.unwrap();
        }
        assert!((0..20_000).all(|_| teller.tell(subscribe(20))));
    }

    /// H5: who takes nothing is found out, and who has ended isn't blamed.
    #[tokio::test]
    async fn bytes_are_bounded() {
        let (teller, mut commands) = commands();
        assert!((0..4).all(|_| teller.tell(subscribe((1 << 20) - COMMAND_BYTES))));
        assert!(!teller.tell(Command::Ping));
        commands.recv().await.unwrap();
        drop(commands);
        assert!((0..9).all(|_| teller.tell(subscribe(1 << 20))));
    }
}
