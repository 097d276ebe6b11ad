//! Deletions keep their clock, and what is older expires.

use super::register_tables::{DELETED, clock, deletions};
use super::registers::{USERS, one_user, users};
use super::{database, install, line, lines, run};
use carburetor::clock::Clock;
use carburetor::table::TableDefinition;
use carburetor::tracking::{Tracking, TrackingBackend};
use diesel::pg::Pg;
use std::time::Duration;

#[test]
fn a_clock_of_the_database_is_what_it_is_elsewhere() {
    let mut conn = one_user();
    for instant in [
        "2023-11-14T22:13:20.000007Z",
        "2099-12-31T23:59:59.999999Z",
        "1970-01-01T00:00:00.000999Z",
        "1969-01-01T00:00:00Z",
    ] {
        assert_eq!(
            clock(
                &mut conn,
                &format!("select carburetor.clock_of('{instant}')")
            ),
            Clock::of_database(instant.parse().expect("an instant"))
        );
    }
}

#[test]
fn a_deletion_keeps_its_clock_and_the_last_team() {
    let mut conn = one_user();
    run(
        &mut conn,
        "create table stamps as select updated_at from users; update users set team = 'blue'; delete from users",
    );
    assert_eq!(deletions(&mut conn), ["a,blue,t"]);
    assert_eq!(
        line(
            &mut conn,
            "select carburetor_clock > carburetor.clock_of(updated_at) as later from carburetor.register_users, stamps"
        ),
        "t"
    );
    let first = clock(&mut conn, DELETED);
    run(
        &mut conn,
        "insert into users (id, team) values ('a', 'green')",
    );
    assert_eq!(deletions(&mut conn), ["a,blue,t"]);
    run(&mut conn, "delete from users");
    assert_eq!(deletions(&mut conn), ["a,green,t"]);
    assert!(clock(&mut conn, DELETED) > first);
}

#[test]
fn a_deletions_clock_never_becomes_smaller() {
    let mut conn = one_user();
    let later = Clock::new(1 << 47, 0, 1);
    run(
        &mut conn,
        &format!(
            "insert into carburetor.register_users values ('a', 'red', '{later}'); delete from users"
        ),
    );
    assert_eq!(clock(&mut conn, DELETED), later);
}

#[test]
fn the_deletion_of_a_row_written_ahead_of_the_clock_is_its_successor() {
    let mut conn = one_user();
    let sent = Clock::new(1 << 47, 0xffff, 1);
    run(
        &mut conn,
        &format!(
            "update users set carburetor_registers = '{{\"\": \"{sent}\", \"+\": \"{sent}\"}}'; delete from users"
        ),
    );
    assert_eq!(clock(&mut conn, DELETED), sent.successor());
    assert_eq!(
        clock(&mut conn, "select ahead from carburetor.clock"),
        sent.successor()
    );
}

#[test]
fn a_deletion_is_later_than_a_stamp_that_is_ahead() {
    let mut conn = one_user();
    run(
        &mut conn,
        "begin; alter table users disable trigger \"~carburetor_stamp\"; update users set updated_at = '2099-01-01';
         alter table users enable always trigger \"~carburetor_stamp\"; commit; delete from users",
    );
    let stamp = "2099-01-01T00:00:00.000001Z".parse().expect("an instant");
    assert_eq!(clock(&mut conn, DELETED), Clock::of_database(stamp));
}

#[test]
fn a_changed_id_deletes_the_old_one_and_a_move_nothing() {
    let mut conn = one_user();
    run(&mut conn, "update users set team = 'blue'");
    assert_eq!(deletions(&mut conn), Vec::<String>::new());
    assert_eq!(
        lines(&mut conn, "select id, team from carburetor.removal_users"),
        ["a,red"]
    );
    run(&mut conn, "update users set id = 'b', team = 'green'");
    assert_eq!(deletions(&mut conn), ["a,blue,t"]);
}

#[test]
fn untracked_deletions_keep_their_clock() {
    let mut conn = one_user();
    run(
        &mut conn,
        "begin; set local carburetor.untracked = on; delete from users; commit",
    );
    assert_eq!(deletions(&mut conn), ["a,red,t"]);
}

#[test]
fn purged_deletions_expire_what_is_older() {
    let mut conn = one_user();
    run(
        &mut conn,
        "delete from users; insert into carburetor.register_users values ('old', 'red', carburetor.clock_of(now() - interval '2 days'))",
    );
    let tracking = Tracking::<Pg>::of([users()]);
    tracking
        .purge_deletions(&mut conn, Duration::from_secs(86_400))
        .expect("purged");
    assert_eq!(deletions(&mut conn), ["a,red,t"]);
    let age = "select expired between carburetor.clock_of(now() - interval '1 day 1 minute') and carburetor.clock_of(now() - interval '1 day') as moved from carburetor.synced_table";
    assert_eq!(line(&mut conn, age), "t");
    tracking
        .purge_deletions(&mut conn, Duration::from_secs(9 * 86_400))
        .expect("purged");
    assert_eq!(line(&mut conn, age), "t");
    let read_only = TableDefinition {
        read_only: true,
        ..users()
    };
    assert_eq!(Pg::purge_deletions_sql(&read_only, Duration::ZERO), "");
    Tracking::<Pg>::of([read_only])
        .purge_deletions(&mut conn, Duration::ZERO)
        .expect("nothing to do");
    assert_eq!(deletions(&mut conn), ["a,red,t"]);
}

#[test]
fn a_purge_of_deletions_stays_below_the_oldest_writer() {
    let database = database();
    let (mut conn, mut writer) = (database.connect(), database.connect());
    run(&mut conn, USERS);
    install(&mut conn, &[&users()]);
    run(&mut conn, "insert into users (id) values ('a')");
    run(
        &mut writer,
        "create table start (at timestamptz); begin; insert into start values (now()); delete from users",
    );
    Tracking::<Pg>::of([users()])
        .purge_deletions(&mut conn, Duration::ZERO)
        .expect("purged");
    run(&mut writer, "commit");
    assert_eq!(
        line(
            &mut conn,
            "select expired <= carburetor.clock_of(at) and expired < carburetor_clock from carburetor.synced_table, start, carburetor.register_users"
        ),
        "t"
    );
}

#[test]
fn a_truncation_expires_what_is_older() {
    let mut conn = one_user();
    run(&mut conn, "truncate users");
    assert_eq!(
        line(
            &mut conn,
            "select expired between carburetor.clock_of(now() - interval '1 minute') and carburetor.clock_of(clock_timestamp()) as moved from carburetor.synced_table"
        ),
        "t"
    );
    assert_eq!(deletions(&mut conn), Vec::<String>::new());
}
