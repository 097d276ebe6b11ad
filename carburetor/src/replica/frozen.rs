//! One change in the making: what it says is what the row holds now.

use super::error::ReplicaError;
use super::query::{self, BIND, Bind, Stored, as_text};
use super::refused;
use super::rejected::keep_aside;
use super::rest::{Rest, local};
use super::sending;
use super::table::ReplicaTable;
use super::token;
use super::unreadable::Unread;
use crate::change::{Change, Edit};
use crate::outcome::{Code, Rejection};
use crate::table::{literal, quoted};
use crate::tracking::sqlite::list;
use crate::upload::missing_unit_columns;
use crate::wire::WireError;
use chrono::{DateTime, Utc};
use diesel::sqlite::SqliteConnection;
use serde_json::{Map, Value};

/// One change in the making: the entries that share a clock.
pub(super) struct Frozen {
    pub(super) table: usize,
    pub(super) id: Vec<Stored>,
    pub(super) clock: String,
    pub(super) kind: String,
    pub(super) columns: Vec<String>,
    pub(super) base: Option<i64>,
    pub(super) was: Map<String, Value>,
    pub(super) since: i64,
    pub(super) stretch: i64,
    /// Its row had another id before.
    pub(super) is_moved: bool,
}

/// Writes one change down and marks its entries as in flight. One with a value that can't travel is taken back, and kept aside.
pub(super) fn keep(
    conn: &mut SqliteConnection,
    table: &ReplicaTable,
    frozen: &Frozen,
) -> Result<(), ReplicaError> {
    let (change, problem) = change(conn, table, frozen)?;
    if let Some(problem) = problem {
        let rejection = Rejection {
            code: Code::Invalid,
            message: problem.to_string(),
            field: Some(problem.column),
        };
        return set_aside(conn, table, frozen, &change, &rejection);
    }
    let stretches = Some((frozen.since, frozen.stretch));
    sending::enqueue(conn, &table.owner, &change, stretches)?;
    let sent = format!(
        "update {} as entry set carburetor_sent = 1 where {} and carburetor_clock = {BIND}",
        table.own("outbox"),
        table.has_id("entry")
    );
    match query::execute(conn, &sent, frozen.entries())? {
        0 => Err(ReplicaError::stuck(table, &frozen.clock)),
        _ => Ok(()),
    }
}

/// Takes a change back and keeps it aside: what the server has of the row comes with the next download.
pub(super) fn set_aside(
    conn: &mut SqliteConnection,
    table: &ReplicaTable,
    frozen: &Frozen,
    change: &Change,
    rejection: &Rejection,
) -> Result<(), ReplicaError> {
    let rest = rest(conn, table, frozen, change)?;
    keep_aside(conn, &table.owner, change, rejection, &rest)?;
    token::forget_of(conn, table)?;
    match take_back(conn, table, &frozen.id, &frozen.clock)? {
        0 => Err(ReplicaError::stuck(table, &frozen.clock)),
        _ => Ok(()),
    }
}

/// What of the row a change doesn't say: values that can't travel, and where the row goes with it, all that never does.
fn rest(
    conn: &mut SqliteConnection,
    table: &ReplicaTable,
    frozen: &Frozen,
    change: &Change,
) -> Result<Rest, ReplicaError> {
    let (said, mut columns) = match &change.edit {
        Edit::Insert(said) => (said, local(conn, table)?),
        Edit::Update(said) => (said, Vec::new()),
        Edit::Delete => return Ok(Rest::default()),
    };
    let given = given(table, frozen).into_iter().map(str::to_owned);
    columns.extend(given.filter(|name| !said.contains_key(name)));
    Ok(Rest::of_row(conn, table, &columns, &frozen.id)?)
}

/// The change that the entries come to, and what of its row can't travel.
pub(super) fn change(
    conn: &mut SqliteConnection,
    table: &ReplicaTable,
    frozen: &Frozen,
) -> Result<(Change, Option<WireError>), ReplicaError> {
    let name = &table.definition.wire_name;
    let (row, problem) = row(conn, table, frozen)?;
    let change = Change {
        table: name.clone(),
        id: id_json(conn, table, &frozen.id)?,
        clock: frozen
            .clock
            .parse()
            .map_err(|_| WireError::new("the outbox holds an unreadable clock").at(name, ""))?,
        base: base(frozen.base),
        edit: match frozen.kind.as_str() {
            "delete" => Edit::Delete,
            "insert" => Edit::Insert(row),
            _ => Edit::Update(row),
        },
        was: match frozen.kind.as_str() {
            "update" => frozen.was.clone(),
            _ => Map::new(),
        },
    };
    Ok((change, problem))
}

impl Frozen {
    /// The binds that find its entries.
    fn entries(&self) -> impl Iterator<Item = Bind> {
        let id = self.id.iter().cloned().map(Bind);
        id.chain([Bind::text(&self.clock)])
    }
}

/// The row becomes what it was before the edit of this clock, as it does when the server rejects it. Returns how many entries are forgotten.
pub(super) fn take_back(
    conn: &mut SqliteConnection,
    table: &ReplicaTable,
    id: &[Stored],
    clock: &str,
) -> Result<usize, ReplicaError> {
    let (name, outbox) = (table.name(), table.own("outbox"));
    let binds = || id.iter().cloned().map(Bind);
    let of_clock = format!("{} and carburetor_clock = {BIND}", table.has_id("entry"));
    // What was edited again since has another clock, and stays.
    let columns = query::rows(
        conn,
        &format!("select carburetor_column from {outbox} as entry where {of_clock}"),
        binds().chain([Bind::text(clock)]),
    )?;
    let columns: Vec<String> = columns.iter().map(|column| as_text(&column[0])).collect();
    let undo = match columns.iter().any(String::is_empty) {
        _ if columns.is_empty() => return Ok(0),
        true => format!("delete from {name} as kept where {}", table.has_id("kept")),
        false => {
            let same = table.same_id("entry", "kept");
            let set: Vec<String> = columns
                .iter()
                .map(|column| {
                    format!(
                        "{} = (select carburetor_was from {outbox} as entry where {same} and carburetor_column = {})",
                        quoted(column),
                        literal(column)
                    )
                })
                .collect();
            format!(
                "update {name} as kept set {} where {}",
                set.join(", "),
                table.has_id("kept")
            )
        }
    };
    let undone = refused::attempt(conn, table, |conn| {
        query::applying(conn, |conn| Ok(query::execute(conn, &undo, binds())?))
    })?;
    if let Err(said) = undone {
        let remains = refused::of_undoing(table, &said).of(id_json(conn, table, id)?);
        Unread::told(remains).keep(conn, table)?;
    }
    forget_entries(conn, table, id, clock)
}

/// Forgets the entries of this clock. Returns how many.
pub(super) fn forget_entries(
    conn: &mut SqliteConnection,
    table: &ReplicaTable,
    id: &[Stored],
    clock: &str,
) -> Result<usize, ReplicaError> {
    let forget = format!(
        "delete from {} as entry where {} and carburetor_clock = {BIND}",
        table.own("outbox"),
        table.has_id("entry")
    );
    let id = id.iter().cloned().map(Bind);
    Ok(query::execute(
        conn,
        &forget,
        id.chain([Bind::text(clock)]),
    )?)
}

/// A stamp that no server has given is none.
fn base(micros: Option<i64>) -> Option<DateTime<Utc>> {
    let micros = micros.filter(|micros| *micros > 0);
    micros.and_then(DateTime::from_timestamp_micros)
}

/// The columns that a change gives.
fn given<'f>(table: &ReplicaTable, frozen: &'f Frozen) -> Vec<&'f str> {
    let mut columns: Vec<&str> = frozen.columns.iter().map(String::as_str).collect();
    columns.extend(missing_unit_columns(table.definition, &columns));
    if frozen.kind == "insert" {
        let inserted = table.definition.downloaded();
        let inserted = inserted.filter(|column| !column.read_only && !column.last_synced_at);
        columns.extend(inserted.map(|column| column.name.as_str()));
    }
    columns
}

/// What a change gives of its row as it is now, and what of it can't travel.
fn row(
    conn: &mut SqliteConnection,
    table: &ReplicaTable,
    frozen: &Frozen,
) -> Result<(Map<String, Value>, Option<WireError>), ReplicaError> {
    let given = given(table, frozen);
    let columns = table.definition.downloaded().enumerate();
    let columns: Vec<_> = columns
        .filter(|(_, column)| given.contains(&column.name.as_str()))
        .collect();
    let (mut json, mut problem) = (Map::new(), None);
    if columns.is_empty() {
        return Ok((json, problem));
    }
    let sql = format!(
        "select {} from {} as kept where {}",
        list(columns.iter().map(|(_, column)| *column), "kept."),
        table.name(),
        table.has_id("kept")
    );
    let id = frozen.id.iter().cloned().map(Bind);
    query::each(conn, &sql, id, |row| {
        for (place, (number, column)) in columns.iter().enumerate() {
            match row.json(place, &table.codecs[*number]) {
                Ok(value) => drop(json.insert(column.name.clone(), value)),
                Err(error) => {
                    problem = Some(error.at(&table.definition.wire_name, &column.name));
                }
            }
        }
        Ok::<_, ReplicaError>(())
    })?;
    Ok((json, problem))
}

/// The id as it travels.
pub(super) fn id_json(
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
