//! What one copy shows: the scope as the library sees it, and the same once more as plain Rust to judge by.

use super::ledger::Line;

/// A scope: the rows of some teams, or all rows.
#[derive(Clone, Debug)]
pub(super) struct Member {
    pub teams: Option<Vec<String>>,
}

/// The filter of a group that leaves out the accounts that are not published.
#[derive(Debug)]
pub(super) struct Published;

impl Member {
    pub(super) fn of(teams: &[&str]) -> Self {
        Member {
            teams: Some(teams.iter().map(|&team| team.to_owned()).collect()),
        }
    }

    /// Whether the scope covers the team.
    pub(super) fn sees(&self, team: &str) -> bool {
        self.teams
            .as_ref()
            .is_none_or(|teams| teams.iter().any(|other| other == team))
    }
}

/// What belongs into a copy.
#[derive(Clone, Debug)]
pub(super) struct View {
    pub member: Member,
    /// The group has the filter.
    pub published: bool,
}

impl View {
    pub(super) fn everything() -> Self {
        View {
            member: Member { teams: None },
            published: false,
        }
    }

    pub(super) fn of(teams: &[&str]) -> Self {
        View {
            member: Member::of(teams),
            published: false,
        }
    }

    pub(super) fn published_of(teams: &[&str]) -> Self {
        View {
            published: true,
            ..View::of(teams)
        }
    }

    pub(super) fn shows(&self, line: &impl Line) -> bool {
        !line.deleted() && self.member.sees(line.team()) && (line.published() || !self.published)
    }
}
