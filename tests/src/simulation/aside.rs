//! An older copy of the server's database, which takes its place or takes turns with it.

use super::database::Database;
use super::ledger::Ledger;
use super::server::{Server, locked};
use fastrand::Rng;
use std::mem;

/// A copy, and what must be in it.
pub(super) struct Aside {
    database: Database,
    ledger: Ledger,
    /// When it was made, in microseconds since the beginning.
    time: i64,
    /// It has served, under an origin of its own, or is the first of all.
    has_served: bool,
}

/// A backup that is younger may look like its original, unless it is told apart.
const MINUTE: i64 = 60_000_000;

impl Server {
    /// A copy is made, takes the place of what it is a copy of, or takes turns with it.
    pub(super) fn restore(&self, rng: &mut Rng, time: i64) -> Result<(), String> {
        self.finish()?;
        let mut aside = locked(&self.aside);
        let Some(copy) = aside.take().filter(|_| rng.u8(0..4) > 0) else {
            *aside = Some(Aside {
                database: locked(&self.database).copy(),
                ledger: self.ledger().clone(),
                time,
                has_served: false,
            });
            return Ok(());
        };
        let is_lost = rng.bool();
        // What serves beside its original needs an origin of its own; what takes its place only where nothing else tells.
        let is_told = copy.has_served || is_lost && time - copy.time > MINUTE && rng.bool();
        let database = mem::replace(&mut *locked(&self.database), copy.database);
        let ledger = mem::replace(&mut *self.ledger(), copy.ledger);
        if !is_told {
            locked(&self.database).renew();
        }
        self.ledger().breaches.extend_from_slice(&ledger.breaches);
        self.set_time(time);
        *aside = (!is_lost).then_some(Aside {
            database,
            ledger,
            time,
            has_served: true,
        });
        Ok(())
    }
}
