//! SQL types of the user's own, without a [`WireType`].

use super::array::{read_array, write_array};
use super::lookup::Lookup;
use super::{codec, string, utf8};
use crate::wire::json::write_string;
use crate::wire::{Codec, WireError, WireType};
use diesel::pg::Pg;
use diesel::sql_types::{self, HasSqlType};

/// By the oid where the type names one that every database has; a label otherwise, as PostgreSQL sends its enums.
pub(crate) fn custom<ST>() -> Codec<Pg>
where
    Pg: HasSqlType<ST>,
{
    match Lookup::oid::<ST>().get() {
        16 => sql_types::Bool::CODEC,
        17 => sql_types::Binary::CODEC,
        18 => sql_types::CChar::CODEC,
        20 => sql_types::BigInt::CODEC,
        21 => sql_types::SmallInt::CODEC,
        23 => sql_types::Integer::CODEC,
        19 | 25 | 1042 | 1043 => sql_types::Text::CODEC,
        26 => sql_types::Oid::CODEC,
        114 => sql_types::Json::CODEC,
        650 => sql_types::Cidr::CODEC,
        700 => sql_types::Float::CODEC,
        701 => sql_types::Double::CODEC,
        774 => sql_types::MacAddr8::CODEC,
        790 => sql_types::Money::CODEC,
        829 => sql_types::MacAddr::CODEC,
        869 => sql_types::Inet::CODEC,
        1082 => sql_types::Date::CODEC,
        1083 => sql_types::Time::CODEC,
        1114 => sql_types::Timestamp::CODEC,
        1184 => sql_types::Timestamptz::CODEC,
        1186 => sql_types::Interval::CODEC,
        1700 => sql_types::Numeric::CODEC,
        2950 => sql_types::Uuid::CODEC,
        3220 => sql_types::PgLsn::CODEC,
        3802 => sql_types::Jsonb::CODEC,
        _ => LABEL,
    }
}

/// An array whose elements travel by [`custom`].
pub(crate) fn array_of_custom<ST>() -> Codec<Pg>
where
    Pg: HasSqlType<ST>,
{
    codec(
        |value, out| write_array(value, custom::<ST>().write, out),
        |value| read_array(value, custom::<ST>().read, Lookup::oid::<ST>()),
    )
}

const LABEL: Codec<Pg> = codec(
    |value, out| {
        let label = utf8(value.as_bytes())
            .ok()
            .filter(|label| !label.contains(char::is_control));
        write_string(label.ok_or_else(no_label)?, out);
        Ok(())
    },
    |value| {
        let label = string("a label as a string", value)?;
        if label.contains(char::is_control) {
            return Err(no_label());
        }
        Ok(label.into())
    },
);

fn no_label() -> WireError {
    WireError::new(
        "expected the label of an enum, got other bytes; implement `carburetor::wire::WireType` for the column's SQL type",
    )
}

#[cfg(test)]
mod tests {
    use super::*;
    use diesel::pg::PgValue;

    #[derive(diesel::sql_types::SqlType)]
    #[diesel(postgres_type(name = "mood"))]
    struct Mood;

    #[derive(diesel::sql_types::SqlType)]
    #[diesel(postgres_type(oid = 23, array_oid = 1007))]
    struct Meters;

    fn written<ST>(bytes: &[u8]) -> Result<String, WireError>
    where
        Pg: HasSqlType<ST>,
    {
        let mut out = Vec::new();
        (custom::<ST>().write)(PgValue::new(bytes, &Lookup::oid::<ST>()), &mut out)?;
        Ok(String::from_utf8(out).unwrap())
    }

    #[test]
    fn a_type_with_a_known_oid_travels_as_the_type_of_that_oid() {
        assert_eq!(
            written::<Meters>(&0x4142_4344_i32.to_be_bytes()).unwrap(),
            "1094861636"
        );
    }

    #[test]
    fn a_type_with_a_name_travels_as_a_label() {
        assert_eq!(
            written::<Mood>("sehr \"glücklich\"".as_bytes()).unwrap(),
            r#""sehr \"glücklich\"""#
        );
    }

    #[test]
    fn what_is_no_label_is_refused_with_the_remedy() {
        for bytes in [&b"\x01a.b"[..], b"\xff", b"a\n"] {
            let error = written::<Mood>(bytes).unwrap_err().to_string();
            assert!(
                error.contains("implement `carburetor::wire::WireType`"),
                "{error}"
            );
        }
    }
}
