//! What can't be tracked is refused with a reason before anything is installed.

use super::*;

fn refused(tables: &str, definition: &TableDefinition) -> Vec<String> {
    let mut conn = database(tables);
    problems(&mut conn, &refusals(definition))
}

#[test]
fn an_ordinary_table_is_not_refused() {
    assert_eq!(refused(ITEMS, &items()), Vec::<String>::new());
    let lacking_the_stamp =
        "create table ITEMS (ID text, TEAM text); create unique index by_id on items (id)";
    assert_eq!(refused(lacking_the_stamp, &items()), Vec::<String>::new());
}

#[test]
fn what_is_no_table_of_rows_is_refused() {
    let view = "create table rows (id integer primary key, team, updated_at); create view items as select * from rows";
    assert_eq!(
        refused("", &items())[0],
        "items: the database has no such table"
    );
    assert_eq!(
        refused(view, &items()),
        ["items: it is a view, which has no rows of its own"]
    );
    let search = refused(
        "create virtual table items using fts5 (id, team, updated_at)",
        &items(),
    );
    assert_eq!(
        search[0],
        "items: it is a virtual table, which can't have triggers"
    );
    let hidden =
        format!("{ITEMS} create temp table items (id integer primary key, team, updated_at)");
    assert_eq!(
        refused(&hidden, &items()),
        ["items: a temporary table hides it"]
    );
    let mut attached = items();
    attached.schema = Some("other".into());
    let reasons = refused(&format!("{ITEMS} attach ':memory:' as other"), &attached);
    assert_eq!(
        reasons,
        ["other.items: it lies in an attached or temporary database, which triggers can't reach"]
    );
    attached.schema = Some("main".into());
    assert_eq!(refused(ITEMS, &attached), Vec::<String>::new());
}

#[test]
fn keys_that_hide_replaced_rows_are_refused() {
    let expression = format!("{ITEMS} create unique index by_name on items (lower(name))");
    assert_eq!(
        refused(&expression, &items()),
        ["items: a unique index on an expression may replace rows unseen"]
    );
    for keyless in [
        "create table items (id integer, team text, updated_at text)",
        "create table items (id integer, team text, updated_at text, primary key (id, team))",
        "create table items (id integer, team text, updated_at text); create unique index part on items (id) where id > 5",
    ] {
        assert_eq!(
            refused(keyless, &items()),
            ["items: no unique key has exactly the columns of the id"]
        );
    }
}

#[test]
fn columns_that_triggers_cannot_follow_are_refused() {
    let generated = "create table items (id integer primary key, name text, team text as (name), updated_at text as (name) stored)";
    assert_eq!(
        refused(generated, &items()),
        [
            "items: the column team is generated",
            "items: the column updated_at is generated"
        ]
    );
    let collated =
        "create table items (id text collate nocase primary key, team text, updated_at text)";
    assert_eq!(
        refused(collated, &items()),
        ["items: the column id has a collation of its own"]
    );
    let missing = "create table items (id integer primary key, updated_at text)";
    assert_eq!(
        refused(missing, &items()),
        ["items: the column team is missing"]
    );
    let mut unstamped = items();
    unstamped.columns[2].storage = Storage::Boolean;
    assert_eq!(
        refused(ITEMS, &unstamped),
        ["items: its stamp is no instant"]
    );
    let mut untracked = items();
    untracked.untracked = true;
    assert_eq!(
        refused(ITEMS, &untracked),
        ["items: tables on SQLite are always tracked"]
    );
}

#[test]
fn more_triggers_than_there_are_levels_are_refused() {
    let triggers: String = (1..=8)
        .map(|n| format!("create trigger t{n} after update on items begin update items set name = 'x' where id = -1; end;"))
        .collect();
    assert_eq!(
        refused(&format!("{ITEMS} {triggers}"), &items()),
        ["items: too many triggers of its own may write it again after its stamp"]
    );
}

#[test]
fn the_missing_stamp_is_added_with_a_constant_where_it_must_not_be_null() {
    let mut conn = database(
        "create table items (id integer primary key, team text); insert into items (id) values (1)",
    );
    let mut required = items();
    required.columns[2].nullable = false;
    track(&mut conn, &[required]);
    let old = text(&mut conn, "select updated_at from items");
    assert_eq!(old, "1970-01-01 00:00:00.000000+00:00");
    assert_eq!(
        stamped_by(&mut conn, "insert into items (id) values (2)"),
        [2]
    );

    let mut conn = database(
        "create table items (id integer primary key, team text); insert into items (id) values (1)",
    );
    track(&mut conn, &[items()]);
    assert_eq!(text(&mut conn, "select updated_at from items"), "null");
    assert_eq!(stamped_by(&mut conn, "update items set team = 'a'"), [1]);
}
