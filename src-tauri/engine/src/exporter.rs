//! The metrics over HTTP: `GET /metrics` answers with Prometheus text.
//!
//! Bounded in connections, bytes and time, whoever asks (H5).

use std::{net::SocketAddr, sync::Arc, time::Duration};

use metrics_exporter_prometheus::PrometheusHandle;
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::{TcpListener, TcpStream},
    sync::Semaphore,
    time::timeout,
};

use crate::error::EngineError;

/// Questions answered at once; further ones wait.
const CONNECTIONS_MAX: usize = 16;
/// The longest request head, in bytes.
const HEAD_BYTES_MAX: usize = 8 << 10;
/// For a whole exchange.
const EXCHANGE_TIMEOUT: Duration = Duration::from_secs(5);
/// How often measured values are summed up when nobody asks.
const UPKEEP_PERIOD: Duration = Duration::from_secs(1);

/// The exporter, bound to its address.
pub(crate) struct Exporter {
    listener: TcpListener,
    handle: PrometheusHandle,
}

impl Exporter {
    /// Takes the address.
    ///
    /// # Errors
    /// If it is taken or not this machine's.
    pub(crate) async fn bind(address: SocketAddr, handle: PrometheusHandle) -> Result<Self, EngineError> {
        let refused = |error: std::io::Error| EngineError::MetricsAddress { address, reason: error.to_string() };
        Ok(Self { listener: TcpListener::bind(address).await.map_err(refused)?, handle })
    }

    /// Where it listens: with port 0 asked for, the system's choice.
    pub(crate) fn address(&self) -> Option<SocketAddr> {
        self.listener.local_addr().ok()
    }

    /// Answers until it is dropped.
    pub(crate) async fn serve(self) {
        let places = Arc::new(Semaphore::new(CONNECTIONS_MAX));
        let mut upkeep = tokio::time::interval(UPKEEP_PERIOD);
        let mut exchanges = tokio::task::JoinSet::new();
        loop {
            tokio::select! {
                _ = upkeep.tick() => self.handle.run_upkeep(),
                Some(_ended) = exchanges.join_next() => {}
                accepted = accept(&self.listener, &places) => match accepted {
                    Ok((stream, place)) => {
                        let handle = self.handle.clone();
                        exchanges.spawn(async move {
                            let _too_slow_or_gone = timeout(EXCHANGE_TIMEOUT, exchange(stream, &handle)).await;
                            drop(place);
                        });
                    }
                    Err(error) => {
                        // Too many open files, mostly: waiting is all that helps.
                        tracing::warn!(reason = %error, "the metrics can't take a connection");
                        upkeep.tick().await;
                    }
                },
            }
        }
    }
}

async fn accept(
    listener: &TcpListener,
    places: &Arc<Semaphore>,
) -> std::io::Result<(TcpStream, Option<tokio::sync::OwnedSemaphorePermit>)> {
    let place = Arc::clone(places).acquire_owned().await.ok();
    let (stream, _peer) = listener.accept().await?;
    Ok((stream, place))
}

async fn exchange(mut stream: TcpStream, handle: &PrometheusHandle) -> std::io::Result<()> {
    let mut head = Vec::with_capacity(512);
    while !head.windows(4).any(|end| end == b"\r\n\r\n") {
        if head.len() > HEAD_BYTES_MAX || stream.read_buf(&mut head).await? == 0 {
            return Ok(());
        }
    }
    let line = String::from_utf8_lossy(&head);
    let mut words = line.split_ascii_whitespace();
    let (method, target) = (words.next().unwrap_or_default(), words.next().unwrap_or_default());
    let path = target.split('?').next().unwrap_or_default();
    let (status, kind, body) = match (method, path) {
        ("GET" | "HEAD", "/metrics" | "/") => ("200 OK", "text/plain; version=0.0.4; charset=utf-8", handle.render()),
        ("GET" | "HEAD", _) => ("404 Not Found", "text/plain", "try /metrics\n".to_owned()),
        _ => ("405 Method Not Allowed", "text/plain", "only GET\n".to_owned()),
    };
    let length = body.len();
    let answer =
        format!("HTTP/1.1 {status}\r\ncontent-type: {kind}\r\ncontent-length: {length}\r\nconnection: close\r\n\r\n");
    stream.write_all(answer.as_bytes()).await?;
    if method != "HEAD" {
        stream.write_all(body.as_bytes()).await?;
    }
    stream.shutdown().await
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::metrics::Metrics;

    async fn bound() -> (Metrics, Exporter) {
        let metrics = Metrics::read().unwrap();
        let handle = metrics.handle().unwrap();
        (metrics, Exporter::bind(([127, 0, 0, 1], 0).into(), handle).await.unwrap())
    }

    async fn ask(address: SocketAddr, request: &str) -> String {
        let mut stream = TcpStream::connect(address).await.unwrap();
        stream.write_all(request.as_bytes()).await.unwrap();
        let mut answer = String::new();
        stream.read_to_string(&mut answer).await.unwrap();
        answer
    }

    #[tokio::test]
    async fn answers_with_prometheus_text() {
        let (_metrics, exporter) = bound().await;
        let address = exporter.address().unwrap();
        let serving = tokio::spawn(exporter.serve());
        for (request, status, part) in [
            ("GET /metrics HTTP/1.1\r\nhost: x\r\n\r\n", "HTTP/1.1 200", "watchfloor_frames_total 0"),
            ("HEAD /metrics HTTP/1.1\r\n\r\n", "HTTP/1.1 200", "content-length"),
            ("GET /other HTTP/1.1\r\n\r\n", "HTTP/1.1 404", "/metrics"),
            ("POST /metrics HTTP/1.1\r\n\r\n", "HTTP/1.1 405", "only GET"),
            ("\r\n\r\n", "HTTP/1.1 405", "only GET"),
        ] {
            let answer = ask(address, request).await;
            assert!(answer.starts_with(status) && answer.contains(part), "{request:?}: {answer}");
        }
        let endless = ask(address, &"x".repeat(HEAD_BYTES_MAX + 2)).await;
        assert_eq!(endless, "", "an endless head gets no answer");
        serving.abort();
    }

    /// Contract: a taken port is the environment's fault, with what to do.
    #[tokio::test]
    async fn taken_port_is_told() {
        let (_metrics, first) = bound().await;
        let handle = Metrics::read().unwrap().handle().unwrap();
        let error = Exporter::bind(first.address().unwrap(), handle).await.err().unwrap();
        assert_eq!(error.exit_code(), 3);
        assert!(error.to_string().contains("--metrics"), "{error}");
    }
}
