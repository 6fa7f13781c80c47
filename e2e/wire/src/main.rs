//! A link between two network namespaces with delay, loss and a bottleneck, for kernels without
//! netem.
//!
//! `moim-wire A B` creates two Ethernet interfaces with these names, which the caller moves to
//! their namespaces; frames sent on one are received on the other. Each line of standard input sets
//! the impairments of one direction or of both, and is answered with `ok` when they apply:
//!
//! `{"towards": "B", "delayMs": 50, "jitterMs": 5, "loss": 0.05, "bitsPerSecond": 500000}`
//!
//! It ends when its standard input is closed.

mod direction;
mod impairments;

use std::sync::Arc;

use anyhow::{Context as _, bail};
use tokio::io::{AsyncBufReadExt as _, AsyncWriteExt as _, BufReader, stdin, stdout};
use tun_rs::{AsyncDevice, DeviceBuilder, Layer};

use direction::Direction;
use impairments::{End, Impairments};

fn main() -> anyhow::Result<()> {
    let names: Vec<String> = std::env::args().skip(1).collect();
    let [a, b] = names.as_slice() else { bail!("usage: moim-wire INTERFACE INTERFACE") };
    tokio::runtime::Builder::new_current_thread().enable_all().build()?.block_on(run(a, b))
}

async fn run(a: &str, b: &str) -> anyhow::Result<()> {
    let interface_a = create_interface(a)?;
    let interface_b = create_interface(b)?;
    let (towards_b, sender_b) =
        Direction::new(Arc::clone(&interface_a), Arc::clone(&interface_b), 1);
    let (towards_a, sender_a) = Direction::new(interface_b, interface_a, 2);
    let control = async {
        let mut lines = BufReader::new(stdin()).lines();
        let mut output = stdout();
        output.write_all(b"ready\n").await?;
        while let Some(line) = lines.next_line().await? {
            let impairments: Impairments =
                serde_json::from_str(&line).with_context(|| line.clone())?;
            for (end, sender) in [(End::A, &sender_a), (End::B, &sender_b)] {
                if impairments.towards.is_none_or(|towards| towards == end) {
                    sender.send_replace(impairments.link());
                }
            }
            output.write_all(b"ok\n").await?;
        }
        Ok(())
    };
    tokio::select! {
        ended = towards_a.run() => ended,
        ended = towards_b.run() => ended,
        ended = control => ended,
    }
}

/// Creates an interface that is down and without addresses: moving it would reset both.
fn create_interface(name: &str) -> anyhow::Result<Arc<AsyncDevice>> {
    let device = DeviceBuilder::new().name(name).layer(Layer::L2).enable(false).build_async();
    Ok(Arc::new(device.with_context(|| format!("interface {name} (this needs root)"))?))
}
