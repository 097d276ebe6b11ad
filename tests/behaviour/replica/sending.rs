//! How what a program has written is sent: its clocks, again after no answer, and from a copy of the file.

use super::device::Group;
use super::outbox::{Device, known_notes, said};
use super::recorder::Recorder;
use carburetor::change::Edit;
use carburetor::clock::Clock;
use carburetor::replica::{Cause, Replica, Status, Task};
use futures_util::{FutureExt, StreamExt};

#[test]
fn clocks_go_on_when_the_time_goes_back() {
    let mut device = Device::new();
    known_notes(&mut device);
    let at = |device: &mut Device, time: &str| {
        carburetor::testing::set_replica_time(&mut device.conn, Some(time.parse().unwrap()))
            .unwrap();
    };
    at(&mut device, "2026-02-01T12:00:00Z");
    device.run("update notes set title = 'uno' where id = 'a'");
    at(&mut device, "2026-02-01T11:00:00Z");
    device.run("update notes set title = 'due' where id = 'b'");
    at(&mut device, "2026-02-01T13:00:00Z");
    device.run("update notes set body = 'z' where id = 'b'");
    let clocks: Vec<Clock> = device.sent().iter().map(|change| change.clock).collect();
    let first: chrono::DateTime<chrono::Utc> = "2026-02-01T12:00:00Z".parse().unwrap();
    assert_eq!(clocks[0].instant(), first);
    assert_eq!(
        (clocks[1].millis(), clocks[1].counter()),
        (clocks[0].millis(), 1)
    );
    assert_eq!(clocks[2].instant(), first + chrono::TimeDelta::hours(1));
    assert_eq!(clocks[0].replica(), clocks[2].replica());
    assert_ne!(clocks[0].replica(), 0);
}

#[test]
fn what_was_sent_is_sent_again_byte_for_byte_and_later_edits_wait() {
    let mut device = Device::new();
    known_notes(&mut device);
    device.run("update notes set title = 'uno' where id = 'a'");
    device.sent();
    device.run("update notes set title = 'eins' where id = 'a'; update notes set body = 'z' where id = 'b'");
    device.sent();
    let messages = device.recorder.messages();
    assert_eq!(messages[0], messages[1]);
    assert_eq!(device.replica.pending().unwrap(), 3);
}

#[test]
fn a_copied_file_is_another_replica() {
    let mut device = Device::new();
    known_notes(&mut device);
    device.run("update notes set title = 'uno' where id = 'a'");
    let first = device.sent();
    device.run("update notes set body = 'z' where id = 'b'");
    let copy = device.folder.file("copy");
    device.run(&format!("vacuum into '{}'", copy.display()));
    let recorder = Recorder::default();
    let replica: Replica<Group> = Replica::open(&copy, recorder.clone()).unwrap();
    let runtime = tokio::runtime::Builder::new_current_thread()
        .build()
        .unwrap();
    runtime.block_on(replica.sync()).unwrap_err();
    let copied = recorder.last();
    assert_ne!(copied[0].clock.replica(), first[0].clock.replica());
    assert_eq!(said(&copied[0]), said(&first[0]));
    let time = |clock: Clock| (clock.millis(), clock.counter());
    assert_eq!(
        time(copied[0].clock),
        time(first[0].clock),
        "the time of an edit stays"
    );
    assert_eq!(copied.len(), 2, "nothing of the copy was sent yet");
    assert!(copied[0].clock < copied[1].clock);
    assert_eq!(device.sent()[0].clock, first[0].clock);
}

#[test]
fn more_than_any_server_takes_is_sent_without_its_deletions_first() {
    let mut device = Device::new();
    known_notes(&mut device);
    device.run(
        "begin; delete from notes where id = 'a';
with recursive n (n) as (select 1 union all select n + 1 from n where n < 10500)
insert into notes (id, title, team) select 'n' || n, 'many', 'red' from n; commit",
    );
    let sent = device.sent();
    assert_eq!(sent.len(), 1000);
    assert!(
        sent.iter()
            .all(|change| matches!(change.edit, Edit::Insert(_)))
    );
}

#[test]
fn a_file_that_is_moved_is_the_same_replica() {
    let mut device = Device::new();
    known_notes(&mut device);
    device.run("update notes set title = 'uno' where id = 'a'");
    let first = device.sent();
    device.run("pragma wal_checkpoint(truncate)");
    let moved = device.folder.file("moved");
    std::fs::rename(device.folder.file("device"), &moved).unwrap();
    let recorder = Recorder::default();
    let replica: Replica<Group> = Replica::open(&moved, recorder.clone()).unwrap();
    let runtime = tokio::runtime::Builder::new_current_thread()
        .build()
        .unwrap();
    runtime.block_on(replica.sync()).unwrap_err();
    assert_eq!(recorder.last(), first);
}

/// A quadratic way took more than two minutes.
#[test]
fn the_clocks_of_many_changes_are_replaced_at_once() {
    let mut device = Device::new();
    device.run(
        "with recursive n (n) as (select 1 union all select n + 1 from n where n < 32000)
insert into notes (id, title, team) select 'n' || n, 'many', 'red' from n",
    );
    let copy = device.folder.file("copy");
    device.run(&format!("vacuum into '{}'", copy.display()));
    let begun = std::time::Instant::now();
    let replica: Replica<Group> = Replica::open(&copy, Recorder::default()).unwrap();
    assert!(begun.elapsed() < std::time::Duration::from_secs(60));
    assert_eq!(replica.pending().unwrap(), 32_000);
}

fn status(replica: &Replica<Group>) -> Status {
    let mut statuses = Box::pin(replica.status());
    let status = statuses.next().now_or_never().flatten();
    status.expect("there is a status")
}

#[test]
fn a_change_in_the_file_that_can_not_be_read_is_told_before_anything_is_tried() {
    let mut device = Device::new();
    known_notes(&mut device);
    device.run("update notes set title = 'uno' where id = 'a'");
    device.sent();
    let again = || Replica::open(device.folder.file("device"), Recorder::default()).unwrap();
    assert_eq!(status(&again()).obstacles, []);
    device.run("update carburetor_sending set change = '{}'");
    let again = || Replica::open(device.folder.file("device"), Recorder::default()).unwrap();
    let replica: Replica<Group> = again();
    let told = status(&replica);
    assert_eq!(told.pending, 1);
    let [obstacle] = &told.obstacles[..] else {
        panic!("{told:?}")
    };
    assert_eq!(
        (obstacle.task, obstacle.cause),
        (Task::Upload, Cause::Unreadable)
    );
    assert!(
        obstacle.reason.contains("`discard_pending`"),
        "{}",
        obstacle.reason
    );
    replica.discard_pending().unwrap();
    assert_eq!(status(&again()).obstacles, []);
}

/// What another version of the program has written is at one of them.
#[test]
fn of_what_waits_both_ends_are_looked_at_when_a_file_is_opened() {
    for (waiting, columns) in [
        (
            "carburetor_sending",
            "in_group, of_table, id, clock, change",
        ),
        ("carburetor_held_change", "in_group, clock, change"),
    ] {
        let mut device = Device::new();
        known_notes(&mut device);
        device.run("update notes set title = 'uno' where id = 'a'");
        device.sent();
        device.run(&format!(
            "create table one as select * from carburetor_sending; delete from carburetor_sending;
with recursive n (n) as (select 1 union all select n + 1 from n where n < 2500)
insert into {waiting} (seq, {columns}) select n, {columns} from n, one"
        ));
        let mut told = |seq: i64| {
            device.run(&format!(
                "update {waiting} set change = '{{}}' where seq = {seq}"
            ));
            let path = device.folder.file("device");
            let replica: Replica<Group> = Replica::open(path, Recorder::default()).unwrap();
            let obstacles = status(&replica).obstacles.len();
            device.run(&format!(
                "update {waiting} set change = (select change from one)"
            ));
            obstacles
        };
        for (seq, expected) in [
            (1, 1),
            (1000, 1),
            (1001, 0),
            (1500, 0),
            (1501, 1),
            (2500, 1),
        ] {
            assert_eq!(told(seq), expected, "{waiting}, {seq}");
        }
    }
}
