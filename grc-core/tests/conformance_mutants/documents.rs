//! C-15: stores that are wrong about documents.

use crate::store::{Mutant, Under, each, part, pause, remade, word};
use grc_core::storage::{
    Batch, ConflictOn, Document, DocumentRange, Expect, Step, StorageError, StorageErrorKind, Which,
};

fn conflict(on: ConflictOn) -> StorageError {
    StorageError::conflict("mutant", on, "so it says")
}

fn newest(under: &Under, batch: &Batch, document: &Document) -> u64 {
    under.newest(batch.authority(), &document.kind, &document.name)
}

fn over(newest: u64) -> Expect {
    if newest == 0 { Expect::Absent } else { Expect::Version(newest) }
}

/// The batch with the documents it puts changed, given the newest version of each.
fn put(under: &Under, batch: &Batch, change: impl Fn(u64, &mut Document, &mut Expect)) -> Batch {
    each(batch, |step| match step {
        Step::PutDocument { mut document, mut expect } => {
            change(newest(under, batch, &document), &mut document, &mut expect);
            Some(Step::PutDocument { document, expect })
        }
        other => Some(other),
    })
}

pub(crate) fn mutants() -> Vec<Mutant> {
    vec![
        Mutant::new("C-15", "any version is given the next number").commit(|under, batch| {
            under.commit(put(under, &batch, |newest, document, _| document.version = newest + 1))
        }),
        Mutant::new("C-15", "a document is put over any version").commit(|under, batch| {
            under.commit(put(under, &batch, |newest, document, expect| {
                if document.version != newest + 1 || *expect != over(newest) {
                    document.version = newest + 1;
                    *expect = over(newest);
                }
            }))
        }),
        Mutant::new("C-15", "a version is put again over itself").commit(|under, batch| {
            under.commit(each(&batch, |step| match &step {
                Step::PutDocument { document, .. } if document.version == newest(under, &batch, document) => {
                    None
                }
                _ => Some(step),
            }))
        }),
        Mutant::new("C-15", "documents are compared before the transaction").commit(|under, batch| {
            let [Step::PutDocument { document, expect }] = batch.steps() else { return under.commit(batch) };
            if over(newest(under, &batch, document)) != *expect {
                return under.commit(batch);
            }
            pause();
            loop {
                let batch = put(under, &batch, |newest, document, expect| {
                    document.version = newest + 1;
                    *expect = over(newest);
                });
                match under.commit(batch) {
                    Err(error) if error.conflict_on() == Some(ConflictOn::Document) => {}
                    result => return result,
                }
            }
        }),
        Mutant::new("C-15", "`Current` is not compared").commit(|under, batch| {
            under.commit(each(&batch, |step| Some(step).filter(|step| !matches!(step, Step::Current { .. }))))
        }),
        Mutant::new("C-15", "`Current` is met by a newer version").commit(|under, batch| {
            under.commit(each(&batch, |step| match step {
                Step::Current { kind, name, version } => {
                    let newest = under.newest(batch.authority(), &kind, &name);
                    Some(Step::Current { kind, name, version: version.max(newest) })
                }
                other => Some(other),
            }))
        }),
        Mutant::new("C-15", "`Current` 0 means any version").commit(|under, batch| {
            under.commit(each(&batch, |step| {
                Some(step).filter(|step| !matches!(step, Step::Current { version: 0, .. }))
            }))
        }),
        Mutant::new("C-15", "raising lowers").commit(|under, batch| {
            let steps = batch.steps().iter().flat_map(|step| match step {
                Step::RaiseDocument(document) => {
                    let version = newest(under, &batch, document);
                    let (kind, name) = (document.kind.clone(), document.name.clone());
                    vec![Step::DropDocument { kind, name, version }, step.clone()]
                }
                other => vec![other.clone()],
            });
            under.commit(remade(&batch, steps.collect::<Vec<_>>()))
        }),
        Mutant::new("C-15", "raising to a version that is there replaces it").commit(|under, batch| {
            let steps = batch.steps().iter().flat_map(|step| match step {
                Step::RaiseDocument(document) if newest(under, &batch, document) == document.version => {
                    let (kind, name) = (document.kind.clone(), document.name.clone());
                    vec![Step::DropDocument { kind, name, version: document.version }, step.clone()]
                }
                other => vec![other.clone()],
            });
            under.commit(remade(&batch, steps.collect::<Vec<_>>()))
        }),
        Mutant::new("C-15", "raising leaves the version before").commit(|under, batch| {
            under.commit(each(&batch, |step| match step {
                Step::RaiseDocument(document) if newest(under, &batch, &document) + 1 == document.version => {
                    let expect = over(document.version - 1);
                    Some(Step::PutDocument { document, expect })
                }
                other => Some(other),
            }))
        }),
        Mutant::new("C-15", "raising to a lower version is a conflict").commit(|under, batch| {
            let lower = batch.steps().iter().any(|step| match step {
                Step::RaiseDocument(document) => newest(under, &batch, document) > document.version,
                _ => false,
            });
            if lower { Err(conflict(ConflictOn::Document)) } else { under.commit(batch) }
        }),
        Mutant::new("C-15", "dropping compares no version").commit(|under, batch| {
            under.commit(each(&batch, |step| match step {
                Step::DropDocument { kind, name, .. } => {
                    let version = under.newest(batch.authority(), &kind, &name);
                    Some(Step::DropDocument { kind, name, version })
                }
                other => Some(other),
            }))
        }),
        Mutant::new("C-15", "dropping takes the newest version only").commit(|under, batch| {
            let earlier: Vec<Document> = batch
                .steps()
                .iter()
                .filter_map(|step| match step {
                    Step::DropDocument { kind, name, version } => {
                        let range = DocumentRange {
                            which: Which::All,
                            ..DocumentRange::newest(batch.authority().clone(), kind.clone(), name.clone())
                        };
                        let mut found = under.documents(range).unwrap();
                        found.retain(|document| document.version < *version);
                        Some(found)
                    }
                    _ => None,
                })
                .flatten()
                .collect();
            let receipt = under.commit(batch.clone())?;
            let puts = earlier.into_iter().map(|document| {
                let expect = over(document.version - 1);
                Step::PutDocument { document, expect }
            });
            under.commit(part(&batch, 1, puts.collect::<Vec<_>>()))?;
            Ok(receipt)
        }),
        Mutant::new("C-15", "a version that is not there is the newest").documents(|under, range| {
            let found = under.documents(range.clone())?;
            if found.is_empty() && range.name.is_some() {
                return under.documents(DocumentRange { which: Which::Newest, ..range });
            }
            Ok(found)
        }),
        Mutant::new("C-15", "the newest of each is all of them").documents(|under, range| {
            let which = if range.which == Which::Newest { Which::All } else { range.which };
            under.documents(DocumentRange { which, ..range })
        }),
        Mutant::new("C-15", "the name asked for is not looked at")
            .documents(|under, range| under.documents(DocumentRange { name: None, limit: 1_000, ..range })),
        Mutant::new("C-15", "a limit counts rows and not names").documents(|under, range| {
            let limit = range.limit as usize;
            let mut found = under.documents(range)?;
            found.truncate(limit);
            Ok(found)
        }),
        Mutant::new("C-15", "names of which nothing is given count").documents(|under, range| {
            let names = under.documents(DocumentRange { which: Which::Newest, ..range.clone() })?;
            let mut found = under.documents(DocumentRange { limit: 1_000, ..range })?;
            found.retain(|document| names.iter().any(|one| one.name == document.name));
            Ok(found)
        }),
        Mutant::new("C-15", "a page begins with the name it should begin after").documents(|under, range| {
            let mut page = under.documents(range.clone())?;
            if let Some(after) = range.after {
                let name = Some(after);
                page.splice(0..0, under.documents(DocumentRange { name, after: None, ..range })?);
            }
            Ok(page)
        }),
        Mutant::new("C-15", "names are in order of length").documents(|under, range| {
            let mut page = under.documents(range)?;
            page.sort_by_key(|document| document.name.as_str().len());
            Ok(page)
        }),
        Mutant::new("C-15", "kinds of documents are not told apart").documents(|under, range| {
            let found = under.documents(range.clone())?;
            if found.is_empty() {
                return under.documents(DocumentRange { kind: word("procedure"), ..range });
            }
            Ok(found)
        }),
        Mutant::new("C-15", "a refused version is counted all the same").commit(|under, batch| {
            let result = under.commit(batch.clone());
            let refused = result.as_ref().is_err_and(|error| error.kind() == StorageErrorKind::Unsupported);
            if let (true, [Step::PutDocument { document, .. }]) = (refused, batch.steps()) {
                let _ = under.commit(part(&batch, 1, [Step::RaiseDocument(document.clone())]));
            }
            result
        }),
    ]
}
