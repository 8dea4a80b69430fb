//! `snapshot`: where a site says what it has now.

use serde_json::Value;

use super::{
    diagnostic::{Problem, Sink},
    keys::source as keys,
    schema::object,
    source_kind::secret_in_query,
    spec::SnapshotSpec,
    table::{Node, Shape, TableReader, cut, names},
};

/// `snapshot = { url = "https://app.example.net/api/orders", as = "order" }`
pub(super) struct Restating;

impl Shape for Restating {
    type Value = SnapshotSpec;

    fn expected(&self) -> String {
        "a table such as `{ url = \"https://app.example.net/api/orders\", as = \"order\" }`".to_owned()
    }

    #[cfg(test)]
    fn words(&self) -> String {
        "table, below".to_owned()
    }

    fn schema(&self) -> Value {
        object(&keys::SNAPSHOT_TABLE)
    }

    fn read(&self, node: Node<'_>, sink: &mut Sink<'_>) -> Option<SnapshotSpec> {
        let reader = TableReader::open(node, &keys::SNAPSHOT_TABLE, sink)?;
        reader.finish(sink);
        let url = reader.get(&keys::SNAPSHOT_URL, sink);
        let name = reader.get(&keys::SNAPSHOT_AS, sink);
        let channel = reader.optional(&keys::SNAPSHOT_CHANNEL, sink);
        let data = reader.optional(&keys::SNAPSHOT_DATA, sink);
        let time = reader.optional(&keys::SNAPSHOT_TIME, sink);
        Some(SnapshotSpec { url: url?, name: name?, channel: channel?, data: data?, time: time? })
    }
}

/// Reports what doesn't fit the rest of the source.
pub(super) fn report_unfit(
    reader: &TableReader<'_>,
    snapshot: &SnapshotSpec,
    channels: &[String],
    tells_time: bool,
    sink: &mut Sink<'_>,
) {
    let span = reader.span_of("snapshot");
    if let Some(name) = url::Url::parse(&snapshot.url).ok().and_then(|url| secret_in_query(&url)) {
        sink.report(Problem {
            span: span.clone(),
            message: format!("`{}` in the query of `snapshot.url`", cut(&name)),
            found: "what looks like a secret".to_owned(),
            expected: "an address without one".to_owned(),
            help: Some("secrets do not belong in board files: `token` says where it is kept".to_owned()),
        });
    }
    if let Some(channel) = snapshot.channel.as_ref().filter(|name| !channels.contains(*name)) {
        sink.report(Problem {
            span: span.clone(),
            message: "`snapshot.channel` is no channel of the source".to_owned(),
            found: format!("\"{}\"", cut(channel)),
            expected: format!("one of {}", names(channels.iter().map(String::as_str))),
            help: None,
        });
    }
    if tells_time && snapshot.time.is_none() {
        sink.report(Problem {
            span,
            message: "`snapshot.time` is missing, where `event.time` is said".to_owned(),
            found: "rows without a time".to_owned(),
            expected: "where in a row its time stands".to_owned(),
            help: Some(
                "the newest wins: an event of before the snapshot must not replace it, nor the other way round"
                    .to_owned(),
            ),
        });
    }
}
