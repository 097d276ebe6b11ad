//! Rust values of every kind that Diesel maps become JSON and come back, on both backends.

use bigdecimal::BigDecimal;
use carburetor::wire::{WireError, decode, encode};
use chrono::{DateTime, Utc};
use diesel::deserialize::{FromSql, FromSqlRow};
use diesel::expression::AsExpression;
use diesel::pg::{Pg, PgValue};
use diesel::sql_types::*;
use diesel::sqlite::Sqlite;
use proptest::prelude::*;
use serde_json::{Value, json};
use std::fmt::Debug;
use std::num::NonZeroU32;

#[derive(Debug, Clone, Copy, PartialEq, diesel_derive_enum::DbEnum)]
enum Mood {
    Happy,
    #[db_enum(rename = "so so")]
    SoSo,
}

/// A newtype as users write it.
#[derive(Debug, Clone, PartialEq, AsExpression, FromSqlRow)]
#[diesel(sql_type = Text)]
struct Email(String);

impl<DB> diesel::serialize::ToSql<Text, DB> for Email
where
    DB: diesel::backend::Backend,
    String: diesel::serialize::ToSql<Text, DB>,
{
    fn to_sql<'b>(
        &'b self,
        out: &mut diesel::serialize::Output<'b, '_, DB>,
    ) -> diesel::serialize::Result {
        self.0.to_sql(out)
    }
}

impl<DB> FromSql<Text, DB> for Email
where
    DB: diesel::backend::Backend,
    String: FromSql<Text, DB>,
{
    fn from_sql(value: DB::RawValue<'_>) -> diesel::deserialize::Result<Self> {
        String::from_sql(value).map(Email)
    }
}

/// `value` as JSON text on the backend, after it came back from there unchanged.
macro_rules! travel {
    ($sql_type:ty, $backend:ty, $value:expr) => {{
        let codec = carburetor::__codec!($sql_type, $backend);
        travelled(
            &$value,
            |value| encode::<$sql_type, _, $backend>(&codec, value),
            |json| decode::<$sql_type, _, $backend>(&codec, json),
        )
    }};
}

/// The same on both backends, with the same JSON.
macro_rules! travel_both {
    ($sql_type:ty, $value:expr) => {{
        let value = $value;
        let json = travel!($sql_type, Pg, value);
        assert_eq!(travel!($sql_type, Sqlite, value), json);
        json
    }};
}

fn travelled<U: PartialEq + Debug>(
    value: &U,
    encode: impl Fn(&U) -> Result<Value, WireError>,
    decode: impl Fn(Value) -> Result<U, WireError>,
) -> Value {
    let text = encode(value).unwrap().to_string();
    assert_eq!(
        decode(serde_json::from_str(&text).unwrap()).unwrap(),
        *value,
        "{text}"
    );
    serde_json::from_str(&text).unwrap()
}

#[test]
fn null_is_none() {
    assert_eq!(travel_both!(Nullable<Text>, None::<String>), Value::Null);
    assert_eq!(travel_both!(Nullable<BigInt>, Some(7_i64)), "7");
    assert_eq!(travel_both!(Nullable<Json>, None::<Value>), Value::Null);
    assert_eq!(travel_both!(Json, Value::Null), Value::Null);
    assert_eq!(travel_both!(Jsonb, Value::Null), Value::Null);
    let codec = carburetor::__codec!(Text, Pg);
    assert_eq!(
        decode::<Text, String, Pg>(&codec, Value::Null)
            .unwrap_err()
            .to_string(),
        "expected a string, got null"
    );
}

#[test]
fn an_enum_travels_as_its_label() {
    assert_eq!(travel_both!(MoodMapping, Mood::SoSo), "so so");
    assert_eq!(
        travel_both!(Nullable<MoodMapping>, Some(Mood::Happy)),
        "happy"
    );
    assert_eq!(
        travel_both!(Nullable<MoodMapping>, None::<Mood>),
        Value::Null
    );
    assert_eq!(
        travel!(Array<MoodMapping>, Pg, vec![Mood::Happy, Mood::SoSo]),
        json!(["happy", "so so"])
    );
    assert_eq!(
        travel!(
            Nullable<Array<Nullable<MoodMapping>>>,
            Pg,
            Some(vec![Some(Mood::Happy), None])
        ),
        json!(["happy", null])
    );
    let codec = carburetor::__codec!(MoodMapping, Sqlite);
    assert_eq!(
        decode::<MoodMapping, Mood, Sqlite>(&codec, "sad".into())
            .unwrap_err()
            .to_string(),
        "Unrecognized enum variant: 'sad'"
    );
}

#[test]
fn a_newtype_travels_as_what_it_wraps() {
    assert_eq!(
        travel_both!(Text, Email("ada@example.org".into())),
        "ada@example.org"
    );
    assert_eq!(travel_both!(Nullable<Text>, Some(Email("a".into()))), "a");
}

#[test]
fn types_of_postgres_alone_travel() {
    let uuid = uuid::Uuid::from_u128(0x67e5_5044_10b1_426f_9247_bb68_0e5f_e0c8);
    assert_eq!(
        travel!(Uuid, Pg, uuid),
        "67e55044-10b1-426f-9247-bb680e5fe0c8"
    );
    assert_eq!(
        travel!(Array<Uuid>, Pg, vec![uuid]),
        json!(["67e55044-10b1-426f-9247-bb680e5fe0c8"])
    );
    let price: BigDecimal = "-12.50".parse().unwrap();
    assert_eq!(travel!(Numeric, Pg, price), "-12.50");
    let range = (std::ops::Bound::Included(1), std::ops::Bound::Unbounded);
    assert_eq!(
        travel!(Range<Integer>, Pg, range),
        json!({"lower": 1, "upper": null, "bounds": "[)"})
    );
}

#[test]
fn sqlite_stores_what_travelled_as_diesel_would_have_stored_it() {
    use diesel::prelude::*;
    let conn = &mut SqliteConnection::establish(":memory:").unwrap();
    macro_rules! same {
        ($sql_type:ty, $value:expr) => {{
            let codec = carburetor::__codec!($sql_type, Sqlite);
            let json = encode::<$sql_type, _, Sqlite>(&codec, &$value).unwrap();
            let stored = (codec.read)(&json).unwrap();
            let carburetor::wire::SqliteValue::Text(stored) = stored else {
                panic!("{stored:?}")
            };
            let diesel = diesel::select(diesel::dsl::sql::<Text>("").bind::<$sql_type, _>($value));
            assert_eq!(diesel.get_result::<String>(conn).unwrap(), stored);
        }};
    }
    for micros in [
        0,
        1,
        1000,
        500_000,
        1_769_903_999_123_456,
        -1,
        253_402_300_800_000_000,
        -62_167_219_200_000_001,
    ] {
        let instant = DateTime::from_timestamp_micros(micros).unwrap();
        same!(TimestamptzSqlite, instant);
        same!(Timestamp, instant.naive_utc());
        same!(Date, instant.date_naive());
        same!(Time, instant.time());
    }
    same!(Json, json!({"b": [1, null], "a": "ü"}));
}

fn instants() -> impl Strategy<Value = DateTime<Utc>> {
    // Years 0 to 9999, where both backends agree.
    (-62_167_219_200_000_000_i64..253_402_300_800_000_000)
        .prop_map(|micros| DateTime::from_timestamp_micros(micros).unwrap())
}

fn documents() -> impl Strategy<Value = Value> {
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        any::<i64>().prop_map(Value::from),
        any::<f64>()
            .prop_filter("finite", |number| number.is_finite())
            .prop_map(Value::from),
        "[^\u{0}]*".prop_map(Value::from),
    ];
    leaf.prop_recursive(4, 32, 6, |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..6).prop_map(Value::from),
            prop::collection::btree_map("[^\u{0}]*", inner, 0..6)
                .prop_map(|members| Value::Object(members.into_iter().collect())),
        ]
    })
}

proptest! {
    #[test]
    fn integers_come_back(small: i16, number: i32, long: i64) {
        travel_both!(SmallInt, small);
        travel_both!(Integer, number);
        travel_both!(BigInt, long);
    }

    #[test]
    fn floats_come_back(narrow: u32, wide: u64) {
        let (narrow, wide) = (f32::from_bits(narrow), f64::from_bits(wide));
        if !narrow.is_nan() && !wide.is_nan() {
            travel_both!(Float, narrow);
            travel_both!(Double, wide);
        }
    }

    #[test]
    fn text_and_bytes_come_back(text in "[^\u{0}]*", bytes: Vec<u8>) {
        travel_both!(Text, text.clone());
        travel_both!(Binary, bytes);
        travel!(Array<Nullable<Text>>, Pg, vec![Some(text), None]);
    }

    #[test]
    fn instants_come_back(instant in instants()) {
        travel_both!(Timestamp, instant.naive_utc());
        travel_both!(Date, instant.date_naive());
        travel_both!(Time, instant.time());
        let json = travel!(Timestamptz, Pg, instant);
        assert_eq!(travel!(TimestamptzSqlite, Sqlite, instant), json);
    }

    #[test]
    fn decimals_come_back(digits: i128, scale in 0_i64..40) {
        travel!(Numeric, Pg, BigDecimal::new(digits.into(), scale));
    }

    #[test]
    fn documents_come_back(document in documents()) {
        travel_both!(Json, document.clone());
        travel_both!(Jsonb, document);
    }

    #[test]
    fn no_bytes_and_no_json_make_a_codec_panic_or_write_what_is_not_json(
        bytes in prop::collection::vec(any::<u8>(), 0..40),
        text: String,
        json in documents(),
    ) {
        macro_rules! all {
            ($($sql_type:ty),*) => { [$(carburetor::__codec!($sql_type, Pg)),*] };
        }
        let codecs = all![
            SmallInt, Integer, BigInt, Oid, CChar, Money, Float, Double, Numeric, Bool, Text, Citext, Binary, Date,
            Time, Timestamp, Timestamptz, Interval, Uuid, Json, Jsonb, Inet, Cidr, MacAddr, MacAddr8, PgLsn,
            Array<Text>, Range<Integer>, Multirange<Text>, MoodMapping, Array<MoodMapping>
        ];
        for codec in codecs {
            let candidates = (0..=bytes.len()).map(|length| &bytes[..length]);
            for bytes in candidates.chain([text.as_bytes()]) {
                let mut out = Vec::new();
                if (codec.write)(PgValue::new(bytes, &NonZeroU32::MIN), &mut out).is_ok()
                    && bytes.first() != Some(&1)
                {
                    serde_json::from_slice::<serde::de::IgnoredAny>(&out).unwrap();
                }
            }
            let _refused_or_taken = (codec.read)(&json);
        }
    }
}
