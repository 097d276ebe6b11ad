//! What a table needs in the database to be synced: its stamp, its removals, and what checks and cleans them.

#[cfg(feature = "postgres-backend")]
pub mod postgres;
