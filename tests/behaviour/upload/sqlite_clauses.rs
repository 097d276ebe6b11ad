//! Conflict clauses of the application's own.

use super::super::{changes, run, verdicts};
use super::constraints::{Goods, device, good_but, goods};
use super::contents::lines;
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
