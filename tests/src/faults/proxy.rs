//! The line between a wall and its hub, and everything that can be done to it. It speaks TLS to the wall if it is given a
//! certificate. Ports stay taken while the line is cut: nobody else gets them.

use std::{
    net::{Ipv4Addr, SocketAddr},
    sync::{Arc, Mutex, PoisonError},
    time::{Duration, Instant},
};

use anyhow::{Context, Result};
use tokio::{
    io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt},
    net::{TcpListener, TcpSocket, TcpStream},
    sync::watch,
    task::{JoinHandle, JoinSet},
    time::sleep,
};
use tokio_rustls::{TlsAcceptor, rustls::ServerConfig};

const BUFFER_BYTES: usize = 64 * 1024;
/// What the kernel may hold of what the hub has sent: small, so that a slow line is felt by the hub.
const RECEIVE_BUFFER_BYTES: u32 = 16 * 1024;
/// On a slow line a piece goes so often.
const SLOW_STEP: Duration = Duration::from_millis(50);
/// How a request for a WebSocket begins.
const UPGRADE: &[u8; 10] = b"GET /v1/ws";
/// The bit that is turned over in a byte.
const WRONG_BIT: u8 = 0x04;

/// How the line is.
#[derive(Clone, Debug, Default)]
pub struct Line {
    /// Every connection is reset, and so is every new one.
    pub cut: bool,
    /// Connections stay open, new ones are taken, and nothing comes through in either direction.
    pub hold: bool,
    /// Bytes a second towards the wall.
    pub rate: Option<usize>,
    /// Of what goes to the wall, one byte in so many is wrong.
    pub corrupt: Option<usize>,
    drops: u32,
}

/// A running line. It ends when it is dropped.
#[derive(Debug)]
pub struct Proxy {
    port: u16,
    line: watch::Sender<Line>,
    identity: Arc<Mutex<Option<Arc<ServerConfig>>>>,
    arrivals: Arc<Mutex<Vec<Instant>>>,
    task: JoinHandle<()>,
}

impl Drop for Proxy {
    fn drop(&mut self) {
        self.task.abort();
    }
}

impl Proxy {
    /// A line to `hub`, in plain text.
    ///
    /// # Errors
    /// If there is no port.
    pub async fn start(hub: SocketAddr) -> Result<Self> {
        let socket = TcpSocket::new_v4()?;
        socket.bind((Ipv4Addr::LOCALHOST, 0).into())?;
        let listener = socket.listen(4096).context("a port for the line")?;
        let port = listener.local_addr()?.port();
        let line = watch::Sender::new(Line::default());
        let (identity, arrivals) = (Arc::default(), Arc::default());
        let way = Way { hub, line: line.subscribe(), identity: Arc::clone(&identity), arrivals: Arc::clone(&arrivals) };
        let task = tokio::spawn(serve(listener, way));
        Ok(Self { port, line, identity, arrivals, task })
    }

    /// Where walls come in.
    #[must_use]
    pub const fn port(&self) -> u16 {
        self.port
    }

    /// Makes it so, for what is there and for what comes.
    pub fn set(&self, change: impl FnOnce(&mut Line)) {
        self.line.send_modify(change);
    }

    /// Ends what is there. What comes is taken.
    pub fn drop_all(&self) {
        self.line.send_modify(|line| line.drops += 1);
    }

    /// From now on new connections are TLS with this certificate.
    pub fn identify(&self, identity: Arc<ServerConfig>) {
        *self.identity.lock().unwrap_or_else(PoisonError::into_inner) = Some(identity);
    }

    /// When connections came in that asked for a WebSocket.
    #[must_use]
    pub fn arrivals(&self) -> Vec<Instant> {
        self.arrivals.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }
}

#[derive(Clone)]
struct Way {
    hub: SocketAddr,
    line: watch::Receiver<Line>,
    identity: Arc<Mutex<Option<Arc<ServerConfig>>>>,
    arrivals: Arc<Mutex<Vec<Instant>>>,
}

async fn serve(listener: TcpListener, way: Way) {
    let mut connections = JoinSet::new();
    loop {
        tokio::select! {
            accepted = listener.accept() => match accepted {
                Ok((wall, _)) => {
                    connections.spawn(connection(wall, Instant::now(), way.clone()));
                }
                // Without descriptors there is nothing to do but to wait for some.
                Err(_) => sleep(SLOW_STEP).await,
            },
            Some(_) = connections.join_next(), if !connections.is_empty() => {}
        }
    }
}

/// One connection. However it ends, both sides see it end.
async fn connection(wall: TcpStream, came: Instant, way: Way) {
    let (mut line, mut watched) = (way.line.clone(), way.line);
    let drops = line.borrow().drops;
    let carried = async {
        // Dropped without having ended, a connection is reset: that is what a cut is.
        wall.set_zero_linger()?;
        wall.set_nodelay(true)?;
        line.wait_for(|line| !line.hold).await?;
        let identity = way.identity.lock().unwrap_or_else(PoisonError::into_inner).clone();
        match identity {
            Some(identity) => {
                let wall = TlsAcceptor::from(identity).accept(wall).await?;
                carry(wall, connect(way.hub).await?, &line).await
            }
            None => {
                let server = connect(way.hub).await?;
                let mut begin = [0; UPGRADE.len()];
                // Some protocols let the server speak first.
                let peeked = tokio::select! {
                    peeked = wall.peek(&mut begin) => peeked?,
                    ready = server.readable() => { ready?; 0 }
                };
                if peeked == UPGRADE.len() && begin == *UPGRADE {
                    way.arrivals.lock().unwrap_or_else(PoisonError::into_inner).push(came);
                }
                carry(wall, server, &line).await
            }
        }
    };
    tokio::select! {
        biased;
        _ = watched.wait_for(|line| line.cut || line.drops != drops) => {}
        // The end of one connection is told to those who had it.
        _ended = carried => {}
    }
}

async fn connect(hub: SocketAddr) -> Result<TcpStream> {
    let socket = TcpSocket::new_v4()?;
    socket.set_recv_buffer_size(RECEIVE_BUFFER_BYTES)?;
    let server = socket.connect(hub).await?;
    server.set_nodelay(true)?;
    Ok(server)
}

async fn carry(wall: impl AsyncRead + AsyncWrite, server: TcpStream, line: &watch::Receiver<Line>) -> Result<()> {
    let (from_wall, to_wall) = tokio::io::split(wall);
    let (from_server, to_server) = server.into_split();
    let up = one_way(from_wall, to_server, line.clone(), false);
    let down = one_way(from_server, to_wall, line.clone(), true);
    tokio::try_join!(up, down)?;
    Ok(())
}

/// Carries what `from` sends to `to`, until it ends.
async fn one_way(
    mut from: impl AsyncRead + Unpin,
    mut to: impl AsyncWrite + Unpin,
    mut line: watch::Receiver<Line>,
    is_down: bool,
) -> Result<()> {
    let mut buffer = vec![0; BUFFER_BYTES];
    let mut carried = 0;
    loop {
        let now = line.wait_for(|line| !line.hold).await?.clone();
        let rate = now.rate.filter(|_| is_down);
        let piece = rate.map_or(BUFFER_BYTES, |rate| (rate / 20).clamp(1, BUFFER_BYTES));
        let count = tokio::select! {
            biased;
            changed = line.changed() => {
                changed?;
                continue;
            }
            count = from.read(&mut buffer[..piece]) => count?,
        };
        if rate.is_some() {
            sleep(SLOW_STEP).await;
        }
        // What was read just before it was held stays behind.
        line.wait_for(|line| !line.hold).await?;
        if count == 0 {
            return Ok(to.shutdown().await?);
        }
        if let Some(every) = now.corrupt.filter(|_| is_down) {
            let first = (every - carried % every) % every;
            for byte in buffer[..count].iter_mut().skip(first).step_by(every) {
                *byte ^= WRONG_BIT;
            }
        }
        carried += count;
        to.write_all(&buffer[..count]).await?;
        to.flush().await?;
    }
}
