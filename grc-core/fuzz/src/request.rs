//! The events of a request and its state.

use grc_core::{
    RequestId,
    conformance::fuzzing,
    request::{Event, Measure, Request, RequestEvent},
};

/// Any bytes: lines, each an event; the first may be a stored state instead.
pub fn run(data: &[u8]) -> bool {
    let mut lines = data.split(|byte| *byte == b'\n');
    let mut request: Option<Request> =
        lines.clone().next().and_then(|line| serde_json::from_slice(line).ok());
    if request.is_some() {
        lines.next();
    }
    for line in lines.take(256) {
        let Ok(event) = Event::<RequestEvent>::from_bytes(line) else { continue };
        if let Ok(bytes) = event.to_bytes() {
            assert_eq!(Event::from_bytes(&bytes).as_ref(), Ok(&event), "an event that is written anew");
        }
        let _ = (event.data.touches(), format!("{event:?}"));
        match &mut request {
            None => request = Request::begin(RequestId::from_uuid(Default::default()), &event).ok(),
            Some(request) => {
                let _ = request.apply(&event);
            }
        }
    }
    let Some(request) = request else { return false };
    for point in [None, Some((i32::MIN, i32::MAX))] {
        let measure = Measure::of(&request, point);
        assert_eq!(Measure::from_bytes(&measure.to_bytes()).as_ref(), Ok(&measure));
    }
    let _ = (request.is_closed(), request.requester());
    if let Ok(bytes) = grc_core::canonical::to_bytes(&request) {
        assert_eq!(serde_json::from_slice::<Request>(&bytes).ok().as_ref(), Some(&request));
        assert!(fuzzing::outlined(&bytes, request), "what a list reads of it");
    }
    true
}
