//! `token`: where a source's token is to be had. The board file never holds it (H8).

use serde_json::{Value, json};
use toml::de::DeValue;

use super::{
    diagnostic::{Problem, Sink},
    keys::source as keys,
    schema::object,
    shape::text_of,
    spec::{SecretSpec, TokenSpec},
    table::{Node, Shape, TableReader, bad_value, cut, wrong_type},
};

/// The longest path, in characters.
const PATH_CHARACTERS_MAX: usize = 500;
/// The longest name of a keyring's entry, in characters.
const KEYRING_CHARACTERS_MAX: usize = 200;
/// The longest name of an environment variable, in characters.
const VARIABLE_CHARACTERS_MAX: usize = 100;

/// `token = { file = "/run/secrets/ops-token" }`
pub(super) struct Token;

const TOKEN_EXPECTED: &str = "a table such as `{ file = \"/run/secrets/ops-token\" }`, `{ env = \"OPS_TOKEN\" }` or \
                              `{ from = \"https://app.example.net/token\", secret = { file = \"/run/secrets/ops\" } }`";

impl Shape for Token {
    type Value = TokenSpec;

    fn expected(&self) -> String {
        TOKEN_EXPECTED.to_owned()
    }

    #[cfg(test)]
    fn words(&self) -> String {
        "table, below".to_owned()
    }

    fn schema(&self) -> Value {
        let mut schema = object(&keys::TOKEN_TABLE);
        schema["anyOf"] = json!([
            {"required": ["file"], "properties": {"env": false, "keyring": false, "from": false, "secret": false}},
            {"required": ["env"], "properties": {"file": false, "keyring": false, "from": false, "secret": false}},
            {"required": ["keyring"], "properties": {"file": false, "env": false, "from": false, "secret": false}},
            {"required": ["from", "secret"], "properties": {"file": false, "env": false, "keyring": false}},
        ]);
        schema
    }

    fn read(&self, node: Node<'_>, sink: &mut Sink<'_>) -> Option<TokenSpec> {
        if is_plain_text(node, TOKEN_EXPECTED, sink) {
            return None;
        }
        let reader = TableReader::open(node, &keys::TOKEN_TABLE, sink)?;
        reader.finish(sink);
        let found = ["file", "env", "keyring", "from"].into_iter().filter(|name| reader.has(name)).count();
        if found != 1 {
            let message = if found == 0 { "no place of the token" } else { "several places of the token" };
            bad_value(node, message, "one of `file`, `env`, `keyring` or `from`", None, sink);
            return None;
        }
        if reader.has("secret") && !reader.has("from") {
            sink.report(Problem {
                span: reader.key_span("secret"),
                message: "`secret` has no use without `from`".to_owned(),
                found: "`secret`".to_owned(),
                expected: "`from`, the address that gives tokens for it".to_owned(),
                help: None,
            });
            return None;
        }
        if !reader.has("from") {
            return kept(&reader, sink).map(TokenSpec::Held);
        }
        let from = reader.get(&keys::TOKEN_FROM, sink);
        if !reader.has("secret") {
            let help = Some("it is sent to that address, which gives the token for it".to_owned());
            reader.missing("secret", SECRET_EXPECTED, help, sink);
            return None;
        }
        let secret = reader.get(&keys::TOKEN_SECRET, sink);
        Some(TokenSpec::Fetched { url: from?, secret: secret? })
    }
}

/// `secret = { file = "/run/secrets/ops-login" }`
pub(super) struct SecretPlace;

const SECRET_EXPECTED: &str = "a table such as `{ file = \"/run/secrets/ops-login\" }` or `{ env = \"OPS_LOGIN\" }`";

impl Shape for SecretPlace {
    type Value = SecretSpec;

    fn expected(&self) -> String {
        SECRET_EXPECTED.to_owned()
    }

    #[cfg(test)]
    fn words(&self) -> String {
        "table, below".to_owned()
    }

    fn schema(&self) -> Value {
        let mut schema = object(&keys::SECRET_TABLE);
        schema["minProperties"] = json!(1);
        schema["maxProperties"] = json!(1);
        schema
    }

    fn read(&self, node: Node<'_>, sink: &mut Sink<'_>) -> Option<SecretSpec> {
        if is_plain_text(node, SECRET_EXPECTED, sink) {
            return None;
        }
        let reader = TableReader::open(node, &keys::SECRET_TABLE, sink)?;
        reader.finish(sink);
        let found = ["file", "env", "keyring"].into_iter().filter(|name| reader.has(name)).count();
        if found != 1 {
            let message = if found == 0 { "no place of the secret" } else { "several places of the secret" };
            bad_value(node, message, "one of `file`, `env` or `keyring`", None, sink);
            return None;
        }
        kept(&reader, sink)
    }
}

/// The one place of a secret that the table names.
fn kept(reader: &TableReader<'_>, sink: &mut Sink<'_>) -> Option<SecretSpec> {
    if reader.has("file") {
        return reader.get(&keys::TOKEN_FILE, sink).map(SecretSpec::File);
    }
    if reader.has("env") {
        return reader.get(&keys::TOKEN_ENV, sink).map(SecretSpec::Variable);
    }
    let (service, account) = reader.get(&keys::TOKEN_KEYRING, sink)?;
    Some(SecretSpec::Keyring { service, account })
}

/// Reports a text, which is most likely the secret itself, without repeating it.
fn is_plain_text(node: Node<'_>, expected: &str, sink: &mut Sink<'_>) -> bool {
    let is_text = matches!(node.value.get_ref(), DeValue::String(_));
    if is_text {
        sink.report(Problem {
            span: node.value.span(),
            message: format!("`{}` is written out", cut(node.name)),
            found: "a text".to_owned(),
            expected: expected.to_owned(),
            help: Some("secrets do not belong in board files: write where it is kept".to_owned()),
        });
    }
    is_text
}

/// The path of a file, from the root on.
pub(super) struct FilePath;

impl Shape for FilePath {
    type Value = String;

    fn expected(&self) -> String {
        "the path of a file from the root on, such as `/run/secrets/ops-token`".to_owned()
    }

    #[cfg(test)]
    fn words(&self) -> String {
        "absolute path".to_owned()
    }

    fn schema(&self) -> Value {
        json!({"type": "string", "maxLength": PATH_CHARACTERS_MAX, "pattern": "^(/|\\\\\\\\|[A-Za-z]:[/\\\\])[^\\p{Cc}]+$"})
    }

    fn read(&self, node: Node<'_>, sink: &mut Sink<'_>) -> Option<String> {
        let text = text_of(node, &self.expected(), sink)?;
        let sound = text.chars().nth(PATH_CHARACTERS_MAX).is_none() && !text.contains(char::is_control);
        // A file may be checked on another system than the wall's.
        let drive = text
            .as_bytes()
            .get(..3)
            .is_some_and(|head| head[0].is_ascii_alphabetic() && head[1] == b':' && matches!(head[2], b'/' | b'\\'));
        let rooted = text.starts_with('/') || text.starts_with("\\\\") || drive;
        if !sound || !rooted || text.len() < 2 {
            let help = (sound && !rooted).then(|| "a program may be started in any folder".to_owned());
            bad_value(node, "no usable path", &self.expected(), help, sink);
            return None;
        }
        Some(text.to_owned())
    }
}

/// The name of an environment variable.
pub(super) struct Variable;

impl Shape for Variable {
    type Value = String;

    fn expected(&self) -> String {
        "the name of an environment variable: letters, digits, `_`, no digit first".to_owned()
    }

    #[cfg(test)]
    fn words(&self) -> String {
        "name of an environment variable".to_owned()
    }

    fn schema(&self) -> Value {
        json!({"type": "string", "maxLength": VARIABLE_CHARACTERS_MAX, "pattern": "^[A-Za-z_][A-Za-z0-9_]*$"})
    }

    fn read(&self, node: Node<'_>, sink: &mut Sink<'_>) -> Option<String> {
        let DeValue::String(text) = node.value.get_ref() else {
            wrong_type(node, &self.expected(), None, sink);
            return None;
        };
        let is_name = text.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'_')
            && text.bytes().next().is_some_and(|b| !b.is_ascii_digit())
            && text.len() <= VARIABLE_CHARACTERS_MAX;
        if !is_name {
            // What is no name may be the secret itself.
            sink.report(Problem {
                span: node.value.span(),
                message: "no name of an environment variable for `env`".to_owned(),
                found: "another text".to_owned(),
                expected: self.expected(),
                help: Some("write the variable's name, not its value".to_owned()),
            });
        }
        is_name.then(|| text.clone().into_owned())
    }
}

/// `service/account`, an entry of a keyring.
pub(super) struct KeyringEntry;

impl Shape for KeyringEntry {
    type Value = (String, String);

    fn expected(&self) -> String {
        format!("`service/account` of an entry, at most {KEYRING_CHARACTERS_MAX} characters, such as `watchfloor/ops`")
    }

    #[cfg(test)]
    fn words(&self) -> String {
        "`service/account`".to_owned()
    }

    fn schema(&self) -> Value {
        json!({"type": "string", "maxLength": KEYRING_CHARACTERS_MAX, "pattern": "^[^/\\p{Cc}]+/[^/\\p{Cc}]+$"})
    }

    fn read(&self, node: Node<'_>, sink: &mut Sink<'_>) -> Option<(String, String)> {
        let DeValue::String(text) = node.value.get_ref() else {
            wrong_type(node, &self.expected(), None, sink);
            return None;
        };
        let sound = text.chars().nth(KEYRING_CHARACTERS_MAX).is_none() && !text.contains(char::is_control);
        let parts = text
            .split_once('/')
            .filter(|(service, account)| sound && !service.is_empty() && !account.is_empty() && !account.contains('/'));
        if parts.is_none() {
            // What is no entry may be the secret itself.
            sink.report(Problem {
                span: node.value.span(),
                message: "no entry of a keyring for `keyring`".to_owned(),
                found: "another text".to_owned(),
                expected: self.expected(),
                help: Some("write what the entry is found by, not what it holds".to_owned()),
            });
        }
        parts.map(|(service, account)| (service.to_owned(), account.to_owned()))
    }
}
