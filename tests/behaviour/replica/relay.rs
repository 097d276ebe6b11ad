//! What devices send to a hub goes on to the server with their clocks.

use super::super::device::Folder;
use super::super::downloads::{Begun, Downloads};
use super::super::recorder::Recorder;
use super::super::refusing::{Refusing, refusal};
use super::hub::{Member, block_on, served};
use super::models::notes;
use super::world::{Row, Served, Teams, note};
use super::{Conn, Server};
use carburetor::replica::InProcess;
use carburetor::testing::{Fault, Faults, Faulty};
use chrono::{DateTime, Utc};
use diesel::prelude::*;
use std::collections::BTreeMap;
use std::time::Duration;

/// The way to what the server's team `red` sees.
pub(super) fn way(server: &Server) -> InProcess<Served, Teams, Conn> {
    InProcess::new(Teams(vec!["red".into()]), server.connector())
}

pub(super) fn seen(server: &Server) -> Vec<Row> {
    let mut seen = server.notes();
    seen.retain(|note| note.3 == "red");
    seen
}

#[test]
fn an_older_edit_that_a_hub_brings_later_does_not_win() {
    let server = served();
    let mut hub = Member::hub(&server);
    let (mut device, mut direct) = (hub.device(), server.device());
    device.run("update notes set title = 'older' where id = 'a'");
    std::thread::sleep(Duration::from_millis(5));
    direct.run("update notes set title = 'newer' where id = 'a'");
    direct.sync();
    device.sync();
    hub.sync();
    device.sync();
    let expected = [note("a", "newer"), note("b", "two")];
    assert_eq!(seen(&server), expected);
    assert_eq!(hub.notes(), expected);
    assert_eq!(device.notes(), expected);
}

#[test]
fn a_newer_edit_that_was_made_at_a_hub_wins_over_an_older_one_that_comes_later() {
    let server = served();
    let mut hub = Member::hub(&server);
    let (mut device, mut direct) = (hub.device(), server.device());
    direct.run("update notes set title = 'older' where id = 'a'");
    std::thread::sleep(Duration::from_millis(5));
    device.run("update notes set title = 'newer' where id = 'a'");
    device.sync();
    hub.sync();
    direct.sync();
    assert_eq!(seen(&server)[0], note("a", "newer"));
    assert_eq!(direct.notes(), seen(&server));
}

/// Of each row and column, the edit that was made last is there, whoever made it and in whatever order they met.
#[test]
fn the_last_edit_wins_whoever_relays_it() {
    for seed in 0..6 {
        println!("seed {seed}");
        let mut random = fastrand::Rng::with_seed(seed);
        let server = served();
        let mut hub = Member::hub(&server);
        let mut devices = [hub.device(), hub.device()];
        let mut direct = server.device();
        let mut last: BTreeMap<(&str, &str), String> = BTreeMap::new();
        for step in 0..50 {
            let id = ["a", "b"][random.usize(..2)];
            let column = ["title", "body"][random.usize(..2)];
            let value = format!("{column} of step {step}");
            let edit = format!("update notes set {column} = '{value}' where id = '{id}'");
            // Clocks count milliseconds.
            std::thread::sleep(Duration::from_millis(3));
            match random.usize(..9) {
                0 => hub.run(&edit),
                1 | 2 => devices[0].run(&edit),
                3 => devices[1].run(&edit),
                4 => direct.run(&edit),
                5 => {
                    hub.sync();
                    continue;
                }
                6 => {
                    direct.sync();
                    continue;
                }
                place => {
                    devices[place - 7].sync();
                    continue;
                }
            }
            last.insert((id, column), value);
        }
        for _ in 0..2 {
            for device in &mut devices {
                device.sync();
            }
            direct.sync();
            hub.sync();
        }
        let seen = seen(&server);
        for ((id, column), value) in &last {
            let row = seen.iter().find(|note| note.0 == *id).unwrap();
            let held = match *column {
                "title" => Some(&row.1),
                _ => row.2.as_ref(),
            };
            assert_eq!(held, Some(value), "{id}.{column}");
        }
        direct.sync();
        assert_eq!(direct.notes(), seen);
        assert_eq!(hub.notes(), seen);
        assert_eq!(hub.pending(), 0);
        for device in &mut devices {
            device.sync();
            assert_eq!(device.notes(), seen);
            assert_eq!(device.pending(), 0);
        }
    }
}

#[test]
fn what_was_edited_on_a_held_change_goes_on_too() {
    let server = served();
    let mut hub = Member::hub(&server);
    let mut device = hub.device();
    device.run("update notes set title = 'one more' where id = 'a'");
    device.sync();
    hub.run("update notes set title = 'by the hub' where id = 'a'");
    device.run("update notes set body = 'and more' where id = 'a'");
    device.sync();
    hub.sync();
    hub.sync();
    let expected = (
        "a".to_owned(),
        "by the hub".to_owned(),
        Some("and more".to_owned()),
        "red".to_owned(),
    );
    assert_eq!(seen(&server)[0], expected);
    assert_eq!(hub.notes()[0], expected);
    assert_eq!(hub.pending(), 0);
}

#[test]
fn a_row_of_the_hub_itself_is_there_before_what_a_device_made_of_it() {
    let server = served();
    let mut hub = Member::hub(&server);
    let mut device = hub.device();
    hub.run("insert into notes (id, title, team) values ('c', 'tre', 'red')");
    device.sync();
    device.run("update notes set title = 'three' where id = 'c'");
    device.sync();
    hub.sync();
    device.sync();
    assert_eq!(seen(&server)[2], note("c", "three"));
    assert_eq!(device.pending(), 0);
    hub.run("insert into notes (id, title, team) values ('d', 'four', 'red')");
    device.sync();
    device.run("delete from notes where id = 'd'");
    device.sync();
    hub.sync();
    device.sync();
    assert_eq!(seen(&server).len(), 3);
    assert_eq!(hub.notes().len(), 3);
    assert_eq!((hub.pending(), device.pending()), (0, 0));
}

#[test]
fn a_row_of_the_hub_is_there_first_even_if_an_answer_was_lost_before() {
    let server = served();
    let faults = Faults::default();
    let mut hub = Member::hub_over(|| Faulty::new(way(&server), faults.clone()));
    let mut device = hub.device();
    device.run("update notes set title = 'uno' where id = 'a'");
    device.sync();
    faults.next(Fault::LoseAnswer);
    block_on(hub.replica.sync()).unwrap_err();
    hub.run("insert into notes (id, title, team) values ('c', 'tre', 'red')");
    device.sync();
    device.run("update notes set title = 'three' where id = 'c'");
    device.sync();
    hub.sync();
    device.sync();
    let expected = [note("a", "uno"), note("b", "two"), note("c", "three")];
    assert_eq!(seen(&server), expected);
    assert_eq!(device.notes(), expected);
    assert_eq!((hub.pending(), device.pending()), (0, 0));
}

/// What one replica wrote doesn't conflict with its own writes of the same upload.
#[test]
fn changes_of_two_devices_go_in_two_uploads() {
    let server = served();
    let hub = Member::hub(&server);
    let mut devices = [hub.device(), hub.device()];
    for (place, device) in devices.iter_mut().enumerate() {
        device.run(&format!(
            "update notes set title = 'of {place}' where id = 'a'; update notes set body = 'of {place}' where id = 'b'"
        ));
        device.sync();
    }
    let recorder = Recorder::default();
    let asked = hub.folder.open(recorder.clone()).unwrap();
    block_on(asked.sync()).unwrap_err();
    let sent = recorder.last();
    assert_eq!(sent.len(), 2);
    assert_eq!(sent[0].clock.replica(), sent[1].clock.replica());
}

#[test]
fn an_edit_is_based_on_the_servers_row_if_the_device_has_seen_it() {
    let server = served();
    let mut hub = Member::hub(&server);
    let (mut blind, mut seeing) = (hub.device(), hub.device());
    server.run("update notes set title = title || '!'");
    hub.sync();
    seeing.sync();
    let stamp: DateTime<Utc> = notes::table
        .find("b")
        .select(notes::at)
        .first(&mut server.connect())
        .unwrap();
    let recorder = Recorder::default();
    let asked = hub.folder.open(recorder.clone()).unwrap();
    for (device, id, base) in [(&mut blind, "a", None), (&mut seeing, "b", Some(stamp))] {
        device.run(&format!("update notes set body = title where id = '{id}'"));
        device.sync();
        block_on(asked.sync()).unwrap_err();
        assert_eq!(recorder.last()[0].base, base);
        hub.sync();
    }
}

#[test]
fn what_a_device_wrote_stays_on_top_of_what_the_hub_downloads() {
    let server = served();
    let hub = Member::hub(&server);
    let mut device = hub.device();
    let folder = &hub.folder;
    server.run("update notes set title = title || ' of the server', body = 'seen'");
    let work = move || {
        device.run(
                "update notes set title = 'uno' where id = 'a'; delete from notes where id = 'b'; insert into notes (id, title, team) values ('c', 'tre', 'red')",
            );
        device.sync();
    };
    let downloads = Downloads::default();
    // It has a runtime of its own.
    downloads.between(move || std::thread::spawn(work).join().unwrap());
    let inner = way(&server);
    let replica = folder.open(Begun { inner, downloads }).unwrap();
    block_on(replica.sync()).unwrap();
    let mut hub = Member {
        conn: replica.connection().unwrap(),
        replica,
        folder: hub.folder,
    };
    let of_both = ("a".into(), "uno".into(), Some("seen".into()), "red".into());
    let expected = [of_both, note("c", "tre")];
    assert_eq!(hub.notes(), expected);
    assert_eq!(hub.pending(), 3, "the upload was over");
    hub.sync();
    assert_eq!(seen(&server), expected);
    assert_eq!(hub.notes(), expected);
    assert_eq!(hub.pending(), 0);
}

#[test]
fn a_clock_of_a_device_that_the_server_refuses_stops_nobody_else() {
    let server = served();
    let mut hub = Member::hub_over(|| {
        Refusing::new(way(&server), |changes: &[u8]| {
            let is_meant = String::from_utf8_lossy(changes).contains("poison");
            is_meant.then(|| Err(refusal(409, "copied", "another replica has this id")))
        })
    });
    let mut device = hub.device();
    device.run(
        "update notes set title = 'uno' where id = 'a'; update notes set body = 'poison' where id = 'a'; update notes set title = 'due' where id = 'b'",
    );
    device.sync();
    hub.sync();
    hub.run("update notes set body = 'of the hub' where id = 'b'");
    hub.sync();
    let expected = [
        note("a", "uno"),
        (
            "b".into(),
            "due".into(),
            Some("of the hub".into()),
            "red".into(),
        ),
    ];
    assert_eq!(seen(&server), expected);
    let synced = block_on(device.replica.sync()).unwrap();
    assert_eq!(synced.rejected, 1);
    let rejected = device.replica.rejected().unwrap();
    assert!(rejected[0].rejection.message.contains("another replica"));
    assert_eq!(device.notes(), expected);
    assert_eq!(hub.notes(), expected);
}

/// A file that becomes a hub while it waits for the server sends what its program edited as before.
#[test]
fn what_waited_before_the_file_became_a_hub_is_sent() {
    let server = served();
    let folder = Folder::new();
    let replica = folder.open(way(&server)).unwrap();
    block_on(replica.sync()).unwrap();
    let mut conn = replica.connection().unwrap();
    super::super::device::run(&mut conn, "update notes set title = 'uno' where id = 'a'");
    super::super::device::Group::tracking::<diesel::sqlite::Sqlite>()
        .install(&mut conn)
        .unwrap();
    drop((replica, conn));
    let replica = folder.open(way(&server)).unwrap();
    block_on(replica.sync()).unwrap();
    assert_eq!(seen(&server)[0], note("a", "uno"));
}
