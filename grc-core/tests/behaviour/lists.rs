//! What no list can be made by is refused in words, as the caller's mistake, and not answered by an empty page.

#![expect(clippy::unwrap_used, reason = "helpers of tests")]

use crate::common::{Town, leak, refusal};
use grc_core::{
    Condition, List,
    condition::{Comparison, Scalar, Var},
    insight::Question,
    storage::{Cursor, Fact},
};
use pollster::block_on;
use serde_json::json;

fn by(condition: serde_json::Value) -> List {
    List::new().filter(Condition::from_json(&condition).unwrap())
}

#[test]
fn what_is_compared_with_what_it_never_is_is_refused() {
    block_on(async {
        let town = Town::open("voirie").await;
        let clerk = town.agent("a-01");
        clerk.submit(leak()).await.unwrap();
        for (condition, code, path) in [
            (json!({"<": [{"var": "opened"}, "2026-11-24"]}), "list.compare", "opened"),
            (json!({"==": [{"var": "opened"}, true]}), "list.compare", "opened"),
            (json!({"in": [{"var": "target"}, ["2026-11-24"]]}), "list.compare", "target"),
            (json!({"==": [{"var": "reopened"}, "1"]}), "list.compare", "reopened"),
            (json!({"==": [{"var": "state"}, 1]}), "list.compare", "state"),
            (json!({"<": [{"var": "state"}, "recue"]}), "list.compare", "state"),
            (json!({"==": [{"var": "form.gravite"}, 3]}), "list.compare", "form.gravite"),
            (json!({"==": [{"var": "form.gravite"}, "suintemant"]}), "list.compare", "form.gravite"),
            (json!({"<": [{"var": "form.gravite"}, "suintement"]}), "list.compare", "form.gravite"),
            (json!({"==": [{"var": "form.description"}, "eau"]}), "list.field", "form.description"),
            (json!({"relation": "@assignee"}), "list.relation", "filter"),
        ] {
            let refused = refusal(clerk.list(&by(condition.clone())).await);
            let problem = &refused.problems()[0];
            assert_eq!((problem.code, problem.path.as_str()), (code, path), "{condition}: {refused}");
            assert!(problem.hint.is_some(), "{refused}");
            let list = by(condition.clone());
            if code == "list.compare" && !path.starts_with("form.") {
                assert!(refusal(clerk.interventions(&list).await).has(code));
                let question = Question::those(Condition::from_json(&condition).unwrap());
                assert!(refusal(town.authority.host("essai").measure(&question).await).has(code));
            }
        }
        // Every reason at once.
        let two = by(json!({"and": [{"==": [{"var": "state"}, 1]}, {"<": [{"var": "opened"}, "x"]}]}));
        assert_eq!(refusal(clerk.list(&two).await).problems().len(), 2);
        for condition in [
            json!({">": [{"var": "opened"}, 0]}),
            json!({">": [{"var": "opened"}, "2026-11-24T08:00:00+01:00"]}),
            json!({"==": [{"var": "form.gravite"}, "suintement"]}),
            json!({"!=": [{"var": "form.gravite"}, "jaillissement"]}),
            json!({"in": ["suintement", {"var": "form.gravite"}]}),
            json!({"in": [{"var": "state"}, []]}),
        ] {
            clerk.list(&by(condition)).await.unwrap();
        }
    });
}

/// An option that only an older version of the type has is still one.
#[test]
fn a_field_is_looked_at_as_any_version_has_it() {
    block_on(async {
        let town = Town::open("voirie").await;
        let clerk = town.agent("a-01");
        let old = clerk.submit(leak()).await.unwrap().id();
        let mut definition = town.authority.host("essai").definition().await.unwrap();
        let leaks = definition.procedures.get_mut("fuite-eau").unwrap();
        let graveness = leaks.fields.iter_mut().find(|field| field.id == "gravite").unwrap();
        let gone = graveness.options.iter().position(|option| option.id == "ecoulement").unwrap();
        graveness.options.remove(gone);
        town.authority.host("essai").publish(&definition).await.unwrap();
        let is = |option: &str| by(json!({"==": [{"var": "form.gravite"}, option]}));
        let found = clerk.list(&is("ecoulement")).await.unwrap();
        assert_eq!(found.requests.iter().map(|one| one.id).collect::<Vec<_>>(), [old]);
        assert!(refusal(clerk.list(&is("ecoulements")).await).has("list.compare"));
    });
}

#[test]
fn a_page_that_cannot_be_is_refused() {
    block_on(async {
        let town = Town::open("voirie").await;
        let clerk = town.agent("a-01");
        for _ in 0..3 {
            clerk.submit(leak()).await.unwrap();
        }
        for limit in [0, 1_001, u32::MAX] {
            let list = List::new().limit(limit);
            assert!(refusal(clerk.list(&list).await).has("list.limit"));
            assert!(refusal(clerk.interventions(&list).await).has("list.limit"));
            assert!(refusal(town.authority.host("essai").dead_letters(None, limit).await).has("list.limit"));
        }
        let next = clerk.list(&List::new().limit(1)).await.unwrap().next.unwrap();
        let more = List::new().is(Fact::Phase, "received").after(next.clone());
        for cursor in [Cursor::from_bytes(Vec::new()), Cursor::from_bytes(vec![7; 40])] {
            assert!(refusal(clerk.list(&List::new().after(cursor.clone())).await).has("list.cursor"));
            assert!(refusal(clerk.list(&List::new().overdue().after(cursor)).await).has("list.cursor"));
        }
        let refused = refusal(clerk.list(&more).await);
        assert!(refused.has("list.cursor") && refused.to_string().contains("begin again"), "{refused}");
        assert!(refusal(town.authority.host("essai").dead_letters(Some(&next), 5).await).has("list.cursor"));
        assert_eq!(clerk.list(&List::new().after(next)).await.unwrap().requests.len(), 2);
        // Who sees nothing is told so too.
        let nobody = town.authority.session(grc_core::Actor::citizen());
        assert!(refusal(nobody.list(&List::new().limit(0)).await).has("list.limit"));
        let wrong = Condition::Compare(Var::Fact(Fact::Opened), Comparison::Less, Scalar::Text("x".into()));
        assert!(refusal(nobody.list(&List::new().filter(wrong)).await).has("list.compare"));
    });
}
