//! Wake-ups: something may have been committed.

use super::apart::until;
use super::database::{Database, Pace};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;
use tokio::sync::watch;
use tokio::time::sleep;

/// How long a database that can't be asked is left alone.
const PAUSE: Duration = Duration::from_secs(1);

/// Watches the database for all feeds of a server, as long as there are any.
#[derive(Debug)]
pub(super) struct Watcher<D> {
    database: D,
    pace: Pace,
    running: Running,
}

type Running = Arc<Mutex<Option<watch::Sender<()>>>>;

impl<D: Database> Watcher<D> {
    pub(super) fn new(database: D, pace: Pace) -> Self {
        Watcher {
            database,
            pace,
            running: Running::default(),
        }
    }

    /// Changes whenever something may have been committed since the last change.
    pub(super) fn subscribe(&self) -> watch::Receiver<()> {
        let mut running = lock(&self.running);
        // It ends under the lock only: what is here runs.
        if let Some(sender) = &*running {
            return sender.subscribe();
        }
        let (sender, receiver) = watch::channel(());
        *running = Some(sender.clone());
        tokio::spawn(watch(
            self.database.clone(),
            self.pace,
            sender,
            self.running.clone(),
        ));
        receiver
    }
}

/// Watches until nobody listens.
async fn watch<D: Database>(database: D, pace: Pace, sender: watch::Sender<()>, running: Running) {
    loop {
        let watching = {
            let (database, sender) = (database.clone(), sender.clone());
            async move {
                let changed = || {
                    sender.send_replace(());
                };
                database.watch(pace, changed).await
            }
        };
        match until(watching, sender.closed()).await {
            Ok(problem) => {
                tracing::warn!(
                    code = problem.code(),
                    "commits can't be watched; again in a moment"
                );
                sleep(PAUSE).await;
                // Whatever was committed meanwhile.
                sender.send_replace(());
            }
            Err(()) => {
                let mut running = lock(&running);
                if sender.receiver_count() == 0 {
                    *running = None;
                    return;
                }
            }
        }
    }
}

fn lock(running: &Running) -> std::sync::MutexGuard<'_, Option<watch::Sender<()>>> {
    running.lock().unwrap_or_else(PoisonError::into_inner)
}
