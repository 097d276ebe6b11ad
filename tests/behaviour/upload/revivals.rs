//! Rows that were deleted softly and are inserted again.

use super::super::cards::CARDS;
use super::super::device::{Device, changes};
use super::super::{run, verdicts};
use super::cards::{Card, cards};
use super::contents::{lines, rows};
use super::{Conn, DB, Server};
use carburetor::outcome::Outcomes;
use carburetor::{SyncGroup, SyncScope, Visible};
use diesel::prelude::*;
use serde_json::{Value, json};

/// Sees one team.
struct Team(&'static str);

impl SyncScope<Card, DB> for Team {
    fn filter(&self) -> Visible<'_, cards::table, DB> {
        Visible::only(cards::team.eq(self.0))
    }
}

type Cards = SyncGroup<(Card,), Team>;

/// A server where blue deleted a card that had a code and a level.
fn with_deleted_card() -> (Server, Conn) {
    let server = Server::new();
    let mut conn = server.connect();
    run(&mut conn, CARDS);
    SyncGroup::<(Card,)>::tracking::<DB>()
        .install(&mut conn)
        .unwrap();
    let mut device = Device::ago(1, 60);
    let row = json!({"id": 1, "team": "blue", "body": "body", "code": "secret", "level": 9});
    let sent = changes([device.insert("cards", row), device.delete("cards", 1)]);
    let told = Cards::scoped(&Team("blue"))
        .upload(&mut conn, &sent)
        .unwrap();
    assert_eq!(verdicts(&told), ["applied"; 2]);
    (server, conn)
}

fn card(conn: &mut Conn) -> Vec<String> {
    let query = "select team || ' ' || body || ' ' || coalesce(code, '-') || ' ' || cast(level as text) as line from cards where not gone";
    lines(conn, query)
}

/// Inserts the card again, in the name of `team`; what that is answered with.
fn inserted(conn: &mut Conn, team: &'static str, columns: Value) -> Outcomes {
    let mut row = json!({"id": 1, "team": team, "body": "new"});
    let Value::Object(columns) = columns else {
        panic!("{columns}")
    };
    row.as_object_mut().unwrap().extend(columns);
    let replica = if team == "red" { 2 } else { 3 };
    let sent = changes([Device::new(replica).insert("cards", row)]);
    Cards::scoped(&Team(team)).upload(conn, &sent).unwrap()
}

#[test]
fn what_an_insert_leaves_out_of_a_row_that_comes_back_is_told() {
    let (_server, conn) = &mut with_deleted_card();
    let told = inserted(conn, "blue", json!({}));
    assert_eq!(verdicts(&told), ["merged"]);
    let row = told.outcomes[0].row.as_ref().unwrap();
    assert_eq!((&row["code"], &row["level"]), (&json!("secret"), &json!(9)));
    assert_eq!(card(conn), ["blue new secret 9"]);
}

#[test]
fn a_row_that_comes_back_as_a_whole_is_the_senders() {
    let (_server, conn) = &mut with_deleted_card();
    let told = inserted(conn, "blue", json!({"code": null, "level": 2}));
    assert_eq!(verdicts(&told), ["applied"]);
    assert_eq!(card(conn), ["blue new - 2"]);
}

#[test]
fn a_deleted_row_of_another_team_is_not_taken_over() {
    for columns in [json!({}), json!({"code": null, "level": 2})] {
        let (_server, conn) = &mut with_deleted_card();
        let before = rows(conn, "cards");
        let told = inserted(conn, "red", columns);
        assert_eq!(verdicts(&told), ["forbidden"]);
        assert_eq!(told.outcomes[0].row, None);
        assert_eq!(rows(conn, "cards"), before);
        // Whose it is may bring it back.
        assert_eq!(verdicts(&inserted(conn, "blue", json!({}))), ["merged"]);
    }
}
