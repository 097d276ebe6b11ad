//! A part of an installation as one statement that says how it went.

use crate::table::literal;
use crate::tracking::Problem;

/// What the last attempt ended with.
pub(super) const OUTCOME: &str = "select current_setting('carburetor.outcome', true)";

/// What the messages of tables that can't be tracked begin with.
const REFUSAL: &str = "carburetor: can't track ";

/// How an attempt went.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Outcome {
    Done,
    Busy,
    Refused(Problem),
}

impl Outcome {
    pub(super) fn of(outcome: Option<String>) -> Self {
        match outcome.as_deref() {
            Some("busy") => Outcome::Busy,
            Some(refusal) if refusal.starts_with(REFUSAL) => {
                let reason = refusal.trim_start_matches(REFUSAL);
                let (table, reason) = reason.split_once(": ").unwrap_or(("", reason));
                let (problem, remedy) = reason.split_once("; ").unwrap_or((reason, ""));
                Outcome::Refused(Problem::new(table, problem, remedy))
            }
            _ => Outcome::Done,
        }
    }
}

/// A statement that runs `text`, and undoes it when a lock was not free in time or the table can't be tracked.
///
/// The server recognises the errors, because Diesel doesn't hand their codes on and their messages are in the server's language. The lock lets
/// one installer at a time through; two that create the same function at once would fail.
pub(super) fn attempt(text: &str) -> String {
    let body = format!(
        "declare
  timeout text := current_setting('lock_timeout');
  message text;
begin
  perform set_config('lock_timeout', '3s', true);
  perform pg_advisory_xact_lock(1441, 0);
  execute {text};
  perform set_config('lock_timeout', timeout, true), set_config('carburetor.outcome', 'done', true);
exception
  when lock_not_available or deadlock_detected then
    perform set_config('carburetor.outcome', 'busy', true);
  when raise_exception then
    get stacked diagnostics message = message_text;
    if not starts_with(message, {refusal}) then
      raise;
    end if;
    perform set_config('carburetor.outcome', message, true);
end",
        text = literal(text),
        refusal = literal(REFUSAL),
    );
    format!("do {}", literal(&body))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_refusal_has_its_remedy_behind_a_semicolon() {
        let refused = |text: &str| Outcome::of(Some(text.to_owned()));
        assert_eq!(
            refused("carburetor: can't track \"users\": it is a view; track the tables below it"),
            Outcome::Refused(Problem::new(
                "\"users\"",
                "it is a view",
                "track the tables below it"
            ))
        );
        assert_eq!(
            refused("carburetor: can't track \"users\": it is not a table"),
            Outcome::Refused(Problem::new("\"users\"", "it is not a table", ""))
        );
    }
}
