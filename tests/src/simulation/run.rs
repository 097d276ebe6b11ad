//! One run: a seed decides everything that happens.

use super::check;
use super::device::{Device, edit, is_expected};
use super::models::{Member, TEAMS};
use super::server::Server;
use crate::Folder;
use diesel::connection::SimpleConnection;
use fastrand::Rng;
use std::collections::BTreeSet;
use std::sync::Arc;

/// How often all devices sync at the end until nothing may be left.
const ROUNDS: usize = 12;

/// What a run was made of.
#[derive(Debug, Default, Clone, Copy)]
pub struct Tally {
    /// Steps of the schedule.
    pub steps: u64,
    /// Syncs that came to their end.
    pub synced: u64,
    /// Syncs that the network broke.
    pub broken: u64,
    /// Processes that ended in a sync.
    pub crashed: u64,
    /// Changes that the server accepted.
    pub accepted: usize,
}

struct World {
    rng: Rng,
    folder: Folder,
    server: Arc<Server>,
    devices: Vec<Device>,
    /// Microseconds since the beginning.
    time: i64,
    /// The table and the id of rows that were deleted on the server by SQL.
    deleted: BTreeSet<(String, String)>,
    tally: Tally,
}

/// Runs the schedule of `seed`; what doesn't hold is an error.
pub async fn run(seed: u64, steps: u64) -> Result<Tally, String> {
    let mut rng = Rng::with_seed(seed);
    let folder = Folder::new();
    let server = Server::start(&folder);
    let devices = (0..rng.usize(2..5))
        .map(|number| {
            let member = member(&mut rng);
            Device::new(&folder, &server, number, member, rng.u64(..))
        })
        .collect();
    let mut world = World {
        rng,
        folder,
        server,
        devices,
        time: 0,
        deleted: BTreeSet::new(),
        tally: Tally::default(),
    };
    for step in 0..steps {
        world.step(step).await?;
    }
    world.tally.steps = steps;
    world.rest().await
}

/// Somebody of one team or more.
fn member(rng: &mut Rng) -> Member {
    let mut teams: Vec<String> = TEAMS.map(str::to_owned).to_vec();
    rng.shuffle(&mut teams);
    teams.truncate(rng.usize(1..=TEAMS.len()));
    teams.sort();
    Member { teams }
}

impl World {
    async fn step(&mut self, step: u64) -> Result<(), String> {
        self.time += self.rng.i64(1..2_000_000);
        self.server.set_time(&mut self.server.connect(), self.time);
        let number = self.rng.usize(0..self.devices.len());
        match self.rng.u8(0..20) {
            0..=7 => self.devices[number].edit(&mut self.rng, self.time, step),
            8..=13 => self.sync(number).await?,
            14 => self.devices[number].jump(&mut self.rng),
            15 => self.devices[number].network.arrive().await,
            16 => {
                let member = member(&mut self.rng);
                self.devices[number].network.state().member = member;
            }
            17 => {
                let crash = self.rng.u32(0..6);
                self.devices[number].network.state().crash_in = Some(crash);
            }
            _ => self.write(step),
        }
        Ok(())
    }

    /// Somebody writes on the server by SQL.
    fn write(&mut self, step: u64) {
        let teams = TEAMS.map(str::to_owned);
        let statement = edit(&mut self.rng, &teams, &format!("server {step}"));
        // What the constraints refuse is refused.
        let written = self.server.connect().batch_execute(&statement);
        let mut words = statement.split_whitespace();
        if written.is_ok() && words.next() == Some("delete") {
            let table = words.nth(1).unwrap_or_default().to_owned();
            let id = statement.rsplit('\'').nth(1).unwrap_or_default().to_owned();
            self.deleted.insert((table, id));
        }
        // REPLACE deletes whoever holds a unique value.
        if written.is_ok() && statement.starts_with("insert or replace") {
            for id in 0..8 {
                self.deleted.insert(("lists".into(), id.to_string()));
            }
        }
    }

    async fn sync(&mut self, number: usize) -> Result<(), String> {
        let device = &mut self.devices[number];
        let crashes = device.network.crashes();
        match device.sync(self.time).await {
            None => self.tally.synced += 1,
            Some(error) if is_expected(&error) => self.tally.broken += 1,
            Some(error) => return Err(format!("device {number}: {error}")),
        }
        self.tally.crashed += self.devices[number].network.crashes() - crashes;
        let breaches = std::mem::take(&mut self.devices[number].network.state().breaches);
        match breaches.first() {
            None => Ok(()),
            Some(breach) => Err(format!("a foreign row: {breach}")),
        }
    }

    /// The network is whole, and nobody writes any more.
    async fn rest(mut self) -> Result<Tally, String> {
        for device in &self.devices {
            let mut state = device.network.state();
            state.is_healed = true;
            state.crash_in = None;
        }
        // What is still on its way arrives late, or never.
        for device in &self.devices {
            device.network.arrive().await;
        }
        for _ in 0..ROUNDS {
            for number in 0..self.devices.len() {
                self.time += 1_000_000;
                self.server.set_time(&mut self.server.connect(), self.time);
                self.sync(number).await?;
            }
        }
        for (number, device) in self.devices.iter().enumerate() {
            check::equal(&self.server, device)
                .map_err(|problem| format!("device {number} differs, in {}", problem))?;
        }
        self.tally.accepted = check::kept(&self.server, &self.devices, &self.deleted)?;
        drop(self.folder);
        Ok(self.tally)
    }
}
