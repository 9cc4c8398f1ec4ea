//! Assets as pages load them: several style sheets as one, without the lines that only people read.

use std::borrow::Cow;

use super::{kind, plain};

/// Style sheets in one answer: a page has about twelve.
const SHEETS_MAX: usize = 24;

/// What a page of this version loads: without the lines that only people read, and several style sheets as
/// one, `css/tokens,base.css`. One answer costs less than many, heads included.
pub(super) fn lean(name: &str) -> Option<(&'static str, Cow<'static, [u8]>)> {
    let kind = kind(name)?;
    let sheets = name
        .strip_prefix("css/")
        .and_then(|name| name.strip_suffix(".css"));
    if let Some(sheets) = sheets {
        let sheets: Vec<&str> = sheets.split(',').collect();
        let is_repeated = |at: usize| sheets[..at].contains(&sheets[at]);
        if sheets.len() > SHEETS_MAX || (0..sheets.len()).any(is_repeated) {
            return None;
        }
        let read = |sheet: &&str| Some(without_comments(&plain(&format!("css/{sheet}.css"))?));
        let all: Option<Vec<Vec<u8>>> = sheets.iter().map(read).collect();
        return Some((kind, all?.concat().into()));
    }
    let bytes = plain(name)?;
    Some(if name.starts_with("js/") {
        (kind, without_comments(&bytes).into())
    } else {
        (kind, bytes)
    })
}

/// Style sheets and scripts without indentation, empty lines and comments on lines of their own.
fn without_comments(bytes: &[u8]) -> Vec<u8> {
    let text = String::from_utf8_lossy(bytes);
    let mut rest = Vec::with_capacity(bytes.len());
    let mut is_comment = false;
    for line in text.lines().map(str::trim) {
        let begins = !is_comment && line.starts_with("/*");
        if is_comment || begins {
            is_comment = !line.ends_with("*/");
        } else if !line.is_empty() && !line.starts_with("//") {
            rest.extend_from_slice(line.as_bytes());
            rest.push(b'\n');
        }
    }
    rest
}

#[cfg(test)]
mod tests {
    use super::super::{SHEET, SHEET_END, Web, with_versions};
    use super::*;

    #[test]
    fn a_page_loads_its_style_sheets_as_one_without_comments() {
        let link = |name: &str| format!("{SHEET}{name}{SHEET_END}");
        let page = with_versions(&format!("<a>{}<b>{}<c>", link("base"), link("form")));
        let (path, rest) = page.split_once("base,form.css").unwrap();
        assert!(
            path.starts_with("<a><link") && rest.ends_with("/><b><c>"),
            "{page}"
        );
        let whole = |names: &str| lean(&format!("css/{names}.css"));
        let all = whole("base,form").unwrap().1;
        let each = ["base", "form"].map(|name| whole(name).unwrap().1.into_owned());
        assert_eq!(*all, each.concat());
        let many = (0..=SHEETS_MAX)
            .map(|n| format!("x{n}"))
            .collect::<Vec<_>>();
        for names in [
            "base,base",
            "base,",
            "base,none",
            "base,../css/form",
            &many.join(","),
        ] {
            assert!(whole(names).is_none(), "{names}");
        }
        assert_eq!(
            without_comments(b"// a\n/** b\n * c */\n  d(); // e\n\n/* f */\ng { }\n"),
            b"d(); // e\ng { }\n"
        );
    }

    // `without_comments` works line by line: a comment that ends before code, or a text of several lines, would
    // lose something.
    #[test]
    fn no_asset_has_code_that_looks_like_a_comment() {
        for name in Web::iter().filter(|name| name.starts_with("js/") || name.starts_with("css/")) {
            let bytes = Web::get(&name).unwrap().data;
            for line in String::from_utf8_lossy(&bytes).lines().map(str::trim) {
                let after = line.split_once("*/").map_or("", |(_, after)| after);
                let is_comment = line.starts_with("/*") || line.starts_with('*');
                assert!(!is_comment || after.is_empty(), "{name}: {line}");
                let is_text = !line.starts_with("//") && !line.starts_with('*');
                let quotes = line.matches('`').count();
                assert!(!is_text || quotes.is_multiple_of(2), "{name}: {line}");
            }
        }
    }
}
