//! Reads the crate's modules with `syn`: which paths each names, and on which line.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use proc_macro2::{TokenStream, TokenTree};
use quote::ToTokens;
use syn::visit::{self, Visit};
use syn::{ImplItem, Item, ItemMod, ItemUse, Macro, Stmt, TraitItem, UseTree, VisRestricted};

/// One path that a module names, outside its tests.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Named {
    pub(super) file: PathBuf,
    pub(super) line: usize,
    /// The module that names it, from the crate's root.
    pub(super) from: Vec<String>,
    pub(super) target: Target,
}

/// What a path leads to.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Target {
    /// A path of this crate, from its root.
    Inside(Vec<String>),
    /// A path that begins with another crate, or with a name that is neither imported nor declared
    /// in the file.
    Outside(Vec<String>),
}

impl Named {
    /// `src/live/hub.rs:12`.
    pub(super) fn place(&self) -> String {
        format!("{}:{}", self.file.display(), self.line)
    }
}

/// What all modules below `src/lib.rs` name. Follows `mod` declarations, so a file nobody declares
/// is not read.
pub(super) fn crate_paths() -> Vec<Named> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let mut found = Vec::new();
    read(
        root,
        Path::new("src/lib.rs"),
        Path::new("src"),
        &[],
        &mut found,
    );
    found
}

/// Every source file, by its path from the crate's root.
pub(super) fn sources() -> Vec<(PathBuf, String)> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let (mut folders, mut found) = (vec![root.join("src")], Vec::new());
    while let Some(folder) = folders.pop() {
        for entry in std::fs::read_dir(folder).expect("a folder") {
            let path = entry.expect("an entry").path();
            if path.is_dir() {
                folders.push(path);
            } else if path.extension().is_some_and(|ending| ending == "rs") {
                let source = std::fs::read_to_string(&path).expect("text");
                let file = path.strip_prefix(root).expect("below the root");
                found.push((file.to_owned(), source));
            }
        }
    }
    found
}

fn read(root: &Path, file: &Path, children: &Path, module: &[String], found: &mut Vec<Named>) {
    let source = std::fs::read_to_string(root.join(file))
        .unwrap_or_else(|error| panic!("{}: {error}", file.display()));
    let (named, modules) = parse(file, module, &source);
    found.extend(named);
    for name in modules {
        let below = children.join(&name);
        let flat = children.join(format!("{name}.rs"));
        let next = if root.join(&flat).exists() {
            flat
        } else {
            below.join("mod.rs")
        };
        let module: Vec<_> = module.iter().cloned().chain([name]).collect();
        read(root, &next, &below, &module, found);
    }
}

/// What one file names, and the modules that it declares in files of their own.
pub(super) fn parse(file: &Path, module: &[String], source: &str) -> (Vec<Named>, Vec<String>) {
    let syntax =
        syn::parse_file(source).unwrap_or_else(|error| panic!("{}: {error}", file.display()));
    let mut reader = Reader {
        file: file.to_owned(),
        module: module.to_vec(),
        found: Vec::new(),
        known: BTreeSet::new(),
        modules: Vec::new(),
    };
    reader.visit_file(&syntax);
    let Reader {
        mut found,
        known,
        modules,
        ..
    } = reader;
    // `Url::parse` after `use url::Url` is the import again, and `url::read` beside `mod url` is
    // this crate's.
    found.retain(|named| match &named.target {
        Target::Inside(_) => true,
        Target::Outside(path) => path.len() > 1 && !known.contains(&path[0]),
    });
    (found, modules)
}

struct Reader {
    file: PathBuf,
    module: Vec<String>,
    found: Vec<Named>,
    /// Names that the file imports or declares as modules.
    known: BTreeSet<String>,
    modules: Vec<String>,
}

impl Reader {
    fn name(&mut self, path: &[String], line: usize) {
        let mut at = self.module.clone();
        let mut rest = path;
        let target = match path.first().map(String::as_str) {
            Some("crate") => Target::Inside(path[1..].to_vec()),
            Some("self" | "super") => {
                while let [first, tail @ ..] = rest
                    && matches!(first.as_str(), "self" | "super")
                {
                    if first == "super" {
                        at.pop();
                    }
                    rest = tail;
                }
                at.extend_from_slice(rest);
                Target::Inside(at)
            }
            Some(_) => Target::Outside(path.to_vec()),
            None => return,
        };
        self.found.push(Named {
            file: self.file.clone(),
            line,
            from: self.module.clone(),
            target,
        });
    }

    fn import(&mut self, before: &[String], tree: &UseTree) {
        let with = |ident: &syn::Ident| [before, &[ident.to_string()]].concat();
        match tree {
            UseTree::Path(path) => self.import(&with(&path.ident), &path.tree),
            UseTree::Group(group) => group
                .items
                .iter()
                .for_each(|item| self.import(before, item)),
            UseTree::Name(name) => self.leaf(&with(&name.ident), &name.ident, &name.ident),
            UseTree::Rename(name) => self.leaf(&with(&name.ident), &name.ident, &name.rename),
            UseTree::Glob(glob) => {
                let line = glob.star_token.spans[0].start().line;
                self.name(&[before, &["*".to_owned()]].concat(), line);
            }
        }
    }

    fn leaf(&mut self, path: &[String], last: &syn::Ident, name: &syn::Ident) {
        let line = last.span().start().line;
        let (path, name) = match path {
            [before @ .., end] if end == "self" => (before, before.last().cloned()),
            path => (path, Some(name.to_string())),
        };
        self.name(path, line);
        if let Some(name) = name.filter(|name| path.len() > 1 && name != "_") {
            self.known.insert(name);
        }
    }

    /// Paths in a macro's input, which `syn` leaves unread.
    fn tokens(&mut self, tokens: TokenStream) {
        let (mut path, mut line, mut colons) = (Vec::new(), 0, 0);
        for token in tokens {
            match token {
                TokenTree::Ident(ident) if colons == 2 || path.is_empty() => {
                    if path.is_empty() {
                        line = ident.span().start().line;
                    }
                    path.push(ident.to_string());
                    colons = 0;
                    continue;
                }
                TokenTree::Punct(punct) if punct.as_char() == ':' && !path.is_empty() => {
                    colons += 1;
                    if colons <= 2 {
                        continue;
                    }
                }
                TokenTree::Group(group) => self.tokens(group.stream()),
                TokenTree::Ident(ident) => {
                    self.end(&mut path, line);
                    (line, colons) = (ident.span().start().line, 0);
                    path.push(ident.to_string());
                    continue;
                }
                TokenTree::Punct(_) | TokenTree::Literal(_) => {}
            }
            self.end(&mut path, line);
            colons = 0;
        }
        self.end(&mut path, line);
    }

    fn end(&mut self, path: &mut Vec<String>, line: usize) {
        if path.len() > 1 {
            self.name(path, line);
        }
        path.clear();
    }
}

impl<'ast> Visit<'ast> for Reader {
    fn visit_item(&mut self, item: &'ast Item) {
        if !is_test(item) {
            visit::visit_item(self, item);
        }
    }

    fn visit_impl_item(&mut self, item: &'ast ImplItem) {
        if !is_test(item) {
            visit::visit_impl_item(self, item);
        }
    }

    fn visit_trait_item(&mut self, item: &'ast TraitItem) {
        if !is_test(item) {
            visit::visit_trait_item(self, item);
        }
    }

    fn visit_stmt(&mut self, statement: &'ast Stmt) {
        if !is_test(statement) {
            visit::visit_stmt(self, statement);
        }
    }

    fn visit_item_mod(&mut self, item: &'ast ItemMod) {
        let name = item.ident.to_string();
        self.known.insert(name.clone());
        if item.content.is_none() {
            self.modules.push(name);
            return;
        }
        self.module.push(name);
        visit::visit_item_mod(self, item);
        self.module.pop();
    }

    fn visit_item_use(&mut self, item: &'ast ItemUse) {
        self.import(&[], &item.tree);
    }

    fn visit_path(&mut self, path: &'ast syn::Path) {
        let segments: Vec<_> = path
            .segments
            .iter()
            .map(|part| part.ident.to_string())
            .collect();
        if segments.len() > 1 {
            self.name(&segments, path.segments[0].ident.span().start().line);
        }
        visit::visit_path(self, path);
    }

    /// `pub(in crate::cli)` uses nothing.
    fn visit_vis_restricted(&mut self, _: &'ast VisRestricted) {}

    fn visit_macro(&mut self, item: &'ast Macro) {
        self.visit_path(&item.path);
        self.tokens(item.tokens.clone());
    }
}

/// Whether one of the attributes is `cfg(test)`.
fn is_test(item: &impl ToTokens) -> bool {
    let mut tokens = item.to_token_stream().into_iter();
    while let Some(TokenTree::Punct(mark)) = tokens.next()
        && mark.as_char() == '#'
    {
        let attribute = tokens
            .next()
            .map(|group| group.to_string())
            .unwrap_or_default();
        let attribute: String = attribute.split_whitespace().collect();
        if attribute.starts_with("[cfg(test)") || attribute.starts_with("[cfg(all(test,") {
            return true;
        }
    }
    false
}
