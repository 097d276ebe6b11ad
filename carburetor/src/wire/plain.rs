//! Diesel's own Rust types, which take every value that a codec reads: an upload needs not make one to see whether it can be made.

use diesel::sql_types::{self, Nullable};
use std::any::TypeId;

/// Whether `U` takes every value of `ST` that a codec reads, on either backend.
pub(super) fn takes_all<ST: 'static, U: 'static>() -> bool {
    is::<ST, U, sql_types::Text, String>()
        || is::<ST, U, sql_types::Bool, bool>()
        || is::<ST, U, sql_types::SmallInt, i16>()
        || is::<ST, U, sql_types::Integer, i32>()
        || is::<ST, U, sql_types::BigInt, i64>()
        || is::<ST, U, sql_types::Float, f32>()
        || is::<ST, U, sql_types::Double, f64>()
        || is::<ST, U, sql_types::Binary, Vec<u8>>()
}

/// The same for dates and times on SQLite, whose codecs read no more years than chrono has; PostgreSQL has more.
#[cfg(feature = "sqlite")]
pub(super) fn takes_all_of_chrono<ST: 'static, U: 'static>() -> bool {
    use chrono::{DateTime, NaiveDate, NaiveDateTime, NaiveTime, Utc};
    is::<ST, U, sql_types::Timestamp, NaiveDateTime>()
        || is::<ST, U, sql_types::TimestamptzSqlite, DateTime<Utc>>()
        || is::<ST, U, sql_types::Date, NaiveDate>()
        || is::<ST, U, sql_types::Time, NaiveTime>()
}

/// Whether `ST` and `U` are these, or these where NULL is allowed.
fn is<ST: 'static, U: 'static, KnownST: 'static, Known: 'static>() -> bool {
    let (column, field) = (TypeId::of::<ST>(), TypeId::of::<U>());
    (column == TypeId::of::<KnownST>() && field == TypeId::of::<Known>())
        || (column == TypeId::of::<Nullable<KnownST>>() && field == TypeId::of::<Option<Known>>())
}
