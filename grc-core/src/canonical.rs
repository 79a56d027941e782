//! Canonical JSON: the one way in which bodies are written (docs/formats.md §2).

use serde::Serialize;
use serde_json::ser::{CharEscape, CompactFormatter, Formatter};
use std::{
    borrow::Cow,
    io::{self, Write},
};

/// Why a body cannot be written.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum CanonicalError {
    /// A number with a fraction, or beyond 2⁵³.
    #[error("a number is not a whole number of at most 2^53")]
    Number,
    /// The value cannot be JSON at all.
    #[error("not serialisable: {0}")]
    Shape(String),
}

/// Writes a value as canonical JSON: keys sorted by code point whatever features serde_json was built with,
/// no white space, whole numbers only.
///
/// # Errors
/// [`CanonicalError`] if the value has a fraction, a number beyond 2⁵³, or is no JSON.
///
/// ```
/// let body = grc_core::canonical::to_bytes(&serde_json::json!({"b": 1, "a": "é\n"})).unwrap();
/// assert_eq!(body, "{\"a\":\"é\\n\",\"b\":1}".as_bytes());
/// assert!(grc_core::canonical::to_bytes(&1.5).is_err());
/// ```
pub fn to_bytes<T: Serialize + ?Sized>(value: &T) -> Result<Vec<u8>, CanonicalError> {
    let mut out = Vec::with_capacity(512);
    let mut serializer = serde_json::Serializer::with_formatter(&mut out, Sorted::default());
    match value.serialize(&mut serializer) {
        Ok(()) => Ok(out),
        Err(error) if error.io_error_kind() == Some(NO_SUCH_NUMBER) => Err(CanonicalError::Number),
        Err(error) => Err(CanonicalError::Shape(error.to_string())),
    }
}

/// How the formatter says that a number is not taken.
const NO_SUCH_NUMBER: io::ErrorKind = io::ErrorKind::InvalidInput;

/// Writes objects with their keys sorted: each is put in order when it ends, where it stands.
#[derive(Default)]
struct Sorted {
    /// What was written inside of the outermost array or object.
    out: Vec<u8>,
    /// How many arrays and objects are open.
    depth: usize,
    /// The members of the open objects.
    members: Vec<Member>,
    /// Where those of each open object begin.
    objects: Vec<usize>,
    /// Whether the key that is being written has escapes.
    escaped: bool,
    /// Where an object is put in order.
    scratch: Vec<u8>,
}

/// A member of an object: where its key begins, where that ends, and whether it has escapes.
#[derive(Clone, Copy)]
struct Member {
    start: usize,
    colon: usize,
    escaped: bool,
}

impl Sorted {
    fn write<W: Write + ?Sized>(&mut self, writer: &mut W, bytes: &[u8]) -> io::Result<()> {
        if self.depth == 0 {
            return writer.write_all(bytes);
        }
        self.out.extend_from_slice(bytes);
        Ok(())
    }

    fn begin(&mut self, bracket: u8) {
        self.depth += 1;
        self.out.push(bracket);
    }

    fn end<W: Write + ?Sized>(&mut self, writer: &mut W, bracket: u8) -> io::Result<()> {
        self.out.push(bracket);
        self.depth = self.depth.saturating_sub(1);
        if self.depth == 0 {
            writer.write_all(&self.out)?;
            self.out.clear();
        }
        Ok(())
    }

    fn separate(&mut self, first: bool) {
        if !first {
            self.out.push(b',');
        }
    }

    fn text(&self, from: usize, to: usize) -> &[u8] {
        self.out.get(from..to).unwrap_or_default()
    }

    /// The key of a member as it sorts, which is not as it is written where it has escapes.
    fn key(&self, member: &Member) -> Cow<'_, [u8]> {
        let written = self.text(member.start + 1, member.colon.saturating_sub(1));
        if !member.escaped {
            return Cow::Borrowed(written);
        }
        let whole = self.text(member.start, member.colon);
        serde_json::from_slice::<String>(whole).map_or(Cow::Borrowed(written), |key| Cow::Owned(key.into()))
    }

    /// Puts the members that end here in order; of two under one key the last stays.
    fn sort(&mut self, members: &[Member]) {
        let Some(first) = members.first() else { return };
        if members.is_sorted_by(|a, b| self.key(a) < self.key(b)) {
            return;
        }
        let ends = members.iter().skip(1).map(|next| next.start - 1).chain([self.out.len()]);
        let mut order: Vec<(&Member, usize)> = members.iter().zip(ends).collect();
        order.sort_by(|(a, _), (b, _)| self.key(a).cmp(&self.key(b)));
        let mut scratch = std::mem::take(&mut self.scratch);
        scratch.clear();
        let mut rest = order.iter().peekable();
        while let Some((member, end)) = rest.next() {
            if rest.peek().is_some_and(|(next, _)| self.key(next) == self.key(member)) {
                continue;
            }
            if !scratch.is_empty() {
                scratch.push(b',');
            }
            scratch.extend_from_slice(self.text(member.start, *end));
        }
        self.out.truncate(first.start);
        self.out.extend_from_slice(&scratch);
        self.scratch = scratch;
    }

    fn whole<W: Write + ?Sized>(&mut self, writer: &mut W, number: Option<i64>) -> io::Result<()> {
        let limit = 1_i64 << 53;
        let number = number.filter(|n| (-limit..=limit).contains(n));
        let number = number.ok_or_else(|| io::Error::from(NO_SUCH_NUMBER))?;
        if self.depth == 0 {
            return CompactFormatter.write_i64(writer, number);
        }
        CompactFormatter.write_i64(&mut self.out, number)
    }
}

impl Formatter for Sorted {
    fn write_null<W: Write + ?Sized>(&mut self, writer: &mut W) -> io::Result<()> {
        self.write(writer, b"null")
    }

    fn write_bool<W: Write + ?Sized>(&mut self, writer: &mut W, value: bool) -> io::Result<()> {
        self.write(writer, if value { b"true" } else { b"false" })
    }

    fn write_i8<W: Write + ?Sized>(&mut self, writer: &mut W, value: i8) -> io::Result<()> {
        self.whole(writer, Some(value.into()))
    }

    fn write_i16<W: Write + ?Sized>(&mut self, writer: &mut W, value: i16) -> io::Result<()> {
        self.whole(writer, Some(value.into()))
    }

    fn write_i32<W: Write + ?Sized>(&mut self, writer: &mut W, value: i32) -> io::Result<()> {
        self.whole(writer, Some(value.into()))
    }

    fn write_i64<W: Write + ?Sized>(&mut self, writer: &mut W, value: i64) -> io::Result<()> {
        self.whole(writer, Some(value))
    }

    fn write_i128<W: Write + ?Sized>(&mut self, writer: &mut W, value: i128) -> io::Result<()> {
        self.whole(writer, value.try_into().ok())
    }

    fn write_u8<W: Write + ?Sized>(&mut self, writer: &mut W, value: u8) -> io::Result<()> {
        self.whole(writer, Some(value.into()))
    }

    fn write_u16<W: Write + ?Sized>(&mut self, writer: &mut W, value: u16) -> io::Result<()> {
        self.whole(writer, Some(value.into()))
    }

    fn write_u32<W: Write + ?Sized>(&mut self, writer: &mut W, value: u32) -> io::Result<()> {
        self.whole(writer, Some(value.into()))
    }

    fn write_u64<W: Write + ?Sized>(&mut self, writer: &mut W, value: u64) -> io::Result<()> {
        self.whole(writer, value.try_into().ok())
    }

    fn write_u128<W: Write + ?Sized>(&mut self, writer: &mut W, value: u128) -> io::Result<()> {
        self.whole(writer, value.try_into().ok())
    }

    fn write_f32<W: Write + ?Sized>(&mut self, writer: &mut W, _: f32) -> io::Result<()> {
        self.whole(writer, None)
    }

    fn write_f64<W: Write + ?Sized>(&mut self, writer: &mut W, _: f64) -> io::Result<()> {
        self.whole(writer, None)
    }

    fn write_number_str<W: Write + ?Sized>(&mut self, writer: &mut W, value: &str) -> io::Result<()> {
        self.whole(writer, value.parse().ok())
    }

    fn begin_string<W: Write + ?Sized>(&mut self, writer: &mut W) -> io::Result<()> {
        self.write(writer, b"\"")
    }

    fn end_string<W: Write + ?Sized>(&mut self, writer: &mut W) -> io::Result<()> {
        self.write(writer, b"\"")
    }

    fn write_string_fragment<W: Write + ?Sized>(&mut self, writer: &mut W, text: &str) -> io::Result<()> {
        self.write(writer, text.as_bytes())
    }

    fn write_char_escape<W: Write + ?Sized>(&mut self, writer: &mut W, c: CharEscape) -> io::Result<()> {
        self.escaped = true;
        if self.depth == 0 {
            return CompactFormatter.write_char_escape(writer, c);
        }
        CompactFormatter.write_char_escape(&mut self.out, c)
    }

    fn begin_array<W: Write + ?Sized>(&mut self, _: &mut W) -> io::Result<()> {
        self.begin(b'[');
        Ok(())
    }

    fn end_array<W: Write + ?Sized>(&mut self, writer: &mut W) -> io::Result<()> {
        self.end(writer, b']')
    }

    fn begin_array_value<W: Write + ?Sized>(&mut self, _: &mut W, first: bool) -> io::Result<()> {
        self.separate(first);
        Ok(())
    }

    fn begin_object<W: Write + ?Sized>(&mut self, _: &mut W) -> io::Result<()> {
        self.begin(b'{');
        self.objects.push(self.members.len());
        Ok(())
    }

    fn end_object<W: Write + ?Sized>(&mut self, writer: &mut W) -> io::Result<()> {
        let mine = self.objects.pop().unwrap_or_default().min(self.members.len());
        let members = self.members.split_off(mine);
        self.sort(&members);
        self.end(writer, b'}')
    }

    fn begin_object_key<W: Write + ?Sized>(&mut self, _: &mut W, first: bool) -> io::Result<()> {
        self.separate(first);
        let start = self.out.len();
        self.members.push(Member { start, colon: start, escaped: false });
        self.escaped = false;
        Ok(())
    }

    fn begin_object_value<W: Write + ?Sized>(&mut self, _: &mut W) -> io::Result<()> {
        let (colon, escaped) = (self.out.len(), self.escaped);
        // The members of what was inside are gone already: the last is this one.
        if let Some(member) = self.members.last_mut() {
            *member = Member { colon, escaped, ..*member };
        }
        self.out.push(b':');
        Ok(())
    }

    fn write_raw_fragment<W: Write + ?Sized>(&mut self, _: &mut W, _: &str) -> io::Result<()> {
        Err(io::Error::new(io::ErrorKind::Unsupported, "raw JSON has no canonical form"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::{Value as Json, json};

    /// The form, said in another way: by sorting what serde_json holds.
    fn expected(json: &Json) -> String {
        match json {
            Json::Array(items) => format!("[{}]", items.iter().map(expected).collect::<Vec<_>>().join(",")),
            Json::Object(members) => {
                let mut members: Vec<_> = members.iter().collect();
                members.sort_by(|a, b| a.0.cmp(b.0));
                let members =
                    members.iter().map(|(key, value)| format!("{}:{}", json!(key), expected(value)));
                format!("{{{}}}", members.collect::<Vec<_>>().join(","))
            }
            other => other.to_string(),
        }
    }

    #[test]
    fn keys_are_sorted_by_what_they_say_at_every_depth() {
        #[derive(Serialize)]
        struct Out {
            b: Json,
            a: Vec<Json>,
            #[serde(flatten)]
            more: std::collections::BTreeMap<u32, i64>,
        }
        let inner = json!({ "z": [{ "b": {}, "a": [] }], "\u{1}": 1, "!": 2, "\"": 3, "#": 4, "\\": 5, "]": 6, "é": "\n\u{7f}/" });
        let out = Out {
            b: inner.clone(),
            a: vec![inner.clone(), json!(null), json!([[], {}, true])],
            more: [(10, -1), (9, 1 << 53)].into(),
        };
        let bytes = to_bytes(&out).unwrap();
        assert_eq!(String::from_utf8(bytes).unwrap(), expected(&serde_json::to_value(&out).unwrap()));
        assert!(expected(&inner).starts_with(r##"{"\u0001":1,"!":2,"\"":3,"#":4,"\\":5,"]":6,"z""##));
        for (value, text) in
            [(json!("a\t"), "\"a\\t\""), (json!(-5), "-5"), (json!(null), "null"), (json!({}), "{}")]
        {
            assert_eq!(to_bytes(&value).unwrap(), text.as_bytes());
        }
    }

    #[test]
    fn of_two_members_under_one_key_the_last_stays() {
        struct Twice;
        impl Serialize for Twice {
            fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
                serializer.collect_map([("b", 1), ("a", 2), ("b", 3), ("b", 4)])
            }
        }
        assert_eq!(to_bytes(&Twice).unwrap(), br#"{"a":2,"b":4}"#);
    }

    #[test]
    fn numbers_that_others_would_read_otherwise_are_refused_wherever_they_are() {
        for number in [json!(1.0), json!((1_i64 << 53) + 1), json!(u64::MAX), json!(i64::MIN)] {
            assert_eq!(to_bytes(&number), Err(CanonicalError::Number));
            assert_eq!(to_bytes(&json!({ "a": [number] })), Err(CanonicalError::Number));
        }
        assert_eq!(to_bytes(&i128::MAX), Err(CanonicalError::Number));
        assert!(matches!(
            to_bytes(&[((), 1)].into_iter().collect::<std::collections::BTreeMap<_, _>>()),
            Err(CanonicalError::Shape(_))
        ));
    }
}
