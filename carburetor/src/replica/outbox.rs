//! Freezing: entries of the outbox become changes, which are sent byte for byte until they are answered.

use super::error::ReplicaError;
use super::query::{self, BIND, Bind, Stored, as_integer, as_text};
use super::table::ReplicaTable;
use crate::change::{Change, Edit};
use crate::clock::Clock;
use crate::upload::missing_unit_columns;
use crate::wire::WireError;
use chrono::{DateTime, Utc};
use diesel::sqlite::SqliteConnection;
use serde_json::{Map, Value};

/// One change in the making: the entries that share a clock.
struct Frozen {
    table: usize,
    id: Vec<Stored>,
    clock: String,
    kind: String,
    columns: Vec<String>,
    base: Option<i64>,
    was: Map<String, Value>,
}

/// Which entries are frozen.
pub(super) enum Which<'w> {
    /// Those of the lowest clocks, for at most so many changes.
    First(usize),
    /// Those of the edited columns of one table's rows whose ids are in another table: they are about to go.
    Going(&'w str, &'w str),
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
        gather(conn, tables, place, which, &mut frozen)?;
    }
    frozen.sort_by(|one, other| one.clock.cmp(&other.clock));
    if let Which::First(limit) = which {
        frozen.truncate(*limit);
    }
    for one in &frozen {
        keep(conn, &tables[one.table], group, one)?;
    }
    Ok(frozen.len())
}

/// Reads the entries of one table.
fn gather(
    conn: &mut SqliteConnection,
    tables: &[ReplicaTable],
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
        Which::First(limit) => format!(
            "carburetor_clock in (select distinct carburetor_clock from {outbox} where carburetor_sent <> 1 order by carburetor_clock limit {limit})"
        ),
        Which::Going(name, _) if *name != table.definition.wire_name => return Ok(()),
        Which::Going(_, ids) => format!(
            "carburetor_column <> '' and exists (select 1 from {} as going where {})",
            crate::table::quoted(ids),
            table.same_id("going", "entry")
        ),
    };
    let sql = format!(
        "select carburetor_clock, carburetor_kind, carburetor_column, carburetor_base, carburetor_was, {} from {outbox} as entry
where carburetor_sent <> 1 and {condition} order by carburetor_clock",
        table.ids("entry.")
    );
    let stamp = table.stamp().map(|stamp| stamp.storage);
    query::each(conn, &sql, [], |row| {
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
                id: (5..row.width()).map(|part| row.stored(part)).collect(),
                clock,
                kind: as_text(&row.stored(1)),
                columns: Vec::new(),
                base,
                was: Map::new(),
            });
        }
        let Some(one) = frozen.last_mut() else {
            return Ok(());
        };
        // The oldest: what came to the row since is news to some of the edits.
        one.base = one.base.min(base);
        if let Some((number, _)) = table.column(&column) {
            let was = row
                .json(4, &table.codecs[number])
                .map_err(|error| error.at(&table.definition.wire_name, &column))?;
            one.was.insert(column.clone(), was);
            one.columns.push(column);
        }
        Ok::<_, ReplicaError>(())
    })
}

/// Writes one change down and marks its entries as in flight.
fn keep(
    conn: &mut SqliteConnection,
    table: &ReplicaTable,
    group: &str,
    frozen: &Frozen,
) -> Result<(), ReplicaError> {
    let name = &table.definition.wire_name;
    let id = || frozen.id.iter().cloned().map(Bind);
    let row = row(conn, table, &frozen.id)?;
    let change = Change {
        table: name.clone(),
        id: id_json(conn, table, &frozen.id)?,
        clock: frozen
            .clock
            .parse()
            .map_err(|_| WireError::new("the outbox holds an unreadable clock").at(name, ""))?,
        base: base(frozen.base),
        edit: edit(table, frozen, row),
        was: match frozen.kind.as_str() {
            "update" => frozen.was.clone(),
            _ => Map::new(),
        },
    };
    let text = serde_json::to_string(&change).map_err(|error| WireError::new(error.to_string()))?;
    query::execute(
        conn,
        &format!(
            "insert into carburetor_sending (in_group, of_table, id, clock, change) values ({BIND}, {BIND}, {BIND}, {BIND}, {BIND})"
        ),
        [
            Bind::text(group),
            Bind::text(name),
            Bind::text(change.id.to_string()),
            Bind::text(&frozen.clock),
            Bind::text(text),
        ],
    )?;
    query::execute(
        conn,
        &format!(
            "update {} as entry set carburetor_sent = 1 where {} and carburetor_clock = {BIND}",
            table.own("outbox"),
            table.has_id("entry")
        ),
        id().chain([Bind::text(&frozen.clock)]),
    )?;
    Ok(())
}

/// A stamp that no server has given is none.
fn base(micros: Option<i64>) -> Option<DateTime<Utc>> {
    let micros = micros.filter(|micros| *micros > 0);
    micros.and_then(DateTime::from_timestamp_micros)
}

fn edit(table: &ReplicaTable, frozen: &Frozen, row: Map<String, Value>) -> Edit {
    let mut columns: Vec<&str> = frozen.columns.iter().map(String::as_str).collect();
    let missing = missing_unit_columns(table.definition, &columns);
    columns.extend(missing);
    match frozen.kind.as_str() {
        "delete" => Edit::Delete,
        "insert" => {
            let is_given = |name: &String| {
                let column = table.column(name);
                column.is_some_and(|(_, column)| !column.read_only && !column.last_synced_at)
            };
            Edit::Insert(row.into_iter().filter(|(name, _)| is_given(name)).collect())
        }
        _ => Edit::Update(
            row.into_iter()
                .filter(|(name, _)| columns.contains(&name.as_str()))
                .collect(),
        ),
    }
}

/// The row as it travels; empty where there is none.
fn row(
    conn: &mut SqliteConnection,
    table: &ReplicaTable,
    id: &[Stored],
) -> Result<Map<String, Value>, ReplicaError> {
    let sql = format!(
        "select {} from {} as kept where {}",
        table.columns("kept."),
        table.name(),
        table.has_id("kept")
    );
    let mut json = Map::new();
    query::each(conn, &sql, id.iter().cloned().map(Bind), |row| {
        for (number, column) in table.definition.downloaded().enumerate() {
            let at = |error: WireError| error.at(&table.definition.wire_name, &column.name);
            // The stamp is the server's, which may never have given one.
            let is_stamp = column.last_synced_at && !column.id;
            if !is_stamp {
                let value = row.json(number, &table.codecs[number]).map_err(at)?;
                json.insert(column.name.clone(), value);
            }
        }
        Ok::<_, ReplicaError>(())
    })?;
    Ok(json)
}

/// The id as it travels.
fn id_json(
    conn: &mut SqliteConnection,
    table: &ReplicaTable,
    id: &[Stored],
) -> Result<Value, ReplicaError> {
    let marks = vec![BIND; id.len()].join(", ");
    let numbers: Vec<usize> = table
        .definition
        .downloaded()
        .enumerate()
        .filter(|(_, column)| column.id)
        .map(|(number, _)| number)
        .collect();
    let mut parts = Vec::new();
    let binds = id.iter().cloned().map(Bind);
    query::each(conn, &format!("select {marks}"), binds, |row| {
        for (part, number) in numbers.iter().enumerate() {
            parts.push(row.json(part, &table.codecs[*number])?);
        }
        Ok::<_, ReplicaError>(())
    })?;
    Ok(match parts.len() {
        1 => parts.remove(0),
        _ => Value::Array(parts),
    })
}

/// A change on its way.
pub(super) struct Sending {
    pub(super) seq: i64,
    pub(super) clock: Clock,
    pub(super) change: String,
}

/// The changes of the lowest clocks that wait for an answer.
pub(super) fn sending(
    conn: &mut SqliteConnection,
    group: &str,
    limit: usize,
) -> Result<Vec<Sending>, ReplicaError> {
    let sql = format!(
        "select seq, clock, change from carburetor_sending where in_group = {BIND} order by clock limit {limit}"
    );
    let rows = query::rows(conn, &sql, [Bind::text(group)])?;
    rows.iter()
        .map(|row| {
            Ok(Sending {
                seq: as_integer(&row[0]),
                clock: as_text(&row[1])
                    .parse()
                    .map_err(|_| WireError::new("the outbox holds an unreadable clock"))?,
                change: as_text(&row[2]),
            })
        })
        .collect()
}
