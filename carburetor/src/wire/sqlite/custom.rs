//! SQL types of the user's own, without a [`WireType`].

use crate::wire::{Codec, WireType};
use diesel::sql_types::{self, HasSqlType};
use diesel::sqlite::{Sqlite, SqliteType};

/// By the storage that the type declares. A label is text here.
pub(crate) fn custom<ST>() -> Codec<Sqlite>
where
    Sqlite: HasSqlType<ST>,
{
    match <Sqlite as HasSqlType<ST>>::metadata(&mut ()) {
        SqliteType::Binary => sql_types::Binary::CODEC,
        SqliteType::Text => sql_types::Text::CODEC,
        SqliteType::Float => sql_types::Float::CODEC,
        SqliteType::Double => sql_types::Double::CODEC,
        SqliteType::SmallInt => sql_types::SmallInt::CODEC,
        SqliteType::Integer => sql_types::Integer::CODEC,
        SqliteType::Long => sql_types::BigInt::CODEC,
    }
}
