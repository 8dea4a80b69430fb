//! Who is there: by people and by connections, through breaks and through leaving.

use proptest::prelude::*;

use super::*;

const LINGER: Duration = Duration::from_secs(3);

fn at(seconds: u64) -> Mono {
    Mono::from_millis(seconds * 1000)
}

fn person(id: &str) -> Person {
    Person { id: id.into(), info: None }
}

fn people(sockets: u32) -> (People, u64, Arc<str>) {
    let mut people = People::new(LINGER);
    people.tell_sites();
    for socket in 0..sockets {
        people.connect(Socket::new(socket, 0), u64::from(socket), "app".into());
    }
    (people, 0, "presence-a".into())
}

fn happened(people: &mut People) -> Vec<Happened> {
    people.take_happened().0
}

fn ids(people: &People, channel: &str) -> Vec<String> {
    people.present(channel).map(|(id, _)| id.to_string()).collect()
}

/// Who comes back in time was never gone, for the others; who doesn't is gone after it, once.
#[test]
fn a_break_is_no_leave() {
    let (mut people, mut serial, room) = people(3);
    people.subscribe(Socket::new(0, 0), &room, Some(&person("ann")), &mut serial).expect("room");
    assert_eq!(happened(&mut people), [Happened::Occupied(room.clone()), Happened::Came(room.clone(), "ann".into())]);
    let moves = people.moves(&room);
    people.disconnect(Socket::new(0, 0), at(10));
    assert_eq!((ids(&people, &room), people.poll_timeout()), (vec!["ann".to_owned()], at(13)));

    assert!(people.advance(at(12), &mut serial).is_empty());
    people.subscribe(Socket::new(1, 0), &room, Some(&person("ann")), &mut serial).expect("room");
    assert!(people.advance(at(20), &mut serial).is_empty() && happened(&mut people).is_empty());
    assert_eq!((people.moves(&room), people.poll_timeout()), (moves, Mono::NEVER));

    people.disconnect(Socket::new(1, 0), at(30));
    people.advance(at(33), &mut serial);
    assert_eq!(happened(&mut people), [Happened::Went(room.clone(), "ann".into()), Happened::Vacated(room.clone())]);
    assert!(ids(&people, &room).is_empty() && people.advance(at(99), &mut serial).is_empty());
}

/// Who says that he leaves is gone at once, unless he is there by another connection.
#[test]
fn to_leave_is_no_break() {
    let (mut people, mut serial, room) = people(2);
    for socket in 0..2 {
        people.subscribe(Socket::new(socket, 0), &room, Some(&person("ann")), &mut serial).expect("room");
    }
    happened(&mut people);
    people.unsubscribe(Socket::new(0, 0), &room, at(1), &mut serial);
    assert!(happened(&mut people).is_empty() && people.count(&room) == 1);
    people.unsubscribe(Socket::new(1, 0), &room, at(1), &mut serial);
    assert_eq!(happened(&mut people), [Happened::Went(room.clone(), "ann".into())]);
    people.advance(at(4), &mut serial);
    assert_eq!(happened(&mut people), [Happened::Vacated(room.clone())]);
    assert!(people.rooms.is_empty() && people.counts.is_empty());
}

/// A user's connections end, and nobody else's.
#[test]
fn who_is_ended() {
    let (mut people, _, _) = people(3);
    people.sign_in(Socket::new(1, 0), "ann".into());
    people.sign_in(Socket::new(2, 0), "bob".into());
    assert_eq!(people.terminate("other", "ann"), Vec::<u64>::new());
    assert_eq!(people.terminate("app", "ann"), [1]);
    let ended: Vec<bool> = (0..4).map(|socket| people.is_ended(Socket::new(socket, 0))).collect();
    assert_eq!(ended, [false, true, false, true], "one that isn't there has ended too");
}

proptest! {
    /// Whatever happens: a reader that takes every move has those who are there, and counts are what they are.
    #[test]
    fn moves_lead_to_who_is_there(story in prop::collection::vec((0_u32..6, 0_u8..4, 0_u64..5), 1..120)) {
        let (mut people, mut serial, room) = people(6);
        let names = ["ann", "bob", "eve"];
        // By connection: as whom it is in the room.
        let mut seats: BTreeMap<u32, Option<usize>> = (0..6).map(|socket| (socket, None)).collect();
        let mut lingering: BTreeMap<usize, Mono> = BTreeMap::new();
        let mut seen: BTreeSet<String> = BTreeSet::new();
        let mut now = at(0);
        for (socket, act, pause) in story {
            now = now.plus(Duration::from_secs(pause));
            people.advance(now, &mut serial);
            lingering.retain(|_, until| *until > now);
            let (own, name) = (Socket::new(socket, 0), socket as usize % names.len());
            match act {
                0 => {
                    people.subscribe(own, &room, Some(&person(names[name])), &mut serial).expect("room");
                    seats.insert(socket, Some(name));
                    lingering.remove(&name);
                }
                1 => {
                    people.unsubscribe(own, &room, now, &mut serial);
                    seats.insert(socket, None);
                }
                _ => {
                    people.disconnect(own, now);
                    if seats.insert(socket, None).flatten().is_some() && !seats.values().any(|seat| *seat == Some(name)) {
                        lingering.insert(name, now.plus(LINGER));
                    }
                    people.connect(own, u64::from(socket), "app".into());
                }
            }
            for what in happened(&mut people) {
                match what {
                    Happened::Came(_, id) => prop_assert!(seen.insert(id.to_string()), "came twice"),
                    Happened::Went(_, id) => prop_assert!(seen.remove(&*id), "went twice"),
                    _ => {}
                }
            }
            let there: BTreeSet<String> = seats.values().flatten().chain(lingering.keys()).map(|name| names[*name].to_owned()).collect();
            prop_assert_eq!(&there, &seen);
            prop_assert_eq!(ids(&people, &room), there.into_iter().collect::<Vec<_>>());
            prop_assert_eq!(people.count(&room), seats.values().flatten().count());
        }
    }
}
