//! Fixed vectors of docs/formats.md, computed with another implementation (Python's `hmac` and `hashlib`):
//! what is stored must be readable, and its chain checkable, by anybody who has that page.

#![expect(clippy::expect_used, reason = "helpers of tests")]

use grc_core::{
    Value,
    request::head,
    vault::{DataKey, StreamContext, commit},
};

fn context() -> StreamContext {
    let word = |text: &str| text.parse().expect("a word");
    StreamContext::new(&word("rennes"), &word("request"), uuid::Uuid::from_u128(1))
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

#[test]
fn a_head_holds_the_place_the_head_before_and_the_body() {
    assert_eq!(
        hex(&head(&context(), 2, &[0x11; 32], br#"{"a":1}"#)),
        "e1c925c0e580a05fe69b4904b6d7085a19f12960c02c95289e8b9e63988d1d20"
    );
}

#[test]
fn a_slot_key_and_a_commitment_under_it() {
    let key = DataKey::from_bytes(std::array::from_fn(|n| u8::try_from(n).unwrap_or_default()));
    let slot = key.slot(&context(), 7);
    assert_eq!(hex(slot.expose()), "f20c2196beddc323040cfed2c1582e6b35cfa98046ce804a02f947a0f726d1d2");
    let commitment = commit(&slot, &Value::from("é")).unwrap();
    assert_eq!(serde_json::to_value(commitment).unwrap(), "cRwek1hfAGJiOxITvC-xG6jyB4NymyNxu1T0P0AitMk");
}
