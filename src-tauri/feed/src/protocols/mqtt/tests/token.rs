//! A password that is changed or comes to its end while a link stands.

use super::*;

/// What ends a CONNECT by `t1` and by `t2`.
const T1: &str = "00027431";
const T2: &str = "00027432";

impl Rig {
    fn gets(&mut self, token: &str, expiry: Expiry) {
        let fetch = self.token.take().expect("asked for");
        let outcome = Ok(Credential { token: Secret::new(token), expiry });
        self.feed.handle_input(Input::Credential { fetch, outcome }, self.now);
        self.drain();
    }

    /// Live by `t1`. Answers how it connected.
    fn live_by(expiry: fn(Mono) -> Expiry) -> (Self, String) {
        let mut rig = Self::new(|config| config.asks_token = true);
        rig.feed.start(rig.now);
        rig.drain();
        rig.gets("t1", expiry(rig.now));
        rig.open();
        let connect = rig.out.pop().expect("sent");
        assert!(connect.ends_with(T1), "{connect}");
        rig.says(&[CONNACK, SUBACK, PONG, PONG]);
        assert_eq!(rig.phase(), Phase::Live);
        rig.out.clear();
        (rig, connect)
    }

    fn renews(&mut self, token: &str) {
        self.feed.renew(self.now);
        self.drain();
        self.gets(token, Expiry::Unknown);
    }

    /// A server that answers pings, and each new link as it should, for so long. How many were opened, and what was sent first on them.
    fn goes_on(&mut self, seconds: u64) -> Vec<String> {
        let mut connects = Vec::new();
        let mut known = self.link;
        for _ in 0..seconds {
            for link in known..=self.link {
                self.link = link;
                if link > known {
                    self.open();
                    connects.extend(self.out.iter().rfind(|line| line.starts_with("secret 10")).cloned());
                    self.says(&[CONNACK, SUBACK, PONG, PONG]);
                }
                self.says(&[PONG]);
            }
            known = known.max(self.link);
            self.pass(Duration::from_secs(1));
        }
        connects
    }
}

/// A CONNECT's flags and what it says of how long its session is kept; its client.
fn connects(connect: &str) -> (bool, bool, String) {
    let (_, rest) = connect.split_once("00044d51545405").expect("version 5");
    let flags = u8::from_str_radix(&rest[..2], 16).expect("flags");
    let (_, client) = connect.split_once(&to_hex(b"wall")).expect("a client");
    (flags & 2 != 0, connect.contains("1100000000"), client[..32].to_owned())
}

/// H3, H5: a changed password of which nobody knows an end is tried by one connection beside, for which the broker keeps nothing. It takes
/// it, so the link is begun anew, as the client that it was.
#[test]
fn a_changed_one_is_tried_once() {
    let (mut rig, first) = Rig::live_by(|_| Expiry::Unknown);
    let (clean, forgets, client) = connects(&first);
    assert!(!clean && !forgets);
    rig.renews("t2");
    rig.open();
    let trial = rig.out.pop().expect("sent");
    let (clean, forgets, other) = connects(&trial);
    assert!(clean && forgets && trial.ends_with(T2) && other != client, "{trial}");
    rig.out.clear();
    rig.says(&[CONNACK, SUBACK]);
    assert!(
        rig.out.ends_with(&["close".to_owned(), "close".to_owned(), "open mqtt://broker.example:1883".to_owned()]),
        "{:?}",
        rig.out
    );
    rig.open();
    let second = rig.out.pop().expect("sent");
    assert!(second.ends_with(T2), "{second}");
    assert_eq!(connects(&second), (false, false, client));
    rig.out.clear();
    rig.says(&[CONNACK_KEPT, SUBACK, PONG, PONG]);
    assert_eq!(rig.phase(), Phase::Live);
    let gaps: Vec<_> = rig.out.iter().filter(|line| line.starts_with("gap")).collect();
    assert!(gaps.len() == 1 && gaps[0].starts_with("gap unknown: the token was changed"), "{gaps:?}");
    assert_eq!(rig.goes_on(600), Vec::<String>::new());
    assert_eq!((rig.phase(), rig.feed.status().counts.gaps_unknown), (Phase::Live, 2));
}

/// H1, H3: a link that is lost while another password is tried beside it is come back from by its own session: what was acknowledged on it
/// isn't told again, and what the broker sent to the other client isn't told at all.
#[test]
fn a_link_that_is_lost_while_another_is_tried() {
    let (mut rig, first) = Rig::live_by(|_| Expiry::Unknown);
    rig.renews("t2");
    rig.open();
    rig.says(&[CONNACK]);
    let trial = std::mem::replace(&mut rig.link, 1);
    rig.out.clear();
    rig.says(&[TICK]);
    assert!(rig.out.join("\n").contains("tick 1"), "{:?}", rig.out);
    rig.link = trial;
    rig.says(&[TICK]);
    rig.link = 1;
    rig.reconnect();
    let second = rig.out.iter().rfind(|line| line.starts_with("secret 10")).cloned().expect("sent");
    assert!(second.ends_with(T2), "{second}");
    assert_eq!(connects(&second), connects(&first));
    rig.out.clear();
    let again = TICK.replacen("32", "3a", 1);
    rig.says(&[CONNACK_KEPT, SUBACK, &again, PONG, PONG]);
    assert_eq!(rig.phase(), Phase::Live);
    assert!(!rig.out.join("\n").contains("tick"), "{:?}", rig.out);
    assert_eq!(rig.feed.status().counts.events, 1);
}

/// H2, H3, H5: where an end is told nothing is begun before it: a link beside could join nothing. Then it is begun anew, once.
#[test]
fn a_new_one_is_taken_at_the_olds_end() {
    let (mut rig, first) = Rig::live_by(|now| Expiry::At(now.plus(Duration::from_secs(60))));
    rig.renews("t2");
    assert_eq!(rig.goes_on(59), Vec::<String>::new());
    assert_eq!((rig.phase(), rig.feed.status().counts.gaps_unknown), (Phase::Live, 1));
    let opened = rig.goes_on(300);
    assert!(opened.len() == 1 && opened[0].ends_with(T2), "{opened:?}");
    assert_eq!(connects(&opened[0]), connects(&first));
    assert_eq!((rig.phase(), rig.feed.status().counts.gaps_unknown), (Phase::Live, 2));
}

/// H2, H3: an end that is only read from the token ends nothing: the link is left when the broker ends it.
#[test]
fn a_new_one_is_taken_when_the_broker_ends_the_link() {
    let (mut rig, _) = Rig::live_by(|now| Expiry::About(now.plus(Duration::from_secs(60))));
    rig.renews("t2");
    assert_eq!(rig.goes_on(300), Vec::<String>::new());
    assert_eq!((rig.phase(), rig.feed.status().counts.gaps_unknown), (Phase::Live, 1));
    rig.reconnect();
    assert!(rig.out.iter().any(|line| line.starts_with("secret 10") && line.ends_with(T2)), "{:?}", rig.out);
}

/// H2: a password that the broker doesn't take costs the link nothing, and is not tried again.
#[test]
fn a_wrong_one_costs_nothing() {
    let (mut rig, _) = Rig::live_by(|_| Expiry::Unknown);
    rig.renews("t2");
    rig.open();
    rig.says(&["2003008600"]);
    rig.link = 1;
    assert_eq!(rig.phase(), Phase::Live);
    assert!(rig.feed.status().renewal.is_some_and(|why| why.contains("doesn't take it")), "{:?}", rig.feed.status());
    assert_eq!(rig.goes_on(60), Vec::<String>::new());
    assert_eq!((rig.phase(), rig.feed.status().counts.gaps_unknown), (Phase::Live, 1));
}
