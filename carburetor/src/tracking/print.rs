//! The tracking as the text of migrations.

#[cfg(feature = "postgres-backend")]
mod postgres;
#[cfg(feature = "sqlite")]
mod sqlite;
