//! What a program committed together, as far as its file can tell: that goes up together.
//!
//! SQLite tells no trigger to which transaction a write belongs. But one connection writes at a time, so that whatever the replica writes lies between two
//! transactions of the program. It counts the stretches between its own writes, and each entry knows the stretch of its last write and the one of its first
//! since it was sent. A local transaction lies within one stretch; a stretch may hold several. Where an entry reaches over a border, what lies on both sides
//! belongs together: the server is never told of a state in between.

use super::batch::Size;
use super::error::ReplicaError;
use super::file::Store;
use super::query::{self, as_integer, as_text};
use super::table::ReplicaTable;
use crate::table::literal;
use diesel::QueryResult;
use diesel::connection::SimpleConnection;
use diesel::sqlite::SqliteConnection;

/// The stretch of the write at hand, as SQL.
pub(super) const NOW: &str = "(select stretch from carburetor_replica)";

/// The first stretch of an entry for the existence of the row `row`, which takes the place of those of its columns.
pub(super) fn since(table: &ReplicaTable, row: &str) -> String {
    format!(
        "coalesce((select min(carburetor_since) from {} where {} and carburetor_sent <> 1), {NOW})",
        table.own("outbox"),
        table.own_id(row)
    )
}

/// The indexes by which the borders are found.
pub(super) fn indexes(table: &ReplicaTable) -> String {
    format!(
        "create index if not exists {} on {outbox} (carburetor_stretch, carburetor_clock) where carburetor_sent <> 1;
create index if not exists {} on {outbox} (carburetor_since, carburetor_stretch) where carburetor_sent <> 1 and carburetor_since < carburetor_stretch",
        table.own("outbox_stretch"),
        table.own("outbox_span"),
        outbox = table.own("outbox"),
    )
}

/// What comes next, up to the end of a stretch.
#[derive(Clone, Copy)]
pub(super) enum Next {
    /// All of it.
    Whole(i64),
    /// It is more than one upload takes.
    Part(i64),
}

impl Store {
    /// Ends the stretch. The caller has a transaction.
    pub(super) fn end_stretch(&self, conn: &mut SqliteConnection) -> QueryResult<()> {
        conn.batch_execute("update carburetor_replica set stretch = stretch + 1")
    }

    /// Whether something was edited in the stretch that hasn't ended.
    pub(super) fn is_stretch_open(&self, conn: &mut SqliteConnection) -> QueryResult<bool> {
        for table in self.uploaded() {
            let sql = format!(
                "select 1 from {} where carburetor_sent <> 1 and carburetor_stretch = {NOW} limit 1",
                table.own("outbox")
            );
            if query::exists(conn, &sql, [])? {
                return Ok(true);
            }
        }
        Ok(false)
    }

    /// What of the program's is sent next: at most `size`, unless what belongs together is more, and then at most `bound`. The caller has a transaction.
    pub(super) fn next(
        &self,
        conn: &mut SqliteConnection,
        size: Size,
        bound: Size,
    ) -> Result<Option<Next>, ReplicaError> {
        let first = self.stretches(conn, size.changes + 1, i64::MAX)?;
        let (Some(begin), Some(last)) = (first.first(), first.last()) else {
            return Ok(None);
        };
        let Some(beyond) = first.get(size.changes) else {
            return Ok(Some(Next::Whole(*last)));
        };
        let spans = self.spans(conn, *beyond)?;
        let fit = first.iter().filter(|stretch| *stretch < beyond);
        let border = fit.rev().find(|border| reach(&spans, **border) == **border);
        if let Some(border) = border {
            return Ok(Some(Next::Whole(*border)));
        }
        let mut border = *begin;
        loop {
            let reached = reach(&self.spans(conn, border + 1)?, border);
            if reached == border {
                break;
            }
            border = reached;
        }
        let many = self.stretches(conn, bound.changes + 1, border)?.len() > bound.changes;
        Ok(Some(match many {
            true => Next::Part(border),
            false => Next::Whole(border),
        }))
    }

    /// The stretches of the first changes up to a border, in order.
    fn stretches(
        &self,
        conn: &mut SqliteConnection,
        limit: usize,
        border: i64,
    ) -> Result<Vec<i64>, ReplicaError> {
        let mut all = Vec::new();
        for table in self.uploaded() {
            all.push(format!(
                "select distinct carburetor_stretch, carburetor_clock from {} where carburetor_sent <> 1 and carburetor_stretch <= {border}
  order by carburetor_stretch, carburetor_clock limit {limit}",
                table.own("outbox")
            ));
        }
        all.push(format!(
            "select stretch, clock from carburetor_sending where {} and stretch <= {border} order by stretch limit {limit}",
            self.waits()
        ));
        let mut changes = Vec::new();
        for sql in &all {
            let rows = query::rows(conn, sql, [])?;
            changes.extend(
                rows.iter()
                    .map(|row| (as_integer(&row[0]), as_text(&row[1]))),
            );
        }
        changes.sort_unstable();
        changes.truncate(limit);
        Ok(changes.into_iter().map(|(stretch, _)| stretch).collect())
    }

    /// From where to where changes reach that reach over borders, and begin before `end`; by their beginnings.
    fn spans(&self, conn: &mut SqliteConnection, end: i64) -> QueryResult<Vec<(i64, i64)>> {
        let mut all = Vec::new();
        for table in self.uploaded() {
            all.push(format!(
                "select distinct carburetor_since, carburetor_stretch from {} where carburetor_sent <> 1 and carburetor_since < carburetor_stretch and carburetor_since < {end}",
                table.own("outbox")
            ));
        }
        all.push(format!(
            "select since, stretch from carburetor_sending where {} and since < stretch and since < {end}",
            self.waits()
        ));
        let mut spans = Vec::new();
        for sql in &all {
            let rows = query::rows(conn, sql, [])?;
            spans.extend(
                rows.iter()
                    .map(|row| (as_integer(&row[0]), as_integer(&row[1]))),
            );
        }
        spans.sort_unstable();
        Ok(spans)
    }

    /// That a change which is written down is the program's and was not sent yet.
    fn waits(&self) -> String {
        let own = match self.is_hub() {
            true => " and substr(clock, 17) = (select id from carburetor_replica)",
            false => "",
        };
        format!("in_group = {} and not attempted{own}", literal(&self.group))
    }
}

/// How far what begins up to `border` reaches.
fn reach(spans: &[(i64, i64)], border: i64) -> i64 {
    let begun = spans.iter().take_while(|(since, _)| *since <= border);
    begun.map(|(_, stretch)| *stretch).fold(border, i64::max)
}
