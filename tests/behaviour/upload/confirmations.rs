//! Outcomes are stored until the replica confirms that it has them.

use super::super::{Device, changes, run, verdicts};
use super::contents::{contents, rows};
use super::models::ClientRow;
use super::repeats::{Fields, inserts};
use super::{CARBURETOR, Conn, HOUR_BEFORE, Server};
use carburetor::SyncGroup;
use carburetor::change::{Change, Changes};
use carburetor::clock::Clock;
use serde_json::json;

/// A table where what replicas send always stands.
type Clients = SyncGroup<(ClientRow,)>;

/// These changes of a replica that has every outcome up to `clock`.
fn confirming(clock: Clock, sent: impl IntoIterator<Item = Change>) -> Changes {
    let mut sent = changes(sent);
    sent.confirmed = Some(clock);
    sent
}

fn stored_outcomes(conn: &mut Conn) -> usize {
    rows(conn, &format!("{CARBURETOR}outcome")).len()
}

fn pass_an_hour(conn: &mut Conn) {
    let table = format!("{CARBURETOR}outcome");
    run(conn, &format!("update {table} set at = {HOUR_BEFORE}"));
}

#[test]
fn outcomes_are_forgotten_an_hour_after_they_are_confirmed_and_not_before() {
    let server = Server::new();
    let conn = &mut server.connect();
    let (mut ann, mut bob) = (Device::new(1), Device::new(2));
    let [first, second] = [1..=2, 3..=4].map(|ids| changes(inserts(&mut ann, ids)));
    let of_bob = changes(inserts(&mut bob, 5..=6));
    let told = [&first, &second, &of_bob].map(|sent| Fields::upload(conn, sent).unwrap());
    assert_eq!(stored_outcomes(conn), 3);
    pass_an_hour(conn);
    // Confirmed up to the middle: the rest of those that are stored together may be asked for again.
    Fields::upload(conn, &confirming(first.changes[0].clock, [])).unwrap();
    assert_eq!(stored_outcomes(conn), 3);
    Fields::upload(conn, &confirming(first.changes[1].clock, [])).unwrap();
    assert_eq!(stored_outcomes(conn), 2);
    run(conn, "update fields_rows set a = 'by hand'");
    let before = contents(conn);
    assert_eq!(
        Fields::upload(conn, &second).unwrap().outcomes,
        told[1].outcomes
    );
    assert_eq!(
        Fields::upload(conn, &of_bob).unwrap().outcomes,
        told[2].outcomes
    );
    assert_eq!(contents(conn), before);
    // The clock of one replica confirms nothing of another's, later though it is.
    bob.observe(second.changes[1].clock);
    Fields::upload(conn, &confirming(bob.tick(), [])).unwrap();
    assert_eq!(stored_outcomes(conn), 1);
    // What comes along with the confirmation is kept.
    let third = confirming(second.changes[1].clock, inserts(&mut ann, 7..=8));
    let told = Fields::upload(conn, &third).unwrap();
    assert_eq!(stored_outcomes(conn), 1);
    pass_an_hour(conn);
    let before = contents(conn);
    assert_eq!(Fields::upload(conn, &third).unwrap(), told);
    assert_eq!(contents(conn), before);
}

#[test]
fn an_upload_that_the_network_repeats_after_its_confirmation_writes_nothing() {
    let server = Server::new();
    let conn = &mut server.connect();
    let mut ann = Device::new(1);
    let mut of_ann = |id: i32| {
        let row = json!({"id": id, "a": "ann", "b": "b", "c": "c"});
        changes([ann.insert("client_rows", row)])
    };
    let [sent, mut later] = [1, 2].map(&mut of_ann);
    later.confirmed = Some(sent.changes[0].clock);
    let told = Clients::upload(conn, &sent).unwrap();
    Clients::upload(conn, &later).unwrap();
    run(conn, "update client_rows set a = 'by hand'");
    let before = contents(conn);
    let again = Clients::upload(conn, &sent).unwrap();
    assert_eq!(again.outcomes, told.outcomes);
    assert_eq!(contents(conn), before);
}

#[test]
fn what_was_forgotten_and_comes_again_changes_no_row() {
    let server = Server::new();
    let conn = &mut server.connect();
    let mut ann = Device::new(1);
    let mut sent = changes(inserts(&mut ann, 1..=3));
    sent.changes
        .push(ann.update("fields_rows", 1, json!({"b": "b"})));
    sent.changes.push(ann.delete("fields_rows", 3));
    let first = Fields::upload(conn, &sent).unwrap();
    assert_eq!(verdicts(&first), ["applied"; 5]);
    run(conn, "update fields_rows set a = 'by hand' where id = 2");
    pass_an_hour(conn);
    Fields::upload(conn, &confirming(sent.changes[4].clock, [])).unwrap();
    assert_eq!(stored_outcomes(conn), 0);
    let before = rows(conn, "fields_rows");
    let told = Fields::upload(conn, &sent).unwrap();
    assert_eq!(rows(conn, "fields_rows"), before);
    // No change is told to be applied where the sender's row differs from the server's.
    let expected = ["merged", "superseded", "superseded", "applied", "applied"];
    assert_eq!(verdicts(&told), expected);
}
