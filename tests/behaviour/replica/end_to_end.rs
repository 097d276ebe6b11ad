//! Devices and a server that come to one state.

use super::Server;
use super::world::{Device, note};
use carburetor::testing::{Fault, set_replica_time};
use chrono::{TimeDelta, Utc};

fn served() -> Server {
    let server = Server::new();
    server.run(
        "insert into notes (id, title, team) values ('a', 'one', 'red'), ('b', 'two', 'red'), ('x', 'else', 'blue');
         insert into seats (room, place, guest, kind, price) values ('hall', 1, 'ann', 'box', 7);
         insert into prices (id, amount) values (1, 2.5)",
    );
    server
}

/// Both send what they have, and see what the other has sent.
fn meet(server: &Server, devices: &mut [Device]) {
    for device in devices.iter_mut() {
        device.sync();
    }
    for device in devices.iter_mut() {
        device.sync();
        let mut seen = server.notes();
        seen.retain(|note| note.3 == "red");
        assert_eq!(device.notes(), seen);
        assert_eq!(device.guests(), server.guests());
        assert_eq!(device.chores(), server.chores());
        assert_eq!((device.pending(), device.entries()), (0, 0));
    }
}

#[test]
fn what_the_scope_shows_arrives() {
    let server = served();
    let mut device = server.device();
    assert_eq!(device.notes(), [note("a", "one"), note("b", "two")]);
    assert_eq!(device.guests(), [("hall".into(), 1, "ann".into())]);
}

#[test]
fn what_a_device_writes_arrives_at_the_other() {
    let server = served();
    let mut devices = [server.device(), server.device()];
    devices[0].run(
        "insert into notes (id, title, team) values ('c', 'three', 'red'); update notes set body = 'x' where id = 'a'; delete from notes where id = 'b';
         update seats set guest = 'bob'; insert into seats (room, place, guest, kind) values ('hall', 2, 'cid', 'box')",
    );
    meet(&server, &mut devices);
    assert_eq!(devices[1].notes().len(), 2);
    assert_eq!(devices[1].guests().len(), 2);
}

#[test]
fn edits_of_different_columns_made_offline_both_survive() {
    let server = served();
    let mut devices = [server.device(), server.device()];
    devices[0].run("update notes set title = 'uno' where id = 'a'");
    devices[1].run("update notes set body = 'x' where id = 'a'");
    meet(&server, &mut devices);
    assert_eq!(
        server.notes()[0],
        ("a".into(), "uno".into(), Some("x".into()), "red".into())
    );
}

#[test]
fn the_later_edit_of_a_column_wins_whoever_comes_first() {
    for order in [[0, 1], [1, 0]] {
        let server = served();
        let mut devices = [server.device(), server.device()];
        let texts = ["early", "late"];
        for ((device, seconds), text) in devices.iter_mut().zip([5, 10]).zip(texts) {
            let time = Utc::now() + TimeDelta::seconds(seconds);
            set_replica_time(&mut device.conn, Some(time)).unwrap();
            device.run(&format!("update notes set title = '{text}' where id = 'a'"));
        }
        for at in order {
            devices[at].sync();
        }
        meet(&server, &mut devices);
        assert_eq!(devices[0].notes()[0], note("a", "late"));
    }
}

#[test]
fn a_deletion_beats_an_edit() {
    for order in [[0, 1], [1, 0]] {
        let server = served();
        let mut devices = [server.device(), server.device()];
        devices[0].run("delete from notes where id = 'a'");
        devices[1].run("update notes set title = 'uno' where id = 'a'");
        for at in order {
            devices[at].sync();
        }
        meet(&server, &mut devices);
        assert_eq!(devices[1].notes(), [note("b", "two")]);
    }
}

#[test]
fn an_answer_that_was_lost_is_given_again() {
    let server = served();
    let mut devices = [server.device(), server.device()];
    devices[0].run("insert into notes (id, title, team) values ('c', 'three', 'red'); update notes set title = 'uno' where id = 'a'");
    devices[0].faults.next(Fault::LoseAnswer);
    devices[0].try_sync().unwrap_err();
    assert_eq!(devices[0].pending(), 2);
    server.run("update notes set title = 'by hand' where id = 'c'");
    devices[0].restart(&server, &["red"]);
    meet(&server, &mut devices);
    assert_eq!(
        devices[0].notes(),
        [note("a", "uno"), note("b", "two"), note("c", "by hand")]
    );
}

#[test]
fn a_row_that_leaves_the_scope_leaves_the_replica() {
    let server = served();
    let mut device = server.device();
    server.run("update notes set team = 'blue' where id = 'a'");
    device.sync();
    assert_eq!(device.notes(), [note("b", "two")]);
    server.run("update notes set team = 'red' where id = 'a'");
    device.sync();
    assert_eq!(device.notes().len(), 2);
}

#[test]
fn a_row_that_a_device_moves_out_of_its_scope_stays_here_until_it_is_refused() {
    let server = served();
    let mut device = server.device();
    device.run("update notes set team = 'blue' where id = 'a'");
    let synced = device.sync();
    assert_eq!(synced.rejected, 1);
    assert_eq!(device.notes(), [note("a", "one"), note("b", "two")]);
    assert_eq!(device.entries(), 0);
}

#[test]
fn what_is_marked_as_gone_leaves_every_replica() {
    let server = served();
    server.run("insert into chores (id, name) values (1, 'dishes'), (2, 'floor'), (3, 'windows')");
    let mut devices = [server.device(), server.device()];
    devices[0].run("update chores set gone = true where id = 1; delete from chores where id = 2");
    devices[1].run("update chores set name = 'plates' where id = 1");
    meet(&server, &mut devices);
    assert_eq!(devices[1].chores(), [(3, "windows".into())]);
}

#[test]
fn a_sync_that_is_dropped_anywhere_goes_on_with_the_next_one() {
    let server = served();
    let mut devices = [server.device(), server.device()];
    for wakes in 0..20 {
        devices[0].run(&format!("update notes set title = 'mine {wakes}' where id = 'a'; insert into chores (id, name, gone) values ({wakes}, 'new', false)"));
        server.run(&format!("update notes set body = 'theirs {wakes}'"));
        devices[0].sync_in_part(wakes);
    }
    meet(&server, &mut devices);
    assert_eq!(devices[1].chores().len(), 20);
    assert_eq!(devices[1].notes()[0].1, "mine 19");
}

#[test]
fn a_scope_that_changes_brings_and_takes_rows() {
    let server = served();
    let mut device = server.device();
    device.restart(&server, &["red", "blue"]);
    device.sync();
    assert_eq!(device.notes().len(), 3);
    device.restart(&server, &["blue"]);
    device.sync();
    assert_eq!(device.notes().len(), 1);
}

#[test]
fn a_reset_keeps_the_outbox() {
    let server = served();
    let mut device = server.device();
    device.run("update notes set title = 'uno' where id = 'a'; insert into notes (id, title, team) values ('c', 'three', 'red')");
    device.faults.set_offline(true);
    device.try_sync().unwrap_err();
    server.run("delete from notes where id = 'b'");
    carburetor::tracking::reset::<super::models::Note, _>(&mut server.connect()).unwrap();
    device.faults.set_offline(false);
    meet(&server, std::slice::from_mut(&mut device));
    assert_eq!(device.notes(), [note("a", "uno"), note("c", "three")]);
}

#[test]
fn a_device_whose_time_is_wrong_follows_the_servers() {
    for hours in [-48, 48] {
        let server = served();
        let mut device = server.device();
        set_replica_time(&mut device.conn, Some(Utc::now() + TimeDelta::hours(hours))).unwrap();
        device.run("update notes set title = 'uno' where id = 'a'");
        device.run("update notes set title = 'due' where id = 'b'; insert into notes (id, title, team) values ('c', 'tre', 'red')");
        let synced = device.sync();
        assert_eq!((synced.sent, synced.rejected), (3, 0));
        assert_eq!(
            server.notes()[..3],
            [note("a", "uno"), note("b", "due"), note("c", "tre")]
        );
        device.run("update notes set title = 'drei' where id = 'c'");
        device.sync();
        meet(&server, std::slice::from_mut(&mut device));
    }
}

#[test]
fn random_histories_converge() {
    let seeds = std::env::var("SEEDS").map_or(10, |seeds| seeds.parse().unwrap());
    for seed in 0..seeds {
        let mut random = fastrand::Rng::with_seed(seed);
        let server = served();
        let mut devices = [server.device(), server.device(), server.device()];
        for step in 0..60 {
            let device = random.usize(..3);
            step_of(&mut random, &server, &mut devices[device], step);
        }
        for device in &mut devices {
            device.restart(&server, &["red"]);
        }
        println!("seed {seed}");
        meet(&server, &mut devices);
    }
}

fn step_of(random: &mut fastrand::Rng, server: &Server, device: &mut Device, step: u32) {
    let id = ["a", "b", "c", "d"][random.usize(..4)];
    let place = random.u8(1..4);
    match random.usize(..23) {
        0..=1 => device.run(&format!("insert into notes (id, title, team) values ('{id}', 'in {step}', 'red') on conflict do nothing")),
        2..=3 => device.run(&format!("update notes set title = 't{step}' where id = '{id}'")),
        4 => device.run(&format!("update notes set body = 'b{step}' where id = '{id}'")),
        5 => device.run(&format!("delete from notes where id = '{id}'")),
        6 => device.run(&format!("replace into notes (id, title, team) values ('{id}', 're {step}', 'red')")),
        7 => server.run(&format!("update notes set body = 's{step}' where id = '{id}'")),
        8 => server.run(&format!("delete from notes where id = '{id}'")),
        9 => server.run(&format!("update notes set team = case team when 'red' then 'blue' else 'red' end where id = '{id}'")),
        10 => device.run(&format!("update or ignore notes set id = 'c' where id = '{id}'")),
        11 => device.run(&format!("update or replace notes set id = 'd' where id = '{id}'")),
        12 => device.run(&format!("insert into seats (room, place, guest, kind) values ('hall', {place}, 'g{step}', 'box') on conflict do update set guest = excluded.guest")),
        13 => device.run(&format!("delete from seats where place = {place}")),
        14 => device.run(&format!("insert into chores (id, name, gone) values ({place}, 'c{step}', false) on conflict do update set name = excluded.name")),
        15 => device.run(&format!("update chores set gone = true where id = {place}")),
        16 => device.run(&format!("update chores set gone = not gone, name = 'c{step}' where id = {place}")),
        17 => device.run(&format!("delete from chores where id = {place}")),
        18 => server.run(&format!("update chores set name = 's{step}' where id = {place}")),
        19 => {
            // The time of a device jumps both ways.
            let time = Utc::now() + TimeDelta::seconds(random.i64(-100_000..100_000));
            set_replica_time(&mut device.conn, Some(time)).unwrap();
        }
        20 => device.sync_in_part(random.usize(..12)),
        21 => {
            device.faults.heal();
            if random.bool() {
                device.faults.next(Fault::LoseAnswer);
            }
            device.downloads.set_rows(random.u32(1..5));
            // Whether it succeeds is for the end to say.
            let _ = device.try_sync();
        }
        _ => {
            let pages = random.usize(..3);
            device.faults.next(Fault::Cut { pages });
            let _ = device.try_sync();
            device.restart(server, &["red"]);
        }
    }
}
