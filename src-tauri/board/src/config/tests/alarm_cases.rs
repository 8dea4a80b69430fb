//! `[[alarm]]` and `[alarms]`.

use std::time::Duration;

use super::{
    super::*,
    SMALL,
    cases::{check, check_both},
};
use crate::{
    alarm::{Judge, Priority, foreign::System},
    config::spec::{AlarmSpec, Judged},
};

/// The small board with this after its widget, whose id is `w`.
fn with(alarms: &str) -> String {
    format!("{SMALL}{alarms}")
}

#[test]
fn rules_are_read() {
    let text = with(
        "[[widget]]\nid = \"late-now\"\nkind = \"gauge\"\nvalue = \"v\"\n\
         [[alarm]]\nid = \"a\"\nwhen = \"late_now > 5 && w < 3\"\n\
         [[alarm]]\nid = \"b\"\ntitle = \"B\"\nwhen = \"late_now.state == 'alarm'\"\npriority = \"critical\"\nparents = \"a\"\nlatch = true\n\
         acknowledge = \"none\"\non-delay = \"2s\"\noff-delay = \"1m\"\ndeadband = 0.5\ngroup = \"g\"\nre-alarm = \"10m\"\nadvice = \"Run.\"\n",
    );
    let board = parse(&text, "f").unwrap_or_else(|errors| panic!("{errors}"));
    let [a, b] = board.alarms.as_slice() else { panic!("{:?}", board.alarms) };
    assert_eq!((&*a.title, a.priority, a.on_delay, a.deadband), ("a", Priority::Medium, Duration::ZERO, 0.0));
    let names = |spec: &AlarmSpec| match &spec.judged {
        Judged::Widgets { names, .. } => names.clone(),
        Judged::Events(_) => panic!("over widgets"),
    };
    assert_eq!(names(a), ["w", "late_now"], "in the order of the inputs");
    assert_eq!((&*b.title, b.priority, &*names(b)[0]), ("B", Priority::Critical, "late_now.state"));
    assert_eq!((b.latches, b.ends_unacknowledged, &*b.parents), (true, true, ["a".to_owned()].as_slice()));
    let how = board.alarming.expect("there are rules");
    assert_eq!((how.notify, how.sound, how.volume_percent), (Some(Priority::High), Some(Priority::Medium), 80));
    assert!(parse(SMALL, "f").expect("a board").alarming.is_none(), "a board without rules says nothing of alarms");
    let silent = parse(&with("[alarms]\nsound = \"none\"\nsource-lost = \"low\"\n"), "f").expect("a board");
    let how = silent.alarming.expect("it says so");
    assert_eq!((how.sound, how.source_lost), (None, Some(Priority::Low)));
}

#[test]
fn bad_rules() {
    let rule = |when: &str| with(&format!("[[alarm]]\nid = \"a\"\nwhen = \"{when}\"\n"));
    check(&rule("v > 5"), &[("13:9", "the condition of `[[alarm]]` `a` can't be taken", "did you mean `w`?")]);
    check(&rule("1 < 2 && w.wrong > 5"), &[("13:19", "can't be taken: found `w.wrong`", "`w` or `w.state`")]);
    check(&rule("1 < 2"), &[("13:8", "the condition of `[[alarm]]` `a` is about nothing", "names a widget")]);
    check(&rule("w + 1"), &[("13:9", "", "a condition, such as")]);
    check(&rule("w > "), &[("13:13", "can't be taken", "")]);
    check(&with("[[alarm]]\nid = \"a\"\n"), &[("11:1", "`when` is missing in `[[alarm]]` `a`", "such as")]);
    check_both(&with("[alarm]\nid = \"a\"\nwhen = \"w > 1\"\n"), &[("11:1", "", "two brackets")]);
    check_both(&with("[[alarms]]\nsound = \"none\"\n"), &[("11:1", "", "one bracket")]);
    check_both(
        &rule("w > 5").replace("id = \"a\"", "id = \"a\"\npriority = \"urgent\""),
        &[("13:12", "", "`critical`")],
    );
    let two = |more: &str| rule("w > 5") + &rule("w > 6").replace(SMALL, "").replace("\"a\"", "\"b\"") + more;
    check(&two("parents = [\"a\", \"c\"]\n"), &[("17:17", "unknown alarm `c`", "the id of another `[[alarm]]`")]);
    check(&two("parents = \"b\"\n"), &[("17:11", "`b` is its own parent", "")]);
    let ring = two("parents = \"a\"\n").replacen("when", "parents = [\"b\"]\nwhen", 1);
    check(&ring, &[("13:1", "is the reason of its own reason", "no ring")]);
    let names = "[[widget]]\nid = \"x-y\"\nkind = \"gauge\"\nvalue = \"v\"\n[[widget]]\nid = \"x_y\"\nkind = \"gauge\"\nvalue = \"v\"\n[[alarm]]";
    check(&rule("x_y > 5").replace("[[alarm]]", names), &[("21:9", "two widgets are called", "differ in more")]);
    check(&two("").replace("\"b\"", "\"a\""), &[("15:6", "two alarms with the id `a`", "line 12")]);
    check(&with("[alarms]\nwebhook-token = { env = \"T\" }\n"), &[("11:1", "`webhook` is missing in `[alarms]`", "")]);
    check(&with("[alarms]\nwebhook = \"on-call\"\n"), &[("12:11", "", "`http` or `https`")]);
    let tones = |tones: &str| with(&format!("[alarms]\ntones = {tones}\n"));
    check(&tones("{ low = \"a.wav\" }"), &[("12:11", "no priority that has a tone in `tones`", "`critical`")]);
    check(
        &tones("{ high = \"../a.wav\" }"),
        &[("12:18", "a file that is not in the board's folder", "beside the board")],
    );
    check(&tones("{ high = \"a.mp3\" }"), &[("12:18", "no WAV file for `high`", "siren.wav")]);
    check(&tones("{ high = \"/a.wav\" }"), &[("12:18", "a file that is not in the board's folder", "")]);
    check(&tones("{}"), &[("12:9", "no file for `tones`", "siren.wav")]);
    let own =
        parse(&tones("{ high = \"a/b.WAV\", critical = \"c.wav\" }\noperator = \"desk 3\""), "f").expect("a board");
    let how = own.alarming.expect("it says how");
    assert_eq!((how.tones.len(), how.operator.as_deref()), (2, Some("desk 3")));
    let shifts = |shifts: &str| with(&format!("[alarms]\nshifts = {shifts}\n"));
    check(&shifts("\"06:00\""), &[("12:10", "", "an array of 1 to 12 times of day")]);
    check(&shifts("[]"), &[("12:10", "0 times of day", "an array of 1 to 12 times of day")]);
    check(&shifts("[\"6:00\"]"), &[("12:11", "no time of day", "")]);
    check(&shifts("[\"06:00\", \"24:00\"]"), &[("12:20", "no time of day", "")]);
    check(&shifts("[\"06:00\", \"18:30\", \"06:00\"]"), &[("12:29", "two shifts that begin at 06:00", "that differ")]);
    let own = |text: &str| parse(text, "f").unwrap_or_else(|errors| panic!("{errors}")).alarming.expect("it says how");
    assert_eq!(own(&shifts("[\"18:30\", \"06:00\"]")).shifts, [360, 1110]);
    assert_eq!(own(&with("[alarms]\n")).shifts, [360, 840, 1320]);
    // Of a widget that can't be read nothing is guessed.
    check(
        &rule("x > 5").replace("[[alarm]]", "[[widget]]\nid = \"x\"\nkind = \"gauge\"\n[[alarm]]"),
        &[("11:1", "`value` is missing in `[[widget]]` `x`", "")],
    );
}

/// H6: a condition that nothing ever fulfils, since it can't be evaluated, raises no alarm: that is said before.
#[test]
fn conditions_that_are_never_known() {
    let rule = |when: &str| with(&format!("[[alarm]]\nid = \"a\"\nwhen = \"{when}\"\n"));
    let never = ("13:8", "the condition of `[[alarm]]` `a` can never be evaluated", "");
    let ten = (1..=10).map(|own| own.to_string()).collect::<Vec<_>>().join(",");
    let loops = format!("[{ten}].all(a, [{ten}].all(b, [{ten}].all(c, [{ten}].all(d, a + b + c + d + w > -9))))");
    for (when, expected) in [
        ("w > 'x'", "numbers beside numbers"),
        ("w.state > 3", "numbers beside numbers"),
        ("w == 'alarm'", "numbers beside numbers"),
        ("w > 5 && w.state == 2", "numbers beside numbers"),
        ("w > 5 || !(w + w.state > 2)", "numbers beside numbers"),
        ("w > 5 ? w.state == 'alarm' : w < 'x'", "numbers beside numbers"),
        ("w.contains('x')", "numbers beside numbers"),
        ("w / 0 > 5", "no division by zero"),
        (&loops, "20,000 steps at most"),
    ] {
        check(&rule(when), &[(never.0, never.1, expected)]);
    }
    for when in [
        "w > 5",
        "w.state == 'alarm' && w / 2 > 7 || w == 3",
        "1 / w > 2",
        "w != null",
        "known(w)",
        "!known(w) || w > 1e300",
        "w in [1, 2]",
        "w.state in ['alarm', 'warning']",
        "w.state.startsWith('al')",
        "math.abs(w) > 3",
        "string(w) == '7'",
    ] {
        parse(&rule(when), "f").unwrap_or_else(|errors| panic!("{when}: {errors}"));
    }
    let rule = |raise: &str| with(&format!("[[alarm]]\nid = \"a\"\nraise = \"{raise}\"\n"));
    for raise in
        ["event_name > 3", "event_name == 3", "event.x > 3 && event_name / 2 > 1", "event.x + 1 > 'x'", "event > 3"]
    {
        check(&rule(raise), &[("13:9", never.1, "numbers beside numbers")]);
    }
    for raise in [
        "event.x > 3",
        "event.x.y.z == 'a'",
        "event.x > event.y",
        "event.on",
        "!event.on",
        "has(event.x) && event.x == null",
        "event.items.exists(own, own.level > event.limit)",
        "event.items.all(own, own == 7)",
        "event['x-y'] > 2",
        "event.list[5] > 2",
        "timestamp(event.at) > timestamp('2026-01-01T00:00:00Z')",
        "duration(event.took) > duration('5s')",
        "double(event.text) > 1",
        "event.text.contains('x') || event_name == 'belt.jam'",
        "event.a.b.c.d.e > 1",
        "size(event.list) > 2",
        "event.a + event.b > 7",
        "event.text + 'x' == event.other",
        "event.kind in ['a', 'b']",
        "'x' in event.tags",
        "event == null",
        "event.map(own, own)[0] == 'x'",
        "timestamp(event.at) - timestamp(event.from) > duration('1h')",
        "event.t.matches('^a') && event.n % 2 == 1",
    ] {
        parse(&rule(raise), "f").unwrap_or_else(|errors| panic!("{raise}: {errors}"));
    }
}

#[test]
fn small_words() {
    let alarms = |lines: &str| with(&format!("[alarms]\n{lines}\n"));
    check(&alarms("quiet = { from = \"22:00\" }"), &[("12:9", "`to` is missing in `quiet`", "")]);
    check(
        &alarms("quiet = { from = \"22:00\", to = \"22:00\" }"),
        &[("12:9", "quiet hours that end when they begin for `quiet`", "that differ")],
    );
    check(&alarms("quiet = \"22:00\""), &[("12:9", "wrong type for `quiet`", "a table with `from`")]);
    let rule = |lines: &str| with(&format!("[[alarm]]\nid = \"a\"\nwhen = \"w > 1\"\n{lines}\n"));
    check(
        &rule("deadband = -1"),
        &[("14:12", "out of range for `deadband`: found the integer -1", "a number from 0 on")],
    );
    check(&rule("on-delay = \"-5s\""), &[("14:13", "less than nothing", "0s to 1d")]);
    check(&rule("off-delay = \"400d\""), &[("14:13", "out of range for `off-delay`", "0s to 1d")]);
    check(&rule("on-delay = \"9999999999s\""), &[("14:13", "more than 9 digits", "0s to 1d")]);
    check(&rule("on-delay = 5"), &[("14:12", "wrong type for `on-delay`", "0s to 1d")]);
    let severities = |word: &str| {
        let text =
            format!("[[alarm]]\nid = \"a\"\nfrom = \"alertmanager\"\nseverities = {{ \"{word}\" = \"high\" }}\n");
        with(&text)
    };
    for word in ["", " ", " page"] {
        check(
            &severities(word),
            &[("14:16", "a word that nothing says in `severities`", "without spaces around them")],
        );
    }
    parse(&severities("sev 1"), "f").unwrap_or_else(|errors| panic!("{errors}"));
}

#[test]
fn rules_over_events() {
    let text = with(
        "[[alarm]]\nid = \"belt\"\nraise = \"event.level >= 3 && event_name == 'belt.jam'\"\nclear = \"event.level == 0\"\n\
         on = [\"belt.*\"]\nkey = \"belt\"\nwhere = { site = \"north\" }\ntext = \"Belt {belt}: {why}\"\nchannels = \"c\"\n",
    );
    let board = parse(&text, "f").unwrap_or_else(|errors| panic!("{errors}"));
    let Judged::Events(events) = &board.alarms[0].judged else { panic!("over events") };
    assert_eq!(
        (&*events.source, &*events.channels, &*events.on),
        ("s", ["c".to_owned()].as_slice(), ["belt.*".to_owned()].as_slice())
    );
    assert!(matches!(&events.judge, Judge::Conditions { clear: Some(_), .. }));
    assert!(events.text.is_some() && events.only.len() == 1);
    let rule = |lines: &str| with(&format!("[[alarm]]\nid = \"a\"\n{lines}\n"));
    check(&rule("raise = \"evnt.x > 1\""), &[("13:14", "can't be taken", "did you mean `event`?")]);
    check(&rule("raise = \"w > 1\""), &[("13:10", "found `w`", "`event` or `event_name`")]);
    check(&rule("raise = \"event.x > 1\"\nwhen = \"w > 1\""), &[("13:1", "has both `when` and `raise`", "")]);
    check(
        &rule("when = \"w > 1\"\nkey = \"k\""),
        &[("14:1", "`key` has no use with `when`", "`raise` in place of `when`")],
    );
    check(&rule("from = \"alertmanager\"\nkey = \"k\""), &[("14:1", "`key` has no use with `from`", "left out")]);
    check(&rule("from = \"nagios\""), &[("13:8", "unknown word `nagios`", "`alertmanager`")]);
    check(
        &rule("from = \"pagerduty\"\nseverities = { sev1 = \"now\" }"),
        &[("14:23", "unknown word `now`", "`critical`")],
    );
    check(&rule("from = \"pagerduty\"\nraise = \"event.x > 1\""), &[("13:1", "has both `raise` and `from`", "")]);
    let text = rule("from = \"alertmanager\"\nseverities = { sev1 = \"critical\" }");
    let board = parse(&text, "f").unwrap_or_else(|errors| panic!("{errors}"));
    let Judged::Events(events) = &board.alarms[0].judged else { panic!("over events") };
    let severities = [("sev1".to_owned(), Priority::Critical)].into();
    assert_eq!(events.judge, Judge::Foreign { system: System::Alertmanager, severities });
    check(&rule("raise = \"event.x > 1\"\nchannels = \"d\""), &[("14:12", "`d` is no channel of the source", "`c`")]);
}
