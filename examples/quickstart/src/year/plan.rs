//! The year as it will be played: drawn from a seed, before anything is written.

use super::{
    acts::{Case, Plan, What},
    calendar::Calendar,
    dice::Dice,
    kinds::{self, CHANNELS, FAMILY, GIVEN, HOURS, KINDS, Kind, STREETS, WEEKDAYS, ZONES},
};
use chrono::{DateTime, Duration, Utc};
use grc_core::{
    Assignee, Intake, Party, Place, Typed,
    intervention::{Purchase, Work},
    request::{Command, Fire},
};

/// How many inhabitants the town has, and of how many requests a thousand of them tell it in a year.
const INHABITANTS: u64 = 20_000;
const PER_THOUSAND: u64 = 88;

/// What the year is drawn from.
pub(super) const SEED: u64 = 20_260_901;

/// Why the town cannot act, by how often; and that it knows already.
pub(super) const REASONS: [(&str, u64); 3] =
    [("domaine-prive", 40), ("autre-gestionnaire", 35), ("introuvable", 25)];
pub(super) const KNOWN: &str = "deja-signale";

/// What comes of what the town does not deal with.
pub(super) const OUTCOMES: [&str; 2] = ["transmis", "sans-objet"];

/// Why work on site is impossible, by how often.
pub(super) const IMPOSSIBLE: [(&str, u64); 3] =
    [("intemperies", 5), ("acces-impossible", 4), ("materiel-manquant", 2)];

/// Who takes requests in.
pub(super) const DESK: [&str; 2] = ["a-17", "a-18"];

/// How far the logarithm of a delay strays from that of its median.
const SPREAD: f64 = 0.85;

/// The cases of a year.
pub(super) fn cases(seed: u64, calendar: &Calendar) -> Vec<Case> {
    let days = calendar.days();
    let wanted = INHABITANTS * PER_THOUSAND / 1_000 * days / 365;
    let mut cases = Vec::new();
    let mut requests = 0;
    for number in 0.. {
        if requests >= wanted {
            break;
        }
        let case = Drawing { dice: Dice::new(seed, number), calendar, case: Case::default() }.draw();
        requests += case.requests as u64;
        cases.push(case);
    }
    cases
}

/// Drawing one case.
struct Drawing<'a> {
    dice: Dice,
    calendar: &'a Calendar,
    case: Case,
}

fn hours(hours: f64) -> Duration {
    Duration::seconds((hours * 3_600.0).round() as i64)
}

/// Later by a number of minutes.
fn after(at: DateTime<Utc>, minutes: i64) -> DateTime<Utc> {
    at + Duration::minutes(minutes)
}

impl Drawing<'_> {
    fn draw(mut self) -> Case {
        let weights: Vec<(&Kind, u64)> = KINDS.iter().map(|kind| (kind, kind.share)).collect();
        if let Some(kind) = self.dice.weighted(&weights) {
            let (opened, day) = self.opening(kind);
            self.submit(0, kind, opened, day);
            if self.dice.percent(9) {
                self.refuse(kind, opened);
            } else {
                self.handle(kind, opened, day);
            }
        }
        self.case.until(self.calendar.now)
    }

    /// When it comes in: by the season, the weekday and the hour. Answers how far the year is, in thousandths, too.
    fn opening(&mut self, kind: &Kind) -> (DateTime<Utc>, u64) {
        let days = self.calendar.days();
        loop {
            let day = self.dice.below(days);
            let (month, weekday) = self.calendar.month_and_weekday(day);
            let season = kind.seasons.get(month).copied().unwrap_or(10);
            let weekday = WEEKDAYS.get(weekday).copied().unwrap_or(0);
            if self.dice.below(17) < season && self.dice.below(11_090) < weekday {
                let hour = self.dice.weighted(&HOURS).unwrap_or(9);
                let minute = u32::try_from(self.dice.below(60)).unwrap_or(0);
                return (self.calendar.at(day, hour, minute), day * 1_000 / days);
            }
        }
    }

    /// The channel; the desk's own only while somebody is there.
    fn channel(&mut self, opened: DateTime<Utc>, progress: u64) -> &'static str {
        let open = self.calendar.is_open(opened);
        let weights: Vec<(&str, u64)> = CHANNELS
            .iter()
            .filter(|(id, ..)| open || !kinds::is_of_office_hours(id))
            .map(|(id, first, last)| (*id, first * (1_000 - progress) + last * progress))
            .collect();
        self.dice.weighted(&weights).unwrap_or("appli")
    }

    fn submit(&mut self, place: usize, kind: &Kind, opened: DateTime<Utc>, progress: u64) {
        let channel = self.channel(opened, progress);
        let text = self.dice.one(kind.texts).unwrap_or("À voir sur place");
        let mut intake = Intake::new(kind.id, channel).set("description", text).occurred_at(opened).quiet();
        if kind.id == "fuite-eau" {
            let grave = [("suintement", 4), ("ecoulement", 5), ("jaillissement", 1)];
            intake = intake.set("gravite", self.dice.weighted(&grave).unwrap_or("ecoulement"));
        }
        let street = self.dice.one(&STREETS).unwrap_or("rue de la Gare");
        let number = 1 + self.dice.below(90);
        let zone = self.dice.weighted(&ZONES).unwrap_or("centre");
        let (north, east) = (self.dice.unit() - 0.5, self.dice.unit() - 0.5);
        let at = Place::address(&format!("{number} {street}"), "35000", "Saint-Aubin-des-Prés")
            .and_position(48.117 + north * 0.04, -1.677 + east * 0.06)
            .in_zone(zone);
        let party = self.party(channel, number);
        let by = self.dice.one(&DESK).unwrap_or("a-17");
        self.case.act(opened, by, place, What::Submit(Box::new(intake.at(at).party(party))));
    }

    /// Who tells it, and how they want to be answered.
    fn party(&mut self, channel: &str, number: u64) -> Party {
        let given = self.dice.one(&GIVEN).unwrap_or("Anne");
        let family = self.dice.one(&FAMILY).unwrap_or("Martin");
        let digits = self.dice.below(10_000);
        let phone = format!("06 39 98 {:02} {:02}", digits / 100, digits % 100);
        let address = format!("{given}.{family}@example.org").to_lowercase().replace(' ', "-");
        let party = Party::named(given, family);
        let by_mail = match channel {
            "telephone" => 15,
            "guichet" => 25,
            "appli" => 55,
            _ => 90,
        };
        match channel {
            "courrier" => party
                .address(&format!("{number} rue de la Gare"), "35000", "Saint-Aubin-des-Prés")
                .answer_by("courrier"),
            _ if self.dice.percent(by_mail) => party.email(address).answer_by("courriel"),
            _ => party.phone(phone).answer_by("sms"),
        }
    }

    /// Not the town's to deal with: it says why, and closes it.
    fn refuse(&mut self, kind: &Kind, opened: DateTime<Utc>) {
        let reason = self.dice.weighted(&REASONS).unwrap_or("introuvable");
        let at = self.calendar.working(opened + hours(self.dice.log_normal(26.0, SPREAD)));
        let outcome = if reason == "autre-gestionnaire" { "transmis" } else { "sans-objet" };
        let message = match reason {
            "autre-gestionnaire" => "Ce n'est pas à la ville : nous l'avons transmis.",
            "domaine-prive" => "C'est un terrain privé : la ville ne peut pas y intervenir.",
            _ => "Nous sommes passés sans rien trouver.",
        };
        self.reject(0, kind.crew.head, at, reason, outcome, message);
    }

    fn reject(
        &mut self,
        request: usize,
        head: &'static str,
        at: DateTime<Utc>,
        reason: &str,
        outcome: &str,
        message: &str,
    ) {
        self.assess(request, head, at, "non-traitable", Some(reason));
        let fire = Fire::new("rejeter").outcome(outcome).message(message);
        self.case.fire(after(at, 2), head, request, fire);
    }

    fn assess(
        &mut self,
        request: usize,
        head: &'static str,
        at: DateTime<Utc>,
        acceptability: &str,
        reason: Option<&str>,
    ) {
        let assess =
            Command::Assess { acceptability: acceptability.to_owned(), reason: reason.map(str::to_owned) };
        self.case.command(at, head, request, assess);
    }

    /// The usual way: judged, given to a team, worked on, closed, answered.
    fn handle(&mut self, kind: &Kind, opened: DateTime<Utc>, progress: u64) {
        let delay = self.dice.log_normal(kind.median, SPREAD).max(2.0);
        let closing = self.calendar.working(opened + hours(delay));
        let waits = self.dice.log_normal(12.0, 1.0).min(delay * 0.4);
        let given = self.calendar.working(opened + hours(waits));
        let closing = closing.max(after(given, 100));
        self.give(0, kind, given);
        let taken = after(given, 25);
        let taker = self.dice.one(kind.crew.agents).unwrap_or(kind.crew.head);
        if self.dice.percent(45) {
            self.case.command(taken, taker, 0, Command::Take);
            let other = kind.crew.agents.iter().find(|agent| **agent != taker);
            if let Some(other) = other.filter(|_| self.dice.percent(6)) {
                let over =
                    Command::hand_over(Assignee::agent(*other), "Je suis en congé à partir de demain.");
                self.case.command(after(taken, 20), taker, 0, over);
            }
        }
        let between = opened + (closing - opened) * 6 / 10;
        if self.dice.percent(7) {
            let text = Typed::new("Bonjour, où en est ma demande ?");
            let hear = Command::Hear { text, channel: "telephone".to_owned() };
            self.case.command(self.calendar.working(between), "a-17", 0, hear);
            let tell = Command::tell("Votre demande est bien suivie ; nous vous disons dès que c'est fait.");
            self.case.command(after(self.calendar.working(between), 15), "a-17", 0, tell);
        }
        self.duplicates(kind, opened, given, closing, progress);
        // Some are forgotten: it happens, and the figures must show it.
        if self.dice.percent(3) {
            return;
        }
        // The answer comes some hours after the work.
        let signs = self.dice.log_normal(14.0, 0.8).min(delay * 0.2);
        let done = self.calendar.working(closing - hours(signs)).min(closing).max(after(given, 70));
        let served = self.partner(kind, opened, given, closing, progress);
        if self.dice.percent(kind.site) || served.len() > 1 {
            self.on_site(kind, given, done, served, taker);
        } else if self.dice.percent(70) {
            let minutes = self.minutes(kind, 1);
            let work =
                Command::Work { minutes: u32::try_from(minutes).unwrap_or(30), cents: 0, supplier: None };
            self.case.command(after(done, -1), taker, 0, work);
        }
        self.case.fire(done, taker, 0, Fire::new("traiter"));
        self.close(0, kind, closing);
        self.afterwards(kind, taker, closing, delay);
    }

    /// The head of the service finds it acceptable, and gives it to the team.
    fn give(&mut self, request: usize, kind: &Kind, at: DateTime<Utc>) {
        self.assess(request, kind.crew.head, at, "traitable", None);
        let mut fire = Fire::new("confier").to(Assignee::team(kind.crew.team));
        if self.dice.percent(45) {
            fire = fire.message("Votre signalement est confié à une équipe.");
        }
        self.case.fire(after(at, 3), kind.crew.head, request, fire);
    }

    fn close(&mut self, request: usize, kind: &Kind, at: DateTime<Utc>) {
        let fire =
            Fire::new("cloturer").outcome(kind.outcome).message("C'est fait. Merci de votre signalement.");
        self.case.fire(at, kind.crew.head, request, fire);
    }

    /// Others tell the same while it lasts.
    fn duplicates(
        &mut self,
        kind: &Kind,
        opened: DateTime<Utc>,
        given: DateTime<Utc>,
        closing: DateTime<Utc>,
        progress: u64,
    ) {
        let often = if matches!(kind.id, "lampadaire" | "nid-de-poule" | "depot-sauvage" | "fuite-eau") {
            13
        } else {
            7
        };
        while self.dice.percent(often) && self.case.requests < 3 {
            self.case.requests += 1;
            let request = self.case.requests;
            let share = i32::try_from(5 + self.dice.below(80)).unwrap_or(50);
            let told = opened + (closing - opened) * share / 100;
            self.submit(request, kind, told, progress);
            let at = self.calendar.working(told.max(given) + hours(self.dice.log_normal(10.0, 0.7)));
            self.case.act(at, kind.crew.head, request, What::Duplicates(0));
            let message = "C'est déjà signalé : une équipe s'en occupe.";
            self.reject(request, kind.crew.head, after(at, 1), KNOWN, "sans-objet", message);
        }
    }

    /// Another request of another family that is dealt with in the same intervention. Answers what that serves.
    fn partner(
        &mut self,
        kind: &Kind,
        opened: DateTime<Utc>,
        given: DateTime<Utc>,
        closing: DateTime<Utc>,
        progress: u64,
    ) -> Vec<(usize, u32)> {
        let Some(other) = kinds::partner(kind.id).and_then(kinds::kind) else { return vec![(0, 1)] };
        if !self.dice.percent(12) {
            return vec![(0, 1)];
        }
        self.case.requests += 1;
        let request = self.case.requests;
        let told = opened + (given - opened) / 2;
        self.submit(request, other, told, progress);
        self.give(request, other, after(given, 5));
        self.case.fire(after(closing, -15), other.crew.head, request, Fire::new("traiter"));
        self.close(request, other, after(closing, 10));
        vec![(0, 2), (request, 1)]
    }

    fn minutes(&mut self, kind: &Kind, steps: i64) -> i64 {
        let minutes = self.dice.log_normal(kind.minutes, 0.5).round() as i64;
        (minutes.max(10) / steps * steps).max(steps)
    }

    /// Work on site, with what it takes; it may turn out to be impossible the first time.
    fn on_site(
        &mut self,
        kind: &Kind,
        given: DateTime<Utc>,
        done: DateTime<Utc>,
        serves: Vec<(usize, u32)>,
        worker: &'static str,
    ) {
        let head = kind.crew.head;
        let begun = after(done, -75).max(after(given, 15));
        let mut planned = after(given, 12).max(begun - Duration::days(4));
        let tried = self.calendar.working(given + (begun - given) / 2);
        if self.dice.percent(5) && after(given, 20) < tried && after(tried, 30) < begun {
            self.plan(kind, after(given, 10), tried, &serves, None);
            let reason = self.dice.weighted(&IMPOSSIBLE).unwrap_or("intemperies");
            self.case.site(tried, worker, Work::impossible(reason));
            self.case.site(after(tried, 1), worker, Work::spend(15));
            planned = planned.max(after(tried, 20));
        }
        let supplier = self.dice.percent(kind.buys).then(|| self.dice.one(kind.suppliers)).flatten();
        let spent = self.plan(kind, planned, begun, &serves, supplier);
        if self.dice.percent(60) {
            self.case.site(after(planned, 2), worker, Work::Acknowledge);
        }
        self.case.site(begun, worker, Work::Start);
        self.case.site(after(done, -4), worker, Work::spend(spent));
        if let Some(supplier) = supplier {
            let net = self.dice.log_normal(kind.price, 0.5).round() as i64;
            let invoice = format!("F-{}", 1_000 + self.dice.below(9_000));
            let bought = Purchase::net(net).vat_rate(2_000).supplier(supplier).invoice(invoice);
            self.case.site(after(done, -2), head, Work::Buy(bought));
        }
        self.case.site(after(done, -3), worker, Work::done());
    }

    /// Plans it. Answers the minutes that it will really take.
    fn plan(
        &mut self,
        kind: &Kind,
        planned: DateTime<Utc>,
        from: DateTime<Utc>,
        serves: &[(usize, u32)],
        supplier: Option<&'static str>,
    ) -> i64 {
        let spent = self.minutes(kind, 5);
        let thought = self.minutes(kind, 15).max(15);
        let rate = self.calendar.rate(kind.crew.team);
        let price = if supplier.is_some() { (kind.price * 1.2).round() as i64 / 1_000 * 1_000 } else { 0 };
        let plan = Plan {
            serves: serves.to_vec(),
            from,
            until: from + Duration::minutes(thought),
            team: kind.crew.team,
            supplier,
            minutes: thought,
            cents: thought * rate / 60 + price,
        };
        self.case.act(planned, kind.crew.head, 0, What::Plan(Box::new(plan)));
        spent
    }

    /// What comes after the closure: what the requester says of it, and sometimes more work.
    fn afterwards(&mut self, kind: &Kind, worker: &'static str, closed: DateTime<Utc>, delay: f64) {
        if self.dice.percent(4) {
            let told = self.calendar.working(closed + hours(self.dice.log_normal(40.0, 0.6)));
            let text = Typed::new("Ce n'est pas réglé, cela recommence.");
            self.case.command(told, "a-17", 0, Command::Hear { text, channel: "telephone".to_owned() });
            let again = self.calendar.working(told + hours(3.0));
            let fire = Fire::new("reprendre").note("À revoir : le demandeur dit que ce n'est pas réglé.");
            self.case.fire(again, kind.crew.head, 0, fire);
            let done = self.calendar.working(again + hours(delay * 0.4)).max(after(again, 45));
            self.case.fire(done, worker, 0, Fire::new("traiter"));
            self.close(0, kind, after(done, 30));
        } else if self.dice.percent(15) {
            let at = closed + hours(self.dice.log_normal(20.0, 0.8));
            let satisfied = self.dice.percent(84);
            let confirm = What::Do(Box::new(Command::confirm(satisfied, None)));
            self.case.acts.push(super::acts::Act { at, by: None, request: 0, what: confirm });
        }
    }
}
