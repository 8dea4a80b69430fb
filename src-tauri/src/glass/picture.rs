//! The picture itself, read back: a page may answer, say that it painted, and yet leave an old picture on the screen.
//!
//! The page draws the version that it shows as a row of blocks into its lower right corner, hardly to be seen. It is read from the
//! window as the display holds it, and held against what the page has given receipts for. Only a code that can be read and is old
//! counts: one that can't be read may lie beneath another window. How large the page's pixels are, by the screen's scale and that of
//! its texts, follows from how wide the page says that it is. Pure but for the reading.

use std::{collections::VecDeque, time::Duration};

/// How often is read.
pub(super) const READ_EVERY: Duration = Duration::from_secs(2);
/// A version is still current for this long after the page has given its receipt for a newer one: the page draws the code twice a
/// second, and slow machines paint late.
const LATE_MAX: Duration = Duration::from_secs(3);
/// How long receipts are remembered.
const REMEMBERED: Duration = Duration::from_secs(10);
/// As many old pictures in a row are one.
const OLD_READS: u32 = 2;
/// After as many readings without a code it is said that the picture can't be watched.
const UNREAD_MAX: u32 = 30;

/// Blocks of the code: a light and a dark one to compare with, the version's bits, and those of the check.
const BLOCKS: usize = 2 + VERSION_BITS + CHECK_BITS;
const VERSION_BITS: usize = 24;
const CHECK_BITS: usize = 16;
/// Size of the code in the page's pixels.
const WIDTH: f64 = BLOCKS as f64 * 4.0;
/// The least difference between light and dark, of 255.
const CONTRAST_MIN: i32 = 4;

/// What the page said it painted, and what was seen of it.
#[derive(Debug, Default)]
pub(super) struct Picture {
    /// Versions with the instant of their first receipt, oldest first.
    receipts: VecDeque<(u32, Duration)>,
    /// Readings of an old one in a row.
    old: u32,
    /// Readings without a code in a row.
    unread: u32,
}

impl Picture {
    /// The page says that it painted this version.
    pub(super) fn receipt(&mut self, version: u64, now: Duration) {
        let version = u32::try_from(version % (1 << VERSION_BITS)).unwrap_or_default();
        if self.receipts.back().is_none_or(|(newest, _)| *newest != version) {
            self.receipts.push_back((version, now));
        }
        // The one before the oldest that counts tells what was shown until then.
        while self.receipts.get(1).is_some_and(|(_, at)| now.saturating_sub(*at) > REMEMBERED) {
            self.receipts.pop_front();
        }
    }

    /// What stood on the screen. Since when there has been something newer, if that is too long and not for the first time.
    pub(super) fn read(&mut self, code: Option<u32>, now: Duration) -> Option<Duration> {
        let Some(code) = code else {
            (self.old, self.unread) = (0, self.unread.saturating_add(1));
            return None;
        };
        self.unread = 0;
        let at = self.receipts.iter().rposition(|(version, _)| *version == code);
        let since = match at {
            // Begun lately, and what was shown before isn't known.
            None if self.receipts.front().is_none_or(|(_, at)| now.saturating_sub(*at) <= REMEMBERED) => None,
            // Its receipt is on the way.
            None if self.receipts.back().is_some_and(|(newest, _)| is_ahead(code, *newest)) => None,
            None => self.receipts.front().map(|(_, at)| *at),
            Some(at) => self.receipts.get(at + 1).map(|(_, at)| *at),
        };
        let since = since.filter(|since| now.saturating_sub(*since) > LATE_MAX);
        self.old = if since.is_some() { self.old + 1 } else { 0 };
        since.filter(|_| self.old >= OLD_READS)
    }

    /// Whether it has just become clear that there is no code to be read.
    pub(super) const fn is_unwatched(&self) -> bool {
        self.unread == UNREAD_MAX
    }

    /// Another picture is on its way.
    pub(super) fn begin(&mut self) {
        *self = Self::default();
    }
}

/// Whether a version comes after another, of as many as there are until they begin again.
const fn is_ahead(version: u32, other: u32) -> bool {
    let ahead = version.wrapping_sub(other) % (1 << VERSION_BITS);
    ahead > 0 && ahead < 1 << (VERSION_BITS - 1)
}

/// The bits by which a version is known for one. As the page has it (ui/src/core/picture-code.ts).
const fn check(version: u32) -> u32 {
    (version.wrapping_mul(0x9e37) ^ (version >> 8) ^ 0xa5a5) & 0xffff
}

/// The version in the last `code` pixels of a row of pixels of `channels` bytes each, if its check holds.
fn decode(row: &[u8], channels: usize, code: f64) -> Option<u32> {
    let width = row.len().checked_div(channels)? as f64;
    let light = |block: usize| {
        let pixel = (block as f64 + 0.5).mul_add(code / BLOCKS as f64, width - code);
        // Not below zero, and a screen has no more pixels than that.
        let first = (pixel >= 0.0).then_some(pixel as usize)? * channels;
        let bytes = row.get(first..first + channels.min(3))?;
        Some(bytes.iter().map(|byte| i32::from(*byte)).sum::<i32>() / 3)
    };
    let (bright, dark) = (light(0)?, light(1)?);
    if (bright - dark).abs() < CONTRAST_MIN {
        return None;
    }
    let mut word = 0_u64;
    for block in 2..BLOCKS {
        let level = light(block)?;
        word = (word << 1) | u64::from((level - bright).abs() < (level - dark).abs());
    }
    let version = u32::try_from(word >> CHECK_BITS).ok()?;
    (word & 0xffff == u64::from(check(version))).then_some(version)
}

/// Reads the code of the page in `view`, where the display lets its windows be read. The page is `page_width` of its own pixels wide.
#[cfg(target_os = "linux")]
pub(super) fn read(view: &webkit2gtk::WebView, page_width: f64) -> Option<u32> {
    use glib::object::ObjectExt;
    use gtk::{gdk::prelude::WindowExtManual, prelude::WidgetExt};

    let window = view.window()?;
    // Elsewhere a program doesn't see what is shown of it.
    if window.display().type_().name() != "GdkX11Display" {
        return None;
    }
    let (width, height) = (view.allocated_width(), view.allocated_height());
    let code = WIDTH * f64::from(width) / page_width;
    let taken = (code.ceil() as i32).clamp(1, width.max(1));
    let picture = window.pixbuf(width - taken, height - 1, taken, 1)?;
    let (pixels, channels) = (usize::try_from(picture.width()).ok()?, usize::try_from(picture.n_channels()).ok()?);
    let bytes = picture.read_pixel_bytes();
    // The display's pixels, of which there may be more.
    decode(bytes.get(..pixels * channels)?, channels, code * pixels as f64 / f64::from(taken))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(seconds: f64) -> Duration {
        Duration::from_secs_f64(seconds)
    }

    /// A row of the screen that ends in a version's code, with each of the page's pixels so large.
    fn row(version: u32, scale: f64, light: [u8; 3], dark: [u8; 3]) -> Vec<u8> {
        let word = (0b10_u64 << 40) | u64::from(version) << 16 | u64::from(check(version));
        let pixels = (WIDTH * scale).ceil() as usize;
        let before = pixels as f64 - WIDTH * scale;
        let bit = |pixel: usize| {
            let block = ((pixel as f64 + 0.5 - before) / scale / 4.0).max(0.0) as usize;
            word >> (BLOCKS - 1 - block.min(BLOCKS - 1)) & 1 == 1
        };
        (0..pixels).flat_map(|pixel| if bit(pixel) { light } else { dark }).collect()
    }

    #[test]
    fn a_code_is_read_in_each_theme_and_at_each_scale() {
        for (light, dark) in [([0x2a; 3], [0x1b, 0x1d, 0x1f]), ([0xd0; 3], [0xe0; 3]), ([255; 3], [0; 3])] {
            for scale in [1.0, 1.25, 1.5, 1.75, 2.0, 2.6, 3.0] {
                let row = row(0x00ab_cdef, scale, light, dark);
                assert_eq!(decode(&row, 3, WIDTH * scale), Some(0x00ab_cdef), "{light:?} {scale}");
                let mut torn = row.clone();
                let at = |pixel: usize| (pixel as f64 * scale) as usize * 3;
                torn[at(8)..at(60)].reverse();
                assert_eq!(decode(&torn, 3, WIDTH * scale), None, "{light:?} {scale}");
            }
        }
        assert_eq!(decode(&[27; BLOCKS * 12], 3, WIDTH), None, "one colour");
        assert_eq!(decode(&[], 3, WIDTH), None);
        assert_eq!(decode(&[0; 30], 3, f64::INFINITY), None);
        assert_eq!(decode(&[0; 30], 3, f64::NAN), None);
    }

    /// H2: what is read at a wrong scale is hardly ever a version.
    #[test]
    fn a_crop_of_a_code_is_none() {
        let read = |scale: f64| {
            let crops = (0..1 << 14).map(|version| row(version * 5, scale, [255; 3], [0; 3]));
            crops.filter(|row| decode(row, 3, WIDTH).is_some()).count()
        };
        for scale in [1.25, 1.5, 1.75, 3.0] {
            assert!(read(scale) < 4, "{scale}: {} of 16384", read(scale));
        }
    }

    /// H2: two that can't be right are one each, with one that can't be read between them; and a receipt may come after its picture.
    #[test]
    fn what_is_not_old_twice_in_a_row() {
        let mut picture = Picture::default();
        painting(&mut picture, 0, 30);
        assert_eq!([Some(3), None, Some(3)].map(|code| picture.read(code, at(30.0))), [None; 3]);
        assert_eq!([Some(305), Some(305)].map(|code| picture.read(code, at(30.0))), [None; 2]);
        assert!([Some(3), Some(3)].map(|code| picture.read(code, at(30.0)))[1].is_some());
    }

    fn painting(picture: &mut Picture, from: u64, to: u64) {
        for version in from * 10..to * 10 {
            picture.receipt(version, Duration::from_millis(version * 100));
        }
    }

    /// H7: what stands still while the page says that it goes on is found; the time since is that of the first newer version.
    #[test]
    fn an_old_picture_is_found() {
        let mut picture = Picture::default();
        painting(&mut picture, 0, 20);
        assert_eq!(picture.read(Some(199), at(20.0)), None);
        painting(&mut picture, 20, 24);
        assert_eq!(picture.read(Some(199), at(24.0)), None, "once is no proof");
        painting(&mut picture, 24, 26);
        assert_eq!(picture.read(Some(199), at(26.0)), Some(at(20.0)));
        painting(&mut picture, 26, 60);
        assert!(picture.read(Some(199), at(60.0)).is_some(), "however long it lasts");
        assert_eq!(picture.read(Some(599), at(60.1)), None, "and it is over at once");
        picture.begin();
        assert_eq!(picture.read(Some(199), at(61.0)), None);
    }

    /// H2: no alarm for a quiet board, a slow page, a covered window, or a version of before.
    #[test]
    fn what_is_not_known_to_be_old_is_not() {
        let mut picture = Picture::default();
        picture.receipt(7, at(0.0));
        for second in 1..100 {
            picture.receipt(7, at(f64::from(second)));
            assert_eq!(picture.read(Some(7), at(f64::from(second))), None, "quiet");
            assert_eq!(picture.read(None, at(f64::from(second))), None, "covered");
        }
        let mut picture = Picture::default();
        for second in 0..100_u64 {
            picture.receipt(second, at(second as f64));
            let shown = u32::try_from(second.saturating_sub(3)).expect("small");
            assert_eq!(picture.read(Some(shown), at(second as f64)), None, "slow");
        }
        let mut picture = Picture::default();
        painting(&mut picture, 100, 108);
        assert_eq!([picture.read(Some(3), at(107.0)), picture.read(Some(3), at(108.0))], [None, None], "just begun");
    }

    #[test]
    fn memory_is_bounded() {
        let mut picture = Picture::default();
        for version in 0..100_000_u64 {
            picture.receipt(version, Duration::from_millis(version * 33));
        }
        assert!(picture.receipts.len() < 400, "{}", picture.receipts.len());
    }
}
