//! Asking again who may see what, while it is sent.

use super::handover::Recall;
use std::any::Any;
use std::collections::HashMap;
use std::fmt;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

/// Has the callers asked again who they are, whose feeds and downloads are open: when a membership ends or begins, an account is locked, a session is signed out.
///
/// Each one's extractor runs again at once, with the request as it came. Whom it refuses is sent nothing more. Who may see something else goes on with that in the same
/// feed: what he no longer sees goes, what he sees besides comes. Without it that happens after [`Limits::scope_time`](super::Limits::scope_time). Nothing that was read
/// before is sent once the call has returned, but for what was on its way already.
///
/// It concerns the callers of this process: each of several servers is told by its program.
///
#[doc = include_str!("../../docs/examples/refresh.md")]
#[derive(Clone, Default)]
pub struct Refresh(Arc<Mutex<Callers>>);

#[derive(Default)]
struct Callers {
    open: HashMap<u64, Open>,
    last: u64,
}

/// Somebody who is being sent something.
#[derive(Clone)]
struct Open {
    recall: Recall,
    /// What he may see; nothing while he is being asked.
    scope: Option<Arc<dyn Any + Send + Sync>>,
}

/// How often anybody was told to ask again, by all servers of the program: who is just being asked for the first time doesn't belong to one yet.
static CALLS: AtomicU64 = AtomicU64::new(0);

pub(super) fn calls() -> u64 {
    CALLS.load(Ordering::SeqCst)
}

impl fmt::Debug for Refresh {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Refresh")
    }
}

impl Refresh {
    /// Asks all callers again.
    ///
    #[doc = include_str!("../../docs/examples/refresh.md")]
    pub fn all(&self) {
        self.recall(|_| true);
    }

    /// Asks those again whose scope `S` is one of `which`. Who is just being asked is asked again in any case.
    ///
    #[doc = include_str!("../../docs/examples/refresh.md")]
    pub fn of<S: 'static>(&self, which: impl Fn(&S) -> bool) {
        self.recall(|scope| scope.downcast_ref().is_some_and(&which));
    }

    fn recall(&self, which: impl Fn(&dyn Any) -> bool) {
        CALLS.fetch_add(1, Ordering::SeqCst);
        // The program's code runs where nothing is locked.
        let open = self.lock().open.values().cloned().collect::<Vec<_>>();
        for Open { recall, scope } in open {
            if scope.is_none_or(|scope| which(&*scope)) {
                recall.recall();
            }
        }
    }

    fn lock(&self) -> MutexGuard<'_, Callers> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Notes a caller, who began to be asked when there had been so many `calls`.
    pub(super) fn open(
        &self,
        recall: Recall,
        scope: Arc<dyn Any + Send + Sync>,
        asked: u64,
    ) -> Opened {
        let mut callers = self.lock();
        callers.last += 1;
        let id = callers.last;
        let open = Open {
            recall,
            scope: Some(scope),
        };
        callers.open.insert(id, open.clone());
        drop(callers);
        if calls() != asked {
            open.recall.recall();
        }
        Opened {
            callers: self.clone(),
            id,
        }
    }
}

/// A caller's place, as long as he is sent something.
pub(super) struct Opened {
    callers: Refresh,
    id: u64,
}

impl Opened {
    /// What he may see; nothing while he is being asked.
    pub(super) fn sees(&self, scope: Option<Arc<dyn Any + Send + Sync>>) {
        if let Some(open) = self.callers.lock().open.get_mut(&self.id) {
            open.scope = scope;
        }
    }
}

impl Drop for Opened {
    fn drop(&mut self) {
        let open = self.callers.lock().open.remove(&self.id);
        // A scope is the program's: it is dropped where nothing is locked.
        drop(open);
    }
}
