//! The line between wall and hub: a TCP proxy that can be cut, frozen and slowed down.
//!
//! While the line is cut, its port stays taken: a connection is accepted and reset at once. A port that nobody listens on could be
//! given to somebody else, even to the wall's own next try.

use std::{io, net::SocketAddr, time::Duration};

use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::{
        TcpListener, TcpSocket, TcpStream,
        tcp::{OwnedReadHalf, OwnedWriteHalf},
    },
    sync::watch,
    task::JoinSet,
    time::{sleep, timeout},
};

/// Connections at once; later ones wait in the listener's queue, as they would before a frozen server.
const CONNECTIONS_MAX: usize = 64;
/// Bytes held for each direction of a connection.
const BUFFER_BYTES: usize = 64 * 1024;
/// On a slow line each piece of this size …
const SLOW_BYTES: usize = 4 * 1024;
/// … takes this long.
const SLOW_DELAY: Duration = Duration::from_millis(700);
/// What the kernel may hold of what the hub has sent. Small, so that a slow line is felt by the hub, not hidden in a buffer.
const RECEIVE_BUFFER_BYTES: u32 = 64 * 1024;
/// The longest wait for a connection to the hub.
const CONNECT_MAX: Duration = Duration::from_secs(2);
/// The wait after a connection could not be accepted, for want of file descriptors for example.
const ACCEPT_PAUSE: Duration = Duration::from_millis(100);

/// How the line is at the moment.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Line {
    /// See [`super::Fault::Cut`].
    pub(crate) cut: bool,
    /// See [`super::Fault::Freeze`].
    pub(crate) freeze: bool,
    /// See [`super::Fault::Slow`].
    pub(crate) slow: bool,
    /// How many reasons there are for which the hub is away.
    pub(crate) away: u32,
    /// Whether the hub is still being filled for the first time: connections are taken, and wait.
    pub(crate) filling: bool,
    /// Counts the times that all connections were dropped.
    pub(crate) drops: u32,
}

impl Line {
    const fn is_open(&self) -> bool {
        !self.cut && self.away == 0
    }

    /// Whether nothing is wrong with it.
    pub(crate) const fn is_whole(&self) -> bool {
        self.is_open() && !self.freeze && !self.slow && !self.filling
    }

    const fn carries(&self, since_drops: u32) -> bool {
        self.is_open() && self.drops == since_drops
    }
}

/// Carries connections to `hub` for as long as someone holds the other end of `line`.
pub(crate) async fn serve(listener: TcpListener, hub: SocketAddr, mut line: watch::Receiver<Line>) {
    let mut connections = JoinSet::new();
    loop {
        tokio::select! {
            accepted = listener.accept(), if connections.len() < CONNECTIONS_MAX => match accepted {
                Ok((wall, _)) => {
                    connections.spawn(connection(wall, hub, line.clone()));
                }
                Err(error) => {
                    tracing::warn!(reason = %error, "the demo's line takes no connection");
                    sleep(ACCEPT_PAUSE).await;
                }
            },
            Some(_) = connections.join_next(), if !connections.is_empty() => {}
            changed = line.changed() => if changed.is_err() {
                return;
            },
        }
    }
}

/// One connection. However it ends, both sides see it end.
async fn connection(wall: TcpStream, hub: SocketAddr, mut line: watch::Receiver<Line>) {
    let drops = line.borrow().drops;
    let mut watched = line.clone();
    let carried = async {
        line.wait_for(|line| !line.freeze && !line.filling).await.map_err(io::Error::other)?;
        let server = timeout(CONNECT_MAX, connect(hub)).await.map_err(io::Error::other)??;
        wall.set_nodelay(true)?;
        carry(wall, server, &line).await
    };
    tokio::select! {
        biased;
        _ = watched.wait_for(|line| !line.carries(drops)) => {}
        outcome = carried => if let Err(error) = outcome {
            tracing::debug!(reason = %error, "a connection of the demo's line ended");
        },
    }
}

async fn connect(hub: SocketAddr) -> io::Result<TcpStream> {
    let socket = if hub.is_ipv4() { TcpSocket::new_v4()? } else { TcpSocket::new_v6()? };
    socket.set_recv_buffer_size(RECEIVE_BUFFER_BYTES)?;
    let server = socket.connect(hub).await?;
    server.set_nodelay(true)?;
    Ok(server)
}

async fn carry(wall: TcpStream, server: TcpStream, line: &watch::Receiver<Line>) -> io::Result<()> {
    // Dropped without having ended, a connection is reset: that is what a cut is.
    wall.set_zero_linger()?;
    let (from_wall, to_wall) = wall.into_split();
    let (from_server, to_server) = server.into_split();
    tokio::try_join!(one_way(from_wall, to_server, line.clone()), one_way(from_server, to_wall, line.clone()),)?;
    Ok(())
}

/// Carries what `from` sends to `to`, until it ends.
async fn one_way(mut from: OwnedReadHalf, mut to: OwnedWriteHalf, mut line: watch::Receiver<Line>) -> io::Result<()> {
    let mut buffer = vec![0; BUFFER_BYTES];
    loop {
        let now = *line.wait_for(|line| !line.freeze).await.map_err(io::Error::other)?;
        let piece = if now.slow { SLOW_BYTES } else { BUFFER_BYTES };
        let count = tokio::select! {
            biased;
            changed = line.changed() => match changed {
                Ok(()) => continue,
                Err(gone) => return Err(io::Error::other(gone)),
            },
            count = from.read(&mut buffer[..piece]) => count?,
        };
        if now.slow {
            tokio::select! {
                () = sleep(SLOW_DELAY) => {}
                _ = line.wait_for(|line| !line.slow) => {}
            }
        }
        // What was read just before the freeze stays behind it.
        line.wait_for(|line| !line.freeze).await.map_err(io::Error::other)?;
        if count == 0 {
            return to.shutdown().await;
        }
        to.write_all(&buffer[..count]).await?;
    }
}

#[cfg(test)]
mod tests {
    use std::{net::Ipv4Addr, time::Instant};

    use super::*;

    /// Long enough for anything to come through an open line on a busy machine.
    const OPEN: Duration = Duration::from_secs(10);
    /// What has not come by then is held back.
    const HELD: Duration = Duration::from_millis(300);

    /// A line to a server that sends back what it gets.
    struct Bench {
        address: SocketAddr,
        line: watch::Sender<Line>,
    }

    impl Bench {
        async fn new() -> io::Result<Self> {
            let server = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await?;
            let hub = server.local_addr()?;
            tokio::spawn(async move {
                while let Ok((mut stream, _)) = server.accept().await {
                    tokio::spawn(async move {
                        let (mut from, mut to) = stream.split();
                        tokio::io::copy(&mut from, &mut to).await
                    });
                }
            });
            let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await?;
            let (address, line) = (listener.local_addr()?, watch::Sender::new(Line::default()));
            tokio::spawn(serve(listener, hub, line.subscribe()));
            Ok(Self { address, line })
        }

        async fn connect(&self) -> io::Result<TcpStream> {
            TcpStream::connect(self.address).await
        }
    }

    async fn say(stream: &mut TcpStream, text: &[u8]) -> io::Result<()> {
        stream.write_all(text).await
    }

    /// The next bytes, as many as `text`; `None` if they don't come in time.
    async fn hear(stream: &mut TcpStream, count: usize, within: Duration) -> Option<io::Result<Vec<u8>>> {
        let mut bytes = vec![0; count];
        match timeout(within, stream.read_exact(&mut bytes)).await {
            Err(_) => None,
            Ok(outcome) => Some(outcome.map(|_| bytes)),
        }
    }

    async fn echoes(stream: &mut TcpStream, text: &[u8]) -> bool {
        say(stream, text).await.is_ok()
            && matches!(hear(stream, text.len(), OPEN).await, Some(Ok(bytes)) if bytes == text)
    }

    #[tokio::test]
    async fn an_open_line_carries_both_ways_and_ends_when_a_side_ends() -> io::Result<()> {
        let bench = Bench::new().await?;
        let mut stream = bench.connect().await?;
        assert!(echoes(&mut stream, &[7; 300_000]).await);
        stream.shutdown().await?;
        let mut rest = Vec::new();
        stream.read_to_end(&mut rest).await?;
        assert!(rest.is_empty());
        Ok(())
    }

    /// A cut ends what is there and what comes, at once; mended, new connections work.
    #[tokio::test]
    async fn cut() -> io::Result<()> {
        let bench = Bench::new().await?;
        let mut before = bench.connect().await?;
        assert!(echoes(&mut before, b"before").await);
        bench.line.send_modify(|line| line.cut = true);
        assert!(matches!(hear(&mut before, 1, OPEN).await, Some(Err(_))), "the connection is over");
        if let Ok(mut during) = bench.connect().await {
            assert!(matches!(hear(&mut during, 1, OPEN).await, Some(Err(_))), "no connection while it is cut");
        }
        bench.line.send_modify(|line| line.cut = false);
        assert!(echoes(&mut bench.connect().await?, b"after").await);
        Ok(())
    }

    /// A freeze keeps everything open and silent; nothing is lost by it.
    #[tokio::test]
    async fn freeze() -> io::Result<()> {
        let bench = Bench::new().await?;
        let mut before = bench.connect().await?;
        assert!(echoes(&mut before, b"before").await);
        bench.line.send_modify(|line| line.freeze = true);
        let mut during = bench.connect().await?;
        for stream in [&mut before, &mut during] {
            say(stream, b"frozen").await?;
            assert!(hear(stream, 1, HELD).await.is_none(), "neither an answer nor an end");
        }
        bench.line.send_modify(|line| line.freeze = false);
        for stream in [&mut before, &mut during] {
            assert!(matches!(hear(stream, 6, OPEN).await, Some(Ok(bytes)) if bytes == b"frozen"));
        }
        Ok(())
    }

    /// Who comes before the hub is filled waits for it, and sees nothing of it half full.
    #[tokio::test]
    async fn filling() -> io::Result<()> {
        let bench = Bench::new().await?;
        bench.line.send_modify(|line| line.filling = true);
        let mut early = bench.connect().await?;
        say(&mut early, b"early").await?;
        assert!(hear(&mut early, 1, HELD).await.is_none());
        bench.line.send_modify(|line| line.filling = false);
        assert!(matches!(hear(&mut early, 5, OPEN).await, Some(Ok(bytes)) if bytes == b"early"));
        Ok(())
    }

    /// A frozen line that is cut ends its connections all the same.
    #[tokio::test]
    async fn a_cut_is_stronger_than_a_freeze() -> io::Result<()> {
        let bench = Bench::new().await?;
        let mut stream = bench.connect().await?;
        assert!(echoes(&mut stream, b"before").await);
        bench.line.send_modify(|line| line.freeze = true);
        bench.line.send_modify(|line| line.drops += 1);
        assert!(matches!(hear(&mut stream, 1, OPEN).await, Some(Err(_))));
        Ok(())
    }

    /// Each piece is late, both ways, and mending is felt at once.
    #[tokio::test]
    async fn slow() -> io::Result<()> {
        let bench = Bench::new().await?;
        let mut stream = bench.connect().await?;
        bench.line.send_modify(|line| line.slow = true);
        let begun = Instant::now();
        assert!(echoes(&mut stream, b"slow").await);
        assert!(begun.elapsed() >= 2 * SLOW_DELAY);
        say(&mut stream, &[1; 20 * SLOW_BYTES]).await?;
        assert!(hear(&mut stream, 20 * SLOW_BYTES, HELD).await.is_none());
        bench.line.send_modify(|line| line.slow = false);
        Ok(())
    }

    /// The proxy ends with whoever holds it.
    #[tokio::test]
    async fn ends_with_its_owner() -> io::Result<()> {
        let bench = Bench::new().await?;
        let mut stream = bench.connect().await?;
        assert!(echoes(&mut stream, b"before").await);
        drop(bench.line);
        assert!(matches!(hear(&mut stream, 1, OPEN).await, Some(Err(_))));
        Ok(())
    }
}
