//! Reload of the configuration at SIGHUP: the whole is checked first, and one mistake rejects all.

use serde::Serialize;

use crate::{
    config::{CheckedConfig, Given, Problems, Sources},
    hot::{self, HotParts},
    logs::{self, Logs},
};

/// The keys that a reload has found changed.
#[derive(Debug, Default, Serialize)]
pub(crate) struct Reloaded {
    /// Those that apply now.
    pub(crate) applied: Vec<String>,
    /// Those that apply after a restart.
    pub(crate) needs_restart: Vec<String>,
}

/// Reloads the configuration.
pub(crate) struct Reload {
    given: Given,
    /// Values that apply.
    running: Sources,
    logs: Logs,
    parts: HotParts,
}

impl Reload {
    /// Reloads what was `given` at the start, where the values of `running` apply.
    pub(crate) fn new(given: Given, running: Sources, logs: Logs, parts: HotParts) -> Self {
        Self { given, running, logs, parts }
    }

    /// Reads the files again, and applies and logs changes.
    ///
    /// # Errors
    /// All mistakes, which are logged too. Nothing has changed.
    pub(crate) async fn reload(&mut self) -> Result<Reloaded, Problems> {
        let reloaded = self.try_reload().await;
        if let Err(problems) = &reloaded {
            for problem in problems.iter() {
                tracing::error!("nothing is reloaded: {problem}");
            }
        }
        reloaded
    }

    async fn try_reload(&mut self) -> Result<Reloaded, Problems> {
        let checked = CheckedConfig::new(self.given.clone())?;
        let mut problems = Problems::default();
        problems.take(logs::check(&checked.config().log));
        problems.into_result().map_err(|problems| checked.locate(problems))?;
        for warning in checked.warnings() {
            tracing::warn!("{warning}");
        }
        let changed = self.running.changed(checked.sources());
        let (hot, cold): (Vec<_>, Vec<_>) =
            changed.iter().map(String::as_str).partition(|key| hot::applies(key));
        let mut config = checked.config().clone();
        self.parts.complete(&mut config)?;
        self.logs.filter(&config.log)?;
        self.parts.apply(&config).await;
        for key in &hot {
            self.running.copy(key, checked.sources());
        }
        if !cold.is_empty() {
            tracing::warn!("changed, but needs a restart: {}", cold.join(", "));
        }
        match hot.is_empty() {
            true => tracing::info!("reloaded; nothing to apply"),
            false => tracing::info!("reloaded; applied: {}", hot.join(", ")),
        }
        let owned = |keys: Vec<&str>| keys.into_iter().map(str::to_owned).collect();
        Ok(Reloaded { applied: owned(hot), needs_restart: owned(cold) })
    }
}
