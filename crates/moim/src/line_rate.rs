//! A limit on log lines per callsite and minute, since remote peers can provoke some lines at will.

use std::{
    collections::HashMap,
    time::{Duration, Instant},
};

use parking_lot::Mutex;
use tracing::{Event, Level, Metadata, callsite::Identifier};
use tracing_subscriber::layer::{Context, Filter};

/// Lines per callsite and interval: enough for each shard of a large machine to log that it stops.
const MAX_LINES: u32 = 30;
const INTERVAL: Duration = Duration::from_secs(60);

/// Passes the first lines of each callsite in each interval. The levels debug and trace, which an
/// operator has to ask for, are unlimited.
#[derive(Debug, Default)]
pub(crate) struct LineRate {
    /// At most one entry per callsite in the program.
    callsites: Mutex<HashMap<Identifier, Window>>,
}

/// The lines of one callsite in the current interval.
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
        let mut callsites = self.callsites.lock();
        let new = || Window { began: now, lines: 0 };
        let window = callsites.entry(metadata.callsite()).or_insert_with(new);
        if now.saturating_duration_since(window.began) >= INTERVAL {
            *window = new();
        }
        window.lines = window.lines.saturating_add(1);
        window.lines <= MAX_LINES
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

    /// A callsite with a level.
    macro_rules! callsite {
        ($level:expr) => {{
            static CALLSITE: DefaultCallsite = DefaultCallsite::new(&METADATA);
            static METADATA: Metadata<'static> = Metadata::new(
                "event",
                "moim",
                $level,
                None,
                None,
                None,
                FieldSet::new(&[], Identifier(&CALLSITE)),
                Kind::EVENT,
            );
            CALLSITE.metadata()
        }};
    }

    #[test]
    fn each_callsite_is_limited_per_interval_except_at_debug_level() {
        let rate = LineRate::default();
        let start = Instant::now();
        let (warning, info) = (callsite!(Level::WARN), callsite!(Level::INFO));
        let admitted = |metadata, now| (0..1000).filter(|_| rate.admits(metadata, now)).count();
        assert_eq!(admitted(warning, start), MAX_LINES as usize);
        assert_eq!(admitted(warning, start + INTERVAL - Duration::from_millis(1)), 0);
        assert_eq!(admitted(info, start), MAX_LINES as usize, "callsites are counted separately");
        assert_eq!(admitted(warning, start + INTERVAL), MAX_LINES as usize);
        assert_eq!(admitted(callsite!(Level::DEBUG), start), 1000);
    }
}
