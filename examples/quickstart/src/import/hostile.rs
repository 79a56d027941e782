//! Whatever the mapping and the export say, reading them ends, says what is wrong, and never panics. Run with mutations of
//! real ones, from a seed, by the test below, and by the fuzz targets `mapping` and `export`.

use super::{
    mapping::Mapping,
    reading::{Row, Rows},
};
use std::path::Path;

/// Any bytes, as a mapping; answers it if it is one.
pub(crate) fn mapping(data: &[u8]) -> Option<Mapping> {
    match Mapping::parse(&String::from_utf8_lossy(data)) {
        Ok(mapping) => Some(mapping),
        Err(failure) => {
            assert!(!failure.text.trim().is_empty(), "nothing is said");
            let said = failure.text.chars().count();
            assert!(said < 600, "{said} characters are said");
            None
        }
    }
}

/// Reads an export to its end; answers how many rows there were, none if something is wrong with it.
pub(crate) fn read(path: &Path, mapping: &Mapping, bytes: usize) -> Option<usize> {
    let mut rows = Rows::open(path, mapping).ok()?;
    for (_, column) in mapping.coded() {
        let _ = rows.column(path, column, mapping);
    }
    let mut count = 0;
    while let Some((line, row)) = rows.next(path).ok()? {
        count += 1;
        assert!(line as usize <= bytes + 2, "line {line} of {bytes} bytes");
        assert!(count <= bytes + 2, "more rows than bytes");
        match row {
            Row::Whole(record) => assert_eq!(record.len(), rows.header.len()),
            Row::Uneven(cells) => assert_ne!(cells, rows.header.len()),
        }
    }
    Some(count)
}

#[cfg(test)]
mod tests {
    use super::{Mapping, read};
    use grc_core::{Entropy, SeededEntropy};
    use std::path::Path;

    /// What breaks readers.
    const TOKENS: [&[u8]; 16] = [
        b"\"",
        b"\"\"",
        b"'''",
        b"\0",
        b"\r",
        b"\n\n",
        b";",
        b"\t",
        b"[[",
        b"]",
        b" = ",
        b"\xEF\xBB\xBF",
        b"\xFF\xFE",
        b"\xC3",
        b"99999999999999999999",
        "\u{202E}é\u{0301}".as_bytes(),
    ];

    struct Dice(SeededEntropy);

    impl Dice {
        fn below(&self, bound: usize) -> usize {
            let mut bytes = [0; 8];
            self.0.fill(&mut bytes).unwrap();
            usize::try_from(u64::from_be_bytes(bytes) % bound.max(1) as u64).unwrap()
        }

        /// One to four changes: bytes turned, taken away, doubled, moved, or something put in.
        fn mutated(&self, data: &[u8]) -> Vec<u8> {
            let mut out = data.to_vec();
            for _ in 0..=self.below(4) {
                let from = self.below(out.len() + 1);
                let to = (from + self.below(40)).min(out.len());
                match self.below(4) {
                    0 => out[from..to].iter_mut().for_each(|byte| *byte ^= 1 << self.below(8)),
                    1 => drop(out.drain(from..to)),
                    2 => {
                        let piece = out[from..to].to_vec();
                        let at = self.below(out.len() + 1);
                        out.splice(at..at, piece);
                    }
                    _ => {
                        let token = TOKENS[self.below(TOKENS.len())];
                        out.splice(from..from, token.iter().copied());
                    }
                }
            }
            out
        }
    }

    #[test]
    fn reading_ends_whatever_it_is_given() {
        let folder = Path::new(env!("CARGO_MANIFEST_DIR"));
        let directory = tempfile::tempdir().unwrap();
        let csv = directory.path().join("export.csv");
        let export = "id;type;\"ouvert le\";texte\r\n1;voirie;2024-03-01 08:00;\"un \"\"trou\"\"\nsur deux lignes\"\r\n2;eau;;\r\n\r\n3;eau;2024-03-02;fuite;de trop\r\n";
        let (mut loaded, mut refused, mut whole, mut broken) = (0, 0, 0, 0);
        for name in ["boston-2011", "paris-dansmarue", "personal"] {
            let path = folder.join(format!("mappings/{name}.toml"));
            let original = std::fs::read(&path).unwrap();
            let mapping = Mapping::load(&path).unwrap_or_else(|failure| panic!("{name}: {}", failure.text));
            for seed in 0..1_500 {
                let dice = Dice(SeededEntropy::new(seed));
                let Some(used) = super::mapping(&dice.mutated(&original)) else {
                    refused += 1;
                    continue;
                };
                loaded += 1;
                let bytes = dice.mutated(export.as_bytes());
                std::fs::write(&csv, &bytes).unwrap();
                for mapping in [&mapping, &used] {
                    match read(&csv, mapping, bytes.len()) {
                        Some(_) => whole += 1,
                        None => broken += 1,
                    }
                }
            }
        }
        // What the fuzz targets keep, findings among it.
        let kept = folder.join("../../grc-core/fuzz/corpus");
        for entry in std::fs::read_dir(kept.join("mapping")).unwrap() {
            let _ = super::mapping(&std::fs::read(entry.unwrap().path()).unwrap());
        }
        let boston = Mapping::load(&folder.join("mappings/boston-2011.toml"))
            .unwrap_or_else(|failure| panic!("{}", failure.text));
        for entry in std::fs::read_dir(kept.join("export")).unwrap() {
            let data = std::fs::read(entry.unwrap().path()).unwrap();
            let at = data.iter().position(|byte| *byte == 0).map_or(0, |at| at + 1);
            let own = super::mapping(&data[..at.saturating_sub(1)]);
            std::fs::write(&csv, &data[at..]).unwrap();
            let _ = read(&csv, own.as_ref().unwrap_or(&boston), data.len());
        }
        println!(
            "mappings: {loaded} taken, {refused} refused; exports: {whole} read to the end, {broken} not"
        );
        assert!(loaded > 300 && refused > 500 && whole > 500 && broken > 100);
    }
}
