//! `speak`: what is said and heard on a bare WebSocket.

use serde_json::{Value, json};

use super::{
    diagnostic::{Problem, Sink},
    keys::source as keys,
    schema::object,
    secrets,
    spec::SpeakSpec,
    table::{Node, Shape, TableReader, cut},
};

/// `speak = { subscribe = '{"op":"subscribe","channel":"{channel}"}', channel = "channel" }`
pub(super) struct Speech;

/// Keys that have no use without another one.
const NEEDS: [(&str, &str); 2] = [("pong", "ping"), ("resume", "sequence")];

/// Texts that are sent.
const SENT: [&str; 3] = ["subscribe", "ping", "resume"];

impl Shape for Speech {
    type Value = SpeakSpec;

    fn expected(&self) -> String {
        "a table such as `{ subscribe = '{\"subscribe\":\"{channel}\"}', channel = \"channel\" }`".to_owned()
    }

    #[cfg(test)]
    fn words(&self) -> String {
        "table, below".to_owned()
    }

    fn schema(&self) -> Value {
        let mut schema = object(&keys::SPEAK_TABLE);
        schema["dependentRequired"] = NEEDS.iter().map(|(key, other)| ((*key).to_owned(), json!([other]))).collect();
        schema
    }

    fn read(&self, node: Node<'_>, sink: &mut Sink<'_>) -> Option<SpeakSpec> {
        let reader = TableReader::open(node, &keys::SPEAK_TABLE, sink)?;
        reader.finish(sink);
        for (key, other) in NEEDS.into_iter().filter(|(key, other)| reader.has(key) && !reader.has(other)) {
            sink.report(Problem {
                span: reader.key_span(key),
                message: format!("`{key}` has no use without `{other}`"),
                found: format!("`{key}`"),
                expected: format!("`{other}` beside it"),
                help: None,
            });
        }
        let login = reader.optional(&keys::SPEAK_LOGIN, sink);
        for name in SENT {
            let Some(secret) = reader.raw_text(name).and_then(secrets::in_template) else { continue };
            sink.report_secret(Problem {
                span: reader.span_of(name),
                message: format!("a secret is written out in `{name}`, as `{}`", cut(&secret)),
                found: "a text that may be one".to_owned(),
                expected: "`{token}` in its place".to_owned(),
                help: Some(
                    "secrets do not belong in board files: write where it is kept, `token = { file = … }`".to_owned(),
                ),
            });
        }
        let subscribe = reader.optional(&keys::SPEAK_SUBSCRIBE, sink);
        let confirm = reader.optional(&keys::SPEAK_CONFIRM, sink);
        let refused = reader.optional(&keys::SPEAK_REFUSED, sink);
        let ping = reader.optional(&keys::SPEAK_PING, sink);
        let pong = reader.optional(&keys::SPEAK_PONG, sink);
        let channel = reader.optional(&keys::SPEAK_CHANNEL, sink);
        let sequence = reader.optional(&keys::SPEAK_SEQUENCE, sink);
        let resume = reader.optional(&keys::SPEAK_RESUME, sink);
        Some(SpeakSpec {
            login: login?,
            subscribe: subscribe?,
            confirm: confirm?,
            refused: refused?,
            ping: ping?,
            pong: pong?,
            channel: channel?,
            sequence: sequence?,
            resume: resume?,
        })
    }
}
