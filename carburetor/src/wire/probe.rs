//! Which codec a column's SQL type has, asked where the type is known: in what the derive writes.

use super::{Codec, WireError, WireType};
use crate::backend::SyncBackend;
use crate::table::Storage;
use diesel::sql_types::HasSqlType;
use std::marker::PhantomData;

/// Stands for `ST` on `DB` in [`__codec`](crate::__codec).
#[allow(missing_debug_implementations, reason = "never leaves the macro")]
pub struct Probe<ST, DB>(PhantomData<(ST, DB)>);

impl<ST, DB> Probe<ST, DB> {
    /// A probe.
    #[allow(clippy::new_without_default, reason = "made by the macro only")]
    pub const fn new() -> Self {
        Probe(PhantomData)
    }
}

/// The first choice: the type's own codec.
pub trait OwnCodec<DB: SyncBackend> {
    /// The codec.
    fn codec(&self) -> Codec<DB>;
}

impl<ST, DB> OwnCodec<DB> for &&&Probe<ST, DB>
where
    DB: SyncBackend,
    ST: WireType<DB>,
{
    fn codec(&self) -> Codec<DB> {
        ST::CODEC
    }
}

/// The second choice: an array of a user's own type.
#[cfg(feature = "postgres-backend")]
pub trait ArrayCodec {
    /// The codec.
    fn codec(&self) -> Codec<diesel::pg::Pg>;
}

#[cfg(feature = "postgres-backend")]
mod array {
    use super::{ArrayCodec, Codec, HasSqlType, Probe};
    use crate::wire::postgres::array_of_custom;
    use diesel::pg::Pg;
    use diesel::sql_types::{Array, Nullable};

    impl<ST> ArrayCodec for &&Probe<Array<ST>, Pg>
    where
        Pg: HasSqlType<ST>,
    {
        fn codec(&self) -> Codec<Pg> {
            array_of_custom::<ST>()
        }
    }

    impl<ST> ArrayCodec for &&Probe<Nullable<Array<ST>>, Pg>
    where
        Pg: HasSqlType<ST>,
    {
        fn codec(&self) -> Codec<Pg> {
            array_of_custom::<ST>()
        }
    }
}

/// The third choice: a user's own type, by how it is stored.
pub trait CustomCodec<DB: SyncBackend> {
    /// The codec.
    fn codec(&self) -> Codec<DB>;
}

impl<ST, DB: SyncBackend + HasSqlType<ST>> CustomCodec<DB> for &Probe<ST, DB> {
    fn codec(&self) -> Codec<DB> {
        DB::custom_codec::<ST>()
    }
}

/// No choice: a type that the backend lacks. The compiler refuses the field, so that it need not refuse the codec too.
pub trait NoCodec<DB: SyncBackend> {
    /// A codec that refuses every value.
    fn codec(&self) -> Codec<DB>;
}

impl<ST, DB: SyncBackend> NoCodec<DB> for Probe<ST, DB> {
    fn codec(&self) -> Codec<DB> {
        const LACKING: &str = "the backend lacks the column's type; change it in the `table!`";
        Codec {
            storage: Storage::Other,
            write: |_, _| Err(WireError::new(LACKING)),
            read: |_| Err(WireError::new(LACKING)),
        }
    }
}

/// The [`Codec`] of an SQL type on a backend, both concrete: `carburetor::__codec!(Text, Pg)`.
///
/// Method calls prefer the receiver with fewer dereferences, so the first trait whose bounds hold answers.
#[doc(hidden)]
#[macro_export]
macro_rules! __codec {
    ($sql_type:ty, $backend:ty) => {{
        #[allow(unused_imports)]
        use $crate::__private::probe::*;
        (&&&&Probe::<$sql_type, $backend>::new()).codec()
    }};
}

#[cfg(all(test, feature = "postgres-backend"))]
mod tests {
    use diesel::pg::{Pg, PgValue};
    use diesel::sql_types::{Array, BigInt, Nullable, Text};
    use serde_json::{Value, json};
    use std::num::NonZeroU32;

    #[derive(diesel::sql_types::SqlType)]
    #[diesel(postgres_type(name = "mood"))]
    struct Mood;

    fn written(codec: super::Codec<Pg>, bytes: &[u8]) -> Value {
        let mut out = Vec::new();
        (codec.write)(PgValue::new(bytes, &NonZeroU32::MIN), &mut out).unwrap();
        serde_json::from_slice(&out).unwrap()
    }

    #[test]
    fn known_types_keep_their_codec_and_others_are_labels() {
        assert_eq!(
            written(crate::__codec!(BigInt, Pg), &7_i64.to_be_bytes()),
            "7"
        );
        assert_eq!(
            written(crate::__codec!(Nullable<BigInt>, Pg), &7_i64.to_be_bytes()),
            "7"
        );
        assert_eq!(written(crate::__codec!(Text, Pg), b"a\nb"), "a\nb");
        assert_eq!(written(crate::__codec!(Mood, Pg), b"sad"), "sad");
        assert_eq!(written(crate::__codec!(Nullable<Mood>, Pg), b"sad"), "sad");
    }

    #[test]
    fn an_array_of_labels_is_an_array_of_strings() {
        for codec in [
            crate::__codec!(Array<Mood>, Pg),
            crate::__codec!(Nullable<Array<Mood>>, Pg),
            crate::__codec!(Array<Nullable<Mood>>, Pg),
            crate::__codec!(Array<Text>, Pg),
        ] {
            let bytes = (codec.read)(&json!(["sad", null, "ok"])).unwrap();
            assert_eq!(written(codec, &bytes), json!(["sad", null, "ok"]));
        }
    }
}
