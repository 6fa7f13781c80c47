//! The list of checks, in the order of the report's table.

use serde::Serialize;

use super::{
    address, certificate, clock, config, container, data, dns, firewall, kernel, load, outside,
    port, proxy, public_address::PublicAddress, relay, router,
};
use crate::{finding::Finding, words::Language};

/// Facts of a check, or the reason for their absence.
pub type Looked<T> = Result<T, Skip>;

/// All facts.
#[derive(Debug, Clone)]
pub struct Facts {
    /// The port that the findings name.
    pub place: PublicAddress,
    /// S14.
    pub config: Looked<config::Facts>,
    /// S1.
    pub port: Looked<port::Facts>,
    /// S2.
    pub outside: Looked<outside::Facts>,
    /// S3.
    pub firewall: Looked<firewall::Facts>,
    /// S4.
    pub address: Looked<address::Facts>,
    /// S5.
    pub dns: Looked<dns::Facts>,
    /// S6.
    pub certificate: Looked<certificate::Facts>,
    /// S7.
    pub clock: Looked<clock::Facts>,
    /// S8.
    pub kernel: Looked<kernel::Facts>,
    /// S9.
    pub container: Looked<container::Facts>,
    /// S10.
    pub proxy: Looked<proxy::Facts>,
    /// S11.
    pub data: Looked<data::Facts>,
    /// S12.
    pub load: Looked<load::Facts>,
    /// S13.
    pub relay: Looked<relay::Facts>,
    /// S15.
    pub router: Looked<router::Facts>,
}

/// A reason not to make a check.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Skip {
    /// No server runs.
    NotRunning,
    /// Only root may look.
    NeedsRoot,
    /// Nothing is configured that could be checked.
    NothingConfigured,
    /// The configuration can't work.
    ConfigInvalid,
    /// No visitor has come from outside yet.
    NoVisitors,
    /// This system does not tell.
    Unavailable,
}

impl Skip {
    /// The reason in words.
    #[must_use]
    pub fn words(self, language: Language) -> &'static str {
        let (en, ko) = match self {
            Self::NotRunning => ("needs the running server", "서버가 실행 중이어야 합니다"),
            Self::NeedsRoot => ("needs root: run with sudo", "root 권한이 필요합니다(sudo)"),
            Self::NothingConfigured => ("nothing configured", "설정된 것이 없습니다"),
            Self::ConfigInvalid => ("needs a valid configuration", "설정이 올바르지 않습니다"),
            Self::NoVisitors => ("no visitors from outside yet", "아직 외부 방문자가 없습니다"),
            Self::Unavailable => ("this system does not tell", "이 시스템에서는 알 수 없습니다"),
        };
        match language {
            Language::En => en,
            Language::Ko => ko,
        }
    }
}

/// A check. Its number in research and documentation is its place here, from S1 on.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Check {
    /// S1: the port is bound, or free.
    Port,
    /// S2: visitors reach the port from outside.
    Outside,
    /// S3: the machine's firewall.
    Firewall,
    /// S4: public address.
    Address,
    /// S5: names.
    Dns,
    /// S6: certificate.
    Certificate,
    /// S7: clock.
    Clock,
    /// S8: limits and counters of the kernel.
    Kernel,
    /// S9: container.
    Container,
    /// S10: reverse proxy.
    Proxy,
    /// S11: data folder.
    Data,
    /// S12: load.
    Load,
    /// S13: relay.
    Relay,
    /// S14: version and configuration.
    Config,
    /// S15: the router.
    Router,
}

impl Check {
    /// Title of the table's row.
    #[must_use]
    pub fn title(self, language: Language) -> &'static str {
        let (en, ko) = match self {
            Self::Port => ("port", "포트"),
            Self::Outside => ("visitors from outside", "외부 방문자"),
            Self::Firewall => ("own firewall", "자체 방화벽"),
            Self::Address => ("public address", "공인 주소"),
            Self::Dns => ("names", "도메인 이름"),
            Self::Certificate => ("certificate", "인증서"),
            Self::Clock => ("clock", "시계"),
            Self::Kernel => ("kernel limits", "커널 한도"),
            Self::Container => ("container", "컨테이너"),
            Self::Proxy => ("reverse proxy", "리버스 프록시"),
            Self::Data => ("data folder", "데이터 폴더"),
            Self::Load => ("load", "부하"),
            Self::Relay => ("relay", "릴레이"),
            Self::Config => ("configuration", "설정"),
            Self::Router => ("router", "공유기"),
        };
        match language {
            Language::En => en,
            Language::Ko => ko,
        }
    }
}

/// Result of a check.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Outcome {
    /// Nothing is wrong; the detail is a value seen, which needs no translation.
    Passed {
        /// A value seen.
        detail: String,
    },
    /// Findings.
    Found(Vec<Finding>),
    /// Not made.
    Skipped(Skip),
}

/// A check with its result.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Examined {
    /// The check.
    pub check: Check,
    /// Its result.
    pub outcome: Outcome,
}

/// Makes all checks.
#[must_use]
pub fn examine(facts: &Facts) -> Vec<Examined> {
    let place = &facts.place;
    vec![
        row(Check::Port, &facts.port, |f| f.judge(), |f| f.detail()),
        row(Check::Outside, &facts.outside, |f| f.judge(place), |f| f.detail()),
        row(Check::Firewall, &facts.firewall, |f| f.judge(place), |f| f.detail()),
        row(Check::Address, &facts.address, |f| f.judge(place), |f| f.detail()),
        row(Check::Dns, &facts.dns, |f| f.judge(), |f| f.detail()),
        row(Check::Certificate, &facts.certificate, |f| f.judge(), |f| f.detail()),
        row(Check::Clock, &facts.clock, |f| f.judge(), |f| f.detail()),
        row(Check::Kernel, &facts.kernel, |f| f.judge(), |f| f.detail()),
        row(Check::Container, &facts.container, |f| f.judge(place), |f| f.detail()),
        row(Check::Proxy, &facts.proxy, |f| f.judge(), |f| f.detail()),
        row(Check::Data, &facts.data, |f| f.judge(), |f| f.detail()),
        row(Check::Load, &facts.load, |f| f.judge(), |f| f.detail()),
        row(Check::Relay, &facts.relay, |f| f.judge(place), |f| f.detail()),
        row(Check::Config, &facts.config, |f| f.judge(), |f| f.detail()),
        row(Check::Router, &facts.router, |f| f.judge(place), |f| f.detail()),
    ]
}

fn row<T>(
    check: Check,
    facts: &Looked<T>,
    judge: impl FnOnce(&T) -> Vec<Finding>,
    detail: impl FnOnce(&T) -> String,
) -> Examined {
    let outcome = match facts {
        Err(skip) => Outcome::Skipped(*skip),
        Ok(facts) => match judge(facts) {
            findings if findings.is_empty() => Outcome::Passed { detail: detail(facts) },
            findings => Outcome::Found(findings),
        },
    };
    Examined { check, outcome }
}
