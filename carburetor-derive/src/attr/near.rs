//! What somebody meant who wrote an unknown word.

/// The word of `known` nearest to `word`, if it is near enough to be meant.
pub fn near<'k>(word: &str, known: &[&'k str]) -> Option<&'k str> {
    let (distance, nearest) = known
        .iter()
        .map(|known| (distance(word, known), *known))
        .min()?;
    (distance <= 1 + nearest.len() / 5).then_some(nearest)
}

/// How many letters to add, remove or replace.
fn distance(a: &str, b: &str) -> usize {
    let b: Vec<char> = b.chars().collect();
    let mut row: Vec<usize> = (0..=b.len()).collect();
    for (i, letter) in a.chars().enumerate() {
        let mut diagonal = row[0];
        row[0] = i + 1;
        for (j, other) in b.iter().enumerate() {
            let replaced = diagonal + usize::from(letter != *other);
            diagonal = row[j + 1];
            row[j + 1] = replaced.min(diagonal + 1).min(row[j] + 1);
        }
    }
    row[b.len()]
}

#[cfg(test)]
mod tests {
    use super::near;

    #[test]
    fn a_slip_is_understood() {
        let known = ["visible_by", "skip", "id"];
        assert_eq!(near("visibly_by", &known), Some("visible_by"));
        assert_eq!(near("skp", &known), Some("skip"));
        assert_eq!(near("ID", &["id"]), None);
    }

    #[test]
    fn another_word_is_not() {
        assert_eq!(near("primary", &["visible_by", "skip", "id"]), None);
    }
}
