//! Cursors as text, and where a list begins.

use grc_core::{
    Word,
    storage::{Cursor, Query},
};

/// Any bytes: as the text of a cursor, and as its inside.
pub fn run(data: &[u8]) -> bool {
    let town = Word::slug("town");
    let mut query = Query::new(town.clone(), Word::slug("request"));
    let text = String::from_utf8_lossy(data);
    let inside = Cursor::from_bytes(data.to_vec());
    for cursor in text.parse::<Cursor>().into_iter().chain([inside]) {
        if cursor.as_bytes().len() <= 700 {
            assert_eq!(cursor.to_string().parse::<Cursor>().as_ref().ok(), Some(&cursor));
        }
        if let Ok(stream) = cursor.stream("fuzz", &town) {
            assert_eq!(Cursor::after_stream(&stream), cursor);
        }
        query.after = Some(cursor.clone());
        if let Ok(Some(key)) = query.start("fuzz") {
            assert_eq!(query.cursor(&key), cursor);
        }
    }
    // With the beginning that a cursor of this list has.
    let mut own = query.fingerprint().to_vec();
    own.extend_from_slice(data);
    query.after = Some(Cursor::from_bytes(own));
    let begun = query.start("fuzz");
    assert_eq!(begun.is_ok(), data.len() == 24);
    if let Ok(Some(key)) = begun {
        assert_eq!(Some(query.cursor(&key)), query.after);
    }
    text.parse::<Cursor>().is_ok()
}
