//! Python with the packages of e2e/headless/requirements.txt.

use std::{env, path::PathBuf, process::Command};

/// The Python that has a package; `None` where the test is to be skipped.
pub(crate) fn python_with(package: &str) -> Option<PathBuf> {
    let python = env::var_os("MOIM_PYTHON").map(PathBuf::from).filter(|python| {
        let import = format!("import {package}");
        let tried = Command::new(python).args(["-c", &import]).output();
        tried.is_ok_and(|output| output.status.success())
    });
    if python.is_none() {
        assert!(env::var_os("CI").is_none(), "CI needs {package} in MOIM_PYTHON");
        eprintln!("skipped: needs Python with {package} in MOIM_PYTHON (cargo xtask test)");
    }
    python
}
