//! What is told, whatever the dialect: departures.

/// How many a round.
pub(crate) const COUNT: u64 = 25_600;
/// The channel by which they come.
pub(crate) const CHANNEL: &str = "flights";
/// What all of them are called.
pub(crate) const NAME: &str = "flight.departed";

const START: u64 = 1_360_339_200_000;
const CARRIERS: [&str; 4] = ["UA", "B6", "DL", "EV"];
const AIRPORTS: [&str; 5] = ["IAH", "MIA", "BQN", "ATL", "ORD"];

/// When it happened, in milliseconds since 1970.
pub(crate) const fn time(number: u64) -> u64 {
    START + number
}

/// What it says, where its name and time stand outside.
pub(crate) fn data(number: u64) -> String {
    format!("{{{}}}", fields(number))
}

/// The same with its time.
pub(crate) fn timed(number: u64) -> String {
    format!(r#"{{"time":{},{}}}"#, time(number), fields(number))
}

/// The same with its name and time, and `more` fields first.
pub(crate) fn whole(number: u64, more: &str) -> String {
    format!(r#"{{{more}"name":"{NAME}","time":{},{}}}"#, time(number), fields(number))
}

fn fields(number: u64) -> String {
    let [carrier, flight, origin, dest, delay] = values(number);
    format!(r#""carrier":"{carrier}","flight":{flight},"origin":"{origin}","dest":"{dest}","delay":{delay}"#)
}

/// The fields' names.
pub(crate) const FIELDS: [&str; 5] = ["carrier", "flight", "origin", "dest", "delay"];

/// The fields' values.
pub(crate) fn values(number: u64) -> [String; 5] {
    let of = |texts: &[&str]| texts[number as usize % texts.len()].to_owned();
    let delay = format!("{}.5", number % 90);
    [of(&CARRIERS), (number % 2000).to_string(), "EWR".to_owned(), of(&AIRPORTS), delay]
}
