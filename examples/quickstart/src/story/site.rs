//! Work on site: planned, carried out, paid, and shared by two requests.

use super::{Leak, Stage, words};
use crate::{
    failure::{Failure, Res},
    numbers::euros,
    picture,
};
use chrono::Duration;
use grc_core::{
    Assignee, GrcError, InterventionId, RequestId, Session,
    engine::InterventionView,
    intervention::{Occasion, Planning, Purchase, Work, WorkOrder},
    request::{Command, Fire},
};

/// What the work order is called, where the dashboard is too.
const ORDER: &str = "bon-d-intervention.html";

/// Marc plans it: a window, a team, a supplier, what it is thought to take, what Paul must know.
pub(super) async fn plan(stage: &mut Stage<'_>, leak: &Leak) -> Res<InterventionId> {
    stage.step(10, "Marc planifie l'intervention")?;
    let from = stage.now().to_utc() + Duration::minutes(45);
    let planning = Planning::new(from, from + Duration::hours(3))
        .serving(leak.id)
        .team("fontainiers")
        .agent("a-08")
        .supplier("travaux-publics-martin")
        .estimate(90, "250,00")
        .quote("D-2026-118")
        .instructions(leak.id, "Prendre le collier de 60 ; couper l'eau au regard du 14.");
    let id = stage.agent("a-03").plan(planning).await?.id();
    stage.say("Estimé : 90 min et 250,00 € ; le terrassement est demandé à Travaux publics Martin (devis D-2026-118).")?;
    let order = stage.agent("a-08").work_order(id).await?;
    let path = stage.town.database.folder.join(ORDER);
    std::fs::write(&path, order.to_html()).map_err(|error| Failure::file(&path, error))?;
    stage.say(format!("Le bon d'intervention de Paul (à imprimer : {}) :", path.display()))?;
    for line in lines(&order) {
        stage.say(format!("  {line}"))?;
    }
    stage.say("Le code du portail n'y est pas : la définition le réserve à l'accueil et au responsable.")?;
    Ok(id)
}

/// A work order as lines of text.
fn lines(order: &WorkOrder) -> Vec<String> {
    let who = [&order.team, &order.supplier].into_iter().flatten().cloned().collect::<Vec<_>>();
    let mut lines = vec![
        format!("créneau : {} – {}", order.from, order.until),
        format!("par : {} ; durée prévue : {} min", who.join(", "), order.minutes),
    ];
    for request in &order.requests {
        lines.push(format!("demande : {}, du {}", request.label, request.opened));
        let address = request.address.as_deref().map(|text| text.replace('\n', ", "));
        lines.extend(address.map(|address| format!("lieu : {address}")));
        let contact = [&request.requester, &request.phone].into_iter().flatten().cloned().collect::<Vec<_>>();
        lines.push(format!("demandeur : {}", contact.join(", ")));
        lines.extend(request.fields.iter().map(|(name, value)| format!("{name} {value}")));
        lines.extend(request.instructions.iter().map(|text| format!("consigne : {text}")));
    }
    lines
}

/// Paul carries it out; Marc enters the invoice.
pub(super) async fn work(stage: &mut Stage<'_>, leak: &Leak, id: InterventionId) -> Res<()> {
    stage.step(95, "Paul, fontainier, ouvre la demande sur place")?;
    let paul = stage.agent("a-08");
    let seen = paul.open(leak.id).await?;
    for line in words::seen(&seen) {
        stage.say(format!("  {line}"))?;
    }
    stage.say(
        "Ni le code du portail, ni l'adresse électronique : la définition les réserve à d'autres rôles.",
    )?;
    paul.work_on(id, None, Work::Acknowledge).await?;
    paul.work_on(id, None, Work::Start).await?;
    stage.say(
        "Il a reçu son bon, commence, et prend une photo avant ; une heure et quart plus tard, une après.",
    )?;
    photo(&paul, id, Occasion::Before).await?;
    stage.town.clock.set(stage.now().plus_millis(75 * 60_000));
    photo(&paul, id, Occasion::After).await?;
    let seen = paul.intervention(id).await?;
    paul.work_on(id, Some(seen.version()), Work::spend(75)).await?;
    let seen = paul.open(leak.id).await?;
    paul.act(&seen, Command::note("Joint du branchement changé, à revoir dans une semaine.")).await?;
    paul.work_on(id, None, Work::done_with(leak.id, "Fouille, joint changé, essai d'eau sans fuite."))
        .await?;
    let seen = paul.open(leak.id).await?;
    paul.act(&seen, Fire::new("traiter").set("materiau", "fonte")).await?;
    stage
        .say("Il compte 75 minutes, laisse une note interne, précise le matériau, et dit : travaux faits.")?;
    match paul.work_on(id, None, Work::Buy(Purchase::net("1,00"))).await {
        Err(GrcError::NotPermitted(_)) => {
            stage.say("Il n'entre pas de montants : ce droit n'est pas le sien.")?
        }
        Err(error) => return Err(error.into()),
        Ok(_) => return Err(Failure::new("the story expects a refusal here")),
    }
    stage.say("Marc entre la facture du terrassement : 140,00 € hors taxes, TVA à 20 % :")?;
    let bought =
        Purchase::net("140,00").vat_rate(2_000).item("Terrassement").quote("D-2026-118").invoice("F-77");
    let marc = stage.agent("a-03");
    marc.work_on(id, None, Work::Buy(bought)).await?;
    costs(stage, &marc.intervention(id).await?)
}

async fn photo(by: &Session, id: InterventionId, occasion: Occasion) -> Res<()> {
    let (name, picture) = match occasion {
        Occasion::Before => ("avant.png", picture::puddle()),
        Occasion::After => ("apres.png", picture::dry()),
    };
    let file = by.store_file(None, name, &picture[..]).await?;
    by.work_on(id, None, Work::Photo { request: None, occasion, file }).await?;
    Ok(())
}

/// What an intervention took, entry by entry, and against what was planned.
fn costs(stage: &mut Stage<'_>, seen: &InterventionView) -> Res<()> {
    for entry in seen.entries() {
        let (net, vat) = (entry.net.unwrap_or(0), entry.vat.unwrap_or(0));
        let line = if entry.minutes > 0 {
            format!("temps : {} min, {}", entry.minutes, euros(net))
        } else {
            let (item, invoice) = (entry.item.as_deref(), entry.invoice.as_deref());
            format!(
                "achat : {}, {} HT + {} de TVA, facture {}",
                item.unwrap_or_default(),
                euros(net),
                euros(vat),
                invoice.unwrap_or_default()
            )
        };
        stage.say(format!("  {line}"))?;
    }
    let (planned, spent) = seen.minutes();
    let (foreseen, paid) = seen.cents().unwrap_or((0, 0));
    stage.say(format!(
        "  en tout : {spent} min pour {planned} prévues, {} pour {} prévus",
        euros(paid),
        euros(foreseen)
    ))
}

/// One intervention for the hole and for the street lamp beside it: of two families, and each bears its share.
pub(super) async fn shared(stage: &mut Stage<'_>, hole: RequestId, lamp: RequestId) -> Res<()> {
    stage.step(40, "Un seul chantier pour le nid-de-poule et le lampadaire d'à côté")?;
    let nadia = stage.agent("a-12");
    nadia.act_on(hole, None, Fire::new("confier").to(Assignee::team("chaussee"))).await?;
    let from = stage.now().to_utc() + Duration::minutes(5);
    let planning = Planning::new(from, from + Duration::hours(2))
        .serving_with(hole, 2)
        .serving_with(lamp, 1)
        .team("chaussee")
        .supplier("enrobes-de-l-ouest")
        .estimate(120, "400,00")
        .instructions(lamp, "Reprendre le massif du support L-0412 dans la même fouille.");
    let id = nadia.plan(planning).await?.id();
    stage.say(
        "Nadia planifie une intervention qui sert les deux, de deux familles : la voirie en portera deux parts, l'éclairage une.",
    )?;
    stage.step(90, "L'équipe a fini ; ce que chaque demande en porte")?;
    let field = stage.agent("a-21");
    field.work_on(id, None, Work::Start).await?;
    field.work_on(id, None, Work::spend(85)).await?;
    field.work_on(id, None, Work::done_with(hole, "Enrobé repris.")).await?;
    let bought = Purchase::net("233,33").vat_rate(2_000).item("Enrobé à froid").invoice("2026-0419");
    nadia.work_on(id, None, Work::Buy(bought)).await?;
    let seen = nadia.intervention(id).await?;
    costs(stage, &seen)?;
    for served in seen.served() {
        stage.say(format!(
            "  {} (poids {}) : {} min, {}",
            served.type_,
            served.weight,
            served.minutes,
            euros(served.cents.unwrap_or(0))
        ))?;
    }
    let sum: i64 = seen.served().iter().filter_map(|served| served.cents).sum();
    stage.say(format!("  la somme des parts : {}, au centime près", euros(sum)))?;
    for id in [hole, lamp] {
        nadia.act_on(id, None, Fire::new("traiter")).await?;
    }
    Ok(())
}

/// Taking what the team holds, and handing it over.
pub(super) async fn holding(stage: &mut Stage<'_>, leak: &Leak) -> Res<()> {
    stage.step(20, "Marc la confie à l'équipe ; qui la prend ?")?;
    let (marc, paul, lucie) = (stage.agent("a-03"), stage.agent("a-08"), stage.agent("a-09"));
    marc.act_on(leak.id, None, Fire::new("confier").to(Assignee::team("fontainiers"))).await?;
    let seen = lucie.open(leak.id).await?;
    paul.act_on(leak.id, None, Command::Take).await?;
    stage.say("Paul la prend. Lucie, dont l'écran la montrait libre, la prend aussi :")?;
    match lucie.act(&seen, Command::Take).await {
        Err(GrcError::Conflict(_)) => {
            stage.say("refusé : elle a changé depuis (deux ne la prennent jamais)")?
        }
        Err(error) => return Err(error.into()),
        Ok(_) => return Err(Failure::new("the story expects a refusal here")),
    }
    let over =
        Command::hand_over(Assignee::agent("a-09"), "Je suis sur le chantier de la place jusqu'à ce soir.");
    paul.act_on(leak.id, None, over).await?;
    stage.say("Paul la passe à Lucie, avec la raison ; l'historique la garde.")?;
    let fire = Fire::new("traiter").note("Collier resserré.");
    lucie.act_on(leak.id, None, fire).await?;
    Ok(())
}
