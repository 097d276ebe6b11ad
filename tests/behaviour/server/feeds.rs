//! Feeds: what is new, and then what changes.

use super::super::program::{Feed, Program};
use super::Server;
use carburetor::server::Limits;
use diesel::connection::SimpleConnection;
use serde_json::{Value, json};
use std::time::Duration;

/// A server whose rows are old enough not to come again: those of a moment ago do.
fn settled() -> Server {
    let server = Server::new();
    std::thread::sleep(Duration::from_millis(400));
    server
}

/// The ids of the rows and of the removals of a page.
fn news(page: &Value) -> (Vec<String>, Vec<String>) {
    let table = &page["tables"]["notes"];
    let text = |value: &Value| value.as_str().unwrap().to_owned();
    let rows = table["rows"].as_array().unwrap();
    let removed = table["removed"].as_array().unwrap();
    (
        rows.iter().map(|row| text(&row["id"])).collect(),
        removed.iter().map(text).collect(),
    )
}

fn ids(ids: &[&str]) -> Vec<String> {
    ids.iter().map(ToString::to_string).collect()
}

/// Pages until one says what is expected.
fn until(program: &Program, feed: &mut Feed, expected: impl Fn(&Value) -> bool) -> Value {
    loop {
        let page = feed.next(program).expect("the feed goes on");
        if expected(&page) {
            return page;
        }
    }
}

#[test]
fn a_feed_brings_what_is_new_and_then_what_changes() {
    let server = settled();
    let program = server.serve(4, Limits::default());
    let mut feed = Feed::lines(&program, "red", "web/feed");
    let first = feed.next(&program).unwrap();
    assert_eq!(news(&first), (ids(&["a", "b"]), vec![]));
    assert_eq!(first["more"], json!(false));
    let conn = &mut server.connect();
    conn.batch_execute("insert into notes (id, title, team) values ('c', 'three', 'red')")
        .unwrap();
    let page = until(&program, &mut feed, |page| {
        news(page).0.contains(&"c".into())
    });
    assert_eq!(page["more"], json!(false));
    conn.batch_execute("delete from notes where id = 'a'")
        .unwrap();
    until(&program, &mut feed, |page| news(page).1 == ids(&["a"]));
    // A row that goes to another team is a removal here, and says no more.
    conn.batch_execute("update notes set team = 'blue', title = 'hidden' where id = 'b'")
        .unwrap();
    let page = until(&program, &mut feed, |page| {
        news(page).1.contains(&"b".into())
    });
    assert!(!page.to_string().contains("hidden"), "{page}");
}

#[test]
fn a_feed_goes_on_from_its_last_page() {
    let server = settled();
    let program = server.serve(4, Limits::default());
    let mut feed = Feed::lines(&program, "red", "web/feed");
    let token = feed.next(&program).unwrap()["next"]
        .as_str()
        .unwrap()
        .to_owned();
    drop(feed);
    server
        .connect()
        .batch_execute("insert into notes (id, title, team) values ('c', 'three', 'red')")
        .unwrap();
    let mut feed = Feed::lines(&program, "red", &format!("web/feed?since={token}"));
    let first = feed.next(&program).unwrap();
    assert!(news(&first).0.contains(&"c".into()), "{first}");
    assert_eq!(first["tables"]["notes"]["reset"], json!(false));
    // As an `EventSource` says it; it keeps the address that it had.
    let mut events = Feed::events(&program, "red", "web/feed?since=older", Some(&token));
    let (id, page) = events.event(&program).unwrap();
    assert!(news(&page).0.contains(&"c".into()), "{page}");
    assert_eq!(page["next"], json!(id));
}

#[test]
fn a_feed_begins_again_when_its_server_is_another_one() {
    let server = settled();
    let program = server.serve(4, Limits::default());
    let mut feed = Feed::lines(&program, "red", "web/feed");
    let first = feed.next(&program).unwrap();
    carburetor::tracking::new_origin(&mut server.connect()).unwrap();
    let page = until(&program, &mut feed, |page| {
        page["tables"]["notes"]["reset"] == json!(true)
    });
    assert_eq!(news(&page).0, ids(&["a", "b"]));
    assert!(page["origin"].is_string() && page["origin"] != first["origin"]);
}

#[test]
fn what_changes_outside_of_the_scope_is_no_event() {
    let server = settled();
    let program = server.serve(4, Limits::default());
    let mut red = Feed::lines(&program, "red", "web/feed");
    let mut blue = Feed::lines(&program, "blue", "web/feed");
    for feed in [&mut red, &mut blue] {
        feed.next(&program).unwrap();
    }
    let conn = &mut server.connect();
    for number in 0..20 {
        conn.batch_execute(&format!(
            "insert into notes (id, title, team) values ('y{number}', 'else', 'blue')"
        ))
        .unwrap();
    }
    conn.batch_execute("delete from notes where id = 'y0'; insert into notes (id, title, team) values ('end', 'x', 'red')")
        .unwrap();
    let page = until(&program, &mut blue, |page| {
        news(page).1.contains(&"y0".into())
    });
    assert!(!page.to_string().contains("end"), "{page}");
    let page = red.next(&program).unwrap();
    assert_eq!(news(&page), (ids(&["end"]), vec![]), "{page}");
}

#[test]
fn more_than_a_page_comes_in_pages_at_the_readers_pace() {
    let server = settled();
    let limits = Limits {
        page: 100,
        ..Limits::default()
    };
    let program = server.serve(4, limits);
    let mut feeds = [(); 3].map(|()| Feed::lines(&program, "red", "web/feed?limit=40"));
    for feed in &mut feeds {
        assert_eq!(feed.next(&program).unwrap()["more"], json!(false));
    }
    let values: Vec<String> = (0..1000)
        .map(|number| format!("('n{number:04}', 'note', 'red')"))
        .collect();
    let insert = format!(
        "insert into notes (id, title, team) values {}",
        values.join(", ")
    );
    server.connect().batch_execute(&insert).unwrap();
    for feed in &mut feeds {
        let mut seen = std::collections::BTreeSet::new();
        loop {
            let page = feed.next(&program).unwrap();
            seen.extend(news(&page).0);
            if page["more"] == json!(false) && seen.contains("n0999") {
                break;
            }
        }
        assert!((0..1000).all(|number| seen.contains(&format!("n{number:04}"))));
    }
    // And then they are told again.
    server
        .connect()
        .batch_execute("insert into notes (id, title, team) values ('z', 'last', 'red')")
        .unwrap();
    for feed in &mut feeds {
        until(&program, feed, |page| news(page).0.contains(&"z".into()));
    }
}

#[test]
fn a_server_that_goes_down_ends_its_feeds() {
    let server = settled();
    let (program, shutdown) = server.serve_until(4, Limits::default());
    let mut lines = Feed::lines(&program, "red", "web/feed");
    let mut events = Feed::events(&program, "red", "web/feed", None);
    lines.next(&program).unwrap();
    events.event(&program).unwrap();
    shutdown.begin();
    assert_eq!(lines.next(&program), None);
    assert_eq!(events.event(&program), None);
    let (status, problem) = program.get(&program.client("red"), "web/feed");
    assert_eq!((status.as_u16(), &problem["code"]), (503, &json!("busy")));
}

#[test]
fn feeds_beyond_the_limits_are_told_to_wait() {
    let server = settled();
    let limits = Limits {
        feeds: 3,
        feeds_per_scope: 1,
        ..Limits::default()
    };
    let program = server.serve(4, limits);
    let client = |team: &str| program.client(team);
    let mut red = Feed::lines(&program, "red", "web/feed");
    red.next(&program).unwrap();
    let (status, problem) = program.get(&client("red"), "web/feed");
    assert_eq!((status.as_u16(), &problem["code"]), (503, &json!("busy")));
    assert!(
        problem["detail"].as_str().unwrap().contains("scope"),
        "{problem}"
    );
    let mut blue = Feed::lines(&program, "blue", "web/feed");
    blue.next(&program).unwrap();
    // Whoever has gone makes room.
    drop((red, blue));
    for team in ["red", "blue", "red"] {
        let opened = std::iter::repeat_with(|| {
            std::thread::sleep(Duration::from_millis(20));
            Feed::try_lines(&program, team, "web/feed")
        });
        drop(opened.take(200).flatten().next().expect("there is room"));
    }
}

#[test]
fn a_feed_ends_when_its_time_is_over() {
    let server = settled();
    let limits = Limits {
        feed_time: Duration::from_millis(300),
        ..Limits::default()
    };
    let program = server.serve(4, limits);
    let mut feed = Feed::lines(&program, "red", "web/feed");
    while feed.next(&program).is_some() {}
}

#[test]
fn a_feed_over_a_web_socket_says_the_same() {
    let server = settled();
    let program = server.serve(4, Limits::default());
    let mut socket = program.socket("red", "web/feed", None).unwrap();
    let first = socket.next(&program).unwrap();
    assert_eq!(news(&first), (ids(&["a", "b"]), vec![]));
    server
        .connect()
        .batch_execute("insert into notes (id, title, team) values ('c', 'three', 'red')")
        .unwrap();
    while !news(&socket.next(&program).unwrap())
        .0
        .contains(&"c".into())
    {}
    // Pages of other sites may not open one in the name of whoever looks at them.
    let own = format!("http://{}", program.address);
    program.socket("red", "web/feed", Some(&own)).unwrap();
    assert_eq!(
        program
            .socket("red", "web/feed", Some("http://elsewhere.example"))
            .err(),
        Some(403)
    );
    program
        .socket("red", "web/feed", Some("https://friend.example"))
        .unwrap();
}
