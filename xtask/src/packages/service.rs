//! The unit under a real systemd: what it is told, what it keeps, and when it starts the server
//! anew.

use std::{fs, path::Path};

use anyhow::ensure;

use super::booted::Booted;

/// The page, read by the shell. Fails if the connection is refused.
const PAGE: &str = "exec 3<>/dev/tcp/127.0.0.1/4000
    printf 'GET / HTTP/1.0\\r\\nHost: localhost\\r\\n\\r\\n' >&3
    grep --quiet '<div id=\"root\">' <&3";
/// Connects again and again, and notes each time that nobody listens.
const DIAL: &str = "touch /root/dialled
    while true; do (exec 3<>/dev/tcp/127.0.0.1/4000) || echo refused >>/root/dialled; done";
/// A call of two.
const CALL: &str =
    "moim load --url http://127.0.0.1:4000 --publishers 2 --media audio --duration 60s";
/// What the log of the unit says.
const LOG: &str = "journalctl --unit moim --output cat --no-pager";

/// A socket of the unit's port.
const SOCKET: &str = "[Socket]\nListenStream=0.0.0.0:4000\n";
/// A watchdog that can be waited for.
const WATCHDOG: &str = "[Service]\nWatchdogSec=1\n";

/// Installs `/moim.deb` in the booted system in this folder, and has systemd do with it what it
/// does in a service's life.
pub(super) fn check(root: &Path) -> anyhow::Result<()> {
    let system = Booted::boot(root)?;
    system.run("dpkg --install /moim.deb")?;
    // Of Type=notify: it serves once it counts as started.
    system.run("systemctl is-active moim")?;
    system.run(PAGE)?;
    system.run("moim ctl ready")?;
    let status = property(&system, "StatusText")?;
    ensure!(status.starts_with("Serving; rooms: 0"), "systemctl status says {status:?}");
    let kept = property(&system, "NFileDescriptorStore")?;
    ensure!(kept.parse::<usize>()? >= 2, "systemd keeps {kept} sockets");

    reload(&system, root)?;
    restart(&system, root)?;
    watchdog(&system, root)?;
    wrong_configuration(&system, root)?;
    activation(&system, root)?;

    system.run("dpkg --purge moim")?;
    // systemd itself leaves the link /run/moim, which leads nowhere.
    let left = system.run("find /etc /usr /var /run/private -name '*moim*'")?;
    ensure!(left.is_empty(), "a purge of the running service leaves {left}");
    Ok(())
}

fn property(system: &Booted, name: &str) -> anyhow::Result<String> {
    system.run(&format!("systemctl show --property {name} --value moim"))
}

fn configuration(root: &Path) -> std::path::PathBuf {
    root.join("etc/moim/moim.toml")
}

/// A mistake is said in the log, and nothing changes; a correct file applies.
fn reload(system: &Booted, root: &Path) -> anyhow::Result<()> {
    let process = property(system, "MainPID")?;
    let good = fs::read_to_string(configuration(root))?;
    fs::write(configuration(root), format!("{good}lisen = 'x'\n"))?;
    system.run("systemctl reload moim")?;
    system.wait(LOG, |log| log.contains("did you mean listen?"))?;
    // Above the first table.
    let changed = format!("log = 'moim=info'\n{good}");
    fs::write(configuration(root), changed)?;
    system.run("systemctl reload moim")?;
    system.wait(LOG, |log| log.contains("reloaded"))?;
    system.run(PAGE)?;
    ensure!(property(system, "MainPID")? == process, "a reload starts another process");
    Ok(())
}

/// A call goes on over `systemctl restart` and over an upgrade of the package, and nobody is
/// refused meanwhile.
fn restart(system: &Booted, root: &Path) -> anyhow::Result<()> {
    let in_call = "moim ctl status";
    let is_in_call = |status: &str| status.contains("\"participants\": 2");
    system.start("call", CALL)?;
    system.wait(in_call, is_in_call)?;
    system.start("dial", DIAL)?;
    system.wait("ls /root", |files| files.contains("dialled"))?;
    let before = property(system, "MainPID")?;
    system.run("systemctl restart moim")?;
    ensure!(is_in_call(&system.run(in_call)?), "the call is gone after a restart");
    let process = property(system, "MainPID")?;
    ensure!(process != before, "a restart changes the process");
    system.run("dpkg --install /moim.deb")?;
    ensure!(is_in_call(&system.run(in_call)?), "the call is gone after an upgrade");
    ensure!(property(system, "MainPID")? == process, "an upgrade keeps the process");
    system.run("systemctl stop dial call")?;
    let refused = fs::read_to_string(root.join("root/dialled"))?;
    ensure!(refused.is_empty(), "{} connections were refused", refused.lines().count());
    let log = system.run(LOG)?;
    let resumed = log.matches("restarted; participants resume").count();
    ensure!(resumed == 2, "the server resumed {resumed} times: {log}");
    system.run("rm /root/dialled")?;
    Ok(())
}

/// A server that hangs is ended and started again.
fn watchdog(system: &Booted, root: &Path) -> anyhow::Result<()> {
    let folder = root.join("etc/systemd/system/moim.service.d");
    fs::create_dir_all(&folder)?;
    fs::write(folder.join("watchdog.conf"), WATCHDOG)?;
    system.run("systemctl daemon-reload && systemctl restart moim")?;
    let before = property(system, "MainPID")?;
    system.run(&format!("kill -STOP {before}"))?;
    system.wait("systemctl show --property NRestarts --value moim", |restarts| restarts == "1")?;
    system.wait("systemctl is-active moim", |state| state == "active")?;
    system.run(PAGE)?;
    ensure!(property(system, "MainPID")? != before, "the watchdog starts another process");
    fs::remove_dir_all(folder)?;
    Ok(())
}

/// A server that can't start for its configuration is not started again and again.
fn wrong_configuration(system: &Booted, root: &Path) -> anyhow::Result<()> {
    let good = fs::read_to_string(configuration(root))?;
    fs::write(configuration(root), format!("{good}lisen = 'x'\n"))?;
    system.run("systemctl daemon-reload; ! systemctl restart moim")?;
    let (state, restarts) = (property(system, "SubState")?, property(system, "NRestarts")?);
    ensure!((&*state, &*restarts) == ("failed", "0"), "{state} after {restarts} restarts");
    fs::write(configuration(root), good)?;
    system.run("systemctl reset-failed moim")?;
    Ok(())
}

/// The first connection starts the server, which takes the socket.
fn activation(system: &Booted, root: &Path) -> anyhow::Result<()> {
    fs::write(root.join("etc/systemd/system/moim.socket"), SOCKET)?;
    system.run("systemctl daemon-reload && systemctl start moim.socket")?;
    ensure!(property(system, "ActiveState")? == "inactive", "the server waits for a connection");
    system.run(PAGE)?;
    system.run("systemctl is-active moim")?;
    system.run("systemctl stop moim.socket moim")?;
    let result = property(system, "Result")?;
    ensure!(result == "success", "a stop ends with {result}");
    let kept = property(system, "NFileDescriptorStore")?;
    ensure!(kept == "0", "after a stop systemd keeps {kept} sockets");
    fs::remove_file(root.join("etc/systemd/system/moim.socket"))?;
    Ok(())
}
