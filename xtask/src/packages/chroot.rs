//! Servers in file systems of their own.

use std::{
    fs,
    io::{BufRead, BufReader, Read, Write},
    net::{Ipv4Addr, SocketAddr, TcpStream},
    path::{Path, PathBuf},
    process::{Child, Command, Stdio},
};

use anyhow::{Context, ensure};

use super::packages;
use crate::shell::{output, text};

/// An essential system of this machine's release of Debian, with systemd, unpacked; removed when
/// dropped.
pub(super) struct Debian {
    root: PathBuf,
}

impl Debian {
    /// Unpacks a system, which is downloaded once.
    pub(super) fn unpack() -> anyhow::Result<Self> {
        let release = fs::read_to_string("/etc/os-release")?;
        let suite = release.lines().find_map(|line| line.strip_prefix("VERSION_CODENAME="));
        let suite = suite.context("/etc/os-release names no release of Debian")?;
        let archive = packages().join(format!("{suite}-systemd.tar"));
        if !archive.exists() {
            fs::create_dir_all(packages())?;
            let new = archive.with_extension("new.tar");
            let mut bootstrap = Command::new("mmdebstrap");
            bootstrap.args(["--quiet", "--mode=root", "--variant=essential", "--include=systemd"]);
            bootstrap.arg(suite);
            output(bootstrap.arg(&new).arg("http://deb.debian.org/debian"))?;
            fs::rename(new, &archive)?;
        }
        let root = packages().join("root");
        let _ = fs::remove_dir_all(&root);
        fs::create_dir_all(&root)?;
        let debian = Self { root };
        let mut tar = Command::new("tar");
        output(tar.arg("--extract").arg("--file").arg(archive).arg("-C").arg(debian.path()))?;
        Ok(debian)
    }

    /// The root of the file system.
    pub(super) fn path(&self) -> &Path {
        &self.root
    }

    /// Runs a shell command in it, as root.
    pub(super) fn run(&self, command: &str) -> anyhow::Result<String> {
        let mut chroot = Command::new("chroot");
        chroot.arg(&self.root).args(["env", "-i", "LC_ALL=C", "DEBIAN_FRONTEND=noninteractive"]);
        chroot.arg("PATH=/usr/sbin:/usr/bin:/sbin:/bin");
        text(chroot.args(["sh", "-euc", command]))
    }

    /// A server in it, with the user and the folders of the unit.
    pub(super) fn serve(&self, arguments: &[&str]) -> anyhow::Result<Server> {
        let mut chroot = Command::new("chroot");
        chroot.arg("--userspec=nobody:nogroup").arg(&self.root).args(["env", "-i"]);
        chroot.args(["STATE_DIRECTORY=/var/lib/moim", "/usr/bin/moim", "serve"]).args(arguments);
        Server::start(chroot)
    }
}

impl Drop for Debian {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.root);
    }
}

/// A running server.
pub(super) struct Server {
    child: Child,
    address: SocketAddr,
}

impl Server {
    /// Starts a server on a loopback port that the system chooses.
    pub(super) fn start(mut command: Command) -> anyhow::Result<Self> {
        command.args(["--listen", "127.0.0.1:0", "--log", "warn"]);
        let child = command.stdin(Stdio::null()).stdout(Stdio::piped()).spawn()?;
        let mut server = Self { child, address: SocketAddr::from((Ipv4Addr::LOCALHOST, 0)) };
        let stdout = server.child.stdout.take().context("the server has no output")?;
        for line in BufReader::new(stdout).lines() {
            if let Some((_, port)) = line?.split_once("http://localhost:") {
                server.address.set_port(port.trim().parse()?);
                return Ok(server);
            }
        }
        anyhow::bail!("the server didn't start")
    }

    /// The process.
    pub(super) fn id(&self) -> u32 {
        self.child.id()
    }

    /// Checks that the server answers a path with the page or so.
    pub(super) fn expect(&self, path: &str, words: &str) -> anyhow::Result<()> {
        let mut stream = TcpStream::connect(self.address)?;
        let head = "Host: localhost\r\nConnection: close\r\n\r\n";
        write!(stream, "GET {path} HTTP/1.1\r\n{head}")?;
        let mut answer = Vec::new();
        stream.read_to_end(&mut answer)?;
        let answer = String::from_utf8_lossy(&answer);
        ensure!(
            answer.starts_with("HTTP/1.1 200") && answer.contains(words),
            "{path} answers: {answer}"
        );
        Ok(())
    }

    /// Stops the server, which must exit with 0.
    pub(super) fn stop(mut self) -> anyhow::Result<()> {
        output(Command::new("kill").arg(self.id().to_string()))?;
        let status = self.child.wait()?;
        ensure!(status.success(), "the server ends with {status}");
        Ok(())
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
