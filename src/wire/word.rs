//! Closed sets of words: an enum whose every value has one name on the wire.

/// Declares a closed enum with its words: parsing, printing, both directions of serde, and
/// the schema come from the same list.
macro_rules! words {
    (
        $(#[doc = $doc:literal])*
        $name:ident {
            $( $(#[doc = $word_doc:literal])* $variant:ident = $word:literal, )+
        }
    ) => {
        $(#[doc = $doc])*
        #[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
        pub enum $name {
            $( $(#[doc = $word_doc])* $variant, )+
        }

        impl $name {
            /// Every value, in the order of the schema.
            pub const ALL: &'static [Self] = &[$(Self::$variant),+];
            /// The words of [`Self::ALL`], in the same order.
            pub const WORDS: &'static [&'static str] = &[$($word),+];

            /// The word on the wire.
            #[must_use]
            pub const fn word(self) -> &'static str {
                match self {
                    $( Self::$variant => $word, )+
                }
            }

            /// What it means, as the documentation says it.
            #[must_use]
            pub fn about(self) -> &'static str {
                match self {
                    $( Self::$variant => concat!($($word_doc,)*).trim(), )+
                }
            }

            /// The value that goes by this word.
            #[must_use]
            pub fn find(word: &str) -> Option<Self> {
                match word {
                    $( $word => Some(Self::$variant), )+
                    _ => None,
                }
            }
        }

        impl std::fmt::Display for $name {
            fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                f.write_str(self.word())
            }
        }

        impl serde::Serialize for $name {
            fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
                serializer.serialize_str(self.word())
            }
        }

        impl<'de> serde::Deserialize<'de> for $name {
            fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
                struct Words;

                impl serde::de::Visitor<'_> for Words {
                    type Value = $name;

                    fn expecting(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                        f.write_str("one of")?;
                        for (number, word) in $name::WORDS.iter().enumerate() {
                            write!(f, "{} `{word}`", if number == 0 { "" } else { "," })?;
                        }
                        Ok(())
                    }

                    fn visit_str<E: serde::de::Error>(self, word: &str) -> Result<$name, E> {
                        $name::find(word)
                            .ok_or_else(|| E::invalid_value(serde::de::Unexpected::Str(word), &self))
                    }
                }

                deserializer.deserialize_str(Words)
            }
        }

        impl schemars::JsonSchema for $name {
            fn schema_name() -> std::borrow::Cow<'static, str> {
                stringify!($name).into()
            }

            fn json_schema(_: &mut schemars::SchemaGenerator) -> schemars::Schema {
                let mut about = concat!($($doc, "\n",)*).trim().replace("\n ", "\n");
                for value in Self::ALL {
                    about.push_str(&format!("\n- `{value}`: {}", value.about()));
                }
                schemars::json_schema!({
                    "description": about,
                    "type": "string",
                    "enum": Self::WORDS,
                })
            }
        }
    };
}

pub(crate) use words;

/// The known word nearest to `given`, if it is near enough to be what was meant.
#[must_use]
pub fn nearest<'a>(given: &str, known: impl IntoIterator<Item = &'a str>) -> Option<&'a str> {
    if given.len() > 64 {
        return None;
    }
    known
        .into_iter()
        .map(|word| (distance(given, word), word))
        .filter(|(edits, word)| *edits <= 1 + word.len() / 5)
        .min()
        .map(|(_, word)| word)
}

/// Insertions, deletions and replacements that turn one text into the other.
fn distance(a: &str, b: &str) -> usize {
    let b: Vec<char> = b.chars().collect();
    let mut row: Vec<usize> = (0..=b.len()).collect();
    for (i, from) in a.chars().enumerate() {
        let mut diagonal = row[0];
        row[0] = i + 1;
        for (j, to) in b.iter().enumerate() {
            let replaced = diagonal + usize::from(from != *to);
            diagonal = row[j + 1];
            row[j + 1] = replaced.min(row[j] + 1).min(diagonal + 1);
        }
    }
    row[b.len()]
}

#[cfg(test)]
mod tests {
    use super::nearest;

    #[test]
    fn the_nearest_word_is_found_and_a_far_one_is_not() {
        let known = ["contact.accept", "contact.decline", "queue.list"];
        assert_eq!(nearest("contact.acept", known), Some("contact.accept"));
        assert_eq!(nearest("contact.decliend", known), Some("contact.decline"));
        assert_eq!(nearest("drop.table", known), None);
        assert_eq!(nearest("", known), None);
    }
}
