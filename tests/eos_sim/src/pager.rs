//! `--More--`: a long answer, page by page. When there is one, and how long a page is, the terminal says.

/// What stands at the end of a page.
pub const MORE: &str = " --More-- ";
/// Takes it away again.
pub const ERASE: &str = "\r\x1b[K";

/// What is left of an answer.
#[derive(Debug)]
pub struct Pager {
    rest: String,
    page: usize,
}

impl Pager {
    /// The first page of an answer, and the rest of it, if it is longer than a page of so many lines.
    pub fn begin(answer: String, page: Option<usize>) -> (String, Option<Self>) {
        let Some(page) = page.map(|lines| lines.saturating_sub(1).max(1)) else {
            return (answer, None);
        };
        let mut pager = Self { rest: answer, page };
        let first = pager.advance(page);
        (first, pager.unless_done())
    }

    /// Takes a typed byte: what it brings to the screen, and what is left then.
    pub fn key(mut self, byte: u8) -> (String, Option<Self>) {
        let lines = match byte {
            b' ' => self.page,
            b'\r' | b'\n' => 1,
            b'q' | b'Q' | 0x03 => return (String::new(), None),
            _ => 0,
        };
        let more = self.advance(lines);
        (more, self.unless_done())
    }

    fn advance(&mut self, lines: usize) -> String {
        let end = self.rest.match_indices('\n').take(lines).last().map_or(0, |(index, _)| index + 1);
        let rest = self.rest.split_off(end);
        std::mem::replace(&mut self.rest, rest)
    }

    fn unless_done(self) -> Option<Self> {
        (!self.rest.is_empty()).then_some(self)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_short_answer_is_one_page_and_so_is_any_without_pages() {
        assert!(matches!(Pager::begin("1\n2\n".into(), Some(3)), (text, None) if text == "1\n2\n"));
        assert!(matches!(Pager::begin("1\n2\n3\n".into(), None), (text, None) if text == "1\n2\n3\n"));
        assert!(matches!(Pager::begin(String::new(), Some(3)), (text, None) if text.is_empty()));
    }

    #[test]
    fn space_is_a_page_enter_a_line_and_q_the_end() {
        let (first, pager) = Pager::begin("1\n2\n3\n4\n5\n6\n".into(), Some(3));
        assert_eq!(first, "1\n2\n");
        let (line, pager) = pager.unwrap().key(b'\r');
        assert_eq!(line, "3\n");
        let (page, pager) = pager.unwrap().key(b' ');
        assert_eq!(page, "4\n5\n");
        let (nothing, pager) = pager.unwrap().key(b'x');
        assert_eq!(nothing, "");
        let (end, pager) = pager.unwrap().key(b'q');
        assert!(end.is_empty() && pager.is_none());
    }

    #[test]
    fn the_last_page_ends_it() {
        let (_, pager) = Pager::begin("1\n2\n3\n".into(), Some(3));
        assert!(matches!(pager.unwrap().key(b' '), (text, None) if text == "3\n"));
    }
}
