//! How a server on PostgreSQL learns of commits.

use super::super::program::{Feed, Program};
use super::Server;
use super::models::Note;
use super::world::Team;
use carburetor::SyncGroup;
use carburetor::server::{Limits, Notified, Sync};
use carburetor_tests::Cluster;
use diesel::connection::SimpleConnection;
use diesel::pg::Pg;
use diesel_async::AsyncPgConnection;
use diesel_async::pooled_connection::AsyncDieselConnectionManager;
use diesel_async::pooled_connection::deadpool::Pool;
use std::time::Duration;

type Web = SyncGroup<(Note,), Team>;

fn waits_for(program: &Program, feed: &mut Feed, id: &str) {
    loop {
        let page = feed.next(program).expect("the feed goes on").to_string();
        if page.contains(&format!("{id:?}")) {
            return;
        }
    }
}

fn insert(server: &Server, id: &str) {
    server
        .connect()
        .batch_execute(&format!(
            "insert into notes (id, title, team) values ('{id}', 'x', 'red')"
        ))
        .unwrap();
}

#[test]
fn a_feed_outlives_the_connections_of_the_server() {
    let server = Server::new();
    let program = server.serve(2, Limits::default());
    let mut feed = Feed::lines(&program, "red", "web/feed");
    waits_for(&program, &mut feed, "b");
    for id in ["c", "d"] {
        server
            .connect()
            .batch_execute("select pg_terminate_backend(pid) from pg_stat_activity where datname = current_database() and pid <> pg_backend_pid()")
            .unwrap();
        insert(&server, id);
        waits_for(&program, &mut feed, id);
    }
}

#[test]
fn a_server_that_is_notified_asks_nothing() {
    let server = Server::new();
    let triggers = SyncGroup::<(Note,)>::tracking::<Pg>().notify_sql();
    server.connect().batch_execute(&triggers).unwrap();
    let program = Program::start(|| {
        Sync::new(Notified(server.pool(2)))
            .group::<Web, Team>("web")
            .router()
    });
    let mut feed = Feed::lines(&program, "red", "web/feed");
    waits_for(&program, &mut feed, "b");
    // Twice: what ran before the second time may still have been the first reading.
    for id in ["c", "d"] {
        insert(&server, id);
        waits_for(&program, &mut feed, id);
    }
    let statement = server.0.text("(select count(*)::text from pg_stat_activity where datname = current_database() and query like '%snapshot()::text' and pid <> pg_backend_pid())");
    assert_eq!(statement, "0");
}

#[test]
fn several_servers_tell_of_what_any_of_them_has_taken() {
    let server = Server::new();
    let programs = [(); 2].map(|()| server.serve(2, Limits::default()));
    let mut feeds = programs.each_ref().map(|program| {
        let mut feed = Feed::lines(program, "red", "web/feed");
        waits_for(program, &mut feed, "b");
        feed
    });
    for (number, program) in programs.iter().enumerate() {
        let mut device = super::world::Device::new(program, "red");
        program.runtime.block_on(device.replica.sync()).unwrap();
        let id = format!("of {number}");
        device
            .conn
            .batch_execute(&format!(
                "insert into notes (id, title, team) values ('{id}', 'x', 'red')"
            ))
            .unwrap();
        program.runtime.block_on(device.replica.sync()).unwrap();
        for (program, feed) in programs.iter().zip(&mut feeds) {
            waits_for(program, feed, &id);
        }
    }
}

#[test]
fn a_server_on_a_read_replica_tells_what_has_got_there() {
    let cluster = Cluster::start();
    let server = Server::on(&cluster);
    let Some(standby) = cluster.standby() else {
        return;
    };
    carburetor::tracking::watermark(&mut server.connect()).unwrap();
    standby.wait_caught_up();
    let copy = standby.database(&server.0);
    let manager = AsyncDieselConnectionManager::<AsyncPgConnection>::new(copy.url());
    let pool = Pool::builder(manager).max_size(2).build().unwrap();
    let program = Program::start(|| Sync::new(pool).group::<Web, Team>("web").router());
    let mut feed = Feed::lines(&program, "red", "web/feed");
    waits_for(&program, &mut feed, "b");
    insert(&server, "c");
    waits_for(&program, &mut feed, "c");
}

#[test]
fn a_feed_whose_changes_take_too_long_to_read_ends() {
    let server = Server::new();
    let limits = Limits {
        time: Duration::from_secs(1),
        ..Limits::default()
    };
    let program = server.serve(2, limits);
    let mut socket = program.socket("red", "web/feed", None).unwrap();
    socket.next(&program).unwrap();
    let mut others = server.connect();
    others
        .batch_execute(
            "begin; lock table notes; insert into notes (id, title, team) values ('c', 'x', 'red')",
        )
        .unwrap();
    // A commit, which lets it be read.
    server
        .connect()
        .batch_execute("select pg_current_xact_id()")
        .unwrap();
    assert_eq!(socket.closed(&program), Some(1011));
    others.batch_execute("commit").unwrap();
    let mut feed = Feed::lines(&program, "red", "web/feed");
    waits_for(&program, &mut feed, "c");
}

/// The connection stands, and nothing comes of what is asked on it.
#[test]
fn a_feed_outlives_a_watching_connection_that_says_nothing() {
    let server = Server::new();
    let limits = Limits {
        time: Duration::from_secs(1),
        ..Limits::default()
    };
    let program = server.serve(2, limits);
    let mut feed = Feed::lines(&program, "red", "web/feed");
    waits_for(&program, &mut feed, "b");
    let watching = server.0.text("(select pid::text from pg_stat_activity where datname = current_database() and query like '%snapshot()::text' and pid <> pg_backend_pid())");
    let signal = |name: &str| {
        let sent = std::process::Command::new("sh")
            .args(["-c", &format!("kill {name} {watching}")])
            .status();
        assert!(sent.unwrap().success());
    };
    signal("-STOP");
    insert(&server, "c");
    waits_for(&program, &mut feed, "c");
    signal("-CONT");
}
