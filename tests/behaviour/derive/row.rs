//! Rows, out of a database and on the wire.

use super::{Game, Note, database, noon, note};
use carburetor::SyncTable;
use carburetor::backend::SyncBackend;
use carburetor::table::TableOn;
use diesel::connection::{LoadConnection, SimpleConnection};
use diesel::pg::Pg;
use diesel::prelude::*;
use diesel::query_builder::{AstPass, Query, QueryFragment, QueryId};
use diesel::sql_types::Text;
use diesel::sqlite::Sqlite;
use serde_json::{Map, Value, json};

fn object(value: Value) -> Map<String, Value> {
    match value {
        Value::Object(object) => object,
        other => panic!("{other} is not an object"),
    }
}

fn sent() -> Value {
    json!({
        "team": "blue",
        "number": "7",
        "text": "Hello",
        "mood": "in_two_minds",
        "title": null,
        "stars": 5,
        "where": "here",
        "removed": null,
        "written": "2026-01-02T12:00:00.000000Z",
        "seen": "2026-01-02T12:00:00.000000Z",
    })
}

/// `columns` of the one note, as `read` gets them.
fn select<T>(
    columns: &str,
    read: impl Fn(&mut dyn FnMut(usize) -> diesel::deserialize::Result<Note>) -> T,
) -> T {
    let mut conn = database();
    conn.batch_execute(
        "INSERT INTO notes (team, number, text, mood, stars, \"where\") VALUES ('blue', 7, 'Hello', 'in_two_minds', 5, 'here')",
    )
    .expect("a row that fits");
    let query = diesel::sql_query(format!("SELECT {columns} FROM notes"));
    let mut rows = LoadConnection::load(&mut conn, query).expect("a query that runs");
    let row = rows.next().expect("one row").expect("a row that arrives");
    read(&mut |at| <Note as TableOn<Sqlite>>::read(&row, at))
}

const COLUMNS: &str = "team, number, text, mood, title, stars, \"where\", removed, written, seen";

#[test]
fn a_row_is_read_from_where_it_begins() {
    let read =
        |columns: &str, at| select(columns, |read| read(at).map_err(|error| error.to_string()));
    assert_eq!(read(COLUMNS, 0), Ok(note()));
    assert_eq!(read(&format!("1, 2, {COLUMNS}"), 2), Ok(note()));
}

#[test]
fn a_row_that_does_not_fit_names_the_column() {
    let read = |columns: &str| select(columns, |read| read(0).map_err(|error| error.to_string()));
    let null = COLUMNS.replace("text", "NULL");
    assert_eq!(
        read(&null),
        Err("jottings.text: Unexpected null for non-null column".to_owned())
    );
    assert_eq!(
        read("team, number"),
        Err("jottings.text is not among the columns of the result".to_owned())
    );
}

#[test]
fn an_id_is_read_although_the_rest_is_null() {
    let mut conn = database();
    let nulls = ", NULL".repeat(8);
    let query = diesel::sql_query(format!("SELECT 0, 'blue', 7{nulls}"));
    let mut rows = LoadConnection::load(&mut conn, query).expect("a query that runs");
    let row = rows.next().expect("one row").expect("a row that arrives");
    let id = <Note as TableOn<Sqlite>>::read_id(&row, 1).map_err(|error| error.to_string());
    assert_eq!(id, Ok(("blue".to_owned(), 7)));
}

fn travels<DB: SyncBackend>()
where
    Note: TableOn<DB>,
{
    assert_eq!(
        TableOn::<DB>::encode(&note()).map(Value::Object),
        Ok(sent())
    );
    assert_eq!(<Note as TableOn<DB>>::decode(object(sent())), Ok(note()));
}

#[test]
fn a_row_travels_in_the_same_form_from_either_backend() {
    travels::<Pg>();
    travels::<Sqlite>();
}

#[test]
fn a_twin_has_one_form_for_both_tables() {
    let game = Game {
        id: "a".into(),
        at: noon().and_utc(),
        name: Some("Go".into()),
    };
    let sent = json!({"id": "a", "at": "2026-01-02T12:00:00.000000Z", "name": "Go"});
    assert_eq!(
        TableOn::<Pg>::encode(&game).map(Value::Object),
        Ok(sent.clone())
    );
    assert_eq!(
        TableOn::<Sqlite>::encode(&game).map(Value::Object),
        Ok(sent.clone())
    );
    assert_eq!(<Game as TableOn<Sqlite>>::decode(object(sent)), Ok(game));
}

fn decoded(change: impl Fn(&mut Map<String, Value>)) -> Result<Note, String> {
    let mut row = object(sent());
    change(&mut row);
    <Note as TableOn<Sqlite>>::decode(row).map_err(|error| error.to_string())
}

#[test]
fn an_unknown_column_is_skipped() {
    let unknown = decoded(|row| {
        row.insert("colour".into(), json!("red"));
        row.insert("secret".into(), json!("told"));
    });
    assert_eq!(unknown, Ok(note()));
}

#[test]
fn a_missing_column_takes_its_default_or_is_named() {
    let without = |column: &str| decoded(|row| drop(row.remove(column)));
    let glad = without("mood").map(|note| note.mood);
    assert_eq!(glad, Ok(super::Mood::Glad));
    assert_eq!(without("stars").map(|note| note.stars), Ok(Some(3)));
    assert_eq!(without("title"), Err("jottings.title: missing".to_owned()));
}

#[test]
fn null_is_a_value_where_a_default_would_stand() {
    let null = decoded(|row| drop(row.insert("stars".into(), Value::Null)));
    assert_eq!(null.map(|note| note.stars), Ok(None));
}

#[test]
fn a_wrong_value_names_its_column() {
    let wrong = decoded(|row| drop(row.insert("stars".into(), json!("many"))));
    let message = wrong.expect_err("five is a number");
    assert!(message.starts_with("jottings.stars: expected"), "{message}");
}

#[test]
fn a_composite_id_travels_as_an_array() {
    let id = note().id();
    assert_eq!(
        <Note as TableOn<Pg>>::encode_id(&id),
        Ok(json!(["blue", "7"]))
    );
    assert_eq!(
        <Note as TableOn<Sqlite>>::decode_id(json!(["blue", "7"])),
        Ok(id)
    );
    let wrong = |id| <Note as TableOn<Sqlite>>::decode_id(id).map_err(|error| error.to_string());
    let parts = Err("jottings: expected an id of 2 parts in an array".to_owned());
    assert_eq!(wrong(json!(["blue"])), parts);
    assert_eq!(wrong(json!("blue")), parts);
}

#[test]
fn a_single_id_travels_as_it_is() {
    assert_eq!(
        <Game as TableOn<Pg>>::encode_id(&"a".to_owned()),
        Ok(json!("a"))
    );
    assert_eq!(
        <Game as TableOn<Pg>>::decode_id(json!("a")),
        Ok("a".to_owned())
    );
}

/// The text of the note with an id.
struct TextOf(<Note as SyncTable>::Id);

impl QueryId for TextOf {
    type QueryId = ();
    const HAS_STATIC_QUERY_ID: bool = false;
}

impl Query for TextOf {
    type SqlType = Text;
}

impl RunQueryDsl<SqliteConnection> for TextOf {}

impl QueryFragment<Sqlite> for TextOf {
    fn walk_ast<'b>(&'b self, mut out: AstPass<'_, 'b, Sqlite>) -> QueryResult<()> {
        out.push_sql("SELECT text FROM notes WHERE number = ");
        <Note as TableOn<Sqlite>>::bind_id(&self.0, 1, out.reborrow())?;
        out.push_sql(" AND team = ");
        <Note as TableOn<Sqlite>>::bind_id(&self.0, 0, out.reborrow())
    }
}

#[test]
fn the_parts_of_an_id_are_bound_one_by_one() {
    let mut conn = database();
    conn.batch_execute(
        "INSERT INTO notes (team, number, text, \"where\") VALUES ('blue', 7, 'mine', ''), ('red', 7, 'yours', '')",
    )
    .expect("rows that fit");
    let text = TextOf(("red".to_owned(), 7)).load::<String>(&mut conn);
    assert_eq!(text, Ok(vec!["yours".to_owned()]));
}
