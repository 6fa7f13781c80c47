//! QUIC's congestion control, switched off. Its window and pacer would queue a burst of keyframes;
//! media has a rate of its own, which the receiver lowers.

use std::{any::Any, sync::Arc, time::Instant};

use quinn_proto::{
    Connection,
    congestion::{Controller, ControllerFactory},
};

/// Above `u32::MAX`, from which on quinn does not pace either.
const WINDOW: u64 = u64::MAX / 4;

/// A congestion window without end.
#[derive(Debug, Clone, Default)]
pub(crate) struct Unlimited {
    /// Acknowledgements of anything that was not acknowledged yet.
    pub(crate) acks: u64,
    /// Bytes that were not acknowledged, nor lost, at the last of them.
    pub(crate) in_flight: u64,
}

impl Unlimited {
    /// The state of a connection, which must have this controller.
    pub(crate) fn of(connection: &Connection) -> Self {
        let state = connection.congestion_state().clone_box().into_any().downcast();
        state.map(|state| *state).unwrap_or_default()
    }
}

impl Controller for Unlimited {
    fn on_end_acks(&mut self, _: Instant, in_flight: u64, _: bool, _: Option<u64>) {
        self.acks += 1;
        self.in_flight = in_flight;
    }

    fn on_congestion_event(&mut self, _: Instant, _: Instant, _: bool, _: u64) {}

    fn on_mtu_update(&mut self, _: u16) {}

    fn window(&self) -> u64 {
        WINDOW
    }

    fn clone_box(&self) -> Box<dyn Controller> {
        Box::new(self.clone())
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
        Box::new(Self::default())
    }
}
