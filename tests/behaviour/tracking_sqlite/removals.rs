//! A row that left leaves a removal for everyone who saw it.

use super::*;

fn three() -> SqliteConnection {
    let mut conn = tracked(ITEMS);
    run(
        &mut conn,
        "insert into items (id, team, email) values (1, 'a', 'one'), (2, 'b', 'two'), (3, null, 'three')",
    );
    assert_eq!(removals(&mut conn), Vec::<String>::new());
    conn
}

#[test]
fn deletions_leave_removals_with_rising_instants() {
    let mut conn = three();
    let before = clock(&mut conn);
    run(&mut conn, "delete from items");
    assert_eq!(removals(&mut conn), ["1/a", "2/b", "3/-"]);
    let instants = texts(
        &mut conn,
        "select carburetor_removed_at as value from carburetor_removal_items order by id",
    );
    let instants: Vec<i64> = instants
        .iter()
        .map(|instant| instant.parse().unwrap())
        .collect();
    assert!(before < instants[0] && instants[0] < instants[1] && instants[1] < instants[2]);
    assert_eq!(instants[2], clock(&mut conn));
}

#[test]
fn a_row_that_moves_twice_leaves_both_teams() {
    let mut conn = three();
    run(
        &mut conn,
        "update items set team = 'b' where id = 1; update items set team = 'c' where id = 1; update items set name = 'x'",
    );
    assert_eq!(removals(&mut conn), ["1/a", "1/b"]);
}

#[test]
fn a_removal_repeated_is_one_row_with_the_later_instant() {
    let mut conn = three();
    run(
        &mut conn,
        "update items set team = 'z' where id = 3; update items set team = null where id = 3",
    );
    let first = number(
        &mut conn,
        "select carburetor_removed_at from carburetor_removal_items where team is null",
    );
    run(&mut conn, "delete from items where id = 3");
    assert_eq!(removals(&mut conn), ["3/-", "3/z"]);
    let later = number(
        &mut conn,
        "select carburetor_removed_at from carburetor_removal_items where team is null",
    );
    assert!(later > first);
}

#[test]
fn a_changed_id_leaves_a_removal_of_the_old_one() {
    let mut conn = three();
    run(&mut conn, "update items set id = id + 10");
    assert_eq!(removals(&mut conn), ["1/a", "2/b", "3/-"]);
}

#[test]
fn replaced_rows_leave_removals_with_recursive_triggers_off_and_on() {
    for recursive in ["off", "on"] {
        let mut conn = three();
        let conn = &mut conn;
        run(conn, &format!("pragma recursive_triggers = {recursive}"));
        run(
            conn,
            "insert or replace into items (id, team, email) values (1, 'a', 'one')",
        );
        let same: &[&str] = if recursive == "on" { &["1/a"] } else { &[] };
        assert_eq!(
            removals(conn),
            same,
            "the row stays visible to team a, under its id"
        );
        run(
            conn,
            "delete from carburetor_removal_items; insert or replace into items (id, team) values (1, 'c')",
        );
        assert_eq!(removals(conn), ["1/a"]);
        run(
            conn,
            "delete from carburetor_removal_items; insert or replace into items (id, email) values (4, 'two')",
        );
        assert_eq!(removals(conn), ["2/b"]);
        run(
            conn,
            "delete from carburetor_removal_items; update or replace items set id = 3, team = 'n' where id = 1",
        );
        assert_eq!(removals(conn), ["1/c", "3/-"]);
        run(
            conn,
            "delete from carburetor_removal_items; update or replace items set email = 'two' where id = 3",
        );
        assert_eq!(removals(conn), ["4/-"]);
        run(
            conn,
            "delete from carburetor_removal_items; insert or replace into items (id, email) values (3, 'x'), (5, 'x')",
        );
        assert_eq!(removals(conn), ["3/-", "3/n"]);
    }
}

#[test]
fn a_column_constraint_that_replaces_is_seen() {
    let mut conn = tracked(
        "create table items (id integer primary key, team text, email text unique on conflict replace, updated_at text)",
    );
    run(
        &mut conn,
        "insert into items (id, team, email) values (1, 'a', 'x'), (2, 'b', 'y')",
    );
    run(
        &mut conn,
        "insert into items (id, email) values (3, 'x'); update items set email = 'y' where id = 3",
    );
    assert_eq!(removals(&mut conn), ["1/a", "2/b"]);
}

#[test]
fn an_ignored_insert_may_leave_a_removal_of_a_row_that_stays() {
    let mut conn = three();
    run(
        &mut conn,
        "insert or ignore into items (id, team) values (1, 'z')",
    );
    assert_eq!(removals(&mut conn), ["1/a"]);
    assert_eq!(text(&mut conn, "select team from items where id = 1"), "a");
}

#[test]
fn an_aborted_insert_leaves_nothing() {
    let mut conn = three();
    let before = clock(&mut conn);
    conn.batch_execute("insert into items (id, team) values (9, 'z'), (1, 'z')")
        .unwrap_err();
    assert_eq!((removals(&mut conn), clock(&mut conn)), (vec![], before));
}

#[test]
fn every_kind_of_unique_key_is_covered() {
    let mut conn = tracked(
        "create table items (id text primary key, number integer, team text, a text, b text, c text collate nocase, d text,
           lower_d text generated always as (lower(d)) stored, updated_at text, unique (a, b));
         create unique index by_c on items (c);
         create unique index by_d on items (lower_d);
         create unique index by_number on items (number) where number > 100;",
    );
    let conn = &mut conn;
    run(
        conn,
        "insert into items (id, team, a, b, c, d, number) values ('1', 't', 'x', 'y', 'C', 'D', 101)",
    );
    for (replacing, left) in [
        (
            "insert or replace into items (id, a, b) values ('2', 'x', 'z')",
            false,
        ),
        (
            "insert or replace into items (id, a, b) values ('2', null, 'y')",
            false,
        ),
        (
            "insert or replace into items (id, number) values ('2', 102)",
            false,
        ),
        (
            "insert or replace into items (id, a, b) values ('2', 'x', 'y')",
            true,
        ),
        (
            "insert or replace into items (id, c) values ('2', 'c')",
            true,
        ),
        (
            "insert or replace into items (id, d) values ('2', 'd')",
            true,
        ),
        (
            "insert or replace into items (id, number) values ('2', 101)",
            true,
        ),
        (
            "insert into items (id) values ('9'); update or replace items set d = 'd' where id = '9'",
            true,
        ),
    ] {
        run(conn, &format!("savepoint one; {replacing};"));
        let expected: &[&str] = if left { &["1/t"] } else { &[] };
        assert_eq!(removals(conn), expected, "{replacing}");
        assert_eq!(
            number(conn, "select count(*) from items where id = '1'"),
            i64::from(!left),
            "{replacing}"
        );
        run(conn, "rollback to one; release one");
    }
}

#[test]
fn a_foreign_keys_cascade_is_seen() {
    let mut conn = tracked(
        "create table teams (id text primary key);
         create table items (id integer primary key, team text references teams on delete cascade on update cascade, updated_at text);
         pragma foreign_keys = on;",
    );
    let conn = &mut conn;
    run(
        conn,
        "insert into teams values ('a'), ('b'); insert into items (id, team) values (1, 'a'), (2, 'b')",
    );
    assert_eq!(
        stamped_by(conn, "update teams set id = 'c' where id = 'a'"),
        [1]
    );
    run(conn, "delete from teams where id = 'b'");
    assert_eq!(removals(conn), ["1/a", "2/b"]);
}

#[test]
fn values_keep_their_affinity_and_storage() {
    let mut definition = items();
    definition.columns[0].name = "key".into();
    let mut conn =
        database("create table items (key blob primary key, team numeric, updated_at text)");
    track(&mut conn, &[definition]);
    run(
        &mut conn,
        "insert into items (key, team) values (x'00ff', '1.50'), ('t', 7); delete from items",
    );
    let kept = "select quote(key) || typeof(team) || (team = '1.5') as value from carburetor_removal_items order by 1";
    assert_eq!(texts(&mut conn, kept), ["'t'integer0", "X'00FF'real1"]);
}
