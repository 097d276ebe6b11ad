//! How much a page holds, in rows and in bytes.

use crate::wire::page::PageText;

const BYTES: usize = 16 * 1024 * 1024;

/// How much a page holds: rows as many as were asked for, unless they take too many bytes.
#[derive(Debug, Clone, Copy)]
pub(super) struct PageSize {
    pub(super) bytes: usize,
    /// How many lines were asked for.
    most: i64,
    /// How many are read now.
    lines: i64,
}

impl PageSize {
    pub(super) fn new(lines: i64) -> Self {
        PageSize {
            bytes: BYTES,
            most: lines,
            lines,
        }
    }

    pub(super) fn text(&self) -> PageText {
        // Less than one line of each kind is no page.
        let bytes = if self.lines > 1 {
            self.bytes
        } else {
            usize::MAX
        };
        PageText::new(self.lines, bytes)
    }

    /// Whether the page that `text` could not hold is to be read again, with fewer lines.
    pub(super) fn shrinks(&mut self, text: &PageText) -> bool {
        if text.is_exceeded() {
            self.lines = (self.lines / 2).max(1);
        }
        text.is_exceeded()
    }

    /// After a page with much room left more lines are read.
    pub(super) fn grow(&mut self, text: &PageText) {
        if text.bytes() < self.bytes / 2 {
            self.lines = self.lines.saturating_mul(2).min(self.most);
        }
    }
}
