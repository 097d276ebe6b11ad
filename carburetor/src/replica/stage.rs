//! Pages on their way: each is written beside the tables with its token, in a transaction of its own. With the last one all becomes visible at once.

use super::clock::observe;
use super::error::ReplicaError;
use super::file::Store;
use super::message::{Message, News};
use super::origin;
use super::query::{self, BIND, Bind, as_integer, as_text};
use super::rejected::counting;
use super::returning;
use super::rows::{write_ids, write_rows};
use super::schema::now_ms;
use super::show::{DOWNLOADED, show};
use super::table::ReplicaTable;
use super::token;
use super::unreadable;
use crate::scope::Left;
use crate::table::{literal, quoted};
use crate::wire::{SqliteValue, WireError};
use diesel::connection::SimpleConnection;
use diesel::sqlite::SqliteConnection;
use serde_json::Value;

/// The index by which rows are found that go again before they are shown.
const STAGED_ID: &str = "staged_id";

/// What a page was.
pub(super) struct Staged {
    pub(super) rows: u64,
    pub(super) removed: u64,
    /// Edits that were kept aside, because they can't travel.
    pub(super) rejected: u64,
    /// Rows that can't be shown.
    pub(super) unreadable: u64,
    /// There are more before all is of one instant.
    pub(super) more: bool,
    /// The token behind it.
    pub(super) next: String,
}

/// Takes one page; the last one shows all. The caller has a transaction.
pub(super) fn take(
    conn: &mut SqliteConnection,
    store: &Store,
    page: Message,
) -> Result<Staged, ReplicaError> {
    let mut staged = Staged {
        rows: 0,
        removed: 0,
        rejected: 0,
        unreadable: 0,
        more: page.more,
        next: page.next,
    };
    for (table, news) in store.tables.iter().zip(&page.news) {
        if let Some(news) = news {
            staged.rows += news.rows.len() as u64;
            staged.removed += news.removed.len() as u64;
            staged.unreadable += news.unreadable.len() as u64;
            stage(conn, table, news)?;
        }
    }
    token::keep_keys(conn, &store.group, &staged.next, page.keys.as_deref())?;
    let scope = page.scope.map(SqliteValue::Text);
    let token = [
        Bind::text(&staged.next),
        Bind(scope),
        Bind::text(&store.group),
    ];
    match page.more {
        true => {
            let keep = format!(
                "insert or replace into carburetor_stage (token, scope, in_group) values ({BIND}, {BIND}, {BIND})"
            );
            query::execute(conn, &keep, token)?;
        }
        false => {
            origin::follow(conn, store, page.origin.as_deref())?;
            for (table, news) in store.tables.iter().zip(&page.news) {
                if news.is_some() {
                    store.show_again(conn, table)?;
                }
                let is_reset = complete(conn, table)?;
                let shown = counting(conn, |conn| show(conn, store, table, DOWNLOADED));
                let (unreadable, aside) = shown?;
                staged.unreadable += unreadable;
                staged.rejected += aside;
                if is_reset {
                    returning::forget(conn, &table.definition.table)?;
                }
                conn.batch_execute(&format!("drop index if exists {}", table.staged(STAGED_ID)))?;
            }
            conn.batch_execute(&format!(
                "delete from carburetor_stage where in_group = {}",
                literal(&store.group)
            ))?;
            let keep = format!(
                "update carburetor_group set token = {BIND}, scope = {BIND}, synced_ms = (select {} from carburetor_replica) where name = {BIND}",
                now_ms()
            );
            query::execute(conn, &keep, token)?;
        }
    }
    // A message without tables tells the server's time by its clock alone.
    let at = page.at.unwrap_or(page.clock.instant());
    observe(conn, page.clock, Some(at))?;
    staged.next = token::since(conn, &store.group)?.unwrap_or_default();
    Ok(staged)
}

/// Adds a page to what is staged of its table: what lies there is as if all pages so far had been one, but that a row may lie there several times,
/// the last one being the one that counts. So rows are only added at the end, whatever their ids are.
fn stage(
    conn: &mut SqliteConnection,
    table: &ReplicaTable,
    news: &News,
) -> Result<(), ReplicaError> {
    let [staged, gone] = [DOWNLOADED.rows, DOWNLOADED.gone].map(|kind| table.staged(kind));
    let (name, ids) = (literal(&table.place(DOWNLOADED.rows)), table.ids(""));
    if news.reset {
        conn.batch_execute(&format!(
            "delete from {staged}; delete from {gone}; delete from carburetor_stage_left where of_table = {name};
insert or ignore into carburetor_stage_reset (of_table) values ({name})"
        ))?;
    }
    if let Some(left) = &news.left {
        leave(conn, table, left)?;
    }
    if !news.removed.is_empty() {
        write_ids(conn, table, &gone, &news.removed)?;
        if query::exists(conn, &format!("select 1 from {staged} limit 1"), [])? {
            // Such a page seldom comes alone.
            conn.batch_execute(&format!(
                "create index if not exists {} on {staged} ({ids});
delete from {staged} where ({ids}) in (select {ids} from {gone})",
                table.staged(STAGED_ID)
            ))?;
        }
    }
    // Only now: what went from the end gives its numbers to the rows of this page.
    let last = format!("select coalesce(max(carburetor_seq), 0) from {staged}");
    let last = as_integer(&query::value(conn, &last, [])?);
    let has_gone = query::exists(conn, &format!("select 1 from {gone} limit 1"), [])?;
    write_rows(conn, table, &staged, &news.rows)?;
    unreadable::follow(conn, table, news, last)?;
    if has_gone {
        conn.batch_execute(&format!(
            "delete from {gone} where ({ids}) in (select {ids} from {staged} where carburetor_seq > {last})"
        ))?;
    }
    Ok(())
}

/// Rows that hold a value which the scope no longer shows: those that are staged go, those of the table will.
fn leave(
    conn: &mut SqliteConnection,
    table: &ReplicaTable,
    left: &Left,
) -> Result<(), ReplicaError> {
    let (number, column) = column(table, &left.column)?;
    let [staged, gone] = [DOWNLOADED.rows, DOWNLOADED.gone].map(|kind| table.staged(kind));
    let (own, ids) = (quoted(column), table.ids(""));
    for value in &left.values {
        let stored = (table.admit)(number, value)?;
        // The table may have an older version of such a row, which held another value.
        let older = format!(
            "insert or ignore into {gone} ({ids}) select {ids} from {staged} where {own} is {BIND} collate binary"
        );
        query::execute(conn, &older, [Bind(stored.clone())])?;
        let delete = format!("delete from {staged} where {own} is {BIND} collate binary");
        query::execute(conn, &delete, [Bind(stored)])?;
        let held = of_server(table, column);
        unreadable::leave(conn, table, (number, column), value, &held)?;
        let note = format!(
            "insert into carburetor_stage_left (of_table, of_column, value) values ({BIND}, {BIND}, {BIND})"
        );
        let said = [
            table.place(DOWNLOADED.rows),
            left.column.clone(),
            value.to_string(),
        ];
        query::execute(conn, &note, said.map(Bind::text))?;
    }
    Ok(())
}

fn column<'t>(table: &'t ReplicaTable, name: &str) -> Result<(usize, &'t str), WireError> {
    let found = table.column(name);
    found
        .map(|(number, column)| (number, column.name.as_str()))
        .ok_or_else(|| {
            WireError::new("the scope is by this column, which the model lacks: add it")
                .at(&table.definition.wire_name, name)
        })
}

/// What a column of the table holds as the server has said, below an edit of it.
fn of_server(table: &ReplicaTable, column: &str) -> String {
    let (own, name) = (quoted(column), table.name());
    if table.takes_no_writes() {
        return own;
    }
    let entry = format!(
        "from {} as entry where {} and entry.carburetor_column = {}",
        table.own("outbox"),
        table.same_id("entry", &name),
        literal(column)
    );
    format!("iif(exists (select 1 {entry}), (select entry.carburetor_was {entry}), {own})")
}

/// Adds to the ids that go those that the pages named by a reset or by a value: of what the tables show, and of what lies below the program's edits.
/// Returns whether there was a reset.
fn complete(conn: &mut SqliteConnection, table: &ReplicaTable) -> Result<bool, ReplicaError> {
    let [staged, gone] = [DOWNLOADED.rows, DOWNLOADED.gone].map(|kind| table.staged(kind));
    let (name, ids) = (table.name(), table.ids(""));
    let of_table = || [Bind::text(table.place(DOWNLOADED.rows))];
    let sql = format!("select 1 from carburetor_stage_reset where of_table = {BIND}");
    let remove = |from: &str| {
        format!(
            "insert or ignore into {gone} ({ids}) select {ids} from {from} where ({ids}) not in (select {ids} from {staged})"
        )
    };
    let below = (!table.takes_no_writes()).then(|| table.own("below"));
    let is_reset = query::exists(conn, &sql, of_table())?;
    if is_reset {
        let readable = unreadable::is_readable(table);
        conn.batch_execute(&format!("{} and {readable}", remove(&name)))?;
        if let Some(below) = &below {
            conn.batch_execute(&remove(below))?;
        }
    }
    let sql = format!("select of_column, value from carburetor_stage_left where of_table = {BIND}");
    for row in query::rows(conn, &sql, of_table())? {
        let (number, column) = column(table, &as_text(&row[0]))?;
        let value: Value = serde_json::from_str(&as_text(&row[1]))
            .map_err(|error| WireError::new(error.to_string()))?;
        let value = (table.admit)(number, &value)?;
        let sql = format!(
            "{} and {} is {BIND} collate binary",
            remove(&name),
            of_server(table, column)
        );
        query::execute(conn, &sql, [Bind(value.clone())])?;
        if let Some(below) = &below {
            let sql = format!(
                "{} and {} is {BIND} collate binary",
                remove(below),
                quoted(column)
            );
            query::execute(conn, &sql, [Bind(value)])?;
        }
    }
    let name = literal(&table.place(DOWNLOADED.rows));
    conn.batch_execute(&format!(
        "delete from carburetor_stage_reset where of_table = {name}; delete from carburetor_stage_left where of_table = {name}"
    ))?;
    Ok(is_reset)
}
