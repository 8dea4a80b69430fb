//! Whether there is a real GPU, and the environment that WebKitGTK is to be started with.
//!
//! Without a GPU the environment decides how fast WebKitGTK paints: as it comes it takes three times the processor
//! time for four fifths of the frames, compared with WebKit's two variables below. GTK itself would load Mesa and LLVM to ask
//! for OpenGL that nothing uses, a tenth of the time until the first picture.

use std::{fs, path::Path};

use crate::cli::{MapChoice, Renderer};

/// What renders on a machine without a GPU.
const SOFTWARE: [(&str, &str); 3] =
    [("WEBKIT_DISABLE_DMABUF_RENDERER", "1"), ("WEBKIT_SKIA_ENABLE_CPU_RENDERING", "1"), ("GDK_GL", "disable")];

/// Variables by which a person has already decided; then nothing is added.
const DECIDED: [&str; 4] = [
    "WEBKIT_DISABLE_DMABUF_RENDERER",
    "WEBKIT_SKIA_ENABLE_CPU_RENDERING",
    "WEBKIT_DISABLE_COMPOSITING_MODE",
    "WEBKIT_SKIA_ENABLE_GPU_RENDERING",
];

/// The variable by which a person has Mesa draw without a GPU.
const MESA_SOFTWARE: &str = "LIBGL_ALWAYS_SOFTWARE";

/// Kernel drivers that put pixels on a screen and render nothing.
const DISPLAY_ONLY: [&str; 9] =
    ["ast", "bochs-drm", "bochs", "cirrus", "hyperv_drm", "mgag200", "simpledrm", "vgem", "vkms"];

/// What was found and what follows from it.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Choice {
    /// Variables to add to the environment before the first window.
    pub(crate) environment: Vec<(&'static str, &'static str)>,
    /// Why, in one line.
    pub(crate) because: String,
    /// What could draw WebGL besides the processor, in words, or why nothing can.
    pub(crate) webgl: Result<String, String>,
}

/// Chooses WebKitGTK's environment for this machine.
pub(crate) fn choose(renderer: Renderer) -> Choice {
    if cfg!(not(target_os = "linux")) {
        let because = "the system's own web view decides".to_owned();
        return Choice { environment: Vec::new(), webgl: Ok(because.clone()), because };
    }
    let decided = DECIDED.into_iter().find(|name| std::env::var_os(name).is_some());
    let by_software = std::env::var_os(MESA_SOFTWARE).is_some_and(|value| !value.is_empty() && value != "0");
    decide(renderer, decided, by_software, &render_drivers(Path::new("/sys/class/drm")))
}

impl Choice {
    /// Sets the environment, for this process and the web view's. To be called before there is a second thread, which might
    /// be reading it.
    pub(crate) fn apply(&self) -> Result<(), String> {
        #[cfg(target_os = "linux")]
        for (name, value) in &self.environment {
            glib::setenv(name, value, true).map_err(|_| format!("{name} can't be set in the environment"))?;
        }
        Ok(())
    }
}

fn decide(renderer: Renderer, decided: Option<&str>, by_software: bool, drivers: &[String]) -> Choice {
    let gpu = drivers.iter().find(|driver| !DISPLAY_ONLY.contains(&driver.as_str()));
    let gpu =
        gpu.map(|driver| format!("there is a GPU, driven by {driver}")).ok_or_else(|| "there is no GPU".to_owned());
    let (software, because) = match (renderer, decided) {
        (_, Some(name)) => (false, format!("{name} is set in the environment, so nothing is changed")),
        (Renderer::Software, None) => (true, "the renderer is set to software".to_owned()),
        (Renderer::Gpu, None) => (false, "the renderer is set to gpu".to_owned()),
        (Renderer::Auto, None) => match &gpu {
            Ok(words) => (false, words.clone()),
            Err(words) => (true, words.clone()),
        },
    };
    let webgl = match gpu {
        _ if software => Err(because.clone()),
        _ if by_software => Err(format!("{MESA_SOFTWARE} is set in the environment")),
        other => other,
    };
    Choice { environment: if software { SOFTWARE.to_vec() } else { Vec::new() }, because, webgl }
}

/// What maps stand on whose board names `tiles`, and why. Where tiles may be drawn the page has the last word: it alone can tell by what its web
/// view draws WebGL.
pub(crate) fn map(asked: MapChoice, renderer: &Choice) -> (MapChoice, String) {
    match asked {
        MapChoice::Canvas => (asked, "the map is set to canvas".to_owned()),
        MapChoice::Tiles => (asked, "the map is set to tiles".to_owned()),
        MapChoice::Auto => match &renderer.webgl {
            Ok(because) => (asked, because.clone()),
            Err(because) => (MapChoice::Canvas, because.clone()),
        },
    }
}

/// The same for people, in one line.
pub(crate) fn map_words(asked: MapChoice, renderer: &Choice) -> String {
    let (map, because) = map(asked, renderer);
    let what = match map {
        MapChoice::Canvas => "the shipped ground, by canvas",
        MapChoice::Tiles => "a board's tiles where the page has WebGL, by software if need be",
        MapChoice::Auto => "a board's tiles if a GPU draws the page's WebGL, else the shipped ground",
    };
    format!("{what}: {because}")
}

/// The kernel drivers of this machine's render nodes (`renderD128` …), those of pure display devices included.
fn render_drivers(class: &Path) -> Vec<String> {
    let Ok(entries) = fs::read_dir(class) else { return Vec::new() };
    let mut drivers: Vec<String> = entries
        .filter_map(Result::ok)
        .filter(|entry| entry.file_name().to_string_lossy().starts_with("renderD"))
        .filter_map(|entry| fs::read_link(entry.path().join("device/driver")).ok())
        .filter_map(|driver| Some(driver.file_name()?.to_string_lossy().into_owned()))
        .collect();
    drivers.sort();
    drivers
}

#[cfg(test)]
mod tests {
    use super::*;

    fn chosen(renderer: Renderer, decided: Option<&str>, drivers: &[&str]) -> bool {
        let drivers: Vec<String> = drivers.iter().map(|&driver| driver.to_owned()).collect();
        !decide(renderer, decided, false, &drivers).environment.is_empty()
    }

    #[test]
    fn software_only_where_nothing_renders() {
        assert!(chosen(Renderer::Auto, None, &[]));
        assert!(chosen(Renderer::Auto, None, &["vkms", "simpledrm"]));
        assert!(!chosen(Renderer::Auto, None, &["vkms", "i915"]));
    }

    #[test]
    fn a_setting_overrides_what_was_found() {
        assert!(chosen(Renderer::Software, None, &["amdgpu"]));
        assert!(!chosen(Renderer::Gpu, None, &[]));
    }

    /// Tiles are drawn by a GPU or where they are asked for, never by an idle guess.
    #[test]
    fn maps_stand_on_tiles_where_there_is_a_gpu_or_a_wish() {
        let of = |asked, drivers: &[&str]| {
            let drivers: Vec<String> = drivers.iter().map(|&driver| driver.to_owned()).collect();
            map(asked, &decide(Renderer::Auto, None, false, &drivers))
        };
        assert_eq!(of(MapChoice::Auto, &["i915"]), (MapChoice::Auto, "there is a GPU, driven by i915".to_owned()));
        for drivers in [&[][..], &["vkms"]] {
            assert_eq!(of(MapChoice::Auto, drivers), (MapChoice::Canvas, "there is no GPU".to_owned()));
            assert_eq!(of(MapChoice::Tiles, drivers).0, MapChoice::Tiles);
        }
        assert_eq!(of(MapChoice::Canvas, &["i915"]).0, MapChoice::Canvas);
        // Whatever else was decided, what has no GPU draws no WebGL by one.
        let gpu = ["i915".to_owned()];
        for (choice, word) in [
            (decide(Renderer::Software, None, false, &gpu), "the renderer is set to software"),
            (decide(Renderer::Gpu, None, false, &[]), "there is no GPU"),
            (decide(Renderer::Auto, Some("WEBKIT_DISABLE_DMABUF_RENDERER"), false, &[]), "there is no GPU"),
            (decide(Renderer::Auto, None, true, &gpu), "LIBGL_ALWAYS_SOFTWARE is set"),
        ] {
            let words = map_words(MapChoice::Auto, &choice);
            assert!(words.starts_with(&format!("the shipped ground, by canvas: {word}")), "{words}");
            assert_eq!(map(MapChoice::Tiles, &choice).0, MapChoice::Tiles);
        }
        assert_eq!(map(MapChoice::Auto, &decide(Renderer::Gpu, None, false, &gpu)).0, MapChoice::Auto);
    }

    #[test]
    fn the_environment_overrides_all() {
        assert!(!chosen(Renderer::Software, Some("WEBKIT_DISABLE_COMPOSITING_MODE"), &[]));
    }
}
