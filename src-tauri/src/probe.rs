//! `watchfloor probe`: from an address to a starter board.

use std::{
    path::{Path, PathBuf},
    process::ExitCode,
};

use tokio::runtime;
use watchfloor_board::config::spec::{IdentitySpec, LoginSpec, ProxySpec, SecretSpec, TlsSpec};
use watchfloor_engine::probe::{Access, ProbeError, Question, probe};

use crate::{cli::ProbeArgs, failure::Failure, headless, new_file::NewFile, output};

/// Probes, and writes the board to the file or standard output; what is found meanwhile goes to standard error.
pub(crate) fn run(args: ProbeArgs) -> Result<ExitCode, Failure> {
    let access = access(&args)?;
    let ProbeArgs { url, channels, listen, out, .. } = args;
    // Opened before half a minute is spent for nothing.
    let target = out.as_deref().map(NewFile::open).transpose()?;
    let question = Question { url, channels, access, listen };
    let runtime = runtime::Builder::new_multi_thread()
        .worker_threads(2)
        .enable_all()
        .build()
        .map_err(|error| Failure::Environment(format!("no threads can be started: {error}")))?;
    let mut tell = |line: &str| output::complain(&line);
    // Within the future, as signals are listened for on the runtime.
    let found = runtime.block_on(async { probe(&question, &mut tell, headless::terminated()).await });
    runtime.shutdown_background();
    let board = found.map_err(|error| match error {
        ProbeError::Address { .. } | ProbeError::Token(_) | ProbeError::Silent(_) => Failure::Input(error.to_string()),
        ProbeError::Defect(_) => Failure::Defect(error.to_string()),
    })?;
    match target {
        None => output::line(&board.trim_end())?,
        Some(target) => {
            let path = target.write(&board)?;
            let path = path.display();
            output::complain(&format_args!("wrote {path}: show it by `watchfloor --board {path}`"));
        }
    }
    Ok(ExitCode::SUCCESS)
}

/// How the server is come by. Board files name files from the root on.
fn access(args: &ProbeArgs) -> Result<Access, Failure> {
    let named = |path: &Option<PathBuf>| path.as_deref().map(absolute).transpose();
    let token = match (named(&args.token_file)?, &args.token_env) {
        (Some(path), _) => Some(SecretSpec::File(path)),
        (None, Some(name)) => Some(SecretSpec::Variable(name.clone())),
        (None, None) => None,
    };
    let identity = named(&args.certificate_file)?.zip(named(&args.key_file)?);
    let identity = identity.map(|(certificate, key)| IdentitySpec { certificate, key });
    let login = args.proxy_user.clone().zip(named(&args.proxy_password_file)?);
    let login = login.map(|(user, path)| LoginSpec { user, password: SecretSpec::File(path) });
    let proxy = args.proxy.clone().map(|url| ProxySpec { url, login });
    Ok(Access { token, tls: TlsSpec { ca: named(&args.ca_file)?, identity }, proxy })
}

fn absolute(path: &Path) -> Result<String, Failure> {
    let path = std::path::absolute(path).map_err(|error| Failure::Input(format!("{}: {error}", path.display())))?;
    path.to_str().map(str::to_owned).ok_or_else(|| Failure::Input(format!("{}: its name is no UTF-8", path.display())))
}
