//! The few ways in which lines are changed. What a line means is known to `parse` alone: it looks again after each, as
//! far as the change reaches.

use std::sync::Arc;

use super::Interfaces;
use super::parse::{self, Line, Role};

impl Interfaces {
    /// How this line ends, or the file's first line, where this one does not.
    pub(super) fn ending(&self, index: usize) -> &'static [u8] {
        let ended = |line: &&Line| line.raw.ends_with(b"\n");
        match self.lines.get(index).filter(ended).or_else(|| self.lines.first().filter(ended)) {
            Some(line) if line.raw.ends_with(b"\r\n") => b"\r\n",
            _ => b"\n",
        }
    }

    /// Writes another text into a line; indentation and ending stay.
    pub(super) fn replace(&mut self, index: usize, text: &str) {
        let Some(line) = Arc::make_mut(&mut self.lines).get_mut(index) else { return };
        let indent = line.raw.len() - line.raw.trim_ascii_start().len();
        let body = line.raw.strip_suffix(b"\n").unwrap_or(&line.raw);
        let end = body.strip_suffix(b"\r").unwrap_or(body).len();
        line.raw.splice(indent..end, text.bytes());
        self.rescan(index, 1);
    }

    /// Puts a line of this text before the one at `index`.
    pub(super) fn insert(&mut self, index: usize, text: &str, ending: &[u8]) {
        let lines = Arc::make_mut(&mut self.lines);
        if let Some(before) = index.checked_sub(1).and_then(|before| lines.get_mut(before)) {
            parse::close(&mut before.raw, ending);
        }
        let raw = [text.as_bytes(), ending].concat();
        lines.insert(index, Line { raw, role: Role::Blank });
        self.rescan(index, 1);
    }

    /// Takes one line out of the body of a stanza.
    pub(super) fn cut(&mut self, index: usize) {
        Arc::make_mut(&mut self.lines).remove(index);
        self.rescan(index, 0);
    }

    /// Cuts lines out together with the blank line after them, if one stands before them too. What follows must not
    /// become a part of the stanza above. Directives that become neighbours have no blank line between them, and
    /// none after them at the file's end: Proxmox writes one before the next stanza.
    pub(super) fn cut_block(&mut self, start: usize, end: usize) {
        let before = start.checked_sub(1).and_then(|before| self.lines.get(before));
        let below_blank = before.is_none_or(|line| line.role == Role::Blank);
        let below_stanza = before.is_some_and(Line::in_stanza);
        let next = self.lines.get(end).map(|line| &line.role);
        let would_join = below_stanza && matches!(next, Some(Role::Comment | Role::Other));
        let also_blank = below_blank && next == Some(&Role::Blank);
        let ending = self.ending(start);
        let end = end + usize::from(also_blank);
        let is_directive = |index: Option<usize>| index.is_some_and(|index| self.is_directive(index));
        let is_last = end == self.lines.len();
        let parted =
            below_blank && is_directive(start.checked_sub(2)) && (is_last || is_directive(Some(end)));
        let start = start - usize::from(parted);
        Arc::make_mut(&mut self.lines).drain(start..end);
        if would_join {
            self.insert(start, "", ending);
        }
        self.rescan(start, 0);
    }

    /// Looks again at the `new` lines from `start` on, and at those below for which they change something.
    fn rescan(&mut self, start: usize, new: usize) {
        let before = start.checked_sub(1).and_then(|before| self.lines.get(before));
        let in_stanza = before.is_some_and(Line::in_stanza);
        parse::rescan(Arc::make_mut(&mut self.lines).iter_mut().skip(start), in_stanza, new);
        self.forget();
    }

    /// What was found out of the lines does not hold any longer.
    pub(super) fn forget(&mut self) {
        self.known = Arc::default();
    }
}
