//! Servers whose clocks are wrong by an hour.

use std::{process::Command, thread, time::Duration};

use rustix::process::Signal;

use super::{
    figures::Figures,
    redis::RedisProcess,
    status_number,
    witness::{Witness, check},
    world::Cluster,
};
use crate::support::{DEADLINE, Server, moim, within};

/// The library that shows another time to a program, of Debian's package `faketime`.
/// The linker puts the name of its folder in place of `$LIB`.
const LIBRARY: &str = "/usr/$LIB/faketime/libfaketimeMT.so.1";

/// A server whose clock is wrong.
fn skewed(offset: &str, flags: &[&str]) -> Server {
    let data = std::sync::Arc::new(tempfile::tempdir().unwrap());
    let mut command: Command = moim(&["--listen", "127.0.0.1:0"], data.path(), flags);
    command.env("LD_PRELOAD", LIBRARY).env("FAKETIME", offset);
    command.env("FAKETIME_DONT_FAKE_MONOTONIC", "1");
    Server::spawn(command, std::net::Ipv4Addr::LOCALHOST.into(), data)
}

#[test]
fn clocks_that_are_wrong_by_an_hour_claim_and_refuse_nothing() {
    let Some(redis) = RedisProcess::start(&[]) else { return };
    if !std::path::Path::new("/usr/bin/faketime").exists() {
        assert!(std::env::var_os("CI").is_none(), "faketime is not installed");
        eprintln!("SKIPPED, as faketime is not installed");
        return;
    }
    let mut offsets = ["+1h", "-1h", "+0"].into_iter();
    let Cluster { mut servers, folder: _folder } =
        Cluster::start_each(&redis, &[], |_, flags| skewed(offsets.next().unwrap(), flags));
    let mut figures = Figures::of("skew");
    let names = ["Mina", "Ben", "Sun"];
    let mut all: Vec<_> =
        servers.iter().zip(names).map(|(server, name)| Witness::join(server, name)).collect();
    for turn in 0..10 {
        for witness in &mut all {
            assert!(witness.say(&format!("{} {turn}", witness.name)));
        }
        thread::sleep(Duration::from_millis(500));
    }
    let claims: usize = servers.iter().map(|server| status_number(server, "claims")).sum();
    figures.exactly("claims of one room", claims, 1);
    let fenced: usize = servers.iter().map(|server| status_number(server, "fenced")).sum();
    figures.exactly("rooms given up", fenced, 0);
    servers[0].signal(Signal::KILL);
    servers[0].ended();
    for (index, witness) in all.iter_mut().enumerate() {
        witness.until_cut();
        witness.resume(&servers[1 + index % 2]);
    }
    for witness in &mut all {
        assert!(witness.say(&format!("{} again", witness.name)));
    }
    within(DEADLINE, "all have everything", || {
        all.iter().all(|witness| witness.heard().len() == 22).then_some(())
    });
    check(&all.iter().collect::<Vec<_>>());
    figures.exactly("participants that are back", all.len(), 3);
    figures.end();
}
