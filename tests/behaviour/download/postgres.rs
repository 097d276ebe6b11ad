//! What only PostgreSQL has: its types, schemas, partitions, parallel plans, timelines.

mod columns;
mod edges;
mod isolation;
mod origins;
mod parallel;
mod partitions;
mod schemas;
mod timeline;
mod types;
mod untracked;

use super::{run, steady};
use carburetor::SyncGroup;
use carburetor::group::TrackTables;
use carburetor_tests::{Cluster, Database};
use diesel::PgConnection;
use diesel::pg::Pg;

/// A database with `tables`, in which the tables of `T` are tracked.
fn tracked<T>(tables: &str) -> (Database, PgConnection)
where
    T: TrackTables<Pg>,
{
    let database = Cluster::shared().database();
    database.psql(tables);
    let mut conn = database.connect();
    SyncGroup::<T>::tracking::<Pg>().install(&mut conn).unwrap();
    (database, conn)
}
