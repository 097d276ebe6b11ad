//! The user's own tables: made where they are absent, judged where they are there.

use super::error::ReplicaError;
use super::query::{self, BIND, Bind, as_integer, as_text};
use super::table::{ReplicaTable, no_stamp};
use crate::table::{ColumnDefinition, Storage};
use diesel::connection::SimpleConnection;
use diesel::sqlite::SqliteConnection;

/// Makes the table, or finds out whether a download can be written into the one that is there.
pub(super) fn check(conn: &mut SqliteConnection, table: &ReplicaTable) -> Result<(), ReplicaError> {
    let name = || [Bind::text(&table.definition.table)];
    let found = query::rows(
        conn,
        "select type from sqlite_schema where lower(name) = lower(\u{1}) and type in ('table', 'view')",
        name(),
    )?;
    match found
        .first()
        .and_then(|row| row.first())
        .map(as_text)
        .as_deref()
    {
        None => {
            return match unknown_default(table) {
                None => Ok(conn.batch_execute(&create(table))?),
                Some(problem) => Err(ReplicaError::table(table.definition, problem)),
            };
        }
        Some("view") => {
            let problem = "it is a view: a replica writes into a table".to_owned();
            return Err(ReplicaError::table(table.definition, problem));
        }
        Some(_) => {}
    }
    let problems = [
        columns(conn, table)?,
        keys(conn, table)?,
        collations(conn, table)?,
        references(conn, table)?,
    ];
    match problems.into_iter().flatten().next() {
        Some(problem) => Err(ReplicaError::table(table.definition, problem)),
        None => Ok(()),
    }
}

/// A column that neither inserts nor downloads are sure to fill, and whose type the model keeps to itself.
fn unknown_default(table: &ReplicaTable) -> Option<String> {
    let mut columns = table.definition.columns.iter();
    let column = columns.find(|column| {
        let is_own = column.local || column.skip || (column.read_only && !table.takes_no_writes());
        is_own && !column.nullable && column.storage == Storage::Other
    })?;
    let role = match (column.local, column.skip) {
        (true, _) => "local ",
        (_, true) => "skipped ",
        _ => "",
    };
    Some(format!(
        "the {role}column `{}` takes no NULL, and only the program knows its default: make the table by a migration, or let the column hold NULL",
        column.name
    ))
}

/// The table as the model has it. What only the server writes has a default, so that an insert need not name it.
fn create(table: &ReplicaTable) -> String {
    let columns: Vec<String> = table
        .definition
        .columns
        .iter()
        .map(|column| format!("  {} {}", column.quoted(), declared(column)))
        .collect();
    format!(
        "create table {} (\n{},\n  primary key ({})\n)",
        table.name(),
        columns.join(",\n"),
        table.ids(""),
    )
}

fn declared(column: &ColumnDefinition) -> String {
    let (kind, empty) = match column.storage {
        Storage::Integer => ("integer", "0"),
        Storage::Boolean => ("boolean", "0"),
        Storage::Text => ("text", "''"),
        Storage::Timestamp | Storage::Timestamptz => ("text", no_stamp(column.storage)),
        // Without an affinity a value stays as it is.
        Storage::Other => ("blob", ""),
    };
    let given_by_inserts =
        !(column.last_synced_at || column.read_only || column.local || column.skip);
    match (column.nullable, given_by_inserts) {
        (true, _) => kind.to_owned(),
        (false, true) => format!("{kind} not null"),
        (false, false) if empty.is_empty() => kind.to_owned(),
        (false, false) => format!("{kind} not null default {empty}"),
    }
}

/// What is wrong with the columns.
fn columns(
    conn: &mut SqliteConnection,
    table: &ReplicaTable,
) -> Result<Option<String>, ReplicaError> {
    let found = query::rows(
        conn,
        "select lower(name), lower(type), \"notnull\" and dflt_value is null and pk = 0, \"notnull\" and pk = 0 from pragma_table_info(\u{1})",
        [Bind::text(&table.definition.table)],
    )?;
    let row_of = |column: &ColumnDefinition| {
        let name = column.name.to_lowercase();
        found.iter().find(|row| as_text(&row[0]) == name)
    };
    for column in &table.definition.columns {
        let Some(row) = row_of(column) else {
            return Ok(Some(format!(
                "the column `{}` is missing: add it by a migration, or drop the table and let `Replica::open` make it",
                column.name
            )));
        };
        let kind = as_text(&row[1]);
        let fits = match column.storage {
            Storage::Integer | Storage::Boolean => !is_text(&kind),
            Storage::Text | Storage::Timestamp | Storage::Timestamptz => {
                is_text(&kind) || kind.is_empty() || kind.contains("blob")
                    // Affinity NUMERIC keeps what no number is; text of digits it would turn into one.
                    || (column.storage != Storage::Text && !kind.contains("int") && !is_real(&kind))
            }
            Storage::Other => true,
        };
        if !fits {
            return Ok(Some(format!(
                "the column `{}` is declared as `{kind}`, which changes the values of its type: declare it as `{}`",
                column.name,
                match column.storage {
                    Storage::Integer | Storage::Boolean => "integer",
                    _ => "text",
                }
            )));
        }
    }
    let narrow = table.definition.downloaded().find(|column| {
        column.nullable && row_of(column).is_some_and(|row| as_integer(&row[3]) == 1)
    });
    if let Some(column) = narrow {
        return Ok(Some(format!(
            "the column `{}` takes no NULL, and the server may send one: make the table anew without NOT NULL there, or drop it and let `Replica::open` make it",
            column.name
        )));
    }
    let unfilled = found.iter().find(|row| {
        let name = as_text(&row[0]);
        let is_filled = |column: &ColumnDefinition| {
            !column.skip && !column.local && column.name.to_lowercase() == name
        };
        as_integer(&row[2]) == 1 && !table.definition.columns.iter().any(is_filled)
    });
    Ok(unfilled.map(|row| {
        format!(
            "the column `{}` takes no NULL and has no default, and downloads don't bring it: give it a default",
            as_text(&row[0])
        )
    }))
}

fn is_text(kind: &str) -> bool {
    !kind.contains("int")
        && ["char", "clob", "text"]
            .iter()
            .any(|word| kind.contains(word))
}

fn is_real(kind: &str) -> bool {
    ["real", "floa", "doub"]
        .iter()
        .any(|word| kind.contains(word))
}

/// What is wrong with the unique keys: there has to be one of the ids, and no other.
fn keys(conn: &mut SqliteConnection, table: &ReplicaTable) -> Result<Option<String>, ReplicaError> {
    let name = || Bind::text(&table.definition.table);
    let mut keys: Vec<(String, Vec<String>)> = Vec::new();
    let indexes = query::rows(
        conn,
        "select l.name, lower(i.name) from pragma_index_list(\u{1}) l, pragma_index_info(l.name) i where l.\"unique\" order by l.seq, i.seqno",
        [name()],
    )?;
    for row in indexes {
        let (index, column) = (as_text(&row[0]), as_text(&row[1]));
        match keys.iter_mut().find(|(known, _)| *known == index) {
            Some((_, columns)) => columns.push(column),
            None => keys.push((index, vec![column])),
        }
    }
    // An INTEGER PRIMARY KEY has no index.
    let primary = query::rows(
        conn,
        "select lower(name) from pragma_table_info(\u{1}) where pk > 0 order by pk",
        [name()],
    )?;
    keys.push((
        "PRIMARY KEY".into(),
        primary.iter().map(|row| as_text(&row[0])).collect(),
    ));
    let mut ids: Vec<String> = table
        .definition
        .ids()
        .map(|id| id.name.to_lowercase())
        .collect();
    ids.sort();
    let is_of_ids = |columns: &[String]| {
        let mut columns = columns.to_vec();
        columns.sort();
        columns == ids
    };
    if !keys.iter().any(|(_, columns)| is_of_ids(columns)) {
        return Ok(Some(format!(
            "no key of exactly its id ({}): declare it as the primary key",
            ids.join(", ")
        )));
    }
    let other = keys
        .iter()
        .find(|(_, columns)| !columns.is_empty() && !is_of_ids(columns));
    Ok(other.map(|(index, columns)| {
        format!(
            "the unique key {index} ({}) can't stand here: between two downloads the rows of two devices may share it. The server keeps it; \
             drop it in the replica's file, or make it an ordinary index",
            columns.join(", ")
        )
    }))
}

/// What is wrong with the collations of its id: to the server, ids of other bytes are other rows.
fn collations(
    conn: &mut SqliteConnection,
    table: &ReplicaTable,
) -> Result<Option<String>, ReplicaError> {
    let is_number =
        |column: &&ColumnDefinition| matches!(column.storage, Storage::Integer | Storage::Boolean);
    for id in table.definition.ids().filter(|id| !is_number(id)) {
        // The first part gives the column its collation. An index may have another one.
        let found = query::rows(
            conn,
            &format!(
                "select 1 from (select {} as part from {} where 0 union all values ('a')) where part in ('A', 'a ')
union all select 1 from pragma_index_list({BIND}) as l, pragma_index_xinfo(l.name) as i
  where l.\"unique\" and i.key and lower(i.name) = lower({BIND}) and i.coll <> 'BINARY'",
                id.quoted(),
                table.name()
            ),
            [&table.definition.table, &id.name].map(Bind::text),
        )?;
        if !found.is_empty() {
            return Ok(Some(format!(
                "ids that differ are one to the collation of `{}`, and two rows to the server: make the table anew with `collate binary` in \
                 this column and its key",
                id.name
            )));
        }
    }
    Ok(None)
}

/// What is wrong with the foreign keys: a scope may show a row and not the one that it points to.
fn references(
    conn: &mut SqliteConnection,
    table: &ReplicaTable,
) -> Result<Option<String>, ReplicaError> {
    let found = query::rows(
        conn,
        "select \"from\", \"table\" from pragma_foreign_key_list(\u{1}) limit 1",
        [Bind::text(&table.definition.table)],
    )?;
    Ok(found.first().map(|row| {
        format!(
            "the foreign key of `{}` to `{}` can't stand here: rows come in the order in which they changed, and the scope may show a row \
             without the one it points to. The server keeps it; declare the table without it in the replica's file",
            as_text(&row[0]),
            as_text(&row[1])
        )
    }))
}
