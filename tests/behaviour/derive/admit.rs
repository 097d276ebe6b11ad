//! Values that travelled, on their way into the database.

use super::Note;
use carburetor::table::TableOn;
use carburetor::wire::{SqliteValue, WireError};
use diesel::deserialize::{self, FromSql, FromSqlRow};
use diesel::expression::AsExpression;
use diesel::pg::Pg;
use diesel::serialize::{self, Output, ToSql};
use diesel::sql_types::Text;
use diesel::sqlite::Sqlite;
use serde_json::{Value, json};

const TEXT: usize = 2;
const MOOD: usize = 3;
const TITLE: usize = 4;
const SEEN: usize = 9;

diesel::table! {
    people (id) {
        id -> Integer,
        email -> Text,
        born -> Nullable<Date>,
        noon -> Time,
        instant -> Timestamp,
        ratio -> Nullable<Double>,
        data -> Jsonb,
        extra -> Nullable<Jsonb>,
        last_synced_at -> Timestamp,
    }
}

/// A newtype that takes only what has an `@`.
#[derive(Debug, Clone, PartialEq, AsExpression, FromSqlRow)]
#[diesel(sql_type = Text)]
struct Email(String);

impl<DB> ToSql<Text, DB> for Email
where
    DB: diesel::backend::Backend,
    String: ToSql<Text, DB>,
{
    fn to_sql<'b>(&'b self, out: &mut Output<'b, '_, DB>) -> serialize::Result {
        self.0.to_sql(out)
    }
}

impl<DB> FromSql<Text, DB> for Email
where
    DB: diesel::backend::Backend,
    String: FromSql<Text, DB>,
{
    fn from_sql(value: DB::RawValue<'_>) -> deserialize::Result<Self> {
        let text = String::from_sql(value)?;
        if text.contains('@') {
            Ok(Email(text))
        } else {
            Err("an address has an @".into())
        }
    }
}

#[derive(carburetor::SyncTable, Debug, PartialEq)]
#[diesel(table_name = people)]
struct Person {
    id: i32,
    email: Email,
    born: Option<chrono::NaiveDate>,
    noon: chrono::NaiveTime,
    instant: chrono::NaiveDateTime,
    ratio: Option<f64>,
    data: Value,
    extra: Option<Value>,
    last_synced_at: chrono::NaiveDateTime,
}

fn on_postgres<M: TableOn<Pg>>(number: usize, value: Value) -> Result<Option<Vec<u8>>, String> {
    <M as TableOn<Pg>>::admit(number, &value).map_err(|error| error.to_string())
}

fn on_sqlite<M: TableOn<Sqlite>>(
    number: usize,
    value: Value,
) -> Result<Option<SqliteValue>, String> {
    <M as TableOn<Sqlite>>::admit(number, &value).map_err(|error| error.to_string())
}

#[test]
fn a_value_that_travelled_becomes_what_the_database_takes() {
    assert_eq!(on_postgres::<Note>(TEXT, json!("a")), Ok(Some(b"a".into())));
    assert_eq!(
        on_sqlite::<Note>(TEXT, json!("a")),
        Ok(Some(SqliteValue::Text("a".into())))
    );
    assert_eq!(
        on_postgres::<Note>(MOOD, json!("in_two_minds")),
        Ok(Some(b"in_two_minds".into()))
    );
    assert_eq!(
        on_sqlite::<Note>(SEEN, json!("2026-01-02T13:00:00+01:00")),
        Ok(Some(SqliteValue::Text("2026-01-02 12:00:00".into())))
    );
}

#[test]
fn null_is_taken_where_the_column_may_be_null() {
    assert_eq!(on_postgres::<Note>(TITLE, Value::Null), Ok(None));
    assert_eq!(on_sqlite::<Note>(TITLE, Value::Null), Ok(None));
    let refused = "jottings.text: expected a string, got null";
    assert_eq!(
        on_postgres::<Note>(TEXT, Value::Null),
        Err(refused.to_owned())
    );
    assert_eq!(
        on_sqlite::<Note>(TEXT, Value::Null),
        Err(refused.to_owned())
    );
}

#[test]
fn a_document_that_is_null_is_a_value_where_the_column_is_not_nullable() {
    const DATA: usize = 6;
    assert_eq!(
        on_postgres::<Person>(DATA, Value::Null),
        Ok(Some(b"\x01null".into()))
    );
    assert!(matches!(
        on_sqlite::<Person>(DATA, Value::Null),
        Ok(Some(SqliteValue::Blob(_)))
    ));
    assert_eq!(on_postgres::<Person>(DATA + 1, Value::Null), Ok(None));
    assert_eq!(on_sqlite::<Person>(DATA + 1, Value::Null), Ok(None));
}

#[test]
fn a_type_that_refuses_the_value_is_an_error_that_names_table_and_column() {
    let refused = Err("people.email: an address has an @".to_owned());
    assert_eq!(on_postgres::<Person>(1, json!("ann")), refused);
    assert_eq!(
        on_sqlite::<Person>(1, json!("ann")).map(|_| None::<Vec<u8>>),
        refused
    );
    assert!(on_postgres::<Person>(1, json!("ann@home")).is_ok());
    assert!(on_sqlite::<Person>(1, json!("ann@home")).is_ok());

    let error = on_postgres::<Note>(MOOD, json!("cross")).unwrap_err();
    assert!(error.starts_with("jottings.mood: "), "{error}");
    let error = on_sqlite::<Note>(MOOD, json!("cross")).unwrap_err();
    assert!(error.starts_with("jottings.mood: "), "{error}");
    let error = on_sqlite::<Note>(99, json!("cross")).unwrap_err();
    assert_eq!(error, "jottings: no column 99");
}

/// Where no Rust value is made for the check, one could have been made.
#[test]
fn what_is_admitted_can_be_read() {
    let edges = [
        json!(i32::MAX),
        json!(i32::MIN),
        json!(1e300),
        json!("NaN"),
        json!("-Infinity"),
        json!("0000-01-01"),
        json!("-262143-01-01"),
        json!("+262142-12-31"),
        json!("-290000-01-01"),
        json!("+290000-01-01"),
        json!("+010000-01-01"),
        json!("00:00:00.000001"),
        json!("23:59:60"),
        json!("24:00:00"),
        json!("0000-01-01T00:00:00Z"),
        json!("-262143-01-01T00:00:00Z"),
        json!("+262142-12-31T23:59:59.999999Z"),
        json!("+290000-01-01T00:00:00Z"),
        json!("-004000-01-01T00:00:00.000001Z"),
        json!("1900-01-01T00:00:00.1-14:00"),
    ];
    let mut admitted = 0;
    for number in 0..9 {
        for edge in &edges {
            let (postgres, sqlite) = (
                on_postgres::<Person>(number, edge.clone()),
                on_sqlite::<Person>(number, edge.clone()),
            );
            admitted += usize::from(postgres.is_ok()) + usize::from(sqlite.is_ok());
            if postgres.is_ok() {
                read::<Pg>(number, edge).unwrap();
            }
            if sqlite.is_ok() {
                read::<Sqlite>(number, edge).unwrap();
            }
        }
    }
    assert!(admitted > 50, "{admitted}");
}

/// The row of a valid person with another value in one column.
fn read<DB>(number: usize, value: &Value) -> Result<Person, WireError>
where
    DB: carburetor::backend::SyncBackend,
    Person: TableOn<DB>,
{
    let row = json!({
        "id": 1,
        "email": "ann@home",
        "born": null,
        "noon": "12:00:00",
        "instant": "2026-01-02T12:00:00Z",
        "ratio": 0.5,
        "data": {},
        "extra": null,
        "last_synced_at": "2026-01-02T12:00:00Z",
    });
    let Value::Object(mut row) = row else {
        unreachable!()
    };
    let columns = <Person as TableOn<DB>>::definition();
    let name = &columns.downloaded().nth(number).unwrap().name;
    row.insert(name.clone(), value.clone());
    <Person as TableOn<DB>>::decode(row)
}
