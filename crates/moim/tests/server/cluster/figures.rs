//! Figures of a check beside their bounds. `cargo xtask cluster` shows them.

use std::time::Duration;

/// Runs of a check; `MOIM_CLUSTER_RUNS` makes it more.
pub(super) fn runs() -> usize {
    std::env::var("MOIM_CLUSTER_RUNS").map_or(1, |runs| runs.parse().unwrap())
}

/// True for the long form of a check, which `MOIM_CLUSTER_WHOLE` asks for.
pub(super) fn is_whole() -> bool {
    std::env::var_os("MOIM_CLUSTER_WHOLE").is_some()
}

/// The longest gap of audio that is none: three packets of 20 ms. Tests that share the machine with
/// others may be stopped for longer.
pub(super) fn no_gap() -> Duration {
    Duration::from_millis(if is_whole() { 60 } else { 1000 })
}

/// Bound of all times in the short form, which shares its computer with other tests: there, numbers
/// and orders are what is checked.
const SHARED: Duration = Duration::from_secs(20);

/// Figures of a check.
pub(super) struct Figures {
    check: &'static str,
    is_whole: bool,
    missed: Vec<String>,
}

impl Figures {
    pub(super) fn of(check: &'static str) -> Self {
        Self { check, is_whole: is_whole(), missed: Vec::new() }
    }

    fn note(&mut self, holds: bool, line: &str) {
        let verdict = if holds { "" } else { " MISSED" };
        eprintln!("{:<10} {line}{verdict}", self.check);
        if !holds {
            self.missed.push(line.to_owned());
        }
    }

    /// A time that must not be longer than its bound; in the short form, than 20 s.
    pub(super) fn time(&mut self, name: &str, seen: Duration, bound: Duration) {
        let bound = if self.is_whole { bound } else { bound.max(SHARED) };
        let (shown, limit) = (seen.as_secs_f64(), bound.as_secs_f64());
        self.note(seen <= bound, &format!("{name}: {shown:.3} s, at most {limit:.3} s"));
    }

    /// Times of several runs: their median, and the longest.
    pub(super) fn times(
        &mut self,
        name: &str,
        seen: &[Duration],
        median: Duration,
        longest: Duration,
    ) {
        let mut sorted = seen.to_vec();
        sorted.sort_unstable();
        let runs = sorted.len();
        self.time(&format!("{name}, median of {runs}"), sorted[runs / 2], median);
        self.time(&format!("{name}, longest of {runs}"), sorted[runs - 1], longest);
        eprintln!("{:<10} {name}: {sorted:.2?}", self.check);
    }

    /// A number that must be exactly this.
    pub(super) fn exactly(&mut self, name: &str, seen: usize, bound: usize) {
        self.note(seen == bound, &format!("{name}: {seen}, must be {bound}"));
    }

    /// A number that must be this or more.
    pub(super) fn at_least(&mut self, name: &str, seen: usize, bound: usize) {
        self.note(seen >= bound, &format!("{name}: {seen}, at least {bound}"));
    }

    /// A number that must be this or less.
    pub(super) fn at_most(&mut self, name: &str, seen: u64, bound: u64) {
        self.note(seen <= bound, &format!("{name}: {seen}, at most {bound}"));
    }

    /// A number of bytes or packets that must be at most so many percent of another one.
    pub(super) fn percent(&mut self, name: &str, part: u64, whole: u64, most: u64) {
        let shown = 100.0 * part as f64 / whole as f64;
        self.note(part * 100 <= whole * most, &format!("{name}: {shown:.2} %, at most {most} %"));
    }

    /// Fails if a bound was missed.
    pub(super) fn end(self) {
        assert!(self.missed.is_empty(), "{}: {:?}", self.check, self.missed);
    }
}

#[test]
fn figure_beyond_its_bound_fails_the_check() {
    let ms = Duration::from_millis;
    let mut figures = Figures { is_whole: true, ..Figures::of("planted") };
    figures.times("gap", &[ms(3), ms(1), ms(2)], ms(2), ms(3));
    figures.exactly("owners", 1, 1);
    assert_eq!(figures.missed, Vec::<String>::new());
    figures.times("gap", &[ms(3), ms(1), ms(3)], ms(2), ms(3));
    figures.at_least("fenced", 0, 1);
    figures.exactly("lost", 1, 0);
    assert_eq!(figures.missed.len(), 3, "{:?}", figures.missed);
    assert!(std::panic::catch_unwind(move || figures.end()).is_err());
}
