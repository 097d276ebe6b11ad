//! Devices whose clocks are wrong: they are told, and nothing of theirs is older than what they have seen.

use super::super::device::status;
use super::Server;
use super::world::Device;
use carburetor::testing::set_replica_time;
use chrono::{TimeDelta, Utc};

fn served() -> Server {
    let server = Server::new();
    server
        .run("insert into notes (id, title, team) values ('a', 'one', 'red'), ('b', 'two', 'red')");
    server
}

impl Device {
    /// By how many minutes the replica corrects the device's clock.
    fn corrected(&self) -> Option<i64> {
        let correction = status(&self.replica).clock_correction?;
        Some((correction.as_seconds_f64() / 60.0).round() as i64)
    }

    fn is_off_by(&mut self, minutes: i64) {
        let time = Utc::now() + TimeDelta::minutes(minutes);
        set_replica_time(&mut self.conn, Some(time)).unwrap();
    }
}

#[test]
fn a_device_that_is_behind_is_told_until_its_clock_is_right() {
    let server = served();
    let mut device = server.device();
    assert_eq!(device.corrected(), None);
    device.is_off_by(-60);
    device.sync();
    assert_eq!(device.corrected(), Some(60));
    // The program may have missed it.
    device.restart(&server, &["red"]);
    assert_eq!(device.corrected(), Some(60));
    // That the server's time has come as far is no proof: so it is, too, where the device is still
    // behind a server on which nobody has written since.
    device.is_off_by(0);
    device.sync();
    assert_eq!(device.corrected(), Some(60));
    // With its clock right it is ahead by the correction, which the server tells whoever sends.
    device.run("update notes set title = 'mine' where id = 'a'");
    assert_eq!(device.sync().sent, 1);
    assert_eq!(device.corrected(), None);
    // Nothing is left of it: what the device gives out is no clock of the future.
    device.run("update notes set title = 'mine again' where id = 'a'");
    assert_eq!(device.sync().sent, 1);
    assert_eq!(device.corrected(), None);
    assert_eq!(server.notes()[0].1, "mine again");
}

#[test]
fn a_device_that_is_ahead_is_told_until_its_clock_is_right() {
    let server = served();
    let mut device = server.device();
    device.is_off_by(60);
    device.run("update notes set title = 'mine' where id = 'a'");
    assert_eq!(device.sync().sent, 1);
    assert_eq!(device.corrected(), Some(-60));
    device.restart(&server, &["red"]);
    device.sync();
    assert_eq!(device.corrected(), Some(-60));
    device.is_off_by(0);
    device.sync();
    assert_eq!(device.corrected(), None);
}

#[test]
fn a_clock_that_is_off_by_less_than_a_minute_is_no_news() {
    let server = served();
    let mut device = server.device();
    for seconds in [-40, 40] {
        let time = Utc::now() + TimeDelta::seconds(seconds);
        set_replica_time(&mut device.conn, Some(time)).unwrap();
        device.run(&format!(
            "update notes set title = 't{seconds}' where id = 'a'"
        ));
        device.sync();
        assert_eq!(device.corrected(), None);
    }
}

#[test]
fn an_edit_of_what_a_device_behind_has_seen_stands() {
    let server = served();
    let mut devices = [server.device(), server.device()];
    devices[1].is_off_by(-60);
    devices[0].run("update notes set title = 'seen' where id = 'a'");
    devices[0].sync();
    devices[1].sync();
    devices[1].is_off_by(-70);
    devices[1].run("update notes set title = 'after it' where id = 'a'");
    devices[1].sync();
    assert_eq!(server.notes()[0].1, "after it");
}
