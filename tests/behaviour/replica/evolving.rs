//! A device's file whose tables a new version of the program has altered.

use super::device::{Folder, run};
use super::recorder::Recorder;
use bytes::Bytes;
use carburetor::change::Edit;
use carburetor::replica::{Replica, Transport, TransportError, disarm};
use carburetor::{SyncGroup, SyncTable};
use diesel::prelude::*;
use futures_util::Stream;
use serde_json::{Map, Value, json};
use std::sync::{Arc, Mutex};

/// A server that answers every download with this row.
#[derive(Clone)]
struct Says {
    code: &'static str,
    asked: Arc<Mutex<Vec<Option<String>>>>,
}

impl Says {
    fn new(code: &'static str) -> Self {
        let asked = Arc::default();
        Says { code, asked }
    }
}

impl Transport for Says {
    async fn download(
        &self,
        since: Option<&str>,
        _limit: u32,
    ) -> Result<impl Stream<Item = Result<Bytes, TransportError>> + Send, TransportError> {
        self.asked.lock().unwrap().push(since.map(str::to_owned));
        let page = format!(
            r#"{{"carburetor":1,"tables":{{"codes":{{"reset":{},"removed":[],"rows":[{{"id":"a","code":{},"at":"2026-01-01T00:00:00.000000Z"}}],"cutoff":"2026-01-01T00:00:00.000000Z"}}}},"more":false,"next":"t1"}}"#,
            since.is_none(),
            self.code
        );
        Ok(futures_util::stream::iter([Ok(page.into())]))
    }

    async fn upload(&self, _changes: Vec<u8>) -> Result<Bytes, TransportError> {
        Err(TransportError::Offline("no network".into()))
    }
}

macro_rules! version {
    ($name:ident, $id:ident $id_type:ty, $code:ident $code_type:ty) => {
        mod $name {
            use super::*;
            diesel::table! { codes (id) { id -> $id, code -> $code, at -> TimestamptzSqlite, } }
            #[derive(SyncTable)]
            #[sync(backends(sqlite))]
            #[diesel(table_name = codes)]
            #[allow(dead_code, reason = "only its columns are of interest")]
            pub(super) struct Code {
                id: $id_type,
                code: $code_type,
                #[sync(last_synced_at)]
                at: chrono::DateTime<chrono::Utc>,
            }
            pub(super) type Codes = SyncGroup<(Code,)>;
        }
    };
}

version!(first, Text String, Integer i32);
version!(second, Text String, Text String);
version!(third, Integer i32, Integer i32);

fn open<G: carburetor::replica::ReplicaGroup>(
    folder: &Folder,
    transport: impl Transport,
) -> Replica<G> {
    Replica::open(folder.file("device"), transport).unwrap()
}

fn sync<G>(replica: &Replica<G>) {
    let runtime = tokio::runtime::Builder::new_current_thread().build();
    runtime.unwrap().block_on(replica.sync()).unwrap();
}

/// The table is made anew with other types.
fn retype(folder: &Folder, id: &str, code: &str) {
    let mut conn = SqliteConnection::establish(folder.file("device").to_str().unwrap()).unwrap();
    disarm(&mut conn).unwrap();
    run(
        &mut conn,
        &format!(
            "create table other (id {id} primary key, code {code} not null, at text not null default '1970-01-01 00:00:00.000000+00:00');
insert into other select id, code, at from codes; drop table codes; alter table other rename to codes"
        ),
    );
}

#[test]
fn a_value_arrives_as_it_is_in_a_column_whose_type_was_migrated() {
    let folder = Folder::new();
    sync(&open::<first::Codes>(&folder, Says::new("7")));
    retype(&folder, "text", "text");
    let says = Says::new(r#""007""#);
    let replica = open::<second::Codes>(&folder, says.clone());
    sync(&replica);
    // What an integer had kept of it comes again.
    assert_eq!(*says.asked.lock().unwrap(), [None]);
    let mut conn = replica.connection().unwrap();
    let code = second::codes::table.select(second::codes::code);
    assert_eq!(code.first::<String>(&mut conn).unwrap(), "007");
    drop(replica);
    // Nothing was altered since.
    let replica = open::<second::Codes>(&folder, says.clone());
    sync(&replica);
    assert_eq!(*says.asked.lock().unwrap(), [None, Some("t1".into())]);
}

#[test]
fn an_id_keeps_its_type_while_changes_wait() {
    let folder = Folder::new();
    let replica = open::<third::Codes>(&folder, Recorder::default());
    let insert = "insert into codes (id, code) values (7, 1)";
    run(&mut replica.connection().unwrap(), insert);
    drop(replica);
    retype(&folder, "text", "integer");
    let open = || Replica::<first::Codes>::open(folder.file("device"), Recorder::default());
    let error = open().unwrap_err().to_string();
    assert!(
        error.starts_with("codes: its id has other columns, or columns of other types"),
        "{error}"
    );
    retype(&folder, "integer", "integer");
    let replica = self::open::<third::Codes>(&folder, Recorder::default());
    let mut conn = replica.connection().unwrap();
    assert_eq!(replica.pending().unwrap(), 1);
    run(&mut conn, "delete from codes");
    assert_eq!(replica.pending().unwrap(), 0);
    drop(replica);
    retype(&folder, "text", "integer");
    let replica = open().unwrap();
    let insert = "insert into codes (id, code) values ('007', 1)";
    run(&mut conn, insert);
    assert_eq!(replica.pending().unwrap(), 1);
    let runtime = tokio::runtime::Builder::new_current_thread().build();
    runtime.unwrap().block_on(replica.sync()).unwrap_err();
}

#[test]
fn a_column_is_dropped_once_the_triggers_are_away() {
    let folder = Folder::new();
    let replica = folder.open(Recorder::default()).unwrap();
    let mut conn = replica.connection().unwrap();
    run(
        &mut conn,
        "insert into notes (id, title, team) values ('a', 'one', 'red')",
    );
    drop(replica);
    let drop = "alter table notes drop column body";
    assert!(diesel::sql_query(drop).execute(&mut conn).is_err());
    disarm(&mut conn).unwrap();
    run(&mut conn, drop);
    // Of this the server hears nothing.
    run(
        &mut conn,
        "insert into notes (id, title, team) values ('b', 'two', 'red'); alter table notes add column body text",
    );
    let replica = folder.open(Recorder::default()).unwrap();
    assert_eq!(replica.pending().unwrap(), 1);
    run(
        &mut conn,
        "insert into notes (id, title, team) values ('c', 'three', 'red')",
    );
    assert_eq!(replica.pending().unwrap(), 2);
}

/// A table that loses a column, and the columns that it has then.
macro_rules! painted {
    ($name:ident, $($column:ident),*) => {
        mod $name {
            use super::*;
            diesel::table! { codes (id) { id -> Text, $($column -> Nullable<Text>,)* at -> TimestamptzSqlite, } }
            #[derive(SyncTable)]
            #[sync(backends(sqlite))]
            #[diesel(table_name = codes)]
            #[allow(dead_code, reason = "only its columns are of interest")]
            pub(super) struct Code {
                id: String,
                $($column: Option<String>,)*
                #[sync(last_synced_at)]
                at: chrono::DateTime<chrono::Utc>,
            }
            pub(super) type Codes = SyncGroup<(Code,)>;
        }
    };
}

painted!(painted, code, color);
painted!(plain, code);

/// A file in which a row of the server's, and a new one, have unsent edits.
fn edited() -> Folder {
    let folder = Folder::new();
    let replica = open::<painted::Codes>(&folder, Says::new(r#""7","color":"red""#));
    sync(&replica);
    run(
        &mut replica.connection().unwrap(),
        "update codes set code = '8', color = 'blue'; insert into codes (id, code, color) values ('b', '1', 'green'), ('c', '2', null)",
    );
    folder
}

/// What the next version of the program tells, and then sends.
fn told_and_sent(folder: &Folder) -> (Vec<(String, Edit, String)>, Vec<Edit>) {
    let recorder = Recorder::default();
    let replica = open::<plain::Codes>(folder, recorder.clone());
    let told = replica.rejected().unwrap().into_iter().map(|one| {
        assert_eq!(one.change.table, "codes");
        assert_eq!(one.rejection.field.as_deref(), Some("color"));
        (
            one.change.id.as_str().unwrap().to_owned(),
            one.change.edit,
            one.rejection.message,
        )
    });
    let told = told.collect();
    assert_eq!(replica.pending().unwrap(), 3);
    let runtime = tokio::runtime::Builder::new_current_thread().build();
    runtime.unwrap().block_on(replica.sync()).unwrap_err();
    let sent = recorder.last().into_iter().map(|change| change.edit);
    (told, sent.collect())
}

fn columns(value: Value) -> Map<String, Value> {
    value.as_object().unwrap().clone()
}

#[test]
fn an_unsent_edit_of_a_dropped_column_is_told_and_the_other_columns_go_up() {
    for drops in [true, false] {
        let folder = edited();
        let file = folder.file("device");
        let mut conn = SqliteConnection::establish(file.to_str().unwrap()).unwrap();
        if drops {
            disarm(&mut conn).unwrap();
            run(&mut conn, "alter table codes drop column color");
            // The program was ended before it opened the file, and begins again.
            disarm(&mut conn).unwrap();
        }
        let (told, sent) = told_and_sent(&folder);
        let expected = [("a", "blue"), ("b", "green")];
        assert_eq!(told.len(), 2, "{told:?}");
        for ((id, edit, message), (expected, value)) in told.into_iter().zip(expected) {
            assert_eq!(id, expected);
            assert_eq!(edit, Edit::Update(columns(json!({"color": value}))));
            assert!(message.contains(value), "{message}");
            assert!(message.contains("no column `color`"), "{message}");
        }
        let expected = [
            Edit::Update(columns(json!({"code": "8"}))),
            Edit::Insert(columns(json!({"id": "b", "code": "1"}))),
            Edit::Insert(columns(json!({"id": "c", "code": "2"}))),
        ];
        assert_eq!(sent, expected);
        // It is told once.
        let replica = open::<plain::Codes>(&folder, Recorder::default());
        assert_eq!(replica.rejected().unwrap().len(), 2);
    }
}

#[test]
fn an_edit_whose_value_went_with_its_column_is_told_without_it() {
    let folder = edited();
    let file = folder.file("device");
    let mut conn = SqliteConnection::establish(file.to_str().unwrap()).unwrap();
    // As a program does that takes the triggers away itself.
    run(
        &mut conn,
        "create table other as select id, code, at from codes; drop table codes;
create table codes (id text primary key, code text, at text not null default '1970-01-01 00:00:00.000000+00:00');
insert into codes select * from other; drop table other",
    );
    let (told, sent) = told_and_sent(&folder);
    assert_eq!(told.len(), 1, "{told:?}");
    assert_eq!(told[0].1, Edit::Update(Map::new()));
    assert!(told[0].2.contains("`disarm`"), "{}", told[0].2);
    assert_eq!(sent.len(), 3);
}
