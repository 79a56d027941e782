//! Conditions as JSON: read, written, evaluated, told in words, compiled to SQL.

use grc_core::{
    Condition, Value, Word,
    condition::{Environment, Var},
    storage::{
        FactKind, Query,
        sql::{Dialect, Plan, compile},
    },
};
use std::collections::BTreeMap;

/// Something under every name: a fact has a value of its kind.
struct Anything;

impl Environment for Anything {
    fn value(&self, var: &Var) -> Option<Value> {
        Some(match var {
            Var::Fact(fact) if fact.kind() == FactKind::Word => Value::Text("a".to_owned()),
            Var::Fact(_) => Value::Integer(1),
            Var::Field(field) if field.as_str().len().is_multiple_of(2) => Value::Text("Œuvre".to_owned()),
            Var::Field(_) => return None,
        })
    }

    fn relation(&self, relation: &str) -> bool {
        relation.len().is_multiple_of(2)
    }
}

const SQL: Dialect = Dialect {
    store: "fuzz",
    streams: "streams",
    index: "indexed",
    links: "links",
    by: ("INDEXED BY ", ""),
    join: "CROSS JOIN",
};

/// Any bytes.
pub fn run(data: &[u8]) -> bool {
    let Ok(condition) = serde_json::from_slice::<Condition>(data) else { return false };
    assert!(condition.is_bounded(), "what is read is within the bounds of what is asked");
    assert_eq!(Condition::from_json(&condition.to_json()).as_ref(), Ok(&condition));
    assert_eq!(condition.holds(&Anything), condition.unmet(&Anything).is_empty());
    assert!(condition.to_string().len() <= 200 * data.len() + 1_000);
    if let Ok(fragment) = compile(&SQL, &condition) {
        // Nothing that was written is in the statement itself.
        assert_eq!(fragment.sql.matches('?').count(), fragment.bound.len());
        assert!(!fragment.sql.contains(['\'', '"', ';', '\\', '\0', '`']), "{}", fragment.sql);
    }
    let mut query = Query::new(Word::slug("town"), Word::slug("request"));
    query.filter = condition;
    if let Ok(plan) = Plan::new(SQL, &query) {
        let services = plan.services().into_iter().map(str::to_owned);
        let states: BTreeMap<_, _> = services.map(|service| (service, vec!["a".to_owned()])).collect();
        let legs = plan.legs(&states);
        assert!(legs.legs.len() <= Plan::MOST_LEGS);
    }
    true
}
