//! `cargo xtask cluster`: checks of servers that share their rooms.
//!
//! Each is a test that runs in CI, too, in a shorter form. Here it runs alone, in its whole form, and
//! shows its figures beside their bounds.

use std::time::Instant;

use anyhow::{Context, bail};

use crate::{
    npm,
    shell::{cargo, run, run_with},
};

/// A check: its name, the tests that are it, and what it holds.
struct Check {
    name: &'static str,
    tests: &'static [&'static str],
    package: Package,
    holds: &'static str,
}

/// The tests' place.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Package {
    /// `crates/moim/tests/server`: real servers, Redis and clients.
    Server,
    /// `crates/cluster/tests/worlds`: the core on a virtual clock.
    Worlds,
}

const fn server(name: &'static str, tests: &'static [&'static str], holds: &'static str) -> Check {
    Check { name, tests, package: Package::Server, holds }
}

/// Gaps are those of servers and participants as they are used: handshakes of a debug build take long
/// enough to be one.
const TEST: [&str; 4] = ["test", "--release", "--locked", "--workspace"];

const CHECKS: &[Check] = &[
    server(
        "kill",
        &["cluster::gaps::room_of_a_killed_server_is_back_in_two_seconds"],
        "the process of owner, sockets and media is killed: audio of all is back in 5 s, median 2 s",
    ),
    server(
        "dark",
        &["cluster::gaps::room_of_a_computer_that_is_gone_is_back_in_less_than_four_seconds"],
        "the cable of that server is cut: 5 s, median 3.3 s",
    ),
    server(
        "freeze",
        &["cluster::gaps::room_of_a_server_that_hangs_is_back_in_less_than_four_seconds"],
        "that server hangs for 10 s: as dark, and it yields when it wakes",
    ),
    server(
        "drain",
        &[
            "cluster::drain::rooms_of_a_server_that_drains_are_anothers_at_once_and_nothing_is_lost",
            "cluster::drain::call_goes_on_while_the_server_that_has_it_drains",
            "cluster::drain::links_of_rooms_elsewhere_leave_a_server_that_drains",
            "cluster::drain::link_leaves_a_server_that_drains_though_its_socket_is_elsewhere",
            "cluster::drain::server_that_drains_leaves_new_rooms_to_others",
            "cluster::drain::room_that_no_other_server_can_take_stays_and_goes_on",
        ],
        "a server with rooms, sockets and media drains: no event lost, nobody left, no gap of audio",
    ),
    server(
        "unplug",
        &["cluster::unplug::owner_that_is_cut_off_from_redis_alone_goes_on"],
        "one server is cut off from Redis alone: no gap, no claim, joins in 3 s",
    ),
    server(
        "split",
        &[
            "cluster::unplug::partition_between_two_servers_is_bypassed_by_a_third",
            "cluster::unplug::loss_of_one_direction_between_two_servers_is_bypassed_by_a_third",
        ],
        "two servers don't reach each other, or one way only: all have everything in 5 s",
    ),
    server(
        "engine",
        &[
            "cluster::engine::calls_go_on_while_redis_restarts_with_its_log",
            "cluster::engine::calls_go_on_while_redis_restarts_with_empty_memory",
            "cluster::engine::calls_go_on_when_redis_is_emptied",
            "cluster::engine::calls_go_on_while_redis_hangs",
        ],
        "Redis is restarted, with and without memory, emptied, or hangs: no gap, p99 of answers 0.5 s",
    ),
    server(
        "away",
        &["cluster::engine::calls_chat_and_joins_of_all_rooms_go_on_while_redis_is_away"],
        "Redis is away for 60 s: known and new rooms are entered in 3 s, normal 3 s afterwards",
    ),
    server(
        "failover",
        &[
            "cluster::sentinels::calls_go_on_when_sentinels_fail_over_to_a_replica_that_lacks_the_last_writes",
        ],
        "Sentinels fail over to a replica that lacks the last writes: nothing is lost",
    ),
    server(
        "polling",
        &[
            "cluster::polling::polls_of_engine_io_4_may_reach_any_server",
            "cluster::polling::polls_of_engine_io_3_may_reach_any_server",
            "cluster::polling::polls_of_others_clients_may_reach_any_server",
            "cluster::polling::client_that_polls_is_back_soon_after_its_server_was_killed",
        ],
        "polls go to another server each: none of 10,000 messages lost or twice; back in 3 s",
    ),
    server(
        "span",
        &["cluster::span::each_encoding_that_is_wanted_crosses_to_a_server_once_and_no_other"],
        "of what crosses between servers each encoding that is wanted is there once, and no other",
    ),
    server(
        "lossy",
        &["cluster::span::loss_between_servers_is_repaired_before_viewers_see_it"],
        "1 and 5 % of loss between servers leave 0.01 and 0.1 % to viewers, and no freeze",
    ),
    server(
        "race",
        &["cluster::race::room_that_many_join_at_once_by_all_servers_has_one_owner"],
        "1,000 times 30 join a room at once by three servers: one owner each",
    ),
    server(
        "sealed",
        &["cluster::sealed::redis_sees_no_name_text_password_or_address"],
        "Redis' dump and MONITOR have no name, text, password or address",
    ),
    server(
        "rogue",
        &[
            "cluster::sealed::stranger_without_the_key_gets_no_connection_of_nodes",
            "cluster::sealed::forged_leases_and_replayed_entries_are_no_nodes_and_no_rooms",
            "cluster::server_with_another_key_is_not_ready_and_says_why",
        ],
        "whoever lacks the key gets no connection, no event and no room",
    ),
    server(
        "stale",
        &["cluster::stale::rooms_of_servers_that_all_died_are_resumed_or_end_by_themselves"],
        "all servers are killed: rooms are resumed soon after, and no key is left after 130 s",
    ),
    server(
        "alone",
        &["cluster::alone::server_alone_opens_no_connection_to_anywhere"],
        "without a cluster there is no connection to anywhere",
    ),
    server(
        "skew",
        &["cluster::skew::clocks_that_are_wrong_by_an_hour_claim_and_refuse_nothing"],
        "clocks are wrong by an hour: no claim, no refusal",
    ),
    Check {
        name: "explore",
        tests: &["explorer::"],
        package: Package::Worlds,
        holds: "the rules hold in every order of nine steps of three nodes and a room",
    },
    Check {
        name: "worlds",
        tests: &["simulation::"],
        package: Package::Worlds,
        holds: "the rules hold in 3,000 worlds with random faults",
    },
    Check {
        name: "sim",
        tests: &["large::"],
        package: Package::Worlds,
        holds: "1,000 nodes with a million people, 100 die: all back in 5 s of the virtual clock",
    },
];

/// Runs a check, or all.
pub(crate) fn cluster(arguments: &[String]) -> anyhow::Result<()> {
    let arguments: Vec<&str> = arguments.iter().map(String::as_str).collect();
    let (name, runs) = match arguments.as_slice() {
        [] | ["list" | "--help"] => {
            eprintln!("cargo xtask cluster CHECK [--runs N]\n");
            for check in CHECKS {
                eprintln!("  {:<9} {}", check.name, check.holds);
            }
            eprintln!("  {:<9} each of them", "all");
            return Ok(());
        }
        [name] => (*name, None),
        [name, "--runs", runs] => {
            let runs: u32 =
                runs.parse().with_context(|| format!("`{runs}` is no number of runs"))?;
            (*name, Some(runs.max(1)))
        }
        _ => bail!("cargo xtask cluster CHECK [--runs N]; `list` lists the checks"),
    };
    let chosen: Vec<&Check> =
        CHECKS.iter().filter(|check| name == "all" || check.name == name).collect();
    if chosen.is_empty() {
        bail!("there is no check `{name}`; `cargo xtask cluster list` lists them");
    }
    run(
        ".",
        &cargo(),
        &[&TEST[..], &["--test", "server", "--test", "worlds", "--no-run"]].concat(),
    )?;
    let mut failed = Vec::new();
    for check in chosen {
        eprintln!("\n\x1b[1m== {}\x1b[0m: {}", check.name, check.holds);
        if check.name == "polling" {
            npm::install("e2e")?;
        }
        let begun = Instant::now();
        match check.run(runs) {
            Ok(()) => eprintln!("{} holds ({:.0} s)", check.name, begun.elapsed().as_secs_f64()),
            Err(error) => {
                eprintln!("{} FAILED: {error:#}", check.name);
                failed.push(check.name);
            }
        }
    }
    if !failed.is_empty() {
        bail!("failed: {}", failed.join(", "));
    }
    Ok(())
}

impl Check {
    fn run(&self, runs: Option<u32>) -> anyhow::Result<()> {
        let usual = match self.name {
            "kill" | "dark" | "freeze" => 10,
            "drain" => 5,
            // Of 20 rooms each.
            "race" => 50,
            _ => 1,
        };
        let runs = runs.unwrap_or(usual);
        let runs = runs.to_string();
        let environment = [
            ("CI", "true"),
            ("MOIM_CLUSTER_RUNS", &*runs),
            ("MOIM_CLUSTER_WHOLE", "1"),
            ("MOIM_EXPLORE_STEPS", "9"),
            ("MOIM_SIMULATE_SEEDS", "3000"),
        ];
        let target = match self.package {
            Package::Server => "server",
            Package::Worlds => "worlds",
        };
        let mut args = [&TEST[..], &["--quiet", "--test", target, "--"]].concat();
        args.extend(["--nocapture", "--test-threads", "1"]);
        if self.package == Package::Server {
            args.push("--exact");
        }
        args.extend(self.tests);
        run_with(".", &cargo(), &args, &environment)
    }
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::*;
    use crate::shell::root;

    /// A name that no test has would make a check that can't fail.
    #[test]
    fn tests_of_all_checks_exist() {
        for check in CHECKS {
            let folder = root().join(match check.package {
                Package::Server => "crates/moim/tests/server",
                Package::Worlds => "crates/cluster/tests/worlds",
            });
            for test in check.tests {
                let (path, name) = test.rsplit_once("::").unwrap();
                let path = path.replace("::", "/");
                let file = [format!("{path}.rs"), format!("{path}/mod.rs")]
                    .into_iter()
                    .find_map(|file| fs::read_to_string(folder.join(file)).ok());
                let file = file.unwrap_or_else(|| panic!("{}: {test} has no file", check.name));
                assert!(file.contains("#[test]") || file.contains("#[tokio::test"), "{test}");
                assert!(file.contains(&format!("fn {name}")), "{}: no test {test}", check.name);
            }
        }
    }
}
