//! References to rows that the caller's scope doesn't show.

use super::super::rooms::{ROOMS, ROWS};
use super::super::{Device, changes, run, verdicts};
use super::contents::{lines, rows};
use super::rooms::{Desk, Room, desks, rooms};
use super::{Conn, DB, Server};
use carburetor::change::Change;
use carburetor::outcome::{Code, Outcomes, Verdict};
use carburetor::upload::{Transactions, UploadError, UploadOptions};
use carburetor::{SyncGroup, SyncScope, Visible};
use diesel::prelude::*;
use serde_json::{Value, json};

/// Sees one team.
struct Team(&'static str);

impl SyncScope<Room, DB> for Team {
    fn filter(&self) -> Visible<'_, rooms::table, DB> {
        Visible::only(rooms::team.eq(self.0))
    }
}

impl SyncScope<Desk, DB> for Team {
    fn filter(&self) -> Visible<'_, desks::table, DB> {
        Visible::only(desks::team.eq(self.0))
    }
}

type House = SyncGroup<(Desk, Room), Team>;

/// A server whose foreign keys are looked at as `late` says.
fn with_rooms(late: &str) -> (Server, Conn) {
    let server = Server::new();
    let mut conn = server.connect();
    run(&mut conn, &ROOMS.replace("{late}", late));
    SyncGroup::<(Desk, Room)>::tracking::<DB>()
        .install(&mut conn)
        .unwrap();
    run(&mut conn, ROWS);
    (server, conn)
}

const WHENS: [&str; 2] = ["", "deferrable initially deferred"];

fn desk(id: i32, room: Option<(&str, i32)>, beside: Option<i32>) -> Value {
    let (house, room) = room.unzip();
    json!({"id": id, "house": house, "room": room, "beside": beside, "label": "new", "team": "red"})
}

/// An insert of the first room of a house.
fn room(device: &mut Device, house: &str) -> Change {
    let row = json!({"house": house, "number": 1, "team": "red"});
    let mut change = device.insert("rooms", row);
    change.id = json!([house, 1]);
    change
}

fn upload_as(conn: &mut Conn, team: &'static str, sent: Vec<Change>) -> Outcomes {
    House::scoped(&Team(team))
        .upload(conn, &changes(sent))
        .unwrap()
}

/// All that an answer says, as if it had been of what nobody has.
fn told(outcomes: &Outcomes) -> Vec<Value> {
    let outcomes = outcomes.outcomes.iter();
    let said = outcomes.map(|outcome| {
        json!([
            format!("{:?}", outcome.verdict).replace("= 2", "= 99"),
            outcome.stamp,
            outcome.row.as_ref().map(|row| row["id"].clone())
        ])
    });
    said.collect()
}

/// What writes references: to a room and to a desk that `hidden` has, or to what nobody has.
fn attempts(hidden: bool) -> Vec<Change> {
    let (number, other) = if hidden { (2, 2) } else { (99, 99) };
    let mut device = Device::ahead(5, 30);
    vec![
        device.insert("desks", desk(10, Some(("a", number)), None)),
        device.insert("desks", desk(11, None, Some(other))),
        device.insert("desks", desk(12, Some(("a", number)), Some(other))),
        device.insert("desks", desk(13, Some(("a", 99)), Some(other))),
        device.insert("desks", desk(14, Some(("a", number)), Some(99))),
        // One that isn't the caller's either.
        device.insert("desks", {
            let mut desk = desk(15, None, Some(other));
            desk["team"] = json!("blue");
            desk
        }),
        device.update("desks", 1, json!({"room": number})),
        device.update(
            "desks",
            1,
            json!({"house": "a", "room": number, "label": "x"}),
        ),
        device.update("desks", 1, json!({"beside": other})),
        device.insert("desks", desk(1, None, Some(other))),
    ]
}

#[test]
fn a_reference_to_a_hidden_row_is_answered_as_one_to_a_row_that_is_not_there() {
    for late in WHENS {
        let (_server, conn) = &mut with_rooms(late);
        let before = rows(conn, "desks");
        for (hidden, absent) in attempts(true).into_iter().zip(attempts(false)) {
            let sent = format!("{late} {hidden:?}");
            let hidden = upload_as(conn, "red", vec![hidden]);
            let absent = upload_as(conn, "red", vec![absent]);
            assert_eq!(told(&hidden), told(&absent), "{sent}");
            let Verdict::Rejected(rejection) = &hidden.outcomes[0].verdict else {
                panic!("{sent}");
            };
            assert!(matches!(rejection.code, Code::Constraint | Code::Forbidden));
        }
        let [hidden, absent] =
            [true, false].map(|hidden| told(&upload_as(conn, "red", attempts(hidden))));
        assert_eq!(hidden, absent);
        assert_eq!(rows(conn, "desks"), before);
        // Nothing is in the other team's way.
        let deletes = Device::ahead(6, 40).delete("desks", 2);
        run(conn, "update desks set beside = null where id = 3");
        assert_eq!(
            verdicts(&upload_as(conn, "blue", vec![deletes])),
            ["applied"]
        );
    }
}

#[test]
fn the_rows_that_a_row_may_lack_are_named() {
    let (_server, conn) = &mut with_rooms("");
    let mut device = Device::ahead(5, 30);
    let before = "desks: it refers to a row that isn't there or that the scope doesn't show: ";
    let after = "; write that row first, or refer to another one";
    let room = "rooms by house = \"a\" and room = 99";
    let sent = vec![
        device.insert("desks", desk(10, Some(("a", 99)), None)),
        device.update("desks", 1, json!({"beside": 99})),
        device.insert("desks", desk(10, Some(("a", 99)), Some(1))),
    ];
    // One after the other, because of those that come together a parent may be the rejected one.
    let told = sent.into_iter().map(|change| {
        let outcomes = upload_as(conn, "red", vec![change]).outcomes;
        match &outcomes[0].verdict {
            Verdict::Rejected(rejection) => rejection.message.clone(),
            verdict => panic!("{verdict:?}"),
        }
    });
    let told: Vec<String> = told.collect();
    assert_eq!(told[0], format!("{before}{room}{after}"));
    assert_eq!(told[1], format!("{before}desks by beside = 99{after}"));
    // Which of two it is depends on what the scope hides.
    assert!(
        told[2].contains(room) && told[2].contains("desks by beside = 1"),
        "{}",
        told[2]
    );
}

#[test]
fn whoever_asks_for_all_or_nothing_learns_no_more() {
    for transactions in [Transactions::AllOrNothing, Transactions::PerChange] {
        let (_server, conn) = &mut with_rooms("");
        let options = UploadOptions {
            transactions,
            ..UploadOptions::default()
        };
        let scope = Team("red");
        let mut answers = [true, false].map(|hidden| {
            let sent = changes(attempts(hidden));
            match House::scoped(&scope).upload_with(conn, &sent, &options) {
                Ok(outcomes) => format!("{:?}", told(&outcomes)),
                Err(UploadError::Refused(rejections)) => {
                    format!("{rejections:?}").replace("= 2", "= 99")
                }
                Err(error) => panic!("{error}"),
            }
        });
        let [hidden, absent] = &mut answers;
        assert_eq!(hidden, absent);
    }
}

#[test]
fn references_that_a_row_has_and_those_to_what_is_shown_are_written() {
    for late in WHENS {
        let (_server, conn) = &mut with_rooms(late);
        let mut device = Device::ahead(1, 20);
        let known = vec![
            // It stands in a hidden room, beside a hidden desk, and whoever sees it knows.
            device.update("desks", 3, json!({"label": "edited"})),
            device.update(
                "desks",
                3,
                json!({"house": "a", "room": 2, "beside": 2, "label": "again"}),
            ),
        ];
        for known in known {
            assert_eq!(verdicts(&upload_as(conn, "red", vec![known])), ["merged"]);
        }
        let sent = vec![
            device.insert("desks", desk(20, None, None)),
            // Half of a key refers to nothing.
            device.insert("desks", json!({"id": 21, "house": null, "room": 2, "beside": null, "label": "x", "team": "red"})),
            device.insert("desks", desk(22, Some(("a", 1)), Some(1))),
            device.insert("desks", desk(23, None, Some(23))),
            // What comes with the upload, in whatever order.
            device.insert("desks", desk(24, Some(("c", 1)), Some(20))),
            room(&mut device, "c"),
            device.update("desks", 1, json!({"house": "c", "beside": 24})),
            device.update("desks", 3, json!({"room": null, "beside": null})),
        ];
        let told = verdicts(&upload_as(conn, "red", sent));
        let is_written = |verdict: &String| verdict == "applied" || verdict == "merged";
        assert!(told.iter().all(is_written), "{told:?}");
        let query = "select id || ' ' || coalesce(house, '-') || ' ' || coalesce(room, 0) || ' ' || coalesce(beside, 0) as line from desks \
                     where team = 'red' order by id";
        assert_eq!(
            lines(conn, query),
            [
                "1 c 1 24",
                "3 a 0 0",
                "20 - 0 0",
                "21 - 2 0",
                "22 a 1 1",
                "23 - 0 23",
                "24 c 1 20"
            ]
        );
        // A room that the row left is hidden again.
        let back = device.update("desks", 3, json!({"room": 2}));
        assert_eq!(
            verdicts(&upload_as(conn, "red", vec![back])),
            ["constraint"]
        );
    }
}

#[test]
fn rows_that_refer_to_each_other_arrive_together_and_take_no_hidden_one_along() {
    let (_server, conn) = &mut with_rooms("deferrable initially deferred");
    let mut device = Device::ahead(1, 20);
    let told = upload_as(
        conn,
        "red",
        vec![
            device.insert("desks", desk(30, None, Some(31))),
            device.insert("desks", desk(31, None, Some(30))),
            device.insert("desks", desk(32, Some(("a", 2)), Some(33))),
            device.insert("desks", desk(33, None, Some(32))),
        ],
    );
    let told = verdicts(&told);
    assert_eq!(told[..2], ["applied", "applied"]);
    assert!(
        told[2..]
            .iter()
            .all(|verdict| verdict == "constraint" || verdict == "needs_parent"),
        "{told:?}"
    );
}

#[test]
fn a_thousand_hidden_references_stop_none_of_those_between() {
    let (_server, conn) = &mut with_rooms("");
    let mut device = Device::ahead(1, 20);
    let sent = (0..1000).map(|number| {
        let room = if number % 2 == 0 { ("a", 2) } else { ("b", 1) };
        device.insert("desks", desk(100 + number, Some(room), None))
    });
    let told = verdicts(&upload_as(conn, "red", sent.collect()));
    for (number, verdict) in told.iter().enumerate() {
        assert_eq!(
            verdict,
            if number % 2 == 0 {
                "constraint"
            } else {
                "applied"
            }
        );
    }
}

#[test]
fn of_several_changes_of_a_row_only_those_with_a_hidden_reference_are_rejected() {
    let (_server, conn) = &mut with_rooms("");
    let mut device = Device::ahead(1, 20);
    let told = upload_as(
        conn,
        "red",
        vec![
            device.insert("desks", desk(40, None, None)),
            device.update("desks", 40, json!({"house": "a", "room": 2})),
            device.update("desks", 40, json!({"label": "kept"})),
        ],
    );
    assert_eq!(verdicts(&told), ["applied", "constraint", "applied"]);
    assert_eq!(
        lines(
            conn,
            "select coalesce(house, '-') || label as line from desks where id = 40"
        ),
        ["-kept"]
    );
}
