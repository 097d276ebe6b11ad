//! Values of every kind arrive as they were sent, whatever the column's type is in the database.

use super::super::device::On;
use super::super::{Device, changes, verdicts};
use carburetor::{SyncGroup, SyncTable};
use carburetor_tests::Cluster;
use chrono::{DateTime, Utc};
use diesel::pg::{Pg, PgConnection};
use diesel::prelude::*;
use diesel::sql_types::Text;
use serde_json::{Value, json};

diesel::table! {
    things (id) {
        id -> Text,
        padded -> Nullable<Text>,
        short -> Nullable<Text>,
        word -> Nullable<Text>,
        domain -> Nullable<Integer>,
        price -> Nullable<Numeric>,
        tags -> Nullable<Array<Nullable<Text>>>,
        numbers -> Nullable<Array<Integer>>,
        documents -> Nullable<Array<Json>>,
        document -> Nullable<Json>,
        binary_document -> Nullable<Jsonb>,
        length -> Nullable<Interval>,
        weight -> Nullable<Double>,
        at -> Timestamptz,
    }
}

#[derive(Debug, Clone, SyncTable)]
#[diesel(table_name = things)]
#[sync(backends(postgres))]
struct Thing {
    id: String,
    padded: Option<String>,
    short: Option<String>,
    word: Option<String>,
    domain: Option<i32>,
    price: Option<bigdecimal::BigDecimal>,
    tags: Option<Vec<Option<String>>>,
    numbers: Option<Vec<i32>>,
    documents: Option<Vec<Value>>,
    document: Option<Value>,
    binary_document: Option<Value>,
    length: Option<diesel::data_types::PgInterval>,
    weight: Option<f64>,
    #[sync(last_synced_at)]
    at: DateTime<Utc>,
}

type Things = SyncGroup<(Thing,)>;

const THINGS: &str = "
create extension citext;
create domain small as integer check (value < 100);
create domain smaller as small check (value < 50);
create table things (id char(3) primary key, padded char(4), short varchar(5), word citext, domain smaller, price numeric(10, 2), tags text[],
  numbers integer[], documents json[], document json, binary_document jsonb, length interval, weight double precision);
";

fn things() -> PgConnection {
    let database = Cluster::shared().database();
    database.psql(THINGS);
    let mut conn = database.connect();
    Things::tracking::<Pg>().install(&mut conn).unwrap();
    conn
}

/// One column as the database prints it.
fn stored(conn: &mut PgConnection, column: &str) -> Vec<Option<String>> {
    diesel::sql_query(format!(
        "select ({column})::text as value from things order by id"
    ))
    .load::<Printed>(conn)
    .unwrap()
    .into_iter()
    .map(|printed| printed.value)
    .collect()
}

#[derive(QueryableByName)]
struct Printed {
    #[diesel(sql_type = diesel::sql_types::Nullable<Text>)]
    value: Option<String>,
}

fn texts(values: [Option<&str>; 4]) -> Vec<Option<String>> {
    values.map(|value| value.map(String::from)).into()
}

#[test]
fn every_type_is_inserted_and_updated_in_one_statement_for_all_rows() {
    let conn = &mut things();
    let mut device = Device::new(1);
    let row = |id: &str| json!({"id": id});
    let sent = ["a  ", "b  ", "c  ", "d  "].map(|id| device.insert("things", row(id)));
    let first = Things::upload(conn, &changes(sent)).unwrap();
    assert_eq!(verdicts(&first), ["applied"; 4]);
    device.observe(first.clock);
    let seen: DateTime<Utc> = Utc::now();
    let sent = [
        device.update("things", "a  ", json!({
            "padded": "abcd", "short": "abcde", "word": "Word", "domain": 7, "price": "1.50",
            "tags": ["x", null, "", "y,z\""], "numbers": [1, -2, 3], "documents": [{"a": 1}, [null]],
            "document": {"b": [1]}, "binary_document": {"c": 2}, "weight": 0.1,
        })),
        device.update("things", "b  ", json!({"tags": [], "numbers": [4], "padded": "zz  "})),
        device.update("things", "c  ", json!({"tags": null, "numbers": null, "weight": -0.0})),
        device.update("things", "d  ", json!({"tags": ["last"], "documents": []})),
    ]
    .map(|change| change.on_stamp(seen));
    let second = Things::upload(conn, &changes(sent)).unwrap();
    assert_eq!(verdicts(&second), ["applied"; 4], "{second:?}");
    let mut expect = |column: &str, values: [Option<&str>; 4]| {
        assert_eq!(stored(conn, column), texts(values), "{column}");
    };
    expect("padded", [Some("abcd"), Some("zz"), None, None]);
    expect("short", [Some("abcde"), None, None, None]);
    expect("word", [Some("Word"), None, None, None]);
    expect("domain", [Some("7"), None, None, None]);
    expect("price", [Some("1.50"), None, None, None]);
    expect(
        "tags",
        [
            Some(r#"{x,NULL,"","y,z\""}"#),
            Some("{}"),
            None,
            Some("{last}"),
        ],
    );
    expect("numbers", [Some("{1,-2,3}"), Some("{4}"), None, None]);
    expect(
        "documents",
        [Some(r#"{"{\"a\":1}",[null]}"#), None, None, Some("{}")],
    );
    expect("document", [Some(r#"{"b":[1]}"#), None, None, None]);
    expect("binary_document", [Some(r#"{"c": 2}"#), None, None, None]);
    expect("weight", [Some("0.1"), None, Some("-0"), None]);
}

#[test]
fn what_a_trigger_makes_of_a_value_is_told_even_where_sql_takes_it_for_equal() {
    let conn = &mut things();
    diesel::connection::SimpleConnection::batch_execute(
        conn,
        "create function lowered() returns trigger language plpgsql as $$ begin new.word := lower(new.word::text); return new; end $$;
         create trigger lowered before insert or update on things for each row execute function lowered();",
    )
    .unwrap();
    let mut device = Device::new(1);
    let sent = [
        device.insert("things", json!({"id": "a  ", "word": "Word"})),
        device.insert("things", json!({"id": "b  ", "word": "word"})),
    ];
    let outcomes = Things::upload(conn, &changes(sent)).unwrap();
    assert_eq!(verdicts(&outcomes), ["merged", "applied"]);
    assert_eq!(outcomes.outcomes[0].row.as_ref().unwrap()["word"], "word");
}

#[test]
fn a_value_that_its_column_refuses_is_rejected_alone() {
    let conn = &mut things();
    let mut device = Device::new(1);
    let sent = [
        device.insert("things", json!({"id": "a  ", "domain": 70})),
        device.insert("things", json!({"id": "b  ", "short": "abcdef"})),
        device.insert("things", json!({"id": "c  ", "domain": 7, "tags": ["t"]})),
    ];
    let outcomes = Things::upload(conn, &changes(sent)).unwrap();
    assert_eq!(
        verdicts(&outcomes),
        ["constraint", "invalid", "applied"],
        "{outcomes:?}"
    );
}

diesel::table! {
    parts (id) { id -> Integer, body -> Text, at -> Timestamptz, }
}

#[derive(Debug, Clone, SyncTable)]
#[diesel(table_name = parts)]
#[sync(backends(postgres))]
struct Part {
    id: i32,
    body: String,
    #[sync(last_synced_at)]
    at: DateTime<Utc>,
}

#[test]
fn what_a_trigger_of_one_partition_makes_of_a_value_is_told() {
    let database = Cluster::shared().database();
    database.psql(
        "create table parts (id integer primary key, body text not null) partition by list (id);
         create table part_one partition of parts for values in (1);
         create table part_two partition of parts for values in (2);
         create function raised() returns trigger language plpgsql as $$ begin new.body := upper(new.body); return new; end $$;
         create trigger raised before insert on part_two for each row execute function raised()",
    );
    let conn = &mut database.connect();
    type Parts = SyncGroup<(Part,)>;
    Parts::tracking::<Pg>().install(conn).unwrap();
    let mut device = Device::new(1);
    let sent = [1, 2].map(|id| device.insert("parts", json!({"id": id, "body": "body"})));
    let outcomes = Parts::upload(conn, &changes(sent)).unwrap();
    assert_eq!(verdicts(&outcomes), ["applied", "merged"]);
    assert_eq!(outcomes.outcomes[1].row.as_ref().unwrap()["body"], "BODY");
}

#[test]
fn what_a_column_rounds_is_told_as_a_write_of_the_servers() {
    let conn = &mut things();
    let mut device = Device::new(1);
    let sent = [
        device.insert("things", json!({"id": "a  ", "price": "1.005"})),
        device.insert("things", json!({"id": "b  ", "price": "1.5"})),
        device.insert("things", json!({"id": "c  ", "price": "123456789.00"})),
        device.insert("things", json!({"id": "d  ", "price": "-0.004"})),
    ];
    let clock = sent[0].clock;
    let told = Things::upload(conn, &changes(sent)).unwrap();
    let expected = ["merged", "applied", "invalid", "merged"];
    assert_eq!(verdicts(&told), expected);
    let [first, _, _, last] = [0, 1, 2, 3].map(|place: usize| told.outcomes[place].row.as_ref());
    assert_eq!(first.unwrap()["price"], "1.01");
    assert_eq!(last.unwrap()["price"], "0.00");
    let prices = stored(conn, "price");
    assert_eq!(
        prices,
        ["1.01", "1.50", "0.00"].map(|text| Some(text.to_owned()))
    );
    let register = stored(conn, "carburetor_registers ->> 'price'");
    let register: carburetor::clock::Clock = register[0].as_ref().unwrap().parse().unwrap();
    assert!(register > clock && register.replica() == 0);
}
