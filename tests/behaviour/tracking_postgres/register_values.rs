//! Registers move with values of every type, also where its equality says less than its bytes.

use super::{database, definition, install, lines, run};
use carburetor::table::{ColumnDefinition, Storage};
use diesel::PgConnection;

/// A table with a column `value` of `kind`, a row whose value is `first`, and nothing written since.
fn row(kind: &str, storage: Storage, first: &str) -> PgConnection {
    let mut conn = database().connect();
    run(
        &mut conn,
        &format!(
            "create extension citext; create type mood as enum ('sad', 'glad'); create type pair as (a int, b text);
             create collation nocase (provider = icu, locale = 'und-u-ks-level2', deterministic = false);
             create domain short as varchar(9);
             create table items (id int primary key, other int, value {kind}, updated_at timestamptz not null default now());"
        ),
    );
    let mut items = definition("items", &["id"], &[]);
    items.columns.push(ColumnDefinition {
        storage,
        ..ColumnDefinition::new("value")
    });
    install(&mut conn, &[&items]);
    run(
        &mut conn,
        &format!("insert into items (id, value) values (1, {first})"),
    );
    conn
}

/// Whether setting `value` moves its register.
fn moves(conn: &mut PgConnection, value: &str) -> bool {
    run(
        conn,
        &format!("update items set carburetor_registers = null; update items set value = {value}"),
    );
    let members = lines(
        conn,
        "select jsonb_object_keys(carburetor_registers) as name from items",
    );
    members.iter().any(|name| name == "value")
}

/// Sets each of the values twice: only the first time it differs from what was before.
fn each_moves_once(kind: &str, storage: Storage, values: &[&str]) {
    let mut conn = row(kind, storage, "null");
    for value in values {
        assert!(moves(&mut conn, value), "{kind}: {value}");
        assert!(!moves(&mut conn, value), "{kind}: {value} again");
        assert!(!moves(&mut conn, "value"), "{kind}: {value} itself");
    }
    assert!(moves(&mut conn, "null"), "{kind}: null");
    assert!(!moves(&mut conn, "null"), "{kind}: null again");
}

#[test]
fn numbers_booleans_and_instants() {
    each_moves_once("int", Storage::Integer, &["1", "0", "-1"]);
    each_moves_once("smallint", Storage::Integer, &["1", "0"]);
    each_moves_once("bigint", Storage::Integer, &["1", "9007199254740993"]);
    each_moves_once("boolean", Storage::Boolean, &["false", "true"]);
    each_moves_once(
        "timestamptz",
        Storage::Timestamptz,
        &["'2020-01-01'", "'infinity'", "'2020-01-01 00:00:00.000001'"],
    );
    each_moves_once(
        "timestamp",
        Storage::Timestamp,
        &["'2020-01-01'", "'-infinity'"],
    );
    each_moves_once(
        "double precision",
        Storage::Other,
        &["1", "'nan'", "'infinity'", "0"],
    );
    // The scale travels.
    each_moves_once("numeric", Storage::Other, &["1", "1.0", "1.00", "'nan'"]);
    each_moves_once("numeric(10,2)", Storage::Other, &["1", "1.005"]);
}

#[test]
fn text_that_differs_in_case_only() {
    each_moves_once("text", Storage::Text, &["''", "'a'", "'A'", "'ä'", "'a '"]);
    each_moves_once("text collate nocase", Storage::Text, &["'a'", "'A'", "'a'"]);
    each_moves_once("citext", Storage::Text, &["'a'", "'A'", "'a'"]);
    each_moves_once("varchar(3)", Storage::Text, &["'a'", "'A'", "'a '"]);
    each_moves_once("char(3)", Storage::Text, &["''", "'a'", "'A'"]);
    each_moves_once("short", Storage::Text, &["'a'", "'A'"]);
    each_moves_once("name", Storage::Text, &["'a'", "'A'"]);
}

#[test]
fn text_with_spaces_that_its_type_ignores_has_not_changed() {
    let mut conn = row("char(3)", Storage::Text, "'a'");
    assert!(!moves(&mut conn, "'a '"));
}

#[test]
fn types_without_an_equality() {
    each_moves_once("json", Storage::Other, &["'{}'", "'{ }'", "'[1]'", "'1'"]);
    each_moves_once("xml", Storage::Other, &["'<a/>'", "'<b/>'"]);
    each_moves_once("point", Storage::Other, &["'(1,2)'", "'(2,1)'"]);
    each_moves_once("box", Storage::Other, &["'(1,2),(3,4)'", "'(1,2),(4,3)'"]);
}

#[test]
fn all_other_types() {
    each_moves_once(
        "jsonb",
        Storage::Other,
        &["'{}'", "'{\"a\": 1}'", "'{\"a\": 1.0}'", "'null'"],
    );
    each_moves_once("int[]", Storage::Other, &["'{}'", "'{1}'", "'{1,null}'"]);
    each_moves_once("text[]", Storage::Other, &["'{a}'", "'{A}'", "'{{a}}'"]);
    each_moves_once("bytea", Storage::Other, &["''", "'\\x00'", "'\\x0000'"]);
    each_moves_once(
        "uuid",
        Storage::Other,
        &[
            "'00000000-0000-0000-0000-000000000000'",
            "'00000000-0000-0000-0000-000000000001'",
        ],
    );
    each_moves_once("mood", Storage::Other, &["'sad'", "'glad'"]);
    each_moves_once(
        "pair",
        Storage::Other,
        &["row(1, 'a')", "row(1, null)", "row(null, null)"],
    );
    each_moves_once("int4range", Storage::Other, &["'[1,2)'", "'empty'"]);
    each_moves_once("inet", Storage::Other, &["'10.0.0.1'", "'10.0.0.1/8'"]);
    each_moves_once("interval", Storage::Other, &["'1 day'", "'24 hours'"]);
}

#[test]
fn a_model_that_says_text_of_another_type_stops_no_write() {
    each_moves_once("json", Storage::Text, &["'{}'", "'{ }'"]);
    each_moves_once("mood", Storage::Text, &["'sad'", "'glad'"]);
}

#[test]
fn values_that_lie_outside_of_the_row() {
    let mut conn = row("text", Storage::Text, "null");
    run(
        &mut conn,
        "alter table items alter column value set storage external",
    );
    assert!(moves(&mut conn, "repeat('x', 100000)"));
    assert!(!moves(&mut conn, "repeat('x', 100000)"));
    assert!(moves(&mut conn, "repeat('x', 99999) || 'y'"));
    let mut conn = row("json", Storage::Other, "null");
    let large = |last: &str| format!("('\"' || repeat('x', 100000) || '{last}\"')::json");
    assert!(moves(&mut conn, &large("y")));
    assert!(!moves(&mut conn, &large("y")));
    assert!(!moves(&mut conn, "value"));
    assert!(moves(&mut conn, &large("z")));
}
