//! The two backends: PostgreSQL and SQLite.

use diesel::backend::Backend;

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
pub trait SyncBackend: Backend + sealed::Sealed {
    /// A value on its way from the wire into the database.
    type WireValue;
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
}
#[cfg(feature = "sqlite")]
impl SyncBackend for diesel::sqlite::Sqlite {
    type WireValue = crate::wire::SqliteValue;
}
