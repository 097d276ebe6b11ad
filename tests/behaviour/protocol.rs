//! The protocol's rules are referred to by their numbers.

use std::collections::BTreeSet;

const PROTOCOL: &str = include_str!("../../PROTOCOL.md");

/// The numbers of the lines that begin a rule.
fn numbers(protocol: &str) -> impl Iterator<Item = u32> {
    let begins = protocol.lines().filter_map(|line| line.split_once(". "));
    begins.filter_map(|(number, _)| number.parse().ok())
}

#[test]
fn each_rule_of_the_protocol_has_a_number_of_its_own() {
    let mut seen = BTreeSet::new();
    let twice: Vec<u32> = numbers(PROTOCOL)
        .filter(|number| !seen.insert(*number))
        .collect();
    assert!(twice.is_empty(), "{twice:?}");
    assert!(seen.len() > 70, "{seen:?}");
}
