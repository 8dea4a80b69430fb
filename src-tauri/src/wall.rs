//! The window: opened at once, filled as soon as the backend runs.

use std::{
    io::{self, Write},
    path::{Path, PathBuf},
    process::ExitCode,
    sync::{Arc, Mutex},
};

use tauri::{AppHandle, Manager, RunEvent, WebviewWindow, WindowEvent, window::Color};
use tokio::{
    runtime::{Handle, Runtime},
    sync::watch,
    task::JoinHandle,
};
use watchfloor_board::frame::{Notice, State};
use watchfloor_engine::logs;
use watchfloor_log::Levels;

use crate::{
    backend,
    cli::{MapChoice, Switch, WallArgs},
    drill::{self, LampTest},
    failure::Failure,
    glass::{self, Glasses},
    gpu, headless, instance, kiosk, life, light, output,
    page::{self, Backend, Page},
    past::{self, Past},
    report::{self, Reports},
    screens::Screen,
    settings::{self, Closing, Settings},
    sight, surroundings, tiles,
    tiles::Tiles,
    windows::{self, Begin, Windows},
};
#[cfg(target_os = "linux")]
use crate::{
    screens::keep::{Kept, Screens},
    tray,
    windows::Opened,
};

/// Of the window and its first page.
pub(crate) const LABEL: &str = "wall";
/// The page's own ground, so that nothing flashes before it is there.
pub(crate) const GROUND: Color = Color(0x1b, 0x1d, 0x1f, 0xff);

/// What is found out and set before there is a second thread.
pub(crate) struct Ground {
    data_dir: PathBuf,
    settings: Settings,
    /// Why they aren't those of the file.
    unread: Option<String>,
    renderer: String,
    /// What maps stand on, and why.
    map: (MapChoice, String),
}

/// Looks for what a window needs, and chooses the web view's environment.
pub(crate) fn prepare(args: &WallArgs) -> Result<Ground, Failure> {
    surroundings::display()?;
    if args.notifications == Switch::On {
        surroundings::session_bus()?;
    }
    let data_dir = surroundings::data_dir(args.data.data_dir.clone(), args.demo)?;
    if let Some(at) = args.at {
        watchfloor_engine::past::check(&data_dir, at)?;
    }
    let (settings, unread) = Settings::read_or_default(&data_dir);
    if let Some(unread) = &unread {
        output::complain(&format_args!("watchfloor: {unread}"));
    }
    let choice = gpu::choose(args.renderer.unwrap_or(settings.renderer));
    choice.apply().map_err(Failure::Environment)?;
    // From here on there may be other threads.
    if args.kiosk {
        kiosk::wait_for_display()?;
    } else {
        surroundings::open_display()?;
    }
    if args.notifications == Switch::On {
        surroundings::reach_session_bus()?;
    }
    let map = gpu::map(args.map.unwrap_or(settings.map), &choice);
    Ok(Ground { data_dir, settings, unread, renderer: choice.because, map })
}

/// Shows the wall until its window is closed or the process is asked to end.
pub(crate) fn run(args: WallArgs, ground: Ground, levels: &Levels, runtime: &Runtime) -> Result<ExitCode, Failure> {
    let Ground { data_dir, settings, unread, renderer, map } = ground;
    // Who looks back beside the program that keeps the record leaves its folder alone.
    let is_beside = args.at.is_some() && watchfloor_engine::is_held(&data_dir);
    let _logs = logs::start((!is_beside).then_some(&*data_dir), levels)?;

    let (running, backend) = watch::channel(None);
    let args = Arc::new(args);
    // The backend and the web view start side by side: neither needs the other to begin.
    let starting = runtime.spawn({
        let (args, data_dir) = (Arc::clone(&args), data_dir.clone());
        async move { backend::start(&args, data_dir).await }
    });
    let stated = sight::Screen { diagonal_mm: args.screen, viewing_distance_mm: args.viewing_distance };
    let screen = stated.or(settings.screen);
    let glasses = Arc::new(Glasses::default());
    tauri::async_runtime::set(runtime.handle().clone());
    let app = tauri::Builder::default()
        .plugin(tauri_plugin_store::Builder::default().build())
        .manage(Page::new(backend.clone()))
        .manage(Arc::clone(&glasses))
        .manage(page::Seen { screen, is_kiosk: args.kiosk })
        .manage(Past::new(data_dir.clone(), args.return_after))
        .manage(Reports::new(data_dir.clone()))
        .manage(Arc::new(LampTest::new(data_dir.clone())))
        .manage(Tiles::new(args.board.as_deref(), map))
        .invoke_handler(tauri::generate_handler![
            page::next_frame,
            page::glass,
            page::reconcile,
            page::turn,
            page::demo_state,
            page::demo_fault,
            page::demo_speed,
            page::demo_pause,
            page::demo_pause_at,
            page::detail,
            page::rows,
            page::alarm_act,
            page::alarms_acknowledge,
            page::alarm_rows,
            page::alarm_sought,
            report::alarm_report,
            report::alarm_record,
            report::since,
            report::since_moments,
            past::past_open,
            past::past_close,
            past::past_seek,
            past::past_play,
            past::past_speed,
            past::past_stay,
            drill::drill_begin,
            drill::drill_end,
            drill::drill_seen,
            drill::drill_last,
            tiles::tiles_open,
            tiles::tiles_read,
            tiles::tiles_told,
        ])
        .build(tauri::generate_context!())
        .map_err(|error| Failure::Environment(format!("the window system can't be used: {error}")))?;
    let windows = Windows {
        glasses: Arc::clone(&glasses),
        page: if args.glass_code { "index.html?glass-code" } else { "index.html" },
        is_kiosk: args.kiosk,
        budget_mib: settings.page_memory,
        running: backend.clone(),
        store: (!args.kiosk && !is_beside).then(|| data_dir.join(settings::FILE)),
        second: Mutex::new(settings.second_window),
    };
    let screens = if args.kiosk { settings.screens } else { Vec::new() };
    let (display, room_light) = (settings.display.filter(|_| args.kiosk), settings.light);
    let window = open(app.handle(), &windows, &args, settings.window, screens, screen)
        .map_err(|error| Failure::Environment(format!("the window can't be opened: {error}")))?;
    app.manage(windows);
    #[cfg(target_os = "linux")]
    let tray_backend = {
        app.manage(tray::Tray::default());
        backend.clone()
    };
    let lively = Arc::clone(&glasses);
    runtime.spawn(life::keep(backend, move || lively.condition()));

    if args.kiosk {
        runtime.spawn(kiosk::keep_awake());
    }
    #[cfg(target_os = "linux")]
    if !args.kiosk && settings.tray {
        tray::keep(app.handle().clone(), tray_backend);
    }
    let handle = app.handle().clone();
    let started = runtime.spawn({
        let (data_dir, at) = (data_dir.clone(), args.at);
        async move {
            let outcome = match starting.await {
                Ok(outcome) => outcome,
                Err(panic) => Err(Failure::Environment(format!("the backend did not start: {panic}"))),
            };
            match &outcome {
                Ok(backend) => {
                    tracing::info!(renderer, "the wall runs");
                    present(&handle, &window, (!backend.beside).then_some(&*data_dir));
                    if let Some(unread) = unread {
                        backend.engine.set_notice(unsettled(unread)).await;
                    }
                    if let Some(at) = at {
                        handle.state::<Past>().begin(at, &backend.engine).await;
                    }
                    tokio::spawn(glass::keep_engine(glasses, backend.engine.clone()));
                    tokio::spawn(windows::come_when_sought(handle.clone(), backend.engine.clone()));
                    #[cfg(target_os = "linux")]
                    if let Some(display) = display {
                        tokio::spawn(kiosk::keep_hours(display, backend.engine.clone()));
                    }
                    if let Some(room_light) = room_light {
                        tokio::spawn(light::keep(room_light, backend.engine.clone()));
                    }
                    running.send_replace(Some(backend.clone()));
                }
                Err(_) => handle.exit(0),
            }
            outcome
        }
    });
    let closing = settings.close;
    let (is_kiosk, opens_second) = (args.kiosk, settings.second_window.is_some_and(|last| last.open));
    let code = app.run_return(move |app, event| match event {
        RunEvent::Ready if opens_second && !is_kiosk => app.state::<Windows>().open_second(app),
        RunEvent::WindowEvent { label, event: WindowEvent::CloseRequested { api, .. }, .. } => {
            let windows = app.state::<Windows>();
            let is_last = Windows::is_first(&label);
            let hides = || closing == Closing::Tray && is_last && windows.hide(app, &label);
            if is_kiosk || hides() {
                api.prevent_close();
            } else if is_last {
                windows.remember_all(app);
            } else {
                windows.remember(app, &label, false);
            }
        }
        RunEvent::WindowEvent { label, event: WindowEvent::Destroyed, .. } => {
            tiles::closing(app, &label);
            app.state::<Windows>().closed(&label);
            // The others end with it.
            if Windows::is_first(&label) && app.webview_windows().keys().any(|other| !Windows::is_first(other)) {
                app.exit(0);
            }
        }
        _ => {}
    });
    finish(runtime, started, code, &data_dir)
}

/// Waits for the backend to end in good order, and says how the program ends.
fn finish(
    runtime: &Runtime,
    started: JoinHandle<Result<Backend, Failure>>,
    code: i32,
    data_dir: &Path,
) -> Result<ExitCode, Failure> {
    let outcome = runtime
        .block_on(started)
        .unwrap_or_else(|panic| Err(Failure::Environment(format!("the wall did not start: {panic}"))));
    match outcome {
        Ok(backend) => {
            life::stopping();
            runtime.block_on(backend.engine.stop());
            if code == glass::START_AGAIN {
                return Err(Failure::Defect(
                    "the wall could not be brought back in its place: start it again".to_owned(),
                ));
            }
            Ok(ExitCode::from(u8::try_from(code).unwrap_or(1)))
        }
        Err(Failure::AlreadyRunning(_)) => {
            instance::raise_other(data_dir)?;
            output::complain(&"this wall is already running: it was brought to the front");
            Ok(ExitCode::SUCCESS)
        }
        Err(failure) => Err(failure),
    }
}

/// Opens the first window, and on a kiosk one for each screen more, which are shown where they belong as soon as that is known.
fn open(
    app: &AppHandle,
    windows: &Windows,
    args: &WallArgs,
    remembered: Option<settings::Window>,
    screens: Vec<Screen>,
    stated: sight::Screen,
) -> tauri::Result<WebviewWindow> {
    let begin = match (args.size, remembered) {
        (Some((width, height)), _) => Begin::Sized(width, height),
        (None, Some(last)) if !args.kiosk => Begin::At(last),
        _ => Begin::Anywhere,
    };
    let name = screens.first().map_or("", |screen| &screen.id);
    let first = windows.open(app, LABEL, name, begin)?;
    let window = first.window.clone();
    #[cfg(target_os = "linux")]
    if !screens.is_empty() {
        let kept = |opened: Opened| Kept { window: opened.window, place: opened.place, glass: opened.glass };
        let mut all = vec![kept(first)];
        for spot in crate::screens::spots(&screens).into_iter().skip(1) {
            let Some(screen) = screens.get(spot.screen) else { continue };
            let label = match spot.part {
                None | Some(0) => format!("{LABEL}:{}", screen.id),
                Some(part) => format!("{LABEL}:{}:{}", screen.id, part + 1),
            };
            // All windows of a picture are one glass to the engine: they show the same page, and turn it together.
            all.push(kept(windows.open(app, &label, &screen.id, begin)?));
        }
        let screens = Screens { app: app.clone(), screens, kept: all, stated, running: windows.running.clone() };
        tauri::async_runtime::spawn(screens.keep());
    }
    #[cfg(not(target_os = "linux"))]
    let _ = stated;
    Ok(window)
}

/// What the wall says of settings that it couldn't read.
fn unsettled(text: String) -> Notice {
    Notice::worded("settings", State::Warning, text, Vec::new())
}

/// Shows the window, lets second instances raise it, and ends the program when the system asks for it.
fn present(app: &AppHandle, window: &WebviewWindow, data_dir: Option<&Path>) {
    if let Err(error) = window.show().and_then(|()| window.set_focus()) {
        tracing::error!(%error, "the window can't be shown");
    }
    let answers = Answers { app: app.clone(), runtime: Handle::current() };
    if let Some(Err(error)) = data_dir.map(|folder| instance::listen(folder, answers)) {
        tracing::warn!(%error, "second instances will not be answered");
    }
    let app = app.clone();
    let asked = headless::terminated();
    tokio::spawn(async move {
        asked.await;
        app.exit(0);
    });
}

/// What this wall does for another program.
struct Answers {
    app: AppHandle,
    runtime: Handle,
}

impl instance::Answers for Answers {
    fn raise(&self) -> bool {
        windows::raise(&self.app)
    }

    fn command(&self, command: &str, out: &mut dyn Write) -> io::Result<bool> {
        if command != drill::COMMAND {
            return Ok(false);
        }
        drill::serve(&self.runtime, drill::begin(&self.app), out).map(|()| true)
    }
}
