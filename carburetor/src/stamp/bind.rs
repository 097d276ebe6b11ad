//! Stamps as binds.

#[cfg(feature = "postgres-backend")]
use super::truncated;
use crate::table::Storage;
use chrono::{DateTime, NaiveDateTime, Utc};
use diesel::QueryResult;
use diesel::query_builder::{AstPass, QueryFragment};
use diesel::sql_types::{BigInt, Text};

/// A stamp in the form that its column compares.
#[derive(Debug, Clone, PartialEq)]
#[doc(hidden)]
pub enum StampBind {
    /// PostgreSQL's `timestamptz`.
    Zoned(DateTime<Utc>),
    /// PostgreSQL's `timestamp`, read as UTC.
    Naive(NaiveDateTime),
    /// Text of fixed width, whose order is the instants' order.
    Text(String),
    /// Microseconds since 1970.
    Micros(i64),
}

impl StampBind {
    #[cfg(feature = "postgres-backend")]
    pub(crate) fn postgres(storage: Storage, instant: DateTime<Utc>) -> Self {
        match storage {
            Storage::Timestamp => StampBind::Naive(truncated(instant).naive_utc()),
            _ => StampBind::Zoned(truncated(instant)),
        }
    }

    #[cfg(feature = "sqlite")]
    pub(crate) fn sqlite(storage: Storage, instant: DateTime<Utc>) -> Self {
        match storage {
            Storage::Integer => StampBind::Micros(instant.timestamp_micros()),
            Storage::Timestamp => {
                StampBind::Text(instant.format("%Y-%m-%d %H:%M:%S%.6f").to_string())
            }
            _ => StampBind::Text(instant.format("%Y-%m-%d %H:%M:%S%.6f+00:00").to_string()),
        }
    }
}

#[cfg(feature = "postgres-backend")]
impl QueryFragment<diesel::pg::Pg> for StampBind {
    fn walk_ast<'b>(&'b self, mut out: AstPass<'_, 'b, diesel::pg::Pg>) -> QueryResult<()> {
        use diesel::sql_types::{Timestamp, Timestamptz};
        match self {
            StampBind::Zoned(instant) => out.push_bind_param::<Timestamptz, _>(instant),
            StampBind::Naive(instant) => out.push_bind_param::<Timestamp, _>(instant),
            StampBind::Text(text) => out.push_bind_param::<Text, _>(text),
            StampBind::Micros(micros) => out.push_bind_param::<BigInt, _>(micros),
        }
    }
}

#[cfg(feature = "sqlite")]
impl QueryFragment<diesel::sqlite::Sqlite> for StampBind {
    fn walk_ast<'b>(&'b self, mut out: AstPass<'_, 'b, diesel::sqlite::Sqlite>) -> QueryResult<()> {
        use diesel::sql_types::{Timestamp, TimestamptzSqlite};
        match self {
            StampBind::Zoned(instant) => out.push_bind_param::<TimestamptzSqlite, _>(instant),
            StampBind::Naive(instant) => out.push_bind_param::<Timestamp, _>(instant),
            StampBind::Text(text) => out.push_bind_param::<Text, _>(text),
            StampBind::Micros(micros) => out.push_bind_param::<BigInt, _>(micros),
        }
    }
}
