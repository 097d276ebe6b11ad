//! Unsent edits of columns that the program's model no longer has: each is told as rejected, and what else of the row was edited goes up.

use super::error::ReplicaError;
use super::frozen::id_json;
use super::query::{self, BIND, Bind, Stored, as_integer, as_text, exists};
use super::rejected::keep_aside;
use super::rest::Rest;
use super::table::ReplicaTable;
use crate::change::{Change, Edit};
use crate::clip;
use crate::outcome::{Code, Rejection};
use crate::table::{literal, quoted};
use crate::wire::{SqliteValue, WireError};
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use diesel::QueryResult;
use diesel::connection::SimpleConnection;
use diesel::sqlite::SqliteConnection;
use serde_json::Value;
use std::collections::BTreeSet;

/// Keeps the rows of unsent edits as they are, until the file is opened: what a migration drops of them would be gone.
pub(super) fn remember(conn: &mut SqliteConnection) -> QueryResult<()> {
    let tables = "select distinct name from carburetor_replicated as known
where exists (select 1 from sqlite_schema where name = 'carburetor_outbox_' || known.name) and exists (select 1 from sqlite_schema where name = known.name)";
    if !exists(conn, &schema("carburetor_replicated"), [])? {
        return Ok(());
    }
    for table in query::rows(conn, tables, [])? {
        let table = as_text(&table[0]);
        let outbox = quoted(&format!("carburetor_outbox_{table}"));
        let unsent = format!("select 1 from {outbox} where carburetor_sent <> 1 limit 1");
        if !exists(conn, &unsent, [])? {
            continue;
        }
        let ids = format!(
            "select name from pragma_table_info({BIND}) where substr(name, 1, 11) <> 'carburetor_'"
        );
        let ids = query::rows(
            conn,
            &ids,
            [Bind::text(format!("carburetor_outbox_{table}"))],
        )?;
        let same: Vec<String> = ids
            .iter()
            .map(|id| quoted(&as_text(&id[0])))
            .map(|id| format!("entry.{id} is kept.{id}"))
            .collect();
        // What was kept by an earlier attempt is from before the migration, and nothing is recorded in between.
        conn.batch_execute(&format!(
            "create table if not exists {} as select entry.carburetor_clock, entry.carburetor_column, kept.* from {outbox} as entry join {} as kept on {}
where entry.carburetor_sent <> 1",
            quoted(&before(&table)),
            quoted(&table),
            same.join(" and ")
        ))?;
    }
    Ok(())
}

/// Where rows lie as they were before a migration.
fn before(table: &str) -> String {
    format!("carburetor_before_{table}")
}

fn schema(name: &str) -> String {
    format!("select 1 from sqlite_schema where name = {}", literal(name))
}

/// An entry of the outbox that is of a column which the model lacks.
struct Lost {
    column: String,
    id: Vec<Stored>,
    clock: String,
    was: Stored,
    /// The whole row is new, so that only this column of it is lost.
    is_insert: bool,
}

/// Tells of the unsent edits of columns that the model lacks; `known` are those that the table's model had before.
pub(super) fn tell(
    conn: &mut SqliteConnection,
    table: &ReplicaTable,
    known: &[String],
) -> Result<(), ReplicaError> {
    let outbox = table.own("outbox");
    if exists(conn, &schema(&table.object("outbox")), [])? {
        let edited = format!(
            "select distinct carburetor_column from {outbox} where carburetor_sent <> 1 and carburetor_column <> ''"
        );
        let edited = query::rows(conn, &edited, [])?;
        let names = edited.iter().map(|column| as_text(&column[0]));
        let gone: BTreeSet<String> = names
            .chain(known.iter().cloned())
            .filter(|name| table.column(name).is_none())
            .collect();
        for column in gone {
            tell_of(conn, table, &column)?;
        }
    }
    Ok(conn.batch_execute(&format!(
        "drop table if exists {}",
        quoted(&before(&table.definition.table))
    ))?)
}

fn tell_of(
    conn: &mut SqliteConnection,
    table: &ReplicaTable,
    column: &str,
) -> Result<(), ReplicaError> {
    let outbox = table.own("outbox");
    // What was edited of a new row goes with that.
    let entries = format!(
        "select carburetor_clock, carburetor_was, carburetor_column = '', {} from {outbox} as entry
where carburetor_sent <> 1 and (carburetor_column = {BIND} and carburetor_kind <> 'insert' or carburetor_column = '' and carburetor_kind = 'insert')",
        table.ids("entry.")
    );
    for entry in query::rows(conn, &entries, [Bind::text(column)])? {
        let lost = Lost {
            column: column.to_owned(),
            clock: as_text(&entry[0]),
            was: entry[1].clone(),
            is_insert: as_integer(&entry[2]) != 0,
            id: entry[3..].to_vec(),
        };
        lost.tell(conn, table)?;
    }
    let forget =
        format!("delete from {outbox} where carburetor_sent <> 1 and carburetor_column = {BIND}");
    query::execute(conn, &forget, [Bind::text(column)])?;
    Ok(())
}

impl Lost {
    fn tell(&self, conn: &mut SqliteConnection, table: &ReplicaTable) -> Result<(), ReplicaError> {
        let (name, column) = (&table.definition.wire_name, &self.column);
        let value = self.value(conn, table)?;
        // A new row need not have had anything there.
        if self.is_insert && !matches!(value, Some(Some(_))) {
            return Ok(());
        }
        let value = value.map(travels);
        let lost = match &value {
            Some(value) => clip::name(&value.to_string()),
            None => "a value that went with it (`disarm` before a migration keeps it)".to_owned(),
        };
        let rejection = Rejection {
            code: Code::Invalid,
            message: format!(
                "the program's model has no column `{column}` any more, so that an edit was not sent which had written {lost} there: \
                 write it to another column, or drop the rejected change"
            ),
            field: Some(column.clone()),
        };
        let was = match self.is_insert {
            true => None,
            false => Some((column.clone(), travels(self.was.clone()))),
        };
        let change = Change {
            table: name.clone(),
            id: match id_json(conn, table, &self.id) {
                Ok(id) => id,
                Err(_) => Value::Array(self.id.iter().cloned().map(travels).collect()),
            },
            clock: self
                .clock
                .parse()
                .map_err(|_| WireError::new("the outbox holds an unreadable clock").at(name, ""))?,
            base: None,
            edit: Edit::Update(
                value
                    .map(|value| (column.clone(), value))
                    .into_iter()
                    .collect(),
            ),
            was: was.into_iter().collect(),
        };
        keep_aside(conn, &table.owner, &change, &rejection, &Rest::default())
    }

    /// What the column held last, where anybody knows: the row itself, if the table still has the column, or what was kept before a migration.
    fn value(
        &self,
        conn: &mut SqliteConnection,
        table: &ReplicaTable,
    ) -> QueryResult<Option<Stored>> {
        let before = before(&table.definition.table);
        let entry = format!("carburetor_clock = {BIND} and carburetor_column = {BIND}");
        let of = if self.is_insert { "" } else { &self.column };
        let ids = self.id.iter().cloned().map(Bind);
        let places = [
            (before, entry, [&self.clock, of].map(Bind::text).into()),
            (
                table.definition.table.clone(),
                table.has_id("kept"),
                ids.collect::<Vec<_>>(),
            ),
        ];
        for (place, is_row, binds) in places {
            if !query::has_column(conn, &place, &self.column)? {
                continue;
            }
            let found = format!(
                "select {} from {} as kept where {is_row}",
                quoted(&self.column),
                quoted(&place)
            );
            if let Some(row) = query::rows(conn, &found, binds)?.into_iter().next() {
                return Ok(row.into_iter().next());
            }
        }
        Ok(None)
    }
}

/// A value of a column that no model reads, as SQLite keeps it.
fn travels(value: Stored) -> Value {
    match value {
        None => Value::Null,
        Some(SqliteValue::Integer(number)) => number.into(),
        Some(SqliteValue::Real(number)) => number.into(),
        Some(SqliteValue::Text(text)) => text.into(),
        Some(SqliteValue::Blob(bytes)) => STANDARD.encode(bytes).into(),
    }
}
