//! E-mail addresses and telephone numbers: checked, and brought to one form for comparing.

/// Normalises an e-mail address: trimmed, lower case. The check is the one that browsers make for `type=email`, with
/// the length limits of RFC 5321; nothing is said of whether mail arrives.
///
/// ```
/// use grc_core::contact::email;
/// assert_eq!(email(" Anne.LeGall@Example.ORG ").as_deref(), Some("anne.legall@example.org"));
/// assert_eq!(email("anne@"), None);
/// ```
pub fn email(text: &str) -> Option<String> {
    let text = text.trim();
    if text.len() > 254 {
        return None;
    }
    // What is checked is what is answered: a few letters have no single small one.
    let text = text.to_lowercase();
    let (local, domain) = text.rsplit_once('@')?;
    let local_ok = !local.is_empty()
        && local.len() <= 64
        && local.chars().all(|c| c.is_alphanumeric() || ".!#$%&'*+/=?^_`{|}~-".contains(c));
    let label_ok = |label: &str| {
        !label.is_empty()
            && label.len() <= 63
            && !label.starts_with('-')
            && !label.ends_with('-')
            && label.chars().all(|c| c.is_alphanumeric() || c == '-')
    };
    (text.len() <= 254 && local_ok && domain.split('.').all(label_ok)).then_some(text)
}

/// Overseas prefixes of ten-figure numbers of the French plan, and their country codes (LAW: decision of the regulator
/// on numbering; `0690…` is Guadeloupe, not the mainland).
const OVERSEAS: &[(&str, u16)] = &[
    // Numbers reserved for fiction, in the middle of Mayotte's.
    ("063998", 33),
    ("0590", 590),
    ("0690", 590),
    ("0691", 590),
    ("0594", 594),
    ("0694", 594),
    ("0596", 596),
    ("0696", 596),
    ("0697", 596),
    ("0262", 262),
    ("0263", 262),
    ("0692", 262),
    ("0693", 262),
    ("0269", 262),
    ("0639", 262),
];

/// Normalises a telephone number to E.164, `+33639981234`. A number written without a country code is read in the
/// plan of the authority's country code.
///
/// ```
/// use grc_core::contact::phone;
/// assert_eq!(phone("06 39 98 12 34", 33).as_deref(), Some("+33639981234"));
/// assert_eq!(phone("0690 12 34 56", 33).as_deref(), Some("+590690123456"));
/// assert_eq!(phone("+33 (0)6 39 98 12 34", 33).as_deref(), Some("+33639981234"));
/// assert_eq!(phone("40 12 34 56", 689).as_deref(), Some("+68940123456"));
/// assert_eq!(phone("douze", 33), None);
/// ```
pub fn phone(text: &str, country: u16) -> Option<String> {
    let text = text.trim();
    if text.len() > 40 {
        return None;
    }
    let text = text.replace("(0)", "");
    let (international, rest) = match (text.strip_prefix('+'), text.strip_prefix("00")) {
        (Some(rest), _) | (None, Some(rest)) => (true, rest),
        (None, None) => (false, text.as_str()),
    };
    let mut digits = String::new();
    for c in rest.chars() {
        match c {
            '0'..='9' => digits.push(c),
            ' ' | '.' | '-' | '/' | '(' | ')' | '\u{a0}' | '\u{202f}' => {}
            _ => return None,
        }
    }
    let full = if international {
        digits
    } else {
        let french = matches!(country, 33 | 262 | 590 | 594 | 596);
        if french {
            let national = digits.strip_prefix('0').filter(|national| national.len() == 9)?;
            let code =
                OVERSEAS.iter().find(|(prefix, _)| digits.starts_with(prefix)).map_or(33, |(_, code)| *code);
            format!("{code}{national}")
        } else {
            format!("{country}{}", digits.strip_prefix('0').unwrap_or(&digits))
        }
    };
    ((7..=15).contains(&full.len()) && !full.starts_with('0')).then(|| format!("+{full}"))
}

/// Where mobile numbers of the French plan begin after their country code; countries that are not here are not known.
/// (LAW: decision of the regulator on numbering.)
const MOBILES: &[(&str, &[&str])] = &[
    ("33", &["6", "73", "74", "75", "76", "77", "78", "79"]),
    ("262", &["639", "692", "693"]),
    ("590", &["690", "691"]),
    ("594", &["694"]),
    ("596", &["696", "697"]),
    ("689", &["87", "89"]),
];

/// Normalises a telephone number that can get short messages. What is not known of another country's plan is not held
/// against a number.
///
/// ```
/// use grc_core::contact::mobile;
/// assert_eq!(mobile("06 39 98 12 34", 33).as_deref(), Some("+33639981234"));
/// assert_eq!(mobile("0690 12 34 56", 33).as_deref(), Some("+590690123456"));
/// assert_eq!(mobile("02 61 91 12 34", 33), None);
/// assert!(mobile("+32 470 12 34 56", 33).is_some());
/// ```
pub fn mobile(text: &str, country: u16) -> Option<String> {
    let number = phone(text, country)?;
    let digits = number.strip_prefix('+').unwrap_or(&number);
    let plan = MOBILES.iter().find_map(|(code, mobiles)| Some((digits.strip_prefix(code)?, mobiles)));
    plan.is_none_or(|(rest, mobiles)| mobiles.iter().any(|begin| rest.starts_with(begin))).then_some(number)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_are_as_a_browser_takes_them() {
        for good in ["a@b", "a.b+c@d-e.fr", "o'neil@example.com", "élodie@exemple.fr"] {
            assert!(email(good).is_some(), "{good}");
        }
        for bad in
            ["", "a", "@b", "a@", "a b@c", "a@b..c", "a@-b", "a@b_c", "İ@b", &format!("{}@b", "x".repeat(65))]
        {
            assert!(email(bad).is_none(), "{bad}");
        }
    }

    #[test]
    fn numbers_are_read_in_the_authoritys_plan() {
        for (text, country, expected) in [
            ("0033639981234", 33, Some("+33639981234")),
            ("06.39.98.12.34", 590, Some("+33639981234")),
            ("0692123456", 262, Some("+262692123456")),
            ("41 12 34", 508, Some("+508411234")),
            ("6 39 98 12 34", 33, None),
            ("112", 33, None),
            ("+12345678901234567", 33, None),
            ("06 39 98 12 34 poste 5", 33, None),
        ] {
            assert_eq!(phone(text, country).as_deref(), expected, "{text}");
        }
    }

    #[test]
    fn mobiles_of_the_french_plan_are_known_overseas_too() {
        for (text, country, expected) in [
            ("07 31 00 00 00", 33, true),
            ("07 00 00 00 00", 33, false),
            ("01 99 00 12 34", 33, false),
            ("09 70 00 00 00", 33, false),
            ("0262 12 34 56", 262, false),
            ("0692 12 34 56", 33, true),
            ("0639 01 23 45", 262, true),
            ("0590 12 34 56", 590, false),
            ("0694 12 34 56", 594, true),
            ("0696 12 34 56", 596, true),
            ("0596 12 34 56", 596, false),
            ("87 12 34 56", 689, true),
            ("40 12 34 56", 689, false),
            ("55 12 34", 508, true),
            ("+44 20 7946 0000", 33, true),
            ("douze", 33, false),
        ] {
            assert_eq!(mobile(text, country).is_some(), expected, "{text}");
        }
    }
}
