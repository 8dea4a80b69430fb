//! What every kind of reducer keeps to (H3, H4, H5), for random events and instants.

pub(crate) mod applier;
pub(crate) mod story;
mod whole;

use proptest::prelude::*;
use serde_json::json;
use watchfloor_model::Timestamp;

use super::Aggregate;
use crate::testing::{self, cases, event};
use applier::Applied;
use story::{FOLDS, Step, fold, play, steps, stepwise};

fn aggregate(number: usize) -> Aggregate {
    Aggregate::new(&fold(number))
}

fn folds() -> std::ops::Range<usize> {
    0..FOLDS
}

proptest! {
    #![proptest_config(cases(400))]

    /// H4: a state that is restored is the state, to the last bit and in every answer.
    #[test]
    fn restoring_is_the_identity(number in folds(), steps in steps()) {
        let mut own = aggregate(number);
        play(&mut own, &steps);
        let mut other = aggregate(number);
        other.restore(&own.state_text()).expect("own state");
        prop_assert_eq!(other.state(), own.state());
        prop_assert_eq!(other.value(0), own.value(0));
        prop_assert_eq!(other.report(), own.report());
        prop_assert_eq!((other.newest(), other.now(), other.horizon()), (own.newest(), own.now(), own.horizon()));
    }

    /// H3, H4: to stop anywhere and go on from the state gives what going through gives.
    #[test]
    fn a_story_may_be_cut_anywhere(number in folds(), steps in steps(), cut in 0..100_usize) {
        let cut = cut.min(steps.len());
        let mut whole = aggregate(number);
        play(&mut whole, &steps);
        let mut first = aggregate(number);
        play(&mut first, &steps[..cut]);
        let mut second = aggregate(number);
        second.restore(&first.state_text()).expect("own state");
        play(&mut second, &steps[cut..]);
        prop_assert_eq!(second.state(), whole.state());
        prop_assert_eq!(second.value(0), whole.value(0));
    }

    /// H3: when time is told to pass makes no difference to where a story in order of time ends.
    #[test]
    fn it_does_not_matter_how_often_time_is_told(
        number in folds(),
        steps in stepwise(),
        told in prop::collection::vec(any::<bool>(), 100),
    ) {
        let end = Step::Advance(steps.iter().map(Step::time).max().unwrap_or(0) + 1);
        let mut often = aggregate(number);
        let mut seldom = aggregate(number);
        let start = Step::Advance(steps.first().map_or(0, Step::time));
        let all: Vec<Step> = std::iter::once(start).chain(steps.iter().cloned()).chain([end]).collect();
        let last = all.len() - 1;
        let some = all.iter().enumerate().filter(|(at, step)| {
            matches!(step, Step::Event(..)) || *at == 0 || *at == last || told[at % told.len()]
        });
        let some: Vec<Step> = some.map(|(_, step)| step.clone()).collect();
        play(&mut often, &all);
        play(&mut seldom, &some);
        prop_assert_eq!(often.state(), seldom.state());
    }

    /// Applying every change since a whole gives the whole: what the page shows is what there is.
    #[test]
    fn changes_add_up(number in folds(), steps in steps(), pulls in prop::collection::vec(any::<bool>(), 1..40)) {
        let fold = fold(number);
        let mut own = Aggregate::new(&fold);
        let mut applied = Applied::default();
        let mut painted = 0;
        for (at, step) in steps.iter().enumerate() {
            play(&mut own, std::slice::from_ref(step));
            if pulls[at % pulls.len()] {
                applied.apply(&fold, own.value(painted));
                painted = own.version();
            }
        }
        applied.apply(&fold, own.value(painted));
        let mut whole = Applied::default();
        whole.apply(&fold, own.value(0));
        prop_assert_eq!(applied, whole);
    }

    /// Bad input leaves the state as it was.
    #[test]
    fn a_rejected_event_changes_nothing(number in folds(), steps in steps()) {
        let mut own = aggregate(number);
        for step in &steps {
            let Step::Event(time, name, data) = step else {
                play(&mut own, std::slice::from_ref(step));
                continue;
            };
            let event = event("c", name, *time, data.clone());
            let (before, version) = (own.state(), own.version());
            if own.wants(&event) && let Err(rejection) = own.fold(&event) {
                prop_assert_eq!(own.state(), before);
                prop_assert_eq!(own.version(), version);
                prop_assert!(rejection.to_string().contains("expected "));
            }
        }
    }

    /// A state that isn't one is refused and changes nothing; whatever it is, nothing panics.
    #[test]
    fn odd_states_are_refused(number in folds(), steps in steps(), at in 0..10_000_usize, which in 0..8_usize) {
        let mut own = aggregate(number);
        play(&mut own, &steps);
        let before = own.state();
        let odd = [json!(null), json!(-1), json!("x"), json!([]), json!({}), json!(i64::MAX), json!(1e300), json!([[1, 2]])];
        let mut state = before.clone();
        story::replace(&mut state, at, &odd[which]);
        let mut other = aggregate(number);
        play(&mut other, &steps);
        if other.restore(&crate::reduce::to_json(&state)).is_err() {
            prop_assert_eq!(other.state(), before);
        } else {
            // Taken: then it must work.
            play(&mut other, &steps);
            other.advance(Timestamp::from_millis(i64::MAX));
            let _ = (other.value(0), other.report(), other.next_change());
        }
    }
}

#[test]
fn states_of_other_kinds_are_refused() {
    for a in folds() {
        for b in folds() {
            let (mut own, other) = (aggregate(a), aggregate(b));
            if own.kind() != other.kind() {
                let error = own.restore(&other.state_text()).expect_err("another kind").to_string();
                assert!(error.starts_with(&format!("the state of {} can't be restored", own.kind())), "{error}");
            }
        }
    }
    let error = aggregate(0).restore(&crate::reduce::to_json(&json!({"form": 7}))).expect_err("another form");
    assert!(error.to_string().contains("form is 7"), "{error}");
}

/// H5: instants that no calendar has are rejected, and no clock makes the arithmetic overflow.
#[test]
fn odd_instants_do_no_harm() {
    for number in folds() {
        let mut own = aggregate(number);
        for time in [i64::MIN, i64::MAX, 8_640_000_000_000_001] {
            let error = own.fold(&event("c", "e", time, story::sound(1))).expect_err("no instant");
            assert!(error.to_string().starts_with("time: found "), "{error}");
        }
        for now in [i64::MIN, i64::MAX, 0, 8_640_000_000_000_000, -8_640_000_000_000_000, 5] {
            for time in [-8_640_000_000_000_000, 0, 3, 8_640_000_000_000_000] {
                // Whether it fits or not is the kind's to say.
                let _ = own.fold(&event("c", "e", time, story::sound(time)));
            }
            own.advance(Timestamp::from_millis(now));
            own.note_gap(Timestamp::from_millis(i64::MIN), Timestamp::from_millis(now));
            let state = own.state_text();
            own.restore(&state).expect("own state");
            let _ = (own.value(0), own.report(), own.next_change());
        }
    }
}

/// The state is the events' and not the look's; fingerprints tell folds apart.
#[test]
fn fingerprints_differ_by_fold() {
    let prints: std::collections::BTreeSet<String> =
        folds().map(|number| aggregate(number).fingerprint().to_owned()).collect();
    assert_eq!(prints.len(), FOLDS);
    let print = testing::aggregate(json!({"kind": "counter"})).fingerprint().to_owned();
    // Written out, because another program's snapshot must be found under the same name.
    assert_eq!(print, "counter-ee1574a10ef0a6a8");
}
