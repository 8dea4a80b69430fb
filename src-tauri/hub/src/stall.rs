//! A connection whose other side takes nothing any more is dropped.
//!
//! TCP by itself holds on to such a connection for a quarter of an hour. A slow reader is no stalled one: the time begins
//! anew with every byte that is taken.

use std::{
    io,
    pin::Pin,
    sync::Arc,
    task::{Context, Poll},
    time::Duration,
};

use tokio::{
    io::{AsyncRead, AsyncWrite, ReadBuf},
    time::{Instant, Sleep, sleep_until},
};

use crate::revocation::Outlet;

/// A connection with a limit on how long a write may take no byte.
pub(crate) struct StallLimit<C, P> {
    connection: C,
    limit: Duration,
    stalled: Option<Pin<Box<Sleep>>>,
    /// Through which all is written.
    outlet: Arc<Outlet>,
    /// The place that the connection takes up among all, given back when it ends, whatever it was upgraded to.
    _place: P,
}

impl<C, P> StallLimit<C, P> {
    /// Drops `connection` when it takes nothing for `limit`.
    pub(crate) const fn new(connection: C, limit: Duration, outlet: Arc<Outlet>, place: P) -> Self {
        Self { connection, limit, stalled: None, outlet, _place: place }
    }

    fn judge<T>(&mut self, cx: &mut Context<'_>, poll: Poll<io::Result<T>>) -> Poll<io::Result<T>> {
        if poll.is_ready() {
            self.stalled = None;
            return poll;
        }
        let limit = self.limit;
        let stalled = self.stalled.get_or_insert_with(|| Box::pin(sleep_until(Instant::now() + limit)));
        match stalled.as_mut().poll(cx) {
            Poll::Pending => Poll::Pending,
            Poll::Ready(()) => {
                let message = format!("the other side took nothing for {limit:?}");
                Poll::Ready(Err(io::Error::new(io::ErrorKind::TimedOut, message)))
            }
        }
    }
}

impl<C: AsyncRead + Unpin, P: Unpin> AsyncRead for StallLimit<C, P> {
    fn poll_read(mut self: Pin<&mut Self>, cx: &mut Context<'_>, buf: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.connection).poll_read(cx, buf)
    }
}

impl<C: AsyncWrite + Unpin, P: Unpin> AsyncWrite for StallLimit<C, P> {
    fn poll_write(mut self: Pin<&mut Self>, cx: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        let Self { outlet, connection, .. } = &mut *self;
        let poll = outlet.write(|| Pin::new(connection).poll_write(cx, bytes));
        self.judge(cx, poll)
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        bytes: &[io::IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        let Self { outlet, connection, .. } = &mut *self;
        let poll = outlet.write(|| Pin::new(connection).poll_write_vectored(cx, bytes));
        self.judge(cx, poll)
    }

    fn is_write_vectored(&self) -> bool {
        self.connection.is_write_vectored()
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        let flushed = Pin::new(&mut self.connection).poll_flush(cx);
        if matches!(flushed, Poll::Ready(Ok(()))) {
            self.outlet.flushed();
        }
        flushed
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.connection).poll_shutdown(cx)
    }
}

impl<C, P> Drop for StallLimit<C, P> {
    fn drop(&mut self) {
        self.outlet.cut();
    }
}

#[cfg(test)]
mod tests {
    use tokio::io::{AsyncReadExt, AsyncWriteExt, duplex};

    use super::*;

    /// H5: a reader that takes a byte now and then is kept, one that takes none is dropped after the limit.
    #[tokio::test(start_paused = true)]
    async fn stalled_is_not_slow() {
        let (near, mut far) = duplex(4);
        let mut near = StallLimit::new(near, Duration::from_secs(10), Arc::default(), ());
        let reader = tokio::spawn(async move {
            let mut byte = [0];
            for _ in 0..6 {
                tokio::time::sleep(Duration::from_secs(9)).await;
                far.read_exact(&mut byte).await.expect("byte");
            }
            std::future::pending::<()>().await;
        });
        let begin = Instant::now();
        let error = near.write_all(&[0; 100]).await.expect_err("stalls");
        assert_eq!(error.kind(), io::ErrorKind::TimedOut);
        assert_eq!(begin.elapsed().as_secs(), 6 * 9 + 10);
        reader.abort();
    }
}
