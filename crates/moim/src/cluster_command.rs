//! `moim cluster status`: the cluster as the server of a data folder knows it.

use std::{
    io::{self, Write},
    time::Duration,
};

use anyhow::Context;
use serde_json::Value;

use crate::{
    admin::client,
    config::{ClusterCommand, Problems},
    ctl,
};

/// Time for the server to answer.
const PATIENCE: Duration = Duration::from_secs(10);

/// Asks the server and prints its answer.
///
/// # Errors
/// No server runs, or it is alone.
pub(crate) fn run(command: ClusterCommand) -> Result<(), Problems> {
    let ClusterCommand::Status(options) = command;
    let folders = client::folders(options.server.data);
    let response = client::request(&folders, "GET", "/cluster", &Value::Null, PATIENCE)?;
    if options.json || !response.is_success() {
        return ctl::print(&response);
    }
    let text = table(&response.body);
    io::stdout().write_all(text.as_bytes()).context("Can't write to standard output")?;
    Ok(())
}

fn table(status: &Value) -> String {
    let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
    let engine = &status["engine"];
    let state = match (engine["connected"].as_bool(), engine["failure"].as_str()) {
        (Some(true), _) => "connected".to_owned(),
        (_, Some(failure)) => failure.to_owned(),
        (_, None) => "not connected".to_owned(),
    };
    let mut lines = format!("{} {state}\n", text(&engine["address"]));
    if status["leased"].as_bool() != Some(true) {
        lines += "This node holds no lease\n";
    }
    let nodes = status["nodes"].as_array().map(Vec::as_slice).unwrap_or_default();
    lines += &format!("\n{:<24}{:<12}{:>5}\n", "NODE", "STATE", "LOAD");
    for node in nodes {
        let own = if node["own"].as_bool() == Some(true) { "  this node" } else { "" };
        let load = format!("{} %", node["load_percent"]);
        let media = node["no_media"].as_str();
        let media = media.map(|why| format!("  no media: {why}")).unwrap_or_default();
        let (id, state) = (text(&node["node"]), text(&node["state"]));
        lines += &format!("{id:<24}{state:<12}{load:>5}{own}{media}\n");
    }
    lines
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn status_is_a_line_for_the_engine_and_one_for_each_node() {
        let node =
            |node, own, state| json!({"node": node, "own": own, "state": state, "load_percent": 7});
        let mut nodes = [
            node("3.00000000000000aa", true, "serving"),
            node("4.00000000000000bb", false, "draining"),
        ];
        nodes[1]["no_media"] = json!("no answer by UDP");
        let engine = json!({"address": "redis://redis.example:6379", "connected": true});
        let status = json!({"engine": engine, "leased": true, "nodes": nodes});
        let expected = "redis://redis.example:6379 connected\n\n\
             NODE                    STATE        LOAD\n\
             3.00000000000000aa      serving       7 %  this node\n\
             4.00000000000000bb      draining      7 %  no media: no answer by UDP\n";
        assert_eq!(table(&status), expected);
        let engine =
            json!({"address": "redis://x", "connected": false, "failure": "can't be reached"});
        let status = json!({"engine": engine, "leased": false, "nodes": []});
        assert!(
            table(&status).starts_with("redis://x can't be reached\nThis node holds no lease\n")
        );
    }
}
