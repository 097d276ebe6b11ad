//! Parents before children.

/// The places `0..tables` so that each comes after those it points to; `points` are pairs of (child, parent). Tables that point to each other in
/// a circle stay in their order.
pub(super) fn parents_first(tables: usize, points: &[(usize, usize)]) -> Vec<usize> {
    let mut ordered = Vec::with_capacity(tables);
    while ordered.len() < tables {
        let waiting = || (0..tables).filter(|table| !ordered.contains(table));
        let is_free = |table: &usize| {
            let mut parents = points
                .iter()
                .filter(|(child, parent)| child == table && parent != table);
            parents.all(|(_, parent)| ordered.contains(parent))
        };
        match waiting().find(is_free).or_else(|| waiting().next()) {
            Some(next) => ordered.push(next),
            None => break,
        }
    }
    ordered
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_child_comes_after_its_parents() {
        assert_eq!(parents_first(3, &[(0, 1), (1, 2)]), [2, 1, 0]);
        assert_eq!(parents_first(2, &[]), [0, 1]);
    }

    #[test]
    fn a_table_may_point_to_itself_and_two_to_each_other() {
        assert_eq!(parents_first(3, &[(0, 0), (1, 2), (2, 1)]), [0, 1, 2]);
    }
}
