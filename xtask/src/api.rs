//! The public interface of each crate, as a text that is kept: whoever changes it sees what an embedder will see.
//!
//! The lint `unreachable_pub` is an error here, so whatever is `pub` can be reached, and it is enough to read the
//! sources. Items stand under the module that holds them, re-exports as what they are. What a macro of the crate makes is
//! kept as the macro and what it is called with.

use crate::Outcome;
use proc_macro2::{Delimiter, Group, Ident, TokenStream, TokenTree};
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
        let gate = gate(item);
        let mut note = |what: String| lines.push(format!("{path}: {gate}{what}"));
        match item {
            Item::Mod(one) if !is_hidden(&one.attrs) => {
                let name = one.ident.to_string();
                if !gate.is_empty() {
                    note(format!("mod {name}"));
                }
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
                derived(&one.ident, &one.attrs, &mut note);
                one.attrs.retain(is_open);
                strip(&mut one.fields);
                note(said(&one));
            }
            Item::Enum(one) if is_shown(&one.vis, &one.attrs) => {
                let mut one = one.clone();
                derived(&one.ident, &one.attrs, &mut note);
                one.attrs.retain(is_open);
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
                    match item {
                        TraitItem::Fn(method) => {
                            let default = if method.default.is_some() { " { … }" } else { "" };
                            note(format!("{name}: {}{default}", said(&method.sig)));
                        }
                        other => note(format!("{name}: {}", said(&undocumented(&other.to_token_stream())))),
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
            Item::Macro(one) if !is_hidden(&one.attrs) => match &one.ident {
                // What an exported one makes is its user's.
                Some(name) if one.attrs.iter().any(|attribute| attribute.path().is_ident("macro_export")) => {
                    note(format!("#[macro_export] macro_rules! {name}"));
                }
                Some(name) => {
                    note(format!("macro_rules! {name} {{ {} }}", said(&undocumented(&one.mac.tokens))))
                }
                None => {
                    note(format!("{}! {{ {} }}", said(&one.mac.path), said(&undocumented(&one.mac.tokens))));
                }
            },
            _ => {}
        }
    }
    Ok(())
}

/// The features that an item needs, as it says it.
fn gate(item: &Item) -> String {
    let attributes = match item {
        Item::Mod(one) => &one.attrs,
        Item::Struct(one) => &one.attrs,
        Item::Enum(one) => &one.attrs,
        Item::Fn(one) => &one.attrs,
        Item::Const(one) => &one.attrs,
        Item::Type(one) => &one.attrs,
        Item::Use(one) => &one.attrs,
        Item::Trait(one) => &one.attrs,
        Item::Impl(one) => &one.attrs,
        _ => return String::new(),
    };
    let gates = attributes.iter().filter(|attribute| attribute.path().is_ident("cfg"));
    gates.map(|attribute| said(attribute) + " ").collect()
}

/// Whether more may come.
fn is_open(attribute: &Attribute) -> bool {
    attribute.path().is_ident("non_exhaustive")
}

/// Notes what is derived for a type.
fn derived(name: &Ident, attributes: &[Attribute], note: &mut impl FnMut(String)) {
    for attribute in attributes.iter().filter(|attribute| attribute.path().is_ident("derive")) {
        note(format!("{name}: {}", said(attribute)));
    }
}

/// Without comments, which are `#[doc = …]` to a macro.
fn undocumented(tokens: &TokenStream) -> TokenStream {
    let mut out = Vec::new();
    let mut tokens = tokens.clone().into_iter().peekable();
    while let Some(token) = tokens.next() {
        let is_hash = matches!(&token, TokenTree::Punct(punct) if punct.as_char() == '#');
        let is_doc = matches!(tokens.peek(), Some(TokenTree::Group(group))
            if group.delimiter() == Delimiter::Bracket && group.stream().to_string().starts_with("doc ="));
        match token {
            _ if is_hash && is_doc => drop(tokens.next()),
            TokenTree::Group(group) => {
                out.push(Group::new(group.delimiter(), undocumented(&group.stream())).into());
            }
            token => out.push(token),
        }
    }
    out.into_iter().collect()
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
