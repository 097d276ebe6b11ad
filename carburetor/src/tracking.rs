//! What a database must hold so that no write goes unseen: stamps, removals, and the registry of tracked tables.

#[cfg(feature = "postgres-backend")]
pub mod postgres;
#[cfg(feature = "sqlite")]
pub mod sqlite;
