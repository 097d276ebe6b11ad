//! One run: a seed decides everything that happens.

use super::database::Backend;
use super::device::{Device, End};
use super::door::Above;
use super::line::Line;
use super::models::{Member, TEAMS};
use super::server::Server;
use super::troubles::{Trouble, Troubles};
use crate::Folder;
use fastrand::Rng;
use std::sync::Arc;

/// How often all devices sync at the end until nothing may be left.
const ROUNDS: usize = 4;

/// How often a device syncs over a line that bears little until nothing may be left.
const PATIENCE: usize = 60;

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
    troubles: Troubles,
    tally: Tally,
}

/// Runs the schedule of `seed` against a server on `backend`; what doesn't hold is an error.
pub async fn run(
    backend: Backend,
    seed: u64,
    steps: u64,
    troubles: &[Trouble],
) -> Result<Tally, String> {
    let troubles = Troubles::of(troubles, seed);
    let mut rng = Rng::with_seed(seed);
    let folder = Folder::new();
    let server = Server::start(backend, &folder, &troubles);
    let mut devices: Vec<Device> = Vec::new();
    let mut hub = None;
    for number in 0..rng.usize(2..5) {
        let member = member(&mut rng);
        // Others may reach the server themselves.
        let above = match &hub {
            Some(hub) if number < 3 => Above::Hub(Arc::clone(hub)),
            _ => Above::Server(server.clone()),
        };
        let mut device = Device::new(&folder, &server, above, number, member, &mut rng);
        if number == 0 && troubles.has(Trouble::Hubs) {
            hub = Some(device.serve());
        }
        devices.push(device);
    }
    let mut world = World {
        rng,
        server,
        devices,
        time: 0,
        troubles,
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
            14 => {
                let is_far = self.troubles.has(Trouble::Future);
                device.network.program().jump(is_far);
            }
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
        self.trouble()
    }

    /// What befalls this history besides.
    fn trouble(&mut self) -> Result<(), String> {
        let number = self.rng.usize(0..self.devices.len());
        let network = &self.devices[number].network;
        let has = |trouble| self.troubles.has(trouble);
        match self.rng.u8(0..40) {
            0 if has(Trouble::Restores) => {
                // It takes a while, in which nobody writes.
                self.time += 1_000_000;
                self.server.restore(&mut self.rng, self.time)?;
            }
            1 if has(Trouble::Lines) => {
                let line = self.rng.bool().then(|| Line::any(&mut self.rng));
                network.set_line(line);
            }
            2..=3 if has(Trouble::Disks) => network.program().disk(),
            _ => {}
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

    /// Whatever a line bears, all gets through.
    async fn arrive_by_and_by(&mut self, number: usize) -> Result<(), String> {
        for _ in 0..PATIENCE {
            self.time += 1_000_000;
            self.server.set_time(self.time);
            let done = self.tally.synced;
            self.sync(number).await?;
            if self.tally.synced > done {
                return Ok(());
            }
        }
        Err(format!("device {number}: nothing gets through"))
    }

    /// The network is whole, and nobody writes any more.
    async fn rest(mut self) -> Result<Tally, String> {
        self.server.finish()?;
        // What is still on its way arrives late.
        for device in &self.devices {
            device.network.heal();
            while device.network.arrive().await {}
        }
        for number in 0..self.devices.len() {
            self.arrive_by_and_by(number).await?;
            self.devices[number].network.set_line(None);
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
