//! Pages on their way, and how they become visible.

use super::Server;
use super::world::{Device, note};
use carburetor::testing::Fault;

fn served() -> Server {
    let server = Server::new();
    for number in 0..20 {
        server.run(&format!(
            "insert into notes (id, title, team) values ('n{number:02}', 'one', 'red')"
        ));
    }
    server
}

/// Pages of three rows, of which `pages` come.
fn cut(device: &Device, pages: usize) {
    device.downloads.set_rows(3);
    device.faults.next(Fault::Cut { pages });
}

#[test]
fn pages_are_shown_at_once_and_go_on_where_they_ended() {
    let server = Server::new();
    let mut device = server.device();
    for number in 0..20 {
        server.run(&format!(
            "insert into notes (id, title, team) values ('n{number:02}', 'one', 'red')"
        ));
    }
    // On PostgreSQL the cutoff is behind the clock: until it has passed a row, the row comes again.
    let mut other = server.device();
    while other.sync().rows > 0 {}
    cut(&device, 3);
    device.try_sync().unwrap_err();
    assert_eq!(device.notes(), [], "three pages lie beside the table");
    device.restart(&server, &["red"]);
    device.downloads.set_rows(3);
    let synced = device.sync();
    assert!(
        synced.rows <= 12,
        "nine rows were here, and the next page goes on at the last of them: {synced:?}"
    );
    assert_eq!(device.notes(), server.notes());
}

#[test]
fn a_sync_that_ends_after_any_page_goes_on_with_the_next_one() {
    let server = served();
    let mut device = server.device();
    server.run("update notes set title = 'two'; delete from notes where id in ('n03', 'n17'); update notes set team = 'blue' where id = 'n05'");
    let before = device.notes();
    for pages in [0, 1, 0, 2, 1] {
        cut(&device, pages);
        device.try_sync().unwrap_err();
        assert_eq!(device.notes(), before);
        server.run("update notes set title = title || '+' where id = 'n01'; delete from notes where id = 'n02'");
        device.restart(&server, &["red"]);
    }
    device.downloads.set_rows(3);
    device.sync();
    let mut seen = server.notes();
    seen.retain(|note| note.3 == "red");
    assert_eq!(device.notes(), seen);
}

#[test]
fn a_first_load_is_shown_as_a_whole() {
    let server = served();
    let mut device = server.device();
    let before = device.notes();
    carburetor::tracking::reset::<super::models::Note, _>(&mut server.connect()).unwrap();
    server
        .run("delete from notes where id = 'n07'; update notes set title = 'new' where id = 'n01'");
    cut(&device, 2);
    device.try_sync().unwrap_err();
    assert_eq!(device.notes(), before);
    device.restart(&server, &["red"]);
    device.sync();
    assert_eq!(device.notes(), server.notes());
}

#[test]
fn unsent_edits_stay_on_top_of_what_comes() {
    let server = served();
    let mut device = server.device();
    server.run("update notes set title = 'theirs', body = 'theirs' where id in ('n01', 'n02')");
    device.between(
        "update notes set title = 'mine' where id = 'n01'; delete from notes where id = 'n02';
         insert into notes (id, title, team) values ('zz', 'mine', 'red')",
    );
    device.sync();
    let notes = device.notes();
    assert_eq!(
        notes[1],
        (
            "n01".into(),
            "mine".into(),
            Some("theirs".into()),
            "red".into()
        )
    );
    assert_eq!(notes[2].0, "n03");
    assert_eq!(notes.last().unwrap(), &note("zz", "mine"));
    assert_eq!(device.pending(), 3);
    device.sync();
    assert_eq!(device.notes(), server.notes());
}

#[test]
fn a_row_with_an_unsent_edit_goes_and_its_edit_is_sent() {
    let server = served();
    let mut device = server.device();
    server
        .run("delete from notes where id = 'n01'; update notes set team = 'blue' where id = 'n02'");
    device.between("update notes set title = 'mine' where id in ('n01', 'n02')");
    device.sync();
    assert_eq!(device.notes()[1].0, "n03");
    assert_eq!((device.pending(), device.entries()), (2, 0));
    let synced = device.sync();
    assert_eq!(synced.sent, 2);
    assert_eq!(device.pending(), 0);
    let mut seen = server.notes();
    seen.retain(|note| note.3 == "red");
    assert_eq!(device.notes(), seen);
}

#[test]
fn local_columns_survive_and_are_not_sent() {
    let server = served();
    let mut device = server.device();
    device.run("update notes set pinned = true where id = 'n01'");
    assert_eq!(device.pending(), 0);
    server.run("update notes set title = 'two' where id = 'n01'");
    device.sync();
    use super::super::models::sqlite::notes::dsl;
    use diesel::prelude::*;
    let pinned: Vec<(String, String)> = dsl::notes
        .filter(dsl::pinned)
        .select((dsl::id, dsl::title))
        .load(&mut device.conn)
        .unwrap();
    assert_eq!(pinned, [("n01".into(), "two".into())]);
}

#[test]
fn edits_after_a_large_download_are_sent() {
    let server = Server::new();
    // Of so many rows the triggers are out of the way while they are shown.
    server.run(
        "insert into notes (id, title, team)
         with recursive numbers (n) as (select 1 union all select n + 1 from numbers where n < 10001)
         select 'n' || n, 'one', 'red' from numbers",
    );
    let mut device = server.device();
    assert_eq!((device.notes().len(), device.pending()), (10_001, 0));
    device.run("update notes set title = 'two' where id = 'n1'; delete from notes where id = 'n2'");
    assert_eq!(device.pending(), 2);
    device.sync();
    assert_eq!(device.notes(), server.notes());
    assert_eq!(device.notes().len(), 10_000);
}

/// The answer to an upload came within the scope of what was shown, and the pages on the stage were of another one: their rows showed with the next
/// download.
#[test]
fn what_came_of_a_download_within_another_scope_is_never_shown() {
    let server = served();
    server.run("insert into notes (id, title, team) values ('m0', 'theirs', 'blue'), ('m1', 'theirs', 'blue')");
    let mut device = server.device();
    let before = device.notes();
    device.restart(&server, &["blue", "red"]);
    cut(&device, 1);
    device.try_sync().unwrap_err();
    device.restart(&server, &["red"]);
    device.run("update notes set body = 'mine' where id = 'n00'");
    device.sync();
    let ids =
        |notes: &[super::world::Row]| notes.iter().map(|note| note.0.clone()).collect::<Vec<_>>();
    assert_eq!(ids(&device.notes()), ids(&before));
    device.restart(&server, &["blue", "red"]);
    device.sync();
    assert_eq!(device.notes(), server.notes());
}
