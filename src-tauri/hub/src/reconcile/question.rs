//! Asking a site what its database says of an aggregate.

use futures_util::future::join_all;
use serde::Deserialize;
use serde_json::value::RawValue;
use watchfloor_board::Aggregate;
use watchfloor_model::Event;

use super::{Comparable, Named, Reconcile, comparable, judge};
use crate::{
    clock::Now,
    hub::Shared,
    ledger::{Course, Incomparable},
    limits,
    publish::{self, Form},
    site,
    state::State,
};

/// What a site answers of a number.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct NumberAnswer {
    value: f64,
}

/// What it answers of rows: events that make them, as they would be published.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct RowsAnswer<'a> {
    #[serde(borrow)]
    rows: &'a RawValue,
}

/// Asks for every aggregate that has a site that knows, for as long as it is waited for.
pub(crate) async fn follow(hub: &Shared) {
    let known = hub.config.named.iter().filter_map(|named| Some((named, named.reconcile.as_ref()?)));
    join_all(known.map(|(named, site)| Questions::new(hub, named, site).ask())).await;
}

struct Questions<'a> {
    hub: &'a Shared,
    named: &'a Named,
    site: &'a Reconcile,
    fingerprint: String,
}

impl<'a> Questions<'a> {
    fn new(hub: &'a Shared, named: &'a Named, site: &'a Reconcile) -> Self {
        let fingerprint = Aggregate::new(&named.fold).fingerprint().to_owned();
        Self { hub, named, site, fingerprint }
    }

    async fn ask(self) {
        let aggregate = &*self.named.id;
        let client = match site::client(limits::RECONCILE_TIMEOUT) {
            Ok(client) => client,
            Err(error) => {
                tracing::error!(aggregate, reason = %error, "the site can't be asked");
                return;
            }
        };
        loop {
            match self.ask_once(&client).await {
                Ok(None) => tracing::debug!(aggregate, "an aggregate is what the site says"),
                Ok(Some(off)) => tracing::warn!(aggregate, off, "an aggregate was not what the site says: it is now"),
                Err(reason) => {
                    tracing::warn!(aggregate, reason, "an aggregate can't be held against what the site says");
                }
            }
            tokio::time::sleep(self.site.every).await;
        }
    }

    /// By how much, or in how many rows, it was off, if it was.
    async fn ask_once(&self, client: &reqwest::Client) -> Result<Option<f64>, String> {
        self.hub.state().ledger_mut().begin_course(&self.fingerprint, self.hub.now());
        tokio::time::sleep(self.site.lag).await;
        let answer = self.fetch(client).await;
        if answer.is_ok() {
            tokio::time::sleep(self.site.lag).await;
        }
        let now = self.hub.now();
        let mut state = self.hub.state();
        let course = state.ledger_mut().end_course(&self.fingerprint, now);
        let (answer, course) = (answer?, course.ok_or("the hub does not fold it")?);
        // Judged and put right under one lock: no event comes between.
        let off = match comparable(&self.named.fold.reducer) {
            Comparable::Number => self.judge_number(&mut state, &answer, &course),
            Comparable::Rows => self.judge_rows(&mut state, &answer, &course, now),
            Comparable::Not => Err("it is of a kind that can't be".to_owned()),
        }?;
        if off.is_some() {
            state.keep_aggregates();
        }
        Ok(off)
    }

    async fn fetch(&self, client: &reqwest::Client) -> Result<Vec<u8>, String> {
        let mut request = client.get(&self.site.url).header("accept", "application/json");
        if let Some(token) = &self.site.token {
            request = request.bearer_auth(token.for_a_site());
        }
        let answer = request.send().await.map_err(site::reason)?;
        site::body(answer, limits::BODY_BYTES_MAX).await
    }

    fn judge_number(&self, state: &mut State, answer: &[u8], course: &Course) -> Result<Option<f64>, String> {
        let NumberAnswer { value } = serde_json::from_slice(answer)
            .map_err(|error| format!("the site's answer: {error}: expected {{\"value\": NUMBER}}"))?;
        let Some(by) = judge::off(value, course.between.ok_or("it has no number")?) else { return Ok(None) };
        if state.ledger_mut().amend(&self.fingerprint, by) {
            Ok(Some(by))
        } else {
            Err(format!("the site says {value}, which it can't be"))
        }
    }

    fn judge_rows(&self, state: &mut State, answer: &[u8], course: &Course, now: Now) -> Result<Option<f64>, String> {
        let rows = rows_of(answer, now)?;
        if course.is_overrun {
            return Err("too much of it changes while the site is asked".to_owned());
        }
        let off =
            state.ledger_mut().correct(&self.fingerprint, &rows, &course.touched, now).map_err(|why| match why {
                Incomparable::Row { number, reason } => format!("row {number} of the site's answer: {reason}"),
                Incomparable::Foreign { number } => {
                    format!("row {number} of the site's answer: expected an event that the aggregate folds")
                }
                Incomparable::State(reason) => format!("what the site says: {reason}"),
            })?;
        #[allow(clippy::cast_precision_loss)] // rows that are on a wall
        Ok((off > 0).then_some(off as f64))
    }
}

fn rows_of(answer: &[u8], now: Now) -> Result<Vec<Event>, String> {
    let RowsAnswer { rows } = serde_json::from_slice(answer)
        .map_err(|error| format!("the site's answer: {error}: expected {{\"rows\": [EVENT, …]}}"))?;
    if rows.get().trim_start_matches('[').trim_start().starts_with(']') {
        return Ok(Vec::new());
    }
    let incoming = publish::parse(rows.get().as_bytes(), Form::Json)
        .map_err(|refused| format!("the site's answer: {}", refused.message))?;
    let event = |own: publish::Incoming| Event {
        channel: own.channel,
        name: own.name,
        id: own.id,
        position: None,
        time: own.time.unwrap_or(now.wall),
        received: now.mono,
        data: own.data,
    };
    Ok(incoming.into_iter().map(event).collect())
}
