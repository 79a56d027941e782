//! A work order as a page to be printed: one file, no script, nothing fetched.

use super::{OrderRequest, WorkOrder};
use std::fmt::Write;

/// The words of the page.
struct Words {
    title: &'static str,
    when: &'static str,
    who: &'static str,
    estimate: &'static str,
    minutes: &'static str,
    opened: &'static str,
    place: &'static str,
    requester: &'static str,
    instructions: &'static str,
    report: &'static str,
    time: &'static str,
    begun: &'static str,
    ended: &'static str,
    signature: &'static str,
}

const FRENCH: Words = Words {
    title: "Bon d'intervention",
    when: "Créneau prévu",
    who: "Réalisé par",
    estimate: "Durée prévue",
    minutes: "min",
    opened: "Demande du",
    place: "Lieu",
    requester: "Demandeur",
    instructions: "Consignes",
    report: "Compte rendu",
    time: "Temps passé",
    begun: "Début",
    ended: "Fin",
    signature: "Date et signature",
};

const ENGLISH: Words = Words {
    title: "Work order",
    when: "Planned window",
    who: "Done by",
    estimate: "Planned time",
    minutes: "min",
    opened: "Request of",
    place: "Place",
    requester: "Requester",
    instructions: "Instructions",
    report: "Report",
    time: "Time spent",
    begun: "Begun",
    ended: "Ended",
    signature: "Date and signature",
};

const STYLE: &str = "body{font:11pt/1.4 sans-serif;margin:2cm;color:#000}h1{font-size:16pt;margin:0}\
h2{font-size:12pt;border-top:1px solid #000;padding-top:.3cm;margin-top:.6cm;break-after:avoid}\
section{break-inside:avoid}table{border-collapse:collapse;width:100%}th{text-align:left;width:4.5cm;\
vertical-align:top;font-weight:600}td,th{padding:.1cm .2cm}.lines td{border:1px solid #000;height:.8cm}\
pre{font:inherit;white-space:pre-wrap;margin:0}footer{margin-top:1cm}@page{size:A4;margin:1.5cm}\
@media print{body{margin:0}}";

/// Text as HTML holds it.
fn escaped(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            '&' => out.push_str("&amp;"),
            '<' => out.push_str("&lt;"),
            '>' => out.push_str("&gt;"),
            '"' => out.push_str("&quot;"),
            '\'' => out.push_str("&#39;"),
            // What cannot stand in a page.
            c if c.is_control() && c != '\n' && c != '\t' => out.push('\u{fffd}'),
            c => out.push(c),
        }
    }
    out
}

fn row(out: &mut String, name: &str, value: &str) {
    if !value.is_empty() {
        // Writing to a string does not fail.
        let _ = writeln!(out, "<tr><th>{}</th><td><pre>{}</pre></td></tr>", escaped(name), escaped(value));
    }
}

impl WorkOrder {
    /// The order as a self-contained page, in the organisation's language (French, or else English).
    pub fn to_html(&self) -> String {
        let words = if self.language.starts_with("fr") { &FRENCH } else { &ENGLISH };
        let mut out = String::new();
        let title = escaped(words.title);
        let language = escaped(&self.language);
        let _ = writeln!(
            out,
            "<!DOCTYPE html>\n<html lang=\"{language}\"><head><meta charset=\"utf-8\"><title>{title}</title>\
             <style>{STYLE}</style></head><body>\n<header><p>{}</p><h1>{title}</h1><p>{}</p></header>\n<table>",
            escaped(&self.authority),
            self.intervention,
        );
        row(&mut out, words.when, &format!("{} – {}", self.from, self.until));
        let agents = self.agents.iter().cloned();
        let who = [&self.service, &self.team, &self.supplier].into_iter().flatten().cloned();
        row(&mut out, words.who, &who.chain(agents).collect::<Vec<_>>().join(" · "));
        if self.minutes > 0 {
            row(&mut out, words.estimate, &format!("{} {}", self.minutes, words.minutes));
        }
        out.push_str("</table>\n");
        for request in &self.requests {
            self.request(&mut out, words, request);
        }
        let _ = writeln!(out, "<section><h2>{}</h2><table class=\"lines\">", escaped(words.time));
        for entry in &self.entries {
            let (who, minutes) = (escaped(&entry.who), entry.minutes);
            let _ = writeln!(out, "<tr><td>{who}</td><td>{minutes} {}</td><td></td></tr>", words.minutes);
        }
        for _ in 0..3 {
            let _ = writeln!(out, "<tr><td></td><td>{} :</td><td>{} :</td></tr>", words.begun, words.ended);
        }
        let _ = writeln!(
            out,
            "</table></section>\n<footer>{} :</footer>\n</body></html>",
            escaped(words.signature)
        );
        out
    }

    fn request(&self, out: &mut String, words: &Words, request: &OrderRequest) {
        let _ = writeln!(out, "<section><h2>{}</h2><table>", escaped(&request.label));
        row(out, words.opened, &request.opened);
        let point = request
            .point
            .map(|(lat, lon)| format!("{:.6}, {:.6}", f64::from(lat) / 1e6, f64::from(lon) / 1e6));
        let place = [request.address.clone(), request.zone.clone(), point];
        row(out, words.place, &place.into_iter().flatten().collect::<Vec<_>>().join("\n"));
        let requester = [request.requester.clone(), request.phone.clone()];
        row(out, words.requester, &requester.into_iter().flatten().collect::<Vec<_>>().join("\n"));
        for (name, value) in &request.fields {
            row(out, name, value);
        }
        row(out, words.instructions, &request.instructions.join("\n\n"));
        row(out, words.report, &request.reports.join("\n\n"));
        out.push_str("</table></section>\n");
    }
}
