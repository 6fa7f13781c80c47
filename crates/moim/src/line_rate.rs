//! A bound on how many lines each place in the program, or in a library, logs a minute: strangers can
//! cause some of them as often as they like.

use std::{
    collections::HashMap,
    sync::{Mutex, PoisonError},
    time::{Duration, Instant},
};

use tracing::{Event, Level, Metadata, callsite::Identifier};
use tracing_subscriber::layer::{Context, Filter};

/// Lines of one place in one interval: more than a machine has shards, each of which says that it stops.
const LINES: u32 = 30;
const INTERVAL: Duration = Duration::from_secs(60);

/// Lets the first lines of each place pass in each interval. What the operator asked for beyond the
/// usual, debug and trace, has no bound.
#[derive(Debug, Default)]
pub(crate) struct LineRate {
    /// As many as there are places in the program at most.
    places: Mutex<HashMap<Identifier, Window>>,
}

/// The lines of one place since an interval began.
#[derive(Debug)]
struct Window {
    began: Instant,
    lines: u32,
}

impl LineRate {
    fn admits(&self, metadata: &Metadata<'_>, now: Instant) -> bool {
        if *metadata.level() > Level::INFO {
            return true;
        }
        let mut places = self.places.lock().unwrap_or_else(PoisonError::into_inner);
        let new = || Window { began: now, lines: 0 };
        let window = places.entry(metadata.callsite()).or_insert_with(new);
        if now.saturating_duration_since(window.began) >= INTERVAL {
            *window = new();
        }
        window.lines = window.lines.saturating_add(1);
        window.lines <= LINES
    }
}

impl<S> Filter<S> for LineRate {
    fn enabled(&self, _: &Metadata<'_>, _: &Context<'_, S>) -> bool {
        true
    }

    fn event_enabled(&self, event: &Event<'_>, _: &Context<'_, S>) -> bool {
        self.admits(event.metadata(), Instant::now())
    }
}

#[cfg(test)]
mod tests {
    use tracing::{Callsite as _, callsite::DefaultCallsite, field::FieldSet, metadata::Kind};

    use super::*;

    /// A place in the program that logs at a level.
    macro_rules! place {
        ($level:expr) => {{
            static PLACE: DefaultCallsite = DefaultCallsite::new(&METADATA);
            static METADATA: Metadata<'static> = Metadata::new(
                "event",
                "moim",
                $level,
                None,
                None,
                None,
                FieldSet::new(&[], Identifier(&PLACE)),
                Kind::EVENT,
            );
            PLACE.metadata()
        }};
    }

    #[test]
    fn each_place_logs_so_many_lines_an_interval_and_debugging_has_no_bound() {
        let rate = LineRate::default();
        let start = Instant::now();
        let (warning, info) = (place!(Level::WARN), place!(Level::INFO));
        let admitted = |metadata, now| (0..1000).filter(|_| rate.admits(metadata, now)).count();
        assert_eq!(admitted(warning, start), LINES as usize);
        assert_eq!(admitted(warning, start + INTERVAL - Duration::from_millis(1)), 0);
        assert_eq!(admitted(info, start), LINES as usize, "places are apart");
        assert_eq!(admitted(warning, start + INTERVAL), LINES as usize);
        assert_eq!(admitted(place!(Level::DEBUG), start), 1000);
    }
}
