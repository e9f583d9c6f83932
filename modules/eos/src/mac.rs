//! The address of a system, in the notations that EOS has for one. Whose it is, others know.

/// How many hexadecimal digits an address has.
const DIGITS: usize = 12;

/// `00:1c:73:00:00:01` from that, from `00-1c-73-00-00-01` or from `001c.7300.0001`; `None` where it is no address.
pub fn parse(text: &str) -> Option<String> {
    let digits: String = text.trim().chars().filter(|c| !matches!(c, ':' | '-' | '.')).collect();
    if digits.len() != DIGITS || !digits.bytes().all(|digit| digit.is_ascii_hexdigit()) {
        return None;
    }
    let digits: Vec<char> = digits.to_ascii_lowercase().chars().collect();
    let pairs: Vec<String> = digits.chunks(2).map(|pair| pair.iter().collect()).collect();
    Some(pairs.join(":"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_notation_means_the_same_address() {
        for text in ["00:1c:73:0A:00:01", "00-1c-73-0a-00-01", "001c.730a.0001", " 001C730A0001 "] {
            assert_eq!(parse(text).as_deref(), Some("00:1c:73:0a:00:01"), "{text}");
        }
        for text in ["", "00:1c:73:0a:00", "00:1c:73:0a:00:0g", "00:1c:73:0a:00:01:02", "ä01c.730a.001"] {
            assert_eq!(parse(text), None, "{text}");
        }
    }
}
