//! A device: a program that edits its replica, online or not, and whose process may end at any step of a sync.

use super::disk;
use super::door::{Above, Door};
use super::hub::{self, Hub};
use super::models::{Member, Web};
use super::network::Network;
use super::program::Program;
use super::rows::Rows;
use super::server::Server;
use super::words;
use crate::Folder;
use carburetor::outcome::Code;
use carburetor::replica::{Replica, ReplicaError, TransportError};
use diesel::connection::SimpleConnection;
use fastrand::Rng;
use std::future::poll_fn;
use std::path::PathBuf;
use std::pin::pin;
use std::sync::Arc;
use std::task::Poll;

/// A replica with its program.
pub(super) struct Device {
    path: PathBuf,
    server: Arc<Server>,
    hub: Option<Arc<Hub>>,
    pub(super) network: Network,
    replica: Replica<Web>,
}

/// How a sync ended.
pub(super) enum End {
    Done,
    /// The network was in the way.
    Broken,
    /// The process ended.
    Crashed,
}

impl Device {
    pub(super) fn new(
        folder: &Folder,
        server: &Arc<Server>,
        above: Above,
        number: usize,
        member: Member,
        rng: &mut Rng,
    ) -> Self {
        let path = folder.file(&format!("device-{number}"));
        // The program needs the tables before there is a network: one that is never used makes them.
        let hub = match &above {
            Above::Hub(hub) => Some(hub.clone()),
            Above::Server(_) => None,
        };
        let door = Door::new(above, member);
        let first = Replica::<Web>::open(&path, door.clone());
        let first = first.expect("the replica opens");
        let mut conn = first.connection().expect("the replica's file opens");
        // Its own id would be random, and with it who wins among equal times.
        conn.batch_execute(&format!(
            "update carburetor_replica set id = '{:016x}'",
            number + 1
        ))
        .expect("the id is set");
        let program = Program::new(conn, server.clone(), number, rng.u64(..));
        let network = Network::new(door, rng.u64(..), program);
        Device {
            replica: Replica::open(&path, network.clone()).expect("the replica opens again"),
            path,
            hub,
            server: server.clone(),
            network,
        }
    }

    /// Makes it a hub, and returns how others reach it.
    pub(super) fn serve(&mut self) -> Arc<Hub> {
        let mut conn = self.replica.connection().expect("the replica's file opens");
        hub::install(&mut conn);
        self.network.program().desk.is_hub = true;
        self.network.program().set_time();
        self.restart();
        Arc::new(Hub::new(&self.path, self.network.clone()))
    }

    /// The program edits.
    pub(super) fn edit(&self) -> Result<(), String> {
        let teams = self.network.door.member().teams.clone();
        let mut program = self.network.program();
        program.edit(&teams);
        first(&program.breaches)
    }

    /// Syncs, unless the network or the end of the process is in the way; what doesn't hold afterwards is an error.
    pub(super) async fn sync(&mut self) -> Result<End, String> {
        let before = {
            let mut program = self.network.program();
            program.set_time();
            program.desk.begin();
            program.rows()
        };
        let end = match self.attempt().await {
            None => {
                self.restart();
                End::Crashed
            }
            Some(Ok(())) => End::Done,
            Some(Err(ReplicaError::Transport(
                TransportError::Offline(_) | TransportError::Unreadable(_),
            ))) => End::Broken,
            Some(Err(ReplicaError::Transport(TransportError::Refused { status: 408, .. }))) => {
                End::Broken
            }
            Some(Err(error)) if error.to_string() == disk::FULL => End::Broken,
            Some(Err(error)) => return Err(error.to_string()),
        };
        let truth = matches!(end, End::Done).then(|| self.truth());
        let pending = self.replica.pending().expect("the replica's file is read");
        let unreadable = self.replica.unreadable();
        let unreadable = words::told(&unreadable.expect("the replica's file is read"));
        let mut program = self.network.program();
        if pending == 0 && matches!(end, End::Done) {
            program.desk.all_sent();
        }
        let after = program.rows();
        program.desk.end(&before, &after, truth, &unreadable)?;
        first(&program.breaches)?;
        first(&self.server.ledger().breaches)?;
        Ok(end)
    }

    /// What is above shows to its account.
    fn truth(&self) -> Rows {
        let member = self.network.door.member().clone();
        let mut rows = match &self.hub {
            Some(hub) => hub.rows(),
            None => self.server.rows(),
        };
        rows.retain(|_, row| row.is_visible(&member));
        rows
    }

    /// The outcome of a sync; none if the process ended in it.
    async fn attempt(&self) -> Option<Result<(), ReplicaError>> {
        let mut sync = pin!(self.replica.sync());
        poll_fn(|context| match sync.as_mut().poll(context) {
            Poll::Ready(outcome) => Poll::Ready(Some(outcome.map(|_| ()))),
            Poll::Pending if self.network.has_crashed() => Poll::Ready(None),
            Poll::Pending => Poll::Pending,
        })
        .await
    }

    /// The process ended, and starts again from its file.
    fn restart(&mut self) {
        self.network.revive();
        // Whoever opens a file on a full disk is told; this one has made room.
        self.network.program().make_room();
        self.replica =
            Replica::open(&self.path, self.network.clone()).expect("the replica opens again");
    }

    /// Whether all that the program wrote is answered, and what was rejected kept.
    pub(super) fn is_clear(&self) -> Result<(), String> {
        let pending = self.replica.pending().expect("the replica's file is read");
        if pending > 0 {
            return Err(format!("{pending} changes were never answered"));
        }
        let kept = self.replica.rejected().expect("the replica's file is read");
        let (lost, rejected): (Vec<_>, Vec<_>) = kept
            .iter()
            .partition(|kept| kept.rejection.code == Code::Gone);
        let desk = &self.network.program().desk;
        for (what, told, kept) in [
            ("rejected", &desk.rejected, rejected),
            ("lost with their rows", &desk.lost, lost),
        ] {
            let kept = kept.into_iter().map(|kept| kept.change.clock).collect();
            if *told != kept {
                return Err(format!(
                    "the changes {told:?} were {what}, and {kept:?} kept aside"
                ));
            }
        }
        desk.is_clear()
    }
}

fn first(breaches: &[String]) -> Result<(), String> {
    match breaches.first() {
        None => Ok(()),
        Some(breach) => Err(breach.clone()),
    }
}
