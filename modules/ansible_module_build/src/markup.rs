//! Ansible's documentation markup taken out of a text, for a terminal.

/// `C(x)`, `V(x)`, `O(x)`, `E(x)` and `RV(x)` become `` `x` ``; `L(x,url)` and `R(x,ref)` become `x`; of all others,
/// such as `B(x)`, the inside stays. A backslash protects a character inside.
pub fn plain(text: &str) -> String {
    let mut out = String::new();
    let mut rest = text;
    while let Some((before, inside)) = rest.split_once('(') {
        let word_start = before.rfind(|c: char| !c.is_ascii_uppercase()).map_or(0, |at| at + 1);
        let (lead, tag) = before.split_at(word_start);
        let joined = lead.ends_with(|c: char| c.is_ascii_alphanumeric() || c == '_');
        let known = ["B", "C", "E", "I", "L", "M", "O", "P", "R", "RV", "U", "V"].contains(&tag) && !joined;
        let (content, tail) = match closing(inside) {
            Some(closed) if known => closed,
            _ => {
                out.push_str(before);
                out.push('(');
                rest = inside;
                continue;
            }
        };
        out.push_str(lead);
        match tag {
            "C" | "E" | "O" | "RV" | "V" => out.extend(["`", &content, "`"]),
            "L" | "R" => out.push_str(content.split(',').next().unwrap_or_default()),
            _ => out.push_str(&content),
        }
        rest = tail;
    }
    out + rest
}

/// What stands before the next parenthesis that closes, with its backslashes resolved, and what stands after.
fn closing(text: &str) -> Option<(String, &str)> {
    let mut content = String::new();
    let mut chars = text.chars();
    loop {
        match chars.next()? {
            ')' => return Some((content, chars.as_str())),
            '\\' => content.push(chars.next()?),
            c => content.push(c),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::plain;

    #[test]
    fn markup_becomes_plain_text() {
        for (given, expected) in [
            ("C(bond) and one to four digits", "`bond` and one to four digits"),
            ("V(default) is V(slow\\)).", "`default` is `slow)`."),
            ("See L(the manual,https://x.y), B(now).", "See the manual, now."),
            ("RV(error.code) (stable)", "`error.code` (stable)"),
            ("LACP(802.3ad) and fooC(x)", "LACP(802.3ad) and fooC(x)"),
            ("never closed: C(x", "never closed: C(x"),
        ] {
            assert_eq!(plain(given), expected);
        }
    }
}
