//! Alternating rounds, so that changes of the machine's state affect all peers alike.

/// Measures each peer once per round and returns the results by peer. The first round is a warm-up.
/// Every other round has the reverse order, so that no peer is always first.
pub(crate) fn alternate<P, T>(
    peers: &[P],
    rounds: usize,
    mut measure: impl FnMut(&P) -> anyhow::Result<T>,
) -> anyhow::Result<Vec<Vec<T>>> {
    let mut results: Vec<Vec<T>> = peers.iter().map(|_| Vec::new()).collect();
    for round in 0..=rounds {
        let mut turns: Vec<_> = peers.iter().zip(&mut results).collect();
        if round % 2 == 1 {
            turns.reverse();
        }
        for (peer, results) in turns {
            let result = measure(peer)?;
            if round > 0 {
                results.push(result);
            }
        }
    }
    Ok(results)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn peers_alternate_and_the_first_round_is_dropped() {
        let mut order = String::new();
        let results = alternate(&['a', 'b'], 2, |peer| {
            order.push(*peer);
            Ok(order.len())
        });
        assert_eq!(results.unwrap(), [vec![4, 5], vec![3, 6]]);
        assert_eq!(order, "abbaab");
    }
}
