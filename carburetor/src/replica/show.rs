//! Making visible what the server said: the program's unsent edits stay on top of the server's rows.

use super::below::{self, GONE};
use super::broken::broken;
use super::entries::MET;
use super::error::ReplicaError;
use super::file::{Store, disarmed};
use super::hub;
use super::outbox::{Which, freeze};
use super::query::{applying, exists};
use super::refused;
use super::returning;
use super::shown::{forget, is_shared, note};
use super::table::ReplicaTable;
use crate::connection::transact;
use diesel::connection::SimpleConnection;
use diesel::sqlite::SqliteConnection;

/// Where rows and ids lie before they are shown.
#[derive(Clone, Copy)]
pub(super) struct Staging {
    pub(super) rows: &'static str,
    pub(super) gone: &'static str,
    /// In which order rows come: of those with one id the last one counts.
    pub(super) order: &'static str,
    /// They are the server's news, which lie below changes under way.
    lies_below: bool,
}

/// What a download brings, page by page.
pub(super) const DOWNLOADED: Staging = Staging {
    rows: "staged",
    gone: "gone",
    order: " order by row.carburetor_seq",
    lies_below: true,
};

/// What an answer brings.
pub(super) const ANSWERED: Staging = Staging {
    rows: "answered",
    gone: "lost",
    order: "",
    lies_below: false,
};

/// What a download has brought before, and what could not be shown then.
pub(super) const KEPT: Staging = Staging {
    lies_below: true,
    ..ANSWERED
};

impl Staging {
    /// What lies there has been told before.
    pub(super) fn is_kept(self) -> bool {
        self.rows == KEPT.rows && self.lies_below
    }
}

/// From how many rows on triggers cost more, though they let them pass, than to make them again.
const MANY: usize = 10_000;

/// Shows what is staged of one table, and empties the stage. What the table refuses is kept aside; returns how much that is.
pub(super) fn show(
    conn: &mut SqliteConnection,
    store: &Store,
    table: &ReplicaTable,
    staging: Staging,
) -> Result<u64, ReplicaError> {
    let mut aside = 0;
    loop {
        let error = match show_all(conn, store, table, staging) {
            Ok(()) => return Ok(aside),
            Err(error) => refused::unless_over(conn, table, error),
        };
        if refused::why(&error).is_none() {
            return Err(error);
        }
        if let Some(broken) = broken(conn, table)? {
            return Err(broken);
        }
        // What is refused may be another row once the first one is aside.
        match refused::set_aside(conn, store, table, staging)? {
            0 => return Err(error),
            more => aside += more,
        }
    }
}

/// The same where nothing is to be kept aside: all of it is shown, or the error says what the table refuses.
pub(super) fn show_all(
    conn: &mut SqliteConnection,
    store: &Store,
    table: &ReplicaTable,
    staging: Staging,
) -> Result<(), ReplicaError> {
    transact(conn, |conn| write(conn, store, table, staging))?;
    Ok(conn.batch_execute(&format!(
        "delete from {}; delete from {}",
        table.staged(staging.rows),
        table.staged(staging.gone)
    ))?)
}

fn write(
    conn: &mut SqliteConnection,
    store: &Store,
    table: &ReplicaTable,
    staging: Staging,
) -> Result<(), ReplicaError> {
    if is_shared(conn, table, &store.group)? {
        forget(conn, table, &store.group, staging)?;
        note(conn, table, &store.group, staging)?;
    }
    if !table.takes_no_writes() && staging.lies_below {
        conn.batch_execute(&below::keep(table, staging))?;
    }
    remove(conn, store, table, staging)?;
    hub::note(conn, table, staging)?;
    let sql = inserts(conn, table, staging, "")?.join(";\n");
    let is_much = {
        let staged = table.staged(staging.rows);
        exists(
            conn,
            &format!("select 1 from {staged} limit 1 offset {MANY}"),
            [],
        )?
    };
    // On a hub there are triggers of its own beside them, whose order is to stay.
    applying(conn, |conn| match is_much && !table.is_hub {
        true => disarmed(conn, table, |conn| conn.batch_execute(&sql)),
        false => Ok(conn.batch_execute(&sql)?),
    })?;
    returning::give(conn, table)
}

/// The statements that put the staged rows into the table, those of which `also` holds.
pub(super) fn inserts(
    conn: &mut SqliteConnection,
    table: &ReplicaTable,
    staging: Staging,
    also: &str,
) -> Result<Vec<String>, ReplicaError> {
    let has_entries = !table.takes_no_writes()
        && exists(
            conn,
            &format!("select 1 from {} limit 1", table.own("outbox")),
            [],
        )?;
    let mut statements = vec![plain(table, staging, has_entries, also)];
    if has_entries {
        statements.extend(laid(table, staging, also));
    }
    Ok(statements)
}

/// Removes the rows whose ids are staged as gone. Edits of them are frozen first: the server says what becomes of them.
fn remove(
    conn: &mut SqliteConnection,
    store: &Store,
    table: &ReplicaTable,
    staging: Staging,
) -> Result<(), ReplicaError> {
    let gone = table.staged(staging.gone);
    if !exists(conn, &format!("select 1 from {gone} limit 1"), [])? {
        return Ok(());
    }
    if !table.takes_no_writes() {
        disentangle(conn, store, table, staging)?;
    }
    let sql = removal(table, staging, "");
    applying(conn, |conn| conn.batch_execute(&sql))?;
    Ok(())
}

/// The statement that removes the rows whose ids are staged as gone, those of which `also` holds.
pub(super) fn removal(table: &ReplicaTable, staging: Staging, also: &str) -> String {
    format!(
        "delete from {} where {}{also}",
        table.name(),
        table.is_among("", &table.staged(staging.gone))
    )
}

/// Whether the row `alias` has the id of the statement's row of the table `name`.
fn qualified(table: &ReplicaTable, alias: &str, name: &str) -> String {
    let parts = table.definition.ids();
    let parts: Vec<String> = parts
        .map(|id| format!("{alias}.{0} = {name}.{0}", id.quoted()))
        .collect();
    parts.join(" and ")
}

/// Rows that the program inserted stay; the entries of the others go.
pub(super) fn disentangle(
    conn: &mut SqliteConnection,
    store: &Store,
    table: &ReplicaTable,
    staging: Staging,
) -> Result<(), ReplicaError> {
    let (gone, outbox) = (table.staged(staging.gone), table.own("outbox"));
    let below = table.own("below");
    let is_gone = table.is_among("", &gone);
    conn.batch_execute(&format!(
        "update {outbox} set {GONE} where carburetor_column = '' and carburetor_kind = 'insert' and carburetor_sent <> 0 and {is_gone};
delete from {below} where {is_gone}",
    ))?;
    conn.batch_execute(&format!(
        "delete from {gone} where exists (select 1 from {outbox} as entry where {} and carburetor_column = '' and carburetor_kind = 'insert')",
        qualified(table, "entry", &gone)
    ))?;
    freeze(
        conn,
        &store.tables,
        &store.group,
        &Which::Going(&table.definition.wire_name, &table.place(staging.gone)),
    )?;
    // A deletion over an insert in flight is still to be sent.
    Ok(conn.batch_execute(&format!(
        "delete from {outbox} where carburetor_sent <> 2 and {is_gone}"
    ))?)
}

/// The rows without entries: inserted, or replaced but for their local columns.
fn plain(table: &ReplicaTable, staging: Staging, has_entries: bool, also: &str) -> String {
    let condition = match has_entries {
        true => format!("not {}{also}", has_entry(table, "true")),
        false => format!("true{also}"),
    };
    insert(table, staging, &table.columns("row."), "", &condition)
}

fn has_entry(table: &ReplicaTable, condition: &str) -> String {
    format!(
        "exists (select 1 from {} as entry where {} and {condition})",
        table.own("outbox"),
        table.same_id("entry", "row")
    )
}

fn insert(
    table: &ReplicaTable,
    staging: Staging,
    values: &str,
    join: &str,
    condition: &str,
) -> String {
    let others = table.definition.downloaded().filter(|column| !column.id);
    let set: Vec<String> = others
        .map(|column| format!("{0} = excluded.{0}", column.quoted()))
        .collect();
    let action = match set.is_empty() {
        true => "nothing".to_owned(),
        false => format!("update set {}", set.join(", ")),
    };
    format!(
        "insert into {} ({}) select {values} from {} as row{join} where {condition}{} on conflict ({}) do {action}",
        table.name(),
        table.columns(""),
        table.staged(staging.rows),
        staging.order,
        table.ids(""),
    )
}

/// The rows with entries: what is edited keeps the program's value, a row that the program inserted keeps all of them, and one that it deleted
/// stays deleted.
fn laid(table: &ReplicaTable, staging: Staging, also: &str) -> [String; 2] {
    let is_new = has_entry(
        table,
        "carburetor_column = '' and carburetor_kind = 'insert'",
    );
    let columns = table.definition.downloaded().map(|column| {
        let name = column.quoted();
        let is_edited = table.edited().any(|edited| edited.name == column.name);
        if !is_edited {
            return format!("row.{name}");
        }
        let own = has_entry(
            table,
            &format!(
                "carburetor_column = {}",
                crate::table::literal(&column.name)
            ),
        );
        format!("iif(kept.carburetor_is_kept and ({is_new} or {own}), kept.{name}, row.{name})")
    });
    let values = columns.collect::<Vec<_>>().join(",\n  ");
    let join = format!(
        " left join (select *, 1 as carburetor_is_kept from {}) as kept on {}",
        table.name(),
        table.same_id("kept", "row")
    );
    let is_deleted = has_entry(
        table,
        "carburetor_column = '' and carburetor_kind = 'delete'",
    );
    let condition = format!("{} and not {is_deleted}{also}", has_entry(table, "true"));
    let outbox = table.own("outbox");
    let met = format!(
        "update {outbox} set {MET} where carburetor_column = '' and carburetor_kind = 'insert' and {}",
        table.is_among("", &table.staged(staging.rows)),
    );
    [met, insert(table, staging, &values, &join, &condition)]
}
