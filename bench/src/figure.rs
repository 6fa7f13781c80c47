//! A value measured several times.

use std::fmt;

/// The median of several rounds with its range.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct Figure {
    pub(crate) median: f64,
    pub(crate) least: f64,
    pub(crate) most: f64,
}

impl Figure {
    /// The figure of one value per round; `None` without rounds.
    pub(crate) fn of(values: impl IntoIterator<Item = f64>) -> Option<Self> {
        let mut values: Vec<f64> = values.into_iter().collect();
        values.sort_by(f64::total_cmp);
        let (least, most) = (*values.first()?, *values.last()?);
        let low = *values.get((values.len() - 1) / 2)?;
        let high = *values.get(values.len() / 2)?;
        Some(Self { median: f64::midpoint(low, high), least, most })
    }

    /// The ratio to another figure's median.
    pub(crate) fn beside(&self, peer: &Self) -> f64 {
        self.median / peer.median
    }
}

/// `12.3 (11.9 – 12.8)`
impl fmt::Display for Figure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let digits = match self.median.abs() {
            size if size >= 100.0 => 0,
            size if size >= 10.0 => 1,
            _ => 2,
        };
        let Self { median, least, most } = self;
        write!(f, "{median:.digits$} ({least:.digits$} – {most:.digits$})")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn median_lies_between_the_extremes() {
        let odd = Figure::of([3.0, 1.0, 20.0]).unwrap();
        assert_eq!(odd, Figure { median: 3.0, least: 1.0, most: 20.0 });
        assert_eq!(odd.to_string(), "3.00 (1.00 – 20.00)");
        let even = Figure::of([1.0, 2.0, 4.0, 9.0]).unwrap();
        assert!((even.median - 3.0).abs() < 1e-9);
        assert!((odd.beside(&even) - 1.0).abs() < 1e-9);
        assert_eq!(Figure::of([]), None);
    }
}
