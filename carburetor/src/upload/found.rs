//! What the database holds under one id.

use super::decide::Held;
use crate::clock::Clock;
use crate::register::Registers;
use crate::table::TableDefinition;
use chrono::{DateTime, Utc};

/// What the database holds under one id.
#[derive(Debug, Clone)]
pub(super) struct Found {
    /// As decisions see it.
    pub(super) held: Held,
    /// There is a row, though it may be soft-deleted.
    pub(super) is_stored: bool,
    /// The scope shows the row; or, where it is gone, showed it.
    pub(super) is_visible: bool,
    /// The row's stamp.
    pub(super) stamp: Option<DateTime<Utc>>,
    /// The row's registers, if there is one.
    pub(super) registers: Option<Registers>,
    /// The registers as they lie in the row.
    pub(super) written: Option<String>,
    /// The id of the row, where the database takes it for the change's and it is another text.
    pub(super) other_id: Option<String>,
}

impl Found {
    /// Nothing.
    pub(super) const UNKNOWN: Found = Found {
        held: Held::Unknown,
        is_stored: false,
        is_visible: false,
        stamp: None,
        registers: None,
        written: None,
        other_id: None,
    };

    /// A row that is there, and that whoever asks may not write.
    pub(super) fn barred() -> Self {
        Found {
            held: Held::Live {
                stamp: None,
                registers: Registers::at(Clock::ZERO),
            },
            is_stored: true,
            ..Found::UNKNOWN
        }
    }

    /// Takes into account that a row of this id was deleted, with the clock `deleted`; `is_visible`: the scope showed it.
    pub(super) fn after(&mut self, definition: &TableDefinition, deleted: Clock, is_visible: bool) {
        let Some(registers) = self.registers.take() else {
            self.held = Held::Gone(deleted);
            self.is_visible = is_visible;
            return;
        };
        let registers = registers.after(deleted);
        match &mut self.held {
            Held::Live {
                registers: held, ..
            } => *held = registers.clone(),
            Held::Gone(clock) => {
                let column = definition.deleted().map(|column| column.name.as_str());
                *clock = registers.column(column.unwrap_or_default());
            }
            Held::Unknown => {}
        }
        self.registers = Some(registers);
    }
}
