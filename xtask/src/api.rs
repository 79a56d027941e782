//! The public interface of each crate, as a text that is kept: whoever changes it sees what an embedder will see.
//!
//! The lint `unreachable_pub` is an error here, so whatever is `pub` can be reached, and it is enough to read the
//! sources. Items stand under the module that holds them, re-exports as what they are.

use crate::Outcome;
use quote::ToTokens;
use std::{
    ffi::OsString,
    fs,
    path::{Path, PathBuf},
};
use syn::{Attribute, Fields, ImplItem, Item, TraitItem, Visibility};

const CRATES: [&str; 3] = ["grc-core", "grc-sqlite", "grc-mysql"];

/// Compares each interface with the text that is kept; with `--write` the text is made anew.
pub(crate) fn run(arguments: Vec<OsString>) -> Outcome {
    let write = match arguments.as_slice() {
        [] => false,
        [one] if one == "--write" => true,
        _ => return Err("`api` knows one argument: --write".into()),
    };
    let mut changed = Vec::new();
    for name in CRATES {
        let mut lines = Vec::new();
        module(
            &Path::new(name).join("src/lib.rs"),
            &Path::new(name).join("src"),
            &name.replace('-', "_"),
            &mut lines,
        )?;
        lines.sort();
        let text = lines.join("\n") + "\n";
        let file = PathBuf::from("docs/api").join(format!("{name}.txt"));
        let kept = fs::read_to_string(&file).unwrap_or_default();
        if write {
            fs::create_dir_all("docs/api")?;
            fs::write(&file, text)?;
        } else if kept != text {
            let (old, new): (Vec<&str>, Vec<&str>) = (kept.lines().collect(), text.lines().collect());
            old.iter().filter(|line| !new.contains(line)).for_each(|line| println!("- {line}"));
            new.iter().filter(|line| !old.contains(line)).for_each(|line| println!("+ {line}"));
            changed.push(name);
        } else {
            println!("{name}: {} public items, as they are kept", lines.len());
        }
    }
    if changed.is_empty() {
        return Ok(());
    }
    let changed = changed.join(", ");
    Err(format!("the public interface of {changed} is not the one in docs/api: `cargo xtask api --write` if that is meant").into())
}

/// Notes what a module has, and its modules.
fn module(file: &Path, directory: &Path, path: &str, lines: &mut Vec<String>) -> Outcome {
    let text = fs::read_to_string(file).map_err(|error| format!("{}: {error}", file.display()))?;
    let parsed = syn::parse_file(&text).map_err(|error| format!("{}: {error}", file.display()))?;
    items(&parsed.items, directory, path, lines)
}

fn items(items: &[Item], directory: &Path, path: &str, lines: &mut Vec<String>) -> Outcome {
    // What a private type can do concerns nobody.
    let private: Vec<String> = items
        .iter()
        .filter_map(|item| match item {
            Item::Struct(one) => Some((&one.vis, &one.ident)),
            Item::Enum(one) => Some((&one.vis, &one.ident)),
            _ => None,
        })
        .filter(|(visibility, _)| !matches!(visibility, Visibility::Public(_)))
        .map(|(_, name)| name.to_string())
        .collect();
    for item in items {
        let mut note = |what: String| lines.push(format!("{path}: {what}"));
        match item {
            Item::Mod(one) if !is_hidden(&one.attrs) => {
                let name = one.ident.to_string();
                let inner = format!("{path}::{name}");
                let below = directory.join(&name);
                match &one.content {
                    Some((_, content)) => self::items(content, &below, &inner, lines)?,
                    None => {
                        let file = directory.join(format!("{name}.rs"));
                        let file = if file.exists() { file } else { below.join("mod.rs") };
                        module(&file, &below, &inner, lines)?;
                    }
                }
            }
            Item::Struct(one) if is_shown(&one.vis, &one.attrs) => {
                let mut one = one.clone();
                one.attrs.clear();
                strip(&mut one.fields);
                note(said(&one));
            }
            Item::Enum(one) if is_shown(&one.vis, &one.attrs) => {
                let mut one = one.clone();
                one.attrs.retain(|attribute| attribute.path().is_ident("non_exhaustive"));
                one.variants.iter_mut().for_each(|variant| {
                    variant.attrs.clear();
                    variant.fields.iter_mut().for_each(|field| field.attrs.clear());
                });
                note(said(&one));
            }
            Item::Fn(one) if is_shown(&one.vis, &one.attrs) => note(format!("pub {}", said(&one.sig))),
            Item::Const(one) if is_shown(&one.vis, &one.attrs) => {
                note(format!("pub const {}: {}", one.ident, said(&one.ty)));
            }
            Item::Type(one) if is_shown(&one.vis, &one.attrs) => {
                note(format!("pub type {} = {}", one.ident, said(&one.ty)));
            }
            Item::Use(one) if is_shown(&one.vis, &one.attrs) => note(format!("pub use {}", said(&one.tree))),
            Item::Trait(one) if is_shown(&one.vis, &one.attrs) => {
                let name = &one.ident;
                note(format!("pub trait {name}: {}", said(&one.supertraits)));
                for item in &one.items {
                    if let TraitItem::Fn(method) = item {
                        let default = if method.default.is_some() { " { … }" } else { "" };
                        note(format!("{name}: {}{default}", said(&method.sig)));
                    }
                }
            }
            Item::Impl(one) if !is_hidden(&one.attrs) => {
                let of = said(&one.self_ty);
                if private.iter().any(|name| of.split(' ').next() == Some(name)) {
                    continue;
                }
                if let Some((_, of_trait, _)) = &one.trait_ {
                    note(format!("impl {} for {of}", said(of_trait)));
                    continue;
                }
                for item in &one.items {
                    match item {
                        ImplItem::Fn(method) if is_shown(&method.vis, &method.attrs) => {
                            note(format!("{of}: pub {}", said(&method.sig)));
                        }
                        ImplItem::Const(constant) if is_shown(&constant.vis, &constant.attrs) => {
                            note(format!("{of}: pub const {}: {}", constant.ident, said(&constant.ty)));
                        }
                        _ => {}
                    }
                }
            }
            _ => {}
        }
    }
    Ok(())
}

/// Without what nobody sees from outside.
fn strip(fields: &mut Fields) {
    fields.iter_mut().for_each(|field| {
        field.attrs.clear();
        if !matches!(field.vis, Visibility::Public(_)) {
            field.ty = syn::parse_quote!(_);
        }
    });
}

fn is_shown(visibility: &Visibility, attributes: &[Attribute]) -> bool {
    matches!(visibility, Visibility::Public(_)) && !is_hidden(attributes)
}

/// Whether it is only for tests, or not for others.
fn is_hidden(attributes: &[Attribute]) -> bool {
    attributes.iter().map(said).any(|text| {
        let text: String = text.split_whitespace().collect();
        text.contains("cfg(test)") || text.contains("doc(hidden)") || text.contains("cfg(doctest)")
    })
}

/// As text, on one line.
fn said(tokens: &impl ToTokens) -> String {
    tokens.to_token_stream().to_string().split_whitespace().collect::<Vec<_>>().join(" ")
}
