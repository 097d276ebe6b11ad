//! What Diesel asks of a connection to know a type's oid, answered without a connection.

use diesel::pg::{Pg, PgMetadataLookup, PgTypeMetadata};
use diesel::sql_types::HasSqlType;
use std::num::NonZeroU32;

/// Answers with [`Lookup::UNKNOWN`] for every type that has no oid of its own in every database.
pub(crate) struct Lookup;

impl Lookup {
    /// The oid of PostgreSQL's pseudo-type `unknown`.
    pub const UNKNOWN: NonZeroU32 = NonZeroU32::MIN.saturating_add(704);

    /// The oid of `ST`.
    pub fn oid<ST>() -> NonZeroU32
    where
        Pg: HasSqlType<ST>,
    {
        let oid = <Pg as HasSqlType<ST>>::metadata(&mut Lookup).oid();
        oid.ok()
            .and_then(NonZeroU32::new)
            .unwrap_or(Lookup::UNKNOWN)
    }
}

impl PgMetadataLookup for Lookup {
    fn lookup_type(&mut self, _type_name: &str, _schema: Option<&str>) -> PgTypeMetadata {
        PgTypeMetadata::new(Lookup::UNKNOWN.get(), Lookup::UNKNOWN.get())
    }

    fn as_any<'a>(&mut self) -> &mut (dyn std::any::Any + 'a)
    where
        Self: 'a,
    {
        self
    }
}
