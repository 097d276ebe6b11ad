//! What a database must hold so that no write goes unseen: stamps, removals, and the registry of tracked tables.

#[cfg(feature = "sqlite")]
pub mod sqlite;
