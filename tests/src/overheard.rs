//! What a desktop's notification service was told and answered, as the session bus heard it: whoever else counts, counts this.

use std::{
    collections::{BTreeMap, BTreeSet},
    io::{BufRead, BufReader},
    process::{Child, Command, Stdio},
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

use anyhow::{Context, Result};

use crate::{desktop::Desktop, wait::until};

const START_LIMIT: Duration = Duration::from_secs(20);

/// One notification that the service took.
#[derive(Clone, Debug, PartialEq)]
pub struct Taken {
    /// When it answered that, seconds since the Unix epoch.
    pub at: f64,
    /// The heading.
    pub heading: String,
    /// The rest.
    pub rest: String,
    /// By what it is known to the service.
    pub id: u32,
    /// It popped up: what it was to change, if anything, was on the screen no more.
    pub is_new: bool,
}

/// Listens to a session bus; ends when this is dropped.
#[derive(Debug)]
pub struct Overheard {
    child: Child,
    heard: Arc<Mutex<Heard>>,
}

impl Drop for Overheard {
    fn drop(&mut self) {
        // It may be gone with the bus.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

impl Overheard {
    /// Listens from now on.
    ///
    /// # Errors
    /// If `dbus-monitor` isn't installed, or may not.
    pub fn start(desktop: &Desktop) -> Result<Self> {
        let mut command = Command::new("dbus-monitor");
        command.arg("--address").arg(desktop.bus()).stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::null());
        let mut child = command.spawn().context("dbus-monitor: is it installed?")?;
        let output = BufReader::new(child.stdout.take().context("what it prints")?);
        let heard = Arc::<Mutex<Heard>>::default();
        let kept = Arc::clone(&heard);
        std::thread::spawn(move || {
            for line in output.split(b'\n').map_while(Result::ok) {
                kept.lock().unwrap_or_else(PoisonError::into_inner).hear(&String::from_utf8_lossy(&line));
            }
        });
        let own = Self { child, heard };
        until("the bus", START_LIMIT, || Ok(own.lock(|heard| heard.has_begun.then_some(()))))?;
        Ok(own)
    }

    fn lock<T>(&self, look: impl FnOnce(&Heard) -> T) -> T {
        look(&self.heard.lock().unwrap_or_else(PoisonError::into_inner))
    }

    /// All that was taken so far, in order.
    #[must_use]
    pub fn taken(&self) -> Vec<Taken> {
        self.lock(|heard| heard.taken.clone())
    }

    /// Which are on the screen now, with the last that was said of each.
    #[must_use]
    pub fn shown(&self) -> Vec<Taken> {
        let last = |heard: &Heard, id: &u32| heard.taken.iter().rfind(|taken| taken.id == *id).cloned();
        self.lock(|heard| heard.shown.iter().filter_map(|id| last(heard, id)).collect())
    }
}

/// The most that popped up within any stretch of `seconds`, both its ends counted.
#[must_use]
pub fn most_within(taken: &[Taken], seconds: f64) -> usize {
    let times: Vec<f64> = taken.iter().filter(|own| own.is_new).map(|own| own.at).collect();
    let ends = times.iter().map(|from| times.iter().filter(|at| (*from..=from + seconds).contains(*at)).count());
    ends.max().unwrap_or(0)
}

/// One message as `dbus-monitor` prints it: a line that says who to whom, then a line for each argument.
#[derive(Debug, Default)]
struct Heard {
    has_begun: bool,
    message: Message,
    /// Calls that wait for their answer, by who asked and by the number of that.
    waiting: BTreeMap<(String, String), (u32, String, String)>,
    shown: BTreeSet<u32>,
    taken: Vec<Taken>,
}

#[derive(Debug, Default)]
struct Message {
    head: String,
    numbers: Vec<u32>,
    texts: Vec<String>,
    /// A text goes on in the next line.
    is_open: bool,
}

impl Message {
    /// `sender=:1.7` of the head.
    fn field(&self, name: &str) -> Option<&str> {
        let words = self.head.split([' ', ';']);
        words.into_iter().find_map(|word| word.strip_prefix(name)?.strip_prefix('='))
    }
}

impl Heard {
    fn hear(&mut self, line: &str) {
        self.has_begun = true;
        let is_head = ["method call ", "method return ", "signal ", "error "].iter().any(|kind| line.starts_with(kind));
        if is_head && line.contains(" time=") {
            self.message = Message { head: line.to_owned(), ..Message::default() };
            return;
        }
        let message = &mut self.message;
        if message.is_open {
            let text = message.texts.last_mut().map(|text| {
                text.push('\n');
                text.push_str(line.strip_suffix('"').unwrap_or(line));
            });
            message.is_open = text.is_some() && !line.ends_with('"');
        } else if let Some(text) = line.strip_prefix("   string \"") {
            message.is_open = !text.ends_with('"');
            message.texts.push(text.strip_suffix('"').unwrap_or(text).to_owned());
        } else if let Some(number) = line.strip_prefix("   uint32 ") {
            message.numbers.extend(number.parse::<u32>().ok());
        }
        self.understand();
    }

    fn understand(&mut self) {
        let message = &self.message;
        let (Some(sender), Some(number)) = (message.field("sender"), message.numbers.first()) else { return };
        match message.field("member") {
            // Application, icon, heading, rest.
            Some("Notify") if message.texts.len() == 4 && !message.is_open => {
                let Some(serial) = message.field("serial") else { return };
                let said = (*number, message.texts[2].clone(), message.texts[3].clone());
                self.waiting.insert((sender.to_owned(), serial.to_owned()), said);
            }
            Some("NotificationClosed") => {
                self.shown.remove(number);
            }
            None => {
                let Some((asked, serial)) = message.field("destination").zip(message.field("reply_serial")) else {
                    return;
                };
                let Some((replaced, heading, rest)) = self.waiting.remove(&(asked.to_owned(), serial.to_owned()))
                else {
                    return;
                };
                let at = message.field("time").and_then(|time| time.parse().ok()).unwrap_or_default();
                let is_new = !self.shown.contains(&replaced);
                self.shown.insert(*number);
                self.taken.push(Taken { at, heading, rest, id: *number, is_new });
            }
            _ => {}
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_pops_up_is_told_from_what_is_changed() {
        let mut heard = Heard::default();
        let mut notify = |serial: u32, replaces: u32, id: u32| {
            let text = format!(
                "method call time=17{serial}.5 sender=:1.7 -> destination=:1.2 serial={serial} path=/o; interface=i; member=Notify\n   \
                 string \"Watchfloor\"\n   uint32 {replaces}\n   string \"\"\n   string \"High: full\"\n   string \"one\ntwo\"\n   array [\n      \
                 string \"default\"\n   ]\n   int32 0\nmethod return time=17{serial}.6 sender=:1.2 -> destination=:1.7 serial=9 reply_serial={serial}\n   \
                 uint32 {id}\n"
            );
            text.lines().for_each(|line| heard.hear(line));
        };
        notify(10, 0, 1);
        notify(11, 1, 1);
        notify(12, 0, 2);
        for line in [
            "signal time=1712.7 sender=:1.2 -> destination=:1.7 serial=8 path=/o; interface=i; member=NotificationClosed",
            "   uint32 1",
            "   uint32 3",
        ] {
            heard.hear(line);
        }
        let text = "method call time=1713.5 sender=:1.7 -> destination=:1.2 serial=13 path=/o; interface=i; member=Notify\n   string \"W\"\n   uint32 1\n   string \"\"\n   string \"h\"\n   string \"\"\nmethod return time=1713.6 sender=:1.2 -> destination=:1.7 serial=9 reply_serial=13\n   uint32 1";
        text.lines().for_each(|line| heard.hear(line));
        let told: Vec<(u32, bool)> = heard.taken.iter().map(|taken| (taken.id, taken.is_new)).collect();
        assert_eq!(told, [(1, true), (1, false), (2, true), (1, true)]);
        assert_eq!((heard.taken[0].heading.as_str(), heard.taken[0].rest.as_str()), ("High: full", "one\ntwo"));
        assert_eq!(heard.shown, BTreeSet::from([1, 2]));
        assert_eq!(most_within(&heard.taken, 3.5), 3);
        assert_eq!(most_within(&heard.taken, 0.5), 1);
    }
}
