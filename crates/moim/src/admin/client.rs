//! Requests of subcommands to a running server.

use std::{
    io::{self, BufRead, BufReader, Read, Write},
    os::unix::net::UnixStream,
    path::{Path, PathBuf},
    time::Duration,
};

use anyhow::{Context, bail, ensure};
use serde_json::Value;

use super::socket::connect;
use crate::data;

/// Limit of a response.
const MAX_RESPONSE_BYTES: u64 = 64 << 20;
/// Limit of a response's head.
const MAX_HEAD_BYTES: usize = 16 << 10;

/// The response to a request.
#[derive(Debug)]
pub(crate) struct Response {
    /// Status code.
    pub(crate) status: u16,
    /// The body; null if there is none.
    pub(crate) body: Value,
}

impl Response {
    /// True if the server did what was requested.
    pub(crate) fn is_success(&self) -> bool {
        (200..300).contains(&self.status)
    }

    /// The sentences that say why it did not.
    pub(crate) fn problems(&self) -> Vec<String> {
        let problems = self.body.get("problems").and_then(Value::as_array);
        let text = |problem: &Value| problem.as_str().map(str::to_owned);
        // Problems of the API have a `detail`.
        let detail = self.body.get("detail");
        problems.into_iter().flatten().chain(detail).filter_map(text).collect()
    }
}

/// The data folders in which a server may run, the likeliest first: the given one, or else the one
/// that `moim serve` would choose and the package's.
pub(crate) fn folders(given: Option<PathBuf>) -> Vec<PathBuf> {
    match given {
        Some(folder) => vec![folder],
        None => {
            let chosen = data::choose_folder().map(|(folder, _)| folder);
            chosen.into_iter().chain([PathBuf::from(data::PACKAGE_FOLDER)]).collect()
        }
    }
}

/// A server in a data folder, as far as this user can tell.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Presence {
    /// It accepts connections.
    Answers,
    /// Only its user and root may connect.
    Forbidden,
    /// There is none.
    Absent,
}

/// Looks for a server in a data folder.
pub(crate) fn presence(folder: &Path) -> Presence {
    match connect(folder) {
        Ok(_) => Presence::Answers,
        Err(error) if error.kind() == io::ErrorKind::PermissionDenied => Presence::Forbidden,
        Err(_) => Presence::Absent,
    }
}

/// Sends a request to the server in the first of these folders that has one, and waits at most
/// `patience` for each part of the response. A null `body` sends none.
///
/// # Errors
/// A sentence for the operator: no server runs, or it doesn't answer.
pub(crate) fn request(
    folders: &[PathBuf],
    method: &str,
    path: &str,
    body: &Value,
    patience: Duration,
) -> anyhow::Result<Response> {
    let (folder, stream) = reach(folders, patience)?;
    exchange(stream, method, path, body).with_context(|| unanswered(folder))
}

/// Sends a request to the server in the first of these folders that has one. Returns the lines of
/// its response as they come; each is waited for at most `patience`.
///
/// # Errors
/// A sentence for the operator: no server runs, it refuses, or it doesn't answer.
pub(crate) fn follow(
    folders: &[PathBuf],
    path: &str,
    body: &Value,
    patience: Duration,
) -> anyhow::Result<impl Iterator<Item = io::Result<String>> + use<>> {
    let (folder, mut stream) = reach(folders, patience)?;
    write_request(&mut stream, "POST", path, body).with_context(|| unanswered(folder))?;
    let mut reader = BufReader::new(stream);
    let mut head = String::new();
    while !head.ends_with("\r\n\r\n") {
        let read = reader.read_line(&mut head).with_context(|| unanswered(folder))?;
        ensure!(read > 0 && head.len() < MAX_HEAD_BYTES, unanswered(folder));
    }
    let status = head.split(' ').nth(1).and_then(|status| status.parse().ok()).unwrap_or(0);
    if status != 200 {
        reader.take(MAX_RESPONSE_BYTES).read_to_string(&mut head)?;
        let response = parse(&head).context("The response is malformed")?;
        bail!("{}", response.problems().join("; "));
    }
    Ok(reader.lines())
}

/// Connects to the server in the first of these folders that has one.
fn reach(folders: &[PathBuf], patience: Duration) -> anyhow::Result<(&Path, UnixStream)> {
    for folder in folders {
        match connect(folder) {
            Ok(stream) => {
                stream.set_read_timeout(Some(patience))?;
                stream.set_write_timeout(Some(patience))?;
                return Ok((folder, stream));
            }
            Err(error) if is_absent(&error) => {}
            Err(error) => return Err(refused(folder, &error)),
        }
    }
    let named: Vec<_> = folders.iter().map(|folder| folder.display().to_string()).collect();
    bail!(
        "No server runs with the data folder {}: name its folder with --data DIR",
        named.join(" or ")
    )
}

fn unanswered(folder: &Path) -> String {
    format!("The server with the data folder {} does not answer", folder.display())
}

fn is_absent(error: &io::Error) -> bool {
    matches!(
        error.kind(),
        io::ErrorKind::NotFound | io::ErrorKind::ConnectionRefused | io::ErrorKind::NotADirectory
    )
}

fn refused(folder: &Path, error: &io::Error) -> anyhow::Error {
    anyhow::anyhow!(
        "Can't connect to the server with the data folder {} ({error}): run this as the server's \
         user or as root",
        folder.display()
    )
}

fn exchange(
    mut stream: impl Read + Write,
    method: &str,
    path: &str,
    body: &Value,
) -> anyhow::Result<Response> {
    write_request(&mut stream, method, path, body)?;
    let mut response = Vec::new();
    stream.take(MAX_RESPONSE_BYTES).read_to_end(&mut response)?;
    let response = String::from_utf8(response).context("The response is no text")?;
    parse(&response).context("The response is malformed")
}

fn write_request(
    stream: &mut impl Write,
    method: &str,
    path: &str,
    body: &Value,
) -> io::Result<()> {
    let body = if body.is_null() { String::new() } else { body.to_string() };
    // HTTP/1.0: the response is not chunked, and ends with the connection.
    let head = format!(
        "{method} {path} HTTP/1.0\r\nHost: localhost\r\nContent-Type: application/json\r\n\
         Content-Length: {}\r\n\r\n",
        body.len()
    );
    stream.write_all(head.as_bytes())?;
    stream.write_all(body.as_bytes())
}

fn parse(response: &str) -> Option<Response> {
    let (head, body) = response.split_once("\r\n\r\n")?;
    let status = head.split(' ').nth(1)?.parse().ok()?;
    let body = if body.is_empty() { Value::Null } else { serde_json::from_str(body).ok()? };
    Some(Response { status, body })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn responses_are_parsed() {
        let response = parse("HTTP/1.0 422 x\r\na: b\r\n\r\n{\"problems\":[\"one\"]}").unwrap();
        assert_eq!((response.status, response.problems()), (422, vec!["one".to_owned()]));
        assert!(!response.is_success());
        assert!(parse("HTTP/1.0 200 OK\r\n\r\n").unwrap().body.is_null());
        assert!(parse("").is_none() && parse("HTTP/1.0 200 OK\r\n\r\nnonsense").is_none());
    }

    #[test]
    fn missing_server_is_reported_with_the_remedy() {
        let folder = tempfile::tempdir().unwrap();
        let folders = [folder.path().to_owned(), folder.path().join("none")];
        let error = request(&folders, "GET", "/ready", &Value::Null, Duration::from_secs(1));
        let error = error.unwrap_err().to_string();
        assert!(error.contains("No server runs") && error.contains("--data"), "{error}");
    }
}
