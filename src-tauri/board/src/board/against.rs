//! Numbers with a second source: whether the two agree.
//!
//! Both are folded alike, each from its own source. They are compared while both are current and complete; a
//! difference beyond the tolerance that stays for long enough is a dispute. Nothing is averaged and nobody wins: both are shown.

use watchfloor_model::Mono;

use super::{Board, Place, lane::Lane, tracked::Tracked, verdict};
use crate::{
    config::spec::{AgainstSpec, WidgetSpec},
    frame::{Against, Agreement},
};

/// The second opinion on a widget's number.
#[derive(Clone, Debug)]
pub(super) struct Second {
    /// Where it is folded.
    pub(super) place: Place,
    /// Since when the two differ by more than they may. While they can't be compared, that stands.
    apart_since: Option<Mono>,
    /// Whether they can be, and do.
    is_apart: bool,
    /// What was last said.
    told: Told,
}

/// What of it people see.
#[derive(Clone, Copy, Debug, PartialEq)]
struct Told {
    agreement: Agreement,
    value: Option<f64>,
}

/// How two numbers compare.
enum Compared {
    /// They can't be: why.
    Not(String),
    Within,
    Apart,
}

impl Second {
    pub(super) const fn new(place: Place) -> Self {
        Self { place, apart_since: None, is_apart: false, told: Told { agreement: Agreement::Unchecked, value: None } }
    }
}

impl Board {
    /// Compares again; says whether anything visible changed.
    pub(super) fn compare(&mut self, now: Mono) -> bool {
        let mut changed = false;
        for number in 0..self.seconds.len() {
            let Some((compared, settle, value)) = self.compared(number, now) else { continue };
            let Some(second) = self.seconds.get_mut(number).and_then(Option::as_mut) else { continue };
            match compared {
                Compared::Apart => second.apart_since = Some(second.apart_since.unwrap_or(now)),
                Compared::Within => second.apart_since = None,
                Compared::Not(_) => {}
            }
            second.is_apart = matches!(compared, Compared::Apart);
            let is_settled = second.apart_since.is_some_and(|since| now.since(since) >= settle);
            let agreement = match compared {
                Compared::Not(_) => Agreement::Unchecked,
                Compared::Apart if is_settled => Agreement::Disputed,
                Compared::Within => Agreement::Agrees,
                // Two that agreed may be apart for a while; of others that isn't said.
                Compared::Apart => second.told.agreement,
            };
            // While they agree, the second one is nowhere to be seen.
            let value = value.filter(|_| agreement == Agreement::Disputed);
            let told = Told { agreement, value };
            changed |= told != second.told;
            second.told = told;
        }
        changed
    }

    /// When a difference will have stayed for long enough.
    pub(super) fn next_dispute(&self) -> Option<Mono> {
        let each = self.file.widgets.iter().zip(&self.seconds).filter_map(|(widget, second)| {
            let (against, second) = (widget.against.as_ref()?, second.as_ref()?);
            let due = second.apart_since?.plus(against.settle);
            (second.is_apart && second.told.agreement != Agreement::Disputed).then_some(due)
        });
        each.min()
    }

    /// What a widget's second source says, as people are told it; none if it has none.
    pub(super) fn against(&self, number: usize, now: Mono) -> Option<Against> {
        let second = self.seconds.get(number)?.as_ref()?;
        let (lane, tracked) = self.at(second.place)?;
        let (compared, _, value) = self.compared(number, now)?;
        Some(Against {
            source: lane.spec.id.clone(),
            title: lane.spec.title.clone(),
            own_title: self.at(*self.places.get(number)?)?.0.spec.title.clone(),
            agreement: second.told.agreement,
            value: value.filter(|_| tracked.has_value()),
            reason: match compared {
                Compared::Not(reason) => Some(reason),
                Compared::Apart if second.told.agreement == Agreement::Unchecked => Some("they differ".to_owned()),
                Compared::Within | Compared::Apart => None,
            },
        })
    }

    fn compared(&self, number: usize, now: Mono) -> Option<(Compared, std::time::Duration, Option<f64>)> {
        let widget = self.file.widgets.get(number)?;
        let against = widget.against.as_ref()?;
        let own = self.at(*self.places.get(number)?)?;
        let second = self.at(self.seconds.get(number)?.as_ref()?.place)?;
        let value = second.1.aggregate.report().as_f64();
        Some((compare(widget, against, own, second, now), against.settle, value))
    }

    pub(super) fn at(&self, place: Place) -> Option<(&Lane, &Tracked)> {
        let lane = self.lanes.get(place.lane)?;
        Some((lane, lane.tracked.get(place.tracked)?))
    }
}

fn compare(
    widget: &WidgetSpec,
    against: &AgainstSpec,
    own: (&Lane, &Tracked),
    second: (&Lane, &Tracked),
    now: Mono,
) -> Compared {
    let number = |(lane, tracked): (&Lane, &Tracked)| {
        let title = &lane.spec.title;
        let verdict = verdict(widget, lane, tracked, now);
        if !verdict.freshness.is_current() {
            return Err(format!("{title} is {}", verdict.freshness.word()));
        }
        if tracked.incomplete_until.is_some() {
            return Err(format!("{title} may lack events"));
        }
        tracked.aggregate.report().as_f64().ok_or_else(|| format!("{title} has no value"))
    };
    match (number(own), number(second)) {
        (Ok(own), Ok(second)) if (own - second).abs() > against.tolerance => Compared::Apart,
        (Ok(_), Ok(_)) => Compared::Within,
        (Err(reason), _) | (_, Err(reason)) => Compared::Not(reason),
    }
}
