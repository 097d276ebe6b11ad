//! What survives a crash of the server.

use super::{Naive, Note, Replica, prepared, run};
use carburetor_tests::{Cluster, Database};
use diesel::dsl::sql;
use diesel::prelude::*;
use diesel::sql_types::Integer;
use std::process::Command;
use std::thread;
use std::time::{Duration, Instant};

/// Kills a server process, upon which the server ends all of them and recovers from its log.
fn crash(database: &Database) {
    let mut victim = database.connect();
    let pid: i32 = diesel::select(sql::<Integer>("pg_backend_pid()"))
        .get_result(&mut victim)
        .unwrap();
    let killed = Command::new("kill")
        .args(["-KILL", &pid.to_string()])
        .status()
        .unwrap();
    assert!(killed.success());
    // The connection ends, and new ones are refused until the recovery is done.
    let deadline = Instant::now() + Duration::from_secs(60);
    let alive = |conn: &mut PgConnection| {
        diesel::select(sql::<Integer>("1"))
            .get_result::<i32>(conn)
            .is_ok()
    };
    while alive(&mut victim)
        || !PgConnection::establish(&database.url()).is_ok_and(|mut conn| alive(&mut conn))
    {
        assert!(
            Instant::now() < deadline,
            "the server has not come back after a crash"
        );
        thread::sleep(Duration::from_millis(20));
    }
}

#[test]
fn a_prepared_transaction_holds_the_cutoff_through_a_crash() {
    let cluster = Cluster::start();
    let database = prepared(cluster.database());
    let mut clock = Naive::new("notes", "now()");
    let mut replica = Replica::of::<Note>(&mut database.connect());
    let mut writer = database.connect();
    run(&mut writer, "begin; insert into notes values (1)");
    run(&mut writer, "prepare transaction 'note'");
    crash(&database);
    database.psql("insert into notes values (2)");

    let mut reader = database.connect();
    replica.download::<Note>(&mut reader).unwrap();
    clock.download(&mut reader);
    assert_eq!(replica.ids(), [2]);
    run(&mut reader, "commit prepared 'note'");
    replica.download::<Note>(&mut reader).unwrap();
    clock.download(&mut reader);
    assert_eq!(replica.ids(), [1, 2]);
    assert_eq!(clock.ids, [2]);
}
