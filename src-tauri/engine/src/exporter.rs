//! The metrics over HTTP: `GET /metrics` answers with Prometheus text.
//!
//! Bounded in connections, bytes and time, whoever asks (H5).

use std::{net::SocketAddr, sync::Arc, time::Duration};

use metrics_exporter_prometheus::PrometheusHandle;
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::{TcpListener, TcpStream},
    sync::{Semaphore, watch},
    time::timeout,
};

use watchfloor_model::Mono;

use crate::{clock::Clock, error::EngineError};

/// Questions answered at once; further ones wait.
const CONNECTIONS_MAX: usize = 16;
/// The longest request head, in bytes.
const HEAD_BYTES_MAX: usize = 8 << 10;
/// For a whole exchange.
const EXCHANGE_TIMEOUT: Duration = Duration::from_secs(5);
/// What was measured longer ago isn't told: the program stood still, and it is of before that (H1).
const SURVEY_AGE_MAX: Duration = Duration::from_secs(2);
/// For how long a question waits for something newer.
const SURVEY_WAIT: Duration = Duration::from_secs(3);
/// How often measured values are summed up when nobody asks.
const UPKEEP_PERIOD: Duration = Duration::from_secs(1);

/// The exporter, bound to its address.
pub(crate) struct Exporter {
    listener: TcpListener,
    measured: Measured,
}

/// What is measured, and when it was.
#[derive(Clone)]
struct Measured {
    handle: PrometheusHandle,
    surveys: watch::Receiver<Mono>,
    clock: Clock,
}

impl Measured {
    /// The text of what is so now; none if nothing is measured any more.
    async fn render(&mut self) -> Option<String> {
        let is_current = |at: &Mono| *at == Mono::ZERO || self.clock.now().since(*at) <= SURVEY_AGE_MAX;
        let found = timeout(SURVEY_WAIT, self.surveys.wait_for(is_current)).await;
        matches!(found, Ok(Ok(_))).then(|| self.handle.render())
    }
}

impl Exporter {
    /// Takes the address.
    ///
    /// # Errors
    /// If it is taken or not this machine's.
    pub(crate) async fn bind(
        address: SocketAddr,
        handle: PrometheusHandle,
        surveys: watch::Receiver<Mono>,
        clock: Clock,
    ) -> Result<Self, EngineError> {
        let refused = |error: std::io::Error| EngineError::MetricsAddress { address, reason: error.to_string() };
        let listener = TcpListener::bind(address).await.map_err(refused)?;
        Ok(Self { listener, measured: Measured { handle, surveys, clock } })
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
                _ = upkeep.tick() => self.measured.handle.run_upkeep(),
                Some(_ended) = exchanges.join_next() => {}
                accepted = accept(&self.listener, &places) => match accepted {
                    Ok((stream, place)) => {
                        let measured = self.measured.clone();
                        exchanges.spawn(async move {
                            let _too_slow_or_gone = timeout(EXCHANGE_TIMEOUT, exchange(stream, measured)).await;
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

async fn exchange(mut stream: TcpStream, mut measured: Measured) -> std::io::Result<()> {
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
        ("GET" | "HEAD", "/metrics" | "/") => match measured.render().await {
            Some(text) => ("200 OK", "text/plain; version=0.0.4; charset=utf-8", text),
            None => ("503 Service Unavailable", "text/plain", "the wall stands still\n".to_owned()),
        },
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
        let exporter = bind(&metrics, ([127, 0, 0, 1], 0).into()).await.unwrap();
        (metrics, exporter)
    }

    async fn bind(metrics: &Metrics, address: SocketAddr) -> Result<Exporter, EngineError> {
        Exporter::bind(address, metrics.handle().unwrap(), metrics.surveys(), Clock::start()).await
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

    /// H1: what was measured before a pause isn't told after it.
    #[tokio::test]
    async fn nothing_is_told_of_before_a_pause() {
        let (metrics, exporter) = bound().await;
        let (address, clock) = (exporter.address().unwrap(), exporter.measured.clock);
        let serving = tokio::spawn(exporter.serve());
        let question = "GET /metrics HTTP/1.1\r\n\r\n";
        metrics.surveyed(clock.now());
        assert!(ask(address, question).await.starts_with("HTTP/1.1 200"));
        let before = back(clock.now(), SURVEY_AGE_MAX * 2);
        metrics.surveyed(before);
        assert!(ask(address, question).await.starts_with("HTTP/1.1 503"));
        let late = tokio::spawn(ask(address, question));
        metrics.surveyed(before);
        metrics.surveyed(clock.now());
        assert!(late.await.unwrap().starts_with("HTTP/1.1 200"));
        serving.abort();
    }

    fn back(at: Mono, by: Duration) -> Mono {
        Mono::from_micros(at.as_micros() - u64::try_from(by.as_micros()).unwrap())
    }

    /// Contract: a taken port is the environment's fault, with what to do.
    #[tokio::test]
    async fn taken_port_is_told() {
        let (metrics, first) = bound().await;
        let error = bind(&metrics, first.address().unwrap()).await.err().unwrap();
        assert_eq!(error.exit_code(), 3);
        assert!(error.to_string().contains("--metrics"), "{error}");
    }
}
