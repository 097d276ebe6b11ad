//! A twin of the tables that takes the same changes as they arrive, the last one wins. It must keep older writes in the run in which ours keeps none.

use super::journal::{Entry, Fate};
use carburetor::change::{Change, Edit};
use carburetor::clock::Clock;
use carburetor::outcome::{Outcomes, Verdict};
use diesel::connection::{LoadConnection, SimpleConnection};
use diesel::prelude::*;
use diesel::query_builder::SqlQuery;
use diesel::query_dsl::LoadQuery;
use diesel::sql_types::Text;
use std::collections::{BTreeMap, HashMap};

/// Which write each column of each row holds.
pub(in crate::oracle) const TABLE: &str =
    "create table twin (cell text primary key, clock text not null);";

/// One column of one row.
#[derive(QueryableByName)]
pub(in crate::oracle) struct Cell {
    #[diesel(sql_type = Text)]
    cell: String,
    #[diesel(sql_type = Text)]
    clock: String,
}

/// Writes what was not rejected, in the order of its arrival.
pub(super) fn feed(
    conn: &mut impl SimpleConnection,
    changes: &[Change],
    outcomes: &Outcomes,
) -> QueryResult<()> {
    let mut written = BTreeMap::new();
    for (change, outcome) in changes.iter().zip(&outcomes.outcomes) {
        if !matches!(outcome.verdict, Verdict::Rejected(_)) {
            written.extend(cells(change).map(|cell| (cell, change.clock)));
        }
    }
    if written.is_empty() {
        return Ok(());
    }
    let values: Vec<String> = written
        .iter()
        .map(|(cell, clock)| format!("('{cell}', '{clock}')"))
        .collect();
    conn.batch_execute(&format!(
        "insert into twin (cell, clock) values {} on conflict (cell) do update set clock = excluded.clock",
        values.join(", ")
    ))
}

/// How many columns of the twin don't hold the latest write that it got.
pub(super) fn stale<C>(conn: &mut C, journal: &[Entry]) -> QueryResult<u64>
where
    C: LoadConnection,
    SqlQuery: for<'a> LoadQuery<'a, C, Cell>,
{
    let mut latest: HashMap<String, Clock> = HashMap::new();
    let accepted = |entry: &&Entry| matches!(&entry.fate, Fate::Answered(verdict) if !matches!(verdict, Verdict::Rejected(_)));
    for entry in journal.iter().filter(accepted) {
        for cell in cells(&entry.change) {
            let clock = latest.entry(cell).or_default();
            *clock = entry.change.clock.max(*clock);
        }
    }
    let held = diesel::sql_query("select cell, clock from twin").load::<Cell>(conn)?;
    let is_stale = |held: &&Cell| {
        latest
            .get(&held.cell)
            .is_some_and(|latest| latest.to_string() != held.clock)
    };
    Ok(held.iter().filter(is_stale).count() as u64)
}

fn cells(change: &Change) -> impl Iterator<Item = String> {
    let columns = match &change.edit {
        Edit::Insert(columns) | Edit::Update(columns) => Some(columns),
        Edit::Delete => None,
    };
    let row = format!(
        "{}/{}",
        change.table,
        change.id.as_str().unwrap_or_default()
    );
    let names = columns
        .into_iter()
        .flatten()
        .map(|(name, _)| name)
        .filter(|name| *name != "id");
    names.map(move |name| format!("{row}/{name}"))
}
