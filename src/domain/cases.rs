//! Reads the data files in `tests/cases/`. Each line is a case with fields between tabs; a line
//! that begins with `#` is a comment.

/// The fields of each case. Panics if a line does not have `N` fields.
pub(crate) fn read<const N: usize>(file: &str) -> impl Iterator<Item = [String; N]> {
    let lines = file
        .lines()
        .filter(|line| !line.starts_with('#') && !line.is_empty());
    lines.map(|line| {
        let fields: Vec<_> = line.split('\t').map(str::to_owned).collect();
        fields
            .try_into()
            .unwrap_or_else(|fields| panic!("{N} fields expected: {fields:?}"))
    })
}

/// The text of a JSON string. Panics if it is none.
pub(crate) fn text(json: &str) -> String {
    serde_json::from_str(json).unwrap_or_else(|error| panic!("{json}: {error}"))
}
