//! Tests of the binary, each with its own port and data folder.
// Descriptors and memory are read from /proc.
#![cfg(target_os = "linux")]
#![allow(clippy::unwrap_used, clippy::indexing_slicing, reason = "helpers of tests are tests too")]

mod acme;
mod addresses;
mod admin_page;
mod also;
mod announce_auto;
mod api;
mod backup;
mod bad_input;
mod bundle;
mod caller;
mod calls;
mod churn;
mod cluster;
mod commands;
mod config;
mod ctl;
mod described;
mod dial_back;
mod doctor;
mod drain;
mod floods;
mod folder;
#[path = "../../../cluster/tests/history/mod.rs"]
mod history;
mod hosts;
mod http;
mod igd;
mod inviting;
mod lasting;
mod limits;
mod manager;
mod memory;
mod namespace;
mod oidc;
mod peer;
mod phone;
mod postgres;
mod proxies;
mod proxy_header;
mod proxy_programs;
mod python;
mod reach;
mod relay_alone;
mod relay_restart;
mod relaying;
mod reload;
mod rights;
mod rights_over_shards;
mod router;
mod scraping;
mod secrets;
mod service_manager;
mod shards;
mod start;
mod stop;
mod support;
mod tls;
mod tokens;
mod upgrade;
mod visitor;
mod watching;
mod webhooks;
mod websocket;
