//! Names that a person may have meant: the nearest known one to a name that is not known.

/// The known name nearest to `wanted`, if it is near enough to be a slip of the fingers: a third
/// of its letters wrong at most, case apart. The first of equals wins.
///
/// ```
/// # use switchroom::domain::near::nearest;
/// assert_eq!(nearest("spansih", ["german", "spanish"]), Some("spanish"));
/// assert_eq!(nearest("klingon", ["german", "spanish"]), None);
/// ```
#[must_use]
pub fn nearest<'a>(wanted: &str, known: impl IntoIterator<Item = &'a str>) -> Option<&'a str> {
    let wanted: Vec<char> = wanted.to_lowercase().chars().collect();
    let allowed = (wanted.len() / 3).max(1);
    known
        .into_iter()
        .filter_map(|name| {
            let letters: Vec<char> = name.to_lowercase().chars().collect();
            let far = wanted.len().abs_diff(letters.len()) > allowed;
            let distance = if far {
                usize::MAX
            } else {
                distance(&wanted, &letters)
            };
            (distance <= allowed && distance < letters.len().max(1)).then_some((distance, name))
        })
        .min_by_key(|(distance, _)| *distance)
        .map(|(_, name)| name)
}

/// `; did you mean "name"?`, or nothing where no known name is near.
#[must_use]
pub fn did_you_mean<'a>(wanted: &str, known: impl IntoIterator<Item = &'a str>) -> String {
    nearest(wanted, known).map_or_else(String::new, |name| format!("; did you mean \"{name}\"?"))
}

/// Letters added, left out, changed or swapped with their neighbour (optimal string alignment).
fn distance(a: &[char], b: &[char]) -> usize {
    let mut before: Vec<usize> = vec![0; b.len() + 1];
    let mut above: Vec<usize> = (0..=b.len()).collect();
    for (i, x) in a.iter().enumerate() {
        let mut row = vec![i + 1; b.len() + 1];
        for (j, y) in b.iter().enumerate() {
            let changed = above[j] + usize::from(x != y);
            row[j + 1] = changed.min(above[j + 1] + 1).min(row[j] + 1);
            if i > 0 && j > 0 && *x == b[j - 1] && a[i - 1] == *y {
                row[j + 1] = row[j + 1].min(before[j - 1] + 1);
            }
        }
        before = std::mem::replace(&mut above, row);
    }
    above[b.len()]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_slip_is_found_and_another_word_is_not() {
        let known = ["billing", "spanish", "vip", "Sales"];
        for (wanted, meant) in [
            ("biling", Some("billing")),
            ("billling", Some("billing")),
            ("iblling", Some("billing")),
            ("BILLING", Some("billing")),
            ("sales", Some("Sales")),
            ("vpi", Some("vip")),
            ("reading", None),
            ("x", None),
            ("", None),
        ] {
            assert_eq!(nearest(wanted, known), meant, "{wanted}");
        }
    }

    #[test]
    fn the_nearest_wins_and_then_the_first() {
        assert_eq!(nearest("tier_2", ["tier_1", "tier_3"]), Some("tier_1"));
        assert_eq!(nearest("tier_33", ["tier_1", "tier_3"]), Some("tier_3"));
        assert_eq!(
            did_you_mean("tier_2", ["tier_1"]),
            "; did you mean \"tier_1\"?"
        );
        assert_eq!(did_you_mean("other", ["tier_1"]), "");
    }

    #[test]
    fn distances_count_single_slips() {
        let of = |a: &str, b: &str| {
            let (a, b): (Vec<char>, Vec<char>) = (a.chars().collect(), b.chars().collect());
            (distance(&a, &b), distance(&b, &a))
        };
        assert_eq!(of("", ""), (0, 0));
        assert_eq!(of("", "abc"), (3, 3));
        assert_eq!(of("kitten", "sitting"), (3, 3));
        assert_eq!(of("ab", "ba"), (1, 1));
        assert_eq!(of("müller", "muller"), (1, 1));
    }
}
