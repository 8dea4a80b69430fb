//! The page's twins of the frame's types: `ui/src/generated/frame.ts` is written from the Rust types and committed.
//! This test fails when the committed file is stale; `WATCHFLOOR_WRITE_GENERATED=1 cargo test -p watchfloor-board
//! --lib typescript` writes it anew.

use std::{fs, path::PathBuf};

use ts_rs::{Config, TS};

use crate::{
    alarm::{
        Act, AlarmEntry, AlarmWhat, Nuisance, Priority,
        report::{AlarmAside, AlarmFlood, AlarmPriorityReport, AlarmRate, AlarmReport, AlarmShare, AlarmStanding},
    },
    frame,
    freshness::Freshness,
};

const HEADER: &str = "// Written by the tests of the crate watchfloor-board from its Rust types. Don't edit it: see \
                      src-tauri/board/src/frame/tests/typescript.rs.\n";

fn declare<T: TS>(out: &mut String, config: &Config) {
    out.push('\n');
    out.push_str(T::docs().unwrap_or_default().trim_start());
    out.push_str("export ");
    out.push_str(&T::decl(config));
    out.push('\n');
}

fn generate() -> String {
    let config = Config::new().with_large_int("number");
    let mut out = HEADER.to_owned();
    macro_rules! declare_all {
        ($($name:ty),* $(,)?) => { $(declare::<$name>(&mut out, &config);)* };
    }
    declare_all!(
        frame::Frame,
        frame::ClockView,
        frame::BoardView,
        frame::WidgetView,
        frame::PageView,
        frame::PageShown,
        frame::PageWhy,
        frame::PageMark,
        frame::SpanView,
        frame::Place,
        frame::Said,
        frame::Look,
        frame::Draw,
        frame::NumberLook,
        frame::Better,
        frame::Toward,
        frame::NumberDraw,
        frame::BandLook,
        frame::CellMark,
        frame::ColumnLook,
        frame::ColumnSort,
        frame::Detail,
        frame::GroupValue,
        frame::RawEvent,
        frame::RowsFound,
        frame::RowsQuery,
        frame::Sign,
        frame::LineLook,
        frame::AxisLook,
        frame::HistogramLook,
        frame::HeatLook,
        frame::PlaceMark,
        frame::TrailLook,
        frame::Icon,
        frame::FurnitureView,
        frame::FurnitureLook,
        frame::ClockZone,
        frame::Until,
        frame::After,
        frame::Align,
        frame::TextBlock,
        frame::TextCell,
        frame::TextSpan,
        frame::State,
        frame::SourceView,
        frame::WidgetPatch,
        frame::Quality,
        frame::Rejected,
        frame::Against,
        frame::Agreement,
        Freshness,
        frame::WidgetValue,
        frame::NumberValue,
        frame::TableValue,
        frame::RowValue,
        frame::Cell,
        frame::LogValue,
        frame::LineValue,
        frame::SeriesValue,
        frame::SeriesLine,
        frame::MarksValue,
        frame::MarkValue,
        frame::HistogramValue,
        frame::StatusValue,
        frame::TallyValue,
        frame::TimelineValue,
        frame::TimelineRow,
        frame::Stretch,
        frame::RowOrder,
        frame::BarValue,
        frame::TallyLook,
        frame::BarOrder,
        frame::TileValue,
        frame::MarkersValue,
        frame::LayerLook,
        frame::LayerDraw,
        frame::ShapeLook,
        frame::FenceLook,
        frame::FenceWhen,
        frame::FenceValue,
        frame::MarkerValue,
        frame::PastView,
        frame::PastMarks,
        frame::DrillView,
        frame::GlassSeen,
        frame::WidgetSeen,
        frame::SourceSeen,
        frame::Notice,
        frame::Outage,
        frame::AlarmsView,
        frame::AlarmCount,
        frame::FloodView,
        frame::AlarmView,
        frame::AlarmCause,
        frame::AlarmSaid,
        frame::AlarmState,
        frame::AlarmEvidence,
        Priority,
        Nuisance,
        Act,
        frame::AlarmAct,
        frame::AlarmsSeen,
        frame::AlarmRowsQuery,
        frame::AlarmRowsFound,
        frame::AlarmWhich,
        frame::AlarmOrder,
        AlarmWhat,
        AlarmEntry,
        AlarmReport,
        AlarmRate,
        AlarmFlood,
        AlarmPriorityReport,
        AlarmShare,
        AlarmStanding,
        AlarmAside,
        frame::AlarmName,
        frame::Unrecorded,
        frame::UnrecordedWhy,
        frame::AlarmRecordQuery,
        frame::AlarmRecordPage,
        frame::Since,
        frame::SinceLack,
        frame::SinceAlarms,
        frame::SinceAlarmList,
        frame::SinceAlarm,
        frame::SinceAct,
        frame::SincePriority,
        frame::SinceSource,
        frame::SinceWidgets,
        frame::SinceWidget,
        frame::SinceShown,
        frame::SinceWorst,
        frame::SinceMoments,
        frame::SinceMoment,
        frame::SinceMomentKind,
    );
    out
}

#[test]
fn committed_types_are_current() {
    let path = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../../ui/src/generated/frame.ts");
    let expected = generate();
    if std::env::var_os("WATCHFLOOR_WRITE_GENERATED").is_some() {
        fs::create_dir_all(path.parent().expect("the path has a folder")).expect("folder made");
        fs::write(&path, &expected).expect("file written");
    }
    let found = fs::read_to_string(&path).unwrap_or_default();
    assert!(found == expected, "ui/src/generated/frame.ts is stale; write it anew as the head of this test says");
}
