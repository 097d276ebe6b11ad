//! Every write moves the registers of the columns that it changed.

mod deletions;
mod triggers;

use super::*;
use carburetor::clock::Clock;
use carburetor::tracking::sqlite::{CLEAR_UNTRACKED, SET_UNTRACKED, down, touch};
use chrono::DateTime;
use std::collections::BTreeMap;

/// `items` with three more columns that travel.
fn named() -> TableDefinition {
    let mut definition = items();
    for name in ["name", "email", "n"] {
        definition.columns.push(ColumnDefinition::new(name));
    }
    definition
}

const NAMED: &str = "create table items (id integer primary key, team text, name text, email text unique, n integer, updated_at text);";

fn registered(schema: &str) -> SqliteConnection {
    let mut conn = database(schema);
    track(&mut conn, &[named()]);
    conn
}

/// Item 1 and item 2, as the database inserted them.
fn two() -> SqliteConnection {
    let mut conn = registered(NAMED);
    run(
        &mut conn,
        "insert into items (id, team, name, email) values (1, 'a', 'one', 'e'), (2, 'b', 'two', 'f')",
    );
    conn
}

fn stored(conn: &mut SqliteConnection, id: i64) -> String {
    let query = format!("select carburetor_registers from items where id = {id}");
    text(conn, &query)
}

/// The registers of the item; none where they are as old as the stamp.
fn registers(conn: &mut SqliteConnection, id: i64) -> BTreeMap<String, Clock> {
    let stored = stored(conn, id);
    serde_json::from_str(&stored).unwrap_or_else(|error| panic!("{error}: {stored}"))
}

fn of(clocks: &[(&str, Clock)]) -> BTreeMap<String, Clock> {
    let clocks = clocks.iter();
    clocks
        .map(|(name, clock)| ((*name).to_owned(), *clock))
        .collect()
}

/// The clock of the item's stamp.
fn stamped(conn: &mut SqliteConnection, id: i64) -> Clock {
    at(stamp(conn, id))
}

fn at(micros: i64) -> Clock {
    Clock::of_database(DateTime::from_timestamp_micros(micros).unwrap())
}

/// The clocks of deletions, by id.
fn deletions(conn: &mut SqliteConnection) -> BTreeMap<i64, Clock> {
    let query =
        "select id || ' ' || carburetor_clock as value from carburetor_register_items order by id";
    let split = |row: String| {
        let (id, clock) = row.split_once(' ').unwrap();
        (id.parse().unwrap(), clock.parse().unwrap())
    };
    texts(conn, query).into_iter().map(split).collect()
}

fn ahead(conn: &mut SqliteConnection) -> String {
    text(conn, "select ahead from carburetor_clock")
}

/// What an upload's update does: it writes stamp and registers itself.
fn upload(conn: &mut SqliteConnection, id: i64, set: &str, registers: &BTreeMap<String, Clock>) {
    let registers = serde_json::to_string(registers).unwrap();
    run(
        conn,
        &format!("update items set {set}, carburetor_registers = '{registers}' where id = {id}"),
    );
}

const UPLOADED_AT: &str = "updated_at = '2020-01-01 00:00:00.000001+00:00'";

#[test]
fn an_insert_leaves_the_registers_null() {
    let mut conn = two();
    assert_eq!(stored(&mut conn, 1), "null");
}

#[test]
fn an_update_moves_the_register_of_the_changed_column_only() {
    let mut conn = two();
    let conn = &mut conn;
    let inserted = stamped(conn, 1);
    run(
        conn,
        "update items set name = 'x', team = team, email = 'e' where id = 1",
    );
    let named = stamped(conn, 1);
    assert!(inserted < named);
    assert_eq!(registers(conn, 1), of(&[("", inserted), ("name", named)]));
    run(conn, "update items set n = 7, name = 'x' where id = 1");
    let numbered = stamped(conn, 1);
    assert_eq!(
        registers(conn, 1),
        of(&[("", inserted), ("name", named), ("n", numbered)])
    );
    assert_eq!(stored(conn, 2), "null");
    assert_eq!(ahead(conn), "");
}

#[test]
fn a_touch_makes_the_registers_what_the_old_stamp_said() {
    let mut conn = two();
    let conn = &mut conn;
    let inserted = stamped(conn, 1);
    for _ in 0..2 {
        diesel::sql_query(touch(&named()))
            .bind::<BigInt, _>(1)
            .execute(conn)
            .unwrap();
        assert!(stamped(conn, 1) > inserted);
        assert_eq!(registers(conn, 1), of(&[("", inserted)]));
    }
}

#[test]
fn rows_older_than_the_tracking_are_as_old_as_their_stamp() {
    for (stamp, expected) in [
        ("null", Clock::ZERO),
        ("'soon'", Clock::ZERO),
        ("'1950-01-01 00:00:00.000000+00:00'", Clock::ZERO),
        ("'2001-01-01 00:00:00+00:00'", at(978_307_200_000_000)),
        (
            "'2001-01-01 00:00:00.001002+00:00'",
            at(978_307_200_001_002),
        ),
    ] {
        let mut conn = database(&format!(
            "{NAMED} insert into items (id, updated_at) values (1, {stamp})"
        ));
        track(&mut conn, &[named()]);
        run(&mut conn, "update items set n = 1");
        let numbered = stamped(&mut conn, 1);
        assert_eq!(
            registers(&mut conn, 1),
            of(&[("", expected), ("n", numbered)])
        );
    }
}

#[test]
fn a_stamp_ahead_of_the_clock_makes_no_register_ahead_of_it() {
    let mut conn = database(&format!(
        "{NAMED} insert into items (id, updated_at) values (1, '2999-01-01 00:00:00.000000+00:00')"
    ));
    track(&mut conn, &[named()]);
    let existence = registers(&mut conn, 1)[""];
    assert_eq!(existence, stamped(&mut conn, 1));
}

#[test]
fn values_that_only_a_collation_takes_for_equal_have_changed() {
    let mut conn = registered(
        "create table items (id integer primary key, team text, name text collate nocase, email text, n integer, updated_at text)",
    );
    run(
        &mut conn,
        "insert into items (id, name) values (1, 'x'); update items set name = 'X'",
    );
    let stamped = stamped(&mut conn, 1);
    assert_eq!(registers(&mut conn, 1)["name"], stamped);
}

#[test]
fn a_statement_that_gives_registers_is_taken_as_given() {
    for recursive in ["off", "on"] {
        let mut conn = two();
        let conn = &mut conn;
        run(conn, &format!("pragma recursive_triggers = {recursive}"));
        let before = clock(conn);
        let given = of(&[("", Clock::new(1, 0, 1)), ("name", Clock::new(2, 0, 1))]);
        upload(conn, 1, &format!("name = 'x', {UPLOADED_AT}"), &given);
        assert_eq!(registers(conn, 1), given);
        assert_eq!(stamp(conn, 1), 1_577_836_800_000_001);
        run(
            conn,
            "insert into items (id, updated_at, carburetor_registers) values (3, '2020-01-01 00:00:00.000002+00:00', '{}')",
        );
        assert_eq!(
            (stamp(conn, 3), stored(conn, 3).as_str()),
            (1_577_836_800_000_002, "{}")
        );
        assert_eq!(clock(conn), before);
        run(
            conn,
            "update items set carburetor_registers = null where id = 1",
        );
        assert_eq!(stamp(conn, 1), 1_577_836_800_000_001);
        assert_eq!(clock(conn), before);
    }
}

#[test]
fn untracked_writes_leave_registers_as_they_are() {
    let mut conn = two();
    let conn = &mut conn;
    run(conn, "update items set n = 1 where id = 1");
    let before = stored(conn, 1);
    run(
        conn,
        &format!("{SET_UNTRACKED}; update items set name = 'u'; {CLEAR_UNTRACKED}"),
    );
    assert_eq!(
        (stored(conn, 1), stored(conn, 2)),
        (before, "null".to_owned())
    );
}

#[test]
fn a_row_written_ahead_of_the_clock_is_written_with_the_successor() {
    let mut conn = two();
    let conn = &mut conn;
    for (last, digits) in [
        (
            Clock::new(99_999_999_999_999, 0, 7),
            "5af3107a3fff00010000000000000000",
        ),
        (
            Clock::new(99_999_999_999_999, 0xffff, 7),
            "5af3107a400000000000000000000000",
        ),
        (
            Clock::new(0x5fff_ffff_ffff, 0x000f, u64::MAX),
            "5fffffffffff00100000000000000000",
        ),
        (
            Clock::new(0x5fff_ffff_ffff, 0xffff, 1),
            "60000000000000000000000000000000",
        ),
        (
            Clock::new(0x69ff_ffff_ffff, 0xffff, 0),
            "6a000000000000000000000000000000",
        ),
        (
            Clock::new(0x6fff_ffff_ffff, 0xffff, 0),
            "70000000000000000000000000000000",
        ),
    ] {
        let given = of(&[("", Clock::ZERO), ("name", last), ("+", last)]);
        upload(conn, 1, UPLOADED_AT, &given);
        run(conn, "update items set n = ifnull(n, 0) + 1 where id = 1");
        let next = last.successor();
        assert_eq!(next.to_string(), digits);
        assert_eq!(
            registers(conn, 1),
            of(&[("", Clock::ZERO), ("name", last), ("n", next), ("+", next)])
        );
        assert_eq!(ahead(conn), digits);
    }
}

#[test]
fn a_clock_that_is_no_longer_ahead_is_forgotten() {
    let mut conn = two();
    let conn = &mut conn;
    let last = Clock::new(5, 0, 7);
    let given = of(&[("", Clock::ZERO), ("name", last), ("+", last)]);
    upload(conn, 1, UPLOADED_AT, &given);
    run(conn, "update items set n = 1 where id = 1");
    let now = stamped(conn, 1);
    assert_eq!(
        registers(conn, 1),
        of(&[("", Clock::ZERO), ("name", last), ("n", now)])
    );
    assert_eq!(ahead(conn), "");
}

#[test]
fn what_is_no_registers_breaks_no_write() {
    for odd in [
        "'no json'",
        "''",
        "'[]'",
        "'5'",
        "'null'",
        "'\"+\"'",
        "x'00ff'",
        "7",
        "'{\"+\":5}'",
        "'{\"+\":\"short\"}'",
        "'{\"+\":\"ffffffffffffffff0000000000000000\"}'",
        "'{\"+\":\"zzzzzzzzzzzzzzzz0000000000000000\"}'",
        "'{\"+\":'",
    ] {
        let mut conn = two();
        let conn = &mut conn;
        run(
            conn,
            &format!(
                "update items set carburetor_registers = {odd} where id = 1; update items set name = 'x' where id = 1"
            ),
        );
        let now = stamped(conn, 1);
        assert_eq!(registers(conn, 1)["name"], now, "{odd}");
        run(
            conn,
            &format!(
                "update items set carburetor_registers = {odd} where id = 1; delete from items where id = 1"
            ),
        );
        assert_eq!(deletions(conn)[&1], at(clock(conn)), "{odd}");
    }
}

#[test]
fn columns_of_any_name_have_a_register() {
    let names = ["a \"quoted\" 'name'", "größe", "$.x", "[0]", "back\\slash"];
    let mut definition = items();
    let columns = names.map(|name| {
        definition.columns.push(ColumnDefinition::new(name));
        format!(", \"{}\"", name.replace('"', "\"\""))
    });
    let mut conn = database(&format!(
        "create table items (id integer primary key, team text, updated_at text {})",
        columns.concat()
    ));
    track(&mut conn, &[definition]);
    run(&mut conn, "insert into items (id) values (1)");
    for (name, column) in names.iter().zip(columns) {
        run(&mut conn, &format!("update items set {} = 1", &column[2..]));
        let now = stamped(&mut conn, 1);
        assert_eq!(registers(&mut conn, 1)[*name], now);
    }
}

#[test]
fn read_only_tables_have_no_registers() {
    let mut conn = database(NAMED);
    let conn = &mut conn;
    let definition = TableDefinition {
        read_only: true,
        ..named()
    };
    track(conn, &[definition]);
    assert_eq!(stamped_by(conn, "insert into items (id) values (1)"), [1]);
    assert_eq!(stamped_by(conn, "update items set n = 1"), [1]);
    run(conn, "delete from items");
    assert_eq!(removals(conn), ["1/-"]);
    let kept = "select name as value from sqlite_schema where name like '%register%' or name like '%conflict%' or sql like '%registers%'";
    assert_eq!(texts(conn, kept), Vec::<String>::new());
}
