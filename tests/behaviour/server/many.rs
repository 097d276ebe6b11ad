//! Feeds of many scopes: each commit is told to those whom it concerns, and the others aren't even looked at.

use super::super::program::{Feed, Program};
use super::models::{Note, notes};
use super::world::Team;
use super::{DB, Server};
use axum::extract::FromRequestParts;
use axum::http::request::Parts;
use carburetor::server::Sync;
use carburetor::{SyncGroup, SyncScope, Visible};
use diesel::connection::SimpleConnection;
use serde_json::Value;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

/// What is told only because all are told from time to time takes longer.
const SOON: Duration = Duration::from_secs(60);

/// What the teams are called at which it is counted how often they are looked at.
const IDLE: &str = "idle";
static READ: AtomicU64 = AtomicU64::new(0);

/// One team, as a key; `*` is everything.
struct Keyed(Team);

impl SyncScope<Note, DB> for Keyed {
    fn filter(&self) -> Visible<'_, notes::table, DB> {
        if self.0.name().starts_with(IDLE) {
            READ.fetch_add(1, Ordering::Relaxed);
        }
        match self.0.name() {
            "*" => Visible::all(),
            team => Visible::keys(notes::team, [team.to_owned()]),
        }
    }
}

impl<S: Send + std::marker::Sync> FromRequestParts<S> for Keyed {
    type Rejection = <Team as FromRequestParts<S>>::Rejection;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, Self::Rejection> {
        Team::from_request_parts(parts, state).await.map(Keyed)
    }
}

fn serve(server: &Server) -> Program {
    let pool = server.pool(4);
    Program::start(|| {
        Sync::new(pool)
            .group::<SyncGroup<(Note,), Keyed>, Keyed>("web")
            .router()
    })
}

/// A follower of each of these teams, who has been told what there is.
fn follow(program: &Program, teams: impl Iterator<Item = String>) -> Vec<Feed> {
    let feeds = teams.map(|team| {
        let mut feed = Feed::lines(program, &team, "web/feed");
        feed.next(program).expect("the first page");
        feed
    });
    feeds.collect()
}

fn told(program: &Program, feed: &mut Feed, place: &str, id: &str) -> Value {
    loop {
        let page = feed.next(program).expect("the feed goes on");
        if page["tables"]["notes"][place]
            .to_string()
            .contains(&format!("{id:?}"))
        {
            return page;
        }
    }
}

#[test]
fn of_many_followers_those_are_told_whom_it_concerns() {
    let begun = Instant::now();
    let server = Server::new();
    let program = serve(&server);
    let teams = (0..12).map(|number| format!("team {number}"));
    let mut feeds = follow(&program, teams.chain(["*".into()]));
    let conn = &mut server.connect();
    for number in 0..12 {
        conn.batch_execute(&format!(
            "insert into notes (id, title, team) values ('n{number}', 'x', 'team {number}')"
        ))
        .unwrap();
        told(&program, &mut feeds[number], "rows", &format!("n{number}"));
        told(&program, &mut feeds[12], "rows", &format!("n{number}"));
    }
    // From one to another, twice.
    for (from, to) in [(3, 5), (5, 7)] {
        conn.batch_execute(&format!(
            "update notes set team = 'team {to}' where id = 'n3'"
        ))
        .unwrap();
        told(&program, &mut feeds[to], "rows", "n3");
        let page = told(&program, &mut feeds[from], "removed", "n3");
        assert!(!page.to_string().contains(&format!("team {to}")), "{page}");
    }
    conn.batch_execute("delete from notes where id = 'n3'")
        .unwrap();
    told(&program, &mut feeds[7], "removed", "n3");
    told(&program, &mut feeds[12], "removed", "n3");
    // Who comes later, and when others have gone, is told as well.
    feeds.truncate(9);
    feeds.extend(follow(&program, ["late".to_owned()].into_iter()));
    conn.batch_execute("insert into notes (id, title, team) values ('l', 'x', 'late')")
        .unwrap();
    told(&program, &mut feeds[9], "rows", "l");
    feeds.drain(..8);
    conn.batch_execute("update notes set title = 'y' where id in ('l', 'n8')")
        .unwrap();
    told(&program, &mut feeds[0], "rows", "n8");
    told(&program, &mut feeds[1], "rows", "l");
    assert!(begun.elapsed() < SOON, "{:?}", begun.elapsed());
}

/// What is committed late has a stamp from before what others were told meanwhile.
#[test]
fn what_is_committed_late_is_told_to_whom_it_concerns() {
    let begun = Instant::now();
    let server = Server::new();
    let program = serve(&server);
    let teams = (0..12).map(|number| format!("team {number}"));
    let mut feeds = follow(&program, teams);
    for round in 0..2 {
        for place in 0..3 {
            let (late, early) = (2 * place, 2 * place + 1);
            let (late_id, early_id) = (format!("l{round} {place}"), format!("e{round} {place}"));
            let insert = |id: &str, team: usize| {
                format!("insert into notes (id, title, team) values ('{id}', 'x', 'team {team}')")
            };
            server.overlap(&insert(&late_id, late), &insert(&early_id, early), || {
                told(&program, &mut feeds[early], "rows", &early_id);
            });
            told(&program, &mut feeds[late], "rows", &late_id);
        }
    }
    assert!(begun.elapsed() < SOON, "{:?}", begun.elapsed());
}

#[test]
fn a_commit_costs_nothing_to_those_whom_it_does_not_concern() {
    let server = Server::new();
    let program = serve(&server);
    let teams = (0..20).map(|number| format!("{IDLE} {number}"));
    let mut feeds = follow(&program, teams.chain(["busy".to_owned()]));
    let conn = &mut server.connect();
    let mut write = |number: i32| {
        conn.batch_execute(&format!(
            "insert into notes (id, title, team) values ('n{number}', 'x', 'busy')"
        ))
        .unwrap();
        told(&program, &mut feeds[20], "rows", &format!("n{number}"));
    };
    // Whom the first one concerns nobody knows yet.
    write(0);
    std::thread::sleep(Duration::from_millis(300));
    let before = READ.load(Ordering::Relaxed);
    (1..=30).for_each(&mut write);
    let read = READ.load(Ordering::Relaxed) - before;
    assert!(read < 60, "{read} looks at 20 idle scopes for 30 commits");
}
