//! Downloads as other servers write them.

use super::device::{Folder, run, status};
use super::script::Script;
use carburetor::replica::{Cause, Replica, ReplicaError, Synced, Task as Work};
use carburetor::{SyncGroup, SyncTable};
use diesel::connection::SimpleConnection;
use diesel::prelude::*;
use serde_json::json;
use std::time::Duration;

diesel::table! { tasks (id) { id -> Integer, title -> Text, level -> Text, done -> Bool, at -> BigInt, } }

#[derive(Debug, Clone, PartialEq, diesel::Queryable, SyncTable)]
#[diesel(table_name = tasks)]
#[sync(backends(sqlite))]
struct Task {
    id: i32,
    title: String,
    #[sync(default = "low".to_owned())]
    level: String,
    #[sync(deleted)]
    done: bool,
    #[sync(last_synced_at)]
    at: i64,
}

diesel::table! { rates (id) { id -> Integer, rate -> Double, at -> BigInt, } }

#[derive(Debug, Clone, PartialEq, diesel::Queryable, SyncTable)]
#[diesel(table_name = rates)]
#[sync(backends(sqlite), online_only)]
struct Rate {
    id: i32,
    rate: f64,
    #[sync(last_synced_at)]
    at: i64,
}

type Group = SyncGroup<(Task, Rate)>;

struct Device {
    _folder: Folder,
    script: Script,
    replica: Replica<Group>,
    conn: SqliteConnection,
}

impl Device {
    fn new() -> Self {
        let (folder, script) = (Folder::new(), Script::default());
        let replica = Replica::open(folder.file("device"), script.clone()).unwrap();
        let conn = replica.connection().unwrap();
        Device {
            _folder: folder,
            script,
            replica,
            conn,
        }
    }

    /// Takes a download of one table, or more.
    fn take(&self, tables: &str, rest: &str) -> Result<Synced, ReplicaError> {
        self.take_lines(&[&format!(
            r#"{{"carburetor":1,"tables":{{{tables}}}{rest}}}"#
        )])
    }

    fn take_lines(&self, lines: &[&str]) -> Result<Synced, ReplicaError> {
        *self.script.lines.lock().unwrap() = lines.iter().map(|line| (*line).to_owned()).collect();
        let runtime = tokio::runtime::Builder::new_current_thread()
            .build()
            .unwrap();
        runtime.block_on(self.replica.sync())
    }

    fn tasks(&mut self) -> Vec<(i32, String, String)> {
        tasks::table
            .select((tasks::id, tasks::title, tasks::level))
            .order(tasks::id)
            .load(&mut self.conn)
            .unwrap()
    }
}

const NEXT: &str = r#","next":"t""#;

fn rows(rows: &str) -> String {
    format!(
        r#""tasks":{{"reset":false,"removed":[],"rows":[{rows}],"cutoff":"2026-02-01T00:00:00.000000Z"}}"#
    )
}

fn row(id: i32, title: &str) -> String {
    format!(r#"{{"id":{id},"title":"{title}","level":"high","done":false,"at":"5"}}"#)
}

fn task(id: i32, title: &str) -> (i32, String, String) {
    (id, title.into(), "high".into())
}

#[test]
fn what_the_replica_does_not_know_is_skipped() {
    let mut device = Device::new();
    let known =
        rows(r#"{"id":1,"title":"one","colour":"red","level":"high","done":false,"at":"5"}"#);
    let tables = format!(
        r#"{known},"others":{{"reset":true,"removed":[],"rows":[{{}}],"cutoff":"2026-02-01T00:00:00.000000Z"}}"#
    );
    device
        .take(&tables, &format!(r#","news":[]{NEXT}"#))
        .unwrap();
    assert_eq!(device.tasks(), [task(1, "one")]);
}

#[test]
fn a_column_that_an_older_server_lacks_is_the_models_default_or_named() {
    let mut device = Device::new();
    device
        .take(
            &rows(r#"{"id":1,"title":"one","done":false,"at":"5"}"#),
            NEXT,
        )
        .unwrap();
    assert_eq!(device.tasks(), [(1, "one".into(), "low".into())]);
    let error = device
        .take(&rows(r#"{"id":2,"done":false,"at":"5"}"#), NEXT)
        .unwrap_err();
    assert_eq!(
        error.to_string(),
        "tasks.title: the server doesn't send this column, which the program's model has: update the program if the server has dropped the column, or else the server; a field with #[sync(default = ..)] does without"
    );
    assert_eq!(device.tasks().len(), 1);
}

/// Its program has dropped the table from the group, or not got it yet.
#[test]
fn a_table_that_the_server_does_not_have_keeps_its_rows_and_its_edits_are_told() {
    let mut device = Device::new();
    device
        .take(&rows(&[row(1, "one"), row(2, "one")].join(",")), NEXT)
        .unwrap();
    run(
        &mut device.conn,
        "update tasks set title = 'uno' where id = 1; insert into tasks (id, title, level, done) values (3, 'three', 'low', false)",
    );
    device.script.answers(json!({"verdict": "rejected", "code": "invalid", "message": "the group has no table", "row": null}));
    device.take("", NEXT).unwrap();
    assert_eq!(device.tasks(), [task(1, "one"), task(2, "one")]);
    let rejected = device.replica.rejected().unwrap();
    assert_eq!(rejected.len(), 2);
    assert_eq!(device.replica.pending().unwrap(), 0);
    // What of it is left is asked for.
    assert_eq!(device.script.since.lock().unwrap().last(), Some(&None));
}

#[test]
fn a_column_that_the_server_no_longer_sends_is_told_as_what_an_update_mends() {
    let device = Device::new();
    device
        .take(&rows(r#"{"id":2,"done":false,"at":"5"}"#), NEXT)
        .unwrap_err();
    let obstacles = status(&device.replica).obstacles;
    let [column] = &obstacles[..] else {
        panic!("{obstacles:?}")
    };
    assert_eq!(
        (column.task, column.cause),
        (Work::Download, Cause::Refused)
    );
    assert!(column.reason.starts_with("tasks.title: "), "{column}");
}

#[tokio::test(start_paused = true)]
async fn a_run_asks_again_and_again_where_a_way_has_no_feed() {
    let mut device = Device::new();
    let mut count = || tasks::table.count().get_result(&mut device.conn);
    let seen = async {
        for number in 1..4 {
            let page = rows(&row(number, "new"));
            *device.script.lines.lock().unwrap() =
                vec![format!(r#"{{"carburetor":1,"tables":{{{page}}}{NEXT}}}"#)];
            while count() != Ok(i64::from(number)) {
                tokio::time::sleep(Duration::from_millis(100)).await;
            }
        }
    };
    let bound = tokio::time::timeout(Duration::from_secs(600), seen);
    tokio::select! {
        ended = device.replica.run() => panic!("{ended:?}"),
        seen = bound => seen.unwrap(),
    }
}

#[test]
fn a_message_of_another_version_or_without_an_end_is_not_taken() {
    let device = Device::new();
    for (message, problem) in [
        (
            r#"{"carburetor":2,"tables":{},"next":"t"}"#,
            "not a download: the message is of version 2",
        ),
        (
            r#"{"carburetor":1,"tables":{}}"#,
            "not a download: missing field `next`",
        ),
        (r#"{"carburetor":1,"tables":{"ta"#, "not a download: EOF"),
        ("", "not a download: EOF"),
    ] {
        let error = device.take_lines(&[message]).unwrap_err().to_string();
        assert!(error.starts_with(problem), "{error}");
    }
    let error = device.take_lines(&[]).unwrap_err().to_string();
    assert!(error.contains("ends before its last page"), "{error}");
}

#[test]
fn pages_count_in_their_order() {
    let mut device = Device::new();
    device
        .take(&rows(&format!("{},{}", row(1, "one"), row(2, "two"))), NEXT)
        .unwrap();
    let section = |reset: bool, left: &str, removed: &str, rows: &str, more: bool, next: &str| {
        format!(
            r#"{{"carburetor":1,"tables":{{"tasks":{{"reset":{reset},{left}"removed":[{removed}],"rows":[{rows}],"cutoff":"2026-02-01T00:00:00.000000Z"}}}},"more":{more},"next":"{next}"}}"#
        )
    };
    let lines = [
        section(
            true,
            "",
            "",
            &format!("{},{},{}", row(3, "three"), row(4, "four"), row(5, "five")),
            true,
            "a",
        ),
        section(false, "", "3,1", &row(1, "uno"), true, "b"),
        section(
            false,
            r#""left":{"column":"title","values":["four"]},"#,
            "",
            &row(3, "tre"),
            true,
            "c",
        ),
        section(false, "", "5", &row(1, "eins"), false, "d"),
    ];
    let lines: Vec<&str> = lines.iter().map(String::as_str).collect();
    device.take_lines(&lines).unwrap();
    assert_eq!(device.tasks(), [task(1, "eins"), task(3, "tre")]);
    device.take_lines(&[]).unwrap_err();
    assert_eq!(
        device.script.since.lock().unwrap().last(),
        Some(&Some("d".into()))
    );
}

#[test]
fn a_table_that_is_written_online_only_refuses_writes_and_takes_downloads() {
    let mut device = Device::new();
    device.take(r#""rates":{"reset":true,"removed":[],"rows":[{"id":1,"rate":2.5,"at":"5"}],"cutoff":"2026-02-01T00:00:00.000000Z"}"#, NEXT).unwrap();
    let error = device
        .conn
        .batch_execute("update rates set rate = 3")
        .unwrap_err();
    assert_eq!(
        error.to_string(),
        "rates is written online only: send the write to the server, and sync"
    );
    device.take(r#""rates":{"reset":false,"removed":[1],"rows":[{"id":2,"rate":3.5,"at":"6"}],"cutoff":"2026-02-01T00:00:00.000000Z"}"#, NEXT).unwrap();
    let rates: Vec<(i32, f64)> = rates::table
        .select((rates::id, rates::rate))
        .load(&mut device.conn)
        .unwrap();
    assert_eq!(rates, [(2, 3.5)]);
}

#[test]
fn triggers_of_the_programs_own_see_what_comes() {
    let mut device = Device::new();
    run(
        &mut device.conn,
        "create table words (task, word); create trigger index_words after insert on tasks begin insert into words values (new.id, new.title); end",
    );
    device.take(&rows(&row(1, "one")), NEXT).unwrap();
    let words: i64 = diesel::select(diesel::dsl::sql::<diesel::sql_types::BigInt>(
        "(select count(*) from words)",
    ))
    .first(&mut device.conn)
    .unwrap();
    assert_eq!(words, 1);
    // Opened again, it is still there.
    let replica: Replica<Group> =
        Replica::open(device._folder.file("device"), Script::default()).unwrap();
    drop(replica);
    device.take(&rows(&row(2, "two")), NEXT).unwrap();
    assert_eq!(device.replica.pending().unwrap(), 0);
}

#[test]
fn a_clock_far_ahead_moves_the_replicas_time() {
    let mut device = Device::new();
    let ahead = chrono::Utc::now() + chrono::TimeDelta::hours(2);
    let clock = carburetor::clock::Clock::of_database(ahead);
    device
        .take("", &format!(r#","clock":"{clock}"{NEXT}"#))
        .unwrap();
    run(
        &mut device.conn,
        "insert into tasks (id, title, level, done) values (1, 'one', 'high', false)",
    );
    let given: String = diesel::select(diesel::dsl::sql::<diesel::sql_types::Text>(
        "(select carburetor_clock from carburetor_outbox_tasks)",
    ))
    .first(&mut device.conn)
    .unwrap();
    let given: carburetor::clock::Clock = given.parse().unwrap();
    assert!(given > clock);
    assert!(given.instant() - ahead < chrono::TimeDelta::minutes(1));
}

#[test]
fn a_status_counts_what_a_failed_sync_leaves_and_what_the_program_settles() {
    fn counted(device: &Device) -> (u64, u64) {
        let status = status(&device.replica);
        (status.pending, status.rejected)
    }
    let mut device = Device::new();
    run(
        &mut device.conn,
        "insert into tasks (id, title, level, done) values (1, 'one', 'high', false)",
    );
    assert!(device.take("", NEXT).is_err());
    assert_eq!(counted(&device), (1, 0));
    device
        .script
        .answers(json!({"verdict": "rejected", "code": "invalid", "message": "no", "row": null}));
    device.take("", NEXT).unwrap();
    assert_eq!(counted(&device), (0, 1));
    let rejected = device.replica.rejected().unwrap();
    assert!(device.replica.retry(rejected[0].seq).unwrap());
    assert_eq!(counted(&device), (1, 0));
    assert_eq!(device.replica.discard_pending().unwrap(), 1);
    assert_eq!(counted(&device), (0, 0));
}
