//! From the call to the reopening.

use super::{Leak, Stage, words};
use crate::{
    failure::{Failure, Res},
    picture,
};
use grc_core::{
    Assignee, Budget, GrcError, Intake, Party, Place,
    engine::RecordingTransport,
    request::{Command, Fire},
};

/// Shows a refusal that the story wants; anything else is a failure.
fn show(stage: &mut Stage<'_>, error: &GrcError) -> Res<()> {
    match error.refusal() {
        Some(refusal) => words::refusal(refusal).into_iter().try_for_each(|line| stage.say(line)),
        None => Err(Failure::new(error.to_string())),
    }
}

fn not_refused() -> Failure {
    Failure::new("the story expects a refusal here: the definition grants more than the built-in one")
}

pub(super) async fn call(stage: &mut Stage<'_>) -> Res<Leak> {
    stage.step(
        1,
        "Anne Le Gall appelle : de l'eau coule devant le 12. Claire, à l'accueil, prend la demande",
    )?;
    let claire = stage.agent("a-17");
    let intake = || {
        Intake::new("fuite-eau", "telephone")
            .set("gravite", "ecoulement")
            .set("code-portail", "A1234")
            .at(Place::address("12 rue des Lilas", "35000", "Saint-Aubin-des-Prés")
                .and_position(48.117_266, -1.677_793))
    };
    stage.say("Elle valide trop vite, sans description et avec un numéro incomplet :")?;
    let party = || Party::named("Anne", "Le Gall").email("anne.legall@example.org").answer_by("sms");
    match claire.submit(intake().party(party().phone("06 39 98"))).await {
        Ok(_) => return Err(not_refused()),
        Err(error) => show(stage, &error)?,
    }
    stage.say("Elle complète, et joint la photo qu'Anne a envoyée :")?;
    let photo = picture::puddle();
    let photo = claire.store_file(Some("photo"), "fuite.png", &photo[..]).await?;
    let leak = claire
        .submit(
            intake()
                .set("description", "Eau qui coule devant le 12, depuis ce matin")
                .party(party().phone("06 39 98 12 34"))
                .file(photo),
        )
        .await?;
    let leak = Leak { id: leak.id(), code: leak.tracking_code().clone() };
    stage.say(format!("Ce que Claire dicte à Anne : son code de suivi, {}", leak.code))?;
    let seen = stage.holder(&leak).follow().await?;
    let promise = seen.target().map_or_else(String::new, |target| {
        format!(" ; promis pour le {}", words::moment(target, stage.zone))
    });
    stage.say(format!("Ce qu'Anne lit avec ce code : « {} »{promise}", seen.stage().get("fr")))?;
    Ok(leak)
}

pub(super) async fn who_sees_what(stage: &mut Stage<'_>, leak: &Leak) -> Res<()> {
    stage.step(20, "Qui voit quoi")?;
    stage.say("Marc, responsable de l'eau :")?;
    let seen = stage.agent("a-03").open(leak.id).await?;
    for line in words::seen(&seen) {
        stage.say(format!("  {line}"))?;
    }
    stage.say("Nadia, responsable de la voirie (un autre service) :")?;
    match stage.agent("a-12").open(leak.id).await {
        Ok(_) => Err(not_refused()),
        Err(GrcError::NotFound) => {
            stage.say("  pour elle, cette demande n'existe pas (l'erreur est la même que si elle n'existait vraiment pas)")
        }
        Err(error) => Err(error.into()),
    }
}

pub(super) async fn what_may_be_done(stage: &mut Stage<'_>, leak: &Leak) -> Res<()> {
    stage.step(5, "Ce que Marc peut faire maintenant, et pourquoi pas le reste")?;
    let marc = stage.agent("a-03");
    let seen = marc.open(leak.id).await?;
    for choice in seen.choices() {
        if choice.blocked.is_empty() {
            let asks: Vec<&str> = choice.asks.iter().map(|ask| words::ask(*ask)).collect();
            let asks =
                if asks.is_empty() { String::new() } else { format!(" (en donnant {})", asks.join(" et ")) };
            stage.say(format!("✓ {}{asks}", choice.label.get("fr")))?;
        }
        for problem in &choice.blocked {
            let label = choice.label.get("fr");
            stage.say(format!("✗ {label} : {} (code `{}`)", problem.message, problem.code))?;
        }
    }
    stage.say("Il clôture d'emblée, alors que rien n'est fait :")?;
    match marc.act(&seen, Fire::new("cloturer").outcome("repare").message("C'est réparé.")).await {
        Ok(_) => return Err(not_refused()),
        Err(error) => show(stage, &error)?,
    }
    stage.say(
        "Il la confie à Paul, et prévient Anne ; le SMS attend dans la base, dans la même transaction :",
    )?;
    marc.act(&seen, Fire::new("confier").to(Assignee::agent("a-08")).message("Une équipe passe ce matin."))
        .await?;
    match marc.act(&seen, Fire::new("confier").to(Assignee::team("fontainiers"))).await {
        Err(GrcError::Conflict(conflict)) => stage.say(format!(
            "Un second clic sur l'écran déjà ouvert ne passe pas : la demande a changé ({})",
            conflict.changed.join(", ")
        ))?,
        Ok(_) => return Err(not_refused()),
        Err(error) => show(stage, &error)?,
    }
    deliver(stage).await
}

/// Delivers what waits. The transport records and sends nothing.
async fn deliver(stage: &mut Stage<'_>) -> Res<()> {
    let transport = RecordingTransport::new();
    let report = stage.authority.host("facteur").work(Some(&transport), Budget::ALL).await?;
    stage.say(format!(
        "Le programme remet ce qui attend : {} message{} (transport d'essai, rien ne part)",
        report.sent,
        if report.sent > 1 { "s" } else { "" }
    ))?;
    for outgoing in transport.given() {
        let (to, text) = (outgoing.to.expose().to_string(), outgoing.text.expose().to_string());
        stage.say(format!("  {} au {to} : « {text} »", outgoing.channel))?;
    }
    Ok(())
}

pub(super) async fn close_and_tell(stage: &mut Stage<'_>, leak: &Leak) -> Res<()> {
    stage.step(60, "Marc clôture et répond")?;
    let marc = stage.agent("a-03");
    let seen = marc.open(leak.id).await?;
    let fire = Fire::new("cloturer").outcome("repare").message("La fuite est réparée. Merci de votre appel.");
    marc.act(&seen, fire).await?;
    deliver(stage).await?;
    let seen = stage.holder(leak).follow().await?;
    stage.say(format!("Ce qu'Anne lit avec son code : « {} »", seen.stage().get("fr")))?;
    for message in seen.messages() {
        let state = if message.status.as_ref().is_some_and(|status| *status == "sent") {
            "remis"
        } else {
            "en attente"
        };
        stage.say(format!("  {} ({state}) : « {} »", message.channel, message.text))?;
    }
    stage.say(format!(
        "Elle ne voit ni note interne ({}), ni agent ({}).",
        seen.notes().len(),
        u8::from(seen.agent().is_some())
    ))
}

pub(super) async fn reopen(stage: &mut Stage<'_>, leak: &Leak) -> Res<()> {
    stage.step(2 * 24 * 60, "Deux jours après, Anne rouvre la demande")?;
    let anne = stage.holder(leak);
    let seen = anne.follow().await?;
    for choice in seen.choices() {
        stage.say(format!("Ce qu'elle peut faire : {}", choice.label.get("fr")))?;
    }
    anne.act(&seen, Fire::new("rouvrir").message("Ça coule encore un peu.")).await?;
    super::site::holding(stage, leak).await?;
    stage.step(60, "Marc clôture pour de bon")?;
    let marc = stage.agent("a-03");
    let seen = marc.open(leak.id).await?;
    let message = "Le raccord a été repris, il n'y a plus de fuite.";
    marc.act(&seen, Fire::new("cloturer").outcome("repare").message(message)).await?;
    deliver(stage).await?;
    stage.step(24 * 60, "Le lendemain, Anne confirme")?;
    let anne = stage.holder(leak);
    let seen = anne.follow().await?;
    anne.act(&seen, Command::confirm(true, Some("C'est sec, merci."))).await?;
    let seen = stage.agent("a-03").open(leak.id).await?;
    stage.say(format!(
        "Trois faits, que rien ne confond : la suite ({}), la clôture ({}), l'avis d'Anne ({})",
        seen.outcome().map_or("", |outcome| outcome.as_str()),
        seen.closed_at().map_or_else(String::new, |at| words::moment(at, stage.zone)),
        seen.confirmation().map_or("", |said| said.as_str())
    ))
}
