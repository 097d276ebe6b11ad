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
