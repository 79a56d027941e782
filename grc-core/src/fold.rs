//! Folding of text, for comparing and finding: case, accents and ligatures disappear.

use unicode_normalization::{UnicodeNormalization, char::is_combining_mark};

/// Folds text so that `Œuvre`, `œuvre` and `oeuvre`, or `Élève` and `eleve`, become the same.
///
/// ```
/// assert_eq!(grc_core::fold::folded("Œuvre d’Élève"), "oeuvre d'eleve");
/// ```
pub fn folded(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for c in text.nfkd().filter(|c| !is_combining_mark(*c)) {
        match c {
            'œ' | 'Œ' => out.push_str("oe"),
            'æ' | 'Æ' => out.push_str("ae"),
            'ß' | 'ẞ' => out.push_str("ss"),
            'ø' | 'Ø' => out.push('o'),
            'đ' | 'Đ' => out.push('d'),
            'ł' | 'Ł' => out.push('l'),
            '’' | '‘' => out.push('\''),
            c => out.extend(c.to_lowercase()),
        }
    }
    out
}
