//! The engine: the only file that knows redb, besides the one that explains its errors. For another ordered engine,
//! write this one anew: get, range, put, remove, a transaction to read in and one to write in.

use crate::{
    Options,
    error::{Fault, Outcome, closed, foreign, unusable, whole},
    keys,
};
use grc_core::storage::{ScrubReport, StorageError};
use redb::{Builder, Database, ReadOnlyTable, ReadableDatabase, ReadableTable, Table, TableDefinition};
use std::{
    fmt,
    fs::{self, File, OpenOptions},
    io,
    ops::Bound,
    path::{Path, PathBuf},
    sync::{PoisonError, RwLock, RwLockReadGuard, RwLockWriteGuard},
};
use uuid::Uuid;

/// All rows are in one table: which row it is stands in its key.
const ROWS: TableDefinition<'_, &[u8], &[u8]> = TableDefinition::new("rows");
/// What the rows look like. Another look, another number; an older library then refuses the file.
pub(crate) const FORMAT: u8 = 1;

/// A row: key and value.
pub(crate) type Row = (Vec<u8>, Vec<u8>);
/// Rows in the order of their keys, read as they are asked for, from either end.
pub(crate) type Rows<'a> = Box<dyn DoubleEndedIterator<Item = Outcome<Row>> + 'a>;

/// What can be read, all of one moment.
pub(crate) trait Read {
    fn get(&self, key: &[u8]) -> Outcome<Option<Vec<u8>>>;

    fn range(&self, from: Bound<&[u8]>, to: Bound<&[u8]>) -> Outcome<Rows<'_>>;

    /// The rows whose keys begin so.
    fn under(&self, prefix: &crate::bytes::Bytes) -> Outcome<Rows<'_>> {
        self.range(Bound::Included(prefix), Bound::Excluded(&prefix.end()))
    }

    fn first(&self, prefix: &crate::bytes::Bytes) -> Outcome<Option<Row>> {
        self.under(prefix)?.next().transpose()
    }

    fn last(&self, prefix: &crate::bytes::Bytes) -> Outcome<Option<Row>> {
        self.under(prefix)?.next_back().transpose()
    }
}

type Key = &'static [u8];

fn get(table: &impl ReadableTable<Key, Key>, key: &[u8]) -> Outcome<Option<Vec<u8>>> {
    Ok(table.get(key)?.map(|value| value.value().to_vec()))
}

fn range<'a>(
    table: &'a impl ReadableTable<Key, Key>,
    from: Bound<&[u8]>,
    to: Bound<&[u8]>,
) -> Outcome<Rows<'a>> {
    Ok(Box::new(table.range::<&[u8]>((from, to))?.map(|row| {
        let (key, value) = row?;
        Ok((key.value().to_vec(), value.value().to_vec()))
    })))
}

/// A reading of one moment.
struct View(ReadOnlyTable<Key, Key>);

impl Read for View {
    fn get(&self, key: &[u8]) -> Outcome<Option<Vec<u8>>> {
        get(&self.0, key)
    }

    fn range(&self, from: Bound<&[u8]>, to: Bound<&[u8]>) -> Outcome<Rows<'_>> {
        range(&self.0, from, to)
    }
}

/// A writing: it reads what it wrote itself, and nobody else does before it is committed.
pub(crate) struct Draft<'t> {
    table: Table<'t, Key, Key>,
    changed: bool,
}

impl Draft<'_> {
    pub(crate) fn put(&mut self, key: &[u8], value: &[u8]) -> Outcome<()> {
        self.changed = true;
        self.table.insert(key, value)?;
        Ok(())
    }

    /// Takes a row away; one that is not there is fine.
    pub(crate) fn remove(&mut self, key: &[u8]) -> Outcome<()> {
        self.changed = true;
        self.table.remove(key)?;
        Ok(())
    }
}

impl Read for Draft<'_> {
    fn get(&self, key: &[u8]) -> Outcome<Option<Vec<u8>>> {
        get(&self.table, key)
    }

    fn range(&self, from: Bound<&[u8]>, to: Bound<&[u8]>) -> Outcome<Rows<'_>> {
        range(&self.table, from, to)
    }
}

/// What a store says of itself.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Meta {
    pub(crate) incarnation: Uuid,
    pub(crate) test: bool,
}

/// The file, open.
pub(crate) struct Engine {
    pub(crate) file: PathBuf,
    pub(crate) meta: Meta,
    options: Options,
    /// None after a failure of the disk, until the next call opens it again. Whoever reads or writes holds it for
    /// reading; for writing who needs the file for himself.
    database: RwLock<Option<Database>>,
}

impl Engine {
    pub(crate) fn open(file: &Path, options: &Options) -> Result<Self, StorageError> {
        let (database, meta) = open(file, options).map_err(|fault| fault.at(file))?;
        let database = RwLock::new(Some(database));
        Ok(Self { file: file.to_owned(), meta, options: options.clone(), database })
    }

    /// Reads within one transaction.
    pub(crate) fn read<T>(&self, work: impl FnOnce(&dyn Read) -> Outcome<T>) -> Result<T, StorageError> {
        self.with(|database| work(&View(database.begin_read()?.open_table(ROWS)?)))
    }

    /// Writes within one transaction: all of it, or nothing. It is on the disk when this returns. Waits until no other
    /// writes.
    pub(crate) fn write<T>(
        &self,
        work: impl FnOnce(&mut Draft<'_>) -> Outcome<T>,
    ) -> Result<T, StorageError> {
        self.with(|database| {
            let transaction = database.begin_write()?;
            let mut draft = Draft { table: transaction.open_table(ROWS)?, changed: false };
            let out = work(&mut draft);
            let changed = draft.changed;
            drop(draft);
            match out {
                Ok(out) if changed => match transaction.commit() {
                    Ok(()) => Ok(out),
                    Err(error) => Err(Fault::Commit(Box::new(error.into()))),
                },
                out => {
                    transaction.abort()?;
                    out
                }
            }
        })
    }

    /// Writes the file anew, with what lives: the engine's own compaction leaves old bytes in pages that it did not move.
    /// It needs the file for itself, and room for a second one; readings wait.
    pub(crate) fn scrub(&self) -> Result<ScrubReport, StorageError> {
        let mut guard = self.alone();
        let copied = self.database(&mut guard).and_then(|database| copy(database, &self.file, &self.options));
        let done = match copied {
            // What was there is closed here, after the new file has its name, and its lock.
            Ok(copied) => {
                *guard = Some(copied);
                sync_directory(&self.file)
            }
            // The disk may be full because of it.
            Err(fault) => remove(&copy_of(&self.file)).and(Err(fault)),
        };
        done.map_err(|fault| fault.at(&self.file))?;
        let done = vec!["the file was written anew, with the rows that live only".to_owned()];
        Ok(ScrubReport { done, could_not: Vec::new() })
    }

    /// Closes the file. A later call would open it again.
    pub(crate) fn close(&self) {
        self.alone().take();
    }

    fn with<T>(&self, work: impl FnOnce(&Database) -> Outcome<T>) -> Result<T, StorageError> {
        let out = self.opened().and_then(|guard| match &*guard {
            Some(database) => work(database),
            None => Err(Fault::Store(closed())),
        });
        if out.as_ref().is_err_and(Fault::needs_reopening) {
            self.alone().take();
        }
        out.map_err(|fault| fault.at(&self.file))
    }

    fn alone(&self) -> RwLockWriteGuard<'_, Option<Database>> {
        self.database.write().unwrap_or_else(PoisonError::into_inner)
    }

    /// The database; opened again if it had to be closed.
    fn opened(&self) -> Outcome<RwLockReadGuard<'_, Option<Database>>> {
        let guard = self.database.read().unwrap_or_else(PoisonError::into_inner);
        if guard.is_some() {
            return Ok(guard);
        }
        drop(guard);
        let mut guard = self.alone();
        self.database(&mut guard)?;
        Ok(RwLockWriteGuard::downgrade(guard))
    }

    fn database<'g>(&self, guard: &'g mut Option<Database>) -> Outcome<&'g Database> {
        let database = match guard.take() {
            Some(database) => database,
            None => {
                let (database, meta) = open(&self.file, &self.options.clone().existing())?;
                if meta != self.meta {
                    let message = "the file was replaced by another store while it was open: open it again";
                    return Err(Fault::Store(unusable(message)));
                }
                database
            }
        };
        Ok(guard.insert(database))
    }
}

impl fmt::Debug for Engine {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Engine").field("file", &self.file).field("meta", &self.meta).finish_non_exhaustive()
    }
}

/// Opens a file; if there is none, and it may, it begins a store.
fn open(file: &Path, options: &Options) -> Outcome<(Database, Meta)> {
    if let Some(incarnation) = options.create
        && !file.try_exists()?
    {
        create(file, options, Meta { incarnation, test: options.test })?;
    }
    let database = start(file, options, false)?;
    // A scrub that was killed left it. No scrub is under way: the file is locked by us.
    remove(&copy_of(file))?;
    let meta = meta(&database, file)?;
    Ok((database, meta))
}

/// Begins a store under a name of its own, and gives it the right one when it is whole: the engine does not open a file
/// whose making was cut short, not even to make it again.
fn create(file: &Path, options: &Options, meta: Meta) -> Outcome<()> {
    let to = file.with_added_extension(meta.incarnation.simple().to_string());
    remove(&to)?;
    make(&to)?;
    let database = start(&to, options, true)?;
    let transaction = database.begin_write()?;
    let mut draft = Draft { table: transaction.open_table(ROWS)?, changed: false };
    draft.put(&keys::meta("format"), &[FORMAT])?;
    draft.put(&keys::meta("incarnation"), meta.incarnation.as_bytes())?;
    draft.put(&keys::meta("test"), &[u8::from(meta.test)])?;
    drop(draft);
    transaction.commit()?;
    drop(database);
    // Unlike renaming, this replaces nothing: if somebody else was quicker, theirs is the store.
    let named = fs::hard_link(&to, file);
    remove(&to)?;
    match named {
        Err(error) if error.kind() != io::ErrorKind::AlreadyExists => Err(error.into()),
        _ => sync_directory(file),
    }
}

/// The engine on a file that is there.
fn start(file: &Path, options: &Options, new: bool) -> Outcome<Database> {
    let mut builder = Builder::new();
    builder.set_cache_size(options.cache).set_check_integrity_on_open(options.check);
    #[cfg(test)]
    if let Some(disk) = &options.disk {
        return Ok(builder.create_with_backend(disk.of(file)?)?);
    }
    Ok(if new { builder.create(file)? } else { builder.open(file)? })
}

/// Copies what lives into a new file, which then takes the place and the name of the old one.
fn copy(database: &Database, file: &Path, options: &Options) -> Outcome<Database> {
    let to = copy_of(file);
    remove(&to)?;
    make(&to)?;
    let copied = start(&to, options, true)?;
    let transaction = copied.begin_write()?;
    let mut draft = Draft { table: transaction.open_table(ROWS)?, changed: false };
    let view = View(database.begin_read()?.open_table(ROWS)?);
    for row in view.range(Bound::Unbounded, Bound::Unbounded)? {
        let (key, value) = row?;
        draft.put(&key, &value)?;
    }
    drop(draft);
    transaction.commit()?;
    fs::rename(&to, file)?;
    Ok(copied)
}

fn copy_of(file: &Path) -> PathBuf {
    file.with_added_extension("scrub")
}

fn remove(file: &Path) -> Outcome<()> {
    match fs::remove_file(file) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => Err(error.into()),
        _ => Ok(()),
    }
}

/// Makes an empty file that only its owner can read.
fn make(file: &Path) -> Outcome<()> {
    let mut options = OpenOptions::new();
    options.write(true).create_new(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    options.open(file)?;
    Ok(())
}

/// A file survives a power failure only if its name does.
fn sync_directory(file: &Path) -> Outcome<()> {
    if cfg!(unix) {
        let directory = file.parent().filter(|parent| !parent.as_os_str().is_empty());
        File::open(directory.unwrap_or(Path::new(".")))?.sync_all()?;
    }
    Ok(())
}

/// What the store says of itself. Refuses what is not ours, or newer.
fn meta(database: &Database, file: &Path) -> Outcome<Meta> {
    let view = View(database.begin_read()?.open_table(ROWS)?);
    let read = |name| view.get(&keys::meta(name));
    match read("format")?.as_deref() {
        Some([FORMAT]) => {}
        Some([newer]) => {
            let message = format!(
                "`{}` was written by a newer version (its format is {newer}, this one knows {FORMAT}): use that \
                 version, or restore a backup of before",
                file.display()
            );
            return Err(Fault::Store(unusable(message)));
        }
        _ => return Err(Fault::Store(unusable(foreign(file)))),
    }
    let incarnation = read("incarnation")?.and_then(|id| Uuid::from_slice(&id).ok());
    let test = read("test")?.as_deref() == Some(&[1]);
    Ok(Meta { incarnation: whole("the store's own rows are damaged", incarnation)?, test })
}
