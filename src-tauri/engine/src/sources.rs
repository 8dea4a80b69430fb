//! From a board's source to a feed's settings.

use std::{collections::BTreeMap, sync::Arc, time::Duration};

use url::Url;
use watchfloor_board::config::spec::{BoardFile, SourceKind, SourceSpec, SourceTransport, TokenSpec};
use watchfloor_feed::SourceConfig;
use watchfloor_model::Transport;

use crate::error::EngineError;

/// All that a source is run by.
#[derive(Clone, Debug)]
pub(crate) struct Setup {
    /// What its feed is told.
    pub(crate) feed: SourceConfig,
    /// Where its token is to be had.
    pub(crate) token: Option<TokenSpec>,
}

/// What is said of sources besides the board file.
#[derive(Clone, Debug, Default)]
pub(crate) struct Settings {
    /// Addresses by source id, in place of the board file's.
    pub(crate) urls: BTreeMap<String, String>,
}

impl Settings {
    /// Whether every source of `file` can be run, and every address belongs to one.
    ///
    /// # Errors
    /// If one can't, or doesn't.
    pub(crate) fn check(&self, file: &BoardFile) -> Result<(), EngineError> {
        for id in self.urls.keys() {
            if !file.sources.iter().any(|source| source.id == *id) {
                let known: Vec<String> = file.sources.iter().map(|source| format!("`{}`", source.id)).collect();
                return Err(EngineError::UnknownSource { id: id.clone(), known: known.join(", ") });
            }
        }
        file.sources.iter().try_for_each(|spec| self.config(spec, Duration::MAX).map(|_| ()))
    }

    /// The feed's settings for `spec`, whose strictest freshness limit is `limit`.
    ///
    /// # Errors
    /// If its address can't be used.
    pub(crate) fn config(&self, spec: &SourceSpec, limit: Duration) -> Result<SourceConfig, EngineError> {
        let SourceKind::Hub = spec.kind;
        // An address from elsewhere takes the place of all that the board names.
        let given = self.urls.get(&spec.id);
        let url = address(spec, given.unwrap_or(&spec.url))?;
        let others = spec.redundant_urls.iter().filter(|_| given.is_none());
        let redundant = others.map(|text| address(spec, text)).collect::<Result<_, _>>()?;
        let ladder = match spec.transport {
            SourceTransport::Auto => Transport::LADDER.to_vec(),
            SourceTransport::WebSocket => vec![Transport::WebSocket],
            SourceTransport::Sse => vec![Transport::Sse],
            SourceTransport::LongPoll => vec![Transport::LongPoll],
            SourceTransport::Poll => vec![Transport::Poll],
        };
        let channels = spec.channels.iter().map(|channel| Arc::from(channel.as_str())).collect();
        Ok(SourceConfig {
            id: spec.id.clone(),
            url,
            redundant,
            channels,
            ladder,
            limit,
            quiet: spec.quiet,
            reconcile: spec.reconcile,
            // A hub sends in order.
            reorder: Duration::ZERO,
            token: None,
            asks_token: spec.token.is_some(),
        })
    }
}

fn address(spec: &SourceSpec, text: &str) -> Result<Url, EngineError> {
    let unusable = |reason: String| EngineError::SourceUrl { id: spec.id.clone(), reason };
    let url = Url::parse(text).map_err(|error| unusable(error.to_string()))?;
    match url.scheme() {
        "http" | "https" => Ok(url),
        other => Err(unusable(format!("the scheme is {other:?}"))),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn file() -> BoardFile {
        let text = r#"
[board]
title = "A"
[[source]]
id = "ops"
kind = "hub"
url = "https://hub.example.net/base"
channels = ["x", "y"]
transport = "sse"
[[widget]]
id = "count"
kind = "counter"
source = "ops"
"#;
        watchfloor_board::config::parse(text, "board.toml").unwrap()
    }

    #[test]
    fn settings_come_from_the_board_and_the_command_line() {
        let file = file();
        let spec = &file.sources[0];
        let config = Settings::default().config(spec, Duration::from_secs(5)).unwrap();
        assert_eq!((config.url.as_str(), &*config.ladder), ("https://hub.example.net/base", &[Transport::Sse][..]));
        assert_eq!(config.channels, ["x".into(), "y".into()]);
        let settings = Settings { urls: BTreeMap::from([("ops".into(), "http://127.0.0.1:9".into())]) };
        assert_eq!(settings.config(spec, Duration::ZERO).unwrap().url.port(), Some(9));
        let spec = SourceSpec { redundant_urls: vec!["http://b".into()], ..spec.clone() };
        assert_eq!(Settings::default().config(&spec, Duration::ZERO).unwrap().redundant.len(), 1);
        assert_eq!(settings.config(&spec, Duration::ZERO).unwrap().redundant, []);
    }

    #[test]
    fn unusable_addresses_are_told() {
        let file = file();
        for (id, url, part) in [
            ("ops", "nonsense", "source `ops`"),
            ("ops", "ftp://x", "scheme is \"ftp\""),
            ("oops", "http://x", "no source `oops`: expected one of `ops`"),
        ] {
            let settings = Settings { urls: BTreeMap::from([(id.into(), url.into())]) };
            let error = settings.check(&file).unwrap_err();
            assert_eq!(error.exit_code(), 1);
            assert!(error.to_string().contains(part), "{error}");
        }
        assert!(Settings::default().check(&file).is_ok());
    }
}
