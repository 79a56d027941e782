//! E-mail addresses, telephone numbers, identifiers, folding.

use grc_core::{Word, contact, fold};

/// Any bytes.
pub fn run(data: &[u8]) -> bool {
    let text = String::from_utf8_lossy(data);
    let mut read = false;
    if let Some(email) = contact::email(&text) {
        read = true;
        assert!(!email.contains(['\r', '\n', ' ']));
        assert_eq!(contact::email(&email).as_ref(), Some(&email), "what is normalised stays as it is");
    }
    for country in [0, 1, 33, 262, 689, u16::MAX] {
        if let Some(number) = contact::phone(&text, country) {
            read = true;
            assert!(number.len() <= 16);
            assert_eq!(contact::phone(&number, country).as_ref(), Some(&number), "{country}");
        }
        if let Some(number) = contact::mobile(&text, country) {
            assert_eq!(contact::phone(&text, country), Some(number));
        }
    }
    let slug = Word::slug(&text);
    assert_eq!(Word::new(slug.as_str()).as_ref(), Ok(&slug));
    assert_eq!(Word::slug(slug.as_str()), slug, "a word made of a text makes itself");
    if let Ok(word) = Word::new(&text) {
        assert_eq!(word.as_str(), text);
    }
    let folded = fold::folded(&text);
    assert!(folded.len() <= 20 * text.len() + 100, "{} of {}", folded.len(), text.len());
    read
}
