//! Figures, within what an actor may measure.

use super::{Authority, GrcError, Here, Host, Session, asked, authority::Current};
use crate::{
    Condition, RequestId,
    definition::Action,
    insight::{Behind, Dimension, Figure, Figures, Question, Reach, Table},
    refusal::{Problem, Refusal},
    request::Acting,
};

/// A question as it is counted. Figures cannot be made by fields: they are not in the rows that they are made of.
fn checked(question: &Question) -> Result<Question, Refusal> {
    let Some(filter) = question.filter() else { return Ok(question.clone()) };
    let message = "figures are made by facts, not by fields";
    let filter = asked::only_facts(filter, message, "ask by type, service, state, channel…")?;
    Ok(question.clone().of(filter))
}

/// Refuses more questions than are answered together: each has an answer of its own size.
fn few(questions: &[Question]) -> Result<(), Refusal> {
    if questions.len() <= Question::MAX_AT_ONCE {
        return Ok(());
    }
    let message = format!("more than {} questions are asked at once", Question::MAX_AT_ONCE);
    Err(Problem::new("figures.too-many", "questions", message)
        .hint("ask some of them after the others")
        .into())
}

fn denied(path: impl Into<String>, message: &str) -> Problem {
    Problem::new("permission.denied", path, message)
}

impl Session {
    /// The figures that one looks at first, over the requests that the actor may measure. Of the question, only which
    /// requests and of which time counts.
    ///
    /// # Errors
    /// As [`Self::measure`].
    pub async fn figures(&self, question: &Question) -> Result<Figures, GrcError> {
        let tables = self.measure_all(&Figures::questions(question)).await?;
        Ok(Figures::of(&tables))
    }

    /// The answer to a question, over the requests that the actor may measure; amounts only of those whose amounts they
    /// may see (`cost`), and requests are told apart only if they may see them.
    ///
    /// # Errors
    /// [`GrcError::NotPermitted`] if the actor may not see figures, or not these; [`GrcError::Refused`] with every
    /// reason why the question cannot be answered: `figures.none`, `figures.dimensions`, `figures.dimension`,
    /// `figures.range`, `figures.moment`, `figures.too-many`, `list.field`; [`GrcError::Storage`].
    pub async fn measure(&self, question: &Question) -> Result<Table, GrcError> {
        self.measure_all(std::slice::from_ref(question)).await?.pop().ok_or(GrcError::Busy)
    }

    /// The answers to several questions, at most [`Question::MAX_AT_ONCE`], in their order: the rows are read once for all.
    ///
    /// # Errors
    /// As [`Self::measure`].
    pub async fn measure_all(&self, questions: &[Question]) -> Result<Vec<Table>, GrcError> {
        few(questions)?;
        let (acting, current) = self.acting().await?;
        let reach = reach(&acting, &current)?;
        let mut narrowed = Vec::with_capacity(questions.len());
        for question in questions {
            narrowed.push(self.authority().narrow(&acting, &current, &reach, question).await?);
        }
        self.authority().measure(&current, &reach, &narrowed).await
    }

    /// The requests behind a cell: those that add something to this figure in the row of these keys
    /// ([`Row::ids`](crate::insight::Row::ids)), as far as the actor may also see them; at most `limit` (1 to 1000)
    /// after one of them. For an actor who may see what they measure, there are as many as the cell counts requests;
    /// where it counts reopenings, messages or minutes, those that have some.
    ///
    /// # Errors
    /// As [`Self::measure`], and `figures.keys` for keys that are no keys of the question's dimensions.
    pub async fn behind(
        &self,
        question: &Question,
        figure: Figure,
        keys: &[Option<&str>],
        after: Option<RequestId>,
        limit: usize,
    ) -> Result<Behind, GrcError> {
        let (acting, current) = self.acting().await?;
        let reach = reach(&acting, &current)?;
        let question = question.clone().figures([figure]);
        let question = self.authority().narrow(&acting, &current, &reach, &question).await?;
        self.authority().behind(&current, &reach, &question, figure, keys, (after, limit)).await
    }
}

impl Host {
    /// The figures that one looks at first, over all requests. Of the question, only which requests and of which time
    /// counts.
    ///
    /// # Errors
    /// As [`Self::measure`].
    pub async fn figures(&self, question: &Question) -> Result<Figures, GrcError> {
        let tables = self.measure_all(&Figures::questions(question)).await?;
        Ok(Figures::of(&tables))
    }

    /// The answer to a question, over all requests.
    ///
    /// # Errors
    /// As [`Session::measure`], but nothing is denied.
    pub async fn measure(&self, question: &Question) -> Result<Table, GrcError> {
        self.measure_all(std::slice::from_ref(question)).await?.pop().ok_or(GrcError::Busy)
    }

    /// The answers to several questions, at most [`Question::MAX_AT_ONCE`], in their order: the rows are read once for all.
    ///
    /// # Errors
    /// As [`Self::measure`].
    pub async fn measure_all(&self, questions: &[Question]) -> Result<Vec<Table>, GrcError> {
        few(questions)?;
        let questions = questions.iter().map(checked).collect::<Result<Vec<_>, _>>()?;
        let current = self.authority().newest_organisation().await?;
        self.authority().measure(&current, &Reach::ALL, &questions).await
    }

    /// The requests behind a cell.
    ///
    /// # Errors
    /// As [`Session::behind`], but nothing is denied.
    pub async fn behind(
        &self,
        question: &Question,
        figure: Figure,
        keys: &[Option<&str>],
        after: Option<RequestId>,
        limit: usize,
    ) -> Result<Behind, GrcError> {
        let question = checked(question)?;
        let current = self.authority().newest_organisation().await?;
        self.authority().behind(&current, &Reach::ALL, &question, figure, keys, (after, limit)).await
    }
}

/// What an actor may measure.
fn reach(acting: &Acting, current: &Current) -> Result<Reach, Refusal> {
    let organisation = &current.document.organisation;
    let measure = acting.scope(organisation, Action::Measure);
    if measure == Condition::Constant(false) {
        return Err(denied("actor", "you may not see figures").into());
    }
    let money = acting.scope(organisation, Action::Cost);
    Ok(Reach { measure, money, see: acting.scope(organisation, Action::See) })
}

impl Authority {
    /// A question as far as an actor may ask it: what it is filtered by holds only where they may read it.
    fn narrow<'a>(
        &'a self,
        acting: &'a Acting,
        current: &'a Current,
        reach: &'a Reach,
        question: &'a Question,
    ) -> Here<'a, Result<Question, GrcError>> {
        Box::pin(async move {
            let question = checked(question)?;
            if question.is_of_money() && reach.money == Condition::Constant(false) {
                let problem = denied("figures", "you may not see amounts");
                return Err(Refusal::from(problem.hint("ask for minutes")).into());
            }
            // What a citizen may not look at in a condition, they may not count by either.
            let inside = [Dimension::State, Dimension::Team, Dimension::Agent, Dimension::Supplier];
            if let Some(dimension) = question.dimensions().iter().find(|dimension| inside.contains(dimension))
                && acting.is_citizen()
            {
                let problem = denied(format!("by.{dimension}"), "you may not see figures by this");
                return Err(Refusal::from(problem).into());
            }
            let Some(filter) = question.filter() else { return Ok(question) };
            let filter = self.checked_filter(acting, current, filter).await?;
            Ok(question.of(filter))
        })
    }
}
