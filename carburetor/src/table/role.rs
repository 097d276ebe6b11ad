//! The SQL types that a column's role allows.

use super::Storage;
use crate::backend::SyncBackend;
use diesel::sql_types::{self, Nullable, SqlType, is_nullable};

/// An SQL type that a stamp, or the instant of an insert, may have on `DB`.
///
/// ```
/// # #[cfg(feature = "sqlite")] {
/// use carburetor::table::StampType;
/// use diesel::sql_types::{BigInt, Nullable};
/// fn is_a_stamp<ST: StampType<diesel::sqlite::Sqlite>>() {}
/// is_a_stamp::<Nullable<BigInt>>();
/// # }
/// ```
#[diagnostic::on_unimplemented(
    message = "a `{Self}` column can't be a stamp on `{DB}`",
    label = "an instant is needed here",
    note = "on PostgreSQL a stamp is `Timestamptz` or `Timestamp`, on SQLite `TimestamptzSqlite`, `Timestamp` or `BigInt`",
    note = "name a second `table!` by `#[sync(sqlite(table = ..))]`, or leave a backend out by `#[sync(backends(..))]`"
)]
pub trait StampType<DB: SyncBackend> {
    /// How SQL treats it.
    const STORAGE: Storage;
}

/// An SQL type that a `#[sync(deleted)]` column may have on `DB`.
///
/// ```
/// # #[cfg(feature = "sqlite")] {
/// use carburetor::table::DeletedType;
/// use diesel::sql_types::Bool;
/// fn is_a_flag<ST: DeletedType<diesel::sqlite::Sqlite>>() {}
/// is_a_flag::<Bool>();
/// # }
/// ```
#[diagnostic::on_unimplemented(
    message = "a `{Self}` column can't be `deleted` on `{DB}`",
    label = "a flag is needed here",
    note = "`deleted` is a `Bool`, or a nullable instant that is NULL while the row lives"
)]
pub trait DeletedType<DB: SyncBackend> {}

#[diagnostic::do_not_recommend]
impl<ST, DB> StampType<DB> for Nullable<ST>
where
    ST: StampType<DB> + SqlType<IsNull = is_nullable::NotNull>,
    DB: SyncBackend,
{
    const STORAGE: Storage = ST::STORAGE;
}

#[diagnostic::do_not_recommend]
impl<ST, DB> DeletedType<DB> for Nullable<ST>
where
    ST: StampType<DB> + SqlType<IsNull = is_nullable::NotNull>,
    DB: SyncBackend,
{
}

impl<DB: SyncBackend> DeletedType<DB> for sql_types::Bool {}

impl<DB: SyncBackend> StampType<DB> for sql_types::Timestamp {
    const STORAGE: Storage = Storage::Timestamp;
}

#[cfg(feature = "postgres-backend")]
impl StampType<diesel::pg::Pg> for sql_types::Timestamptz {
    const STORAGE: Storage = Storage::Timestamptz;
}

#[cfg(feature = "sqlite")]
impl StampType<diesel::sqlite::Sqlite> for sql_types::TimestamptzSqlite {
    const STORAGE: Storage = Storage::Timestamptz;
}

#[cfg(feature = "sqlite")]
impl StampType<diesel::sqlite::Sqlite> for sql_types::BigInt {
    const STORAGE: Storage = Storage::Integer;
}
