//! Who keeps the status, and tells it.

use super::error::ReplicaError;
use super::obstacle::{Cause, Next, Obstacle, Task};
use super::status::{Phase, Status};
use futures_util::stream::{Stream, unfold};
use std::sync::{Mutex, PoisonError};
use tokio::sync::watch;

/// Keeps the status, and tells it.
pub(super) struct Monitor {
    status: watch::Sender<Status>,
    doing: Mutex<Doing>,
}

/// What is being done at this moment; a sync may stand beside a run.
#[derive(Default)]
struct Doing {
    uploads: u32,
    /// Those who ask for pages, or take them.
    downloads: u32,
    /// Rows of the pages that have come and are not shown.
    rows: Option<u64>,
    feed: Feed,
}

/// How a run follows.
#[derive(Clone, Copy, Default, PartialEq, Eq)]
pub(super) enum Feed {
    /// Not, or not yet.
    #[default]
    Absent,
    /// By the server's feed.
    Stands,
    /// By downloads at an interval.
    Polls,
}

/// A task at work: until it is dropped, however that comes.
pub(super) struct Working<'m> {
    monitor: &'m Monitor,
    task: Task,
}

impl Drop for Working<'_> {
    fn drop(&mut self) {
        self.monitor.change(|doing, _| match self.task {
            Task::Upload => doing.uploads = doing.uploads.saturating_sub(1),
            _ => {
                doing.downloads = doing.downloads.saturating_sub(1);
                doing.rows = None;
            }
        });
    }
}

impl Doing {
    fn phase(&self, obstacles: &[Obstacle]) -> Phase {
        let late = self.feed == Feed::Polls;
        // A feed may seem to stand for a while after the line is gone.
        let is_away = obstacles
            .iter()
            .any(|obstacle| matches!(obstacle.cause, Cause::Unreachable | Cause::Busy));
        let failed = obstacles
            .iter()
            .find(|obstacle| !late || obstacle.task != Task::Follow);
        match (self.rows, failed) {
            (Some(rows), _) => Phase::Downloading { rows },
            _ if self.uploads > 0 => Phase::Uploading,
            _ if self.feed == Feed::Stands && !is_away => Phase::Live,
            (_, Some(failed)) => Phase::Offline {
                reason: failed.reason.clone(),
                refused: failed.refused,
            },
            _ if late => Phase::Polling,
            _ if self.downloads > 0 => Phase::Connecting,
            _ => Phase::Idle,
        }
    }
}

impl Monitor {
    pub(super) fn new(status: Status) -> Self {
        Monitor {
            status: watch::Sender::new(status),
            doing: Mutex::default(),
        }
    }

    /// Changes what is known, and tells the status if it is another one.
    fn change(&self, change: impl FnOnce(&mut Doing, &mut Vec<Obstacle>)) {
        let mut doing = self.doing.lock().unwrap_or_else(PoisonError::into_inner);
        self.status.send_if_modified(|status| {
            let before = status.clone();
            change(&mut doing, &mut status.obstacles);
            status.phase = doing.phase(&status.obstacles);
            *status != before
        });
    }

    /// From now on the task is at work.
    pub(super) fn begin(&self, task: Task) -> Working<'_> {
        self.change(|doing, _| match task {
            Task::Upload => doing.uploads += 1,
            _ => doing.downloads += 1,
        });
        Working {
            monitor: self,
            task,
        }
    }

    /// So many rows have come and are not shown; none: all are.
    pub(super) fn rows(&self, rows: Option<u64>) {
        self.change(|doing, _| doing.rows = rows);
    }

    pub(super) fn set_feed(&self, feed: Feed) {
        self.change(|doing, _| doing.feed = feed);
    }

    /// Whether the feed stands.
    pub(super) fn is_followed(&self) -> bool {
        let doing = self.doing.lock().unwrap_or_else(PoisonError::into_inner);
        doing.feed == Feed::Stands
    }

    /// An attempt has failed.
    pub(super) fn failed(&self, task: Task, cause: Cause, error: &ReplicaError, next: Next) {
        let obstacle = Obstacle::of(task, cause, error, next);
        self.change(|_, obstacles| {
            match obstacles.iter_mut().find(|known| known.task == task) {
                Some(known) => *known = obstacle.after(known),
                None => obstacles.push(obstacle),
            }
            obstacles.sort_by_key(|obstacle| obstacle.task);
        });
    }

    /// What comes next about what is known to stand in the way.
    pub(super) fn expect(&self, task: Task, next: Next) {
        self.change(|_, obstacles| {
            let known = obstacles.iter_mut().find(|known| known.task == task);
            if let Some(known) = known {
                known.next = next;
            }
        });
    }

    /// An attempt has succeeded; `true` if the one before had failed.
    pub(super) fn done(&self, task: Task) -> bool {
        let mut had_failed = false;
        self.change(|_, obstacles| {
            obstacles.retain(|obstacle| {
                obstacle.task != task || {
                    had_failed = true;
                    false
                }
            });
        });
        had_failed
    }

    /// Nobody follows any more: what stood in the way of that is none, and nothing is tried again.
    pub(super) fn rest(&self) {
        self.change(|doing, obstacles| {
            doing.feed = Feed::Absent;
            obstacles.clear();
        });
    }

    /// What has been counted in the file.
    pub(super) fn update(&self, counted: Status) {
        self.status.send_if_modified(|status| {
            let counted = Status {
                phase: status.phase.clone(),
                obstacles: status.obstacles.clone(),
                ..counted
            };
            let is_news = *status != counted;
            *status = counted;
            is_news
        });
    }

    /// The status now, and each time that it changes.
    pub(super) fn watch(&self) -> impl Stream<Item = Status> + Send + use<> {
        let mut receiver = self.status.subscribe();
        receiver.mark_changed();
        unfold(receiver, |mut receiver| async move {
            receiver.changed().await.ok()?;
            let status = receiver.borrow_and_update().clone();
            Some((status, receiver))
        })
    }
}
