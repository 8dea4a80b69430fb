//! Revocations in the file.

use std::sync::Arc;

use rusqlite::{Connection, Row, Transaction, params};
use watchfloor_model::Timestamp;

use super::StoreError;
use crate::revocation::{Stand, Target, Whom};

const EVERYBODY: i64 = 0;
const USER: i64 = 1;
const TOKEN: i64 = 2;
const CONNECTION: i64 = 3;

/// A target as a row has it: its kind, the application, the id and the channel, empty for none.
fn columns(target: &Target) -> (i64, &str, &str, &str) {
    let (kind, app, id): (_, Option<&Arc<str>>, &str) = match &target.whom {
        Whom::Everybody => (EVERYBODY, None, ""),
        Whom::User { app, id } => (USER, app.as_ref(), id),
        Whom::Token(id) => (TOKEN, None, id),
        Whom::Connection(id) => (CONNECTION, None, id),
    };
    (kind, app.map_or("", |app| app), id, target.channel.as_deref().unwrap_or(""))
}

/// It stands, instead of what stood against the same.
pub(super) fn put(transaction: &Transaction<'_>, stand: &Stand) -> Result<(), StoreError> {
    let (kind, app, id, channel) = columns(&stand.target);
    let sql = "INSERT OR REPLACE INTO revocation (kind, app, id, channel, at, until, before) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7)";
    let before = stand.before.map(Timestamp::as_millis);
    let row = params![kind, app, id, channel, stand.at.as_millis(), stand.until.as_millis(), before];
    transaction.prepare_cached(sql)?.execute(row)?;
    Ok(())
}

/// None stands against this.
pub(super) fn lift(transaction: &Transaction<'_>, target: &Target) -> Result<(), StoreError> {
    let (kind, app, id, channel) = columns(target);
    let sql = "DELETE FROM revocation WHERE kind = ?1 AND app = ?2 AND id = ?3 AND channel = ?4";
    transaction.prepare_cached(sql)?.execute(params![kind, app, id, channel])?;
    Ok(())
}

/// Forgets those that ended before.
pub(super) fn forget(transaction: &Transaction<'_>, before: Timestamp) -> Result<(), StoreError> {
    transaction.execute("DELETE FROM revocation WHERE until < ?1", [before.as_millis()])?;
    Ok(())
}

/// All of them.
pub(super) fn all(connection: &Connection) -> Result<Vec<Stand>, StoreError> {
    let mut statement = connection.prepare("SELECT kind, app, id, channel, at, until, before FROM revocation")?;
    let mut rows = statement.query([])?;
    let mut stands = Vec::new();
    while let Some(row) = rows.next()? {
        stands.push(stand(row)?);
    }
    Ok(stands)
}

fn stand(row: &Row<'_>) -> Result<Stand, StoreError> {
    let text = |index: usize| row.get::<_, String>(index).map(|text| (!text.is_empty()).then(|| Arc::from(text)));
    let (app, id, channel): (_, Option<Arc<str>>, _) = (text(1)?, text(2)?, text(3)?);
    let whom = match (row.get::<_, i64>(0)?, id) {
        (EVERYBODY, None) => Whom::Everybody,
        (USER, Some(id)) => Whom::User { app, id },
        (TOKEN, Some(id)) => Whom::Token(id),
        (CONNECTION, Some(id)) => Whom::Connection(id),
        (kind, _) => return Err(StoreError::Damaged(format!("a revocation of kind {kind} says not of whom"))),
    };
    Ok(Stand {
        target: Target { whom, channel },
        at: Timestamp::from_millis(row.get(4)?),
        until: Timestamp::from_millis(row.get(5)?),
        before: row.get::<_, Option<i64>>(6)?.map(Timestamp::from_millis),
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::store::File;

    fn stand(whom: Whom, channel: Option<&str>, until: i64) -> Stand {
        let target = Target { whom, channel: channel.map(Into::into) };
        let (at, until) = (Timestamp::from_millis(5), Timestamp::from_millis(until));
        Stand { target, at, until, before: (until.as_millis() > 10).then_some(at) }
    }

    /// H4: a file of the first form is taken over as it is, and has room for revocations then; each comes back as it was.
    #[test]
    fn a_file_of_the_first_form() {
        let folder = tempfile::tempdir().expect("a folder");
        drop(File::open(folder.path()).expect("begun"));
        let path = folder.path().join("hub.db");
        let connection = Connection::open(&path).expect("a file");
        connection
            .execute_batch("DROP TABLE revocation; INSERT INTO meta VALUES ('epoch', 'k3x9'), ('serial', '7')")
            .expect("made");
        connection.pragma_update(None, "user_version", 1).expect("made");
        drop(connection);

        let file = File::open(folder.path()).expect("taken over");
        assert_eq!(file.kept().expect("read"), Some(("k3x9".to_owned(), 7)));
        assert_eq!(file.revocations().expect("read"), []);
        drop(file);
        let mut connection = Connection::open(&path).expect("a file");
        let version: u32 = connection.query_row("PRAGMA user_version", [], |row| row.get(0)).expect("a number");
        assert_eq!(version, 2);
        let user = |app: Option<&str>| Whom::User { app: app.map(Into::into), id: "7".into() };
        let mut stands = vec![
            stand(Whom::Everybody, Some("a"), 10),
            stand(user(None), None, 20),
            stand(user(Some("2")), Some("2/a"), 30),
            stand(Whom::Token("t".into()), None, 40),
        ];
        let transaction = connection.transaction().expect("begun");
        for stand in &stands {
            put(&transaction, stand).expect("written");
            put(&transaction, stand).expect("written again");
        }
        lift(&transaction, &stands.remove(1).target).expect("lifted");
        forget(&transaction, Timestamp::from_millis(11)).expect("forgotten");
        transaction.commit().expect("kept");
        stands.remove(0);
        assert_eq!(all(&connection).expect("read"), stands);
    }
}
