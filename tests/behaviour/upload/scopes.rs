//! What a caller learns of rows that his scope doesn't show: nothing but that.

use super::super::device::{Device, On, changes};
use super::super::{run, verdicts};
use super::contents::{contents, lines, rows};
use super::models::{Person, people};
use super::{CARBURETOR, Conn, DB, Server};
use carburetor::change::{Change, Edit};
use carburetor::outcome::Outcomes;
use carburetor::upload::{ConflictsOf, LoggedConflict};
use carburetor::{Filtered, SyncFilter, SyncGroup, SyncScope, Visible};
use chrono::{DateTime, Utc};
use diesel::prelude::*;
use serde_json::{Value, json};

/// Sees one team.
struct Team(&'static str);

impl SyncScope<Person, DB> for Team {
    fn filter(&self) -> Visible<'_, people::table, DB> {
        Visible::only(people::team.eq(self.0))
    }
}

/// Leaves out the team that nobody sees.
struct NotSecret;

impl SyncFilter<Person, DB> for NotSecret {
    fn filter() -> Visible<'static, people::table, DB> {
        Visible::only(people::team.ne("secret"))
    }
}

type Teams = SyncGroup<(Person,), Team>;
type Open = SyncGroup<(Filtered<Person, NotSecret>,)>;

fn upload(conn: &mut Conn, team: &'static str, sent: Change) -> Outcomes {
    Teams::scoped(&Team(team))
        .upload(conn, &changes([sent]))
        .unwrap()
}

/// A server with one person of each team.
fn with_people() -> (Server, Conn) {
    let server = Server::new();
    let mut conn = server.connect();
    run(
        &mut conn,
        "insert into people (id, name, email, team, kind) values ('ann', 'Ann', 'ann@x', 'red', 'k'), ('bob', 'Bob', 'bob@x', 'blue', 'k'),
           ('sam', 'Sam', 'sam@x', 'secret', 'other')",
    );
    (server, conn)
}

fn person(id: &str, team: &str) -> Value {
    json!({"id": id, "name": id, "email": null, "team": team, "kind": "k"})
}

/// All but the stamps and registers of the people.
fn stored(conn: &mut Conn) -> Vec<String> {
    let query = "select id || ' ' || name || ' ' || team as line from people order by id";
    lines(conn, query)
}

/// An answer without the clocks, which differ in every change.
fn answer(told: &Outcomes) -> Value {
    let outcome = &told.outcomes[0];
    json!([
        verdicts(told),
        format!("{:?}", outcome.verdict),
        outcome.stamp,
        outcome.row
    ])
}

/// What somebody may try with a row: as one who wrote before all the others, and as one who writes after them.
fn attempts(id: &str) -> Vec<Change> {
    let mut attempts = Vec::new();
    for mut device in [Device::ago(5, 120), Device::ahead(5, 30)] {
        attempts.extend([
            device.update("people", id, json!({"name": "Mine"})),
            device.update("people", id, json!({"team": "red"})),
            device.insert("people", person(id, "red")),
            device.delete("people", id),
        ]);
    }
    attempts
}

#[test]
fn hidden_rows_are_answered_alike_whatever_is_in_them() {
    let (_server, conn) = &mut with_people();
    let before = (stored(conn), rows(conn, "people"));
    for (of_bob, of_sam) in attempts("bob").into_iter().zip(attempts("sam")) {
        let expected = match of_bob.edit {
            Edit::Insert(_) => "has this id: insert it under another one",
            _ => "shows no such row",
        };
        let of_bob = upload(conn, "red", of_bob);
        let of_sam = upload(conn, "red", of_sam);
        assert_eq!(verdicts(&of_bob), ["forbidden"]);
        let why = format!("{:?}", of_bob.outcomes[0].verdict);
        assert!(why.contains(expected), "{why}");
        assert_eq!(answer(&of_bob), answer(&of_sam));
        assert_eq!(of_bob.outcomes[0].row, None);
        assert_eq!(of_bob.outcomes[0].stamp, None);
    }
    assert_eq!((stored(conn), rows(conn, "people")), before);
}

#[test]
fn a_row_that_was_never_there_is_answered_like_a_hidden_one() {
    let (_server, conn) = &mut with_people();
    let is_no_insert = |sent: &Change| !matches!(sent.edit, Edit::Insert(_));
    let pairs = attempts("bob").into_iter().zip(attempts("nobody"));
    for (of_bob, of_nobody) in pairs.filter(|(sent, _)| is_no_insert(sent)) {
        let of_bob = upload(conn, "red", of_bob);
        let of_nobody = upload(conn, "red", of_nobody);
        assert_eq!(verdicts(&of_nobody), ["forbidden"]);
        assert_eq!(answer(&of_bob), answer(&of_nobody));
    }
}

#[test]
fn a_hidden_row_that_was_deleted_is_answered_like_one_that_is_there() {
    let (_server, conn) = &mut with_people();
    let deletes = Device::ahead(2, 50).delete("people", "bob");
    assert_eq!(verdicts(&upload(conn, "blue", deletes)), ["applied"]);
    let register = format!("{CARBURETOR}register_people");
    let known = rows(conn, &register);
    for (of_bob, of_sam) in attempts("bob").into_iter().zip(attempts("sam")) {
        let of_bob = upload(conn, "red", of_bob);
        assert_eq!(answer(&of_bob), answer(&upload(conn, "red", of_sam)));
        // The deletion's clock stays the other team's.
        assert_eq!(rows(conn, &register), known);
    }
    assert_eq!(stored(conn), ["ann Ann red", "sam Sam secret"]);
}

#[test]
fn the_id_of_a_hidden_row_that_was_deleted_is_free_for_a_later_insert() {
    let (_server, conn) = &mut with_people();
    run(conn, "delete from people where id = 'bob'");
    let inserts = Device::ahead(5, 30).insert("people", person("bob", "red"));
    assert_eq!(verdicts(&upload(conn, "red", inserts)), ["applied"]);
    assert_eq!(stored(conn)[1], "bob bob red");
    // The other team has no part in it any more.
    let edit = Device::ahead(6, 40).update("people", "bob", json!({"name": "Bob"}));
    assert_eq!(verdicts(&upload(conn, "blue", edit)), ["forbidden"]);
}

#[test]
fn a_row_is_not_sent_out_of_the_scope_nor_made_there() {
    let (_server, conn) = &mut with_people();
    let before = rows(conn, "people");
    let mut device = Device::ahead(1, 30);
    for sent in [
        device.update("people", "ann", json!({"team": "blue"})),
        device.update("people", "ann", json!({"team": "blue", "name": "Gone"})),
        device.insert("people", person("eve", "blue")),
        // Her id is known: as an edit it would take her out of the scope.
        device.insert("people", person("ann", "blue")),
    ] {
        let told = upload(conn, "red", sent.clone());
        assert_eq!(verdicts(&told), ["forbidden"], "{sent:?}");
        let why = format!("{:?}", told.outcomes[0].verdict);
        assert!(
            why.contains("doesn't show the row as it would be written"),
            "{why}"
        );
        // Of her own row the caller is told what it is.
        let shown = told.outcomes[0].row.as_ref().map(|row| row["name"].clone());
        assert_eq!(shown, (sent.id == json!("ann")).then(|| json!("Ann")));
    }
    assert_eq!(rows(conn, "people"), before);
    let logged = format!("{CARBURETOR}conflict_people");
    assert_eq!(rows(conn, &logged), [""; 0]);
}

#[test]
fn a_row_that_leaves_the_scope_and_comes_back_within_one_upload_is_judged_change_by_change() {
    let (_server, conn) = &mut with_people();
    let mut device = Device::ahead(1, 30);
    let sent = changes([
        device.update("people", "ann", json!({"team": "blue"})),
        device.update("people", "ann", json!({"name": "Anne"})),
        device.update("people", "ann", json!({"team": "red", "email": "anne@x"})),
    ]);
    let told = Teams::scoped(&Team("red")).upload(conn, &sent).unwrap();
    assert_eq!(verdicts(&told), ["forbidden", "merged", "merged"]);
    assert_eq!(stored(conn)[0], "ann Anne red");
}

/// The stamp of a person.
fn seen(conn: &mut Conn, id: &str) -> DateTime<Utc> {
    let found = people::table.find(id).select(people::at);
    found.first(conn).unwrap()
}

#[test]
fn a_row_that_the_server_moved_since_it_was_seen_is_no_longer_the_senders() {
    let (_server, conn) = &mut with_people();
    let base = seen(conn, "ann");
    run(
        conn,
        "update people set team = 'blue', name = 'Moved' where id = 'ann'",
    );
    let before = rows(conn, "people");
    for sent in attempts("ann") {
        let told = upload(conn, "red", sent.on_stamp(base));
        assert_eq!(verdicts(&told), ["forbidden"]);
        assert_eq!(told.outcomes[0].row, None);
    }
    assert_eq!(rows(conn, "people"), before);
    // And is the other team's, who has never seen it.
    let edit = Device::ahead(6, 30).update("people", "ann", json!({"name": "Ours"}));
    let told = upload(conn, "blue", edit);
    assert_eq!(verdicts(&told), ["merged"]);
    assert_eq!(told.outcomes[0].row.as_ref().unwrap()["name"], "Ours");
}

#[test]
fn what_a_filter_leaves_out_is_written_by_nobody() {
    let (_server, conn) = &mut with_people();
    let before = rows(conn, "people");
    let mut sent = attempts("sam");
    let mut device = Device::ahead(1, 30);
    sent.push(device.update("people", "ann", json!({"team": "secret"})));
    sent.push(device.insert("people", person("eve", "secret")));
    for sent in sent {
        let told = Open::upload(conn, &changes([sent])).unwrap();
        assert_eq!(verdicts(&told), ["forbidden"]);
    }
    assert_eq!(rows(conn, "people"), before);
    let edit = device.update("people", "bob", json!({"name": "Bobby"}));
    let told = Open::upload(conn, &changes([edit])).unwrap();
    assert_eq!(verdicts(&told), ["merged"]);
    run(conn, "delete from people where id = 'sam'");
    for sent in attempts("sam").into_iter().take(4) {
        let told = Open::upload(conn, &changes([sent])).unwrap();
        assert_eq!(verdicts(&told), ["forbidden"]);
    }
}

/// The conflicts that a team is shown.
fn logged(conn: &mut Conn, team: &'static str, sender: Option<u64>) -> Vec<LoggedConflict> {
    let wanted = ConflictsOf {
        sender,
        ..ConflictsOf::default()
    };
    Teams::scoped(&Team(team)).conflicts(conn, &wanted).unwrap()
}

#[test]
fn the_conflict_log_is_shown_by_team_and_by_sender() {
    let (_server, conn) = &mut with_people();
    for (replica, team, id) in [(1, "red", "ann"), (2, "red", "ann"), (3, "blue", "bob")] {
        let old = Device::ago(replica, 60).update("people", id, json!({"name": "Lost"}));
        assert_eq!(verdicts(&upload(conn, team, old)), ["superseded"]);
        // What is forbidden is no conflict.
        let hidden = Device::ago(replica, 30).update("people", "sam", json!({"name": "Lost"}));
        assert_eq!(verdicts(&upload(conn, team, hidden)), ["forbidden"]);
    }
    let of = |conflicts: Vec<LoggedConflict>| -> Vec<(Value, u64)> {
        conflicts
            .into_iter()
            .map(|entry| (entry.id, entry.sender))
            .collect()
    };
    let all = of(logged(conn, "red", None));
    assert_eq!(all, [(json!("ann"), 1), (json!("ann"), 2)]);
    assert_eq!(of(logged(conn, "red", Some(2))), [(json!("ann"), 2)]);
    assert_eq!(of(logged(conn, "red", Some(3))), []);
    assert_eq!(of(logged(conn, "blue", None)), [(json!("bob"), 3)]);
    assert_eq!(of(logged(conn, "secret", None)), []);
    // Where the row went since doesn't count: its values were red's.
    run(conn, "update people set team = 'blue' where id = 'ann'");
    assert_eq!(of(logged(conn, "red", None)), all);
    assert_eq!(of(logged(conn, "blue", None)), [(json!("bob"), 3)]);
}

#[test]
fn what_was_answered_to_one_team_shows_nothing_when_another_sends_it_again() {
    let (_server, conn) = &mut with_people();
    let edit = Device::ahead(1, 30).update("people", "ann", json!({"name": "Anne"}));
    let old = Device::ago(1, 60).update("people", "ann", json!({"name": "Old"}));
    for (sent, verdict) in [(edit, "merged"), (old, "superseded")] {
        let told = upload(conn, "red", sent.clone());
        assert_eq!(verdicts(&told), [verdict]);
        assert!(told.outcomes[0].row.is_some());
        let before = contents(conn);
        let told = upload(conn, "blue", sent);
        assert_eq!(told.outcomes[0].row, None);
        assert_eq!(contents(conn), before);
    }
}

/// A row that was inserted while the account saw blue is no removal for one that sees red, and stayed for ever.
#[test]
fn a_repeat_within_another_scope_says_that_the_replica_has_to_begin_anew() {
    let (_server, conn) = &mut with_people();
    let mut device = Device::ahead(1, 30);
    let sent = device.insert("people", person("eve", "blue"));
    let first = upload(conn, "blue", sent.clone());
    let again = upload(conn, "red", sent.clone());
    assert_eq!(again.outcomes, first.outcomes);
    assert_eq!(again.scope.as_deref(), Some(""), "the scope of no download");
    assert_eq!(upload(conn, "blue", sent).scope, first.scope);
    let fresh = upload(conn, "red", device.insert("people", person("kim", "red")));
    assert!(fresh.scope.as_ref().is_some_and(|scope| !scope.is_empty()));
    assert_ne!(fresh.scope, first.scope);
}

/// Two users of one device had one queue: what the one had edited was sent in the name of the other.
#[test]
fn what_one_user_queued_is_not_written_in_the_name_of_another() {
    let (_server, conn) = &mut with_people();
    let before = rows(conn, "people");
    let mut device = Device::ahead(1, 30);
    let mut queue = || {
        changes([
            device.update("people", "ann", json!({"name": "Anne"})),
            device.insert("people", person("eve", "red")),
            device.delete("people", "ann"),
        ])
    };
    let told = Teams::scoped(&Team("blue")).upload(conn, &queue()).unwrap();
    assert_eq!(verdicts(&told), ["forbidden"; 3]);
    assert_eq!(rows(conn, "people"), before);
    // With new clocks they are the first user's after all.
    let told = Teams::scoped(&Team("red")).upload(conn, &queue()).unwrap();
    assert_eq!(verdicts(&told), ["merged", "applied", "applied"]);
    assert_eq!(
        stored(conn),
        ["bob Bob blue", "eve eve red", "sam Sam secret"]
    );
}
