//! Counts of responses by method and outcome: a table of fixed size.

use crate::stun::Method;

const METHODS: [(Method, &str); 7] = [
    (Method::BINDING, "binding"),
    (Method::ALLOCATE, "allocate"),
    (Method::REFRESH, "refresh"),
    (Method::CREATE_PERMISSION, "create_permission"),
    (Method::CHANNEL_BIND, "channel_bind"),
    (Method::CONNECT, "connect"),
    (Method::CONNECTION_BIND, "connection_bind"),
];

/// The outcomes of a request and their labels.
const OUTCOMES: [(Option<u16>, &str); 16] = [
    (None, "success"),
    (Some(400), "400"),
    (Some(401), "401"),
    (Some(403), "403"),
    (Some(405), "405"),
    (Some(420), "420"),
    (Some(437), "437"),
    (Some(438), "438"),
    (Some(440), "440"),
    (Some(441), "441"),
    (Some(442), "442"),
    (Some(443), "443"),
    (Some(446), "446"),
    (Some(447), "447"),
    (Some(486), "486"),
    (Some(508), "508"),
];

/// Counts of responses.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct ResponseCounts([[u64; OUTCOMES.len()]; METHODS.len()]);

impl ResponseCounts {
    /// Counts a response to a request of this method: a success, or this error.
    pub(super) fn count(&mut self, method: Method, error: Option<u16>) {
        let row = METHODS.iter().position(|(known, _)| *known == method);
        let column = OUTCOMES.iter().position(|(known, _)| *known == error);
        debug_assert!(row.is_some() && column.is_some(), "{method:?} {error:?} has no place");
        let (Some(row), Some(column)) = (row, column) else { return };
        if let Some(count) = self.0.get_mut(row).and_then(|row| row.get_mut(column)) {
            *count += 1;
        }
    }

    /// The counts above zero with their method and outcome (an error code, or `success`).
    pub fn iter(&self) -> impl Iterator<Item = (&'static str, &'static str, u64)> + '_ {
        METHODS.iter().zip(&self.0).flat_map(|((_, method), row)| {
            let counted = OUTCOMES.iter().zip(row).filter(|(_, count)| **count > 0);
            counted.map(|((_, outcome), count)| (*method, *outcome, *count))
        })
    }
}

impl std::ops::AddAssign for ResponseCounts {
    fn add_assign(&mut self, other: Self) {
        let counts = self.0.as_flattened_mut().iter_mut();
        counts.zip(other.0.as_flattened()).for_each(|(count, more)| *count += more);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_method_and_outcome_has_its_own_count() {
        let mut counts = ResponseCounts::default();
        for (method, _) in METHODS {
            for (error, _) in OUTCOMES {
                counts.count(method, error);
            }
        }
        counts += counts;
        assert_eq!(counts.iter().count(), METHODS.len() * OUTCOMES.len());
        assert!(counts.iter().all(|(.., count)| count == 2));
    }
}
