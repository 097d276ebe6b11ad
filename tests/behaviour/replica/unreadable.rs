//! Rows that a replica can't show: they are told and kept, and everything else goes on.

mod broken;
mod ended;
mod fallbacks;
mod gone;
mod refused;

use super::device::{Folder, run, status};
use super::script::Script;
use carburetor::replica::{Replica, ReplicaError, Synced};
use carburetor::{SyncGroup, SyncTable};
use diesel::backend::Backend;
use diesel::deserialize::{self, FromSql};
use diesel::prelude::*;
use diesel::serialize::{self, Output, ToSql};
use diesel::sql_types::Text;
use serde_json::json;

diesel::table! { tasks (id) { id -> Integer, title -> Text, level -> Text, at -> BigInt, } }

macro_rules! level {
    ($name:ident: $($label:literal => $variant:ident),+) => {
        #[derive(Debug, Clone, Copy, PartialEq, diesel::AsExpression, diesel::FromSqlRow)]
        #[diesel(sql_type = Text)]
        pub(crate) enum $name {
            $($variant),+
        }

        impl<B: Backend> FromSql<Text, B> for $name
        where
            String: FromSql<Text, B>,
        {
            fn from_sql(value: B::RawValue<'_>) -> deserialize::Result<Self> {
                match String::from_sql(value)?.as_str() {
                    $($label => Ok($name::$variant),)+
                    other => Err(format!("Unrecognized enum variant: {other}").into()),
                }
            }
        }

        impl<B: Backend> ToSql<Text, B> for $name
        where
            str: ToSql<Text, B>,
        {
            fn to_sql<'b>(&'b self, out: &mut Output<'b, '_, B>) -> serialize::Result {
                match self {
                    $($name::$variant => <str as ToSql<Text, B>>::to_sql($label, out),)+
                }
            }
        }
    };
}

level!(Level: "low" => Low, "high" => High);
level!(LaterLevel: "low" => Low, "high" => High, "urgent" => Urgent);

#[derive(Debug, Clone, PartialEq, SyncTable)]
#[diesel(table_name = tasks)]
#[sync(name = "tasks", backends(sqlite))]
struct Task {
    id: i32,
    title: String,
    level: Level,
    #[sync(last_synced_at)]
    at: i64,
}

/// The same in the program's next version.
#[derive(Debug, Clone, PartialEq, SyncTable)]
#[diesel(table_name = tasks)]
#[sync(name = "tasks", backends(sqlite))]
struct LaterTask {
    id: i32,
    title: String,
    level: LaterLevel,
    #[sync(last_synced_at)]
    at: i64,
}

type Group = SyncGroup<(Task,)>;
type LaterGroup = SyncGroup<(LaterTask,)>;

/// A table of the replica's own, and what its columns hold as one text.
#[derive(diesel::QueryableByName)]
struct Own {
    #[diesel(sql_type = Text)]
    name: String,
    #[diesel(sql_type = Text)]
    columns: String,
}

struct Device {
    folder: Folder,
    script: Script,
    replica: Replica<Group>,
}

fn open<G: carburetor::replica::ReplicaGroup>(folder: &Folder, script: &Script) -> Replica<G> {
    open_as(folder, script, "")
}

fn open_as<G: carburetor::replica::ReplicaGroup>(
    folder: &Folder,
    script: &Script,
    account: &str,
) -> Replica<G> {
    Replica::builder()
        .name("tasks")
        .account(account)
        .open(folder.file("device"), script.clone())
        .unwrap()
}

fn row(id: i32, title: &str, level: &str) -> String {
    format!(r#"{{"id":{id},"title":"{title}","level":"{level}","at":"{id}"}}"#)
}

impl Device {
    fn new() -> Self {
        let (folder, script) = (Folder::new(), Script::default());
        let replica = open(&folder, &script);
        Device {
            folder,
            script,
            replica,
        }
    }

    /// Takes a page of the table.
    fn take(&self, reset: bool, removed: &str, rows: &[String], rest: &str) {
        self.try_take(reset, removed, rows, rest, false).unwrap();
    }

    /// Takes a page behind which there may be more.
    fn try_take(
        &self,
        reset: bool,
        removed: &str,
        rows: &[String],
        rest: &str,
        more: bool,
    ) -> Result<Synced, ReplicaError> {
        let rows = rows.join(",");
        self.script.says(&format!(
            r#"{{"carburetor":1,"tables":{{"tasks":{{"reset":{reset},"removed":[{removed}],"rows":[{rows}]{rest},"cutoff":"2026-02-01T00:00:00.000000Z"}}}},"more":{more},"next":"t"}}"#
        ));
        let runtime = tokio::runtime::Builder::new_current_thread()
            .build()
            .unwrap();
        runtime.block_on(self.replica.sync())
    }

    /// The file as any program opens it, also one that has signed out.
    fn connection(&self) -> SqliteConnection {
        SqliteConnection::establish(&self.folder.file("device").to_string_lossy()).unwrap()
    }

    /// The replica's own tables in which a value has this text in it.
    fn tables_with(&self, text: &str) -> Vec<String> {
        let mut conn = self.connection();
        let own = r#"select m.name as name, group_concat('quote("' || c.name || '")', ' || ') as columns
            from sqlite_schema m, pragma_table_info(m.name) c
            where m.type = 'table' and m.name like 'carburetor%' group by m.name order by m.name"#;
        let own: Vec<Own> = diesel::sql_query(own).load(&mut conn).unwrap();
        assert!(own.len() > 10);
        own.into_iter()
            .filter(|table| {
                let found = format!(
                    "(select count(*) from \"{}\" where {} like '%{text}%')",
                    table.name, table.columns
                );
                let found = diesel::dsl::sql::<diesel::sql_types::BigInt>(&found);
                diesel::select(found).first::<i64>(&mut conn).unwrap() > 0
            })
            .map(|table| table.name)
            .collect()
    }

    fn shown(&self) -> Vec<(i32, String, String)> {
        let mut conn = self.connection();
        tasks::table
            .select((tasks::id, tasks::title, tasks::level))
            .order(tasks::id)
            .load(&mut conn)
            .unwrap()
    }

    fn titles(&self) -> Vec<(i32, String)> {
        self.shown()
            .into_iter()
            .map(|(id, title, _)| (id, title))
            .collect()
    }
}

fn titles<const N: usize>(titles: [(i32, &str); N]) -> Vec<(i32, String)> {
    titles.map(|(id, title)| (id, title.to_owned())).into()
}

#[test]
fn a_row_that_the_model_can_not_read_is_kept_as_it_was_and_the_others_come() {
    let device = Device::new();
    device.take(true, "", &[row(1, "one", "low"), row(2, "two", "low")], "");
    device.take(
        false,
        "",
        &[
            row(1, "new", "urgent"),
            row(2, "new", "high"),
            row(3, "three", "urgent"),
        ],
        "",
    );
    assert_eq!(device.titles(), titles([(1, "one"), (2, "new")]));
    let unreadable = device.replica.unreadable().unwrap();
    assert_eq!(
        unreadable[0].to_string(),
        "tasks.level of 1: Unrecognized enum variant: urgent"
    );
    assert_eq!(unreadable[1].id, Some(json!(3)));
    // It comes in a version that can be read, and it goes.
    device.take(false, "3", &[row(1, "newer", "high")], "");
    assert_eq!(device.titles(), titles([(1, "newer"), (2, "new")]));
    assert!(device.replica.unreadable().unwrap().is_empty());
}

#[test]
fn the_next_version_of_the_program_shows_it_when_it_opens_the_file() {
    let device = Device::new();
    device.take(true, "", &[row(1, "one", "low")], "");
    device.take(
        false,
        "",
        &[row(1, "new", "urgent"), row(2, "two", "urgent")],
        "",
    );
    let Device {
        folder,
        script,
        replica,
    } = device;
    drop(replica);
    let later = open::<LaterGroup>(&folder, &script);
    assert!(later.unreadable().unwrap().is_empty());
    let levels: Vec<(i32, String)> = tasks::table
        .select((tasks::id, tasks::level))
        .order(tasks::id)
        .load(&mut later.connection().unwrap())
        .unwrap();
    assert_eq!(levels, titles([(1, "urgent"), (2, "urgent")]));
}

#[test]
fn a_reset_keeps_the_older_version_of_what_can_not_be_read() {
    let device = Device::new();
    device.take(
        true,
        "",
        &[
            row(1, "one", "low"),
            row(2, "two", "low"),
            row(4, "four", "low"),
        ],
        "",
    );
    device.take(
        true,
        "",
        &[row(1, "new", "urgent")],
        r#","unreadable":[{"id":4,"column":"title","message":"expected UTF-8, got other bytes"}]"#,
    );
    assert_eq!(device.titles(), titles([(1, "one"), (4, "four")]));
    assert_eq!(device.replica.unreadable().unwrap().len(), 2);
    device.take(true, "", &[], "");
    assert!(device.titles().is_empty());
    assert!(device.replica.unreadable().unwrap().is_empty());
}

#[test]
fn an_edit_of_such_a_row_is_settled_by_what_the_server_answers() {
    let unreadable = json!({"id": 1, "column": "title", "message": "not UTF-8"});
    let urgent = json!({"id": 1, "title": "theirs", "level": "urgent", "at": "7"});
    for (outcome, title) in [
        (
            json!({"verdict": "applied", "stamp": "2026-01-01T00:00:00.000009Z"}),
            "mine",
        ),
        (
            json!({"verdict": "merged", "row": null, "unreadable": unreadable}),
            "mine",
        ),
        (
            json!({"verdict": "superseded", "row": null, "unreadable": unreadable}),
            "one",
        ),
        (json!({"verdict": "superseded", "row": urgent}), "one"),
        (
            json!({"verdict": "rejected", "code": "invalid", "message": "no", "row": urgent}),
            "one",
        ),
    ] {
        let device = Device::new();
        device.take(true, "", &[row(1, "one", "low"), row(2, "two", "low")], "");
        run(
            &mut device.replica.connection().unwrap(),
            "update tasks set title = 'mine' where id = 1",
        );
        device.script.answers(outcome.clone());
        device.take(false, "", &[row(3, "three", "low")], "");
        let expected = titles([(1, title), (2, "two"), (3, "three")]);
        assert_eq!(device.titles(), expected, "{outcome}");
        let is_told = outcome["verdict"] != "applied";
        assert_eq!(
            device.replica.unreadable().unwrap().len(),
            usize::from(is_told)
        );
        assert_eq!(device.replica.pending().unwrap(), 0);
        device.take(false, "", &[row(1, "mended", "high")], "");
        assert_eq!(device.titles()[0].1, "mended", "{outcome}");
        assert!(device.replica.unreadable().unwrap().is_empty());
    }
}

/// What was edited while the insert was under way isn't the insert's, and goes up though that doesn't stand.
#[test]
fn an_edit_of_a_row_whose_insert_gives_way_to_one_that_can_not_be_read_goes_up() {
    let unreadable = json!({"id": 1, "column": "title", "message": "not UTF-8"});
    let urgent = json!({"id": 1, "title": "theirs", "level": "urgent", "at": "7"});
    for outcome in [
        json!({"verdict": "superseded", "row": null, "unreadable": unreadable}),
        json!({"verdict": "superseded", "row": urgent}),
        json!({"verdict": "rejected", "code": "invalid", "message": "no", "row": urgent}),
    ] {
        let device = Device::new();
        let conn = &mut device.replica.connection().unwrap();
        run(
            conn,
            "insert into tasks (id, title, level, at) values (1, 'mine', 'low', 0)",
        );
        // There is no network: the insert is under way.
        let offline = device.try_take(true, "", &[row(2, "two", "low")], "", false);
        assert!(offline.is_err());
        run(conn, "update tasks set title = 'newer' where id = 1");
        device.script.answers(outcome.clone());
        device.take(false, "", &[], "");
        let edit = device.script.last_edit().unwrap();
        assert_eq!(edit["update"], json!({"title": "newer"}), "{edit}");
        assert_eq!(device.titles(), titles([(2, "two")]), "{outcome}");
        assert_eq!(device.replica.pending().unwrap(), 0);
        assert_eq!(device.replica.unreadable().unwrap().len(), 1);
    }
}

/// The last of the staged rows went with the page that brought it again, and the next removal took it along.
#[test]
fn a_row_that_comes_again_while_pages_come_is_shown() {
    let device = Device::new();
    device.take(true, "", &[row(1, "one", "low"), row(2, "two", "low")], "");
    for (removed, rows) in [
        ("1", vec![row(3, "three", "low"), row(4, "four", "low")]),
        ("4", vec![row(1, "again", "low")]),
        ("9", vec![]),
    ] {
        device
            .try_take(false, removed, &rows, "", true)
            .unwrap_err();
    }
    device.take(false, "", &[], "");
    let expected = [(1, "again"), (2, "two"), (3, "three")];
    assert_eq!(device.titles(), titles(expected));
}
