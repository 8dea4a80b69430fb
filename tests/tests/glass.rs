//! H7: the window says what its page can't say, and brings it back; a page that grows is replaced unseen. A real window on a real
//! display, and its web process stopped and killed.

use std::{
    cell::Cell,
    collections::BTreeMap,
    fs,
    path::Path,
    process::Command,
    thread,
    time::{Duration, Instant},
};

use anyhow::{Context, Result, ensure};
use rustix::process::Signal;
use watchfloor_tests::{
    bench::glass,
    desktop::{Desktop, hand},
    faults::process::signal_to,
    page::Page,
    pictures::Pictures,
    program::program,
    screen::{FrameBuffer, PIXEL_BYTES},
    wait::until,
    window::{WindowProcess, logs},
};

const SIZE: (u32, u32) = (1920, 1080);
/// The colour of the strip above the page.
const STRIP: [u8; 3] = [0xe8, 0xb4, 0x00];
/// For a start of an unoptimised build on a busy machine.
const START_LIMIT: Duration = Duration::from_secs(60);
/// Two seconds and a look, on a busy machine.
const SAY_LIMIT: Duration = Duration::from_secs(5);
/// Five seconds until it is started again, and a start.
const BACK_LIMIT: Duration = Duration::from_secs(40);
/// All tries with pages that don't paint, and the program's own start.
const LADDER_LIMIT: Duration = Duration::from_secs(90);
/// Pixels from one that is looked at to the next, when a whole picture is.
const GRID: u32 = 24;
/// A picture of which less than this share has another colour than the rest is blank; the wall's is never near it.
const PICTURE_MIN: f64 = 0.05;

struct Wall {
    program: WindowProcess,
    screen: FrameBuffer,
    desktop: Desktop,
    _folder: tempfile::TempDir,
}

impl Wall {
    fn open() -> Result<Self> {
        Self::open_on(|_| Ok(()))
    }

    /// The same on a data folder that holds something.
    fn open_on(prepare: impl FnOnce(&Path) -> Result<()>) -> Result<Self> {
        let folder = tempfile::tempdir()?;
        let desktop = Desktop::with_frame_buffer(SIZE.0, SIZE.1, folder.path())?;
        Self::open_in(folder, desktop, &["--kiosk"], prepare)
    }

    /// The same as a window among others, which may be minimised: a kiosk takes the screen back.
    fn open_window() -> Result<Self> {
        let folder = tempfile::tempdir()?;
        let desktop = Desktop::with_full_windows(SIZE.0, SIZE.1, folder.path())?;
        Self::open_in(folder, desktop, &[], |_| Ok(()))
    }

    fn open_in(
        folder: tempfile::TempDir,
        desktop: Desktop,
        how: &[&str],
        prepare: impl FnOnce(&Path) -> Result<()>,
    ) -> Result<Self> {
        let data = folder.path().join("data");
        fs::create_dir(&data)?;
        prepare(&data)?;
        let mut command = Command::new(program("watchfloor")?);
        command.args(["--demo", "--glass-code"]).args(how);
        desktop.enter(&mut command);
        let program = WindowProcess::start(&mut command, &data)?;
        let screen = FrameBuffer::open(desktop.frame_buffer().context("a frame buffer")?)?;
        let wall = Self { program, screen, desktop, _folder: folder };
        wall.paints_anew(START_LIMIT)?;
        Ok(wall)
    }

    fn wait(&self, what: &str, limit: Duration, holds: impl Fn(&Self) -> Result<bool>) -> Result<()> {
        self.program.wait(what, limit, || Ok(holds(self)?.then_some(())))
    }

    fn paints_anew(&self, limit: Duration) -> Result<()> {
        self.program.paints(self.desktop.frame_buffer().context("a frame buffer")?, limit)
    }

    /// Whether the strip is there, in its place and nowhere else.
    fn strip(&self) -> Result<bool> {
        let at = |y| self.screen.pixel(SIZE.0 - 20, y);
        Ok(at(10)? == STRIP && at(200)? != STRIP)
    }

    fn page(&self) -> Result<u32> {
        let pages = self.program.pages()?;
        ensure!(pages.len() == 1, "{} web processes", pages.len());
        pages.first().copied().context("a web process")
    }

    fn says(&self, words: &str) -> Result<usize> {
        self.program.says(words)
    }

    fn starts(&self) -> Result<usize> {
        self.says("the wall runs")
    }

    fn signal(&self, which: Signal) -> Result<()> {
        signal_to(self.page()?, which)
    }

    /// Does something with the window.
    fn window(&self, what: &str) -> Result<()> {
        hand(self.desktop.display(), &["search", "--class", "watchfloor", what, "%@"])
    }

    /// How much of the picture is not of its commonest colour.
    fn picture(&self) -> Result<f64> {
        let mut row = vec![0; SIZE.0 as usize * PIXEL_BYTES];
        let (mut colours, mut all) = (BTreeMap::<[u8; 3], u32>::new(), 0);
        for y in (GRID..SIZE.1).step_by(GRID as usize) {
            self.screen.read(y, &mut row)?;
            for pixel in row.chunks_exact(PIXEL_BYTES).step_by(GRID as usize) {
                *colours.entry([pixel[0], pixel[1], pixel[2]]).or_default() += 1;
                all += 1;
            }
        }
        Ok(1.0 - f64::from(colours.values().copied().max().unwrap_or(0)) / f64::from(all))
    }

    /// Waits as [`Wall::wait`], and looks at the picture all the time: it is never blank.
    fn wait_with_picture(&self, what: &str, limit: Duration, holds: impl Fn(&Self) -> Result<bool>) -> Result<()> {
        let (begun, mut looks) = (Instant::now(), 0);
        loop {
            // Many looks to one question: a blank frame may last no longer than a sixtieth of a second.
            for _ in 0..8 {
                let picture = self.picture()?;
                ensure!(picture > PICTURE_MIN, "a blank frame {:?} after its beginning: {picture}", begun.elapsed());
                looks += 1;
                thread::sleep(Duration::from_millis(2));
            }
            if holds(self)? {
                break;
            }
            ensure!(begun.elapsed() < limit, "{what} is not there after {limit:?}");
        }
        let apart = begun.elapsed() / looks;
        ensure!(apart < Duration::from_millis(16), "too few looks to see a frame: one in {apart:?}");
        Ok(())
    }
}

/// A page that stands still can't say so: the window does within seconds, over the old picture, and then starts the page
/// anew; the strip goes with the first new picture.
#[test]
fn a_page_that_stands_still_is_named_and_started_again() -> Result<()> {
    let wall = Wall::open()?;
    let before = wall.page()?;
    let mut pictures = Pictures::begin("kiosk-hang")?;
    ensure!(!wall.strip()?, "a strip above a page that paints");
    wall.signal(Signal::STOP)?;
    wall.wait("the strip", SAY_LIMIT, Wall::strip)?;
    pictures.keep(wall.desktop.display(), "a-page-that-hangs")?;
    wall.wait("a page without strip", BACK_LIMIT, |wall| Ok(!wall.strip()?))?;
    wall.paints_anew(BACK_LIMIT)?;
    pictures.keep(wall.desktop.display(), "started-again")?;
    ensure!(wall.page()? != before, "the page's process is the one that stood still");
    Ok(())
}

/// H1, H7: a page that stood still while its window was minimised can't say that it is seen again: the window sees that itself.
#[test]
fn a_page_that_stood_still_out_of_sight_is_named() -> Result<()> {
    let wall = Wall::open_window()?;
    wall.window("windowminimize")?;
    wall.wait("a hidden page", BACK_LIMIT, |wall| Ok(wall.says("kind=\"hidden\"")? == 1))?;
    wall.signal(Signal::STOP)?;
    wall.window("windowmap")?;
    wall.wait("the strip", SAY_LIMIT, Wall::strip)?;
    wall.wait("a page without strip", BACK_LIMIT, |wall| Ok(!wall.strip()?))?;
    wall.paints_anew(BACK_LIMIT)
}

/// A page that ends again and again is no page: then the program is started again, in the same window system, on what it knows.
#[test]
fn a_page_that_keeps_ending_starts_the_program_again() -> Result<()> {
    let wall = Wall::open()?;
    for time in 1..=3 {
        let before = wall.page()?;
        wall.signal(Signal::KILL)?;
        wall.wait("another process", BACK_LIMIT, |wall| Ok(wall.page().is_ok_and(|page| page != before)))?;
        if time < 3 {
            wall.paints_anew(BACK_LIMIT)?;
        }
    }
    wall.wait("a second start", BACK_LIMIT, |wall| Ok(wall.starts()? == 2))?;
    wall.paints_anew(BACK_LIMIT)
}

/// A page whose process was killed is back without anybody's doing.
#[test]
fn a_page_that_was_killed_comes_back() -> Result<()> {
    let wall = Wall::open()?;
    let before = wall.page()?;
    let mut pictures = Pictures::begin("kiosk-crash")?;
    wall.signal(Signal::KILL)?;
    pictures.keep(wall.desktop.display(), "a-page-that-was-killed")?;
    wall.wait("another process", BACK_LIMIT, |wall| Ok(wall.page().is_ok_and(|page| page != before)))?;
    wall.paints_anew(BACK_LIMIT)?;
    wall.wait("a page without strip", SAY_LIMIT, |wall| Ok(!wall.strip()?))?;
    pictures.keep(wall.desktop.display(), "back")
}

/// A page that stands still again after it was started anew is replaced by another one, and there is a picture at each moment.
#[test]
fn a_page_that_no_reload_helps_is_replaced_without_a_blank_frame() -> Result<()> {
    let wall = Wall::open()?;
    let first = wall.page()?;
    wall.signal(Signal::STOP)?;
    wall.wait("a page started anew", BACK_LIMIT, |wall| Ok(wall.page().is_ok_and(|page| page != first)))?;
    wall.wait("a page without strip", BACK_LIMIT, |wall| Ok(!wall.strip()?))?;
    wall.paints_anew(BACK_LIMIT)?;
    // On a slow machine the one before may still be ending.
    wall.wait("one page alone", BACK_LIMIT, |wall| Ok(wall.page().is_ok()))?;
    let second = wall.page()?;
    wall.signal(Signal::STOP)?;
    let replaced = |wall: &Wall| Ok(wall.page().is_ok_and(|page| page != second) && !wall.strip()?);
    wall.wait_with_picture("another page", BACK_LIMIT, replaced)?;
    wall.wait_with_picture("a newer value", BACK_LIMIT, |wall| Ok(glass::figures_code(&wall.screen)?.is_some()))?;
    wall.paints_anew(BACK_LIMIT)?;
    ensure!(wall.starts()? == 1, "the program was started again");
    Ok(())
}

/// Where no page paints at all, the program is started again by its supervisor, and then it is a wall.
#[test]
fn where_no_page_paints_the_program_is_started_again() -> Result<()> {
    let wall = Wall::open()?;
    // Looked for meanwhile: once the program says that it ends, its window may have gone.
    let is_told = Cell::new(false);
    let stop_all = |wall: &Wall| {
        is_told.set(is_told.get() || wall.strip()?);
        for page in wall.program.pages()? {
            // One that has just gone needs no signal.
            let _gone = signal_to(page, Signal::STOP);
        }
        Ok(wall.says("this program ends, to be started again")? == 1)
    };
    wall.wait("the last try", LADDER_LIMIT, stop_all)?;
    ensure!(is_told.get(), "nothing is said above a page that does not paint");
    wall.wait("a second start", BACK_LIMIT, |wall| Ok(wall.starts()? == 2))?;
    wall.paints_anew(BACK_LIMIT)?;
    ensure!(wall.says("another one is opened")? == 1, "no other page was tried");
    Ok(())
}

/// A page that holds more than it may is replaced and nobody sees it: no strip, no blank frame, and its values go on.
#[test]
fn a_page_that_grows_is_replaced_unseen() -> Result<()> {
    const BUDGET: &str = r#"{"page-memory": 40}"#;
    let wall = Wall::open_on(|data| Ok(fs::write(data.join("settings.json"), BUDGET)?))?;
    let before = wall.page()?;
    let replaced = |wall: &Wall| {
        ensure!(!wall.strip()?, "a strip above a page that paints");
        Ok(wall.page().is_ok_and(|page| page != before))
    };
    wall.wait_with_picture("another page", BACK_LIMIT, replaced)?;
    wall.paints_anew(SAY_LIMIT)?;
    ensure!(wall.says("an old picture")? == 0, "a good picture is taken for an old one");
    ensure!(wall.says("the page holds too much memory")? == 1 && wall.starts()? == 1, "not by its memory");
    Ok(())
}

/// A page may answer, say that it paints, and leave an old picture on the screen. Reading the screen finds it: here the code is
/// no longer drawn, while all else goes on. The page is started anew, and its picture is believed again.
#[tokio::test(flavor = "multi_thread")]
async fn an_old_picture_is_found() -> Result<()> {
    find_an_old_picture(&[]).await
}

/// The same on a desktop with larger texts, on which the page's pixels are larger as well.
#[tokio::test(flavor = "multi_thread")]
async fn an_old_picture_of_larger_texts_is_found() -> Result<()> {
    find_an_old_picture(&[("GDK_DPI_SCALE", "1.5")]).await
}

async fn find_an_old_picture(environment: &[(&str, &str)]) -> Result<()> {
    const CODE: &str = "document.querySelector('[data-picture-code]')";
    let folder = tempfile::tempdir()?;
    let desktop = Desktop::with_driver_in(SIZE.0, SIZE.1, environment).await?;
    let data = folder.path().join("data");
    let page =
        Page::new(desktop.open_wall(&["--demo", "--kiosk", "--data-dir", data.to_str().context("a path")?]).await?);
    page.wait_for(
        "a picture",
        &format!("return {CODE} !== null && Number({CODE}.dataset.pictureCode) > 20"),
        START_LIMIT,
    )
    .await?;
    page.run(&format!("{CODE}.getContext = () => null; return true"), Vec::new()).await?;
    let says = |words: &str| Ok::<usize, anyhow::Error>(logs(&data)?.matches(words).count());
    let said = |words: &str, times: usize| until(words, BACK_LIMIT, || Ok((says(words)? >= times).then_some(())));
    said("the page does not paint any more", 1)?;
    ensure!(says("an old picture stands on the screen")? >= 1, "it was found by something else");
    // The driver loses the page with its process; the program's log goes on.
    said("the page says whether it can be seen", 2)?;
    ensure!(says("the wall runs")? == 1, "the program was started again");
    Ok(())
}
