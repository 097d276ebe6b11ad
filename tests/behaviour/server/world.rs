//! Who may see what, and a device of his.

use super::super::program::{Program, device};
use super::models::{Note, notes};
use super::{DB, Pool, Server};
use axum::extract::FromRequestParts;
use axum::http::StatusCode;
use axum::http::request::Parts;
use carburetor::replica::{Http, Replica};
use carburetor::server::{Limits, Shutdown, Sync};
use carburetor::{Everyone, SyncGroup, SyncScope, Visible};
use carburetor_tests::Folder;
use diesel::prelude::*;
use diesel::sqlite::SqliteConnection;

/// The team that the header names.
pub(super) struct Team(String);

impl Team {
    pub(super) fn named(name: &str) -> Self {
        Team(name.into())
    }

    pub(super) fn name(&self) -> &str {
        &self.0
    }
}

impl SyncScope<Note, DB> for Team {
    fn filter(&self) -> Visible<'_, notes::table, DB> {
        Visible::only(notes::team.eq(&self.0))
    }
}

impl<S: Send + std::marker::Sync> FromRequestParts<S> for Team {
    type Rejection = (StatusCode, [(&'static str, &'static str); 1], &'static str);

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Self::Rejection> {
        let team = parts.headers.get("x-team");
        let team = team.and_then(|team| team.to_str().ok());
        team.map(|team| Team(team.into())).ok_or((
            StatusCode::UNAUTHORIZED,
            [("content-type", "application/problem+json")],
            "{\"code\":\"who\",\"detail\":\"who are you?\",\"remedy\":\"say it in x-team\"}",
        ))
    }
}

/// Teams at `web`, and everything at `admin`.
fn sync(pool: Pool, limits: Limits) -> Sync<Pool> {
    Sync::with_limits(pool, limits)
        .origins(["https://friend.example"])
        .group::<SyncGroup<(Note,), Team>, Team>("web")
        .group::<SyncGroup<(Note,)>, Everyone>("admin")
}

/// The routes of the same.
pub(super) fn routes(pool: Pool, limits: Limits) -> axum::Router {
    sync(pool, limits).router()
}

/// The same beside other routes, with what ends the feeds.
pub(super) fn with_routes(
    pool: Pool,
    limits: Limits,
    more: axum::Router,
) -> (axum::Router, Shutdown) {
    let sync = sync(pool, limits);
    let shutdown = sync.shutdown();
    (sync.router().merge(more), shutdown)
}

impl Server {
    /// A program that serves teams at `web`, and everything at `admin`.
    pub(super) fn serve(&self, pool: usize, limits: Limits) -> Program {
        self.serve_until(pool, limits).0
    }

    /// The same, with what ends its feeds.
    pub(super) fn serve_until(&self, pool: usize, limits: Limits) -> (Program, Shutdown) {
        let sync = sync(self.pool(pool), limits);
        let shutdown = sync.shutdown();
        (Program::start(|| sync.router()), shutdown)
    }

    pub(super) fn notes(&self, team: &str) -> Vec<(String, String)> {
        notes::table
            .select((notes::id, notes::title))
            .filter(notes::team.eq(team))
            .order(notes::id)
            .load(&mut self.connect())
            .unwrap()
    }
}

/// A device that reaches its server over HTTP.
pub(super) struct Device {
    folder: Folder,
    pub(super) replica: Replica<SyncGroup<(device::Note,)>>,
    pub(super) conn: SqliteConnection,
}

impl Device {
    pub(super) fn new(program: &Program, team: &str) -> Self {
        Self::of_group(program, team, "web")
    }

    /// A device of the group that is served under this name.
    pub(super) fn of_group(program: &Program, team: &str, group: &str) -> Self {
        Self::open(Folder::new(), program, team, group)
    }

    /// The same file, with a server at another address.
    pub(super) fn reopen(self, program: &Program, team: &str) -> Self {
        let Device { folder, conn, .. } = self;
        drop(conn);
        Self::open(folder, program, team, "web")
    }

    fn open(folder: Folder, program: &Program, team: &str, group: &str) -> Self {
        let transport = Http::with_client(program.client(team), &program.url(group)).unwrap();
        let replica = Replica::open(folder.file("device"), transport).unwrap();
        let conn = replica.connection().unwrap();
        Device {
            folder,
            replica,
            conn,
        }
    }

    pub(super) fn notes(&mut self) -> Vec<(String, String)> {
        use device::notes::dsl;
        dsl::notes
            .select((dsl::id, dsl::title))
            .order(dsl::id)
            .load(&mut self.conn)
            .unwrap()
    }
}
