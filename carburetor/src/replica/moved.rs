//! Rows that were given another id. That travels as a deletion and an insert, and where the insert can't go the deletion doesn't either: the server would
//! have no such row at all.
//!
//! The entry of such an insert knows the place that its row had before, `carburetor_from`. There may be the deletion, or the insert of another row that
//! was moved there: what moved in one round, or one after the other, belongs together. Where several rows came to one place, one after the other, their places stand
//! beside each other, also when the last of them has gone on. `carburetor_was_at` is the one place under which the server knows this very row.

use super::entries::never_sent;
use super::error::ReplicaError;
use super::frozen::{self, Frozen};
use super::odd::{self, Judged};
use super::outbox::{Which, gather};
use super::query::{self, as_text};
use super::returning;
use super::table::ReplicaTable;
use crate::outcome::{Code, Rejection};
use crate::wire::WireError;
use diesel::sqlite::SqliteConnection;
use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet};

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
    let (place, is_new) = (place(table, "old."), is_new(table));
    format!(
        "  update carburetor_replica set moving = case when exists (select 1 from {outbox} where {never_sent})
    then (select carburetor_from from {outbox} where {never_sent}) else {place} end,
  was_at = case when exists (select 1 from {outbox} where {is_new}) then (select carburetor_was_at from {outbox} where {is_new}) else {place} end;"
    )
}

/// That an entry is of the old row, which the server doesn't know under this id.
fn is_new(table: &ReplicaTable) -> String {
    format!(
        "{} and carburetor_column = '' and carburetor_kind = 'insert' and carburetor_sent = 0",
        table.own_id("old")
    )
}

/// And after those of the new one.
pub(super) fn end(table: &ReplicaTable) -> String {
    format!(
        "  update {} set carburetor_from = case
      when carburetor_from is null then (select moving from carburetor_replica)
      when instr(' ' || carburetor_from || ' ', (select ' ' || moving || ' ' from carburetor_replica))
        then carburetor_from
      else (select carburetor_from || ' ' || moving from carburetor_replica) end,
      carburetor_was_at = (select was_at from carburetor_replica)
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
        let stuck = stuck(conn, &tables[place], place, frozen)?;
        if stuck.is_empty() {
            continue;
        }
        let rings = Rings::read(conn, &tables[place])?;
        set_aside(conn, tables, place, frozen, &rings.together(&stuck))?;
    }
    Ok(())
}

/// The inserts of moved rows that can't travel: the clock of each, and why.
fn stuck(
    conn: &mut SqliteConnection,
    table: &ReplicaTable,
    at: usize,
    frozen: &[Frozen],
) -> Result<Vec<(String, WireError)>, ReplicaError> {
    let mut stuck = Vec::new();
    for one in frozen.iter().filter(|one| one.table == at && one.is_moved) {
        let problem = match odd::judge(conn, table, one)? {
            Judged::Odd(odd) => Some(odd.problem),
            Judged::Sound => frozen::change(conn, table, one)?.1,
            Judged::Gone => None,
        };
        stuck.extend(problem.map(|problem| (one.clock.clone(), problem)));
    }
    Ok(stuck)
}

/// Sets aside the changes of these clocks, each because of what is said of it.
fn set_aside(
    conn: &mut SqliteConnection,
    tables: &[ReplicaTable],
    at: usize,
    frozen: &mut Vec<Frozen>,
    reasons: &BTreeMap<&str, &WireError>,
) -> Result<(), ReplicaError> {
    let table = &tables[at];
    let clocks: Vec<&&str> = reasons.keys().collect();
    let clocks =
        serde_json::to_string(&clocks).map_err(|error| WireError::new(error.to_string()))?;
    returning::keep(conn, table, &clocks)?;
    let which = Which::Moved(&table.definition.wire_name, &clocks);
    let mut together = Vec::new();
    gather(conn, tables, &table.owner, at, &which, &mut together)?;
    for one in &together {
        let Some(problem) = reasons.get(one.clock.as_str()) else {
            continue;
        };
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
    frozen.retain(|one| one.table != at || !reasons.contains_key(one.clock.as_str()));
    Ok(())
}

fn kept(table: &ReplicaTable, problem: &WireError) -> String {
    format!(
        "{}: rows were given other ids, and one of them can't be sent ({problem}): all of them stay as the server has them",
        table.definition.wire_name
    )
}

/// Which changes of a table belong together, by the places that they are of. All of the outbox is read, once.
struct Rings {
    /// The places beside each.
    beside: HashMap<String, Vec<String>>,
    /// The clocks of what waits at each.
    clocks: HashMap<String, Vec<String>>,
    /// The place of each clock.
    places: HashMap<String, String>,
}

impl Rings {
    fn read(conn: &mut SqliteConnection, table: &ReplicaTable) -> Result<Self, ReplicaError> {
        let sql = format!(
            "select carburetor_clock, {}, carburetor_from from {} as waiting where carburetor_column = '' and carburetor_sent <> 1 order by carburetor_clock",
            place(table, "waiting."),
            table.own("outbox")
        );
        let mut rings = Rings {
            beside: HashMap::new(),
            clocks: HashMap::new(),
            places: HashMap::new(),
        };
        query::each(conn, &sql, [], |row| {
            let (clock, to) = (as_text(&row.stored(0)), as_text(&row.stored(1)));
            let (all, beside) = (as_text(&row.stored(2)), &mut rings.beside);
            for from in all.split_whitespace() {
                beside.entry(to.clone()).or_default().push(from.to_owned());
                beside.entry(from.to_owned()).or_default().push(to.clone());
            }
            let clocks = rings.clocks.entry(to.clone()).or_default();
            clocks.push(clock.clone());
            rings.places.insert(clock, to);
            Ok::<_, ReplicaError>(())
        })?;
        Ok(rings)
    }

    /// The clocks of all that belongs to what is stuck, each with the first reason for it.
    fn together<'r>(
        &'r self,
        stuck: &'r [(String, WireError)],
    ) -> BTreeMap<&'r str, &'r WireError> {
        let (mut reasons, mut known) = (BTreeMap::new(), HashSet::new());
        for (clock, problem) in stuck {
            let mut open: Vec<&str> = self
                .places
                .get(clock)
                .map(String::as_str)
                .into_iter()
                .collect();
            while let Some(place) = open.pop() {
                if !known.insert(place) {
                    continue;
                }
                let clocks = self.clocks.get(place).into_iter().flatten();
                reasons.extend(clocks.map(|clock| (clock.as_str(), problem)));
                let beside = self.beside.get(place).into_iter().flatten();
                open.extend(beside.map(String::as_str));
            }
        }
        reasons
    }
}
