//! The test's own source: server-sent events on loopback, said by nobody but the test.

use std::{
    io,
    net::{Ipv4Addr, SocketAddr},
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    time::Duration,
};

use serde_json::Value;
use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    net::{TcpListener, TcpStream},
    sync::broadcast::{Receiver, Sender, channel},
    task::JoinHandle,
    time::interval,
};

/// How often it says that it lives.
const BEAT: Duration = Duration::from_millis(200);
const HEAD: &[u8] =
    b"HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nCache-Control: no-store\r\nConnection: close\r\n\r\n";
/// What is said and not yet sent, at most.
const QUEUED_MAX: usize = 64;

/// A source of events. It ends when this is dropped.
pub(super) struct Stream {
    address: SocketAddr,
    said: Sender<String>,
    is_heard: Arc<AtomicBool>,
    serving: JoinHandle<()>,
}

impl Drop for Stream {
    fn drop(&mut self) {
        self.serving.abort();
    }
}

impl Stream {
    pub(super) async fn start() -> io::Result<Self> {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await?;
        let address = listener.local_addr()?;
        let (said, _) = channel(QUEUED_MAX);
        let is_heard = Arc::new(AtomicBool::new(false));
        let (own, heard) = (said.clone(), Arc::clone(&is_heard));
        let serving = tokio::spawn(async move {
            while let Ok((peer, _)) = listener.accept().await {
                tokio::spawn(serve(peer, own.subscribe(), Arc::clone(&heard)));
            }
        });
        Ok(Self { address, said, is_heard, serving })
    }

    pub(super) fn url(&self) -> String {
        format!("http://{}/", self.address)
    }

    /// Whether somebody listens.
    pub(super) fn is_heard(&self) -> bool {
        self.is_heard.load(Ordering::Acquire)
    }

    /// Says it to whoever listens.
    pub(super) fn say(&self, data: &Value) {
        // Nobody listening is found by what doesn't come of it.
        let _nobody = self.said.send(format!("event: test\ndata: {data}\n\n"));
    }
}

async fn serve(mut peer: TcpStream, mut said: Receiver<String>, is_heard: Arc<AtomicBool>) -> io::Result<()> {
    let mut asked = Vec::new();
    while !asked.ends_with(b"\r\n\r\n") && asked.len() < 16_384 {
        if peer.read_buf(&mut asked).await? == 0 {
            return Ok(());
        }
    }
    peer.write_all(HEAD).await?;
    is_heard.store(true, Ordering::Release);
    let mut beat = interval(BEAT);
    loop {
        tokio::select! {
            text = said.recv() => match text {
                Ok(text) => peer.write_all(text.as_bytes()).await?,
                Err(_) => return Ok(()),
            },
            _ = beat.tick() => peer.write_all(b": here\n\n").await?,
        }
        peer.flush().await?;
    }
}
