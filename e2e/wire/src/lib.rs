//! A link between two network namespaces with delay, loss and a bottleneck, for kernels without
//! netem.

mod direction;

use std::sync::Arc;

use anyhow::Context as _;
use testnet::Link;
use tokio::sync::watch;
use tun_rs::{AsyncDevice, DeviceBuilder, Layer};

use direction::Direction;

/// Two Ethernet interfaces: frames sent on one are received on the other.
pub struct Wire {
    towards_a: Direction,
    towards_b: Direction,
}

/// Changes the impairments of a [`Wire`], towards each of its ends.
pub struct Ends {
    /// Of frames that travel to the first interface.
    pub a: watch::Sender<Link>,
    /// Of frames that travel to the second interface.
    pub b: watch::Sender<Link>,
}

impl Wire {
    /// Creates two interfaces with these names, without impairments. The caller moves them to
    /// their namespaces. Needs a runtime of tokio.
    ///
    /// # Errors
    ///
    /// The interfaces can't be created, which needs root.
    pub fn create(a: &str, b: &str) -> anyhow::Result<(Self, Ends)> {
        let interface_a = create_interface(a)?;
        let interface_b = create_interface(b)?;
        let (towards_b, sender_b) =
            Direction::new(Arc::clone(&interface_a), Arc::clone(&interface_b), 1);
        let (towards_a, sender_a) = Direction::new(interface_b, interface_a, 2);
        Ok((Self { towards_a, towards_b }, Ends { a: sender_a, b: sender_b }))
    }

    /// Carries frames until an interface is removed.
    ///
    /// # Errors
    ///
    /// An interface fails.
    pub async fn run(self) -> anyhow::Result<()> {
        tokio::select! {
            ended = self.towards_b.run() => ended,
            ended = self.towards_a.run() => ended,
        }
    }
}

/// Creates an interface that is down and without addresses: moving it would reset both.
fn create_interface(name: &str) -> anyhow::Result<Arc<AsyncDevice>> {
    let device = DeviceBuilder::new().name(name).layer(Layer::L2).enable(false).build_async();
    Ok(Arc::new(device.with_context(|| format!("interface {name} (this needs root)"))?))
}
