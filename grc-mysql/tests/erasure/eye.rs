//! An eye on every file of a server, at any time.

use super::shared::scan::{LONGEST, Patterns, Secrets};
use std::{
    collections::BTreeMap,
    fs::{self, File},
    io::Read,
    os::unix::fs::MetadataExt,
    path::{Path, PathBuf},
    sync::{
        Arc, Mutex,
        atomic::{AtomicBool, Ordering},
    },
    thread::{self, JoinHandle},
    time::Duration,
};

/// How much of a file is compared at once.
const STRIPE: usize = 64 << 10;

/// A file as it was seen last. What never was written is zeros, and is not looked at.
#[derive(Default)]
struct Image {
    bytes: Vec<u8>,
    stamp: (u64, i64, i64),
}

/// The files of a server as they were seen last: what has changed since is looked at.
struct Eye {
    directory: PathBuf,
    process: u32,
    secrets: Secrets,
    /// All secrets, when there were so many.
    patterns: (usize, Patterns),
    images: BTreeMap<PathBuf, Image>,
    buffer: Vec<u8>,
    seen: Seen,
    found: Vec<String>,
}

/// What was looked at.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Seen {
    pub(crate) looks: usize,
    pub(crate) most_files: usize,
    pub(crate) scanned: usize,
}

impl Eye {
    /// Looks at what is new. A quick look believes the times of files: two changes may have the same.
    fn look(&mut self, quick: bool) {
        let known = self.secrets.len();
        if self.patterns.0 != known {
            self.patterns = (known, self.secrets.patterns());
        }
        let mut paths = Vec::new();
        files(&self.directory, &mut paths);
        deleted(self.process, &self.directory, &mut paths);
        self.images.retain(|path, _| paths.contains(path));
        self.seen.looks += 1;
        self.seen.most_files = self.seen.most_files.max(paths.len());
        for path in paths {
            // It may be gone again.
            if let Ok(file) = File::open(&path) {
                self.look_into(&path, file, quick);
            }
        }
        if self.secrets.len() != known {
            // What became secret meanwhile may be in what was just looked at, and was not looked for.
            self.images.clear();
        }
    }

    fn look_into(&mut self, path: &Path, mut file: File, quick: bool) {
        let Ok(data) = file.metadata() else { return };
        let stamp = (data.size(), data.mtime(), data.mtime_nsec());
        let image = self.images.entry(path.to_owned()).or_default();
        if quick && image.stamp == stamp {
            return;
        }
        image.stamp = stamp;
        self.buffer.clear();
        if file.read_to_end(&mut self.buffer).is_err() {
            return;
        }
        image.bytes.resize(self.buffer.len(), 0);
        let mut changed: Vec<std::ops::Range<usize>> = Vec::new();
        for from in (0..self.buffer.len()).step_by(STRIPE) {
            let to = (from + STRIPE).min(self.buffer.len());
            if image.bytes[from..to] == self.buffer[from..to] {
                continue;
            }
            image.bytes[from..to].copy_from_slice(&self.buffer[from..to]);
            let (from, to) = (from.saturating_sub(LONGEST), (to + LONGEST).min(self.buffer.len()));
            match changed.last_mut() {
                Some(last) if last.end >= from => last.end = to,
                _ => changed.push(from..to),
            }
        }
        for range in changed {
            self.seen.scanned += range.len();
            for what in self.patterns.1.found(&self.buffer[range]) {
                self.found.push(format!("{what} in {}", path.display()));
            }
        }
    }
}

/// All files in a folder, but for backups that a test keeps there.
pub(crate) fn files(folder: &Path, out: &mut Vec<PathBuf>) {
    // What is gone again has nothing to show.
    for entry in fs::read_dir(folder).into_iter().flatten().flatten() {
        let (path, kind) = (entry.path(), entry.file_type());
        match kind {
            Ok(kind) if kind.is_dir() && entry.file_name() != "backup" => files(&path, out),
            Ok(kind) if kind.is_file() => out.push(path),
            _ => {}
        }
    }
}

/// Temporary files that have no name any more, and are on the disk for all that.
fn deleted(process: u32, folder: &Path, out: &mut Vec<PathBuf>) {
    for entry in fs::read_dir(format!("/proc/{process}/fd")).into_iter().flatten().flatten() {
        let path = entry.path();
        if let Ok(to) = fs::read_link(&path)
            && to.starts_with(folder)
            && to.to_string_lossy().ends_with("(deleted)")
        {
            out.push(path);
        }
    }
}

/// An eye that is open all the time, until it is dropped.
pub(crate) struct Watch {
    eye: Arc<Mutex<Eye>>,
    ended: Arc<AtomicBool>,
    thread: Option<JoinHandle<()>>,
}

impl Watch {
    pub(crate) fn start(directory: &Path, process: u32, secrets: &Secrets) -> Self {
        let eye = Eye {
            directory: directory.to_owned(),
            process,
            secrets: secrets.clone(),
            patterns: (0, Patterns::of([])),
            images: BTreeMap::new(),
            buffer: Vec::new(),
            seen: Seen::default(),
            found: Vec::new(),
        };
        let eye = Arc::new(Mutex::new(eye));
        let ended = Arc::new(AtomicBool::new(false));
        let watching = (Arc::clone(&eye), Arc::clone(&ended));
        let thread = thread::spawn(move || {
            while !watching.1.load(Ordering::SeqCst) {
                watching.0.lock().unwrap().look(true);
                // The others want to look too.
                thread::sleep(Duration::from_millis(2));
            }
        });
        Self { eye, ended, thread: Some(thread) }
    }

    /// Looks at all that has changed. Answers what was found so far.
    pub(crate) fn found(&self) -> Vec<String> {
        let mut eye = self.eye.lock().unwrap();
        eye.look(false);
        eye.found.clone()
    }

    /// Looks at all that has changed, and fails if anything was found so far.
    pub(crate) fn look(&self) {
        assert_eq!(self.found(), [""; 0], "in the files of the server");
    }

    /// Looks at every byte that is there, for all that is secret by now.
    pub(crate) fn look_at_everything(&self) -> Seen {
        self.eye.lock().unwrap().images.clear();
        self.look();
        self.eye.lock().unwrap().seen
    }
}

impl Drop for Watch {
    fn drop(&mut self) {
        self.ended.store(true, Ordering::SeqCst);
        if let Some(thread) = self.thread.take() {
            let ended = thread.join();
            assert!(ended.is_ok() || thread::panicking(), "the eye was shut");
        }
    }
}

/// How many of these there are in each of the files, by their names.
pub(crate) fn census(folder: &Path, patterns: &Patterns) -> BTreeMap<String, usize> {
    let mut paths = Vec::new();
    files(folder, &mut paths);
    let mut out = BTreeMap::new();
    for path in paths {
        let there = patterns.numbers(&fs::read(&path).unwrap_or_default()).len();
        if there > 0 {
            *out.entry(path.strip_prefix(folder).unwrap().display().to_string()).or_default() += there;
        }
    }
    out
}
