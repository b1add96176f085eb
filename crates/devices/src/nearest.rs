//! The name that somebody may have meant.

/// `; did you mean unit?` for the nearest of `valid`; nothing where there is none.
pub fn nearest<'a>(given: &str, valid: impl IntoIterator<Item = &'a str>) -> String {
    // A name of any length is compared by its beginning: what is longer resembles nothing.
    let given: String = given.chars().take(64).collect();
    valid
        .into_iter()
        .max_by(|a, b| strsim::jaro_winkler(a, &given).total_cmp(&strsim::jaro_winkler(b, &given)))
        .map_or_else(String::new, |name| format!("; did you mean {name}?"))
}
