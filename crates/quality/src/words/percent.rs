//! Shares in sentences.

/// Thousandths as a percentage: one digit below ten.
pub(super) fn percent(permille: u16) -> String {
    if permille >= 100 || permille.is_multiple_of(10) {
        format!("{} %", (permille + 5) / 10)
    } else {
        format!("{}.{} %", permille / 10, permille % 10)
    }
}
