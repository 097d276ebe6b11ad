//! Settling: what becomes of entries and rows when the server has answered.

use super::clock::observe;
use super::error::ReplicaError;
use super::file::Store;
use super::frozen::take_back;
use super::hub;
use super::outbox::Sending;
use super::query::{self, BIND, Bind, Stored, applying};
use super::rejected::keep_aside;
use super::rows::{admit, travelled, write_ids, write_rows};
use super::show::{ANSWERED, show};
use super::shown::{ask_again, is_shared, note_one};
use super::table::ReplicaTable;
use super::token::compare_scope;
use crate::backend::SyncBackend;
use crate::change::{Change, Edit};
use crate::outcome::{Code, Outcome, Outcomes, Rejection, Verdict};
use crate::statement::Statement;
use diesel::connection::Connection;
use diesel::sqlite::{Sqlite, SqliteConnection};
use serde_json::{Map, Value};

/// Settles the changes of one upload, and returns how many were rejected. The caller has a transaction.
pub(super) fn settle(
    conn: &mut SqliteConnection,
    store: &Store,
    batch: &[Sending],
    outcomes: &Outcomes,
) -> Result<u64, ReplicaError> {
    let answered = &outcomes.outcomes;
    for place in 0..batch.len().max(answered.len()) {
        let sent = batch.get(place).map(|sending| sending.clock);
        let clock = answered.get(place).map(|outcome| outcome.clock);
        if sent != clock {
            return Err(ReplicaError::Answer {
                sent,
                answered: clock,
            });
        }
    }
    let mut rejected = 0;
    for (sending, outcome) in batch.iter().zip(answered) {
        let forget = format!("delete from carburetor_sending where seq = {BIND}");
        // Another sync may have settled it meanwhile.
        if query::execute(conn, &forget, [Bind::integer(sending.seq)])? == 0 {
            continue;
        }
        let change = sending.read()?;
        if let Verdict::Rejected(rejection) = &outcome.verdict {
            rejected += 1;
            keep_aside(conn, &store.group, &change, rejection)?;
        }
        // The program may have dropped the table from its group since.
        if let Some(table) = store.table(&change.table) {
            one(conn, store, table, &change, outcome)?;
        }
    }
    observe(conn, outcomes.clock)?;
    if let Some(scope) = &outcomes.scope {
        compare_scope(conn, &store.group, scope)?;
    }
    if let Some(last) = batch.last() {
        query::execute(
            conn,
            &format!(
                "update carburetor_group set confirmed = max(coalesce(confirmed, ''), {BIND}) where name = {BIND}"
            ),
            [Bind::text(last.clock.to_string()), Bind::text(&store.group)],
        )?;
    }
    Ok(rejected)
}

/// Settles one change.
fn one(
    conn: &mut SqliteConnection,
    store: &Store,
    table: &ReplicaTable,
    change: &Change,
    outcome: &Outcome,
) -> Result<(), ReplicaError> {
    let id = table.admit_id(&change.id)?;
    let outbox = table.own("outbox");
    let has_id = table.has_id("entry");
    query::execute(
        conn,
        &format!("delete from {outbox} as entry where {has_id} and carburetor_clock = {BIND}"),
        binds(&id).chain([Bind::text(change.clock.to_string())]),
    )?;
    release(conn, table, &change.edit, &id)?;
    match (&outcome.verdict, &outcome.row) {
        // What was marked as gone is gone, and comes as no removal where the server never had it.
        (Verdict::Applied, _) if outcome.stamp.is_some() || change.edit == Edit::Delete => {
            if is_shared(conn, table, &store.group)? {
                note_one(conn, table, &store.group, &id)?;
            }
            applied(conn, table, change, outcome, &id)
        }
        (_, Some(row)) => {
            let whole = travelled(table, row.clone());
            let target = table.staged(ANSWERED.rows);
            let values = admit(table, &whole)?;
            write_rows(conn, table, &target, std::slice::from_ref(&values))?;
            show(conn, store, table, ANSWERED)?;
            rebase(conn, table, &id, row, stamp_of(table, &values))
        }
        (_, None) => {
            let gone = table.staged(ANSWERED.gone);
            write_ids(conn, table, &gone, std::slice::from_ref(&id))?;
            show(conn, store, table, ANSWERED)?;
            if is_shared(conn, table, &store.group)? {
                ask_again(conn, table, &store.group, &id)?;
            }
            rebase(conn, table, &id, &Map::new(), None)
        }
    }
}

/// What was edited while a change was in flight is now simply unsent.
fn release(
    conn: &mut SqliteConnection,
    table: &ReplicaTable,
    edit: &Edit,
    id: &[Stored],
) -> Result<(), ReplicaError> {
    let (outbox, has_id) = (table.own("outbox"), table.has_id("entry"));
    for register in registers(edit) {
        query::execute(
            conn,
            &format!(
                "update {outbox} as entry set carburetor_sent = 0 where {has_id} and carburetor_column = {BIND} and carburetor_sent = 2"
            ),
            binds(id).chain([Bind::text(register)]),
        )?;
    }
    Ok(())
}

/// Takes back a change that the server can't even read, and keeps it aside. The caller has a transaction.
pub(super) fn refuse(
    conn: &mut SqliteConnection,
    store: &Store,
    sending: &Sending,
    message: String,
) -> Result<(), ReplicaError> {
    let forget = format!("delete from carburetor_sending where seq = {BIND}");
    if query::execute(conn, &forget, [Bind::integer(sending.seq)])? == 0 {
        return Ok(());
    }
    let change = sending.read()?;
    let rejection = Rejection {
        code: Code::Invalid,
        message,
        field: None,
    };
    keep_aside(conn, &store.group, &change, &rejection)?;
    let Some(table) = store.table(&change.table) else {
        return Ok(());
    };
    let id = table.admit_id(&change.id)?;
    take_back(conn, table, &id, &sending.clock.to_string())?;
    release(conn, table, &change.edit, &id)
}

/// The server holds what was sent: the row stays as it is, under its new stamp.
fn applied(
    conn: &mut SqliteConnection,
    table: &ReplicaTable,
    change: &Change,
    outcome: &Outcome,
    id: &[Stored],
) -> Result<(), ReplicaError> {
    let mut base = None;
    if let (Some(instant), Some(stamp)) = (outcome.stamp, table.stamp()) {
        let mut statement: Statement<'_, Sqlite> = Statement::new();
        statement
            .sql(format!(
                "update {} as kept set {} = ",
                table.name(),
                stamp.quoted()
            ))
            .bind(Sqlite::bind_stamp(stamp.storage, instant));
        for (place, (part, value)) in table.definition.ids().zip(id).enumerate() {
            let word = if place == 0 { " where" } else { " and" };
            statement
                .sql(format!("{word} kept.{} is ", part.quoted()))
                .bind(Bind(value.clone()));
        }
        applying(conn, |conn| conn.execute_returning_count(&statement))?;
        let mut select: Statement<'_, Sqlite> = Statement::of("select ");
        select.bind(Sqlite::bind_stamp(stamp.storage, instant));
        base = query::first(conn, select)?;
        hub::note_one(conn, table, id, &base)?;
    }
    let none = Map::new();
    let columns = match &change.edit {
        Edit::Insert(columns) | Edit::Update(columns) => columns,
        Edit::Delete => &none,
    };
    rebase(conn, table, id, columns, base)
}

/// The entries that remain were made on what the server now has: `row`, as far as it is known, and its stamp.
fn rebase(
    conn: &mut SqliteConnection,
    table: &ReplicaTable,
    id: &[Stored],
    row: &Map<String, Value>,
    base: Stored,
) -> Result<(), ReplicaError> {
    let outbox = table.own("outbox");
    let has_id = table.has_id("entry");
    let set = format!("update {outbox} as entry set carburetor_base = {BIND} where {has_id}");
    let remain = query::execute(conn, &set, [Bind(base)].into_iter().chain(binds(id)))?;
    if remain == 0 {
        return Ok(());
    }
    for (name, value) in row {
        let Some((number, _)) = table.column(name) else {
            continue;
        };
        let was = (table.admit)(number, value)?;
        query::execute(
            conn,
            &format!(
                "update {outbox} as entry set carburetor_was = {BIND} where {has_id} and carburetor_column = {BIND}"
            ),
            [Bind(was)]
                .into_iter()
                .chain(binds(id))
                .chain([Bind::text(name)]),
        )?;
    }
    Ok(())
}

fn stamp_of(table: &ReplicaTable, values: &[Stored]) -> Stored {
    let stamp = table.stamp()?;
    let (number, _) = table.column(&stamp.name)?;
    values.get(number).cloned().flatten()
}

fn binds(id: &[Stored]) -> impl Iterator<Item = Bind> {
    id.iter().cloned().map(Bind)
}

/// Which registers a change wrote; the row's existence is the empty one.
fn registers(edit: &Edit) -> Vec<&str> {
    match edit {
        Edit::Update(columns) => columns.keys().map(String::as_str).collect(),
        Edit::Insert(_) | Edit::Delete => vec![""],
    }
}
