//! `moim doctor --phone`: a phone on mobile data tests the way from outside, step by step.

use std::{
    io::{self, IsTerminal, Write},
    path::PathBuf,
    process::ExitCode,
    time::Duration,
};

use anyhow::{Context, bail};
use doctor::{Language, Severity};
use serde_json::{Value, json};

use super::{
    exit::{FOUND, MISCONFIGURED, code_of},
    gather, print,
    server::Server,
};
use crate::{
    admin::{Vitals, client},
    config::{CheckedConfig, Config},
    http::{Progress, ToldFinding},
    qr::qr,
};

/// Time for the next event: the server says something before.
const PATIENCE: Duration = Duration::from_secs(6 * 60);

/// Follows a phone's test. Returns the exit code: 0 if calls work well there, 1 if not, or if no
/// phone came, 2 if no server runs that could be tested.
pub(super) fn run(
    config: Option<&CheckedConfig>,
    server: &Server,
    json: bool,
    language: Language,
) -> ExitCode {
    match follow(config, server, json, language) {
        Ok(Some(findings)) => code_of(worst(&findings)),
        Ok(None) => ExitCode::from(FOUND),
        Err(error) => {
            eprintln!("moim: {error:#}");
            ExitCode::from(MISCONFIGURED)
        }
    }
}

/// The findings; `None` if no phone came in time, or its test did not end.
fn follow(
    config: Option<&CheckedConfig>,
    server: &Server,
    json: bool,
    language: Language,
) -> anyhow::Result<Option<Vec<ToldFinding>>> {
    let (folder, vitals) = running(server)?;
    let config = config.context("The configuration is invalid: run `moim config check`")?.config();
    let wish = json!({ "lang": language });
    let lines = client::follow(&[folder], "/phone", &wish, PATIENCE)?;
    let screen = Screen { language, json, is_terminal: io::stdout().is_terminal() };
    for line in lines {
        let line = line.context("The server does not answer any more")?;
        let event: Progress = serde_json::from_str(&line).context("The event is malformed")?;
        screen.show(&event, config, vitals)?;
        match event {
            Progress::Judged { findings } => return Ok(Some(findings)),
            Progress::Expired => return Ok(None),
            Progress::Ready { .. } | Progress::Opened { .. } | Progress::Step { .. } => {}
        }
    }
    bail!("The server has ended")
}

fn running(server: &Server) -> anyhow::Result<(PathBuf, &Vitals)> {
    match server {
        Server::Running { folder, vitals } => Ok((folder.clone(), vitals)),
        Server::Forbidden { folder } => bail!(
            "The server with the data folder {} can only be asked by its user and by root: run \
             this with sudo",
            folder.display()
        ),
        Server::Absent => {
            bail!(
                "No server runs that a phone could reach: start it, or name its folder with --data"
            )
        }
    }
}

fn worst(findings: &[ToldFinding]) -> Option<Severity> {
    findings.iter().map(|finding| finding.severity).min()
}

/// Output for the operator.
struct Screen {
    language: Language,
    json: bool,
    is_terminal: bool,
}

impl Screen {
    /// Shows an event at once.
    fn show(&self, event: &Progress, config: &Config, vitals: &Vitals) -> io::Result<()> {
        let text = if self.json {
            format!("{}\n", self.json(event, config, vitals))
        } else {
            self.text(event, config, vitals)
        };
        let mut out = io::stdout();
        out.write_all(text.as_bytes()).and_then(|()| out.flush())
    }

    /// The event as a line, of which the first has the link.
    fn json(&self, event: &Progress, config: &Config, vitals: &Vitals) -> Value {
        let mut value = json!(event);
        if let (Progress::Ready { id, .. }, Some(object)) = (event, value.as_object_mut()) {
            object.insert("url".to_owned(), link(id, config, vitals).into());
        }
        value
    }

    fn text(&self, event: &Progress, config: &Config, vitals: &Vitals) -> String {
        let is_korean = self.language == Language::Ko;
        match event {
            Progress::Ready { id, seconds } => {
                let url = link(id, config, vitals);
                let code =
                    if self.is_terminal { qr(&url).unwrap_or_default() } else { String::new() };
                let minutes = seconds / 60;
                let words = if is_korean {
                    format!(
                        "Wi-Fi가 아니라 모바일 데이터를 쓰는 휴대전화로 이 링크를 여세요. {minutes}분 안에 한 번만 열 수 \
                         있습니다."
                    )
                } else {
                    format!(
                        "Open this link on a phone that uses mobile data, not Wi-Fi. It works \
                         once, within {minutes} minutes."
                    )
                };
                format!("moim doctor --phone\n\n{code}  {url}\n\n{words}\n\n")
            }
            Progress::Opened { outside } => {
                let words = match (outside, is_korean) {
                    (true, false) => "The phone has opened the page from another network.",
                    (true, true) => "휴대전화가 다른 네트워크에서 페이지를 열었습니다.",
                    (false, false) => {
                        "The phone has opened the page from this network: switch its Wi-Fi off and \
                         run this again to see the way from outside."
                    }
                    (false, true) => {
                        "휴대전화가 같은 네트워크에서 페이지를 열었습니다. 외부에서 오는 경로를 보려면 Wi-Fi를 끄고 다시 \
                         실행하세요."
                    }
                };
                format!("{words}\n\n")
            }
            Progress::Step { check, outcome, ms } => {
                print::step(check, *outcome, *ms, self.language, self.is_terminal)
            }
            Progress::Judged { findings } => {
                print::of_phone(findings, self.language, self.is_terminal)
            }
            Progress::Expired if is_korean => {
                "휴대전화의 테스트가 제시간에 끝나지 않았습니다.\n".to_owned()
            }
            Progress::Expired => "No phone has finished the test in time.\n".to_owned(),
        }
    }
}

fn link(id: &str, config: &Config, vitals: &Vitals) -> String {
    format!("{}/doctor?probe={id}", gather::origin(config, vitals))
}
