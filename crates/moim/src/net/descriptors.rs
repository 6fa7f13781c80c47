//! File descriptors: every connection takes one.

/// Descriptors for everything that is no connection.
const OTHERS: usize = 256;

/// Has as many descriptors as the system allows, and says so if they are fewer than `connections`
/// would need.
#[cfg(unix)]
pub(crate) fn raise_for(connections: usize) {
    use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};

    let limit = getrlimit(Resource::Nofile);
    let raised = Rlimit { current: limit.maximum, maximum: limit.maximum };
    // None is no limit. Some systems have one for current that is lower than they say.
    let allowed = match setrlimit(Resource::Nofile, raised) {
        Ok(()) => limit.maximum,
        Err(_) => limit.current,
    };
    let needed = u64::try_from(connections.saturating_add(OTHERS)).unwrap_or(u64::MAX);
    if let Some(allowed) = allowed.filter(|allowed| *allowed < needed) {
        tracing::warn!(
            allowed,
            needed,
            "the system allows fewer open files than --max-connections needs: raise `ulimit -n`"
        );
    }
}

/// Elsewhere there is no such limit.
#[cfg(not(unix))]
pub(crate) fn raise_for(_: usize) {}
