//! An environment of Python packages in the target folder, with the bindings as they are now.

use crate::{Outcome, graph, needs};
use std::{
    error::Error,
    io,
    path::{Path, PathBuf},
    process::Command,
};

/// Where the bindings are.
pub(crate) const BINDINGS: &str = "grc-python";

/// What the bindings are built for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Wheel {
    /// For tests: as the other tests are built, which takes less time.
    Dev,
    /// For use.
    Release,
}

/// An environment.
#[derive(Debug)]
pub(crate) struct Environment {
    root: PathBuf,
    folder: PathBuf,
}

impl Environment {
    /// The one of this name, which may not be there yet.
    pub(crate) fn named(name: &str) -> Result<Self, Box<dyn Error>> {
        Ok(Self { root: root()?, folder: graph::target()?.join(name) })
    }

    /// Its own Python.
    pub(crate) fn python(&self) -> PathBuf {
        self.folder.join("bin/python")
    }

    /// The one of this name, with nothing in it.
    pub(crate) fn empty(name: &str) -> Result<Self, Box<dyn Error>> {
        let environment = Self::named(name)?;
        if environment.folder.exists() {
            std::fs::remove_dir_all(&environment.folder)?;
        }
        Ok(environment)
    }

    /// Makes it, if it is not there, and brings it up to date: these packages, and the bindings.
    pub(crate) fn install(&self, requirements: &[&str], wheel: Wheel) -> Outcome {
        if !self.python().exists() {
            needs::python()?;
            run(Command::new("python3").args(["-m", "venv"]).arg(&self.folder))?;
        }
        self.packages(requirements)?;
        self.pip(&["--force-reinstall", "--no-deps", &format!("./{BINDINGS}")], wheel)
    }

    /// Brings these packages in.
    pub(crate) fn packages(&self, requirements: &[&str]) -> Outcome {
        requirements.iter().try_for_each(|requirements| self.pip(&["-r", requirements], Wheel::Release))
    }

    fn pip(&self, arguments: &[&str], wheel: Wheel) -> Outcome {
        let mut command = Command::new(self.python());
        command.args(["-m", "pip", "install", "--quiet", "--disable-pip-version-check"]).args(arguments);
        command.current_dir(&self.root);
        if wheel == Wheel::Dev {
            command.env("MATURIN_PEP517_ARGS", "--profile dev --features tested");
        }
        run(&mut command)
    }
}

/// The folder of the project.
pub(crate) fn root() -> io::Result<PathBuf> {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("..").canonicalize()
}

/// Runs a command that must succeed.
pub(crate) fn run(command: &mut Command) -> Outcome {
    match command.status() {
        Ok(status) if status.success() => Ok(()),
        Ok(status) => Err(format!("{command:?}: {status}").into()),
        Err(error) => Err(format!("{command:?} cannot be run: {error}").into()),
    }
}
