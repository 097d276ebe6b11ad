//! Memberships that end and begin while somebody follows.

mod access;
mod extractors;

use super::super::program::{Feed, Program, Socket};
use super::models::{Note, notes};
use super::{DB, Pool, Server};
use axum::extract::FromRequestParts;
use axum::http::StatusCode;
use axum::http::request::Parts;
use carburetor::server::{Limits, Refresh, Sync};
use carburetor::{SyncGroup, SyncScope, Visible};
use diesel::connection::SimpleConnection;
use diesel::prelude::*;
use serde_json::{Value, json};
use std::collections::BTreeSet;
use std::collections::HashMap;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

/// Who is a member of which teams; who isn't in it is nobody.
#[derive(Clone, Default)]
struct Members(Arc<Mutex<HashMap<String, Vec<String>>>>, Arc<Failing>);

/// Whether nobody can look them up, and how often somebody tried.
#[derive(Default)]
struct Failing {
    fails: AtomicBool,
    tried: AtomicUsize,
}

impl Members {
    fn set(&self, name: &str, teams: &[&str]) {
        let teams = teams.iter().map(ToString::to_string).collect();
        self.0.lock().unwrap().insert(name.into(), teams);
    }

    fn remove(&self, name: &str) {
        self.0.lock().unwrap().remove(name);
    }

    fn fail(&self, fails: bool) {
        self.1.fails.store(fails, Ordering::SeqCst);
    }

    /// Waits until somebody has tried so often in vain.
    fn tried(&self, times: usize) {
        let begun = Instant::now();
        while self.1.tried.load(Ordering::SeqCst) < times {
            assert!(begun.elapsed() < Duration::from_secs(60), "nobody tries");
            std::thread::sleep(Duration::from_millis(5));
        }
    }
}

/// A member, whose teams are looked up with each request; the header `x-team` has his name.
struct Member {
    name: String,
    teams: Vec<String>,
}

impl SyncScope<Note, DB> for Member {
    fn filter(&self) -> Visible<'_, notes::table, DB> {
        Visible::keys(notes::team, self.teams.clone())
    }
}

/// The same, of whom only the first team counts, by another kind of scope.
struct Leader(Member);

impl SyncScope<Note, DB> for Leader {
    fn filter(&self) -> Visible<'_, notes::table, DB> {
        match self.0.teams.first() {
            Some(team) => Visible::only(notes::team.eq(team)),
            None => Visible::none(),
        }
    }
}

impl FromRequestParts<Members> for Member {
    type Rejection = StatusCode;

    async fn from_request_parts(parts: &mut Parts, members: &Members) -> Result<Self, StatusCode> {
        let name = parts
            .headers
            .get("x-team")
            .ok_or(StatusCode::UNAUTHORIZED)?;
        let name = name.to_str().unwrap().to_owned();
        if members.1.fails.load(Ordering::SeqCst) {
            members.1.tried.fetch_add(1, Ordering::SeqCst);
            return Err(StatusCode::SERVICE_UNAVAILABLE);
        }
        let teams = members.0.lock().unwrap().get(&name).cloned();
        let teams = teams.ok_or(StatusCode::FORBIDDEN)?;
        Ok(Member { name, teams })
    }
}

impl FromRequestParts<Members> for Leader {
    type Rejection = StatusCode;

    async fn from_request_parts(parts: &mut Parts, members: &Members) -> Result<Self, StatusCode> {
        let member = Member::from_request_parts(parts, members).await?;
        Ok(Leader(member))
    }
}

struct World {
    server: Server,
    program: Program,
    members: Members,
    refresh: Refresh,
}

impl World {
    /// Ann is in both teams, Bob in none of them but his own.
    fn new(limits: Limits) -> Self {
        let server = Server::new();
        let members = Members::default();
        members.set("ann", &["red", "blue"]);
        members.set("bob", &["green"]);
        let sync: Sync<Pool, Members> = Sync::with_limits(server.pool(4), limits)
            .group::<SyncGroup<(Note,), Member>, Member>("web")
            .group::<SyncGroup<(Note,), Leader>, Leader>("led");
        let refresh = sync.refresh();
        let state = members.clone();
        let program = Program::start(|| sync.router().with_state(state));
        World {
            server,
            program,
            members,
            refresh,
        }
    }

    fn write(&self, sql: &str) {
        self.server.connect().batch_execute(sql).unwrap();
    }
}

/// A feed in one of its forms.
enum Following {
    Lines(Feed),
    Events(Feed),
    Socket(Socket),
}

impl Following {
    fn all(program: &Program, name: &str, path: &str) -> [Self; 3] {
        [
            Following::Lines(Feed::lines(program, name, path)),
            Following::Events(Feed::events(program, name, path, None)),
            Following::Socket(program.socket(name, path, None).unwrap()),
        ]
    }

    fn next(&mut self, program: &Program) -> Option<Value> {
        match self {
            Following::Lines(feed) => feed.next(program),
            Following::Events(feed) => Some(feed.event(program)?.1),
            Following::Socket(socket) => socket.next(program),
        }
    }

    /// Applies pages until the ids are these.
    fn until(&mut self, program: &Program, held: &mut Held, expected: &[&str]) {
        while held.ids() != expected {
            held.apply(&self.next(program).expect("the feed goes on"));
        }
    }
}

/// The team of each row that has come.
#[derive(Default, Clone)]
struct Held(HashMap<String, String>);

impl Held {
    fn apply(&mut self, page: &Value) {
        let table = &page["tables"]["notes"];
        if table["reset"] == json!(true) {
            self.0.clear();
        }
        for left in table["left"]["values"].as_array().into_iter().flatten() {
            self.0.retain(|_, team| Some(&**team) != left.as_str());
        }
        for id in table["removed"].as_array().unwrap() {
            self.0.remove(id.as_str().unwrap());
        }
        for row in table["rows"].as_array().unwrap() {
            let text = |name: &str| row[name].as_str().unwrap().to_owned();
            self.0.insert(text("id"), text("team"));
        }
    }

    fn ids(&self) -> Vec<&str> {
        self.0
            .keys()
            .map(|id| &**id)
            .collect::<BTreeSet<_>>()
            .into_iter()
            .collect()
    }
}

#[test]
fn whom_the_extractor_refuses_is_sent_nothing_more() {
    let world = World::new(Limits::default());
    let program = &world.program;
    let mut feeds = Following::all(program, "ann", "web/feed");
    let mut others = Following::all(program, "bob", "web/feed");
    for feed in feeds.iter_mut().chain(&mut others) {
        feed.next(program).unwrap();
    }
    world.members.remove("ann");
    world.refresh.of(|member: &Member| member.name == "ann");
    world.write("insert into notes (id, title, team) values ('late', 'secret', 'red'), ('g', 'mine', 'green')");
    for feed in &mut feeds {
        match feed {
            Following::Socket(socket) => assert_eq!(socket.closed(program), Some(1008)),
            // What was written a moment ago may come again before.
            feed => {
                while let Some(page) = feed.next(program) {
                    assert!(!page.to_string().contains("secret"), "{page}");
                }
            }
        }
    }
    for feed in &mut others {
        feed.until(program, &mut Held::default(), &["g"]);
    }
    assert!(Feed::try_lines(program, "ann", "web/feed").is_none());
}

#[test]
fn a_membership_that_ends_or_begins_goes_on_in_the_same_feed() {
    let world = World::new(Limits::default());
    let program = &world.program;
    for path in ["web/feed", "led/feed"] {
        world.members.set("ann", &["blue", "red"]);
        for form in 0..3 {
            let feeds = Following::all(program, "ann", path);
            let mut feed = feeds.into_iter().nth(form).unwrap();
            let mut held = Held::default();
            let all: &[&str] = match path {
                "web/feed" => &["a", "b", "x"],
                _ => &["x"],
            };
            feed.until(program, &mut held, all);
            world.members.set("ann", &["red"]);
            world.refresh.all();
            // Nothing of the other team comes from now on.
            world.write("insert into notes (id, title, team) values ('y', 'secret', 'blue')");
            while held.ids() != ["a", "b"] {
                let page = feed.next(program).expect("the feed goes on");
                assert!(!page.to_string().contains("secret"), "{page}");
                held.apply(&page);
            }
            world.write("insert into notes (id, title, team) values ('c', 'three', 'red')");
            feed.until(program, &mut held, &["a", "b", "c"]);
            world.members.set("ann", &["blue", "red"]);
            world.refresh.of(|member: &Member| member.name == "ann");
            world.refresh.of(|leader: &Leader| leader.0.name == "ann");
            let all: &[&str] = match path {
                "web/feed" => &["a", "b", "c", "x", "y"],
                _ => &["x", "y"],
            };
            feed.until(program, &mut held, all);
            world.write("delete from notes where id in ('c', 'y')");
            let all: &[&str] = match path {
                "web/feed" => &["a", "b", "x"],
                _ => &["x"],
            };
            feed.until(program, &mut held, all);
        }
    }
}

#[test]
fn a_membership_among_many_keeps_what_the_others_show() {
    let world = World::new(Limits::default());
    let program = &world.program;
    let others: Vec<String> = (0..3000)
        .map(|number| format!("team {number:040}"))
        .collect();
    let set = |more: &[&str]| {
        let teams = others.iter().map(|team| &**team);
        let teams: Vec<&str> = teams.chain(more.iter().copied()).collect();
        world.members.set("ann", &teams);
        world.refresh.all();
    };
    set(&["red", "blue"]);
    let mut feed = Following::Lines(Feed::lines(program, "ann", "web/feed"));
    let mut held = Held::default();
    feed.until(program, &mut held, &["a", "b", "x"]);
    let mut until = |expected: &[&str]| {
        while held.ids() != expected {
            let page = feed.next(program).expect("the feed goes on");
            let table = &page["tables"]["notes"];
            assert_ne!(table["reset"], json!(true), "{table}");
            held.apply(&page);
        }
    };
    set(&["red"]);
    until(&["a", "b"]);
    set(&[]);
    until(&[]);
}

#[test]
fn who_may_see_what_is_asked_again_from_time_to_time() {
    let limits = Limits {
        scope_time: Duration::from_millis(100),
        ..Limits::default()
    };
    let world = World::new(limits);
    let program = &world.program;
    for form in 0..3 {
        world.members.set("ann", &["blue"]);
        let feeds = Following::all(program, "ann", "web/feed");
        let mut feed = feeds.into_iter().nth(form).unwrap();
        let mut held = Held::default();
        feed.until(program, &mut held, &["x"]);
        world.members.set("ann", &["blue", "red"]);
        feed.until(program, &mut held, &["a", "b", "x"]);
        world.members.remove("ann");
        while feed.next(program).is_some() {}
    }
}

#[test]
fn a_download_of_lines_ends_with_the_right_to_it() {
    let limits = Limits {
        page: 500,
        ..Limits::default()
    };
    let world = World::new(limits);
    let program = &world.program;
    let long = "z".repeat(4000);
    let values: Vec<String> = (0..8000)
        .map(|number| format!("('n{number:05}', '{long}', 'red')"))
        .collect();
    world.write(&format!(
        "insert into notes (id, title, team) values {}",
        values.join(", ")
    ));
    let mut lines = Feed::lines(program, "ann", "web/download");
    lines.next(program).unwrap();
    world.members.remove("ann");
    world.refresh.all();
    let mut pages = 1;
    while lines
        .next(program)
        .is_some_and(|page| page["more"] == json!(true))
    {
        pages += 1;
    }
    // What lies in the sockets' buffers comes.
    assert!(pages < 12, "{pages} pages");
}
