//! What a node reads of the orders when it hasn't heard them all.

use std::{sync::Arc, time::Duration};

use redis::{RedisError, aio::MultiplexedConnection};
use watchfloor_model::Timestamp;

use super::Told;
use crate::{
    engine::{Engine, keys::Names, scripts},
    revocation::{Revocation, Target},
};

/// What was read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(in crate::engine) struct Read {
    /// The row, and how many orders it has.
    pub(in crate::engine) row: Arc<str>,
    pub(in crate::engine) count: u64,
    /// The engine's time.
    pub(in crate::engine) now: Timestamp,
    /// What was ordered since; none if not all of that is there any more.
    pub(in crate::engine) since: Option<Vec<Told>>,
    /// What stands, by the engine's time, where that is asked for: the row is another one, or not all is there.
    pub(in crate::engine) stands: Option<Vec<Standing>>,
}

/// A revocation that stands, and since when.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(in crate::engine) struct Standing {
    pub(in crate::engine) revocation: Revocation,
    pub(in crate::engine) at: Timestamp,
}

/// `ROW`, count, time, whether all since is there, orders, what stands.
type Answer = (String, u64, i64, u8, Vec<String>, Vec<String>);

/// Reads what was ordered after this place.
pub(in crate::engine) async fn read(
    mut connection: MultiplexedConnection,
    names: Names,
    run: Arc<str>,
    (row, seen): (Arc<str>, u64),
) -> Result<Read, RedisError> {
    let mut script = scripts::ROW.prepare_invoke();
    for key in names.row() {
        script.key(key);
    }
    script.arg(&*Engine::candidate()).arg(&*run).arg(&*row).arg(seen);
    Ok(parse(script.invoke_async::<Answer>(&mut connection).await?))
}

fn parse((row, count, now, is_whole, orders, stands): Answer) -> Read {
    let row: Arc<str> = row.into();
    let told = orders.iter().filter_map(|text| Told::read(text)).collect();
    let stands: Vec<_> = stands.as_chunks::<2>().0.iter().filter_map(standing).collect();
    let has_stands = !stands.is_empty() || is_whole & STANDS != 0;
    Read {
        row,
        count,
        now: Timestamp::from_millis(now),
        since: (is_whole & WHOLE != 0).then_some(told),
        stands: has_stands.then_some(stands),
    }
}

/// What the script says besides: that all that was ordered since is there, and that it says what stands.
const WHOLE: u8 = 1;
const STANDS: u8 = 2;

/// A target, and since when something stands against it, until when, and for what was issued before when.
fn standing([target, text]: &[String; 2]) -> Option<Standing> {
    let target: Target = serde_json::from_str(target).ok()?;
    let mut words = text.split(' ');
    let mut number = || words.next()?.parse::<i64>().ok();
    let (at, until) = (Timestamp::from_millis(number()?), Timestamp::from_millis(number()?));
    let ttl: Duration = until.since(at);
    Some(Standing { revocation: Revocation { target, ttl, before: number().map(Timestamp::from_millis) }, at })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::revocation::Whom;

    /// What a script answers is read, and what is none of it is left out.
    #[test]
    fn answers() {
        let target = Target { whom: Whom::Token("t".into()), channel: None };
        let text = serde_json::to_string(&target).expect("JSON");
        let stands = [&text, "5 1005 4", "x", "5 6 ", &text, "5"].map(str::to_owned).to_vec();
        let read = parse(("k".to_owned(), 3, 2000, 3, vec!["k 3 1 n\n{}".to_owned(), "x".to_owned()], stands));
        let revocation = Revocation { target, ttl: Duration::from_secs(1), before: Some(Timestamp::from_millis(4)) };
        assert_eq!(read.stands, Some(vec![Standing { revocation, at: Timestamp::from_millis(5) }]));
        assert_eq!(read.since.map(|since| since.len()), Some(1));
        let read = parse(("k".to_owned(), 3, 2000, 0, Vec::new(), Vec::new()));
        assert_eq!((read.since, read.stands), (None, None));
    }
}
