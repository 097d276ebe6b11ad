//! Rows that were given another id. That travels as a deletion and an insert, and where the insert can't go the deletion doesn't either: the server would
//! have no such row at all.
//!
//! The entry of such an insert knows the place that its row had before, `carburetor_from`. There may be the deletion, or the insert of another row that
//! was moved there: what moved in one round, or one after the other, belongs together. Where several rows came to one place, one after the other, their places stand
//! beside each other, also when the last of them has gone on.

use super::entries::never_sent;
use super::error::ReplicaError;
use super::frozen::{self, Frozen};
use super::odd::{self, Judged};
use super::outbox::{Which, gather};
use super::query::{self, BIND, Bind, as_text};
use super::table::ReplicaTable;
use crate::outcome::{Code, Rejection};
use crate::wire::WireError;
use diesel::sqlite::SqliteConnection;
use std::collections::{BTreeSet, HashMap};

/// The id of a row as one text, by which entries are found.
pub(super) fn place(table: &ReplicaTable, row: &str) -> String {
    let parts = table.definition.ids().map(|id| {
        let part = format!("{row}{}", id.quoted());
        format!("typeof({part}) || hex({part})")
    });
    parts.collect::<Vec<_>>().join(" || ',' || ")
}

/// What a trigger does before the entries of the old id: a row of which the server knows nothing comes from where it came from before.
pub(super) fn begin(table: &ReplicaTable) -> String {
    let (outbox, never_sent) = (table.own("outbox"), never_sent(table));
    format!(
        "  update carburetor_replica set moving = case when exists (select 1 from {outbox} where {never_sent})
    then (select carburetor_from from {outbox} where {never_sent}) else {} end;",
        place(table, "old.")
    )
}

/// And after those of the new one.
pub(super) fn end(table: &ReplicaTable) -> String {
    format!(
        "  update {} set carburetor_from = case
      when carburetor_from is null then (select moving from carburetor_replica)
      when instr(' ' || carburetor_from || ' ', (select ' ' || moving || ' ' from carburetor_replica)) then carburetor_from
      else (select carburetor_from || ' ' || moving from carburetor_replica) end
    where {} and carburetor_column = '';",
        table.own("outbox"),
        table.own_id("new")
    )
}

/// Sets aside what moved together where one of it can't travel, and takes it out of `frozen`.
pub(super) fn hold_together(
    conn: &mut SqliteConnection,
    tables: &[ReplicaTable],
    frozen: &mut Vec<Frozen>,
) -> Result<(), ReplicaError> {
    let moved: BTreeSet<usize> = frozen
        .iter()
        .filter(|one| one.is_moved)
        .map(|one| one.table)
        .collect();
    for place in moved {
        let rings = Rings::read(conn, &tables[place])?;
        let mut known = BTreeSet::new();
        for (id, problem) in stuck(conn, &tables[place], place, frozen)? {
            if !known.contains(&id) {
                let together = rings.of(&id);
                set_aside(conn, tables, place, frozen, &together, &problem)?;
                known.extend(together);
            }
        }
    }
    Ok(())
}

/// The inserts of moved rows that can't travel: the place of each row, and why.
fn stuck(
    conn: &mut SqliteConnection,
    table: &ReplicaTable,
    at: usize,
    frozen: &[Frozen],
) -> Result<Vec<(String, WireError)>, ReplicaError> {
    let mut stuck = Vec::new();
    let id = format!(
        "select {} from {} as entry where carburetor_clock = {BIND} and carburetor_column = ''",
        place(table, "entry."),
        table.own("outbox")
    );
    for one in frozen.iter().filter(|one| one.table == at && one.is_moved) {
        let problem = match odd::judge(conn, table, one)? {
            Judged::Odd(odd) => Some(odd.problem),
            Judged::Sound => frozen::change(conn, table, one)?.1,
            Judged::Gone => None,
        };
        if let Some(problem) = problem {
            let id = query::value(conn, &id, [Bind::text(&one.clock)])?;
            stuck.push((as_text(&id), problem));
        }
    }
    Ok(stuck)
}

/// Sets aside what waits at these places.
fn set_aside(
    conn: &mut SqliteConnection,
    tables: &[ReplicaTable],
    at: usize,
    frozen: &mut Vec<Frozen>,
    places: &BTreeSet<String>,
    problem: &WireError,
) -> Result<(), ReplicaError> {
    let table = &tables[at];
    let places =
        serde_json::to_string(places).map_err(|error| WireError::new(error.to_string()))?;
    let which = Which::Moved(&table.definition.wire_name, &places);
    let mut together = Vec::new();
    gather(conn, tables, &table.owner, at, &which, &mut together)?;
    for one in &together {
        match odd::judge(conn, table, one)? {
            Judged::Odd(odd) => odd.set_aside(conn, table, one)?,
            Judged::Gone => {}
            Judged::Sound => {
                let (change, own) = frozen::change(conn, table, one)?;
                let rejection = match own {
                    Some(own) => Rejection {
                        code: Code::Invalid,
                        message: own.to_string(),
                        field: Some(own.column),
                    },
                    None => Rejection::new(Code::Invalid, kept(table, problem)),
                };
                frozen::set_aside(conn, table, one, &change, &rejection)?;
            }
        }
    }
    let clocks: BTreeSet<&str> = together.iter().map(|one| one.clock.as_str()).collect();
    frozen.retain(|one| one.table != at || !clocks.contains(one.clock.as_str()));
    Ok(())
}

fn kept(table: &ReplicaTable, problem: &WireError) -> String {
    format!(
        "{}: rows were given other ids, and one of them can't be sent ({problem}): all of them stay as the server has them",
        table.definition.wire_name
    )
}

/// Which places belong together.
struct Rings(HashMap<String, Vec<String>>);

impl Rings {
    fn read(conn: &mut SqliteConnection, table: &ReplicaTable) -> Result<Self, ReplicaError> {
        let sql = format!(
            "select {}, carburetor_from from {} as entry where carburetor_column = '' and carburetor_sent <> 1 and carburetor_from is not null",
            place(table, "entry."),
            table.own("outbox")
        );
        let mut beside: HashMap<String, Vec<String>> = HashMap::new();
        for row in query::rows(conn, &sql, [])? {
            let (to, all) = (as_text(&row[0]), as_text(&row[1]));
            for from in all.split(' ') {
                beside.entry(to.clone()).or_default().push(from.to_owned());
                beside.entry(from.to_owned()).or_default().push(to.clone());
            }
        }
        Ok(Rings(beside))
    }

    /// All that belongs to the row at `place`.
    fn of(&self, place: &str) -> BTreeSet<String> {
        let mut found = BTreeSet::from([place.to_owned()]);
        let mut open = vec![place];
        while let Some(place) = open.pop() {
            for beside in self.0.get(place).into_iter().flatten() {
                if found.insert(beside.clone()) {
                    open.push(beside);
                }
            }
        }
        found
    }
}
