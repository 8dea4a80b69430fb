//! WebSocket frames (RFC 6455) as a client of tens of thousands of connections needs them: found where they lie, never copied.

/// The longest header of a frame, bytes.
const HEADER_BYTES_MAX: usize = 14;

/// What a frame is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Opcode {
    Text,
    Close,
    Ping,
    /// Anything else: parts of longer messages, bytes, pongs. What is in it is looked through as if it were text.
    Other,
}

/// The first frame of these bytes, and how many bytes it takes; none if it isn't all there yet.
pub(crate) fn frame(bytes: &[u8]) -> Option<(Opcode, &[u8], usize)> {
    let (first, second) = (*bytes.first()?, *bytes.get(1)?);
    let (length, header): (usize, usize) = match second & 0x7f {
        126 => (usize::from(u16::from_be_bytes(bytes.get(2..4)?.try_into().ok()?)), 4),
        127 => (usize::try_from(u64::from_be_bytes(bytes.get(2..10)?.try_into().ok()?)).ok()?, 10),
        length => (usize::from(length), 2),
    };
    let payload = bytes.get(header..header.checked_add(length)?)?;
    let opcode = match first & 0x0f {
        1 => Opcode::Text,
        8 => Opcode::Close,
        9 => Opcode::Ping,
        _ => Opcode::Other,
    };
    Some((opcode, payload, header + length))
}

/// Appends a client's frame. Its mask is zero: nobody between could be fooled on the loopback, and it costs nothing.
pub(crate) fn push_frame(out: &mut Vec<u8>, opcode: u8, payload: &[u8]) {
    out.reserve(HEADER_BYTES_MAX + payload.len());
    out.push(0x80 | opcode);
    match payload.len() {
        short @ 0..126 => out.push(0x80 | u8::try_from(short).unwrap_or_default()),
        length => {
            // Nothing that is said here is as long as 64 KiB.
            out.push(0x80 | 126);
            out.extend_from_slice(&u16::try_from(length).unwrap_or(u16::MAX).to_be_bytes());
        }
    }
    out.extend_from_slice(&[0; 4]);
    out.extend_from_slice(payload);
}

/// Where the head of an HTTP answer ends, and its status; none if it isn't all there yet.
pub(crate) fn answer(bytes: &[u8]) -> Option<(u16, usize)> {
    let end = memchr::memmem::find(bytes, b"\r\n\r\n")? + 4;
    let status = std::str::from_utf8(bytes.get(9..12)?).ok()?.parse().ok()?;
    Some((status, end))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// H1: a frame is found whole or not at all, whatever its length, wherever the bytes are cut.
    #[test]
    fn frames_are_whole() {
        for length in [0_usize, 1, 125, 126, 400, 65_535, 65_536, 70_000] {
            let mut bytes = vec![0x81];
            match length {
                0..126 => bytes.push(length as u8),
                126..65_536 => {
                    bytes.push(126);
                    bytes.extend_from_slice(&(length as u16).to_be_bytes());
                }
                _ => {
                    bytes.push(127);
                    bytes.extend_from_slice(&(length as u64).to_be_bytes());
                }
            }
            bytes.resize(bytes.len() + length, b'x');
            for cut in [0, 1, 2, 5, bytes.len() - 1] {
                assert_eq!(frame(&bytes[..cut.min(bytes.len() - 1)]), None, "{length} cut at {cut}");
            }
            bytes.push(b'y');
            let (opcode, payload, taken) = frame(&bytes).expect("whole");
            assert_eq!((opcode, payload.len(), taken), (Opcode::Text, length, bytes.len() - 1));
        }
    }

    /// What a client says is one masked frame.
    #[test]
    fn clients_mask() {
        let mut out = Vec::new();
        push_frame(&mut out, 1, &[b'a'; 200]);
        assert_eq!(out[..8], [0x81, 0xfe, 0, 200, 0, 0, 0, 0]);
        assert_eq!(answer(b"HTTP/1.1 101 Switching\r\na: b\r\n\r\nrest"), Some((101, 32)));
        assert_eq!(answer(b"HTTP/1.1 101 Switching\r\na: b\r\n"), None);
    }
}
