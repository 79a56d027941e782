//! Texts that mean harm, or that somebody wrote in good faith and no program expects.

/// The Big List of Naughty Strings, and what it lacks.
pub(crate) fn all() -> Vec<String> {
    let mut all: Vec<String> = serde_json::from_str(include_str!("../data/blns.json")).unwrap();
    assert_eq!(all.len(), 515);
    all.extend(
        [
            " ",
            "\0",
            "nul\0 inside the text",
            "\u{feff}a mark before the text",
            "\u{202e}turned round\u{202c} and back",
            "\r\nBcc: somebody@example.org\r\n\r\nanother body",
            "\u{2028}line\u{2029}paragraph\u{85}next",
            "<script>alert('grc')</script><img src=x onerror=alert(1)>",
            "\"><svg/onload=alert(1)>&amp;&#x27;",
            "=HYPERLINK(\"http://example.org\")",
            "{{ requester.name }}{% for a in range(99999) %}x{% endfor %}",
            "'; DROP TABLE grc_stream; --",
            "\u{1f469}\u{200d}\u{1f469}\u{200d}\u{1f467}\u{200d}\u{1f466}\u{fe0f}",
            "\u{10ffff}\u{fffe}\u{e000}",
            "İIıi ǆǅß\u{130}@EXAMPLE.org",
            "../../../../etc/passwd%00.jpg",
            "\\ud800\\udfff",
        ]
        .map(str::to_owned),
    );
    all.push(format!("e{}", "\u{301}".repeat(400)));
    all.push("\u{200d}\u{200b}\u{2060}".repeat(100));
    all
}

/// Ten million bytes of a few kinds.
pub(crate) fn giants() -> Vec<String> {
    ["x", "e\u{301}", "9", "\n"].map(|part| part.repeat(10_000_000 / part.len())).to_vec()
}
