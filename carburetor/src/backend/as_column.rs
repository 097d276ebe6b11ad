//! Binds of PostgreSQL whose type the server takes from the column that they are compared with.
//!
//! `text` in a `table!` may be `char(n)`, `citext` or a domain in the database. A bind that says `text` would be compared as text, in another
//! order than that of the column and of its index.

use diesel::pg::{Pg, PgTypeMetadata};
use diesel::serialize::{Output, Result, ToSql};
use diesel::sql_types::{HasSqlType, TypeMetadata};
use std::fmt::Debug;
use std::marker::PhantomData;

/// A type that the server has to find out; the value is written as an `ST` is.
pub(super) struct Unknown<ST>(PhantomData<ST>);

impl<ST> HasSqlType<Unknown<ST>> for Pg {
    fn metadata(_: &mut <Pg as TypeMetadata>::MetadataLookup) -> PgTypeMetadata {
        PgTypeMetadata::new(0, 0)
    }
}

/// A value that is written as an `ST` is.
pub(super) trait AsColumn<ST>: Debug {
    fn write<'b>(&'b self, out: &mut Output<'b, '_, Pg>) -> Result;
}

impl<ST, T> AsColumn<ST> for T
where
    Pg: HasSqlType<ST>,
    T: ToSql<ST, Pg>,
{
    fn write<'b>(&'b self, out: &mut Output<'b, '_, Pg>) -> Result {
        self.to_sql(out)
    }
}

impl<ST> ToSql<Unknown<ST>, Pg> for dyn AsColumn<ST> + '_ {
    fn to_sql<'b>(&'b self, out: &mut Output<'b, '_, Pg>) -> Result {
        self.write(out)
    }
}
