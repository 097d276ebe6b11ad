//! An edit whose row was deleted is told to whoever made it, whatever the row's id shows by then.

use super::hub::{Member, block_on, served};
use super::world::note;
use carburetor::outcome::Code;
use carburetor::replica::{Replica, Synced};
use carburetor::testing::Fault;

/// What keeps a table from letting the note `a` go.
const STAYS: &str = "create trigger program before delete on notes when old.id = 'a' begin select raise(abort, 'it stays'); end";

/// Asserts that this sync tells of the lost edit of `a`, and that it is kept.
#[track_caller]
fn tells_of_a(replica: &Replica<super::super::device::Group>, synced: &Synced) {
    assert_eq!((synced.rejected, synced.lost), (0, 1));
    let kept = replica.rejected().unwrap();
    assert_eq!(kept.len(), 1);
    assert_eq!(kept[0].rejection.code, Code::Gone);
    assert_eq!(kept[0].change.id, "a");
}

#[test]
fn an_edit_of_a_row_that_a_hub_does_not_let_go_is_told_to_its_device() {
    for edited_before in [false, true] {
        let server = served();
        let mut hub = Member::hub(&server);
        let mut device = hub.device();
        hub.run(STAYS);
        let edit = "update notes set body = 'mine' where id = 'a'";
        if edited_before {
            device.run(edit);
        }
        server.run("delete from notes where id = 'a'");
        hub.sync();
        device.run(edit);
        device.sync();
        hub.sync();
        let synced = block_on(device.replica.sync()).unwrap();
        tells_of_a(&device.replica, &synced);
        assert_eq!(device.notes().len(), 2, "the hub has it yet");
        hub.run("drop trigger program");
        hub.sync();
        device.sync();
        assert_eq!(device.notes(), [note("b", "two")]);
        assert_eq!((hub.pending(), device.pending()), (0, 0));
    }
}

#[test]
fn an_edit_of_a_row_that_one_of_two_hubs_does_not_let_go_is_told_to_its_device() {
    for stays_above in [false, true] {
        let server = served();
        let mut upper = Member::hub(&server);
        let mut lower = Member::hub_over(|| upper.way());
        let mut device = lower.device();
        let refuses = if stays_above { &mut upper } else { &mut lower };
        refuses.run(STAYS);
        server.run("delete from notes where id = 'a'");
        upper.sync();
        lower.sync();
        device.run("update notes set body = 'mine' where id = 'a'");
        device.sync();
        lower.sync();
        upper.sync();
        lower.sync();
        let synced = block_on(device.replica.sync()).unwrap();
        tells_of_a(&device.replica, &synced);
        assert_eq!((lower.pending(), upper.pending()), (0, 0));
    }
}

#[test]
fn an_edit_whose_row_is_made_again_before_its_device_asks_is_told_to_it() {
    let server = served();
    let mut hub = Member::hub(&server);
    let mut devices = [hub.device(), hub.device()];
    devices[0].run("update notes set body = 'mine' where id = 'a'");
    devices[0].sync();
    server.run("delete from notes where id = 'a'");
    hub.sync();
    devices[1].sync();
    devices[1].run("insert into notes (id, title, team) values ('a', 'anew', 'red')");
    devices[1].sync();
    let synced = block_on(devices[0].replica.sync()).unwrap();
    tells_of_a(&devices[0].replica, &synced);
    hub.sync();
    for device in &mut devices {
        device.sync();
        assert_eq!(device.notes(), [note("a", "anew"), note("b", "two")]);
        assert_eq!(device.pending(), 0);
    }
}

#[test]
fn an_edit_that_is_lost_is_told_though_the_answer_comes_when_the_row_is_made_again() {
    let server = served();
    let mut device = server.device();
    server.run("delete from notes where id = 'a'");
    device.run("update notes set body = 'mine' where id = 'a'");
    device.faults.next(Fault::LoseAnswer);
    device.try_sync().unwrap_err();
    server.run("insert into notes (id, title, team) values ('a', 'anew', 'red')");
    let synced = device.sync();
    tells_of_a(&device.replica, &synced);
    assert_eq!(device.notes(), [note("a", "anew"), note("b", "two")]);
}
