//! Values of another class than the column's type: SQLite keeps them, and Diesel reads them as other values.

use super::super::{ids, run};
use super::{Conn, DB, Server};
use carburetor::{SyncGroup, SyncTable};
use chrono::{DateTime, NaiveDate, Utc};

diesel::table! {
    things (id) {
        id -> Integer,
        number -> Integer,
        long -> BigInt,
        share -> Double,
        flag -> Bool,
        title -> Text,
        bytes -> Nullable<Binary>,
        day -> Date,
        at -> TimestamptzSqlite,
    }
}

#[derive(Debug, Clone, PartialEq, SyncTable)]
#[sync(backends(sqlite))]
#[diesel(table_name = things)]
struct Thing {
    id: i32,
    number: i32,
    long: i64,
    share: f64,
    flag: bool,
    title: String,
    bytes: Option<Vec<u8>>,
    day: NaiveDate,
    #[sync(last_synced_at)]
    at: DateTime<Utc>,
}

type Things = SyncGroup<(Thing,)>;

#[test]
fn structs_are_told_of_a_value_of_another_class_as_messages_are() {
    let server = Server::new();
    let conn: &mut Conn = &mut server.connect();
    run(
        conn,
        "create table things (id integer primary key, number default 1, long default 1, share default 0.5, flag default 1, title default 'a', bytes, day default '2026-01-01',
           at text not null default '1970-01-01 00:00:00.000000+00:00')",
    );
    Things::tracking::<DB>().install(conn).unwrap();
    let wrong = [
        ("number", "'x'"),
        ("number", "1.5"),
        ("number", "4294967297"),
        ("long", "'7'"),
        ("share", "'half'"),
        ("flag", "'yes'"),
        ("title", "x'61'"),
        ("title", "cast(x'61ff' as text)"),
        ("bytes", "7"),
        ("day", "x'32303236'"),
    ];
    for (column, value) in wrong {
        run(
            conn,
            &format!("insert into things ({column}) values ({value})"),
        );
    }
    // Those are read as what they are.
    run(
        conn,
        "insert into things (id, number, share, flag, title) values (100, 2.0, 3, 7, 9)",
    );
    let news = Things::download(conn, (None,)).unwrap().into_tables().0;
    let mut json = Vec::new();
    Things::download_json(conn, (None,), &mut json).unwrap();
    let read = Things::read_json::<DB>(&json).unwrap().into_tables().0;
    assert_eq!((ids(&news), ids(&read)), (vec![100], vec![100]));
    let columns = wrong.map(|(column, _)| column);
    let told: Vec<&str> = news.unreadable.iter().map(|error| &*error.column).collect();
    assert_eq!(told, columns);
    assert_eq!(news.unreadable, read.unreadable);
    assert_eq!(news.rows, read.rows);
}

diesel::table! {
    places (region, id) { region -> Text, id -> Text, title -> Text, at -> TimestamptzSqlite, }
}

#[derive(Debug, Clone, PartialEq, SyncTable)]
#[sync(backends(sqlite))]
#[diesel(table_name = places, primary_key(region, id))]
struct Place {
    #[sync(id)]
    region: String,
    #[sync(id)]
    id: String,
    title: String,
    #[sync(last_synced_at)]
    at: DateTime<Utc>,
}

type Places = SyncGroup<(Place,)>;

#[test]
fn structs_are_told_of_a_row_without_an_id() {
    let server = Server::new();
    let conn: &mut Conn = &mut server.connect();
    run(
        conn,
        "create table places (region text, id text, title text not null,
           at text not null default '1970-01-01 00:00:00.000000+00:00', primary key (region, id))",
    );
    Places::tracking::<DB>().install(conn).unwrap();
    run(
        conn,
        "insert into places (region, id, title) values ('n', null, 'a'), ('n', 'x', 'b'), (null, 'x', 'c')",
    );
    let response = Places::download(conn, (None,)).unwrap();
    let next = response.next();
    let news = response.into_tables().0;
    assert_eq!(ids(&news), [("n".to_owned(), "x".to_owned())]);
    let told = news.unreadable.iter();
    let told: Vec<_> = told.map(|error| (&*error.column, &error.id)).collect();
    assert_eq!(told, [("id", &None), ("region", &None)]);
    run(conn, "delete from places");
    let news = Places::download(conn, next).unwrap().into_tables().0;
    assert_eq!(news.removed, [("n".to_owned(), "x".to_owned())]);
}
