//! References without their rows, told to whoever sent the change.

use super::admit::Admitted;
use super::decide::Kind;
use super::session::Session;
use super::surroundings::Reference;
use crate::change::Edit;
use crate::clip;
use crate::connection::runner::Runner;
use crate::outcome::{Code, Rejection};
use diesel::result::Error;
use serde_json::Value;

impl<R: Runner> Session<'_, '_, R> {
    /// The rejection of a change that leaves a reference without its row: to which rows of which tables it refers by columns that it gives, or from which
    /// ones the row is referred to. `is_blurred`: it must not be told which of several references it is, because that depends on what the scope hides.
    pub(super) fn unmet(
        &self,
        change: &Admitted<'_, R::Backend>,
        error: &Error,
        is_blurred: bool,
    ) -> Rejection {
        let name = constraint(error).filter(|_| !is_blurred);
        let named = name.map(|name| format!(" ({name})")).unwrap_or_default();
        let table = &self.tables[change.table].definition.wire_name;
        let own = self.around.references(change.table);
        let own = own.filter(|reference| name.is_none_or(|name| reference.name == name));
        let given: Vec<String> = own
            .filter_map(|reference| self.given(change, reference))
            .collect();
        let message = match change.kind {
            Kind::Insert | Kind::Update if !given.is_empty() => format!(
                "{table}: it refers to a row that isn't there or that the scope doesn't show{named}: {}; write that row first, or refer to another one",
                given.join(", or ")
            ),
            Kind::Insert | Kind::Update | Kind::Delete => format!(
                "{table}: rows of {} refer to it{named}: delete them first, or let them refer to another one",
                self.children(change.table, error)
            ),
        };
        Rejection {
            code: Code::Constraint,
            message: clip::message(&message),
            field: name.map(clip::name),
        }
    }

    /// What a change says of the row that it refers to; none where it doesn't.
    fn given(&self, change: &Admitted<'_, R::Backend>, reference: &Reference) -> Option<String> {
        let definition = self.tables[change.table].definition;
        let parts = definition.id_parts(&change.change.id).ok()?;
        let columns = match &change.change.edit {
            Edit::Insert(columns) | Edit::Update(columns) => columns,
            Edit::Delete => return None,
        };
        let mut said = Vec::new();
        for (child, _) in &reference.columns {
            let part = || parts.iter().find(|(_, column, _)| column.name == *child);
            let value = columns
                .get(child)
                .or_else(|| part().map(|(_, _, value)| *value));
            match value {
                Some(Value::Null) => return None,
                Some(value) => said.push(format!("{child} = {}", clip::name(&value.to_string()))),
                None => {}
            }
        }
        let parent = match (reference.parent, &reference.outside) {
            (Some(parent), _) => &self.tables[parent].definition.wire_name,
            (None, Some(outside)) => outside,
            (None, None) => return None,
        };
        (!said.is_empty()).then(|| format!("{parent} by {}", said.join(" and ")))
    }

    /// The tables of which rows may refer to those of `table`.
    fn children(&self, table: usize, error: &Error) -> String {
        let is_own = |name: &&str| *name == self.tables[table].definition.table;
        let told = match error {
            Error::DatabaseError(_, information) => information.table_name(),
            _ => None,
        };
        if let Some(told) = told.filter(|name| !is_own(name)) {
            return told.to_owned();
        }
        let mut names: Vec<&str> = self
            .around
            .references
            .iter()
            .filter(|reference| reference.parent == Some(table))
            .map(|reference| self.tables[reference.child].definition.wire_name.as_str())
            .collect();
        names.sort_unstable();
        names.dedup();
        // Of tables outside of the group nothing is known here.
        match names.is_empty() {
            true => "another table".to_owned(),
            false => format!(
                "{}, or of a table outside of the group,",
                names.join(" or ")
            ),
        }
    }
}

/// The name of the foreign key, where the database tells it.
fn constraint(error: &Error) -> Option<&str> {
    match error {
        Error::DatabaseError(_, information) => information.constraint_name(),
        _ => None,
    }
}
