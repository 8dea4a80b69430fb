//! How old an event is when its pixels change, read off the X server's frame buffer, which sees what no page can see.
//!
//! The page draws, when it is started for this, strips of 32 black or white blocks: 24 bits of the newest event's time in quarter
//! milliseconds, and an 8-bit check. The one in the upper left corner tells what the figures show, the one in the lower left
//! corner what the rows show, which follow at a pace of their own.

use std::{
    path::Path,
    sync::atomic::{AtomicBool, Ordering},
    thread,
    time::Duration,
};

use anyhow::{Result, ensure};

use crate::{
    bench::generator::wall_ms,
    screen::{FrameBuffer, PIXEL_BYTES},
};

/// Blocks of the strip, one bit each.
pub const BLOCKS: usize = 32;
/// Pixels of a block, across.
pub const BLOCK_PIXELS: usize = 8;
/// How far from the edge a strip is read, in pixels.
const FROM_EDGE: u32 = 4;
const READ_EVERY: Duration = Duration::from_millis(1);
const CODE_RANGE: f64 = 16_777_216.0;

/// One change of the strip.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Shown {
    /// When it was seen, milliseconds since the Unix epoch.
    pub at_ms: f64,
    /// The time of the newest event that it tells of, milliseconds since the Unix epoch.
    pub event_ms: f64,
}

/// Every change of both strips, in order.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Seen {
    /// What figures show.
    pub figures: Vec<Shown>,
    /// What rows show.
    pub rows: Vec<Shown>,
}

/// Watches the frame buffer file until `stop`, and returns every change of the strips.
///
/// # Errors
/// If the file is no frame buffer.
pub fn watch(frame_buffer: &Path, stop: &AtomicBool) -> Result<Seen> {
    let screen = FrameBuffer::open(frame_buffer)?;
    ensure!(screen.height() > FROM_EDGE, "a screen of {} rows", screen.height());
    let (mut figures, mut rows) = (Strip::at(FROM_EDGE), Strip::at(screen.height() - FROM_EDGE));
    while !stop.load(Ordering::Relaxed) {
        thread::sleep(READ_EVERY);
        figures.look(&screen)?;
        rows.look(&screen)?;
    }
    Ok(Seen { figures: figures.shown, rows: rows.shown })
}

/// One strip, and what was seen of it.
struct Strip {
    y: u32,
    last: Option<u32>,
    shown: Vec<Shown>,
}

impl Strip {
    const fn at(y: u32) -> Self {
        Self { y, last: None, shown: Vec::new() }
    }

    fn look(&mut self, screen: &FrameBuffer) -> Result<()> {
        let code = read(screen, self.y)?;
        let now = wall_ms();
        let Some(code) = code else { return Ok(()) };
        if self.last.replace(code) != Some(code) {
            let age = ((now * 4.0).floor() - f64::from(code)).rem_euclid(CODE_RANGE) / 4.0;
            self.shown.push(Shown { at_ms: now, event_ms: now - age });
        }
        Ok(())
    }
}

/// What the figures' strip says now, if it is there: another number for each newest event.
///
/// # Errors
/// If the screen can't be read.
pub fn figures_code(screen: &FrameBuffer) -> Result<Option<u32>> {
    read(screen, FROM_EDGE)
}

fn read(screen: &FrameBuffer, y: u32) -> Result<Option<u32>> {
    let mut row = [0; BLOCKS * BLOCK_PIXELS * PIXEL_BYTES];
    screen.read(y, &mut row)?;
    Ok(decode(&row))
}

/// The strip's 24 bits, if its check holds.
fn decode(row: &[u8]) -> Option<u32> {
    let middle = BLOCK_PIXELS / 2;
    let bits = (0..BLOCKS).map(|block| u32::from(row[(block * BLOCK_PIXELS + middle) * PIXEL_BYTES + 1] > 127));
    let word = bits.fold(0_u32, |word, bit| (word << 1) | bit);
    let code = word >> 8;
    let check = (code >> 16) ^ ((code >> 8) & 255) ^ (code & 255) ^ 0xa5;
    (word & 255 == check).then_some(code)
}

/// The latency of every event of an even stream, in milliseconds: each waits for the first change that tells of it or a newer one.
#[must_use]
pub fn latencies(shown: &[Shown], from_ms: f64, to_ms: f64) -> Vec<f64> {
    let mut latencies = Vec::new();
    for pair in shown.windows(2) {
        let [before, after] = pair else { continue };
        // One sample a millisecond stands for the events of that millisecond.
        let mut event = before.event_ms + 1.0;
        while event <= after.event_ms {
            if (from_ms..to_ms).contains(&event) {
                latencies.push(after.at_ms - event);
            }
            event += 1.0;
        }
    }
    latencies
}

#[cfg(test)]
mod tests {
    use super::*;

    fn strip(code: u32) -> Vec<u8> {
        let word = (code << 8) | ((code >> 16) ^ ((code >> 8) & 255) ^ (code & 255) ^ 0xa5);
        (0..BLOCKS * BLOCK_PIXELS)
            .flat_map(|pixel| [if word >> (31 - pixel / BLOCK_PIXELS) & 1 == 1 { 255 } else { 0 }; 4])
            .collect()
    }

    #[test]
    fn a_strip_is_read_and_a_torn_one_is_not() {
        assert_eq!(decode(&strip(0x00ab_cdef)), Some(0x00ab_cdef));
        let mut torn = strip(0x00ab_cdef);
        torn.iter_mut().take(BLOCK_PIXELS * 4).for_each(|byte| *byte = !*byte);
        assert_eq!(decode(&torn), None);
    }

    #[test]
    fn every_event_waits_for_the_change_that_shows_it() {
        let shown = [Shown { at_ms: 100.0, event_ms: 90.0 }, Shown { at_ms: 116.0, event_ms: 92.0 }];
        assert_eq!(latencies(&shown, 0.0, 1000.0), [25.0, 24.0]);
        assert_eq!(latencies(&shown, 92.0, 1000.0), [24.0]);
    }
}
