//! A checked configuration. Checking has no side effect; only opening touches the data folder.

use std::{
    env,
    path::{Path, PathBuf},
};

use clap::ArgMatches;

use super::{
    Config, Options, Problems, Secret, StoreOptions,
    file::ConfigFile,
    secret_files,
    sources::{Source, Sources},
    table,
};
use crate::data::{self, DataFolder};

/// The configuration file in the data folder.
const FILE: &str = "moim.toml";

/// Options of the command line and the environment, with the source of each.
#[derive(Debug, Clone)]
pub(crate) struct Given {
    options: Options,
    sources: Sources,
}

/// A valid configuration, whose data folder is not open yet.
#[derive(Debug)]
pub(crate) struct CheckedConfig {
    /// Its data folder may not exist; its secrets may be missing.
    config: Config,
    sources: Sources,
    /// The configuration file, if there is one.
    file: Option<PathBuf>,
    warnings: Vec<String>,
}

impl Given {
    /// The `options` that clap parsed from `matches`.
    pub(crate) fn new(options: Options, matches: &ArgMatches) -> Self {
        Self { options, sources: Sources::of(matches) }
    }

    /// What a command beside the server is given of the server's options.
    pub(crate) fn of_command(data: PathBuf, stored: StoreOptions) -> Self {
        let options = Options { data: Some(data), stored, ..Options::default() };
        Self { options, sources: Sources::default() }
    }

    /// The data folder that is given.
    #[cfg(unix)]
    pub(crate) fn data(&self) -> Option<PathBuf> {
        self.options.data.clone()
    }

    /// The same with a data folder, if none is given.
    #[cfg(unix)]
    pub(crate) fn or_in(mut self, folder: Option<&Path>) -> Self {
        self.options.data = self.options.data.or_else(|| folder.map(Path::to_owned));
        self
    }

    /// The same with another configuration file.
    pub(crate) fn with_file(mut self, path: Option<PathBuf>) -> Self {
        self.options.config = path.or(self.options.config);
        self
    }
}

impl CheckedConfig {
    /// Merges options, file and defaults, and checks them. Nothing is created or changed.
    ///
    /// # Errors
    /// All mistakes, with the line of those in the file.
    pub(crate) fn new(given: Given) -> Result<Self, Problems> {
        let Given { mut options, mut sources } = given;
        let explicit = options.config.take();
        let mut read = None;
        if let Some(path) = &explicit {
            let file = ConfigFile::read(path)?;
            sources.add_file(&file);
            options = options.or(file.options);
            read = Some(file.path);
        }
        let folder = match options.data.take() {
            Some(path) => path,
            None => {
                let (path, reason) = data::choose_folder()?;
                sources.set("data", Source::Detected(reason), path.display().to_string());
                path
            }
        };
        if explicit.is_none()
            && let Some(file) = file_in(&folder)?
        {
            sources.add_file(&file);
            options = options.or(file.options);
            read = Some(file.path);
        }
        let mut problems = Problems::default();
        let credentials = env::var_os("CREDENTIALS_DIRECTORY").map(PathBuf::from);
        let warnings =
            secret_files::read(&mut options, &mut sources, credentials.as_deref(), &mut problems);
        match Config::resolve(options, DataFolder::unopened(folder), problems) {
            Ok(config) => Ok(Self { config, sources, file: read, warnings }),
            Err(problems) => Err(sources.locate(problems)),
        }
    }

    /// The configuration, to look at.
    pub(crate) fn config(&self) -> &Config {
        &self.config
    }

    /// The configuration file, if there is one.
    pub(crate) fn file(&self) -> Option<&Path> {
        self.file.as_deref()
    }

    /// The source of each option.
    pub(crate) fn sources(&self) -> &Sources {
        &self.sources
    }

    /// Warnings for the operator.
    pub(crate) fn warnings(&self) -> &[String] {
        &self.warnings
    }

    /// Adds lines to problems that were found by others.
    pub(crate) fn locate(&self, problems: Problems) -> Problems {
        self.sources.locate(problems)
    }

    /// The value and source of each option, as text.
    pub(crate) fn table(&self) -> String {
        table::text(&self.sources)
    }

    /// Opens the data folder, and creates secrets that are missing.
    ///
    /// # Errors
    /// A message for the operator, with the remedy.
    pub(crate) fn open(self) -> anyhow::Result<Config> {
        let mut config = self.config;
        config.data = DataFolder::open(config.data.path())?;
        if config.turn.secrets.is_empty() {
            config.turn.secrets.push(Secret::load_or_create(&config.data)?);
        }
        Ok(config)
    }
}

/// The configuration file in the data folder, if it exists.
fn file_in(folder: &Path) -> Result<Option<ConfigFile>, Problems> {
    let path = folder.join(FILE);
    if !path.exists() {
        return Ok(None);
    }
    let file = ConfigFile::read(&path)?;
    if file.options.data.is_some() {
        let mut problems = Problems::default();
        problems.add(format!(
            "{} is inside the data folder, so it can't set `data`: remove that line, or name the \
             file with --config",
            path.display()
        ));
        problems.into_result()?;
    }
    Ok(Some(file))
}
