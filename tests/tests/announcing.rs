//! H6, by a real desktop and a real sound server: an alarm is shown once, changed in place and taken away; its button comes back; it is heard in the
//! rhythm of its priority, until somebody knows or it is over; and a notifier that dies tells it again when it is back.

use std::process::Command;

use anyhow::{Context, Result, ensure};
use watchfloor_tests::{
    boiler_house::{BoilerHouse, Dice, FULL, HOT, LIMIT, REPEATED, kill},
    desktop::Desktop,
    ear::Ear,
    notifier::Notifier,
    program::program,
    wait::{until, until_told},
    window::WindowProcess,
};

/// Of what is high and what is critical, Hz.
const PULSES: f32 = 523.25;
const CONTINUOUS: f32 = 659.25;

struct Stand {
    // Dropped in this order.
    wall: WindowProcess,
    notifier: Notifier,
    ear: Ear,
    desktop: Desktop,
    house: BoilerHouse,
}

fn wall(house: &BoilerHouse, desktop: &Desktop, ear: &Ear) -> Result<WindowProcess> {
    let mut command = Command::new(program("watchfloor-wall")?);
    command.arg("--board").arg(house.board()).args(["--supervisor", "off"]);
    desktop.enter(&mut command);
    command.envs(ear.environment());
    WindowProcess::start(&mut command, &house.data())
}

impl Stand {
    /// The wall is killed, at once and without a word, and started again.
    fn kill(&mut self) -> Result<()> {
        kill(self.wall.pid())?;
        until("its end", LIMIT, || Ok(self.wall.ended()?.map(drop)))?;
        self.house.let_hours_pass()?;
        self.wall = wall(&self.house, &self.desktop, &self.ear)?;
        Ok(())
    }

    /// Whether the last of it on record is that its condition holds no more.
    fn is_over(&self, rule: &str) -> Result<bool> {
        let record = self.house.record(rule)?;
        let last = record.iter().rfind(|entry| entry["what"] == "raise" || entry["what"] == "clear");
        Ok(last.is_some_and(|entry| entry["what"] == "clear"))
    }

    async fn start() -> Result<Self> {
        let house = BoilerHouse::start("high").await?;
        let desktop = Desktop::start(1280, 720)?;
        let ear = Ear::start(&house.folder().join("ear"))?;
        let notifier = Notifier::start(&desktop, house.folder())?;
        notifier.shows(0).await?;
        let wall = wall(&house, &desktop, &ear)?;
        Ok(Self { wall, notifier, ear, desktop, house })
    }

    /// Until the wall hears of what is published: an alarm that goes by itself.
    async fn live(&self) -> Result<()> {
        until_told("the page", LIMIT, async || Ok((!self.desktop.windows()?.is_empty()).then_some(()))).await?;
        until_told("the first alarm", LIMIT, async || {
            self.house.measure(3, 20).await?;
            self.house.ready(true).await?;
            Ok((self.notifier.control(&["count", "displayed"])? == "1").then_some(()))
        })
        .await?;
        self.house.ready(false).await?;
        self.notifier.shows(0).await
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn an_alarm_is_shown_and_taken_away_and_its_button_comes_back() -> Result<()> {
    let mut stand = Stand::start().await?;
    stand.live().await?;
    let notifier = &stand.notifier;
    stand.house.measure(100, 20).await?;
    notifier.shows(1).await?;
    ensure!(notifier.count(FULL) == 1, "shown {} times", notifier.count(FULL));
    ensure!(notifier.has("Close valve 7."), "what to do about it");

    // Acknowledged by its button it is taken away, and stays so while it holds.
    notifier.press("Acknowledge")?;
    notifier.shows(0).await?;
    stand.house.measure(101, 95).await?;
    notifier.shows(1).await?;
    ensure!(notifier.count(HOT) == 1);
    ensure!(notifier.has("urgency: CRITICAL"), "as desktops have it");

    // The notifier dies, and is back: what still stands is told again by it.
    stand.notifier.kill()?;
    stand.notifier = Notifier::start(&stand.desktop, stand.house.folder())?;
    stand.notifier.shows(1).await?;
    ensure!(stand.notifier.count(HOT) == 1, "told again, once");
    stand.house.measure(3, 20).await?;
    stand.notifier.shows(0).await?;
    ensure!(stand.wall.ended()?.is_none(), "the wall goes on");
    drop(stand.house);
    Ok(())
}

/// H4, H6: killed at any instant of an alarm's life, it is told once, or once more and then as what may be a repetition; and each is on record once.
/// `WATCHFLOOR_KILLS` asks for more of them than there is time for at each change.
#[tokio::test(flavor = "multi_thread")]
async fn a_kill_at_any_instant() -> Result<()> {
    let kills: u64 = std::env::var("WATCHFLOOR_KILLS").ok().and_then(|count| count.parse().ok()).unwrap_or(10);
    let mut stand = Stand::start().await?;
    stand.live().await?;
    let (mut told, mut repeated, mut unnoted, mut dice) = (0, 0, 0, Dice::default());
    for number in 1..=kills {
        let before = (stand.notifier.count(HOT), stand.notifier.parts(REPEATED));
        let popped = stand.notifier.notifications(HOT);
        stand.house.measure(3, 95).await?;
        // No condition could be waited for: any instant will do, and that is the point.
        tokio::time::sleep(dice.instant(60_000)).await;
        stand.kill()?;
        until_told("the alarm on record as announced", LIMIT, async || {
            let raises = stand.house.raises("hot")?;
            let is_announced = raises.last().is_some_and(|raise| !raise["announced_ms"].is_null());
            Ok((raises.len() as u64 == number && is_announced).then_some(()))
        })
        .await?;
        let heard = stand.notifier.count(HOT) - before.0;
        let again = stand.notifier.parts(REPEATED) - before.1;
        // A notifier that answers too late on a busy machine is told once more as well, in the same words.
        ensure!(heard == 1 || heard == 2 && again >= 1, "kill {number}: heard {heard} times, {again} said to be again");
        (told, repeated) = (told + heard, repeated + again);
        // What the killed run has shown is changed in place, or was never shown: there is one of it, and no other. Killed between the notifier's answer
        // and the note of it, less than a millisecond, it can't be found again.
        let pops = stand.notifier.notifications(HOT) - popped;
        unnoted += u64::from(pops > 1);
        ensure!(
            pops <= 2 && unnoted <= 1 + kills / 50,
            "kill {number}: {pops} notifications, {unnoted} times more than one"
        );
        if pops > 1 {
            let _closed = stand.notifier.control(&["close-all"])?;
        } else {
            stand.notifier.shows(1).await?;
        }
        stand.house.measure(3, 20).await?;
        until_told("its end on the wall", LIMIT, async || Ok(stand.is_over("hot")?.then_some(()))).await?;
        // Nothing of what any run has shown is left there.
        stand.notifier.shows(0).await?;
    }
    println!(
        "{kills} kills: {told} announcements, {repeated} of them said to be repetitions; {unnoted} notifications were not found again"
    );
    ensure!(stand.house.raises("hot")?.len() as u64 == kills);
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn an_alarm_is_heard_in_the_rhythm_of_its_priority() -> Result<()> {
    let mut stand = Stand::start().await?;
    stand.live().await?;
    stand.ear.listen()?;
    stand.house.measure(100, 20).await?;
    let times = until_told("three pulses, twice", LIMIT, async || {
        let times = stand.ear.began(PULSES, 0.1)?;
        Ok((times.len() >= 6).then_some(times))
    })
    .await?;
    let close = |one: f32, other: f32| (one - other).abs() < 0.15;
    ensure!(close(times[1] - times[0], 0.35) && close(times[2] - times[1], 0.35), "{times:?}");
    ensure!(close(times[3] - times[0], 10.0), "every ten seconds: {times:?}");
    ensure!(stand.ear.began(CONTINUOUS, 0.5)?.is_empty(), "not what is critical");

    // What is critical takes its place, and nothing beside it.
    stand.house.measure(100, 95).await?;
    let times = until_told("the critical tone, three times", LIMIT, async || {
        let times = stand.ear.began(CONTINUOUS, 0.8)?;
        Ok((times.len() >= 3).then_some(times))
    })
    .await?;
    ensure!(close(times[1] - times[0], 2.5) && close(times[2] - times[1], 2.5), "{times:?}");
    let last = stand.ear.began(PULSES, 0.1)?.into_iter().fold(0.0, f32::max);
    ensure!(last <= times[0] + 0.2, "no stacking: {last} after {times:?}");

    // Over, it is silent.
    stand.house.measure(3, 20).await?;
    stand.notifier.shows(0).await?;
    stand.ear.listen()?;
    until_told("some seconds of it", LIMIT, async || Ok((stand.ear.heard()?.len() > 48_000 * 4).then_some(()))).await?;
    let loudest = stand.ear.heard()?.iter().skip(24_000).fold(0.0_f32, |most, sample| most.max(sample.abs()));
    ensure!(loudest < 0.001, "{loudest}");
    Ok(())
}

/// What `watchfloor doctor` says of sound, with a sound server that plays, is muted, is turned down, and is not there.
#[test]
fn the_way_to_the_ear_is_looked_over() -> Result<()> {
    let folder = tempfile::tempdir()?;
    let ear = Ear::start(&folder.path().join("ear"))?;
    let doctor = |environment: &[(String, String)]| -> Result<String> {
        let mut command = Command::new(program("watchfloor")?);
        command.arg("doctor").arg("--data-dir").arg(folder.path().join("data")).envs(environment.iter().cloned());
        command.env("XDG_RUNTIME_DIR", folder.path()).env_remove("DISPLAY");
        let said = String::from_utf8(command.output()?.stdout)?;
        let line = said.lines().find(|line| line.contains(" sound ")).map(str::to_owned);
        line.with_context(|| said)
    };
    let environment = ear.environment();
    let line = doctor(&environment)?;
    ensure!(line.contains("heard by ") && !line.contains("can't be checked"), "{line}");
    ear.control(&["set-sink-mute", "ear", "1"])?;
    let line = doctor(&environment)?;
    ensure!(line.contains("the sound is muted"), "{line}");
    ear.control(&["set-sink-mute", "ear", "0"])?;
    ear.control(&["set-sink-volume", "ear", "0%"])?;
    let line = doctor(&environment)?;
    ensure!(line.contains("the volume is zero"), "{line}");
    drop(ear);
    let line = doctor(&environment)?;
    ensure!(line.contains("alarms are not heard here: "), "{line}");
    Ok(())
}
