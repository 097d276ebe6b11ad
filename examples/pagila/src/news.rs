//! What a download says of a table, in words.

use carburetor::{SyncTable, TableNews};
use std::fmt;

/// What one download said of one table.
#[derive(Debug)]
pub struct News {
    pub table: &'static str,
    pub rows: usize,
    pub removals: usize,
    /// How many values of the scope's key column went, and with them all their rows.
    pub left: usize,
    pub reset: bool,
}

impl News {
    pub fn of<M: SyncTable>(news: &TableNews<M>) -> News {
        News {
            table: M::NAME,
            rows: news.rows.len(),
            removals: news.removed.len(),
            left: news.left.as_ref().map_or(0, |left| left.values.len()),
            reset: news.reset,
        }
    }

    /// Whether the replica has anything to do.
    pub fn is_any(&self) -> bool {
        self.reset || self.rows + self.removals + self.left > 0
    }
}

impl fmt::Display for News {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.table)?;
        let counts = [
            (self.rows, "row"),
            (self.removals, "removal"),
            (self.left, "key that left"),
        ];
        for (count, what) in counts.into_iter().filter(|(count, _)| *count > 0) {
            write!(f, " {count} {what}{}", if count == 1 { "" } else { "s" })?;
        }
        f.write_str(if self.reset { " (all anew)" } else { "" })
    }
}
