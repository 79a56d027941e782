//! Every event that is stored, as the store has it.

use crate::{errand::TOWN, run::Scene};
use grc_core::{
    BatchId,
    storage::{EventRange, Log, StoreInfo, StreamKey},
};
use serde_json::Value as Json;

/// An event, with where it stands.
#[derive(Debug, Clone)]
pub(crate) struct Told {
    pub(crate) stream: StreamKey,
    pub(crate) sequence: u64,
    pub(crate) batch: BatchId,
    pub(crate) body: Vec<u8>,
    pub(crate) json: Json,
}

impl Told {
    pub(crate) fn kind(&self) -> &str {
        self.json["kind"].as_str().unwrap_or_default()
    }

    pub(crate) fn number(&self, name: &str) -> i64 {
        self.json[name].as_i64().unwrap()
    }
}

/// All events of the town, stream by stream, in order.
pub(crate) async fn read(scene: &Scene) -> Vec<Told> {
    let streams: Vec<StreamKey> = scene.world.lock().shadow.streams.keys().cloned().collect();
    let mut out = Vec::new();
    for stream in streams.into_iter().filter(|stream| stream.authority == *TOWN) {
        let mut after = 0;
        loop {
            let (log, limit) = (Log::History, StoreInfo::MAX_PAGE);
            let range = EventRange { stream: stream.clone(), log, after, limit };
            let page = scene.places.near.store.events(&range).await.unwrap();
            let Some(last) = page.last() else { break };
            after = last.sequence;
            out.extend(page.into_iter().map(|event| Told {
                stream: stream.clone(),
                sequence: event.sequence,
                batch: event.batch,
                json: serde_json::from_slice(&event.body).unwrap(),
                body: event.body,
            }));
        }
    }
    out
}
