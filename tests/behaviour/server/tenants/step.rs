//! What happens in a history of two tenants.

use super::TEAMS;
use super::follower::Form;
use proptest::prelude::*;

/// What one of them, or the database's owner, does next.
#[derive(Debug, Clone)]
pub(super) enum Step {
    /// The owner writes a row of the team.
    Write { team: usize, id: u8 },
    /// The owner gives a row that moves to the team.
    Move { team: usize, id: u8 },
    /// The owner deletes a row.
    Delete { id: Id },
    /// The team uploads; `ahead` by how many seconds of clock.
    Upload {
        team: usize,
        edits: Vec<Sent>,
        ahead: u64,
    },
    /// The team sends again what the other one sent last.
    Replay { team: usize },
    /// The team asks for what is new, or for everything.
    Ask {
        team: usize,
        all: bool,
        lines: bool,
        limit: u8,
    },
    /// Whoever follows the team in this form comes back.
    Return { team: usize, form: Form, with: With },
}

/// The token with which somebody comes back.
#[derive(Debug, Clone, Copy)]
pub(super) enum With {
    Nothing,
    /// His own.
    Own,
    /// One that the other team got.
    Foreign,
}

/// One change of an upload.
#[derive(Debug, Clone)]
pub(super) struct Sent {
    pub(super) id: Id,
    pub(super) kind: u8,
    /// Whether it claims the row for the other team.
    pub(super) away: bool,
    /// Whether it says when the row was seen.
    pub(super) is_based: bool,
}

/// A row of one team for ever, or one that moves.
#[derive(Debug, Clone, Copy)]
pub(super) enum Id {
    Of(usize, u8),
    Moving(u8),
}

impl Id {
    pub(super) fn text(self) -> String {
        match self {
            Id::Of(team, id) => format!("{}-id-{id}", TEAMS[team]),
            Id::Moving(id) => format!("moving-id-{id}"),
        }
    }
}

fn id() -> impl Strategy<Value = Id> {
    prop_oneof![
        (0..2_usize, 0..3_u8).prop_map(|(team, id)| Id::Of(team, id)),
        (0..3_u8).prop_map(Id::Moving),
    ]
}

pub(super) fn step() -> impl Strategy<Value = Step> {
    let sent = (id(), 0..4_u8, prop::bool::weighted(0.2), any::<bool>());
    let sent = sent.prop_map(|(id, kind, away, is_based)| Sent {
        id,
        kind,
        away,
        is_based,
    });
    let form = prop::sample::select(&Form::ALL);
    let with = prop_oneof![
        1 => Just(With::Nothing),
        2 => Just(With::Own),
        3 => Just(With::Foreign),
    ];
    let edits = prop::collection::vec(sent, 1..5);
    prop_oneof![
        2 => (0..2_usize, 0..3_u8).prop_map(|(team, id)| Step::Write { team, id }),
        3 => (0..2_usize, 0..3_u8).prop_map(|(team, id)| Step::Move { team, id }),
        2 => id().prop_map(|id| Step::Delete { id }),
        6 => (0..2_usize, edits, prop_oneof![Just(0), 1..50_u64])
            .prop_map(|(team, edits, ahead)| Step::Upload { team, edits, ahead }),
        2 => (0..2_usize).prop_map(|team| Step::Replay { team }),
        5 => (0..2_usize, prop::bool::weighted(0.2), any::<bool>(), 1..6_u8)
            .prop_map(|(team, all, lines, limit)| Step::Ask { team, all, lines, limit }),
        2 => (0..2_usize, form, with).prop_map(|(team, form, with)| Step::Return { team, form, with }),
    ]
}
