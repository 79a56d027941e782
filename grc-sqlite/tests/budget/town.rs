//! A town that receives requests, whose costs are counted.

use grc_core::{
    Actor, Assignee, Definition, Grc, Intake, ManualClock, Moment, Party, Place, RequestId, SeededEntropy,
    Session, Stores, request::Fire,
};
use pollster::block_on;
use std::{path::Path, sync::Arc};

pub(crate) struct Town {
    takes: Session,
    deals: Session,
}

impl Town {
    pub(crate) fn on(stores: Stores) -> Self {
        let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../examples/quickstart/town");
        let definition = Definition::from_dir(path).unwrap_or_else(|error| panic!("{error}"));
        let clock = Arc::new(ManualClock::at(Moment::from_micros(1_767_222_000_000_000)));
        let town = block_on(async {
            let grc = Grc::with(stores, clock, Arc::new(SeededEntropy::new(1))).await.unwrap();
            let town = grc.authority("town").unwrap();
            town.host("set-up").publish(&definition).await.unwrap();
            town
        });
        Self { takes: town.session(Actor::agent("a-17")), deals: town.session(Actor::agent("a-03")) }
    }

    pub(crate) fn submit(&self, n: usize) -> RequestId {
        let intake = Intake::new("fuite-eau", "telephone")
            .set(
                "description",
                "De l'eau coule devant le numéro 12 depuis ce matin, le trottoir est glissant.",
            )
            .set("gravite", "ecoulement")
            .at(Place::address(&format!("{n} rue des Lilas"), "35000", "Saint-Aubin-des-Prés"))
            .party(Party::named("Anne", "Le Gall").phone(format!("06 39 98 {n:02} 34")).answer_by("sms"));
        block_on(self.takes.submit(intake)).unwrap().id()
    }

    pub(crate) fn assign(&self, id: RequestId) {
        let fire = Fire::new("confier").to(Assignee::agent("a-08"));
        block_on(self.deals.act_on(id, None, fire)).unwrap();
    }
}
