//! What stands in a replica's way.

use super::error::ReplicaError;
use super::transport::TransportError;
use chrono::{DateTime, Utc};
use std::fmt;
use std::time::Duration;

/// What stands in a replica's way, since when, and what the replica does next. Its text is one for people.
///
#[doc = include_str!("../../docs/examples/replica_obstacle.md")]
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Obstacle {
    /// What can't be done.
    pub task: Task,
    /// Why, for programs.
    pub cause: Cause,
    /// Why, for people.
    pub reason: String,
    /// The HTTP status, if it was the server that refused.
    pub refused: Option<u16>,
    /// When the first of the attempts failed that have failed one after the other.
    pub since: DateTime<Utc>,
    /// How many attempts have failed since.
    pub attempts: u32,
    /// What the replica does next.
    pub next: Next,
}

/// What a replica does for its file.
///
/// ```
/// use carburetor::replica::Task;
/// assert_eq!(Task::Upload.to_string(), "what was edited is not sent");
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
#[non_exhaustive]
pub enum Task {
    /// It sends what was edited.
    Upload,
    /// It fetches what is new.
    Download,
    /// It follows the server, so that what others write comes at once.
    Follow,
}

/// Why a task fails.
///
#[doc = include_str!("../../docs/examples/replica_obstacle.md")]
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum Cause {
    /// The server can't be reached, or the line broke: it passes.
    Unreachable,
    /// The server doesn't know who asks, or doesn't let it in: the program signs in again.
    Unauthorized,
    /// The server, or what stands before it, can't do it at present: it passes.
    Busy,
    /// The server is there, and its database is not as it has to be, because a migration or a right is missing: whoever runs the server has to mend it.
    Setup,
    /// The server refuses what was sent, or doesn't send what the program needs, which trying again won't mend: the program or the server has to be updated, or the address is another one.
    Refused,
    /// The answer, or a value of the file, can't be read.
    Unreadable,
    /// The server is there and its feed says nothing, as behind something that holds answers back until they are complete.
    Silent,
    /// The file can't be written at present: the disk is full, or another program holds it.
    File,
    /// What was done has led to nothing: a mistake of this library's, to be reported.
    Stuck,
}

/// What a replica does about an obstacle.
///
#[doc = include_str!("../../docs/examples/replica_obstacle.md")]
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum Next {
    /// It tries again at this time, or earlier if the server is reached by something else.
    Again {
        /// When.
        at: DateTime<Utc>,
    },
    /// It downloads at an interval, and tries to follow again after a while.
    Polls {
        /// When it downloads next.
        at: DateTime<Utc>,
    },
    /// It waits until the program calls [`Replica::sync`](super::Replica::sync) or [`Replica::run`](super::Replica::run).
    Waits,
}

impl Next {
    pub(super) fn again(pause: Duration) -> Self {
        Next::Again { at: after(pause) }
    }

    pub(super) fn polls(pause: Duration) -> Self {
        Next::Polls { at: after(pause) }
    }
}

fn after(pause: Duration) -> DateTime<Utc> {
    Utc::now() + chrono::Duration::from_std(pause).unwrap_or_default()
}

impl Cause {
    pub(super) fn of(error: &ReplicaError) -> Self {
        match error {
            ReplicaError::Transport(error) => match error {
                TransportError::Offline(_) => Cause::Unreachable,
                TransportError::Refused { code, .. } if code == "setup" => Cause::Setup,
                TransportError::Refused { status, .. } => match status {
                    401 | 403 | 407 | 511 => Cause::Unauthorized,
                    408 | 409 | 413 | 421 | 425 | 429 | 500.. => Cause::Busy,
                    _ => Cause::Refused,
                },
                TransportError::Unreadable(_) => Cause::Unreadable,
                TransportError::Address { .. } => Cause::Refused,
                TransportError::Credentials(_) => Cause::Unauthorized,
            },
            ReplicaError::Unsent { .. } => Cause::Refused,
            ReplicaError::Wire(_) | ReplicaError::Answer { .. } => Cause::Unreadable,
            ReplicaError::Stuck { .. } => Cause::Stuck,
            ReplicaError::Connection(_)
            | ReplicaError::Query(_)
            | ReplicaError::Table { .. }
            | ReplicaError::OtherAccount { .. }
            | ReplicaError::SignedOut { .. }
            | ReplicaError::Pending { .. }
            | ReplicaError::Hub
            | ReplicaError::Stopped => Cause::File,
        }
    }
}

impl Obstacle {
    /// The first failure of a task.
    pub(super) fn of(task: Task, cause: Cause, error: &ReplicaError, next: Next) -> Self {
        Obstacle {
            task,
            cause,
            reason: error.to_string(),
            refused: match error {
                ReplicaError::Transport(TransportError::Refused { status, .. }) => Some(*status),
                _ => None,
            },
            since: Utc::now(),
            attempts: 1,
            next,
        }
    }

    /// The same after one more attempt than `before`.
    pub(super) fn after(self, before: &Obstacle) -> Self {
        Obstacle {
            since: before.since,
            attempts: before.attempts.saturating_add(1),
            ..self
        }
    }
}

impl fmt::Display for Task {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Task::Upload => "what was edited is not sent",
            Task::Download => "nothing new comes",
            Task::Follow => "what is new comes late",
        })
    }
}

impl fmt::Display for Next {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let time = |at: &DateTime<Utc>| at.format("%T UTC").to_string();
        match self {
            Next::Again { at } => write!(f, "tried again at {}", time(at)),
            Next::Polls { at } => write!(f, "downloaded at an interval, next at {}", time(at)),
            Next::Waits => f.write_str("not tried again until the program asks for it"),
        }
    }
}

impl fmt::Display for Obstacle {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Obstacle {
            task,
            reason,
            since,
            attempts,
            next,
            ..
        } = self;
        let since = since.format("%F %T UTC");
        let times = if *attempts == 1 {
            "attempt"
        } else {
            "attempts"
        };
        write!(
            f,
            "{task} since {since} ({attempts} {times}): {reason}; {next}"
        )
    }
}
