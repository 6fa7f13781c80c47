//! The limit of open file descriptors: each connection takes one.

/// Descriptors for everything but connections.
const RESERVED_DESCRIPTORS: usize = 256;

/// Raises the soft limit to the hard one, and warns if that is too low for `connections`.
#[cfg(unix)]
pub(crate) fn raise_for(connections: usize) {
    use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};

    let limit = getrlimit(Resource::Nofile);
    let raised = Rlimit { current: limit.maximum, maximum: limit.maximum };
    // `None` is unlimited. Some systems reject their own hard limit; the soft one then stays.
    let allowed = match setrlimit(Resource::Nofile, raised) {
        Ok(()) => limit.maximum,
        Err(_) => limit.current,
    };
    let needed =
        u64::try_from(connections.saturating_add(RESERVED_DESCRIPTORS)).unwrap_or(u64::MAX);
    if let Some(allowed) = allowed.filter(|allowed| *allowed < needed) {
        tracing::warn!(
            allowed,
            needed,
            "the system allows fewer open files than --max-connections needs: raise `ulimit -n`"
        );
    }
}

/// Other systems have no such limit.
#[cfg(not(unix))]
pub(crate) fn raise_for(_: usize) {}
