//! Texts that mean harm, or that somebody wrote in good faith and no program expects.

/// The Big List of Naughty Strings, and what it lacks.
pub(crate) fn all() -> Vec<String> {
    let [mut all, more]: [Vec<String>; 2] =
        [include_str!("../data/blns.json"), include_str!("../data/more.json")]
            .map(|list| serde_json::from_str(list).unwrap());
    assert_eq!((all.len(), more.len()), (515, 19));
    all.extend(more);
    all
}

/// Ten million bytes of a few kinds.
pub(crate) fn giants() -> Vec<String> {
    ["x", "e\u{301}", "9", "\n"].map(|part| part.repeat(10_000_000 / part.len())).to_vec()
}
