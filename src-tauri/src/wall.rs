//! The window: opened at once, filled as soon as the backend runs.

use std::{
    io::{self, Write},
    path::{Path, PathBuf},
    process::ExitCode,
    sync::Arc,
};

use tauri::{
    App, AppHandle, Manager, PhysicalPosition, PhysicalSize, RunEvent, WebviewUrl, WebviewWindow, WebviewWindowBuilder,
    WindowEvent, webview::NewWindowResponse, window::Color,
};
use tauri_plugin_store::StoreExt;
use tokio::{
    runtime::{Handle, Runtime},
    sync::watch,
    task::JoinHandle,
};
use watchfloor_engine::logs;
use watchfloor_log::Levels;

use crate::{
    backend,
    cli::{Switch, WallArgs},
    drill::{self, LampTest},
    failure::Failure,
    glass::{self, Glass, Keeper, Strip, Views},
    gpu, headless, instance, kiosk, life, output,
    page::{self, Backend, Page},
    past::{self, Past},
    settings::{self, Settings},
    sight::Screen,
    surroundings,
};

/// Of the window and its first page.
pub(crate) const LABEL: &str = "wall";
/// The page's own ground, so that nothing flashes before it is there.
pub(crate) const GROUND: Color = Color(0x1b, 0x1d, 0x1f, 0xff);
const DEFAULT_SIZE: (f64, f64) = (1600.0, 900.0);

/// The window, whichever page is in it.
struct Window(WebviewWindow);

/// What is found out and set before there is a second thread.
pub(crate) struct Ground {
    data_dir: PathBuf,
    settings: Settings,
    renderer: String,
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
    let settings = Settings::read(&data_dir).map_err(Failure::Input)?;
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
    Ok(Ground { data_dir, settings, renderer: choice.because })
}

/// Shows the wall until its window is closed or the process is asked to end.
pub(crate) fn run(args: WallArgs, ground: Ground, levels: &Levels, runtime: &Runtime) -> Result<ExitCode, Failure> {
    let Ground { data_dir, settings, renderer } = ground;
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
    let stated = Screen { diagonal_mm: args.screen, viewing_distance_mm: args.viewing_distance };
    let screen = stated.or(settings.screen);
    tauri::async_runtime::set(runtime.handle().clone());
    let app = tauri::Builder::default()
        .plugin(tauri_plugin_store::Builder::default().build())
        .manage(Page::new(backend.clone()))
        .manage(Glass::new(LABEL))
        .manage(page::Seen { screen, is_kiosk: args.kiosk })
        .manage(Past::new(data_dir.clone(), args.return_after))
        .manage(Arc::new(LampTest::new(data_dir.clone())))
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
        ])
        .build(tauri::generate_context!())
        .map_err(|error| Failure::Environment(format!("the window system can't be used: {error}")))?;
    let (window, strip, views) = open(&app, &args, settings.window)
        .map_err(|error| Failure::Environment(format!("the window can't be opened: {error}")))?;
    views.listen(app.handle());
    app.manage(Window(window.clone()));
    let budget_mib = settings.page_memory;
    let keeper = Keeper { app: app.handle().clone(), views, strip, budget_mib, running: backend.clone() };
    runtime.spawn(keeper.keep());
    let lively = app.handle().clone();
    runtime.spawn(life::keep(backend, move || Some(lively.state::<Glass>().condition())));

    if args.kiosk {
        runtime.spawn(kiosk::keep_awake());
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
                    if let Some(at) = at {
                        handle.state::<Past>().begin(at, &backend.engine).await;
                    }
                    tokio::spawn(glass::keep_engine(handle.clone(), backend.engine.clone()));
                    running.send_replace(Some(backend.clone()));
                }
                Err(_) => handle.exit(0),
            }
            outcome
        }
    });
    let (path, is_kiosk) = (data_dir.join(settings::FILE), args.kiosk);
    let code = app.run_return(move |app, event| {
        if let RunEvent::WindowEvent { event: WindowEvent::CloseRequested { api, .. }, .. } = event {
            if is_kiosk {
                api.prevent_close();
            } else if !is_beside {
                remember(app, &path);
            }
        }
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

fn open(
    app: &App,
    args: &WallArgs,
    remembered: Option<settings::Window>,
) -> tauri::Result<(WebviewWindow, Strip, Views)> {
    let page = if args.glass_code { "index.html?glass-code" } else { "index.html" };
    let mut window = WebviewWindowBuilder::new(app, LABEL, WebviewUrl::App(page.into()))
        .on_navigation(kiosk::is_own)
        .on_new_window(|_, _| NewWindowResponse::Deny)
        .title("Watchfloor")
        .background_color(GROUND)
        .fullscreen(args.kiosk)
        .decorations(!args.kiosk)
        .zoom_hotkeys_enabled(false)
        .visible(false);
    if args.size.is_none() && remembered.is_none() {
        window = window.inner_size(DEFAULT_SIZE.0, DEFAULT_SIZE.1);
    }
    let window = window.build()?;
    match (args.size, remembered) {
        (Some((width, height)), _) => window.set_size(PhysicalSize::new(width, height))?,
        (None, Some(last)) if !args.kiosk => {
            window.set_size(PhysicalSize::new(last.width, last.height))?;
            window.set_position(PhysicalPosition::new(last.x, last.y))?;
        }
        _ => {}
    }
    let views = Views::new(&window, page, args.kiosk)?;
    let strip = Strip::new(&window)?;
    if args.kiosk {
        kiosk::enclose(app.handle(), &window)?;
    }
    Ok((window, strip, views))
}

/// Shows the window, lets second instances raise it, and ends the program when the system asks for it.
fn present(app: &AppHandle, window: &WebviewWindow, data_dir: Option<&Path>) {
    if let Err(error) = window.show().and_then(|()| window.set_focus()) {
        tracing::error!(%error, "the window can't be shown");
    }
    let answers = Answers { window: window.clone(), app: app.clone(), runtime: Handle::current() };
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
    window: WebviewWindow,
    app: AppHandle,
    runtime: Handle,
}

impl instance::Answers for Answers {
    fn raise(&self) -> bool {
        let front = &self.window;
        let raised = front.unminimize().and_then(|()| front.show()).and_then(|()| front.set_focus());
        if let Err(error) = &raised {
            tracing::warn!(%error, "the window can't be brought to the front");
        }
        raised.is_ok()
    }

    fn command(&self, command: &str, out: &mut dyn Write) -> io::Result<bool> {
        if command != drill::COMMAND {
            return Ok(false);
        }
        drill::serve(&self.runtime, drill::begin(&self.app), out).map(|()| true)
    }
}

/// Writes down where the window stands.
fn remember(app: &AppHandle, path: &Path) {
    let place = || -> Result<(), Box<dyn std::error::Error>> {
        let window = &app.state::<Window>().0;
        if window.is_fullscreen()? {
            return Ok(());
        }
        let (size, position) = (window.inner_size()?, window.outer_position()?);
        let place = settings::Window { width: size.width, height: size.height, x: position.x, y: position.y };
        let store = app.store(path)?;
        store.set(settings::WINDOW, serde_json::to_value(place)?);
        store.save()?;
        Ok(())
    };
    if let Err(error) = place() {
        tracing::warn!(%error, "the window's place is not remembered");
    }
}
