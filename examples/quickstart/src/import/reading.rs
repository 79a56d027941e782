//! Reading an export: bytes into rows of texts.

use super::mapping::Mapping;
use crate::failure::{Failure, Res};
use csv::{ByteRecord, Reader, ReaderBuilder, Terminator};
use std::{
    fs::File,
    io::{BufRead, BufReader, Read},
    path::Path,
};

/// How characters are written as bytes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Encoding {
    Utf8,
    Latin1,
    Windows1252,
}

/// What bytes 0x80 to 0x9F are in windows-1252; five of them are nothing.
const WINDOWS_1252: [u16; 32] = [
    0x20AC, 0, 0x201A, 0x0192, 0x201E, 0x2026, 0x2020, 0x2021, 0x02C6, 0x2030, 0x0160, 0x2039, 0x0152, 0,
    0x017D, 0, 0, 0x2018, 0x2019, 0x201C, 0x201D, 0x2022, 0x2013, 0x2014, 0x02DC, 0x2122, 0x0161, 0x203A,
    0x0153, 0, 0x017E, 0x0178,
];

impl Encoding {
    /// Finds it by its name.
    pub(crate) fn named(name: &str) -> Res<Self> {
        match name.to_ascii_lowercase().as_str() {
            "utf-8" | "utf8" => Ok(Self::Utf8),
            "latin-1" | "latin1" | "iso-8859-1" => Ok(Self::Latin1),
            "windows-1252" | "cp1252" => Ok(Self::Windows1252),
            _ => Err(Failure::usage(format!(
                "`{name}` is not an encoding that is known: use `utf-8`, `windows-1252` or `latin-1`"
            ))),
        }
    }

    const fn name(self) -> &'static str {
        match self {
            Self::Utf8 => "UTF-8",
            Self::Latin1 => "latin-1",
            Self::Windows1252 => "windows-1252",
        }
    }

    /// A cell as text; none if its bytes mean nothing in this encoding.
    pub(crate) fn text(self, bytes: &[u8]) -> Option<String> {
        match self {
            Self::Utf8 => std::str::from_utf8(bytes).ok().map(str::to_owned),
            Self::Latin1 => Some(bytes.iter().map(|byte| char::from(*byte)).collect()),
            Self::Windows1252 => bytes
                .iter()
                .map(|byte| match byte {
                    0x80..=0x9F => {
                        let code =
                            WINDOWS_1252.get(usize::from(byte - 0x80)).copied().filter(|code| *code != 0);
                        code.and_then(|code| char::from_u32(code.into()))
                    }
                    other => Some(char::from(*other)),
                })
                .collect(),
        }
    }
}

/// Longer rows are no rows: a quotation mark that is not closed swallows the rest of the file.
const MAX_ROW: u64 = 8 << 20;

/// The rows of a file, after its header.
pub(crate) struct Rows {
    reader: Reader<Box<dyn Read>>,
    pub(crate) header: Vec<String>,
    pub(crate) encoding: Encoding,
    record: ByteRecord,
}

/// What the next row is.
pub(crate) enum Row {
    /// A row with as many cells as the header.
    Whole(ByteRecord),
    /// A row with another number of cells.
    Uneven(usize),
}

impl Rows {
    /// Opens a file and reads its header.
    pub(crate) fn open(path: &Path, mapping: &Mapping) -> Res<Self> {
        let file = File::open(path).map_err(|error| Failure::file(path, error))?;
        let mut file = BufReader::with_capacity(1 << 16, file);
        let start = file.fill_buf().map_err(|error| Failure::file(path, error))?;
        if start.is_empty() {
            return Err(Failure::file(path, "the file is empty"));
        }
        if start.starts_with(&[0xFF, 0xFE]) || start.starts_with(&[0xFE, 0xFF]) {
            return Err(Failure::file(path, "the file is in UTF-16: save it as UTF-8"));
        }
        if start.starts_with(&[0xEF, 0xBB, 0xBF]) {
            if mapping.encoding != Encoding::Utf8 {
                let said = mapping.encoding.name();
                return Err(Failure::file(
                    path,
                    format!("the file is in UTF-8 (it begins with its mark), and the mapping says {said}"),
                ));
            }
            file.consume(3);
        }
        let mut builder = ReaderBuilder::new();
        builder
            .delimiter(mapping.separator)
            .has_headers(false)
            .flexible(true)
            .terminator(Terminator::Any(b'\n'));
        match mapping.quote {
            Some(quote) => builder.quote(quote),
            None => builder.quoting(false),
        };
        // The last line ends like the others, so that lines can be counted.
        let file = file.chain(&b"\n"[..]);
        let mut reader = builder.from_reader(Box::new(file) as Box<dyn Read>);
        let mut record = ByteRecord::new();
        reader.read_byte_record(&mut record).map_err(|error| Failure::file(path, error))?;
        let record = without_return(record);
        let header: Option<Vec<String>> = record.iter().map(|cell| mapping.encoding.text(cell)).collect();
        let header = header.ok_or_else(|| not_text(path, 1, None, mapping.encoding))?;
        let header = header.into_iter().map(|name| name.trim().to_owned()).collect();
        Ok(Self { reader, header, encoding: mapping.encoding, record })
    }

    /// The next row and the line on which it begins; none at the end. Blank lines are no rows.
    pub(crate) fn next(&mut self, path: &Path) -> Res<Option<(u64, Row)>> {
        loop {
            let before = self.reader.position().byte();
            let more = self.reader.read_byte_record(&mut self.record);
            if !more.map_err(|error| Failure::file(path, error))? {
                return Ok(None);
            }
            // Counted from where it ends: blank lines may stand before it.
            let inside = self.record.as_slice().iter().filter(|byte| **byte == b'\n').count() as u64;
            let line = self.reader.position().line().saturating_sub(inside + 1);
            let length = self.reader.position().byte().saturating_sub(before);
            if length > MAX_ROW {
                return Err(Failure::file(
                    path,
                    format!(
                        "line {line}: the row that begins here has {} MiB: a quotation mark is not closed (or \
                         `file.quote` in the mapping is wrong)",
                        length >> 20
                    ),
                ));
            }
            let record = without_return(std::mem::take(&mut self.record));
            if record.len() == 1 && record.as_slice().is_empty() {
                continue;
            }
            let row = if record.len() == self.header.len() {
                Row::Whole(record)
            } else {
                Row::Uneven(record.len())
            };
            return Ok(Some((line, row)));
        }
    }

    /// The place of a column, if there is one of that name, and only one.
    pub(crate) fn column(&self, path: &Path, name: &str, mapping: &Mapping) -> Res<usize> {
        let mut found = self.header.iter().enumerate().filter(|(_, column)| *column == name).map(|(n, _)| n);
        match (found.next(), found.next()) {
            (Some(place), None) => Ok(place),
            (Some(_), Some(_)) => Err(Failure::file(path, format!("line 1: there are two columns `{name}`"))),
            (None, _) => Err(Failure::file(path, self.missing(name, mapping))),
        }
    }

    fn missing(&self, name: &str, mapping: &Mapping) -> String {
        let header = self.header.join(&String::from_utf8_lossy(&[mapping.separator]));
        let other = [(b',', "`,`"), (b';', "`;`"), (b'\t', "tab"), (b'|', "`|`")]
            .into_iter()
            .filter(|(byte, _)| *byte != mapping.separator)
            .find(|(byte, _)| {
                header.split(char::from(*byte)).any(|cell| cell.trim().trim_matches('"') == name)
            });
        let said = match mapping.separator {
            b'\t' => "tab".to_owned(),
            byte => format!("`{}`", char::from(byte)),
        };
        if let Some((_, other)) = other {
            return format!(
                "line 1: there is no column `{name}` with the separator {said}, but there is one with {other}: set \
                 `file.separator` in the mapping"
            );
        }
        let near = self
            .header
            .iter()
            .map(|column| (strsim::levenshtein(&column.to_lowercase(), &name.to_lowercase()), column))
            .filter(|(distance, _)| *distance <= 2)
            .min();
        match near {
            Some((_, column)) => format!("line 1: there is no column `{name}`; did you mean `{column}`?"),
            None => {
                let shown: Vec<String> =
                    self.header.iter().take(40).map(|column| format!("`{column}`")).collect();
                format!(
                    "line 1: there is no column `{name}` with the separator {said}; the {} columns are {}",
                    self.header.len(),
                    shown.join(", ")
                )
            }
        }
    }
}

/// A row without the carriage return with which its line ends.
fn without_return(record: ByteRecord) -> ByteRecord {
    let last = record.len().saturating_sub(1);
    if record.get(last).is_none_or(|cell| cell.last() != Some(&b'\r')) {
        return record;
    }
    let cells = record.iter().enumerate();
    cells.map(|(n, cell)| if n == last { cell.strip_suffix(b"\r").unwrap_or(cell) } else { cell }).collect()
}

/// The failure of a file that is not in the encoding that the mapping says.
pub(crate) fn not_text(path: &Path, line: u64, column: Option<&str>, encoding: Encoding) -> Failure {
    let column = column.map_or_else(String::new, |column| format!(", column `{column}`"));
    let other = match encoding {
        Encoding::Utf8 => "windows-1252",
        _ => "utf-8",
    };
    Failure::file(
        path,
        format!(
            "line {line}{column}: these bytes are not {}: set `file.encoding` in the mapping (perhaps `{other}`)",
            encoding.name()
        ),
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rows_have_the_lines_that_an_editor_shows() {
        let mapping =
            Mapping::load(Path::new(concat!(env!("CARGO_MANIFEST_DIR"), "/mappings/personal.toml"))).unwrap();
        for end in ["\n", "\r\n"] {
            let text = "a,b@1,x@@2,\"y@z\"@3@\"4\",w".replace('@', end);
            let directory = tempfile::tempdir().unwrap();
            let path = directory.path().join("e.csv");
            std::fs::write(&path, text).unwrap();
            let mut rows = Rows::open(&path, &mapping).unwrap();
            let mut found = Vec::new();
            while let Some((line, row)) = rows.next(&path).unwrap() {
                found.push(match row {
                    Row::Whole(record) => (line, String::from_utf8_lossy(record.as_slice()).into_owned()),
                    Row::Uneven(cells) => (line, format!("{cells} cells")),
                });
            }
            let quoted = format!("2y{end}z");
            let expected = [(2, "1x"), (4, &*quoted), (6, "1 cells"), (7, "4w")];
            assert_eq!(found, expected.map(|(line, text)| (line, text.to_owned())), "{end:?}");
        }
    }

    #[test]
    fn bytes_are_read_in_their_encoding() {
        let cell = b"\x8cuvre \xe9l\xe8ve \x80";
        assert_eq!(Encoding::Windows1252.text(cell).as_deref(), Some("Œuvre élève €"));
        assert_eq!(Encoding::Latin1.text(b"\xe9").as_deref(), Some("é"));
        assert_eq!(Encoding::Windows1252.text(b"\x81"), None);
        assert_eq!(Encoding::Utf8.text(cell), None);
    }
}
