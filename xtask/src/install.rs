//! Tools that tests need besides Rust and Node.

use anyhow::bail;

use crate::shell::{has, is_ci, run_with};

/// A program that tests use, arguments that succeed if it is installed, and its Debian package.
struct Tool {
    program: &'static str,
    probe: &'static [&'static str],
    package: &'static str,
}

const TOOLS: &[Tool] = &[
    Tool { program: "chromium", probe: &["--version"], package: "chromium" },
    Tool { program: "firefox-esr", probe: &["--version"], package: "firefox-esr" },
    Tool { program: "ip", probe: &["-V"], package: "iproute2" },
    Tool { program: "iptables", probe: &["--version"], package: "iptables" },
    Tool { program: "python3", probe: &["-c", "import ensurepip, venv"], package: "python3-venv" },
    Tool { program: "sh", probe: &["-c", "command -v turnutils_uclient"], package: "coturn" },
    Tool { program: "sh", probe: &["-c", "command -v certutil"], package: "libnss3-tools" },
    Tool { program: "sysctl", probe: &["--version"], package: "procps" },
    Tool { program: "/usr/sbin/nginx", probe: &["-v"], package: "nginx" },
    Tool { program: "mitmdump", probe: &["--version"], package: "mitmproxy" },
    Tool { program: "dpkg-shlibdeps", probe: &["--version"], package: "dpkg-dev" },
    Tool { program: "strip", probe: &["--version"], package: "binutils" },
    Tool { program: "lintian", probe: &["--version"], package: "lintian" },
    Tool { program: "mmdebstrap", probe: &["--version"], package: "mmdebstrap" },
    Tool { program: "skopeo", probe: &["--version"], package: "skopeo" },
    Tool { program: "umoci", probe: &["--version"], package: "umoci" },
    Tool { program: "systemd-analyze", probe: &["--version"], package: "systemd" },
    Tool {
        program: "ls",
        probe: &["/etc/ssl/certs/ca-certificates.crt"],
        package: "ca-certificates",
    },
    Tool {
        program: "fc-match",
        probe: &["Noto Sans CJK KR"],
        package: "fontconfig fonts-noto-cjk",
    },
];

/// Tools of the Rust tests, which check our certificates and metrics with programs of others, and
/// get certificates from a CA in a network namespace.
const RUST_TEST_TOOLS: &[Tool] = &[
    Tool { program: "openssl", probe: &["version"], package: "openssl" },
    Tool { program: "python3", probe: &["-c", "import ensurepip, venv"], package: "python3-venv" },
    Tool { program: "sh", probe: &["-c", "command -v pebble-challtestsrv"], package: "pebble" },
    Tool { program: "ip", probe: &["-V"], package: "iproute2" },
    Tool { program: "iptables", probe: &["--version"], package: "iptables" },
    Tool { program: "sh", probe: &["-c", "command -v turnutils_uclient"], package: "coturn" },
    Tool { program: "nft", probe: &["--version"], package: "nftables" },
    Tool { program: "promtool", probe: &["--version"], package: "prometheus" },
    Tool {
        program: "/usr/bin/python3",
        probe: &["-c", "import prometheus_client.openmetrics"],
        package: "python3-prometheus-client",
    },
    Tool { program: "/usr/sbin/nginx", probe: &["-v"], package: "nginx" },
    Tool { program: "caddy", probe: &["version"], package: "caddy" },
    Tool { program: "/usr/sbin/haproxy", probe: &["-v"], package: "haproxy" },
    Tool {
        program: "sh",
        probe: &["-c", "ls /usr/lib/postgresql/*/bin/initdb"],
        package: "postgresql",
    },
    Tool { program: "redis-server", probe: &["--version"], package: "redis-server" },
    Tool { program: "strace", probe: &["-V"], package: "strace" },
    Tool { program: "faketime", probe: &["--version"], package: "faketime" },
    Tool { program: "nsenter", probe: &["--version"], package: "util-linux" },
    Tool { program: "sysctl", probe: &["--version"], package: "procps" },
];

/// Installs the tools that the Rust tests run.
pub(crate) fn rust_test_tools() -> anyhow::Result<()> {
    install(RUST_TEST_TOOLS)
}

/// Installs the tools that the browser and network tests run.
pub(crate) fn browsers_and_networks() -> anyhow::Result<()> {
    install(TOOLS)
}

/// Installs missing tools. Without the permission it warns about them, and in CI it fails.
fn install(tools: &[Tool]) -> anyhow::Result<()> {
    let missing: Vec<&str> = tools
        .iter()
        .filter(|tool| !is_there(tool))
        .flat_map(|tool| tool.package.split(' '))
        .collect();
    if missing.is_empty() {
        return Ok(());
    }
    if has("apt-get", &["--version"]) && has("sh", &["-c", "test $(id -u) = 0"]) {
        let quiet = [("DEBIAN_FRONTEND", "noninteractive")];
        run_with(".", "apt-get", &["update", "-qq"], &quiet)?;
        let mut args = vec!["install", "-y", "-qq", "--no-install-recommends"];
        args.extend(&missing);
        return run_with(".", "apt-get", &args, &quiet);
    }
    let list = missing.join(" ");
    if is_ci() {
        bail!("tests need these Debian packages: {list}");
    }
    eprintln!("\x1b[1;33mMISSING: {list}\x1b[0m (tests that need them are skipped)");
    eprintln!("install them with: sudo apt-get install {list}");
    Ok(())
}

fn is_there(tool: &Tool) -> bool {
    match tool.probe {
        ["Noto Sans CJK KR"] => {
            has("sh", &["-c", "fc-match 'Noto Sans CJK KR' | grep -q 'Noto Sans CJK'"])
        }
        probe => has(tool.program, probe),
    }
}
