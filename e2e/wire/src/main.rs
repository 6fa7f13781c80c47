//! A cable between two network namespaces that delays, loses and narrows.
//!
//! `moim-wire A B` makes two Ethernet interfaces of these names, which the caller moves to where
//! they belong; what goes into one comes out of the other. Each line on standard input sets the
//! faults of one direction or both, and is answered `ok` once it counts:
//!
//! `{"towards": "B", "delayMs": 50, "jitterMs": 5, "loss": 0.05, "bitsPerSecond": 500000, "queueBytes": 30000}`
//!
//! It ends with its standard input. Kernels without netem are the reason for it.

mod direction;
mod faults;

use std::sync::Arc;

use anyhow::{Context as _, bail};
use tokio::io::{AsyncBufReadExt as _, AsyncWriteExt as _, BufReader, stdin, stdout};
use tun_rs::{AsyncDevice, DeviceBuilder, Layer};

use direction::Direction;
use faults::{Faults, Towards};

fn main() -> anyhow::Result<()> {
    let names: Vec<String> = std::env::args().skip(1).collect();
    let [a, b] = names.as_slice() else { bail!("usage: moim-wire INTERFACE INTERFACE") };
    tokio::runtime::Builder::new_current_thread().enable_all().build()?.block_on(run(a, b))
}

async fn run(a: &str, b: &str) -> anyhow::Result<()> {
    let (end_a, end_b) = (plug(a)?, plug(b)?);
    let (towards_b, faults_b) = Direction::new(Arc::clone(&end_a), Arc::clone(&end_b), 1);
    let (towards_a, faults_a) = Direction::new(end_b, end_a, 2);
    let control = async {
        let mut lines = BufReader::new(stdin()).lines();
        let mut answers = stdout();
        answers.write_all(b"ready\n").await?;
        while let Some(line) = lines.next_line().await? {
            let faults: Faults = serde_json::from_str(&line).with_context(|| line.clone())?;
            for (end, to) in [(Towards::A, &faults_a), (Towards::B, &faults_b)] {
                if faults.towards.is_none_or(|towards| towards == end) {
                    to.send_replace(faults.link());
                }
            }
            answers.write_all(b"ok\n").await?;
        }
        Ok(())
    };
    tokio::select! {
        ended = towards_a.run() => ended,
        ended = towards_b.run() => ended,
        ended = control => ended,
    }
}

/// Makes one end. It is down, and forgets its addresses when it is moved, so the caller does both.
fn plug(name: &str) -> anyhow::Result<Arc<AsyncDevice>> {
    let end = DeviceBuilder::new().name(name).layer(Layer::L2).enable(false).build_async();
    Ok(Arc::new(end.with_context(|| format!("interface {name} (this needs root)"))?))
}
