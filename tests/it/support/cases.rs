//! Reads the data files below `tests/cases/`: one case a line, its fields between tabs, comments
//! after `#`.

/// The fields of each case.
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

/// A JSON string.
pub(crate) fn text(json: &str) -> String {
    serde_json::from_str(json).unwrap_or_else(|error| panic!("{json}: {error}"))
}
