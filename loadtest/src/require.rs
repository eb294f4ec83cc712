//! Requirements on the report: `ratio.p99<2`.

use std::fmt;
use std::str::FromStr;

/// How a figure is compared.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Comparison {
    Less,
    AtMost,
    Equal,
    Unequal,
    AtLeast,
    More,
}

/// Signs, longer ones first so that `<=` is not read as `<`.
const SIGNS: [(&str, Comparison); 6] = [
    ("<=", Comparison::AtMost),
    (">=", Comparison::AtLeast),
    ("==", Comparison::Equal),
    ("!=", Comparison::Unequal),
    ("<", Comparison::Less),
    (">", Comparison::More),
];

/// A figure of the report, a comparison and a number.
#[derive(Clone, Debug, PartialEq)]
pub struct Requirement {
    path: String,
    comparison: Comparison,
    number: f64,
}

impl FromStr for Requirement {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let found = SIGNS
            .iter()
            .filter_map(|(sign, comparison)| Some((text.find(sign)?, *sign, *comparison)))
            .min_by_key(|(place, sign, _)| (*place, std::cmp::Reverse(sign.len())));
        let Some((place, sign, comparison)) = found else {
            return Err(format!("`{text}` has none of < <= == != >= >"));
        };
        let path = text[..place].trim();
        let number = text[place + sign.len()..].trim();
        if path.is_empty() {
            return Err(format!("`{text}` names no figure"));
        }
        Ok(Self {
            path: path.to_owned(),
            comparison,
            number: number
                .parse()
                .map_err(|_| format!("`{number}` is no number"))?,
        })
    }
}

impl fmt::Display for Requirement {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let sign = SIGNS
            .iter()
            .find(|(_, comparison)| *comparison == self.comparison);
        write!(
            f,
            "{}{}{}",
            self.path,
            sign.map_or("", |(sign, _)| sign),
            self.number
        )
    }
}

/// How a requirement came out.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Outcome {
    /// It holds; the figure.
    Holds(f64),
    /// It does not; the figure.
    Fails(f64),
    /// The run did not measure the figure.
    Unmeasured,
}

impl Requirement {
    /// The figure that it asks for, in a report.
    fn find<'a>(&self, report: &'a serde_json::Value) -> Option<&'a serde_json::Value> {
        self.path
            .split('.')
            .try_fold(report, |value, key| value.get(key))
    }

    /// Whether reports have such a figure at all.
    pub fn known(&self, report: &serde_json::Value) -> Result<(), String> {
        match self.find(report) {
            Some(serde_json::Value::Number(_) | serde_json::Value::Null) => Ok(()),
            Some(_) => Err(format!("`{}` is no figure of the report", self.path)),
            None => Err(format!("the report has no `{}`", self.path)),
        }
    }

    /// Holds it against a report.
    pub fn judge(&self, report: &serde_json::Value) -> Outcome {
        let Some(figure) = self.find(report).and_then(serde_json::Value::as_f64) else {
            return Outcome::Unmeasured;
        };
        #[allow(clippy::float_cmp, reason = "counts are compared for equality")]
        let holds = match self.comparison {
            Comparison::Less => figure < self.number,
            Comparison::AtMost => figure <= self.number,
            Comparison::Equal => figure == self.number,
            Comparison::Unequal => figure != self.number,
            Comparison::AtLeast => figure >= self.number,
            Comparison::More => figure > self.number,
        };
        if holds {
            Outcome::Holds(figure)
        } else {
            Outcome::Fails(figure)
        }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn requirements_are_read_and_judged() {
        let report =
            json!({"ratio": {"p99": 1.8}, "promises_broken": 0, "floor": {"p99_us": null}});
        let judge = |text: &str| text.parse::<Requirement>().unwrap().judge(&report);
        assert_eq!(judge("ratio.p99<2"), Outcome::Holds(1.8));
        assert_eq!(judge("ratio.p99 <= 1.5"), Outcome::Fails(1.8));
        assert_eq!(judge("promises_broken==0"), Outcome::Holds(0.0));
        assert_eq!(judge("promises_broken!=0"), Outcome::Fails(0.0));
        assert_eq!(judge("floor.p99_us<2"), Outcome::Unmeasured);
    }

    #[test]
    fn unknown_figures_and_strange_texts_are_refused() {
        let report = json!({"ratio": {"p99": 1.8}});
        let known = |text: &str| text.parse::<Requirement>().unwrap().known(&report);
        assert!(known("ratio.p99<2").is_ok());
        assert!(known("ratio.p98<2").unwrap_err().contains("ratio.p98"));
        assert!(known("ratio<2").is_err());
        for text in ["ratio.p99", "<2", "ratio.p99<", "ratio.p99=2"] {
            assert!(text.parse::<Requirement>().is_err(), "{text}");
        }
    }

    #[test]
    fn it_prints_as_it_reads() {
        for text in ["a.b<=2", "a!=0", "a>1.5"] {
            assert_eq!(text.parse::<Requirement>().unwrap().to_string(), text);
        }
    }
}
