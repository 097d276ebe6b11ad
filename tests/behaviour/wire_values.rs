//! Values in a real database and the JSON of `tests/wire/values.json` are the same thing, in both directions and on both
//! backends.

use carburetor::backend::SyncBackend;
use carburetor::wire::{Codec, SqliteValue, WireError};
use carburetor_tests::Cluster;
use diesel::connection::{Connection, DefaultLoadingMode, LoadConnection, SimpleConnection};
use diesel::pg::Pg;
use diesel::query_builder::{AstPass, Query, QueryFragment, QueryId};
use diesel::row::{Field, Row};
use diesel::serialize::{IsNull, Output, ToSql};
use diesel::sql_types::*;
use diesel::sqlite::Sqlite;
use diesel::{PgConnection, QueryResult, SqliteConnection};
use serde::Deserialize;
use serde_json::Value;
use serde_json::value::RawValue;
use std::collections::BTreeMap;
use std::io::Write;
use std::marker::PhantomData;

const GOLDEN: &str = include_str!("../wire/values.json");

#[derive(Deserialize)]
struct GoldenType {
    postgres: String,
    values: Vec<GoldenValue>,
}

#[derive(Deserialize)]
struct GoldenValue {
    postgres: String,
    sqlite: Option<String>,
    json: Box<RawValue>,
}

fn golden() -> BTreeMap<String, GoldenType> {
    serde_json::from_str(GOLDEN).unwrap()
}

/// A query of one text, around at most one bind.
struct Select<ST, U> {
    before: String,
    bind: Option<U>,
    after: String,
    sql_type: PhantomData<ST>,
}

impl<ST, U, DB> QueryFragment<DB> for Select<ST, U>
where
    DB: SyncBackend + HasSqlType<ST>,
    U: ToSql<ST, DB>,
{
    fn walk_ast<'b>(&'b self, mut out: AstPass<'_, 'b, DB>) -> QueryResult<()> {
        out.unsafe_to_cache_prepared();
        out.push_sql(&self.before);
        if let Some(bind) = &self.bind {
            out.push_bind_param::<ST, U>(bind)?;
        }
        out.push_sql(&self.after);
        Ok(())
    }
}

impl<ST, U> QueryId for Select<ST, U> {
    type QueryId = ();
    const HAS_STATIC_QUERY_ID: bool = false;
}

impl<ST, U> Query for Select<ST, U> {
    type SqlType = Untyped;
}

/// Bytes that are bound as they are, whatever the type.
#[derive(Debug)]
struct Bytes(Vec<u8>);

impl<ST> ToSql<ST, Pg> for Bytes {
    fn to_sql<'b>(&'b self, out: &mut Output<'b, '_, Pg>) -> diesel::serialize::Result {
        out.write_all(&self.0)?;
        Ok(IsNull::No)
    }
}

/// The JSON of the only value that `before`, the bind and `after` select.
fn selected<ST, U, DB, Conn>(
    conn: &mut Conn,
    codec: Codec<DB>,
    before: &str,
    bind: Option<U>,
    after: &str,
) -> Result<String, WireError>
where
    DB: SyncBackend + HasSqlType<ST>,
    Conn: Connection<Backend = DB> + LoadConnection<DefaultLoadingMode>,
    U: ToSql<ST, DB>,
{
    let (before, after) = (before.to_owned(), after.to_owned());
    let query = Select {
        before,
        bind,
        after,
        sql_type: PhantomData::<ST>,
    };
    let mut rows = conn.load(query).unwrap();
    let row = rows.next().unwrap().unwrap();
    let field = row.get(0).unwrap();
    let mut json = Vec::new();
    (codec.write)(field.value().unwrap(), &mut json)?;
    Ok(String::from_utf8(json).unwrap())
}

fn postgres() -> PgConnection {
    let database = Cluster::shared().database();
    database.psql("CREATE EXTENSION citext");
    database.connect()
}

fn sqlite() -> SqliteConnection {
    SqliteConnection::establish(":memory:").unwrap()
}

fn on_postgres<ST>(conn: &mut PgConnection, name: &str, codec: Codec<Pg>)
where
    Pg: HasSqlType<ST>,
{
    let golden = golden();
    let GoldenType {
        postgres: sql_type,
        values,
    } = &golden[name];
    // `json` has no equality.
    let compared = if sql_type == "json" { "::jsonb" } else { "" };
    let bool = carburetor::__codec!(Bool, Pg);
    for GoldenValue { postgres, json, .. } in values {
        let literal = format!("'{}'::{sql_type}", postgres.replace('\'', "''"));
        let select = format!("SELECT {literal}");
        let written = selected::<ST, Bytes, _, _>(conn, codec, &select, None, "").unwrap();
        assert_eq!(written, json.get(), "{name}: {literal}");

        let value: Value = serde_json::from_str(json.get()).unwrap();
        let bytes = || Some(Bytes((codec.read)(&value).unwrap()));
        let after = format!("{compared} IS NOT DISTINCT FROM {literal}{compared}");
        let same = selected::<ST, _, _, _>(conn, bool, "SELECT ", bytes(), &after).unwrap();
        assert_eq!(same, "true", "{name}: {json} is {literal}");
        let again = selected::<ST, _, _, _>(conn, codec, "SELECT ", bytes(), "").unwrap();
        assert_eq!(again, json.get(), "{name}");
    }
}

fn on_sqlite(conn: &mut SqliteConnection, name: &str, codec: Codec<Sqlite>) {
    for GoldenValue { sqlite, json, .. } in &golden()[name].values {
        let value: Value = serde_json::from_str(json.get()).unwrap();
        let Some(sqlite) = sqlite else { continue };
        let select = format!("SELECT {sqlite}");
        let written = selected::<Text, String, _, _>(conn, codec, &select, None, "").unwrap();
        assert_eq!(written, json.get(), "{name}: {sqlite}");

        let again = match (codec.read)(&value).unwrap() {
            SqliteValue::Integer(number) => {
                selected::<BigInt, _, _, _>(conn, codec, "SELECT ", Some(number), "")
            }
            SqliteValue::Real(number) => {
                selected::<Double, _, _, _>(conn, codec, "SELECT ", Some(number), "")
            }
            SqliteValue::Text(text) => {
                selected::<Text, _, _, _>(conn, codec, "SELECT ", Some(text), "")
            }
            SqliteValue::Blob(bytes) => {
                selected::<Binary, _, _, _>(conn, codec, "SELECT ", Some(bytes), "")
            }
        };
        let again = again.unwrap();
        assert_eq!(again, json.get(), "{name}");
    }
}

/// Checks every type by its name in the golden file, and gives the names back.
macro_rules! check_postgres {
    ($($name:literal: $sql_type:ty),* $(,)?) => {{
        let mut conn = postgres();
        $(on_postgres::<$sql_type>(&mut conn, $name, carburetor::__codec!($sql_type, Pg));)*
        vec![$($name),*]
    }};
}

macro_rules! check_sqlite {
    ($($name:literal: $sql_type:ty),* $(,)?) => {{
        let mut conn = sqlite();
        $(on_sqlite(&mut conn, $name, carburetor::__codec!($sql_type, Sqlite));)*
        vec![$($name),*]
    }};
}

#[test]
fn every_type_of_postgres_travels_as_the_golden_file_says() {
    let mut checked = check_postgres![
        "SmallInt": SmallInt, "Integer": Integer, "BigInt": BigInt, "Oid": Oid, "CChar": CChar, "Money": Money,
        "Float": Float, "Double": Double, "Numeric": Numeric, "Bool": Bool, "Text": Text, "Citext": Citext,
        "Binary": Binary, "Date": Date, "Time": Time, "Timestamp": Timestamp, "Timestamptz": Timestamptz,
        "Interval": Interval, "Uuid": Uuid, "Json": Json, "Jsonb": Jsonb, "Inet": Inet, "Cidr": Cidr,
        "MacAddr": MacAddr, "MacAddr8": MacAddr8, "PgLsn": PgLsn, "Array<Integer>": Array<Nullable<Integer>>,
        "Array<Text>": Nullable<Array<Text>>, "Array<Jsonb>": Array<Jsonb>, "Range<Integer>": Range<Integer>,
        "Range<Timestamptz>": Range<Timestamptz>, "Range<Numeric>": Range<Numeric>,
        "Multirange<BigInt>": Multirange<BigInt>,
    ];
    checked.sort_unstable();
    assert_eq!(checked, golden().keys().collect::<Vec<_>>());
}

#[test]
fn every_type_of_sqlite_travels_as_the_golden_file_says() {
    let mut checked = check_sqlite![
        "SmallInt": SmallInt, "Integer": Integer, "BigInt": BigInt, "Float": Float, "Double": Double,
        "Numeric": Numeric, "Bool": Bool, "Text": Text, "Binary": Binary, "Date": Date, "Time": Time,
        "Timestamp": Timestamp, "Timestamptz": TimestamptzSqlite, "Json": Json, "Jsonb": Jsonb,
    ];
    let mut with_sqlite = golden();
    with_sqlite.retain(|_, golden| golden.values.iter().any(|value| value.sqlite.is_some()));
    checked.sort_unstable();
    assert_eq!(checked, with_sqlite.keys().collect::<Vec<_>>());
}

#[test]
fn an_array_travels_without_its_lower_bound() {
    let codec = carburetor::__codec!(Array<Integer>, Pg);
    let select = "SELECT '[5:6]={1,2}'::int4[]";
    let json = selected::<Text, String, _, _>(&mut postgres(), codec, select, None, "");
    assert_eq!(json.unwrap(), "[1,2]");
}

#[test]
fn decimals_and_intervals_read_as_postgres_prints_them() {
    let mut conn = postgres();
    let (numeric, interval) = (
        carburetor::__codec!(Numeric, Pg),
        carburetor::__codec!(Interval, Pg),
    );
    let text = carburetor::__codec!(Text, Pg);
    conn.batch_execute("SET intervalstyle = iso_8601").unwrap();
    let mut select =
        |codec, sql: &str| selected::<Text, String, _, _>(&mut conn, codec, sql, None, "").unwrap();
    for seed in 0..200 {
        let number = format!("SELECT (({seed}::numeric - 100) ^ 7 / 10 ^ ({seed} % 23))::numeric");
        assert_eq!(
            select(numeric, &number),
            select(text, &format!("{number}::text"))
        );
        let parts =
            format!("SELECT {seed} * interval '-7 months 11 days 3.25 s' + interval '9 years'");
        assert_eq!(
            select(interval, &parts),
            select(text, &format!("SELECT ({})::text", &parts[7..]))
        );
    }
}

#[test]
fn what_postgres_can_not_send_as_a_value_is_an_error_with_the_remedy() {
    fn refused(select: &str, codec: Codec<Pg>) -> String {
        let select = format!("SELECT {select}");
        selected::<Text, String, _, _>(&mut postgres(), codec, &select, None, "")
            .unwrap_err()
            .to_string()
    }
    let infinite = "an infinite instant can't travel; store NULL, or a finite one";
    let instant = carburetor::__codec!(Timestamptz, Pg);
    assert_eq!(refused("'infinity'::timestamptz", instant), infinite);
    assert_eq!(refused("'-infinity'::timestamptz", instant), infinite);
    assert_eq!(
        refused("'infinity'::date", carburetor::__codec!(Date, Pg)),
        "an infinite date can't travel; store NULL, or a finite one"
    );
    assert_eq!(
        refused(
            "'{{1},{2}}'::int4[]",
            carburetor::__codec!(Array<Integer>, Pg)
        ),
        "an array of several dimensions can't travel; store it as `jsonb`"
    );
    assert_eq!(
        refused(r#"'"\ud800"'::json"#, carburetor::__codec!(Json, Pg)),
        "a document with half of a surrogate pair can't travel; store it as `jsonb`"
    );
    assert_eq!(
        refused("1::int8", carburetor::__codec!(Integer, Pg)),
        "expected a value of 4 bytes, got 8; the column's type is not that of the `table!`"
    );
}

#[test]
fn what_sqlite_stores_against_the_columns_type_is_refused() {
    fn refused(select: &str, codec: Codec<Sqlite>) -> String {
        let select = format!("SELECT {select}");
        selected::<Text, String, _, _>(&mut sqlite(), codec, &select, None, "")
            .unwrap_err()
            .to_string()
    }
    assert_eq!(
        refused("5000000000", carburetor::__codec!(Integer, Sqlite)),
        "expected an integer of 32 bits, got 5000000000; make the column a `BigInt` in the `table!`"
    );
    assert_eq!(
        refused("cast(x'ff' as text)", carburetor::__codec!(Text, Sqlite)),
        "expected UTF-8, got other bytes; make the column a `Binary` in the `table!`"
    );
    assert_eq!(
        refused("'{a:1}'", carburetor::__codec!(Json, Sqlite)),
        "expected a JSON document, got \"{a:1}\""
    );
    assert_eq!(
        refused("'soon'", carburetor::__codec!(TimestamptzSqlite, Sqlite)),
        "Invalid datetime soon"
    );
    assert_eq!(
        refused("'12,5'", carburetor::__codec!(Numeric, Sqlite)),
        "expected a decimal number, got \"12,5\""
    );
    for (select, codec) in [
        ("'23:59:60'", carburetor::__codec!(Time, Sqlite)),
        (
            "'2016-12-31 23:59:60.5'",
            carburetor::__codec!(Timestamp, Sqlite),
        ),
        (
            "'2016-12-31 23:59:60+00:00'",
            carburetor::__codec!(TimestamptzSqlite, Sqlite),
        ),
    ] {
        assert_eq!(
            refused(select, codec),
            "a leap second can't travel; store the second before it, or the one after it"
        );
    }
    let of_class = |select: &str, codec, expected: &str| {
        assert_eq!(
            refused(select, codec),
            format!(
                "expected {expected}, which SQLite keeps in a column of any type; write a value of the column's type"
            )
        );
    };
    of_class(
        "'abc'",
        carburetor::__codec!(Double, Sqlite),
        "a number, got the text \"abc\"",
    );
    of_class(
        "'12'",
        carburetor::__codec!(Float, Sqlite),
        "a number, got the text \"12\"",
    );
    of_class(
        "'abc'",
        carburetor::__codec!(Integer, Sqlite),
        "an integer, got the text \"abc\"",
    );
    of_class(
        "1.5",
        carburetor::__codec!(BigInt, Sqlite),
        "an integer, got the number 1.5",
    );
    of_class(
        "1e300",
        carburetor::__codec!(SmallInt, Sqlite),
        "an integer, got the number 1e300",
    );
    of_class(
        "'true'",
        carburetor::__codec!(Bool, Sqlite),
        "an integer, got the text \"true\"",
    );
    of_class(
        "x'61'",
        carburetor::__codec!(Text, Sqlite),
        "text, got a blob",
    );
    of_class(
        "1.5",
        carburetor::__codec!(Text, Sqlite),
        "text, got the number 1.5",
    );
    of_class(
        "12",
        carburetor::__codec!(Binary, Sqlite),
        "bytes, got the integer 12",
    );
    of_class(
        "x'3132'",
        carburetor::__codec!(Numeric, Sqlite),
        "a decimal number, got a blob",
    );
    of_class(
        "x'61'",
        carburetor::__codec!(Date, Sqlite),
        "a date, got a blob",
    );
}

#[test]
fn json_that_a_column_does_not_take_is_refused_and_shown() {
    fn refused<DB: SyncBackend>(codec: Codec<DB>, json: &str) -> String {
        let value = serde_json::from_str(json).unwrap();
        (codec.read)(&value)
            .err()
            .unwrap_or_else(|| panic!("{json} is taken"))
            .to_string()
    }
    macro_rules! on_both {
        ($($sql_type:ty, $json:literal, $message:literal;)*) => {$(
            assert_eq!(refused(carburetor::__codec!($sql_type, Pg), $json), $message);
            assert_eq!(refused(carburetor::__codec!($sql_type, Sqlite), $json), $message);
        )*};
    }
    on_both! {
        SmallInt, "32768", "expected an integer of 16 bits, got 32768";
        Integer, "2147483648", "expected an integer of 32 bits, got 2147483648";
        Integer, "1.0", "expected an integer of 32 bits, got 1.0";
        Integer, "\"1\"", "expected an integer of 32 bits, got \"1\"";
        BigInt, "1", "expected an integer of 64 bits as a string, got 1";
        BigInt, "\"9223372036854775808\"", "expected an integer of 64 bits as a string, got \"9223372036854775808\"";
        Float, "1e39", "expected a number of 32 bits, got 1e+39";
        Double, "\"inf\"", "expected a number, \"NaN\", \"Infinity\" or \"-Infinity\", got \"inf\"";
        Numeric, "1.5", "expected a decimal number as a string, such as \"-12.50\", got 1.5";
        Bool, "1", "expected true or false, got 1";
        Text, "{\"a\":1}", "expected a string, got {\"a\":1}";
        Binary, "\"YWI\"", "expected a string of base64 with padding, got \"YWI\"";
        Date, "\"2026-02-30\"", "expected a date such as \"2026-01-31\", got \"2026-02-30\"";
        Timestamp, "\"2026-01-01T00:00:00\"", "expected an instant such as \"2026-01-31T23:59:59.000000Z\", got \"2026-01-01T00:00:00\"";
    }
    assert_eq!(
        refused(carburetor::__codec!(Text, Pg), "\"a\\u0000\""),
        "expected a string without U+0000, which PostgreSQL's text can't hold, got \"a\\u0000\""
    );
    assert_eq!(
        refused(carburetor::__codec!(Double, Sqlite), "\"NaN\""),
        "expected a number that SQLite can store, got \"NaN\""
    );
}
