//! `moim size`: how large a server these calls need.

use std::io::Write as _;

use anyhow::Context;

use crate::{
    config::SizeOptions,
    sizing::{Calls, Sizing},
};

/// Runs the command, which writes to standard output.
///
/// # Errors
/// Standard output is closed.
pub(crate) fn run(options: &SizeOptions) -> anyhow::Result<()> {
    let SizeOptions { rooms, people, pictures, kbps, json } = *options;
    let sizing = Sizing::of(Calls { rooms, people, pictures, picture_kbps: kbps });
    let text = if json {
        serde_json::to_string_pretty(&sizing)?
    } else {
        describe(rooms, people, &sizing)
    };
    writeln!(std::io::stdout(), "{text}").context("Can't write to standard output")
}

fn describe(rooms: u32, people: u32, sizing: &Sizing) -> String {
    let about = format!(
        "{rooms} rooms of {people} people, each of whom sees {} pictures of {} kb/s:\n",
        sizing.pictures, sizing.picture_kbps
    );
    let rows = [
        ("Line out", format!("{} ({} a room)", rate(sizing.out_kbps), rate(sizing.room_out_kbps))),
        (
            "Line in",
            format!("{} at most ({} a room)", rate(sizing.in_kbps), rate(sizing.room_in_kbps)),
        ),
        ("Packets", format!("{} a second", sizing.packets_per_second)),
        ("Cores", format!("{}, at 80 % of their time", cores(sizing.cores_permille))),
        ("Memory", format!("{} MB for the participants", sizing.memory_mib)),
    ];
    let rows = rows.iter().map(|(name, value)| format!("  {name:<10}{value}\n"));
    let hint = if sizing.is_direct {
        "\nTwo people talk directly: the server carries nothing but calls that firewalls force \
         through it."
    } else {
        "\nMeasured on two cores of an AMD EPYC (docs/performance.md). Usually the line is full \
         before the cores are."
    };
    let mut text = about;
    text.extend(rows);
    text + hint
}

/// Tenths of a megabit above one, whole ones above ten.
fn rate(kbps: u64) -> String {
    match kbps {
        0..1_000 => format!("{kbps} kb/s"),
        1_000..10_000 => format!("{}.{} Mb/s", kbps / 1000, kbps % 1000 / 100),
        10_000..10_000_000 => format!("{} Mb/s", kbps.div_ceil(1000)),
        _ => format!("{} Gb/s", kbps.div_ceil(1_000_000)),
    }
}

/// Tenths of a core, rounded up.
fn cores(permille: u64) -> String {
    let tenths = permille.div_ceil(100);
    format!("{}.{}", tenths / 10, tenths % 10)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn description_has_line_cores_and_memory() {
        let calls = Calls { rooms: 10, people: 8, pictures: None, picture_kbps: None };
        let text = describe(10, 8, &Sizing::of(calls));
        for part in ["308 Mb/s (31 Mb/s a room)", "204 Mb/s at most", "0.6, at 80 %", "79 MB"] {
            assert!(text.contains(part), "{part}: {text}");
        }
        assert!(!text.contains("directly"));
        let two = Calls { people: 2, ..calls };
        assert!(describe(10, 2, &Sizing::of(two)).contains("directly"));
    }

    #[test]
    fn rates_and_cores_are_rounded_for_people() {
        assert_eq!([rate(999), rate(1_550), rate(30_800)], ["999 kb/s", "1.5 Mb/s", "31 Mb/s"]);
        assert_eq!([cores(0), cores(1), cores(999), cores(1_050)], ["0.0", "0.1", "1.0", "1.1"]);
    }
}
