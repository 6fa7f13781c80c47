//! Sections of `--help`: the options of a command in groups that fit on a screen.

use clap::{Arg, Command, CommandFactory};

use super::commands::CommandLine;

/// Headings, and the beginnings of the names of their options. The first that fits counts.
const SECTIONS: &[(&str, &[&str])] = &[
    ("Limits of the relay", &["max-allocations", "max-bandwidth"]),
    ("Limits of clients", &["max-", "room-capacity", "ping-", "handshake-timeout", "idle-timeout"]),
    ("Addresses", &["listen", "also", "announce", "ask-", "host", "stun-alternate"]),
    ("Certificates", &["cert", "key", "domain", "acme"]),
    ("Rights", &["create", "when-hosts-leave", "list", "api-", "jwks"]),
    ("Sign-in", &["oidc"]),
    ("Webhooks", &["webhook"]),
    ("Relay", &["turn-"]),
    ("Sites and proxies", &["trusted-proxy", "origin", "embed", "static"]),
    ("Rooms", &["rooms", "topology"]),
    ("Cluster", &["cluster"]),
    (
        "Operation",
        &[
            "data",
            "config",
            "log",
            "metrics-",
            "shards",
            "drain-",
            "store",
            "history",
            "probe-others",
        ],
    ),
];

const ENVIRONMENT: &str = "Each option is also an environment variable, such as MOIM_LISTEN for \
    --listen, and a key of moim.toml (moim config example).";

/// The definition of the command line.
pub(crate) fn command_line() -> Command {
    CommandLine::command().mut_subcommands(|command| match command.get_name() {
        "serve" | "doctor" => in_sections(command).after_help(ENVIRONMENT),
        "config" => command.mut_subcommands(in_sections),
        _ => command,
    })
}

fn in_sections(command: Command) -> Command {
    command.mut_args(|arg| match heading(&arg) {
        // The variables' names are all made alike.
        Some(heading) => arg.help_heading(heading).hide_env(true),
        None => arg,
    })
}

fn heading(arg: &Arg) -> Option<&'static str> {
    let name = arg.get_long()?;
    let fits = |(_, beginnings): &&(_, &[&str])| beginnings.iter().any(|b| name.starts_with(b));
    SECTIONS.iter().find(fits).map(|(heading, _)| *heading)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Lines of a screen.
    const SCREEN: usize = 40;

    /// Each command below `command`, with its name in full.
    fn all(command: &Command, name: &str) -> Vec<(String, Command)> {
        let name = format!("{name} {}", command.get_name());
        let below = command.get_subcommands().flat_map(|command| all(command, &name));
        let below: Vec<_> = below.collect();
        std::iter::once((name, command.clone())).chain(below).collect()
    }

    #[test]
    fn each_section_of_help_fits_on_a_screen() {
        for (name, mut command) in all(&command_line(), "") {
            let help = command.render_long_help().to_string();
            for section in help.split("\n\n") {
                let lines: usize = section.lines().map(|line| line.len() / 100 + 1).sum();
                assert!(
                    lines <= SCREEN,
                    "a section of `{name} --help` has {lines} lines: add headings to SECTIONS\n\n\
                     {section}"
                );
            }
        }
    }

    #[test]
    fn each_option_of_the_server_is_in_a_section() {
        for (name, command) in all(&command_line(), "") {
            let is_of_server = command.get_arguments().any(|arg| arg.get_id() == "max_rooms");
            for arg in command.get_arguments().filter(|_| is_of_server) {
                let is_option = arg.get_long().is_some_and(|name| name != "help");
                assert!(
                    !is_option || arg.get_help_heading().is_some(),
                    "add --{} of `{name}` to SECTIONS",
                    arg.get_long().unwrap_or_default(),
                );
            }
        }
    }

    #[test]
    fn variables_are_named_after_options() {
        for (name, command) in all(&command_line(), "") {
            for arg in command.get_arguments() {
                let (Some(long), Some(env)) = (arg.get_long(), arg.get_env()) else { continue };
                let expected = format!("MOIM_{}", long.replace('-', "_").to_uppercase());
                assert_eq!(env.to_str(), Some(expected.as_str()), "--{long} of `{name}`");
            }
        }
    }

    #[test]
    fn command_line_is_well_formed() {
        command_line().debug_assert();
    }
}
