//! The two backends: PostgreSQL and SQLite.

use crate::cutoff::Assumptions;
use crate::stamp::StampBind;
use crate::statement::Statement;
use crate::table::{Storage, TableDefinition, quoted};
use chrono::{DateTime, Utc};
use diesel::backend::Backend;
use diesel::deserialize::FromSql;
use diesel::query_builder::QueryFragment;
use diesel::result::{Error, QueryResult, UnexpectedEndOfRow};
use diesel::row::{Field, Row};
use diesel::sql_types::{BigInt, Nullable, SingleValue, SqlType, Text, is_nullable::NotNull};

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
pub trait SyncBackend: Backend<QueryBuilder: Default> + Default + sealed::Sealed + 'static {
    /// A value on its way from the wire into the database.
    type WireValue;
    /// What numbered placeholders begin with.
    const PLACEHOLDER: char;
    /// How Diesel reads rows without holding all of them.
    type Loading;
    /// A stamp as a bind.
    type StampBind: QueryFragment<Self> + Send + Sync + 'static;

    /// The table of the synced tables.
    const REGISTRY: &'static str;
    /// How the instants of removals and the horizon are stored.
    const REMOVAL_STORAGE: Storage;
    /// A condition that is true and keeps the lines of a union in order.
    const IN_ORDER: &'static str;

    /// Makes the statements of the transaction that has just begun see one instant.
    const ONE_INSTANT: &'static str;

    /// The table with the removals of `definition`.
    fn removal_table(definition: &TableDefinition) -> String;

    /// The instant `expression` in microseconds since 1970.
    fn micros(expression: &str, storage: Storage) -> String;

    /// The statements that read the cutoffs of `definitions`, in order.
    #[doc(hidden)]
    #[allow(
        private_interfaces,
        reason = "the trait is sealed: nobody else calls it"
    )]
    fn cutoff(
        definitions: &[&'static TableDefinition],
        assumptions: &Assumptions,
    ) -> Vec<Statement<'static, Self>>;

    /// The integer in `column`.
    fn integer<'r>(row: &impl Row<'r, Self>, column: usize) -> QueryResult<Option<i64>>;

    /// The text in `column`.
    fn text<'r>(row: &impl Row<'r, Self>, column: usize) -> QueryResult<Option<String>>;

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

#[cfg(feature = "postgres-backend")]
impl SyncBackend for diesel::pg::Pg {
    type WireValue = Vec<u8>;
    const PLACEHOLDER: char = '$';
    const REGISTRY: &'static str = "carburetor.synced_table";
    const ONE_INSTANT: &'static str = "set transaction isolation level repeatable read, read only";
    const REMOVAL_STORAGE: Storage = Storage::Timestamptz;
    // Workers of a parallel plan would mix the lines; a function that is restricted to the leader forbids such a plan.
    const IN_ORDER: &'static str = " and pg_catalog.random() >= 0";
    #[cfg(feature = "postgres")]
    type Loading = diesel::pg::PgRowByRowLoadingMode;
    #[cfg(not(feature = "postgres"))]
    type Loading = diesel::connection::DefaultLoadingMode;
    type StampBind = StampBind;

    fn removal_table(definition: &TableDefinition) -> String {
        format!("carburetor.{}", quoted(&definition.removal_name()))
    }

    fn micros(expression: &str, _storage: Storage) -> String {
        format!("(extract(epoch from {expression}) * 1000000)::bigint")
    }

    #[allow(
        private_interfaces,
        reason = "the trait is sealed: nobody else calls it"
    )]
    fn cutoff(
        definitions: &[&'static TableDefinition],
        assumptions: &Assumptions,
    ) -> Vec<Statement<'static, Self>> {
        crate::cutoff::postgres::statements(definitions, assumptions)
    }

    fn integer<'r>(row: &impl Row<'r, Self>, column: usize) -> QueryResult<Option<i64>> {
        read::<BigInt, _, _>(row, column)
    }

    fn text<'r>(row: &impl Row<'r, Self>, column: usize) -> QueryResult<Option<String>> {
        read::<Text, _, _>(row, column)
    }

    fn bind_stamp(storage: Storage, instant: DateTime<Utc>) -> StampBind {
        StampBind::postgres(storage, instant)
    }
}
#[cfg(feature = "sqlite")]
impl SyncBackend for diesel::sqlite::Sqlite {
    type WireValue = crate::wire::SqliteValue;
    const PLACEHOLDER: char = '?';
    const REGISTRY: &'static str = "carburetor_synced_table";
    // The snapshot is taken by the first read, after the cutoff: a later stamp is then greater than the cutoff all the same.
    const ONE_INSTANT: &'static str = "";
    const REMOVAL_STORAGE: Storage = Storage::Integer;
    const IN_ORDER: &'static str = "";
    type Loading = diesel::connection::DefaultLoadingMode;
    type StampBind = StampBind;

    fn removal_table(definition: &TableDefinition) -> String {
        quoted(&format!("carburetor_removal_{}", definition.table))
    }

    fn micros(expression: &str, storage: Storage) -> String {
        match storage {
            Storage::Integer => expression.into(),
            _ => format!(
                "cast(strftime('%s', substr({expression}, 1, 19)) as integer) * 1000000 + cast(substr({expression}, 21, 6) as integer)"
            ),
        }
    }

    #[allow(
        private_interfaces,
        reason = "the trait is sealed: nobody else calls it"
    )]
    fn cutoff(
        definitions: &[&'static TableDefinition],
        _assumptions: &Assumptions,
    ) -> Vec<Statement<'static, Self>> {
        vec![crate::cutoff::sqlite::statement(definitions)]
    }

    fn integer<'r>(row: &impl Row<'r, Self>, column: usize) -> QueryResult<Option<i64>> {
        read::<BigInt, _, _>(row, column)
    }

    fn text<'r>(row: &impl Row<'r, Self>, column: usize) -> QueryResult<Option<String>> {
        read::<Text, _, _>(row, column)
    }

    fn bind_stamp(storage: Storage, instant: DateTime<Utc>) -> StampBind {
        StampBind::sqlite(storage, instant)
    }
}

fn read<'r, ST, T, DB>(row: &impl Row<'r, DB>, column: usize) -> QueryResult<Option<T>>
where
    DB: Backend,
    ST: SqlType<IsNull = NotNull> + SingleValue,
    T: FromSql<ST, DB>,
{
    let field = row
        .get(column)
        .ok_or_else(|| Error::DeserializationError(Box::new(UnexpectedEndOfRow)))?;
    <Option<T> as FromSql<Nullable<ST>, DB>>::from_nullable_sql(field.value())
        .map_err(Error::DeserializationError)
}
