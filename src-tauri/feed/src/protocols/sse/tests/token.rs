//! A token that is changed while a stream stands.

use super::*;
use crate::port::{Credential, Expiry};

/// Live by `t1`, of which nobody told an end, with an event that has an id; then the token is `t2`.
fn changed(kind: Kind, replays: bool) -> Rig {
    let mut rig = Rig::new(kind, &["ops"], |config| {
        config.asks_token = true;
        config.promises.replays = replays;
    });
    let gets = |rig: &mut Rig, token: &str| {
        let fetch = rig.token.take().expect("asked for");
        rig.input(Input::Credential {
            fetch,
            outcome: Ok(Credential { token: Secret::new(token), expiry: Expiry::Unknown }),
        });
    };
    rig.start();
    gets(&mut rig, "t1");
    rig.opened(None);
    rig.says(": hi\n\nid: 5:0\ndata: 1\n\n");
    assert_eq!(rig.phase(), Phase::Live);
    rig.feed.renew(rig.now);
    rig.drain();
    rig.out.clear();
    gets(&mut rig, "t2");
    assert!(rig.link == 2 && rig.out[0].starts_with("open "), "{:?}", rig.out);
    rig
}

/// H3, H5: a stream beside that can't go on after what was had is the only one: the new token is taken, so the stream is begun anew.
#[test]
fn nothing_is_joined() {
    for kind in [Kind::Sse, Kind::Mercure] {
        let mut rig = changed(kind, false);
        rig.out.clear();
        rig.opened(None);
        assert_eq!(rig.link, 3, "{kind:?}: {:?}", rig.out);
        assert_eq!(&rig.out[..2], ["close", "close"], "{kind:?}");
        rig.opened(None);
        rig.says(": hi\n\n: hi\n\n");
        assert_eq!(rig.phase(), Phase::Live, "{kind:?}");
        assert!(rig.out.iter().any(|line| line.starts_with("gap unknown: the token was changed")), "{:?}", rig.out);
        for _ in 0..600 {
            rig.pass(Duration::from_secs(1));
            rig.says(": hi\n\n");
        }
        assert_eq!((rig.link, rig.phase(), rig.feed.status().counts.gaps_unknown), (3, Phase::Live, 2), "{kind:?}");
    }
}

/// H2: one that goes on where the first stands takes over without a gap.
#[test]
fn a_replay_is_joined() {
    let mut rig = changed(Kind::Sse, true);
    rig.opened(None);
    for _ in 0..20 {
        for link in [1, 2] {
            rig.link = link;
            rig.says(": hi\n\n");
        }
        rig.pass(Duration::from_secs(1));
        assert_eq!(rig.phase(), Phase::Live);
    }
    assert_eq!(rig.out.iter().filter(|line| *line == "close").count(), 1, "{:?}", rig.out);
    assert_eq!(rig.feed.status().counts.gaps_unknown, 1);
}
