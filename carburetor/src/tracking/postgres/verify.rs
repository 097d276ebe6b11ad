//! What is wrong with an installation.
use crate::table::TableDefinition;
/// x
pub fn verify(_: &[&TableDefinition]) -> String {
    String::new()
}
