//! Rendering templates: bounded, strict, and the same at load and in a decision.

use std::collections::{BTreeMap, BTreeSet};

/// The variables of a template: texts, empty where there is no value; and groups of them (`requester.name`).
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Variables {
    texts: BTreeMap<String, String>,
    groups: BTreeMap<&'static str, BTreeMap<String, String>>,
}

impl Variables {
    pub(crate) fn set(&mut self, name: &str, text: impl Into<String>) {
        self.texts.insert(name.to_owned(), text.into());
    }

    pub(crate) fn set_in(&mut self, group: &'static str, name: &str, text: impl Into<String>) {
        self.groups.entry(group).or_default().insert(name.to_owned(), text.into());
    }
}

/// An id as it is written in a template, where a hyphen is a minus and a dot looks into something.
pub(crate) fn written(id: &str) -> String {
    id.replace(['-', '.'], "_")
}

/// What is wrong with a template.
#[derive(Debug, Clone, PartialEq, Eq)]
#[expect(dead_code, reason = "a build has the one variant or the others, and what reads them reads all")]
pub(crate) enum TemplateError {
    /// This build renders none.
    Unavailable,
    /// It cannot be read: what is wrong, and in which of its lines. The author's own words, never a value.
    Syntax(String, usize),
    /// It uses what there is not.
    Undefined,
    /// It takes too much work, or writes too much.
    Endless,
    /// It asks of a value what that cannot do.
    Failed(String),
}

/// The longest template, in bytes.
pub(crate) const MAX_SOURCE: usize = 20_000;
/// The longest text that is rendered, in bytes: what a message may have at most, four bytes a character.
#[cfg(feature = "templates")]
const MAX_OUTPUT: usize = 80_000;
/// The work that rendering may take in a decision, in the engine's own unit.
#[cfg(feature = "templates")]
const FUEL: u64 = 20_000;

/// Where a template is rendered.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Use {
    /// In a decision.
    Decision,
    /// When a definition is checked, with half of the work, so that what was taken there has room for longer values.
    Check,
}

#[cfg(feature = "templates")]
mod engine {
    use super::{BTreeMap, BTreeSet, FUEL, MAX_OUTPUT, MAX_SOURCE, TemplateError, Use, Variables};
    use minijinja::{
        AutoEscape, Environment, Error, ErrorKind, Template, UndefinedBehavior, Value, filters, functions,
        tests,
    };
    use std::{
        io::{self, Write},
        sync::LazyLock,
    };

    /// What the language itself brings.
    const BUILT_IN: &str = "range";
    const NAME: &str = "message.txt";

    // Made once, not for each text.
    static IN_A_DECISION: LazyLock<Environment<'static>> = LazyLock::new(|| environment(FUEL));
    static AT_LOAD: LazyLock<Environment<'static>> = LazyLock::new(|| environment(FUEL / 2));

    /// With what texts need, and no more: a namespace can hold itself, and filters of lists make ever larger ones.
    fn environment(fuel: u64) -> Environment<'static> {
        let mut environment = Environment::empty();
        environment.add_global(BUILT_IN, Value::from_function(functions::range));
        environment.add_filter("capitalize", filters::capitalize);
        environment.add_filter("default", filters::default);
        environment.add_filter("length", filters::length);
        environment.add_filter("lower", filters::lower);
        environment.add_filter("title", filters::title);
        environment.add_filter("trim", filters::trim);
        environment.add_filter("upper", filters::upper);
        environment.add_test("defined", tests::is_defined);
        environment.set_fuel(Some(fuel));
        environment.set_recursion_limit(16);
        environment.set_undefined_behavior(UndefinedBehavior::Strict);
        environment.set_auto_escape_callback(|_| AutoEscape::None);
        environment
    }

    /// Takes no more than so much.
    struct Bounded(Vec<u8>);

    impl Write for Bounded {
        fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
            if self.0.len().saturating_add(bytes.len()) > MAX_OUTPUT {
                return Err(io::ErrorKind::FileTooLarge.into());
            }
            self.0.extend_from_slice(bytes);
            Ok(bytes.len())
        }

        fn flush(&mut self) -> io::Result<()> {
            Ok(())
        }
    }

    fn failure(error: &Error) -> TemplateError {
        // What is said of values that it met is not repeated: a value may be among it.
        match error.kind() {
            ErrorKind::SyntaxError | ErrorKind::BadEscape | ErrorKind::InvalidDelimiter => {
                TemplateError::Syntax(
                    error.detail().unwrap_or("it cannot be read").to_owned(),
                    error.line().unwrap_or(1),
                )
            }
            ErrorKind::UndefinedError => TemplateError::Undefined,
            ErrorKind::OutOfFuel | ErrorKind::WriteFailure => TemplateError::Endless,
            ErrorKind::UnknownFilter => {
                TemplateError::Failed("it uses a filter that there is not".to_owned())
            }
            ErrorKind::UnknownTest => TemplateError::Failed("it uses a test that there is not".to_owned()),
            ErrorKind::UnknownFunction | ErrorKind::UnknownMethod => {
                TemplateError::Failed("it calls a function that there is not".to_owned())
            }
            _ => TemplateError::Failed("it asks of a value what that cannot do".to_owned()),
        }
    }

    /// Whether a text makes lists of several, or calculates: outside of quotes, its tags have a mark of those. What
    /// it would take to show or to compare such a list is not in the fuel: few words make one that takes for ever.
    fn makes_lists(source: &str) -> bool {
        let mut rest = source;
        while let Some((_, begun)) = rest.split_once('{') {
            rest = match begun.split_at_checked(1) {
                Some(("#", comment)) => comment.split_once("#}").map_or("", |(_, rest)| rest),
                Some(("{" | "%", tag)) => match past_tag(tag) {
                    Some(rest) => rest,
                    None => return true,
                },
                // A brace of the text; what comes after it may be another.
                _ => begun,
            };
        }
        false
    }

    /// What comes after a tag; none if it has what tags must not have.
    fn past_tag(tag: &str) -> Option<&str> {
        // What is raw is no tag, whatever it looks like.
        let word = tag.trim_start_matches(|c: char| c.is_whitespace() || matches!(c, '-' | '+'));
        if word.starts_with("raw") {
            return None;
        }
        let mut quote = None;
        let mut chars = tag.char_indices();
        while let Some((at, c)) = chars.next() {
            match (quote, c) {
                (Some(_), '\\') => {
                    chars.next();
                }
                (Some(open), c) if c == open => quote = None,
                (Some(_), _) => {}
                (None, '"' | '\'') => quote = Some(c),
                (None, '}' | '%') if tag.get(at + 1..)?.starts_with('}') => return tag.get(at + 2..),
                (None, ',' | '*' | '+' | '{' | '}') => return None,
                (None, _) => {}
            }
        }
        Some("")
    }

    /// Reads a template.
    fn parsed<'t>(
        environment: &'t Environment<'_>,
        source: &'t str,
    ) -> Result<Template<'t, 't>, TemplateError> {
        if source.len() > MAX_SOURCE {
            return Err(TemplateError::Endless);
        }
        let template = environment.template_from_named_str(NAME, source).map_err(|error| failure(&error))?;
        if makes_lists(source) {
            let message =
                "it makes a list or calculates: `,`, `*`, `+`, braces and `raw` are not for its tags";
            return Err(TemplateError::Failed(message.to_owned()));
        }
        Ok(template)
    }

    pub(crate) fn uses(source: &str) -> Result<BTreeSet<String>, TemplateError> {
        let names = parsed(&IN_A_DECISION, source)?.undeclared_variables(true);
        Ok(names.into_iter().filter(|name| name != BUILT_IN).collect())
    }

    pub(crate) fn render(source: &str, variables: &Variables, used: Use) -> Result<String, TemplateError> {
        let text = |text: &String| Value::from(text.as_str());
        let mut all: BTreeMap<String, Value> =
            variables.texts.iter().map(|(name, value)| (name.clone(), text(value))).collect();
        for (group, texts) in &variables.groups {
            let texts: BTreeMap<String, Value> =
                texts.iter().map(|(name, value)| (name.clone(), text(value))).collect();
            all.insert((*group).to_owned(), Value::from(texts));
        }
        let environment = match used {
            Use::Decision => &*IN_A_DECISION,
            Use::Check => &*AT_LOAD,
        };
        let template = parsed(environment, source)?;
        let mut out = Bounded(Vec::new());
        template.render_captured_to(Value::from(all), &mut out).map_err(|error| failure(&error))?;
        String::from_utf8(out.0).map_err(|_| TemplateError::Failed("it writes what is no text".to_owned()))
    }
}

#[cfg(not(feature = "templates"))]
mod engine {
    use super::{BTreeSet, TemplateError, Use, Variables};

    pub(crate) fn uses(_: &str) -> Result<BTreeSet<String>, TemplateError> {
        Err(TemplateError::Unavailable)
    }

    pub(crate) fn render(_: &str, _: &Variables, _: Use) -> Result<String, TemplateError> {
        Err(TemplateError::Unavailable)
    }
}

/// Renders a template, with no more work than it may take there.
pub(crate) fn render(source: &str, variables: &Variables, used: Use) -> Result<String, TemplateError> {
    engine::render(source, variables, used)
}

/// The variables that a template may look up, those inside of others with a dot.
pub(crate) fn uses(source: &str) -> Result<BTreeSet<String>, TemplateError> {
    engine::uses(source)
}

#[cfg(all(test, feature = "templates"))]
mod tests {
    use super::*;

    fn variables() -> Variables {
        let mut variables = Variables::default();
        variables.set("type", "Fuite");
        variables.set("empty", "");
        variables.set_in("fields", "code_portail", "<A&B>");
        variables
    }

    #[test]
    fn values_are_put_in_as_they_are_and_what_is_missing_is_an_error() {
        let render = |source: &str| render(source, &variables(), Use::Decision);
        assert_eq!(render("{{ type }} {{ fields.code_portail }}").as_deref(), Ok("Fuite <A&B>"));
        assert_eq!(render("{% if empty %}x{% endif %}!").as_deref(), Ok("!"));
        assert_eq!(render("{{ typ }}"), Err(TemplateError::Undefined));
        assert_eq!(render("{% set f = fields %}{{ f['secret'] }}"), Err(TemplateError::Undefined));
        assert!(matches!(render("a\n{{ type"), Err(TemplateError::Syntax(_, 2))));
        assert!(matches!(render("{{ type|nope }}"), Err(TemplateError::Failed(_))));
        // No other file is ever read.
        assert!(matches!(render("{% include 'x' %}"), Err(TemplateError::Syntax(..))));
    }

    #[test]
    fn whatever_it_says_it_ends_soon() {
        for source in [
            "{% for a in range(9999) %}{% for b in range(9999) %}x{% endfor %}{% endfor %}",
            "{{ 'x' * 100000000 }}",
            "{% set n = namespace(t='x') %}{% for i in range(99) %}{% set n.t = n.t ~ n.t %}{% endfor %}{{ n.t }}",
            "{{ 'x'|center(200000000) }}",
            "{{ '%0900000000d'|format(1) }}",
            "{% for a in range(9000) %}{{ 'xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx' }}{% endfor %}",
        ] {
            let rendered = render(source, &variables(), Use::Decision);
            assert!(
                matches!(rendered, Err(TemplateError::Endless | TemplateError::Failed(_))),
                "{source}: {:?}",
                rendered.map(|text| text.len())
            );
        }
        let deep = format!("{{{{ {}1{} }}}}", "(".repeat(5_000), ")".repeat(5_000));
        assert!(matches!(render(&deep, &variables(), Use::Decision), Err(TemplateError::Syntax(..))));
    }

    #[test]
    fn no_list_is_shown_or_compared_for_ever_or_holds_itself() {
        let doubled = "{% set x = [x, x] %}".repeat(40);
        for source in [
            "{% set n = namespace() %}{% set n.a = n %}{{ n }}".to_owned(),
            "{% set big = [1] * 100000000 %}{{ [[big] * 1000] * 1000 }}".to_owned(),
            "{{ ([1] * 1000000000) ~ '' }}".to_owned(),
            "{{ ([1] * 1000000000) == ([1] * 1000000000) }}".to_owned(),
            "{{# \"' #}{% set x = [1] %}".to_owned() + &doubled + "{{ x ~ '' }}",
            "{é{% set x = [1] %}".to_owned() + &doubled + "{{ x }}",
            "{{ '\\'' }}{% set x = [1] %}".to_owned() + &doubled + "{{ x }}",
            "{% set x = [1] %}{% raw %}{{ ' {% endraw %}".to_owned() + &doubled + "{{ x }}",
            "{% set x = [1] %}".to_owned() + &"{% set x = [x] + [x] %}".repeat(40) + "{{ x }}",
            "{% set x = [1] %}".to_owned() + &"{% set x = x|zip(x) %}".repeat(40) + "{{ x ~ '' }}",
            "{% set x = 1 %}".to_owned() + &"{% set x = {'a': x, 'b': x} %}".repeat(40) + "{{ x ~ '' }}",
            "{% set x = 1 %}".to_owned() + &"{% set x = x or(x, x) %}".repeat(40) + "{{ x ~ '' }}",
        ] {
            let rendered = render(&source, &variables(), Use::Decision);
            assert!(
                matches!(rendered, Err(TemplateError::Failed(_) | TemplateError::Syntax(..))),
                "{source}: {rendered:?}"
            );
        }
        // As deep as a text is long.
        let deep =
            "{% set x=1 %}".to_owned() + &"{% set x=[x]%}".repeat(1_400) + "{% if x != [x] %}ok{% endif %}";
        assert_eq!(render(&deep, &variables(), Use::Decision).as_deref(), Ok("ok"));
        // What a letter says is its own matter, and so is what is quoted.
        for (source, text) in [
            ("a, b * {c} + { {% if type %}d, e{% endif %} }", "a, b * {c} + { d, e }"),
            ("{{ 'a, b }} *' }}{# , * '#}{{ type|upper -}} ,", "a, b }} *FUITE,"),
            ("{{ fields['code_portail']|default(\"\\\"+\") }}", "<A&B>"),
        ] {
            assert_eq!(render(source, &variables(), Use::Decision).as_deref(), Ok(text));
        }
    }

    #[test]
    fn what_it_may_look_up_is_known_whatever_branch_it_is_in() {
        let names = uses(
            "{% if type %}{{ fields.a }}{% else %}{{ b }}{% endif %}{{ fields['c'] }}{% for i in range(2) %}{{ i }}{{ loop.index }}{% endfor %}",
        );
        let names: Vec<String> = names.unwrap().into_iter().collect();
        assert_eq!(names, ["b", "fields", "fields.a", "type"]);
    }
}
