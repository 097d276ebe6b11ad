//! Extractors that fail: whether the caller may see what it follows can't be told.

use super::*;

#[test]
fn an_extractor_that_fails_for_a_moment_holds_the_feeds_and_ends_none() {
    let world = World::new(Limits::default());
    let program = &world.program;
    let mut feeds = Following::all(program, "ann", "web/feed");
    let mut helds = [(); 3].map(|()| Held::default());
    for (feed, held) in feeds.iter_mut().zip(&mut helds) {
        feed.until(program, held, &["a", "b", "x"]);
    }
    world.members.fail(true);
    world.refresh.all();
    world.write("insert into notes (id, title, team) values ('y', 'secret', 'blue')");
    world.members.set("ann", &["red"]);
    // Each of them is asked again, and again.
    world.members.tried(3 * feeds.len());
    world.members.fail(false);
    for (feed, held) in feeds.iter_mut().zip(&mut helds) {
        while held.ids() != ["a", "b"] {
            let page = feed.next(program).expect("the feed goes on");
            assert!(!page.to_string().contains("secret"), "{page}");
            held.apply(&page);
        }
    }
    world.write("insert into notes (id, title, team) values ('c', 'three', 'red')");
    for (feed, held) in feeds.iter_mut().zip(&mut helds) {
        feed.until(program, held, &["a", "b", "c"]);
    }
}

#[test]
fn an_extractor_that_fails_on_ends_feeds_so_that_they_come_back() {
    let limits = Limits {
        scope_time: Duration::from_secs(1),
        ..Limits::default()
    };
    let world = World::new(limits);
    let program = &world.program;
    let mut socket = program.socket("ann", "web/feed", None).unwrap();
    socket.next(program).unwrap();
    world.members.fail(true);
    assert_eq!(socket.closed(program), Some(1013));
    world.members.tried(3);
}
