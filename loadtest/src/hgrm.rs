//! Histograms as percentile distributions, the form that HdrHistogram's plotters read.

use std::fmt::Write as _;
use std::path::Path;

use anyhow::{Context, Result};
use hdrhistogram::Histogram;

/// Steps per halving of the distance to 100 %.
const STEPS: u32 = 5;

/// Writes one file per histogram that is not empty, values in thousandths of what they hold.
pub fn write(folder: &Path, histograms: &[(&str, Histogram<u32>)]) -> Result<()> {
    std::fs::create_dir_all(folder)
        .with_context(|| format!("{} cannot be made", folder.display()))?;
    for (name, histogram) in histograms
        .iter()
        .filter(|(_, histogram)| !histogram.is_empty())
    {
        let path = folder.join(format!("{name}.hgrm"));
        std::fs::write(&path, text(histogram))
            .with_context(|| format!("{} cannot be written", path.display()))?;
    }
    Ok(())
}

fn text(histogram: &Histogram<u32>) -> String {
    let mut text = String::from("       Value     Percentile TotalCount 1/(1-Percentile)\n\n");
    let mut count = 0;
    for step in histogram.iter_quantiles(STEPS) {
        let quantile = step.quantile_iterated_to();
        let value = step.value_iterated_to() as f64 / 1_000.0;
        count += step.count_since_last_iteration();
        let _ = write!(text, "{value:12.3} {quantile:14.12} {count:10}");
        let _ = match quantile < 1.0 {
            true => writeln!(text, " {:14.2}", 1.0 / (1.0 - quantile)),
            false => writeln!(text),
        };
    }
    let (mean, deviation) = (histogram.mean() / 1_000.0, histogram.stdev() / 1_000.0);
    let _ = writeln!(
        text,
        "#[Mean    = {mean:12.3}, StdDeviation   = {deviation:12.3}]"
    );
    let (max, total) = (histogram.max() as f64 / 1_000.0, histogram.len());
    let _ = writeln!(text, "#[Max     = {max:12.3}, Total count    = {total:12}]");
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_distribution_ends_with_all_that_was_counted() {
        let mut histogram = crate::measure::histogram();
        for value in 1..=100 {
            histogram.saturating_record(value * 1_000);
        }
        let text = text(&histogram);
        let lines: Vec<&str> = text.lines().collect();
        assert!(lines[0].contains("1/(1-Percentile)"));
        let last = lines[lines.len() - 3];
        let fields: Vec<&str> = last.split_whitespace().collect();
        assert_eq!(fields[1..], ["1.000000000000", "100"], "{last}");
        assert!(text.contains("Total count    =          100"), "{text}");
    }
}
