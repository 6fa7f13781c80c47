//! `moim-wire A B` creates two Ethernet interfaces with these names, which the caller moves to
//! their namespaces; frames sent on one are received on the other. Each line of standard input sets
//! the impairments of one direction or of both, and is answered with `ok` when they apply:
//!
//! `{"towards": "B", "delayMs": 50, "jitterMs": 5, "loss": 0.05, "bitsPerSecond": 500000}`
//!
//! It ends when its standard input is closed.

mod impairments;

use anyhow::{Context as _, bail};
use moim_wire::Wire;
use tokio::io::{AsyncBufReadExt as _, AsyncWriteExt as _, BufReader, stdin, stdout};

use impairments::{End, Impairments};

fn main() -> anyhow::Result<()> {
    let names: Vec<String> = std::env::args().skip(1).collect();
    let [a, b] = names.as_slice() else { bail!("usage: moim-wire INTERFACE INTERFACE") };
    tokio::runtime::Builder::new_current_thread().enable_all().build()?.block_on(run(a, b))
}

async fn run(a: &str, b: &str) -> anyhow::Result<()> {
    let (wire, ends) = Wire::create(a, b)?;
    let control = async {
        let mut lines = BufReader::new(stdin()).lines();
        let mut output = stdout();
        output.write_all(b"ready\n").await?;
        while let Some(line) = lines.next_line().await? {
            let impairments: Impairments =
                serde_json::from_str(&line).with_context(|| line.clone())?;
            for (end, sender) in [(End::A, &ends.a), (End::B, &ends.b)] {
                if impairments.towards.is_none_or(|towards| towards == end) {
                    sender.send_replace(impairments.link());
                }
            }
            output.write_all(b"ok\n").await?;
        }
        Ok(())
    };
    tokio::select! {
        ended = wire.run() => ended,
        ended = control => ended,
    }
}
