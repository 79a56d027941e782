//! The history, the figures, the forgetting.

use super::{Leak, Stage, words};
use crate::{failure::Res, figures};
use grc_core::{
    Actor, Assignee, Budget, Intake, Party, Place, RequestId,
    insight::{Figures, Question},
    request::Fire,
};

/// Some other requests, so that there is something to count.
pub(super) async fn others(stage: &mut Stage<'_>) -> Res<(RequestId, RequestId)> {
    stage.step(30, "Pendant ce temps, d'autres demandes arrivent")?;
    let citizen = stage.authority.session(Actor::citizen());
    let hole = citizen
        .submit(
            Intake::new("nid-de-poule", "appli")
                .set("description", "Trou profond sur la piste cyclable")
                .at(Place::position(48.1159, -1.6811))
                .party(Party::named("Yann", "Morel").email("yann.morel@example.org")),
        )
        .await?;
    stage.say(format!("par l'application, un nid-de-poule : code {}", hole.tracking_code()))?;
    let claire = stage.agent("a-17");
    let lamp = claire
        .submit(
            Intake::new("lampadaire", "guichet")
                .set("description", "Éteint depuis trois nuits")
                .set("numero", "L-0412")
                .at(Place::address("3 place de la Mairie", "35000", "Saint-Aubin-des-Prés")),
        )
        .await?;
    stage.say("au guichet, un lampadaire en panne, sans nom de demandeur")?;
    let nadia = stage.agent("a-12");
    let seen = nadia.open(lamp.id()).await?;
    nadia.act(&seen, Fire::new("confier").to(Assignee::team("electriciens"))).await?;
    stage.say("Nadia confie le lampadaire aux électriciens ; le nid-de-poule attend.")?;
    Ok((hole.id(), lamp.id()))
}

pub(super) async fn history(stage: &mut Stage<'_>, leak: &Leak) -> Res<()> {
    stage.step(30, "L'historique de la fuite, tel que Claire le voit")?;
    let entries = stage.agent("a-17").history(leak.id).await?;
    for entry in &entries {
        let line = words::entry(entry, stage.zone);
        stage.say(line)?;
    }
    Ok(())
}

pub(super) async fn figures(stage: &mut Stage<'_>) -> Res<Figures> {
    stage.step(5, "Les chiffres, pour la direction générale")?;
    let found = stage.agent("a-01").figures(&Question::all()).await?;
    figures::print(stage.out, &found)?;
    Ok(found)
}

async fn verify(stage: &mut Stage<'_>, id: RequestId) -> Res<()> {
    let verdict = stage.authority.host("controle").verify(id).await?;
    stage.say(format!(
        "Vérification de la chaîne : {} événements, {} engagements comparés à leur valeur, {} problème{}",
        verdict.events,
        verdict.opened,
        verdict.problems.len(),
        if verdict.problems.len() > 1 { "s" } else { "" }
    ))?;
    verdict.problems.iter().try_for_each(|problem| stage.say(format!("  ! {problem}")))
}

pub(super) async fn forget(stage: &mut Stage<'_>, leak: &Leak, before: &Figures) -> Res<()> {
    stage.step(5, "Avant l'oubli")?;
    verify(stage, leak.id).await?;
    let closed = stage.agent("a-17").open(leak.id).await?.closed_at().unwrap_or_else(|| stage.now());
    let due = closed.plus_months(3, stage.zone);
    let minutes = (due.micros() - stage.now().micros()) / 60_000_000 + 1;
    stage.step(minutes, "Trois mois après la clôture : l'horloge de démonstration est avancée, puis le programme fait ce qui est dû")?;
    let host = stage.authority.host("conservation");
    let report = host.work(None, Budget::ALL).await?;
    host.work(None, Budget::ALL).await?;
    stage.say(format!(
        "{} demande anonymisée, {} effacements dont les clés sont détruites (les siennes, et celle de ce qui a été acheté pour elle)",
        report.anonymised, report.destroyed
    ))?;
    host.scrub().await?;
    if stage.holder(leak).follow().await.is_err() {
        stage.say("Le code de suivi d'Anne ne mène plus nulle part.")?;
    }
    stage.say("Ce qui reste, pour Claire :")?;
    let seen = stage.agent("a-17").open(leak.id).await?;
    for line in words::seen(&seen) {
        stage.say(format!("  {line}"))?;
    }
    stage.say(format!(
        "  messages : {} ; pièces jointes : {} ; l'historique garde qui a fait quoi, sans les textes",
        seen.messages().len(),
        seen.files().len()
    ))?;
    verify(stage, leak.id).await?;
    let after = stage.authority.host("chiffres").figures(&Question::all()).await?;
    let same = Figures { anonymised: before.anonymised, ..after.clone() } == *before;
    stage.say(if same {
        format!(
            "Les chiffres sont les mêmes qu'avant, à ceci près : {} demande anonymisée.",
            after.anonymised
        )
    } else {
        "Les chiffres ont changé : c'est un défaut.".to_owned()
    })
}
