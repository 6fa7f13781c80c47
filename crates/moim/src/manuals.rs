//! `moim man` and `moim completions`, made from the same definition that parses the command line, and
//! the first steps, which `moim` alone prints.

use std::{
    fs,
    io::{self, Write},
};

use anyhow::Context;

use crate::config::{CompletionsOptions, ManOptions, command_line};

/// Writes a manual page for each command.
///
/// # Errors
/// A sentence for the operator.
pub(crate) fn man(options: &ManOptions) -> anyhow::Result<()> {
    let folder = &options.folder;
    fs::create_dir_all(folder)
        .and_then(|()| clap_mangen::generate_to(command_line(), folder))
        .with_context(|| format!("Can't write manual pages to {}: allow it", folder.display()))
}

/// Prints the completions of a shell.
pub(crate) fn completions(options: &CompletionsOptions) {
    clap_complete::generate(options.shell, &mut command_line(), "moim", &mut io::stdout());
}

/// Prints the way to a first call.
///
/// # Errors
/// Standard output is closed.
pub(crate) fn next_steps() -> anyhow::Result<String> {
    io::stdout().write_all(include_bytes!("next_steps.txt"))?;
    Ok(String::new())
}
