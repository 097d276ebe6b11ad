//! From where a group's next download goes on.

use super::query::{self, BIND, Bind, as_text};
use super::table::ReplicaTable;
use crate::token::Token;
use diesel::QueryResult;
use diesel::sqlite::SqliteConnection;

/// The token to go on from, of the pages that lie on the stage or of what is shown, with the keys that are held beside it.
pub(super) fn since(conn: &mut SqliteConnection, group: &str) -> QueryResult<Option<String>> {
    let sql = format!(
        "select coalesce((select token from carburetor_stage where in_group = {BIND}), (select token from carburetor_group where name = {BIND}))
  || coalesce((select '.' || keys from carburetor_keys where in_group = {BIND}), '')"
    );
    let token = query::value(conn, &sql, [group, group, group].map(Bind::text))?;
    Ok(token.is_some().then(|| as_text(&token)))
}

/// Keeps the keys that came beside a token. They lie in a table of their own, because a token is written with each page, and they are long.
pub(super) fn keep_keys(
    conn: &mut SqliteConnection,
    group: &str,
    next: &str,
    keys: Option<&str>,
) -> QueryResult<()> {
    if let Some(keys) = keys {
        let keep = format!(
            "insert or replace into carburetor_keys (in_group, keys) values ({BIND}, {BIND})"
        );
        query::execute(conn, &keep, [group, keys].map(Bind::text))?;
    } else if !next
        .parse()
        .is_ok_and(|token: Token| token.has_keys_beside())
    {
        let drop = format!("delete from carburetor_keys where in_group = {BIND}");
        query::execute(conn, &drop, [Bind::text(group)])?;
    }
    Ok(())
}

/// The group's next download begins from the beginning.
pub(super) fn forget(conn: &mut SqliteConnection, group: &str) -> QueryResult<()> {
    forget_where(
        conn,
        |name| format!("{name} = {BIND}"),
        || [Bind::text(group)],
    )
}

/// The next downloads of all groups that show the table begin from the beginning: what the server has of a row is not known here, because an edit of it
/// was taken back or given up without the server's word, and what has come since lies below the edit, or was hidden by it.
pub(super) fn forget_of(conn: &mut SqliteConnection, table: &ReplicaTable) -> QueryResult<()> {
    forget_where(
        conn,
        |name| {
            format!(
                "{name} in (select in_group from carburetor_replicated as shared where shared.name = {BIND})"
            )
        },
        || [Bind::text(&table.definition.table)],
    )
}

/// The server has answered within `scope`. Where the last page was of another one, what was answered may stay or go here without that the next download says
/// so: it begins from the beginning. What lies on the stage goes with the token below it: that alone would take the rows for its own.
pub(super) fn compare_scope(
    conn: &mut SqliteConnection,
    group: &str,
    scope: &str,
) -> QueryResult<()> {
    // Before the first page there is none.
    let sql = format!(
        "select 1 from (select 1 as place, scope from carburetor_stage where in_group = {BIND}
  union all select 2, scope from carburetor_group where name = {BIND} and token is not null order by place limit 1) where scope is not {BIND}"
    );
    let is_another = query::exists(conn, &sql, [group, group, scope].map(Bind::text))?;
    match is_another {
        true => forget(conn, group),
        false => Ok(()),
    }
}

/// The next downloads of some groups begin from the beginning, which clears their stages, too. The condition is made of the column with the group's name.
pub(super) fn forget_where<B: IntoIterator<Item = Bind>>(
    conn: &mut SqliteConnection,
    condition: impl Fn(&str) -> String,
    binds: impl Fn() -> B,
) -> QueryResult<()> {
    for (forget, name) in [
        ("update carburetor_group set token = null", "name"),
        ("delete from carburetor_stage", "in_group"),
    ] {
        let forget = format!("{forget} where {}", condition(name));
        query::execute(conn, &forget, binds())?;
    }
    Ok(())
}
