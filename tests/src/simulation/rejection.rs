//! Whether the server has a reason to reject a change.

use super::along;
use super::held::{Held, Live};
use super::models::{Member, Table};
use super::rows::{Key, written};
use super::triggers;
use carburetor::change::{Change, Edit};
use carburetor::outcome::Code;
use serde_json::Value;
use std::collections::BTreeMap;

/// Whether `code` is true of `change` where the server holds this.
pub(super) fn is_due(
    held: &BTreeMap<Key, Held>,
    member: &Member,
    change: &Change,
    key: &Key,
    code: Code,
) -> bool {
    let live = held.get(key).and_then(|held| held.live.as_ref());
    let columns = match &change.edit {
        Edit::Insert(columns) | Edit::Update(columns) => Some(columns),
        Edit::Delete => None,
    };
    let given = |name: &str| columns.and_then(|columns| columns.get(name));
    let is_hidden = |team: Option<&Value>| team.is_some_and(|team| !member.sees(team.as_str()));
    match code {
        Code::NotFound => live.is_none_or(|live| is_hidden(live.values.get("team"))),
        Code::Forbidden => {
            is_hidden(given("team"))
                || columns.is_none() && along::hides(held, key, member)
                || match held.get(key) {
                    Some(Held {
                        live: Some(live), ..
                    }) => is_hidden(live.values.get("team")),
                    // Of a row that is gone nobody learns who hadn't seen it.
                    Some(Held {
                        deleted: Some(deleted),
                        team,
                        ..
                    }) => {
                        let is_shown = team.as_ref().is_some_and(|team| !is_hidden(Some(team)));
                        let is_insert = matches!(change.edit, Edit::Insert(_));
                        !is_shown && (!is_insert || change.clock <= *deleted)
                    }
                    // Nor whether there was one.
                    _ => !matches!(change.edit, Edit::Insert(_)),
                }
        }
        Code::Constraint if triggers::interfere(change, key) => true,
        Code::Constraint | Code::NeedsParent => match columns {
            Some(columns) => written(Table::of(key.0), columns)
                .any(|(column, value)| is_refused(held, member, key, column, value)),
            // Tasks refer to it.
            None => {
                let of_list =
                    |live: &Live| live.values.get("list").and_then(Value::as_str) == Some(&key.1);
                key.0 == "lists" && lives(held, "tasks").any(|(_, live)| of_list(live))
            }
        },
        Code::Invalid => triggers::interfere(change, key),
        _ => false,
    }
}

/// Whether a constraint is against the value.
fn is_refused(
    held: &BTreeMap<Key, Held>,
    member: &Member,
    key: &Key,
    column: &str,
    value: &Value,
) -> bool {
    let value = value.as_str();
    match (key.0, column) {
        ("tasks", "points") => value.is_some_and(|points| points.starts_with('-')),
        // One that he doesn't see is none.
        ("remarks", "task") => !is_shown(held, member, "tasks", value),
        ("tasks", "list") => !is_shown(held, member, "lists", value),
        ("lists", "title") => lives(held, "lists")
            .any(|(id, live)| id != key.1 && live.values["title"].as_str() == value),
        _ => false,
    }
}

/// Whether the row of this id is there, and the caller sees it.
fn is_shown(
    held: &BTreeMap<Key, Held>,
    member: &Member,
    table: &'static str,
    id: Option<&str>,
) -> bool {
    lives(held, table).any(|(own, live)| {
        Some(own) == id && member.sees(live.values.get("team").and_then(Value::as_str))
    })
}

fn lives<'h>(
    held: &'h BTreeMap<Key, Held>,
    table: &'static str,
) -> impl Iterator<Item = (&'h str, &'h Live)> {
    let of_table = held.iter().filter(move |(key, _)| key.0 == table);
    of_table.filter_map(|(key, held)| Some((key.1.as_str(), held.live.as_ref()?)))
}
