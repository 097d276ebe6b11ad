//! Values in a real database and the JSON of `tests/wire/values.json` are the same thing, in both directions and on both
//! backends.

mod refusals;

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
