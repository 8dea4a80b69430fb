//! What is on the glass, read from the X server's frame buffer file: it sees what no page can see.
//!
//! Such files are in XWD format: a header of big-endian words, a colour map, then the pixels.

use std::{fs::File, os::unix::fs::FileExt, path::Path};

use anyhow::{Context, Result, ensure};

/// Bytes of a pixel: blue, green, red, and one that means nothing.
pub const PIXEL_BYTES: usize = 4;
const COLOUR_BYTES: u64 = 12;

/// A screen's pixels, as they are at the moment of reading.
#[derive(Debug)]
pub struct FrameBuffer {
    file: File,
    pixels: u64,
    line: u64,
    width: u32,
    height: u32,
}

impl FrameBuffer {
    /// Opens the file that an X server writes.
    ///
    /// # Errors
    /// If it can't be read, or has not 32 bits a pixel.
    pub fn open(path: &Path) -> Result<Self> {
        let file = File::open(path).with_context(|| path.display().to_string())?;
        let mut header = [0; 100];
        file.read_exact_at(&mut header, 0)?;
        let word = |at: usize| {
            u32::from_be_bytes([header[at * 4], header[at * 4 + 1], header[at * 4 + 2], header[at * 4 + 3]])
        };
        ensure!(word(11) == 32, "the frame buffer has not 32 bits a pixel");
        Ok(Self {
            pixels: u64::from(word(0)) + u64::from(word(19)) * COLOUR_BYTES,
            line: u64::from(word(12)),
            width: word(4),
            height: word(5),
            file,
        })
    }

    /// Columns.
    #[must_use]
    pub const fn width(&self) -> u32 {
        self.width
    }

    /// Rows.
    #[must_use]
    pub const fn height(&self) -> u32 {
        self.height
    }

    /// Reads pixels of row `y`, from the left, into all of `row`.
    ///
    /// # Errors
    /// If the screen has no such pixels.
    pub fn read(&self, y: u32, row: &mut [u8]) -> Result<()> {
        ensure!(y < self.height, "row {y} of {}", self.height);
        Ok(self.file.read_exact_at(row, self.pixels + u64::from(y) * self.line)?)
    }

    /// Red, green and blue of one pixel.
    ///
    /// # Errors
    /// If the screen has no such pixel.
    pub fn pixel(&self, x: u32, y: u32) -> Result<[u8; 3]> {
        ensure!(x < self.width && y < self.height, "pixel {x}, {y} of {} × {}", self.width, self.height);
        let mut pixel = [0; PIXEL_BYTES];
        let at = self.pixels + u64::from(y) * self.line + u64::from(x) * PIXEL_BYTES as u64;
        self.file.read_exact_at(&mut pixel, at)?;
        Ok([pixel[2], pixel[1], pixel[0]])
    }
}
