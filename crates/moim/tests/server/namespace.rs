//! Network namespaces: a test's thread, and the servers that it starts, have a network of their own.

use std::{env, fs, path::PathBuf, process::Command, thread};

use nix::{
    sched::{CloneFlags, unshare},
    unistd::Uid,
};

/// A function of the shell, `await_ready LOG PID`: waits until a server's log says that it is ready.
/// Prints the log and ends the script if the server ends first, or isn't ready within a minute.
pub(crate) const AWAIT_READY: &str = r#"
    await_ready() {
        local end=$((SECONDS + 60))
        until grep -q "is ready" "$1"; do
            if ! kill -0 "$2" 2>/dev/null || [ $SECONDS -ge $end ]; then
                echo "server $2 is not ready:" >&2
                cat "$1" >&2
                exit 3
            fi
            sleep 0.02
        done
    }
"#;

/// Runs a test in a new namespace in which only loopback works.
pub(crate) fn in_namespace(test: impl FnOnce() + Send + 'static) {
    if !Uid::effective().is_root() {
        assert!(env::var_os("CI").is_none(), "network namespaces need root");
        eprintln!("skipped: network namespaces need root");
        return;
    }
    let thread = thread::spawn(|| {
        unshare(CloneFlags::CLONE_NEWNET).unwrap();
        ip("link set lo up");
        test();
    });
    if let Err(panic) = thread.join() {
        std::panic::resume_unwind(panic);
    }
}

/// Runs `ip` (iproute2).
pub(crate) fn ip(arguments: &str) {
    let output = Command::new("ip").args(arguments.split(' ')).output().expect("needs iproute2");
    assert!(output.status.success(), "ip {arguments}: {output:?}");
}

/// Adds an interface with an address, such as `10.0.0.1/24`.
pub(crate) fn add_interface(name: &str, address: &str) {
    ip(&format!("link add {name} type veth peer name {name}-far"));
    ip(&format!("link set {name} up"));
    ip(&format!("link set {name}-far up"));
    ip(&format!("address add {address} dev {name}"));
}

/// Names of a namespace, in place of /etc/hosts.
pub(crate) struct Hosts {
    _folder: tempfile::TempDir,
    file: PathBuf,
}

impl Hosts {
    /// Replaces /etc/hosts and all name servers for the test's thread and what it starts.
    pub(crate) fn begin() -> Self {
        unshare(CloneFlags::CLONE_NEWNS).unwrap();
        let folder = tempfile::tempdir().unwrap();
        let (file, servers) = (folder.path().join("hosts"), folder.path().join("resolv.conf"));
        fs::write(&file, "").unwrap();
        fs::write(&servers, "nameserver 127.0.0.1\noptions timeout:1 attempts:1\n").unwrap();
        mount(&["--make-rprivate", "/"]);
        mount(&["--bind", file.to_str().unwrap(), "/etc/hosts"]);
        mount(&["--bind", servers.to_str().unwrap(), "/etc/resolv.conf"]);
        Self { _folder: folder, file }
    }

    /// Lets a name lead to these addresses, and no others lead anywhere.
    pub(crate) fn lead(&self, name: &str, addresses: &[&str]) {
        let lines: Vec<_> = addresses.iter().map(|ip| format!("{ip} {name}\n")).collect();
        fs::write(&self.file, lines.concat()).unwrap();
    }
}

fn mount(arguments: &[&str]) {
    let output = Command::new("mount").args(arguments).output().expect("needs mount");
    assert!(output.status.success(), "mount {arguments:?}: {output:?}");
}
