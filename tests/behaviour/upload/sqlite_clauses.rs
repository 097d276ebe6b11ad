//! Conflict clauses of the application's own.

use super::super::{Device, changes, run, verdicts};
use super::constraints::{Goods, device, good_but, goods};
use super::contents::lines;
use super::{Conn, Server};
use carburetor::change::Change;
use serde_json::json;

#[test]
fn a_triggers_own_conflict_clause_holds_in_an_upload() {
    let (_server, mut conn) = goods();
    let conn = &mut conn;
    run(
        conn,
        "create table labels (label text primary key);
         create trigger labelled after insert on goods begin insert or ignore into labels values (new.label); end",
    );
    let mut device = device();
    let sent = ["one", "one", "two"].iter().zip(2..);
    let sent: Vec<_> = sent
        .map(|(label, id)| device.insert("goods", good_but(id, "label", json!(label))))
        .collect();
    let told = Goods::upload(conn, &changes(sent)).unwrap();
    assert_eq!(verdicts(&told), ["applied"; 3]);
    let labels = lines(conn, "select label as line from labels order by label");
    assert_eq!(labels, ["one", "two"]);
    assert_eq!(
        lines(conn, "select cast(count(*) as text) as line from goods"),
        ["4"]
    );
}

#[test]
fn a_tables_own_conflict_clause_holds_in_an_upload() {
    let (_server, mut conn) = goods();
    let conn = &mut conn;
    run(
        conn,
        "create table seats (seat integer unique on conflict replace, good integer);
         create trigger seated after insert on goods begin insert into seats values (new.seat, new.id); end",
    );
    let mut device = device();
    run(conn, "insert into seats values (7, 0)");
    let sent = [device.insert("goods", good_but(2, "seat", json!(7)))];
    let told = Goods::upload(conn, &changes(sent)).unwrap();
    assert_eq!(verdicts(&told), ["applied"]);
    let seats = lines(conn, "select cast(good as text) as line from seats");
    assert_eq!(seats, ["2"]);
}

/// How many seconds the file's clock goes ahead of those of devices.
const AHEAD: u64 = 60;

/// A server whose clock is ahead of a device's edits of a good and of its neighbour, which come later.
fn edited_before() -> (Server, Conn, [Change; 2]) {
    let (server, mut conn) = goods();
    let mut device = Device::ahead(1, AHEAD / 2);
    let insert = device.insert("goods", good_but(2, "code", json!("neighbour")));
    let told = Goods::upload(&mut conn, &changes([insert])).unwrap();
    assert_eq!(verdicts(&told), ["applied"]);
    let edits = [1, 2].map(|id| device.update("goods", id, json!({"label": "edited"})));
    let ahead = format!("update carburetor_clock set now = now + {AHEAD}000000");
    run(&mut conn, &ahead);
    (server, conn, edits)
}

fn labels(conn: &mut Conn) -> Vec<String> {
    let labels = "select id || ' ' || label as line from goods order by id";
    lines(conn, labels)
}

fn noted(conn: &mut Conn) -> Vec<String> {
    let noted = "select cast(id as text) as line from carburetor_register_goods order by id";
    lines(conn, noted)
}

#[test]
fn an_edit_from_before_a_conflict_that_leaves_the_row_is_written() {
    let new = "into goods (id, code, amount, label)";
    for (is_tried, conflict) in [
        format!("insert or ignore {new} values (3, 'taken', 1, 'l'), (4, 'neighbour', 1, 'l')"),
        format!("insert or ignore {new} values (3, 'taken', 1, 'l'), (5, 'free', 1, 'l')"),
        format!("insert or ignore {new} values (1, 'neighbour', 1, 'l')"),
        format!("insert {new} values (3, 'taken', 1, 'l') on conflict do nothing"),
        format!("insert {new} values (3, 'taken', 1, 'l') on conflict (code) do update set amount = 7"),
        format!("insert {new} values (3, 'taken', 1, 'l') on conflict (code) do update set room = 'other', code = 'other'"),
        "update or ignore goods set code = 'neighbour' where id = 1".to_owned(),
        "update or ignore goods set id = 2 where id = 1".to_owned(),
    ]
    .into_iter()
    .enumerate()
    {
        for recursive in ["off", "on"] {
            let (_server, mut conn, edits) = edited_before();
            let conn = &mut conn;
            run(conn, &format!("pragma recursive_triggers = {recursive}"));
            run(conn, &conflict);
            assert_eq!(noted(conn), [""; 0], "{conflict}");
            for edit in edits {
                let told = Goods::upload(conn, &changes([edit])).unwrap();
                let verdict = verdicts(&told).remove(0);
                assert!(["applied", "merged"].contains(&verdict.as_str()), "{verdict}: {conflict}");
            }
            let mut expected = vec!["1 edited", "2 edited"];
            if is_tried == 1 {
                expected.push("5 l");
            }
            assert_eq!(labels(conn), expected, "{conflict}");
        }
    }
}

#[test]
fn an_edit_of_a_row_that_was_replaced_is_not_written() {
    let new = "into goods (id, code, amount, label)";
    for (conflict, gone) in [
        (
            format!("insert or replace {new} values (3, 'taken', 1, 'l')"),
            "1",
        ),
        (
            format!("insert or replace {new} values (3, 'taken', 1, 'l'), (4, 'taken', 1, 'l')"),
            "1 3",
        ),
        (
            "update or replace goods set code = 'taken' where id = 2".to_owned(),
            "1",
        ),
        (
            "update or replace goods set id = 3, code = 'taken' where id = 2".to_owned(),
            "1 2",
        ),
    ] {
        for recursive in ["off", "on"] {
            for ignored in [
                "",
                "insert or ignore into goods (id, code, amount, label) values (9, 'taken', 1, 'l'); ",
            ] {
                let (_server, mut conn, edits) = edited_before();
                let conn = &mut conn;
                run(conn, &format!("pragma recursive_triggers = {recursive}"));
                run(conn, &format!("{ignored}{conflict}"));
                assert_eq!(noted(conn).join(" "), gone, "{conflict}");
                let before = labels(conn);
                let is_gone = |change: &Change| gone.contains(&change.id.to_string());
                let edit = edits.into_iter().find(is_gone).unwrap();
                Goods::upload(conn, &changes([edit])).unwrap();
                assert_eq!(labels(conn), before, "{conflict}");
            }
        }
    }
}

#[test]
fn what_many_conflicts_leave_behind_goes_with_the_next() {
    let (_server, mut conn, _) = edited_before();
    let conn = &mut conn;
    let many =
        "with recursive many (n) as (select 10 union all select n + 1 from many where n < 5009)";
    let insert = format!(
        "{many} insert or ignore into goods (id, code, amount, label) select n, 'code ' || n, 1, 'l' from many"
    );
    run(conn, &insert);
    let again = insert.replace("select n,", "select n + 100000,");
    run(conn, &again);
    assert_eq!(noted(conn).len(), 0);
    let kept = "select cast(count(*) as text) as line from carburetor_replaced";
    assert_eq!(lines(conn, kept), ["5000"]);
    run(
        conn,
        "insert or ignore into goods (id, code, amount, label) values (9, 'free', 1, 'l'), (8, 'taken', 1, 'l')",
    );
    assert_eq!(lines(conn, kept), ["1"]);
}
