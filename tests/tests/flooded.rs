//! H6: what a person can take in ten minutes is so much, however often the wall is killed and started meanwhile: a flood goes on, and what was told
//! counts.

use std::process::Command;

use anyhow::{Result, ensure};
use watchfloor_tests::{
    boiler_house::{BoilerHouse, LIMIT, kill},
    desktop::Desktop,
    notifier::Notifier,
    overheard::{Overheard, most_within},
    program::program,
    wait::{until, until_told},
    window::WindowProcess,
};

/// Alarms, and how many of them there are between two ends of the wall.
const TANKS: usize = 36;
const BETWEEN: usize = 6;

fn wall(house: &BoilerHouse, desktop: &Desktop) -> Result<WindowProcess> {
    let mut command = Command::new(program("watchfloor-wall")?);
    command.arg("--board").arg(house.board()).args(["--supervisor", "off"]);
    desktop.enter(&mut command);
    WindowProcess::start(&mut command, &house.data())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_flood_goes_on_through_kills_and_restarts() -> Result<()> {
    let house = BoilerHouse::start("none").await?;
    let desktop = Desktop::start(1280, 720)?;
    let overheard = Overheard::start(&desktop)?;
    let notifier = Notifier::start(&desktop, house.folder())?;
    notifier.shows(0).await?;
    let mut own = wall(&house, &desktop)?;
    // Until the wall hears.
    until_told("the first alarm", LIMIT, async || {
        house.ready(true).await?;
        Ok((!overheard.taken().is_empty()).then_some(()))
    })
    .await?;
    for tank in 1..=TANKS {
        house.run_over(tank).await?;
        until_told("a tank on record, as announced", LIMIT, async || {
            let raises = house.raises("tank")?;
            let announced = raises.iter().filter(|raise| !raise["announced_ms"].is_null()).count();
            Ok((announced == tank).then_some(()))
        })
        .await?;
        if tank % BETWEEN == 0 {
            // Killed, and told to end, in turn.
            if tank % (2 * BETWEEN) == 0 {
                ensure!(Command::new("kill").arg(own.pid().to_string()).status()?.success(), "it had ended by itself");
            } else {
                kill(own.pid())?;
            }
            until("its end", LIMIT, || Ok(own.ended()?.map(drop)))?;
            own = wall(&house, &desktop)?;
        }
    }
    let taken = overheard.taken();
    let most = most_within(&taken, 600.0);
    println!(
        "{TANKS} alarms, {} starts: {} notifications taken, {most} popped up within ten minutes",
        TANKS / BETWEEN,
        taken.len()
    );
    ensure!(most <= 10, "{most} popped up within ten minutes: {taken:?}");
    ensure!(house.raises("tank")?.len() == TANKS, "each is on record once");
    drop(notifier);
    Ok(())
}
