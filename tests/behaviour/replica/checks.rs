//! Which files can be replicas.

use super::device::{Folder, Group, run};
use super::models::NOTES;
use super::models::sqlite::{Note, Price};
use super::recorder::Recorder;
use carburetor::SyncGroup;
use carburetor::replica::Replica;
use diesel::Connection;
use diesel::sqlite::SqliteConnection;

fn refused(tables: &str) -> String {
    let folder = Folder::new();
    let mut conn = SqliteConnection::establish(folder.file("device").to_str().unwrap()).unwrap();
    run(&mut conn, tables);
    let path = folder.file("device");
    let replica = Replica::<Group>::open(path, Recorder::default());
    replica.unwrap_err().to_string()
}

const COLUMNS: &str = "title text not null, body text, team text not null, pinned boolean not null default false, at text";

#[test]
fn a_table_that_downloads_can_not_be_written_into_is_refused_with_the_remedy() {
    let cases = [
        (
            "create table notes (id text primary key, title text, team text, at text)".to_owned(),
            "notes: the column `body` is missing",
        ),
        (
            format!(
                "create table notes (id text primary key, {})",
                COLUMNS.replace("body text", "body text not null default ''")
            ),
            "notes: the column `body` takes no NULL, and the server may send one",
        ),
        (
            format!("create table notes (id integer primary key, {COLUMNS})"),
            "notes: the column `id` is declared as `integer`",
        ),
        (
            format!("create table notes (id text collate nocase primary key, {COLUMNS})"),
            "notes: ids that differ are one to the collation of `id`",
        ),
        (
            format!(
                "create table notes (id text collate rtrim, {COLUMNS}, primary key (id collate binary))"
            ),
            "notes: ids that differ are one to the collation of `id`",
        ),
        (
            format!(
                "create table notes (id text primary key, {COLUMNS}); create unique index other on notes (id collate nocase)"
            ),
            "notes: ids that differ are one to the collation of `id`",
        ),
        (
            format!("create table notes (id text, {COLUMNS})"),
            "notes: no key of exactly its id (id): declare it as the primary key",
        ),
        (
            format!("create table notes (id text primary key, {COLUMNS}, unique (title))"),
            "notes: the unique key sqlite_autoindex_notes_2 (title) can't stand here",
        ),
        (
            format!(
                "create table teams (id text primary key); create table notes (id text primary key, {COLUMNS}, foreign key (team) references teams (id))"
            ),
            "notes: the foreign key of `team` to `teams` can't stand here",
        ),
        (
            format!("create table notes (id text primary key, {COLUMNS}, extra text not null)"),
            "notes: the column `extra` takes no NULL and has no default",
        ),
        (
            String::new(),
            "notes: the local column `pinned` takes no NULL",
        ),
        (
            "create view notes as select 1 as id".to_owned(),
            "notes: it is a view",
        ),
    ];
    for (tables, problem) in cases {
        let error = refused(&tables);
        assert!(error.starts_with(problem), "{error}");
    }
}

#[test]
fn tables_of_the_programs_own_are_taken_and_opened_again() {
    let folder = Folder::new();
    let mut conn = SqliteConnection::establish(folder.file("device").to_str().unwrap()).unwrap();
    run(
        &mut conn,
        &format!(
            "create table notes (id text primary key, {COLUMNS}, extra text not null default '') without rowid"
        ),
    );
    for _ in 0..2 {
        let replica = folder.open(Recorder::default()).unwrap();
        run(
            &mut replica.connection().unwrap(),
            "insert or replace into notes (id, title, team) values ('a', 'one', 'red')",
        );
        assert_eq!(replica.pending().unwrap(), 1);
    }
}

#[test]
fn two_groups_of_a_file_have_one_model_of_a_table() {
    diesel::table! { notes (id) { id -> Text, title -> Text, team -> Text, at -> TimestamptzSqlite, } }
    #[derive(carburetor::SyncTable)]
    #[sync(backends(sqlite))]
    #[diesel(table_name = notes)]
    #[allow(dead_code, reason = "only its columns are of interest")]
    struct Title {
        id: String,
        title: String,
        team: String,
        #[sync(last_synced_at)]
        at: chrono::DateTime<chrono::Utc>,
    }
    let folder = Folder::new();
    folder.open(Recorder::default()).unwrap();
    let error = Replica::<SyncGroup<(Title,)>>::open(folder.file("device"), Recorder::default())
        .unwrap_err();
    assert_eq!(
        error.to_string(),
        "notes: the group `notes,seats,prices,chores` of this file has the table with another model: use one model in both, or replicate the groups into two files"
    );
}

#[test]
fn two_groups_of_different_tables_share_a_file() {
    let folder = Folder::new();
    let mut conn = SqliteConnection::establish(folder.file("device").to_str().unwrap()).unwrap();
    run(&mut conn, NOTES);
    let notes =
        Replica::<SyncGroup<(Note,)>>::open(folder.file("device"), Recorder::default()).unwrap();
    let prices =
        Replica::<SyncGroup<(Price,)>>::open(folder.file("device"), Recorder::default()).unwrap();
    run(
        &mut prices.connection().unwrap(),
        "insert into notes (id, title, team) values ('a', 'one', 'red')",
    );
    assert_eq!(
        (notes.pending().unwrap(), prices.pending().unwrap()),
        (1, 0)
    );
}

#[test]
fn another_account_takes_the_file_only_when_nothing_waits() {
    let folder = Folder::new();
    folder.open(Recorder::default()).unwrap();
    // Nothing has been written under no account.
    let open = |account: &str| {
        Replica::<Group>::builder()
            .account(account)
            .open(folder.file("device"), Recorder::default())
    };
    let ann = open("ann").unwrap();
    let mut conn = ann.connection().unwrap();
    run(
        &mut conn,
        "insert into notes (id, title, team) values ('a', 'one', 'red')",
    );
    let error = open("bob").unwrap_err().to_string();
    assert_eq!(
        error,
        "the file holds changes of the account `ann` that the server hasn't got: open it for that account and sync, or take another file"
    );
    run(&mut conn, "delete from notes");
    open("bob").unwrap();
}

#[test]
fn a_model_with_another_column_is_downloaded_from_the_beginning() {
    let folder = Folder::new();
    let replica = folder.open(Recorder::default()).unwrap();
    let mut conn = replica.connection().unwrap();
    run(
        &mut conn,
        "update carburetor_group set token = 'known'; update carburetor_replicated set shape = '[[\"id\"],[\"id\",\"title\"],false]' where name = 'notes'",
    );
    folder.open(Recorder::default()).unwrap();
    use diesel::prelude::*;
    let tokens: i64 = diesel::select(diesel::dsl::sql::<diesel::sql_types::BigInt>(
        "(select count(token) from carburetor_group)",
    ))
    .first(&mut conn)
    .unwrap();
    assert_eq!(tokens, 0);
}
