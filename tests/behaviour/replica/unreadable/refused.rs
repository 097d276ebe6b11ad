//! Rows of the server's that the device's own table refuses.

use super::*;

const COLUMNS: &str = "id integer primary key, title text not null check (title <> 'bad'),
  level text not null, at integer not null default 0";

/// The trigger of a program that takes no title of this kind.
const TRIGGER: &str = "create trigger program_insert before insert on tasks when new.title = 'wrong' begin select raise(abort, 'no wrong title'); end;
create trigger program_update before update on tasks when new.title = 'wrong' begin select raise(abort, 'no wrong title'); end";

impl Device {
    /// One whose table refuses some titles.
    pub(super) fn strict() -> Self {
        let (folder, script) = (Folder::new(), Script::default());
        let path = folder.file("device");
        let mut conn = SqliteConnection::establish(&path.to_string_lossy()).unwrap();
        run(&mut conn, &format!("create table tasks ({COLUMNS})"));
        drop(conn);
        let replica = open(&folder, &script);
        let device = Device {
            folder,
            script,
            replica,
        };
        device.run(TRIGGER);
        device
    }

    pub(super) fn run(&self, statements: &str) {
        run(&mut self.connection(), statements);
    }

    pub(super) fn told(&self) -> Vec<String> {
        let unreadable = self.replica.unreadable().unwrap();
        unreadable.iter().map(ToString::to_string).collect()
    }
}

#[test]
fn a_row_that_the_table_refuses_is_told_and_the_others_come() {
    let device = Device::strict();
    let rows = [
        row(1, "one", "low"),
        row(2, "bad", "low"),
        row(3, "wrong", "low"),
        row(4, "four", "high"),
    ];
    let synced = device.try_take(true, "", &rows, "", false).unwrap();
    assert_eq!(device.titles(), titles([(1, "one"), (4, "four")]));
    assert_eq!((synced.rows, synced.unreadable), (4, 2));
    assert_eq!(
        device.told(),
        [
            "tasks.title of 2: the table in this device's file refuses what the server has: CHECK constraint failed: title <> 'bad'; let the table take it, or mend the row on the server",
            "tasks of 3: the table in this device's file refuses what the server has: no wrong title; let the table take it, or mend the row on the server",
        ]
    );
    assert_eq!(status(&device.replica).unreadable, 2);
    assert!(status(&device.replica).obstacles.is_empty());
    // Each comes once it is another one on the server, or goes.
    device.take(false, "3", &[row(2, "mended", "low")], "");
    let expected = [(1, "one"), (2, "mended"), (4, "four")];
    assert_eq!(device.titles(), titles(expected));
    assert_eq!(device.told(), [""; 0]);
    assert_eq!(status(&device.replica).unreadable, 0);
}

#[test]
fn of_a_refused_row_the_older_version_stays_with_the_programs_edits() {
    let device = Device::strict();
    device.take(true, "", &[row(1, "one", "low"), row(2, "two", "low")], "");
    device.run("update tasks set level = 'high' where id = 1");
    device
        .script
        .answers(json!({"verdict": "superseded", "row": {"id": 1, "title": "bad", "level": "low", "at": "7"}}));
    device.take(false, "", &[row(1, "bad", "low"), row(2, "due", "low")], "");
    let expected = [
        (1, "one".into(), "low".into()),
        (2, "due".into(), "low".into()),
    ];
    assert_eq!(device.shown(), expected);
    assert_eq!(device.replica.pending().unwrap(), 0);
    assert_eq!(device.told().len(), 1);
    // A reset that brings it again keeps the older one, too.
    device.take(true, "", &[row(1, "bad", "high")], "");
    assert_eq!(device.titles(), titles([(1, "one")]));
    assert_eq!(device.told().len(), 1);
    device.take(false, "1", &[], "");
    assert!(device.titles().is_empty());
    assert!(device.told().is_empty());
}

#[test]
fn an_edit_that_the_server_takes_on_top_of_a_refused_row_is_settled() {
    let device = Device::strict();
    device.take(true, "", &[row(1, "one", "low")], "");
    device.take(false, "", &[row(1, "bad", "low")], "");
    device.run("update tasks set level = 'high' where id = 1");
    device
        .script
        .answers(json!({"verdict": "applied", "stamp": "2026-01-01T00:00:00.000009Z"}));
    device.take(false, "", &[row(2, "two", "low")], "");
    assert_eq!(device.titles(), titles([(1, "one"), (2, "two")]));
    assert_eq!(device.replica.pending().unwrap(), 0);
    device.take(false, "", &[row(1, "good", "high")], "");
    assert_eq!(device.titles(), titles([(1, "good"), (2, "two")]));
    assert!(device.told().is_empty());
}

#[test]
fn what_is_refused_comes_by_itself_once_the_table_takes_it() {
    let device = Device::strict();
    let rows = [row(1, "wrong", "low"), row(2, "bad", "low")];
    device.take(true, "", &rows, "");
    device.run("drop trigger program_insert");
    device.take(false, "", &[], "");
    assert_eq!(device.titles(), titles([(1, "wrong")]));
    assert_eq!(device.told().len(), 1);
    // A migration makes the table anew.
    let Device {
        folder,
        script,
        replica,
    } = device;
    drop(replica);
    let path = folder.file("device");
    let mut conn = SqliteConnection::establish(&path.to_string_lossy()).unwrap();
    carburetor::replica::disarm(&mut conn).unwrap();
    let columns = COLUMNS.replace(" check (title <> 'bad')", "");
    run(
        &mut conn,
        &format!(
            "create table later ({columns}); insert into later select * from tasks; drop table tasks; alter table later rename to tasks"
        ),
    );
    let replica = open::<Group>(&folder, &script);
    let device = Device {
        folder,
        script,
        replica,
    };
    assert_eq!(device.titles(), titles([(1, "wrong"), (2, "bad")]));
    assert!(device.told().is_empty());
}

#[test]
fn a_row_that_the_table_does_not_let_go_is_told_until_it_does() {
    let device = Device::strict();
    device.take(true, "", &[row(1, "one", "low"), row(2, "two", "low")], "");
    device.run(
        "create table marks (task integer references tasks (id)); pragma foreign_keys = on; insert into marks values (1)",
    );
    device.run(
        "create trigger program_delete before delete on tasks when exists (select 1 from marks where task = old.id) begin select raise(abort, 'it is marked'); end",
    );
    let rows = [row(3, "three", "low")];
    let synced = device.try_take(false, "1,2", &rows, "", false).unwrap();
    assert_eq!(device.titles(), titles([(1, "one"), (3, "three")]));
    assert_eq!(synced.unreadable, 1);
    assert_eq!(
        device.told(),
        [
            "tasks of 1: the row is gone on the server, and this device's file refuses to remove it: it is marked; let it go"
        ]
    );
    device.run("delete from marks");
    device.take(false, "", &[], "");
    assert_eq!(device.titles(), titles([(3, "three")]));
    assert!(device.told().is_empty());
}

#[test]
fn of_a_row_that_comes_several_times_the_last_version_counts() {
    let device = Device::strict();
    let many: Vec<String> = (1..500).map(|id| row(id, "first", "low")).collect();
    device.try_take(true, "", &many, "", true).unwrap_err();
    let again = [
        row(7, "bad", "low"),
        row(8, "wrong", "low"),
        row(9, "bad", "low"),
        row(500, "bad", "low"),
    ];
    device.try_take(false, "", &again, "", true).unwrap_err();
    device.take(false, "", &[row(9, "good", "low")], "");
    let shown = device.titles();
    assert_eq!(shown.len(), 497);
    assert_eq!(shown[6], (9, "good".to_owned()));
    let ids: Vec<_> = device.replica.unreadable().unwrap();
    let ids: Vec<_> = ids.into_iter().map(|error| error.id).collect();
    assert_eq!(ids, [Some(json!(7)), Some(json!(8)), Some(json!(500))]);
}

#[test]
fn an_older_refused_version_does_not_come_over_a_newer_row() {
    let device = Device::strict();
    device.take(true, "", &[row(5, "five", "low")], "");
    device.run("update tasks set level = 'high'");
    // What a download has brought is older than what the upload is answered.
    device
        .script
        .answers(json!({"verdict": "merged", "row": {"id": 5, "title": "newer", "level": "high", "at": "9"}}));
    device.take(false, "", &[row(5, "wrong", "low")], "");
    device.run("drop trigger program_update");
    device.take(false, "", &[], "");
    assert_eq!(device.titles(), titles([(5, "newer")]));
    assert!(device.told().is_empty());
}

#[test]
fn what_is_refused_goes_with_the_account() {
    let device = Device::strict();
    device.take(
        true,
        "",
        &[row(1, "secret", "low"), row(2, "bad", "secret")],
        "",
    );
    assert_eq!(device.told().len(), 1);
    device.run(
        "create trigger program_delete before delete on tasks begin select raise(abort, 'they stay'); end",
    );
    let error = device.replica.sign_out().unwrap_err().to_string();
    assert_eq!(
        error,
        "tasks: the rows of the account can't be removed: they stay; let them go, for example by a trigger that lets deletions pass"
    );
    device.run("drop trigger program_delete");
    device.replica.sign_out().unwrap();
    assert_eq!(device.tables_with("secret"), [""; 0]);
    assert!(device.titles().is_empty());
}

#[test]
fn a_row_that_is_not_tried_keeps_no_other_one_waiting() {
    let device = Device::strict();
    let rows: Vec<String> = (1..=65).map(|id| row(id, "wrong", "low")).collect();
    device.take(true, "", &rows, "");
    assert_eq!(device.told().len(), 65);
    // As a later version of the program has kept them.
    device.run(
        "drop trigger program_insert;
update carburetor_unreadable set row = replace(row, 'low', 'urgent') where id <> '65'",
    );
    device.take(false, "", &[], "");
    device.take(false, "", &[], "");
    assert_eq!(device.titles(), titles([(65, "wrong")]));
    assert_eq!(device.told().len(), 64);
}

/// The same table, whose ids are texts.
mod named {
    use super::Level;
    use carburetor::SyncTable;

    diesel::table! { tasks (id) { id -> Text, title -> Text, level -> Text, at -> BigInt, } }

    #[derive(Debug, Clone, PartialEq, SyncTable)]
    #[diesel(table_name = tasks)]
    #[sync(backends(sqlite))]
    pub(super) struct Task {
        id: String,
        title: String,
        level: Level,
        #[sync(last_synced_at)]
        at: i64,
    }
}

#[test]
fn a_removal_that_waits_is_forgotten_where_ids_have_another_type() {
    let device = Device::strict();
    device.take(true, "", &[row(1, "one", "low")], "");
    device.run("create trigger program_delete before delete on tasks begin select raise(abort, 'it stays'); end");
    device.take(false, "1", &[], "");
    assert_eq!(device.told().len(), 1);
    let Device {
        folder,
        script,
        replica,
    } = device;
    drop(replica);
    let path = folder.file("device");
    let mut conn = SqliteConnection::establish(&path.to_string_lossy()).unwrap();
    carburetor::replica::disarm(&mut conn).unwrap();
    run(
        &mut conn,
        &format!(
            "drop table tasks; create table tasks ({})",
            COLUMNS.replace("integer primary key", "text not null primary key")
        ),
    );
    let replica = open::<SyncGroup<(named::Task,)>>(&folder, &script);
    assert!(replica.unreadable().unwrap().is_empty());
}
