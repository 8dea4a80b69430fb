//! Which screen is on which monitor, and where the pages of one turn that has none. Pure.

use watchfloor_board::GlassSpec;

use super::{Monitor, Screen, Wanted};

/// Where a window belongs: to a screen of one monitor, or to a part of one that is a picture over several.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Spot {
    /// The screen's number.
    pub(crate) screen: usize,
    /// Which of its monitors, row by row from 0; none if it has one.
    pub(crate) part: Option<usize>,
}

impl Spot {
    /// The monitor that it wants.
    pub(crate) fn wanted(self, screens: &[Screen]) -> Option<&Wanted> {
        let screen = screens.get(self.screen)?;
        self.part.map_or(Some(&screen.monitor), |part| screen.monitors.iter().flatten().nth(part))
    }

    /// What people call it.
    pub(super) fn named(self, screens: &[Screen]) -> String {
        let id = screens.get(self.screen).map(|screen| screen.id.as_str()).unwrap_or_default();
        self.part.map_or_else(|| format!("screen {id:?}"), |part| format!("screen {id:?} monitor {}", part + 1))
    }
}

/// A window for each monitor of each screen, in the settings' order.
pub(crate) fn spots(screens: &[Screen]) -> Vec<Spot> {
    let parts = |(number, screen): (usize, &Screen)| -> Vec<Spot> {
        let count = screen.monitors.iter().map(Vec::len).sum();
        let part = |part: usize| Spot { screen: number, part: Some(part) };
        if count == 0 { vec![Spot { screen: number, part: None }] } else { (0..count).map(part).collect() }
    };
    screens.iter().enumerate().flat_map(parts).collect()
}

/// Where every window is.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Plan {
    /// For each window, as [`spots`] has them, the number of its monitor; none if that isn't there.
    pub(crate) places: Vec<Option<usize>>,
    /// Windows whose monitor is there and shows what another one shows, as where the desktop is mirrored: only one of both can be seen.
    pub(crate) covered: Vec<usize>,
    /// For each screen that has none, where its pages turn: the numbers of both.
    pub(crate) guests: Vec<(usize, usize)>,
}

/// Each screen gets the monitor that is called as it wants, then the one that is plugged in there, then the one that stands there; those
/// that want none get what is left, from the left. No monitor is another's for that: one that is known to belong to a screen waits for it. Of monitors that
/// show the same part of the desktop one has a window: a second one would lie upon it.
pub(crate) fn plan(screens: &[Screen], monitors: &[Monitor]) -> Plan {
    let mut order: Vec<usize> = (0..monitors.len()).collect();
    order.sort_by_key(|at| monitors.get(*at).map(|monitor| (monitor.place.x, monitor.place.y)));
    let spots = spots(screens);
    let mut places: Vec<Option<usize>> = vec![None; spots.len()];
    let mut covered: Vec<usize> = Vec::new();
    let is_covered = |places: &[Option<usize>], monitor: &Monitor| {
        places.iter().flatten().filter_map(|at| monitors.get(*at)).any(|other| other.place.lies_upon(monitor.place))
    };
    let mut give = |is_it: &dyn Fn(&Wanted, usize, &Monitor) -> bool| {
        for (at, wanted) in spots.iter().enumerate().filter_map(|(at, spot)| Some((at, spot.wanted(screens)?))) {
            if places.get(at).copied().flatten().is_some() {
                continue;
            }
            let free = order.iter().enumerate().filter(|(_, own)| !places.contains(&Some(**own)));
            let mut found = free.filter_map(|(from_left, own)| {
                let monitor = monitors.get(*own).filter(|monitor| is_it(wanted, from_left, monitor))?;
                Some((*own, is_covered(&places, monitor)))
            });
            let mut lies_upon = false;
            let free = found.find_map(|(own, is_covered)| {
                lies_upon |= is_covered;
                (!is_covered).then_some(own)
            });
            if free.is_none() && lies_upon {
                covered.push(at);
            }
            if let Some(place) = places.get_mut(at) {
                *place = free;
            }
        }
    };
    let calls = |wanted: &Wanted, monitor: &Monitor| {
        let words = wanted.edid.as_ref();
        words.zip(monitor.identity.as_ref()).is_some_and(|(words, identity)| identity.is_called(words))
    };
    give(&|wanted, _, monitor| calls(wanted, monitor));
    give(&|wanted, _, monitor| wanted.name.as_ref().is_some_and(|name| *name == monitor.name));
    give(&|wanted, from_left, _| wanted.at == Some(from_left));
    give(&|wanted, _, _| *wanted == Wanted::default());
    // A wall with a monitor is never dark.
    if places.iter().all(Option::is_none)
        && let (Some(place), Some(first)) = (places.first_mut(), order.first())
    {
        *place = Some(*first);
    }
    let is_there = |at: &usize| has_place(&spots, &places, *at);
    let count = screens.len();
    let host = |at: usize| (1..count).map(|step| (at + step) % count).find(is_there);
    let guests = (0..count).filter(|at| !is_there(at)).filter_map(|at| Some((at, host(at)?))).collect();
    covered.retain(|at| places.get(*at).is_some_and(Option::is_none));
    covered.sort_unstable();
    covered.dedup();
    Plan { places, covered, guests }
}

/// Whether any window of a screen has a monitor.
fn has_place(spots: &[Spot], places: &[Option<usize>], screen: usize) -> bool {
    spots.iter().zip(places).any(|(spot, place)| spot.screen == screen && place.is_some())
}

impl Plan {
    /// The monitors of a screen, in its own order.
    pub(crate) fn of<'a>(
        &self,
        screens: &[Screen],
        screen: usize,
        monitors: &'a [Monitor],
    ) -> Vec<Option<&'a Monitor>> {
        let own = spots(screens).into_iter().zip(&self.places).filter(|(spot, _)| spot.screen == screen);
        own.map(|(_, place)| place.and_then(|at| monitors.get(at))).collect()
    }

    /// What turns on each screen that has a monitor: its own pages, and those of its guests behind them.
    pub(crate) fn glasses(&self, screens: &[Screen]) -> Vec<GlassSpec> {
        let spots = spots(screens);
        let there = screens.iter().enumerate().filter(|(at, _)| has_place(&spots, &self.places, *at));
        there
            .map(|(at, screen)| {
                let guests =
                    self.guests.iter().filter(|(_, host)| *host == at).filter_map(|(guest, _)| screens.get(*guest));
                let all: Vec<&Screen> = std::iter::once(screen).chain(guests).collect();
                // One that has all of the board's pages has those of its guests as well.
                let mut pages: Vec<String> = Vec::new();
                if all.iter().all(|own| !own.pages.is_empty()) {
                    for id in all.iter().flat_map(|own| &own.pages) {
                        if !pages.contains(id) {
                            pages.push(id.clone());
                        }
                    }
                }
                GlassSpec { id: screen.id.clone(), pages }
            })
            .collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::screens::{
        Rect, Wanted,
        edid::{Identity, tests::block},
    };

    fn monitor(name: &str, serial: &str, x: i32) -> Monitor {
        Monitor {
            name: name.to_owned(),
            identity: Identity::read(&block("U4323QE", serial, 0)).filter(|_| !serial.is_empty()),
            place: Rect { x, y: 0, width: 1920, height: 1080 },
            size_mm: (0, 0),
        }
    }

    fn screen(id: &str, edid: &str) -> Screen {
        let edid = (!edid.is_empty()).then(|| format!("DEL U4323QE {edid}"));
        let monitor = Wanted { edid, ..Wanted::default() };
        Screen { id: id.to_owned(), monitor, pages: vec![format!("{id}-page")], ..Screen::default() }
    }

    fn places(screens: &[Screen], monitors: &[Monitor]) -> Vec<Option<usize>> {
        plan(screens, monitors).places
    }

    /// A screen follows its monitor to any port and any place, and waits for it.
    #[test]
    fn a_screen_follows_its_monitor() {
        let screens = [screen("left", "A"), screen("right", "B")];
        let (a, b) = (monitor("HDMI-1", "A", 0), monitor("DP-1", "B", 1920));
        assert_eq!(places(&screens, &[a.clone(), b.clone()]), [Some(0), Some(1)]);
        assert_eq!(places(&screens, &[monitor("DP-1", "B", 0), monitor("DP-2", "A", 1920)]), [Some(1), Some(0)]);
        let lost = plan(&screens, std::slice::from_ref(&b));
        assert_eq!((lost.places.clone(), lost.guests.clone()), (vec![None, Some(0)], vec![(0, 1)]));
        assert_eq!(
            lost.glasses(&screens),
            [GlassSpec { id: "right".into(), pages: vec!["right-page".into(), "left-page".into()] }]
        );
        assert_eq!(places(&screens, &[b, a]), [Some(1), Some(0)]);
    }

    /// By port, then by place; and what says nothing gets what is left.
    #[test]
    fn what_is_not_known_goes_by_port_and_place() {
        let mut screens = [screen("left", "A"), screen("mid", ""), screen("right", "")];
        screens[0].monitor.name = Some("HDMI-1".into());
        screens[2].monitor.at = Some(1);
        let found = [monitor("HDMI-1", "", 0), monitor("HDMI-2", "", 1920), monitor("HDMI-3", "", 3840)];
        assert_eq!(places(&screens, &found), [Some(0), Some(2), Some(1)]);
        assert_eq!(places(&screens, &found[1..]), [None, Some(0), Some(1)]);
    }

    /// H1: where the desktop is mirrored one window has it: a second one would lie upon it, and its pages be seen nowhere.
    #[test]
    fn no_window_lies_upon_another() {
        let at = |name: &str, serial: &str, x: i32, y: i32| Monitor {
            place: Rect { x, y, width: 1920, height: 1080 },
            ..monitor(name, serial, 0)
        };
        let screens = [screen("left", "A"), screen("right", "B")];
        let mirrored = [at("DP-1", "A", 0, 0), at("DP-2", "B", 0, 0)];
        let told = plan(&screens, &mirrored);
        assert_eq!((told.places.clone(), told.covered.clone()), (vec![Some(0), None], vec![1]));
        assert_eq!(told.guests, [(1, 0)]);
        // Also a part of it, and whatever they are known by; and one that is free goes first.
        let mut named = [screen("left", ""), screen("mid", ""), screen("right", "")];
        named[1].monitor.name = Some("DP-2".into());
        let over = [at("DP-1", "", 0, 0), at("DP-2", "", 960, 540), at("DP-3", "", 3840, 0)];
        let told = plan(&named, &over);
        assert_eq!((told.places.clone(), told.covered.clone()), (vec![Some(2), Some(1), None], vec![2]));
        // Edge to edge is apart, and so is what shares a few lines where a scale was rounded.
        let rounded = [at("DP-1", "A", 0, 0), at("DP-2", "B", 1918, 0)];
        assert!(plan(&screens, &rounded).covered.is_empty());
        let beside = [at("DP-1", "A", 0, 0), at("DP-2", "B", 1920, 0)];
        assert!(plan(&screens, &beside).covered.is_empty());
        assert!(plan(&screens, &[at("DP-1", "A", 0, 0), at("DP-2", "B", 0, 1080)]).covered.is_empty());
        // Of one picture no part is seen twice and another nowhere.
        let want = |serial: &str| screen("", serial).monitor;
        let wall =
            [Screen { monitor: Wanted::default(), monitors: vec![vec![want("A"), want("B")]], ..screen("wall", "") }];
        let told = plan(&wall, &mirrored);
        assert_eq!((told.places.clone(), told.covered.clone()), (vec![Some(0), None], vec![1]));
    }

    /// Two that say the same of themselves go from the left; a monitor that is nobody's is used before the wall is dark.
    #[test]
    fn twins_and_strangers() {
        let twins = [screen("left", "A"), screen("right", "A")];
        assert_eq!(places(&twins, &[monitor("DP-1", "A", 1920), monitor("DP-2", "A", 0)]), [Some(1), Some(0)]);
        assert_eq!(places(&twins, &[monitor("DP-1", "C", 0)]), [Some(0), None]);
        assert_eq!(plan(&twins, &[]), Plan { places: vec![None, None], ..Plan::default() });
        assert_eq!(plan(&[], &[monitor("DP-1", "C", 0)]), Plan::default());
    }

    /// A picture over several monitors has a window on each, wherever they are plugged in, and one glass.
    #[test]
    fn a_span_has_a_window_on_each() {
        let want = |serial: &str| screen("", serial).monitor;
        let wall =
            Screen { monitor: Wanted::default(), monitors: vec![vec![want("A"), want("B")]], ..screen("wall", "") };
        let screens = [wall, screen("right", "C")];
        let all = [monitor("1", "C", 0), monitor("2", "B", 1920), monitor("3", "A", 3840)];
        let spanned = plan(&screens, &all);
        assert_eq!((spanned.places.clone(), spanned.guests.len()), (vec![Some(2), Some(1), Some(0)], 0));
        let names = |plan: &Plan| -> Vec<String> { plan.glasses(&screens).into_iter().map(|glass| glass.id).collect() };
        assert_eq!(names(&spanned), ["wall", "right"]);
        let of: Vec<_> = spanned.of(&screens, 0, &all).into_iter().flatten().map(|own| own.name.as_str()).collect();
        assert_eq!(of, ["3", "2"]);
        // One of the two is enough for its pages; without both they are another's.
        let half = plan(&screens, &all[..2]);
        assert_eq!((half.places.clone(), half.guests.clone()), (vec![None, Some(1), Some(0)], Vec::new()));
        assert_eq!(names(&half), ["wall", "right"]);
        let lost = plan(&screens, &all[..1]);
        assert_eq!((lost.places.clone(), lost.guests.clone()), (vec![None, None, Some(0)], vec![(0, 1)]));
        assert_eq!(names(&lost), ["right"]);
    }

    /// H1: no page is lost, whatever is unplugged: each turns on some screen as long as there is a monitor.
    #[test]
    fn no_page_is_lost() {
        let screens = [screen("a", "A"), screen("b", "B"), screen("c", "")];
        let all = [monitor("1", "A", 0), monitor("2", "B", 1920), monitor("3", "", 3840), monitor("4", "D", 5760)];
        for mask in 1..1_usize << all.len() {
            let there: Vec<Monitor> =
                all.iter().enumerate().filter(|(at, _)| mask >> at & 1 == 1).map(|(_, own)| own.clone()).collect();
            let plan = plan(&screens, &there);
            let mut pages: Vec<String> = plan.glasses(&screens).into_iter().flat_map(|glass| glass.pages).collect();
            pages.sort_unstable();
            assert_eq!(pages, ["a-page", "b-page", "c-page"], "{mask:b}");
            let mut used: Vec<usize> = plan.places.iter().copied().flatten().collect();
            used.sort_unstable();
            used.dedup();
            assert_eq!(used.len(), plan.places.iter().flatten().count(), "{mask:b}: one window a monitor");
        }
    }
}
