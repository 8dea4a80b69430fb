//! The header of a PMTiles file (version 3, section 3): whether its tiles can be drawn, and are of where a map is. Pure. What is refused here the page refuses
//! as well (`ui/src/widgets/tiles/source.ts`), so that a check of a board says what its wall will.

/// Bytes of a header.
pub(super) const HEADER_BYTES: usize = 127;
/// The header and the first directory lie within so many bytes, that one look is enough.
const FIRST_BYTES: u64 = 16_384;
/// Where a header says how its directories are packed, how its tiles are, what they are, their zooms, and the degrees that they cover.
const DIRECTORIES_AT: usize = 97;
pub(super) const COMPRESSION_AT: usize = 98;
pub(super) const KIND_AT: usize = 99;
const ZOOMS_AT: usize = 100;
const BOUNDS_AT: usize = 102;
/// Beyond it a tile is some millimetres of earth.
const ZOOM_MAX: u8 = 24;

/// Whether this is the header of a file, `size` bytes long, whose tiles can be drawn.
pub(super) fn judge(header: &[u8], size: u64) -> Result<(), String> {
    const HOW: &str = "make one with `pmtiles extract`";
    if !header.starts_with(b"PMTiles") {
        return Err(format!("it is no PMTiles file: expected `PMTiles` at its start: {HOW}"));
    }
    match header.get(7) {
        Some(3) if header.len() == HEADER_BYTES => {}
        Some(3) | None => {
            return Err(format!("it ends within its header, after {} bytes: copy it again", header.len()));
        }
        Some(other) => {
            return Err(format!("it is PMTiles of version {other}: expected 3: `pmtiles convert` makes one of it"));
        }
    }
    // Root directory, metadata, leaf directories, tiles: where each begins, and how long it is.
    for (at, what) in [(8, "directory"), (24, "metadata"), (40, "directories"), (56, "tiles")] {
        let (offset, length) = (number(header, at), number(header, at + 8));
        if offset.checked_add(length).is_none_or(|end| end > size) {
            return Err(format!("it is cut off: its {what} end beyond its {size} bytes: copy it again"));
        }
    }
    let (root, length) = (number(header, 8), number(header, 16));
    if root < HEADER_BYTES as u64 || length == 0 || root.saturating_add(length) > FIRST_BYTES {
        return Err(format!("it is damaged: its first directory is {length} bytes from {root} on"));
    }
    match header[KIND_AT] {
        1..=4 => {}
        other => {
            return Err(format!(
                "it holds tiles of kind {other}: expected vector tiles (MVT), PNG, JPEG or WebP: {HOW}"
            ));
        }
    }
    for (at, what) in [(DIRECTORIES_AT, "directories"), (COMPRESSION_AT, "tiles")] {
        if let other @ 3.. = header[at] {
            return Err(format!("its {what} are packed in way {other}: expected gzip or none: {HOW}"));
        }
    }
    let (least, most) = (header[ZOOMS_AT], header[ZOOMS_AT + 1]);
    if least > most || most > ZOOM_MAX {
        return Err(format!("it is damaged: its zooms are {least} to {most}"));
    }
    Ok(())
}

/// Whether tiles of this header, which was judged, lie where a map of these bounds is: west, south, east and north in degrees.
pub(super) fn meets(header: &[u8], [west, south, east, north]: [f64; 4]) -> Result<(), String> {
    let degrees = |at: usize| {
        let bytes = header.get(BOUNDS_AT + 4 * at..).and_then(|rest| rest.first_chunk()).copied().unwrap_or_default();
        f64::from(i32::from_le_bytes(bytes)) / 1e7
    };
    let [min_lon, min_lat, max_lon, max_lat] = [0, 1, 2, 3].map(degrees);
    let covers = format!("{min_lon}, {min_lat} to {max_lon}, {max_lat}");
    let is_earth = min_lon < max_lon
        && min_lat < max_lat
        && min_lon >= -180.0
        && max_lon <= 180.0
        && min_lat >= -90.0
        && max_lat <= 90.0;
    if !is_earth {
        return Err(format!("it is damaged: its bounds are {covers}"));
    }
    // A map beyond the antimeridian is the same earth once more.
    let is_across = [-360.0, 0.0, 360.0].iter().any(|turn| min_lon + turn < east && max_lon + turn > west);
    if is_across && min_lat < north && max_lat > south {
        return Ok(());
    }
    Err(format!("it is of elsewhere: its bounds are {covers}, and those of the map {west}, {south} to {east}, {north}"))
}

/// Eight bytes, the lowest first; zero beyond the end.
fn number(header: &[u8], at: usize) -> u64 {
    let bytes = header.get(at..).and_then(|rest| rest.first_chunk()).copied().unwrap_or_default();
    u64::from_le_bytes(bytes)
}

#[cfg(test)]
pub(super) use tests::sound;

#[cfg(test)]
mod tests {
    use super::*;

    /// A header of a file of 1,000 bytes whose parts lie one behind the other, and the rest of the file.
    pub(crate) fn sound() -> Vec<u8> {
        let mut bytes = b"PMTiles\x03".to_vec();
        for (offset, length) in [(127_u64, 100_u64), (227, 100), (327, 0), (327, 673)] {
            bytes.extend(offset.to_le_bytes());
            bytes.extend(length.to_le_bytes());
        }
        bytes.resize(HEADER_BYTES, 0);
        (bytes[DIRECTORIES_AT], bytes[COMPRESSION_AT], bytes[KIND_AT]) = (2, 2, 1);
        for (at, degrees) in [10_i32, 59, 11, 60].into_iter().enumerate() {
            bytes[BOUNDS_AT + 4 * at..][..4].copy_from_slice(&(degrees * 10_000_000).to_le_bytes());
        }
        bytes.extend((HEADER_BYTES..1_000).map(|at| u8::try_from(at % 251).unwrap_or_default()));
        bytes
    }

    fn told(changes: &[(usize, u8)], size: u64) -> Result<(), String> {
        let mut header = sound();
        header.truncate(HEADER_BYTES);
        for &(at, byte) in changes {
            header[at] = byte;
        }
        judge(&header, size)
    }

    /// What the page refuses isn't sound to a check of the board either.
    #[test]
    fn what_no_page_draws_is_refused() {
        assert_eq!(told(&[], 1_000), Ok(()));
        assert_eq!(told(&[(ZOOMS_AT, 24), (ZOOMS_AT + 1, 24)], 1_000), Ok(()));
        assert_eq!(told(&[(DIRECTORIES_AT, 0), (COMPRESSION_AT, 1)], 1_000), Ok(()));
        for (changes, words) in [
            (&[(DIRECTORIES_AT, 3)][..], "its directories are packed in way 3"),
            (&[(DIRECTORIES_AT, 255)], "its directories are packed in way 255"),
            (&[(COMPRESSION_AT, 4)], "its tiles are packed in way 4"),
            (&[(ZOOMS_AT, 3)], "its zooms are 3 to 0"),
            (&[(ZOOMS_AT, 255), (ZOOMS_AT + 1, 255)], "its zooms are 255 to 255"),
            (&[(ZOOMS_AT + 1, 25)], "its zooms are 0 to 25"),
            // Within the header itself, of nothing, and too far behind it.
            (&[(8, 126)], "its first directory is 100 bytes from 126 on"),
            (&[(16, 0)], "its first directory is 0 bytes from 127 on"),
            (&[(9, 64)], "its first directory is 100 bytes from 16511 on"),
            (&[(63, 255), (71, 255)], "cut off"),
        ] {
            let told = told(changes, 1 << 20);
            assert!(told.as_ref().is_err_and(|why| why.contains(words)), "{changes:?}: {told:?}");
        }
    }

    #[test]
    fn tiles_of_elsewhere_are_told_by_a_check() {
        let header = sound();
        assert_eq!(meets(&header, [10.5, 59.5, 12.0, 61.0]), Ok(()));
        assert_eq!(meets(&header, [369.0, 59.0, 372.0, 60.0]), Ok(()));
        let told = meets(&header, [5.0, 45.0, 9.0, 47.0]).expect_err("of elsewhere");
        assert!(told.contains("10, 59 to 11, 60") && told.contains("5, 45 to 9, 47"), "{told}");
        let mut odd = header;
        odd[BOUNDS_AT..BOUNDS_AT + 4].copy_from_slice(&(-1_900_000_000_i32).to_le_bytes());
        assert!(meets(&odd, [10.0, 59.0, 11.0, 60.0]).is_err_and(|why| why.contains("damaged")));
        assert!(meets(&[], [10.0, 59.0, 11.0, 60.0]).is_err());
    }
}
