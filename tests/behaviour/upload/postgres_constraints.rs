//! Constraints that wait for the commit.

use super::super::{changes, run, verdicts};
use super::constraints::{Goods, device, good_but, goods};
use super::contents::lines;
use super::swaps::pairs;
use carburetor::upload::UploadError;
use diesel::prelude::*;
use diesel::result::{DatabaseErrorKind, Error};
use serde_json::json;

const SEATS: &str = "select cast(seat as text) as line from goods where id > 1 order by id";

#[test]
fn unique_values_that_are_checked_late_are_swapped_at_once() {
    let (_server, conn) = &mut goods();
    let mut device = device();
    let sent = [(2, 20), (3, 30)]
        .map(|(id, seat)| device.insert("goods", good_but(id, "seat", json!(seat))));
    Goods::upload(conn, &changes(sent)).unwrap();
    let sent = [
        device.update("goods", 2, json!({"seat": 30})),
        device.update("goods", 3, json!({"seat": 20})),
    ];
    let told = Goods::upload(conn, &changes(sent)).unwrap();
    assert_eq!(verdicts(&told), ["merged", "merged"]);
    assert_eq!(lines(conn, SEATS), ["30", "20"]);
}

#[test]
fn what_the_caller_left_broken_is_not_blamed_on_the_changes() {
    let (_server, conn) = &mut goods();
    let mut device = device();
    let sent = changes([device.insert("owners", json!({"id": 2, "name": "Bob"}))]);
    let broken = "insert into pairs (id, other, name) values (1, 2, 'n')";
    conn.transaction(|conn| {
        run(conn, broken);
        let failed = Goods::upload(conn, &sent).unwrap_err();
        let UploadError::Query(Error::DatabaseError(kind, told)) = failed else {
            panic!("{failed}")
        };
        assert!(matches!(kind, DatabaseErrorKind::ForeignKeyViolation));
        assert_eq!(told.constraint_name(), Some("pairs_other"));
        run(
            conn,
            "insert into pairs (id, other, name) values (2, 1, 'n')",
        );
        assert_eq!(verdicts(&Goods::upload(conn, &sent)?), ["applied"]);
        diesel::QueryResult::Ok(())
    })
    .unwrap();
    assert_eq!(pairs(conn), ["12", "21"]);
}
