//! What `#[derive(SyncTable)]` makes of a model.

mod admit;
mod changeset;
mod definition;
mod insert;
mod merge;
mod row;

use carburetor::SyncTable;
use chrono::{DateTime, NaiveDate, NaiveDateTime, Utc};
use diesel::connection::SimpleConnection;
use diesel::{Connection, SqliteConnection};

diesel::table! {
    use diesel::sql_types::*;
    use super::MoodMapping;
    notes (team, number) {
        team -> Text,
        number -> BigInt,
        text -> Text,
        mood -> MoodMapping,
        title -> Nullable<Text>,
        stars -> Nullable<Integer>,
        #[sql_name = "where"]
        place -> Text,
        secret -> Text,
        draft -> Nullable<Text>,
        removed -> Nullable<Timestamp>,
        written -> Timestamp,
        seen -> Timestamp,
    }
}

diesel::table! {
    play.games (id) { id -> Text, at -> Timestamptz, name -> Nullable<Text>, }
}

diesel::table! {
    games_on_devices (id) { id -> Text, at -> TimestamptzSqlite, name -> Nullable<Text>, }
}

#[derive(diesel::sql_types::SqlType, diesel::query_builder::QueryId)]
#[diesel(postgres_type(name = "mood"), sqlite_type(name = "Text"))]
pub struct MoodMapping;

#[derive(Debug, Clone, Copy, PartialEq, Eq, diesel_derive_enum::DbEnum)]
#[db_enum(existing_type_path = "MoodMapping")]
enum Mood {
    Glad,
    InTwoMinds,
}

/// Neither `Clone` nor on the wire.
#[derive(Debug, PartialEq, Default)]
struct Secret(u8);

/// A note.
#[derive(SyncTable, Debug, PartialEq)]
#[diesel(table_name = notes)]
#[sync(name = "jottings", conflict = "last_write_wins", online_only)]
struct Note {
    #[sync(id, visible_by)]
    team: String,
    #[sync(id)]
    number: i64,
    #[sync(conflict = "client_wins")]
    text: String,
    #[sync(default = Mood::Glad)]
    mood: Mood,
    title: Option<String>,
    #[sync(default = Some(3))]
    stars: Option<i32>,
    #[sync(immutable)]
    place: String,
    #[sync(skip)]
    secret: Secret,
    #[sync(local)]
    draft: Option<String>,
    #[sync(deleted)]
    removed: Option<NaiveDateTime>,
    #[sync(read_only, created_at)]
    written: NaiveDateTime,
    #[sync(last_synced_at)]
    seen: NaiveDateTime,
}

#[derive(SyncTable, Debug, Clone, PartialEq)]
#[diesel(table_name = games)]
#[sync(sqlite(table = games_on_devices))]
struct Game {
    id: String,
    #[sync(last_synced_at)]
    at: DateTime<Utc>,
    name: Option<String>,
}

fn noon() -> NaiveDateTime {
    let day = NaiveDate::from_ymd_opt(2026, 1, 2).expect("a day that exists");
    day.and_hms_opt(12, 0, 0).expect("a time that exists")
}

fn note() -> Note {
    Note {
        team: "blue".into(),
        number: 7,
        text: "Hello".into(),
        mood: Mood::InTwoMinds,
        title: None,
        stars: Some(5),
        place: "here".into(),
        secret: Secret(0),
        draft: None,
        removed: None,
        written: noon(),
        seen: noon(),
    }
}

fn database() -> SqliteConnection {
    let mut conn = SqliteConnection::establish(":memory:").expect("SQLite in memory");
    conn.batch_execute(
        "CREATE TABLE notes (team TEXT NOT NULL, number INTEGER NOT NULL, text TEXT NOT NULL,
             mood TEXT NOT NULL DEFAULT 'glad', title TEXT, stars INTEGER DEFAULT 1, \"where\" TEXT NOT NULL,
             secret TEXT NOT NULL DEFAULT 'shh', draft TEXT, removed TEXT,
             written TEXT NOT NULL DEFAULT '2026-01-02 12:00:00', seen TEXT NOT NULL DEFAULT '2026-01-02 12:00:00',
             PRIMARY KEY (team, number));
         CREATE TABLE games_on_devices (id TEXT NOT NULL PRIMARY KEY, at TEXT NOT NULL DEFAULT '2026-01-02 12:00:00+00:00',
             name TEXT)",
    )
    .expect("tables that do not exist yet");
    conn
}
