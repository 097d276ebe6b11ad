//! Changes that a constraint lets pass in one order, or together, only.

use super::super::{Device, changes, run, verdicts};
use super::Conn;
use super::constraints::{Goods, device, good_but, goods};
use super::contents::lines;
use diesel::prelude::*;
use serde_json::json;

/// Two goods with the codes a and b.
fn two(conn: &mut Conn) -> Device {
    let mut device = device();
    let sent = [(2, "a"), (3, "b")]
        .map(|(id, code)| device.insert("goods", good_but(id, "code", json!(code))));
    let told = Goods::upload(conn, &changes(sent)).unwrap();
    device.observe(told.clock);
    device
}

fn codes(conn: &mut Conn) -> Vec<String> {
    lines(
        conn,
        "select cast(id as text) || code as line from goods where id > 1 order by goods.id",
    )
}

#[test]
fn unique_values_are_swapped_by_way_of_a_third() {
    let (_server, conn) = &mut goods();
    let mut device = two(conn);
    let sent = [(2, "c"), (3, "a"), (2, "b")]
        .map(|(id, code)| device.update("goods", id, json!({"code": code})));
    let told = Goods::upload(conn, &changes(sent)).unwrap();
    assert_eq!(verdicts(&told), ["merged"; 3]);
    assert_eq!(codes(conn), ["2b", "3a"]);
}

#[test]
fn a_unique_value_is_handed_on_in_one_upload() {
    for (gives, takes) in [(2, 3), (3, 2)] {
        let (_server, conn) = &mut goods();
        let mut device = two(conn);
        let value = if gives == 2 { "a" } else { "b" };
        let sent = [
            device.update("goods", gives, json!({"code": "z"})),
            device.update("goods", takes, json!({"code": value})),
            device.delete("goods", takes),
            device.insert("goods", good_but(4, "code", json!(value))),
        ];
        let told = Goods::upload(conn, &changes(sent)).unwrap();
        let told = verdicts(&told);
        assert!(
            told.iter()
                .all(|told| ["applied", "merged", "superseded"].contains(&told.as_str())),
            "{told:?}"
        );
        assert_eq!(codes(conn), [format!("{gives}z"), format!("4{value}")]);
    }
}

#[test]
fn what_no_order_of_writes_can_swap_is_refused_and_left() {
    let (_server, conn) = &mut goods();
    let mut device = two(conn);
    let sent =
        [(2, "b"), (3, "a")].map(|(id, code)| device.update("goods", id, json!({"code": code})));
    let told = Goods::upload(conn, &changes(sent)).unwrap();
    assert_eq!(verdicts(&told), ["constraint"; 2]);
    assert_eq!(codes(conn), ["2a", "3b"]);
}

pub(super) fn pairs(conn: &mut Conn) -> Vec<String> {
    lines(
        conn,
        "select cast(id as text) || cast(other as text) as line from pairs order by id",
    )
}

#[test]
fn rows_that_refer_to_each_other_arrive_together_wherever_a_bad_change_stands() {
    for place in 0..5 {
        let (_server, conn) = &mut goods();
        let mut device = device();
        let pair = |id: i32, other: i32| json!({"id": id, "other": other, "name": "n"});
        let mut sent: Vec<_> = [(1, 2), (2, 1), (3, 4), (4, 3)]
            .map(|(id, other)| device.insert("pairs", pair(id, other)))
            .into();
        sent.insert(place, device.insert("pairs", pair(5, 99)));
        let told = Goods::upload(conn, &changes(sent)).unwrap();
        let mut expected = vec!["applied"; 4];
        expected.insert(place, "constraint");
        assert_eq!(verdicts(&told), expected, "bad at {place}");
        assert_eq!(pairs(conn), ["12", "21", "34", "43"], "bad at {place}");
    }
}

#[test]
fn the_callers_own_constraints_wait_for_his_commit_as_before() {
    let (_server, conn) = &mut goods();
    let mut device = device();
    let sent = changes([device.insert("owners", json!({"id": 2, "name": "Bob"}))]);
    conn.transaction(|conn| {
        Goods::upload(conn, &sent).unwrap();
        // The row that it refers to comes after it.
        run(
            conn,
            "insert into pairs (id, other, name) values (1, 2, 'n'); insert into pairs (id, other, name) values (2, 1, 'n')",
        );
        diesel::QueryResult::Ok(())
    })
    .unwrap();
    assert_eq!(pairs(conn), ["12", "21"]);
}
