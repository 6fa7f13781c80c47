//! QUIC's congestion control, switched off. Its window and pacer would queue a burst of keyframes;
//! media has a rate of its own, which the receiver lowers.

use std::{any::Any, sync::Arc, time::Instant};

use quinn_proto::congestion::{Controller, ControllerFactory};

/// Above `u32::MAX`, from which on quinn does not pace either.
const WINDOW: u64 = u64::MAX / 4;

/// A congestion window without end.
#[derive(Debug, Clone)]
pub(crate) struct Unlimited;

impl Controller for Unlimited {
    fn on_congestion_event(&mut self, _: Instant, _: Instant, _: bool, _: u64) {}

    fn on_mtu_update(&mut self, _: u16) {}

    fn window(&self) -> u64 {
        WINDOW
    }

    fn clone_box(&self) -> Box<dyn Controller> {
        Box::new(Self)
    }

    fn initial_window(&self) -> u64 {
        WINDOW
    }

    fn into_any(self: Box<Self>) -> Box<dyn Any> {
        self
    }
}

impl ControllerFactory for Unlimited {
    fn build(self: Arc<Self>, _: Instant, _: u16) -> Box<dyn Controller> {
        Box::new(Self)
    }
}
