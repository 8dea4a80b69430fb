//! Writing small texts into a longer one, by whoever does that for every event.

/// The most digits of a number.
const DIGITS_MAX: usize = 20;

/// Appends a number.
pub fn push_number(text: &mut String, mut number: u64) {
    let mut digits = [0; DIGITS_MAX];
    let mut start = DIGITS_MAX;
    // Two at a time: half of the divisions, one after the other.
    while number >= 10 {
        let pair = (number % 100) as u8;
        number /= 100;
        start -= 2;
        digits[start] = b'0' + pair / 10;
        digits[start + 1] = b'0' + pair % 10;
    }
    if number > 0 || start == DIGITS_MAX {
        start -= 1;
        digits[start] = b'0' + number as u8;
    }
    text.push_str(std::str::from_utf8(&digits[start..]).unwrap_or_default());
}

/// Whether a text stands in JSON as it is, between quotation marks.
#[must_use]
#[inline]
pub fn is_plain(text: &str) -> bool {
    // Without a way out, so that many bytes are looked at at once.
    !text.bytes().fold(false, |found, byte| found | (byte < b' ') | (byte == b'"') | (byte == b'\\'))
}

/// Appends a text as JSON.
pub fn push_quoted(text: &mut String, word: &str) {
    if is_plain(word) {
        text.push('"');
        text.push_str(word);
        text.push('"');
    } else {
        text.push_str(&serde_json::Value::from(word).to_string());
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The same as by the standard library.
    #[test]
    fn numbers() {
        for number in [0, 9, 10, 99, 100, 101, 999, 1000, 1_795_698_139_453_268_959, u64::MAX] {
            let mut text = "n".to_owned();
            push_number(&mut text, number);
            assert_eq!(text, format!("n{number}"));
        }
    }

    /// H5: whatever a server sends as a text is a text, and the same one.
    #[test]
    fn quoted_texts() {
        for word in ["", "plain", "é\u{1F6EB}", "a\"b", "a\\b", "a\nb", "\u{0}\u{1f}\u{7f}", "\"},{\""] {
            let mut text = String::new();
            push_quoted(&mut text, word);
            assert_eq!(serde_json::from_str::<String>(&text).expect("JSON"), word);
        }
    }
}
