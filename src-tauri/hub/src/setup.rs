//! From the hub's file and the command line to what a hub is told: reads what they name. The command line counts for more.

use std::{
    fs::File,
    path::{Path, PathBuf},
    sync::Arc,
};

use anyhow::anyhow;
use watchfloor_board::config::spec::FoldSpec;
use watchfloor_hub::{
    App, AppConfig, Authorise, Durability, EngineConfig, Fields, FromRedis, KEY_BYTES_MIN, Keys, Named, OwnHistory,
    Readers, Reconcile, Rules, Settings, SigningKey, Tls, TlsFiles, Token,
    config::{
        self, AggregatePart, AppPart, EnginePart, FILE_BYTES_MAX, FromRedisPart, HubFile, KeyPart, NamespacePart,
        Place, ReconcilePart, TlsPart,
    },
};

use crate::{Failure, secret::Secret};

/// A hub's file with the folder that what it names is relative to.
#[derive(Debug, Default)]
pub(crate) struct Site {
    pub(crate) file: HubFile,
    folder: PathBuf,
}

impl Site {
    /// Reads a hub's file.
    ///
    /// # Errors
    /// If it can't be read, or says what can't be.
    pub(crate) fn read(path: &Path) -> Result<Self, Failure> {
        let name = path.display().to_string();
        let read = File::open(path).and_then(|file| watchfloor_settings::text_up_to(file, FILE_BYTES_MAX));
        let text =
            read.map_err(|error| Failure::Input(format!("{name}: can't be read: {error}: expected a hub file")))?;
        let file = config::parse(&text, &name).map_err(|diagnostics| Failure::Input(diagnostics.to_string()))?;
        Ok(Self { file, folder: path.parent().map(Path::to_owned).unwrap_or_default() })
    }

    /// Everything that the file names is there and can be used.
    ///
    /// # Errors
    /// All that is wrong with it.
    pub(crate) fn check(&self) -> Result<(), Failure> {
        let hub = &self.file.hub;
        let mut wrong: Vec<anyhow::Error> = Vec::new();
        wrong.extend(self.publish_token(None).err());
        let token = self.secret(None, hub.subscribe_token.as_ref(), "subscribe token");
        wrong.extend(token.and_then(|token| token.map(|secret| secret.token()).transpose()).err());
        wrong.extend(self.file.keys.iter().filter_map(|part| self.signing_key(part).err()));
        wrong.extend(self.named().err());
        wrong.extend(self.admin_token().err());
        wrong.extend(self.authorise().err());
        wrong.extend(self.engine().err());
        wrong.extend(self.redis_sources().err());
        wrong.extend(self.tls().err());
        let secrets = self.file.apps.iter().map(|part| self.secret_of(part)).filter_map(Result::err);
        let secrets: Vec<_> = secrets.collect();
        match secrets.is_empty() {
            true => wrong.extend(self.apps().err()),
            false => wrong.extend(secrets),
        }
        let words: Vec<String> = wrong.iter().map(|error| format!("{error:#}")).collect();
        match (folds(&self.boards()), words.is_empty()) {
            (Ok(_), true) => Ok(()),
            (Ok(_), false) => Err(Failure::Environment(anyhow!(words.join("\nwatchfloor-hub: ")))),
            (Err(Failure::Input(boards)), false) => {
                Err(Failure::Input(format!("{}\n{}", boards.trim_end(), words.join("\n"))))
            }
            (Err(failure), _) => Err(failure),
        }
    }

    /// The board files whose widgets are folded.
    pub(crate) fn boards(&self) -> Vec<PathBuf> {
        self.file.hub.boards.iter().map(|board| self.folder.join(board)).collect()
    }

    /// Where what outlives the hub is.
    pub(crate) fn data_dir(&self) -> Option<PathBuf> {
        self.file.hub.data_dir.as_ref().map(|folder| self.folder.join(folder))
    }

    /// The file of the audit log.
    pub(crate) fn audit_log(&self) -> Option<PathBuf> {
        self.file.hub.audit_log.as_ref().map(|file| self.folder.join(file))
    }

    /// By which certificate it is spoken to.
    pub(crate) fn tls(&self) -> anyhow::Result<Option<Tls>> {
        let Some(TlsPart { certificate, key }) = &self.file.hub.tls else { return Ok(None) };
        let files = TlsFiles { certificate: self.folder.join(certificate), key: self.folder.join(key) };
        Tls::open(files).map(Some).map_err(|why| anyhow!(why))
    }

    /// What those present who look after the hub.
    pub(crate) fn admin_token(&self) -> anyhow::Result<Option<Token>> {
        let token = self.secret(None, self.file.hub.admin_token.as_ref(), "admin token")?;
        token.map(|secret| secret.token()).transpose()
    }

    /// Which sites are asked who may read.
    pub(crate) fn authorise(&self) -> anyhow::Result<Option<Authorise>> {
        let hub = &self.file.hub;
        let Some(place) = &hub.authorise_secret else { return Ok(None) };
        let read = self.kept(place, "secret of questions to sites")?;
        let secret = read.bare();
        if secret.len() < KEY_BYTES_MIN {
            return Err(anyhow!(
                "{} holds {} bytes: write at least {KEY_BYTES_MIN} random ones",
                read.whence(),
                secret.len()
            ));
        }
        let (namespaces, default) = (self.file.namespaces.clone(), hub.authorise.as_deref().map(Arc::<str>::from));
        let sites: Vec<_> = namespaces.iter().map(|one| one.authorise.as_deref().map(Arc::<str>::from)).collect();
        let whom = move |channel: &str| {
            let own = namespaces.iter().position(|namespace| namespace.has(channel));
            own.and_then(|own| sites[own].clone()).or_else(|| default.clone())
        };
        let asked = Authorise::new(secret, whom).with_token(hub.authorise_token);
        Ok(Some(match hub.authorise_times {
            Some(times) => asked.good_for(times.yes, times.no, times.recheck),
            None => asked,
        }))
    }

    /// What holds for which channel; `durability` of the command line for those that no namespace speaks of.
    pub(crate) fn rules(&self, durability: Option<Durability>) -> Rules {
        let durability = durability.or(self.file.hub.durability).unwrap_or_default();
        let namespaces = self.file.namespaces.clone();
        if namespaces.is_empty() {
            return Rules::all(Settings { durability, ..Settings::default() });
        }
        Rules::new(move |channel| {
            let own = namespaces.iter().find(|namespace| namespace.has(channel));
            own.map_or_else(|| Settings { durability, ..Settings::default() }, |own| settings(own, durability))
        })
    }

    /// What is folded for who asks by name.
    pub(crate) fn named(&self) -> anyhow::Result<Vec<Named>> {
        let named = |part: &AggregatePart| {
            let reconcile = part.reconcile.as_ref().map(|ReconcilePart { url, every, lag, token }| {
                let what = format!("token by which {} is reconciled", part.spec.id);
                let token = self.secret(None, token.as_ref(), &what)?.map(|secret| secret.token()).transpose()?;
                Ok::<_, anyhow::Error>(Reconcile { url: url.clone(), every: *every, lag: *lag, token })
            });
            let reconcile = reconcile.transpose()?;
            Ok(Named { id: part.spec.id.clone(), fold: part.spec.fold.clone(), reconcile })
        };
        self.file.aggregates.iter().map(named).collect()
    }

    /// What publishers present.
    pub(crate) fn publish_token(&self, named: Option<&Path>) -> anyhow::Result<Option<Token>> {
        self.secret(named, self.file.hub.publish_token.as_ref(), "publish token")?
            .map(|secret| secret.token())
            .transpose()
    }

    /// What readers present.
    pub(crate) fn readers(&self, token: Option<&Path>, key: Option<&Path>) -> anyhow::Result<Readers> {
        let hub = &self.file.hub;
        let token = self.secret(token, hub.subscribe_token.as_ref(), "subscribe token")?;
        let key = key.map(|path| Secret::of_file(path, "subscribe key")?.key()).transpose()?;
        let given = self.file.keys.iter().map(|part| self.signing_key(part)).collect::<anyhow::Result<Vec<_>>>()?;
        let keys = Keys::new(key.into_iter().chain(given));
        let keys = match hub.token_life {
            Some(life) => keys.living_at_most(life),
            None => keys,
        };
        Ok(Readers {
            token: token.map(|secret| secret.token()).transpose()?,
            keys: match &hub.jwks {
                None => keys,
                Some(url) => keys.with_set(url),
            },
        })
    }

    /// What holds everything, where several nodes are one hub.
    pub(crate) fn engine(&self) -> anyhow::Result<Option<EngineConfig>> {
        let Some(part) = &self.file.engine else { return Ok(None) };
        let EnginePart { place, user, password, sentinel_password, prefix, replicas, keeps } = part;
        let secret = |place: &Option<Place>, what: &str| {
            let read = place.as_ref().map(|place| self.kept(place, what)).transpose()?;
            read.map(|read| read.text().map(str::to_owned)).transpose()
        };
        Ok(Some(EngineConfig {
            place: place.clone(),
            user: user.clone(),
            password: secret(password, "password of the engine")?,
            sentinel_password: secret(sentinel_password, "password of the engine's Sentinels")?,
            prefix: prefix.clone(),
            replicas: *replicas,
            keeps: *keeps,
        }))
    }

    /// What is published from Redis.
    pub(crate) fn redis_sources(&self) -> anyhow::Result<Vec<FromRedis>> {
        let engine = self.engine()?;
        let one = |part: &FromRedisPart| {
            let FromRedisPart { id, redis, user, password, what, form, channel, prefix, name } = part;
            let server = match (redis, &engine) {
                (Some(address), engine) => {
                    let read = password.as_ref().map(|place| self.kept(place, &format!("password of source {id}")));
                    let password = read.transpose()?.map(|read| read.text().map(str::to_owned)).transpose()?;
                    let own = EngineConfig::at(address.as_str());
                    let keys = engine.as_ref().map_or(own.prefix.clone(), |engine| engine.prefix.clone());
                    EngineConfig { user: user.clone(), password, prefix: keys, ..own }
                }
                (None, Some(engine)) => engine.clone(),
                (None, None) => return Err(anyhow!("source {id} has no `redis`, and there is no `[engine]`")),
            };
            Ok(FromRedis {
                id: id.clone(),
                server,
                what: what.clone(),
                form: *form,
                channel: channel.clone(),
                prefix: prefix.clone(),
                name: name.clone(),
            })
        };
        self.file.from_redis.iter().map(one).collect()
    }

    fn signing_key(&self, part: &KeyPart) -> anyhow::Result<SigningKey> {
        let read = self.kept(&part.key, "key of readers' tokens")?;
        let key = match part.signing {
            None => read.key()?,
            Some(signing) => {
                SigningKey::public(signing, read.bare()).map_err(|why| anyhow!("{} holds {why}", read.whence()))?
            }
        };
        Ok(part.id.as_deref().map_or_else(|| key.clone(), |id| key.clone().called(id)))
    }

    /// Who comes by the Pusher door.
    pub(crate) fn apps(&self) -> anyhow::Result<Vec<App>> {
        let mut apps = Vec::new();
        for part in &self.file.apps {
            let AppPart { id, key, secret: _, client_events, origins, webhook } = part;
            let config = AppConfig {
                id: id.clone(),
                key: key.clone(),
                secret: self.secret_of(part)?,
                client_events: *client_events,
                origins: origins.clone(),
                webhook: webhook.clone(),
            };
            let app = App::new(&config, &apps).map_err(|why| anyhow!("{why}"))?;
            apps.push(app);
        }
        Ok(apps)
    }

    /// What an application signs with.
    fn secret_of(&self, part: &AppPart) -> anyhow::Result<String> {
        let read = self.kept(&part.secret, &format!("secret of application {}", part.id))?;
        read.text().map(str::to_owned)
    }

    fn secret(&self, named: Option<&Path>, kept: Option<&Place>, what: &str) -> anyhow::Result<Option<Secret>> {
        match (named, kept) {
            (Some(path), _) => Secret::of_file(path, what).map(Some),
            (None, Some(place)) => self.kept(place, what).map(Some),
            (None, None) => Ok(None),
        }
    }

    fn kept(&self, place: &Place, what: &str) -> anyhow::Result<Secret> {
        match place {
            Place::File(name) => Secret::of_file(&self.folder.join(name), what),
            Place::Variable(name) => {
                let value = std::env::var(name).map_err(|_| {
                    anyhow!("the {what} is to be in the variable {name}, which is not set: set it, or name a file")
                })?;
                Ok(Secret::new(value.into_bytes(), format!("the {what} in the variable {name}")))
            }
        }
    }
}

/// What a namespace says of its channels, where `durability` holds for those of which nothing else is said.
fn settings(own: &NamespacePart, durability: Durability) -> Settings {
    let count = |number: Option<u32>| number.and_then(|number| usize::try_from(number).ok());
    let fields = own.fields.as_ref().map(|fields| Arc::new(Fields::new(fields.iter().map(String::as_str))));
    Settings {
        durability: own.durability.unwrap_or(durability),
        fields,
        events_a_second: own.events_a_second,
        history: OwnHistory {
            events: count(own.history_events),
            bytes: count(own.history_mib).map(|mib| mib.saturating_mul(1 << 20)),
            age: own.history_age,
        },
        presence: own.presence,
        presence_linger: own.presence_linger,
        publishers: own.publish,
    }
}

/// What the widgets of these files fold. The mistakes of all files are told at once.
pub(crate) fn folds(files: &[PathBuf]) -> Result<Vec<FoldSpec>, Failure> {
    let mut folds = Vec::new();
    let mut mistakes = Vec::new();
    for file in files {
        let name = file.display().to_string();
        match File::open(file).and_then(watchfloor_board::config::text_of) {
            Err(error) => mistakes.push(format!("{name}: can't be read: {error}: expected a board file")),
            Ok(text) => match watchfloor_board::config::parse_beside(&text, &name, &|named| beside(file, named)) {
                Ok(board) => folds.extend(board.folds().cloned()),
                Err(diagnostics) => mistakes.push(diagnostics.to_string()),
            },
        }
    }
    if mistakes.is_empty() { Ok(folds) } else { Err(Failure::Input(mistakes.join("\n"))) }
}

/// The text of a file that the board at `board` names.
fn beside(board: &Path, named: &str) -> Result<String, String> {
    let path = board.parent().map_or_else(|| named.into(), |folder| folder.join(named));
    if !path.is_file() {
        // A pipe would wait for somebody who writes.
        return Err("there is no such file".to_owned());
    }
    let read = File::open(path).and_then(watchfloor_board::config::layer_text_of);
    read.map_err(|error| format!("it can't be read: {error}"))
}
