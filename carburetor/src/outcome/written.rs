//! An outcome as it is written.

use super::{Code, Rejection, Verdict};
use crate::clock::Clock;
use crate::wire::instant;
use crate::wire::section::Unreadable;
use chrono::{DateTime, Utc};
use serde::ser::SerializeMap;
use serde::{Deserialize, Serialize, Serializer};
use serde_json::{Map, Value};

/// The members of an outcome; others are skipped.
#[derive(Deserialize)]
pub(super) struct Outcome {
    clock: Clock,
    verdict: Word,
    #[serde(default, deserialize_with = "instant::deserialize")]
    stamp: Option<DateTime<Utc>>,
    code: Option<Code>,
    message: Option<String>,
    field: Option<String>,
    row: Option<Map<String, Value>>,
    met: Option<Map<String, Value>>,
    unreadable: Option<Unreadable>,
    #[serde(default)]
    lost: bool,
}

#[derive(Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
enum Word {
    Applied,
    Merged,
    Superseded,
    Rejected,
    Held,
}

impl TryFrom<Outcome> for super::Outcome {
    type Error = &'static str;

    fn try_from(written: Outcome) -> Result<Self, Self::Error> {
        // Whoever sent what counts as it is knows the row.
        let is_known = match written.verdict {
            Word::Applied => true,
            Word::Held => written.stamp.is_some(),
            _ => false,
        };
        let verdict = match written.verdict {
            Word::Applied => Verdict::Applied,
            Word::Merged => Verdict::Merged,
            Word::Superseded => Verdict::Superseded,
            Word::Held => Verdict::Held,
            Word::Rejected => Verdict::Rejected(Rejection {
                code: written.code.ok_or("a rejection without its `code`")?,
                message: written.message.unwrap_or_default(),
                field: written.field,
            }),
        };
        Ok(super::Outcome {
            clock: written.clock,
            verdict,
            stamp: written.stamp,
            row: written.row.filter(|_| !is_known),
            met: written.met.filter(|_| !is_known),
            unreadable: written.unreadable.map(|told| told.into_error("")),
            lost: written.lost && matches!(written.verdict, Word::Superseded),
        })
    }
}

impl Serialize for super::Outcome {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut outcome = serializer.serialize_map(None)?;
        outcome.serialize_entry("clock", &self.clock)?;
        outcome.serialize_entry("verdict", &Word::of(&self.verdict))?;
        if let Some(stamp) = self.stamp {
            outcome.serialize_entry("stamp", &instant::text(stamp))?;
        }
        if let Verdict::Rejected(rejection) = &self.verdict {
            outcome.serialize_entry("code", &rejection.code)?;
            outcome.serialize_entry("message", &rejection.message)?;
            if let Some(field) = &rejection.field {
                outcome.serialize_entry("field", field)?;
            }
        }
        if !self.is_as_sent() {
            outcome.serialize_entry("row", &self.row)?;
            if let Some(met) = &self.met {
                outcome.serialize_entry("met", met)?;
            }
            if let Some(error) = &self.unreadable {
                outcome.serialize_entry("unreadable", &Unreadable::of(error))?;
            }
            if self.lost {
                outcome.serialize_entry("lost", &true)?;
            }
        }
        outcome.end()
    }
}

impl Word {
    fn of(verdict: &Verdict) -> Self {
        match verdict {
            Verdict::Applied => Word::Applied,
            Verdict::Merged => Word::Merged,
            Verdict::Superseded => Word::Superseded,
            Verdict::Rejected(_) => Word::Rejected,
            Verdict::Held => Word::Held,
        }
    }
}
