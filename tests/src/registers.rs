use carburetor::clock::Clock;
use std::collections::BTreeMap;

/// The clocks of a row's stored registers, each by the name of its column. Columns that share a member have it by a list of names, one after
/// each new line; what a column has of its own outweighs that.
pub fn registers(stored: &str) -> serde_json::Result<BTreeMap<String, Clock>> {
    let members: BTreeMap<String, Clock> = serde_json::from_str(stored)?;
    let (lists, own): (Vec<_>, Vec<_>) = members
        .into_iter()
        .partition(|(name, _)| name.starts_with('\n'));
    let listed = lists.into_iter().flat_map(|(names, clock)| {
        let names: Vec<String> = names[1..].split('\n').map(str::to_owned).collect();
        names.into_iter().map(move |name| (name, clock))
    });
    Ok(listed.chain(own).collect())
}
