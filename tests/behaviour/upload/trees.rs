//! Scopes that show a table by the keys of another one: what comes with a new row of that.

use super::super::projects::{PROJECTS, ROWS};
use super::super::{Device, changes, run, verdicts};
use super::contents::lines;
use super::projects::{Job, Project, Remark, jobs, projects, remarks};
use super::{Conn, DB, Server};
use carburetor::change::Change;
use carburetor::upload::{Transactions, UploadOptions};
use carburetor::{SyncGroup, SyncScope, Visible};
use diesel::prelude::*;
use serde_json::{Value, json};

/// The projects of the red team, and what hangs on them, as they were when it was made.
struct Red {
    projects: Vec<String>,
    jobs: Vec<i32>,
}

impl SyncScope<Project, DB> for Red {
    fn filter(&self) -> Visible<'_, projects::table, DB> {
        Visible::only(projects::team.eq("red"))
    }
}

impl SyncScope<Job, DB> for Red {
    fn filter(&self) -> Visible<'_, jobs::table, DB> {
        Visible::keys(jobs::project, self.projects.clone())
    }
}

impl SyncScope<Remark, DB> for Red {
    fn filter(&self) -> Visible<'_, remarks::table, DB> {
        Visible::keys(remarks::job, self.jobs.clone())
    }
}

type Tree = SyncGroup<(Remark, Job, Project), Red>;

fn red() -> Red {
    Red {
        projects: vec!["ours".into()],
        jobs: vec![1],
    }
}

fn with_projects(server: &Server) -> Conn {
    let mut conn = server.connect();
    run(&mut conn, PROJECTS);
    SyncGroup::<(Remark, Job, Project)>::tracking::<DB>()
        .install(&mut conn)
        .unwrap();
    run(&mut conn, ROWS);
    conn
}

fn project(id: &str, team: &str) -> Value {
    json!({"id": id, "team": team})
}

fn job(id: i32, project: &str) -> Value {
    json!({"id": id, "project": project, "title": format!("job {id}")})
}

fn remark(id: i32, job: i32) -> Value {
    json!({"id": id, "job": job})
}

fn upload(conn: &mut Conn, sent: Vec<Change>) -> Vec<String> {
    verdicts(&Tree::scoped(&red()).upload(conn, &changes(sent)).unwrap())
}

/// What is there of jobs and remarks.
fn stored(conn: &mut Conn) -> Vec<String> {
    let query = "select 'job ' || id || ' ' || coalesce(project, '-') || ' ' || title as line from jobs \
                 union all select 'remark ' || id || ' ' || job from remarks order by 1";
    lines(conn, query)
}

#[test]
fn what_hangs_on_a_new_row_of_the_scope_goes_up_with_it() {
    for transactions in [Transactions::One, Transactions::PerChange] {
        let server = Server::new();
        let conn = &mut with_projects(&server);
        let options = UploadOptions {
            transactions,
            ..UploadOptions::default()
        };
        let mut device = Device::ahead(1, 20);
        let sent = changes([
            device.insert("projects", project("new", "red")),
            device.insert("jobs", job(10, "new")),
            device.insert("remarks", remark(10, 10)),
            device.update("jobs", 10, json!({"title": "renamed"})),
            device.update("jobs", 1, json!({"project": "new"})),
            device.insert("jobs", job(11, "new")),
            device.delete("jobs", 11),
        ]);
        let scope = red();
        let scoped = Tree::scoped(&scope);
        let told = scoped.upload_with(conn, &sent, &options).unwrap();
        let expected = [
            "applied", "applied", "applied", "applied", "merged", "applied", "applied",
        ];
        assert_eq!(verdicts(&told), expected, "{transactions:?}");
        assert!(told.outcomes[4].row.is_some());
        assert_eq!(stored(conn)[0], "job 1 new one");
        assert_eq!(stored(conn)[1], "job 10 new renamed");
        // What comes again is answered alike; what is new after it needs a scope that is made anew.
        let again = scoped.upload_with(conn, &sent, &options).unwrap();
        assert_eq!(verdicts(&again), expected);
    }
}

#[test]
fn what_fails_beside_a_new_row_of_the_scope_takes_nothing_from_what_hangs_on_it() {
    let server = Server::new();
    let conn = &mut with_projects(&server);
    let mut device = Device::ahead(1, 20);
    let mut twin = job(11, "new");
    twin["title"] = json!("one");
    let told = upload(
        conn,
        vec![
            device.insert("jobs", job(10, "new")),
            device.insert("jobs", twin),
            device.insert("remarks", remark(10, 10)),
            device.insert("jobs", job(12, "theirs")),
            device.insert("projects", project("new", "red")),
        ],
    );
    assert_eq!(
        told,
        ["applied", "constraint", "applied", "constraint", "applied"]
    );
}

#[test]
fn a_row_that_the_upload_did_not_insert_or_that_the_scope_hides_opens_nothing() {
    let server = Server::new();
    let conn = &mut with_projects(&server);
    // Of the team, but the scope was made without it.
    run(
        conn,
        "insert into projects (id, team) values ('kept', 'red'); insert into jobs (id, project, title) values (4, 'kept', 'four')",
    );
    let before = stored(conn);
    let mut device = Device::ahead(1, 20);
    let mut inserts = |id: &str, team: &str| {
        let told = upload(
            conn,
            vec![
                device.insert("projects", project(id, team)),
                device.insert("jobs", job(10, id)),
                device.update("jobs", 2, json!({"title": "mine"})),
                device.update("jobs", 4, json!({"title": "mine"})),
                // What belongs to no project does not belong to one whose id is empty.
                device.update("jobs", 3, json!({"title": "mine"})),
            ],
        );
        told[1..].to_vec()
    };
    // As if there were no such project.
    assert_eq!(inserts("theirs", "red")[0], "constraint");
    assert_eq!(inserts("kept", "red")[0], "forbidden");
    assert_ne!(inserts("new", "blue")[0], "applied");
    assert_eq!(inserts("", "red")[0], "applied");
    let after = stored(conn);
    assert!(before.iter().all(|row| after.contains(row)), "{after:?}");
}
