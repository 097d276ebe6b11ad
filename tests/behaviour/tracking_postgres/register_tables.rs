//! The clocks of deletions, and the tables that uploads write.

use super::registers::{one_user, users};
use super::{database, definition, install, line, lines, migrate, problems, run};
use carburetor::clock::Clock;
use carburetor::table::ColumnDefinition;
use carburetor::tracking::postgres;
use diesel::connection::SimpleConnection;
use diesel::{PgConnection, RunQueryDsl};
use std::time::Duration;

/// The deleted ids, with the team at that time and whether the clock is one of the last minute.
pub(super) fn deletions(conn: &mut PgConnection) -> Vec<String> {
    lines(
        conn,
        "select id, team, carburetor_clock between carburetor.clock_of(now() - interval '1 minute') and carburetor.clock_of(clock_timestamp()) as recent
         from carburetor.register_users order by id",
    )
}

pub(super) fn clock(conn: &mut PgConnection, query: &str) -> Clock {
    line(conn, query).parse().expect("a clock")
}

pub(super) const DELETED: &str = "select carburetor_clock from carburetor.register_users";

#[test]
fn partitioned_tables_in_a_schema_keep_registers() {
    let mut conn = database().connect();
    run(
        &mut conn,
        "create schema shop; create table shop.payments (id int primary key, amount numeric, updated_at timestamptz not null default now()) partition by range (id);
         create table shop.low partition of shop.payments for values from (0) to (10);
         create table shop.high partition of shop.payments for values from (10) to (20)",
    );
    let mut payments = definition("shop.payments", &["id"], &[]);
    payments.columns.push(ColumnDefinition::new("amount"));
    install(&mut conn, &[&payments]);
    run(
        &mut conn,
        "insert into shop.payments values (1, 1), (11, 1); update shop.payments set amount = 2 where id = 11; update shop.low set amount = 3;
         delete from shop.high",
    );
    assert_eq!(
        lines(
            &mut conn,
            "select id, carburetor_registers ->> 'amount' = carburetor.clock_of(updated_at) as moved from shop.payments"
        ),
        ["1,t"]
    );
    let register: String = lines(
        &mut conn,
        "select relname from pg_class where relname like 'register%shop%' and relkind = 'r'",
    )
    .concat();
    assert_eq!(
        lines(
            &mut conn,
            &format!("select id from carburetor.\"{register}\"")
        ),
        ["11"]
    );
    run(
        &mut conn,
        "create table shop.top partition of shop.payments for values from (20) to (30); insert into shop.payments values (21, 1); update shop.top set amount = 2",
    );
    assert_eq!(
        lines(
            &mut conn,
            "select id from shop.top where carburetor_registers ? 'amount'"
        ),
        ["21"]
    );
    // To another partition: a deletion and an insert with the registers as they were.
    run(&mut conn, "update shop.payments set id = 12 where id = 1");
    assert_eq!(
        lines(
            &mut conn,
            &format!("select id from carburetor.\"{register}\" order by id")
        ),
        ["1", "11"]
    );
    migrate(&mut conn, &postgres::down(&[&payments])).expect("down");
    assert_eq!(
        lines(
            &mut conn,
            "select attrelid::regclass from pg_attribute where attname = 'carburetor_registers'"
        ),
        Vec::<String>::new()
    );
}

#[test]
fn a_role_without_rights_on_the_schema_moves_registers() {
    let mut conn = one_user();
    let sent = Clock::new(1 << 47, 0, 1);
    run(
        &mut conn,
        &format!(
            "do $$ begin create role register_writer; exception when duplicate_object or unique_violation then null; end $$;
             grant select, insert, update, delete, truncate on users to register_writer; set role register_writer;
             insert into users (id, carburetor_registers) values ('b', '{{\"\": \"{sent}\", \"+\": \"{sent}\"}}'), ('c', null);
             update users set age = 3; update users set id = 'd' where id = 'c'; delete from users where id <> 'd'; truncate users; reset role"
        ),
    );
    assert_eq!(
        lines(
            &mut conn,
            "select id from carburetor.register_users order by id"
        ),
        ["a", "b", "c"]
    );
    assert_eq!(
        clock(&mut conn, "select ahead from carburetor.clock"),
        sent.successor().successor()
    );
}

#[test]
fn an_uploading_role_has_the_rights_that_it_needs() {
    let mut conn = one_user();
    run(
        &mut conn,
        "do $$ begin create role register_uploader; exception when duplicate_object or unique_violation then null; end $$;
         do $$ begin create role register_reader; exception when duplicate_object or unique_violation then null; end $$",
    );
    run(
        &mut conn,
        &postgres::upload_grants(&[&users()], "register_uploader"),
    );
    run(&mut conn, &postgres::grants(&[&users()], "register_reader"));
    run(
        &mut conn,
        "set role register_uploader; update carburetor.clock set ahead = 'a';
         insert into carburetor.register_users values ('x', 'red', '0'); update carburetor.register_users set carburetor_clock = '1'; delete from carburetor.register_users;
         insert into carburetor.conflict_users (id, team, carburetor_sender, carburetor_lost_clock, carburetor_won_clock, carburetor_lost, carburetor_won)
           values ('x', 'red', '0', '1', '2', '{}', '{}'), ('x', null, '0', '1', '2', '{}', '{}');
         insert into carburetor.outcome (replica, first, last, outcomes) values ('0', '1', '2', '[]');
         update carburetor.outcome set outcomes = ''; delete from carburetor.outcome",
    );
    assert_eq!(
        lines(
            &mut conn,
            "select carburetor_seq, carburetor_at > now() - interval '1 minute' as recent from carburetor.conflict_users"
        ),
        ["1,t", "2,t"]
    );
    assert_eq!(
        line(&mut conn, "select expired from carburetor.synced_table"),
        "\"\""
    );
    run(&mut conn, "reset role; set role register_reader");
    assert_eq!(line(&mut conn, "select ahead from carburetor.clock"), "a");
    for table in ["clock", "outcome", "register_users", "conflict_users"] {
        let error = conn
            .batch_execute(&format!("delete from carburetor.{table}"))
            .expect_err(table)
            .to_string();
        assert_eq!(error, format!("permission denied for table {table}"));
    }
}

#[test]
fn a_purge_forgets_old_conflicts_and_outcomes() {
    let mut conn = one_user();
    run(
        &mut conn,
        "insert into carburetor.conflict_users values ('old', 'red', 1, now() - interval '2 days', '0', '1', '2', '{}', '{}'), ('new', 'red', 2, now(), '0', '1', '2', '{}', '{}');
         insert into carburetor.outcome values ('0', '1', '1', '[]', now() - interval '2 days'), ('0', '2', '2', '[]', now());
         insert into carburetor.register_users values ('old', 'red', '0')",
    );
    diesel::sql_query(postgres::purge(&users(), Duration::from_secs(86_400)))
        .execute(&mut conn)
        .expect("purged");
    assert_eq!(
        lines(
            &mut conn,
            "select id from carburetor.conflict_users union all select last from carburetor.outcome union all select id from carburetor.register_users"
        ),
        ["new", "2", "old"]
    );
}

#[test]
fn another_visible_by_column_rebuilds_the_tables_and_expires_what_is_older() {
    let mut conn = one_user();
    run(&mut conn, "delete from users");
    let mut wider = users();
    for column in &mut wider.columns {
        column.visible_by |= column.name == "age";
    }
    let difference = postgres::difference(&[&users()], &[&wider]).to_string();
    migrate(&mut conn, &difference).expect("the difference");
    assert_eq!(problems(&mut conn, &[&wider]), Vec::<[String; 2]>::new());
    assert_eq!(
        line(
            &mut conn,
            "select expired > carburetor.clock_of(now() - interval '1 minute') as moved from carburetor.synced_table"
        ),
        "t"
    );
    run(
        &mut conn,
        "insert into users (id, age) values ('a', 5); delete from users",
    );
    assert_eq!(
        lines(&mut conn, "select id, age from carburetor.register_users"),
        ["a,5"]
    );
}

#[test]
fn a_column_that_the_model_gains_gets_a_register() {
    let mut conn = one_user();
    let mut wider = users();
    wider.columns.push(ColumnDefinition::new("note"));
    assert_eq!(
        problems(&mut conn, &[&wider])[0][0],
        "its definition changed since it was tracked"
    );
    run(
        &mut conn,
        "insert into users (id) values ('b'); delete from users where id = 'b'",
    );
    let difference = postgres::difference(&[&users()], &[&wider]);
    assert_eq!(difference.tables.len(), 1);
    migrate(&mut conn, &difference.to_string()).expect("the difference");
    assert_eq!(problems(&mut conn, &[&wider]), Vec::<[String; 2]>::new());
    run(&mut conn, "update users set note = 'x'");
    assert_eq!(
        lines(
            &mut conn,
            "select id from users where carburetor_registers ? 'note'"
        ),
        ["a"]
    );
    assert_eq!(deletions(&mut conn), ["b,,t"]);
    assert_eq!(
        line(
            &mut conn,
            "select generation, expired from carburetor.synced_table"
        ),
        "1,\"\""
    );
}

#[test]
fn a_second_run_keeps_what_the_tables_hold() {
    let mut conn = one_user();
    run(
        &mut conn,
        "update users set age = 2; insert into users (id) values ('b'); delete from users where id = 'b'; update carburetor.clock set ahead = 'f';
         insert into carburetor.conflict_users values ('a', 'red', 1, now(), '0', '1', '2', '{}', '{}'); insert into carburetor.outcome values ('0', '1', '1', '[]')",
    );
    let state = "select users.*, r.*, c.*, o.*, s.*, k.* from users, carburetor.register_users r, carburetor.clock c, carburetor.outcome o, carburetor.synced_table s,
        carburetor.conflict_users k";
    let before = lines(&mut conn, state);
    assert_eq!(before.len(), 1);
    install(&mut conn, &[&users()]);
    assert_eq!(lines(&mut conn, state), before);
}

const AGAIN: &str = "run its part of up.sql again";

/// Breaks tracked users by `harm`, expects the problem, and that another installation mends it.
fn mended(harm: &str, expected: &[[&str; 2]]) {
    let mut conn = one_user();
    run(&mut conn, harm);
    assert_eq!(problems(&mut conn, &[&users()]), expected);
    install(&mut conn, &[&users()]);
    assert_eq!(problems(&mut conn, &[&users()]), Vec::<[String; 2]>::new());
    run(&mut conn, "update users set age = 99");
    assert_eq!(
        line(
            &mut conn,
            "select generation, carburetor_registers ? 'age' as moved from carburetor.synced_table, users"
        ),
        "1,t"
    );
}

#[test]
fn verify_finds_what_is_missing_and_up_mends_it() {
    mended(
        "drop table carburetor.register_users",
        &[[
            "its table of deletion clocks carburetor.register_users is absent",
            AGAIN,
        ]],
    );
    mended(
        "drop table carburetor.conflict_users",
        &[[
            "its table of conflicts carburetor.conflict_users is absent",
            AGAIN,
        ]],
    );
    mended(
        "alter table carburetor.conflict_users drop column carburetor_won",
        &[[
            "its table of conflicts doesn't have the columns that this version makes",
            AGAIN,
        ]],
    );
    mended(
        "alter table carburetor.register_users drop constraint register_users_key",
        &[[
            "its table of deletion clocks has no constraint register_users_key",
            AGAIN,
        ]],
    );
}

#[test]
fn verify_finds_a_missing_column_and_up_adds_it() {
    let mut conn = one_user();
    run(
        &mut conn,
        "alter table users drop column carburetor_registers cascade",
    );
    assert_eq!(
        problems(&mut conn, &[&users()]),
        [
            [
                "its column carburetor_registers is absent",
                "run its part of up.sql again, which adds it"
            ],
            [
                "users has no trigger ~carburetor_removal_update",
                "run its part of up.sql again, which resets the replicas"
            ]
        ]
    );
    install(&mut conn, &[&users()]);
    assert_eq!(problems(&mut conn, &[&users()]), Vec::<[String; 2]>::new());
    run(&mut conn, "update users set age = 99");
    assert_eq!(
        lines(
            &mut conn,
            "select id from users where carburetor_registers ? 'age'"
        ),
        ["a"]
    );
}

#[test]
fn a_shared_table_that_is_missing_is_found() {
    let mut conn = one_user();
    run(&mut conn, "drop table carburetor.clock, carburetor.outcome");
    let remedy = "run the first part of up.sql, with the registry, again";
    assert_eq!(
        problems(&mut conn, &[&users()]),
        [
            ["the table carburetor.clock is absent", remedy],
            ["the table carburetor.outcome is absent", remedy]
        ]
    );
    install(&mut conn, &[&users()]);
    assert_eq!(problems(&mut conn, &[&users()]), Vec::<[String; 2]>::new());
}
