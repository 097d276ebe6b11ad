//! The channels of a group, one per scope that somebody follows.

use super::channel::{Channel, Join, Joined};
use crate::server::database::Database;
use crate::server::problem::Problem;
use crate::server::served::{Served, ServedGroup};
use crate::token::Token;
use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use tokio::sync::{mpsc, oneshot};

/// The channels of a group, by what tells their scopes apart.
#[derive(Default)]
pub struct Channels(Mutex<HashMap<String, Open>>);

struct Open {
    joins: mpsc::UnboundedSender<Join>,
    subscribers: usize,
}

/// A place among the followers of a scope. The channel ends with the last one.
pub(super) struct Subscription {
    channels: Arc<Channels>,
    identity: String,
    joins: mpsc::UnboundedSender<Join>,
}

impl Channels {
    fn lock(&self) -> MutexGuard<'_, HashMap<String, Open>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(super) fn subscribe<G, D>(
        self: &Arc<Self>,
        served: &Served<D>,
        scope: &Arc<G::Scope>,
    ) -> Result<Subscription, Problem>
    where
        D: Database,
        G: ServedGroup<D::Connection>,
    {
        let identity = G::identity(scope)?;
        let mut open = self.lock();
        let channel = open.entry(identity.clone()).or_insert_with(|| {
            let (joins, joining) = mpsc::unbounded_channel();
            let channel = Channel::new(served.clone(), Arc::clone(scope));
            tokio::spawn(channel.run::<G>(joining, served.watcher.subscribe()));
            Open {
                joins,
                subscribers: 0,
            }
        });
        if channel.subscribers >= served.limits.feeds_per_scope {
            return Err(Problem::busy("too many feeds are open in this scope"));
        }
        channel.subscribers += 1;
        Ok(Subscription {
            channels: Arc::clone(self),
            joins: channel.joins.clone(),
            identity,
        })
    }
}

impl Subscription {
    /// Joins the followers, with everything up to `since`.
    pub(super) async fn join(&self, since: Token) -> Joined {
        let (answer, answered) = oneshot::channel();
        // It runs as long as somebody can join it; one that has panicked lets nobody in.
        let _ = self.joins.send(Join { since, answer });
        answered.await.unwrap_or(Joined::Behind)
    }
}

impl Drop for Subscription {
    fn drop(&mut self) {
        let mut open = self.channels.lock();
        if let Some(channel) = open.get_mut(&self.identity) {
            channel.subscribers -= 1;
            if channel.subscribers == 0 {
                open.remove(&self.identity);
            }
        }
    }
}
