//! Values that the models can't read back, and rows that hold one.

use super::super::device::{On, stamp};
use super::super::{Device, changes, rejection, run, verdicts};
use super::{CARBURETOR, Conn, DB, Server};
use carburetor::merge::{Merge, Versions};
use carburetor::outcome::{Code, Outcomes};
use carburetor::{SyncGroup, SyncTable};
use chrono::{DateTime, NaiveDate, NaiveTime, Utc};
use serde_json::json;

mod schema {
    diesel::table! { visits (id) { id -> Integer, title -> Text, due -> Date, start -> Time, at -> Timestamptz, } }
    diesel::table! { talks (id) { id -> Integer, title -> Text, due -> Date, at -> Timestamptz, } }
}

mod sqlite {
    diesel::table! { visits (id) { id -> Integer, title -> Text, due -> Date, start -> Time, at -> TimestamptzSqlite, } }
    diesel::table! { talks (id) { id -> Integer, title -> Text, due -> Date, at -> TimestamptzSqlite, } }
}

#[derive(Debug, Clone, PartialEq, SyncTable)]
#[diesel(table_name = schema::visits)]
#[sync(sqlite(table = sqlite::visits), conflict = "fields")]
struct Visit {
    id: i32,
    title: String,
    due: NaiveDate,
    start: NaiveTime,
    #[sync(last_synced_at)]
    at: DateTime<Utc>,
}

#[derive(Debug, Clone, PartialEq, SyncTable)]
#[diesel(table_name = schema::talks)]
#[sync(sqlite(table = sqlite::talks), conflict = "custom")]
struct Talk {
    id: i32,
    title: String,
    due: NaiveDate,
    #[sync(last_synced_at)]
    at: DateTime<Utc>,
}

impl Merge for Talk {
    fn merge(versions: Versions<Self>) -> Self {
        Talk {
            title: versions.server.title + " and " + &versions.sent.title,
            ..versions.server
        }
    }
}

type Calendar = SyncGroup<(Visit, Talk)>;

const IS_SQLITE: bool = matches!(CARBURETOR.as_bytes(), b"carburetor_");
const NEVER: &str = if IS_SQLITE { "never" } else { "infinity" };

fn server() -> (Server, Conn) {
    let server = Server::new();
    let mut conn = server.connect();
    let (due, at) = match IS_SQLITE {
        true => (
            "due text not null, start text not null",
            "text not null default '1970-01-01 00:00:00.000000+00:00'",
        ),
        false => (
            "due date not null, start time not null",
            "timestamptz not null default now()",
        ),
    };
    let day = due.split(',').next().unwrap();
    run(
        &mut conn,
        &format!(
            "create table visits (id integer primary key, title text not null, {due}, at {at});
            create table talks (id integer primary key, title text not null, {day}, at {at})"
        ),
    );
    Calendar::tracking::<DB>().install(&mut conn).unwrap();
    (server, conn)
}

fn upload(conn: &mut Conn, sent: impl IntoIterator<Item = carburetor::change::Change>) -> Outcomes {
    Calendar::upload(conn, &changes(sent)).unwrap()
}

fn visit(id: i32) -> serde_json::Value {
    json!({"id": id, "title": "a", "due": "2026-01-01", "start": "10:00:00.000000"})
}

#[test]
fn a_value_that_the_model_can_not_read_back_is_rejected_by_its_column() {
    let (_server, mut conn) = server();
    let mut ann = Device::new(1);
    let with = |id: i32, column: &str, value: &str| {
        let mut row = visit(id);
        row[column] = json!(value);
        row
    };
    let sent = [
        ann.insert("visits", with(1, "start", "24:00:00.000000")),
        ann.insert("visits", with(2, "start", "23:59:60.000000")),
        ann.insert("visits", with(3, "due", "infinity")),
        ann.insert("visits", with(4, "due", "+300000-01-01")),
        ann.insert("visits", with(5, "start", "12:30")),
        ann.insert("visits", visit(6)),
    ];
    let outcomes = upload(&mut conn, sent);
    let expected = [
        "invalid", "invalid", "invalid", "invalid", "applied", "applied",
    ];
    assert_eq!(verdicts(&outcomes), expected);
    for (place, column) in [(0, "start"), (1, "start"), (2, "due"), (3, "due")] {
        assert_eq!(rejection(&outcomes, place), (Code::Invalid, Some(column)));
    }
    let news = Calendar::download(&mut conn, (None, None)).unwrap();
    assert_eq!((news.0.rows.len(), news.0.unreadable.len()), (2, 0));
}

#[test]
fn an_upload_goes_on_past_a_row_that_can_not_travel() {
    let (_server, mut conn) = server();
    let conn = &mut conn;
    let (mut ann, mut bob) = (Device::new(1), Device::new(2));
    let made = upload(
        conn,
        [
            ann.insert("visits", visit(1)),
            ann.insert("visits", visit(2)),
        ],
    );
    let base = stamp(&made.outcomes[0]);
    run(
        conn,
        &format!("update visits set due = '{NEVER}' where id = 1"),
    );
    bob.observe(made.clock);
    let sent = [
        bob.update("visits", 1, json!({"title": "b"}))
            .on_stamp(base),
        bob.update("visits", 2, json!({"title": "b"}))
            .on_stamp(stamp(&made.outcomes[1])),
        bob.insert("visits", visit(3)),
    ];
    let outcomes = upload(conn, sent);
    assert_eq!(verdicts(&outcomes), ["merged", "applied", "applied"]);
    let first = &outcomes.outcomes[0];
    let unreadable = first.unreadable.as_ref().unwrap();
    assert!(first.row.is_none());
    assert!(
        unreadable.to_string().starts_with("visits.due of 1: "),
        "{unreadable}"
    );
    // It travels so.
    let json = serde_json::to_vec(&outcomes).unwrap();
    let read = Outcomes::read(&json).unwrap();
    let read = read.outcomes[0].unreadable.as_ref().unwrap();
    assert_eq!(
        (&read.column, &read.id),
        (&unreadable.column, &Some(json!(1)))
    );
    assert!(read.message.starts_with(&unreadable.message[..10]));
}

#[test]
fn only_the_change_whose_row_can_not_be_merged_is_rejected() {
    let (_server, mut conn) = server();
    let conn = &mut conn;
    let (mut ann, mut bob) = (Device::new(1), Device::new(2));
    let talk = |id: i32| json!({"id": id, "title": "a", "due": "2026-01-01"});
    let made = upload(
        conn,
        [ann.insert("talks", talk(1)), ann.insert("talks", talk(2))],
    );
    let bases = [0, 1].map(|place| stamp(&made.outcomes[place]));
    run(conn, "update talks set title = 'server'");
    run(
        conn,
        &format!("update talks set due = '{NEVER}' where id = 1"),
    );
    bob.observe(made.clock);
    let sent = [
        bob.update("talks", 1, json!({"title": "b"}))
            .on_stamp(bases[0]),
        bob.update("talks", 2, json!({"title": "b"}))
            .on_stamp(bases[1]),
    ];
    let outcomes = upload(conn, sent);
    assert_eq!(verdicts(&outcomes), ["invalid", "merged"]);
    assert_eq!(rejection(&outcomes, 0), (Code::Invalid, Some("due")));
    assert_eq!(
        outcomes.outcomes[1].row.as_ref().unwrap()["title"],
        "server and b"
    );
}
