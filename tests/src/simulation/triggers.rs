//! Triggers of the server's own: they keep rows away, and store ids in another form.

use super::models::Table;
use super::rows::{Key, written};
use carburetor::change::{Change, Edit};

/// What a value begins with whose row is kept away.
pub(super) const AWAY: &str = "away";

pub(super) const SQLITE: &str = r#"
create trigger away before insert on pads when new."left" like 'away%' begin select raise(ignore); end;
create trigger away_again before update of "left" on pads when new."left" like 'away%' begin select raise(ignore); end;
create trigger form after insert on pads when new.id <> lower(new.id) begin update pads set id = lower(new.id) where id = new.id; end;
"#;

pub(super) const POSTGRES: &str = r#"
create function away() returns trigger language plpgsql as $$
begin
  if new."left" like 'away%' then return null; end if;
  new.id := lower(new.id);
  return new;
end $$;
create trigger away before insert or update on pads for each row execute function away();
"#;

/// Whether the triggers make something else of a change than it says.
pub(super) fn interfere(change: &Change, key: &Key) -> bool {
    let (Edit::Insert(columns) | Edit::Update(columns)) = &change.edit else {
        return false;
    };
    let is_away = written(Table::of(key.0), columns).any(|(column, value)| {
        column == "left" && value.as_str().is_some_and(|value| value.starts_with(AWAY))
    });
    key.0 == "pads" && (is_away || key.1 != key.1.to_lowercase())
}
