//! H3, H4 through restarts of which none loses anything: the hub is as one that has lived on.

use std::{sync::Arc, time::Duration};

use proptest::{
    prelude::{Just, ProptestConfig, Strategy, any, prop_oneof, proptest},
    test_runner::RngSeed,
};
use watchfloor_board::Aggregate;

use super::{CHANNELS, Machine, NAMES, body};
use crate::{
    channel::HistoryLimits,
    clock::{ClockOrder, Now, Setting},
    ledger::{
        Cut,
        tests::{FOLDS, restored},
    },
    publish::{self, Form},
    rules::Rules,
    state::{Key, Outcome, State, StateLimits},
};

/// What can happen to a hub of which nothing is lost.
#[derive(Clone, Debug)]
enum Course {
    Publish(Vec<(usize, usize, u8, i32, i64)>),
    Wait {
        millis: u64,
    },
    /// Set the clock ahead by minutes, at a speed.
    SetClock {
        minutes: u64,
        speed: u8,
    },
    Look,
    Save {
        checkpoint: bool,
    },
    Restart {
        is_crash: bool,
    },
}

fn course() -> impl Strategy<Value = Course> {
    let event = (0..2_usize, 0..NAMES.len(), 0..12_u8, -100..100_i32, -2..1200_i64);
    prop_oneof![
        8 => proptest::collection::vec(event, 1..12).prop_map(Course::Publish),
        3 => (1_u64..400_000).prop_map(|millis| Course::Wait { millis }),
        1 => (0..30_u64, 0..3_u8).prop_map(|(minutes, speed)| Course::SetClock { minutes, speed }),
        2 => Just(Course::Look),
        3 => any::<bool>().prop_map(|checkpoint| Course::Save { checkpoint }),
        3 => any::<bool>().prop_map(|is_crash| Course::Restart { is_crash }),
    ]
}

proptest! {
    #![proptest_config(ProptestConfig {
        cases: 64, rng_seed: RngSeed::Fixed(9), failure_persistence: None, ..ProptestConfig::default()
    })]

    /// H3, H4: a hub that was killed when everything was kept is as one that has lived on: history within its limits, aggregates, windows,
    /// what didn't fit, the answers to keys, the clock.
    #[test]
    fn a_hub_that_was_restarted_is_as_one_that_was_not(courses in proptest::collection::vec(course(), 1..30)) {
        let history = HistoryLimits { events: 20, age: Duration::from_secs(900), ..Default::default() };
        let limits = StateLimits { history, ..StateLimits::default() };
        let mut machine = Machine::new(limits.clone(), Rules::default());
        let mut twin = State::new("e".into(), limits, FOLDS.clone(), machine.now);
        let mut now = machine.now;
        for (number, course) in courses.into_iter().enumerate() {
            match course {
                Course::Publish(events) => {
                    let body = body(&events, twin.ledger().clock().now(now), 0);
                    let text = format!("key {}", number / 3);
                    let key = Some(Key { text: &text, digest: [number as u64 / 2, 0] });
                    let parse = || publish::parse(body.as_bytes(), Form::Json).expect("events");
                    let (Outcome::Published(_) | Outcome::KeyReused | Outcome::Repeated(_)) = twin.publish(parse(), key, now) else {
                        panic!("not taken")
                    };
                    machine.state.publish(parse(), key, machine.now);
                }
                Course::Wait { millis } => {
                    let time = Duration::from_millis(millis);
                    machine.wait(time);
                    now = Now { mono: now.mono.plus(time), wall: now.wall.plus(time) };
                    twin.trim(now.mono);
                    machine.state.trim(machine.now.mono);
                }
                Course::SetClock { minutes, speed } => {
                    let at = twin.ledger().clock().now(now).plus(Duration::from_secs(60 * minutes));
                    let order = ClockOrder { setting: Setting::At { at, speed: f64::from(speed), label: None }, begins: false };
                    twin.set_clock(&order, now);
                    machine.state.set_clock(&order, machine.now);
                }
                Course::Look => {
                    machine.save(false, false);
                    let channels = CHANNELS.map(Arc::from);
                    let (kept, lived) = (machine.state.snapshot(&channels, machine.now), twin.snapshot(&channels, now));
                    are_alike(&kept, &lived);
                }
                Course::Save { checkpoint } => machine.save(checkpoint, false),
                Course::Restart { is_crash } => {
                    machine.save(false, !is_crash);
                    machine.start();
                }
            }
        }
        machine.save(false, false);
        machine.start();
        for channel in ["flights", "weather"] {
            let lines = |state: &State| -> Vec<_> {
                let ring = state.ring(channel);
                ring.into_iter().flat_map(|ring| ring.entries().map(|entry| entry.line.clone())).collect()
            };
            twin.trim(now.mono);
            assert_eq!(lines(&machine.state), lines(&twin));
        }
        let channels = CHANNELS.map(Arc::from);
        are_alike(&machine.state.snapshot(&channels, machine.now), &twin.snapshot(&channels, now));
        for number in 0..11 {
            let text = format!("key {number}");
            let key = |body| Key { text: &text, digest: [body, 0] };
            for body in 0..16 {
                assert_eq!(machine.state.known(key(body), machine.now), twin.known(key(body), now));
            }
        }
    }
}

fn are_alike(kept: &Cut, lived: &Cut) {
    assert_eq!((&kept.positions, &kept.clock, kept.since), (&lived.positions, &lived.clock, lived.since));
    assert_eq!(kept.aggregates.len(), lived.aggregates.len());
    for fold in FOLDS.iter() {
        let like = Aggregate::new(fold);
        assert_eq!(restored(kept, &like).report(), restored(lived, &like).report(), "{}", like.fingerprint());
    }
}
