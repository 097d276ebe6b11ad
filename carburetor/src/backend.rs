//! The two backends: PostgreSQL and SQLite.

#[cfg(feature = "postgres-backend")]
mod as_column;
#[cfg(any(feature = "postgres-backend", feature = "sqlite"))]
mod column;
#[cfg(feature = "postgres-backend")]
mod postgres;
#[cfg(feature = "sqlite")]
mod sqlite;

use crate::cutoff::Assumptions;
use crate::origin::Origin;
use crate::statement::{Fragment, Statement};
use crate::table::{Storage, TableDefinition};
use crate::tracking::TrackingBackend;
use crate::upload::UploadBackend;
use crate::wire::WireBackend;
use chrono::{DateTime, Utc};
use diesel::backend::Backend;
use diesel::query_builder::{AstPass, QueryFragment};
use diesel::result::QueryResult;
use diesel::row::Row;
use diesel::serialize::ToSql;
use diesel::sql_types::{HasSqlType, SingleValue};

/// A database that tables are synced from: `diesel::pg::Pg` or `diesel::sqlite::Sqlite`.
///
/// Sealed: a truthful cutoff takes knowledge of the database's own concurrency.
///
/// ```
/// # #[cfg(feature = "sqlite")] {
/// fn takes_a_backend<DB: carburetor::backend::SyncBackend>() {}
/// takes_a_backend::<diesel::sqlite::Sqlite>();
/// # }
/// ```
#[diagnostic::on_unimplemented(
    message = "carburetor does not sync from `{Self}`",
    note = "the backends are `diesel::pg::Pg` (features `postgres`, `async-postgres`) and `diesel::sqlite::Sqlite` (feature `sqlite`)"
)]
pub trait SyncBackend:
    Backend<QueryBuilder: Default>
    + WireBackend
    + TrackingBackend
    + UploadBackend
    + Default
    + sealed::Sealed
    + 'static
{
    /// Whether the client library holds all rows of an answer.
    const HOLDS_ANSWERS: bool;
    /// What numbered placeholders begin with.
    const PLACEHOLDER: char;
    /// What stands before and after a JSON array in a query of its texts that ends a parenthesis.
    const ELEMENTS: [&'static str; 2];
    /// A stamp as a bind.
    type StampBind: QueryFragment<Self> + Send + Sync + 'static;

    /// The table of the synced tables.
    const REGISTRY: &'static str;
    /// The table of one row whose column `ahead` is the greatest clock that was accepted while it was ahead of the database's, or empty.
    const CLOCK: &'static str;
    /// How the instants of removals and the horizon are stored.
    const REMOVAL_STORAGE: Storage;
    /// A condition that is true and keeps the lines of a union in order.
    const IN_ORDER: &'static str;

    /// Whether the cutoff itself finds out what a transaction of the caller's has done.
    const JUDGES_TRANSACTIONS: bool;
    /// Has a row with a value where tests may download within their transaction.
    const IS_TESTING: &'static str;
    /// Allows that until the transaction ends.
    const ALLOW_TESTING: &'static str;

    /// Makes the statements of the transaction that has just begun see one instant.
    const ONE_INSTANT: &'static str;

    /// Makes statements fail that take longer than `time`, until the transaction ends; none where the database knows no such limit.
    #[doc(hidden)]
    fn limit_statements(time: std::time::Duration) -> Option<String>;

    /// The table with the removals of `definition`.
    fn removal_table(definition: &TableDefinition) -> String;

    /// The instant `expression` in microseconds since 1970.
    fn micros(expression: &str, storage: Storage) -> String;

    /// What stands before and after a bind to ask for a `stamp` at that instant or later.
    fn since(stamp: &str) -> [String; 2];

    /// The statements that read the cutoffs of `definitions`, in order, for whoever has a token of the origin `known`. `in_transaction`: within one of the
    /// caller's, as Diesel knows.
    #[doc(hidden)]
    #[allow(
        private_interfaces,
        reason = "the trait is sealed: nobody else calls it"
    )]
    fn cutoff(
        definitions: &[&'static TableDefinition],
        assumptions: &Assumptions,
        in_transaction: bool,
        known: &Origin,
    ) -> Vec<Statement<'static, Self>>;

    /// Why rows read in the caller's transaction could be missing or could vanish, as an expression; none where SQL can't say it.
    /// `in_transaction`: within one, as Diesel knows.
    fn circumstance(in_transaction: bool) -> Option<String>;

    /// The integer in `column`.
    fn integer<'r>(row: &impl Row<'r, Self>, column: usize) -> QueryResult<Option<i64>>;

    /// The text in `column`.
    fn text<'r>(row: &impl Row<'r, Self>, column: usize) -> QueryResult<Option<String>>;

    /// The instant that a column of `storage` holds, in microseconds since 1970; `None` for NULL and for what is no instant, like infinity.
    fn instant<'r>(
        row: &impl Row<'r, Self>,
        column: usize,
        storage: Storage,
    ) -> QueryResult<Option<i64>>;

    /// A text that tells rows apart: of these expressions, and of a row of `table` also
    /// who wrote it, where its stamp alone may not tell.
    fn version(parts: &[String], table: Option<&str>) -> String;

    /// A condition in a query of the registry as `carburetor_header`: two values in the column `name` are equal in SQL only where they travel as the same JSON.
    fn is_exact(definition: &TableDefinition, name: &str) -> String;

    /// Pushes `text` as a bind.
    #[doc(hidden)]
    fn push_text<'b>(text: &'b str, out: AstPass<'_, 'b, Self>) -> QueryResult<()>;

    /// Pushes `integer` as a bind.
    #[doc(hidden)]
    fn push_integer<'b>(integer: &'b i64, out: AstPass<'_, 'b, Self>) -> QueryResult<()>;

    /// Pushes `value` as a bind that is compared as its column is, whatever type the `table!` gives the column.
    #[doc(hidden)]
    fn push_as_column<'b, ST, T>(value: &'b T, out: AstPass<'_, 'b, Self>) -> QueryResult<()>
    where
        ST: SingleValue,
        Self: HasSqlType<ST>,
        T: ToSql<ST, Self>;

    /// The values bound in `fragment`, as the database would get them.
    #[doc(hidden)]
    #[allow(
        private_interfaces,
        reason = "the trait is sealed: nobody else calls it"
    )]
    fn bound(fragment: &Fragment<'_, Self>) -> QueryResult<Vec<u8>>;

    /// `instant` as a stamp column of `storage` compares.
    fn bind_stamp(storage: Storage, instant: DateTime<Utc>) -> Self::StampBind;
}

mod sealed {
    pub trait Sealed {}
    #[cfg(feature = "postgres-backend")]
    impl Sealed for diesel::pg::Pg {}
    #[cfg(feature = "sqlite")]
    impl Sealed for diesel::sqlite::Sqlite {}
}
