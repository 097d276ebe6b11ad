//! A device: a program that edits its replica, online or not, and whose process may end at any step of a sync.

use super::models::{ALL, Member, TEAMS, Web};
use super::network::Network;
use super::server::{BEGINNING, Server};
use crate::Folder;
use carburetor::replica::{Replica, ReplicaError, TransportError};
use carburetor::testing::set_replica_time;
use chrono::DateTime;
use diesel::connection::SimpleConnection;
use diesel::sqlite::SqliteConnection;
use fastrand::Rng;
use std::future::poll_fn;
use std::path::PathBuf;
use std::pin::pin;
use std::sync::Arc;
use std::task::Poll;

/// Ids are few, so that devices meet in them.
const IDS: u32 = 8;

/// A replica with its program.
pub(super) struct Device {
    path: PathBuf,
    pub(super) network: Network,
    replica: Replica<Web>,
    /// By how many milliseconds the device's clock is wrong.
    offset: i64,
}

impl Device {
    pub(super) fn new(
        folder: &Folder,
        server: &Arc<Server>,
        number: usize,
        member: Member,
        seed: u64,
    ) -> Self {
        let path = folder.file(&format!("device-{number}"));
        let network = Network::new(server.clone(), member, seed);
        let replica = Replica::open(&path, network.clone()).expect("the replica opens");
        let mut conn = replica.connection().expect("the replica's file opens");
        // Its own id would be random, and with it who wins among equal times.
        conn.batch_execute(&format!(
            "update carburetor_replica set id = '{:016x}'",
            number + 1
        ))
        .expect("the id is set");
        Device {
            path,
            network,
            replica,
            offset: 0,
        }
    }

    pub(super) fn connect(&self) -> SqliteConnection {
        self.replica.connection().expect("the replica's file opens")
    }

    pub(super) fn pending(&self) -> u64 {
        self.replica.pending().expect("the replica's file is read")
    }

    /// The device's clock jumps, by up to two hours either way.
    pub(super) fn jump(&mut self, rng: &mut Rng) {
        self.offset = match rng.u8(0..4) {
            0 => rng.i64(-7_200_000..7_200_000),
            1 => rng.i64(-30_000..30_000),
            _ => 0,
        };
    }

    /// Sets the file's time to `micros` after the beginning, as the device sees it.
    fn set_time(&self, conn: &mut SqliteConnection, micros: i64) {
        let now = BEGINNING + micros + self.offset * 1000;
        set_replica_time(conn, DateTime::from_timestamp_micros(now)).expect("the time is set");
    }

    /// The program edits a few rows in one transaction, or gives it up.
    pub(super) fn edit(&self, rng: &mut Rng, micros: i64, step: u64) {
        let mut conn = self.connect();
        self.set_time(&mut conn, micros);
        let teams = self.network.state().member.teams.clone();
        let edits: String = (0..rng.usize(1..4))
            .map(|number| edit(rng, &teams, &format!("{step}.{number}")) + ";\n")
            .collect();
        let end = if rng.u8(0..8) == 0 {
            "rollback"
        } else {
            "commit"
        };
        conn.batch_execute(&format!("begin immediate;\n{edits}{end};"))
            .unwrap_or_else(|error| panic!("{error} in:\n{edits}"));
    }

    /// Syncs, unless the network or the end of the process is in the way; returns what went wrong.
    pub(super) async fn sync(&mut self, micros: i64) -> Option<ReplicaError> {
        self.set_time(&mut self.connect(), micros);
        let outcome = {
            let mut sync = pin!(self.replica.sync());
            poll_fn(|context| match sync.as_mut().poll(context) {
                Poll::Ready(outcome) => Poll::Ready(Some(outcome)),
                Poll::Pending if self.network.has_crashed() => Poll::Ready(None),
                Poll::Pending => Poll::Pending,
            })
            .await
        };
        match outcome {
            Some(outcome) => outcome.err(),
            None => {
                self.restart();
                None
            }
        }
    }

    /// The process ended, and starts again from its file.
    fn restart(&mut self) {
        self.network.revive();
        self.replica =
            Replica::open(&self.path, self.network.clone()).expect("the replica opens again");
    }
}

/// Whether an error is the network's doing.
pub(super) fn is_expected(error: &ReplicaError) -> bool {
    matches!(
        error,
        ReplicaError::Transport(TransportError::Offline(_) | TransportError::Unreadable(_))
    )
}

/// One statement of a program that sees rows of `teams`.
pub(super) fn edit(rng: &mut Rng, teams: &[String], word: &str) -> String {
    let table = &ALL[rng.usize(0..ALL.len())];
    let id = format!("{}", rng.u32(0..IDS));
    let team = match teams.len() {
        0 => TEAMS[0].to_owned(),
        // Now and then into a team that is not its own.
        _ if rng.u8(0..16) == 0 => TEAMS[rng.usize(0..TEAMS.len())].to_owned(),
        some => teams[rng.usize(0..some)].clone(),
    };
    let mut value = |column: &str| match column {
        "team" => format!("'{team}'"),
        "list" => format!("'{}'", rng.u32(0..IDS)),
        // Below zero the server refuses.
        "points" => format!("{}", rng.i32(-1..20)),
        // Few titles, so that some are taken.
        "title" if rng.bool() => format!("'title {}'", rng.u8(0..12)),
        "note" if rng.u8(0..4) == 0 => "null".to_owned(),
        _ => format!("'{word}'"),
    };
    let values: Vec<String> = table.columns.iter().map(|column| value(column)).collect();
    match rng.u8(0..10) {
        0..=3 => format!(
            "insert into {} (id, {}) values ('{id}', {}) on conflict do nothing",
            table.name,
            table.columns.join(", "),
            values.join(", ")
        ),
        4 => format!(
            "insert or replace into {} (id, {}) values ('{id}', {})",
            table.name,
            table.columns.join(", "),
            values.join(", ")
        ),
        5 => format!("delete from {} where id = '{id}'", table.name),
        _ => {
            // The team, which is the first column, moves seldom.
            let first = usize::from(rng.u8(0..6) > 0);
            let column = rng.usize(first..values.len());
            format!(
                "update {} set {} = {} where id = '{id}'",
                table.name, table.columns[column], values[column]
            )
        }
    }
}
