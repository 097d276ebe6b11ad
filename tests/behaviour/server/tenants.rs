//! Two tenants and random histories of both: whatever is asked or followed, no byte that one of them gets tells of the other.

#[path = "tenants/follower.rs"]
mod follower;
#[path = "tenants/held.rs"]
mod held;
#[path = "tenants/step.rs"]
mod step;

use super::super::program::Program;
use super::{Server, world::Team};
use base64::Engine;
use base64::prelude::BASE64_URL_SAFE_NO_PAD;
use carburetor::SyncGroup;
use carburetor::clock::Clock;
use carburetor::server::Limits;
use carburetor::upload::ConflictsOf;
use chrono::Utc;
use diesel::connection::SimpleConnection;
use follower::{Follower, Form};
use held::Held;
use proptest::prelude::*;
use proptest::test_runner::{Config, TestRunner};
use serde_json::{Map, Value, json};
use std::collections::{BTreeMap, BTreeSet};
use std::time::{Duration, Instant};
use step::{Id, Sent, Step, With, step};

const TEAMS: [&str; 2] = ["red", "blue"];
/// The ids of their replicas, which tell one device from the others.
const REPLICAS: [u64; 2] = [0x0ed0_5ec4_e70e_d001, 0xb1be_5ec4_e7b1_be01];
const CASES: u32 = 12;
/// How long what was written last may take to come.
const PATIENCE: Duration = Duration::from_secs(20);

/// What a tenant has been told.
struct Tenant {
    client: reqwest::Client,
    held: Held,
    /// One in each form.
    followers: Vec<Follower>,
    /// What it sent last, if it was taken.
    sent: Option<String>,
    counter: u16,
    /// The ids that it may know: of rows that were its own at some time.
    known: BTreeSet<String>,
}

struct World {
    server: Server,
    program: Program,
    tenants: [Tenant; 2],
    writes: usize,
    marked: usize,
    /// How often followers were told of rows.
    told: usize,
}

impl World {
    fn new() -> Self {
        let server = Server::new();
        server.connect().batch_execute("delete from notes").unwrap();
        let program = server.serve(4, Limits::default());
        let tenants = [0, 1].map(|team| Tenant {
            client: program.client(TEAMS[team]),
            held: Held::default(),
            followers: Form::ALL
                .map(|form| Follower::open(&program, TEAMS[team], form, Held::default()))
                .into(),
            sent: None,
            counter: 0,
            known: ["a", "b", "x"].map(String::from).into(),
        });
        World {
            server,
            program,
            tenants,
            writes: 0,
            marked: 0,
            told: 0,
        }
    }

    /// A title that only this team may ever see.
    fn title(&mut self, team: usize) -> String {
        self.writes += 1;
        format!("{}-secret-{}", TEAMS[team], self.writes)
    }

    fn run(&mut self, sql: &str) {
        self.server.connect().batch_execute(sql).unwrap();
    }

    /// Notes whose rows are whose by now.
    fn look(&mut self) {
        for (tenant, team) in self.tenants.iter_mut().zip(TEAMS) {
            tenant
                .known
                .extend(self.server.notes(team).into_iter().map(|(id, _)| id));
        }
    }

    /// Sends a request of `team`, and looks for what it may not see in the answer.
    fn ask(&mut self, team: usize, request: reqwest::RequestBuilder, sent: &str) -> (u16, String) {
        let (status, text) = self.program.runtime.block_on(async {
            let answer = request.send().await.unwrap();
            let status = answer.status().as_u16();
            let headers = format!("{:?}", answer.headers());
            (status, headers + "\n" + &answer.text().await.unwrap())
        });
        self.search(team, &text, sent);
        let body = text.split_once('\n').unwrap().1;
        (status, body.into())
    }

    /// Looks for what the team may not see in each byte of what it got, and in each token within.
    fn search(&mut self, team: usize, text: &str, sent: &str) {
        let mut text = text.to_owned();
        for word in text
            .clone()
            .split(|c: char| !(c.is_ascii_alphanumeric() || c == '_' || c == '-'))
        {
            let token = BASE64_URL_SAFE_NO_PAD.decode(word).unwrap_or_default();
            text.push_str(&String::from_utf8_lossy(&token));
        }
        let (own, other) = (TEAMS[team], TEAMS[1 - team]);
        let secret = format!("{other}-secret");
        assert!(
            !text.contains(&secret),
            "{own} sees a value of {other}: {text}"
        );
        let replica = format!("{:016x}", REPLICAS[1 - team]);
        // What came again holds the clocks that were sent.
        assert!(
            !text.contains(&replica) || sent.contains(&replica),
            "{own} sees a replica of {other}: {text}"
        );
        let ids = (0..3)
            .flat_map(|id| [Id::Of(1 - team, id), Id::Moving(id)])
            .map(Id::text);
        for id in ids.filter(|id| !self.tenants[team].known.contains(id)) {
            assert!(
                !text.contains(&id),
                "{own} sees the id {id}, which it never had: {text}"
            );
        }
        self.marked += usize::from(text.contains(&format!("{own}-secret")));
    }

    fn step(&mut self, step: Step) {
        match step {
            Step::Write { team, id } => self.put(team, Id::Of(team, id)),
            Step::Move { team, id } => self.put(team, Id::Moving(id)),
            Step::Delete { id } => {
                self.run(&format!("delete from notes where id = '{}'", id.text()))
            }
            Step::Upload { team, edits, ahead } => self.upload(team, &edits, ahead),
            Step::Replay { team } => {
                if let Some(body) = self.tenants[1 - team].sent.clone() {
                    self.post(team, &body);
                }
            }
            Step::Ask {
                team,
                all,
                lines,
                limit,
            } => self.download(team, all, lines, limit),
            Step::Return { team, form, with } => self.come_back(team, form, with),
        }
        self.look();
        self.listen();
    }

    /// Looks at what the followers have been told.
    fn listen(&mut self) {
        for team in 0..TEAMS.len() {
            let followers = self.tenants[team].followers.iter_mut();
            let told: Vec<String> = followers.map(Follower::look).collect();
            for text in told {
                self.search(team, &text, "");
                self.told += usize::from(text.contains("\"rows\":[{"));
            }
        }
    }

    fn come_back(&mut self, team: usize, form: Form, with: With) {
        self.look();
        self.listen();
        let place = Form::ALL.iter().position(|other| *other == form).unwrap();
        let foreign = self.tenants[1 - team].followers[place].held.token.clone();
        let mut held = self.tenants[team].followers[place].held.clone();
        match with {
            With::Nothing => held = Held::default(),
            With::Own => {}
            // What he holds has to go then, by a reset.
            With::Foreign => held.token = foreign,
        }
        let follower = Follower::open(&self.program, TEAMS[team], form, held);
        self.tenants[team].followers[place] = follower;
    }

    /// Waits until everybody who follows a team holds its rows, and nothing else.
    fn settle(&mut self) {
        let deadline = Instant::now() + PATIENCE;
        for (team, name) in TEAMS.into_iter().enumerate() {
            let rows: BTreeMap<String, String> = self.server.notes(name).into_iter().collect();
            for place in 0..Form::ALL.len() {
                while self.tenants[team].followers[place].held.rows != rows {
                    let follower = &self.tenants[team].followers[place];
                    assert!(
                        Instant::now() < deadline,
                        "{name} follows by {:?} and holds {:?} instead of {rows:?}",
                        follower.form,
                        follower.held.rows
                    );
                    std::thread::sleep(Duration::from_millis(5));
                    self.listen();
                }
            }
        }
    }

    fn put(&mut self, team: usize, id: Id) {
        let (id, title, team) = (id.text(), self.title(team), TEAMS[team]);
        self.run(&format!(
            "insert into notes (id, title, team) values ('{id}', '{title}', '{team}')
             on conflict (id) do update set title = excluded.title, team = excluded.team"
        ));
    }

    fn upload(&mut self, team: usize, edits: &[Sent], ahead: u64) {
        let mut changes = Vec::new();
        for Sent {
            id,
            kind,
            away,
            is_based,
        } in edits
        {
            let id = id.text();
            // What is given away says nothing that the other may not see.
            let (title, whose) = match away {
                true => ("given".to_owned(), TEAMS[1 - team]),
                false => (self.title(team), TEAMS[team]),
            };
            let edit = match kind {
                0 => ("insert", json!({"id": id, "title": title, "team": whose})),
                1 => ("update", json!({"title": title})),
                2 => ("update", json!({"title": title, "team": whose})),
                _ => ("delete", json!(true)),
            };
            let tenant = &mut self.tenants[team];
            // What it gives away and takes back in the same upload is its own.
            if *kind == 0 {
                tenant.known.insert(id.clone());
            }
            tenant.counter += 1;
            let millis = u64::try_from(Utc::now().timestamp_millis()).unwrap() + ahead * 1000;
            let clock = Clock::new(millis, tenant.counter, REPLICAS[team]).to_string();
            let base = tenant.held.stamps.get(&id).filter(|_| *is_based);
            let mut change = Map::new();
            for (name, value) in [
                ("table", json!("notes")),
                ("id", json!(id)),
                ("clock", json!(clock)),
                ("base", json!(base)),
                (edit.0, edit.1),
            ] {
                change.insert(name.into(), value);
            }
            changes.push(change);
        }
        let body = json!({"carburetor": 1, "changes": changes}).to_string();
        let taken = self.post(team, &body);
        self.tenants[team].sent = taken.then_some(body);
    }

    fn post(&mut self, team: usize, body: &str) -> bool {
        let url = self.program.url("web/upload");
        let request = self.tenants[team].client.post(url).body(body.to_owned());
        let request = request.header("content-type", "application/json");
        let (status, text) = self.ask(team, request, body);
        assert!([200, 409].contains(&status), "{text}");
        status == 200
    }

    fn download(&mut self, team: usize, all: bool, lines: bool, limit: u8) {
        let mut token = self.tenants[team].held.token.clone().filter(|_| !all);
        for round in 0.. {
            let since = token.map_or_else(String::new, |token| format!("&since={token}"));
            let url = self
                .program
                .url(&format!("web/download?limit={limit}{since}"));
            let mut request = self.tenants[team].client.get(url);
            // Single pages repeat what the cutoff has not passed; all of them together end.
            let lines = lines || round > 10;
            if lines {
                request = request.header("accept", "application/x-ndjson");
            }
            let (status, text) = self.ask(team, request, "");
            assert_eq!(status, 200, "{text}");
            let pages: Vec<Value> = text
                .lines()
                .map(|line| serde_json::from_str(line).unwrap())
                .collect();
            for page in &pages {
                self.tenants[team].held.take(page);
            }
            let last = pages.last().unwrap();
            token = Some(last["next"].as_str().unwrap().to_owned());
            if last["more"] != true {
                break;
            }
        }
    }

    /// The conflict log within each one's scope.
    fn conflicts(&mut self) -> usize {
        let mut count = 0;
        for (team, name) in TEAMS.into_iter().enumerate() {
            let scope = Team::named(name);
            let conn = &mut self.server.connect();
            let group = SyncGroup::<(super::models::Note,), Team>::scoped(&scope);
            let logged = group.conflicts(conn, &ConflictsOf::default()).unwrap();
            let texts = logged
                .iter()
                .map(|entry| format!("{:?} {:?} {}", entry.lost, entry.won, entry.id));
            for text in texts {
                count += 1;
                self.search(team, &text, "");
            }
        }
        count
    }
}

#[test]
fn no_byte_tells_a_tenant_of_the_other_one() {
    let mut runner = TestRunner::new(Config {
        cases: CASES,
        ..Config::default()
    });
    let marked = std::cell::Cell::new(0);
    let told = std::cell::Cell::new(0);
    let conflicts = std::cell::Cell::new(0);
    let history = prop::collection::vec(step(), 20..60);
    let result = runner.run(&history, |history| {
        let mut world = World::new();
        for step in history {
            world.step(step);
        }
        conflicts.set(conflicts.get() + world.conflicts());
        world.settle();
        for (team, name) in TEAMS.into_iter().enumerate() {
            world.download(team, false, true, 3);
            let rows: BTreeMap<String, String> = world.server.notes(name).into_iter().collect();
            prop_assert_eq!(&world.tenants[team].held.rows, &rows);
        }
        marked.set(marked.get() + world.marked);
        told.set(told.get() + world.told);
        Ok(())
    });
    result.unwrap_or_else(|error| panic!("{error}"));
    // Else nothing was looked for.
    assert!(
        marked.get() > 100 && told.get() > 100 && conflicts.get() > 0,
        "{marked:?} {told:?} {conflicts:?}"
    );
}
