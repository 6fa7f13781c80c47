//! S9: the container engine that runs this program, by the marks that engines leave.

use std::{env, fs, path::Path};

/// The engine's name.
pub(super) fn engine() -> Option<&'static str> {
    if Path::new("/.dockerenv").exists() {
        return Some("Docker");
    }
    if Path::new("/run/.containerenv").exists() {
        return Some("Podman");
    }
    if env::var_os("KUBERNETES_SERVICE_HOST").is_some() {
        return Some("Kubernetes");
    }
    let groups = fs::read_to_string("/proc/1/cgroup").unwrap_or_default();
    of_groups(&groups)
}

fn of_groups(groups: &str) -> Option<&'static str> {
    let marks = [("kubepods", "Kubernetes"), ("/docker", "Docker"), ("libpod", "Podman")];
    let (_, name) = marks.iter().find(|(mark, _)| groups.contains(mark))?;
    Some(name)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn engine_is_known_by_its_control_group() {
        assert_eq!(of_groups("0::/init.scope\n"), None);
        assert_eq!(of_groups("12:cpu:/docker/3fa8\n"), Some("Docker"));
        assert_eq!(of_groups("0::/kubepods.slice/kubepods-pod1.slice\n"), Some("Kubernetes"));
        assert_eq!(of_groups("0::/machine.slice/libpod-9c.scope\n"), Some("Podman"));
    }
}
