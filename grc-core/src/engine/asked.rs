//! What lists and figures may be asked by. What no store can answer is refused here, as the caller's mistake.

use crate::{
    Condition,
    condition::Var,
    definition::{
        Field, FieldKind,
        look::{Look, Misfit, looks},
    },
    refusal::{Problem, Refusal},
    storage::{Query, StoreInfo},
};

/// Refuses a condition that is too large, that asks for a relation, or that compares facts with what they never are: its
/// answer would be empty, and nobody would know why.
pub(super) fn filter(filter: &Condition) -> Result<(), Refusal> {
    if !filter.is_bounded() {
        let problem = Problem::new("list.field", "filter", "this condition is too large");
        return Err(problem.hint("ask for less at once").into());
    }
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
    if problems.is_empty() { Ok(()) } else { Err(Refusal::new(problems)) }
}

/// What a condition compares a field with: it has to fit the field in one version of one type.
pub(super) struct Looks<'c> {
    var: &'c Var,
    looks: Vec<(Look<'c>, Option<Misfit>)>,
}

impl<'c> Looks<'c> {
    pub(super) fn of(filter: &'c Condition, var: &'c Var) -> Self {
        let mut all = Vec::new();
        filter.visit(&mut |node| {
            looks(node, &mut |looked, look| {
                if looked == var {
                    all.push((look, Some(Misfit::default())));
                }
            });
        });
        Self { var, looks: all }
    }

    /// Looks at the field as one version of a type has it.
    pub(super) fn see(&mut self, field: &Field) {
        for (look, misfit) in self.looks.iter_mut().filter(|(_, misfit)| misfit.is_some()) {
            *misfit = fits(*look, field).err();
        }
    }

    /// Refuses what fitted nowhere.
    pub(super) fn finish(self) -> Result<(), Refusal> {
        let problem = |(message, hint): Misfit| {
            let message = format!("`{}` {message}", self.var);
            Problem::new("list.compare", self.var.to_string(), message).hint(hint)
        };
        let problems: Vec<Problem> =
            self.looks.into_iter().filter_map(|(_, misfit)| misfit).map(problem).collect();
        if problems.is_empty() { Ok(()) } else { Err(Refusal::new(problems)) }
    }
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
pub(super) fn only_facts(filter: &Condition, message: &str, hint: &str) -> Result<(), Refusal> {
    self::filter(filter)?;
    match filter.vars().into_iter().find(|var| matches!(var, Var::Field(_))) {
        None => Ok(()),
        Some(field) => Err(Problem::new("list.field", field.to_string(), message).hint(hint).into()),
    }
}

/// Refuses a page that cannot be: its size, or where it is to begin.
pub(super) fn page(query: &Query) -> Result<(), Refusal> {
    if query.limit == 0 || query.limit > StoreInfo::MAX_PAGE {
        let message = format!("a page has 1 to {} rows, not {}", StoreInfo::MAX_PAGE, query.limit);
        return Err(Problem::new("list.limit", "limit", message).hint("ask for 50").into());
    }
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
