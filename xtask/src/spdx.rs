//! Licence expressions: names, `WITH`, `AND`, `OR`, parentheses. `OR` binds least, as SPDX has it; the `/` of old
//! manifests means `OR`.

/// Whether what an expression asks for can be met with the licences of a list.
///
/// # Errors
/// A sentence, if the expression is not understood.
pub(crate) fn satisfied(expression: &str, allowed: &[&str]) -> Result<bool, String> {
    let spaced = expression.replace('(', " ( ").replace(')', " ) ").replace('/', " OR ");
    let mut parser = Parser { words: spaced.split_whitespace().peekable(), allowed };
    let met = parser.any()?;
    match parser.words.next() {
        None => Ok(met),
        Some(word) => Err(format!("`{word}` is not expected in the licence `{expression}`")),
    }
}

struct Parser<'a, I: Iterator<Item = &'a str>> {
    words: std::iter::Peekable<I>,
    allowed: &'a [&'a str],
}

impl<'a, I: Iterator<Item = &'a str>> Parser<'a, I> {
    fn eat(&mut self, word: &str) -> bool {
        self.words.next_if(|next| *next == word).is_some()
    }

    fn any(&mut self) -> Result<bool, String> {
        let mut met = self.all()?;
        while self.eat("OR") {
            met |= self.all()?;
        }
        Ok(met)
    }

    fn all(&mut self) -> Result<bool, String> {
        let mut met = self.one()?;
        while self.eat("AND") {
            met &= self.one()?;
        }
        Ok(met)
    }

    fn one(&mut self) -> Result<bool, String> {
        if self.eat("(") {
            let met = self.any()?;
            return if self.eat(")") { Ok(met) } else { Err("a parenthesis is not closed".to_owned()) };
        }
        let name = self.name()?.to_owned();
        let full = if self.eat("WITH") { format!("{name} WITH {}", self.name()?) } else { name };
        Ok(self.allowed.contains(&full.as_str()))
    }

    fn name(&mut self) -> Result<&'a str, String> {
        match self.words.next() {
            Some(word) if !matches!(word, "AND" | "OR" | "WITH" | "(" | ")") => Ok(word),
            Some(word) => Err(format!("a licence was expected where `{word}` is")),
            None => Err("a licence was expected at the end".to_owned()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(expression: &str, expected: Result<bool, ()>) {
        let allowed = ["MIT", "ISC", "Apache-2.0", "Apache-2.0 WITH LLVM-exception"];
        assert_eq!(satisfied(expression, &allowed).map_err(|_| ()), expected, "{expression}");
    }

    #[test]
    fn expressions_are_met_or_not() {
        check("MIT", Ok(true));
        check("GPL-3.0-only", Ok(false));
        check("GPL-3.0-only OR MIT", Ok(true));
        check("MIT/GPL-3.0-only", Ok(true));
        check("MIT AND GPL-3.0-only", Ok(false));
        check("MIT AND ISC", Ok(true));
        // AND binds more than OR.
        check("MIT OR ISC AND GPL-3.0-only", Ok(true));
        check("(MIT OR ISC) AND GPL-3.0-only", Ok(false));
        check("((MIT) OR (X AND (Y)))", Ok(true));
        check("(MIT OR Apache-2.0) AND ISC", Ok(true));
    }

    #[test]
    fn an_exception_makes_another_licence() {
        check("Apache-2.0 WITH LLVM-exception", Ok(true));
        check("Apache-2.0 WITH LLVM-exception OR X", Ok(true));
        check("MIT WITH LLVM-exception", Ok(false));
        check("X WITH Y AND MIT", Ok(false));
    }

    #[test]
    fn what_is_not_understood_is_an_error() {
        for bad in ["", "MIT OR", "AND MIT", "(MIT", "MIT)", "MIT ISC", "MIT WITH", "()", "MIT WITH OR ISC"] {
            check(bad, Err(()));
        }
    }
}
