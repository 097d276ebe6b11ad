//! The suite on PostgreSQL.

pub(super) use super::cards::postgres as cards;
pub(super) use super::folders::postgres as folders;
pub(super) use super::goods::postgres as goods;
pub(super) use super::models::postgres as models;
pub(super) use super::projects::postgres as projects;
pub(super) use super::rooms::postgres as rooms;
pub(super) use super::tags::postgres as tags;
pub(super) use diesel::pg::Pg as DB;
pub(super) use diesel::pg::PgConnection as Conn;
pub(super) use diesel_async::AsyncPgConnection as AsyncConn;

#[path = "agreement.rs"]
mod agreement;
#[path = "asynchronous.rs"]
mod asynchronous;
#[path = "cascades.rs"]
mod cascades;
#[path = "confirmations.rs"]
mod confirmations;
#[path = "constraints.rs"]
mod constraints;
#[path = "contents.rs"]
mod contents;
#[path = "copies.rs"]
mod copies;
#[path = "damaged.rs"]
mod damaged;
#[path = "deadlocks.rs"]
mod deadlocks;
#[path = "postgres_ended.rs"]
mod ended;
#[path = "existence.rs"]
mod existence;
#[path = "kept.rs"]
mod kept;
#[path = "postgres_kept.rs"]
mod kept_by_types;
#[path = "postgres_constraints.rs"]
mod late_constraints;
#[path = "meetings.rs"]
mod meetings;
#[path = "mixture.rs"]
mod mixture;
#[path = "moves.rs"]
mod moves;
#[path = "outboxes.rs"]
mod outboxes;
#[path = "outcomes.rs"]
mod outcomes;
#[path = "postgres_partitions.rs"]
mod partitions;
#[path = "peers.rs"]
mod peers;
#[path = "postgres_plans.rs"]
mod plans;
#[path = "postgres_policies.rs"]
mod policies;
#[path = "properties.rs"]
mod properties;
#[path = "races.rs"]
mod races;
#[path = "references.rs"]
mod references;
#[path = "refusals.rs"]
mod refusals;
#[path = "reinserts.rs"]
mod reinserts;
#[path = "remade.rs"]
mod remade;
#[path = "repeats.rs"]
mod repeats;
#[path = "revivals.rs"]
mod revivals;
#[path = "rules.rs"]
mod rules;
#[path = "scopes.rs"]
mod scopes;
#[path = "series.rs"]
mod series;
#[path = "strategies.rs"]
mod strategies;
#[path = "swaps.rs"]
mod swaps;
#[path = "times.rs"]
mod times;
#[path = "trees.rs"]
mod trees;
#[path = "postgres_truncate.rs"]
mod truncate;
#[path = "postgres_types.rs"]
mod types;
#[path = "unreadable.rs"]
mod unreadable;
#[path = "waits.rs"]
mod waits;

use super::models::TABLES;
use carburetor::SyncGroup;

/// How many histories the properties try.
pub(super) const CASES: u32 = 16;

/// What is refused costs no statement of its own.
pub(super) const FEW_STATEMENTS: bool = true;

/// What the names of the tracking's tables begin with.
pub(super) const CARBURETOR: &str = "carburetor.";

/// An hour before a stored instant.
pub(super) const HOUR_BEFORE: &str = "at - interval '1 hour'";

/// The query of the names of a table's columns, as `line`.
pub(super) fn columns_of(table: &str) -> String {
    format!(
        "select attname::text as line from pg_attribute where attrelid = '{table}'::regclass and attnum > 0 and not attisdropped order by attnum"
    )
}

/// Every table of the suite.
pub(super) type Everything = SyncGroup<(
    models::FieldsRow,
    models::LaterRow,
    models::ServerRow,
    models::ClientRow,
    models::CustomRow,
    models::Task,
    models::Person,
    models::Note,
)>;

use carburetor_tests::{Cluster, Database};

/// A database with the tracked tables of the suite.
pub(super) struct Server(Database);

impl Server {
    pub(super) fn new() -> Self {
        let database = Cluster::shared().database();
        database.psql(TABLES);
        let server = Server(database);
        Everything::tracking::<DB>()
            .install(&mut server.connect())
            .unwrap();
        server
    }

    pub(super) fn connect(&self) -> Conn {
        self.0.connect()
    }

    pub(super) async fn connect_async(&self) -> AsyncConn {
        self.0.connect_async().await
    }
}
