//! A device: a folder with the file of a replica.

use super::models::NOTES;
use super::models::sqlite::{Chore, Note, Price, Seat};
use carburetor::SyncGroup;
use carburetor::replica::{Replica, ReplicaError, Status, Transport};
use diesel::connection::{Connection, SimpleConnection};
use diesel::sqlite::SqliteConnection;
use futures_util::{FutureExt, StreamExt};
use std::path::PathBuf;
use std::sync::atomic::{AtomicU32, Ordering};

pub(super) type Group = SyncGroup<(Note, Seat, Price, Chore)>;

/// A folder that goes when it is dropped.
pub(super) struct Folder(PathBuf);

impl Folder {
    pub(super) fn new() -> Self {
        static NUMBER: AtomicU32 = AtomicU32::new(0);
        let number = NUMBER.fetch_add(1, Ordering::Relaxed);
        let name = format!("carburetor-replica-{}-{number}", std::process::id());
        let path = std::env::temp_dir().join(name);
        std::fs::create_dir_all(&path).unwrap();
        Folder(path)
    }

    pub(super) fn file(&self, name: &str) -> PathBuf {
        self.0.join(name)
    }

    pub(super) fn open(&self, transport: impl Transport) -> Result<Replica<Group>, ReplicaError> {
        let path = self.file("device");
        let mut conn = SqliteConnection::establish(path.to_str().unwrap()).unwrap();
        run(&mut conn, NOTES);
        Replica::open(path, transport)
    }
}

/// The status at present.
pub(super) fn status<G>(replica: &Replica<G>) -> Status {
    let mut status = Box::pin(replica.status());
    status.next().now_or_never().flatten().unwrap()
}

impl Drop for Folder {
    fn drop(&mut self) {
        // What the system's folder for temporary files keeps, it cleans up itself.
        let _ = std::fs::remove_dir_all(&self.0);
    }
}

pub(super) fn run(conn: &mut SqliteConnection, statements: &str) {
    conn.batch_execute(statements)
        .unwrap_or_else(|error| panic!("{error} in:\n{statements}"));
}
