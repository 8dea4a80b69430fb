//! The keyring of the user that the wall runs as, by the desktop's Secret Service (freedesktop.org, version 0.2): GNOME Keyring,
//! KWallet, KeePassXC.

use watchfloor_feed::Secret;

/// Reads the entry that has these attributes, as `secret-tool` and the usual keyring libraries write them. Asks nobody: a wall
/// has no one to type a passphrase.
pub(super) async fn read(service: &str, account: &str) -> Result<Secret, String> {
    system::read(service, account).await
}

#[cfg(not(all(unix, not(target_os = "macos"))))]
mod system {
    use watchfloor_feed::Secret;

    pub(super) async fn read(_: &str, _: &str) -> Result<Secret, String> {
        Err("keyrings are read on Linux alone: keep it in a file, `{ file = … }`".to_owned())
    }
}

#[cfg(all(unix, not(target_os = "macos")))]
mod system {
    use std::collections::HashMap;

    use watchfloor_feed::Secret;
    use zbus::{Connection, DBusError, DynamicType, Message, OwnedObjectPath, OwnedVariant, Type, Variant};

    use crate::secrets::sound;

    const SERVICE: &str = "org.freedesktop.secrets";
    const PATH: &str = "/org/freedesktop/secrets";
    const SERVICE_INTERFACE: &str = "org.freedesktop.Secret.Service";
    const ITEM_INTERFACE: &str = "org.freedesktop.Secret.Item";

    pub(super) async fn read(service: &str, account: &str) -> Result<Secret, String> {
        let bus = Connection::session().await.map_err(|error| {
            let reason = error.to_string();
            format!(
                "no session bus to reach a keyring by ({reason}): start the wall in a desktop session with a keyring, or keep \
                 the secret in a file, `{{ file = … }}`"
            )
        })?;
        read_by(&bus, service, account).await
    }

    /// Reads the entry over a connection to the bus.
    pub(super) async fn read_by(bus: &Connection, service: &str, account: &str) -> Result<Secret, String> {
        // The bus is this user's own and stays within the machine: nothing is gained by packing the secret once more.
        let opened = call(bus, PATH, SERVICE_INTERFACE, "OpenSession", &("plain", Variant::from(""))).await?;
        let (_, session): (OwnedVariant, OwnedObjectPath) = body(&opened)?;
        let attributes = HashMap::from([("service", service), ("username", account)]);
        let found = call(bus, PATH, SERVICE_INTERFACE, "SearchItems", &(attributes,)).await?;
        let (open, locked): (Vec<OwnedObjectPath>, Vec<OwnedObjectPath>) = body(&found)?;
        let item = match (open.as_slice(), locked.len()) {
            ([item], 0) => item,
            ([], 0) => {
                return Err(format!(
                    "the keyring has no entry {service}/{account}: create it: secret-tool store --label={service}/{account} \
                     service {service} username {account}"
                ));
            }
            ([], 1) => {
                return Err(format!(
                    "the keyring with the entry {service}/{account} is locked: unlock it, or have it unlocked at login"
                ));
            }
            (open, locked) => {
                let count = open.len() + locked;
                return Err(format!("the keyring has {count} entries {service}/{account}: expected one"));
            }
        };
        let given = call(bus, item.as_str(), ITEM_INTERFACE, "GetSecret", &(&session,)).await?;
        let (secret,): ((OwnedObjectPath, Vec<u8>, Vec<u8>, String),) = body(&given)?;
        let text = std::str::from_utf8(&secret.2)
            .map_err(|_| format!("the keyring's entry {service}/{account} holds no text: expected one line"))?;
        sound(text, &format!("the keyring's entry {service}/{account} holds")).map_err(|fault| fault.text)
    }

    async fn call<B: serde::Serialize + DynamicType>(
        bus: &Connection,
        path: &str,
        interface: &str,
        method: &str,
        arguments: &B,
    ) -> Result<Message, String> {
        bus.call_method(Some(SERVICE), path, Some(interface), method, arguments).await.map_err(|error| words(&error))
    }

    fn words(error: &zbus::Error) -> String {
        let refusal = match error {
            zbus::Error::MethodError(name, text, _) => Some((name.to_string(), text.clone())),
            zbus::Error::FDO(error) => Some((error.name().to_string(), error.description().map(str::to_owned))),
            _ => None,
        };
        if let Some((name, text)) = refusal {
            return match name.as_str() {
                "org.freedesktop.DBus.Error.ServiceUnknown" | "org.freedesktop.DBus.Error.NameHasNoOwner" => {
                    "no keyring runs in this session: start one (gnome-keyring, KWallet, KeePassXC), or keep the secret in a \
                     file, `{ file = … }`"
                        .to_owned()
                }
                "org.freedesktop.Secret.Error.IsLocked" => {
                    "the keyring is locked: unlock it, or have it unlocked at login".to_owned()
                }
                name => format!("the keyring refuses: {}", text.as_deref().unwrap_or(name)),
            };
        }
        format!("the keyring does not answer: {error}")
    }

    fn body<T>(message: &Message) -> Result<T, String>
    where
        T: serde::de::DeserializeOwned + Type,
    {
        // Nothing of what came is repeated.
        message
            .body()
            .deserialize()
            .map_err(|_| "the keyring answers by other rules than the Secret Service's".to_owned())
    }

    #[cfg(test)]
    mod tests {
        use std::os::unix::net::UnixStream;

        use futures_util::StreamExt;
        use zbus::{Guid, MessageStream, connection::Builder};

        use super::*;

        /// What the keyring here has by the one name that is asked for.
        #[derive(Clone, Copy)]
        struct Kept {
            open: usize,
            locked: usize,
            holds: &'static [u8],
        }

        /// A keyring on a line of its own, and the wall's end of that.
        async fn keyring(kept: Option<Kept>) -> (Connection, Connection) {
            let (own, walls) = UnixStream::pair().unwrap();
            let server = Builder::unix_stream(own).server(Guid::generate()).p2p().build();
            let client = Builder::unix_stream(walls).p2p().build();
            let (server, client) = tokio::join!(server, client);
            let (server, client) = (server.unwrap(), client.unwrap());
            let (line, mut calls) = (server.clone(), MessageStream::from(&server));
            tokio::spawn(async move {
                while let Some(Ok(call)) = calls.next().await {
                    answer(&line, &call, kept).await;
                }
            });
            (server, client)
        }

        async fn answer(line: &Connection, call: &Message, kept: Option<Kept>) {
            let header = call.header();
            let path =
                |number: usize| OwnedObjectPath::try_from(format!("/org/freedesktop/secrets/item/{number}")).unwrap();
            let Some(Kept { open, locked, holds }) = kept else {
                let name = zbus::names::ErrorName::try_from("org.freedesktop.DBus.Error.ServiceUnknown").unwrap();
                line.reply_error(&header, name, &"nobody").await.unwrap();
                return;
            };
            match header.member().map(zbus::names::MemberName::as_str) {
                Some("OpenSession") => {
                    let (algorithm, _): (String, OwnedVariant) = call.body().deserialize().unwrap();
                    assert_eq!(algorithm, "plain");
                    line.reply(&header, &(Variant::from(""), path(99))).await.unwrap();
                }
                Some("SearchItems") => {
                    let (attributes,): (HashMap<String, String>,) = call.body().deserialize().unwrap();
                    let asked = ["service", "username"].map(|name| attributes.get(name).map(String::as_str));
                    assert_eq!(asked, [Some("watchfloor"), Some("ops")]);
                    let found: (Vec<_>, Vec<_>) = ((0..open).map(path).collect(), (0..locked).map(path).collect());
                    line.reply(&header, &found).await.unwrap();
                }
                Some("GetSecret") => {
                    let secret = (path(99), Vec::<u8>::new(), holds.to_vec(), "text/plain".to_owned());
                    line.reply(&header, &(secret,)).await.unwrap();
                }
                other => panic!("{other:?}"),
            }
        }

        /// Each fault says what to do; H8: nothing of what the entry holds is in it.
        #[tokio::test]
        async fn entries_are_read() {
            let kept = |open, locked, holds: &'static [u8]| Some(Kept { open, locked, holds });
            for (kept, outcome) in [
                (kept(1, 0, b"s3cret\n"), Ok("s3cret")),
                (kept(0, 0, b""), Err("has no entry watchfloor/ops: create it: secret-tool store")),
                (kept(0, 1, b""), Err("is locked: unlock it")),
                (kept(2, 1, b"s3cret"), Err("has 3 entries watchfloor/ops: expected one")),
                (kept(1, 0, b"s3cret\ns3cret"), Err("holds several lines")),
                (kept(1, 0, b"s3cret\xff"), Err("holds no text")),
                (None, Err("no keyring runs in this session: start one")),
            ] {
                let (_server, client) = keyring(kept).await;
                let read = read_by(&client, "watchfloor", "ops").await;
                match (read, outcome) {
                    (Ok(secret), Ok(expected)) => assert_eq!(secret.expose(), expected),
                    (Err(words), Err(part)) => assert!(words.contains(part) && !words.contains("s3c"), "{words}"),
                    (read, _) => panic!("{read:?}"),
                }
            }
        }
    }
}
