//! Syncing a row again.

use super::runner::{Blocking, Runner, complete};
use crate::backend::SyncBackend;
use crate::connection::SyncConnection;
use crate::statement::Statement;
use crate::table::{SyncTable, TableOn};
use diesel::QueryResult;
use diesel::query_builder::{AstPass, QueryFragment};

/// Gives the row with this id a new stamp, so that it is downloaded again. Returns whether there is such a row.
///
/// ```
/// # #[cfg(feature = "sqlite")] {
/// # use carburetor::{SyncGroup, SyncTable, tracking};
/// # use diesel::{connection::SimpleConnection, prelude::*, sqlite::Sqlite};
/// # diesel::table! { notes (id) { id -> Integer, last_synced_at -> BigInt, } }
/// # #[derive(SyncTable)]
/// # #[sync(backends(sqlite))]
/// # struct Note { id: i32, last_synced_at: i64 }
/// # type Notes = SyncGroup<(Note,)>;
/// # let mut conn = SqliteConnection::establish(":memory:")?;
/// # conn.batch_execute("create table notes (id integer primary key)")?;
/// # Notes::tracking::<Sqlite>().install(&mut conn)?;
/// conn.batch_execute("insert into notes (id) values (1)")?;
/// let first = Notes::download(&mut conn, (None,))?;
/// tracking::touch::<Note, _>(&mut conn, &1)?;
/// assert_eq!(Notes::download(&mut conn, first.next())?.0.rows.len(), 1);
/// # }
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
///
/// # Errors
///
/// A failed query.
pub fn touch<M, C>(conn: &mut C, id: &M::Id) -> QueryResult<bool>
where
    C: SyncConnection,
    M: TableOn<C::Backend>,
{
    complete(touch_by::<M, _>(&mut Blocking(conn), id))
}

/// Touches a row on either kind of connection.
pub(super) async fn touch_by<M, R>(runner: &mut R, id: &M::Id) -> QueryResult<bool>
where
    R: Runner,
    M: TableOn<R::Backend>,
{
    let touched = runner.ask(statement::<M, R::Backend>(id)).await?;
    Ok(touched.is_any())
}

fn statement<M, DB>(id: &M::Id) -> Statement<'_, DB>
where
    DB: SyncBackend,
    M: TableOn<DB>,
{
    let definition = M::definition();
    let stamp = definition.stamp_name();
    let mut statement = Statement::of(format!(
        "update {} set {stamp} = {stamp} where ",
        definition.sql_name()
    ));
    for (part, column) in definition.ids().enumerate() {
        let and = if part == 0 { "" } else { " and " };
        statement.sql(format!("{and}{} = ", column.quoted()));
        statement.bind(Part::<M> { id, part });
    }
    statement.sql(" returning cast('touched' as text)");
    statement
}

/// One column of an id.
struct Part<'a, M: SyncTable> {
    id: &'a M::Id,
    part: usize,
}

impl<M, DB> QueryFragment<DB> for Part<'_, M>
where
    DB: SyncBackend,
    M: TableOn<DB>,
{
    fn walk_ast<'b>(&'b self, out: AstPass<'_, 'b, DB>) -> QueryResult<()> {
        M::bind_id(self.id, self.part, out)
    }
}
