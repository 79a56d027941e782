//! A water leak from the call to the forgetting, played step by step, in French.

mod acts;
mod after;
mod site;
mod words;

use crate::{
    database::Database,
    failure::{Failure, Res},
    place::Place,
    town::{TOWN, Town},
};
use chrono::{Datelike, Duration, TimeZone, Utc};
use chrono_tz::Tz;
use grc_core::{Actor, Authority, Definition, Moment, RequestId, Session, TrackingCode, Word};
use std::io::Write;

/// What the story needs of a definition, beside the words that its acts say.
const TYPES: [&str; 3] = ["fuite-eau", "nid-de-poule", "lampadaire"];

/// The stage on which it is played.
pub(crate) struct Stage<'a> {
    out: &'a mut (dyn Write + Send),
    town: &'a Town,
    authority: Authority,
    zone: Tz,
    step: u32,
}

/// The request that the story is about.
pub(crate) struct Leak {
    id: RequestId,
    code: TrackingCode,
}

impl Stage<'_> {
    fn now(&self) -> Moment {
        self.town.grc.now()
    }

    /// A new step, so many minutes later.
    fn step(&mut self, minutes: i64, title: &str) -> Res<()> {
        self.town.clock.set(self.now().plus_millis(minutes * 60_000));
        self.step += 1;
        let when = words::moment(self.now(), self.zone);
        writeln!(self.out, "\n{}. {title}   [{when}]", self.step)?;
        Ok(())
    }

    fn say(&mut self, text: impl AsRef<str>) -> Res<()> {
        writeln!(self.out, "   {}", text.as_ref())?;
        Ok(())
    }

    fn agent(&self, id: &str) -> Session {
        self.authority.session(Actor::agent(id))
    }

    fn holder(&self, leak: &Leak) -> Session {
        self.authority.session(Actor::holder(leak.code.clone()))
    }
}

/// A Monday at nine, four months ago: so that three months later is over too, and nothing is in the future of who goes
/// on with the file.
fn begin(now: Moment, zone: Tz) -> Moment {
    let day = now.day(zone) - Duration::days(120);
    let monday = day - Duration::days(day.weekday().num_days_from_monday().into());
    let local = monday.and_hms_opt(9, 2, 0).unwrap_or_default();
    zone.from_local_datetime(&local)
        .earliest()
        .map_or_else(|| local.and_utc(), |at| at.with_timezone(&Utc))
        .into()
}

/// Plays it, four months before now. The clock stands where it ends.
pub(crate) async fn play(
    town: &Town,
    definition: &Definition,
    now: Moment,
    out: &mut (dyn Write + Send),
) -> Res<()> {
    let zone = definition.organisation.time_zone;
    let missing: Vec<&str> =
        TYPES.into_iter().filter(|type_| !definition.procedures.contains_key(*type_)).collect();
    if !missing.is_empty() {
        return Err(Failure::usage(format!(
            "the definition is well formed, but the story needs the types `{}`: begin with a copy of \
             examples/quickstart/town",
            missing.join("`, `")
        )));
    }
    let authority = town.grc.authority(TOWN)?;
    town.clock.set(begin(now, zone));
    let mut stage = Stage { out, town, authority, zone, step: 0 };
    writeln!(stage.out, "Une fuite d'eau, de l'appel à l'oubli")?;
    writeln!(stage.out, "=====================================")?;
    stage.say(format!("La base : {} ; ses clés, à part : {}", town.database.place, town.database.keys))?;
    stage.say("L'horloge du moteur est une horloge de démonstration : elle est avancée à la main, d'étape en étape.")?;
    publish(&mut stage, definition).await?;
    let leak = acts::call(&mut stage).await?;
    acts::who_sees_what(&mut stage, &leak).await?;
    acts::what_may_be_done(&mut stage, &leak).await?;
    let intervention = site::plan(&mut stage, &leak).await?;
    site::work(&mut stage, &leak, intervention).await?;
    acts::close_and_tell(&mut stage, &leak).await?;
    acts::reopen(&mut stage, &leak).await?;
    let (hole, lamp) = after::others(&mut stage).await?;
    site::shared(&mut stage, hole, lamp).await?;
    after::history(&mut stage, &leak).await?;
    let before = after::figures(&mut stage).await?;
    after::forget(&mut stage, &leak, &before).await
}

async fn publish(stage: &mut Stage<'_>, definition: &Definition) -> Res<()> {
    stage.step(0, "La ville publie sa définition")?;
    let published = stage.authority.host("mise-en-place").publish(definition).await?;
    let language = &definition.organisation.language;
    let names = |labels: Vec<&str>| labels.join(", ");
    stage.say(format!(
        "{}, version {} de l'organisation",
        definition.organisation.label.get(language),
        published.organisation
    ))?;
    stage.say(format!(
        "services : {}",
        names(definition.organisation.services.iter().map(|service| service.label.get(language)).collect())
    ))?;
    stage.say(format!(
        "natures de demandes : {}",
        names(definition.procedures.values().map(|procedure| procedure.label.get(language)).collect())
    ))?;
    stage.say(
        "Un défaut dans ces fichiers serait dit avec son code, son chemin et un conseil, tous à la fois ;",
    )?;
    stage.say("rien ne serait publié.")
}

/// What to try next.
pub(crate) fn what_next(database: &Database, out: &mut (dyn Write + Send)) -> Res<()> {
    let again = database.options();
    writeln!(out, "À essayer ensuite :")?;
    writeln!(out, "  cargo run --release -p quickstart -- {again} --json")?;
    writeln!(out, "  cargo run --release -p quickstart -- {again} --retention-at 2031-01-01")?;
    writeln!(
        out,
        "  cargo run --release -p quickstart -- --csv export.csv --mapping examples/quickstart/mappings/personal.toml"
    )?;
    writeln!(
        out,
        "  cargo run --release -p quickstart -- --definition examples/quickstart/town    (à modifier)"
    )?;
    if matches!(database.place, Place::Server(_)) {
        writeln!(out, "(« … » : le mot de passe, qui n'est jamais affiché)")?;
    }
    Ok(())
}

/// Who is behind an agent's id: known here, not in the database.
fn who(id: &Word) -> &'static str {
    match id.as_str() {
        "a-17" => "Claire, à l'accueil",
        "a-03" => "Marc, responsable de l'eau",
        "a-08" => "Paul, fontainier",
        "a-09" => "Lucie, fontainière",
        "a-12" => "Nadia, responsable de la voirie",
        _ => "un agent",
    }
}
