//! The channels of a group, one per scope that somebody follows.

use super::channel::{Channel, Join, Joined};
use super::waker;
use crate::backend::SyncBackend;
use crate::connection::SyncConnectionAsync;
use crate::scope::Concerns;
use crate::server::database::Database;
use crate::server::problem::Problem;
use crate::server::served::{Served, ServedGroup};
use crate::token::Token;
use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use tokio::sync::{Notify, mpsc, oneshot};

/// The backend of a database.
pub(in crate::server) type BackendOf<D> =
    <<D as Database>::Connection as SyncConnectionAsync>::Database;

/// The channels of a group, by what tells their scopes apart.
pub struct Channels<DB: SyncBackend> {
    open: Mutex<OpenChannels<DB>>,
    /// The last one has ended.
    pub(super) empty: Notify,
}

pub(super) struct OpenChannels<DB: SyncBackend> {
    pub(super) by_scope: HashMap<String, Open<DB>>,
    /// Somebody wakes them.
    pub(super) is_woken: bool,
}

/// One channel.
pub(super) struct Open<DB: SyncBackend> {
    joins: mpsc::UnboundedSender<Join>,
    subscribers: usize,
    /// Of each table, which changes concern it.
    pub(super) concerns: Concerns<DB>,
    pub(super) woken: Arc<Notify>,
}

/// A place among the followers of a scope. The channel ends with the last one.
pub(super) struct Subscription<DB: SyncBackend> {
    channels: Arc<Channels<DB>>,
    identity: String,
    joins: mpsc::UnboundedSender<Join>,
}

impl<DB: SyncBackend> Default for Channels<DB> {
    fn default() -> Self {
        Channels {
            open: Mutex::new(OpenChannels {
                by_scope: HashMap::new(),
                is_woken: false,
            }),
            empty: Notify::new(),
        }
    }
}

impl<DB: SyncBackend> Channels<DB> {
    pub(super) fn lock(&self) -> MutexGuard<'_, OpenChannels<DB>> {
        self.open.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(super) fn subscribe<G, D>(
        self: &Arc<Self>,
        served: &Arc<Served<D>>,
        scope: &Arc<G::Scope>,
    ) -> Result<Subscription<DB>, Problem>
    where
        D: Database,
        D::Connection: SyncConnectionAsync<Database = DB>,
        G: ServedGroup<D::Connection>,
    {
        let identity = G::identity(scope)?;
        let mut open = self.lock();
        if !open.by_scope.contains_key(&identity) {
            let (joins, joining) = mpsc::unbounded_channel();
            let woken = Arc::new(Notify::new());
            let channel = Open {
                joins,
                subscribers: 0,
                concerns: G::concerns(scope)?,
                woken: woken.clone(),
            };
            open.by_scope.insert(identity.clone(), channel);
            let share = served.rooms.share(&served.name, &identity);
            let channel = Channel::new(Arc::clone(served), Arc::clone(scope), share);
            tokio::spawn(channel.run::<G>(joining, woken));
        }
        let known = open.by_scope.get_mut(&identity);
        let channel = known.filter(|channel| channel.subscribers < served.limits.feeds_per_scope);
        let channel =
            channel.ok_or_else(|| Problem::busy("too many feeds are open in this scope"))?;
        channel.subscribers += 1;
        let joins = channel.joins.clone();
        // It ends under the lock only: what is here runs.
        if !std::mem::replace(&mut open.is_woken, true) {
            tokio::spawn(waker::wake(Arc::clone(self), Arc::clone(served)));
        }
        Ok(Subscription {
            channels: Arc::clone(self),
            joins,
            identity,
        })
    }
}

impl<DB: SyncBackend> Subscription<DB> {
    /// Joins the followers, with everything up to `since`.
    pub(super) async fn join(&self, since: Token) -> Joined {
        let (answer, answered) = oneshot::channel();
        // It runs as long as somebody can join it; one that has panicked lets nobody in.
        let _ = self.joins.send(Join { since, answer });
        answered.await.unwrap_or(Joined::Behind)
    }
}

impl<DB: SyncBackend> Drop for Subscription<DB> {
    fn drop(&mut self) {
        let mut open = self.channels.lock();
        if let Some(channel) = open.by_scope.get_mut(&self.identity) {
            channel.subscribers -= 1;
            if channel.subscribers == 0 {
                open.by_scope.remove(&self.identity);
            }
        }
        if open.by_scope.is_empty() {
            self.channels.empty.notify_one();
        }
    }
}
