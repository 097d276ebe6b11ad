//! One run: a seed decides everything that happens.

use super::database::Backend;
use super::device::{Device, End};
use super::models::{Member, TEAMS};
use super::server::Server;
use crate::Folder;
use fastrand::Rng;
use std::sync::Arc;

/// How often all devices sync at the end until nothing may be left.
const ROUNDS: usize = 4;

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
    server: Arc<Server>,
    devices: Vec<Device>,
    /// Microseconds since the beginning.
    time: i64,
    tally: Tally,
}

/// Runs the schedule of `seed` against a server on `backend`; what doesn't hold is an error.
pub async fn run(backend: Backend, seed: u64, steps: u64) -> Result<Tally, String> {
    let mut rng = Rng::with_seed(seed);
    let folder = Folder::new();
    let server = Server::start(backend, &folder);
    let devices = (0..rng.usize(2..5))
        .map(|number| {
            let member = member(&mut rng);
            Device::new(&folder, &server, number, member, &mut rng)
        })
        .collect();
    let mut world = World {
        rng,
        server,
        devices,
        time: 0,
        tally: Tally::default(),
    };
    for step in 0..steps {
        world
            .step(step)
            .await
            .map_err(|problem| format!("step {step}: {problem}"))?;
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
        self.server.set_time(self.time);
        let number = self.rng.usize(0..self.devices.len());
        let device = &self.devices[number];
        match self.rng.u8(0..20) {
            0..=7 => device
                .edit()
                .map_err(|problem| format!("device {number}: {problem}"))?,
            8..=13 => self.sync(number).await?,
            14 => device.network.program().jump(),
            15 => {
                device.network.arrive().await;
            }
            16 => {
                let member = member(&mut self.rng);
                *device.network.door.member() = member;
            }
            17 => {
                let steps = self.rng.u32(0..6);
                device.network.crash_in(steps);
            }
            _ => self.server.write(&mut self.rng, step)?,
        }
        Ok(())
    }

    async fn sync(&mut self, number: usize) -> Result<(), String> {
        let end = self.devices[number].sync().await;
        match end.map_err(|problem| format!("device {number}: {problem}"))? {
            End::Done => self.tally.synced += 1,
            End::Broken => self.tally.broken += 1,
            End::Crashed => self.tally.crashed += 1,
        }
        Ok(())
    }

    /// The network is whole, and nobody writes any more.
    async fn rest(mut self) -> Result<Tally, String> {
        self.server.finish()?;
        // What is still on its way arrives late.
        for device in &self.devices {
            device.network.heal();
            while device.network.arrive().await {}
        }
        for _ in 0..ROUNDS {
            for number in 0..self.devices.len() {
                self.time += 1_000_000;
                self.server.set_time(self.time);
                self.sync(number).await?;
            }
        }
        for (number, device) in self.devices.iter().enumerate() {
            device
                .is_clear()
                .map_err(|problem| format!("device {number}: {problem}"))?;
        }
        self.tally.accepted = self.server.ledger().accepted;
        Ok(self.tally)
    }
}
