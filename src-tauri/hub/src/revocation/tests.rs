//! H8: what stands against whom, for how long.

use std::time::Duration;

use super::*;

fn at(seconds: i64) -> Timestamp {
    Timestamp::from_millis(seconds * 1000)
}

fn session(user: Option<&str>, token: Option<&str>, app: Option<&str>) -> Session {
    let mut session = Session::new("c".into(), Door::WebSocket, at(0), Lease::new(None, None));
    (session.user, session.token, session.app) = (user.map(Into::into), token.map(Into::into), app.map(Into::into));
    session
}

fn user(app: Option<&str>, id: &str) -> Whom {
    Whom::User { app: app.map(Into::into), id: id.into() }
}

fn stand(whom: Whom, channel: Option<&str>, until: i64, before: Option<i64>) -> Stand {
    let target = Target { whom, channel: channel.map(Into::into) };
    Stand { target, at: at(10), until: at(until), before: before.map(at) }
}

/// A user is refused by whatever token he comes, a token whoever comes by it, until the stated time and no longer.
#[test]
fn what_stands_against_whom() {
    let mut standing = Standing::default();
    standing.enter(stand(user(None, "7"), None, 20, None));
    standing.enter(stand(Whom::Token("t".into()), None, 30, None));
    standing.enter(stand(user(Some("2"), "8"), None, 30, None));
    for (who, now, forbidden) in [
        (session(Some("7"), None, None), 15, true),
        (session(Some("7"), None, Some("1")), 15, true),
        (session(Some("7"), Some("other"), None), 19, true),
        (session(Some("7"), None, None), 20, false),
        (session(Some("77"), None, None), 15, false),
        (session(None, Some("t"), None), 29, true),
        (session(None, Some("t"), None), 30, false),
        (session(None, None, None), 15, false),
        (session(Some("8"), None, Some("2")), 15, true),
        (session(Some("8"), None, Some("1")), 15, false),
        (session(Some("8"), None, None), 15, false),
    ] {
        assert_eq!(standing.forbids(&who, at(now)), forbidden, "{who:?} at {now}");
    }
    standing.forget(at(25));
    assert_eq!(standing.len(), 2);
    assert!(standing.lift(&Target { whom: Whom::Token("t".into()), channel: None }));
    assert!(!standing.forbids(&session(None, Some("t"), None), at(15)));
    standing.forget(at(100));
    assert_eq!((standing.len(), standing.all().count()), (0, 0));
}

/// A channel is taken from everybody, or from one, whoever he is there.
#[test]
fn channels() {
    let mut standing = Standing::default();
    standing.enter(stand(Whom::Everybody, Some("a"), 20, None));
    standing.enter(stand(user(None, "7"), Some("b"), 20, None));
    standing.enter(stand(user(None, "9"), None, 20, None));
    let seven = "7".into();
    let nine = "9".into();
    for (who, channel, as_user, forbidden) in [
        (session(None, None, None), "a", None, true),
        (session(None, None, None), "b", None, false),
        (session(Some("7"), None, None), "b", None, true),
        (session(Some("7"), None, None), "c", None, false),
        (session(None, None, Some("1")), "b", Some(&seven), true),
        (session(None, None, Some("1")), "c", Some(&nine), true),
        (session(None, None, Some("1")), "c", Some(&seven), false),
    ] {
        let found = standing.forbids_channel(&who, &channel.into(), as_user, at(15));
        assert_eq!(found, forbidden, "{who:?} {channel}");
        assert!(!standing.forbids(&who, at(15)) || who.user.as_deref() == Some("9"));
    }
}

/// What was issued after the instant named is good; what doesn't say when it was issued isn't.
#[test]
fn what_was_issued_before() {
    let mut standing = Standing::default();
    standing.enter(stand(user(None, "7"), None, 100, Some(12)));
    for (issued, forbidden) in [(None, true), (Some(11), true), (Some(12), true), (Some(13), false)] {
        let mut who = session(Some("7"), None, None);
        who.issued = issued.map(at);
        assert_eq!(standing.forbids(&who, at(50)), forbidden, "{issued:?}");
    }
    // A Pusher client's signature is for its connection.
    for (since, forbidden) in [(9, true), (12, true), (13, false)] {
        let mut who = session(Some("7"), None, Some("1"));
        who.since = at(since);
        assert_eq!(standing.forbids(&who, at(50)), forbidden, "{since}");
    }
}

/// A later revocation of the same stands instead of the earlier one, and takes no room of its own.
#[test]
fn again() {
    let mut standing = Standing::default();
    for until in [20, 40, 30] {
        standing.enter(stand(user(None, "7"), None, until, None));
    }
    assert_eq!(standing.len(), 1);
    standing.forget(at(29));
    assert!(standing.forbids(&session(Some("7"), None, None), at(29)));
    standing.forget(at(30));
    assert_eq!(standing.len(), 0);
}

/// H5: one more than there is room for is refused, and nothing is forgotten for it.
#[test]
fn full() {
    let mut standing = Standing::default();
    for number in 0..crate::limits::REVOCATIONS_MAX {
        standing.enter(stand(user(None, &number.to_string()), None, 20, None));
    }
    assert!(!standing.has_room_for(1) && standing.has_room_for(0));
    standing.forget(at(20));
    assert!(standing.has_room_for(crate::limits::REVOCATIONS_MAX));
}

/// Whoever waits for what is held is told when it is out, whichever comes first.
#[tokio::test]
async fn silence_is_waited_for() {
    let lease = Lease::new(None, None);
    lease.is_silent().await;
    lease.hold_for_test();
    let waiting = tokio::spawn({
        let lease = lease.clone();
        async move { lease.is_silent().await }
    });
    lease.take_all(Why::Revoked);
    tokio::task::yield_now().await;
    assert!(!waiting.is_finished());
    lease.release();
    tokio::time::timeout(Duration::from_secs(20), waiting).await.expect("told").expect("no panic");
}
