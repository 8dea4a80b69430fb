//! `[[alarm]]` and `[alarms]`

use std::time::Duration;

use super::{DAY, SECOND, TITLE_CHARACTERS_MAX, events, id, path, source::CHANNELS_MAX, span, template, title};
use crate::{
    alarm::{Priority, foreign::System},
    config::{
        alarm::ConditionText,
        condition::Conditions,
        night::{self, Night},
        shape::{CHANNEL, Choice, Flag, ID as ID_SHAPE, List, Name, Number, Text, Whole},
        shape_event::{EventName, PathText, Span, TemplateText},
        shape_site::Address,
        shape_time::TimeText,
        shape_tones::Tones,
        shape_words::{self, Words},
        table::{Key, Need, TableShape},
        token::SecretPlace,
    },
};

/// The most parents of one alarm.
const PARENTS_MAX: usize = 16;
const YEARS: Duration = Duration::from_secs(10 * 366 * 86_400);

/// What it is called in the file.
pub(in crate::config) const TABLE_NAME: &str = "alarm";
/// The same of the table of all of them.
pub(in crate::config) const ALL_NAME: &str = "alarms";

pub(in crate::config) static TABLE: TableShape = TableShape {
    name: "`[[alarm]]`",
    keys: &[
        &ID,
        &TITLE,
        &ADVICE,
        &WHEN,
        &RAISE,
        &CLEAR,
        &FROM_SYSTEM,
        &SEVERITIES,
        &SOURCE,
        &CHANNELS,
        &ON,
        &WHERE,
        &KEY,
        &TEXT,
        &PRIORITY,
        &ON_DELAY,
        &OFF_DELAY,
        &DEADBAND,
        &LATCH,
        &ACKNOWLEDGE,
        &PARENTS,
        &GROUP,
        &REALARM,
    ],
};

pub(in crate::config) static ID: Key<Name> =
    id("Its name in the record, in reports and in `parents`; unique among alarms.");

pub(in crate::config) static TITLE: Key<Text> = title("What people call it; the id if left out.");

pub(in crate::config) static ADVICE: Key<Text> = Key {
    name: "advice",
    need: Need::Optional,
    about: "What to do about it: shown with it.",
    shape: Text { characters_max: 5 * TITLE_CHARACTERS_MAX },
};

pub(in crate::config) static WHEN: Key<ConditionText> = Key {
    name: "when",
    need: Need::Optional,
    about: "When it holds, in CEL over the board's widgets.",
    shape: ConditionText,
};

pub(in crate::config) static RAISE: Key<ConditionText> = Key {
    name: "raise",
    need: Need::Optional,
    about: "Which events raise it, in CEL over `event`, the event's data, and `event_name`. In place of `when`.",
    shape: ConditionText,
};

pub(in crate::config) static CLEAR: Key<ConditionText> = Key {
    name: "clear",
    need: Need::Optional,
    about: "With `raise`: which events end it; those that don't raise it if left out.",
    shape: ConditionText,
};

pub(in crate::config) static FROM_SYSTEM: Key<Choice<System>> = Key {
    name: "from",
    need: Need::Optional,
    about: "The other system whose alarms these are: the events are its messages. In place of `when` and `raise`.",
    shape: Choice {
        options: &[
            (
                System::Alertmanager.word(),
                System::Alertmanager,
                "what its webhooks are sent, or what its `/api/v2/alerts` answers",
            ),
            (System::PagerDuty.word(), System::PagerDuty, "events by `dedup_key`, as its Events API v2 takes them"),
        ],
    },
};

pub(in crate::config) static SEVERITIES: Key<Words<Choice<Priority>>> = Key {
    name: "severities",
    need: Need::Optional,
    about: "With `from`: the priority of each severity. Usual words need none: `critical`, `error`, `warning`, `info`. Others have that of `priority`.",
    shape: shape_words::SEVERITIES,
};

pub(in crate::config) static SOURCE: Key<Name> = Key {
    name: "source",
    need: Need::Optional,
    about: "With `raise` or `from`: the id of the source of the events. May be left out if the board has only one source.",
    shape: ID_SHAPE,
};

pub(in crate::config) static CHANNELS: Key<List<Name>> = Key {
    name: "channels",
    need: Need::Optional,
    about: "With `raise` or `from`: the channels whose events count, among the source's; all of them if left out.",
    shape: List { item: CHANNEL, min: 1, max: CHANNELS_MAX, or_one: true, what: "channel names" },
};

pub(in crate::config) static ON: Key<List<EventName>> = events(
    "on",
    true,
    "With `raise` or `from`: the events that count, by name; `*` at the end stands for any rest. Every event if left out.",
);

pub(in crate::config) static WHERE: Key<Conditions> = Key {
    name: "where",
    need: Need::Optional,
    about: "With `raise` or `from`: which of these events count; each path must have its value, or one of its values.",
    shape: Conditions,
};

pub(in crate::config) static KEY: Key<PathText> = path(
    "key",
    Need::Optional,
    "With `raise`: where the events say whose alarm it is; there is one a key. Left out, there is one.",
);

pub(in crate::config) static TEXT: Key<TemplateText> = template(
    "text",
    Need::Optional,
    "With `raise`: what the event that raises it says for people, with paths in braces.",
);

const PRIORITIES: &[(&str, Priority, &str)] = &[
    ("low", Priority::Low, "when there is time"),
    ("medium", Priority::Medium, "within half an hour"),
    ("high", Priority::High, "within ten minutes"),
    ("critical", Priority::Critical, "at once"),
];

pub(in crate::config) const PRIORITY_CHOICE: Choice<Priority> = Choice { options: PRIORITIES };

pub(in crate::config) static PRIORITY: Key<Choice<Priority>> = Key {
    name: "priority",
    need: Need::Default("\"medium\""),
    about: "How soon somebody must act.",
    shape: PRIORITY_CHOICE,
};

pub(in crate::config) static ON_DELAY: Key<Span> = span(
    "on-delay",
    Need::Default("\"0s\""),
    Duration::ZERO,
    DAY,
    "For how long its condition must hold before it is raised. Time in which that isn't known doesn't count.",
);

pub(in crate::config) static OFF_DELAY: Key<Span> = span(
    "off-delay",
    Need::Default("\"0s\""),
    Duration::ZERO,
    DAY,
    "For how long its condition must not hold before it is over.",
);

pub(in crate::config) static DEADBAND: Key<Number> = Key {
    name: "deadband",
    need: Need::Default("0"),
    about: "By how much a number must come back, in its own unit, before a comparison holds no more.",
    shape: Number { what: "a number from 0 on", min: 0.0, max: 1e15 },
};

pub(in crate::config) static LATCH: Key<Flag> = Key {
    name: "latch",
    need: Need::Default("false"),
    about: "Whether it stays until somebody resets it, though its condition holds no more.",
    shape: Flag,
};

pub(in crate::config) static ACKNOWLEDGE: Key<Choice<bool>> = Key {
    name: "acknowledge",
    need: Need::Default("\"required\""),
    about: "What its end asks for.",
    shape: Choice {
        options: &[
            ("required", false, "somebody says that he knew of it"),
            ("none", true, "nothing: it is over when its condition holds no more"),
        ],
    },
};

pub(in crate::config) static PARENTS: Key<List<Name>> = Key {
    name: "parents",
    need: Need::Optional,
    about: "Ids of alarms that are the reason of this one while they hold: it is suppressed by design then.",
    shape: List { item: ID_SHAPE, min: 1, max: PARENTS_MAX, or_one: true, what: "ids" },
};

pub(in crate::config) static GROUP: Key<Name> = Key {
    name: "group",
    need: Need::Optional,
    about: "The plant or area that it belongs to: which alarm was the first of a group is marked.",
    shape: ID_SHAPE,
};

pub(in crate::config) static REALARM: Key<Span> = span(
    "re-alarm",
    Need::Optional,
    Duration::from_secs(60),
    DAY,
    "After how long it calls anew, if it was acknowledged and still holds; left out, never.",
);

pub(in crate::config) static ALL_TABLE: TableShape = TableShape {
    name: "`[alarms]`",
    keys: &[
        &NOTIFY,
        &SOUND,
        &VOLUME,
        &DEVICE,
        &ESCALATE_AFTER,
        &QUIET,
        &SOURCE_LOST,
        &KEEP,
        &WEBHOOK,
        &WEBHOOK_TOKEN,
        &TONES,
        &OPERATOR,
        &SHIFTS,
    ],
};

/// Priorities, and none of them.
const FROM: &[(&str, Option<Priority>, &str)] = &[
    ("none", None, "none"),
    ("low", Some(Priority::Low), "all"),
    ("medium", Some(Priority::Medium), "medium and above"),
    ("high", Some(Priority::High), "high and critical"),
    ("critical", Some(Priority::Critical), "critical alone"),
];

pub(in crate::config) static NOTIFY: Key<Choice<Option<Priority>>> = Key {
    name: "notify",
    need: Need::Default("\"high\""),
    about: "From which priority on the desktop's notifications tell of alarms.",
    shape: Choice { options: FROM },
};

pub(in crate::config) static SOUND: Key<Choice<Option<Priority>>> = Key {
    name: "sound",
    need: Need::Default("\"medium\""),
    about: "From which priority on alarms are heard. What is low has no tone.",
    shape: Choice { options: FROM },
};

pub(in crate::config) static VOLUME: Key<Whole> = Key {
    name: "volume",
    need: Need::Default("80"),
    about: "How loud they are, percent of what the device has.",
    shape: Whole { min: 1, max: 100 },
};

pub(in crate::config) static DEVICE: Key<Text> = Key {
    name: "device",
    need: Need::Optional,
    about: "The sound device, by its name; the system's own if left out.",
    shape: Text { characters_max: 2 * TITLE_CHARACTERS_MAX },
};

pub(in crate::config) static ESCALATE_AFTER: Key<Span> = span(
    "escalate-after",
    Need::Optional,
    SECOND,
    DAY,
    "After how long without an acknowledgement an alarm is told more urgently; left out, never.",
);

pub(in crate::config) static QUIET: Key<Night> = Key {
    name: "quiet",
    need: Need::Optional,
    about: "Hours in which only critical alarms are told, by this machine's clock in `timezone`. What still waits at their end is told then. As `night` in `[board]`.",
    shape: night::QUIET,
};

pub(in crate::config) static SOURCE_LOST: Key<Choice<Option<Priority>>> = Key {
    name: "source-lost",
    need: Need::Default("\"high\""),
    about: "The priority of the alarm that a source is lost.",
    shape: Choice {
        options: &[
            ("none", None, "there is no such alarm"),
            ("low", Some(Priority::Low), "when there is time"),
            ("medium", Some(Priority::Medium), "within half an hour"),
            ("high", Some(Priority::High), "within ten minutes"),
            ("critical", Some(Priority::Critical), "at once"),
        ],
    },
};

pub(in crate::config) static KEEP: Key<Span> =
    span("keep", Need::Default("\"400d\""), DAY, YEARS, "For how long the record of alarms is kept.");

pub(in crate::config) static WEBHOOK: Key<Address> = Key {
    name: "webhook",
    need: Need::Optional,
    about: "An address that is told of alarms as Alertmanager tells its receivers, by POST.",
    shape: Address,
};

pub(in crate::config) static WEBHOOK_TOKEN: Key<SecretPlace> = Key {
    name: "webhook-token",
    need: Need::Optional,
    about: "Where the token is kept that is shown to the webhook as a bearer.",
    shape: SecretPlace,
};

pub(in crate::config) static TONES: Key<Tones> = Key {
    name: "tones",
    need: Need::Optional,
    about: "Sound files of one's own in place of the tones that are made, by priority: WAV, of 30 s at most, in the board's folder.",
    shape: Tones,
};

pub(in crate::config) static OPERATOR: Key<Text> = Key {
    name: "operator",
    need: Need::Optional,
    about: "Who is on record for what is done about alarms by somebody who says no name; at a desk the user who is logged in if left out.",
    shape: Text { characters_max: TITLE_CHARACTERS_MAX },
};

/// The most shifts of a day.
const SHIFTS_MAX: usize = 12;

pub(in crate::config) static SHIFTS: Key<List<TimeText>> = Key {
    name: "shifts",
    need: Need::Default("[\"06:00\", \"14:00\", \"22:00\"]"),
    about: "When shifts begin, in `timezone`: what the report and *since you looked away* begin at.",
    shape: List { item: TimeText, min: 1, max: SHIFTS_MAX, or_one: false, what: "times of day" },
};
