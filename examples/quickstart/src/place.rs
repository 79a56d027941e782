//! Where a database or its keys are: in a file, or in a database of a server.

use crate::failure::{Failure, Res};
use std::{
    ffi::OsString,
    fmt,
    path::{Path, PathBuf},
};

/// A file, or a database of a MySQL or MariaDB server.
#[derive(Debug, Clone)]
pub(crate) enum Place {
    /// A file.
    File(PathBuf),
    /// A database of a server.
    Server(Address),
}

/// The address of a database: `mysql://user:password@host:port/database`. It is displayed without the password.
#[derive(Clone)]
pub(crate) struct Address(String);

impl Place {
    /// Reads the value of an option. What begins like an address is one.
    pub(crate) fn read(option: &str, value: OsString) -> Res<Self> {
        let scheme = value.to_str().and_then(|text| text.split_once("://")).map(|(scheme, _)| scheme);
        match scheme {
            Some("mysql" | "mariadb") => Ok(Self::Server(Address(value.to_string_lossy().into_owned()))),
            // Whatever it is, it may contain a password, and is not shown.
            Some(scheme) if !scheme.is_empty() && scheme.chars().all(|c| c.is_ascii_alphanumeric()) => {
                Err(Failure::usage(format!(
                    "`--{option}` is a path, or an address that begins with `mysql://` or `mariadb://` (small letters)"
                )))
            }
            _ => Ok(Self::File(value.into())),
        }
    }

    /// The file that is there, if this is one.
    pub(crate) fn is_file_there(&self) -> bool {
        matches!(self, Self::File(path) if path.exists())
    }
}

impl fmt::Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::File(path) => path.display().fmt(f),
            Self::Server(address) => address.fmt(f),
        }
    }
}

impl Address {
    /// All of it, for the store.
    pub(crate) fn whole(&self) -> &str {
        &self.0
    }

    /// The name of the database, if it has no other characters than a file's name should.
    fn database(&self) -> Option<&str> {
        let (address, _) = self.0.split_once(['?', '#']).unwrap_or((&self.0, ""));
        let (_, rest) = address.split_once("://")?;
        let rest = rest.rsplit_once('@').map_or(rest, |(_, rest)| rest);
        let (_, name) = rest.split_once('/')?;
        let plain = |c: char| c.is_ascii_alphanumeric() || matches!(c, '_' | '-');
        Some(name).filter(|name| !name.is_empty() && name.chars().all(plain))
    }

    /// The file in which the keys are when nothing else is said: `<database>.keys`.
    pub(crate) fn keys(&self, folder: &Path) -> Res<PathBuf> {
        let name = self.database().ok_or_else(|| {
            Failure::usage(
                "the name of the database is not one for a file of keys: say where they are, with `--keys FILE`",
            )
        })?;
        Ok(folder.join(format!("{name}.keys")))
    }
}

impl fmt::Display for Address {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.0.split_once('?') {
            Some((address, _)) => write!(f, "{}?…", discreet(address)),
            None => f.write_str(&discreet(&self.0)),
        }
    }
}

impl fmt::Debug for Address {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

/// A text without the password of an address that it may contain.
pub(crate) fn discreet(text: &str) -> String {
    let Some((before, rest)) = text.split_once("://") else { return text.to_owned() };
    // What was not written as %XX may be part of a password, up to the last `@`.
    let Some((account, place)) = rest.rsplit_once('@') else { return text.to_owned() };
    match account.split_once(':') {
        Some((user, _)) => format!("{before}://{user}:…@{place}"),
        None => text.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_are_told_from_paths() {
        for path in ["town.db", "/a/b.db", "mysql", "mysql:/x", "./mysql://x", "a b://c", "://"] {
            let place = Place::read("db", path.into());
            assert!(matches!(place, Ok(Place::File(_))), "{path}");
        }
        for address in ["mysql://u:p@h/d", "mariadb://h/d", "mysql://"] {
            let place = Place::read("db", address.into());
            assert!(matches!(place, Ok(Place::Server(_))), "{address}");
        }
        for other in ["postgres://u:secret@h/d", "MySQL://u:secret@h/d", "file://u:secret@x"] {
            let Err(Failure { text, code }) = Place::read("db", other.into()) else { panic!("{other}") };
            assert!(text.contains("`mysql://`") && !text.contains("secret") && code == 2, "{text}");
        }
    }

    #[test]
    fn no_password_is_displayed() {
        for (address, shown) in [
            ("mysql://u:secret@h:3306/d", "mysql://u:…@h:3306/d"),
            ("mariadb://u:secret@[::1]:3306/d?ssl-mode=DISABLED", "mariadb://u:…@[::1]:3306/d?…"),
            ("mysql://u:se@cret/x@h/d", "mysql://u:…@h/d"),
            ("mysql://u@h/d", "mysql://u@h/d"),
            ("mysql://h:3306/d", "mysql://h:3306/d"),
        ] {
            let address = Address(address.to_owned());
            assert_eq!(address.to_string(), shown);
            assert_eq!(format!("{:?}", Place::Server(address)), format!("Server({shown})"));
        }
        for (text, shown) in [
            ("no such file", "no such file"),
            ("`mysql://u:secret@h/d`: no such file", "`mysql://u:…@h/d`: no such file"),
            ("mysql://u@h/d and mysql://v:secret@h/d", "mysql://u@h/d and mysql:…@h/d"),
        ] {
            assert_eq!(discreet(text), shown);
        }
    }

    #[test]
    fn keys_are_named_after_the_database() {
        let keys =
            |address: &str| Address(address.to_owned()).keys(Path::new("x")).map_err(|error| error.code);
        for address in
            ["mysql://u:p@h/town_1", "mysql://h/town_1?ssl-ca=/a@b", "mariadb://u:p/q@h:1/town_1#x"]
        {
            assert_eq!(keys(address), Ok(PathBuf::from("x/town_1.keys")), "{address}");
        }
        for address in ["mysql://h", "mysql://h/", "mysql://h/..%2fx", "mysql://h/a/b", "mysql://h/.."] {
            assert_eq!(keys(address), Err(2), "{address}");
        }
    }
}
