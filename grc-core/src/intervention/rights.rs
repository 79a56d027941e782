//! Who may do what with an intervention: through a request that it serves, or as one of those who do it.

use super::{Intervention, Served};
use crate::{
    RequestId,
    definition::{Action, Organisation, Procedure},
    request::{Acting, Holding, Request},
};

/// A request as those hold it who do the work: its own holders, and the service, team and agents of the intervention.
fn held_for<'a>(intervention: &'a Intervention, request: &'a Request) -> Holding<'a> {
    let mut held = Holding::of(request);
    held.services.extend(&intervention.service);
    held.teams.extend(&intervention.team);
    held.agents.extend(&intervention.agents);
    held
}

/// Whether an actor may do something with an intervention. Who does the work has on each request that it serves the
/// rights that they would have if they held it, for this intervention only. A citizen sees what comes of their own request,
/// and nothing of how the authority does it, whatever is granted to them.
pub(crate) fn may_on(
    acting: &Acting,
    organisation: &Organisation,
    action: Action,
    intervention: &Intervention,
    served: &[Served<'_>],
) -> bool {
    // Those that it is only to serve give no right on it.
    let serves = |id: RequestId| intervention.requests.iter().any(|served| served.request == id.uuid());
    let mut served = served.iter().map(|served| served.request).filter(|request| serves(request.id));
    served.any(|request| may_for(acting, organisation, action, intervention, request))
}

/// Whether an actor may do something for one of the requests that it serves. Of the others, what is theirs neither
/// shows nor is written.
pub(crate) fn may_for(
    acting: &Acting,
    organisation: &Organisation,
    action: Action,
    intervention: &Intervention,
    request: &Request,
) -> bool {
    let held = held_for(intervention, request);
    let may =
        |action| acting.may_held(organisation, action, &request.type_, request.family.as_ref(), Some(&held));
    !acting.is_citizen() && may(Action::See) && may(action)
}

/// Whether an explicit list of writers lets an actor write about a request: as one of those who do the work too.
pub(crate) fn writes_on(
    acting: &Acting,
    procedure: &Procedure,
    path: &str,
    intervention: Option<&Intervention>,
    request: &Request,
) -> bool {
    let held = match intervention {
        Some(intervention) => held_for(intervention, request),
        None => Holding::of(request),
    };
    acting.may_write_held(procedure, path, &held)
}

/// Whether an actor may read a value of a request on the work order.
pub(crate) fn reads_on(
    acting: &Acting,
    procedure: &Procedure,
    path: &str,
    intervention: &Intervention,
    request: &Request,
) -> bool {
    acting.reads_held(procedure, path, Some(&held_for(intervention, request)))
}
