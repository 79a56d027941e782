//! A letter as a page to print, with its address where a window envelope shows it (NF Z10-011).

use crate::engine::Outgoing;
use std::fmt::Write as _;

/// The most lines of an address, and the most characters of one.
const LINES: usize = 6;
const WIDTH: usize = 38;

const STYLE: &str = "@page{size:A4;margin:0}\
body{margin:0;font:11pt/1.45 'Liberation Sans',Arial,sans-serif;color:#000}\
.page{position:relative;width:210mm;min-height:297mm;box-sizing:border-box;padding:20mm}\
.sender{white-space:pre-line}\
.address{position:absolute;left:110mm;top:50mm;width:85mm;white-space:pre}\
.text{margin-top:80mm;white-space:pre-wrap}\
h1{font-size:11pt;margin:0 0 1em}";

/// The lines of an address: recipient, then what was given. None if they do not fit on an envelope.
pub(super) fn address(recipient: &str, given: &str) -> Option<Vec<String>> {
    let mut lines: Vec<String> = vec![tidy(recipient)];
    lines.extend(given.lines().map(tidy));
    lines.retain(|line| !line.is_empty());
    // Street and town: no punctuation, and the town in capitals.
    let last = lines.len().checked_sub(1)?;
    for (n, line) in lines.iter_mut().enumerate() {
        if n + 1 >= last && (n > 0 || recipient.trim().is_empty()) {
            *line = tidy(&line.replace([',', ';', '.', ':'], " "));
        }
        if n == last {
            *line = line.to_uppercase();
        }
    }
    let lines: Vec<String> = lines.iter().flat_map(|line| wrapped(line)).collect();
    (lines.len() <= LINES && lines.iter().all(|line| line.chars().count() <= WIDTH)).then_some(lines)
}

fn tidy(line: &str) -> String {
    line.split(|c: char| c.is_whitespace() || c.is_control())
        .filter(|w| !w.is_empty())
        .collect::<Vec<_>>()
        .join(" ")
}

/// A line in as many as it takes.
fn wrapped(line: &str) -> Vec<String> {
    let mut out: Vec<String> = Vec::new();
    for word in line.split(' ') {
        match out.last_mut() {
            Some(last) if last.chars().count() + 1 + word.chars().count() <= WIDTH => {
                last.push(' ');
                last.push_str(word);
            }
            _ => out.push(word.to_owned()),
        }
    }
    out
}

/// Writes the page; none if the address does not fit on an envelope.
pub(super) fn write(outgoing: &Outgoing, sender: &[String]) -> Option<String> {
    let text = |typed: &Option<crate::Typed>| {
        typed.as_ref().and_then(|typed| typed.expose_text()).unwrap_or_default().to_owned()
    };
    let to = address(&text(&outgoing.recipient), outgoing.to.expose_text()?)?;
    let subject = text(&outgoing.subject);
    let mut from = vec![outgoing.sender.clone()];
    from.extend(sender.iter().cloned());
    let mut out = String::new();
    let title = if subject.is_empty() { &outgoing.sender } else { &subject };
    // Writing to a text cannot fail.
    let _ = write!(
        out,
        "<!doctype html>\n<html lang=\"fr\">\n<meta charset=\"utf-8\">\n<title>{}</title>\n<style>{STYLE}</style>\n\
         <div class=\"page\">\n<div class=\"sender\">{}</div>\n<div class=\"address\">{}</div>\n<div class=\"text\">",
        escaped(title),
        escaped(&from.join("\n")),
        escaped(&to.join("\n")),
    );
    if !subject.is_empty() {
        let _ = write!(out, "<h1>{}</h1>", escaped(&subject));
    }
    let _ = write!(out, "{}</div>\n</div>\n</html>\n", escaped(outgoing.text.expose_text()?));
    Some(out)
}

fn escaped(text: &str) -> String {
    let mut out = String::new();
    for c in text.chars() {
        match c {
            '&' => out.push_str("&amp;"),
            '<' => out.push_str("&lt;"),
            '>' => out.push_str("&gt;"),
            '"' => out.push_str("&quot;"),
            c => out.push(c),
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_are_as_the_post_wants_them() {
        assert_eq!(
            address("Anne  Le Gall", "12, rue des Lilas\n\n35000 Rennes").unwrap(),
            ["Anne Le Gall", "12 rue des Lilas", "35000 RENNES"]
        );
        assert_eq!(address("", "35000 Évreux").unwrap(), ["35000 ÉVREUX"]);
        let long =
            address("Anne", "Résidence des Trois Fontaines bâtiment B escalier 4 porte 12\n35000 Rennes")
                .unwrap();
        assert_eq!(
            long,
            ["Anne", "Résidence des Trois Fontaines bâtiment", "B escalier 4 porte 12", "35000 RENNES"]
        );
        assert_eq!(address("Anne", &"x".repeat(39)), None);
        assert_eq!(address("Anne", "a\nb\nc\nd\ne\nf"), None);
        assert_eq!(address("", " \n "), None);
    }
}
