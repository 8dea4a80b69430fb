//! Orders of a made-up warehouse, *Northgate*, on a day on which its largest carrier stops collecting.
//!
//! | event | instant |
//! | --- | --- |
//! | `order.placed`, `order.packed` | as they come, and when the lane is done with it |
//! | `order.late` | a minute after it was promised to leave, if it is still there |
//! | `order.rebooked` | an express order of the failed carrier goes to another |
//! | `order.shipped` | while the truck is loaded |
//! | `lane.status`, `carrier.status`, `dock.status` | every minute |
//! | `carrier.note` | when a carrier stops, is replaced, or comes again |
//!
//! Parcelway's trucks stay away from 14:10 until 17:40. At 15:20 its express orders are given to Swift.

use std::collections::VecDeque;

use serde_json::{Value, json};

use super::script::{DAY_MIN, Dice, Script, clock, hourly, rounded};

const CHANNELS: [&str; 3] = ["orders", "lanes", "carriers"];
const DICE: Dice = Dice::new(0x0f_1f11);

/// Orders an hour, by the hour.
const PLACED: [f64; 24] = [
    14.0, 9.0, 6.0, 5.0, 6.0, 12.0, 28.0, 52.0, 78.0, 94.0, 104.0, 108.0, 100.0, 96.0, 100.0, 106.0, 102.0, 90.0, 84.0,
    86.0, 78.0, 60.0, 40.0, 24.0,
];
/// Chances of an order in each minute.
const SLOTS: i64 = 4;
/// A truck takes so long to load, and nothing that was packed later than that before it comes.
const LOADING_MIN: i64 = 6;
/// Shipped orders leave the list after so long.
const OFF_BOARD_MIN: i64 = 3;
/// An order is to leave so soon; an express one sooner.
const PROMISE_MIN: i64 = 150;
const EXPRESS_MIN: i64 = 70;
const EXPRESS_SHARE: f64 = 0.22;

const FAILED: usize = 0;
const HELPER: usize = 1;
const FAILS: i64 = clock(14, 10);
const REBOOKED: i64 = clock(15, 20);
const COMES_BACK: i64 = clock(17, 40);

struct Carrier {
    id: &'static str,
    name: &'static str,
    share: f64,
    every_min: i64,
    offset_min: i64,
    /// Orders a truck.
    capacity: usize,
}

const CARRIERS: [Carrier; 4] = [
    Carrier { id: "parcelway", name: "Parcelway", share: 0.36, every_min: 30, offset_min: 20, capacity: 50 },
    Carrier { id: "swift", name: "Swift", share: 0.30, every_min: 30, offset_min: 5, capacity: 40 },
    Carrier { id: "bluebird", name: "Bluebird", share: 0.22, every_min: 45, offset_min: 15, capacity: 60 },
    Carrier { id: "halden", name: "Halden", share: 0.12, every_min: 60, offset_min: 50, capacity: 60 },
];

struct Lane {
    id: &'static str,
    name: &'static str,
    share: f64,
    pickers: usize,
    /// Minutes a picker needs for an order.
    picking_min: f64,
}

const LANES: [Lane; 5] = [
    Lane { id: "ambient", name: "Ambient", share: 0.42, pickers: 6, picking_min: 7.0 },
    Lane { id: "chilled", name: "Chilled", share: 0.22, pickers: 3, picking_min: 6.5 },
    Lane { id: "small", name: "Small parts", share: 0.20, pickers: 2, picking_min: 5.2 },
    Lane { id: "bulky", name: "Bulky", share: 0.10, pickers: 3, picking_min: 12.0 },
    Lane { id: "gift", name: "Gift wrap", share: 0.06, pickers: 2, picking_min: 9.5 },
];

struct Order {
    number: String,
    lane: usize,
    booked: usize,
    /// Another one than was booked, from then on.
    rebooked: Option<(i64, usize)>,
    express: bool,
    items: i64,
    placed: i64,
    picked: i64,
    packed: i64,
    due: i64,
    shipped: Option<i64>,
}

impl Order {
    fn carrier(&self, minute: i64) -> usize {
        self.rebooked.filter(|(at, _)| minute >= *at).map_or(self.booked, |(_, carrier)| carrier)
    }

    fn say(&self, script: &Script, minute: i64, status: &str) -> Value {
        json!({
            "order": self.number,
            "lane": LANES[self.lane].name,
            "carrier": CARRIERS[self.carrier(minute)].name,
            "service": if self.express { "express" } else { "standard" },
            "items": self.items,
            "placed": script.ms(self.placed),
            "due": script.ms(self.due),
            "status": status,
        })
    }
}

/// The day at Northgate.
pub(super) fn story() -> Result<Script, jiff::Error> {
    let mut script = Script::new(&CHANNELS)?;
    let mut orders = placed();
    ship(&mut orders);
    for order in &orders {
        tell(&mut script, order);
    }
    for (minute, text) in
        [(FAILS, "Parcelway stops"), (REBOOKED, "Express to Swift"), (COMES_BACK, "Parcelway collects")]
    {
        let carrier = if minute == REBOOKED { HELPER } else { FAILED };
        let said = json!({ "carrier": CARRIERS[carrier].name, "text": text });
        script.tell(minute, "carriers", "carrier.note", CARRIERS[carrier].id, said);
    }
    for minute in 0..=DAY_MIN {
        tell_lanes(&mut script, &orders, minute);
        tell_carriers(&mut script, &orders, minute);
    }
    Ok(script.done())
}

/// Every order, picked and packed by its lane in the order of placing.
fn placed() -> Vec<Order> {
    let mut free: Vec<Vec<f64>> = LANES.iter().map(|lane| vec![0.0; lane.pickers]).collect();
    let mut orders = Vec::new();
    for slot in 0..DAY_MIN * SLOTS {
        let placed = slot / SLOTS;
        if DICE.unit("placed", slot) >= hourly(&PLACED, placed) / 60.0 / SLOTS as f64 {
            continue;
        }
        let lane = index(&LANES, "lane", slot, |lane| lane.share);
        let express = DICE.unit("express", slot) < EXPRESS_SHARE;
        let mut carrier = index(&CARRIERS, "carrier", slot, |carrier| carrier.share);
        if express && carrier == FAILED && (REBOOKED..COMES_BACK).contains(&placed) {
            carrier = HELPER;
        }
        let hand = free[lane].iter_mut().min_by(|a, b| a.total_cmp(b));
        let begun = hand.as_ref().map_or(0.0, |hand| f64::max(**hand, placed as f64 + 1.0));
        let done = begun + LANES[lane].picking_min * DICE.between("picking", slot, 0.7, 1.3);
        if let Some(hand) = hand {
            *hand = done;
        }
        orders.push(Order {
            number: format!("{}", 480_100 + orders.len()),
            lane,
            booked: carrier,
            rebooked: None,
            express,
            items: 1 + (DICE.unit("items", slot).powi(2) * 14.0) as i64,
            placed,
            picked: done as i64,
            packed: done as i64 + 3 + (DICE.unit("packing", slot) * 4.0) as i64,
            due: placed + if express { EXPRESS_MIN } else { PROMISE_MIN },
            shipped: None,
        });
    }
    orders
}

fn index<T>(of: &[T], about: &str, slot: i64, share: impl Fn(&T) -> f64) -> usize {
    let numbered: Vec<_> = of.iter().map(share).enumerate().collect();
    DICE.pick(about, slot, &numbered, |(_, share)| *share).map_or(0, |(at, _)| *at)
}

fn comes(carrier: usize, minute: i64) -> bool {
    let Carrier { every_min, offset_min, .. } = CARRIERS[carrier];
    minute.rem_euclid(every_min) == offset_min.rem_euclid(every_min) && !(carrier == FAILED && is_failed(minute))
}

fn is_failed(minute: i64) -> bool {
    (FAILS..COMES_BACK).contains(&minute)
}

/// Trucks take what waits, the oldest first, express before everything.
fn ship(orders: &mut [Order]) {
    let mut by_packing: Vec<usize> = (0..orders.len()).collect();
    by_packing.sort_by_key(|at| orders[*at].packed);
    let mut packed = VecDeque::from(by_packing);
    let mut waiting: [Vec<usize>; CARRIERS.len()] = Default::default();
    for minute in 0..=DAY_MIN {
        while let Some(at) = packed.front().copied().filter(|at| orders[*at].packed <= minute) {
            packed.pop_front();
            waiting[orders[at].booked].push(at);
        }
        if minute == REBOOKED {
            let (express, stay) = waiting[FAILED].iter().copied().partition::<Vec<_>, _>(|at| orders[*at].express);
            for at in &express {
                orders[*at].rebooked = Some((minute, HELPER));
            }
            waiting[HELPER].extend(express);
            waiting[FAILED] = stay;
        }
        for (carrier, waiting) in waiting.iter_mut().enumerate() {
            if comes(carrier, minute) {
                waiting.sort_by_key(|at| (!orders[*at].express, orders[*at].packed));
                let load = CARRIERS[carrier].capacity.min(waiting.len());
                for (place, at) in waiting.drain(..load).enumerate() {
                    orders[at].shipped = Some(minute + place as i64 * LOADING_MIN / load as i64);
                }
            }
        }
    }
}

fn tell(script: &mut Script, order: &Order) {
    let id = order.number.as_str();
    let mut placed = order.say(script, order.placed, "picking");
    placed["step"] = json!("placed");
    script.tell(order.placed, "orders", "order.placed", id, placed);
    let status = if order.due < order.packed { "late" } else { "packed" };
    let mut packed = order.say(script, order.packed, status);
    packed["picking_min"] = json!(order.packed - order.placed);
    script.tell(order.packed, "orders", "order.packed", id, packed);
    if let Some((minute, _)) = order.rebooked {
        let status = if order.due < minute { "late" } else { "rebooked" };
        script.tell(minute, "orders", "order.rebooked", id, order.say(script, minute, status));
    }
    if order.shipped.is_none_or(|shipped| shipped > order.due) {
        script.tell(order.due + 1, "orders", "order.late", id, order.say(script, order.due + 1, "late"));
    }
    if let Some(minute) = order.shipped {
        let mut said = order.say(script, minute, "shipped");
        said["step"] = json!("shipped");
        said["shipped"] = json!(script.ms(minute));
        said["through_min"] = json!(minute - order.placed);
        said["on_time"] = json!(minute <= order.due);
        said["off_board"] = json!(script.ms(minute + OFF_BOARD_MIN));
        script.tell(minute, "orders", "order.shipped", id, said);
    }
}

fn tell_lanes(script: &mut Script, orders: &[Order], minute: i64) {
    for (at, lane) in LANES.iter().enumerate() {
        let of_lane = || orders.iter().filter(move |order| order.lane == at && order.placed <= minute);
        let open = || of_lane().filter(|order| order.picked > minute);
        let oldest = open().map(|order| minute - order.placed).max().unwrap_or_default();
        let picked = of_lane().filter(|order| order.picked <= minute && order.picked > minute - 60).count();
        let state = match oldest {
            0..25 => "flowing",
            25..60 => "slow",
            _ => "stuck",
        };
        let backlog = open().count();
        let said = json!({
            "lane": lane.name, "backlog": backlog, "oldest_min": oldest, "picked_per_hour": picked,
            "pickers": lane.pickers, "state": state, "detail": format!("{backlog} open, oldest {oldest} min"),
        });
        script.tell(minute, "lanes", "lane.status", lane.id, said);
    }
}

fn tell_carriers(script: &mut Script, orders: &[Order], minute: i64) {
    let open = |order: &&Order| order.placed <= minute && order.shipped.is_none_or(|shipped| shipped > minute);
    let open: Vec<&Order> = orders.iter().filter(open).collect();
    let waiting: Vec<&Order> = open.iter().copied().filter(|order| order.packed <= minute).collect();
    let late = open.iter().filter(|order| order.due < minute).count();
    let oldest = waiting.iter().map(|order| minute - order.packed).max().unwrap_or_default();
    let mut risk_in_all = 0;
    for (at, carrier) in CARRIERS.iter().enumerate() {
        let of_carrier = |order: &&&Order| order.carrier(minute) == at;
        let parcels = waiting.iter().filter(of_carrier).count();
        let to_pick = open.iter().filter(of_carrier).count() - parcels;
        let failed = at == FAILED && is_failed(minute);
        // Nobody knows when the next one comes.
        let next = (minute + 1..=DAY_MIN).find(|minute| comes(at, *minute)).filter(|_| !failed);
        // What its next truck comes too late for; of one that doesn't come, what is promised within the hour.
        let risk = open.iter().filter(of_carrier).filter(|order| order.due < next.unwrap_or(minute + 60)).count();
        risk_in_all += risk;
        let state = match parcels {
            _ if failed => "failed",
            // More than the next truck takes.
            parcels if parcels > carrier.capacity => "behind",
            _ => "on time",
        };
        let load = rounded(parcels as f64 / carrier.capacity as f64, 2);
        let said = json!({
            "carrier": carrier.name,
            "door": at + 1,
            "to_pick": to_pick,
            "waiting": parcels,
            "capacity": carrier.capacity,
            "trucks_full": load,
            "at_risk": risk,
            "state": state,
            // What doesn't come stands first.
            "rank": if failed { 0 } else { 1 },
            "next": next.map(|minute| script.ms(minute)),
            "detail": format!("{parcels} parcels wait"),
        });
        script.tell(minute, "carriers", "carrier.status", carrier.id, said);
    }
    let dock = json!({
        "open": open.len(), "to_pick": open.len() - waiting.len(), "waiting": waiting.len(), "late": late,
        "at_risk": risk_in_all, "oldest_min": oldest,
    });
    script.tell(minute, "carriers", "dock.status", "dock", dock);
}
