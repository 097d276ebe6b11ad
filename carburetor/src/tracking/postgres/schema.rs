//! The registry and the functions that all tables share.

use super::origin::HOME;
use super::publish;
use super::warnings::WARNINGS;

/// What keeps a table from being tracked, as an expression over `relation`, `stamp`, `stamp_type`, `ids` and `columns`.
pub(super) const OBSTACLE: &str = include_str!("obstacle.sql");

/// `text` with the expressions that installing and verifying share: what a column's type is called, whether it is that of before, and whether it holds what
/// that one held.
pub(super) fn with_types(text: &str) -> String {
    text.replace("{type}", include_str!("type.sql"))
        .replace("{same_type}", include_str!("same_type.sql"))
        .replace("{longer}", include_str!("longer.sql"))
}

/// What makes the registry.
pub(super) fn text() -> String {
    with_types(include_str!("schema.sql"))
        .replace("{obstacle}", OBSTACLE)
        .replace("{warnings}", WARNINGS)
        .replace("{lock}", &publish::lock())
        .replace("{home}", HOME)
}

/// Names and bodies of the functions in `text`.
pub(super) fn functions(text: &str) -> Vec<(&str, &str)> {
    text.split("create or replace function carburetor.")
        .skip(1)
        .filter_map(|function| {
            let (name, rest) = function.split_once('(')?;
            let body = rest.split("$$").nth(1)?;
            Some((name, body))
        })
        .collect()
}

#[cfg(test)]
mod tests {
    #[test]
    fn every_function_is_found_with_its_body() {
        let text = super::text();
        let functions = super::functions(&text);
        let names: Vec<_> = functions.iter().map(|(name, _)| *name).collect();
        assert_eq!(
            names,
            [
                "home",
                "new_origin",
                "adopt_origin",
                "publish",
                "clock_of",
                "reset_table",
                "obstacle",
                "prepare_beside",
                "prepare_table",
                "register_table"
            ]
        );
        assert!(functions[3].1.starts_with("\ndeclare") && functions[3].1.ends_with("end "));
    }
}
