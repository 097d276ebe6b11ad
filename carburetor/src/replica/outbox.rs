//! Freezing: entries of the outbox become changes, which are sent byte for byte until they are answered.

use super::error::ReplicaError;
use super::frozen::{Frozen, keep};
use super::moved;
use super::odd::{self, Judged};
use super::query::{self, BIND, Bind, as_integer, as_text};
use super::table::ReplicaTable;
use crate::table::quoted;
use diesel::sqlite::SqliteConnection;
use serde_json::Map;

/// Which entries are frozen.
pub(super) enum Which<'w> {
    /// Those up to the end of a stretch.
    Whole(i64),
    /// Of these at most so many changes that are no deletions.
    Edits(i64, usize),
    /// Of these at most so many deletions.
    Deletions(i64, usize),
    /// Those of the edited columns of one table's rows whose ids are in another table: they are about to go.
    Going(&'w str, &'w str),
    /// Those of the existence of one table's rows that have one of these clocks, as JSON: they moved together.
    Moved(&'w str, &'w str),
}

/// Freezes unsent entries into changes. The caller has a transaction.
pub(super) fn freeze(
    conn: &mut SqliteConnection,
    tables: &[ReplicaTable],
    group: &str,
    which: &Which<'_>,
) -> Result<usize, ReplicaError> {
    let mut frozen: Vec<Frozen> = Vec::new();
    for place in 0..tables.len() {
        gather(conn, tables, group, place, which, &mut frozen)?;
    }
    frozen.sort_by(|one, other| one.clock.cmp(&other.clock));
    if let Which::Edits(_, limit) | Which::Deletions(_, limit) = which {
        frozen.truncate(*limit);
    }
    let count = frozen.len();
    moved::hold_together(conn, tables, &mut frozen)?;
    for one in &frozen {
        let table = &tables[one.table];
        match odd::judge(conn, table, one)? {
            Judged::Sound => keep(conn, table, one)?,
            Judged::Odd(odd) => odd.set_aside(conn, table, one)?,
            Judged::Gone => {}
        }
    }
    Ok(count)
}

/// Reads the entries of one table.
pub(super) fn gather(
    conn: &mut SqliteConnection,
    tables: &[ReplicaTable],
    group: &str,
    place: usize,
    which: &Which<'_>,
    frozen: &mut Vec<Frozen>,
) -> Result<(), ReplicaError> {
    let table = &tables[place];
    if table.takes_no_writes() {
        return Ok(());
    }
    let outbox = table.own("outbox");
    let condition = match which {
        Which::Going(name, _) | Which::Moved(name, _) if *name != table.definition.wire_name => {
            return Ok(());
        }
        Which::Whole(_) | Which::Edits(..) | Which::Deletions(..)
            if !table.is_uploaded_by(group) =>
        {
            return Ok(());
        }
        Which::Whole(border) => format!("carburetor_stretch <= {border}"),
        Which::Edits(border, limit) => of_kind(&outbox, "<>", *border, *limit),
        Which::Deletions(border, limit) => of_kind(&outbox, "=", *border, *limit),
        Which::Moved(_, _) => format!(
            "carburetor_column = '' and carburetor_clock in (select value from json_each({BIND}))"
        ),
        Which::Going(_, ids) => format!(
            "carburetor_column <> '' and {}",
            table.is_among("entry.", &quoted(ids))
        ),
    };
    let sql = format!(
        "select carburetor_clock, carburetor_kind, carburetor_column, carburetor_base, carburetor_was, carburetor_since, carburetor_stretch, carburetor_from is not null, {} from {outbox} as entry
where carburetor_sent <> 1 and {condition} order by carburetor_clock",
        table.ids("entry.")
    );
    let stamp = table.stamp().map(|stamp| stamp.storage);
    // There may be more of them than a statement's text holds.
    let binds = match which {
        Which::Moved(_, clocks) => Some(Bind::text(*clocks)),
        _ => None,
    };
    query::each(conn, &sql, binds, |row| {
        let clock = as_text(&row.stored(0));
        let base = match stamp {
            Some(storage) => row.instant(3, storage)?,
            None => None,
        };
        let column = as_text(&row.stored(2));
        let is_next = frozen
            .last()
            .is_none_or(|last| last.table != place || last.clock != clock);
        if is_next {
            frozen.push(Frozen {
                table: place,
                id: (8..row.width()).map(|part| row.stored(part)).collect(),
                clock,
                kind: as_text(&row.stored(1)),
                columns: Vec::new(),
                base,
                was: Map::new(),
                since: i64::MAX,
                stretch: 0,
                is_moved: as_integer(&row.stored(7)) == 1,
            });
        }
        let Some(one) = frozen.last_mut() else {
            return Ok(());
        };
        // The oldest: what came to the row since is news to some of the edits.
        one.base = one.base.min(base);
        one.since = one.since.min(as_integer(&row.stored(5)));
        one.stretch = one.stretch.max(as_integer(&row.stored(6)));
        if let Some((number, _)) = table.column(&column) {
            // It is optional, and what can't travel is left out.
            if let Ok(was) = row.json(4, &table.codecs[number]) {
                one.was.insert(column.clone(), was);
            }
            one.columns.push(column);
        }
        Ok::<_, ReplicaError>(())
    })
}

/// The entries of the first changes of a kind, up to the end of a stretch.
fn of_kind(outbox: &str, is: &str, border: i64, limit: usize) -> String {
    format!(
        "carburetor_clock in (select distinct carburetor_clock from {outbox} where carburetor_sent <> 1 and carburetor_stretch <= {border} and carburetor_kind {is} 'delete'
  order by carburetor_clock limit {limit})"
    )
}
