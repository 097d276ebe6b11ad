//! What is known without a connection.

use super::{Game, Note};
use carburetor::SyncTable;
use carburetor::table::{ColumnDefinition, Conflict, Storage, TableDefinition, TableOn};
use diesel::pg::Pg;
use diesel::sqlite::Sqlite;

fn named(name: &str) -> ColumnDefinition {
    ColumnDefinition::new(name)
}

fn notes() -> TableDefinition {
    let columns = vec![
        ColumnDefinition {
            id: true,
            visible_by: true,
            storage: Storage::Text,
            ..named("team")
        },
        ColumnDefinition {
            id: true,
            storage: Storage::Integer,
            ..named("number")
        },
        ColumnDefinition {
            conflict: Some(Conflict::ClientWins),
            storage: Storage::Text,
            ..named("text")
        },
        ColumnDefinition {
            default: true,
            ..named("mood")
        },
        ColumnDefinition {
            nullable: true,
            storage: Storage::Text,
            ..named("title")
        },
        ColumnDefinition {
            default: true,
            nullable: true,
            storage: Storage::Integer,
            ..named("stars")
        },
        ColumnDefinition {
            immutable: true,
            storage: Storage::Text,
            ..named("where")
        },
        ColumnDefinition {
            skip: true,
            ..named("secret")
        },
        ColumnDefinition {
            local: true,
            nullable: true,
            ..named("draft")
        },
        ColumnDefinition {
            deleted: true,
            nullable: true,
            storage: Storage::Timestamp,
            ..named("removed")
        },
        ColumnDefinition {
            read_only: true,
            created_at: true,
            storage: Storage::Timestamp,
            ..named("written")
        },
        ColumnDefinition {
            last_synced_at: true,
            storage: Storage::Timestamp,
            ..named("seen")
        },
    ];
    TableDefinition {
        wire_name: "jottings".into(),
        table: "notes".into(),
        online_only: true,
        conflict: Conflict::LastWriteWins,
        columns,
        ..TableDefinition::default()
    }
}

#[test]
fn a_definition_has_the_names_of_the_database_and_the_roles_of_the_model() {
    assert_eq!(<Note as TableOn<Pg>>::definition(), &notes());
    let mut device = notes();
    // A type of its own on PostgreSQL is text there.
    device.columns[3].storage = Storage::Text;
    assert_eq!(<Note as TableOn<Sqlite>>::definition(), &device);
}

diesel::table! {
    rates (id) { id -> Integer, last_synced_at -> Timestamp, }
}

#[derive(carburetor::SyncTable)]
#[diesel(table_name = rates)]
#[sync(read_only)]
struct Rate {
    id: i32,
    last_synced_at: chrono::NaiveDateTime,
}

#[test]
fn a_table_that_replicas_do_not_write_says_so() {
    assert!(<Rate as TableOn<Pg>>::definition().read_only);
    assert!(<Rate as TableOn<Sqlite>>::definition().read_only);
    assert!(!<Note as TableOn<Pg>>::definition().read_only);
    let json = serde_json::to_value(<Rate as TableOn<Pg>>::definition()).expect("JSON");
    assert_eq!(json["read_only"], true);
}

#[test]
fn a_definition_is_the_same_after_its_way_through_json() {
    let json = serde_json::to_string(&notes()).expect("a definition is JSON");
    assert_eq!(
        serde_json::from_str::<TableDefinition>(&json).ok(),
        Some(notes())
    );
}

#[test]
fn the_schema_is_that_of_the_table_on_its_backend() {
    let server = <Game as TableOn<Pg>>::definition();
    assert_eq!(server.sql_name(), r#""play"."games""#);
    let device = <Game as TableOn<Sqlite>>::definition();
    assert_eq!(device.sql_name(), r#""games_on_devices""#);
    assert_eq!(
        (Game::NAME, &*server.wire_name, &*device.wire_name),
        ("games", "games", "games")
    );
}

#[test]
fn what_never_travels_has_no_codec() {
    let downloaded = <Note as TableOn<Sqlite>>::definition().downloaded().count();
    assert_eq!(downloaded, 10);
    assert_eq!(<Note as TableOn<Sqlite>>::codecs().len(), downloaded);
    assert_eq!(<Note as TableOn<Pg>>::codecs().len(), downloaded);
}
