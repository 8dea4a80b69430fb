//! The test's alarms, one after another, and what becomes of each.

use std::{
    fmt,
    time::{Duration, Instant},
};

use serde_json::json;
use tokio::{
    sync::mpsc::UnboundedReceiver,
    time::{sleep, timeout_at},
};
use watchfloor_board::alarm::{Priority, priority_word};
use watchfloor_engine::announce::trial::{Observed, tone_words};

use super::{RULE, Report, SEEN, STEP_MAX, TONE, Verdict, rule, stream::Stream};
use crate::{failure::Failure, output};

/// The way, step by step.
pub(super) struct Walk {
    pub(super) stream: Stream,
    pub(super) heard: UnboundedReceiver<Observed>,
    /// What was heard and not yet looked for.
    pub(super) news: Vec<Observed>,
    /// Which were announced, in one way at least.
    pub(super) told: Vec<Priority>,
    pub(super) is_written: bool,
    /// Ways that aren't there at all, as was found before.
    pub(super) desktop: Absence,
    pub(super) sound: Absence,
}

/// A way that isn't there at all, if so: that its first alarm isn't told by it is waited for, and that others aren't is known by then. A wall goes on
/// trying, later each time.
#[derive(Debug, Default)]
pub(super) struct Absence {
    reason: Option<String>,
    is_shown: bool,
}

impl Absence {
    pub(super) fn of(lack: &dyn fmt::Display) -> Self {
        Self { reason: Some(lack.to_string()), is_shown: false }
    }

    /// It has failed by now as well.
    fn is_shown(&self) -> Option<&str> {
        self.reason.as_deref().filter(|_| self.is_shown)
    }
}

/// What became of something that was waited for.
#[derive(Clone, Debug, PartialEq, Eq)]
enum Came {
    After(Duration),
    /// It was said that it won't.
    Not,
    /// Nothing was said.
    Late,
}

impl Walk {
    /// Until the first alarm is on record. Events are only told apart from what is caught up with once the stream is live.
    pub(super) async fn begin(&mut self) -> bool {
        let until = Instant::now() + STEP_MAX;
        while Instant::now() < until {
            if self.stream.is_heard() {
                sleep(Duration::from_secs(1)).await;
                return true;
            }
            sleep(Duration::from_millis(50)).await;
        }
        false
    }

    fn say(&self, text: &str) {
        self.stream.say(&json!({ "say": text }));
    }

    /// Waits until something is observed, or what says that it won't be.
    async fn until(
        &mut self,
        limit: Duration,
        is_it: impl Fn(&Observed) -> bool,
        is_not: impl Fn(&Observed) -> bool,
    ) -> Came {
        let begun = Instant::now();
        let mut at = 0;
        loop {
            while let Some(own) = self.news.get(at) {
                if is_it(own) {
                    self.news.remove(at);
                    return Came::After(begun.elapsed());
                }
                if is_not(own) {
                    self.news.remove(at);
                    return Came::Not;
                }
                at += 1;
            }
            match timeout_at((begun + limit).into(), self.heard.recv()).await {
                Ok(Some(own)) => self.news.push(own),
                Ok(None) | Err(_) => return Came::Late,
            }
        }
    }

    /// What the wall would say of it, if it said anything.
    fn reason(&mut self, of: &str) -> String {
        while let Ok(own) = self.heard.try_recv() {
            self.news.push(own);
        }
        let said = self.news.iter().rev().find_map(|own| match own {
            Observed::Notice { id, text } if id == of => Some(text.clone()),
            _ => None,
        });
        said.unwrap_or_else(|| "no reason is given".to_owned())
    }

    pub(super) async fn priority(
        &mut self,
        priority: Priority,
        notice: bool,
        tone: bool,
        wait: Duration,
        report: &mut Report,
    ) -> Result<(), Failure> {
        let (own, word) = (rule(priority), priority_word(priority));
        self.say(word);
        let recorded = |seen: &Observed| matches!(seen, Observed::Recorded { rule, is_written: true } if *rule == own);
        let unrecorded = |seen: &Observed| matches!(seen, Observed::Recorded { rule, .. } if *rule == own);
        match self.until(STEP_MAX, recorded, unrecorded).await {
            Came::After(_) => {}
            Came::Not => self.is_written = false,
            Came::Late => {
                return report.tell(
                    Verdict::Failed,
                    &format!("{word}: raised"),
                    &"it was not decided: this is a defect, please report it",
                );
            }
        }
        if !notice && !tone {
            let text = "told by the wall alone, as the board says";
            report.tell(Verdict::Works, &format!("{word}: wall"), &text)?;
            self.told.push(priority);
        }
        let mut is_shown = false;
        if notice {
            is_shown = self.notice(priority, report).await?;
        }
        let mut is_heard = false;
        if tone {
            is_heard = self.tone(priority, report).await?;
        }
        if is_shown || is_heard {
            self.told.push(priority);
        }
        // As long as a tone takes, and as somebody needs to see it.
        sleep(match (is_heard, is_shown) {
            (true, _) => TONE,
            (false, true) => SEEN,
            (false, false) => Duration::ZERO,
        })
        .await;
        let swallowed = |seen: &Observed| matches!(seen, Observed::Swallowed { rule: Some(rule) } if *rule == own);
        if is_shown && self.until(Duration::ZERO, swallowed, |_| false).await != Came::Late {
            is_shown = false;
            let text = "it was taken, and put away at once by nobody: let the desktop show those of Watchfloor";
            report.tell(Verdict::Failed, &format!("{word}: notification"), &text)?;
        }
        if is_shown && priority == Priority::High {
            self.acknowledge(&own, wait, report).await?;
        }
        self.say(&format!("{word} is over"));
        if is_shown {
            let gone = |seen: &Observed| match seen {
                Observed::Withdrawn { rule: Some(rule) } | Observed::Closed { rule: Some(rule) } => *rule == own,
                _ => false,
            };
            let step = format!("{word}: taken away");
            match self.until(STEP_MAX, gone, |_| false).await {
                Came::After(_) => report.tell(Verdict::Works, &step, &"the notification is gone with its alarm")?,
                Came::Not | Came::Late => {
                    let text =
                        "nobody said that the notification was taken away: it may stand there still; close it by hand";
                    report.tell(Verdict::Failed, &step, &text)?;
                }
            }
        }
        let over = |seen: &Observed| matches!(seen, Observed::Recorded { rule, .. } if *rule == own);
        let _on_record = self.until(STEP_MAX, over, |_| false).await;
        Ok(())
    }

    async fn tone(&mut self, priority: Priority, report: &mut Report) -> Result<bool, Failure> {
        let step = format!("{}: sound", priority_word(priority));
        if let Some(reason) = self.sound.is_shown() {
            report.tell(Verdict::Failed, &step, &format_args!("the device did not take it: {reason}"))?;
            return Ok(false);
        }
        match self.until(STEP_MAX, |seen| *seen == Observed::Heard, |seen| *seen == Observed::NotHeard).await {
            Came::After(after) => {
                let tone = tone_words(priority).unwrap_or("a tone");
                let text = format!("{tone}: the device took it after {} ms", after.as_millis());
                report.tell(Verdict::Works, &step, &text)?;
                return Ok(true);
            }
            Came::Not => {
                let reason = self.reason("sound");
                report.tell(Verdict::Failed, &step, &format_args!("the device did not take it: {reason}"))?;
            }
            Came::Late => {
                let reason = self.reason("sound");
                let text = format!("the device did not say that it took it: {reason}");
                report.tell(Verdict::Failed, &step, &text)?;
            }
        }
        self.sound.is_shown = true;
        Ok(false)
    }

    async fn notice(&mut self, priority: Priority, report: &mut Report) -> Result<bool, Failure> {
        let own = rule(priority);
        let step = format!("{}: notification", priority_word(priority));
        if let Some(reason) = self.desktop.is_shown() {
            report.tell(Verdict::Failed, &step, &format_args!("the desktop did not take it: {reason}"))?;
            return Ok(false);
        }
        let shown = |seen: &Observed| matches!(seen, Observed::Shown { rule: Some(rule) } if *rule == own);
        let not = |seen: &Observed| matches!(seen, Observed::NotShown { rule: Some(rule) } if *rule == own);
        match self.until(STEP_MAX, shown, not).await {
            Came::After(after) => {
                let text = format!("the desktop answered after {} ms that it has it", after.as_millis());
                report.tell(Verdict::Works, &step, &text)?;
                return Ok(true);
            }
            Came::Not => {
                let reason = self.reason("notifications");
                report.tell(Verdict::Failed, &step, &format_args!("the desktop did not take it: {reason}"))?;
            }
            Came::Late => {
                report.tell(Verdict::Failed, &step, &"the desktop did not answer: look at its notification service")?;
            }
        }
        self.desktop.is_shown = true;
        Ok(false)
    }

    /// Somebody may press its button.
    async fn acknowledge(&mut self, own: &str, wait: Duration, report: &mut Report) -> Result<(), Failure> {
        const STEP: &str = "high: acknowledge";
        if wait.is_zero() {
            return report.tell(
                Verdict::Open,
                STEP,
                &"nobody was asked to press the notification's button (--wait 0s)",
            );
        }
        output::complain(&format_args!("press Acknowledge on the notification within {} s", wait.as_secs()));
        let pressed = |seen: &Observed| matches!(seen, Observed::Acknowledged { rule } if rule == own);
        let closed = |seen: &Observed| matches!(seen, Observed::Closed { rule: Some(rule) } if rule == own);
        match self.until(wait, pressed, closed).await {
            Came::After(_) => {
                let written = |seen: &Observed| matches!(seen, Observed::Recorded { rule, .. } if rule == own);
                match self.until(STEP_MAX, written, |_| false).await {
                    Came::After(_) => report.tell(Verdict::Works, STEP, &"its button came back, and is on record"),
                    Came::Not | Came::Late => report.tell(
                        Verdict::Failed,
                        STEP,
                        &"its button came back, and nothing came of it: please report it",
                    ),
                }
            }
            Came::Not => {
                self.news.push(Observed::Closed { rule: Some(own.to_owned()) });
                report.tell(
                    Verdict::Open,
                    STEP,
                    &"the notification was closed, or went by itself, before its button was pressed",
                )
            }
            Came::Late => {
                let text = format!("nobody pressed the notification's button within {} s", wait.as_secs());
                report.tell(Verdict::Open, STEP, &text)
            }
        }
    }

    /// Every alarm was told to it when it began and when it was over.
    pub(super) async fn webhook(&mut self, least: usize, report: &mut Report) -> Result<(), Failure> {
        const STEP: &str = "webhook";
        let until = Instant::now() + STEP_MAX;
        let (mut taken, mut messages) = (0, 0);
        while taken < least {
            let left = until.saturating_duration_since(Instant::now());
            let is_it = |seen: &Observed| matches!(seen, Observed::HandedOn { .. });
            let found = self.news.iter().position(is_it);
            let handed = match found {
                Some(at) => Some(self.news.remove(at)),
                None => match timeout_at((Instant::now() + left).into(), self.heard.recv()).await {
                    Ok(Some(own)) => {
                        self.news.push(own);
                        continue;
                    }
                    Ok(None) | Err(_) => None,
                },
            };
            match handed {
                Some(Observed::HandedOn { count, answer: Ok(200..=299) }) => {
                    (taken, messages) = (taken + count, messages + 1);
                }
                Some(Observed::HandedOn { answer: Ok(status), .. }) => {
                    let text = format!(
                        "it answered with HTTP status {status}: look at the receiver, `webhook` and `webhook-token`"
                    );
                    return report.tell(Verdict::Failed, STEP, &text);
                }
                Some(Observed::HandedOn { answer: Err(reason), .. }) => {
                    return report.tell(
                        Verdict::Failed,
                        STEP,
                        &format_args!("it can't be told: {reason}: mend that, or `webhook`"),
                    );
                }
                _ => {
                    let text = format!(
                        "it took {taken} of {least} words within {} s: look at the receiver",
                        STEP_MAX.as_secs()
                    );
                    return report.tell(Verdict::Failed, STEP, &text);
                }
            }
        }
        let text =
            format!("it took {taken} words in {messages} messages, each alarm firing and resolved, named `{RULE}-…`");
        report.tell(Verdict::Works, STEP, &text)
    }
}
