//! Two tenants and random histories of both: whatever is asked, no byte that one of them gets tells of the other.

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
use proptest::prelude::*;
use proptest::test_runner::{Config, TestRunner};
use serde_json::{Map, Value, json};
use std::collections::{BTreeMap, BTreeSet};

const TEAMS: [&str; 2] = ["red", "blue"];
/// The ids of their replicas, which tell one device from the others.
const REPLICAS: [u64; 2] = [0x0ed0_5ec4_e70e_d001, 0xb1be_5ec4_e7b1_be01];
const CASES: u32 = 12;

/// What one of them, or the database's owner, does next.
#[derive(Debug, Clone)]
enum Step {
    /// The owner writes a row of the team.
    Write { team: usize, id: u8 },
    /// The owner gives a row that moves to the team.
    Move { team: usize, id: u8 },
    /// The owner deletes a row.
    Delete { id: Id },
    /// The team uploads; `ahead` by how many seconds of clock.
    Upload {
        team: usize,
        edits: Vec<Sent>,
        ahead: u64,
    },
    /// The team sends again what the other one sent last.
    Replay { team: usize },
    /// The team asks for what is new, or for everything.
    Ask {
        team: usize,
        all: bool,
        lines: bool,
        limit: u8,
    },
}

/// One change of an upload.
#[derive(Debug, Clone)]
struct Sent {
    id: Id,
    kind: u8,
    /// Whether it claims the row for the other team.
    away: bool,
    /// Whether it says when the row was seen.
    is_based: bool,
}

/// A row of one team for ever, or one that moves.
#[derive(Debug, Clone, Copy)]
enum Id {
    Of(usize, u8),
    Moving(u8),
}

impl Id {
    fn text(self) -> String {
        match self {
            Id::Of(team, id) => format!("{}-id-{id}", TEAMS[team]),
            Id::Moving(id) => format!("moving-id-{id}"),
        }
    }
}

fn id() -> impl Strategy<Value = Id> {
    prop_oneof![
        (0..2_usize, 0..3_u8).prop_map(|(team, id)| Id::Of(team, id)),
        (0..3_u8).prop_map(Id::Moving),
    ]
}

fn step() -> impl Strategy<Value = Step> {
    let sent = (id(), 0..4_u8, prop::bool::weighted(0.2), any::<bool>());
    let sent = sent.prop_map(|(id, kind, away, is_based)| Sent {
        id,
        kind,
        away,
        is_based,
    });
    let edits = prop::collection::vec(sent, 1..5);
    prop_oneof![
        2 => (0..2_usize, 0..3_u8).prop_map(|(team, id)| Step::Write { team, id }),
        3 => (0..2_usize, 0..3_u8).prop_map(|(team, id)| Step::Move { team, id }),
        2 => id().prop_map(|id| Step::Delete { id }),
        6 => (0..2_usize, edits, prop_oneof![Just(0), 1..50_u64])
            .prop_map(|(team, edits, ahead)| Step::Upload { team, edits, ahead }),
        2 => (0..2_usize).prop_map(|team| Step::Replay { team }),
        5 => (0..2_usize, prop::bool::weighted(0.2), any::<bool>(), 1..6_u8)
            .prop_map(|(team, all, lines, limit)| Step::Ask { team, all, lines, limit }),
    ]
}

/// What a tenant has been told.
struct Tenant {
    client: reqwest::Client,
    token: Option<String>,
    copy: BTreeMap<String, String>,
    stamps: BTreeMap<String, Value>,
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
}

impl World {
    fn new() -> Self {
        let server = Server::new();
        server.connect().batch_execute("delete from notes").unwrap();
        let program = server.serve(2, Limits::default());
        let tenants = [0, 1].map(|team| Tenant {
            client: program.client(TEAMS[team]),
            token: None,
            copy: BTreeMap::new(),
            stamps: BTreeMap::new(),
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

    /// Sends a request of `team`, and looks for what it may not see in each byte of the answer and in each token within.
    fn ask(&mut self, team: usize, request: reqwest::RequestBuilder, sent: &str) -> (u16, String) {
        let (status, text) = self.program.runtime.block_on(async {
            let answer = request.send().await.unwrap();
            let status = answer.status().as_u16();
            let headers = format!("{:?}", answer.headers());
            (status, headers + "\n" + &answer.text().await.unwrap())
        });
        let mut searched = text.clone();
        for word in text.split(|c: char| !(c.is_ascii_alphanumeric() || c == '_' || c == '-')) {
            let token = BASE64_URL_SAFE_NO_PAD.decode(word).unwrap_or_default();
            searched.push_str(&String::from_utf8_lossy(&token));
        }
        self.search(team, &searched, sent);
        let body = text.split_once('\n').unwrap().1;
        (status, body.into())
    }

    fn search(&mut self, team: usize, text: &str, sent: &str) {
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
        }
        self.look();
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
            if *kind == 0 && !*away {
                tenant.known.insert(id.clone());
            }
            tenant.counter += 1;
            let millis = u64::try_from(Utc::now().timestamp_millis()).unwrap() + ahead * 1000;
            let clock = Clock::new(millis, tenant.counter, REPLICAS[team]).to_string();
            let base = tenant.stamps.get(&id).filter(|_| *is_based);
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
        let (status, text) = self.ask(team, request, body);
        assert!([200, 409].contains(&status), "{text}");
        status == 200
    }

    fn download(&mut self, team: usize, all: bool, lines: bool, limit: u8) {
        let mut token = self.tenants[team].token.clone().filter(|_| !all);
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
                self.take(team, page);
            }
            let last = pages.last().unwrap();
            token = Some(last["next"].as_str().unwrap().to_owned());
            if last["more"] != true {
                break;
            }
        }
        self.tenants[team].token = token;
    }

    fn take(&mut self, team: usize, page: &Value) {
        let tenant = &mut self.tenants[team];
        let notes = &page["tables"]["notes"];
        if notes["reset"] == true {
            tenant.copy.clear();
        }
        for id in notes["removed"].as_array().into_iter().flatten() {
            let id = id.as_str().unwrap_or_else(|| panic!("{page}"));
            tenant.copy.remove(id);
        }
        for row in notes["rows"].as_array().unwrap() {
            let id = row["id"].as_str().unwrap().to_owned();
            tenant.stamps.insert(id.clone(), row["at"].clone());
            tenant
                .copy
                .insert(id, row["title"].as_str().unwrap().into());
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
    let conflicts = std::cell::Cell::new(0);
    let history = prop::collection::vec(step(), 20..60);
    let result = runner.run(&history, |history| {
        let mut world = World::new();
        for step in history {
            world.step(step);
        }
        conflicts.set(conflicts.get() + world.conflicts());
        for (team, name) in TEAMS.into_iter().enumerate() {
            world.download(team, false, true, 3);
            let rows: BTreeMap<String, String> = world.server.notes(name).into_iter().collect();
            prop_assert_eq!(&world.tenants[team].copy, &rows);
        }
        marked.set(marked.get() + world.marked);
        Ok(())
    });
    result.unwrap_or_else(|error| panic!("{error}"));
    // Else nothing was looked for.
    assert!(
        marked.get() > 100 && conflicts.get() > 0,
        "{marked:?} {conflicts:?}"
    );
}
