//! What a channel takes: which fields, and how many events a second. Asked of each batch before it goes anywhere, whichever door it came by.

use std::{collections::HashMap, sync::Arc};

use watchfloor_model::Mono;

use crate::{
    limits,
    publish::{self, Incoming, Refused},
    rules::{Rules, Settings},
};

/// See the module.
#[derive(Debug)]
pub(crate) struct Admission {
    rules: Rules,
    /// What was asked for already.
    channels: HashMap<Arc<str>, Channel>,
}

#[derive(Debug)]
struct Channel {
    settings: Settings,
    bucket: Option<Bucket>,
}

/// How many more events may come now.
#[derive(Clone, Copy, Debug)]
struct Bucket {
    a_second: f64,
    left: f64,
    at: Mono,
}

impl Bucket {
    fn new(a_second: u32, now: Mono) -> Self {
        let a_second = f64::from(a_second);
        Self { a_second, left: a_second, at: now }
    }

    fn fill(&mut self, now: Mono) {
        self.left = (self.left + now.since(self.at).as_secs_f64() * self.a_second).min(self.a_second);
        self.at = now;
    }
}

impl Admission {
    /// Nothing was asked yet.
    pub(crate) fn new(rules: Rules) -> Self {
        Self { rules, channels: HashMap::new() }
    }

    /// Strips a batch of what its channels don't carry.
    ///
    /// # Errors
    /// If one of its channels doesn't take it: then none does.
    pub(crate) fn admit(&mut self, batch: &mut [Incoming], now: Mono) -> Result<(), Refused> {
        if self.rules.are_plain() {
            return Ok(());
        }
        let mut counts: HashMap<Arc<str>, f64> = HashMap::new();
        for (number, event) in batch.iter_mut().enumerate() {
            let channel = self.channel(&event.channel, now);
            if let Some(fields) = &channel.settings.fields {
                let stripped = fields.strip(event.data.text()).ok_or_else(|| Refused {
                    code: "bad-event",
                    message: format!(
                        "event {}: `data` is no object: channel {} carries named fields only",
                        number + 1,
                        event.channel
                    ),
                })?;
                if stripped.len() != event.data.text().len() {
                    let bad =
                        |message| Refused { code: "bad-event", message: format!("event {}: {message}", number + 1) };
                    event.data = publish::data(&stripped).map_err(bad)?;
                }
            }
            if channel.bucket.is_some() {
                *counts.entry(event.channel.clone()).or_default() += 1.0;
            }
        }
        for (name, count) in &counts {
            let Some(bucket) = self.channel(name, now).bucket.as_mut() else { continue };
            bucket.fill(now);
            if *count > bucket.left {
                let message = format!(
                    "channel {name} takes {} events a second: {count} came, {} may come now",
                    bucket.a_second,
                    bucket.left.floor()
                );
                return Err(Refused { code: "too-fast", message });
            }
        }
        for (name, count) in counts {
            if let Some(bucket) = self.channel(&name, now).bucket.as_mut() {
                bucket.left -= count;
            }
        }
        Ok(())
    }

    fn channel(&mut self, name: &Arc<str>, now: Mono) -> &mut Channel {
        if self.channels.len() >= limits::CHANNELS_MAX && !self.channels.contains_key(name) {
            // What is asked for again is known again, and may be full again.
            self.channels.clear();
        }
        let rules = &self.rules;
        self.channels.entry(name.clone()).or_insert_with(|| {
            let settings = rules.of(name);
            let bucket = settings.events_a_second.map(|a_second| Bucket::new(a_second, now));
            Channel { settings, bucket }
        })
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::{fields::Fields, publish::Form};

    fn batch(channel: &str, count: u64) -> Vec<Incoming> {
        let event = |number| json!({"channel": channel, "name": "n", "data": {"a": number, "secret": "s"}});
        let text = json!((0..count).map(event).collect::<Vec<_>>()).to_string();
        publish::parse(text.as_bytes(), Form::Json).expect("events")
    }

    fn admission() -> Admission {
        Admission::new(Rules::new(|channel| Settings {
            events_a_second: channel.starts_with("slow").then_some(10),
            fields: (channel == "open").then(|| Arc::new(Fields::new(["a"]))),
            ..Settings::default()
        }))
    }

    /// H8: no field goes on that a channel must not carry.
    #[test]
    fn fields_are_stripped() {
        let mut admission = admission();
        let mut events = batch("open", 2);
        admission.admit(&mut events, Mono::ZERO).expect("taken");
        let texts: Vec<&str> = events.iter().map(|event| &**event.data.text()).collect();
        assert_eq!(texts, [r#"{"a":0}"#, r#"{"a":1}"#]);
        let mut events = batch("other", 1);
        admission.admit(&mut events, Mono::ZERO).expect("taken");
        assert!(events[0].data.text().contains("secret"));
        let mut number = publish::parse(br#"{"channel":"open","name":"n","data":7}"#, Form::Json).expect("an event");
        let refused = admission.admit(&mut number, Mono::ZERO).expect_err("no object");
        assert_eq!(refused.message, "event 1: `data` is no object: channel open carries named fields only");
    }

    /// H5: a channel takes its events a second, a batch whole or not at all, and one channel's haste costs no other.
    #[test]
    fn haste_is_refused() {
        let mut admission = admission();
        let mut take = |channel: &str, count, ms| {
            admission.admit(&mut batch(channel, count), Mono::from_millis(ms)).map_err(|refused| refused.code)
        };
        assert_eq!(take("slow1", 8, 0), Ok(()));
        assert_eq!(take("slow1", 3, 0), Err("too-fast"));
        assert_eq!(take("slow1", 2, 0), Ok(()));
        assert_eq!((take("slow2", 10, 0), take("other", 1000, 0)), (Ok(()), Ok(())));
        assert_eq!((take("slow1", 5, 499), take("slow1", 5, 500)), (Err("too-fast"), Ok(())));
        assert_eq!((take("slow1", 11, 60_000), take("slow1", 10, 60_000)), (Err("too-fast"), Ok(())));
    }
}
