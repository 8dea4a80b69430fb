//! `watchfloor kiosk`: makes this machine show a board from its start on, and undoes that.
//!
//! What is to be done is a plan, made of facts and shown before it is carried out.

use std::{
    env, fmt, fs, io,
    path::{Path, PathBuf},
    process::{Command, ExitCode},
};

use crate::{
    cli::{KioskCommand, KioskInstallArgs, KioskSession},
    failure::Failure,
    output,
};

const UNIT: &str = "watchfloor-kiosk.service";
const SYSTEM_UNITS: &str = "/etc/systemd/system";
const XORG: &str = "/etc/X11/xorg.conf.d/50-watchfloor-kiosk.conf";
/// The two programs that show a wall without a desktop.
const CAGE: &str = "/usr/bin/cage";
const XINIT: &str = "/usr/bin/xinit";

/// What a plan is made of.
#[derive(Clone, Debug)]
struct Facts {
    session: KioskSession,
    /// The program, absolute.
    program: PathBuf,
    /// The board file, absolute; none for the demo.
    board: Option<PathBuf>,
    /// Whose session it is.
    user: String,
    /// Where that user's units are.
    user_units: PathBuf,
}

/// One step.
#[derive(Clone, Debug, PartialEq, Eq)]
enum Step {
    Write { path: PathBuf, text: String },
    Remove { path: PathBuf },
    Run { argv: Vec<String> },
}

impl fmt::Display for Step {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Write { path, text } => {
                writeln!(f, "write {}:", path.display())?;
                text.lines().try_for_each(|line| writeln!(f, "    {line}"))
            }
            Self::Remove { path } => writeln!(f, "remove {}", path.display()),
            Self::Run { argv } => writeln!(f, "run {}", argv.join(" ")),
        }
    }
}

impl Facts {
    fn unit(&self) -> PathBuf {
        match self.session {
            KioskSession::Session => self.user_units.join(UNIT),
            KioskSession::Cage | KioskSession::X11 => Path::new(SYSTEM_UNITS).join(UNIT),
        }
    }

    /// The wall's command line, as a unit has it.
    fn wall(&self) -> String {
        let shown = self
            .board
            .as_ref()
            .map_or_else(|| "--demo".to_owned(), |board| format!("--board {}", quoted(&board.display().to_string())));
        format!("{} {shown} --kiosk", quoted(&self.program.display().to_string()))
    }

    fn systemctl(&self, words: &[&str]) -> Vec<String> {
        let own = (self.session == KioskSession::Session).then_some("--user");
        let argv = ["systemctl"].into_iter().chain(own).chain(words.iter().copied());
        argv.map(str::to_owned).collect()
    }

    fn install(&self) -> Vec<Step> {
        let template = match self.session {
            KioskSession::Session => include_str!("units/session.service"),
            KioskSession::Cage => include_str!("units/cage.service"),
            KioskSession::X11 => include_str!("units/x11.service"),
        };
        let text = template
            .replace("{wall}", &self.wall())
            .replace("{user}", &self.user)
            .replace("{cage}", CAGE)
            .replace("{xinit}", XINIT);
        let mut steps = vec![Step::Write { path: self.unit(), text }];
        if self.session == KioskSession::X11 {
            steps.push(Step::Write { path: XORG.into(), text: include_str!("units/xorg.conf").to_owned() });
        }
        steps.push(Step::Run { argv: self.systemctl(&["daemon-reload"]) });
        steps.push(Step::Run { argv: self.systemctl(&["enable", UNIT]) });
        steps
    }

    fn uninstall(&self) -> Vec<Step> {
        let mut steps =
            vec![Step::Run { argv: self.systemctl(&["disable", "--now", UNIT]) }, Step::Remove { path: self.unit() }];
        if self.session == KioskSession::X11 {
            steps.push(Step::Remove { path: XORG.into() });
        }
        steps.push(Step::Run { argv: self.systemctl(&["daemon-reload"]) });
        steps
    }
}

/// As systemd reads a word (systemd.service(5), "Command lines"): in quotes, with its own signs doubled.
fn quoted(word: &str) -> String {
    let plain = |character: char| character.is_ascii_alphanumeric() || "/._-+".contains(character);
    if word.chars().all(plain) {
        return word.to_owned();
    }
    let escaped = word.replace('\\', "\\\\").replace('"', "\\\"").replace('%', "%%").replace('$', "$$");
    format!("\"{escaped}\"")
}

/// Carries out the command.
pub(crate) fn run(command: KioskCommand) -> Result<ExitCode, Failure> {
    match command {
        KioskCommand::Install(args) => {
            let facts = facts(args.session, args.user.clone(), board(&args)?)?;
            check(&facts)?;
            carry_out(&facts.install(), args.dry_run)?;
            if !args.dry_run {
                output::line(&format_args!(
                    "installed: it is shown from the next start on; for now: {}",
                    facts.systemctl(&["start", UNIT]).join(" ")
                ))?;
            }
        }
        KioskCommand::Uninstall { session, dry_run } => {
            let facts = facts(session, None, None)?;
            carry_out(&facts.uninstall(), dry_run)?;
        }
    }
    Ok(ExitCode::SUCCESS)
}

/// The board, absolute, and sound: a wall that can't begin is found now and not by who walks past it.
fn board(args: &KioskInstallArgs) -> Result<Option<PathBuf>, Failure> {
    let Some(board) = &args.board else { return Ok(None) };
    let absolute = fs::canonicalize(board)
        .map_err(|error| Failure::Input(format!("{}: {error}: name a board file that is there", board.display())))?;
    crate::check::read(&absolute).map_err(Failure::Input)?;
    Ok(Some(absolute))
}

fn facts(session: KioskSession, user: Option<String>, board: Option<PathBuf>) -> Result<Facts, Failure> {
    let lacking = |what: &str| Failure::Environment(what.to_owned());
    let wall =
        env::current_exe().map_err(|error| Failure::Environment(format!("this program's own place: {error}")))?;
    let user = user.or_else(|| env::var("SUDO_USER").ok()).or_else(|| env::var("USER").ok());
    let user = user.ok_or_else(|| lacking("whose session it is isn't known: name a user by --user"))?;
    let config = dirs::config_dir().ok_or_else(|| lacking("no home folder: set HOME"))?;
    Ok(Facts {
        session,
        program: wall.with_file_name("watchfloor"),
        board,
        user,
        user_units: config.join("systemd/user"),
    })
}

/// What a plan needs of this machine.
fn check(facts: &Facts) -> Result<(), Failure> {
    let (needed, package) = match facts.session {
        KioskSession::Session => return Ok(()),
        KioskSession::Cage => (CAGE, "cage"),
        KioskSession::X11 => (XINIT, "xinit xserver-xorg"),
    };
    if facts.user == "root" {
        return Err(Failure::Usage("a wall isn't shown as root: name a user by --user".to_owned()));
    }
    if Path::new(needed).exists() {
        return Ok(());
    }
    Err(Failure::Environment(format!("{needed} is missing: install it, such as by `apt install {package}`")))
}

fn carry_out(steps: &[Step], dry_run: bool) -> Result<(), Failure> {
    for step in steps {
        if dry_run {
            output::line(&format_args!("{}", step.to_string().trim_end()))?;
        } else {
            step.carry_out()?;
        }
    }
    Ok(())
}

impl Step {
    fn carry_out(&self) -> Result<(), Failure> {
        let failed = |what: &str, error: &dyn fmt::Display| {
            Failure::Environment(format!("{what}: {error}: units of the system are written by root, such as with sudo"))
        };
        match self {
            Self::Write { path, text } => {
                let folder = path.parent().unwrap_or(path);
                fs::create_dir_all(folder)
                    .and_then(|()| fs::write(path, text))
                    .map_err(|error| failed(&format!("{} can't be written", path.display()), &error))?;
                output::line(&format_args!("wrote {}", path.display()))
            }
            Self::Remove { path } => match fs::remove_file(path) {
                Ok(()) => output::line(&format_args!("removed {}", path.display())),
                Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(()),
                Err(error) => Err(failed(&format!("{} can't be removed", path.display()), &error)),
            },
            Self::Run { argv } => {
                let (program, rest) = argv.split_first().ok_or_else(|| Failure::Defect("an empty step".to_owned()))?;
                let status = Command::new(program).args(rest).status();
                let words = argv.join(" ");
                match status {
                    Ok(status) if status.success() => output::line(&format_args!("ran {words}")),
                    Ok(status) => Err(failed(&format!("`{words}` ended with {status}"), &"see what it said")),
                    Err(error) => Err(failed(&format!("`{words}` can't be run"), &error)),
                }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn facts(session: KioskSession) -> Facts {
        Facts {
            session,
            program: "/usr/bin/watchfloor".into(),
            board: Some("/srv/Lager 1/100% \"orders\".toml".into()),
            user: "wall".to_owned(),
            user_units: "/srv/wall/units".into(),
        }
    }

    fn written(steps: &[Step]) -> Vec<(&Path, &str)> {
        let written = steps.iter().filter_map(|step| match step {
            Step::Write { path, text } => Some((path.as_path(), text.as_str())),
            Step::Remove { .. } | Step::Run { .. } => None,
        });
        written.collect()
    }

    /// Each kind has one unit, which runs the board as a kiosk, gives signs of life, and is begun again.
    #[test]
    fn units_run_the_board() {
        let exec = r#"/usr/bin/watchfloor --board "/srv/Lager 1/100%% \"orders\".toml" --kiosk"#;
        for (session, place, line) in [
            (KioskSession::Session, "/srv/wall/units", format!("ExecStart={exec}\n")),
            (KioskSession::Cage, SYSTEM_UNITS, format!("ExecStart=/usr/bin/cage -d -- {exec} --notifications off\n")),
            (KioskSession::X11, SYSTEM_UNITS, format!("ExecStart=/usr/bin/xinit {exec} --notifications off -- :0 vt7")),
        ] {
            let steps = facts(session).install();
            let (path, text) = written(&steps)[0];
            assert_eq!(path, Path::new(place).join(UNIT));
            assert!(text.contains(&line), "{text}");
            for needed in ["Type=notify", "WatchdogSec=", "Restart=", "WantedBy=graphical"] {
                assert!(text.contains(needed), "{session:?}: {needed}");
            }
            assert!(!text.contains('{'), "{text}");
        }
    }

    /// What is installed is what is removed.
    #[test]
    fn nothing_is_left() {
        for session in [KioskSession::Session, KioskSession::Cage, KioskSession::X11] {
            let (facts, mut left) = (facts(session), Vec::new());
            let steps = facts.install();
            left.extend(written(&steps).into_iter().map(|(path, _)| path.to_owned()));
            for step in facts.uninstall() {
                if let Step::Remove { path } = step {
                    left.retain(|written| *written != path);
                }
            }
            assert!(left.is_empty(), "{session:?}: {left:?}");
        }
    }
}
