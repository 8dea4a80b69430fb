//! What is found to be spoken at an address, as the `[[source]]` by which a wall follows it. The same text is tried and written,
//! so that what is found is what a wall will find.

use std::{fmt::Write as _, time::Duration};

use watchfloor_board::config::{
    self, Diagnostics, duration,
    spec::{ProxySpec, SecretSpec, TlsSpec},
};
use watchfloor_model::path::Path;

use super::text::{quoted, quoted_list};
use crate::{
    sources::{Settings, Setup},
    transport::Route,
};

/// The id of the source in the board.
pub(crate) const SOURCE_ID: &str = "source";

/// How a server is come by: the same for all that is tried, and written into the board. No secret is in it, only where it is kept (H8).
#[derive(Clone, Debug, Default)]
pub struct Access {
    /// Where the token is kept, if one is needed.
    pub token: Option<SecretSpec>,
    /// Whom to trust besides the system's authorities, and what to show to a server that asks who comes.
    pub tls: TlsSpec,
    /// The proxy on the way.
    pub proxy: Option<ProxySpec>,
}

impl Access {
    /// What a source says of it.
    fn lines(&self) -> Vec<(&'static str, String)> {
        let mut lines = Vec::new();
        lines.extend(self.token.as_ref().map(|place| ("token", place_of(place))));
        let identity = self.tls.identity.as_ref();
        let files = [
            ("ca", self.tls.ca.as_ref()),
            ("certificate", identity.map(|identity| &identity.certificate)),
            ("key", identity.map(|identity| &identity.key)),
        ];
        let files: Vec<String> =
            files.into_iter().filter_map(|(key, path)| Some(format!("{key} = {}", quoted(path?)))).collect();
        if !files.is_empty() {
            lines.push(("tls", format!("{{ {} }}", files.join(", "))));
        }
        if let Some(ProxySpec { url, login }) = &self.proxy {
            let value = match login {
                None => quoted(url),
                Some(login) => format!(
                    "{{ url = {}, user = {}, password = {} }}",
                    quoted(url),
                    quoted(&login.user),
                    place_of(&login.password)
                ),
            };
            lines.push(("proxy", value));
        }
        lines
    }
}

/// Where a secret is kept.
fn place_of(secret: &SecretSpec) -> String {
    match secret {
        SecretSpec::File(path) => format!("{{ file = {} }}", quoted(path)),
        SecretSpec::Variable(name) => format!("{{ env = {} }}", quoted(name)),
        SecretSpec::Keyring { service, account } => {
            format!("{{ keyring = {} }}", quoted(&format!("{service}/{account}")))
        }
    }
}

/// A source to be tried.
#[derive(Clone, Debug, Default)]
pub(crate) struct Subject {
    /// The board's word for what speaks there.
    pub(crate) kind: &'static str,
    pub(crate) url: String,
    pub(crate) channels: Vec<String>,
    pub(crate) app: Option<String>,
    pub(crate) user: Option<String>,
    pub(crate) access: Access,
    /// `event`: where name, id, time and body stand.
    pub(crate) name: Option<Path>,
    pub(crate) id: Option<Path>,
    pub(crate) time: Option<Path>,
    pub(crate) data: Option<Path>,
    /// How often the server speaks by itself, if that was seen.
    pub(crate) heartbeat: Option<Duration>,
    /// The freshness limit.
    pub(crate) limit: Duration,
    /// Comments by the key that they stand above.
    pub(crate) notes: Vec<(&'static str, String)>,
}

impl Subject {
    /// Says why a key is as it is, in the line above it.
    pub(crate) fn note(&mut self, key: &'static str, text: impl Into<String>) {
        self.notes.push((key, text.into()));
    }

    /// The source's table.
    pub(crate) fn to_toml(&self) -> String {
        let mut out = String::from("[[source]]\n");
        let mut line = |key: &str, value: String| {
            for (_, note) in self.notes.iter().filter(|(of, _)| *of == key) {
                let _ = writeln!(out, "# {note}");
            }
            let _ = writeln!(out, "{key} = {value}");
        };
        line("id", quoted(SOURCE_ID));
        line("kind", quoted(self.kind));
        line("url", quoted(&self.url));
        let channels: Vec<String> = self.channels.iter().map(|channel| quoted(channel)).collect();
        line("channels", format!("[{}]", channels.join(", ")));
        if let Some(app) = &self.app {
            line("app", quoted(app));
        }
        if let Some(user) = &self.user {
            line("user", quoted(user));
        }
        for (key, value) in self.access.lines() {
            line(key, value);
        }
        if let Some(heartbeat) = self.heartbeat {
            line("heartbeat", quoted(&duration::format(heartbeat)));
        }
        let picks = [("name", &self.name), ("id", &self.id), ("time", &self.time), ("data", &self.data)];
        let picks: Vec<String> = picks
            .into_iter()
            .filter_map(|(key, path)| Some(format!("{key} = {}", quoted_list([path.as_ref()?.to_string().as_str()]))))
            .collect();
        if !picks.is_empty() {
            line("event", format!("{{ {} }}", picks.join(", ")));
        }
        out
    }

    /// The head of a board with this source.
    pub(crate) fn board_toml(&self, title: &str) -> String {
        format!("[board]\ntitle = {}\nstale-after = {}\n", quoted(title), quoted(&duration::format(self.limit)))
    }

    /// What a wall with this source would run it by. The error says what a board file can't have, for people.
    pub(crate) fn setup(&self) -> Result<Setup, String> {
        let widget = "[[widget]]\nid = \"all\"\nkind = \"log\"\ntext = \"-\"\n";
        let text = format!("{}{}{widget}", self.board_toml("Probe"), self.to_toml());
        let file = config::parse(&text, "probe").map_err(|errors| first_of(&errors))?;
        let spec = file.sources.first().ok_or("no source")?;
        let feed = Settings::default().config(spec, self.limit).map_err(|error| error.to_string())?;
        Ok(Setup {
            feed,
            token: spec.token.clone(),
            transcripts: None,
            route: Route::of(spec),
            cipher: spec.cipher.clone(),
            story: spec.story(),
        })
    }
}

/// The first complaint, without its place in a file that nobody sees.
fn first_of(errors: &Diagnostics) -> String {
    let Some(error) = errors.as_slice().first() else { return "no board file can have that".to_owned() };
    let help = error.help.as_ref().map_or_else(|| format!("expected {}", error.expected), Clone::clone);
    format!("{}: {help}", error.message)
}
