//! A device whose file serves others.

use super::database::{Way, sqlite_connector};
use super::models::{Member, Table, sqlite};
use super::network::Network;
use super::rows::Rows;
use bytes::Bytes;
use carburetor::change::Changes;
use carburetor::replica::{InProcess, TransportError};
use diesel::sqlite::{Sqlite, SqliteConnection};
use std::path::{Path, PathBuf};

/// A hub as its devices reach it.
pub(super) struct Hub {
    path: PathBuf,
    network: Network,
}

/// Makes a replica's file one that serves others.
pub(super) fn install(conn: &mut SqliteConnection) {
    let tracking = sqlite::Served::tracking::<Sqlite>();
    tracking
        .install(conn)
        .expect("the replica's tables are tracked");
}

impl Hub {
    pub(super) fn new(path: &Path, network: Network) -> Self {
        Hub {
            path: path.to_owned(),
            network,
        }
    }

    fn way(&self, member: Member) -> Way {
        self.network.program().set_time();
        Way::Sqlite(InProcess::new(member, sqlite_connector(&self.path)))
    }

    /// What its tables show.
    pub(super) fn rows(&self) -> Rows {
        self.network.program().rows()
    }

    /// All pages that `member` is sent.
    pub(super) async fn download(
        &self,
        member: Member,
        since: Option<&str>,
        limit: u32,
    ) -> Result<Vec<Result<Bytes, TransportError>>, TransportError> {
        self.way(member).download(since, limit).await
    }

    /// Takes an upload of a device, of which its own server has still to hear.
    pub(super) async fn take(
        &self,
        member: Member,
        changes: Vec<u8>,
    ) -> Result<Bytes, TransportError> {
        let sent = Changes::read(&changes).expect("a replica's message can be read");
        let answer = self.way(member).upload(changes).await;
        let keys = sent.changes.iter().map(|change| {
            let id = change.id.as_str().unwrap_or_default().to_owned();
            (Table::of(&change.table).name, id)
        });
        self.network.program().desk.relay(keys);
        answer
    }
}
