//! Secrets from files and from systemd credentials.

use std::{
    fs::File,
    io::Read,
    path::{Path, PathBuf},
};

use anyhow::{Context, bail, ensure};

use super::{
    Options, Problems,
    sources::{Source, Sources},
};

/// Size limit of a file of secrets.
const MAX_BYTES: u64 = 64 * 1024;

/// Reads the files of secrets that `options` name, and those in the folder of systemd's
/// `credentials`, into `options`. Returns warnings about their modes.
pub(super) fn read(
    options: &mut Options,
    sources: &mut Sources,
    credentials: Option<&Path>,
    problems: &mut Problems,
) -> Vec<String> {
    let mut reader = Reader { sources, credentials, problems, warnings: Vec::new() };
    let secrets = reader.lines(
        "turn-secret",
        options.turn_secret.is_some(),
        options.turn_secret_file.as_deref(),
    );
    options.turn_secret = secrets.or(options.turn_secret.take());
    let users =
        reader.lines("turn-user", options.turn_user.is_some(), options.turn_user_file.as_deref());
    options.turn_user = users.or(options.turn_user.take());
    let access = &mut options.access;
    let keys = reader.lines("api-key", access.api_key.is_some(), access.api_key_file.as_deref());
    access.api_key = keys.or(access.api_key.take());
    let token = reader.line(
        "metrics-token",
        options.metrics_token.is_some(),
        options.metrics_token_file.as_deref(),
    );
    options.metrics_token = token.or(options.metrics_token.take());
    let oidc = &mut options.oidc;
    let secret = reader.line(
        "oidc-client-secret",
        oidc.oidc_client_secret.is_some(),
        oidc.oidc_client_secret_file.as_deref(),
    );
    oidc.oidc_client_secret = secret.or(oidc.oidc_client_secret.take());
    let webhooks = &mut options.webhooks;
    let secret = reader.line(
        "webhook-secret",
        webhooks.webhook_secret.is_some(),
        webhooks.webhook_secret_file.as_deref(),
    );
    webhooks.webhook_secret = secret.or(webhooks.webhook_secret.take());
    let stored = &mut options.stored;
    let password = reader.line(
        "store-password",
        stored.store_password.is_some(),
        stored.store_password_file.as_deref(),
    );
    stored.store_password = password.or(stored.store_password.take());
    let clustered = &mut options.clustered;
    let password = reader.line(
        "cluster-password",
        clustered.cluster_password.is_some(),
        clustered.cluster_password_file.as_deref(),
    );
    clustered.cluster_password = password.or(clustered.cluster_password.take());
    clustered.cluster_key_text = reader.file("cluster-key", &mut clustered.cluster_key);
    reader.warnings
}

struct Reader<'a> {
    sources: &'a mut Sources,
    credentials: Option<&'a Path>,
    problems: &'a mut Problems,
    warnings: Vec<String>,
}

impl Reader<'_> {
    /// The lines of the file that holds the secret `key`, unless it `is_given` as a value.
    fn lines(&mut self, key: &str, is_given: bool, file: Option<&Path>) -> Option<Vec<String>> {
        let credential =
            self.credentials.map(|folder| folder.join(key)).filter(|path| path.exists());
        let file_key = format!("{key}-file");
        let mut found = Vec::new();
        if is_given {
            found.push(self.describe(key));
        }
        if file.is_some() {
            found.push(self.describe(&file_key));
        }
        if let Some(path) = &credential {
            found.push(format!("the credential {}", path.display()));
        }
        if let [first, second, ..] = &found[..] {
            self.problems.add(format!("{first} and {second} both set the same: remove one"));
            return None;
        }
        let (path, source) = match (file, credential) {
            (Some(path), _) => (path.to_owned(), Source::File(path.to_owned())),
            (None, Some(path)) => (path.clone(), Source::Credential(path)),
            (None, None) => return None,
        };
        let lines = self.problems.take(read_lines(&path, &file_key))?;
        self.warn_of_readers(&path);
        self.sources.set(key, source, lines.join("\n"));
        Some(lines)
    }

    /// The one line of the file that holds the secret `key`, unless it `is_given` as a value.
    fn line(&mut self, key: &str, is_given: bool, file: Option<&Path>) -> Option<String> {
        let mut lines = self.lines(key, is_given, file)?;
        self.problems.ensure(lines.len() <= 1, || {
            format!("--{key}-file must hold one line: remove the others")
        });
        lines.truncate(1);
        lines.pop()
    }

    /// The one line of the file that the option `key` names. A credential of that name is another way
    /// to give it.
    fn file(&mut self, key: &str, file: &mut Option<PathBuf>) -> Option<String> {
        let credential = self.credentials.map(|folder| folder.join(key));
        let credential = credential.filter(|path| path.exists());
        if let (Some(_), Some(path)) = (&file, &credential) {
            let (given, path) = (self.describe(key), path.display());
            let message =
                format!("{given} and the credential {path} both set the same: remove one");
            self.problems.add(message);
            return None;
        }
        if let Some(path) = credential {
            self.sources.set(key, Source::Credential(path.clone()), path.display().to_string());
            *file = Some(path);
        }
        let path = file.as_ref()?;
        let mut lines = self.problems.take(read_lines(path, key))?;
        self.warn_of_readers(path);
        self.problems.ensure(lines.len() <= 1, || {
            format!("--{key} must name a file with one line: remove the others")
        });
        lines.truncate(1);
        lines.pop()
    }

    fn warn_of_readers(&mut self, path: &Path) {
        if is_readable_by_others(path) {
            self.warnings.push(format!(
                "{} can be read by every user of this computer: run `chmod o-r` on it",
                path.display()
            ));
        }
    }

    fn describe(&self, key: &str) -> String {
        match self.sources.get(key).map(|setting| &setting.source) {
            None | Some(Source::Flag) => format!("--{key}"),
            Some(source) => format!("--{key} ({source})"),
        }
    }
}

/// The lines of a file, the newline at its end apart. Errors never quote them.
fn read_lines(path: &Path, key: &str) -> anyhow::Result<Vec<String>> {
    let mut text = String::new();
    let read = File::open(path).and_then(|file| file.take(MAX_BYTES + 1).read_to_string(&mut text));
    let bytes = read.with_context(|| {
        format!("Can't read {}: check --{key} and the file's owner", path.display())
    })?;
    if bytes as u64 > MAX_BYTES {
        bail!("{} is larger than {MAX_BYTES} bytes: check --{key}", path.display());
    }
    let text = text.strip_suffix('\n').unwrap_or(&text);
    let text = text.strip_suffix('\r').unwrap_or(text);
    ensure!(!text.is_empty(), "{} is empty: write the secret into it (--{key})", path.display());
    Ok(text.lines().map(str::to_owned).collect())
}

#[cfg(unix)]
fn is_readable_by_others(path: &Path) -> bool {
    use std::os::unix::fs::PermissionsExt;
    path.metadata().is_ok_and(|metadata| metadata.permissions().mode() & 0o004 != 0)
}

#[cfg(not(unix))]
fn is_readable_by_others(_: &Path) -> bool {
    false
}

#[cfg(test)]
#[cfg(unix)]
mod tests {
    use std::{fs, os::unix::fs::PermissionsExt};

    use super::*;

    struct World {
        folder: tempfile::TempDir,
        options: Options,
        sources: Sources,
    }

    impl World {
        fn new() -> Self {
            let folder = tempfile::tempdir().unwrap();
            Self { folder, options: Options::default(), sources: Sources::default() }
        }

        fn write(&self, name: &str, text: &str) -> PathBuf {
            let path = self.folder.path().join(name);
            fs::write(&path, text).unwrap();
            fs::set_permissions(&path, fs::Permissions::from_mode(0o600)).unwrap();
            path
        }

        /// Reads with the folder's files as credentials; returns problems and warnings.
        fn read(&mut self) -> (Vec<String>, Vec<String>) {
            let mut problems = Problems::default();
            let credentials = self.folder.path().to_owned();
            let (options, sources) = (&mut self.options, &mut self.sources);
            let warnings = read(options, sources, Some(&credentials), &mut problems);
            (problems.iter().map(str::to_owned).collect(), warnings)
        }
    }

    #[test]
    fn files_and_credentials_are_read_without_their_last_newline() {
        let mut world = World::new();
        world.options.turn_secret_file = Some(world.write("s", "one\ntwo \n"));
        world.options.metrics_token_file = Some(world.write("t", "token\r\n"));
        world.write("turn-user", "ann:x\n");
        assert_eq!(world.read(), (vec![], vec![]));
        assert_eq!(world.options.turn_secret.unwrap(), ["one", "two "]);
        assert_eq!(world.options.turn_user.unwrap(), ["ann:x"]);
        assert_eq!(world.options.metrics_token.unwrap(), "token");
        let source = &world.sources.get("turn-user").unwrap().source;
        assert!(matches!(source, Source::Credential(path) if path.ends_with("turn-user")));
    }

    #[test]
    fn key_of_the_cluster_is_in_a_file_or_a_credential() {
        let mut world = World::new();
        world.options.clustered.cluster_key = Some(world.write("k", "key\n"));
        assert_eq!(world.read(), (vec![], vec![]));
        assert_eq!(world.options.clustered.cluster_key_text.as_deref(), Some("key"));
        world.write("cluster-key", "other\n");
        assert!(world.read().0[0].contains("--cluster-key and the credential /"));
        world.options.clustered.cluster_key = None;
        assert_eq!(world.read(), (vec![], vec![]));
        assert_eq!(world.options.clustered.cluster_key_text.as_deref(), Some("other"));
    }

    #[test]
    fn two_sources_of_one_secret_are_an_error_that_names_both() {
        let mut world = World::new();
        world.options.turn_secret = Some(vec!["hunter2".to_owned()]);
        world.options.turn_secret_file = Some(world.write("s", "hunter3"));
        world.options.metrics_token_file = Some(world.write("t", "hunter4"));
        world.write("metrics-token", "hunter5");
        let (problems, _) = world.read();
        assert_eq!(problems.len(), 2, "{problems:?}");
        assert!(problems[0].contains("--turn-secret and --turn-secret-file"), "{problems:?}");
        assert!(problems[1].contains("--metrics-token-file and the credential /"), "{problems:?}");
        assert!(!format!("{problems:?}").contains("hunter"));
    }

    #[test]
    fn empty_missing_and_long_files_are_errors() {
        let mut world = World::new();
        world.options.turn_secret_file = Some(world.write("s", "\n"));
        world.options.turn_user_file = Some("/nowhere/users".into());
        world.options.metrics_token_file = Some(world.write("t", "a\nb\n"));
        let (problems, _) = world.read();
        for (problem, about) in problems.iter().zip(["is empty", "Can't read /nowhere", "one line"])
        {
            assert!(problem.contains(about) && problem.contains("-file"), "{problem}");
        }
        assert_eq!(problems.len(), 3);
        world.options = Options::default();
        world.options.turn_secret_file = Some(world.write("s", &"x".repeat(70_000)));
        assert!(world.read().0[0].contains("larger than 65536"));
    }

    #[test]
    fn file_that_others_can_read_is_a_warning() {
        let mut world = World::new();
        let path = world.write("s", "one");
        fs::set_permissions(&path, fs::Permissions::from_mode(0o644)).unwrap();
        world.options.turn_secret_file = Some(path);
        let (problems, warnings) = world.read();
        assert!(problems.is_empty());
        assert!(warnings[0].contains("chmod o-r"), "{warnings:?}");
    }
}
