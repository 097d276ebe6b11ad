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
        write!(f, "{}:", self.table)?;
        let counts = [
            (self.rows, "row", "rows"),
            (self.removals, "removal", "removals"),
            (self.left, "key left", "keys left"),
        ];
        for (count, one, many) in counts.into_iter().filter(|(count, ..)| *count > 0) {
            write!(f, " {count} {}", if count == 1 { one } else { many })?;
        }
        f.write_str(if self.reset { " (reset)" } else { "" })
    }
}
