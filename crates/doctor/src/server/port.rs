//! S1: the port answers if a server runs, and is free if none does.

use std::fmt;

use serde::Serialize;

use crate::{
    code::ServerCode,
    finding::{Certainty, Finding},
};

/// Transport protocol of a socket.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Protocol {
    /// TCP.
    Tcp,
    /// UDP.
    Udp,
}

impl fmt::Display for Protocol {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Tcp => "TCP",
            Self::Udp => "UDP",
        })
    }
}

/// The state of one socket that the configuration asks for.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum State {
    /// The server answers on it.
    Answers,
    /// The server runs but does not answer on it.
    Silent,
    /// No server runs; the port can be bound.
    Free,
    /// Another program has it.
    Taken {
        /// Name and process id, as far as this user may know.
        holder: Option<String>,
    },
    /// This user may not bind it.
    Forbidden,
    /// No interface has the address.
    AddressAbsent,
}

/// One socket.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Socket {
    /// TCP or UDP.
    pub protocol: Protocol,
    /// Address to listen on.
    pub address: std::net::SocketAddr,
    /// Its state.
    pub state: State,
}

/// All sockets that the configuration asks for.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Facts {
    /// The sockets.
    pub sockets: Vec<Socket>,
    /// Path of this program.
    pub binary: String,
}

impl Facts {
    pub(super) fn judge(&self) -> Vec<Finding> {
        let mut findings: Vec<Finding> = Vec::new();
        for socket in &self.sockets {
            let (code, holder) = match &socket.state {
                State::Answers | State::Free => continue,
                State::Silent => (ServerCode::ServerSilent, None),
                State::Taken { holder: Some(holder) } => (ServerCode::PortTaken, Some(holder)),
                State::Taken { holder: None } => (ServerCode::PortInUse, None),
                State::Forbidden => (ServerCode::PortForbidden, None),
                State::AddressAbsent => (ServerCode::AddressAbsent, None),
            };
            let port = socket.address.port();
            let mut finding = Finding::new(code, Certainty::Certain).with("port", port);
            finding = match code {
                ServerCode::ServerSilent => finding.with("protocol", socket.protocol),
                ServerCode::PortForbidden => finding.with("binary", &self.binary),
                ServerCode::AddressAbsent => finding.with("address", socket.address.ip()),
                _ => finding
                    .with("protocol", socket.protocol)
                    .with("suggestion", suggestion(socket.address)),
            };
            if let Some(holder) = holder {
                finding = finding.with("holder", holder);
            }
            // IPv4 and IPv6, and TCP and UDP of one right, are one finding.
            if !findings.contains(&finding) {
                findings.push(finding);
            }
        }
        findings
    }

    pub(super) fn detail(&self) -> String {
        let mut seen = Vec::new();
        for socket in &self.sockets {
            let text = format!("{} {}", socket.protocol, socket.address.port());
            if !seen.contains(&text) {
                seen.push(text);
            }
        }
        seen.join(", ")
    }
}

/// Another address to listen on.
fn suggestion(taken: std::net::SocketAddr) -> String {
    let port = if taken.port() == 4000 { 4001 } else { 4000 };
    let ip =
        if taken.ip().is_unspecified() { "0.0.0.0".to_owned() } else { taken.ip().to_string() };
    if ip.contains(':') { format!("[{ip}]:{port}") } else { format!("{ip}:{port}") }
}
