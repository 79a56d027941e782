//! What lists and figures may be asked by. What no store can answer is refused here, as the caller's mistake.

use crate::{
    Condition, Moment,
    condition::{Scalar, Var},
    definition::{
        Field, FieldKind,
        look::{Look, Misfit, looks},
    },
    refusal::{Problem, Refusal},
    request::cents,
    storage::{FactKind, Query, StoreInfo},
};
use chrono::{DateTime, FixedOffset};

/// A condition as stores compare it: a moment that is written as a text (RFC 3339) is one. Refuses what is too large, what
/// asks for a relation, and what compares facts with what they never are: its answer would be empty, and nobody would know
/// why.
pub(super) fn filter(filter: &Condition) -> Result<Condition, Refusal> {
    if !filter.is_bounded() {
        let problem = Problem::new("list.field", "filter", "this condition is too large");
        return Err(problem.hint("ask for less at once").into());
    }
    let filter = filter.clone().with_scalars(&|var, scalar| match (var, scalar) {
        (Var::Fact(fact), Scalar::Text(text)) if fact.kind() == FactKind::Moment => {
            let moment = text.parse::<DateTime<FixedOffset>>().map(|at| Moment::from(at.to_utc()));
            moment.map_or(Scalar::Text(text), |moment| Scalar::Integer(moment.micros()))
        }
        (_, scalar) => scalar,
    });
    let mut problems = Vec::new();
    filter.visit(&mut |node| {
        if let Condition::Relation(_) = node {
            let problem = Problem::new("list.relation", "filter", "a list is not made by a relation");
            problems.push(problem.hint("ask for what is yours, or by `agent`, `team` or `service`"));
        }
        looks(node, &mut |var, look| {
            if let Var::Fact(fact) = var
                && let Err((message, hint)) = look.fits_fact(*fact)
            {
                let message = format!("`{}` {message}", fact.name());
                problems.push(Problem::new("list.compare", fact.name(), message).hint(hint));
            }
        });
    });
    if problems.is_empty() { Ok(filter) } else { Err(Refusal::new(problems)) }
}

/// A condition in which amounts of a field that are written as texts (`84,50`) are cents.
pub(super) fn with_amounts(filter: Condition, of: &Var) -> Condition {
    filter.with_scalars(&|var, scalar| match scalar {
        Scalar::Text(text) if var == of => cents(&text).map_or(Scalar::Text(text), Scalar::Integer),
        scalar => scalar,
    })
}

/// Refuses a condition that compares a field with what it is in none of these versions of types.
pub(super) fn fit(filter: &Condition, of: &Var, fields: &[Field]) -> Result<(), Refusal> {
    let mut problems = Vec::new();
    filter.visit(&mut |node| {
        looks(node, &mut |var, look| {
            if var != of {
                return;
            }
            let mut misfit = None;
            for field in fields {
                match fits(look, field) {
                    Ok(()) => return,
                    Err(why) => misfit = Some(why),
                }
            }
            problems.extend(misfit.map(|(message, hint)| {
                Problem::new("list.compare", of.to_string(), format!("`{of}` {message}")).hint(hint)
            }));
        });
    });
    if problems.is_empty() { Ok(()) } else { Err(Refusal::new(problems)) }
}

/// As in a definition, but for texts: lists are not made by searching in them.
fn fits(look: Look<'_>, field: &Field) -> Result<(), Misfit> {
    let choices = matches!(field.kind, FieldKind::Choice | FieldKind::Choices);
    if matches!(look, Look::Contains(_)) && !choices {
        return Err(("is not searched by lists".to_owned(), "compare the whole of it with ==".to_owned()));
    }
    look.fits(field)
}

/// Refuses a condition that looks at fields, where there are only facts.
pub(super) fn only_facts(filter: &Condition, message: &str, hint: &str) -> Result<Condition, Refusal> {
    let filter = self::filter(filter)?;
    let field = filter.vars().into_iter().find(|var| matches!(var, Var::Field(_))).cloned();
    match field {
        None => Ok(filter),
        Some(field) => Err(Problem::new("list.field", field.to_string(), message).hint(hint).into()),
    }
}

/// Refuses a page that cannot be: its size, or where it is to begin.
pub(super) fn page(query: &Query) -> Result<(), Refusal> {
    limit(query.limit)?;
    match query.start("list") {
        Ok(_) => Ok(()),
        Err(_) => {
            let problem = Problem::new("list.cursor", "after", "this is no cursor of this list");
            let hint = "go on with the `next` of a page of the same list, or begin again: another filter or order is \
                        another list, and so is one by fields once the definition has changed";
            Err(problem.hint(hint).into())
        }
    }
}

/// Refuses the size of a page that none has.
pub(super) fn limit(limit: u32) -> Result<(), Refusal> {
    if (1..=StoreInfo::MAX_PAGE).contains(&limit) {
        return Ok(());
    }
    let message = format!("a page has 1 to {} rows, not {limit}", StoreInfo::MAX_PAGE);
    Err(Problem::new("list.limit", "limit", message).hint("ask for 50").into())
}
