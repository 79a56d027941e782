//! The events of an intervention and its state.

use grc_core::{
    InterventionId,
    intervention::{Intervention, InterventionEvent},
    request::Event,
};

/// Any bytes: lines, each an event; the first may be a stored state instead.
pub fn run(data: &[u8]) -> bool {
    let mut lines = data.split(|byte| *byte == b'\n');
    let stored: Option<Intervention> =
        lines.clone().next().and_then(|line| serde_json::from_slice(line).ok());
    if stored.is_some() {
        lines.next();
    }
    let events: Vec<Event<InterventionEvent>> =
        lines.take(256).filter_map(|line| Event::from_bytes(line).ok()).collect();
    for event in &events {
        if let Ok(bytes) = event.to_bytes() {
            assert_eq!(Event::from_bytes(&bytes).as_ref(), Ok(event), "an event that is written anew");
        }
        let _ = event.data.touches();
    }
    let state = match stored {
        Some(mut state) => {
            for event in &events {
                let _ = state.apply(event);
            }
            Some(state)
        }
        None => Intervention::fold(InterventionId::from_uuid(Default::default()), &events).ok().flatten(),
    };
    let Some(state) = state else { return false };
    assert_eq!(state.shares().len(), state.requests.len());
    let _ = (state.minutes_spent(), state.cents_spent(), state.facts(), state.is_open());
    if let Ok(bytes) = grc_core::canonical::to_bytes(&state) {
        assert_eq!(serde_json::from_slice::<Intervention>(&bytes).ok(), Some(state));
    }
    true
}
