//! Changes whose rows refer to each other by foreign keys.

use super::admit::Admitted;
use super::session::Session;
use super::surroundings::Reference;
use crate::clip;
use crate::connection::runner::Runner;
use crate::outcome::{Code, Rejection};
use crate::wire::WireBackend;
use std::collections::{BTreeMap, BTreeSet};

/// The table and the key of a row.
type Row<'k> = (usize, &'k [u8]);

impl<R: Runner> Session<'_, '_, R> {
    /// The rejection of a change that points to a row which was rejected itself.
    pub(super) fn lost_parent(
        &self,
        change: &Admitted<'_, R::Backend>,
        rejected: &[&Admitted<'_, R::Backend>],
    ) -> Option<Rejection> {
        let parent = rejected.iter().find(|parent| {
            let mut references = self.around.between(change.table, parent.table);
            references.any(|reference| {
                self.referred(change, reference, parent.table).as_ref() == Some(&parent.key)
            })
        })?;
        let id = clip::name(&parent.change.id.to_string());
        let [child, parent] =
            [change.table, parent.table].map(|table| &self.tables[table].definition.wire_name);
        Some(Rejection {
            code: Code::NeedsParent,
            message: format!(
                "{child}: it refers to the row {id} of {parent}, which was rejected: upload it again after that one"
            ),
            field: None,
        })
    }

    /// The key of the row of table `parent` that the row of `change` refers to, if it does so by the id.
    fn referred(
        &self,
        change: &Admitted<'_, R::Backend>,
        reference: &Reference,
        parent: usize,
    ) -> Option<Vec<u8>> {
        let ids: Vec<_> = self.tables[parent].definition.ids().collect();
        if ids.len() != reference.columns.len() {
            return None;
        }
        let mut key = Vec::new();
        for (part, id) in ids.into_iter().enumerate() {
            // SQLite may leave out what it refers to: that is the key, in order.
            let is_named = |(place, (_, named)): &(usize, &(String, String))| match named.as_str() {
                "" => *place == part,
                named => id.name == named,
            };
            let (_, (child, _)) = reference.columns.iter().enumerate().find(is_named)?;
            let value = change.value(self.tables[change.table].definition, child)?;
            R::Backend::key(value, &mut key);
        }
        Some(key)
    }

    /// Those of `changes` whose rows refer to each other in a ring, ring by ring: none of them can be applied before the others, but where foreign
    /// keys wait for the commit they can be applied together.
    pub(super) fn rings<'a, 'c: 'a>(
        &self,
        changes: impl Iterator<Item = &'a Admitted<'c, R::Backend>>,
    ) -> Vec<Vec<&'a Admitted<'c, R::Backend>>>
    where
        R::Backend: 'a,
    {
        let mut rows: BTreeMap<Row<'_>, Vec<&'a Admitted<'c, R::Backend>>> = BTreeMap::new();
        for change in changes {
            rows.entry((change.table, change.key.as_slice()))
                .or_default()
                .push(change);
        }
        let places: BTreeMap<Row<'_>, usize> = rows
            .keys()
            .enumerate()
            .map(|(place, row)| (*row, place))
            .collect();
        let mut points = BTreeSet::new();
        for ((table, key), changes) in &rows {
            for reference in self.around.references(*table) {
                let parents = changes.iter().filter_map(|change| {
                    let parent = reference.parent?;
                    let referred = self.referred(change, reference, parent)?;
                    places.get(&(parent, referred.as_slice())).copied()
                });
                let child = places[&(*table, *key)];
                points.extend(parents.map(|parent| (child, parent)));
            }
        }
        let mut rows: Vec<_> = rows.into_values().collect();
        let of_rings = rings(rows.len(), points);
        of_rings
            .into_iter()
            .map(|ring| {
                let changes = ring
                    .into_iter()
                    .map(|place| std::mem::take(&mut rows[place]));
                let mut changes: Vec<_> = changes.flatten().collect();
                changes.sort_by_key(|change| change.clock());
                changes
            })
            .collect()
    }
}

/// The places that are in rings, or between them, each with those that it is connected to; `points` lead from one to another.
fn rings(places: usize, mut points: BTreeSet<(usize, usize)>) -> Vec<Vec<usize>> {
    points.retain(|(child, parent)| child != parent);
    loop {
        let children: BTreeSet<usize> = points.iter().map(|(child, _)| *child).collect();
        let parents: BTreeSet<usize> = points.iter().map(|(_, parent)| *parent).collect();
        let before = points.len();
        points.retain(|(child, parent)| parents.contains(child) && children.contains(parent));
        if points.len() == before {
            break;
        }
    }
    // Each place has the name of the least one that it is connected to.
    let mut names: Vec<usize> = (0..places).collect();
    loop {
        let before = names.clone();
        for (child, parent) in &points {
            let least = names[*child].min(names[*parent]);
            names[*child] = least;
            names[*parent] = least;
        }
        if names == before {
            break;
        }
    }
    let mut found: BTreeMap<usize, BTreeSet<usize>> = BTreeMap::new();
    for (child, parent) in points {
        found
            .entry(names[child])
            .or_default()
            .extend([child, parent]);
    }
    found
        .into_values()
        .map(|ring| ring.into_iter().collect())
        .collect()
}

#[cfg(test)]
mod tests {
    use super::rings;

    #[test]
    fn what_leads_to_a_ring_or_away_from_it_is_not_in_it() {
        let points = [
            (0, 1),
            (1, 2),
            (2, 1),
            (2, 3),
            (4, 4),
            (5, 6),
            (6, 7),
            (7, 5),
        ];
        assert_eq!(rings(9, points.into()), [vec![1, 2], vec![5, 6, 7]]);
    }
}
